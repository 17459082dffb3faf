"""Figures of a moderation: simple slopes, and the slope over the moderator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.forest import MARKERS
from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

STYLES = ("-", "--", "-.", ":")
FIGURE = (7.0, 4.6)


def slopes_plot(
    lines: pd.DataFrame,
    *,
    title: str,
    n: int,
    xlabel: str,
    ylabel: str,
    legend: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line with its band per value of the moderator.

    Parameters
    ----------
    lines
        ``group x estimate conf_low conf_high``; groups in the order given.
    title
        What is seen.
    n
        Number of people.
    xlabel, ylabel
        Names of the axes.
    legend
        Name of the moderator.
    ax
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Lines differ by colour, dashes and end markers.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=FIGURE)
    groups = list(dict.fromkeys(lines["group"]))
    colours = sns.color_palette(PALETTE, len(groups))
    for number, group in enumerate(groups):
        part = lines[lines["group"] == group]
        x = part["x"].to_numpy(float)
        ax.fill_between(
            x,
            part["conf_low"].to_numpy(float),
            part["conf_high"].to_numpy(float),
            color=colours[number],
            alpha=0.15,
            linewidth=0,
        )
        ax.plot(
            x,
            part["estimate"].to_numpy(float),
            color=colours[number],
            linestyle=STYLES[number % len(STYLES)],
            linewidth=2,
            marker=MARKERS[number % len(MARKERS)],
            markevery=[0, len(part) - 1],
            label=str(group),
        )
    ax.set_xlabel(f"{xlabel} (n = {n})")
    ax.set_ylabel(ylabel)
    ax.set_title(title, loc="left", fontweight="bold")
    ax.legend(title=legend, frameon=False, handlelength=3.5)
    return ax


def johnson_neyman_plot(
    curve: pd.DataFrame,
    *,
    bounds: Sequence[float],
    observed: pd.Series,
    title: str,
    n: int,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw the slope over the moderator; hatched where it differs from zero.

    Parameters
    ----------
    curve
        ``moderator estimate conf_low conf_high significant``, sorted by moderator.
    bounds
        Johnson-Neyman bounds; those outside the curve are not drawn.
    observed
        The moderator's values, drawn as ticks along the bottom.
    title
        What is seen.
    n
        Number of people.
    xlabel, ylabel
        Names of the axes.
    ax
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        With the bounds written at their lines.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=FIGURE)
    colour = sns.color_palette(PALETTE)[0]
    x = curve["moderator"].to_numpy(float)
    low = curve["conf_low"].to_numpy(float)
    high = curve["conf_high"].to_numpy(float)
    significant = curve["significant"].to_numpy(bool)
    ax.axhline(0, color="0.35", linewidth=1, linestyle="--")
    ax.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
    ax.fill_between(
        x,
        low,
        high,
        where=significant.tolist(),
        facecolor="none",
        edgecolor=colour,
        hatch="///",
        linewidth=0,
        label="differs from zero",
    )
    ax.plot(x, curve["estimate"].to_numpy(float), color=colour, linewidth=2)
    for bound in bounds:
        if x[0] <= bound <= x[-1]:
            ax.axvline(bound, color="0.2", linewidth=1, linestyle=":")
            ax.annotate(
                f"{bound:.2f}",
                (bound, 0.98),
                xycoords=("data", "axes fraction"),
                xytext=(4, 0),
                textcoords="offset points",
                va="top",
            )
    values = observed.to_numpy(float)
    ax.plot(
        values,
        np.full(len(values), 0.015),
        "|",
        transform=ax.get_xaxis_transform(),
        color="0.3",
        alpha=0.5,
        markersize=8,
        label="people",
    )
    ax.set_xlabel(f"{xlabel} (n = {n})")
    ax.set_ylabel(ylabel)
    ax.set_title(title, loc="left", fontweight="bold")
    ax.legend(frameon=False, loc="best")
    return ax
