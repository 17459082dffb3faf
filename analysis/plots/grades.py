"""Grades of measurement properties as a table of marks."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SHOWN = {"+": "+", "-": "\N{MINUS SIGN}", "?": "?"}


def plot_grades(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw one mark for each scale and property.

    Parameters
    ----------
    table
        Columns `measurement_property`, `what`, `rating` (``"+"``, ``"-"``, ``"?"``)
        and `n_obs`.
    ax
        Where to draw; a new figure that grows with the table otherwise.
    """
    properties = list(dict.fromkeys(table["measurement_property"]))
    scales = list(dict.fromkeys(table["what"]))
    if ax is None:
        size = (2.4 + 1.35 * len(properties), 1.4 + 0.42 * len(scales))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    palette = sns.color_palette(PALETTE)
    colours = {"+": palette[2], "-": palette[3], "?": palette[7]}
    for row in table.to_dict("records"):
        x = properties.index(row["measurement_property"])
        y = scales.index(row["what"])
        ax.scatter(x, y, s=380, color=colours[row["rating"]], zorder=2)
        ax.text(
            x,
            y,
            _SHOWN[row["rating"]],
            ha="center",
            va="center",
            color="white",
            weight="bold",
            zorder=3,
        )
    ax.set_xticks(range(len(properties)), [textwrap.fill(p, 12) for p in properties])
    ax.set_yticks(range(len(scales)), scales)
    ax.set_xlim(-0.5, len(properties) - 0.5)
    ax.set_ylim(len(scales) - 0.5, -0.5)
    good = int((table["rating"] == "+").sum())
    ax.set_title(
        f"{good} of {len(table)} properties are sufficient", loc="left", weight="bold"
    )
    people = sorted({int(n) for n in table["n_obs"]})
    n = f"{people[0]:,}" if len(people) == 1 else f"{people[0]:,} to {people[-1]:,}"
    ax.set_xlabel(f"COSMIN: + sufficient, \N{MINUS SIGN} insufficient, ? open; n = {n}")
    return ax
