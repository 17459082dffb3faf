"""The fitted exploratory factor model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plots.loadings import SALIENT, plot_loadings
from analysis.plots.residuals import residual_heatmap
from analysis.result import format_p

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D
    from analysis.correlations import Correlation
    from analysis.efa.extract import Method
    from analysis.efa.indices import EfaIndices
    from analysis.efa.scaled import ScaledFit


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """How precisely loadings and factor correlations are known.

    Attributes
    ----------
    source
        ``"normal theory"``, ``"distribution-free"``, ``"polychoric"`` (asymptotic, of
        normal variables), ``"polychoric, distribution-free"`` or
        ``"bootstrap"``.
    std_error
        Standard errors of the pattern, items x factors.
    phi_std_error
        Of the factor correlations; zero where they are fixed.
    conf_low, conf_high
        Limits of the pattern: symmetric, or percentiles of the bootstrap.
    phi_conf_low, phi_conf_high
        Limits of the factor correlations, on Fisher's scale or percentiles.
    conf_level
        Level of the limits.
    draws, failed
        Bootstrap samples, and how many of them had no solution; 0 otherwise.
    """

    source: str
    std_error: pd.DataFrame
    phi_std_error: pd.DataFrame
    conf_low: pd.DataFrame
    conf_high: pd.DataFrame
    phi_conf_low: pd.DataFrame
    phi_conf_high: pd.DataFrame
    conf_level: float
    draws: int
    failed: int


@dataclass(frozen=True, slots=True, eq=False)
class EfaFit:
    """A rotated exploratory factor model.

    Factors are ordered by the variance they explain (diagonal of Phi L'L) and turned
    so that their pattern loadings sum positive; a general factor comes first, and those
    of a target stay where the target has them.

    Attributes
    ----------
    pattern
        Weights of the factors in each item, items x factors.
    structure
        Correlations of items with factors, pattern times Phi.
    phi
        Correlations of factors; the identity for orthogonal rotations.
    items
        One row per item: `communality` (h2), `uniqueness`, `complexity` (Hofmann's
        index, 1 = loads on one factor only), `factor` with the largest loading.
    variance
        One row per factor: `ss_loadings`, `proportion` of the variance of all items,
        `cumulative`, `explained` (share of what all factors explain).
    residuals
        Observed minus reproduced correlations, uniquenesses on the diagonal.
    source
        The correlations that were analysed, the answers behind them, and why these.
    indices
        Fit.
    scaled
        Fit of polychoric correlations by a test that holds for them, or None.
    precision
        Standard errors and intervals, or None.
    method, rotation
        How factors were extracted and rotated.
    n_obs, n_dropped
        Respondents used, and left out for missing answers.
    optima
        Number of different optima the rotation met from its starts.
    rotation_optima
        One row per optimum, best first: `value` of the criterion, `starts` that ended
        there, `share`.
    warnings
        What to know before using the numbers: what, where, remedy.
    """

    pattern: pd.DataFrame
    structure: pd.DataFrame
    phi: pd.DataFrame
    items: pd.DataFrame
    variance: pd.DataFrame
    residuals: pd.DataFrame
    source: Correlation
    indices: EfaIndices
    scaled: ScaledFit | None
    precision: Precision | None
    method: Method
    rotation: str
    n_obs: int
    n_dropped: int
    optima: int
    rotation_optima: pd.DataFrame
    warnings: pd.DataFrame

    @property
    def correlation(self) -> pd.DataFrame:
        """The correlation matrix that was analysed, items x items."""
        return self.source.frame()

    @property
    def loadings(self) -> pd.DataFrame:
        """The pattern, under the name that most papers use."""
        return self.pattern

    def tidy(self) -> pd.DataFrame:
        """One row per item and factor: item, factor, estimate (pattern), structure.

        With standard errors between them, their statistic, p_value, conf_low and
        conf_high, if they were asked for.
        """
        p, k = self.pattern.shape
        columns = {
            "item": np.repeat(self.pattern.index.to_numpy(), k),
            "factor": np.tile(self.pattern.columns.to_numpy(), p),
            "estimate": self.pattern.to_numpy().ravel(),
        }
        if self.precision is not None:
            columns |= _tested(
                columns["estimate"],
                self.precision.std_error.to_numpy().ravel(),
                self.precision.conf_low.to_numpy().ravel(),
                self.precision.conf_high.to_numpy().ravel(),
            )
        columns["structure"] = self.structure.to_numpy().ravel()
        return pd.DataFrame(columns)

    @property
    def factor_correlations(self) -> pd.DataFrame:
        """One row per pair: factor_a, factor_b, estimate, and its precision."""
        i, j = np.triu_indices(len(self.phi), 1)
        names = self.phi.index.to_numpy()
        columns = {
            "factor_a": names[i],
            "factor_b": names[j],
            "estimate": self.phi.to_numpy()[i, j],
        }
        if self.precision is not None:
            columns |= _tested(
                columns["estimate"],
                self.precision.phi_std_error.to_numpy()[i, j],
                self.precision.phi_conf_low.to_numpy()[i, j],
                self.precision.phi_conf_high.to_numpy()[i, j],
            )
        return pd.DataFrame(columns)

    def glance(self) -> pd.DataFrame:
        """One row: sizes, correlations, method, rotation, variance and fit."""
        n_items, n_factors = self.pattern.shape
        row = {
            "n_items": n_items,
            "n_factors": n_factors,
            "kind": self.source.kind,
            "reason": self.source.reason,
            "method": self.method,
            "rotation": self.rotation,
            "optima": self.optima,
            "n_obs": self.n_obs,
            "n_dropped": self.n_dropped,
            "proportion": float(self.variance["cumulative"].iloc[-1]),
        }
        row |= asdict(self.indices)
        if self.scaled is not None:
            row |= asdict(self.scaled)
        return pd.DataFrame([row])

    def summary(self) -> str:
        """Say factors, variance explained and fit as papers do."""
        n_items, k = self.pattern.shape
        share = self.variance["cumulative"].iloc[-1]
        subject = "factors explain" if k > 1 else "factor explains"
        text = (
            f"{k} {subject} {share:.0%} of the variance of {n_items} items "
            f"({self.source.kind} correlations, {self.method}, {self.rotation}, "
            f"N = {self.n_obs}): {self._fit_words()}, RMSR = {self.indices.rmsr:.3f}"
        )
        if self.optima > 1:
            text += f"; the rotation has {self.optima} optima"
        if len(self.warnings):
            text += f"; {len(self.warnings)} warning(s)"
        return text

    def _fit_words(self) -> str:
        i = self.indices
        if not i.df:
            return "no degrees of freedom to test"
        if self.scaled is not None:
            s = self.scaled
            return (
                f"scaled chi2({i.df}) = {s.chisq_scaled:.2f}, "
                f"{format_p(s.p_value_scaled)}, RMSEA = {s.rmsea_scaled:.3f}, "
                f"CFI = {s.cfi_scaled:.3f} (scaled)"
            )
        return (
            f"chi2({i.df}) = {i.chisq:.2f}, {format_p(i.p_value)}, "
            f"RMSEA = {i.rmsea:.3f}, TLI = {i.tli:.3f}"
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        salient: float = SALIENT,
        show: Literal["pattern", "structure", "residuals"] = "pattern",
    ) -> Axes:
        """Draw a heatmap: loadings, items in the order of their factors, or residuals.

        Parameters
        ----------
        ax
            Where to draw; a new figure otherwise.
        labels
            Text of each item; its name otherwise.
        salient
            Loadings of at least this size are printed bold.
        show
            The pattern, the structure, or the correlations that are not reproduced.
        """
        if show == "residuals":
            return residual_heatmap(self.residuals, n=self.n_obs, ax=ax)
        return plot_loadings(
            self.pattern if show == "pattern" else self.structure,
            n=self.n_obs,
            labels=labels,
            salient=salient,
            what=show,
            order=self.pattern,
            phi=self.phi,
            ax=ax,
        )


def _tested(
    estimate: Float1D, std_error: Float1D, low: Float1D, high: Float1D
) -> dict[str, Float1D]:
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(std_error > 0, estimate / std_error, np.nan)
    return {
        "std_error": std_error,
        "statistic": statistic,
        "p_value": 2 * norm.sf(np.abs(statistic)),
        "conf_low": low,
        "conf_high": high,
    }
