"""Path diagram of a measurement model: factors, items, and what ties them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

_ITEM, _FACTOR, _ABOVE, _GENERAL = 2.0, 0.9, -0.1, 3.6
_HEIGHT: Final = 0.62
_LABELLED: Final = 6
_BEND: Final = 0.25
_WRAP: Final = 44
_STRONG: Final = "#1f4e79"
_NEGATIVE: Final = "#b2182b"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where everything stands."""

    items: dict[str, float]
    factors: dict[str, tuple[float, float]]


def path_diagram(
    edges: pd.DataFrame,
    *,
    n_obs: int,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw loadings, factor correlations and regressions of one group.

    Line width stands for the size of a standardised value, colour and its sign for the
    direction. Items stand in the order of the model.

    Parameters
    ----------
    edges
        One row per path: lhs op rhs (``=~``, ``~`` or ``~~``), estimate (standardised).
    n_obs
        Number of respondents, named in the figure.
    labels
        Words for variables.
    ax
        Where to draw; a new figure when left out.
    """
    words = dict(labels or {})
    loadings = edges[edges["op"] == "=~"]
    latent = list(dict.fromkeys(loadings["lhs"]))
    place = _places(loadings, latent)
    axes = ax if ax is not None else _canvas(len(place.items))
    for row in loadings.to_dict("records"):
        _loading(axes, place, str(row["lhs"]), str(row["rhs"]), float(row["estimate"]))
    related = edges[edges["op"].isin(["~~", "~"]) & (edges["lhs"] != edges["rhs"])]
    inner = related[related["lhs"].isin(latent) & related["rhs"].isin(latent)]
    _arcs(axes, place, inner)
    for name, y in place.items.items():
        _item(axes, y, words.get(name, name))
    for name, at in place.factors.items():
        _factor(axes, at, words.get(name, name))
    low, high = loadings["estimate"].min(), loadings["estimate"].max()
    axes.set_title(
        f"Standardised loadings from {low:.2f} to {high:.2f} (n = {n_obs})", loc="left"
    )
    return _framed(axes, place)


def _places(loadings: pd.DataFrame, latent: Sequence[str]) -> _Place:
    own = {f: loadings.loc[loadings["lhs"] == f, "rhs"].tolist() for f in latent}
    observed = [i for f in latent for i in own[f] if i not in latent]
    order = {name: float(k) for k, name in enumerate(dict.fromkeys(observed))}
    factors: dict[str, tuple[float, float]] = {}
    for f in latent:
        ys = [order[i] for i in own[f] if i in order]
        if not ys:
            continue
        shared = any(set(own[f]) > set(own[g]) for g in latent if g != f)
        factors[f] = (_GENERAL if shared else _FACTOR, float(np.mean(ys)))
    for f in latent:
        if f not in factors:
            ys = [factors[i][1] for i in own[f] if i in factors]
            factors[f] = (_ABOVE, float(np.mean(ys)) if ys else 0.0)
    return _Place(order, factors)


def _canvas(p: int) -> Axes:
    height = max(3.2, 0.33 * p + 1.2)
    _, axes = plt.subplots(figsize=(9.5, min(height, 18.0)), layout="constrained")
    return axes


def _stroke(value: float, *, faint: bool = False) -> dict[str, Any]:
    size = min(abs(value), 1.0)
    return {
        "linewidth": 0.4 + (1.0 if faint else 2.6) * size,
        "color": _NEGATIVE if value < 0 else _STRONG,
        "alpha": 0.1 + 0.4 * size if faint else 0.25 + 0.6 * size,
    }


def _loading(axes: Axes, place: _Place, factor: str, to: str, value: float) -> None:
    x, y = place.factors[factor]
    if to in place.factors:
        end = (place.factors[to][0] - 0.28, place.factors[to][1])
        start = (x + 0.28, y)
    else:
        left = x < _ITEM
        end = (_ITEM - 0.03 if left else _ITEM + 1.05, place.items[to])
        start = (x + 0.28 if left else x - 0.28, y)
    axes.plot([start[0], end[0]], [start[1], end[1]], zorder=1, **_stroke(value))
    at = 0.82
    axes.text(
        start[0] + at * (end[0] - start[0]),
        start[1] + at * (end[1] - start[1]),
        f"{value:.2f}".replace("0.", ".", 1),
        fontsize=7,
        ha="center",
        va="center",
        zorder=3,
        bbox={"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.85},
    )


def _arcs(axes: Axes, place: _Place, inner: pd.DataFrame) -> None:
    few = len(place.factors) <= _LABELLED
    for row in inner.to_dict("records"):
        value = float(row["estimate"])
        if not np.isfinite(value) or abs(value) < 1e-9:  # noqa: PLR2004 - fixed at 0
            continue
        a, b = place.factors[str(row["lhs"])], place.factors[str(row["rhs"])]
        directed = row["op"] == "~"
        style = "-|>" if directed else "-"
        ends = (b, a) if directed else (a, b)
        bend = -_BEND if ends[0][1] > ends[1][1] else _BEND
        axes.add_patch(
            FancyArrowPatch(
                (ends[0][0] - 0.28, ends[0][1]),
                (ends[1][0] - 0.28, ends[1][1]),
                connectionstyle=f"arc3,rad={bend}",
                arrowstyle=style,
                mutation_scale=10,
                zorder=0,
                **_stroke(value, faint=not few),
            )
        )
        if few:
            axes.text(
                min(a[0], b[0]) - 0.28 - 0.03 * abs(a[1] - b[1]),
                (a[1] + b[1]) / 2,
                f"{value:.2f}".replace("0.", ".", 1),
                fontsize=7,
                ha="center",
                va="center",
                bbox={"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none"},
            )


def _item(axes: Axes, y: float, text: str) -> None:
    short = text if len(text) <= _WRAP else text[: _WRAP - 1] + "…"
    box = Rectangle(
        (_ITEM, y - _HEIGHT / 2), 1.02, _HEIGHT, fc="white", ec="0.4", lw=0.8, zorder=2
    )
    axes.add_patch(box)
    axes.text(_ITEM + 0.03, y, short, fontsize=6.5, va="center", zorder=3, clip_on=True)


def _factor(axes: Axes, at: tuple[float, float], text: str) -> None:
    axes.add_patch(Ellipse(at, 0.56, 1.3, fc="#eef3f8", ec=_STRONG, lw=1.0, zorder=2))
    axes.text(
        *at, text.replace(" ", "\n", 1), fontsize=7, ha="center", va="center", zorder=3
    )


def _framed(axes: Axes, place: _Place) -> Axes:
    xs = [x for x, _ in place.factors.values()]
    left = min(min(xs) - 0.6, _FACTOR - 1.5)
    right = max(_ITEM + 1.1, max(xs) + 0.35)
    axes.set_xlim(left, right)
    axes.set_ylim(len(place.items) - 0.3, -1.0)
    axes.set_axis_off()
    return axes
