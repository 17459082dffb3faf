"""Item response models of several scales, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analysis.irt import graded_response
from analysis.measurement import left_out, scale_items
from analysis.plots.irt import plot_reliabilities
from analysis.result import warning_table
from analysis.scalewise import each_scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.irt import GradedResponse
    from analysis.scoring import Scores


@dataclass(frozen=True, slots=True, eq=False)
class ResponseReport:
    """Graded response models, one per scale.

    Attributes
    ----------
    found
        The models, by scale.
    warnings
        Of all models, and why a scale has none; `where` begins with the scale.
    """

    found: Mapping[str, GradedResponse]
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item: `scale`, then as `GradedResponse.item_table`."""
        parts = {name: one.item_table() for name, one in self.found.items()}
        return _stacked(parts, ["scale", "item"])

    def glance(self) -> pd.DataFrame:
        """One row per scale: `scale`, then as `GradedResponse.glance`."""
        parts = {name: one.glance() for name, one in self.found.items()}
        return _stacked(parts, ["scale"])

    def summary(self) -> str:
        """Say for how many scales there is a model, and where they measure worst."""
        if not self.found:
            return "no scale has a graded response model; see the warnings"
        table = self.glance()
        worst = table.sort_values("reliability_marginal").iloc[0]
        largest = table.sort_values("q3_max").iloc[-1]
        return (
            f"{len(table)} graded response models; lowest marginal reliability "
            f"{worst['reliability_marginal']:.2f} ({worst['scale']}), largest Q3 "
            f"{largest['q3_max']:.2f} ({largest['scale']}; COSMIN wants Q3 < .37, "
            "or residual correlations < .20)"
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw how reliably each scale measures along its trait."""
        if not self.found:
            if ax is None:
                _, ax = plt.subplots(figsize=(6, 1.2), layout="constrained")
            ax.set_axis_off()
            ax.text(0, 0.5, self.summary())
            return ax
        curves = {
            name: one.information_curve().set_index("theta")["reliability"]
            for name, one in self.found.items()
        }
        n = int(np.min([one.n_obs for one in self.found.values()]))
        return plot_reliabilities(pd.DataFrame(curves), n=n, labels=labels or {}, ax=ax)

    def plot_information(self, *, labels: Mapping[str, str] | None = None) -> Figure:
        """Draw the information curves of every scale and its items, two in a row."""
        names = list(self.found)
        rows = max(-(-len(names) // 2), 1)
        figure, axes = plt.subplots(
            rows,
            2,
            figsize=(12, 3.8 * rows if names else 1.2),
            layout="constrained",
            squeeze=False,
        )
        for ax, name in zip(axes.flat, names, strict=False):
            self.found[name].plot(ax)
            words = (labels or {}).get(name, name)
            ax.set_title(f"{words}\n{ax.get_title(loc='left')}", loc="left")
        for ax in axes.flat[len(names) :]:
            ax.set_axis_off()
        if not names:
            axes.flat[0].text(0, 0.5, self.summary())
        return figure


def _stacked(parts: Mapping[str, pd.DataFrame], empty: list[str]) -> pd.DataFrame:
    """Put tables of scales below each other, `scale` in front."""
    if not parts:
        return pd.DataFrame(columns=empty)
    table = pd.concat(parts, names=["scale"]).reset_index("scale")
    return table.reset_index(drop=True)


def response_report(
    scores: Scores, scales: Sequence[str] | str | None = None
) -> ResponseReport:
    """Fit a graded response model to every scale.

    Parameters
    ----------
    scores
        Of one wave.
    scales
        See `analysis.measurement.measured_scales`.

    Returns
    -------
    ResponseReport
        A scale that cannot carry a model (fewer than three items, too few people, no
        finite maximum) has the reason in `warnings`.
    """
    found, notes = each_scale(
        scale_items(scores, scales),
        lambda items: graded_response(items, information="sandwich"),
        without="no item response model",
    )
    told = [warning_table(), left_out(scores, scales), notes]
    return ResponseReport(found, pd.concat(told, ignore_index=True))
