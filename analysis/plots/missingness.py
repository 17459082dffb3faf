"""How much is missing, and why: stacked bars with hatches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_HATCHES = ("", "///", "...", "xx")


def missing_bars(
    shares: pd.DataFrame, *, n: int, title: str, ax: Axes | None = None
) -> Axes:
    """Draw the share of answers missing, split by reason.

    Parameters
    ----------
    shares
        Percent, shape (n_rows, n_reasons): index is what is missing (items, pages or
        scales), columns are the reasons.
    n
        People and waves the shares are of.
    title
        What is seen.
    """
    if ax is None:
        height = 1.6 + 0.3 * len(shares)
        _, ax = plt.subplots(figsize=(8.5, height), layout="constrained")
    colours = sns.color_palette(PALETTE, shares.shape[1])
    left = shares.iloc[:, 0] * 0.0
    positions = range(len(shares))
    for i, reason in enumerate(shares.columns):
        ax.barh(
            positions,
            shares[reason],
            left=left,
            label=str(reason),
            color=colours[i],
            hatch=_HATCHES[i % len(_HATCHES)],
            edgecolor="white",
        )
        left = left + shares[reason]
    for position, total in zip(positions, left, strict=True):
        ax.text(total + 0.3, position, f"{total:.1f} %", va="center", fontsize=8)
    ax.set_yticks(list(positions), [str(name) for name in shares.index], fontsize=9)
    ax.set_ylim(len(shares) - 0.4, -0.6)
    ax.set_xlim(0, max(10.0, float(left.max()) * 1.15))
    ax.set_xlabel(f"percent of answers that could have been given (n = {n})")
    ax.set_title(title)
    ax.grid(visible=False, axis="y")
    ax.legend(title="Missing because", loc="lower right", fontsize=9)
    return ax
