"""Quantiles seen against those expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from scipy.stats import chi2

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Float1D


def plot_chi_square_quantiles(
    distances: Float1D, *, df: int, ax: Axes | None = None
) -> Axes:
    """Draw squared distances against quantiles of chi-square.

    Parameters
    ----------
    distances
        Squared Mahalanobis distances, shape (n,).
    df
        Degrees of freedom: the number of items.
    ax
        Where to draw; a new figure otherwise.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
    n = len(distances)
    expected = chi2.ppf((np.arange(1, n + 1) - 0.5) / n, df)
    seen = np.sort(distances)
    color = sns.color_palette(PALETTE)[0]
    ax.plot(expected, seen, ls="none", marker="o", ms=4, color=color, mew=0)
    end = float(expected[-1])
    ax.plot([0, end], [0, end], color="0.35", lw=1, ls="--")
    far = int((seen > chi2.ppf(0.999, df)).sum())
    ax.set_title(
        f"{far} of {n:,} people lie further out than 1 in 1,000 would",
        loc="left",
        fontweight="bold",
    )
    ax.set_xlabel(f"Chi-square quantile, {df} degrees of freedom")
    ax.set_ylabel("Squared Mahalanobis distance")
    return ax
