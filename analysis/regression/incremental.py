"""Incremental value: what further predictors add for people not yet seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.plots.forest import forest
from analysis.regression.design import Design, build_design
from analysis.regression.formula import parse_formula
from analysis.regression.inference import check_conf_level, wald_f
from analysis.regression.linear import fit_linear, numeric_outcome
from analysis.regression.moments import (
    bootstrap_sums,
    coefficients,
    cross_products,
    scaled_rows,
)
from analysis.result import format_p, warning_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Float2D, Int1D
    from analysis.regression.fit import RegressionFit, Vcov

DRAWS = 2000
FEW_GROUPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class Incremental:
    """What predictors add out of fold and, labelled so, in sample.

    Attributes
    ----------
    table
        See `tidy`.
    outcome
        Label of the outcome.
    base, added
        Terms of the smaller model, and those added.
    groups
        Column whose rows stay together in a fold; None if rows are independent.
    n_groups
        Number of such groups, or of rows.
    folds, repeats, seed
        Of the cross-validation.
    partition_sd
        Standard deviation of the out-of-fold difference over the repeats: what
        another split of the same people would change.
    conf_level
        Of the intervals.
    fit
        The larger model, in sample.
    n_obs, n_dropped
        Rows used and left out.
    warnings
        ``what where remedy``.
    """

    table: pd.DataFrame
    outcome: str
    base: tuple[str, ...]
    added: tuple[str, ...]
    groups: str | None
    n_groups: int
    folds: int
    repeats: int
    seed: int
    partition_sd: float
    conf_level: float
    fit: RegressionFit
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per R squared.

        ``term`` (base, base + added, difference), ``sample`` (out of fold, in
        sample), ``estimate``, out of fold with ``std_error conf_low conf_high``
        (bootstrap), and for the difference in sample the robust test of the added
        predictors: ``statistic df_num df_den p_value``.
        """
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the out-of-fold difference and how it was made."""
        gain = self.table.iloc[2]
        return pd.DataFrame(
            [
                {
                    "r_squared_base": self.table["estimate"].iloc[0],
                    "r_squared_full": self.table["estimate"].iloc[1],
                    "difference": gain["estimate"],
                    "conf_low": gain["conf_low"],
                    "conf_high": gain["conf_high"],
                    "in_sample_difference": self.table["estimate"].iloc[5],
                    "in_sample_p_value": self.table["p_value"].iloc[5],
                    "partition_sd": self.partition_sd,
                    "folds": self.folds,
                    "repeats": self.repeats,
                    "seed": self.seed,
                    "n_groups": self.n_groups,
                    "n_obs": self.n_obs,
                    "n_dropped": self.n_dropped,
                }
            ]
        )

    def summary(self) -> str:
        """Gain out of fold, then in sample."""
        base, full, gain = (self.table.iloc[i] for i in range(3))
        inside = self.table.iloc[5]
        return (
            f"{', '.join(self.added)} beyond {', '.join(self.base) or 'the mean'} for "
            f"{self.outcome}: out-of-fold R2 {base['estimate']:.3f} -> "
            f"{full['estimate']:.3f}, difference {gain['estimate']:.3f} "
            f"[{gain['conf_low']:.3f}, {gain['conf_high']:.3f}]; in sample "
            f"{inside['estimate']:.3f}, robust {format_p(float(inside['p_value']))} "
            f"(n = {self.n_obs})."
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw R squared of both models and their difference, both ways."""
        return forest(
            self.table,
            title=f"R squared for {self.outcome}",
            n=self.n_obs,
            xlabel=f"R squared ({self.conf_level:.0%} bootstrap interval)",
            group="sample",
            ax=ax,
        )


def incremental(
    outcome: str,
    base: Sequence[str],
    added: Sequence[str],
    data: pd.DataFrame,
    *,
    groups: str | None = None,
    folds: int = 10,
    repeats: int = 20,
    seed: int = 1,
    conf_level: float = 0.95,
) -> Incremental:
    """Cross-validated R squared of `base` and of `base` with `added`.

    Parameters
    ----------
    outcome
        Left-hand side of the formula.
    base
        Terms of the smaller model; empty for the mean alone.
    added
        Terms it is to be extended by.
    data
        As in `ols`; the same rows for both models.
    groups
        Column, for example the couple, whose rows never part into training and test.
    folds
        Parts of about equal numbers of groups.
    repeats
        Random partitions averaged over.
    seed
        Of partitions and bootstrap.
    conf_level
        Of the intervals.

    Returns
    -------
    Incremental
        Out-of-fold R squared is one minus the squared errors over those of the
        training mean; negative when a model does worse than the mean.

    Raises
    ------
    AnalysisError
        As `ols`; if nothing is added or `folds` does not suit the number of groups.
    TooFewError
        As `ols`; if a training part has no more rows than coefficients.

    Notes
    -----
    Every row's squared errors under both models are averaged over the repeats; the
    interval is the percentile bootstrap, over groups, of the resulting R squared
    (2,000 draws). It carries the chance of who was sampled but holds the trained
    models fixed, so it is somewhat narrow where folds are few or people fewer than
    some hundreds (Bates, Hastie & Tibshirani 2024). It does not use the in-sample fit.
    In sample, the difference in R squared comes with the robust test of the added
    block, as ``lmtest::waldtest(fit0, fit1, vcov = vcovHC(fit1, "HC3"))``, or
    ``vcovCL`` (HC1, F on G - 1) by `groups`.
    """
    check_conf_level(conf_level)
    both = _design(outcome, base, added, data, groups)
    columns = _base_columns(both, outcome, base, data)
    y = numeric_outcome(both)
    codes = np.arange(both.n_obs) if both.groups is None else both.groups
    n_groups = int(codes.max()) + 1
    _check_folds(folds, repeats, n_groups, both)
    rng = np.random.default_rng(seed)
    Z = scaled_rows(both.X, y)
    everything = list(range(both.X.shape[1]))
    losses = _out_of_fold(
        Z, [columns, everything], codes, folds=folds, repeats=repeats, rng=rng
    )
    table, partition_sd = _out_of_fold_rows(losses, codes, rng, conf_level)
    vcov: Vcov = "HC3" if groups is None else "cluster"
    fit = fit_linear(both, vcov=vcov, cluster=groups, conf_level=conf_level)
    inside = _in_sample_rows(both, fit, columns, Z)
    return Incremental(
        table=pd.concat([table, inside], ignore_index=True),
        outcome=both.formula.outcome.label,
        base=tuple(base),
        added=tuple(added),
        groups=groups,
        n_groups=n_groups,
        folds=folds,
        repeats=repeats,
        seed=seed,
        partition_sd=partition_sd,
        conf_level=conf_level,
        fit=fit,
        n_obs=both.n_obs,
        n_dropped=both.n_dropped,
        warnings=warning_table(
            [
                *fit.warnings.itertuples(index=False, name=None),
                *_few_groups(n_groups, both.formula.text),
            ]
        ),
    )


def _design(
    outcome: str,
    base: Sequence[str],
    added: Sequence[str],
    data: pd.DataFrame,
    groups: str | None,
) -> Design:
    if isinstance(base, str) or isinstance(added, str) or not added:
        raise AnalysisError(
            f"incremental: base={base!r}, added={added!r} are not lists with at least "
            "one predictor added. Write for example added=['withdrawal']."
        )
    both = [term for term in added if term in base]
    if both:
        raise AnalysisError(
            f"incremental: {both} stand in base and in added. Keep one of each."
        )
    formula = parse_formula(f"{outcome} ~ {' + '.join([*base, *added])}")
    if not formula.intercept:
        raise AnalysisError(
            f"{formula.text}: R squared out of fold needs the intercept. Keep it."
        )
    return build_design(formula, data, cluster=groups)


def _base_columns(
    both: Design, outcome: str, base: Sequence[str], data: pd.DataFrame
) -> list[int]:
    """Where the columns of the base model stand in the larger one."""
    formula = parse_formula(f"{outcome} ~ {' + '.join(base) or '1'}")
    smaller = build_design(formula, data, also_complete=both.formula.variables)
    missing = [name for name in smaller.columns if name not in both.columns]
    if missing or len(smaller.columns) == len(both.columns):
        raise AnalysisError(
            f"incremental: {missing or list(base)} in base do not leave something to "
            "add. Put main effects in base before products in added."
        )
    return [both.columns.index(name) for name in smaller.columns]


def _check_folds(folds: int, repeats: int, n_groups: int, design: Design) -> None:
    if not 2 <= folds <= n_groups or repeats < 1:  # noqa: PLR2004
        raise AnalysisError(
            f"incremental: {folds} folds and {repeats} repeats for {n_groups} groups. "
            "Use between 2 folds and one per group, and at least one repeat."
        )
    training = design.n_obs - int(np.ceil(design.n_obs / folds))
    if training <= len(design.columns):
        raise TooFewError(
            f"incremental: {training} rows to train {len(design.columns)} coefficients "
            "on. Collect more, take predictors out, or use more folds."
        )


def _out_of_fold(
    Z: Float2D,
    models: Sequence[list[int]],
    codes: Int1D,
    *,
    folds: int,
    repeats: int,
    rng: np.random.Generator,
) -> Float2D:
    """Squared errors per repeat and row of the mean and of each of `models`.

    Returns
    -------
    Float2D
        Shape (repeats, 1 + n_models, n_obs).
    """
    products = cross_products(Z, codes)
    n_groups = len(products.per_group)
    total = products.within(np.zeros(n_groups, dtype=int))
    y = Z[:, -1]
    losses = np.empty((repeats, 1 + len(models), len(Z)))
    for repeat in range(repeats):
        fold_of_group = rng.permutation(n_groups) % folds
        sums = total - products.within(fold_of_group)
        fold = fold_of_group[codes]
        losses[repeat, 0] = (y - (sums[:, 0, -1] / sums[:, 0, 0])[fold]) ** 2
        for number, columns in enumerate(models, start=1):
            beta = coefficients(sums, columns)[fold]
            predicted = np.einsum("ij,ij->i", Z[:, columns], beta)
            losses[repeat, number] = (y - predicted) ** 2
    return losses


def _out_of_fold_rows(
    losses: Float2D, codes: Int1D, rng: np.random.Generator, conf_level: float
) -> tuple[pd.DataFrame, float]:
    """R squared of both models and their difference, with bootstrap intervals."""
    by_row = losses.mean(axis=0)
    by_group = np.zeros((int(codes.max()) + 1, by_row.shape[0]))
    np.add.at(by_group, codes, by_row.T)
    estimate = _measures(by_group.sum(axis=0)[None])[0]
    drawn = _measures(bootstrap_sums(by_group, DRAWS, rng))
    tails = [(1 - conf_level) / 2, (1 + conf_level) / 2]
    low, high = np.quantile(drawn, tails, axis=0)
    table = pd.DataFrame(
        {
            "term": ["base", "base + added", "difference"],
            "sample": "out of fold",
            "estimate": estimate,
            "std_error": drawn.std(axis=0, ddof=1),
            "conf_low": low,
            "conf_high": high,
        }
    )
    over_repeats = _measures(losses.sum(axis=2))[:, 2]
    spread = float(over_repeats.std(ddof=1)) if len(losses) > 1 else np.nan
    return table, spread


def _measures(sums: Float2D) -> Float2D:
    """R squared of base, of full, and their difference, from summed losses."""
    r2 = 1 - sums[:, 1:] / sums[:, [0]]
    return np.column_stack([r2, r2[:, 1] - r2[:, 0]])


def _in_sample_rows(
    design: Design, fit: RegressionFit, columns: list[int], Z: Float2D
) -> pd.DataFrame:
    new = [j for j in range(len(design.columns)) if j not in columns]
    beta = fit.coefficients["estimate"].to_numpy(float)[new]
    test = wald_f(beta, fit.vcov.to_numpy()[np.ix_(new, new)], fit.df)
    y = Z[:, -1]
    left = y - Z[:, columns] @ np.linalg.lstsq(Z[:, columns], y, rcond=None)[0]
    smaller = 1 - float((left**2).sum() / (y**2).sum())
    larger = float(fit.measures["r_squared"].iloc[0])
    return pd.DataFrame(
        {
            "term": ["base", "base + added", "difference"],
            "sample": "in sample",
            "estimate": [smaller, larger, larger - smaller],
            "statistic": [np.nan, np.nan, test.statistic],
            "df_num": [np.nan, np.nan, float(test.df_num)],
            "df_den": [np.nan, np.nan, test.df_den],
            "p_value": [np.nan, np.nan, test.p_value],
        }
    )


def _few_groups(n_groups: int, where: str) -> list[tuple[str, str, str]]:
    if n_groups >= FEW_GROUPS:
        return []
    what = f"{n_groups} independent groups are few: the interval is too narrow"
    return [(what, where, f"read with care below {FEW_GROUPS}")]
