"""Heatmap of the correlations that a model does not reproduce."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.theme import DIVERGING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Beyond this a residual correlation is worth a look (Kline 2016).
NOTABLE = 0.10
_NUMBERED = 30


def residual_heatmap(
    residuals: pd.DataFrame, *, n: int, ax: Axes | None = None
) -> Axes:
    """Draw residual correlations below the diagonal; notable ones are dotted.

    Parameters
    ----------
    residuals
        Observed minus implied correlations, items x items.
    n
        People.
    """
    p = len(residuals)
    if ax is None:
        side = min(11.0, 2.5 + 0.22 * p)
        _, ax = plt.subplots(figsize=(side + 1, side), layout="constrained")
    hidden = np.triu(np.ones((p, p), dtype=bool))
    limit = max(0.2, float(np.abs(residuals.to_numpy()[~hidden]).max(initial=0.0)))
    sns.heatmap(
        residuals,
        mask=hidden,
        cmap=DIVERGING,
        vmin=-limit,
        vmax=limit,
        square=True,
        linewidths=0.2,
        cbar_kws={"shrink": 0.6, "label": "residual correlation"},
        ax=ax,
    )
    values = residuals.to_numpy()
    rows, columns = np.nonzero((np.abs(values) > NOTABLE) & ~hidden)
    ax.plot(columns + 0.5, rows + 0.5, "k.", markersize=5 if p > _NUMBERED else 8)
    pairs = p * (p - 1) // 2
    ax.set_title(
        f"{len(rows)} of {pairs} residual correlations exceed {NOTABLE:.2f} "
        f"(dots, n = {n})",
        loc="left",
    )
    ax.grid(visible=False)
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.tick_params(labelsize=8)
    return ax
