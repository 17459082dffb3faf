"""A general factor and group factors: omega hierarchical, ECV, PUC, H."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.plots.loadings import plot_loadings
from analysis.reliability.bifactor import (
    construct_replicability,
    explained_common_variance,
    item_explained_common_variance,
    omega_parts,
    uncontaminated_correlations,
)
from analysis.reliability.coefficients import COLUMNS, Reliability
from analysis.reliability.formulas import FORMULAS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Bool1D, Float1D, Float2D

GENERAL: Final = "general"
TOTAL: Final = "total"


@dataclass(frozen=True, slots=True, eq=False)
class HierarchicalReliability:
    """Reliability of the total and of subscales, split by general and group factors.

    Attributes
    ----------
    table
        One row per sum and coefficient: `scale` (``"total"``, or the group factor),
        `term`, `estimate`, `std_error`, `conf_low`, `conf_high`, `n_items`,
        `formula`. Terms of the total: ``omega_total``, ``omega_h``, ``omega_ratio``,
        ``ecv``, ``puc``, ``h`` (of the general factor); of a subscale: ``omega_total``,
        ``omega_h`` (general), ``omega_hs`` (group factor alone), ``h``.
    loadings
        Standardised loadings, items x (general, group factors), with `h2`, `u2` and
        `iecv` (share of the item's common variance that is general).
    source
        What it was computed from.
    average_r
        Mean correlation of two items.
    n_obs, n_dropped
        Respondents, and those left out for missing answers.
    conf_level
        Level of the intervals; NaN where there are none.
    warnings
        What needs a second look: what, where, remedy.
    """

    table: pd.DataFrame
    loadings: pd.DataFrame
    source: str
    average_r: float
    n_obs: int
    n_dropped: int
    conf_level: float
    warnings: pd.DataFrame

    def estimate(self, term: str, scale: str = TOTAL) -> float:
        """Estimate of one coefficient, of the total or of a subscale."""
        rows = self.table.set_index(["scale", "term"])["estimate"]
        return float(rows[(scale, term)])

    @property
    def groups(self) -> list[str]:
        """Names of the group factors."""
        return [str(name) for name in self.loadings.columns[1:-3]]

    def tidy(self) -> pd.DataFrame:
        """One row per sum and coefficient."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the coefficients of the total, and sizes."""
        total = self.table[self.table["scale"] == TOTAL]
        row = dict(zip(total["term"], total["estimate"], strict=True))
        sizes = {
            "n_items": len(self.loadings),
            "n_groups": len(self.groups),
            "n_obs": self.n_obs,
        }
        return pd.DataFrame([row | sizes])

    def as_reliability(self) -> Reliability:
        """Take the coefficients of the total, omega_h first.

        As `analysis.reliability.bootstrap` wants them; group factors change places
        from sample to sample, and PUC is no estimate.
        """
        total = self.table[self.table["scale"] == TOTAL]
        total = total[total["term"] != "puc"]
        first = total["term"].map(lambda term: term != "omega_h")
        ordered = total.loc[first.sort_values(kind="stable").index]
        return Reliability(
            coefficient="omega_h",
            table=ordered[[*COLUMNS, "formula"]].reset_index(drop=True),
            average_r=self.average_r,
            conf_level=self.conf_level,
            n_items=len(self.loadings),
            n_obs=self.n_obs,
            n_dropped=self.n_dropped,
            warnings=self.warnings,
            interval="none" if np.isnan(self.conf_level) else "delta method",
        )

    def summary(self) -> str:
        """State omega_h beside omega, and how far the items measure one thing."""
        row = self.glance().iloc[0]
        text = (
            f"omega_h = {row['omega_h']:.3f}, omega_total = {row['omega_total']:.3f} "
            f"({row['omega_ratio']:.0%} of the reliable variance is general), ECV = "
            f"{row['ecv']:.3f}, PUC = {row['puc']:.3f}, H = {row['h']:.3f} "
            f"({self.source}; {row['n_items']:.0f} items, "
            f"{row['n_groups']:.0f} group factors, n = {self.n_obs})"
        )
        if len(self.warnings):
            text += f"; {'; '.join(self.warnings['what'])}"
        return text

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the loadings on the general and the group factors."""
        pattern = self.loadings[[GENERAL, *self.groups]]
        return plot_loadings(pattern, n=self.n_obs, labels=labels, ax=ax)


@dataclass(frozen=True, slots=True, eq=False)
class Bifactor:
    """Loadings in the metric of the sum and standardised, and who belongs where.

    Attributes
    ----------
    general, groups
        Loadings on the general factor, shape (p,), and the group factors, shape
        (p, k), factors in unit variance.
    total
        Covariances of the items, shape (p, p).
    unique
        Variance of the sum of all items that no factor explains.
    sd
        Standard deviations that standardise the loadings, shape (p,).
    member
        Whether an item belongs to a group, shape (p, k).
    """

    general: Float1D
    groups: Float2D
    total: Float2D
    unique: float
    sd: Float1D
    member: Bool1D

    @property
    def standardized(self) -> tuple[Float1D, Float2D]:
        """Standardised loadings on the general and the group factors."""
        return self.general / self.sd, self.groups / self.sd[:, None]


def indices(part: Bifactor) -> list[tuple[int, str, float]]:
    """All coefficients: number of the group (-1 for the total), term, estimate.

    A subscale counts its own group factor only. Omega of the total is what uniqueness
    leaves of the variance of the sum.
    """
    g, s = part.standardized
    everyone = np.ones(len(part.general), dtype=bool)
    _, omega_h, _ = omega_parts(part.general, part.groups, part.total, everyone)
    omega = 1 - part.unique / float(part.total.sum())
    found = [
        (-1, "omega_total", omega),
        (-1, "omega_h", omega_h),
        (-1, "omega_ratio", omega_h / omega),
        (-1, "ecv", explained_common_variance(g, s)),
        (-1, "puc", uncontaminated_correlations(part.member)),
        (-1, "h", construct_replicability(g)),
    ]
    for k in range(part.groups.shape[1]):
        of = part.member[:, k]
        if not of.any():
            continue
        omega, omega_h, omega_hs = omega_parts(
            part.general, part.groups[:, [k]], part.total, of
        )
        found += [
            (k, "omega_total", omega),
            (k, "omega_h", omega_h),
            (k, "omega_hs", omega_hs),
            (k, "h", construct_replicability(s[of, k])),
        ]
    return found


def index_table(part: Bifactor, names: Sequence[str]) -> pd.DataFrame:
    """Arrange the coefficients, without errors."""
    rows = []
    for k, term, estimate in indices(part):
        size = part.member[:, k].sum() if k >= 0 else len(part.general)
        scale = names[k] if k >= 0 else TOTAL
        rows.append((scale, term, estimate, np.nan, np.nan, np.nan, int(size)))
    columns = ["scale", "term", "estimate", "std_error", "conf_low", "conf_high"]
    table = pd.DataFrame(rows, columns=[*columns, "n_items"])
    return table.assign(formula=table["term"].map(FORMULAS))


def loading_table(
    part: Bifactor, uniqueness: Float1D, items: Sequence[str], names: Sequence[str]
) -> pd.DataFrame:
    """Arrange the standardised loadings with communality and IECV.

    `uniqueness` is the standardised variance of each item left unexplained, (p,).
    """
    g, s = part.standardized
    table = pd.DataFrame(
        np.column_stack([g, s]),
        index=pd.Index(items, name="item"),
        columns=[GENERAL, *names],
    )
    iecv = item_explained_common_variance(g, s)
    return table.assign(h2=1 - uniqueness, u2=uniqueness, iecv=iecv)
