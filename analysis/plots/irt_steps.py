"""Shares of people who pass the steps of an item, along their rest scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.ticker import PercentFormatter

from analysis.plots.forest import MARKERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_steps(
    steps: pd.DataFrame, *, title: str, n: int, ax: Axes | None = None
) -> Axes:
    """Draw one line per step of an item; lines that fall speak against monotonicity.

    Parameters
    ----------
    steps
        ``code group low high n share`` of one item.
    title
        The item.
    n
        Number of people.
    ax
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Steps differ by colour and marker; the code stands at the right end.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 4.4), layout="constrained")
    codes = list(dict.fromkeys(steps["code"]))
    colours = sns.color_palette("viridis", len(codes) + 1)
    for k, code in enumerate(codes):
        part = steps[steps["code"] == code]
        ax.plot(
            part["group"].to_numpy(float),
            part["share"].to_numpy(float),
            color=colours[k],
            marker=MARKERS[k % len(MARKERS)],
            ms=7,
            lw=2,
        )
        ax.annotate(
            f"{code:g} or more",
            (float(part["group"].iloc[-1]), float(part["share"].iloc[-1])),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    first = steps[steps["code"] == codes[0]]
    names = [
        f"{low:g}" if low == high else f"{low:g} to {high:g}"
        for low, high in zip(first["low"], first["high"], strict=True)
    ]
    ax.set_xticks(first["group"].to_numpy(float), names)
    ax.set_xlim(0.8, len(names) + 0.2 + 0.14 * len(names))
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_xlabel(f"Sum of the other answers (n = {n:,})")
    ax.set_ylabel("Share of people")
    ax.set_title(title, loc="left", fontweight="bold")
    return ax
