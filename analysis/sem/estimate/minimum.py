"""The minimum of the discrepancy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from analysis.errors import ConvergenceError, NotIdentifiedError
from analysis.sem.estimate.absorbed import absorbed
from analysis.sem.estimate.loops import loops
from analysis.sem.inference import confounded
from analysis.sem.stack import NumericStack, OrdinalStack, stack_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.estimate.starts import Starts
    from analysis.sem.partable import ParameterTable
    from analysis.sem.problem import Problem

# Expected decrease of the discrepancy at which a point is the minimum. With 1,000
# respondents it moves no estimate by more than 1e-5 of its standard error.
CONVERGED = 1e-13
_EXACT = 1e-17
_STEPS = 200
_FAR = 1000.0
_SHORT = 0.1
_HALVINGS = 25
_MANY = 5
# Effects in a circle, standardised, that multiply to more than 1.
_STRONG = 1.5
# Decimals of a discrepancy in which two minima are told apart.
_DIGITS = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """Where a search stands, and how far from the minimum it believes to be."""

    z: Float1D
    decrement: float
    runaway: bool = False

    @property
    def converged(self) -> bool:
        """Whether it is the minimum."""
        return not self.runaway and self.decrement <= CONVERGED


def require_identified(problem: Problem, starts: Starts) -> None:
    """Refuse a model that no data could identify.

    The information is computed at a point with no special values; where it is flat
    there, it is flat everywhere.

    Raises
    ------
    NotIdentifiedError
        Naming the parameters involved, or the counts when there are too many.
    """
    table, coordinates = problem.table, problem.coordinates
    available = n_moments(problem)
    if coordinates.n_coordinates > available:
        raise NotIdentifiedError(
            f"model: {coordinates.n_coordinates} free parameters, but only {available} "
            "sample moments. Fix or constrain some parameters, or add indicators."
        )
    rng = np.random.default_rng(1)
    away = rng.uniform(0.06, 0.3, len(starts.own))
    somewhere = starts.own + starts.scale * away
    theta = coordinates.theta(coordinates.coordinates(somewhere))
    flat = np.zeros((len(theta), len(theta)))
    for layout, moments in zip(problem.layouts, problem.moments, strict=True):
        by_theta = stack_of(layout).jacobian(theta)
        by_theta = by_theta / _units(stack_of(layout), moments.sd)[:, None]
        flat += by_theta.T @ by_theta
    flat = coordinates.basis.T @ flat @ coordinates.basis
    if blamed := confounded(flat, coordinates, table):
        raise NotIdentifiedError(_flat(blamed))


def _flat(blamed: str) -> str:
    if ", " not in blamed:
        return (
            f"model: no data say anything about {blamed}. Fix it, or give its "
            "variables more paths or indicators."
        )
    return (
        f"model: no data can tell apart {blamed}. Fix one of them (a marker loading or "
        "a factor variance), set parameters equal, or add indicators."
    )


def n_moments(problem: Problem) -> int:
    """Count the sample moments that the model is to explain."""
    table = problem.table
    x = len(table.exogenous) if not table.conditional else 0
    held = x * (x + 1) // 2 + (x if table.meanstructure else 0)
    total = 0
    for layout in problem.layouts:
        stack = stack_of(layout)
        total += stack.size - held
    return total


def _units(stack: NumericStack | OrdinalStack, sd: Float1D) -> Float1D:
    """Size of each moment of a stack; 1 for those of ordered variables."""
    if isinstance(stack, NumericStack):
        return stack.of(sd, np.outer(sd, sd))
    return np.ones(stack.size)


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where a search ended.

    Attributes
    ----------
    theta
        Estimates, shape (n_free,).
    value
        Discrepancy there.
    first
        Whether the first start value, `Starts.theta`, led there.
    """

    theta: Float1D
    value: float
    first: bool


def minimise(problem: Problem, starts: Starts, *, floor: float = 0.0) -> Float1D:
    """Find the theta, shape (n_free,), with the smallest discrepancy; as `lowest`."""
    return lowest(problem, starts, floor=floor).theta


def lowest(problem: Problem, starts: Starts, *, floor: float = 0.0) -> Minimum:
    """Find the smallest discrepancy.

    Fisher scoring from the informed start, which a well-behaved model needs a few steps
    of. Where it stalls, or ends at a negative variance (which may be a local minimum),
    BFGS and other starts are tried too and the best minimum is taken; of a model with
    circles also from strong effects, which no search reaches from weak ones, and of one
    with a general factor also from where it absorbs another, for a proper solution.

    Parameters
    ----------
    floor
        Discrepancy that is as good as the minimum; the first point below it is taken.

    Raises
    ------
    ConvergenceError
        If no search reaches a minimum.
    NotIdentifiedError
        If that is because the discrepancy is flat in some direction.
    """
    if not problem.coordinates.n_coordinates:
        offset = problem.coordinates.offset
        return Minimum(offset, problem.at(offset), first=True)
    searched: list[_Point] = []
    for start in _starts(problem, starts):
        found = _fisher_scoring(problem, start, starts, floor)
        searched.append(found)
        if floor and problem.value(found.z) <= floor:
            return _minimum(problem, found, searched, starts)
        if found.converged and not _improper(problem, found):
            break
        slow = _fisher_scoring(problem, _bfgs(problem, start), starts, floor)
        searched.append(slow)
        if slow.converged and not _improper(problem, slow):
            break
    beyond = [
        _fisher_scoring(problem, z, starts, floor)
        for z in _usable(problem, _circling(problem, starts))
    ]
    for z in _usable(problem, absorbed(problem.table, starts)):
        found = _fisher_scoring(problem, z, starts, floor)
        if not _improper(problem, found):
            beyond.append(found)
    minima = [found for found in (*searched, *beyond) if found.converged]
    if not minima:
        raise _failure(problem, searched, starts)
    best = min(minima, key=lambda found: round(problem.value(found.z), _DIGITS))
    return _minimum(problem, best, searched, starts)


def _minimum(
    problem: Problem, best: _Point, searched: list[_Point], starts: Starts
) -> Minimum:
    value = problem.value(best.z)
    # Two searches belong to each start; the first is skipped where it has no value.
    at_first = np.isfinite(problem.value(problem.coordinates.coordinates(starts.theta)))
    first = bool(at_first) and any(best is point for point in searched[:2])
    return Minimum(problem.coordinates.theta(best.z), value, first)


def _improper(problem: Problem, found: _Point) -> list[str]:
    """Spell the variances that are negative."""
    theta = problem.coordinates.theta(found.z)
    values = zip(problem.table.free, theta, strict=True)
    return [
        problem.table.spell(row)
        for row, value in values
        if row.is_variance and value < 0
    ]


def _failure(problem: Problem, searched: list[_Point], starts: Starts) -> Exception:
    if not searched:
        return ConvergenceError(
            "model: no start value gives a positive definite Sigma. Check fixed values "
            "and start() values."
        )
    best = min(searched, key=lambda found: found.decrement)
    table, coordinates = problem.table, problem.coordinates
    blamed = confounded(problem.curvature(best.z), coordinates, table)
    if blamed and not any(found.runaway for found in searched):
        return NotIdentifiedError(
            f"model: the search ran into values where the data cannot tell apart "
            f"{blamed}. Fix one of them, set parameters equal, or add indicators."
        )
    odd = _improper(problem, best)
    found = f" Negative variances on the way: {', '.join(odd[:_MANY])}." if odd else ""
    moved = blamed or _furthest(problem, best, starts)
    return ConvergenceError(
        f"model: no minimum in {len(searched)} searches; they moved {moved} without "
        f"end.{found} {_held_scales(table)}Look for items that hardly correlate with "
        "their factor and factors with few items; collect more rows or fit a smaller "
        "model."
    )


def _furthest(problem: Problem, found: _Point, starts: Starts) -> str:
    """Spell the parameters that went furthest, in units of the data."""
    theta = problem.coordinates.theta(found.z)
    far = np.abs(theta - starts.theta) / starts.scale
    known = np.where(np.isfinite(far), far, 0.0)
    named = [k for k in np.argsort(-known)[:_MANY] if known[k] > known.max() / _MANY]
    free = problem.table.free
    return ", ".join(
        f"{problem.table.spell(free[k])} (at {theta[k]:.3g})" for k in named
    )


def _held_scales(table: ParameterTable) -> str:
    """Say that factors of factors may be a Heywood case which a fixed scale hides."""
    lower = {r.rhs for r in table.rows if r.op == "=~"} & {*table.latent}
    held = [
        r.lhs
        for r in table.rows
        if r.is_variance and r.lhs in lower and r.fixed and r.group == 1
    ]
    if not held:
        return ""
    return (
        f"The residual variances of {', '.join(held)} are held at a positive value "
        "(std_lv=True), so that one which wants to be 0 or less drives the loadings "
        "away: fit with std_lv=False, and look there for a Heywood case (a negative "
        "variance). "
    )


def _starts(problem: Problem, starts: Starts) -> Iterator[Float1D]:
    """Start points in z, best first; only those with a finite discrepancy."""
    rng = np.random.default_rng(2)
    noise = rng.uniform(-0.2, 0.2, (2, len(starts.scale))) * starts.scale
    candidates = (
        starts.theta,
        starts.plain,
        starts.theta + noise[0],
        starts.plain + noise[1],
    )
    yield from _usable(problem, candidates)


def _usable(problem: Problem, candidates: Iterable[Float1D]) -> Iterator[Float1D]:
    """Candidates in z, where the discrepancy is finite."""
    for theta in candidates:
        z = problem.coordinates.coordinates(theta)
        if np.isfinite(problem.value(z)):
            yield z


def _circling(problem: Problem, starts: Starts) -> Iterator[Float1D]:
    """Start values with strong effects in the circles of a model.

    Where the effects of a circle multiply to 1 there is no Sigma; a search from weak
    effects does not get past that.
    """
    inside = {name for circle in loops(problem.table) for name in circle}
    here = [
        k
        for k, row in enumerate(problem.table.free)
        if row.op == "~" and {row.lhs, row.rhs} <= inside
    ]
    for sign in (1.0, -1.0) if here else ():
        theta = starts.theta.copy()
        theta[here] = sign * _STRONG * starts.scale[here]
        yield theta


def _runs_away(problem: Problem, z: Float1D, starts: Starts) -> bool:
    """Whether a variance has left all proportion to the data."""
    theta = problem.coordinates.theta(z)
    rows = np.array([row.is_variance for row in problem.table.free], dtype=bool)
    far: bool = (np.abs(theta) > _FAR * starts.scale)[rows].any()
    return bool(far)


def _fisher_scoring(
    problem: Problem, z: Float1D, starts: Starts, floor: float
) -> _Point:
    """Newton steps with expected curvature, damped until the discrepancy falls."""
    value = problem.value(z)
    damping, decrement, stalled, short = 0.0, float("inf"), 0, 0
    for _ in range(_STEPS):
        slope, bend = problem.descent(z)
        if not (np.isfinite(slope).all() and np.isfinite(bend).all()):
            return _Point(z, float("inf"))
        direction = _direction(slope, bend, damping)
        expected = float(-slope @ direction)
        stalled = stalled + 1 if expected >= 0.5 * decrement else 0
        decrement = min(decrement, expected) if damping == 0 else expected
        done = expected < _EXACT or (decrement <= CONVERGED and stalled > _MANY)
        if done or short > _MANY:
            return _Point(z, abs(expected))
        moved, new, length = _line_search(problem, z, value, direction, expected)
        if length == 0.0:
            if damping > 1:
                return _Point(z, expected)
            damping = max(damping * 10, 1e-4)
            continue
        damping = 0.0 if length == 1.0 else damping / 10
        short = short + 1 if length < _SHORT else 0
        z, value = moved, new
        if value <= floor:
            return _Point(z, 0.0)
        if _runs_away(problem, z, starts):
            return _Point(z, float("inf"), runaway=True)
    return _Point(z, decrement)


def _direction(slope: Float1D, bend: Float2D, damping: float) -> Float1D:
    diagonal = np.diag(bend)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = bend * np.outer(scale, scale)
    scaled[np.diag_indices_from(scaled)] += damping
    try:
        factor = cho_factor(scaled, lower=True)
    except np.linalg.LinAlgError:
        scaled[np.diag_indices_from(scaled)] += 1e-8
        step, *_ = np.linalg.lstsq(scaled, -slope * scale, rcond=1e-12)
        return step * scale
    found: Float1D = cho_solve(factor, -slope * scale) * scale
    return found


def _line_search(
    problem: Problem, z: Float1D, value: float, direction: Float1D, expected: float
) -> tuple[Float1D, float, float]:
    """Halve the step until the discrepancy falls: point, value, length (0: never)."""
    rounding = 1e-13 * (1 + abs(value) + problem.size)
    length = 1.0
    for _ in range(_HALVINGS):
        moved = z + length * direction
        new = problem.value(moved)
        if new <= value - 1e-4 * length * expected + rounding:
            return moved, new, length
        length /= 2
    return z, value, 0.0


def _bfgs(problem: Problem, start: Float1D) -> Float1D:
    diagonal = np.diag(problem.curvature(start))
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))

    def objective(w: Float1D) -> float:
        return min(problem.value(w * scale), 1e10)

    def slope(w: Float1D) -> Float1D:
        if not np.isfinite(problem.value(w * scale)):
            return np.zeros_like(w)
        return problem.gradient(w * scale) * scale

    found = minimize(
        objective,
        start / scale,
        jac=slope,
        method="BFGS",
        options={"gtol": 1e-9, "maxiter": 300},
    )
    reached: Float1D = found.x * scale
    return reached if np.isfinite(problem.value(reached)) else start
