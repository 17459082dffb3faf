"""Find the factor means and variances that align the groups best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import minimize

from analysis.errors import ConvergenceError
from analysis.sem.alignment.loss import aligned, curvature, slope, term_losses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.alignment.pattern import Pattern

Kind: TypeAlias = Literal["free", "fixed"]
# Losses closer than this share are one optimum, reached twice.
_SAME: Final = 1e-7
# Largest slope of the mean loss of a pair at an optimum.
_FLAT: Final = 1e-8
# A wide epsilon has one optimum, from which narrower ones are reached step by step.
_NARROWING: Final = (1.0, 0.1)
_SPREAD: Final = 0.5
_POLISHING: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One factor to align.

    Attributes
    ----------
    pattern
        Its parameters.
    given
        With a standard normal factor in every group, shape (n_terms * n_groups,).
    weights
        Of pairs of groups, shape (n_groups, n_groups).
    epsilon
        Of the component loss.
    directions
        In which means and standard deviations may move, shape (2 * n_groups, n_free).
    """

    pattern: Pattern
    given: Float1D
    weights: Float2D
    epsilon: float
    directions: Float2D

    def loss(self, units: Float1D) -> float:
        """Total loss over terms and pairs of groups."""
        y = aligned(self.pattern, self.given, units)
        return float(term_losses(y, self.weights, self.epsilon).sum())

    def slope(self, units: Float1D) -> Float1D:
        """Differentiate the loss by all means and logarithms of deviations."""
        return slope(self.pattern, self.given, units, self.weights, self.epsilon)

    def curvature(self, units: Float1D) -> Float2D:
        """Differentiate twice along `directions`, shape (n_free, n_free)."""
        whole = curvature(self.pattern, self.given, units, self.weights, self.epsilon)
        found: Float2D = self.directions.T @ whole @ self.directions
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The best alignment found.

    Attributes
    ----------
    units
        Factor means of the groups, then logarithms of standard deviations.
    loss
        Its loss.
    n_starts, n_optima, n_best
        Starts that ended in an optimum, distinct optima among them, and how many
        starts ended in the best.
    """

    units: Float1D
    loss: float
    n_starts: int
    n_optima: int
    n_best: int


def directions(n_groups: int, kind: Kind, reference: int) -> Float2D:
    """Directions that identification leaves: the product of the variances is 1.

    ``"fixed"`` holds the mean of the reference group at 0 as well (Asparouhov &
    Muthen 2014).
    """
    means = np.eye(n_groups)
    if kind == "fixed":
        means = np.delete(means, reference, axis=1)
    deviations = null_space(np.ones((1, n_groups)))
    found = np.zeros((2 * n_groups, means.shape[1] + n_groups - 1))
    found[:n_groups, : means.shape[1]] = means
    found[n_groups:, means.shape[1] :] = deviations
    return found


def best_alignment(task: Task, n_starts: int, rng: np.random.Generator) -> Optimum:
    """Search from several starts.

    Raises
    ------
    ConvergenceError
        If no start ends in an optimum.
    """
    found = [
        (loss, units)
        for start in _starts(task, n_starts, rng)
        for loss, units in _descend(task, start)
    ]
    if not found:
        raise ConvergenceError(
            f"alignment, {task.pattern.factor}: none of {n_starts} starts ended in an "
            "optimum. Raise n_starts=, or see whether a group's loadings are near zero."
        )
    losses = np.sort([loss for loss, _ in found])
    steps = np.diff(losses) > _SAME * losses[0]
    loss, units = min(found, key=lambda f: f[0])
    return Optimum(
        units=units,
        loss=loss,
        n_starts=len(found),
        n_optima=1 + int(steps.sum()),
        n_best=int((losses - loss <= _SAME * loss).sum()),
    )


def _starts(task: Task, n_starts: int, rng: np.random.Generator) -> Iterator[Float1D]:
    """Start from equal groups, as if all were invariant, then at random around that."""
    middle = _as_invariant(task)
    yield _narrowed(task, middle)
    yield np.zeros_like(middle)
    for _ in range(max(n_starts - 2, 0)):
        yield middle + _SPREAD * rng.normal(size=len(middle))


def _as_invariant(task: Task) -> Float1D:
    """Means and deviations that fit best if every term were equal in all groups."""
    loadings, locations = task.pattern.split(task.given)
    total = np.sqrt((loadings**2).sum(axis=0))
    s = np.log(total) - np.log(total).mean()
    common = (loadings / np.exp(s)).mean(axis=1)[task.pattern.owner]
    gaps = locations - locations.mean(axis=1, keepdims=True)
    return np.concatenate([common @ gaps / (common @ common), s])


def _narrowed(task: Task, start: Float1D) -> Float1D:
    """Follow the optimum from a wide epsilon to the narrow one."""
    units = start
    for epsilon in _NARROWING:
        wide = Task(task.pattern, task.given, task.weights, epsilon, task.directions)
        units = _minimum(wide, units)
    return units


def _minimum(task: Task, start: Float1D) -> Float1D:
    total = task.weights.sum() / 2
    move = task.directions
    solved = minimize(
        lambda z: task.loss(move @ z) / total,
        move.T @ start,
        jac=lambda z: move.T @ task.slope(move @ z) / total,
        hess=lambda z: task.curvature(move @ z) / total,
        method="trust-exact",
        options={"gtol": 1e-7, "maxiter": 1000},
    )
    units: Float1D = move @ solved.x
    return units


def _descend(task: Task, start: Float1D) -> Iterator[tuple[float, Float1D]]:
    """Yield the optimum below a start, polished by Newton steps; none if lost."""
    units = _minimum(task, start)
    steepest = _steepest(task, units)
    for _ in range(_POLISHING):
        pull = task.directions.T @ task.slope(units)
        step = np.linalg.lstsq(task.curvature(units), pull, rcond=None)[0]
        moved = units - task.directions @ step
        if not _steepest(task, moved) < steepest:
            break
        units, steepest = moved, _steepest(task, moved)
    if steepest < _FLAT:
        yield task.loss(units), units


def _steepest(task: Task, units: Float1D) -> float:
    """Largest slope of the mean loss of a pair of groups."""
    slopes = np.abs(task.directions.T @ task.slope(units))
    return float(slopes.max() * 2 / task.weights.sum())
