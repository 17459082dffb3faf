"""Heatmap of the loadings of items on factors."""

from __future__ import annotations

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
ROW_INCHES, COLUMN_INCHES = 0.30, 0.95


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
    if ax is None:
        height = max(2.6, 1.4 + ROW_INCHES * len(ordered))
        width = 3.2 + COLUMN_INCHES * ordered.shape[1]
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    values = ordered.to_numpy()
    sns.heatmap(
        ordered.rename(index=dict(labels or {})),
        ax=ax,
        vmin=-1,
        vmax=1,
        cmap=DIVERGING,
        annot=np.vectorize("{:.2f}".format)(values.round(2) + 0.0),
        fmt="",
        annot_kws={"fontsize": 9},
        linewidths=1,
        cbar_kws={"label": "Pattern loading", "shrink": 0.6},
    )
    for text, value in zip(ax.texts, values.ravel(), strict=True):
        text.set_fontweight("bold" if abs(value) >= salient else "normal")
        if abs(value) < salient:
            text.set_color("0.45")
    simple = int((np.abs(values) >= salient).sum(axis=1).__eq__(1).sum())
    ax.set_title(
        f"{simple} of {len(ordered)} items load on one factor only\n",
        loc="left",
        fontweight="bold",
    )
    ax.text(
        0,
        1.01,
        f"n = {n:,}; bold: at least {salient:.2f} in size",
        transform=ax.transAxes,
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
