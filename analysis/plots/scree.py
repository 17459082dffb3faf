"""Scree plot with the eigenvalues that chance alone would give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def plot_scree(
    table: pd.DataFrame,
    *,
    n: int,
    reference_label: str,
    eigenvalues: Literal["principal", "factor"] = "principal",
    kind: str = "pearson",
    ax: Axes | None = None,
) -> Axes:
    """Draw observed eigenvalues over their reference.

    Parameters
    ----------
    table
        One row per eigenvalue: `number`, `observed`, `reference`, `retained`.
    n
        Number of respondents, for the subtitle.
    reference_label
        What the reference line is.
    eigenvalues
        Whether they belong to components or common factors.
    kind
        Which correlations they belong to.
    ax
        Where to draw; a new figure otherwise.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    draw_eigenvalues(ax, table)
    draw_reference(ax, table, reference_label, color=1)
    noun = "component" if eigenvalues == "principal" else "factor"
    count = int(table["retained"].sum())
    ax.set_title(
        f"{count or 'No'} {noun}{'' if count == 1 else 's'} "
        f"{'stands' if count == 1 else 'stand'} above chance\n",
        loc="left",
        fontweight="bold",
    )
    subtitle(ax, f"{kind.capitalize()} correlations of {len(table)} items, n = {n:,}")
    ax.set_xlabel(f"{noun.capitalize()} number")
    ax.set_ylabel(
        "Eigenvalue" if eigenvalues == "principal" else "Eigenvalue (SMC in diagonal)"
    )
    ax.legend(frameon=False)
    return ax


def subtitle(ax: Axes, text: str) -> None:
    """Write a line between a title that ends in a new line and the axes."""
    ax.annotate(
        text,
        (0, 1),
        xytext=(0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        va="bottom",
        fontsize=10,
    )


def draw_eigenvalues(ax: Axes, table: pd.DataFrame) -> None:
    """Draw observed eigenvalues, those retained filled."""
    color = sns.color_palette(PALETTE)[0]
    kept = table[table["retained"]]
    rest = table[~table["retained"]]
    ax.plot(table["number"], table["observed"], color=color, zorder=2)
    ax.plot(
        kept["number"],
        kept["observed"],
        "o",
        color=color,
        ms=8,
        zorder=3,
        label="Observed, retained",
    )
    ax.plot(
        rest["number"],
        rest["observed"],
        "o",
        color=color,
        ms=6,
        mfc="white",
        zorder=3,
        label="Observed, not retained",
    )
    ax.set_xlim(0.5, len(table) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def draw_reference(
    ax: Axes, table: pd.DataFrame, label: str, *, color: int, marker: str = "x"
) -> None:
    """Draw reference eigenvalues, `color` being a place in the house palette."""
    ax.plot(
        table["number"],
        table["reference"],
        f"{marker}--",
        color=sns.color_palette(PALETTE)[color],
        ms=5,
        zorder=2,
        label=label[:1].upper() + label[1:],
    )
