"""The data every answer draws on: first wave, later waves, events and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import TooFewError
from analysis.outcomes import clusters
from survey import conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analysis.scoring import Scores
    from survey.instrument import Claim, Instrument
    from survey.responses import Responses


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Answers and scores, arranged for the claims.

    Attributes
    ----------
    responses, scores
        As they came.
    seed
        For everything random.
    """

    responses: Responses
    scores: Scores
    seed: int

    @property
    def instrument(self) -> Instrument:
        """The questionnaire."""
        return self.scores.instrument

    @property
    def first(self) -> pd.DataFrame:
        """Scores of the first wave, with ``cluster``: the couple, or the person."""
        frame = self.scores.at_wave(self.responses.waves[0]).frame
        return frame.assign(cluster=clusters(frame))

    def later(self, names: Sequence[str]) -> pd.DataFrame:
        """First wave joined with `names` of each person's last later wave.

        The later columns end in ``_later``.

        Raises
        ------
        TooFewError
            If there is only one wave.
        """
        waves = self.responses.waves
        if len(waves) < 2:  # noqa: PLR2004
            raise TooFewError(
                "only one wave was answered. Field a second wave to test this."
            )
        frame = self.scores.frame
        after = frame[(frame["wave"] > waves[0]).to_numpy()].sort_values("wave")
        last = after[~after.index.duplicated(keep="last")]
        return self.first.join(last[list(names)].add_suffix("_later"))

    def event_later(self, event: str) -> pd.Series[float]:
        """1 where the event happened after the first wave, 0 where it did not.

        Missing for people who did not answer later, or for whom it had happened
        before, or may have. With one wave, the event in that wave.
        """
        condition = conditions.parse(event)
        names = list(conditions.names(condition))
        table = self.responses.frame.assign(wave=self.responses.people["wave"])
        known = table[names].notna().all(axis="columns")
        holds = conditions.holds(condition, table).astype(float).where(known)
        wave = self.responses.people["wave"].astype(int)
        first = (wave == self.responses.waves[0]).to_numpy()
        now = holds[first]
        if len(self.responses.waves) < 2:  # noqa: PLR2004
            return now
        after = holds[~first].groupby(level=0).max()
        return after.reindex(now.index).where((now == 0).to_numpy())

    def controls(self, claim: Claim, data: pd.DataFrame) -> list[str]:
        """Name the controls of a claim that vary in `data`."""
        return [
            name
            for name in claim.controls
            if name in data and len(data[name].dropna().unique()) > 1
        ]

    def expected(self, focal: str, outcome: str) -> float:
        """Claimed sign of the association: bad things go with bad things."""
        good = self._good_news()
        ends = good[focal], good[outcome]
        if None in ends:
            return np.nan
        return 1.0 if ends[0] == ends[1] else -1.0

    def expected_of_event(self, focal: str) -> float:
        """Claimed sign of the association with the event, which is bad news."""
        good = self._good_news()[focal]
        return np.nan if good is None else (-1.0 if good else 1.0)

    def good_news(self, name: str) -> bool | None:
        """Tell whether a high score is desirable; None where nobody says."""
        return self._good_news()[name]

    def _good_news(self) -> dict[str, bool | None]:
        good = {one.id: one.good_news for one in self.instrument.scales}
        return good | {one.id: one.desirable for one in self.instrument.composites}

    def label(self, name: str) -> str:
        """Say what a scale, composite or item is called."""
        return self.instrument.label(name)
