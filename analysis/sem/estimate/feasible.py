"""Whether any values meet all constraints, before a minimum is looked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import least_squares, linprog

from analysis.errors import ModelSyntaxError
from analysis.sem.partable import reparameterise
from analysis.sem.partable.constraints import is_linear
from analysis.sem.partable.values import complex_jacobian
from analysis.sem.syntax import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.estimate.starts import Starts
    from analysis.sem.problem import Problem
    from analysis.sem.syntax import Constraint, ModelSyntax, Place

# Violation of a constraint, in its own units, that is rounding.
_MET: Final = 1e-7
_TRIES: Final = 4
_CALLS: Final = 40
# Spread of the start values of the search, in units of the parameters.
_SPREAD: Final = 3.0


def require_feasible(problem: Problem, starts: Starts, model: ModelSyntax) -> None:
    """Refuse constraints that no values meet.

    Those that are linear are checked exactly, by linear programming; the others by
    a short search from several start values.

    Raises
    ------
    ModelSyntaxError
        Quoting the lines that contradict each other.
    """
    rules = problem.restrictions
    if not rules.binding:
        return
    linear = _Linear.of(problem, starts, model)
    if linear.every and not linear.possible(linear.equalities, linear.every):
        raise _contradiction(problem, model, *linear.core())
    count = len(rules.equalities) + len(rules.inequalities)
    count += len(rules.lower) + len(rules.upper)
    if len(linear.every) == count:
        return
    equal, above = _broken(problem, starts)
    if equal or above:
        raise _contradiction(problem, model, *_joined(problem, model, equal, above))


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """The linear constraints: gaps @ theta = edge, or at least edge.

    Attributes
    ----------
    equalities
        Linear ``==``, which coordinates express.
    every
        Positions of linear inequalities and bounds among those of the restrictions.
    slopes, gaps
        Of all inequalities and bounds at `at`, shapes (n, n_free) and (n,).
    at
        Some theta.
    """

    problem: Problem
    model: ModelSyntax
    equalities: tuple[Constraint, ...]
    every: tuple[int, ...]
    slopes: Float2D
    gaps: Float1D
    at: Float1D

    @classmethod
    def of(cls, problem: Problem, starts: Starts, model: ModelSyntax) -> _Linear:
        """Sort out what is linear."""
        rules = problem.restrictions
        n = len(rules.inequalities)
        bounds = range(n, n + len(rules.lower) + len(rules.upper))
        straight = [k for k in range(n) if is_linear(rules.inequalities[k], model)]
        equal = (c for c in model.constraints if c.relation == "==")
        at = starts.theta
        return cls(
            problem,
            model,
            tuple(c for c in equal if is_linear(c, model)),
            (*straight, *bounds),
            complex_jacobian(rules.above, at),
            rules.above(at),
            at,
        )

    def possible(
        self, equalities: Sequence[Constraint], inequalities: Sequence[int]
    ) -> bool:
        """Whether some theta meets them."""
        only = replace(self.model, constraints=tuple(equalities))
        free = reparameterise(self.problem.table, only)
        here = list(inequalities)
        slopes = self.slopes[here]
        edge = slopes @ (self.at - free.offset) - self.gaps[here]
        matrix = slopes @ free.basis
        if not free.n_coordinates:
            return bool((edge <= _MET).all())
        found = linprog(
            np.zeros(free.n_coordinates),
            A_ub=-matrix,
            b_ub=-edge + _MET,
            bounds=(None, None),
        )
        status: int = found.status
        return status != 2  # noqa: PLR2004 - infeasible, in SciPy's words

    def core(self) -> tuple[list[Constraint], list[int]]:
        """Leave out whatever the contradiction does not need."""
        above = list(self.every)
        for k in self.every:
            fewer = [j for j in above if j != k]
            if not self.possible(self.equalities, fewer):
                above = fewer
        equal = list(self.equalities)
        for c in self.equalities:
            rest = [d for d in equal if d is not c]
            if not self.possible(rest, above):
                equal = rest
        return equal, above


def _broken(problem: Problem, starts: Starts) -> tuple[list[int], list[int]]:
    """Equalities and inequalities that a search leaves unmet; none when all are met."""
    rules, coordinates = problem.restrictions, problem.coordinates

    def gaps(z: Float1D) -> Float1D:
        theta = coordinates.theta(z)
        below = np.minimum(rules.above(theta), 0.0)
        found = np.concatenate([rules.equal(theta), below])
        return np.asarray(np.nan_to_num(found, nan=1e3, posinf=1e3, neginf=-1e3))

    def slopes(z: Float1D) -> Float2D:
        theta = coordinates.theta(z)
        above = complex_jacobian(rules.above, theta)
        above[rules.above(theta) >= 0] = 0.0
        both = np.vstack([complex_jacobian(rules.equal, theta), above])
        return np.asarray(np.nan_to_num(both) @ coordinates.basis)

    rng = np.random.default_rng(3)
    best = np.full(1, np.inf)
    for k in range(_TRIES):
        noise = rng.normal(0.0, _SPREAD, len(starts.scale)) * starts.scale
        theta = starts.theta + (noise if k else 0.0)
        z = coordinates.coordinates(theta)
        found = least_squares(gaps, z, jac=slopes, max_nfev=_CALLS, xtol=1e-12)
        left: Float1D = np.abs(gaps(found.x))
        best = left if left.max(initial=0.0) < best.max(initial=0.0) else best
        if best.max(initial=0.0) < _MET:
            return [], []
    odd = np.flatnonzero(best > _MET)
    n = len(rules.equalities)
    return [int(k) for k in odd if k < n], [int(k) - n for k in odd if k >= n]


def _joined(
    problem: Problem, model: ModelSyntax, equal: list[int], above: list[int]
) -> tuple[list[Constraint], list[int]]:
    """Add to unmet constraints all that share labels with them."""
    rules = problem.restrictions
    inner = {d.name: {n.name for n in names(d.expression)} for d in model.definitions}

    def about(constraint: Constraint) -> set[str]:
        sides = (constraint.left, constraint.right)
        found = {n.name for side in sides for n in names(side)}
        for name in reversed(list(inner)):
            found |= inner[name] if name in found else set()
        return found

    n = len(rules.inequalities)
    linear = tuple(c for c in model.constraints if c.relation == "==")
    rest = [*linear, *rules.inequalities]
    chosen = [rules.equalities[k] for k in equal]
    chosen += [rules.inequalities[k] for k in above if k < n]
    while True:
        labels = {name for c in chosen for name in about(c)}
        more = [c for c in rest if c not in chosen and about(c) & labels]
        if not more:
            break
        chosen += more
    bounds = [
        k + n
        for k, (row, _) in enumerate((*rules.lower, *rules.upper))
        if k + n in above or problem.table.free[row].label in labels
    ]
    inside = [k for k in range(n) if rules.inequalities[k] in chosen]
    return [c for c in chosen if c.relation == "=="], [*inside, *bounds]


def _contradiction(
    problem: Problem,
    model: ModelSyntax,
    equalities: Sequence[Constraint],
    above: Sequence[int],
) -> ModelSyntaxError:
    """Quote the lines that cannot hold together."""
    places = [(c.place, "this constraint") for c in equalities]
    places += [_located(problem, model, k) for k in above]
    places.sort(key=lambda item: (item[0].line, item[0].column))
    first, *others = places
    if not others:
        text = (
            f"{first[1]} cannot be met by any values of the free parameters. Delete or "
            "correct it"
        )
        return model.source.error(first[0], text)
    lines = ", ".join(dict.fromkeys(str(place.line) for place, _ in others))
    head = (
        f"{first[1]} cannot be met together with line {lines}. Delete or correct one "
        "of them"
    )
    quoted = [model.source.locate(first[0], head)]
    quoted += [model.source.locate(place, f"and {what}") for place, what in others]
    return ModelSyntaxError("\n".join(quoted))


def _located(problem: Problem, model: ModelSyntax, index: int) -> tuple[Place, str]:
    """Where an inequality or bound stands, and what to call it."""
    rules, table = problem.restrictions, problem.table
    if index < len(rules.inequalities):
        return rules.inequalities[index].place, "this inequality"
    bounds = [(k, "lower", v) for k, v in rules.lower]
    bounds += [(k, "upper", v) for k, v in rules.upper]
    k, side, value = bounds[index - len(rules.inequalities)]
    row = table.free[k]
    what = f"the {side} bound {value:g} of {table.spell(row)}"
    place = next(
        (
            s.place
            for s in model.statements
            if s.op == row.op and {s.lhs, s.rhs} == {row.lhs, row.rhs}
        ),
        model.statements[0].place,
    )
    return place, what
