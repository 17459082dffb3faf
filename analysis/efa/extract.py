"""Unrotated factors of a correlation matrix.

Principal axis and maximum likelihood run in statsmodels' ``Factor``. Two things are
done here because statsmodels leaves them open: its principal axis stops silently at
its iteration limit, so the solution is checked to be a fixed point; its ML has no
bound on uniquenesses and often stops on "precision loss", so its solution is finished
on the concentrated discrepancy within bounds. Minres exists only here.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy.optimize import minimize
from statsmodels.multivariate.factor import Factor

from analysis.errors import ConvergenceError, NotIdentifiedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.arrays import Float1D, Float2D

    Discrepancy: TypeAlias = Callable[[Float1D, Float2D, int], tuple[float, Float1D]]

Method: TypeAlias = Literal["pa", "ml", "minres"]

# The bound psych::fa and factanal use as well; at it, a factor explains an item fully.
LOWEST_UNIQUENESS = 0.005
PA_ITERATIONS, PA_TOLERANCE = 20_000, 1e-10
# Enough to come close; more cost seconds with many items and the finish is exact.
ML_ITERATIONS = 50
# Largest projected gradient, or change of a communality, that counts as a solution.
STATIONARY = 1e-5


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
    """

    loadings: Float2D
    uniqueness: Float1D


def degrees_of_freedom(n_items: int, n_factors: int) -> int:
    """Degrees of freedom of the factor model, ((p - k)^2 - (p + k)) / 2."""
    return ((n_items - n_factors) ** 2 - (n_items + n_factors)) // 2


def most_factors(n_items: int) -> int:
    """Largest number of factors that p items identify."""
    return max(
        (k for k in range(n_items) if degrees_of_freedom(n_items, k) >= 0), default=0
    )


def extract(R: Float2D, n_factors: int, *, method: Method) -> Extraction:
    """Extract unrotated factors.

    Parameters
    ----------
    R
        Positive definite correlation matrix, shape (p, p).
    n_factors
        Number of factors k, at least 1.
    method
        ``"pa"`` iterated principal axis, ``"ml"`` maximum likelihood, ``"minres"``
        least squares of the off-diagonal residuals. At its solution principal
        axis equals minres.

    Raises
    ------
    NotIdentifiedError
        If p items do not identify k factors (negative degrees of freedom).
    ConvergenceError
        If no solution is found.

    Notes
    -----
    Joreskog (1967) for ml, Harman and Jones (1966) for minres. Same as
    ``psych::fa(R, k, fm = method, rotate = "none", min.err = 1e-10,
    max.iter = 5000)``, and for ml ``factanal(rotation = "none")``.
    """
    p = len(R)
    if n_factors < 1:
        raise NotIdentifiedError(
            f"efa: {n_factors} factors asked for. Ask for one or more."
        )
    if (df := degrees_of_freedom(p, n_factors)) < 0:
        raise NotIdentifiedError(
            f"efa: {n_factors} factors cannot be told apart with {p} items "
            f"({df} degrees of freedom). Ask for at most {most_factors(p)}, "
            "or add items."
        )
    if method == "pa":
        return _principal_axis(R, n_factors)
    if method == "ml":
        start = _statsmodels_ml(R, n_factors)
        return _bounded(R, n_factors, start, _ml_discrepancy, _ml_loadings)
    start = 1 / np.diag(np.linalg.inv(R))
    return _bounded(R, n_factors, start, _uls_discrepancy, _uls_loadings)


def _principal_axis(R: Float2D, k: int) -> Extraction:
    model = Factor(corr=R, n_factor=k, method="pa", smc=True)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        A: Float2D = model.fit(maxiter=PA_ITERATIONS, tol=PA_TOLERANCE).loadings
    if A.shape[1] < k or not np.isfinite(A).all():
        raise ConvergenceError(
            f"efa: principal axis finds only {A.shape[1]} of {k} factors with "
            "positive variance. Ask for fewer factors."
        )
    uniqueness = 1 - (A**2).sum(axis=1)
    change = 1 - (_uls_loadings(R, uniqueness, k) ** 2).sum(axis=1) - uniqueness
    if np.abs(change).max() > STATIONARY:
        raise ConvergenceError(
            f"efa: principal axis did not settle in {PA_ITERATIONS} iterations "
            f"(communalities still change by {np.abs(change).max():.1e}). "
            "Ask for fewer factors, or use method='minres'."
        )
    return Extraction(_positive(A), uniqueness)


def _statsmodels_ml(R: Float2D, k: int) -> Float1D:
    """Uniquenesses by statsmodels, from squared multiple correlations.

    Its convergence warnings are not heeded: the bounded search that follows starts
    here and decides.
    """
    uniqueness = 1 / np.diag(np.linalg.inv(R))
    start = (_ml_loadings(R, uniqueness, k), uniqueness)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = Factor(corr=R, n_factor=k, method="ml")
        found = model.fit(start=start, opt={"maxiter": ML_ITERATIONS}).uniqueness
    if not np.isfinite(found).all():
        return uniqueness
    bounded: Float1D = np.clip(found, LOWEST_UNIQUENESS, 1)
    return bounded


def _bounded(
    R: Float2D,
    k: int,
    start: Float1D,
    discrepancy: Discrepancy,
    loadings: Callable[[Float2D, Float1D, int], Float2D],
) -> Extraction:
    bounds = [(LOWEST_UNIQUENESS, 1.0)] * len(R)
    found = minimize(
        discrepancy,
        np.clip(start, LOWEST_UNIQUENESS, 1),
        args=(R, k),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxfun": 20_000},
    )
    uniqueness: Float1D = found.x
    slope = discrepancy(uniqueness, R, k)[1]
    free = uniqueness - np.clip(uniqueness - slope, LOWEST_UNIQUENESS, 1)
    if not np.abs(free).max() <= STATIONARY:
        raise ConvergenceError(
            f"efa: the search stopped after {found.nit} iterations at gradient "
            f"{np.abs(free).max():.1e}. Ask for fewer factors, or leave out items "
            "that nearly repeat others."
        )
    return Extraction(_positive(loadings(R, uniqueness, k)), uniqueness)


def _ml_eigen(R: Float2D, uniqueness: Float1D) -> tuple[Float1D, Float2D]:
    scale = 1 / np.sqrt(uniqueness)
    values, vectors = np.linalg.eigh(R * np.outer(scale, scale))
    return values[::-1], vectors[:, ::-1]


def _ml_loadings(R: Float2D, uniqueness: Float1D, k: int) -> Float2D:
    values, vectors = _ml_eigen(R, uniqueness)
    stretched: Float2D = vectors[:, :k] * np.sqrt(np.maximum(values[:k] - 1, 0))
    return stretched * np.sqrt(uniqueness)[:, None]


def _ml_discrepancy(uniqueness: Float1D, R: Float2D, k: int) -> tuple[float, Float1D]:
    """ML discrepancy with the best loadings given uniquenesses, and its slope."""
    values = np.maximum(_ml_eigen(R, uniqueness)[0][k:], np.finfo(float).tiny)
    A = _ml_loadings(R, uniqueness, k)
    slope = ((A**2).sum(axis=1) + uniqueness - 1) / uniqueness**2
    return float((values - np.log(values) - 1).sum()), slope


def _uls_loadings(R: Float2D, uniqueness: Float1D, k: int) -> Float2D:
    values, vectors = np.linalg.eigh(R - np.diag(uniqueness))
    largest: Float2D = vectors[:, ::-1][:, :k]
    loadings: Float2D = largest * np.sqrt(np.maximum(values[::-1][:k], 0))
    return loadings


def _uls_discrepancy(uniqueness: Float1D, R: Float2D, k: int) -> tuple[float, Float1D]:
    """Half the squared residuals with the best loadings, and its slope."""
    values, vectors = np.linalg.eigh(R - np.diag(uniqueness))
    rest = values[::-1].copy()
    rest[:k] = np.minimum(rest[:k], 0)
    slope = -(vectors[:, ::-1] ** 2) @ rest
    return float((rest**2).sum() / 2), slope


def _positive(A: Float2D) -> Float2D:
    signed: Float2D = A * np.where(A.sum(axis=0) < 0, -1.0, 1.0)
    return signed
