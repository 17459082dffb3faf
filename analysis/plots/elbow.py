"""Fit over numbers of factors, and the hull above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from analysis.plots.scree import subtitle
from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_hull(
    table: pd.DataFrame,
    retained: int | None,
    *,
    fit: str,
    n: int,
    ax: Axes | None = None,
) -> Axes:
    """Draw fit over numbers of factors, joined where solutions are on the hull.

    Parameters
    ----------
    table
        One row per number of factors: `n_factors`, `fit`, `on_hull`.
    retained
        Where the hull bends most, or None.
    fit
        Which index of fit.
    n
        Number of respondents, for the subtitle.
    ax
        Where to draw; a new figure otherwise.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    color = sns.color_palette(PALETTE)[0]
    kept, rest = table[table["on_hull"]], table[~table["on_hull"]]
    ax.plot(kept["n_factors"], kept["fit"], "o-", color=color, mfc="white", ms=6)
    ax.plot(rest["n_factors"], rest["fit"], "x", color="0.5", label="Off the hull")
    if retained is None:
        title = "The hull has no bend"
    else:
        at = table[table["n_factors"] == retained]
        ax.plot(at["n_factors"], at["fit"], "o", color=color, ms=10)
        noun = "factor" if retained == 1 else "factors"
        title = f"The hull says {retained} {noun}"
    ax.set_title(f"{title}\n", loc="left", fontweight="bold")
    subtitle(ax, f"n = {n:,}; a solution off the hull is not worth its factors")
    ax.set_xlabel("Number of factors")
    ax.set_ylabel(fit)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if len(rest):
        ax.legend(frameon=False, loc="lower right")
    return ax
