"""The fitted regression: one result for linear, logistic and ordinal models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from analysis.plots.forest import forest
from analysis.regression.columns import INTERCEPT
from analysis.result import format_p

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

Kind: TypeAlias = Literal["linear", "logistic", "ordinal"]
Vcov: TypeAlias = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"]

_AXIS = {
    "linear": "change in the outcome per unit",
    "logistic": "change in the log odds per unit",
    "ordinal": "change in the latent outcome per unit",
}


@dataclass(frozen=True, slots=True, eq=False)
class RegressionFit:
    """A fitted regression.

    Attributes
    ----------
    kind
        ``linear``, ``logistic`` or ``ordinal``.
    formula
        As given.
    outcome
        Label of the left-hand side; for logistic models with the event modelled.
    coefficients
        ``term estimate std_error statistic p_value conf_low conf_high``; linear
        models add ``std_all``, logistic ones ``odds_ratio odds_low odds_high``,
        ordinal ones ``coef_type`` (``slope`` or ``threshold``).
    vcov
        Covariance of the estimates, labelled by term.
    vcov_kind
        Estimator of `vcov`, with the name of the clustering column if there is one.
    df
        Degrees of freedom of the tests; infinite where they use the normal.
    conf_level
        Of the intervals.
    measures
        One row: what `glance` returns.
    vif
        ``term df vif vif_per_df``; empty without two predictors.
    fitted
        Per row used: expected outcome (linear), probability of the event
        (logistic), linear predictor (ordinal).
    n_obs
        Rows used.
    n_dropped
        Rows left out for missing values.
    warnings
        ``what where remedy``.
    """

    kind: Kind
    formula: str
    outcome: str
    coefficients: pd.DataFrame
    vcov: pd.DataFrame
    vcov_kind: str
    df: float
    conf_level: float
    measures: pd.DataFrame
    vif: pd.DataFrame
    fitted: pd.Series
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per coefficient; see `coefficients`."""
        return self.coefficients.copy()

    def glance(self) -> pd.DataFrame:
        """One row for the model: fit, test of all predictors, rows."""
        return self.measures.copy()

    def summary(self) -> str:
        """Fit in one sentence, as papers report it."""
        m = self.measures.iloc[0]
        rows = f"n = {self.n_obs} ({self.n_dropped} left out)"
        if self.kind == "linear":
            test = (
                f"F({m['df_num']:.0f}, {m['df_den']:.0f}) = {m['statistic']:.2f}, "
                f"{format_p(m['p_value'])}"
                if m["df_num"]
                else "no predictors"
            )
            fit = f"R2 = {m['r_squared']:.3f} (adjusted {m['adj_r_squared']:.3f})"
            return f"{self.formula}: {fit}, {test}, {rows}; {self.vcov_kind} errors."
        test = (
            f"LR chi2({m['df_num']:.0f}) = {m['statistic']:.2f}, "
            f"{format_p(m['p_value'])}"
        )
        fit = f"McFadden R2 = {m['pseudo_r_squared']:.3f}"
        if self.kind == "logistic":
            fit += f", AUC = {m['auc']:.3f} (in sample)"
            rows += f", {m['n_events']:.0f} with {self.outcome}"
        return f"{self.formula}: {fit}, {test}, {rows}; {self.vcov_kind} errors."

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the slopes with their intervals; `labels` maps terms to words."""
        table = self.coefficients
        slopes = table[table["term"] != INTERCEPT]
        if self.kind == "ordinal":
            slopes = slopes[slopes["coef_type"] == "slope"]
        return forest(
            slopes,
            title=f"Coefficients for {self.outcome}",
            n=self.n_obs,
            xlabel=f"{_AXIS[self.kind]} ({self.conf_level:.0%} interval)",
            labels=labels,
            ax=ax,
        )
