"""The rows of one group: what is used, how it is weighted, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AnalysisError, TooFewError

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows that are used.

    Attributes
    ----------
    x
        Answers, shape (n, p), NaN where missing.
    ordered
        Which variables are ordered, shape (p,).
    names
        The variables.
    exogenous
        Predictors, shape (n, q).
    weights
        Weights that sum to n, shape (n,), or None.
    cluster
        Number of the cluster of each row from 0, shape (n,), or None.
    n_dropped
        Rows left out.
    """

    x: Float2D
    ordered: Bool1D
    names: tuple[str, ...]
    exogenous: Float2D
    weights: Float1D | None
    cluster: Int1D | None
    n_dropped: int

    @property
    def row_weights(self) -> Float1D:
        """Weights; ones without weights."""
        return np.ones(len(self.x)) if self.weights is None else self.weights


def sample(
    x: Float2D,
    ordered: Bool1D,
    names: tuple[str, ...],
    *,
    exogenous: Float2D | None,
    listwise: bool,
    weights: Float1D | None,
    cluster: Int1D | None,
    where: str,
) -> Sample:
    """Leave out rows with missing answers and check the rest.

    Listwise a row needs every answer, pairwise one; either way all predictors and a
    positive weight.

    Raises
    ------
    TooFewError
        If fewer than two rows, or for some pair none, remain.
    AnalysisError
        If values are infinite, a variable has no answer or does not vary, or weights
        are negative, missing or all zero.
    """
    given = np.zeros((len(x), 0)) if exogenous is None else exogenous
    _require_finite(x, given, names, where=where)
    missing = np.isnan(x)
    keep = ~(missing.any(axis=1) if listwise else missing.all(axis=1))
    keep &= ~np.isnan(given).any(axis=1)
    if weights is not None:
        _require_weights(weights, where=where)
        keep &= weights > 0
    n = int(keep.sum())
    if n < 2:  # noqa: PLR2004
        raise TooFewError(
            f"{where}: {n} of {len(x)} rows can be used. Collect more answers, use "
            "fewer variables, or missing='pairwise'."
        )
    kept = x if n == len(x) else x[keep]
    _require_variation(kept, names, where=where)
    if weights is not None:
        weights = weights[keep] * (n / weights[keep].sum())
    if cluster is not None:
        cluster = np.unique(cluster[keep], return_inverse=True)[1]
    return Sample(kept, ordered, names, given[keep], weights, cluster, len(x) - n)


def _require_finite(
    x: Float2D, given: Float2D, names: tuple[str, ...], *, where: str
) -> None:
    bad = [n for n, column in zip(names, x.T, strict=True) if np.isinf(column).any()]
    if bad or np.isinf(given).any():
        which = ", ".join(map(repr, bad)) or "a predictor"
        raise AnalysisError(
            f"{where}: infinite values in {which}. Correct them or make them missing."
        )


def _require_weights(weights: Float1D, *, where: str) -> None:
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise AnalysisError(
            f"{where}: weights must be numbers of at least 0, not all 0 (found from "
            f"{np.min(weights):g} to {np.max(weights):g}). Correct them."
        )


def _require_variation(x: Float2D, names: tuple[str, ...], *, where: str) -> None:
    faults = []
    for name, column in zip(names, x.T, strict=True):
        answers = column[~np.isnan(column)]
        if not len(answers):
            faults.append(f"{name!r} has no answer")
        elif np.ptp(answers) <= abs(answers[0]) * 1e-13:
            faults.append(
                f"{name!r} does not vary (all {len(answers)} answers are "
                f"{answers[0]:g})"
            )
    if faults:
        raise AnalysisError(f"{where}: {'; '.join(faults)}. Leave such items out.")
