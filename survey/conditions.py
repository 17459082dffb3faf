"""Show-if expressions: parsed once, evaluated here, translated by the exporters.

The language is small on purpose, so that every platform can say it too::

    relstat == 2 and (livetog == 1 or children > 0)
    relstat in (2, 3) and not kind == "other"
    answered(age)

A comparison with an answer that is missing is false, whatever the operator.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import pandas as pd

from survey.errors import ConditionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]
Value: TypeAlias = int | float | str


@dataclass(frozen=True, slots=True)
class Comparison:
    """An answer compared with a value."""

    name: str
    relation: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Membership:
    """An answer that is one of several values."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """An item that has an answer, whatever it is."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a condition."""

    part: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Comparison | Membership | Answered | Not | And | Or

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<string>\"[^\"]*\"|'[^']*')"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<op>==|!=|<=|>=|<|>|\(|\)|,))"
)
_DEEPEST = 50
_OPERATORS: dict[str, Callable[..., Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def parse(text: str) -> Condition:
    """Read a show-if expression.

    Raises
    ------
    ConditionError
        If it cannot be read; the message marks the place and says what is expected.
    """
    reader = _Reader(text, _tokens(text))
    condition = reader.either()
    if reader.kind != "end":
        raise reader.expected("`and`, `or` or the end")
    return condition


def names(condition: Condition) -> tuple[str, ...]:
    """Name the items a condition asks about, each once, in order."""
    match condition:
        case Comparison(name=name) | Membership(name=name) | Answered(name=name):
            return (name,)
        case Not(part=part):
            return names(part)
        case And(parts=parts) | Or(parts=parts):
            found = [name for part in parts for name in names(part)]
            return tuple(dict.fromkeys(found))


def comparisons(condition: Condition) -> tuple[tuple[str, Value], ...]:
    """List the items that must equal a value, for checking against their codes.

    ``<`` and ``>`` may name any number, so they are left out.
    """
    match condition:
        case Comparison(relation="<" | "<=" | ">" | ">=", value=int() | float()):
            return ()
        case Comparison(name=name, value=value):
            return ((name, value),)
        case Membership(name=name, values=values):
            return tuple((name, value) for value in values)
        case Answered():
            return ()
        case Not(part=part):
            return comparisons(part)
        case And(parts=parts) | Or(parts=parts):
            return tuple(pair for part in parts for pair in comparisons(part))


def holds(condition: Condition, frame: pd.DataFrame) -> pd.Series[bool]:
    """Evaluate a condition for every row of `frame`.

    Parameters
    ----------
    frame
        Typed answers, one column per item the condition names; NA where missing.
    """
    match condition:
        case Comparison(name=name, relation=relation, value=value):
            return _compare(frame[name], relation, value)
        case Membership(name=name, values=values):
            hits = [_compare(frame[name], "==", value) for value in values]
            return pd.concat(hits, axis="columns").any(axis="columns")
        case Answered(name=name):
            return frame[name].notna()
        case Not(part=part):
            return ~holds(part, frame)
        case And(parts=parts):
            return _all([holds(part, frame) for part in parts])
        case Or(parts=parts):
            return ~_all([~holds(part, frame) for part in parts])


def holds_for(condition: Condition, answers: Mapping[str, Value | None]) -> bool:
    """Evaluate a condition for one person's answers; an absent answer is missing.

    Codes may be given as text, as forms send them.
    """
    match condition:
        case Comparison(name=name, relation=relation, value=value):
            return _holds(answers.get(name), relation, value)
        case Membership(name=name, values=values):
            return any(_holds(answers.get(name), "==", value) for value in values)
        case Answered(name=name):
            return answers.get(name) is not None
        case Not(part=part):
            return not holds_for(part, answers)
        case And(parts=parts):
            return all(holds_for(part, answers) for part in parts)
        case Or(parts=parts):
            return any(holds_for(part, answers) for part in parts)


def _holds(answer: Value | None, relation: Operator, value: Value) -> bool:
    if answer is None:
        return False
    if isinstance(value, str):
        return bool(_OPERATORS[relation](str(answer), value))
    try:
        number = float(answer)
    except ValueError:
        return False
    return bool(_OPERATORS[relation](number, value))


def _all(parts: list[pd.Series[bool]]) -> pd.Series[bool]:
    return pd.concat(parts, axis="columns").all(axis="columns")


def _compare(
    answers: pd.Series[float], relation: Operator, value: Value
) -> pd.Series[bool]:
    typed = (
        answers.astype("string")
        if isinstance(value, str)
        else pd.to_numeric(answers, errors="coerce").astype("Float64")
    )
    result: pd.Series[bool] = _OPERATORS[relation](typed, value)
    return result.astype("boolean").fillna(value=False).astype(bool)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


def _tokens(text: str) -> tuple[_Token, ...]:
    out: list[_Token] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise _error(text, start, f"cannot read {text[start]!r} here")
        kind = match.lastgroup
        out.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return (*out, _Token("end", "", len(text)))


@dataclass(slots=True)
class _Reader:
    """Recursive descent over the tokens of one expression."""

    text: str
    tokens: tuple[_Token, ...]
    at: int = 0
    depth: int = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind

    def next_is(self, *texts: str) -> bool:
        token = self.tokens[self.at]
        return token.kind in {"word", "op"} and token.text in texts

    def take(self) -> _Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def expect(self, text: str) -> None:
        if not self.next_is(text):
            raise self.expected(f"`{text}`")
        self.at += 1

    def expected(self, what: str) -> ConditionError:
        token = self.tokens[self.at]
        found = repr(token.text) if token.text else "the end"
        return _error(self.text, token.start, f"expected {what}, found {found}")

    def either(self) -> Condition:
        parts = [self.both()]
        while self.next_is("or"):
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self) -> Condition:
        parts = [self.single()]
        while self.next_is("and"):
            self.take()
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def single(self) -> Condition:
        if self.next_is("not", "("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self.expected(f"no more than {_DEEPEST} brackets within another")
            inside = self.negated() if self.next_is("not") else self.bracketed()
            self.depth -= 1
            return inside
        if self.kind != "word":
            raise self.expected("an item id, `not` or `(`")
        word = self.take().text
        return self.answered() if word == "answered" else self.relation(word)

    def negated(self) -> Condition:
        self.take()
        return Not(self.single())

    def bracketed(self) -> Condition:
        self.take()
        inside = self.either()
        self.expect(")")
        return inside

    def answered(self) -> Condition:
        self.expect("(")
        if self.kind != "word":
            raise self.expected("an item id")
        name = self.take().text
        self.expect(")")
        return Answered(name)

    def relation(self, name: str) -> Condition:
        if self.next_is("in"):
            self.take()
            self.expect("(")
            values = [self.value()]
            while self.next_is(","):
                self.take()
                values.append(self.value())
            self.expect(")")
            return Membership(name, tuple(values))
        if not self.next_is(*_OPERATORS):
            raise self.expected("one of == != < <= > >= in")
        relation = cast("Operator", self.take().text)
        return Comparison(name, relation, self.value())

    def value(self) -> Value:
        if self.kind == "number":
            text = self.take().text
            return float(text) if "." in text else int(text)
        if self.kind == "string":
            return self.take().text[1:-1]
        raise self.expected("a number or a quoted text")


def _error(text: str, start: int, problem: str) -> ConditionError:
    return ConditionError(f"{problem}\n  {text}\n  {' ' * start}^")
