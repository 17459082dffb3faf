"""Columns that others determine, and so have no coefficient of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AnalysisError
from analysis.regression.columns import INTERCEPT
from analysis.regression.formula import columns_of

if TYPE_CHECKING:
    import pandas as pd

    from analysis.arrays import Float1D, Float2D
    from analysis.regression.formula import Formula

ALIAS_TOLERANCE = 1e-7
"""Share of a column's length left by the columns before it; R's ``lm(tol=)``."""


def refuse_aliased(
    formula: Formula, X: Float2D, columns: list[str], data: pd.DataFrame
) -> None:
    """Name every column that the ones before it determine."""
    outcome = set(columns_of(formula.outcome))
    same = [t for t in formula.terms if t == (formula.outcome,)]
    if same:
        raise AnalysisError(
            f"{formula.text}: {', '.join(sorted(outcome))} stands on both sides. "
            "Take it out of the predictors."
        )
    faults = []
    kept: list[int] = []
    lengths = np.linalg.norm(X, axis=0)
    for j, name in enumerate(columns):
        if lengths[j] == 0:
            faults.append(f"{name!r} is zero in all {len(data)} rows")
            continue
        basis = X[:, kept] / lengths[kept]
        weights = np.linalg.lstsq(basis, X[:, j] / lengths[j], rcond=None)[0]
        left = X[:, j] / lengths[j] - basis @ weights
        if kept and np.linalg.norm(left) < ALIAS_TOLERANCE:
            faults.append(_alias(name, X[:, j], [columns[k] for k in kept], weights))
        else:
            kept.append(j)
    if faults:
        raise AnalysisError(
            f"{formula.text}: {'; '.join(faults)}. "
            "Take one of the columns named out of the model."
        )


def _alias(name: str, column: Float1D, others: list[str], weights: Float1D) -> str:
    if others[0] == INTERCEPT and np.ptp(column) <= ALIAS_TOLERANCE * abs(column[0]):
        if np.ptp(column) > 0:
            around = f"by {np.ptp(column):g} around {column[0]:g}"
            return f"{name!r} varies only {around}, too little to compute with"
        return f"{name!r} is constant ({column[0]:g} in all rows)"
    used = [o for o, w in zip(others, weights, strict=True) if abs(w) > ALIAS_TOLERANCE]
    others_named = ", ".join(repr(o) for o in used if o != INTERCEPT) or "the intercept"
    return f"{name!r} is determined by {others_named}"
