"""The fitted model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plots.estimates import plot_intervals
from analysis.result import format_p
from analysis.sem.inference import all_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.implied import Implied
    from analysis.sem.indices import FitIndices
    from analysis.sem.inference import Defined
    from analysis.sem.moments import Moments
    from analysis.sem.partable import ParameterTable
    from analysis.sem.standardize import Standardized

Z = float(norm.ppf(0.975))


@dataclass(frozen=True, slots=True, eq=False)
class SemFit:
    """A converged structural equation model.

    Attributes
    ----------
    model
        The model as it was written.
    table
        The parameters, free and fixed.
    theta
        Estimates of the free parameters, in the order of `table.free`, shape
        (n_free,).
    vcov
        Their covariance matrix, shape (n_free, n_free).
    defined
        Parameters defined by ``:=``.
    standardized
        Standardised solution.
    indices
        Global fit.
    moments
        Sample moments of the complete rows, in the order of `observed`.
    reproduced
        Implied moments, in the same order.
    r_squared
        Explained share of variance by endogenous variable; NaN where the residual
        variance is negative.
    warnings
        What is odd about data or solution: columns what, where, remedy. Improper
        solutions stand here; look at it before reporting.
    estimator
        The estimator used.
    """

    model: str
    table: ParameterTable
    theta: Float1D
    vcov: Float2D
    defined: Defined
    standardized: Standardized
    indices: FitIndices
    moments: Moments
    reproduced: Implied
    r_squared: pd.Series
    warnings: pd.DataFrame
    estimator: str

    @property
    def n_obs(self) -> int:
        """Number of respondents used."""
        return self.moments.n_obs

    @property
    def n_dropped(self) -> int:
        """Number of respondents left out because an answer is missing."""
        return self.moments.n_dropped

    @property
    def observed(self) -> tuple[str, ...]:
        """Names of the observed variables."""
        return self.table.observed

    @property
    def latent(self) -> tuple[str, ...]:
        """Names of the latent variables."""
        return self.table.latent

    @property
    def cov(self) -> pd.DataFrame:
        """Sample covariances, divided by N."""
        return self._frame(self.moments.cov)

    @property
    def implied(self) -> pd.DataFrame:
        """Implied covariances."""
        return self._frame(self.reproduced.cov)

    @property
    def residuals(self) -> pd.DataFrame:
        """Correlation residuals: sample minus implied correlations."""
        sample, model = self.moments.cov, self.reproduced.cov
        return self._frame(_correlations(sample) - _correlations(model))

    def tidy(self) -> pd.DataFrame:
        """One row per parameter, fixed and defined ones included.

        Columns: lhs op rhs label; estimate std_error statistic p_value conf_low
        conf_high (95 %; missing for fixed parameters); std_lv (factors have unit
        variance) and std_all (observed variables too) with std_all_se std_all_low
        std_all_high.
        """
        table, known = self.table, self.defined
        free = np.array([row.fixed is None for row in table.rows], dtype=bool)
        se = np.full(len(free), np.nan)
        se[free] = _se(self.vcov)
        rows = [(r.lhs, str(r.op), r.rhs, r.label) for r in table.rows]
        rows += [(d.name, ":=", d.text, d.name) for d in table.definitions]
        frame = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "label"], dtype="str")
        frame["estimate"] = np.append(all_values(table, self.theta), known.values)
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
            "estimator": self.estimator,
            "converged": True,
            "n_warnings": len(self.warnings),
        }
        return pd.DataFrame([asdict(self.indices) | more])

    def summary(self) -> str:
        """Fit as papers report it, with what `warnings` holds."""
        i = self.indices
        text = f"chi2({i.df}, N = {i.ntotal}) = {i.chisq:.2f}"
        if i.df:
            text += (
                f", {format_p(i.pvalue)}, CFI = {i.cfi:.3f}, TLI = {i.tli:.3f}, "
                f"RMSEA = {i.rmsea:.3f} "
                f"[90% CI {i.rmsea_ci_lower:.3f}, {i.rmsea_ci_upper:.3f}], "
                f"SRMR = {i.srmr:.3f} ({self.estimator})."
            )
        else:
            text += (
                f" ({self.estimator}): a saturated model reproduces the data exactly, "
                "so its fit says nothing."
            )
        if self.n_dropped:
            rows = "row" if self.n_dropped == 1 else "rows"
            text += f" {self.n_dropped} {rows} with missing answers left out."
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
        frame = pd.DataFrame(
            {
                "term": rows["rhs"],
                "group": rows["lhs"],
                "estimate": rows["std_all"],
                "conf_low": rows["std_all_low"],
                "conf_high": rows["std_all_high"],
            }
        )
        what = "loadings" if op == "=~" else "regressions"
        low, high = frame["estimate"].min(), frame["estimate"].max()
        return plot_intervals(
            frame,
            title=f"Standardised {what} from {low:.2f} to {high:.2f}",
            xlabel=f"Standardised {what[:-1]} (95% interval)",
            group_label="Factor" if op == "=~" else "Outcome",
            n_obs=self.n_obs,
            labels=labels,
            ax=ax,
        )

    def _frame(self, matrix: Float2D) -> pd.DataFrame:
        names = list(self.observed)
        return pd.DataFrame(matrix, index=names, columns=names)


def _se(covariance: Float2D) -> Float1D:
    variance = np.diag(covariance)
    se: Float1D = np.sqrt(np.where(variance > 0, variance, np.nan))
    return se


def _correlations(cov: Float2D) -> Float2D:
    sd = np.sqrt(np.diag(cov))
    r: Float2D = cov / np.outer(sd, sd)
    return r
