"""Parse lavaan model syntax into statements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.errors import ModelSyntaxError
from analysis.sem.syntax.blocks import header
from analysis.sem.syntax.checks import check
from analysis.sem.syntax.definitions import in_order
from analysis.sem.syntax.expressions import read_expression, refused_function
from analysis.sem.syntax.products import join_products
from analysis.sem.syntax.source import Place, Source, near
from analysis.sem.syntax.statements import (
    Constraint,
    Definition,
    ModelSyntax,
    Modifier,
    Statement,
)
from analysis.sem.syntax.terms import EQUAL, REFUSED_CALLS, read_term
from analysis.sem.syntax.tokens import REFUSED, RELATIONS, split, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.sem.syntax.statements import Block, Operator, Relation
    from analysis.sem.syntax.terms import Term
    from analysis.sem.syntax.tokens import Token


def parse(model: str) -> ModelSyntax:
    """Read a model in lavaan's language.

    Parameters
    ----------
    model
        Statements ``=~ ~ ~~ ~1 | ~*~ := == < >``, one a line or parted by ``;``;
        modifiers ``2*x``, ``NA*x``, ``label*x``, ``start(0.5)*x``, ``equal("f=~y")*x``,
        ``lower(0)*x``, ``upper(1)*x``, and one value a group with ``c(1, NA)*x``;
        comments from ``#`` or ``!`` to the end of the line; products of observed
        predictors, ``y ~ x1 + x2 + x1:x2``; and, for groups that differ in more than
        values, one block of statements a group below ``group: name``. Definitions
        (``:=``) may stand in any order. Constraints may name a parameter by its row
        in the table of parameters, ``.p2. == .p3.``, as in lavaan.

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
    blocks: list[Block] = []
    for row in split(tokenize(source)):
        if (block := header(source, row)) is not None:
            blocks.append(block)
            continue
        tokens = join_products(source, row)
        at = _relation(source, tokens)
        if tokens[at].text == ":=":
            definitions.append(_definition(source, tokens, at))
        elif tokens[at].text in _CONSTRAINTS:
            constraints.append(_constraint(source, tokens, at))
        else:
            new = _statements(source, tokens, at)
            statements.extend(replace(s, block=len(blocks)) for s in new)
    found = ModelSyntax(
        source,
        _equated(source, statements),
        tuple(definitions),
        tuple(constraints),
        tuple(blocks),
    )
    check(found)
    return replace(found, definitions=in_order(source, definitions))


_CONSTRAINTS: dict[str, Relation] = {
    "==": "==",
    "<": "<",
    ">": ">",
    "<=": "<",
    ">=": ">",
}


def _relation(source: Source, tokens: Sequence[Token]) -> int:
    """Find the operator of a statement."""
    for token, following in zip(tokens, (*tokens[1:], None), strict=True):
        if token.kind == "symbol" and token.text in REFUSED:
            raise source.error(token.place, REFUSED[token.text])
        if token.text == "ifelse" and following and following.text == "(":
            raise source.error(token.place, refused_function("ifelse"))
    signs = [
        k for k, t in enumerate(tokens) if t.kind == "symbol" and t.text in RELATIONS
    ]
    if not signs:
        raise source.error(
            _after(tokens),
            "expected one of =~ ~ ~~ | := == < >. Write e.g. factor =~ item1 + item2",
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
    relation = _CONSTRAINTS[tokens[at].text]
    return Constraint(left, right, tokens[0].place, relation)


def _statements(
    source: Source, tokens: Sequence[Token], at: int
) -> Iterator[Statement]:
    relation = tokens[at].text
    terms = list(_terms(source, tokens[at + 1 :], _after(tokens)))
    for side in _pieces(tokens[:at]):
        if len(side) > 1 and side[0].text in REFUSED_CALLS and side[1].text == "(":
            raise source.error(side[0].place, REFUSED_CALLS[side[0].text])
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
        if relation == "=~" and float(rhs) == 0:
            raise source.error(
                term.place,
                f"{lhs} =~ 0 is a factor without items, which cannot be fitted. Name "
                "its items, or predict from observed variables with ~",
            )
        if relation != "~" or rhs != "1":
            raise source.error(
                term.place,
                f"expected a variable name, found {rhs!r}. A number stands before "
                "'*', and an intercept is written y ~ 1",
            )
        rhs, op = "", "~1"
    kind: Operator = op  # type: ignore[assignment]
    return Statement(lhs, kind, rhs, term.place, term.modifiers)


def _merge(source: Source, old: Statement, new: Statement) -> Statement:
    """Join two mentions of one variable in one statement, NA*x + a*x."""
    n = max(len(old.modifiers), len(new.modifiers))
    if new.modifiers == (Modifier(),):
        raise source.error(
            new.place,
            f"{old.rhs or '1'!r} stands twice in this statement. Delete one of them",
        )
    if {len(old.modifiers), len(new.modifiers)} - {1, n}:
        raise source.error(
            new.place,
            f"{old.rhs or '1'!r} is given {len(old.modifiers)} and "
            f"{len(new.modifiers)} values. Give one value, or one a group",
        )
    joined = [_joined(source, new, old.at(g), new.at(g)) for g in range(n)]
    return replace(old, modifiers=tuple(joined))


def _joined(source: Source, s: Statement, a: Modifier, b: Modifier) -> Modifier:
    name = repr(s.rhs or "1")
    for what, old, new in (
        ("fixed to two values", a.fixed, b.fixed),
        ("given two labels", a.label or None, b.label or None),
        ("given two start values", a.start, b.start),
        ("given two lower bounds", a.lower, b.lower),
        ("given two upper bounds", a.upper, b.upper),
    ):
        if old is not None and new is not None:
            raise source.error(
                s.place, f"{name} is {what}, {old} and {new}. Keep one of them"
            )
    fixed = b.fixed if a.fixed is None else a.fixed
    if fixed is not None and (a.free or b.free):
        raise source.error(
            s.place,
            f"{name} is both fixed to {fixed:g} and freed by NA. Keep one of them",
        )
    return Modifier(
        fixed=fixed,
        free=a.free or b.free,
        label=a.label or b.label,
        start=b.start if a.start is None else a.start,
        lower=b.lower if a.lower is None else a.lower,
        upper=b.upper if a.upper is None else a.upper,
    )


def _equated(source: Source, statements: list[Statement]) -> tuple[Statement, ...]:
    """Give the parameters named in equal() the label of their equals."""
    out = list(statements)
    for k, s in enumerate(statements):
        wanted = [m.label for m in s.modifiers if m.label.startswith(EQUAL)]
        if not wanted:
            continue
        spelt = {
            f"{o.lhs}{o.op}{o.rhs}": at
            for at, o in enumerate(statements)
            if o.block == s.block
        }
        for text in wanted:
            name = text.removeprefix(EQUAL)
            if name not in spelt:
                raise source.error(
                    s.place,
                    f"equal({name!r}): no such parameter in this model."
                    f"{near(name, spelt)} Write one that stands in it",
                )
            target = out[spelt[name]]
            label = next(iter(target.labels), name)
            out[spelt[name]] = _labelled(target, "", label)
            out[k] = _labelled(out[k], text, label)
    return tuple(out)


def _labelled(s: Statement, old: str, new: str) -> Statement:
    changed = [
        replace(m, label=new if m.label == old else m.label) for m in s.modifiers
    ]
    return replace(s, modifiers=tuple(changed))
