"""Criteria of simple structure and their slopes.

Each takes loadings, shape (..., p, k), and gives its value, shape (...), smaller being
simpler, and its derivative by every loading, shape (..., p, k). Only analytic
operations are used (no absolute values, no conjugates), so that complex steps
differentiate them once more without rounding error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D


def oblimin(L: Float2D, gamma: float) -> tuple[Float1D, Float2D]:
    """Products of squared loadings in the same row, a share `gamma` of their mean less.

    Notes
    -----
    Carroll (1960), quartimin for gamma 0; form of Jennrich (2002).
    """
    squares = L * L
    others = squares.sum(axis=-1, keepdims=True) - squares
    if gamma:
        others = others - gamma * others.mean(axis=-2, keepdims=True)
    return (squares * others).sum(axis=(-2, -1)) / 4, L * others


def geomin(L: Float2D, epsilon: float) -> tuple[Float1D, Float2D]:
    """Geometric means of the squared loadings of each row, `epsilon` added to each.

    Notes
    -----
    Yates (1987); Browne (2001), eq. 24.
    """
    k = L.shape[-1]
    raised = L * L + epsilon
    mean = np.exp(np.log(raised).sum(axis=-1, keepdims=True) / k)
    return mean.sum(axis=(-2, -1)), (2 / k) * L / raised * mean


def quartimax(L: Float2D) -> tuple[Float1D, Float2D]:
    """Fourth powers of the loadings, turned so that smaller is simpler."""
    cubes = L**3
    return -(L * cubes).sum(axis=(-2, -1)) / 4, -cubes


def varimax(L: Float2D) -> tuple[Float1D, Float2D]:
    """Variances of the squared loadings of each column, smaller being simpler.

    Notes
    -----
    Kaiser (1958).
    """
    squares = L * L
    centred = squares - squares.mean(axis=-2, keepdims=True)
    return -(squares * centred).sum(axis=(-2, -1)) / 4, -L * centred


def target(L: Float2D, aim: Float2D, weight: Float2D) -> tuple[Float1D, Float2D]:
    """Squared distances from `aim`, shape (p, k), where `weight` is one, not zero.

    Notes
    -----
    Browne (1972a, 1972b), partially specified targets.
    """
    away = weight * (L - aim)
    return (away * away).sum(axis=(-2, -1)), 2 * away
