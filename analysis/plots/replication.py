"""How alike factors are when they are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.scree import subtitle
from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Lorenzo-Seva and ten Berge (2006).
LINES: Final = ((0.95, "equal"), (0.85, "fair"))
# Points of one factor are spread over this height.
SPREAD: Final = 0.3


def plot_congruence(table: pd.DataFrame, *, n: int, ax: Axes | None = None) -> Axes:
    """Draw one point per comparison and factor, and the median of each factor.

    Parameters
    ----------
    table
        One row per comparison and factor: `comparison`, `factor`, `estimate`.
    n
        Respondents in all.
    ax
        Where to draw; a new figure otherwise.
    """
    names = list(dict.fromkeys(table["factor"]))
    if ax is None:
        height = 1.8 + 0.5 * len(names)
        _, ax = plt.subplots(figsize=(7, height), layout="constrained")
    color = sns.color_palette(PALETTE)[0]
    for row, name in enumerate(reversed(names)):
        values = table.loc[table["factor"] == name, "estimate"].to_numpy()
        offsets = np.linspace(-SPREAD, SPREAD, len(values)) if len(values) > 1 else [0]
        ax.plot(values, row + np.asarray(offsets), "o", color=color, alpha=0.45, ms=5)
        middle = float(np.median(values))
        ax.plot([middle, middle], [row - 0.4, row + 0.4], color=color, linewidth=2.5)
        ax.annotate(
            f"{middle:.2f}",
            (1, row),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    for value, word in LINES:
        ax.axvline(value, color="0.4", linestyle="--", linewidth=1, zorder=0)
        ax.annotate(
            f"{word} from {value:.2f}",
            (value, 0),
            xycoords=("data", "axes fraction"),
            xytext=(-3, 4),
            textcoords="offset points",
            ha="right",
            rotation=90,
            va="bottom",
            fontsize=8,
            color="0.35",
        )
    ax.set_yticks(range(len(names)), list(reversed(names)))
    ax.set_ylim(-0.6, len(names) - 0.4)
    lowest = float(table["estimate"].min())
    ax.set_xlim(min(0.8, lowest - 0.03), 1.005)
    medians = table.groupby("factor")["estimate"].median()
    alike = int((medians >= LINES[0][0]).sum())
    ax.set_title(
        f"{alike} of {len(names)} factors come back as equal\n",
        loc="left",
        fontweight="bold",
    )
    comparisons = table["comparison"].nunique()
    subtitle(ax, f"{comparisons} comparisons, n = {n:,}; bars and numbers: medians")
    ax.set_xlabel("Tucker congruence")
    ax.grid(visible=False, axis="y")
    return ax
