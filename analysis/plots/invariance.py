"""Fit along the steps of an invariance analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

_MARKS = {"yes": "o", "unclear": "s", "no": "X", "not testable": "D"}
_WORDS = {
    "yes": "holds",
    "unclear": "unclear",
    "no": "does not hold",
    "not testable": "not testable (restricts nothing)",
}
# A step that says nothing has an open mark.
_FACES = {
    "yes": "#2b8a6b",
    "unclear": "#d9a441",
    "no": "#b2182b",
    "not testable": "white",
}
_EDGES = _FACES | {"not testable": "0.35"}


def plot_ladder(table: pd.DataFrame, *, n_obs: int, ax: Axes | None = None) -> Axes:
    """Draw the RMSEA with its interval at each step, and the CFI beside it.

    Parameters
    ----------
    table
        `Invariance.table`.
    n_obs
        Number of respondents, named in the figure.
    ax
        Where to draw; a new figure when left out.
    """
    axes = ax if ax is not None else plt.subplots(figsize=(7.0, 3.6))[1]
    places = list(range(len(table)))
    low = table["rmsea"] - table["rmsea_ci_lower"]
    high = table["rmsea_ci_upper"] - table["rmsea"]
    axes.errorbar(
        table["rmsea"], places, xerr=[low, high], fmt="none", ecolor="0.5", capsize=3
    )
    for verdict, mark in _MARKS.items():
        here = [k for k in places if table["holds"].iloc[k] == verdict]
        if here:
            axes.scatter(
                table["rmsea"].iloc[here],
                here,
                marker=mark,
                s=70,
                zorder=3,
                clip_on=False,
                facecolors=_FACES[verdict],
                edgecolors=_EDGES[verdict],
                label=_WORDS[verdict],
            )
    index = table["index"].iloc[0]
    name = "" if index == "plain" else f"{index} "
    labels = [
        f"{words}\n{name}CFI {cfi:.3f}"
        for words, cfi in zip(table["words"], table["cfi"], strict=True)
    ]
    axes.set_yticks(places, labels)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlabel(f"{name}RMSEA with 90% interval (n = {n_obs})")
    axes.set_xlim(left=0.0)
    axes.set_title("Invariance step by step", loc="left")
    axes.legend(title="Step", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return axes


def plot_effects(
    table: pd.DataFrame,
    *,
    n_obs: int,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the signed dMACS of every item, small effects shaded.

    Parameters
    ----------
    table
        `Dmacs.table`.
    n_obs
        Number of respondents, named in the figure.
    labels
        Words for items.
    ax
        Where to draw; a new figure when left out.
    """
    items = list(dict.fromkeys(table["item"]))
    height = max(2.4, 0.3 * len(items) + 1.0)
    axes = ax if ax is not None else plt.subplots(figsize=(7.0, height))[1]
    axes.axvspan(-0.2, 0.2, color="0.92", zorder=0)
    axes.axvline(0.0, color="0.5", linewidth=1)
    marks = ("o", "s", "D", "^", "v", "P", "X")
    for k, (group, rows) in enumerate(table.groupby("group", sort=False)):
        signed = rows["dmacs"] * rows["signed"].map(lambda v: -1.0 if v < 0 else 1.0)
        places = [items.index(item) for item in rows["item"]]
        axes.scatter(signed, places, marker=marks[k % len(marks)], label=str(group))
    words = labels or {}
    axes.set_yticks(range(len(items)), [words.get(item, item) for item in items])
    axes.invert_yaxis()
    axes.set_xlabel(f"dMACS with its sign (n = {n_obs}; grey: below .20)")
    axes.set_title("How differently items work in the groups", loc="left")
    axes.legend(title="Group", loc="best")
    return axes


def plot_grid(
    verdicts: pd.DataFrame, *, n_obs: int, by: str, ax: Axes | None = None
) -> Axes:
    """Draw which step holds for which scale, with a mark and a colour for each answer.

    Parameters
    ----------
    verdicts
        `ScaleInvariance.verdicts`: scale, reached, and one column a step.
    n_obs
        Number of respondents, named in the figure.
    by
        What was compared, for the title.
    ax
        Where to draw; a new figure when left out.
    """
    steps = [c for c in verdicts.columns if c not in {"scale", "reached"}]
    height = max(2.2, 0.34 * len(verdicts) + 1.2)
    axes = ax if ax is not None else plt.subplots(figsize=(7.5, height))[1]
    for verdict, mark in _MARKS.items():
        spots = [
            (k, row)
            for row in range(len(verdicts))
            for k, step in enumerate(steps)
            if verdicts[step].iloc[row] == verdict
        ]
        axes.scatter(
            [x for x, _ in spots],
            [y for _, y in spots],
            marker=mark,
            s=110,
            facecolors=_FACES[verdict],
            edgecolors=_EDGES[verdict],
            label=_WORDS[verdict],
        )
    axes.set_xticks(range(len(steps)), [f"equal\n{s}" for s in steps])
    axes.set_xticklabels(["same\nstructure", *[f"equal\n{s}" for s in steps[1:]]])
    axes.set_yticks(range(len(verdicts)), verdicts["scale"].tolist())
    axes.set_xlim(-0.5, len(steps) - 0.5)
    axes.set_ylim(len(verdicts) - 0.5, -0.5)
    axes.set_title(f"Which equality holds, by {by} (n = {n_obs})", loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title="Step")
    return axes
