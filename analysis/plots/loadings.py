"""Heatmap of the loadings of items on factors."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.theme import DIVERGING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

# The usual line between a loading worth naming and one that is not.
SALIENT = 0.30
ROW_INCHES, COLUMN_INCHES, LETTER_INCHES = 0.30, 0.95, 0.08
# Letters of an item's text in one line.
LINE = 46


def plot_loadings(
    pattern: pd.DataFrame,
    *,
    n: int,
    labels: Mapping[str, str] | None = None,
    salient: float = SALIENT,
    ax: Axes | None = None,
) -> Axes:
    """Draw pattern loadings with their numbers, items in the order of their factors.

    Parameters
    ----------
    pattern
        Items x factors.
    n
        Number of respondents, for the subtitle.
    labels
        Text of each item; its name otherwise.
    salient
        Loadings of at least this size are printed bold.
    ax
        Where to draw; a new figure that grows with the items otherwise.
    """
    ordered = pattern.loc[factor_order(pattern)]
    said = dict(labels or {})
    names = [textwrap.fill(said.get(str(n), str(n)), LINE) for n in ordered.index]
    if ax is None:
        height = max(
            2.6, 1.4 + ROW_INCHES * sum(name.count("\n") + 1 for name in names)
        )
        widest = max(len(line) for name in names for line in name.split("\n"))
        width = 2.4 + LETTER_INCHES * widest + COLUMN_INCHES * ordered.shape[1]
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    values = ordered.to_numpy()
    sns.heatmap(
        ordered.set_axis(names, axis="index"),
        ax=ax,
        vmin=-1,
        vmax=1,
        cmap=DIVERGING,
        annot=np.vectorize("{:.2f}".format)(values.round(2) + 0.0),
        fmt="",
        annot_kws={"fontsize": 9},
        linewidths=1,
        cbar_kws={"label": "Pattern loading", "shrink": min(0.6, 8 / len(ordered))},
    )
    for text, value in zip(ax.texts, values.ravel(), strict=True):
        text.set_fontweight("bold" if abs(value) >= salient else "normal")
        if abs(value) < salient:
            text.set_color("0.45")
    simple = int((np.abs(values) >= salient).sum(axis=1).__eq__(1).sum())
    only = "" if pattern.shape[1] == 1 else " only"
    ax.set_title(
        f"{simple} of {len(ordered)} items load on one factor{only}\n",
        loc="left",
        fontweight="bold",
    )
    ax.annotate(
        f"n = {n:,}; bold: at least {salient:.2f} in size",
        (0, 1),
        xytext=(0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        va="bottom",
        fontsize=10,
    )
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", bottom=False)
    return ax


def factor_order(pattern: pd.DataFrame) -> list[str]:
    """Items by the factor they load on most, strongest first."""
    size = pattern.abs().to_numpy()
    factor = size.argmax(axis=1)
    order = np.lexsort((-size.max(axis=1), factor))
    return [str(pattern.index[i]) for i in order]
