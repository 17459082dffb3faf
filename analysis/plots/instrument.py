"""How many items each scale has, and how many of them are reversed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def items_per_scale(scales: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw items per scale, reversed ones hatched.

    Parameters
    ----------
    scales
        ``label kind n_items n_reversed``, in order; composites are left out.
    """
    frame = scales[scales["kind"] != "composite"].reset_index(drop=True)
    if ax is None:
        height = 1.4 + 0.28 * len(frame)
        _, ax = plt.subplots(figsize=(8, height), layout="constrained")
    colours = sns.color_palette(PALETTE)
    plain = frame["n_items"] - frame["n_reversed"]
    ax.barh(frame.index, plain, color=colours[0], label="as scored", edgecolor="white")
    ax.barh(
        frame.index,
        frame["n_reversed"],
        left=plain,
        color=colours[1],
        hatch="///",
        label="reversed",
        edgecolor="white",
    )
    ax.set_yticks(frame.index, frame["label"], fontsize=9)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.set_xlabel("items")
    total, turned = int(frame["n_items"].sum()), int(frame["n_reversed"].sum())
    ax.set_title(f"{total} items in {len(frame)} scales, {turned} of them reversed")
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower right", fontsize=9)
    return ax
