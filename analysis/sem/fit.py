"""The fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.errors import AnalysisError
from analysis.plots.correlations import threshold_bands
from analysis.plots.estimates import plot_intervals
from analysis.plots.path_diagram import path_diagram
from analysis.result import format_p
from analysis.sem.conventions import convention
from analysis.sem.residuals import correlations, model_moments
from analysis.sem.standardize import estimates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.chisquare import Statistic
    from analysis.sem.definitions import Defined
    from analysis.sem.indices import FitIndices
    from analysis.sem.inference import Uncertainty
    from analysis.sem.partable import ParameterTable
    from analysis.sem.problem import Problem
    from analysis.sem.standardize import Standardized

Z = float(norm.ppf(0.975))
_WORDS = {"_robust": "robust ", "_scaled": "scaled ", "": ""}


@dataclass(frozen=True, slots=True, eq=False)
class SemFit:
    """A converged structural equation model.

    Attributes
    ----------
    model
        The model as it was written.
    problem
        Parameter table, sample moments of every group and method.
    theta
        Estimates of the free parameters, in the order of `table.free`, shape
        (n_free,).
    uncertainty
        Their covariance matrix, and what further tests build on.
    defined
        Parameters defined by ``:=``.
    standardized
        Standardised solution.
    indices
        Global fit.
    statistic
        Test against the saturated model, plain and corrected.
    r_squared
        Explained share of variance by endogenous variable (and group); NaN where the
        residual variance is negative.
    warnings
        What is odd about data or solution: columns what, where, remedy. Improper
        solutions stand here; look at it before reporting.
    """

    model: str
    problem: Problem
    theta: Float1D
    uncertainty: Uncertainty
    defined: Defined
    standardized: Standardized
    indices: FitIndices
    statistic: Statistic
    r_squared: pd.Series
    warnings: pd.DataFrame

    @property
    def table(self) -> ParameterTable:
        """The parameters, free and fixed."""
        return self.problem.table

    @property
    def estimator(self) -> str:
        """The estimator used."""
        return self.problem.method.name

    @property
    def vcov(self) -> Float2D:
        """Covariance matrix of the estimates, shape (n_free, n_free)."""
        return self.uncertainty.vcov

    @property
    def n_obs(self) -> int:
        """Number of respondents used."""
        return self.problem.n_obs

    @property
    def n_dropped(self) -> int:
        """Respondents left out: with gaps if listwise, else without any answer."""
        return sum(m.n_dropped for m in self.problem.moments)

    @property
    def observed(self) -> tuple[str, ...]:
        """Names of the observed variables."""
        return self.table.observed

    @property
    def latent(self) -> tuple[str, ...]:
        """Names of the latent variables."""
        return self.table.latent

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups; one empty name when there are none."""
        return self.table.groups

    @property
    def cov(self) -> pd.DataFrame:
        """Sample covariances; polychoric correlations of ordered variables.

        Rows are indexed by group and variable where there are several groups.
        """
        return self._frames(lambda g: self.problem.moments[g].cov)

    @property
    def implied(self) -> pd.DataFrame:
        """Implied covariances, arranged like `cov`."""
        return self._frames(self._implied)

    @property
    def residuals(self) -> pd.DataFrame:
        """Correlation residuals: sample minus implied correlations, like `cov`."""
        moments = self.problem.moments
        return self._frames(
            lambda g: correlations(moments[g].cov) - correlations(self._implied(g))
        )

    def tidy(self) -> pd.DataFrame:
        """One row per parameter, fixed and defined ones included.

        Columns: lhs op rhs, group where there are several, label; estimate std_error
        statistic p_value conf_low conf_high (95 %; missing for fixed parameters);
        std_lv (factors have unit variance) and std_all (observed variables too) with
        std_all_se std_all_low std_all_high.
        """
        table, known = self.table, self.defined
        free = np.array([row.fixed is None for row in table.rows], dtype=bool)
        se = np.full(len(free), np.nan)
        se[free] = _se(self.vcov)
        rows = [(r.lhs, str(r.op), r.rhs, r.label) for r in table.rows]
        rows += [(d.name, ":=", d.text, d.name) for d in table.definitions]
        frame = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "label"], dtype="str")
        if len(self.groups) > 1:
            labels = [self.groups[r.group - 1] for r in table.rows]
            labels += [""] * len(table.definitions)
            frame.insert(3, "group", pd.Series(labels, dtype="str"))
        values = estimates(self.problem.layouts, self.theta)
        frame["estimate"] = np.append(values, known.values)
        frame["std_error"] = np.append(se, _se(known.vcov))
        frame["statistic"] = frame["estimate"] / frame["std_error"]
        frame["p_value"] = 2 * norm.sf(frame["statistic"].abs())
        frame["conf_low"] = frame["estimate"] - Z * frame["std_error"]
        frame["conf_high"] = frame["estimate"] + Z * frame["std_error"]
        frame["std_lv"] = self.standardized.std_lv
        frame["std_all"] = self.standardized.std_all
        frame["std_all_se"] = self.standardized.std_all_se
        frame["std_all_low"] = frame["std_all"] - Z * frame["std_all_se"]
        frame["std_all_high"] = frame["std_all"] + Z * frame["std_all_se"]
        return frame

    def glance(self) -> pd.DataFrame:
        """One row: all indices of fit, n_obs, n_dropped, estimator and converged."""
        more = {
            "n_obs": self.n_obs,
            "n_dropped": self.n_dropped,
            "n_groups": len(self.groups),
            "estimator": self.estimator,
            "converged": True,
            "n_warnings": len(self.warnings),
        }
        whole = {"npar", "df", "baseline_df", "ntotal"}
        values = {k: int(v) if k in whole else v for k, v in self._values().items()}
        return pd.DataFrame([values | more])

    def fit_measures(self) -> pd.DataFrame:
        """One row per index of fit: measure, value, convention.

        Names are those of ``lavaan::fitMeasures``, dots as underscores.
        """
        table, method = self.table, self.problem.method
        ordinal = bool(table.categories)
        given = table.conditional and bool(table.exogenous)
        rows = [
            (name, value, convention(name, method, ordinal=ordinal, conditional=given))
            for name, value in self._values().items()
        ]
        return pd.DataFrame(rows, columns=["measure", "value", "convention"])

    def summary(self) -> str:
        """Fit as papers report it, robust indices first, with what `warnings` holds."""
        text = self._fit()
        if self.n_dropped:
            rows = "row" if self.n_dropped == 1 else "rows"
            lacking = (
                "with missing answers"
                if self.problem.method.missing == "listwise"
                else "without any answer, or without a predictor,"
            )
            text += f" {self.n_dropped} {rows} {lacking} left out."
        if len(self.warnings):
            kinds = ", ".join(dict.fromkeys(self.warnings["what"]))
            noun = "warning" if len(self.warnings) == 1 else "warnings"
            text += f" {len(self.warnings)} {noun}, see .warnings: {kinds}."
        return text

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Standardised loadings (or regressions) with 95 % intervals.

        `labels` maps names of variables to words.
        """
        tidy = self.tidy()
        op = "=~" if self.latent else "~"
        rows = tidy[tidy["op"] == op]
        several = len(self.groups) > 1
        frame = pd.DataFrame(
            {
                "term": rows["rhs"],
                "group": rows["group"] if several else rows["lhs"],
                "estimate": rows["std_all"],
                "conf_low": rows["std_all_low"],
                "conf_high": rows["std_all_high"],
            }
        )
        what = "loadings" if op == "=~" else "regressions"
        low, high = frame["estimate"].min(), frame["estimate"].max()
        parts = "Factor" if op == "=~" else "Outcome"
        return plot_intervals(
            frame,
            title=f"Standardised {what} from {low:.2f} to {high:.2f}",
            xlabel=f"Standardised {what[:-1]} (95% interval)",
            group_label="Group" if several else parts,
            n_obs=self.n_obs,
            labels=labels,
            ax=ax,
        )

    def diagram(
        self,
        ax: Axes | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        group: str | None = None,
    ) -> Axes:
        """Path diagram with standardised values, of one group (the first by default).

        `labels` maps names of variables to words.

        Raises
        ------
        AnalysisError
            If there are no latent variables, or no such group.
        """
        named = isinstance(group, str) and group in self.groups
        if not self.latent or (group is not None and not named):
            raise AnalysisError(
                f"diagram: needs latent variables and one of the groups "
                f"{list(self.groups)}, found group={group!r}."
            )
        tidy = self.tidy()
        if len(self.groups) > 1:
            tidy = tidy[tidy["group"] == (group or self.groups[0])]
        edges = tidy[["lhs", "op", "rhs"]].assign(estimate=tidy["std_all"])
        return path_diagram(edges, n_obs=self.n_obs, labels=labels, ax=ax)

    def plot_thresholds(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Stretch of y* that each answer stands for, in standard deviations.

        Of the first group; `labels` maps names of variables to words.

        Raises
        ------
        AnalysisError
            If there are no ordered variables.
        """
        known = dict(self.table.categories)
        if not known:
            raise AnalysisError(
                "plot_thresholds: the model has no ordered variables. Fit it with "
                "ordered=True."
            )
        cuts = [
            (r.lhs, v)
            for r, v in zip(self.table.rows, self.standardized.std_all, strict=False)
            if r.op == "|" and r.group == 1
        ]
        words = labels or {}
        bands = {
            words.get(name, name): (
                np.array([v for n, v in cuts if n == name]),
                np.arange(1.0, known[name] + 1),
            )
            for name in self.table.ordered
        }
        return threshold_bands(bands, n=self.n_obs, ax=ax)

    def _values(self) -> Mapping[str, float]:
        return self.indices.values  # noqa: PD011 - no frame

    def _fit(self) -> str:
        i, s = self.indices, self.statistic
        ordinal = f", {(self.table.ordered and 'ordered') or ''}".rstrip(", ")
        name = f"({self.estimator}{ordinal and ', ordered variables'})"
        if not i.df:
            return (
                f"chi2(0, N = {i.ntotal}) = {i.chisq:.2f} {name}: a saturated model "
                "reproduces the data exactly, so its fit says nothing."
            )
        if s.scaled:
            text = (
                f"scaled chi2({s.df_scaled:g}, N = {i.ntotal}) = {s.chisq_scaled:.2f}, "
                f"{format_p(s.pvalue_scaled)}"
            )
        else:
            text = f"chi2({i.df}, N = {i.ntotal}) = {i.chisq:.2f}"
            text += f", {format_p(i.pvalue)}" if np.isfinite(i.pvalue) else ""
        end = i.best
        word = _WORDS[end]
        return (
            f"{text}, {word}CFI = {i.get(f'cfi{end}'):.3f}, "
            f"{word}TLI = {i.get(f'tli{end}'):.3f}, "
            f"{word}RMSEA = {i.get(f'rmsea{end}'):.3f} "
            f"[90% CI {i.get(f'rmsea_ci_lower{end}'):.3f}, "
            f"{i.get(f'rmsea_ci_upper{end}'):.3f}], SRMR = {i.srmr:.3f} {name}."
        )

    def _implied(self, g: int) -> Float2D:
        return model_moments(self.problem.layouts[g], self.theta)[0]

    def _frames(self, of_group: Callable[[int], Float2D]) -> pd.DataFrame:
        names = list(self.observed)
        frames = [
            pd.DataFrame(of_group(g), index=names, columns=names)
            for g in range(len(self.groups))
        ]
        if len(frames) == 1:
            return frames[0]
        return pd.concat(frames, keys=self.groups, names=["group", "variable"])


def _se(covariance: Float2D) -> Float1D:
    variance = np.diag(covariance)
    se: Float1D = np.sqrt(np.where(variance > 0, variance, np.nan))
    return se


def require_fit(fit: object, *, where: str) -> None:
    """Refuse what is no fitted model.

    Raises
    ------
    AnalysisError
        If it is something else; says what was given.
    """
    if not isinstance(fit, SemFit):
        raise AnalysisError(
            f"{where}: got a {type(fit).__name__} in place of a fitted model. Fit one "
            "first, e.g. cfa('f =~ x1 + x2 + x3', data)."
        )
