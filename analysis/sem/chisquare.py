"""Tests of a model against the saturated one, plain and corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from analysis.sem.casewise import middle, moment_scores, outside
from analysis.sem.missing import information
from analysis.sem.problem import normal_moment_weight

if TYPE_CHECKING:
    from analysis.arrays import Float1D
    from analysis.sem.estimators import TestName
    from analysis.sem.inference import Uncertainty
    from analysis.sem.moments import Moments
    from analysis.sem.problem import Problem
    from analysis.sem.robust import Sandwich

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Statistic:
    """Chi-square of a model.

    Attributes
    ----------
    chisq, df, pvalue
        The plain statistic; `pvalue` is NaN when `df` is 0 or it has no chi-square
        distribution (diagonally weighted and unweighted least squares).
    chisq_scaled, df_scaled, pvalue_scaled
        The corrected one; NaN without.
    scaling_factor, shift
        ``chisq_scaled = chisq / scaling_factor + shift``.
    trace
        Expectation of `chisq` in a true model, tr(U Gamma); NaN without correction.
    """

    chisq: float
    df: int
    pvalue: float
    chisq_scaled: float = _NAN
    df_scaled: float = _NAN
    pvalue_scaled: float = _NAN
    scaling_factor: float = _NAN
    shift: float = 0.0
    trace: float = _NAN

    @property
    def scaled(self) -> bool:
        """Whether there is a corrected statistic."""
        return not np.isnan(self.chisq_scaled)

    @property
    def inflation(self) -> float:
        """Expectation of `chisq` in a true model divided by `df`, c-hat."""
        return self.trace / self.df if self.df else _NAN


def statistic(
    problem: Problem,
    theta: Float1D,
    found: Uncertainty,
    *,
    df: int,
    saturated: float,
) -> Statistic:
    """Compare a fitted model with the saturated one.

    Parameters
    ----------
    saturated
        From `saturated_trace`; only used by the Yuan-Bentler correction.

    Notes
    -----
    Satorra & Bentler (1994), Asparouhov & Muthen (2010, scaled and shifted), Yuan &
    Bentler (2000) as in Mplus.
    """
    method = problem.method
    chisq = float(problem.multipliers @ problem.each(theta))
    exact = method.discrepancy not in {"ULS", "DWLS"}
    pvalue = float(chi2.sf(chisq, df)) if df and exact else _NAN
    if not method.scaled or not df:
        return Statistic(chisq, df, pvalue)
    if method.test == "yuan_bentler_mplus":
        if found.middle is None:
            return Statistic(chisq, df, pvalue)
        trace = saturated - float((found.middle * found.bread).sum())
        return _scaled(chisq, df, pvalue, trace)
    return _by_sandwich(method.test, found.sandwich, Statistic(chisq, df, pvalue))


def _by_sandwich(test: TestName, sums: Sandwich | None, plain: Statistic) -> Statistic:
    """Correct a statistic by the traces of U Gamma."""
    if sums is None:
        return plain
    chisq, df, pvalue = plain.chisq, plain.df, plain.pvalue
    trace, square = sums.trace, sums.trace_squared
    if test == "satorra_bentler":
        return _scaled(chisq, df, pvalue, trace)
    if test == "mean_var_adjusted":
        adjusted = trace**2 / square
        scaled = chisq * adjusted / trace
        return Statistic(
            *(chisq, df, pvalue, scaled, adjusted),
            pvalue_scaled=float(chi2.sf(scaled, adjusted)),
            scaling_factor=trace / adjusted,
            trace=trace,
        )
    slope = float(np.sqrt(df / square))
    shift = df - slope * trace
    scaled = slope * chisq + shift
    return Statistic(
        *(chisq, df, pvalue, scaled, float(df)),
        pvalue_scaled=float(chi2.sf(scaled, df)),
        scaling_factor=1 / slope,
        shift=shift,
        trace=trace,
    )


def _scaled(chisq: float, df: int, pvalue: float, trace: float) -> Statistic:
    factor = trace / df
    scaled = chisq / factor
    return Statistic(
        *(chisq, df, pvalue, scaled, float(df)),
        pvalue_scaled=float(chi2.sf(scaled, df)),
        scaling_factor=factor,
        trace=trace,
    )


def saturated_trace(problem: Problem) -> float:
    """tr(B A^-1) of the saturated model, summed over groups.

    A is the information and B the mean product of scores, at the unrestricted moments.
    """
    table = problem.table
    x = tuple(table.observed.index(n) for n in table.exogenous)
    means, observed = table.meanstructure, problem.method.information == "observed"
    return sum(
        _group_trace(m, x, means=means, observed=observed) for m in problem.moments
    )


def _group_trace(
    moments: Moments, x: tuple[int, ...], *, means: bool, observed: bool
) -> float:
    plain = moments.patterns is None and moments.cluster is None and not x
    if plain and moments.x is not None:
        # The closed form of what follows for complete, independent rows.
        d = moments.x - moments.mean
        far = np.einsum("ni,ni->n", d @ np.linalg.inv(moments.cov), d)
        p = len(moments.mean)
        each = (far**2 - 2 * far + p) / 2 + (far if means else 0.0)
        return float((moments.rows_weight**2 @ each) / moments.n_obs)
    keep = outside(len(moments.mean), x, means=means)
    scores = moment_scores(moments, moments.mean, moments.cov, means=means)[:, keep]
    if moments.patterns is None:
        weight = normal_moment_weight(moments.cov, means=means)
    else:
        weight = information(
            moments.patterns, moments.mean, moments.cov, observed=observed
        )
    inverse = np.linalg.inv(weight[np.ix_(keep, keep)])
    return float((middle(scores, moments) * inverse).sum())
