"""How far predictors determine each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from analysis.arrays import Float2D
    from analysis.regression.design import Design


def variance_inflation(design: Design) -> pd.DataFrame:
    """Generalised variance-inflation factors, one row per term.

    Returns
    -------
    pd.DataFrame
        ``term df vif vif_per_df``: the factor itself, and its ``1/df``-th power,
        which compares with the usual VIF whatever the number of categories. Empty
        with fewer than two terms or without intercept.

    Notes
    -----
    Fox & Monette (1992): det(R11) det(R22) / det(R). Same as ``car::vif``, whose
    last column is the square root of ours.
    """
    terms = list(design.terms[int(design.formula.intercept) :])
    empty = pd.DataFrame(
        {
            "term": pd.Series(dtype=object),
            "df": pd.Series(dtype=int),
            "vif": pd.Series(dtype=float),
            "vif_per_df": pd.Series(dtype=float),
        }
    )
    if len(terms) < 2 or not design.formula.intercept:  # noqa: PLR2004
        return empty
    R = np.atleast_2d(np.corrcoef(design.X[:, 1:], rowvar=False))
    whole = np.linalg.slogdet(R)[1]
    rows = []
    for term in terms:
        own = np.array(design.columns_of_term(term)) - 1
        other = np.setdiff1d(np.arange(len(R)), own)
        log_vif = _log_det(R, own) + _log_det(R, other) - whole
        vif = float(np.exp(log_vif))
        rows.append((term, len(own), vif, vif ** (1 / len(own))))
    return pd.DataFrame(rows, columns=list(empty.columns))


def condition_number(design: Design) -> float:
    """Largest over smallest singular value of the centred, scaled predictors."""
    X = design.X[:, 1:] if design.formula.intercept else design.X
    if X.shape[1] == 0:
        return 1.0
    if design.formula.intercept:
        X = X - X.mean(axis=0)
    X = X / np.linalg.norm(X, axis=0)
    singular = np.linalg.svd(X, compute_uv=False)
    return float(singular[0] / singular[-1])


def _log_det(R: Float2D, keep: np.typing.NDArray[np.int_]) -> float:
    return float(np.linalg.slogdet(R[np.ix_(keep, keep)])[1])
