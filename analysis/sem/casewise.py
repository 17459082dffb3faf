"""Scores: derivatives of each row's log-likelihood, by theta and by the moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import block_diag

from analysis.sem.implied import filled, implied, slopes
from analysis.sem.missing import casewise, inverse_elements, inverse_pairs
from analysis.sem.pairs import vech

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.sem.matrices import Layout
    from analysis.sem.moments import Moments

# Rows whose scores by all moments are held at a time.
_CHUNK: Final = 8192


def theta_scores(
    layout: Layout, moments: Moments, theta: Float1D, *, means: bool
) -> Float2D:
    """Derive the log-likelihood of each row by theta, shape (n_obs, n_free).

    Without `means` rows are taken about the sample means.
    """
    m = filled(layout, theta)
    found, by_theta = implied(m), slopes(layout, m)
    x = _rows(moments)
    mean = found.mean if means else moments.mean
    if moments.patterns is None:
        inverse = np.linalg.inv(found.cov)
        w = (x - mean) @ inverse
        constant = np.einsum("ik,ik->k", by_theta.left, inverse @ by_theta.right)
    else:
        case = casewise(moments.patterns, x, mean, found.cov)
        w = case.w
        constant = inverse_elements(
            moments.patterns, found.cov, by_theta.left, by_theta.right
        )[case.of_row]
    scores = (w @ by_theta.left) * (w @ by_theta.right) - constant
    scores = scores * by_theta.scale
    if means:
        scores = scores + w @ by_theta.mean
    weighted: Float2D = scores * moments.rows_weight[:, None]
    return weighted


def middle(scores: Float2D, moments: Moments) -> Float2D:
    """Sum of products of scores, of clusters where there are any; a row's share.

    Divided by n_obs; with J clusters times J / (J - 1).
    """
    summed = cluster_sums(scores, moments)
    found: Float2D = summed.T @ summed / moments.n_obs
    if moments.cluster is None:
        return found
    return found * (len(summed) / (len(summed) - 1))


def cluster_sums(scores: Float2D, moments: Moments) -> Float2D:
    """Add up the scores of the rows of each cluster; unchanged without clusters."""
    if moments.cluster is None:
        return scores
    _, own = np.unique(moments.cluster, return_inverse=True)
    sums = np.zeros((int(own.max()) + 1, scores.shape[1]))
    np.add.at(sums, own, scores)
    return sums


def moment_scores(
    moments: Moments, mean: Float1D, cov: Float2D, *, means: bool
) -> Float2D:
    """Derive each row's log-likelihood by means and covariances (vech).

    Shape (n_obs, p + p(p+1)/2), without the first p columns when means are not
    modelled.
    """
    x = _rows(moments)
    rows, columns = vech(len(cov))
    half = np.where(rows == columns, 0.5, 1.0)
    if moments.patterns is None:
        inverse = np.linalg.inv(cov)
        w = (x - mean) @ inverse
        constant = inverse[rows, columns]
    else:
        case = casewise(moments.patterns, x, mean, cov)
        w = case.w
        constant = inverse_pairs(moments.patterns, cov, rows, columns)[case.of_row]
    by_cov = (w[:, rows] * w[:, columns] - constant) * half
    found = np.hstack([w, by_cov]) if means else by_cov
    weighted: Float2D = found * moments.rows_weight[:, None]
    return weighted


def gamma(moments: Moments, *, means: bool, exogenous: tuple[int, ...]) -> Float2D:
    """Asymptotic covariance, times N, of sample means and covariances of any shape.

    Parameters
    ----------
    means
        Whether means come first.
    exogenous
        Positions of predictors whose moments are fixed.

    Returns
    -------
    ndarray
        Shape (k, k), in the order of `analysis.sem.stack.NumericStack`.

    Notes
    -----
    Browne (1984), divisor N; ``lavInspect(fit, "gamma")``. Fixed predictors: the
    deviations of products from what the predictors explain of them.
    """
    x = _rows(moments) - moments.mean
    n = moments.n_obs
    expected = moments.cov * ((n - 1) / n if moments.unbiased else 1.0)
    fitted = np.zeros_like(x)
    if exogenous:
        given = list(exogenous)
        slope = np.linalg.solve(expected[np.ix_(given, given)], expected[given])
        fitted = x[:, given] @ slope
        expected = expected - slope.T @ expected[given]
    rows, columns = vech(x.shape[1])
    size = len(rows) + means * x.shape[1]
    found = np.zeros((size, size))
    w = moments.rows_weight
    clustered: list[Float2D] = []
    for low in range(0, len(x), _CHUNK):
        part, base = x[low : low + _CHUNK], fitted[low : low + _CHUNK]
        z = part[:, rows] * part[:, columns] - base[:, rows] * base[:, columns]
        z -= expected[rows, columns]
        scores = np.hstack([part - base, z]) if means else z
        scores = scores * w[low : low + _CHUNK, None]
        if moments.cluster is None:
            found += scores.T @ scores
        else:
            clustered.append(scores)
    if clustered:
        summed = cluster_sums(np.vstack(clustered), moments)
        found = summed.T @ summed
    return found / n


def normal_gamma(
    moments: Moments, *, means: bool, exogenous: tuple[int, ...]
) -> Float2D:
    """Asymptotic covariance, times N, of means and covariances of normal variables.

    Parameters
    ----------
    means
        Whether means come first.
    exogenous
        Positions of predictors whose moments are fixed.

    Returns
    -------
    ndarray
        Shape (k, k), in the order of `analysis.sem.stack.NumericStack`.

    Notes
    -----
    Browne (1974). Fixed predictors: less that of what they explain.
    """
    found = _normal_gamma(moments.cov, means=means)
    if not exogenous:
        return found
    given = list(exogenous)
    slope = np.linalg.solve(moments.cov[np.ix_(given, given)], moments.cov[given])
    return found - _normal_gamma(slope.T @ moments.cov[given], means=means)


def _normal_gamma(cov: Float2D, *, means: bool) -> Float2D:
    rows, columns = vech(len(cov))
    r, c = rows[:, None], columns[:, None]
    products = cov[r, rows] * cov[c, columns] + cov[r, columns] * cov[c, rows]
    return block_diag(cov, products) if means else products


def outside(p: int, exogenous: tuple[int, ...], *, means: bool) -> Bool1D:
    """Which moments are not those of predictors alone, shape (k,)."""
    inside = np.zeros(p, dtype=bool)
    inside[list(exogenous)] = True
    rows, columns = vech(p)
    below = ~(inside[rows] & inside[columns])
    return np.concatenate([~inside, below]) if means else below


def _rows(moments: Moments) -> Float2D:
    if moments.x is None:
        raise ValueError("moments without rows")
    return moments.x
