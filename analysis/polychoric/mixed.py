"""The three steps of Muthen (1984): margins, pairs, and their covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from analysis.answers import require_choice
from analysis.errors import TooFewError
from analysis.polychoric.influence import Units, summed_products, summed_squares
from analysis.polychoric.moments import MixedMoments
from analysis.polychoric.sample import sample
from analysis.polychoric.steps import take_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.polychoric.sample import Sample

Missing: TypeAlias = Literal["listwise", "pairwise"]


def mixed_moments(
    x: Float2D,
    *,
    ordered: Bool1D,
    names: Sequence[str],
    exogenous: Float2D | None = None,
    missing: Missing = "listwise",
    weights: Float1D | None = None,
    cluster: Int1D | None = None,
    gamma: bool = True,
    hold: bool = False,
    where: str = "polychoric",
) -> MixedMoments:
    """Take the sample moments of one group of ordered and numeric variables.

    Parameters
    ----------
    x
        Answers, shape (n, p), NaN where missing; any numbers for ordered variables,
        whose categories are those that occur in the rows used.
    ordered
        Which variables are ordered, shape (p,).
    names
        The variables.
    exogenous
        Predictors, shape (n, q): moments are then those of the residuals given them.
        Rows that miss one are left out.
    missing
        ``"listwise"`` keeps rows with every answer; ``"pairwise"`` takes thresholds
        and means from everyone who answered a variable, and each correlation from
        everyone who answered both.
    weights
        Sampling weights, shape (n,); they are scaled to sum to the rows used. Rows of
        weight 0 are left out.
    cluster
        Number of the cluster of each row, shape (n,): influences are summed within
        clusters, and there is no factor G / (G - 1).
    gamma
        Whether to compute `gamma`; standard errors come either way.
    hold
        Keep a correlation that reaches .999 there, as lavaan does; refuse it only
        where one variable determines the other.
    where
        Opens every message.

    Raises
    ------
    TooFewError
        If fewer than two rows remain, or nobody answered both variables of a pair.
    PerfectCorrelationError
        If a correlation reaches .999.
    AnalysisError
        If values are infinite, a variable does not vary, or predictors determine each
        other.
    ConvergenceError
        If a predictor separates the answers of a variable.

    Notes
    -----
    Muthen (1984); Muthen & Satorra (1995). Information is taken from summed
    cross-products of scores, as in lavaan: same as ``lavInspect(fit, "sampstat")`` and
    ``lavInspect(fit, "gamma")``, where means have the opposite sign. For ordered
    variables this equals the expected information; for numeric ones it is consistent
    under normality. Where a numeric variable is skewed and its variance large, or an
    answer nearly impossible, lavaan 0.6-14's optimiser may stop far from the maximum
    (its result then changes with the units); the maximum is found here. With weights,
    frequencies are weighted and the middle matrix is the sum of w^2 s s' (Asparouhov
    2005).
    """
    require_choice("missing", missing, get_args(Missing), where=where)
    used = sample(
        x,
        ordered,
        tuple(names),
        exogenous=exogenous,
        listwise=missing == "listwise",
        weights=weights,
        cluster=cluster,
        where=where,
    )
    return take_moments(used, gamma=gamma, scaled=True, where=where, hold=hold)


def take_moments(
    used: Sample, *, gamma: bool, scaled: bool, where: str, hold: bool = False
) -> MixedMoments:
    """Take the moments of rows that were checked.

    Parameters
    ----------
    used
        Rows to use.
    gamma
        Whether to compute the covariance of moments, not only standard errors.
    scaled
        Whether the last moments are covariances where a variable is numeric; else
        they are correlations throughout, and `moments` does not suit `gamma`.
    where
        Opens every message.
    hold
        As in `mixed_moments`.
    """
    counts = _counts(used, where=where)
    steps = take_steps(used, scaled=scaled, where=where, hold=hold)
    n = len(used.x)
    units = Units(n, used.weights, used.cluster)
    found = n * summed_products(steps.influence, units) if gamma else None
    if found is None:
        squares = summed_squares(steps.influence, units)
    else:
        squares = np.diag(found) / n
    i, j = np.triu_indices(len(used.names), 1)
    return MixedMoments(
        names=used.names,
        ordered=used.ordered,
        thresholds=steps.thresholds,
        mean=steps.mean,
        slopes=steps.slopes,
        sd=steps.sd,
        R=steps.R,
        n_obs=n,
        n_dropped=used.n_dropped,
        n_pair=int(counts[i, j].min(initial=n)),
        counts=counts,
        order=steps.influence.order,
        gamma=found,
        std_error=np.sqrt(squares),
        empty_2x2=steps.empty_2x2,
    )


def _counts(used: Sample, *, where: str) -> Int1D:
    missing = np.isnan(used.x)
    p = len(used.names)
    if not missing.any():
        return np.full((p, p), len(used.x))
    seen = (~missing).astype(np.float64)
    counts = np.rint(seen.T @ seen).astype(np.int_)
    if counts.min() < 2:  # noqa: PLR2004
        i, j = np.argwhere(counts < 2)[0]  # noqa: PLR2004
        raise TooFewError(
            f"{where}: {counts[i, j]} rows have answers to both {used.names[i]!r} and "
            f"{used.names[j]!r}. Leave one of them out."
        )
    return counts
