"""The minimum under inequalities and nonlinear equalities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from analysis.errors import AnalysisError, ConvergenceError
from analysis.sem.inference import EDGE
from analysis.sem.partable.values import complex_jacobian

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.sem.estimate.starts import Starts
    from analysis.sem.problem import Problem

# Length of a step, in units of the parameters, that changes nothing.
_STILL = 1e-10
_NEAR = 1e-4
_STEPS = 100
# Violation of a constraint, in its own units, that is rounding.
_MET = 1e-7


def constrained(problem: Problem, starts: Starts) -> Float1D:
    """Find the theta, shape (n_free,), with the smallest discrepancy that is allowed.

    Sequential quadratic programming from the informed start, then Newton steps on the
    constraints that are met with equality.

    Raises
    ------
    AnalysisError
        If no values meet all constraints; names those that are not met.
    ConvergenceError
        If the search does not settle.
    """
    best: Float1D | None = None
    for start in (starts.theta, starts.plain):
        z = _search(problem, start, starts.scale)
        if best is None or problem.value(z) < problem.value(best):
            best = z
        if _met(problem, z):
            break
    if best is None or not _met(problem, best):
        raise AnalysisError(_infeasible(problem, starts))
    return problem.coordinates.theta(_settle(problem, best))


def _search(problem: Problem, theta: Float1D, scale: Float1D) -> Float1D:
    rules, coordinates = problem.restrictions, problem.coordinates
    unit = np.abs(coordinates.basis).T @ scale
    unit = np.where(unit > 0, unit, 1.0)

    def at(w: Float1D) -> Float1D:
        return coordinates.theta(w * unit)

    def slope(w: Float1D) -> Float1D:
        if not np.isfinite(problem.value(w * unit)):
            return np.zeros_like(w)
        return problem.gradient(w * unit) * unit

    def by_w(jacobian: Float2D) -> Float2D:
        found: Float2D = (jacobian @ coordinates.basis) * unit
        return found

    limits = [
        {
            "type": kind,
            "fun": lambda w, f=function: f(at(w)),
            "jac": lambda w, f=function: by_w(complex_jacobian(f, at(w))),
        }
        for kind, function in (("eq", rules.equal), ("ineq", rules.above))
        if len(function(theta))
    ]
    found = minimize(
        lambda w: min(problem.value(w * unit), 1e10),
        coordinates.coordinates(theta) / unit,
        jac=slope,
        method="SLSQP",
        constraints=limits,
        options={"maxiter": 2000, "ftol": 1e-14},
    )
    z: Float1D = found.x * unit
    return z


def _met(problem: Problem, z: Float1D) -> bool:
    theta, rules = problem.coordinates.theta(z), problem.restrictions
    equal = np.abs(rules.equal(theta)).max(initial=0.0)
    above = rules.above(theta).min(initial=0.0)
    return bool(equal < _MET and above > -_MET and np.isfinite(problem.value(z)))


def _settle(problem: Problem, z: Float1D) -> Float1D:
    """Newton steps on the equations of the minimum, active inequalities included."""
    rules, basis = problem.restrictions, problem.coordinates.basis
    held = rules.above(problem.coordinates.theta(z)) < EDGE * 10
    scale = np.ones(len(z))
    for _ in range(_STEPS):
        theta = problem.coordinates.theta(z)
        normal, gap = _active(problem, theta, held)
        normal = normal @ basis
        bend, slope = problem.curvature(z), problem.gradient(z)
        scale = 1 / np.sqrt(np.maximum(np.diag(bend), 1e-12))
        size, rows = len(z), len(gap)
        system = np.zeros((size + rows, size + rows))
        system[:size, :size] = bend * np.outer(scale, scale)
        system[:size, size:] = (normal * scale).T
        system[size:, :size] = normal * scale
        right = np.concatenate([-slope * scale, -gap])
        found, *_ = np.linalg.lstsq(system, right, rcond=None)
        step, force = found[:size], found[size:]
        # A multiplier of the wrong sign: the minimum lies inside.
        pushes = force[len(rules.equalities) :] > _MET
        if np.abs(step).max(initial=0.0) < _NEAR and pushes.any():
            held[np.flatnonzero(held)[pushes]] = False
            continue
        z = z + step * scale
        if np.abs(step).max(initial=0.0) < _STILL:
            break
    else:
        raise ConvergenceError(
            "model: the search under constraints did not settle. Check that they can "
            "hold together, or give start() values that meet them."
        )
    return z


def _active(problem: Problem, theta: Float1D, held: Bool1D) -> tuple[Float2D, Float1D]:
    """Collect derivatives and values of the constraints that hold with equality."""
    rules = problem.restrictions
    equal, above = (complex_jacobian(f, theta) for f in (rules.equal, rules.above))
    gap = np.concatenate([rules.equal(theta), rules.above(theta)[held]])
    return np.vstack([equal, above[held]]), gap


def _infeasible(problem: Problem, starts: Starts) -> str:
    rules = problem.restrictions

    def violation(theta: Float1D) -> float:
        below = np.minimum(rules.above(theta), 0.0)
        return float((rules.equal(theta) ** 2).sum() + (below**2).sum())

    coordinates = problem.coordinates
    found = minimize(
        lambda z: violation(coordinates.theta(z)),
        coordinates.coordinates(starts.theta),
        method="BFGS",
    )
    theta = coordinates.theta(found.x)
    odd = [rules.spell(int(k)) for k in np.flatnonzero(rules.above(theta) < -_MET)]
    odd += [
        f"the constraint on line {c.place.line}"
        for c, gap in zip(rules.equalities, rules.equal(theta), strict=True)
        if abs(gap) > _MET
    ]
    if odd:
        return (
            f"model: {', '.join(odd)} cannot be met together with the others. Delete "
            "or correct one of them."
        )
    return (
        "model: no values meet all constraints and give a possible covariance matrix. "
        "Correct the constraints."
    )
