"""Columns of a design matrix, term by term."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AnalysisError
from analysis.regression.rows import is_category
from analysis.regression.values import evaluate

if TYPE_CHECKING:
    import pandas as pd

    from analysis.arrays import Float2D
    from analysis.regression.formula import Factor, Formula, Term

INTERCEPT = "Intercept"


def matrix(
    formula: Formula, data: pd.DataFrame, *, standardise: bool
) -> tuple[Float2D, list[str], list[int]]:
    """Columns of all terms, their names, and the term each belongs to."""
    values: dict[Factor, pd.Series] = {}
    for factor in dict.fromkeys(f for term in formula.terms for f in term):
        column = evaluate(factor.expression, data, factor.label)
        _refuse_one_category(column, factor)
        if standardise and not is_category(column):
            spread = column.std()
            column = (column - column.mean()) / (spread if spread > 0 else 1.0)
        values[factor] = column
    present = {frozenset(term) for term in formula.terms}
    if formula.intercept:
        present.add(frozenset())
    blocks: list[Float2D] = []
    names: list[str] = []
    term_of: list[int] = []
    if formula.intercept:
        blocks.append(np.ones((len(data), 1)))
        names.append(INTERCEPT)
        term_of.append(0)
    for number, term in enumerate(formula.terms, start=int(formula.intercept)):
        block, labels = _term_columns(term, values, present)
        blocks.append(block)
        names.extend(labels)
        term_of.extend([number] * len(labels))
    return np.hstack(blocks), names, term_of


def _term_columns(
    term: Term, values: dict[Factor, pd.Series], present: set[frozenset[Factor]]
) -> tuple[Float2D, list[str]]:
    """Products of the factors' columns.

    A categorical factor leaves out its reference when the term without it is in the
    model too; otherwise it needs all its categories (R's rule of marginality).
    """
    block: Float2D | None = None
    names: list[str] = []
    for factor in term:
        column = values[factor]
        if is_category(column):
            reduced = (frozenset(term) - {factor}) in present
            one, labels = _indicators(column, factor.label, reduced=reduced)
        else:
            one, labels = column.to_numpy(float)[:, None], [factor.label]
        if block is None:
            block, names = one, labels
        else:
            block = np.hstack([block * one[:, [j]] for j in range(one.shape[1])])
            names = [f"{a}:{b}" for b in labels for a in names]
    if block is None:
        raise AnalysisError("formula: an empty term. Name at least one column.")
    return block, names


def _indicators(
    column: pd.Series, label: str, *, reduced: bool
) -> tuple[Float2D, list[str]]:
    levels = list(column.cat.categories)
    full = np.eye(len(levels))[column.cat.codes.to_numpy()]
    if reduced:
        return full[:, 1:], [f"{label}[T.{level}]" for level in levels[1:]]
    return full, [f"{label}[{level}]" for level in levels]


def _refuse_one_category(column: pd.Series, factor: Factor) -> None:
    if is_category(column) and len(column.cat.categories) < 2:  # noqa: PLR2004
        raise AnalysisError(
            f"{factor.label}: only the category {list(column.cat.categories)} is left "
            "in the rows used, so it has no effect to estimate. Take it out."
        )
