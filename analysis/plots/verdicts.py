"""How many factors: scree, partial correlations, and what every rule says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from analysis.plots.partials import draw_partials
from analysis.plots.scree import draw_eigenvalues, draw_reference, subtitle
from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes


def plot_verdicts(
    parallel: pd.DataFrame,
    ekc: pd.DataFrame,
    partials: pd.DataFrame,
    verdicts: pd.DataFrame,
    *,
    suggested: int,
    told: Mapping[str, str],
) -> Axes:
    """Draw three panels; give back the scree.

    Parameters
    ----------
    parallel, ekc
        One row per eigenvalue: `number`, `observed`, `reference`, `retained`.
    partials
        One row per number of components: `number`, `squared`.
    verdicts
        One row per rule: `rule`, `n_factors`, `votes`.
    suggested
        What most voting rules say.
    told
        ``title``, ``subtitle`` and what the ``parallel`` reference is.
    """
    figure = plt.figure(figsize=(11.5, 5.6), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.55, 1), height_ratios=(1, 1))
    scree = figure.add_subplot(grid[:, 0])
    plot_scree_rules(parallel, ekc, told, scree)
    upper = figure.add_subplot(grid[0, 1])
    _plot_rules(upper, verdicts, suggested)
    lower = figure.add_subplot(grid[1, 1])
    least = int(partials["number"].to_numpy()[partials["squared"].to_numpy().argmin()])
    draw_partials(lower, partials, least)
    lower.set_title("MAP: what components leave", loc="left", fontsize=11)
    return scree


def plot_scree_rules(
    parallel: pd.DataFrame, ekc: pd.DataFrame, told: Mapping[str, str], ax: Axes
) -> Axes:
    """Draw eigenvalues with the references of parallel analysis, EKC and Kaiser."""
    draw_eigenvalues(ax, parallel)
    draw_reference(ax, parallel, told["parallel"], color=1)
    draw_reference(ax, ekc, "Empirical Kaiser criterion", color=3, marker="+")
    ax.axhline(1, color="0.6", linewidth=1, linestyle=":", zorder=1)
    ax.annotate(
        "Kaiser's 1 (for comparison)",
        (len(parallel) + 0.4, 1),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=9,
        color="0.4",
    )
    ax.set_title(f"{told['title']}\n", loc="left", fontweight="bold")
    subtitle(ax, told["subtitle"])
    ax.set_xlabel("Component number")
    ax.set_ylabel("Eigenvalue")
    ax.legend(frameon=False)
    return ax


def _plot_rules(ax: Axes, verdicts: pd.DataFrame, suggested: int) -> None:
    """Draw one row per rule with its number; those that do not vote are hollow."""
    voting, other = sns.color_palette(PALETTE)[0], "0.5"
    shown = verdicts.iloc[::-1].reset_index(drop=True)
    numbers = shown["n_factors"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
    ax.axvspan(suggested - 0.4, suggested + 0.4, color="0.9", zorder=0)
    for row, (number, votes) in enumerate(zip(numbers, shown["votes"], strict=True)):
        color = voting if votes else other
        if np.isnan(number):
            ax.text(suggested, row, "no verdict", va="center", ha="center", fontsize=9)
            continue
        ax.plot(number, row, "o", color=color, ms=9, mfc=color if votes else "white")
        ax.annotate(
            f"{number:.0f}",
            (number, row),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    names = [
        rule if votes else f"{rule} (not counted)"
        for rule, votes in zip(shown["rule"], shown["votes"], strict=True)
    ]
    ax.set_yticks(range(len(shown)), names, fontsize=9)
    ax.set_ylim(-0.6, len(shown) - 0.4)
    low = min(float(np.nanmin(numbers)), suggested - 1)
    high = max(float(np.nanmax(numbers)), suggested + 1)
    ax.set_xlim(low - 0.9, high + 1.1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_title("What each rule says", loc="left", fontsize=11)
    ax.grid(visible=False, axis="y")
