"""Estimates with their intervals, grouped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
_ROW = 0.26
_LONG = 0.6


def plot_intervals(
    frame: pd.DataFrame,
    *,
    title: str,
    xlabel: str,
    n_obs: int,
    group_label: str = "",
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates as dots with intervals, group below group.

    Parameters
    ----------
    frame
        Columns term, group, estimate, conf_low, conf_high, drawn from top to bottom;
        rows without an interval get a dot alone.
    title
        What is seen.
    xlabel
        The estimate and its unit.
    n_obs
        Number of respondents, printed under the figure.
    group_label
        What the groups are; empty for no legend.
    labels
        Texts for terms and groups; the names themselves where it has none.
    ax
        Axes to draw on; new ones, as high as the rows need, when None.
    """
    texts = dict(labels or {})
    groups = list(dict.fromkeys(frame["group"]))
    y = _heights(frame, groups)
    if ax is None:
        height = 1.4 + _ROW * (len(frame) + _LONG * len(groups))
        _, ax = plt.subplots(figsize=(7.0, max(height, 2.5)))
    colours = sns.color_palette(PALETTE, len(groups))
    for k, group in enumerate(groups):
        rows = frame[frame["group"] == group]
        here = y[(frame["group"] == group).to_numpy()]
        estimate = rows["estimate"].to_numpy()
        spread = np.abs(rows[["conf_low", "conf_high"]].to_numpy().T - estimate)
        ax.errorbar(
            estimate,
            here,
            xerr=np.nan_to_num(spread),
            fmt=_MARKERS[k % len(_MARKERS)],
            color=colours[k],
            markersize=5,
            linewidth=1.4,
            label=texts.get(group, group),
        )
    ax.axvline(0, color="0.4", linewidth=0.8)
    ax.set_yticks(y, [texts.get(t, t) for t in frame["term"]])
    ax.set_ylim(y.max(initial=0.0) + 0.8, -0.8)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(f"{xlabel}, n = {n_obs:,}")
    ax.set_title(title)
    if group_label:
        ax.legend(
            title=group_label, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False
        )
    return ax


def _heights(frame: pd.DataFrame, groups: list[str]) -> np.ndarray:
    """Vertical position of each row, with a gap between groups."""
    order = {group: k for k, group in enumerate(groups)}
    place = np.array([order[g] for g in frame["group"]], dtype=np.float64)
    rank = np.empty(len(frame))
    rank[np.argsort(place, kind="stable")] = np.arange(len(frame), dtype=np.float64)
    heights: np.ndarray = rank + _LONG * place
    return heights
