"""Rotating many loading matrices at once, each from near a known solution.

Samples drawn again, halves and groups: their factors must come in the same order and
direction as those they are compared with, at the optimum that belongs to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from analysis.efa.criteria import target
from analysis.efa.descent import descend
from analysis.efa.rotate import GRADIENT, STEPS, promax_step, row_lengths
from analysis.efa.rotations import Promax, Target, Varimax, meant

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float2D, Int1D
    from analysis.efa.rotations import Criterion, Rotation

# A start that is still this steep after all steps has not arrived.
ARRIVED: Final = 100 * GRADIENT


def rotate_near(
    A: Float2D, L: Float2D, rotation: Rotation, *, kaiser: bool | None
) -> tuple[Float2D, Float2D, Bool1D]:
    """Rotate each matrix to the optimum nearest to `L`.

    Parameters
    ----------
    A
        Unrotated loadings, shape (m, p, k).
    L
        Rotated loadings to stay near, shape (p, k).
    rotation, kaiser
        As for `analysis.efa.rotate.rotate`.

    Returns
    -------
    tuple
        Patterns (m, p, k), factor correlations (m, k, k), and whether an optimum was
        reached (m,).
    """
    m, _, k = A.shape
    options = meant(rotation)
    unit = np.broadcast_to(np.eye(k), (m, k, k))
    arrived = np.ones(m, dtype=bool)
    if options is None or k == 1:
        rotated, Phi = A.copy(), unit.copy()
    elif isinstance(options, Promax):
        rotated, Phi, arrived = _promax_near(A, L, options, kaiser=kaiser)
    else:
        length = row_lengths(A, rotation, kaiser=kaiser)
        known = row_lengths(L, rotation, kaiser=kaiser)
        rotated, Phi, arrived = _follow(A / length, L / known, options)
        rotated = rotated * length
    if isinstance(options, Target):
        for at in range(m):
            sign = options.signs(rotated[at])
            rotated[at] *= sign
            Phi[at] *= np.outer(sign, sign)
        return rotated, Phi, arrived
    for at in range(m):
        order, sign = matched(L, rotated[at])
        rotated[at] = rotated[at][:, order] * sign
        Phi[at] = Phi[at][np.ix_(order, order)] * np.outer(sign, sign)
    return rotated, Phi, arrived


def _follow(
    A: Float2D, L: Float2D, criterion: Criterion
) -> tuple[Float2D, Float2D, Bool1D]:
    starts = _positions(A, L, oblique=criterion.oblique)
    ends = descend(A, starts, criterion, gradient=GRADIENT, steps=STEPS)
    return ends.L, ends.Phi, ends.steepness <= ARRIVED


def _positions(A: Float2D, L: Float2D, *, oblique: bool) -> Float2D:
    """Positions from which each of A looks as much like L as it can."""
    if oblique:
        back = np.linalg.inv(np.linalg.pinv(A) @ L)
        T = np.swapaxes(back, 1, 2)
        unit: Float2D = T / np.sqrt((T * T).sum(axis=1, keepdims=True))
        return unit
    U, _, Vt = np.linalg.svd(np.swapaxes(A, 1, 2) @ L)
    nearest: Float2D = U @ Vt
    return nearest


def _promax_near(
    A: Float2D, L: Float2D, options: Promax, *, kaiser: bool | None
) -> tuple[Float2D, Float2D, Bool1D]:
    weight = row_lengths(A, "promax", kaiser=kaiser)
    length = row_lengths(A, "varimax", kaiser=True)
    simple, _, arrived = _follow(
        A / length, L / row_lengths(L, "varimax", kaiser=True), Varimax()
    )
    found = [promax_step(V, options) for V in simple * length / weight]
    rotated = np.stack([one for one, _ in found]) * weight
    return rotated, np.stack([Phi for _, Phi in found]), arrived


def matched(L: Float2D, other: Float2D) -> tuple[Int1D, Float2D]:
    """Order and signs that bring the factors of `other` closest to those of `L`.

    Parameters
    ----------
    L, other
        Patterns of the same items, shapes (p, k).

    Notes
    -----
    The assignment with the largest sum of absolute congruences.
    """
    phi = tucker(L, other)
    order = linear_sum_assignment(-np.abs(phi))[1]
    sign = np.where(phi[np.arange(len(order)), order] < 0, -1.0, 1.0)
    return order, sign


def tucker(L: Float2D, other: Float2D) -> Float2D:
    """Congruence coefficients of every column with every other, shape (k, l).

    Notes
    -----
    Tucker (1951). Same as ``psych::factor.congruence(L, other, digits = 10)``. Zero for
    a column without loadings.
    """
    size = np.outer(np.sqrt((L * L).sum(axis=0)), np.sqrt((other * other).sum(axis=0)))
    congruence: Float2D = (L.T @ other) / np.where(size > 0, size, 1.0)
    return congruence


def procrustes(A: Float2D, L: Float2D, *, oblique: bool) -> tuple[Float2D, Float2D]:
    """Turn unrotated loadings as close to `L` as least squares can.

    Parameters
    ----------
    A
        Unrotated loadings, shape (p, k).
    L
        Where to turn them, shape (p, k).
    oblique
        Whether factors may correlate.

    Returns
    -------
    tuple
        Pattern and factor correlations.

    Notes
    -----
    Cliff (1966), Schonemann (1966) for orthogonal, Browne (1967) for oblique turns.
    """
    start = _positions(A[None], L, oblique=oblique)
    if not oblique:
        return A @ start[0], np.eye(A.shape[1])
    ends = descend(A, start, _Towards(L), gradient=GRADIENT, steps=STEPS)
    return ends.L[0], ends.Phi[0]


class _Towards:
    """Squared distance from a fully known pattern."""

    name = "procrustes"
    oblique = True

    def __init__(self, aim: Float2D) -> None:
        self.aim = aim

    def value_slope(self, L: Float2D) -> tuple[Float2D, Float2D]:
        return target(L, self.aim, np.ones_like(self.aim))
