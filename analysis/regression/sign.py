"""One sign as a test of an event: its area, cut and shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from analysis.errors import TooFewError
from analysis.regression.rows import group_codes

if TYPE_CHECKING:
    import pandas as pd

    from analysis.arrays import Bool1D, Float1D, Int1D

MIN_EVENTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """One sign on the rows where it was observed; each row its own group if none."""

    name: str
    score: Float1D
    event: Bool1D
    groups: Int1D
    clustered: bool

    @classmethod
    def of(
        cls, name: str, score: pd.Series, event: Bool1D, groups: pd.Series | None
    ) -> Sign:
        seen = score.notna().to_numpy()
        if groups is not None:
            seen = seen & groups.notna().to_numpy()
        n_events, n_seen = int(event[seen].sum()), int(seen.sum())
        if min(n_events, n_seen - n_events) < MIN_EVENTS:
            raise TooFewError(
                f"{name}: {n_events} events and {n_seen - n_events} non-events with "
                f"the sign observed; at least {MIN_EVENTS} of each are needed. "
                "Collect more or merge waves."
            )
        codes = np.arange(n_seen) if groups is None else group_codes(groups[seen])
        return cls(
            name, score.to_numpy(float)[seen], event[seen], codes, groups is not None
        )

    def placements(self) -> tuple[Float1D, Float1D]:
        """For events the share of non-events below, for non-events of events above."""
        ranks = stats.rankdata(self.score)
        n1, n0 = int(self.event.sum()), int((~self.event).sum())
        above = (ranks[self.event] - stats.rankdata(self.score[self.event])) / n0
        below = (ranks[~self.event] - stats.rankdata(self.score[~self.event])) / n1
        return above, 1 - below

    def auc(self) -> tuple[float, float]:
        """Area under the curve and its standard error."""
        v10, v01 = self.placements()
        area, m, n = float(v10.mean()), len(v10), len(v01)
        n_groups = int(self.groups.max()) + 1
        of_events = np.bincount(self.groups[self.event], v10 - area, minlength=n_groups)
        of_others = np.bincount(
            self.groups[~self.event], v01 - area, minlength=n_groups
        )
        i10 = len(np.unique(self.groups[self.event]))
        i01 = len(np.unique(self.groups[~self.event]))
        variance = (
            _inflate(i10) * (of_events**2).sum() / m**2
            + _inflate(i01) * (of_others**2).sum() / n**2
            + 2 * _inflate(n_groups) * (of_events * of_others).sum() / (m * n)
        )
        return area, float(np.sqrt(max(variance, 0.0)))

    def youden(self) -> float:
        """Score with the largest sensitivity + specificity; the lowest if tied."""
        cuts = np.unique(self.score)
        events = np.sort(self.score[self.event])
        others = np.sort(self.score[~self.event])
        sensitivity = 1 - np.searchsorted(events, cuts) / len(events)
        specificity = np.searchsorted(others, cuts) / len(others)
        # Rounding keeps the choice among tied cuts from depending on the last bit.
        return float(cuts[np.argmax(np.round(sensitivity + specificity, 12))])

    def share(
        self, hit: Bool1D, among: Bool1D, conf_level: float
    ) -> tuple[float, float, float]:
        """Share of `hit` in `among` with its Wilson interval."""
        count = int(among.sum())
        if count == 0:
            return np.nan, np.nan, np.nan
        p = float(hit[among].mean())
        effective = float(count)
        if self.clustered and 0 < p < 1:
            gap = np.bincount(self.groups[among], hit[among] - p)
            n_groups = len(np.unique(self.groups[among]))
            variance = _inflate(n_groups) * float((gap**2).sum()) / count**2
            effective /= max(1.0, variance / (p * (1 - p) / count))
        return (p, *wilson_interval(p, effective, conf_level))


def wilson_interval(p: float, n: float, conf_level: float) -> tuple[float, float]:
    """Interval for a share `p` of `n` by Wilson (1927)."""
    z = float(stats.norm.ppf(0.5 + conf_level / 2))
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def _inflate(n_groups: int) -> float:
    return n_groups / (n_groups - 1) if n_groups > 1 else np.nan
