"""Ordered probit regression by Newton's method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr, ndtri

from analysis.errors import ConvergenceError
from analysis.polychoric.normal import EDGE, phi

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D

_ROUNDS: Final = 100
_HALVINGS: Final = 30
_ROUNDING: Final = 1e-12
# Relative to n: the next Newton step is beyond the digits of the estimates.
_FLAT: Final = 1e-12
# One person gives a coefficient about this information times 10^4; none remains where
# a predictor separates the answers and the likelihood is flat far out.
_SEPARATED: Final = 1e-4


def ordered_probit(
    code: Int1D, n_categories: int, x: Float2D, weights: Float1D, *, where: str
) -> tuple[Float1D, Float1D]:
    """Thresholds and slopes of P(code <= k) = Phi(threshold_k - x'slopes).

    Parameters
    ----------
    code
        Answers 0 .. n_categories - 1, all of which occur, shape (n,).
    n_categories
        Number of categories.
    x
        Predictors near mean 0 and variance 1, shape (n, q); q may be 0.
    weights
        Shape (n,).
    where
        Opens every message.

    Raises
    ------
    ConvergenceError
        If a predictor separates the answers, so that its slope has no bound.

    Notes
    -----
    McKelvey & Zavoina (1975); the log-likelihood is concave (Pratt 1981). Same as
    ``MASS::polr(method = "probit")``.
    """
    counts = np.bincount(code, weights=weights, minlength=n_categories)
    cuts = ndtri(np.cumsum(counts)[:-1] / counts.sum())
    slopes = np.zeros(x.shape[1])
    if not x.shape[1]:
        return cuts, slopes
    theta = np.concatenate([cuts, slopes])
    for _ in range(_ROUNDS):
        value, gradient, information = _likelihood(theta, code, x, weights)
        if np.linalg.eigvalsh(information)[0] < _SEPARATED:
            break
        step = np.linalg.solve(information, gradient)
        if gradient @ step < _FLAT * len(code):
            return theta[: len(cuts)], theta[len(cuts) :]
        lowest = value - _ROUNDING * abs(value)
        # Halved until the likelihood grows; it is concave, so that few are needed.
        for _ in range(_HALVINGS):
            tried = theta + step
            apart = (np.diff(tried[: len(cuts)]) > 0).all()
            if apart and _likelihood(tried, code, x, weights)[0] >= lowest:
                break
            step = step / 2
        theta = tried
    raise ConvergenceError(
        f"{where}: the probit regression on the predictors has no finite estimate, "
        "because a predictor separates the answers (everyone in some category has the "
        "same value of it). Leave that predictor out, or join categories."
    )


def _likelihood(
    theta: Float1D, code: Int1D, x: Float2D, weights: Float1D
) -> tuple[float, Float1D, Float2D]:
    """Return the log-likelihood, its gradient, and minus its Hessian."""
    n_cuts = len(theta) - x.shape[1]
    padded = np.r_[-EDGE, theta[:n_cuts], EDGE]
    line = x @ theta[n_cuts:]
    upper = np.where(code == n_cuts, EDGE, padded[code + 1] - line)
    lower = np.where(code == 0, -EDGE, padded[code] - line)
    # The tail in which the interval lies keeps its digits.
    flip = lower > 0
    probability = np.where(flip, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))
    safe = np.maximum(probability, np.finfo(np.float64).tiny)
    value = float(weights @ np.log(safe))
    u, low = phi(upper) / safe, phi(lower) / safe
    w_uu = weights * (upper * u + u * u)
    w_ll = weights * (low * low - lower * low)
    w_ul = -weights * u * low
    gradient = _gradient(weights * u, -weights * low, code, n_cuts, x)
    return value, gradient, _information((w_uu, w_ll, w_ul), code, n_cuts, x)


def _gradient(
    u: Float1D, low: Float1D, code: Int1D, n_cuts: int, x: Float2D
) -> Float1D:
    ups = np.bincount(code, weights=u, minlength=n_cuts + 1)[:n_cuts]
    lows = np.bincount(code, weights=low, minlength=n_cuts + 1)[1:]
    return np.concatenate([ups + lows, -x.T @ (u + low)])


def _information(
    weights: tuple[Float1D, Float1D, Float1D], code: Int1D, n_cuts: int, x: Float2D
) -> Float2D:
    uu, ll, ul = weights
    k = n_cuts + x.shape[1]
    found = np.zeros((k, k))
    cuts = np.arange(n_cuts)
    up = np.bincount(code, weights=uu, minlength=n_cuts + 1)[:n_cuts]
    low = np.bincount(code, weights=ll, minlength=n_cuts + 1)[1:]
    found[cuts, cuts] = up + low
    beside = np.bincount(code, weights=ul, minlength=n_cuts + 1)[1:n_cuts]
    found[cuts[:-1], cuts[1:]] = found[cuts[1:], cuts[:-1]] = beside
    found[n_cuts:, n_cuts:] = (x * (uu + ll + 2 * ul)[:, None]).T @ x
    for a in range(n_cuts):
        weight = np.where(code == a, uu + ul, 0.0) + np.where(
            code == a + 1, ll + ul, 0.0
        )
        found[a, n_cuts:] = found[n_cuts:, a] = -(weight @ x)
    return found
