"""Distribution of one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D

STYLES = ("-", "--", ":", "-.")


def plot_histogram(
    values: Float1D,
    *,
    marks: Mapping[str, float],
    title: str,
    xlabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a histogram with named vertical lines.

    Parameters
    ----------
    values
        Shape (n,).
    marks
        Name and place of each line.
    title
        What is seen.
    xlabel
        What the values are.
    ax
        Where to draw; a new figure otherwise.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
    colours = sns.color_palette(PALETTE)
    ax.hist(values, bins="auto" if len(values) > 50 else 10, color=colours[0])  # noqa: PLR2004
    for number, (name, place) in enumerate(marks.items()):
        ax.axvline(
            place,
            color="0.15",
            lw=1.5,
            ls=STYLES[number % len(STYLES)],
            label=f"{name} {place:.3f}",
        )
    ax.set_title(title, loc="left", fontweight="bold")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(f"Splits (of {len(values):,})")
    ax.legend(frameon=False)
    return ax
