"""Minimum average partial test: when components stop to leave less correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.efa.source import FromCorrelations, correlations_of, head
from analysis.plots.partials import plot_partials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.correlations import Kind, Missing
    from analysis.efa.source import Items

# An item whose variance is used up has no partial correlation.
USED_UP = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class MapTest(FromCorrelations):
    """Average partial correlations after each number of components.

    Attributes
    ----------
    table
        One row per number of components from 0: `number`, `squared` (average squared
        partial correlation), `fourth` (average fourth power).
    n_squared, n_fourth
        Where each is smallest: the original rule and its revision.
    kind, reason, n_items, n_obs, n_dropped, warnings
        See `FromCorrelations`.
    """

    table: pd.DataFrame
    n_squared: int
    n_fourth: int

    @property
    def n_retained(self) -> int:
        """Number by the original rule."""
        return self.n_squared

    def tidy(self) -> pd.DataFrame:
        """One row per number of components: number, squared, fourth."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: both numbers, correlations and sizes."""
        return self.glance_row(n_squared=self.n_squared, n_fourth=self.n_fourth)

    def summary(self) -> str:
        """Say how many to keep by both rules."""
        return (
            f"MAP retains {self.n_squared} components by squared and {self.n_fourth} "
            f"by fourth powers ({self.kind} correlations, {self.n_items} items, "
            f"n = {self.n_obs})"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw average squared partial correlations over numbers of components."""
        return plot_partials(self.table, self.n_squared, n=self.n_obs, ax=ax)


def map_test(
    items: Items, *, kind: Kind | None = None, missing: Missing | None = None
) -> MapTest:
    """Count components until the average partial correlation stops falling.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    kind
        Which correlation of answers; Pearson's by default.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`; at least three items are needed.

    Notes
    -----
    Velicer (1976) for squares, Velicer, Eaton and Fava (2000) for fourth powers.
    `squared` after 1, 2, ... components is ``psych::vss(R, n.obs = n)$map``, which has
    no row for 0.
    """
    corr = correlations_of(items, kind, missing, where="map_test", at_least=3)
    squared, fourth = _averages(corr.R)
    rows = []
    if squared.argmin() != fourth.argmin():
        rows.append(
            (
                "squares and fourth powers disagree",
                f"{squared.argmin()} or {fourth.argmin()} components",
                "Compare both solutions by content before deciding.",
            )
        )
    return MapTest(
        table=pd.DataFrame(
            {
                "number": np.arange(len(squared)),
                "squared": squared,
                "fourth": fourth,
            }
        ),
        n_squared=int(squared.argmin()),
        n_fourth=int(fourth.argmin()),
        **head(corr, rows),
    )


def _averages(R: Float2D) -> tuple[Float1D, Float1D]:
    """Average second and fourth powers of partial correlations, shapes (p - 1,)."""
    p = len(R)
    values, vectors = np.linalg.eigh(R)
    A = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    off = ~np.eye(p, dtype=bool)
    squared, fourth = [], []
    for m in range(p - 1):
        left = R - A[:, :m] @ A[:, :m].T
        variance = np.diag(left)
        if variance.min() < USED_UP:
            break
        partial = (left / np.sqrt(np.outer(variance, variance)))[off]
        squared.append(float((partial**2).mean()))
        fourth.append(float((partial**4).mean()))
    return np.array(squared), np.array(fourth)
