"""Polychoric correlations as a result: tables, a sentence, figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plots.correlations import correlation_heatmap, threshold_bands
from analysis.polychoric.definite import smallest_eigenvalue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D

_COLUMNS = (
    "lhs",
    "op",
    "rhs",
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "n",
)


@dataclass(frozen=True, slots=True, eq=False)
class Polychoric:
    """Correlations of the normal variables behind ordered answers.

    Attributes
    ----------
    R
        Correlations, shape (p, p): polychoric, polyserial with a numeric variable,
        product-moment between two numeric ones.
    names
        The items, in order.
    ordered
        Which of them are ordered, shape (p,).
    categories
        The codes that occur for each item, from low to high; empty for numeric ones.
    frequencies
        How many people chose each of them.
    thresholds
        Of each item, shape (K - 1,); empty for numeric ones.
    threshold_std_error
        Their standard errors.
    std_error
        Standard errors of `R`, shape (p, p), NaN on the diagonal; those before
        smoothing.
    counts
        People behind each correlation, shape (p, p); behind each item on the diagonal.
    acov
        Asymptotic covariance (not times n) of thresholds, then means and variances of
        numeric items, then correlations column by column, labelled as in lavaan; or
        None.
    n_obs
        People used: with every answer (listwise), or with at least one (pairwise).
    n_dropped
        People left out.
    n_pair
        Fewest people behind one correlation.
    smoothed
        Whether `R` was moved to be positive definite.
    warnings
        What needs a second look: what, where, remedy.
    """

    R: Float2D
    names: tuple[str, ...]
    ordered: Bool1D
    categories: tuple[Float1D, ...]
    frequencies: tuple[Int1D, ...]
    thresholds: tuple[Float1D, ...]
    threshold_std_error: tuple[Float1D, ...]
    std_error: Float2D
    counts: Int1D
    acov: pd.DataFrame | None
    n_obs: int
    n_dropped: int
    n_pair: int
    smoothed: bool
    warnings: pd.DataFrame

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.names)

    def frame(self) -> pd.DataFrame:
        """Give the correlations as a table, items x items."""
        return pd.DataFrame(self.R, index=list(self.names), columns=list(self.names))

    def tidy(self) -> pd.DataFrame:
        """One row per threshold (op ``|``), then per correlation (op ``~~``).

        Intervals of correlations are taken on Fisher's scale, so that they stay
        between -1 and 1; the others are symmetric. 95 %.
        """
        rows = [*self._threshold_rows(), *self._correlation_rows()]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def _threshold_rows(self) -> Iterator[tuple[object, ...]]:
        z = float(norm.ppf(0.975))
        parts = zip(self.names, self.thresholds, self.threshold_std_error, strict=True)
        for j, (name, cuts, errors) in enumerate(parts):
            for k, (cut, error) in enumerate(zip(cuts, errors, strict=True)):
                statistic = cut / error
                yield (
                    name,
                    "|",
                    f"t{k + 1}",
                    float(cut),
                    float(error),
                    float(statistic),
                    float(2 * norm.sf(abs(statistic))),
                    float(cut - z * error),
                    float(cut + z * error),
                    int(self.counts[j, j]),
                )

    def _correlation_rows(self) -> Iterator[tuple[object, ...]]:
        z = float(norm.ppf(0.975))
        for i, j in zip(*np.triu_indices(self.n_items, 1), strict=True):
            r, error = float(self.R[i, j]), float(self.std_error[i, j])
            half = z * error / (1 - r * r)
            yield (
                self.names[i],
                "~~",
                self.names[j],
                r,
                error,
                r / error,
                float(2 * norm.sf(abs(r / error))),
                float(np.tanh(np.arctanh(r) - half)),
                float(np.tanh(np.arctanh(r) + half)),
                int(self.counts[i, j]),
            )

    def glance(self) -> pd.DataFrame:
        """One row: sizes, the range of correlations, the smallest eigenvalue."""
        r = self.R[np.triu_indices(self.n_items, 1)]
        return pd.DataFrame(
            {
                "n_items": [self.n_items],
                "n_ordered": [int(self.ordered.sum())],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
                "n_pair": [self.n_pair],
                "r_min": [float(r.min())],
                "r_median": [float(np.median(r))],
                "r_max": [float(r.max())],
                "smallest_eigenvalue": [smallest_eigenvalue(self.R)],
                "smoothed": [self.smoothed],
            }
        )

    def summary(self) -> str:
        """Describe them in a sentence."""
        row = self.glance().iloc[0]
        numeric = self.n_items - int(self.ordered.sum())
        mixed = f", {numeric} of them numeric" if numeric else ""
        pairwise = (
            f", at least {self.n_pair} a pair" if self.n_pair < self.n_obs else ""
        )
        smooth = "; smoothed" if self.smoothed else ""
        return (
            f"Polychoric correlations of {self.n_items} items{mixed}: from "
            f"{row.r_min:.2f} to {row.r_max:.2f}, median {row.r_median:.2f} "
            f"(n = {self.n_obs}{pairwise}, {self.n_dropped} left out; smallest "
            f"eigenvalue {row.smallest_eigenvalue:.3f}{smooth})"
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        show: Literal["correlations", "thresholds"] = "correlations",
    ) -> Axes:
        """Draw the correlations, or where the thresholds of ordered items lie."""
        if show == "correlations":
            return correlation_heatmap(
                self.frame(), kind="polychoric", n=self.n_obs, ax=ax
            )
        bands = {
            name: (cuts, codes)
            for name, cuts, codes, ordered in zip(
                self.names, self.thresholds, self.categories, self.ordered, strict=True
            )
            if ordered
        }
        return threshold_bands(bands, n=self.n_obs, ax=ax)
