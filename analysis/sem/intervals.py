"""Intervals that do not lean on standard errors: profile likelihood and bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError
from analysis.result import warning_table
from analysis.sem.data import GroupData
from analysis.sem.estimate import Starts, constrained, minimise
from analysis.sem.fit import require_fit
from analysis.sem.moments import Wanted, sample_moments
from analysis.sem.partable.values import define, label_values
from analysis.sem.problem import pose
from analysis.sem.standardize import estimates
from analysis.sem.syntax import Constraint, Name, Number, Place, near, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.sem.fit import SemFit
    from analysis.sem.moments import Moments
    from analysis.sem.problem import Problem

BootstrapKind: TypeAlias = Literal["percentile", "bias_corrected"]
_LEVEL: Final = 0.95
_REACH: Final = 12
# Fewer draws than this say little of the ends of a distribution.
_FEW: Final = 200


@dataclass(frozen=True, slots=True)
class ProfileInterval:
    """A likelihood-based interval of one parameter.

    Attributes
    ----------
    term
        The parameter, spelt as in the model, or the name of a definition.
    estimate, conf_low, conf_high
        Estimate and ends; an end is NaN where the likelihood never falls far enough.
    level
        Level of the interval.
    n_obs
        Number of respondents.
    """

    term: str
    estimate: float
    conf_low: float
    conf_high: float
    level: float
    n_obs: int

    def tidy(self) -> pd.DataFrame:
        """One row: term estimate conf_low conf_high."""
        return pd.DataFrame(
            {
                "term": [self.term],
                "estimate": [self.estimate],
                "conf_low": [self.conf_low],
                "conf_high": [self.conf_high],
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: the interval, its level and n."""
        return self.tidy().assign(level=self.level, n_obs=self.n_obs)

    def summary(self) -> str:
        """State the interval as papers print it."""
        return (
            f"{self.term} = {self.estimate:.3f}, {self.level:.0%} profile likelihood "
            f"interval [{self.conf_low:.3f}, {self.conf_high:.3f}] (n = {self.n_obs})"
        )


def profile_interval(
    fit: SemFit, term: str, *, level: float = _LEVEL
) -> ProfileInterval:
    """Find where the likelihood of one parameter has fallen too far.

    Parameters
    ----------
    fit
        A model fitted by maximum likelihood (complete or incomplete rows).
    term
        A label, the name of a definition, or a parameter spelt as in the model, such
        as ``"f =~ x2"``.
    level
        Level of the interval.

    Raises
    ------
    AnalysisError
        If the model was fitted otherwise, or has no such free parameter.

    Notes
    -----
    Neale & Miller (1997): the values at which the likelihood-ratio statistic against
    the fitted model equals the quantile of chi-square with one degree of freedom.
    """
    require_fit(fit, where="profile_interval")
    problem = fit.problem
    if problem.method.discrepancy not in {"ML", "FIML"}:
        raise AnalysisError(
            f"profile_interval: estimator={fit.estimator!r} has no likelihood. Use "
            "bootstrap_intervals, or fit the model with 'ML'."
        )
    value, se = _located(fit, term)
    floor = problem.at(fit.theta)
    enough = float(chi2.ppf(level, 1)) / problem.n_obs

    def excess(at: float) -> float:
        held = _holding(problem, term, at)
        try:
            theta = constrained(held, _around(fit))
        except (AnalysisError, ConvergenceError):
            return float("inf")
        return problem.at(theta) - floor - enough

    low, high = (_edge(excess, value, side * se) for side in (-1, 1))
    return ProfileInterval(term, value, low, high, level, fit.n_obs)


def _located(fit: SemFit, term: str) -> tuple[float, float]:
    """Estimate and standard error of what is asked for."""
    tidy = fit.tidy()
    spelt = (tidy["lhs"] + tidy["op"] + tidy["rhs"]).tolist()
    wanted = "".join(term.split())
    here = (tidy["label"] == term) | (pd.Series(spelt) == wanted)
    here &= tidy["std_error"].notna()
    if not here.any():
        known = [t for t in {*tidy["label"], *spelt} if t]
        raise AnalysisError(
            f"profile_interval: {term!r} is no free parameter, label or definition."
            f"{near(term, known)} Spell it as in the model."
        )
    row = tidy[here].iloc[0]
    return float(row["estimate"]), float(row["std_error"])


def _holding(problem: Problem, term: str, value: float) -> Problem:
    """Hold a parameter or definition at a value by a constraint."""
    table, wanted = problem.table, "".join(term.split())
    rows = tuple(
        replace(r, label=r.label or "held by the profile")
        if "".join(str(r).split()) == wanted
        else r
        for r in table.rows
    )
    labels = {r.label for r in rows if "".join(str(r).split()) == wanted}
    name = next(iter(labels), term)
    place = Place(1, 0)
    rule = Constraint(Name(name, place), Number(value), place)
    rules = problem.restrictions
    return replace(
        problem,
        restrictions=replace(
            rules,
            table=replace(table, rows=rows),
            equalities=(*rules.equalities, rule),
        ),
    )


def _around(fit: SemFit) -> Starts:
    variance = np.diag(fit.vcov)
    scale = np.sqrt(np.where(variance > 0, variance, 1.0))
    return Starts(fit.theta, fit.theta, scale)


def _edge(excess: Callable[[float], float], value: float, step: float) -> float:
    """Step outwards until the likelihood has fallen too far, then find the edge."""
    inside, outside = value, value + step
    for _ in range(_REACH):
        if excess(outside) > 0:
            break
        inside, outside = outside, outside + step
    else:
        return float("nan")
    for _ in range(_REACH):
        if np.isfinite(excess(outside)):
            break
        outside = (inside + outside) / 2
    if not excess(outside) > 0:
        return float("nan")
    return float(brentq(excess, inside, outside, xtol=abs(step) * 1e-6))


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapIntervals:
    """Intervals from models fitted to resampled respondents.

    Attributes
    ----------
    table
        One row per parameter (and definition): lhs op rhs group label, estimate,
        std_error (standard deviation of the draws), conf_low conf_high.
    draws
        Estimates of every draw, shape (n_draws, n_rows).
    kind
        How ends were taken.
    seed
        Seed of the draws.
    n_failed
        Samples in which the model could not be fitted; they are left out.
    warnings
        Values that need a second look: what, where, remedy.
    """

    table: pd.DataFrame
    draws: Float2D
    kind: BootstrapKind
    seed: int
    n_failed: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per parameter."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: number of draws, failures, kind and seed."""
        return pd.DataFrame(
            {
                "n_draws": [len(self.draws)],
                "n_failed": [self.n_failed],
                "kind": [self.kind],
                "seed": [self.seed],
            }
        )

    def summary(self) -> str:
        """Say how the intervals were made."""
        words = self.kind.replace("_", "-")
        return (
            f"{words} bootstrap intervals from {len(self.draws)} samples of "
            f"respondents ({self.n_failed} could not be fitted; seed {self.seed})"
        )


def bootstrap_intervals(
    fit: SemFit,
    *,
    draws: int = 1000,
    kind: BootstrapKind = "percentile",
    level: float = _LEVEL,
    seed: int = 0,
) -> BootstrapIntervals:
    """Resample respondents, fit the model again, and take the ends of the estimates.

    Parameters
    ----------
    fit
        A fitted model; its respondents (clusters, where it has any) are drawn with
        replacement within groups.
    draws
        Number of samples.
    kind
        ``"percentile"``, or ``"bias_corrected"`` for the share of draws below the
        estimate.
    level
        Level of the intervals.
    seed
        Seed of the draws.

    Raises
    ------
    AnalysisError
        If fewer than half of the samples could be fitted.

    Notes
    -----
    Efron & Tibshirani (1993), chapters 13 and 14. Same idea as
    ``lavaan::parameterEstimates(boot.ci.type = "perc")`` after ``se = "bootstrap"``.
    """
    require_fit(fit, where="bootstrap_intervals")
    if draws < 1:
        raise AnalysisError(f"bootstrap_intervals: draws={draws}. Ask for 1 or more.")
    rng = np.random.default_rng(seed)
    found = [_drawn(fit, rng) for _ in range(draws)]
    kept = [one for one in found if one is not None]
    if len(kept) < max(draws / 2, 1):
        raise AnalysisError(
            f"bootstrap_intervals: only {len(kept)} of {draws} samples could be "
            "fitted. The model asks too much of the data: simplify it, or collect more "
            "answers."
        )
    values = np.stack(kept)
    estimate = _values(fit.problem, fit.theta)
    low, high = _ends(values, estimate, kind, level)
    table = fit.tidy()[[c for c in _NAMES if c in fit.tidy()]].copy()
    constant = values.std(axis=0) < 1e-12  # noqa: PLR2004 - rounding
    table["estimate"] = estimate
    table["std_error"] = np.where(constant, np.nan, values.std(axis=0, ddof=1))
    table["conf_low"] = np.where(constant, np.nan, low)
    table["conf_high"] = np.where(constant, np.nan, high)
    return BootstrapIntervals(
        table, values, kind, seed, draws - len(kept), warning_table(_odd(kept, draws))
    )


_NAMES: Final = ("lhs", "op", "rhs", "group", "label")


def _odd(kept: list[Float1D], draws: int) -> Iterator[tuple[str, str, str]]:
    if len(kept) < draws:
        yield (
            "samples not fitted",
            f"{draws - len(kept)} of {draws}",
            "Intervals are conditional on convergence; simplify the model if many fail",
        )
    if len(kept) < _FEW:
        yield ("few draws", f"{len(kept)} samples", "Take 1,000 or more for a report")


def _ends(
    values: Float2D, estimate: Float1D, kind: BootstrapKind, level: float
) -> tuple[Float1D, Float1D]:
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if kind == "percentile":
        low, high = np.quantile(values, tails, axis=0)
        return low, high
    below = (values < estimate).mean(axis=0)
    n = len(values)
    shift = norm.ppf(np.clip(below, 0.5 / n, 1 - 0.5 / n))
    at = norm.cdf(2 * shift[:, None] + norm.ppf(tails))
    ends = [np.quantile(values[:, k], at[k]) for k in range(values.shape[1])]
    low, high = np.array(ends).T
    return low, high


def _drawn(fit: SemFit, rng: np.random.Generator) -> Float1D | None:
    """Estimates from one sample; None when it cannot be fitted."""
    problem, table = fit.problem, fit.table
    known = dict(table.categories)
    wanted = Wanted(
        names=table.observed,
        categories=np.array([known.get(n, 0) for n in table.observed], dtype=np.int_),
        exogenous=tuple(table.observed.index(n) for n in table.exogenous),
        conditional=table.conditional,
    )
    try:
        moments = tuple(
            sample_moments(_resampled(m, rng), wanted, problem.method)
            for m in problem.moments
        )
        held = table.with_exogenous([(m.cov, m.mean) for m in moments])
        posed = pose(held, parse(fit.model), moments, problem.method)
        around = _around(fit)
        search = constrained if posed.restrictions.binding else minimise
        theta = search(posed, around)
    except (AnalysisError, ConvergenceError, NotIdentifiedError, np.linalg.LinAlgError):
        return None
    return _values(posed, theta)


def _values(problem: Problem, theta: Float1D) -> Float1D:
    rows = estimates(problem.layouts, theta)
    named = define(problem.table, label_values(problem.table, rows))
    return np.concatenate([rows, np.real(named)])


def _resampled(moments: Moments, rng: np.random.Generator) -> GroupData:
    if moments.x is None or moments.rows is None:
        raise AnalysisError("bootstrap_intervals: the model was fitted without rows.")
    chosen, cluster = _chosen(moments, rng)
    weights = moments.weights
    return GroupData(
        label=moments.label,
        x=moments.x[chosen],
        rows=moments.rows[chosen],
        weights=None if weights is None else weights[chosen],
        cluster=cluster,
    )


def _chosen(moments: Moments, rng: np.random.Generator) -> tuple[Int1D, Int1D | None]:
    """Draw rows, or whole clusters; a cluster drawn twice counts as two."""
    if moments.cluster is None:
        return rng.integers(0, moments.n_obs, moments.n_obs), None
    names, own = np.unique(moments.cluster, return_inverse=True)
    order = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[order], np.arange(len(names) + 1))
    picked = rng.integers(0, len(names), len(names))
    rows = [order[starts[k] : starts[k + 1]] for k in picked]
    numbers = [np.full(len(r), n) for n, r in enumerate(rows)]
    return np.concatenate(rows), np.concatenate(numbers)
