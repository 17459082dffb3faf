"""Arithmetic on labels: the right-hand sides of ``:=`` and both sides of ``==``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.sem.syntax.source import Place, Source
    from analysis.sem.syntax.tokens import Token

#: Functions of one argument, and of one or more.
FUNCTIONS = ("exp", "log", "sqrt", "abs")
EXTREMES = ("max", "min")
_OFFERED = f"{', '.join((*FUNCTIONS, *EXTREMES))} or + - * / ^"
_POWER = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
_SIGN_POWER = 3


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A label or a defined parameter."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Binary:
    """Two expressions joined by ``+ - * / ^``."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """One of the `FUNCTIONS`, or ``-``, of an expression."""

    function: str
    argument: Expression


@dataclass(frozen=True, slots=True)
class Extreme:
    """The largest (``max``) or smallest (``min``) of several expressions."""

    function: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = Number | Name | Binary | Call | Extreme


def names(expression: Expression) -> tuple[Name, ...]:
    """Every name in the expression, from left to right."""
    if isinstance(expression, Name):
        return (expression,)
    if isinstance(expression, Binary):
        return (*names(expression.left), *names(expression.right))
    if isinstance(expression, Extreme):
        return tuple(n for a in expression.arguments for n in names(a))
    return names(expression.argument) if isinstance(expression, Call) else ()


def evaluate(expression: Expression, values: Mapping[str, complex]) -> complex:
    """Value of the expression; complex values carry a derivative through it.

    Not a number where the expression has no real value (``log`` of -1, 1 / 0).
    """
    if isinstance(expression, Number):
        return expression.value
    if isinstance(expression, Name):
        return values[expression.name]
    if isinstance(expression, Binary):
        left = evaluate(expression.left, values)
        return _binary(expression.sign, left, evaluate(expression.right, values))
    if isinstance(expression, Extreme):
        found = [evaluate(a, values) for a in expression.arguments]
        return _extreme(expression.function, found)
    return _call(expression.function, evaluate(expression.argument, values))


def _extreme(function: str, values: Sequence[complex]) -> complex:
    """Take the value whose real part is extreme, derivative included."""
    if np.isnan([v.real for v in values]).any():
        return complex(np.nan)
    chosen = max if function == "max" else min
    return chosen(values, key=lambda v: v.real)


def _binary(sign: str, left: complex, right: complex) -> complex:
    if sign == "^":
        return _power(left, right)
    if sign == "/":
        return left / right if right != 0 else complex(np.nan)
    if sign == "*":
        return left * right
    return left + right if sign == "+" else left - right


def _power(left: complex, right: complex) -> complex:
    whole = right.imag == 0 and float(right.real).is_integer()
    if left == 0 and right.real <= 0 and right != 0:
        return complex(np.nan)
    if left.real < 0 and not whole:
        return complex(np.nan)
    return left ** int(right.real) if whole else left**right


def _call(function: str, x: complex) -> complex:
    if function == "-":
        return -x
    if function == "abs":
        return -x if x.real < 0 else x
    if function == "exp":
        return complex(np.exp(x))
    if x.real < 0 or (function == "log" and x.real == 0):
        return complex(np.nan)
    return complex(np.log(x) if function == "log" else np.sqrt(x))


def linear_form(
    expression: Expression, known: Mapping[str, Mapping[str, float]]
) -> dict[str, float] | None:
    """Coefficients of the labels, and under ``""`` the constant.

    `known` holds the forms of defined parameters. None when the expression is not
    linear in the labels.
    """
    if isinstance(expression, Number):
        return {"": expression.value}
    if isinstance(expression, Name):
        form = known.get(expression.name)
        return dict(form) if form is not None else {expression.name: 1.0}
    if isinstance(expression, Call):
        return _linear_call(expression, known)
    if isinstance(expression, Extreme):
        return None
    left = linear_form(expression.left, known)
    right = linear_form(expression.right, known)
    if left is None or right is None:
        return None
    return _joined(expression.sign, left, right)


def _linear_call(
    expression: Call, known: Mapping[str, Mapping[str, float]]
) -> dict[str, float] | None:
    inner = linear_form(expression.argument, known)
    if inner is None:
        return None
    if expression.function == "-":
        return _scaled(inner, -1.0)
    if set(inner) <= {""}:
        return {"": _call(expression.function, inner.get("", 0.0)).real}
    return None


def _scaled(form: Mapping[str, float], by: float) -> dict[str, float]:
    return {k: v * by for k, v in form.items()}


def _joined(
    sign: str, left: dict[str, float], right: dict[str, float]
) -> dict[str, float] | None:
    if sign in "+-":
        right = right if sign == "+" else _scaled(right, -1.0)
        return {
            k: left.get(k, 0.0) + right.get(k, 0.0) for k in dict.fromkeys(left | right)
        }
    left_constant, right_constant = set(left) <= {""}, set(right) <= {""}
    if sign == "*" and left_constant:
        return _scaled(right, left.get("", 0.0))
    if sign == "*" and right_constant:
        return _scaled(left, right.get("", 0.0))
    if sign == "/" and right_constant and right.get("", 0.0) != 0:
        return _scaled(left, 1 / right.get("", 0.0))
    if sign == "^" and left_constant and right_constant:
        return {"": _binary("^", left.get("", 0.0), right.get("", 0.0)).real}
    return None


@dataclass(slots=True)
class _Reader:
    """Precedence climbing over the tokens of one expression."""

    source: Source
    tokens: Sequence[Token]
    after: Place
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def place(self) -> Place:
        inside = self.at < len(self.tokens)
        return self.tokens[self.at].place if inside else self.after

    def expression(self, power: int = 0) -> Expression:
        left = self.operand()
        while (mine := _POWER.get(self.peek(), 0)) > power:
            sign = self.peek()
            self.at += 1
            # `^` binds to the right, the others to the left.
            left = Binary(sign, left, self.expression(mine - (sign == "^")))
        return left

    def operand(self) -> Expression:
        if self.at >= len(self.tokens):
            raise self.source.error(
                self.after, "expected a label or a number. Complete the expression"
            )
        token = self.tokens[self.at]
        self.at += 1
        if token.text in {"-", "+"}:
            inner = self.expression(_SIGN_POWER)
            return inner if token.text == "+" else Call("-", inner)
        if token.kind == "number":
            return Number(float(token.text))
        if token.text == "(":
            return self.closed()
        if token.kind == "name" and self.peek() == "(":
            return self.call(token)
        if token.kind == "name":
            return Name(token.text, token.place)
        raise self.source.error(
            token.place,
            f"expected a label or a number, found {token.text!r}. "
            "Write arithmetic on labels, e.g. a * b",
        )

    def call(self, token: Token) -> Expression:
        if token.text not in {*FUNCTIONS, *EXTREMES}:
            raise self.source.error(token.place, refused_function(token.text))
        self.at += 1
        if token.text in FUNCTIONS:
            return Call(token.text, self.closed())
        arguments = [self.expression()]
        while self.peek() == ",":
            self.at += 1
            arguments.append(self.expression())
        if self.peek() != ")":
            raise self.source.error(self.place(), "expected ')'. Close the parenthesis")
        self.at += 1
        return Extreme(token.text, tuple(arguments))

    def closed(self) -> Expression:
        inner = self.expression()
        if self.peek() != ")":
            raise self.source.error(self.place(), "expected ')'. Close the parenthesis")
        self.at += 1
        return inner


def refused_function(name: str) -> str:
    """Say that a function is not offered, and which are."""
    if name == "ifelse":
        return (
            "ifelse() is not offered in an expression: it has no derivative where its "
            f"condition turns. Use max(), min() or abs(); offered are {_OFFERED}"
        )
    return f"{name}() is not offered in an expression. Use {_OFFERED}"


def read_expression(
    source: Source, tokens: Sequence[Token], after: Place
) -> Expression:
    """Read tokens as one expression; `after` is the place to blame if they end early.

    Raises
    ------
    ModelSyntaxError
        With the place of the token that does not fit.
    """
    reader = _Reader(source, tokens, after)
    found = reader.expression()
    if reader.at < len(tokens):
        extra = tokens[reader.at]
        raise source.error(
            extra.place,
            f"expected + - * / ^ or the end of the expression, found {extra.text!r}. "
            "Put one statement on a line",
        )
    return found
