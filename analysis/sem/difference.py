"""Tests of the difference between two nested models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from scipy.linalg import null_space
from scipy.stats import chi2

from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError
from analysis.sem.chisquare import saturated_trace, statistic
from analysis.sem.discrepancy import LeastSquares, NormalLikelihood, Target
from analysis.sem.estimate import minimise, start_values
from analysis.sem.inference import pieces, uncertainty
from analysis.sem.residuals import model_moments
from analysis.sem.robust import inverse_along
from analysis.sem.stack import stack_of

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.sem.discrepancy import Discrepancy
    from analysis.sem.fit import SemFit
    from analysis.sem.moments import Moments
    from analysis.sem.problem import Problem

DifferenceMethod: TypeAlias = Literal[
    "standard",
    "satorra_bentler_2001",
    "satorra_bentler_2010",
    "satorra_2000",
]
METHODS: Final[tuple[DifferenceMethod, ...]] = (
    "standard",
    "satorra_bentler_2001",
    "satorra_bentler_2010",
    "satorra_2000",
)
# Discrepancy below which one model reproduces all that another one implies.
REPRODUCED: Final = 1e-8


# Of a chi-square that rounding alone makes smaller.
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Difference:
    """A test of the restrictions that one model puts on another.

    Attributes
    ----------
    chisq, df, pvalue
        The test; `chisq` is NaN when it cannot be computed.
    method
        How the difference was scaled.
    note
        Why there is no test, or what to keep in mind; empty otherwise.
    """

    chisq: float
    df: int
    pvalue: float
    method: DifferenceMethod
    note: str = ""


def default_method(fit: SemFit) -> DifferenceMethod:
    """Which difference test suits the test of a model."""
    test = fit.problem.method.test
    if test == "standard":
        return "standard"
    scaled = test in {"satorra_bentler", "yuan_bentler_mplus"}
    return "satorra_bentler_2001" if scaled else "satorra_2000"


def difference(
    free: SemFit, restricted: SemFit, method: DifferenceMethod | None = None
) -> Difference:
    """Test the restrictions of one model against a less restricted one.

    Parameters
    ----------
    free, restricted
        Nested models of the same data, fitted in the same way.
    method
        ``"satorra_bentler_2001"`` (default for one scaling factor),
        ``"satorra_bentler_2010"`` (never negative), ``"satorra_2000"`` (default for
        scaled and shifted statistics), ``"standard"`` (default without scaling).

    Raises
    ------
    AnalysisError
        If the method is unknown, or does not suit the tests of the models.

    Notes
    -----
    Satorra & Bentler (2001, 2010), for tests of one scaling factor; Satorra (2000).
    Scaled chi-squares are never subtracted. Same as ``lavaan::lavTestLRT``;
    tests/reference/sem_post.R.
    """
    chosen = method or default_method(free)
    if chosen not in METHODS:
        raise AnalysisError(
            f"method={chosen!r} is no difference test. Use one of {', '.join(METHODS)}."
        )
    df = restricted.statistic.df - free.statistic.df
    plain = restricted.statistic.chisq - free.statistic.chisq
    if plain < -_ROUNDING * max(1.0, restricted.statistic.chisq):
        return Difference(
            *(np.nan, df, np.nan, chosen),
            "the less restricted model fits worse: its search ended at a local "
            "minimum, or they are not nested; start it near the other's estimates",
        )
    if chosen == "standard":
        return _tested(plain, df, chosen)
    if not free.statistic.scaled and not restricted.statistic.scaled:
        raise AnalysisError(
            f"method={chosen!r} wants corrected statistics, which "
            f"estimator={free.estimator!r} has not. Use method='standard', or fit both "
            "models with 'MLR' or 'WLSMV'."
        )
    shifted = any(
        fit.problem.method.test in {"scaled_shifted", "mean_var_adjusted"}
        for fit in (free, restricted)
    )
    if chosen in {"satorra_bentler_2001", "satorra_bentler_2010"} and shifted:
        raise AnalysisError(
            f"method={chosen!r} divides by one scaling factor, and the test of "
            f"estimator={free.estimator!r} has none: it is adjusted in mean and "
            "variance. Use method='satorra_2000' (the default here), or fit both "
            "models with 'MLM', 'MLR', 'WLSM' or 'ULSM'."
        )
    if chosen == "satorra_2000" and not free.problem.gammas:
        raise AnalysisError(
            "method='satorra_2000' needs the asymptotic covariance of the moments, "
            f"which {free.problem.method.name} does not use. Take "
            "'satorra_bentler_2001' or 'satorra_bentler_2010'."
        )
    if chosen == "satorra_2000":
        first, second = _restricting(free, restricted)
        slope = float(np.sqrt(df / second))
        return _tested(slope * plain + df - slope * first, df, chosen)
    scaling = _scaling_2001(free, restricted, df)
    if chosen == "satorra_bentler_2010":
        scaling = _scaling_2010(free, restricted, df)
    if scaling <= 0:
        return Difference(
            *(np.nan, df, np.nan, chosen),
            "the scaling of the difference is negative; use satorra_bentler_2010",
        )
    return _tested(plain / scaling, df, chosen)


def _tested(chisq: float, df: int, method: DifferenceMethod) -> Difference:
    return Difference(float(chisq), df, float(chi2.sf(chisq, df)), method)


def _scaling_2001(free: SemFit, restricted: SemFit, df: int) -> float:
    return (_trace(restricted) - _trace(free)) / df


def _trace(fit: SemFit) -> float:
    return fit.statistic.trace if fit.statistic.df else 0.0


def _scaling_2010(free: SemFit, restricted: SemFit, df: int) -> float:
    """Scaling from the less restricted model at the estimates of the other one."""
    theta = _reached(free, restricted)
    problem = free.problem
    saturated = (
        saturated_trace(problem) if problem.method.test == "yuan_bentler_mplus" else 0.0
    )
    there = statistic(
        problem,
        theta,
        uncertainty(problem, theta),
        df=free.statistic.df,
        saturated=saturated,
    )
    return (_trace(restricted) - there.trace) / df


def _restricting(free: SemFit, restricted: SemFit) -> tuple[float, float]:
    """tr(U Gamma) and tr(U Gamma U Gamma) of the restrictions between two models."""
    parts = pieces(free.problem, free.theta)
    tangent = free.uncertainty.tangent
    ours = np.vstack([p.by_theta @ tangent for p in parts])
    theirs = _aligned_jacobian(free, restricted)
    along, *_ = np.linalg.lstsq(ours, theirs, rcond=None)
    apart = null_space(along.T).T
    sums = free.uncertainty.sandwich
    if sums is None:
        raise ValueError("a fit without asymptotic covariances")
    bread = inverse_along(_inner(free), np.eye(tangent.shape[1]))
    filling = tangent.T @ sums.filling @ tangent
    spread = bread @ apart.T
    middle = spread @ np.linalg.solve(apart @ spread, spread.T)
    product = middle @ filling
    return float(np.trace(product)), float((product * product.T).sum())


def _inner(fit: SemFit) -> Float2D:
    tangent = fit.uncertainty.tangent
    bend = fit.problem.bend(fit.theta, observed=False) / 2
    found: Float2D = tangent.T @ bend @ tangent
    return found


def _aligned_jacobian(free: SemFit, restricted: SemFit) -> Float2D:
    """Derive the restricted model's moments, in the order of the other's."""
    out = []
    for g, layout in enumerate(restricted.problem.layouts):
        order = _order(free.problem, restricted.problem, g)
        out.append(stack_of(layout).jacobian(restricted.theta)[order])
    found: Float2D = np.vstack(out) @ restricted.uncertainty.tangent
    return found


def _order(free: Problem, restricted: Problem, g: int) -> Int1D:
    """Where each moment of one model stands among those of the other."""
    theirs = stack_of(restricted.layouts[g]).labels
    at = {label: k for k, label in enumerate(theirs)}
    ours = stack_of(free.layouts[g]).labels
    return np.array([at[label] for label in ours], dtype=np.int_)


def reproduces(free: SemFit, restricted: SemFit) -> bool:
    """Whether the less restricted model fits the other's implied moments exactly.

    Notes
    -----
    Nesting is established, not assumed: Bentler & Satorra (2010).
    """
    try:
        theta = _reached(free, restricted)
    except (ConvergenceError, NotIdentifiedError):
        return False
    return _aimed(free, restricted).at(theta) < REPRODUCED


def _reached(free: SemFit, restricted: SemFit) -> Float1D:
    """Estimates of the less restricted model from the other's implied moments."""
    problem = _aimed(free, restricted)
    starts = start_values(problem.table, problem.moments)
    return minimise(problem, starts, floor=REPRODUCED)


def _aimed(free: SemFit, restricted: SemFit) -> Problem:
    """Put the implied moments of one model in the place of the sample's."""
    problem = free.problem
    moments: list[Moments] = []
    discrepancies: list[Discrepancy] = []
    for g, layout in enumerate(problem.layouts):
        target = _implied_moments(free, restricted, g)
        moments.append(target)
        if problem.table.categories:
            stack = stack_of(layout)
            order = _order(problem, restricted.problem, g)
            theirs = stack_of(restricted.problem.layouts[g])
            sample = theirs.vector(restricted.theta)[order]
            discrepancies.append(LeastSquares(stack, sample, np.ones(len(sample))))
        else:
            means = problem.table.meanstructure
            goal = Target.of(target, means=means)
            discrepancies.append(NormalLikelihood(layout, goal))
    return replace(problem, moments=tuple(moments), discrepancies=tuple(discrepancies))


def _implied_moments(free: SemFit, restricted: SemFit, g: int) -> Moments:
    cov, mean = model_moments(restricted.problem.layouts[g], restricted.theta)
    order = [restricted.observed.index(name) for name in free.observed]
    return replace(
        free.problem.moments[g], cov=cov[np.ix_(order, order)], mean=mean[order]
    )
