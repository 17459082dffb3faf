"""Hierarchical regression: what each further block of predictors adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError
from analysis.plots.forest import forest
from analysis.regression.design import Design, build_design
from analysis.regression.formula import Formula, parse_formula
from analysis.regression.inference import check_conf_level, wald_f
from analysis.regression.linear import check_vcov, fit_linear
from analysis.regression.moments import cross_products, r_squared, scaled_rows
from analysis.result import format_p, warning_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Float1D
    from analysis.regression.fit import RegressionFit, Vcov

MIN_DRAWS = 100


@dataclass(frozen=True, slots=True, eq=False)
class HierarchicalFit:
    """Regressions that grow block by block, on the same rows.

    Attributes
    ----------
    steps
        The fit of every step.
    table
        One row per step; see `tidy`.
    outcome
        Label of the outcome.
    vcov_kind
        Estimator behind the robust test of every block.
    conf_level
        Of the intervals of the changes in R squared.
    n_obs
        Rows used in every step.
    n_dropped
        Rows left out because a variable of the last step is missing.
    warnings
        ``what where remedy``, of the last step.
    """

    steps: tuple[RegressionFit, ...]
    table: pd.DataFrame
    outcome: str
    vcov_kind: str
    conf_level: float
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per step.

        ``term`` (the block), ``step``, ``predictors``, ``r_squared``, ``estimate``
        (change in R squared) with ``conf_low conf_high``, the classical test of the
        change ``f_change df_num df_den p_change``, and the robust Wald test of the
        added block ``statistic df_robust p_value``.
        """
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row per step: the fit of the whole model at that step."""
        rows = pd.concat([fit.glance() for fit in self.steps], ignore_index=True)
        rows.insert(0, "step", self.table["step"].to_numpy())
        rows.insert(1, "term", self.table["term"].to_numpy())
        return rows

    def summary(self) -> str:
        """Change at every step in one sentence."""
        parts = [
            f"{row['term']}: R2 = {row['r_squared']:.3f}, change {row['estimate']:.3f} "
            f"[{row['conf_low']:.3f}, {row['conf_high']:.3f}], "
            f"robust {format_p(float(row['p_value']))}"
            for _, row in self.table.iterrows()
        ]
        return f"{self.outcome} (n = {self.n_obs}): {'; '.join(parts)}."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the change in R squared that every block brings."""
        return forest(
            self.table,
            title=f"What each block adds to {self.outcome}",
            n=self.n_obs,
            xlabel=f"change in R squared ({self.conf_level:.0%} bootstrap interval)",
            ax=ax,
        )


def hierarchical(
    outcome: str,
    blocks: Sequence[Sequence[str]] | Mapping[str, Sequence[str]],
    data: pd.DataFrame,
    *,
    vcov: Vcov = "HC3",
    cluster: str | None = None,
    conf_level: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> HierarchicalFit:
    """Linear regression with blocks of predictors entered one after the other.

    Parameters
    ----------
    outcome
        Left-hand side of the formula.
    blocks
        Predictors of every block, in the order of entry; names of blocks are the
        keys of a mapping, otherwise "Block 1" and so on. A predictor is a term of a
        formula, for example ``"age"`` or ``"age:length"``.
    data
        As in `ols`. Every step uses the rows complete for the last step.
    vcov, cluster, conf_level
        As in `ols`.
    draws
        Bootstrap resamples for the intervals.
    seed
        Of the bootstrap.

    Returns
    -------
    HierarchicalFit
        With one row per step.

    Raises
    ------
    AnalysisError
        As `ols`; if there is no block, an empty block, or a predictor entered twice.
    TooFewError
        As `ols`.

    Notes
    -----
    The change in R squared is tested classically as ``anova(fit0, fit1)`` and
    robustly as ``lmtest::waldtest(fit0, fit1, vcov = vcovHC(fit1, "HC3"))``. Its
    interval is the bias-corrected and accelerated bootstrap (Efron 1987) over rows,
    or over clusters; a change cannot be negative, so the interval tells its size and
    only the test tells whether it is there. AIC and BIC count the error variance, as
    ``AIC(fit)``. The first step is compared with the mean alone.
    """
    check_conf_level(conf_level)
    check_vcov(vcov, cluster)
    if draws < MIN_DRAWS:
        raise AnalysisError(f"draws: {draws} are too few. Use {MIN_DRAWS} or more.")
    named = _named_blocks(blocks)
    formulas = _formulas(outcome, named)
    last = formulas[-1]
    designs = [
        build_design(f, data, cluster=cluster, also_complete=last.variables)
        for f in formulas
    ]
    fits = tuple(
        fit_linear(d, vcov=vcov, cluster=cluster, conf_level=conf_level)
        for d in designs
    )
    rows = [_step(number, designs, fits, list(named)) for number in range(len(designs))]
    table = pd.DataFrame(rows)
    intervals = _intervals(designs, draws=draws, seed=seed, conf_level=conf_level)
    table.insert(5, "conf_low", [low for low, _ in intervals])
    table.insert(6, "conf_high", [high for _, high in intervals])
    table.insert(2, "predictors", [", ".join(block) for block in named.values()])
    return HierarchicalFit(
        steps=fits,
        table=table,
        outcome=outcome,
        vcov_kind=fits[-1].vcov_kind,
        conf_level=conf_level,
        n_obs=fits[-1].n_obs,
        n_dropped=fits[-1].n_dropped,
        warnings=warning_table(fits[-1].warnings.itertuples(index=False, name=None)),
    )


def _named_blocks(
    blocks: Sequence[Sequence[str]] | Mapping[str, Sequence[str]],
) -> dict[str, list[str]]:
    pairs = (
        list(blocks.items())
        if isinstance(blocks, Mapping)
        else [(f"Block {i}", block) for i, block in enumerate(blocks, start=1)]
    )
    if not pairs:
        raise AnalysisError("blocks: there are none. Name at least one predictor.")
    for name, block in pairs:
        if isinstance(block, str) or not block:
            raise AnalysisError(
                f"blocks: {name!r} is {block!r}, not a list of predictors. "
                "Write for example ['age', 'gender']."
            )
    seen = [predictor for _, block in pairs for predictor in block]
    twice = sorted({p for p in seen if seen.count(p) > 1})
    if twice:
        raise AnalysisError(f"blocks: {twice} are entered twice. Keep one of each.")
    return {name: list(block) for name, block in pairs}


def _formulas(outcome: str, named: Mapping[str, Sequence[str]]) -> list[Formula]:
    formulas: list[Formula] = []
    entered: list[str] = []
    for name, block in named.items():
        entered += block
        formula = parse_formula(f"{outcome} ~ {' + '.join(entered)}")
        before = formulas[-1].terms if formulas else ()
        if not formula.intercept or len(formula.terms) <= len(before):
            raise AnalysisError(
                f"blocks: {name!r} adds no predictor or takes the intercept away. "
                "List only predictors that are new."
            )
        formulas.append(formula)
    return formulas


def _step(
    number: int,
    designs: Sequence[Design],
    fits: Sequence[RegressionFit],
    names: Sequence[str],
) -> dict[str, object]:
    """Compare a step with the one before it."""
    design, fit = designs[number], fits[number]
    r2 = float(fit.measures["r_squared"].iloc[0])
    before = (
        0.0 if number == 0 else float(fits[number - 1].measures["r_squared"].iloc[0])
    )
    old = {0} if number == 0 else _positions(design, designs[number - 1])
    new = [j for j in range(len(design.columns)) if j not in old]
    df_den = design.n_obs - len(design.columns)
    unexplained = (1 - r2) / df_den
    gain = (r2 - before) / len(new)
    f_change = gain / unexplained if unexplained > 0 else np.inf
    beta = fit.coefficients["estimate"].to_numpy(float)
    robust = wald_f(beta[new], fit.vcov.to_numpy()[np.ix_(new, new)], fit.df)
    return {
        "term": names[number],
        "step": number + 1,
        "r_squared": r2,
        "estimate": r2 - before,
        "f_change": f_change,
        "df_num": len(new),
        "df_den": df_den,
        "p_change": float(stats.f.sf(f_change, len(new), df_den)),
        "statistic": robust.statistic,
        "df_robust": robust.df_den,
        "p_value": robust.p_value,
        "aic": float(fit.measures["aic"].iloc[0]),
        "bic": float(fit.measures["bic"].iloc[0]),
        "n_obs": design.n_obs,
    }


def _positions(design: Design, smaller: Design) -> set[int]:
    """Where the columns of `smaller` stand in `design`."""
    missing = [name for name in smaller.columns if name not in design.columns]
    if missing:
        raise AnalysisError(
            f"blocks: {missing} are lost or change their coding when a later block "
            "enters. Enter main effects before their products, and take none away."
        )
    return {design.columns.index(name) for name in smaller.columns}


def _intervals(
    designs: Sequence[Design], *, draws: int, seed: int, conf_level: float
) -> list[tuple[float, float]]:
    """BCa intervals of the changes in R squared of all steps, on the same draws."""
    last = designs[-1]
    rows = scaled_rows(last.X, last.outcome.to_numpy(float))
    products = cross_products(rows, last.groups)
    resampled = products.resampled(draws, np.random.default_rng(seed))
    whole = products.within(np.zeros(len(products.per_group), dtype=int))
    without_one = whole - products.per_group.reshape(-1, products.m, products.m)
    sets = [[0]] + [sorted(_positions(last, d)) for d in designs]
    intervals = []
    for old, new in pairwise(sets):
        estimate, resampled_change, jackknife = (
            r_squared(sums, new) - r_squared(sums, old)
            for sums in (whole, resampled, without_one)
        )
        intervals.append(
            bca_interval(float(estimate[0]), resampled_change, jackknife, conf_level)
        )
    return intervals


def bca_interval(
    estimate: float, resampled: Float1D, jackknife: Float1D, conf_level: float
) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap interval.

    Parameters
    ----------
    estimate
        On the data.
    resampled
        On the bootstrap draws, shape (draws,).
    jackknife
        Leaving out each unit in turn, shape (n_units,).
    conf_level
        Of the interval.

    Returns
    -------
    tuple
        Lower and upper end; NaN where too few rows leave a resample without spread.

    Notes
    -----
    Efron (1987), eq. 2.3 and 6.6; same as ``boot::boot.ci(type = "bca")`` up to the
    draws.
    """
    if np.isnan(resampled).any() or np.isnan(jackknife).any():
        return float("nan"), float("nan")
    below = (np.sum(resampled < estimate) + 0.5 * np.sum(resampled == estimate)) / len(
        resampled
    )
    half = 0.5 / len(resampled)
    z0 = stats.norm.ppf(np.clip(below, half, 1 - half))
    gap = jackknife.mean() - jackknife
    size = np.sum(gap**2) ** 1.5
    acceleration = 0.0 if size == 0 else float(np.sum(gap**3) / (6 * size))
    tails = stats.norm.ppf([(1 - conf_level) / 2, (1 + conf_level) / 2])
    shifted = z0 + tails
    levels = stats.norm.cdf(z0 + shifted / (1 - acceleration * shifted))
    low, high = np.quantile(resampled, levels)
    return float(low), float(high)
