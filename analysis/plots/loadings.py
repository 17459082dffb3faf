"""Heatmap of the loadings of items on factors."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final, Literal

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.theme import DIVERGING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from analysis.arrays import Float2D

#: The usual line between a loading worth naming and one that is not.
SALIENT: Final = 0.30
ROW_INCHES, COLUMN_INCHES, LETTER_INCHES = 0.30, 0.95, 0.08
# Letters of an item's text in one line.
LINE: Final = 46


def plot_loadings(
    loadings: pd.DataFrame,
    *,
    n: int,
    labels: Mapping[str, str] | None = None,
    salient: float = SALIENT,
    what: Literal["pattern", "structure"] = "pattern",
    order: pd.DataFrame | None = None,
    phi: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw loadings with their numbers, items in the order of their factors.

    Parameters
    ----------
    loadings
        Items x factors.
    n
        Number of respondents, for the subtitle.
    labels
        Text of each item; its name otherwise.
    salient
        Loadings of at least this size are printed bold.
    what
        What the loadings are.
    order
        Loadings that order the items; `loadings` otherwise.
    phi
        Factor correlations; the largest is named in the subtitle.
    ax
        Where to draw; a new figure that grows with the items otherwise.
    """
    by = loadings if order is None else order
    ordered = loadings.loc[factor_order(by)]
    said = dict(labels or {})
    names = [textwrap.fill(said.get(str(n), str(n)), LINE) for n in ordered.index]
    if ax is None:
        height = max(
            2.6, 1.4 + ROW_INCHES * sum(name.count("\n") + 1 for name in names)
        )
        widest = max(len(line) for name in names for line in name.split("\n"))
        width = 2.4 + LETTER_INCHES * widest + COLUMN_INCHES * ordered.shape[1]
        _, ax = plt.subplots(figsize=(max(width, 5.5), height), layout="constrained")
    values = ordered.to_numpy()
    sns.heatmap(
        ordered.set_axis(names, axis="index"),
        ax=ax,
        vmin=-1,
        vmax=1,
        cmap=DIVERGING,
        annot=np.vectorize("{:.2f}".format)(values.round(2) + 0.0),
        fmt="",
        annot_kws={"fontsize": 9},
        linewidths=1,
        cbar_kws={
            "label": f"{what.capitalize()} loading",
            "shrink": min(0.6, 8 / len(ordered)),
        },
    )
    _emphasise(ax, values, salient)
    _part(ax, by.loc[ordered.index].abs().to_numpy().argmax(axis=1))
    _caption(ax, by, n=n, salient=salient, phi=phi)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    ax.tick_params(axis="x", bottom=False)
    return ax


def _emphasise(ax: Axes, values: Float2D, salient: float) -> None:
    for text, value in zip(ax.texts, values.ravel(), strict=True):
        text.set_fontweight("bold" if abs(value) >= salient else "normal")
        if abs(value) < salient:
            text.set_color("0.45")


def _part(ax: Axes, factor: Float2D) -> None:
    """Draw a line between the items of one factor and those of the next."""
    for row in np.flatnonzero(np.diff(factor)) + 1:
        ax.axhline(float(row), color="0.35", linewidth=1.2)


def _caption(
    ax: Axes, pattern: pd.DataFrame, *, n: int, salient: float, phi: pd.DataFrame | None
) -> None:
    size = np.abs(pattern.to_numpy())
    simple = int(((size >= salient).sum(axis=1) == 1).sum())
    only = "" if pattern.shape[1] == 1 else " only"
    ax.set_title(
        f"{simple} of {len(pattern)} items load on one factor{only}\n",
        loc="left",
        fontweight="bold",
    )
    parts = [f"n = {n:,}", f"bold: at least {salient:.2f} in size"]
    if phi is not None and len(phi) > 1:
        off = phi.to_numpy()[np.triu_indices(len(phi), 1)]
        largest = off[np.abs(off).argmax()]
        if abs(largest) > 1e-6:  # noqa: PLR2004 - zero but for rounding
            parts.append(f"factors correlate up to {largest:.2f}")
    ax.annotate(
        "; ".join(parts),
        (0, 1),
        xytext=(0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        va="bottom",
        fontsize=10,
    )


def factor_order(pattern: pd.DataFrame) -> list[str]:
    """Items by the factor they load on most, strongest first."""
    size = pattern.abs().to_numpy()
    factor = size.argmax(axis=1)
    order = np.lexsort((-size.max(axis=1), factor))
    return [str(pattern.index[i]) for i in order]
