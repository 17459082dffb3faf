"""The fitted exploratory factor model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.plots.loadings import SALIENT, plot_loadings
from analysis.result import format_p

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.efa.extract import Method
    from analysis.efa.indices import EfaIndices
    from analysis.efa.rotate import Rotation


@dataclass(frozen=True, slots=True, eq=False)
class EfaFit:
    """A rotated exploratory factor model.

    Factors are ordered by the variance they explain (diagonal of Phi L'L) and turned
    so that their pattern loadings sum positive.

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
        `cumulative`.
    correlation
        The correlation matrix that was analysed.
    indices
        Fit.
    method, rotation
        How factors were extracted and rotated.
    n_obs, n_dropped
        Respondents used, and left out for missing answers.
    optima
        Number of different optima the rotation met from its starts.
    warnings
        What to know before using the numbers: what, where, remedy.
    """

    pattern: pd.DataFrame
    structure: pd.DataFrame
    phi: pd.DataFrame
    items: pd.DataFrame
    variance: pd.DataFrame
    correlation: pd.DataFrame
    indices: EfaIndices
    method: Method
    rotation: Rotation
    n_obs: int
    n_dropped: int
    optima: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item and factor: item, factor, estimate (pattern), structure."""
        p, k = self.pattern.shape
        return pd.DataFrame(
            {
                "item": np.repeat(self.pattern.index.to_numpy(), k),
                "factor": np.tile(self.pattern.columns.to_numpy(), p),
                "estimate": self.pattern.to_numpy().ravel(),
                "structure": self.structure.to_numpy().ravel(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: sizes, method, rotation, variance explained and fit."""
        n_items, n_factors = self.pattern.shape
        row = {
            "n_items": n_items,
            "n_factors": n_factors,
            "method": self.method,
            "rotation": self.rotation,
            "n_obs": self.n_obs,
            "n_dropped": self.n_dropped,
            "proportion": float(self.variance["cumulative"].iloc[-1]),
        }
        return pd.DataFrame([row | asdict(self.indices)])

    def summary(self) -> str:
        """Say factors, variance explained and fit as papers do."""
        n_items, k = self.pattern.shape
        i = self.indices
        share = self.variance["cumulative"].iloc[-1]
        subject = "factors explain" if k > 1 else "factor explains"
        text = (
            f"{k} {subject} {share:.0%} of the variance of {n_items} items "
            f"({self.method}, {self.rotation}, N = {self.n_obs}): "
            f"chi2({i.df}) = {i.chisq:.2f}, {format_p(i.p_value)}, "
            f"RMSEA = {i.rmsea:.3f}, TLI = {i.tli:.3f}, RMSR = {i.rmsr:.3f}"
        )
        if len(self.warnings):
            text += f"; {len(self.warnings)} warning(s)"
        return text

    def plot(
        self,
        ax: Axes | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        salient: float = SALIENT,
    ) -> Axes:
        """Draw the pattern as a heatmap, items in the order of their factors."""
        return plot_loadings(
            self.pattern, n=self.n_obs, labels=labels, salient=salient, ax=ax
        )
