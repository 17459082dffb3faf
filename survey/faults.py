"""Say what is wrong with a file as faults, each with its line and remedy.

Also the names that no instrument may take.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from survey.errors import Fault
from survey.yaml12 import Document, Place, Plain, spell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError

#: Columns that stand beside the items in every table of answers.
KEYS = (
    "respondent",
    "couple",
    "role",
    "wave",
    "language",
    "form",
    "started",
    "finished",
    "seconds",
)
#: Names that at least one platform renames, refuses or reads as a command.
RESERVED = frozenset(
    [
        "all",
        "and",
        "by",
        "eq",
        "ge",
        "gt",
        "le",
        "lt",
        "ne",
        "not",
        "or",
        "to",
        "with",
        "lang",
        "sid",
        "savedid",
        "token",
        "qid",
        "gid",
        "sgq",
        "self",
        "that",
        "this",
        "time",
        "other",
        "int",
        "float",
        "long",
        "double",
        "byte",
        "str",
        "if",
        "in",
        "using",
        "id",
        "index",
        "end",
        "name",
        "note",
        "meta",
        "today",
        "start",
        "deviceid",
        "username",
        "text",
    ]
) | frozenset(KEYS)
#: Where the instruments that come with the project lie.
BUNDLED = Path(__file__).resolve().parent / "instruments"


def in_order(found: Sequence[Fault]) -> list[Fault]:
    """Sort faults by line, each once."""
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda fault: fault.line or 0)


def from_pydantic(
    error: ValidationError, document: Document, found: Sequence[Fault] = ()
) -> list[Fault]:
    """Say pydantic's errors as faults: one for each place, with value and remedy.

    Places that `found` names already, and lists that only count as too short because
    their entries are faulty, are left out.
    """
    named = {(fault.line, fault.key) for fault in found}
    errors = [
        (_real_place(one["loc"], document.value), one)
        for one in error.errors()
        if one["type"] != "value_error"
    ]
    out: dict[Place, Fault] = {}
    for place, one in errors:
        below = any(p[: len(place)] == place and p != place for p, _ in errors)
        if place in out or (below and one["type"] != "missing"):
            continue
        context = one.get("ctx", {})
        problem, remedy = _in_words(one["type"], one["input"], context, place)
        line, key = document.line(place), name(place, document.value)
        if not named & {(line, key), (line, spell(place))}:
            out[place] = Fault(document.file, line, key, problem, remedy)
    return list(out.values())


def name(place: Place, value: Plain) -> str:
    """Spell a place, with ids where the file has them: ``scales[trust].items``."""
    if len(place) > 2 and isinstance(place[0], str) and isinstance(place[1], int):  # noqa: PLR2004
        rows = value.get(place[0]) if isinstance(value, dict) else None
        one = rows[place[1]] if isinstance(rows, list) else None
        if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]:
            return f"{place[0]}[{one['id']}].{spell(place[2:])}"
    return spell(place)


#: What pydantic wanted, in words, and how to give it.
_WANTED = {
    "string_type": ("text", "Write a text."),
    "int_type": ("a whole number", "Write a whole number, without quotes."),
    "float_type": ("a number", "Write a number, without quotes."),
    "bool_type": ("true or false", "Write true or false, without quotes."),
    "tuple_type": ("a list", "Write [one, two], or each on a line after a dash."),
    "dict_type": ("a text", "Write a text, or one for each language."),
    "model_type": ("a section", "Write its keys below it, indented by two spaces."),
    "model_attributes_type": (
        "a section",
        "Write its keys below it, indented by two spaces.",
    ),
    "finite_number": ("a finite number", "Write the number."),
}


def _in_words(
    kind: str, value: object, context: Mapping[str, object], place: Place
) -> tuple[str, str]:
    if kind == "missing":
        return f"the key {place[-1]!r} is missing", f"Add {place[-1]!r}."
    if kind == "extra_forbidden":
        return f"unknown key {place[-1]!r}", "Correct the key or remove it."
    if kind.startswith("union_tag"):
        found = value.get("type") if isinstance(value, dict) else None
        problem = f"the type {found!r} is unknown" if found else "the type is missing"
        return problem, "Write type: likert, choice, number or text."
    if context:
        return _out_of_bounds(kind, value, context, place)
    wanted, remedy = _WANTED.get(kind, ("what belongs here", "Correct the value."))
    if kind == "string_type" and isinstance(value, bool | int | float):
        remedy = f"Put quotes round it: '{_in_yaml(value)}'."
    if value is None:
        return f"there is nothing, not {wanted}", remedy
    return f"{_short(value)} is {_type_name(value)}, not {wanted}", remedy


def _out_of_bounds(
    kind: str, value: object, context: Mapping[str, object], place: Place
) -> tuple[str, str]:
    """Say what is of the right type, but not what the place allows."""
    shown = _short(value)
    if kind == "string_pattern_mismatch":
        return f"{shown} does not fit", _pattern_remedy(str(context["pattern"]), place)
    if kind == "literal_error":
        return f"{shown} is not known here", f"Write one of {context['expected']}."
    if kind == "too_short":
        problem = f"has {context['actual_length']} entries: {shown}"
        return problem, f"Write {context['min_length']} or more."
    if kind in _LIMITS:
        problem = f"{shown} is not {_LIMITS[kind][0]} {context[_LIMITS[kind][1]]}"
        return problem, "Correct the number."
    wanted, remedy = _WANTED.get(kind, ("what belongs here", "Correct the value."))
    return f"{shown} is {_type_name(value)}, not {wanted}", remedy


_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}


def _type_name(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "a section"


def _in_yaml(value: object) -> str:
    """Spell a value as the file does: true and null, lists in brackets."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_in_yaml(one) for one in value) + "]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{key}: {_in_yaml(one)}" for key, one in value.items())
        return f"{{{pairs}}}"
    return "null" if value is None else str(value)


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else _in_yaml(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004


def _pattern_remedy(pattern: str, place: Place) -> str:
    if place[-1] == "version":
        return "Write a version such as '1.0.0', in quotes."
    if place[:1] == ("items",) and place[-1] == "id":
        return (
            "Use 2 to 19 lower-case letters and digits, a letter first: such names "
            "survive every platform."
        )
    if place[-1] in {"url", "leave_url"}:
        return "Write an address that starts with https://."
    if place[:1] == ("languages",):
        return "Write the code of a language, such as en or pt-BR."
    return (
        "Use lower-case letters, digits and _, a letter first, as in 'trust_issues' "
        f"(rule: {pattern})."
    )


def _real_place(loc: tuple[str | int, ...], value: Plain) -> Place:
    """Drop the steps pydantic adds for unions: keep those that exist in the file."""
    out: list[str | int] = []
    here: Plain = value
    for position, step in enumerate(loc):
        last = position == len(loc) - 1
        if isinstance(here, dict) and isinstance(step, str):
            if step in here:
                out.append(step)
                here = here[step]
            elif last and not _is_union_step(step):
                out.append(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            out.append(step)
            here = here[step]
    return tuple(out)


def _is_union_step(step: str) -> bool:
    return step in {"str", "int", "likert", "choice", "number", "text"} or "[" in step
