"""Going downhill to rotations that minimise a criterion, many starts at once.

Gradient projection (Jennrich 2001, 2002) with the step lengths of Barzilai and Borwein
(1988) on a whole stack of starts, then Newton's method to finish. The second
derivatives of the finish, taken by complex steps, tell a minimum from a saddle, and a
sharp minimum from a flat one.

Written here and not taken from statsmodels' ``rotate_factors``: that goes one start at
a time with the slow steps of the original, is silent when it gives up, has neither
bifactor criteria nor orthogonal geomin, and its ``equamax`` weighs by 1/p where the
criterion has k/2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.efa.rotations import Criterion

    # Real, or complex where complex steps are taken.
    Number2D: TypeAlias = npt.NDArray[Any]

# A step must lower the largest of this many last values by this share of what the
# slope promises.
MEMORY, PROMISED = 5, 1e-4
SHORTEST, LONGEST, CUTS = 1e-5, 1e4, 25
# Newton's finish: steps, and length of the gradient, relative to curvature, to stop at.
FINISH, EXACT = 30, 1e-12
# Curvature below this share of the largest is none.
FLAT: Final = 1e-7
COMPLEX_STEP: Final = 1e-30


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Where a stack of m starts ended.

    Attributes
    ----------
    L
        Loadings, shape (m, p, k).
    Phi
        Factor correlations, shape (m, k, k).
    value
        Criterion, shape (m,).
    steepness
        Length of the projected gradient, shape (m,); zero at a stationary point.
    """

    L: Float2D
    Phi: Float2D
    value: Float1D
    steepness: Float1D


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """One stationary point, and what it is.

    Attributes
    ----------
    L, Phi
        Loadings, shape (p, k), and factor correlations, shape (k, k).
    value
        Criterion.
    steepness
        Length of the reduced gradient.
    saddle
        Whether some direction leads further down.
    flat
        Whether some direction changes nothing: other rotations are as simple.
    """

    L: Float2D
    Phi: Float2D
    value: float
    steepness: float
    saddle: bool
    flat: bool


def descend(
    A: Float2D, T: Float2D, criterion: Criterion, *, gradient: float, steps: int
) -> Ends:
    """Go downhill from each start.

    Parameters
    ----------
    A
        Unrotated loadings, shape (p, k), or one for each start, shape (m, p, k).
    T
        Starting positions, shape (m, k, k): unit columns if oblique, else orthogonal.
    criterion
        What to minimise.
    gradient
        Length of the projected gradient at which a start has arrived.
    steps
        Most steps of any start.
    """
    T = T.copy()
    value, slope = _evaluate(A, T, criterion)
    length = _norm(slope)
    step, recent = np.ones(len(T)), np.tile(value, (MEMORY, 1))
    for count in range(steps):
        active = np.flatnonzero(length > gradient)
        if not len(active):
            break
        before, slope_before = T[active], slope[active]
        limit = recent[:, active].max(axis=0)
        T[active], value[active], slope[active] = _step(
            _take(A, active),
            before,
            slope_before,
            step[active],
            limit=limit,
            criterion=criterion,
        )
        length[active] = _norm(slope[active])
        recent[count % MEMORY] = value
        step[active] = _next_step(T[active] - before, slope[active] - slope_before)
    L = _loadings(A, T, oblique=criterion.oblique)
    return Ends(L, np.swapaxes(T, 1, 2) @ T, value, length)


def _take(A: Float2D, rows: Int1D) -> Float2D:
    return A if A.ndim == 2 else A[rows]  # noqa: PLR2004


def _loadings(A: Float2D, T: Float2D, *, oblique: bool) -> Float2D:
    return A @ (np.swapaxes(np.linalg.inv(T), 1, 2) if oblique else T)


def _norm(x: Float2D) -> Float1D:
    length: Float1D = np.sqrt((x * x).sum(axis=(1, 2)))
    return length


def _evaluate(A: Float2D, T: Float2D, criterion: Criterion) -> tuple[Float1D, Float2D]:
    """Value, and gradient projected on what keeps T a rotation."""
    if criterion.oblique:
        inverse = np.linalg.inv(T)
        L = A @ np.swapaxes(inverse, 1, 2)
        value, slope = criterion.value_slope(L)
        by_T = -np.swapaxes(np.swapaxes(L, 1, 2) @ slope @ inverse, 1, 2)
        return value, by_T - T * (T * by_T).sum(axis=1, keepdims=True)
    value, slope = criterion.value_slope(A @ T)
    by_T = np.swapaxes(np.broadcast_to(A, slope.shape), 1, 2) @ slope
    M = np.swapaxes(T, 1, 2) @ by_T
    return value, by_T - T @ (M + np.swapaxes(M, 1, 2)) / 2


def _step(
    A: Float2D,
    T: Float2D,
    slope: Float2D,
    step: Float1D,
    *,
    limit: Float1D,
    criterion: Criterion,
) -> tuple[Float2D, Float1D, Float2D]:
    """Move along the slope; shorten steps that do not go down enough."""
    moved, value = T.copy(), limit.copy()
    slope_there = slope.copy()
    steep = _norm(slope) ** 2
    todo = np.arange(len(T))
    for _ in range(CUTS):
        trial = _rotation(
            T[todo] - step[todo, None, None] * slope[todo], oblique=criterion.oblique
        )
        found, slope_found = _evaluate(_take(A, todo), trial, criterion)
        down = found <= limit[todo] - PROMISED * step[todo] * steep[todo]
        there = todo[down]
        moved[there], value[there] = trial[down], found[down]
        slope_there[there] = slope_found[down]
        todo = todo[~down]
        if not len(todo):
            break
        step[todo] /= 3
    if len(todo):
        value[todo] = _evaluate(_take(A, todo), T[todo], criterion)[0]
    return moved, value, slope_there


def _rotation(X: Float2D, *, oblique: bool) -> Float2D:
    if oblique:
        unit: Float2D = X / np.sqrt((X * X).sum(axis=1, keepdims=True))
        return unit
    U, _, Vt = np.linalg.svd(X)
    nearest: Float2D = U @ Vt
    return nearest


def _next_step(moved: Float2D, turned: Float2D) -> Float1D:
    square = (moved * moved).sum(axis=(1, 2))
    bend = (moved * turned).sum(axis=(1, 2))
    step = np.full(len(moved), LONGEST)
    known = bend > square / LONGEST
    step[known] = square[known] / bend[known]
    kept: Float1D = np.maximum(step, SHORTEST)
    return kept


def finish(L: Float2D, Phi: Float2D, criterion: Criterion) -> Finished:
    """Take Newton's steps from near a stationary point, and say what it is.

    Parameters
    ----------
    L
        Loadings, shape (p, k).
    Phi
        Factor correlations, shape (k, k).
    criterion
        What to minimise.
    """
    here = _look(L, Phi, criterion)
    for _ in range(FINISH):
        if here.steepness <= EXACT * max(here.sharpest, 1.0) or not here.curved:
            break
        there = _look(*_moved(here, criterion), criterion)
        if not there.steepness < here.steepness:
            break
        here = there
    return Finished(
        here.L,
        here.Phi,
        float(criterion.value_slope(here.L)[0]),
        here.steepness,
        saddle=here.flattest < -FLAT * here.sharpest,
        flat=abs(here.flattest) <= FLAT * here.sharpest,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    L: Float2D
    Phi: Float2D
    slope: Float1D
    bend: Float2D
    steepness: float
    flattest: float
    sharpest: float

    @property
    def curved(self) -> bool:
        return abs(self.flattest) > FLAT * self.sharpest


def _look(L: Float2D, Phi: Float2D, criterion: Criterion) -> _Look:
    slope = reduced_slope(L, Phi, criterion)
    bend = _curvature(L, Phi, criterion)
    curvatures = np.linalg.eigvalsh((bend + bend.T) / 2)
    return _Look(
        L,
        Phi,
        slope,
        bend,
        float(np.linalg.norm(slope)),
        float(curvatures[np.abs(curvatures).argmin()])
        if curvatures[0] > 0
        else float(curvatures[0]),
        float(np.abs(curvatures).max()),
    )


def reduced_slope(L: Number2D, Phi: Number2D, criterion: Criterion) -> Number2D:
    """Slope of the criterion along every free turn of the factors.

    Zero exactly where the rotation is stationary: these are the constraints that a
    rotated solution obeys.

    Parameters
    ----------
    L, Phi
        Shapes (..., p, k) and (..., k, k), real or complex.
    criterion
        What is minimised.

    Returns
    -------
    ndarray
        Shape (..., k(k - 1)) if oblique: adding a little of factor i to factor j,
        row by row; else (..., k(k - 1)/2): turning factor i towards j, i < j.

    Notes
    -----
    Jennrich (1973) for the oblique and Archer and Jennrich (1973) for the orthogonal
    case.
    """
    k = L.shape[-1]
    M = np.swapaxes(criterion.value_slope(L)[1], -1, -2) @ L
    if criterion.oblique:
        own = np.diagonal(M, axis1=-2, axis2=-1)[..., None, :]
        by_turn = Phi * own - M
        off: Number2D = by_turn[..., ~np.eye(k, dtype=bool)]
        return off
    i, j = np.triu_indices(k, 1)
    skew: Number2D = M[..., j, i] - M[..., i, j]
    return skew


def _curvature(L: Float2D, Phi: Float2D, criterion: Criterion) -> Float2D:
    """Differentiate the reduced slope along the same turns, by complex steps."""
    turns = np.eye(_n_turns(L.shape[1], oblique=criterion.oblique)) * (
        1j * COMPLEX_STEP
    )
    moved = _turned(L, Phi, turns, oblique=criterion.oblique)
    bend: Float2D = reduced_slope(*moved, criterion).imag / COMPLEX_STEP
    return bend.T


def _n_turns(k: int, *, oblique: bool) -> int:
    return k * (k - 1) if oblique else k * (k - 1) // 2


def _turned(
    L: Float2D, Phi: Float2D, turns: Number2D, *, oblique: bool
) -> tuple[Number2D, Number2D]:
    """Turn factors by each row of `turns`, shape (m, number of turns)."""
    k = L.shape[1]
    D = np.zeros((len(turns), k, k), dtype=turns.dtype)
    unit = np.eye(k)
    if not oblique:
        i, j = np.triu_indices(k, 1)
        D[:, i, j], D[:, j, i] = turns, -turns
        X = np.linalg.solve(unit - D / 2, unit + D / 2)
        return L @ X, np.broadcast_to(unit, X.shape)
    D[:, ~np.eye(k, dtype=bool)] = turns
    X = unit + D
    X = X / np.sqrt((X * (Phi @ X)).sum(axis=1, keepdims=True))
    return (
        L @ np.swapaxes(np.linalg.inv(X), 1, 2),
        np.swapaxes(X, 1, 2) @ Phi @ X,
    )


def _moved(here: _Look, criterion: Criterion) -> tuple[Float2D, Float2D]:
    turn = -np.linalg.solve(here.bend, here.slope)
    turn /= max(1.0, float(np.abs(turn).max()) / 0.3)
    L, Phi = _turned(here.L, here.Phi, turn[None], oblique=criterion.oblique)
    return L[0], Phi[0]
