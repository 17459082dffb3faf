"""What is counted for the researcher: figures, and the geometry of a plot of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import sqlalchemy as sa

from survey.store import overview, studies, tables
from survey.store.studies import now

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

    from survey.instrument import Instrument
    from survey.store.studies import Study, Wave

#: Pixels of the plot: one page, the longest bar; letters of a label.
_ROW: Final = 30
_BAR: Final = 400
_LETTERS: Final = 26


@dataclass(frozen=True, slots=True)
class Bar:
    """One page of the plot: how many sent it, how many stand on it."""

    label: str
    sent: int
    left: int
    seconds: float | None
    top: int
    wide: float
    wide_left: float

    @property
    def time(self) -> str:
        """The median time a page was open, in words."""
        return "" if self.seconds is None else spell(self.seconds)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a study.

    Attributes
    ----------
    counts, languages
        Rows by wave, and by wave and language.
    bars
        One a page of the questionnaire.
    median
        Median time of those who finished, in words; empty where there is none.
    erased
        Number of people erased.
    """

    counts: list[dict[Hashable, Any]]
    languages: list[dict[Hashable, Any]]
    bars: list[Bar]
    median: str
    erased: int

    @property
    def height(self) -> int:
        """Height of the plot in pixels."""
        return _ROW * len(self.bars) + 6


def names(connection: sa.Connection) -> list[str]:
    """Name the studies of a database."""
    return list(
        connection.scalars(sa.select(tables.study.c.name).order_by(tables.study.c.name))
    )


def figures(connection: sa.Connection, study: Study) -> Figures:
    """Count everything a researcher sees of a study."""
    instrument = studies.stored_instrument(connection, study.waves[-1].instrument)
    counted = overview.counts(connection, study)
    spoken = overview.by_language(connection, study)
    return Figures(
        counted.to_dict(orient="records"),
        spoken.to_dict(orient="records"),
        _bars(overview.drop_off(connection, study, _pages(instrument)), instrument),
        _median(connection, study),
        overview.erased(connection, study),
    )


def _pages(instrument: Instrument) -> tuple[str, ...]:
    return tuple(page.id for page in instrument.all_pages)


def _bars(table: pd.DataFrame, instrument: Instrument) -> list[Bar]:
    titles = {p.id: instrument.wording(p.title) or p.id for p in instrument.all_pages}
    most = max(1, int(table["sent"].max()), int(table["left"].max()))
    rows = zip(
        table["page"],
        table["sent"],
        table["left"],
        table["median_seconds"],
        strict=True,
    )
    return [
        Bar(
            label=titles[page],
            sent=int(sent),
            left=int(left),
            seconds=None if pd.isna(seconds) else float(seconds),
            top=_ROW * number,
            wide=round(_BAR * sent / most, 1),
            wide_left=round(_BAR * left / most, 1),
        )
        for number, (page, sent, left, seconds) in enumerate(rows)
    ]


def shortened(label: str) -> str:
    """Cut a label to the room it has in the plot."""
    return label if len(label) <= _LETTERS else label[: _LETTERS - 1].rstrip() + "…"


def _median(connection: sa.Connection, study: Study) -> str:
    """Take the median time pages were open, of those who finished."""
    sent, response, person = tables.submission.c, tables.response.c, tables.person.c
    rows = connection.scalars(
        sa.select(sa.func.sum(sent.seconds))
        .join_from(tables.submission, tables.response)
        .join(tables.person, person.id == response.person)
        .where(person.study == study.id, response.finished.is_not(None))
        .group_by(sent.response)
    ).all()
    spent = pd.Series(rows, dtype="float64").dropna()
    return "" if spent.empty else spell(float(spent.median()))


def spell(seconds: float) -> str:
    """Spell a time in minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"  # noqa: PLR2004 - a minute


@dataclass(frozen=True, slots=True)
class Row:
    """One person as a researcher sees them: no answer."""

    code: str
    couple: str
    role: str
    invited: bool
    states: tuple[str, ...]


def rows(
    connection: sa.Connection, study: Study, first: int, most: int
) -> tuple[list[Row], int]:
    """List people of a study with where they stand in every wave; count all of them."""
    found = overview.progress(connection, study)
    codes = found["code"].drop_duplicates()
    found = found[found["code"].isin(codes.iloc[first : first + most])]
    moment = now()
    out = []
    for code, mine in found.groupby("code", sort=False):
        known = {
            int(w): (finished, page)
            for w, finished, page in zip(
                mine["wave"], mine["finished"], mine["page"], strict=True
            )
            if not pd.isna(w)
        }
        states = tuple(_state(known.get(w.number), w, moment) for w in study.waves)
        one = mine.iloc[0]
        out.append(
            Row(
                str(code),
                _plain(one["couple"]),
                _plain(one["role"]),
                bool(one["invited"]),
                states,
            )
        )
    return out, len(codes)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""


def _state(known: tuple[Any, str] | None, wave: Wave, moment: datetime) -> str:
    if known is None:
        if wave.opens is not None and wave.opens > moment:
            return "not open yet"
        return "not begun" if wave.is_open(moment) else "did not begin"
    finished, page = known
    return f"on page {page}" if pd.isna(finished) else "finished"
