"""The coefficients of one scale, as every estimator here returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from analysis.plots.forest import forest
from analysis.reliability.formulas import FORMULAS
from analysis.result import estimate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

Row: TypeAlias = tuple[str, float, float, float, float]
Warning_: TypeAlias = tuple[str, str, str]

COLUMNS = ("term", "estimate", "std_error", "conf_low", "conf_high")


def coefficient_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Arrange term, estimate, std_error, conf_low, conf_high, and name the formula."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.assign(formula=table["term"].map(FORMULAS).astype(object))


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Reliability of the sum or mean of one scale.

    Attributes
    ----------
    coefficient
        The coefficient asked for, such as ``"alpha"`` or ``"omega"``.
    table
        One row per coefficient, that one first: `term`, `estimate`, `std_error`,
        `conf_low`, `conf_high`, `formula`; NaN where a coefficient has no interval
        here.
    average_r
        Mean correlation of two items.
    conf_level
        Level of the intervals.
    n_items, n_obs, n_dropped
        Items, respondents used, and left out for missing answers.
    warnings
        Values that need a second look: what, where, remedy.
    interval
        How the intervals were made.
    """

    coefficient: str
    table: pd.DataFrame
    average_r: float
    conf_level: float
    n_items: int
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame
    interval: str

    def __getitem__(self, term: str) -> float:
        """Estimate of the coefficient `term`, such as ``"alpha_std"``."""
        return estimate_of(self.table, term)

    def tidy(self) -> pd.DataFrame:
        """One row per coefficient."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the coefficient asked for, average_r and sizes."""
        head = self.table.iloc[0]
        return pd.DataFrame(
            {
                str(head["term"]): [head["estimate"]],
                "conf_low": [head["conf_low"]],
                "conf_high": [head["conf_high"]],
                "average_r": [self.average_r],
                "n_items": [self.n_items],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
            }
        )

    def summary(self) -> str:
        """State the coefficient with its interval, as papers do."""
        head = self.table.iloc[0]
        text = f"{head['term']} = {head['estimate']:.3f}"
        if pd.notna(head["conf_low"]):
            text += (
                f", {self.conf_level:.0%} CI "
                f"[{head['conf_low']:.3f}, {head['conf_high']:.3f}]"
            )
        text += f" ({self.n_items} items, n = {self.n_obs}; {head['formula']})"
        if len(self.warnings):
            text += f"; {'; '.join(self.warnings['what'])}"
        return text

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw all coefficients with their intervals; the line marks .70."""
        best, worst = self.table["estimate"].max(), self.table["estimate"].min()
        return forest(
            self.table,
            title=f"Reliability of the scale: {worst:.2f} to {best:.2f}",
            n=self.n_obs,
            xlabel=f"reliability with {self.conf_level:.0%} interval",
            reference=0.70,
            ax=ax,
        )
