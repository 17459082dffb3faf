"""Predictive values over base rates, as a table of shaded numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes


def base_rate_table(
    frame: pd.DataFrame,
    *,
    title: str,
    n: str,
    value: str = "ppv",
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one row per sign and one column per base rate, each number written.

    Parameters
    ----------
    frame
        ``term base_rate`` and the column `value`, a probability; missing is a dash.
    title
        What is seen.
    n
        People and events, in words.
    value
        Column to show.
    labels
        Words for the terms.
    ax
        Where to draw; a new figure of fitting height without it.

    Returns
    -------
    Axes
        Rows and columns in the order given.

    Raises
    ------
    AnalysisError
        If there is nothing to draw.
    """
    if frame.empty:
        raise AnalysisError("base_rate_table: no row to draw. Hand in .predictive.")
    terms = list(dict.fromkeys(frame["term"]))
    rates = sorted(set(frame["base_rate"]))
    wide = frame.pivot_table(
        index="term", columns="base_rate", values=value, dropna=False
    ).reindex(index=terms, columns=rates)
    shown = wide.to_numpy(float)
    if ax is None:
        size = (2.8 + 0.85 * len(rates), 1.7 + 0.36 * len(terms))
        _, ax = plt.subplots(figsize=size)
    text = np.where(
        np.isnan(shown), "-", np.char.mod("%.0f%%", np.nan_to_num(shown) * 100)
    )
    sns.heatmap(
        shown,
        ax=ax,
        annot=text,
        fmt="",
        cmap="Blues",
        vmin=0,
        vmax=1,
        linewidths=1,
        cbar=False,
    )
    known = {} if labels is None else labels
    ax.set_yticks(
        np.arange(len(terms)) + 0.5,
        [known.get(str(t), str(t)) for t in terms],
        rotation=0,
    )
    ax.set_xticks(
        np.arange(len(rates)) + 0.5, [f"{rate:.3g}" for rate in np.array(rates) * 100]
    )
    ax.set_xlabel(f"base rate of the event, % ({n})")
    ax.set_ylabel("")
    ax.set_title(title, loc="left", fontweight="bold")
    return ax
