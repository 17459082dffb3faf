"""Parse lavaan model syntax into statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import ModelSyntaxError
from analysis.sem.syntax.checks import check
from analysis.sem.syntax.expressions import read_expression
from analysis.sem.syntax.source import Place, Source
from analysis.sem.syntax.statements import (
    Constraint,
    Definition,
    ModelSyntax,
    Statement,
)
from analysis.sem.syntax.terms import read_term
from analysis.sem.syntax.tokens import REFUSED, RELATIONS, split, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.sem.syntax.statements import Operator
    from analysis.sem.syntax.terms import Term
    from analysis.sem.syntax.tokens import Token


def parse(model: str) -> ModelSyntax:
    """Read a model in lavaan's language.

    Parameters
    ----------
    model
        Statements ``=~ ~ ~~ ~1 := ==``, one a line or parted by ``;``; modifiers
        ``2*x``, ``NA*x``, ``label*x``, ``start(0.5)*x``; comments from ``#`` or
        ``!`` to the end of the line.

    Raises
    ------
    ModelSyntaxError
        With the line, a caret under the place, what was expected and what to do.
    """
    if not isinstance(model, str):
        raise ModelSyntaxError(
            f"model: expected text in lavaan syntax, found {type(model).__name__}. "
            'Write e.g. "f =~ x1 + x2 + x3"'
        )
    source = Source(model)
    statements: list[Statement] = []
    definitions: list[Definition] = []
    constraints: list[Constraint] = []
    for tokens in split(tokenize(source)):
        at = _relation(source, tokens)
        if tokens[at].text == ":=":
            definitions.append(_definition(source, tokens, at))
        elif tokens[at].text == "==":
            constraints.append(_constraint(source, tokens, at))
        else:
            statements.extend(_statements(source, tokens, at))
    found = ModelSyntax(
        source, tuple(statements), tuple(definitions), tuple(constraints)
    )
    check(found)
    return found


def _relation(source: Source, tokens: Sequence[Token]) -> int:
    """Find the operator of a statement."""
    for token in tokens:
        if token.kind == "symbol" and token.text in REFUSED:
            raise source.error(token.place, REFUSED[token.text])
    signs = [
        k for k, t in enumerate(tokens) if t.kind == "symbol" and t.text in RELATIONS
    ]
    if not signs:
        raise source.error(
            _after(tokens),
            "expected one of =~ ~ ~~ := ==. Write e.g. factor =~ item1 + item2",
        )
    if len(signs) > 1:
        second = tokens[signs[1]]
        raise source.error(
            second.place,
            f"expected the end of the statement, found a second operator "
            f"{second.text!r}. Put one statement on a line",
        )
    if signs[0] == 0:
        raise source.error(
            tokens[0].place, f"expected a name before {tokens[0].text!r}. Add it"
        )
    if signs[0] == len(tokens) - 1:
        raise source.error(
            _after(tokens), f"expected something after {tokens[-1].text!r}. Add it"
        )
    return signs[0]


def _after(tokens: Sequence[Token]) -> Place:
    last = tokens[-1]
    return Place(last.place.line, last.place.column + len(last.text))


def _definition(source: Source, tokens: Sequence[Token], at: int) -> Definition:
    if at != 1 or tokens[0].kind != "name":
        raise source.error(
            tokens[0].place, "expected one name before ':='. Write e.g. total := a + b"
        )
    rest = tokens[at + 1 :]
    expression = read_expression(source, rest, _after(tokens))
    text = "".join(t.text for t in rest)
    return Definition(tokens[0].text, expression, text, tokens[0].place)


def _constraint(source: Source, tokens: Sequence[Token], at: int) -> Constraint:
    left = read_expression(source, tokens[:at], tokens[at].place)
    right = read_expression(source, tokens[at + 1 :], _after(tokens))
    return Constraint(left, right, tokens[0].place)


def _statements(
    source: Source, tokens: Sequence[Token], at: int
) -> Iterator[Statement]:
    relation = tokens[at].text
    terms = list(_terms(source, tokens[at + 1 :], _after(tokens)))
    for side in _pieces(tokens[:at]):
        if len(side) != 1 or side[0].kind != "name":
            blamed = side[1] if len(side) > 1 else (side or tokens[at:])[0]
            raise source.error(
                blamed.place,
                f"expected one name before {relation!r}, found "
                f"{' '.join(t.text for t in side)!r}. Modifiers such as 2* stand on "
                "the right-hand side",
            )
        merged: dict[str, Statement] = {}
        for term in terms:
            new = _statement(source, side[0].text, relation, term)
            old = merged.get(term.name)
            merged[term.name] = new if old is None else _merge(source, old, new)
        yield from merged.values()


def _terms(source: Source, tokens: Sequence[Token], after: Place) -> Iterator[Term]:
    closed = 0
    for piece in _pieces(tokens):
        closed += len(piece)
        end = tokens[closed].place if closed < len(tokens) else after
        yield read_term(source, piece, end)
        closed += 1


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """Cut at every ``+`` that is not inside parentheses."""
    piece: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "+" and depth == 0:
            yield tuple(piece)
            piece = []
        else:
            piece.append(token)
    yield tuple(piece)


def _statement(source: Source, lhs: str, relation: str, term: Term) -> Statement:
    rhs, op = term.name, relation
    if rhs[0].isdigit() or rhs[0] == ".":
        if relation != "~" or rhs != "1":
            raise source.error(
                term.place,
                f"expected a variable name, found {rhs!r}. A number stands before "
                "'*', and an intercept is written y ~ 1",
            )
        rhs, op = "", "~1"
    m = term.modifier
    kind: Operator = op  # type: ignore[assignment]
    return Statement(lhs, kind, rhs, term.place, m.fixed, m.free, m.label, m.start)


def _merge(source: Source, old: Statement, new: Statement) -> Statement:
    """Join two mentions of one variable in one statement, NA*x + a*x."""
    if new.fixed is None and not new.free and not new.label and new.start is None:
        raise source.error(
            new.place,
            f"{old.rhs or '1'!r} stands twice in this statement. Delete one of them",
        )
    for what, a, b in (
        ("fixed to two values", old.fixed, new.fixed),
        ("given two labels", old.label or None, new.label or None),
        ("given two start values", old.start, new.start),
    ):
        if a is not None and b is not None:
            raise source.error(
                new.place,
                f"{old.rhs or '1'!r} is {what}, {a} and {b}. Keep one of them",
            )
    fixed = new.fixed if old.fixed is None else old.fixed
    free = old.free or new.free
    if fixed is not None and free:
        raise source.error(
            new.place,
            f"{old.rhs or '1'!r} is both fixed to {fixed:g} and freed by NA. "
            "Keep one of them",
        )
    start = new.start if old.start is None else old.start
    return Statement(
        old.lhs, old.op, old.rhs, old.place, fixed, free, old.label or new.label, start
    )
