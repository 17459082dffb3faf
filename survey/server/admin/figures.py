"""What is counted for the researcher: figures, and the geometry of a plot of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import sqlalchemy as sa

from survey.server.plan import Planner
from survey.store import overview, studies, tables
from survey.store.studies import now

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
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
class Cut:
    """Of whom pages and times are counted.

    Attributes
    ----------
    wave, form
        One of them, or None for all.
    waves, forms
        Those there are.
    """

    wave: int | None
    form: str | None
    waves: tuple[int, ...]
    forms: tuple[str, ...]

    @property
    def said(self) -> str:
        """The cut in words."""
        wave = "all waves" if self.wave is None else f"wave {self.wave}"
        form = "all forms" if self.form is None else f"form {self.form}"
        return f"{wave}, {form}" if len(self.forms) > 1 else wave


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a study.

    Attributes
    ----------
    counts, languages
        Rows by wave, with the median time of those who finished in words; and by wave
        and language.
    erased
        Number of people erased.
    cut
        Of whom the rest is counted.
    bars
        One a page of the questionnaire.
    begun
        Number of people who began.
    median
        Median time of those who finished, in words; empty where there is none.
    """

    counts: list[dict[Hashable, Any]]
    languages: list[dict[Hashable, Any]]
    erased: int
    cut: Cut
    bars: list[Bar]
    begun: int
    median: str

    @property
    def height(self) -> int:
        """Height of the plot in pixels."""
        return _ROW * len(self.bars) + 6


def names(connection: sa.Connection) -> list[str]:
    """Name the studies of a database."""
    return list(
        connection.scalars(sa.select(tables.study.c.name).order_by(tables.study.c.name))
    )


def cut(connection: sa.Connection, study: Study, wave: str = "", form: str = "") -> Cut:
    """Read which wave and form are asked for.

    Parameters
    ----------
    wave
        A number, or ``all``; what is neither stands for the wave that is open, or the
        last one.
    form
        A form of the questionnaire; what is none stands for all.
    """
    usual = study.current(now()) or study.waves[-1]
    waves = tuple(one.number for one in study.waves)
    chosen = {"all": None, **{str(one): one for one in waves}}
    number = chosen.get(wave, usual.number)
    forms = tuple(one.id for one in _instrument(connection, study, number).all_forms)
    return Cut(number, form if form in forms else None, waves, forms)


def _instrument(
    connection: sa.Connection, study: Study, wave: int | None
) -> Instrument:
    """Read the questionnaire of a wave; that of the last one for all of them."""
    fielded = study.waves[-1] if wave is None else study.wave(wave)
    return studies.stored_instrument(connection, fielded.instrument)


def figures(connection: sa.Connection, study: Study, among: Cut) -> Figures:
    """Count everything a researcher sees of a study."""
    wave, form = among.wave, among.form
    counted = overview.counts(connection, study)
    counted["median"] = [
        _median(overview.whole_times(connection, study, wave=one))
        for one in counted["wave"]
    ]
    pages = _pages(_instrument(connection, study, wave), form)
    left = overview.drop_off(connection, study, list(pages), wave=wave, form=form)
    return Figures(
        counted.to_dict(orient="records"),
        overview.by_language(connection, study).to_dict(orient="records"),
        overview.erased(connection, study),
        among,
        _bars(left, pages),
        overview.begun(connection, study, wave=wave, form=form),
        _median(overview.whole_times(connection, study, wave=wave, form=form)),
    )


def _pages(instrument: Instrument, form: str | None) -> dict[str, str]:
    """Name the pages people see, in their order, with their titles.

    A page that is shown in parts is several; parts of one title are counted.
    """
    order = [page.id for page in instrument.all_pages]
    forms = [form] if form else [one.id for one in instrument.all_forms]
    found: dict[str, tuple[int, int, str]] = {}
    for one in forms:
        planner = Planner.of(instrument, one)
        for page in planner.pages:
            whole, first, _ = planner.slots[page.id]
            title = instrument.wording(page.title) or whole
            part = page.id.removeprefix(whole).strip("-")
            said = f"{title} ({part})" if part else title
            found.setdefault(page.id, (order.index(whole), first, said))
    ordered = sorted(found, key=lambda page: found[page][:2])
    return {page: found[page][2] for page in ordered}


def _bars(table: pd.DataFrame, titles: Mapping[str, str]) -> list[Bar]:
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


def _median(spent: pd.Series[float]) -> str:
    """Spell a median time; empty where nobody has finished."""
    return "" if spent.empty else spell(float(spent.median()))


def shortened(label: str) -> str:
    """Cut a label to the room it has in the plot."""
    return label if len(label) <= _LETTERS else label[: _LETTERS - 1].rstrip() + "…"


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
