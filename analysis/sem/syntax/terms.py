"""Terms on the right of ``=~ ~ ~~``: a variable and what is said of its parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.sem.syntax.expressions import evaluate, names, read_expression
from analysis.sem.syntax.statements import Modifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.errors import ModelSyntaxError
    from analysis.sem.syntax.source import Place, Source
    from analysis.sem.syntax.tokens import Token

#: Opens the label of equal("f=~x1") until the parser has found that parameter.
EQUAL = "equal to "
#: What stands before * in lavaan and is not offered.
REFUSED_CALLS = {
    "efa": "efa() blocks (exploratory factors inside a model) are not offered. Explore "
    "with analysis.efa(), then fit the pattern it finds with cfa()",
    "rv": "random slopes are not offered. Leave rv() out",
}
_VALUES = ("start", "lower", "upper")
_LABELS = ("label", "equal")


@dataclass(frozen=True, slots=True)
class Term:
    """A variable, or ``1`` for an intercept, with its modifiers, one or one a group."""

    name: str
    modifiers: tuple[Modifier, ...]
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
    modifiers: tuple[Modifier, ...] = (Modifier(),)
    if signs and tokens[cut].text == "?":
        start = [Modifier(start=v) for v in _constants(source, before, tokens[cut])]
        modifiers = tuple(start)
    elif signs:
        modifiers = tuple(_modifiers(source, before, tokens[cut].place))
    return Term(variable[0].text, modifiers, variable[0].place)


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


def _modifiers(
    source: Source, tokens: Sequence[Token], star: Place
) -> Iterator[Modifier]:
    """Read what stands before ``*``: once, or once a group in c()."""
    if not tokens:
        raise source.error(star, "expected a number, NA or a label before '*'. Add it")
    function, inside = tokens[0], tokens[2:-1]
    if function.text in REFUSED_CALLS and len(tokens) > 1:
        raise source.error(function.place, REFUSED_CALLS[function.text])
    called = function.kind == "name" and tokens[1:] and tokens[1].text == "("
    if not called or tokens[-1].text != ")":
        yield _plain(source, tokens, star)
    elif function.text == "c":
        for piece, end in _elements(inside, tokens[-1].place):
            yield _plain(source, piece, end)
    elif function.text in _VALUES:
        for value in _constants(source, inside, tokens[-1]):
            yield _valued(function.text, value)
    elif function.text in _LABELS:
        yield from _labels(source, function, inside, tokens[-1].place)
    else:
        yield _plain(source, tokens, star)


def _labels(
    source: Source, function: Token, inside: Sequence[Token], after: Place
) -> Iterator[Modifier]:
    for piece in _listed(inside, after):
        if len(piece) != 1:
            raise source.error(
                function.place, f'expected {function.text}("a"). Write it like that'
            )
        equal = function.text == "equal"
        yield Modifier(label=_label(source, piece[0], equal=equal))


def _valued(function: str, value: float) -> Modifier:
    if function == "start":
        return Modifier(start=value)
    return Modifier(lower=value) if function == "lower" else Modifier(upper=value)


def _plain(source: Source, tokens: Sequence[Token], after: Place) -> Modifier:
    """Read a number, NA or a label."""
    if not tokens:
        raise source.error(after, "expected a number, NA or a label. Add it")
    first = tokens[0]
    if len(tokens) == 1 and first.kind == "name":
        return Modifier(free=True) if first.text == "NA" else Modifier(label=first.text)
    if len(tokens) == 1 and first.kind == "string":
        return Modifier(label=_label(source, first))
    return Modifier(fixed=_constant(source, tokens, after))


def _elements(
    tokens: Sequence[Token], after: Place
) -> Iterator[tuple[tuple[Token, ...], Place]]:
    """Cut the inside of c() at its commas; each piece with the place of its end."""
    piece: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            yield tuple(piece), token.place
            piece = []
        else:
            piece.append(token)
    yield tuple(piece), after


def _listed(tokens: Sequence[Token], after: Place) -> Iterator[tuple[Token, ...]]:
    """Read one piece, or those of c()."""
    if len(tokens) > 1 and tokens[0].text == "c" and tokens[1].text == "(":
        tokens = tokens[2:-1]
    for piece, _ in _elements(tokens, after):
        yield piece


def _constants(source: Source, tokens: Sequence[Token], end: Token) -> Iterator[float]:
    for piece in _listed(tokens, end.place):
        yield _constant(source, piece, end.place)


def _label(source: Source, token: Token, *, equal: bool = False) -> str:
    text = token.text.strip("\"'")
    if equal:
        return f"{EQUAL}{''.join(text.split())}"
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
        "expected one number, NA, one label, c() or start(number) before '*'. To say "
        "several things of one parameter repeat it, e.g. NA*x + a*x",
    )
