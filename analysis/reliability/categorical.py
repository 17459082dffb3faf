"""Omega of the sum of ordered codes, from a model of the answers behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from analysis.errors import AnalysisError
from analysis.polychoric.normal import excess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D, Int1D


# Up to here probabilities are exact to 1e-15, and no polychoric correlation is higher.
HIGHEST = 0.999


def green_yang(
    common: Float2D,
    total: Float2D,
    thresholds: Sequence[Float1D],
    steps: Sequence[Float1D] | None = None,
) -> float:
    r"""Reliability of the sum of ordered codes.

    Parameters
    ----------
    common
        Covariances of the latent responses that the factor explains, with the
        communalities on the diagonal, shape (p, p); latent responses have variance 1.
    total
        Correlations of the latent responses, implied or polychoric, unit diagonal,
        shape (p, p).
    thresholds
        Of each item, increasing, shape (n_categories - 1,).
    steps
        Differences between neighbouring codes of each item, same shapes; 1 when left
        out.

    Raises
    ------
    AnalysisError
        If shapes do not agree, a variance is not 1, or a communality is above .999.

    Notes
    -----
    Green and Yang (2009), eq. 21: the sum over pairs of items of
    :math:`\sum_c\sum_{c'} \Phi_2(\tau_{jc}, \tau_{j'c'}; r) -
    \sum_c \Phi(\tau_{jc}) \sum_{c'} \Phi(\tau_{j'c'})`, with r from `common` over the
    same with r from `total`. Same as ``semTools::reliability(fit)`` row omega with
    implied and omega3 with polychoric correlations, and
    ``semTools::compRelSEM(fit, obs.var = FALSE)`` and ``(fit)``.
    """
    _require_shapes(common, total, thresholds)
    total = total.copy()
    np.fill_diagonal(total, 1.0)
    weights = [np.ones_like(t) for t in thresholds] if steps is None else steps
    cuts, weight = np.concatenate(list(thresholds)), np.concatenate(list(weights))
    owner = np.repeat(np.arange(len(common)), [len(t) for t in thresholds])
    true = _sum_covariance(common, cuts, weight, owner)
    observed = _sum_covariance(total, cuts, weight, owner)
    return true / observed


def _sum_covariance(R: Float2D, cuts: Float1D, weight: Float1D, owner: Int1D) -> float:
    """Variance of the sum of codes when latent responses correlate as R.

    A code is its lowest value plus a step at each threshold passed, so that its
    covariances are those of the indicators of having passed.
    """
    first, second = (i.ravel() for i in np.indices((len(cuts), len(cuts))))
    rho = R[owner[first], owner[second]]
    apart = np.abs(rho) < 1
    below = ndtr(cuts)
    # A response and itself: the lower of the two thresholds is passed by more.
    both = np.minimum(below[first], below[second]) - below[first] * below[second]
    both[apart] = excess(cuts[first[apart]], cuts[second[apart]], rho[apart])
    return float(weight @ both.reshape(len(cuts), -1) @ weight)


def _require_shapes(
    common: Float2D, total: Float2D, thresholds: Sequence[Float1D]
) -> None:
    p = len(thresholds)
    if common.shape != (p, p) or total.shape != (p, p):
        raise AnalysisError(
            f"green_yang: thresholds of {p} items, but common is {common.shape} and "
            f"total {total.shape}. Give one list of thresholds an item."
        )
    if np.abs(np.diag(total) - 1).max() > 1e-6:  # noqa: PLR2004
        raise AnalysisError(
            "green_yang: the diagonal of total is not 1. Divide loadings and "
            "thresholds by the standard deviations of the latent responses."
        )
    if (highest := np.diag(common).max()) > HIGHEST:
        raise AnalysisError(
            f"green_yang: a communality is {highest:.4f}. The solution is improper, or "
            "an item is the factor itself: leave it out."
        )
    for j, cuts in enumerate(thresholds):
        if not len(cuts) or (np.diff(cuts) <= 0).any() or not np.isfinite(cuts).all():
            raise AnalysisError(
                f"green_yang: thresholds of item {j + 1} are {cuts.tolist()}. Give "
                "finite ones that increase."
            )
