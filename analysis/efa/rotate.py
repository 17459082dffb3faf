"""Rotation of factors towards simple structure.

The search is statsmodels' gradient projection (``rotate_factors``), run to a tighter
gradient than its default and checked, because it does not tell when it gives up. Promax
is written here: statsmodels' own uses another power and another target than the
literature and R. Its ``equamax`` uses a weight of 1/p where the criterion has k/2, and
is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from statsmodels.multivariate.factor_rotation import rotate_factors

from analysis.errors import ConvergenceError

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D

Rotation: TypeAlias = Literal["oblimin", "promax", "varimax", "quartimax", "none"]
Searched: TypeAlias = Literal["oblimin", "varimax", "quartimax"]

# As psych::fa does: rows get unit length for these, and not otherwise.
KAISER_BY_DEFAULT = frozenset({"varimax", "promax"})
PROMAX_POWER = 4
# Length of the projected gradient to stop at, for every start and for the best one.
GRADIENT, FINAL_GRADIENT = 1e-6, 1e-7
# Highly correlated factors can need thousands of steps, where R gives up at 1000;
# random starts only look for a better optimum and get fewer.
ITERATIONS, RANDOM_ITERATIONS, FINAL_ITERATIONS = 10_000, 1000, 2000
# Largest projected gradient that counts as an optimum; R stops at 1e-5.
STATIONARY = 1e-5
# Starts without any optimum after which the rest is not tried.
GIVE_UP = 3
# Two optima are one when their criteria agree to this share.
SAME_OPTIMUM = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Rotated:
    """Rotated factors.

    Attributes
    ----------
    loadings
        Pattern, shape (p, k).
    Phi
        Factor correlations, shape (k, k).
    optima
        Number of different optima the starts ended in; 1 where there is no search.
    improved
        Whether a random start beat the one from the unrotated axes.
    """

    loadings: Float2D
    Phi: Float2D
    optima: int = 1
    improved: bool = False


def rotate(
    A: Float2D,
    rotation: Rotation,
    *,
    kaiser: bool | None = None,
    starts: int = 5,
    seed: int = 0,
) -> Rotated:
    """Rotate unrotated loadings.

    Parameters
    ----------
    A
        Unrotated loadings, shape (p, k).
    rotation
        ``"oblimin"`` (oblique, gamma = 0, also called quartimin), ``"promax"``
        (oblique, power 4), ``"varimax"``, ``"quartimax"`` (orthogonal), ``"none"``.
    kaiser
        Whether rows are brought to unit length for the rotation (Kaiser). By default
        as psych does: yes for varimax and promax, no otherwise. The varimax step
        inside promax does so in any case.
    starts
        Number of starting positions: the unrotated axes, then random ones. The best
        optimum is kept. ``1`` gives what R's single start gives.
    seed
        Seed of the random starts.

    Raises
    ------
    ConvergenceError
        If the search ends away from an optimum.

    Notes
    -----
    Jennrich (2002) for the search, Hendrickson and White (1964) for promax. Same as
    ``GPArotation::oblimin(A)``, ``stats::varimax(A)``, ``GPArotation::quartimax(A)``
    and psych's ``rotate = "promax"`` (also that of SPSS). ``stats::promax(A)``, used by
    ``factanal`` and psych's ``"Promax"``, is promax with ``kaiser=False``.
    """
    k = A.shape[1]
    if rotation == "none" or k == 1:
        return Rotated(A.copy(), np.eye(k))
    weighted = rotation in KAISER_BY_DEFAULT if kaiser is None else kaiser
    length = np.sqrt((A**2).sum(axis=1)) if weighted else np.ones(len(A))
    length = np.where(length > 0, length, 1.0)
    rng = np.random.default_rng(seed)
    if rotation == "promax":
        found = _promax(A / length[:, None], starts=starts, rng=rng)
    else:
        found = _search(A / length[:, None], rotation, starts=starts, rng=rng)
    return Rotated(
        found.loadings * length[:, None], found.Phi, found.optima, found.improved
    )


def arrange(L: Float2D, Phi: Float2D) -> tuple[Float2D, Float2D]:
    """Turn and order factors: loadings sum positive, most explained variance first.

    The variance a factor explains is the diagonal of Phi L'L.
    """
    sign = np.where(L.sum(axis=0) < 0, -1.0, 1.0)
    L, Phi = L * sign, Phi * np.outer(sign, sign)
    order = np.argsort(-ss_loadings(L, Phi), kind="stable")
    return L[:, order], Phi[np.ix_(order, order)]


def ss_loadings(L: Float2D, Phi: Float2D) -> Float1D:
    """Variance each factor explains, the diagonal of Phi L'L, shape (k,)."""
    explained: Float1D = np.diag(Phi @ L.T @ L)
    return explained


def _search(
    A: Float2D, rotation: Searched, *, starts: int, rng: np.random.Generator
) -> Rotated:
    k = A.shape[1]
    turns = [np.eye(k)]
    turns += [np.linalg.qr(rng.normal(size=(k, k)))[0] for _ in range(1, starts)]
    ends: list[_End] = []
    found: list[int] = []
    for start, turn in enumerate(turns):
        steps = RANDOM_ITERATIONS if start else ITERATIONS
        ends.append(_descend(A @ turn, rotation, gradient=GRADIENT, steps=steps))
        if ends[start].steepness <= STATIONARY:
            found.append(start)
        elif not found and start + 1 == GIVE_UP:
            break
    if not found:
        raise ConvergenceError(
            f"efa: {rotation} did not reach an optimum in {ITERATIONS} iterations "
            f"from any of {len(ends)} starts. Ask for fewer factors, or use another "
            "rotation."
        )
    values = np.array([ends[start].value for start in found])
    close = SAME_OPTIMUM * max(float(np.abs(values).max()), np.finfo(float).tiny)
    optima = 1 + int((np.diff(np.sort(values)) > close).sum())
    improved = found[0] > 0 or bool(values[0] - values.min() > close)
    best = found[int(values.argmin())] if improved else 0
    finished = _descend(
        A @ turns[best], rotation, gradient=FINAL_GRADIENT, steps=FINAL_ITERATIONS
    )
    end = min(ends[best], finished, key=lambda end: end.steepness)
    return Rotated(end.L, end.Phi, optima, improved)


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    L: Float2D
    Phi: Float2D
    value: float
    steepness: float


def _descend(A: Float2D, rotation: Searched, *, gradient: float, steps: int) -> _End:
    """Go downhill from the axes of A."""
    with np.errstate(divide="ignore"):
        L, T = rotate_factors(
            A,
            "quartimin" if rotation == "oblimin" else rotation,
            tol=gradient,
            max_tries=steps,
        )
    Phi = T.T @ T if rotation == "oblimin" else np.eye(A.shape[1])
    return _End(L, Phi, *_criterion(L, T, rotation))


def _criterion(L: Float2D, T: Float2D, rotation: Searched) -> tuple[float, float]:
    """Value of the criterion at L and length of its projected gradient."""
    squares = L**2
    if rotation == "oblimin":
        others = squares.sum(axis=1, keepdims=True) - squares
        slope = -((L.T @ (L * others)) @ np.linalg.inv(T)).T
        projected = slope - T * (T * slope).sum(axis=0)
        return float((squares * others).sum() / 4), float(np.linalg.norm(projected))
    centred = squares - squares.mean(axis=0) if rotation == "varimax" else squares
    turned = -L.T @ (L * centred)
    return (
        -float((squares * centred).sum() / 4),
        float(np.linalg.norm(turned - turned.T) / 2),
    )


def _promax(A: Float2D, *, starts: int, rng: np.random.Generator) -> Rotated:
    """Oblique fit of the varimax loadings to their own fourth powers, signs kept."""
    length = np.sqrt((A**2).sum(axis=1, keepdims=True))
    length = np.where(length > 0, length, 1.0)
    simple = _search(A / length, "varimax", starts=starts, rng=rng)
    V = simple.loadings * length
    target = V * np.abs(V) ** (PROMAX_POWER - 1)
    U = np.linalg.lstsq(V, target, rcond=None)[0]
    U = U * np.sqrt(np.diag(np.linalg.inv(U.T @ U)))
    back = np.linalg.inv(U)
    return Rotated(V @ U, back @ back.T, simple.optima, simple.improved)
