"""What people answered: as it arrived, and as it may be analysed.

A table of answers has one row per person and wave. Beside the items stand the key
columns of `survey.faults.KEYS`: ``respondent`` (the index), ``couple``, ``role``,
``wave``, ``language``, ``form``, ``started``, ``finished`` and ``seconds``;
``seconds_<item>`` holds the time spent on one item.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from survey.instrument import Instrument

#: Why a cell of `Responses.frame` holds no answer; "answered" where it does.
ANSWERED, REFUSED, NOT_SHOWN, BLANK = "answered", "refused", "not shown", "blank"

REPORT_COLUMNS = ("column", "item", "status", "detail")


def mapping_report(rows: Iterable[tuple[str, str, str, str]] = ()) -> pd.DataFrame:
    """Build the table that says what became of each column of a source.

    Columns ``column`` (as in the source), ``item`` (ours), ``status`` (matched,
    renamed, key, unknown, missing, absent, out of range, note) and ``detail``.
    """
    return pd.DataFrame(list(rows), columns=list(REPORT_COLUMNS), dtype=object)


def rejected_rows(rows: Iterable[tuple[int, str, str]] = ()) -> pd.DataFrame:
    """Build the table of rows that fit no columns.

    Columns ``row`` (of the source, as a spreadsheet counts), ``text`` (the row as it
    stands in the source) and ``reason``.
    """
    frame = pd.DataFrame(list(rows), columns=["row", "text", "reason"], dtype=object)
    return frame.astype({"row": "int64"})


@dataclass(frozen=True, slots=True, eq=False)
class RawResponses:
    """Answers as an importer read them, unchecked.

    Attributes
    ----------
    frame
        One row per respondent and wave, indexed by respondent id; columns named as
        the instrument's items and keys, cells as they arrived; further columns as
        exported.
    source
        Where the rows came from, e.g. ``limesurvey:123456`` or a file name.
    report
        What became of each column of the source; see `mapping_report`.
    first_row
        Row of the source that the first row of `frame` stood in, counted as a
        spreadsheet shows it.
    rejected
        Rows of the source that have no place in `frame`, e.g. with more cells than
        the header; see `rejected_rows`.
    """

    frame: pd.DataFrame
    source: str
    report: pd.DataFrame = field(default_factory=mapping_report)
    first_row: int = 2
    rejected: pd.DataFrame = field(default_factory=rejected_rows)


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """Answers that satisfy the instrument; built only by `survey.validate`.

    Attributes
    ----------
    frame
        One row per respondent and wave, one column per item in the instrument's
        order; codes as the instrument defines them, NA where there is no answer.
    people
        The same rows: couple, role, wave, language, form, started, finished,
        seconds. `wave` is 1 and `form` the first form where the source has none.
    given
        The same shape as `frame`, with the missing codes that were chosen: what is
        stored and exported.
    missingness
        The same shape as `frame`: ``answered``, ``refused`` (a missing code was
        chosen), ``not shown`` (by condition or form) or ``blank``.
    timings
        Seconds spent on single items; as many columns as were recorded.
    instrument
        The questionnaire these answers belong to.
    source
        Carried over from `RawResponses`.
    """

    frame: pd.DataFrame
    given: pd.DataFrame
    people: pd.DataFrame
    missingness: pd.DataFrame
    timings: pd.DataFrame
    instrument: Instrument
    source: str

    def __len__(self) -> int:
        """Return the number of rows: people times the waves they answered."""
        return len(self.frame)

    @property
    def waves(self) -> tuple[int, ...]:
        """The waves in these answers, in order."""
        return tuple(sorted(int(wave) for wave in self.people["wave"].unique()))

    @property
    def n_respondents(self) -> int:
        """The number of different people."""
        return int(self.frame.index.nunique())

    def at_wave(self, wave: int) -> Responses:
        """Keep the rows of one wave; each respondent stands in it once."""
        return self._rows(self.people["wave"] == wave)

    def _rows(self, keep: pd.Series[bool]) -> Responses:
        chosen = keep.to_numpy(dtype=bool)
        return replace(
            self,
            frame=self.frame.loc[chosen],
            given=self.given.loc[chosen],
            people=self.people.loc[chosen],
            missingness=self.missingness.loc[chosen],
            timings=self.timings.loc[chosen],
        )

    def table(self) -> pd.DataFrame:
        """Put keys, codes as given and timings in one table, as it is stored."""
        timings = self.timings.add_prefix("seconds_")
        return pd.concat([self.people, self.given, timings], axis="columns")
