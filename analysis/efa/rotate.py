"""Rotation of factors towards simple structure, from many starting positions.

Reading order: `criteria` (what simple means), `rotations` (options), `descent` (the
search), then this module, which weighs items, counts optima and does promax. Promax is
written here because statsmodels' own uses another power and another target than the
literature and R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.answers import require_whole
from analysis.efa.descent import Finished, descend, finish
from analysis.efa.rotations import (
    Promax,
    Rotation,
    Target,
    Varimax,
    meant,
    weighted_by_default,
)
from analysis.errors import AnalysisError, ConvergenceError

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.efa.descent import Ends
    from analysis.efa.rotations import Criterion

STARTS: Final = 30
# Length of the projected gradient of the search (R's too), steps of one start, and
# length that still counts as an optimum after the finish.
GRADIENT, STEPS, STATIONARY = 1e-5, 3000, 1e-6
# Two optima are one when their criteria agree to this share.
SAME_OPTIMUM: Final = 1e-7


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
    criteria
        Criterion at each optimum, best first; empty where there is no search.
    hits
        Number of starts that ended in each.
    lost
        Number of starts that ended in none.
    flat
        Whether other rotations are as simple as the best one.
    """

    loadings: Float2D
    Phi: Float2D
    optima: int = 1
    improved: bool = False
    criteria: tuple[float, ...] = ()
    hits: tuple[int, ...] = ()
    lost: int = 0
    flat: bool = False


def rotate(
    A: Float2D,
    rotation: Rotation,
    *,
    kaiser: bool | None = None,
    starts: int = STARTS,
    seed: int = 0,
) -> Rotated:
    """Rotate unrotated loadings.

    Parameters
    ----------
    A
        Unrotated loadings, shape (p, k).
    rotation
        A name or, for other options than the usual ones, a value of
        `analysis.efa.rotations`.
    kaiser
        Whether rows are brought to unit length for the rotation (Kaiser). By default
        as psych does: yes for varimax and promax, no otherwise. The varimax step
        inside promax does so in any case.
    starts
        Number of starting positions: the unrotated axes, then random ones. The best
        optimum is kept. ``1`` starts only where R does.
    seed
        Seed of the random starts.

    Raises
    ------
    ConvergenceError
        If no start ends at an optimum.
    AnalysisError
        If the rotation is unknown, `starts` is below 1, or `kaiser` is asked for with a
        target.

    Notes
    -----
    Jennrich (2001, 2002) for the search, Hendrickson and White (1964) for promax. Same
    as ``GPArotation::oblimin(A)``, ``geominQ(A)``, ``quartimax(A)``, ``bifactorT(A)``,
    ``bifactorQ(A)``, ``pstQ(A, W, Target)``, ``stats::varimax(A)`` and psych's ``rotate
    = "promax"`` (also that of SPSS). ``stats::promax(A)``, used by ``factanal`` and
    psych's ``"Promax"``, is promax with ``kaiser=False``.
    """
    criterion = meant(rotation)
    k = A.shape[1]
    require_whole("rotation_starts", starts, at_least=0, where="efa")
    require_whole("seed", seed, at_least=0, where="efa")
    if starts < 1:
        raise AnalysisError(
            f"efa: rotation_starts={starts}. Ask for one or more, 30 is usual."
        )
    if kaiser and isinstance(criterion, Target):
        raise AnalysisError(
            "efa: kaiser=True with a target: a target is in the units of loadings, not "
            "of items of unit length. Leave kaiser out."
        )
    if criterion is None or k == 1:
        return Rotated(A.copy(), np.eye(k))
    weight = row_lengths(A, rotation, kaiser=kaiser)
    rng = np.random.default_rng(seed)
    if isinstance(criterion, Promax):
        found = _promax_search(A / weight, criterion, starts=starts, rng=rng)
    else:
        found = _search(A / weight, criterion, starts=starts, rng=rng)
    return Rotated(
        found.loadings * weight,
        found.Phi,
        found.optima,
        found.improved,
        found.criteria,
        found.hits,
        found.lost,
        found.flat,
    )


def row_lengths(A: Float2D, rotation: Rotation, *, kaiser: bool | None) -> Float2D:
    """Find what rows are divided by for the rotation, shape (..., p, 1)."""
    weighted = weighted_by_default(meant(rotation)) if kaiser is None else kaiser
    if not weighted:
        return np.ones((*A.shape[:-1], 1))
    length: Float2D = np.sqrt((A**2).sum(axis=-1, keepdims=True))
    return np.where(length > 0, length, 1.0)


def arrange(L: Float2D, Phi: Float2D, *, fixed: int = 0) -> tuple[Float2D, Float2D]:
    """Turn and order factors: loadings sum positive, most explained variance first.

    Parameters
    ----------
    L, Phi
        Shapes (p, k) and (k, k).
    fixed
        The first `fixed` factors keep their places.

    Notes
    -----
    The variance a factor explains is the diagonal of Phi L'L.
    """
    sign = np.where(L.sum(axis=0) < 0, -1.0, 1.0)
    L, Phi = L * sign, Phi * np.outer(sign, sign)
    rest = np.argsort(-ss_loadings(L, Phi)[fixed:], kind="stable")
    order = np.r_[np.arange(fixed), fixed + rest]
    return L[:, order], Phi[np.ix_(order, order)]


def ss_loadings(L: Float2D, Phi: Float2D) -> Float1D:
    """Variance each factor explains, the diagonal of Phi L'L, shape (k,)."""
    explained: Float1D = np.diag(Phi @ L.T @ L)
    return explained


def _search(
    A: Float2D, criterion: Criterion, *, starts: int, rng: np.random.Generator
) -> Rotated:
    k = A.shape[1]
    turns = np.stack([np.eye(k), *(_random_turn(k, rng) for _ in range(1, starts))])
    ends = descend(A, turns, criterion, gradient=GRADIENT, steps=STEPS)
    scale = ((A**2).sum(axis=1) ** 2).sum()
    close = SAME_OPTIMUM * max(float(np.abs(ends.value).max()), scale)
    optima: list[Finished] = []
    members: list[list[int]] = []
    for group in _groups(ends, 10 * close):
        found = _finished(ends, group, criterion)
        if found is None:
            continue
        values = np.array([one.value for one in optima])
        same = np.flatnonzero(np.abs(values - found.value) <= close)
        if len(same):
            members[int(same[0])].extend(group)
        else:
            optima.append(found)
            members.append(group)
    if not optima:
        raise ConvergenceError(
            f"efa: {criterion.name} did not reach an optimum in {STEPS} steps from any "
            f"of {starts} starts. Ask for more starts or fewer factors, or use another "
            "rotation."
        )
    order = np.argsort([one.value for one in optima], kind="stable")
    best = optima[int(order[0])]
    hits = tuple(len(members[i]) for i in order)
    return Rotated(
        best.L,
        best.Phi,
        len(optima),
        0 not in members[int(order[0])],
        tuple(optima[i].value for i in order),
        hits,
        starts - sum(hits),
        best.flat,
    )


def _random_turn(k: int, rng: np.random.Generator) -> Float2D:
    Q, R = np.linalg.qr(rng.normal(size=(k, k)))
    turn: Float2D = Q * np.sign(np.diag(R))
    return turn


def _groups(ends: Ends, close: float) -> list[list[int]]:
    """Put starts that arrived at the same value together, others alone; best first."""
    groups: list[list[int]] = []
    arrived = ends.steepness <= GRADIENT
    for start in np.argsort(ends.value, kind="stable").tolist():
        last = groups[-1][-1] if groups else start
        near = ends.value[start] - ends.value[last] <= close
        if groups and near and arrived[start] and arrived[last]:
            groups[-1].append(start)
        else:
            groups.append([start])
    return groups


def _finished(ends: Ends, group: list[int], criterion: Criterion) -> Finished | None:
    """Finish from the flattest of the group; None if that is no minimum."""
    start = group[int(ends.steepness[group].argmin())]
    if not np.isfinite(ends.value[start]):
        return None
    found = finish(ends.L[start], ends.Phi[start], criterion)
    stationary = found.steepness <= STATIONARY or (
        found.flat and ends.steepness[start] <= GRADIENT
    )
    return found if stationary and not found.saddle else None


def _promax_search(
    A: Float2D, options: Promax, *, starts: int, rng: np.random.Generator
) -> Rotated:
    length = row_lengths(A, "varimax", kaiser=True)
    simple = _search(A / length, Varimax(), starts=starts, rng=rng)
    L, Phi = promax_step(simple.loadings * length, options)
    return Rotated(
        L,
        Phi,
        simple.optima,
        simple.improved,
        simple.criteria,
        simple.hits,
        simple.lost,
        simple.flat,
    )


def promax_step(V: Float2D, options: Promax) -> tuple[Float2D, Float2D]:
    """Fit orthogonal loadings obliquely to their own powers, signs kept."""
    aim = V * np.abs(V) ** (options.power - 1)
    U = np.linalg.lstsq(V, aim, rcond=None)[0]
    U = U * np.sqrt(np.diag(np.linalg.inv(U.T @ U)))
    back = np.linalg.inv(U)
    return V @ U, back @ back.T
