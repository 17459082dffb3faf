"""Say what is wrong with a file as faults, each with its line and remedy.

Also the names that no instrument may take.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from survey.errors import Fault
from survey.yaml12 import Document, Place, Plain, spell

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def from_pydantic(error: ValidationError, document: Document) -> list[Fault]:
    """Say pydantic's errors as faults: one for each place, with value and remedy."""
    out: dict[Place, Fault] = {}
    for one in error.errors():
        place = _real_place(one["loc"], document.value)
        if place in out or one["type"] == "value_error":
            continue
        problem, remedy = _in_words(one["type"], one["msg"], one["input"], place)
        out[place] = Fault(
            document.file, document.line(place), spell(place), problem, remedy
        )
    return list(out.values())


_WRONG_TYPE = ("string_type", "int_type", "float_type", "bool_type", "dict_type")


def _in_words(kind: str, message: str, value: object, place: Place) -> tuple[str, str]:
    if kind == "missing":
        return f"the key {place[-1]!r} is missing", f"Add {place[-1]!r}."
    if kind == "extra_forbidden":
        return f"unknown key {place[-1]!r}", "Correct the key or remove it."
    if kind.startswith("union_tag"):
        remedy = "Write type: likert, choice, number or text."
        return f"not an item with a known type: {_short(value)}", remedy
    if kind == "string_pattern_mismatch":
        return f"{value!r} does not fit", _pattern_remedy(message, place)
    if kind in _WRONG_TYPE and isinstance(value, bool | int | float):
        wanted = {"int_type": "a whole number", "bool_type": "true or false"}.get(kind)
        problem = f"{value!r} is {_type_name(value)}, not {wanted or 'text'}"
        return (
            problem,
            f"Write {wanted}." if wanted else f"Put quotes round it: '{value}'.",
        )
    return f"{message[:1].lower()}{message[1:]}: found {_short(value)}", (
        "See CONTRIBUTING.md, 'Writing an instrument'."
    )


def _type_name(value: bool | float) -> str:  # noqa: FBT001
    return "true or false" if isinstance(value, bool) else "a number"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004


def _pattern_remedy(message: str, place: Place) -> str:
    if place[-1] == "version":
        return "Write a version such as '1.0.0', in quotes."
    if place[:1] == ("items",):
        return (
            "Use 2 to 19 lower-case letters and digits, a letter first: such names "
            "survive every platform."
        )
    if place[-1] in {"url", "leave_url"}:
        return "Write an address that starts with https://."
    return f"Use a name as in 'trust_issues' (rule: {message.split(chr(39))[1]})."


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
