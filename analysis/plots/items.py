"""Dot plot of how each item goes with the rest of its scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

# Below this an item is usually said to measure something else (Nunnally, 1978).
WEAK = 0.30


def plot_item_rest(
    table: pd.DataFrame,
    *,
    n: int,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw item-rest correlations, strongest item on top.

    Parameters
    ----------
    table
        One row per item: `item`, `r_drop` (NaN is left out and counted below).
    n
        Number of respondents behind the correlations.
    labels
        Text of each item; its name otherwise.
    ax
        Where to draw; a new figure that grows with the items otherwise.
    """
    shown = table.dropna(subset=["r_drop"]).sort_values("r_drop").reset_index(drop=True)
    missing = len(table) - len(shown)
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 1.8 + 0.3 * len(shown)), layout="constrained")
    colors = sns.color_palette(PALETTE, 4)
    groups = (
        ("Against the key (below 0)", shown["r_drop"] < 0, "X", colors[3]),
        (
            f"Weak (below {WEAK:.2f})",
            shown["r_drop"].between(0, WEAK, "left"),
            "s",
            colors[1],
        ),
        (f"{WEAK:.2f} or more", shown["r_drop"] >= WEAK, "o", colors[0]),
    )
    ax.hlines(shown.index, 0, shown["r_drop"], color="0.75", lw=1.5, zorder=1)
    for label, rows, marker, color in groups:
        if rows.any():
            ax.scatter(
                shown.loc[rows, "r_drop"],
                shown.index[rows],
                marker=marker,
                s=60,
                color=color,
                label=label,
                zorder=2,
            )
    ax.axvline(0, color="0.3", lw=1)
    ax.axvline(WEAK, color="0.6", lw=1, ls=":")
    names = shown["item"].astype(str)
    ax.set_yticks(shown.index, [(labels or {}).get(name, name) for name in names])
    strong = int((shown["r_drop"] >= WEAK).sum())
    ax.set_title(
        f"{strong} of {len(table)} items go with the rest of the scale\n",
        loc="left",
        fontweight="bold",
    )
    note = f"n = {n:,}" + (f"; {missing} without a correlation" if missing else "")
    ax.text(0, 1.01, note, transform=ax.transAxes, va="bottom", fontsize=10)
    ax.set_xlabel("Correlation of item and sum of the other items")
    ax.grid(visible=False, axis="y")
    if len(shown):
        ax.legend(frameon=False, loc="lower right")
    return ax
