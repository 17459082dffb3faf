"""Forest of estimates: a point and an interval per term."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.errors import AnalysisError
from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
ROW_HEIGHT = 0.42
SPREAD = 0.45
"""Share of a row over which groups are placed side by side."""


def forest(
    frame: pd.DataFrame,
    *,
    title: str,
    n: int | str,
    xlabel: str,
    labels: Mapping[str, str] | None = None,
    group: str | None = None,
    reference: float | None = 0.0,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with intervals, one row per term, in the order given.

    Parameters
    ----------
    frame
        ``term estimate conf_low conf_high``, and the column `group` if one is named.
        A missing end of an interval is drawn as a point without whiskers.
    title
        What is seen.
    n
        Number of people, or words such as ``"212 couples"``.
    xlabel
        What the estimates are, and what the interval is.
    labels
        Words for the terms; a term without one is shown as it is.
    group
        Column that tells several estimates of a term apart, by colour and marker.
    reference
        Where to draw the line of no effect; None for no line.
    ax
        Where to draw; a new figure of fitting height without it.

    Returns
    -------
    Axes
        With the first term at the top.

    Raises
    ------
    AnalysisError
        If a column is missing or there is no row to draw.
    """
    _check(frame, group)
    terms = list(dict.fromkeys(frame["term"]))
    groups = [None] if group is None else list(dict.fromkeys(frame[group]))
    if ax is None:
        rows = len(terms) * max(1.0, 0.55 * len(groups))
        _, ax = plt.subplots(figsize=(7.5, 1.6 + ROW_HEIGHT * rows))
    if reference is not None:
        ax.axvline(reference, color="0.35", linewidth=1, linestyle="--", zorder=1)
    colours = sns.color_palette(PALETTE, max(len(groups), 1))
    offsets = np.linspace(-SPREAD / 2, SPREAD / 2, len(groups)) * (len(groups) > 1)
    place = {term: row for row, term in enumerate(terms)}
    for number, name in enumerate(groups):
        part = frame if group is None else frame[frame[group] == name]
        y = part["term"].map(place).to_numpy(float) + offsets[number]
        _points(ax, part, y, colour=colours[number], number=number, name=name)
    known = {} if labels is None else labels
    ax.set_yticks(range(len(terms)), [known.get(str(t), str(t)) for t in terms])
    ax.set_ylim(len(terms) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(f"{xlabel}, n = {n}" if isinstance(n, int) else f"{xlabel}, {n}")
    ax.set_ylabel("")
    ax.set_title(title, loc="left", fontweight="bold")
    if group is not None:
        ax.legend(
            frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0
        )
    return ax


def _points(
    ax: Axes,
    part: pd.DataFrame,
    y: np.typing.NDArray[np.float64],
    *,
    colour: tuple[float, float, float],
    number: int,
    name: object,
) -> None:
    estimate = part["estimate"].to_numpy(float)
    low = part["conf_low"].to_numpy(float)
    high = part["conf_high"].to_numpy(float)
    whole = np.isfinite(low) & np.isfinite(high)
    ax.hlines(y[whole], low[whole], high[whole], color=colour, linewidth=2, zorder=2)
    ax.plot(
        estimate,
        y,
        linestyle="none",
        marker=MARKERS[number % len(MARKERS)],
        markersize=7,
        color=colour,
        markeredgecolor="white",
        label=None if name is None else str(name),
        zorder=3,
    )


def _check(frame: pd.DataFrame, group: str | None) -> None:
    wanted = ["term", "estimate", "conf_low", "conf_high"]
    wanted += [] if group is None else [group]
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise AnalysisError(
            f"forest: the frame lacks the columns {missing}. Hand in a tidy() frame."
        )
    if frame.empty:
        raise AnalysisError(
            "forest: there is no estimate to draw. Use a model with a predictor."
        )
