"""Faults that need the whole model to be seen."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from analysis.sem.syntax.blocks import check_blocks
from analysis.sem.syntax.circles import circles
from analysis.sem.syntax.expressions import linear_form, names
from analysis.sem.syntax.products import check_products
from analysis.sem.syntax.source import Place, near

if TYPE_CHECKING:
    from analysis.sem.syntax.expressions import Expression
    from analysis.sem.syntax.statements import ModelSyntax, Statement

#: A parameter named by its row in the table of parameters, from 1.
ROW = re.compile(r"\.p([1-9]\d*)\.")


def check(model: ModelSyntax) -> None:
    """Refuse a model that says nothing, contradicts or repeats itself.

    Raises
    ------
    ModelSyntaxError
        At the first statement that cannot stand.
    """
    if not model.statements:
        raise model.source.error(
            Place(1, 0), "the model says nothing. Write e.g. factor =~ item1 + item2"
        )
    check_blocks(model)
    check_products(model)
    seen: dict[tuple[int, tuple[str, str, str]], Statement] = {}
    for s in model.statements:
        _check_ordinal(model, s)
        if s.lhs == s.rhs and s.op in {"=~", "~"}:
            what = "measured by" if s.op == "=~" else "regressed on"
            raise model.source.error(
                s.place, f"{s.lhs!r} is {what} itself. Delete it from this statement"
            )
        key = (s.block, s.key)
        if key in seen:
            raise _repeated(model, seen[key], s)
        seen[key] = s
    _check_labels(model)
    for block in range(len(model.blocks) + 1):
        _check_circles(model.of_block(block))
    _check_definitions(model)
    _check_constraints(model)


def _check_ordinal(model: ModelSyntax, s: Statement) -> None:
    if s.op == "|" and not re.fullmatch(r"t[1-9]\d*", s.rhs):
        raise model.source.error(
            s.place,
            f"expected a threshold t1, t2, … after '|', found {s.rhs!r}. Write e.g. "
            f"{s.lhs} | t1 + t2",
        )
    if s.op == "~*~" and s.lhs != s.rhs:
        raise model.source.error(
            s.place,
            f"a scaling factor belongs to one variable, found {s.lhs!r} and "
            f"{s.rhs!r}. Write {s.lhs} ~*~ {s.lhs}",
        )


def _repeated(model: ModelSyntax, first: Statement, s: Statement) -> Exception:
    spelt = f"{first.lhs} {first.op} {first.rhs}".strip()
    return model.source.error(
        s.place,
        f"{f'{s.lhs} {s.op} {s.rhs}'.strip()!r} says again what line "
        f"{first.place.line} says with {spelt!r}. Delete one of them",
    )


def _check_labels(model: ModelSyntax) -> None:
    """Refuse labels that make fixed values equal, or that mean something else."""
    known: dict[str, float] = {}
    for s in model.statements:
        if rows := [label for label in s.labels if ROW.fullmatch(label)]:
            raise model.source.error(
                s.place,
                f"{rows[0]!r} is the name of a row of the table of parameters. Choose "
                "another label",
            )
        for m in s.modifiers:
            if not m.label or m.fixed is None:
                continue
            if known.setdefault(m.label, m.fixed) != m.fixed:
                raise model.source.error(
                    s.place,
                    f"{m.label!r} is fixed to {known[m.label]:g} and to {m.fixed:g}. "
                    "Keep one value, or use two labels",
                )


def _check_circles(model: ModelSyntax) -> None:
    """Refuse factors that are indicators of their own indicators."""
    for circle in circles((s.lhs, s.rhs) for s in model.statements if s.op == "=~"):
        last = next(
            s.place
            for s in reversed(model.statements)
            if s.op == "=~" and (s.lhs, s.rhs) in pairwise(circle)
        )
        raise model.source.error(
            last,
            f"the factors {' =~ '.join(circle)} measure each other in a circle. Let "
            "one factor measure the others, or regress them with ~",
        )


def _check_definitions(model: ModelSyntax) -> None:
    labels = {name for s in model.statements for name in s.labels}
    before = set(labels)
    for d in model.definitions:
        if d.name in before:
            what = "a label" if d.name in labels else "defined before"
            raise model.source.error(
                d.place, f"{d.name!r} is {what} already. Choose another name"
            )
        before.add(d.name)
    for d in model.definitions:
        _check_names(model, d.expression, before)


def _check_constraints(model: ModelSyntax) -> None:
    known = {name for s in model.statements for name in s.labels}
    known |= {d.name for d in model.definitions}
    for c in model.constraints:
        for side in (c.left, c.right):
            _check_names(model, side, known, rows=True)
        if not (names(c.left) or names(c.right)):
            raise model.source.error(
                c.place,
                "this constraint names no parameter. Delete it, or use a label",
            )


def _check_names(
    model: ModelSyntax,
    expression: Expression,
    known: set[str],
    *,
    rows: bool = False,
) -> None:
    for n in names(expression):
        if n.name in known or (rows and ROW.fullmatch(n.name)):
            continue
        if ROW.fullmatch(n.name):
            raise model.source.error(
                n.place,
                f"{n.name!r} names a row of the table of parameters, which only "
                "constraints may (lavaan's rule). Label the parameter, and use that",
            )
        raise model.source.error(
            n.place,
            f"{n.name!r} is no label of this model.{near(n.name, known)} Label a "
            f"parameter first, e.g. {n.name}*x",
        )


def defined_forms(model: ModelSyntax) -> dict[str, dict[str, float]]:
    """Linear forms of those defined parameters that are linear in the labels."""
    forms: dict[str, dict[str, float]] = {}
    for d in model.definitions:
        inner = {n.name for n in names(d.expression)}
        if inner & ({e.name for e in model.definitions} - set(forms)):
            continue
        form = linear_form(d.expression, forms)
        if form is not None:
            forms[d.name] = form
    return forms
