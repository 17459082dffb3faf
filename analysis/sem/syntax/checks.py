"""Faults that need the whole model to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sem.syntax.expressions import linear_form, names
from analysis.sem.syntax.source import Place, near

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.sem.syntax.expressions import Expression
    from analysis.sem.syntax.statements import ModelSyntax, Statement


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
    seen: dict[tuple[str, str, str], Statement] = {}
    for s in model.statements:
        if s.lhs == s.rhs and s.op in {"=~", "~"}:
            what = "measured by" if s.op == "=~" else "regressed on"
            raise model.source.error(
                s.place, f"{s.lhs!r} is {what} itself. Delete it from this statement"
            )
        if s.key in seen:
            raise _repeated(model, seen[s.key], s)
        seen[s.key] = s
    _check_definitions(model)
    _check_constraints(model)


def _repeated(model: ModelSyntax, first: Statement, s: Statement) -> Exception:
    spelt = f"{first.lhs} {first.op} {first.rhs}".strip()
    return model.source.error(
        s.place,
        f"{f'{s.lhs} {s.op} {s.rhs}'.strip()!r} says again what line "
        f"{first.place.line} says with {spelt!r}. Delete one of them",
    )


def _check_definitions(model: ModelSyntax) -> None:
    labels = {s.label for s in model.statements if s.label}
    known = set(labels)
    for d in model.definitions:
        if d.name in known:
            what = "a label" if d.name in labels else "defined before"
            raise model.source.error(
                d.place, f"{d.name!r} is {what} already. Choose another name"
            )
        _check_names(model, d.expression, known)
        known.add(d.name)


def _check_constraints(model: ModelSyntax) -> None:
    known = {s.label for s in model.statements if s.label}
    known |= {d.name for d in model.definitions}
    forms = defined_forms(model)
    for c in model.constraints:
        for side in (c.left, c.right):
            _check_names(model, side, known)
            if linear_form(side, forms) is None or _nonlinear(side, forms, model):
                raise model.source.error(
                    c.place,
                    "only linear constraints are offered. Use sums and multiples of "
                    "labels, e.g. a == b or a + 2*b == 1",
                )


def _nonlinear(
    side: Expression, forms: Mapping[str, Mapping[str, float]], model: ModelSyntax
) -> bool:
    defined = {d.name for d in model.definitions} - set(forms)
    return any(n.name in defined for n in names(side))


def _check_names(model: ModelSyntax, expression: Expression, known: set[str]) -> None:
    for n in names(expression):
        if n.name not in known:
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
