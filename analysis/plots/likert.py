"""Diverging stacked bars: what share of people gave each answer."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.patches import Patch

from analysis.plots.theme import DIVERGING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 46
_LABEL_FROM = 6.0
_EDGE = "0.7"


def likert_bars(
    shares: pd.DataFrame,
    *,
    n: pd.Series[int],
    title: str,
    groups: Mapping[str, Sequence[str]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one bar per item, centred on the middle of the scale.

    Parameters
    ----------
    shares
        Percent of answers, shape (n_items, n_codes): index is what the items say,
        columns are the labels of the codes in order; rows add to 100.
    n
        Answers per item, same index.
    groups
        Heading to the items below it, in order; all items under none when left out.
    title
        What is seen.
    """
    layout = _layout(shares, groups)
    own: Figure | None = None
    if ax is None:
        height = 1.4 + 0.42 * len(layout)
        own, ax = plt.subplots(figsize=(9.5, height), layout="constrained")
    k = shares.shape[1]
    colours = sns.color_palette(DIVERGING, k)
    labels, ticks = [], []
    for position, name in enumerate(layout):
        if name not in shares.index:
            ax.text(
                -0.02,
                position,
                name,
                weight="bold",
                ha="right",
                va="center",
                transform=ax.get_yaxis_transform(),
            )
            continue
        row = shares.loc[name].to_numpy(dtype=float)
        _bar(ax, position, row, colours)
        labels.append(f"{textwrap.fill(name, _WIDTH)}  (n = {int(n[name])})")
        ticks.append(position)
    ax.set_yticks(ticks, labels, fontsize=9)
    ax.set_ylim(len(layout) - 0.4, -0.6)
    ax.axvline(0, color="0.3", linewidth=0.8)
    limit = _limit(shares)
    ax.set_xlim(-limit, limit)
    ticks_x = np.arange(-100, 101, 25)
    ticks_x = ticks_x[np.abs(ticks_x) <= limit]
    ax.set_xticks(ticks_x, [f"{abs(tick)} %" for tick in ticks_x])
    ax.set_xlabel("share of answers; the middle of the scale stands at 0")
    ax.set_title(textwrap.fill(title, 62))
    ax.grid(visible=False, axis="y")
    handles = [
        Patch(facecolor=colour, edgecolor=_EDGE, label=str(label))
        for colour, label in zip(colours, shares.columns, strict=True)
    ]
    if own is None:
        ax.legend(handles=handles, ncols=min(k, 5), frameon=False, fontsize=9)
    else:
        own.legend(
            handles=handles,
            ncols=min(k, 5),
            loc="outside lower center",
            frameon=False,
            fontsize=9,
        )
    return ax


def _layout(
    shares: pd.DataFrame, groups: Mapping[str, Sequence[str]] | None
) -> list[str]:
    if groups is None:
        return [str(name) for name in shares.index]
    return [name for heading, items in groups.items() for name in (heading, *items)]


def _start(row: np.ndarray) -> float:
    """Left end of a bar whose middle category straddles zero."""
    k = len(row)
    left = row[: k // 2].sum()
    return float(-left - (row[k // 2] / 2 if k % 2 else 0))


def _limit(shares: pd.DataFrame) -> float:
    values = shares.to_numpy(dtype=float)
    starts = np.array([_start(row) for row in values])
    widest = np.maximum(-starts, values.sum(axis=1) + starts).max()
    return float(min(100.0, 5 * np.ceil(widest / 5) + 5))


def _bar(
    ax: Axes,
    position: int,
    row: np.ndarray,
    colours: Sequence[tuple[float, float, float]],
) -> None:
    left = _start(row)
    for share, colour in zip(row, colours, strict=True):
        ax.barh(
            position,
            share,
            left=left,
            color=colour,
            height=0.78,
            edgecolor=_EDGE,
            linewidth=0.6,
        )
        if share >= _LABEL_FROM:
            dark = sum(colour) < 1.5  # noqa: PLR2004 - half of white
            ax.text(
                left + share / 2,
                position,
                f"{share:.0f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "black",
            )
        left += share
