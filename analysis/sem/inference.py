"""Standard errors, and whether the parameters are identified."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import null_space

from analysis.errors import NotIdentifiedError
from analysis.sem.casewise import middle, theta_scores
from analysis.sem.discrepancy import LeastSquares, weighted
from analysis.sem.implied import filled, implied
from analysis.sem.partable.values import complex_jacobian
from analysis.sem.problem import normal_moment_weight, observed_moment_weight
from analysis.sem.robust import Piece, Sandwich, inverse_along, sandwich
from analysis.sem.stack import stack_of

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.partable import ParameterTable, Reparameterisation
    from analysis.sem.problem import Problem

# Smallest eigenvalue of a scaled information matrix that is told from rounding.
SINGULAR = 1e-11
# Distance of an inequality from its edge at which it holds a parameter there.
EDGE = 1e-7
_MANY = 8


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """Covariance of the estimates, and what the tests share with it.

    Attributes
    ----------
    vcov
        Covariance matrix of the estimates, shape (n_free, n_free); equal parameters
        have equal rows.
    bread
        Inverse unit information where parameters may move, shape (n_free, n_free).
    tangent
        Directions in which they may move, shape (n_free, n_directions).
    sandwich
        Sums for robust errors and tests, where moments are weighed.
    middle
        Mean product of the scores of rows, where a likelihood is maximised.
    """

    vcov: Float2D
    bread: Float2D
    tangent: Float2D
    sandwich: Sandwich | None = None
    middle: Float2D | None = None


def uncertainty(problem: Problem, theta: Float1D) -> Uncertainty:
    """Find the covariance of the estimates.

    Raises
    ------
    NotIdentifiedError
        If the information is singular; names the parameters involved.

    Notes
    -----
    ``standard``: inverse of the expected or observed information; ``robust_sem``:
    Satorra & Bentler (1994); ``robust_huber_white``: White (1982); ``two_stage``:
    Savalei & Bentler (2009), information at the saturated moments.
    """
    method = problem.method
    tangent = directions(problem, theta)
    observed = method.information == "observed"
    products = None
    if method.information == "first_order" or method.errors == "robust_huber_white":
        products = score_products(problem, theta)
    parts = pieces(problem, theta) if problem.gammas else ()
    information: Float2D
    if method.information == "first_order" and products is not None:
        information = products
    elif method.errors == "two_stage":
        information = inner_product(parts)
    else:
        information = problem.bend(theta, observed=observed) / 2
    _require_identified(information, tangent, problem)
    bread = inverse_along(information, tangent)
    sums = _sums(parts, bread, tangent, observed=observed)
    if method.errors == "robust_huber_white" and products is not None:
        covariance = bread @ products @ bread
    elif method.errors in {"robust_sem", "two_stage"} and sums is not None:
        covariance = bread @ sums.filling @ bread
    else:
        covariance = bread
    return Uncertainty(covariance / problem.divisor, bread, tangent, sums, products)


def _sums(
    parts: tuple[Piece, ...], bread: Float2D, tangent: Float2D, *, observed: bool
) -> Sandwich | None:
    """Sum up the groups; U of the test projects with its own weights."""
    if not parts:
        return None
    if observed:
        bread = inverse_along(inner_product(parts), tangent)
    return sandwich(parts, bread)


def directions(problem: Problem, theta: Float1D) -> Float2D:
    """Directions in which theta may move, shape (n_free, n_directions)."""
    basis = problem.coordinates.basis
    rules = problem.restrictions
    if not rules.binding:
        return basis
    rows = [complex_jacobian(rules.equal, theta)]
    held = rules.above(theta) < EDGE
    rows.append(complex_jacobian(rules.above, theta)[held])
    normal = np.vstack(rows) @ basis
    if not len(normal):
        return basis
    found: Float2D = basis @ null_space(normal)
    return found


def score_products(problem: Problem, theta: Float1D) -> Float2D:
    """Mean product of the scores of all rows (of clusters), shape (n_free, n_free)."""
    means = problem.table.meanstructure
    found = [
        middle(theta_scores(layout, moments, theta, means=means), moments)
        for layout, moments in zip(problem.layouts, problem.moments, strict=True)
    ]
    total: Float2D = np.einsum("g,gkl->kl", problem.shares, np.stack(found))
    return total


def pieces(problem: Problem, theta: Float1D) -> tuple[Piece, ...]:
    """Take each group's derivatives, weights and asymptotic covariances."""
    out = []
    for g, layout in enumerate(problem.layouts):
        stack = stack_of(layout)
        discrepancy = problem.discrepancies[g]
        if isinstance(discrepancy, LeastSquares):
            weight = discrepancy.weight
        else:
            weight = likelihood_weight(problem, g, theta)
        out.append(
            Piece(
                share=float(problem.shares[g]),
                by_theta=stack.jacobian(theta),
                weight=weight,
                gamma=problem.gammas[g],
            )
        )
    return tuple(out)


def likelihood_weight(problem: Problem, g: int, theta: Float1D) -> Float2D:
    """Information of one row of a group about its moments, where likelihood is used.

    Expected or observed as the method has it, at the implied moments; in two stages at
    the saturated ones.
    """
    means, moments = problem.table.meanstructure, problem.moments[g]
    if problem.method.errors == "two_stage":
        return normal_moment_weight(moments.cov, means=means)
    found = implied(filled(problem.layouts[g], theta))
    if problem.method.information == "observed":
        mean = found.mean if means else moments.mean
        return observed_moment_weight(moments, mean, found.cov, means=means)
    return normal_moment_weight(found.cov, means=means)


def inner_product(parts: tuple[Piece, ...]) -> Float2D:
    """Sum of Delta' W Delta over groups, shape (n_free, n_free)."""
    found = np.zeros((parts[0].by_theta.shape[1],) * 2)
    for p in parts:
        found += p.share * p.by_theta.T @ weighted(p.weight, p.by_theta)
    return found


def _require_identified(
    information: Float2D, tangent: Float2D, problem: Problem
) -> None:
    inner = tangent.T @ information @ tangent
    free = replace(problem.coordinates, basis=tangent)
    if blamed := confounded(inner, free, problem.table):
        raise NotIdentifiedError(
            f"model: at the solution the data cannot tell apart {blamed}. Fix one of "
            "them, set parameters equal, or add indicators."
        )


def confounded(
    information: Float2D, coordinates: Reparameterisation, table: ParameterTable
) -> str:
    """Name the parameters along which the information is flat; empty if none."""
    if not len(information):
        return ""
    diagonal = np.diag(information).copy()
    if not np.isfinite(information).all():
        return "its parameters (the information is not finite)"
    typical = float(np.median(diagonal[diagonal > 0])) if (diagonal > 0).any() else 1.0
    empty = diagonal <= 0
    diagonal[empty] = typical
    scale = 1 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    flat = values < SINGULAR
    if not flat.any():
        return ""
    weight = np.abs(coordinates.basis * scale) @ np.abs(vectors[:, flat]).max(axis=1)
    size = np.abs(coordinates.basis * scale).max(axis=1)
    in_units = weight / np.maximum(size, 1e-300)
    involved = [
        table.spell(row)
        for row, w in zip(table.free, in_units, strict=True)
        if w > in_units.max() * 1e-3
    ]
    more = f" and {len(involved) - _MANY} more" if len(involved) > _MANY else ""
    return ", ".join(involved[:_MANY]) + more
