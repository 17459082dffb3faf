"""Figures of an item response model: information, categories, locations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.plots.forest import MARKERS, forest
from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from analysis.arrays import Float1D

STYLES: Final = ("-", "--", "-.", ":")
FIGURE: Final = (8.0, 4.8)
_TOTALS: Final = ("theta", "test", "std_error", "reliability")
_THETA: Final = "Trait (standard deviations)"
# Wide enough for a number.
_LEGIBLE: Final = 0.22
_DARK: Final = 0.45
# Nunnally's (1978) line for research.
_ENOUGH: Final = 0.70


def _axes(ax: Axes | None, height: float = FIGURE[1]) -> Axes:
    """Draw where one was told to, else in a new figure."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(FIGURE[0], height), layout="constrained")[1]


def _label(ax: Axes, theta: Float1D, title: str, *, n: str) -> None:
    """Name the trait below, and what is seen above."""
    ax.set_xlim(float(theta.min()), float(theta.max()))
    ax.set_xlabel(f"{_THETA}, n = {n}")
    ax.set_title(title, loc="left", fontweight="bold")


def _name_rows(ax: Axes, names: Sequence[str], labels: Mapping[str, str]) -> None:
    """Name rows from top to bottom, without lines between them."""
    ax.set_yticks(range(len(names)), [labels.get(name, name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False)


def plot_information(
    curve: pd.DataFrame,
    *,
    n: int,
    labels: Mapping[str, str],
    ax: Axes | None = None,
) -> Axes:
    """Draw the information of the test and of each item along the trait.

    Parameters
    ----------
    curve
        ``theta``, one column an item, ``test std_error reliability``.
    n
        Number of people.
    labels
        Words for items.
    ax
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        Items differ by colour, dashes and markers; the right axis reads the test curve
        as reliability.
    """
    ax = _axes(ax)
    theta = curve["theta"].to_numpy(float)
    test = curve["test"].to_numpy(float)
    ax.plot(theta, test, color="0.1", lw=3, label="all items")
    names = [name for name in curve.columns if name not in _TOTALS]
    colours = sns.color_palette(PALETTE, len(names))
    for k, name in enumerate(names):
        ax.plot(
            theta,
            curve[name].to_numpy(float),
            color=colours[k],
            ls=STYLES[k % len(STYLES)],
            marker=MARKERS[k % len(MARKERS)],
            markevery=(4 + 3 * (k % 6), max(len(theta) // 8, 1)),
            ms=5,
            lw=1.4,
            label=labels.get(name, name),
        )
    top = 1.08 * float(test.max())
    ax.set_ylim(0, top)
    _reliability_axis(ax, top)
    ax.set_ylabel("Information")
    best = round(float(theta[int(test.argmax())]), 1) + 0.0
    _label(ax, theta, f"The scale measures best around {best:.1f}", n=f"{n:,}")
    ax.legend(
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.2, 1),
        borderaxespad=0,
        handlelength=3,
        ncols=1 + (len(names) - 1) // 15,
    )
    return ax


def _reliability_axis(ax: Axes, top: float) -> None:
    marks = [r for r in (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99) if r / (1 - r) < top]
    kept: list[float] = []
    for mark in marks:
        place = mark / (1 - mark)
        if not kept or place - kept[-1] / (1 - kept[-1]) > 0.06 * top:
            kept.append(mark)
    right = ax.secondary_yaxis("right")
    right.set_yticks(
        [r / (1 - r) for r in kept], [f"{r:.2f}".removeprefix("0") for r in kept]
    )
    right.set_ylabel("Reliability there")


def plot_categories(
    curve: pd.DataFrame, *, title: str, n: int, ax: Axes | None = None
) -> Axes:
    """Draw the probability of each answer to one item along the trait.

    Parameters
    ----------
    curve
        ``category theta probability`` of one item.
    title
        The item.
    n
        People who answered it.
    ax
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        With the code written at the top of each curve.
    """
    ax = _axes(ax)
    codes = list(dict.fromkeys(curve["category"]))
    colours = sns.color_palette("viridis", len(codes))
    for k, code in enumerate(codes):
        part = curve[curve["category"] == code]
        theta = part["theta"].to_numpy(float)
        chance = part["probability"].to_numpy(float)
        ax.plot(theta, chance, color=colours[k], ls=STYLES[k % len(STYLES)], lw=2)
        top = int(chance.argmax())
        ax.annotate(
            f"{code:g}",
            (theta[top], chance[top]),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8},
            color=colours[k] if k < _light_from(len(codes)) else "0.25",
        )
    ax.set_ylim(0, 1.09)
    ax.set_ylabel("Probability of the answer")
    _label(ax, curve["theta"].to_numpy(float), title, n=f"{n:,}")
    return ax


def _light_from(n: int) -> int:
    """Count the colours that are dark enough for text."""
    return round(0.7 * n)


def plot_category_bands(
    curve: pd.DataFrame,
    *,
    n: int,
    labels: Mapping[str, str],
    ax: Axes | None = None,
) -> Axes:
    """Draw the likeliest answer to each item along the trait.

    Parameters
    ----------
    curve
        ``item category theta probability``.
    n
        Number of people.
    labels
        Words for items.
    ax
        Where to draw; a new figure without it.

    Returns
    -------
    Axes
        One bar an item, the code written in each band; a code that is nowhere the
        likeliest has none.
    """
    names = list(dict.fromkeys(curve["item"]))
    ax = _axes(ax, height=1.5 + 0.42 * len(names))
    codes = sorted(set(curve["category"]))
    colours = dict(zip(codes, sns.color_palette("viridis", len(codes)), strict=True))
    for row, name in enumerate(names):
        wide = curve[curve["item"] == name].pivot_table(
            index="theta", columns="category", values="probability"
        )
        theta = wide.index.to_numpy(float)
        best = wide.idxmax(axis=1).to_numpy(float)
        changes = np.flatnonzero(np.diff(best)) + 1
        starts, ends = [0, *changes], [*changes, len(best) - 1]
        for start, end in zip(starts, ends, strict=True):
            code = float(best[start])
            _band(ax, row, (theta[start], theta[end]), code=code, colour=colours[code])
    _name_rows(ax, names, labels)
    _label(ax, curve["theta"].to_numpy(float), "The likeliest answer", n=f"{n:,}")
    return ax


def _band(
    ax: Axes,
    row: int,
    ends: tuple[float, float],
    *,
    code: float,
    colour: tuple[float, float, float],
) -> None:
    left, right = ends
    ax.barh(
        row,
        right - left,
        left=left,
        height=0.8,
        color=colour,
        edgecolor="white",
        linewidth=1,
    )
    if right - left > _LEGIBLE:
        red, green, blue = colour
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < _DARK
        ax.text(
            (left + right) / 2,
            row,
            f"{code:g}",
            ha="center",
            va="center",
            color="white" if dark else "0.1",
        )


def plot_locations(
    table: pd.DataFrame,
    *,
    n: int,
    labels: Mapping[str, str],
    ax: Axes | None = None,
) -> Axes:
    """Draw where items stand on the trait, lowest first, with 95 % intervals.

    Parameters
    ----------
    table
        ``item estimate conf_low conf_high``.
    n
        Number of people.
    labels
        Words for items.
    ax
        Where to draw; a new figure without it.
    """
    frame = table.sort_values("estimate", kind="stable").rename(
        columns={"item": "term"}
    )
    return forest(
        frame,
        title="Where the items stand",
        n=n,
        xlabel="Location (standard deviations from the average person), 95 % interval",
        labels=labels,
        ax=ax,
    )


def plot_reliabilities(
    curves: pd.DataFrame,
    *,
    n: int,
    labels: Mapping[str, str],
    ax: Axes | None = None,
) -> Axes:
    """Draw the reliability of several scales along their traits, as bands of colour.

    Parameters
    ----------
    curves
        Reliability, index theta, one column per scale.
    n
        Fewest people behind a scale.
    labels
        Words for scales.
    ax
        Where to draw; a new figure without it.
    """
    ax = _axes(ax, height=1.8 + 0.34 * curves.shape[1])
    ordered = curves[curves.max().sort_values(ascending=False).index]
    theta = curves.index.to_numpy(float)
    step = (theta[1] - theta[0]) / 2
    edges = np.array([theta[0] - step, theta[-1] + step])
    image = ax.imshow(
        ordered.T.to_numpy(),
        extent=(*edges, curves.shape[1] - 0.5, -0.5),
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    names = [str(name) for name in ordered]
    for row, name in enumerate(names):
        enough = np.flatnonzero(ordered[name].to_numpy() >= _ENOUGH)
        if len(enough):
            ends = (theta[enough[0]], theta[enough[-1]])
            ax.plot(ends, (row, row), color="0.1", lw=2, solid_capstyle="butt")
    _name_rows(ax, names, labels)
    ax.figure.colorbar(image, ax=ax, label="Reliability")
    good = int((ordered.max() >= _ENOUGH).sum())
    reached = f"{good} of {curves.shape[1]} scales reach a reliability of"
    title = f"{reached} {_ENOUGH:.2f} (line: where)"
    _label(ax, edges, title, n=f"{n:,} or more")
    return ax
