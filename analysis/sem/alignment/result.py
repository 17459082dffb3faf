"""The outcome of an alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plots.estimates import plot_intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.sem.alignment.search import Kind
    from analysis.sem.fit import SemFit

_ORDER = (
    *("lhs", "op", "rhs", "group", "estimate", "std_error"),
    *("statistic", "p_value", "conf_low", "conf_high"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Groups brought to common units in which their items differ least.

    Standard errors are those of the delta method, NaN where the optimum is flat.

    Attributes
    ----------
    means
        One row per factor and group: factor group n_obs; mean with mean_se conf_low
        conf_high (95 %); variance with variance_se. The variance of the reference
        group is 1 without an error, as is its mean of 0 when `kind` is fixed.
    differences
        One row per factor and pair of groups: factor group other; estimate (mean of
        group minus mean of other) std_error statistic p_value conf_low conf_high.
        p values are not corrected for their number.
    parameters
        One row per loading, intercept or threshold and group: factor lhs op rhs group;
        configural, the parameter where the factor is standard normal in each group;
        estimate, the aligned one, with std_error conf_low conf_high; average of the
        groups in which it is approximately invariant, p_value against that average,
        invariant.
    terms
        One row per loading, intercept or threshold: factor lhs op rhs; average;
        r_squared, the share of its configural variance over groups that factor means
        and variances explain; n_noninvariant and noninvariant, the groups that differ;
        loss_share, its share of all that was minimised for the factor.
    search
        One row per factor: loss, n_starts that ended in an optimum, n_optima distinct
        ones, n_best starts that ended in the best.
    kind, reference, epsilon
        How the groups were identified and compared.
    fit
        The configural model.
    warnings
        What is odd about data or solution: what, where, remedy.
    """

    means: pd.DataFrame
    differences: pd.DataFrame
    parameters: pd.DataFrame
    terms: pd.DataFrame
    search: pd.DataFrame
    kind: Kind
    reference: str
    epsilon: float
    fit: SemFit
    warnings: pd.DataFrame

    @property
    def noninvariance(self) -> float:
        """Share of loadings and locations of all groups that are not invariant.

        NaN where there are no standard errors to test them with.
        """
        if self.parameters["p_value"].isna().any():
            return float("nan")
        return float((~self.parameters["invariant"]).mean())

    def tidy(self) -> pd.DataFrame:
        """One row per estimate, spelt as in the model: means, variances, items.

        Columns: lhs op rhs group; estimate std_error statistic p_value (against zero)
        conf_low conf_high.
        """
        base = self.means[["factor", "group"]].rename(columns={"factor": "lhs"})
        means = base.assign(
            op="~1",
            rhs="",
            estimate=self.means["mean"],
            std_error=self.means["mean_se"],
        )
        variances = base.assign(
            op="~~",
            rhs=base["lhs"],
            estimate=self.means["variance"],
            std_error=self.means["variance_se"],
        )
        columns = list(_ORDER[:6])
        parts = [means[columns], variances[columns], self.parameters[columns]]
        frame = pd.concat(parts, ignore_index=True)
        frame["statistic"] = frame["estimate"] / frame["std_error"]
        frame["p_value"] = 2 * norm.sf(frame["statistic"].abs())
        spread = norm.ppf(0.975) * frame["std_error"]
        frame["conf_low"] = frame["estimate"] - spread
        frame["conf_high"] = frame["estimate"] + spread
        return frame[list(_ORDER)]

    def glance(self) -> pd.DataFrame:
        """One row: kind, groups, how much is not invariant, optima, respondents."""
        return pd.DataFrame(
            {
                "kind": [self.kind],
                "reference": [self.reference],
                "n_groups": [len(self.fit.groups)],
                "n_parameters": [len(self.parameters)],
                "n_noninvariant": [int((~self.parameters["invariant"]).sum())],
                "noninvariance": [self.noninvariance],
                "r_squared": [float(self.terms["r_squared"].mean())],
                "n_optima": [int(self.search["n_optima"].max())],
                "epsilon": [self.epsilon],
                "n_obs": [self.fit.n_obs],
                "n_warnings": [len(self.warnings)],
            }
        )

    def summary(self) -> str:
        """Say how the means differ and how far they may be compared."""
        spans = []
        for factor, rows in self.means.groupby("factor", sort=False):
            ranked = rows.sort_values("mean", kind="stable").to_dict("records")
            low, high = ranked[0], ranked[-1]
            spans.append(
                f"means of {factor} from {low['mean']:.2f} ({low['group']}) to "
                f"{high['mean']:.2f} ({high['group']})"
            )
        text = (
            f"Alignment ({self.kind}, {len(self.fit.groups)} groups, unit: standard "
            f"deviation of {self.reference}): {'; '.join(spans)}. {self._invariant()} "
            f"(n = {self.fit.n_obs})."
        )
        if len(self.warnings):
            kinds = ", ".join(dict.fromkeys(self.warnings["what"]))
            noun = "warning" if len(self.warnings) == 1 else "warnings"
            text += f" {len(self.warnings)} {noun}, see .warnings: {kinds}."
        return text

    def _invariant(self) -> str:
        if np.isnan(self.noninvariance):
            return "Invariance was not tested, for want of standard errors"
        total, odd = len(self.parameters), int((~self.parameters["invariant"]).sum())
        return (
            f"{odd} of {total} loadings and locations ({self.noninvariance:.1%}) are "
            "not approximately invariant"
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Factor means of the groups with their intervals, lowest first.

        `labels` maps factors and groups to words.
        """
        ordered = self.means.sort_values("mean", kind="stable")
        frame = pd.DataFrame(
            {
                "term": ordered["group"],
                "group": ordered["factor"],
                "estimate": ordered["mean"],
                "conf_low": ordered["conf_low"],
                "conf_high": ordered["conf_high"],
            }
        )
        return plot_intervals(
            frame,
            title="Aligned means of the groups",
            xlabel=f"Mean, in standard deviations of {self.reference} (95% interval)",
            group_label="Factor",
            n_obs=self.fit.n_obs,
            labels=labels,
            ax=ax,
        )
