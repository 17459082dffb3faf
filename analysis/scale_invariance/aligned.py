"""Means of groups on scales whose items need not all measure alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.estimates import plot_intervals
from analysis.result import warning_table
from analysis.sem.alignment import alignment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.scale_invariance.result import ScaleInvariance
    from analysis.sem.alignment import Alignment

_GROUPS: Final = 3
_COLUMNS: Final = (
    *("scale", "group", "n_obs", "mean", "mean_se", "conf_low", "conf_high"),
    *("variance", "noninvariance"),
)


@dataclass(frozen=True, slots=True, eq=False)
class AlignedScales:
    """Alignments of several scales, side by side.

    Attributes
    ----------
    found
        Scale id to its alignment; empty with fewer than three groups.
    by
        What tells groups apart.
    labels
        Scale id to its label.
    warnings
        Of all alignments, and why a scale has none: what, where, remedy.
    """

    found: Mapping[str, Alignment]
    by: str
    labels: Mapping[str, str]
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per scale and group.

        ``mean`` in standard deviations of the first group, with ``mean_se conf_low
        conf_high``; ``variance``; ``noninvariance``, the share of the scale's loadings
        and locations that are not approximately invariant.
        """
        parts = [
            one.means.assign(scale=name, noninvariance=one.noninvariance)
            for name, one in self.found.items()
        ]
        if not parts:
            return pd.DataFrame(columns=list(_COLUMNS))
        return pd.concat(parts, ignore_index=True)[list(_COLUMNS)]

    def glance(self) -> pd.DataFrame:
        """One row: scales, groups, and the largest share of non-invariance."""
        shares = [one.noninvariance for one in self.found.values()]
        groups = [len(one.fit.groups) for one in self.found.values()]
        return pd.DataFrame(
            {
                "by": [self.by],
                "n_scales": [len(shares)],
                "n_groups": [max(groups, default=0)],
                "most_noninvariance": [max(shares, default=float("nan"))],
            }
        )

    def summary(self) -> str:
        """Say which scale's items differ most between groups, or why there is none."""
        if not self.found:
            return (
                f"Nothing is aligned by {self.by}: it takes {_GROUPS} groups or more "
                "in which a scale was compared."
            )
        name, worst = max(self.found.items(), key=lambda kv: kv[1].noninvariance)
        scales = "1 scale" if len(self.found) == 1 else f"{len(self.found)} scales"
        return (
            f"Means aligned on {scales} over {len(worst.fit.groups)} groups by "
            f"{self.by}; most non-invariance: {self.labels[name]}, "
            f"{worst.noninvariance:.0%} of loadings and locations."
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Means of every scale, groups side by side, with their intervals.

        Raises
        ------
        AnalysisError
            If nothing was aligned.
        """
        if not self.found:
            raise AnalysisError(f"aligned_scales: nothing to draw. {self.summary()}")
        one = next(iter(self.found.values()))
        frame = self.tidy().rename(columns={"group": "term", "scale": "group"})
        return plot_intervals(
            frame.assign(estimate=frame["mean"]),
            title=f"Aligned means by {self.by}",
            xlabel=f"Mean, in standard deviations of {one.reference} (95% interval)",
            group_label="Scale",
            n_obs=max(each.fit.n_obs for each in self.found.values()),
            labels=self.labels,
            ax=ax,
        )


def aligned_scales(found: ScaleInvariance) -> AlignedScales:
    """Align three groups or more on every scale that was compared.

    Parameters
    ----------
    found
        Groups compared by `group_invariance`; their configural models are aligned, the
        mean of the first group being 0.

    Notes
    -----
    `analysis.sem.alignment`. Two groups are left to partial invariance, which tells as
    much; waves are not groups.
    """
    done: dict[str, Alignment] = {}
    notes: list[pd.DataFrame] = [warning_table()]
    for name, one in found.found.items():
        fit = one.fits.get("configural")
        if fit is None or len(fit.groups) < _GROUPS:
            continue
        try:
            done[name] = alignment(fit)
        except AnalysisError as error:
            notes.append(warning_table([("scale not aligned", name, str(error))]))
            continue
        own = done[name].warnings.iloc[: -len(fit.warnings) or None]
        notes.append(own.assign(where=f"{name}: " + own["where"].astype(str)))
    return AlignedScales(
        done, found.by, found.labels, pd.concat(notes, ignore_index=True)
    )
