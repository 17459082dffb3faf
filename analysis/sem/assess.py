"""Global fit of a solution: its tests, and its indices against the baseline model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.sem.baseline import baseline
from analysis.sem.casewise import middle, moment_scores, outside
from analysis.sem.chisquare import Statistic, saturated_trace, statistic
from analysis.sem.discrepancy import weighted
from analysis.sem.implied import filled, implied
from analysis.sem.indices import (
    Excess,
    FitIndices,
    comparative,
    further,
    likelihood,
    rmsea,
)
from analysis.sem.inference import pieces, uncertainty
from analysis.sem.missing import information, minus_two_logl
from analysis.sem.pairs import inverse, vech_below
from analysis.sem.problem import normal_moment_weight
from analysis.sem.residuals import mean_squares, model_moments
from analysis.sem.robust import inverse_along
from analysis.sem.stack import OrdinalStack, stack_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.sem.estimators import Method
    from analysis.sem.inference import Uncertainty
    from analysis.sem.moments import Moments
    from analysis.sem.problem import Problem
    from analysis.sem.robust import Piece

_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A minimum, its uncertainty and its test."""

    problem: Problem
    theta: Float1D
    uncertainty: Uncertainty
    statistic: Statistic


def assess(
    problem: Problem,
    theta: Float1D,
    found: Uncertainty,
    *,
    npar: int,
    n_moments: int,
    minimise: Callable[[Problem, Float1D], Float1D],
) -> tuple[FitIndices, Statistic]:
    """Test a solution and compare it with the baseline model.

    Parameters
    ----------
    npar
        Number of estimated parameters; equal ones count once.
    n_moments
        Number of sample moments.
    minimise
        Finds the minimum of the baseline model from its start.

    Notes
    -----
    Same numbers as ``lavaan::fitMeasures``; tests/reference/sem_estimators.R.
    """
    df = n_moments - npar
    saturated = (
        saturated_trace(problem) if problem.method.test == "yuan_bentler_mplus" else 0.0
    )
    own = statistic(problem, theta, found, df=df, saturated=saturated)
    model = Solution(problem, theta, found, own)
    base = _baseline(problem, n_moments, saturated, minimise)
    n, groups = problem.divisor, len(problem.moments)
    wishart = problem.method.likelihood == "wishart"
    ordinal = bool(problem.table.categories)
    values: dict[str, float] = {
        "npar": npar,
        "fmin": own.chisq / (2 * (n if wishart else problem.n_obs)),
        **_tests(own, ""),
        **_tests(base.statistic, "baseline_"),
        **_compared(own, base.statistic, n, groups),
        # The categorical ones with N, as in lavaan from 0.7-2 on.
        **_robust(model, base, problem.n_obs if ordinal else n, groups),
        "ntotal": problem.n_obs,
    }
    if not problem.method.least_squares:
        unrestricted = _saturated_logl(problem)
        logl = unrestricted - problem.n_obs * _half_discrepancy(model)
        values |= likelihood(logl, unrestricted, npar, problem.n_obs)
    if problem.method.test == "yuan_bentler_mplus" and found.middle is not None:
        own_trace = float((found.middle * found.bread).sum())
        values["scaling_factor_h1"] = saturated / n_moments
        values["scaling_factor_h0"] = own_trace / npar if npar else _NAN
    values |= mean_squares(problem, theta)
    values |= further(own, npar, n)
    return FitIndices(values), own


def _half_discrepancy(model: Solution) -> float:
    return float(model.problem.shares @ model.problem.each(model.theta)) / 2


def _tests(found: Statistic, start: str) -> dict[str, float]:
    values = {"chisq": found.chisq, "df": found.df, "pvalue": found.pvalue}
    if found.scaled:
        values |= {
            "chisq_scaled": found.chisq_scaled,
            "df_scaled": found.df_scaled,
            "pvalue_scaled": found.pvalue_scaled,
            "chisq_scaling_factor": found.scaling_factor,
        }
    return {f"{start}{name}": value for name, value in values.items()}


def _baseline(
    problem: Problem,
    n_moments: int,
    saturated: float,
    minimise: Callable[[Problem, Float1D], Float1D],
) -> Solution:
    posed, start = baseline(problem)
    searched = problem.method.discrepancy in {"GLS", "WLS"}
    theta = minimise(posed, start) if searched else start
    found = uncertainty(posed, theta)
    df = n_moments - len(theta)
    tested = statistic(posed, theta, found, df=df, saturated=saturated)
    return Solution(posed, theta, found, tested)


def _compared(own: Statistic, base: Statistic, n: int, groups: int) -> dict[str, float]:
    """Compute indices from the plain and from the scaled statistics."""
    model = Excess(own.chisq, own.df, own.df)
    values = comparative(model, Excess(base.chisq, base.df, base.df), "")
    values |= rmsea(model, n=n, groups=groups, ending="")
    if not own.scaled:
        return values
    scaled = Excess(own.chisq_scaled, own.df_scaled, own.df_scaled)
    scaled0 = Excess(base.chisq_scaled, base.df_scaled, base.df_scaled)
    values |= comparative(scaled, scaled0, "_scaled")
    if own.shift:
        return values | rmsea(scaled, n=n, groups=groups, ending="_scaled")
    mean = Excess(own.chisq, own.trace, own.trace)
    return values | rmsea(mean, n=n, groups=groups, ending="_scaled")


def _robust(model: Solution, base: Solution, n: int, groups: int) -> dict[str, float]:
    """Estimate the indices of the population whatever its distribution."""
    method = model.problem.method
    if not model.statistic.df:
        return {}
    if model.problem.table.categories:
        if not method.scaled:
            return {}
        pairs = [_categorical(model), _categorical_baseline(base)]
    elif method.discrepancy == "FIML":
        cases = _cases(model)
        pairs = [_incomplete(one, cases) for one in (model, base)]
    elif method.scaled and method.test != "mean_var_adjusted":
        pairs = [(s.chisq, s.trace) for s in (model.statistic, base.statistic)]
    else:
        return {}
    (t, expected), (t0, expected0) = pairs
    own = Excess(t, model.statistic.df, expected)
    values = comparative(own, Excess(t0, base.statistic.df, expected0), "_robust")
    # lavaan takes the interval from the shifted statistic, where there is one.
    shifted = model.statistic.shift and not model.problem.table.categories
    if not shifted:
        return values | rmsea(own, n=n, groups=groups, ending="_robust")
    interval = (model.statistic.chisq_scaled, model.statistic.scaling_factor)
    return values | rmsea(own, n=n, groups=groups, ending="_robust", interval=interval)


def _categorical(found: Solution) -> tuple[float, float]:
    """Maximum-likelihood discrepancy of correlations, and its expectation.

    Notes
    -----
    Savalei (2021), with N as lavaan has it from 0.7-2 on. Restrictions on thresholds
    enter through the estimates; NaN where the sample correlations are not positive
    definite.
    """
    problem = found.problem
    total = expected = 0.0
    bread = found.uncertainty.bread
    parts = pieces(problem, found.theta)
    baked = (bread, _filling(parts))
    for g, piece in enumerate(parts):
        stack = stack_of(problem.layouts[g])
        if not isinstance(stack, OrdinalStack) or stack.n_slopes:
            return _NAN, _NAN
        R, Sigma = _matched(problem, g, found.theta)
        if not stack.ordered.all() or np.linalg.eigvalsh(R)[0] <= 0:
            return _NAN, _NAN
        total += problem.moments[g].n_obs * _normal_discrepancy(R, Sigma)
        weight = _correlation_weight(inverse(Sigma))
        at = stack.correlations
        by_theta = piece.by_theta[at]
        across = (piece.gamma @ weighted(piece.weight, piece.by_theta))[at]
        expected += float((weight * piece.gamma[at, at]).sum())
        expected += _moved(piece.share, weight, by_theta, across, baked)
    return total, expected


def _categorical_baseline(base: Solution) -> tuple[float, float]:
    """Discrepancy of the sample correlations from none, and its expectation.

    The expectation is that of lavaan, tr(Gamma) of each group divided by its share:
    with several groups it is larger than their sum, and the CFI a little lower.
    """
    found, expected = _categorical(base)
    if np.isnan(found):
        return found, expected
    expected = 0.0
    for g, share in enumerate(base.problem.shares):
        stack = stack_of(base.problem.layouts[g])
        if isinstance(stack, OrdinalStack):
            at = stack.correlations
            expected += float(np.trace(base.problem.gammas[g][at, at])) / share
    return found, float(expected)


def _matched(problem: Problem, g: int, theta: Float1D) -> tuple[Float2D, Float2D]:
    """Sample and implied correlations of a group."""
    return problem.moments[g].cov, model_moments(problem.layouts[g], theta)[0]


def _normal_discrepancy(S: Float2D, Sigma: Float2D) -> float:
    trace = np.trace(np.linalg.solve(Sigma, S))
    logdet = np.linalg.slogdet(Sigma)[1] - np.linalg.slogdet(S)[1]
    return float(logdet + trace - len(S))


def _correlation_weight(inverse: Float2D) -> Float2D:
    """Information of one normal row about correlations, variances known to be 1."""
    r, c = vech_below(len(inverse))
    i, j = r[:, None], c[:, None]
    found: Float2D = inverse[i, r] * inverse[j, c] + inverse[i, c] * inverse[j, r]
    return found


def _filling(parts: tuple[Piece, ...]) -> Float2D:
    found = np.zeros((parts[0].by_theta.shape[1],) * 2)
    for piece in parts:
        half = weighted(piece.weight, piece.by_theta)
        found += piece.share * half.T @ piece.gamma @ half
    return found


def _moved(
    share: float,
    weight: Float2D,
    by_theta: Float2D,
    across: Float2D,
    baked: tuple[Float2D, Float2D],
) -> float:
    """Compute what estimating theta takes from the expected discrepancy of a group.

    With residuals r = u - Delta bread sum(f Delta' W u): minus twice the product of
    Gamma W Delta (`across`) and V Delta, plus the part all groups share. `baked` are
    bread and filling.
    """
    bread, filling = baked
    weighed = weight @ by_theta
    once = float((bread * (across.T @ weighed)).sum())
    twice = bread @ filling @ bread
    return -2 * share * once + share * float((twice * (by_theta.T @ weighed)).sum())


def _incomplete(found: Solution, cases: list[_Case]) -> tuple[float, float]:
    """Complete-data discrepancy of incomplete rows, and its expectation.

    Notes
    -----
    Zhang & Savalei (2023): method V3 with robust errors, V6 without.
    """
    problem = found.problem
    robust = problem.method.errors == "robust_huber_white"
    jacobians = [
        stack_of(layout).jacobian(found.theta)[case.keep]
        for layout, case in zip(problem.layouts, cases, strict=True)
    ]
    inner, filling = 0.0, 0.0
    for share, case, by_theta in zip(problem.shares, cases, jacobians, strict=True):
        inner = inner + share * by_theta.T @ case.bending @ by_theta
        filling = filling + share * by_theta.T @ case.products @ by_theta
    bread = inverse_along(np.asarray(inner), found.uncertainty.tangent)
    baked = (bread, np.asarray(filling))
    total = expected = 0.0
    for g, (case, by_theta) in enumerate(zip(cases, jacobians, strict=True)):
        share = float(problem.shares[g])
        total += _complete_discrepancy(problem, g, found.theta)
        spread = np.linalg.solve(case.observed, case.products)
        expected += float(
            np.trace(np.linalg.solve(case.observed, spread.T) @ case.complete)
        )
        if robust:
            across = spread @ by_theta
            expected += _moved(share, case.complete, by_theta, across, baked)
        else:
            weighed = by_theta.T @ case.complete @ by_theta
            expected -= share * float((bread * weighed).sum())
    return total, expected


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """Information of a group about its moments, those of predictors left out.

    `bending` is the one that the information about theta is made of.
    """

    keep: Bool1D
    complete: Float2D
    observed: Float2D
    products: Float2D
    bending: Float2D


def _cases(found: Solution) -> list[_Case]:
    """Information of each group, the same for a model and for its baseline."""
    problem = found.problem
    x = tuple(problem.table.observed.index(n) for n in problem.table.exogenous)
    return [_case(m, x, problem.method) for m in problem.moments]


def _case(moments: Moments, x: tuple[int, ...], method: Method) -> _Case:
    keep = outside(len(moments.mean), x, means=True)
    if moments.patterns is None:
        raise ValueError("moments without patterns")
    inside = np.ix_(keep, keep)
    observed = information(moments.patterns, moments.mean, moments.cov, observed=True)
    observed = observed[inside]
    products = bending = observed
    if method.errors in {"robust_huber_white", "first_order"}:
        scores = moment_scores(moments, moments.mean, moments.cov, means=True)
        squares = middle(scores[:, keep], moments)
        if method.errors == "first_order":
            bending = squares
        else:
            products = squares
    if method.information == "expected":
        at = (moments.patterns, moments.mean, moments.cov)
        bending = information(*at, observed=False)[inside]
    complete = normal_moment_weight(moments.cov, means=True)[inside]
    return _Case(keep, complete, observed, products, bending)


def _complete_discrepancy(problem: Problem, g: int, theta: Float1D) -> float:
    moments = problem.moments[g]
    found = implied(filled(problem.layouts[g], theta))
    gap = moments.mean - found.mean
    distance = float(gap @ np.linalg.solve(found.cov, gap))
    return moments.n_obs * (_normal_discrepancy(moments.cov, found.cov) + distance)


def _saturated_logl(problem: Problem) -> float:
    x = [problem.table.observed.index(name) for name in problem.table.exogenous]
    total = 0.0
    for m in problem.moments:
        if m.patterns is None or problem.method.discrepancy != "FIML":
            total += _normal_logl(m.cov, m.n_obs)
        else:
            total += -minus_two_logl(m.patterns, m.mean, m.cov) / 2
        if x:
            total -= _normal_logl(m.cov[np.ix_(x, x)], m.n_obs)
    return total


def _normal_logl(cov: Float2D, n: int) -> float:
    """Log-likelihood of n complete rows at their own moments."""
    p = len(cov)
    logdet = float(np.linalg.slogdet(cov)[1])
    return -n / 2 * (p * float(np.log(2 * np.pi)) + logdet + p)
