"""Agreement of two measurements of the same people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Float1D


def plot_bland_altman(
    first: Float1D, second: Float1D, *, ax: Axes | None = None
) -> Axes:
    """Draw differences against means, with the limits of agreement.

    Parameters
    ----------
    first, second
        Values of the same people, shape (n,), none missing.
    ax
        Where to draw; a new figure otherwise.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 4.2), layout="constrained")
    mean, change = (first + second) / 2, second - first
    middle, spread = float(change.mean()), 1.96 * float(change.std(ddof=1))
    colour = sns.color_palette(PALETTE)[0]
    ax.plot(mean, change, ls="none", marker="o", ms=5, alpha=0.6, mew=0, color=colour)
    for place, style, name in (
        (middle, "-", f"mean {middle:.2f}"),
        (middle - spread, "--", "limits of agreement"),
        (middle + spread, "--", None),
    ):
        ax.axhline(place, color="0.25", lw=1.3, ls=style, label=name)
    ax.set_title(
        f"Most changes are between {middle - spread:.2f} and {middle + spread:.2f}",
        loc="left",
        fontweight="bold",
    )
    ax.set_xlabel(f"Mean of the two measurements, n = {len(first):,}")
    ax.set_ylabel("Second minus first")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax
