"""Unrotated factors of a correlation matrix: principal axis, minres, ML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from analysis.efa.uniqueness import LeastSquares, Likelihood, search
from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.efa.uniqueness import Discrepancy, Minimum

Method: TypeAlias = Literal["pa", "ml", "minres"]

# The bound psych::fa and factanal use as well; at it, a factor explains an item fully.
LOWEST_UNIQUENESS = 0.005
# Principal axis has no bound; where it passes this, it is on its way to infinity.
RUNAWAY: Final = -1.0
# Largest projected gradient that counts as a solution.
STATIONARY: Final = 1e-6
# A factor with a smaller sum of squared loadings explains nothing.
NOTHING: Final = 1e-6
# Two solutions are one when their discrepancies agree to this.
SAME_SOLUTION: Final = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """Unrotated factors.

    Attributes
    ----------
    loadings
        Shape (p, k); columns orthogonal (pa, minres) or with a diagonal
        Lambda' Psi^-1 Lambda (ml), largest first, each summing positive.
    uniqueness
        Shape (p,); 1 - communality.
    solutions
        Number of different minima met; above 1 for ml only.
    """

    loadings: Float2D
    uniqueness: Float1D
    solutions: int = 1


def degrees_of_freedom(n_items: int, n_factors: int) -> int:
    """Degrees of freedom of the factor model, ((p - k)^2 - (p + k)) / 2."""
    return ((n_items - n_factors) ** 2 - (n_items + n_factors)) // 2


def most_factors(n_items: int) -> int:
    """Largest number of factors that p items identify."""
    return max(
        (k for k in range(n_items) if degrees_of_freedom(n_items, k) >= 0), default=0
    )


def extract(
    R: Float2D,
    n_factors: int,
    *,
    method: Method,
    near: Float1D | None = None,
    names: Sequence[str] = (),
) -> Extraction:
    """Extract unrotated factors.

    Parameters
    ----------
    R
        Positive definite correlation matrix, shape (p, p).
    n_factors
        Number of factors k, at least 1.
    method
        ``"pa"`` principal axis, ``"ml"`` maximum likelihood, ``"minres"`` least squares
        of the off-diagonal residuals with uniquenesses of at least .005. Principal axis
        is minres without that bound.
    near
        Uniquenesses to start from, shape (p,), for samples drawn again; usual starts
        otherwise (several for ml, which may have several minima).
    names
        The items, for messages; their numbers otherwise.

    Raises
    ------
    AnalysisError
        If the number of factors is not a whole number.
    NotIdentifiedError
        If p items do not identify k factors (negative degrees of freedom).
    ConvergenceError
        If no solution is found, or a factor explains nothing.

    Notes
    -----
    Joreskog (1967) for ml, Harman and Jones (1966) for minres. Same as
    ``psych::fa(R, k, fm = method, rotate = "none", min.err = 1e-10,
    max.iter = 5000)``, and for ml ``factanal(rotation = "none")``.
    """
    require_identified(len(R), n_factors)
    if method == "ml":
        return _ml(R, n_factors, near)
    lowest = RUNAWAY if method == "pa" else LOWEST_UNIQUENESS
    start = 1 / np.diag(np.linalg.inv(R)) if near is None else near
    problem = LeastSquares(R, n_factors)
    found = search(problem, start, (lowest, 1.0))
    if method == "pa" and found.x.min() <= RUNAWAY:
        worst = int(found.x.argmin())
        item = repr(names[worst]) if len(names) else f"number {worst + 1}"
        raise ConvergenceError(
            f"efa: principal axis did not settle: the communality of item {item} grows "
            "without end (Heywood case). Ask for fewer factors, or use "
            "method='minres', which is bounded."
        )
    return _extraction(problem, found, found.x)


def require_identified(n_items: int, n_factors: int) -> None:
    """Refuse numbers of factors that items do not identify."""
    if isinstance(n_factors, bool) or not isinstance(n_factors, int | np.integer):
        raise AnalysisError(
            f"efa: n_factors={n_factors!r} is not a whole number. Give one, e.g. 3."
        )
    if n_factors < 1:
        raise NotIdentifiedError(
            f"efa: {n_factors} factors asked for. Ask for one or more."
        )
    if (df := degrees_of_freedom(n_items, n_factors)) < 0:
        most = most_factors(n_items)
        remedy = f"Ask for at most {most}, or add items" if most else "Add items"
        noun = "factor" if n_factors == 1 else "factors"
        raise NotIdentifiedError(
            f"efa: {n_factors} {noun} cannot be told apart with {n_items} items "
            f"({df} degrees of freedom). {remedy}."
        )


def _ml(R: Float2D, k: int, near: Float1D | None) -> Extraction:
    problem = Likelihood(R, k)
    unexplained = 1 / np.diag(np.linalg.inv(R))
    starts = (
        [(1 - k / (2 * len(R))) * unexplained, unexplained, np.full(len(R), 0.5)]
        if near is None
        else [near]
    )
    bounds = (float(np.log(LOWEST_UNIQUENESS)), 0.0)
    ends = [search(problem, np.log(np.maximum(s, 1e-3)), bounds) for s in starts]
    arrived = [end for end in ends if end.steepness <= STATIONARY] or ends
    arrived.sort(key=lambda end: end.value)
    values = np.array([end.value for end in arrived])
    solutions = 1 + int((np.diff(values) > SAME_SOLUTION).sum())
    best = arrived[0]
    return _extraction(problem, best, np.exp(best.x), solutions)


def _extraction(
    problem: Discrepancy, found: Minimum, uniqueness: Float1D, solutions: int = 1
) -> Extraction:
    if not found.steepness <= STATIONARY:
        raise ConvergenceError(
            f"efa: the search stopped after {found.steps} steps at gradient "
            f"{found.steepness:.1e}. Ask for fewer factors, or leave out items "
            "that nearly repeat others."
        )
    A = problem.loadings(found.x)
    real = int(((A**2).sum(axis=0) > NOTHING).sum())
    if real < problem.k:
        raise ConvergenceError(
            f"efa: only {real} of {problem.k} factors explain anything; the others "
            f"have no loadings. Ask for {max(real, 1)}."
        )
    signed = A * np.where(A.sum(axis=0) < 0, -1.0, 1.0)
    return Extraction(signed, uniqueness, solutions)
