"""The coefficients of the factors of a model, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.plots.forest import forest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOTAL: Final = "total"


@dataclass(frozen=True, slots=True, eq=False)
class CompositeReliability:
    """Reliability of the sum of each factor's items.

    Attributes
    ----------
    table
        One row per group, factor and coefficient: `group`, `factor` (``"total"`` for
        the sum of all items), `term`, `estimate`, `std_error`, `conf_low`,
        `conf_high`, `n_items`, `formula`. NaN where a coefficient does not exist for
        a factor, with the reason in `warnings`.
    conf_level
        Level of the intervals.
    n_obs
        Respondents of the fit.
    warnings
        Improper solutions, cross-loadings, ordered items: what, where, remedy.
    """

    table: pd.DataFrame
    conf_level: float
    n_obs: int
    warnings: pd.DataFrame

    def estimate(self, factor: str, term: str, group: str = "") -> float:
        """Estimate of one coefficient of one factor."""
        rows = self.table.set_index(["group", "factor", "term"])["estimate"]
        return float(rows[(group, factor, term)])

    @property
    def omegas(self) -> pd.DataFrame:
        """The omega to report of each factor, one row each.

        Of the sum of codes where items are ordered; over the implied variance where a
        factor shares items with others.
        """
        wanted = ("omega_categorical", "omega", "omega2")
        known = self.table.dropna(subset="estimate")
        known = known[known["term"].isin(wanted) & (known["factor"] != TOTAL)]
        rank = known["term"].map({term: k for k, term in enumerate(wanted)})
        best = known.loc[rank.sort_values(kind="stable").index]
        return best.drop_duplicates(["group", "factor"]).sort_index()

    def tidy(self) -> pd.DataFrame:
        """One row per group, factor and coefficient."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: factors, and lowest omega, AVE and maximal reliability."""
        parts = self.table[self.table["factor"] != TOTAL]
        lowest = parts.groupby("term")["estimate"].min()
        return pd.DataFrame(
            {
                "n_factors": [parts["factor"].nunique()],
                "lowest_omega": [self.omegas["estimate"].min()],
                "lowest_ave_std": [lowest["ave_std"]],
                "lowest_maximal": [lowest["maximal"]],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Omega of every factor, named, with its interval."""
        said = [
            f"{_place(row['factor'], row['group'])}: {row['term']} = "
            f"{row['estimate']:.3f} [{row['conf_low']:.3f}, {row['conf_high']:.3f}]"
            for row in self.omegas.to_dict("records")
        ]
        text = f"{'; '.join(said) or 'no factor has an omega'} (n = {self.n_obs})"
        if len(self.warnings):
            text += f"; {len(self.warnings)} warning(s)"
        return text

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw omega of every factor with its interval; the line marks .70."""
        rows = self.omegas
        names = [
            _place(factor, group)
            for factor, group in zip(rows["factor"], rows["group"], strict=True)
        ]
        frame = rows.assign(term=names)
        weakest = frame.sort_values("estimate").head(1)
        shown = [
            f"{row['term']} ({row['estimate']:.2f})" for _, row in weakest.iterrows()
        ]
        return forest(
            frame,
            title=f"Least reliable: {''.join(shown)}",
            n=self.n_obs,
            xlabel=f"omega with {self.conf_level:.0%} interval; the line marks .70",
            reference=0.70,
            ax=ax,
        )


def _place(factor: str, group: str) -> str:
    return f"{factor} in {group}" if group else factor
