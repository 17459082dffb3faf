"""Correlations as a heatmap, and thresholds as bands on the normal scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.theme import DIVERGING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from analysis.arrays import Float1D

# Beyond this many items the cells are too small for numbers.
_NUMBERED: Final = 15
# Where bands end on either side, at least.
_EDGE: Final = 2.5


def correlation_heatmap(
    correlations: pd.DataFrame, *, kind: str, n: int, ax: Axes | None = None
) -> Axes:
    """Draw correlations below the diagonal, with numbers where there is room.

    Parameters
    ----------
    correlations
        Items x items.
    kind
        Which correlation, for the title.
    n
        People.
    """
    p = len(correlations)
    if ax is None:
        side = min(11.0, 2.5 + 0.35 * p)
        _, ax = plt.subplots(figsize=(side + 1, side), layout="constrained")
    numbered = p <= _NUMBERED
    sns.heatmap(
        correlations,
        mask=np.triu(np.ones((p, p), dtype=bool)),
        cmap=DIVERGING,
        vmin=-1,
        vmax=1,
        square=True,
        linewidths=0.2,
        annot=numbered,
        fmt=".2f",
        annot_kws={"size": 8},
        xticklabels=True,
        yticklabels=True,
        cbar_kws={"shrink": 0.6, "label": f"{kind} correlation"},
        ax=ax,
    )
    ax.set_title(f"{kind.capitalize()} correlations (n = {n})", loc="left")
    ax.grid(visible=False)
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.tick_params(labelsize=8)
    return ax


def threshold_bands(
    items: Mapping[str, tuple[Float1D, Float1D]], *, n: int, ax: Axes | None = None
) -> Axes:
    """Draw the stretch of the normal scale that each answer stands for.

    Parameters
    ----------
    items
        For each item its thresholds, shape (K - 1,), and the codes they part, (K,).
    n
        People.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 1.2 + 0.3 * len(items)), layout="constrained")
    cuts = np.concatenate([c for c, _ in items.values()])
    low = min(-_EDGE, float(cuts.min(initial=0)) - 0.5)
    high = max(_EDGE, float(cuts.max(initial=0)) + 0.5)
    most = max(len(codes) for _, codes in items.values())
    for row, (own, codes) in enumerate(items.values()):
        edges = np.r_[low, own, high]
        # Codes keep their place in the palette whatever the number of categories.
        colours = sns.color_palette("viridis", most)[: len(codes)]
        ax.barh(
            np.full(len(codes), row),
            np.diff(edges),
            left=edges[:-1],
            color=colours,
            edgecolor="white",
            height=0.8,
        )
        for code, left, right, colour in zip(
            codes, edges[:-1], edges[1:], colours, strict=True
        ):
            if right - left > 0.02 * (high - low):
                dark = float(np.dot(colour, (0.3, 0.59, 0.11))) < 0.5  # noqa: PLR2004
                ax.text(
                    (left + right) / 2,
                    row,
                    f"{code:g}",
                    ha="center",
                    va="center",
                    size=8,
                    color="white" if dark else "black",
                )
    ax.set_yticks(range(len(items)), list(items))
    ax.invert_yaxis()
    ax.set_xlim(low, high)
    ax.set_xlabel("standard normal scale")
    ax.set_title(f"What each answer stands for: thresholds (n = {n})", loc="left")
    ax.grid(visible=False, axis="y")
    return ax
