"""All claims at a glance: verdicts in words and marks, estimates with intervals."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import matplotlib.pyplot as plt
import seaborn as sns

from analysis.plots.theme import PALETTE

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import pandas as pd
    from matplotlib.axes import Axes

_COLOURS = sns.color_palette(PALETTE)
#: Verdict to marker and colour; the word stands beside it.
MARKS: Final = {
    "supported": ("o", _COLOURS[0]),
    "mixed": ("D", _COLOURS[1]),
    "not supported": ("X", _COLOURS[3]),
    "not testable": ("s", "0.6"),
}


def verdict_overview(
    estimates: pd.DataFrame,
    verdicts: pd.DataFrame,
    *,
    n: int,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line a claim: its verdict, and its standardised estimates.

    Parameters
    ----------
    estimates
        ``claim measure estimate conf_low conf_high as_expected``; betas are drawn,
        signed so that the claimed direction points right (``expected``).
    verdicts
        ``id claim verdict``, in order.
    n
        People.
    """
    if ax is None:
        height = 1.6 + 0.75 * len(verdicts)
        _, ax = plt.subplots(figsize=(9.5, height), layout="constrained")
    if verdicts.empty:
        ax.set_title(f"The instrument makes no claims (n = {n})")
        ax.set_axis_off()
        return ax
    betas = estimates[(estimates["measure"] == "beta") & estimates["expected"].notna()]
    for position, row in enumerate(verdicts.itertuples(index=False)):
        marker, colour = MARKS[str(row.verdict)]
        ax.text(
            1.02,
            position,
            str(row.verdict),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=10,
            weight="bold",
        )
        mine = betas[betas["claim"] == row.id]
        offsets = [0.0] if len(mine) == 1 else _spread(len(mine))
        for offset, one in zip(offsets, mine.to_dict(orient="records"), strict=True):
            _draw(ax, position + offset, one, marker=marker, colour=colour)
        if mine.empty:
            ax.text(
                0.5,
                position,
                _in_figures(estimates[estimates["claim"] == row.id]),
                transform=ax.get_yaxis_transform(),
                ha="center",
                va="center",
                fontsize=8.5,
                color="0.25",
            )
    labels = [
        f"{row.id}  {textwrap.fill(str(row.claim), 42)}"
        for row in verdicts.itertuples(index=False)
    ]
    ax.set_yticks(range(len(verdicts)), labels, fontsize=9)
    ax.set_ylim(len(verdicts) - 0.5, -0.5)
    ax.axvline(0, color="0.3", linewidth=0.8)
    if betas.empty:
        ax.set_xlim(-0.5, 0.5)
    ax.set_xlabel("standardised association, the claimed direction points right")
    supported = int((verdicts["verdict"] == "supported").sum())
    ax.set_title(f"{supported} of {len(verdicts)} claims are supported (n = {n})")
    ax.grid(visible=False, axis="y")
    return ax


def _draw(
    ax: Axes,
    position: float,
    one: Mapping[Hashable, float],
    *,
    marker: str,
    colour: object,
) -> None:
    sign = one["expected"]
    ends = [sign * one["conf_low"], sign * one["conf_high"]]
    ax.plot(ends, [position] * 2, color=colour, linewidth=1.4)
    ax.plot(sign * one["estimate"], position, marker, color=colour, markersize=6)


def _in_figures(rows: pd.DataFrame) -> str:
    """Say up to two estimates that are no standardised coefficients."""
    summed = rows[rows["outcome"] == "order"]
    chosen = summed if len(summed) else rows.head(2)
    said = [
        f"{one['measure']} {one['estimate']:.2f} "
        f"[{one['conf_low']:.2f}, {one['conf_high']:.2f}]"
        for one in chosen.to_dict(orient="records")
    ]
    return "\n".join(said) or "see its answer for the reason"


def _spread(k: int) -> list[float]:
    return [0.6 * (i / (k - 1) - 0.5) for i in range(k)] if k > 1 else [0.0] * k
