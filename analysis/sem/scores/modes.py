"""Scores of ordered answers: the mode of the factors given what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import log_ndtr, ndtr

from analysis.errors import ConvergenceError
from analysis.sem.implied import total_effects
from analysis.sem.pairs import inverse

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.sem.matrices import Layout, Matrices

# Stands for infinity; the normal distribution has no mass beyond.
_FAR: Final = 38.0
_STEPS: Final = 100
_STILL: Final = 1e-10
_CHUNK: Final = 5000


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """How answers depend on the latent variables, given the predictors.

    Attributes
    ----------
    answers
        Codes and values, shape (n, p); NaN where missing.
    ordered
        Ordered answers come with their thresholds, shape (p,).
    low, high
        Thresholds around each ordered answer, shape (n, p).
    prior_mean
        Expected latent variables of each row, shape (n, k).
    precision
        Inverse covariance of the latent variables given the predictors, shape (k, k).
    slope
        Regression of answers on latent variables, shape (p, k).
    constant
        Expected answers of each row where the latent variables are 0, shape (n, p).
    sd
        Residual standard deviations, shape (p,).
    """

    answers: Float2D
    ordered: Bool1D
    low: Float2D
    high: Float2D
    prior_mean: Float2D
    precision: Float2D
    slope: Float2D
    constant: Float2D
    sd: Float1D


def modes(layout: Layout, m: Matrices, x: Float2D) -> tuple[Float2D, Float2D]:
    """Find modes of the latent variables given ordered (and numeric) answers.

    Parameters
    ----------
    layout, m
        A group of the model.
    x
        Answers, shape (n, p); NaN where missing.

    Returns
    -------
    tuple
        Scores and their standard errors, shape (n, k).
    """
    parts = [
        _modes_of(_measured(layout, m, x[low : low + _CHUNK]))
        for low in range(0, len(x), _CHUNK)
    ]
    return np.vstack([p[0] for p in parts]), np.vstack([p[1] for p in parts])


def _measured(layout: Layout, m: Matrices, x: Float2D) -> _Measured:
    """Split the joint normal distribution into predictors, latent variables, answers.

    Predictors are no indicators: they shift what is expected of each respondent.
    """
    table, k = layout.table, len(layout.table.latent)
    total, effects = total_effects(m)
    paths = np.vstack([effects[:k], total])
    cov = paths @ m.Psi @ paths.T
    cov[k:, k:] += m.Theta
    mean = np.concatenate([np.zeros(k), m.nu]) + paths @ m.alpha
    given = [table.observed.index(n) for n in table.predictors]
    rest = [i for i in range(len(m.nu)) if i not in given]
    at, kept = [k + i for i in given], [*range(k), *(k + i for i in rest)]
    by_x = cov[np.ix_(kept, at)] @ inverse(cov[np.ix_(at, at)])
    cov = cov[np.ix_(kept, kept)] - by_x @ cov[np.ix_(at, kept)]
    expected = mean[kept] + (x[:, given] - mean[at]) @ by_x.T
    precision = inverse(cov[:k, :k])
    slope = cov[k:, :k] @ precision
    left = np.diag(cov)[k:] - np.einsum("ik,ki->i", slope, cov[:k, k:])
    low, high, ordered = _bounds(layout, m, x)
    return _Measured(
        x[:, rest],
        ordered[rest],
        low[:, rest],
        high[:, rest],
        expected[:, :k],
        precision,
        slope,
        expected[:, k:] - expected[:, :k] @ slope.T,
        np.sqrt(left),
    )


def _modes_of(a: _Measured) -> tuple[Float2D, Float2D]:
    """Newton's method for all rows together."""
    eta = a.prior_mean.copy()
    for _ in range(_STEPS):
        push, pull = _force(a.constant + eta @ a.slope.T, a)
        slope = push @ a.slope - (eta - a.prior_mean) @ a.precision
        bend = np.einsum("ni,ik,il->nkl", pull, a.slope, a.slope) + a.precision
        step = np.linalg.solve(bend, slope[..., None])[..., 0]
        size = np.abs(step).max(axis=1, keepdims=True)
        eta = eta + step * np.minimum(1.0, 2.0 / np.maximum(size, 1e-12))
        if float(size.max()) < _STILL:
            break
    else:
        raise ConvergenceError(
            "factor_scores: the modes of some respondents were not found. Look at "
            "fit.warnings; an improper solution has no such scores."
        )
    error = np.einsum("nkk->nk", np.linalg.inv(bend))
    return eta, np.sqrt(error)


def _bounds(layout: Layout, m: Matrices, x: Float2D) -> tuple[Float2D, Float2D, Bool1D]:
    """Thresholds below and above each ordered answer, shape (n, p)."""
    low, high = np.full(x.shape, -_FAR), np.full(x.shape, _FAR)
    known = dict(layout.table.categories)
    ordered = np.zeros(x.shape[1], dtype=bool)
    used = 0
    for i, name in zip(layout.ordered, layout.table.ordered, strict=True):
        cuts = m.tau[used : used + known[name] - 1]
        used += known[name] - 1
        edges = np.concatenate([[-_FAR], cuts, [_FAR]])
        seen = ~np.isnan(x[:, i])
        code = x[seen, i].astype(np.int_)
        low[seen, i], high[seen, i] = edges[code], edges[code + 1]
        ordered[i] = True
    return low, high, ordered


def _force(expected: Float2D, a: _Measured) -> tuple[Float2D, Float2D]:
    """First and (negative) second derivatives of log P by the expected y*."""
    push, pull = np.zeros_like(expected), np.zeros_like(expected)
    o, sd, centre = a.ordered, a.sd, expected[:, a.ordered]
    low, high = a.low[:, o], a.high[:, o]
    below, above = (low - centre) / sd[o], (high - centre) / sd[o]
    # The difference of two tails, taken on the side where it keeps its digits.
    flip = below > 0
    upper, lower = np.where(flip, -below, above), np.where(flip, -above, below)
    p = np.maximum(ndtr(upper) - ndtr(lower), np.exp(log_ndtr(-np.abs(upper)) - 40))
    fa, fb = _density(below), _density(above)
    first = (fa - fb) / p
    bend = (above * fb - below * fa) / p + first**2
    silent = (low <= -_FAR) & (high >= _FAR)
    push[:, o] = np.where(silent, 0.0, first / sd[o])
    pull[:, o] = np.where(silent, 0.0, np.maximum(bend, 1e-12) / sd[o] ** 2)
    n = ~o
    gap = a.answers[:, n] - expected[:, n]
    known = ~np.isnan(gap)
    push[:, n] = np.where(known, gap, 0.0) / sd[n] ** 2
    pull[:, n] = known / sd[n] ** 2
    return push, pull


def _density(z: Float2D) -> Float2D:
    found: Float2D = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return found
