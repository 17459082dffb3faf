"""The answers of a study as one table, as every other source gives them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import sqlalchemy as sa

from survey.store import tables
from survey.store.database import Gathered

if TYPE_CHECKING:
    from survey.store.studies import Study

_PERSON: Final = tables.person.c
_RESPONSE: Final = tables.response.c
_ANSWER: Final = tables.answer.c
_SENT: Final = tables.submission.c
#: Columns of the table that every response has, in their order.
_COLUMNS: Final = (
    _PERSON.code.label("respondent"),
    _PERSON.couple,
    _PERSON.role,
    _RESPONSE.wave,
    _RESPONSE.language,
    _RESPONSE.form,
    _RESPONSE.started,
    _RESPONSE.finished,
    tables.instrument.c.id.label("instrument"),
    tables.instrument.c.version.label("instrument_version"),
    # The time that pages were open.
    sa.select(sa.func.sum(_SENT.seconds))
    .where(_SENT.response == _RESPONSE.id)
    .scalar_subquery()
    .label("seconds"),
)
_NAMES: Final = [column.name for column in _COLUMNS]
_HISTORY: Final = (
    sa.select(Gathered(_ANSWER.id, _ANSWER.item, _ANSWER.value, _ANSWER.seconds))
    .where(_ANSWER.response == _RESPONSE.id)
    .scalar_subquery()
)
_TABLE: Final = (
    sa.select(*_COLUMNS, _RESPONSE.orders, _PERSON.panel, _HISTORY)
    .join_from(tables.response, tables.person)
    .join(tables.instrument, tables.instrument.c.hash == _RESPONSE.instrument)
    .order_by(_RESPONSE.id)
)


def table(
    connection: sa.Connection, study: Study, *, wave: int | None = None
) -> pd.DataFrame:
    """Read the latest answers of everyone who began, finished or not.

    Parameters
    ----------
    wave
        One wave; all of them when left out.

    Returns
    -------
    DataFrame
        One row per person and wave, indexed by respondent: couple, role, wave,
        language, form, started, finished, ``instrument`` and ``instrument_version``,
        seconds; items; ``seconds_<item>``; ``order_<page>``, the items of a shuffled
        page as shown; ``panel_<parameter>``. Cells are text as given, None where there
        is no answer.
    """
    query = _TABLE.where(_PERSON.study == study.id)
    if wave is not None:
        query = query.where(_RESPONSE.wave == wave)
    rows = connection.execute(query).all()
    values, spent, orders, panel = (_Cells(len(rows)) for _ in range(4))
    for place, (*_, drawn, parameters, history) in enumerate(rows):
        for _, item, value, seconds in sorted(json.loads(history or "[]")):
            values[item][place] = value
            spent[item][place] = seconds
        for page, names in json.loads(drawn).items():
            orders[page][place] = " ".join(names)
        for name, value in json.loads(parameters or "{}").items():
            panel[name][place] = value
    people = {n: [_cell(row[k]) for row in rows] for k, n in enumerate(_NAMES)}
    parts = [
        pd.DataFrame(people, dtype=object),
        values.frame().sort_index(axis="columns"),
        spent.frame().sort_index(axis="columns").add_prefix("seconds_"),
        orders.frame().add_prefix("order_"),
        panel.frame().add_prefix("panel_"),
    ]
    return pd.concat(parts, axis="columns").set_index("respondent")


class _Cells(dict[str, list[Any]]):
    """Columns by name, each as long as the table; what is not said is None."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length

    def __missing__(self, name: str) -> list[Any]:
        """Begin a column."""
        self[name] = [None] * self._length
        return self[name]

    def frame(self) -> pd.DataFrame:
        """Make a table of the columns that hold something."""
        full = {name: cells for name, cells in self.items() if set(cells) - {None}}
        return pd.DataFrame(full, index=range(self._length), dtype=object)


def _cell(value: object) -> object:
    """Spell a time, and round seconds."""
    if isinstance(value, float):
        return round(value, 1)
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
