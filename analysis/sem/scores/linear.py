"""Scores of numeric answers: weighted sums, by regression or Bartlett's method."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.sem.implied import eta_cov, implied, total_effects
from analysis.sem.pairs import inverse

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.sem.matrices import Layout, Matrices
    from analysis.sem.scores.result import ScoreMethod

_ROUNDING: Final = 1e-12
# Part of a factor outside what answers tell that is more than rounding.
_TOLD: Final = 1e-6


def linear_scores(
    layout: Layout, m: Matrices, x: Float2D, sample_mean: Float1D, method: ScoreMethod
) -> tuple[Float2D, Float2D]:
    """Score by weighted sums, with the weights of each pattern of answers.

    Parameters
    ----------
    layout, m
        A group of the model.
    x
        Answers, shape (n, p); NaN where missing.
    sample_mean
        Their means, which stand in where the model has none, shape (p,).
    method
        ``"regression"`` or ``"bartlett"``.

    Returns
    -------
    tuple
        Scores and their standard errors, shape (n, k).
    """
    seen = ~np.isnan(x)
    patterns, of_row = np.unique(seen, axis=0, return_inverse=True)
    k = len(layout.table.latent)
    if not layout.table.meanstructure:
        m = _with_given_means(layout, m, sample_mean)
    out, se = np.zeros((len(x), k)), np.zeros((len(x), k))
    for number, answered in enumerate(patterns):
        here = of_row.reshape(-1) == number
        weights, mean, constant, error = _weights(m, answered, k, method)
        if not layout.table.meanstructure:
            mean = sample_mean[answered]
        scores = constant + (x[here][:, answered] - mean) @ weights.T
        out[here] = np.where(np.isnan(error), np.nan, scores)
        # Rounding apart, an error variance below 0 is that of an improper solution.
        error = np.where(np.abs(error) < _ROUNDING, 0.0, error)
        with np.errstate(invalid="ignore"):
            se[here] = np.sqrt(error)
    return out, se


def _with_given_means(layout: Layout, m: Matrices, sample_mean: Float1D) -> Matrices:
    """Let the means of fixed predictors reach the latent variables.

    Without a mean structure nothing else has a mean.
    """
    alpha = np.zeros_like(m.alpha)
    at = [layout.table.observed.index(layout.eta[k]) for k in layout.exogenous]
    alpha[layout.exogenous] = sample_mean[at]
    return replace(m, alpha=alpha)


def _weights(
    m: Matrices, answered: Bool1D, k: int, method: ScoreMethod
) -> tuple[Float2D, Float1D, Float1D, Float1D]:
    """Weights, expected answers, expected scores and error variances."""
    found = implied(m)
    eta = eta_cov(m)
    total, effects = total_effects(m)
    mean_eta = (effects @ m.alpha)[:k]
    mean = found.mean[answered]
    at = np.ix_(answered, answered)
    if method == "regression":
        cross = (total @ m.Psi @ effects.T)[answered][:, :k]
        weights = (inverse(found.cov[at]) @ cross).T
        error = np.diag(eta)[:k] - np.einsum("ki,ik->k", weights, cross)
        return weights, mean, mean_eta, error
    latent = m.Lambda[answered][:, :k]
    theta = m.Theta[at]
    inner = np.linalg.pinv(theta, hermitian=True)
    middle = latent.T @ inner @ latent
    spread, told = _told(middle)
    weights = spread @ latent.T @ inner
    return weights, mean, mean_eta, np.where(told, np.diag(spread), np.nan)


def _told(middle: Float2D) -> tuple[Float2D, Bool1D]:
    """Generalised inverse, and which factors the answers tell at all.

    A factor none of whose indicators is answered has no unbiased score.
    """
    size = np.sqrt(np.maximum(np.diag(middle), 0.0))
    scale = np.where(size > 0, size, 1.0)
    scaled = middle / np.outer(scale, scale)
    spread = np.linalg.pinv(scaled, rcond=_ROUNDING, hermitian=True)
    apart = np.abs(np.diag(spread @ scaled) - 1.0)
    return spread / np.outer(scale, scale), apart < _TOLD
