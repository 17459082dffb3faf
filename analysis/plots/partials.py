"""Average partial correlations over numbers of components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from analysis.plots.scree import subtitle
from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_partials(
    table: pd.DataFrame, smallest: int, *, n: int, ax: Axes | None = None
) -> Axes:
    """Draw average squared partial correlations and mark the smallest.

    Parameters
    ----------
    table
        One row per number of components: `number`, `squared`.
    smallest
        Number at which they are smallest.
    n
        Number of respondents, for the subtitle.
    ax
        Where to draw; a new figure otherwise.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    draw_partials(ax, table, smallest)
    noun = "component" if smallest == 1 else "components"
    ax.set_title(
        f"Least is left after {smallest} {noun}\n", loc="left", fontweight="bold"
    )
    subtitle(ax, f"n = {n:,}")
    return ax


def draw_partials(ax: Axes, table: pd.DataFrame, smallest: int) -> None:
    """Draw the curve on a log scale, its smallest point filled."""
    color = sns.color_palette(PALETTE)[2]
    ax.plot(table["number"], table["squared"], "o-", color=color, ms=5, mfc="white")
    least = table[table["number"] == smallest]
    ax.plot(least["number"], least["squared"], "o", color=color, ms=9)
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("Components partialled out")
    ax.set_ylabel("Average squared partial r")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
