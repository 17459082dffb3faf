"""Show-if conditions in XPath, as XLSForm's ``relevant`` wants them.

An item without an answer is the empty string there. So that a comparison with a
missing answer stays false, every operator but ``=`` first asks whether there is one.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from survey.conditions import And, Answered, Comparison, Membership, Not, Or
from survey.errors import ExportError
from survey.instrument import TextItem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from survey.conditions import Condition, Operator, Value
    from survey.instrument import Instrument

#: A condition, or what is left of it once some answers are known to be missing.
Folded: TypeAlias = "Condition | bool"

_ORDER: Final[dict[str, Callable[[str, str], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class _Term:
    """A piece of XPath and the word that holds its parts together, if any."""

    text: str
    glue: Literal["", "and", "or"] = ""

    def inside(self, glue: str) -> str:
        """Spell it as a part of a longer term, in brackets where it needs them."""
        return self.text if self.glue in {"", glue} else f"({self.text})"


def translate(condition: Condition, instrument: Instrument) -> str:
    """Say a condition in XPath, with ``${item}`` for an answer.

    Raises
    ------
    ExportError
        If it orders texts, which XPath cannot.
    """
    return _term(condition, instrument).text


def fold(condition: Condition, known: Collection[str]) -> Folded:
    """Simplify a condition, given that items not in `known` have no answer.

    A comparison with a missing answer is false, so such parts are decided here.
    """
    match condition:
        case Comparison(name=name) | Membership(name=name) | Answered(name=name):
            return condition if name in known else False
        case Not(part=part):
            left = fold(part, known)
            return not left if isinstance(left, bool) else Not(left)
        case And(parts=parts):
            return _joined([fold(part, known) for part in parts], neutral=True)
        case Or(parts=parts):
            return _joined([fold(part, known) for part in parts], neutral=False)


def number(value: float) -> str:
    """Spell a number as XPath reads it: plain digits, no exponent."""
    if float(value).is_integer():
        return str(int(value))
    return format(Decimal(repr(float(value))), "f")


def quoted(text: str) -> str:
    """Put a text in quotes; XPath knows no escapes, so choose the mark it lacks.

    Raises
    ------
    ExportError
        If the text contains both kinds of quotes.
    """
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    raise ExportError(
        f"show_if: XPath cannot quote {text!r}, which has both kinds of quotes. "
        "Compare with another text."
    )


def _joined(parts: Sequence[Folded], *, neutral: bool) -> Folded:
    if any(part is (not neutral) for part in parts):
        return not neutral
    open_parts = tuple(part for part in parts if not isinstance(part, bool))
    if not open_parts:
        return neutral
    if len(open_parts) == 1:
        return open_parts[0]
    return And(open_parts) if neutral else Or(open_parts)


def _term(condition: Condition, instrument: Instrument) -> _Term:
    match condition:
        case Comparison(name=name, relation=relation, value=value):
            return _comparison(name, relation, value, instrument)
        case Membership(name=name, values=values):
            return _any([_equal(name, one, instrument) for one in values])
        case Answered(name=name):
            return _Term(_answered(name))
        case Not(part=part):
            return _Term(f"not({_term(part, instrument).text})")
        case And(parts=parts):
            terms = [_term(part, instrument).inside("and") for part in parts]
            return _Term(" and ".join(terms), "and")
        case Or(parts=parts):
            terms = [_term(part, instrument).inside("or") for part in parts]
            return _Term(" or ".join(terms), "or")


def _answered(name: str) -> str:
    return f"${{{name}}} != ''"


def _any(terms: Sequence[_Term]) -> _Term:
    if len(terms) == 1:
        return terms[0]
    return _Term(" or ".join(term.inside("or") for term in terms), "or")


def _comparison(
    name: str, relation: Operator, value: Value, instrument: Instrument
) -> _Term:
    if relation == "==":
        return _equal(name, value, instrument)
    if relation == "!=":
        left, right = _sides(name, value, instrument)
        return _Term(f"{_answered(name)} and {left} != {right}", "and")
    if isinstance(value, str):
        return _ordered_codes(name, relation, value, instrument)
    left = f"${{{name}}}"
    return _Term(f"{_answered(name)} and {left} {relation} {number(value)}", "and")


def _equal(name: str, value: Value, instrument: Instrument) -> _Term:
    left, right = _sides(name, value, instrument)
    return _Term(f"{left} = {right}")


def _sides(name: str, value: Value, instrument: Instrument) -> tuple[str, str]:
    """Write both sides of an equation: codes are texts, numbers are numbers."""
    left = f"${{{name}}}"
    if isinstance(value, str):
        return left, quoted(value)
    if codes := _codes(name, instrument):
        same = [code for code in codes if _as_number(code) == value]
        return left, quoted(same[0] if same else number(value))
    if _is_text(name, instrument):
        left = f"number({left})"
    return left, number(value)


def _as_number(code: str) -> float | None:
    return float(code) if code.isdigit() else None


def _ordered_codes(
    name: str, relation: Operator, value: str, instrument: Instrument
) -> _Term:
    """Say an order of texts as the codes that satisfy it; only codes can be listed."""
    codes = _codes(name, instrument)
    if not codes:
        raise ExportError(
            f"show_if: {name} {relation} {value!r} orders texts, which XPath cannot. "
            "Compare with == or with a number."
        )
    hits = [code for code in codes if _ORDER[relation](code, value)]
    if not hits:
        return _Term("false()")
    return _any([_Term(f"${{{name}}} = {quoted(code)}") for code in hits])


def _codes(name: str, instrument: Instrument) -> list[str]:
    """All codes of a choice, as text; none for other items and for the wave."""
    if name not in instrument.item_ids:
        return []
    codes = [*instrument.codes(name), *instrument.missing_codes(name)]
    return [str(code) for code in codes]


def _is_text(name: str, instrument: Instrument) -> bool:
    known = name in instrument.item_ids
    return known and isinstance(instrument.item(name), TextItem)
