"""Terms on the right of ``=~ ~ ~~``: a variable and what is said of its parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.sem.syntax.expressions import evaluate, names, read_expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.errors import ModelSyntaxError
    from analysis.sem.syntax.source import Place, Source
    from analysis.sem.syntax.tokens import Token

_REFUSED_CALLS = {
    "equal": 'equal() is not offered. Give both parameters one label, e.g. "a*x1"',
    "c": "c() gives one value a group, and one group is fitted. Write one value",
    "efa": "efa() blocks are not offered. Write the loadings out",
    "lower": "bounds are not offered. Leave lower() out",
    "upper": "bounds are not offered. Leave upper() out",
    "rv": "random slopes are not offered. Leave rv() out",
}


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands before ``*``: a fixed value, ``NA``, a label or a start value."""

    fixed: float | None = None
    free: bool = False
    label: str = ""
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A variable, or ``1`` for an intercept, with its modifier."""

    name: str
    modifier: Modifier
    place: Place


def read_term(source: Source, tokens: Sequence[Token], after: Place) -> Term:
    """Read ``x``, ``2*x``, ``NA*x``, ``label*x``, ``start(.5)*x`` or ``.5?x``."""
    if not tokens:
        raise source.error(after, "expected a variable name. Add it, or delete the '+'")
    signs = [k for k, t in enumerate(tokens) if t.text in {"*", "?"}]
    cut = signs[-1] if signs else -1
    variable, before = tokens[cut + 1 :], tokens[:cut] if signs else ()
    if not variable:
        raise source.error(
            after, f"expected a variable name after {tokens[cut].text!r}. Add it"
        )
    _check_variable(source, variable)
    modifier = Modifier()
    if signs and tokens[cut].text == "?":
        modifier = Modifier(start=_constant(source, before, tokens[cut].place))
    elif signs:
        modifier = _modifier(source, before, tokens[cut].place)
    return Term(variable[0].text, modifier, variable[0].place)


def _check_variable(source: Source, tokens: Sequence[Token]) -> None:
    first = tokens[0]
    if first.kind not in {"name", "number"}:
        raise source.error(
            first.place, f"expected a variable name, found {first.text!r}. Add the name"
        )
    if len(tokens) > 1:
        extra = tokens[1]
        raise source.error(
            extra.place,
            f"expected '+' or the end of the line, found {extra.text!r}. Join "
            "variables with '+', and put '*' after a number or label",
        )


def _modifier(source: Source, tokens: Sequence[Token], star: Place) -> Modifier:
    if not tokens:
        raise source.error(star, "expected a number, NA or a label before '*'. Add it")
    first = tokens[0]
    if first.kind == "name" and len(tokens) > 1 and tokens[1].text == "(":
        return _call(source, tokens)
    if len(tokens) == 1 and first.kind == "name":
        return Modifier(free=True) if first.text == "NA" else Modifier(label=first.text)
    if len(tokens) == 1 and first.kind == "string":
        return Modifier(label=_label(source, first))
    return Modifier(fixed=_constant(source, tokens, star))


def _call(source: Source, tokens: Sequence[Token]) -> Modifier:
    function, inside = tokens[0], tokens[2:-1]
    if function.text in _REFUSED_CALLS:
        raise source.error(function.place, _REFUSED_CALLS[function.text])
    if function.text == "start" and tokens[-1].text == ")":
        return Modifier(start=_constant(source, inside, tokens[-1].place))
    if function.text == "label" and len(inside) == 1:
        return Modifier(label=_label(source, inside[0]))
    if function.text in {"start", "label"}:
        wanted = {"start": "start(0.5)", "label": 'label("a")'}[function.text]
        raise source.error(function.place, f"expected {wanted}. Write it like that")
    return Modifier(fixed=_constant(source, tokens, function.place))


def _label(source: Source, token: Token) -> str:
    text = token.text.strip("\"'")
    if not text.replace(".", "_").isidentifier():
        raise source.error(
            token.place,
            f"{token.text} cannot be a label. Start with a letter, and use letters, "
            "digits, '_' and '.'",
        )
    return text


def _constant(source: Source, tokens: Sequence[Token], after: Place) -> float:
    expression = read_expression(source, tokens, after)
    if found := names(expression):
        raise _mixed(source, found[0].place)
    value = evaluate(expression, {}).real
    if not abs(value) < float("inf"):
        raise source.error(after, "this number is not finite. Write a finite one")
    return value


def _mixed(source: Source, place: Place) -> ModelSyntaxError:
    return source.error(
        place,
        "expected one number, NA, one label or start(number) before '*'. To say "
        "several things of one parameter repeat it, e.g. NA*x + a*x",
    )
