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
    ax
        Where to draw; a new figure otherwise.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.2))
    observed, reference = sns.color_palette(PALETTE, 2)
    kept = table[table["retained"]]
    rest = table[~table["retained"]]
    ax.plot(table["number"], table["observed"], color=observed, zorder=2)
    ax.plot(
        kept["number"],
        kept["observed"],
        "o",
        color=observed,
        ms=8,
        zorder=3,
        label="Observed, retained",
    )
    ax.plot(
        rest["number"],
        rest["observed"],
        "o",
        color=observed,
        ms=6,
        mfc="white",
        zorder=3,
        label="Observed, not retained",
    )
    ax.plot(
        table["number"],
        table["reference"],
        "x--",
        color=reference,
        ms=5,
        zorder=2,
        label=reference_label[:1].upper() + reference_label[1:],
    )
    noun = "component" if eigenvalues == "principal" else "factor"
    count = len(kept)
    ax.set_title(
        f"{count or 'No'} {noun}{'' if count == 1 else 's'} "
        f"{'stands' if count == 1 else 'stand'} above chance\n",
        loc="left",
        fontweight="bold",
    )
    ax.text(
        0, 1.02, f"{len(table)} items, n = {n:,}", transform=ax.transAxes, va="bottom"
    )
    ax.set_xlabel(f"{noun.capitalize()} number")
    ax.set_ylabel(
        "Eigenvalue" if eigenvalues == "principal" else "Eigenvalue (SMC in diagonal)"
    )
    ax.set_xlim(0.5, len(table) + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend(frameon=False)
    return ax
