"""The ladders of several scales, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.plots.invariance import plot_grid
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.scoring import Scores
    from analysis.sem import Invariance
    from survey.instrument import Scale


@dataclass(frozen=True, slots=True, eq=False)
class ScaleInvariance:
    """The ladder of invariance of every scale.

    Attributes
    ----------
    found
        Scale id to its ladder.
    by
        What is compared: the name of the grouping, or ``wave``.
    labels
        Scale id to its label.
    effects
        dMACS of every item and group; empty for waves.
    warnings
        Scales that could not be analysed, small groups, and what is odd about models:
        what, where, remedy.
    """

    found: Mapping[str, Invariance]
    by: str
    labels: Mapping[str, str]
    effects: pd.DataFrame
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per scale and step."""
        parts = [one.tidy().assign(scale=name) for name, one in self.found.items()]
        if not parts:
            return pd.DataFrame(columns=["scale", "step", "holds"])
        table = pd.concat(parts, ignore_index=True)
        return table[["scale", *(c for c in table.columns if c != "scale")]]

    def verdicts(self) -> pd.DataFrame:
        """One row per scale: label, the last step that holds, one column a step."""
        rows = []
        for name, one in self.found.items():
            steps = dict(zip(one.table["step"], one.table["holds"], strict=True))
            rows.append({"scale": self.labels[name], "reached": one.reached} | steps)
        return pd.DataFrame(rows)

    def glance(self) -> pd.DataFrame:
        """One row: how many scales reach equal intercepts."""
        reached = [one.reached for one in self.found.values()]
        far = {"intercepts", "residuals", "means"}
        sizes = [min(one.groups.values()) for one in self.found.values()]
        return pd.DataFrame(
            {
                "by": [self.by],
                "n_scales": [len(reached)],
                "n_comparable": [sum(r in far for r in reached)],
                "smallest_group": [min(sizes) if sizes else 0],
            }
        )

    def summary(self) -> str:
        """Say whose means may be compared."""
        if not self.found:
            return f"No scale could be compared by {self.by}; the warnings say why."
        far = {"intercepts", "residuals", "means"}
        fine = [n for n, one in self.found.items() if one.reached in far]
        rest = [n for n in self.found if n not in fine]
        one = next(iter(self.found.values()))
        sizes = ", ".join(f"{name}: n = {n}" for name, n in one.groups.items())
        tail = ""
        if rest:
            named = ", ".join(
                f"{self.labels[n]} (holds up to {self.found[n].reached})" for n in rest
            )
            tail = f" Not comparable without more: {named}."
        return (
            f"By {self.by} ({sizes}): means of {len(fine)} of {len(self.found)} scales "
            f"may be compared, their intercepts being equal.{tail}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Which step holds for which scale."""
        n_obs = max((sum(f.groups.values()) for f in self.found.values()), default=0)
        return plot_grid(self.verdicts(), n_obs=n_obs, by=self.by, ax=ax)


def beside(
    scores: Scores,
    by: str,
    found: dict[str, Invariance],
    effects: list[pd.DataFrame],
    warnings: list[pd.DataFrame],
) -> ScaleInvariance:
    """Put the ladders of scales side by side.

    Parameters
    ----------
    scores
        They were computed from.
    by
        What is compared.
    found
        Scale id to its ladder.
    effects
        Tables of dMACS.
    warnings
        Tables of warnings.
    """
    labels = {n: scores.instrument.label(n) for n in found}
    return ScaleInvariance(
        found,
        by,
        labels,
        pd.concat(effects, ignore_index=True) if effects else pd.DataFrame(),
        pd.concat([warning_table(), *warnings], ignore_index=True),
    )


def of_scale(found: Invariance, scale: Scale) -> pd.DataFrame:
    """Warnings of one scale, which they name."""
    table = found.warnings
    fit = next(iter(found.fits.values()))
    if not fit.table.categories:
        row = (
            "answers taken as numbers",
            scale.id,
            (
                "A group has no answer in some category, or items have many: "
                "thresholds cannot be compared (MLR instead)"
            ),
        )
        table = pd.concat([warning_table([row]), table], ignore_index=True)
    return table.assign(where=f"{scale.id}: " + table["where"].astype(str))
