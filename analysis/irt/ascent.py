"""The maximum of the marginal likelihood: EM steps, then Newton's to the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import logit

from analysis.errors import ConvergenceError
from analysis.irt.curves import Item
from analysis.irt.likelihood import (
    Complete,
    Grid,
    Posterior,
    complete,
    items_of,
    observed_information,
    posterior,
    vector_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.irt.coding import Coding

#: A slope beyond this has no finite maximum.
LIMIT: Final = 40.0
_STEPS: Final = 500
_NEWTON_STEPS: Final = 30
# Steps that the next one learns from.
_MEMORY: Final = 20
# Squared length of a step in standard errors: where Newton begins, and ends.
_NEAR: Final = 1e-12
_CLOSE: Final = 1e-11
# Log-likelihoods this close are of one maximum.
_SAME: Final = 1e-2
# A finer grid moves the log-likelihood by less than this.
_GRID_ERROR: Final = 1e-4
_MOST_NODES: Final = 1000
# Of the variance of a logistic variable when theta is averaged out (Camilli 1994).
_SPREAD: Final = 0.346
_NORMAL_TO_LOGISTIC: Final = 1.702


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """Where the climb ended.

    Attributes
    ----------
    items
        Parameters at the maximum.
    grid
        The nodes that proved fine enough.
    posterior
        What the answers say of theta there.
    information
        Observed information, shape (n_parameters, n_parameters).
    crossproduct
        Crossproduct of people's gradients, same shape.
    iterations
        Steps taken from the start that led here, on all grids.
    lower
        Other maxima, by how much log-likelihood they are lower, shape (m,).
    endless
        Items whose slopes grow without end from another start, where the likelihood
        is higher still; empty if there is none.
    """

    items: tuple[Item, ...]
    grid: Grid
    posterior: Posterior
    information: Float2D
    crossproduct: Float2D
    iterations: int
    lower: Float1D
    endless: str


class EndlessError(ConvergenceError):
    """Slopes grow without end, or no maximum was reached.

    Attributes
    ----------
    place
        The items that are to blame.
    height
        Log-likelihood where the climb was broken off.
    """

    def __init__(self, message: str, place: str, height: float) -> None:
        """Say what is wrong, and keep where and how high."""
        super().__init__(message)
        self.place = place
        self.height = height


def climb(
    x: Float2D, coding: Coding, names: Sequence[str], n_nodes: int, *, where: str
) -> Maximum:
    """Find the highest maximum, on a grid as fine as these answers need.

    Parameters
    ----------
    x
        Answers of the people in `coding`, NaN where missing; for starting values.
    coding
        The same answers as categories.
    names
        Items, for messages.
    n_nodes
        Nodes to begin with; their distance is halved until that no longer matters.
    where
        Opens every message.

    Raises
    ------
    ConvergenceError
        If there is no finite maximum, or it is not reached.

    Notes
    -----
    Where answers hold two traits, the likelihood often has a maximum for each. Starts
    are the first principal axis, and the first two turned to simple structure.
    """
    ground = _Ground(coding, Grid.of(n_nodes), tuple(names), where)
    found = _from_starts(_starts(x), ground)
    place, steps = found.place, found.steps
    while True:
        n_nodes = 2 * n_nodes - 1
        finer = posterior(place.items, coding, Grid.of(n_nodes)).log_likelihood
        if abs(finer - place.posterior.log_likelihood) < _GRID_ERROR:
            place, taken = _finish(_upright(place, ground), ground)
            return _maximum(place, ground, found, steps + taken)
        if n_nodes > _MOST_NODES:
            break
        ground = _Ground(coding, Grid.of(n_nodes), tuple(names), where)
        place, taken = _approach(ground.at(place.parameters), ground)
        steps += taken
    raise ConvergenceError(
        f"{where}: the likelihood still changes at {n_nodes // 2 + 1} nodes "
        f"({_steepest(place, names)}). Leave out items that repeat each other."
    )


def _starts(x: Float2D) -> list[Float1D]:
    """Guess loadings: the first principal axis, and each of two simple ones."""
    R = np.nan_to_num(pd.DataFrame(x).corr().to_numpy(copy=True))
    np.fill_diagonal(R, 1.0)
    values, vectors = np.linalg.eigh(R)
    first, second = (vectors[:, -k] * np.sqrt(max(values[-k], 0.0)) for k in (1, 2))
    # Kaiser's (1958) angle, at which two columns are simplest.
    u, v = first**2 - second**2, 2 * first * second
    across = 2 * (u @ v - u.sum() * v.sum() / len(R))
    along = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / len(R)
    angle = np.arctan2(across, along) / 4
    turned = (
        first * np.cos(angle) + second * np.sin(angle),
        second * np.cos(angle) - first * np.sin(angle),
    )
    return [loading * _sign(loading) for loading in (first, *turned)]


def _sign(loading: Float1D) -> float:
    return 1.0 if loading.sum() >= 0 else -1.0


def _guess(loading: Float1D, coding: Coding) -> list[Item]:
    """Turn loadings into slopes, and proportions into intercepts."""
    size = np.clip(np.abs(loading), 0.25, 0.85)
    slopes = _NORMAL_TO_LOGISTIC * size / np.sqrt(1 - size**2)
    slopes *= np.where(loading < 0, -1.0, 1.0)
    return [
        Item(
            float(slope),
            logit(1 - np.cumsum(count)[:-1] / count.sum())
            * np.sqrt(1 + _SPREAD * slope**2),
        )
        for slope, count in zip(slopes, coding.frequencies, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A point on the way: parameters, what the answers say there, the gradient."""

    parameters: Float1D
    items: tuple[Item, ...]
    posterior: Posterior
    known: Complete


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What does not change on the way."""

    coding: Coding
    grid: Grid
    names: tuple[str, ...]
    where: str

    def at(self, parameters: Float1D) -> _Place:
        items = tuple(items_of(parameters, self.coding.sizes))
        found = posterior(items, self.coding, self.grid)
        known = complete(items, self.coding, self.grid, found)
        return _Place(parameters, items, found, known)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """The best end of all starts, how it was reached, and what else there is."""

    place: _Place
    steps: int
    lower: Float1D
    endless: str


def _from_starts(starts: Sequence[Float1D], ground: _Ground) -> _Found:
    """Climb from each start and keep the best end.

    Raises
    ------
    EndlessError
        If the first start climbs without end and no other ends higher.
    """
    ends: list[tuple[_Place, int]] = []
    failures: list[EndlessError | None] = []
    for loading in starts:
        start = ground.at(vector_of(_guess(loading, ground.coding)))
        try:
            ends.append(_approach(start, ground))
        except EndlessError as error:
            failures.append(error)
        else:
            failures.append(None)
    heights = np.array([_height(place, ground) for place, _ in ends])
    order = np.argsort(-heights, kind="stable")
    heights = heights[order]
    best = heights.max(initial=-np.inf)
    above = [e for e in failures if e is not None and e.height > best + _SAME]
    if failures[0] is not None and (not ends or failures[0] in above):
        raise failures[0]
    lower = best - heights[1:][-np.diff(heights) > _SAME]
    return _Found(*ends[int(order[0])], lower, above[0].place if above else "")


def _height(place: _Place, ground: _Ground) -> float:
    """Log-likelihood on a grid between whose nodes steep slopes cannot hide."""
    finer = Grid.of(2 * len(ground.grid.theta) - 1)
    return float(posterior(place.items, ground.coding, finer).log_likelihood)


def _approach(place: _Place, ground: _Ground) -> tuple[_Place, int]:
    """Climb by EM steps that learn from one another, until nothing is gained.

    An EM step is taken to first order (Lange 1995); earlier steps correct its length
    and direction (quasi-Newton: Jamshidian & Jennrich 1997).
    """
    learnt: list[tuple[Float1D, Float1D]] = []
    for step in range(1, _STEPS + 1):
        direction = _quasi_newton(place.known, learnt)
        if place.known.gradient @ direction < _NEAR:
            return place, step
        moved = _move(place, direction, ground)
        if moved is None:
            if not learnt:
                break
            learnt = []
            continue
        _require_finite(moved, ground)
        way = moved.parameters - place.parameters
        bend = place.known.gradient - moved.known.gradient
        if way @ bend > 0:
            learnt = [*learnt[1 - _MEMORY :], (way, bend)]
        place = moved
    raise _lost(place, ground)


def _quasi_newton(
    known: Complete, learnt: Sequence[tuple[Float1D, Float1D]]
) -> Float1D:
    """Two-loop recursion of limited-memory BFGS, from the complete information."""
    rest, shares = known.gradient.copy(), []
    for way, bend in reversed(learnt):
        share = (way @ rest) / (way @ bend)
        rest -= share * bend
        shares.append(share)
    cuts = np.cumsum([len(block) for block in known.information])[:-1]
    direction = np.concatenate(
        [
            np.linalg.solve(block, part)
            for block, part in zip(known.information, np.split(rest, cuts), strict=True)
        ]
    )
    for (way, bend), share in zip(learnt, reversed(shares), strict=True):
        direction += (share - (bend @ direction) / (way @ bend)) * way
    return direction


def _upright(place: _Place, ground: _Ground) -> _Place:
    """Turn theta so that the slopes sum to something positive."""
    if sum(item.slope for item in place.items) >= 0:
        return place
    turned = [Item(-item.slope, item.intercepts) for item in place.items]
    return ground.at(vector_of(turned))


def _finish(place: _Place, ground: _Ground) -> tuple[_Place, int]:
    """Take Newton's steps with the exact information until they are nothing."""
    for step in range(_NEWTON_STEPS):
        information, _ = observed_information(
            place.items, ground.coding, ground.grid, place.posterior
        )
        try:
            factor = cho_factor(information)
        except LinAlgError:
            break
        gradient = place.known.gradient
        direction = cho_solve(factor, gradient)
        if gradient @ direction < _CLOSE:
            return place, step
        moved = _move(place, direction, ground)
        if moved is None:
            break
        _require_finite(moved, ground)
        place = moved
    raise _lost(place, ground)


def _maximum(place: _Place, ground: _Ground, found: _Found, steps: int) -> Maximum:
    information, crossproduct = observed_information(
        place.items, ground.coding, ground.grid, place.posterior
    )
    return Maximum(
        items=place.items,
        grid=ground.grid,
        posterior=place.posterior,
        information=information,
        crossproduct=crossproduct,
        iterations=steps,
        lower=found.lower,
        endless=found.endless,
    )


def _move(place: _Place, direction: Float1D, ground: _Ground) -> _Place | None:
    """Go along `direction` as far as the likelihood rises and thresholds keep order."""
    rise = float(place.known.gradient @ direction)
    now = place.posterior.log_likelihood
    noise = 1e-12 * abs(now)
    length = min(1.0, 3.0 / float(np.abs(direction).max()))
    while length > 1e-8:  # noqa: PLR2004 - a step that no longer moves anything
        trial = place.parameters + length * direction
        items = items_of(trial, ground.coding.sizes)
        if all((np.diff(item.intercepts) < 0).all() for item in items):
            there = ground.at(trial)
            if there.posterior.log_likelihood >= now + 1e-4 * length * rise - noise:
                return there
        length /= 2
    return None


def _require_finite(place: _Place, ground: _Ground) -> None:
    if error := _endless(place, ground, LIMIT):
        raise error


def _endless(place: _Place, ground: _Ground, limit: float) -> EndlessError | None:
    steep = ", ".join(
        f"{name!r} ({item.slope:.0f})"
        for name, item in zip(ground.names, place.items, strict=True)
        if abs(item.slope) > limit
    )
    if not steep:
        return None
    return EndlessError(
        f"{ground.where}: slopes grow without end: {steep}. Answers to such an item "
        "follow from the others, or nearly; leave it out, or one that repeats it.",
        steep,
        _height(place, ground),
    )


def _lost(place: _Place, ground: _Ground) -> EndlessError:
    """Say that the climb did not arrive; halfway to the limit it was on its way."""
    if error := _endless(place, ground, LIMIT / 2):
        return error
    steepest = _steepest(place, ground.names)
    return EndlessError(
        f"{ground.where}: no maximum was reached ({steepest}). Leave that item out, "
        "join rare categories, or collect more answers.",
        steepest,
        _height(place, ground),
    )


def _steepest(place: _Place, names: Sequence[str]) -> str:
    slopes = [abs(item.slope) for item in place.items]
    k = int(np.argmax(slopes))
    return f"steepest slope: {names[k]!r}, {place.items[k].slope:.1f}"
