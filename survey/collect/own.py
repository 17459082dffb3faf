"""Read answers from the database of our own web survey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from survey.errors import ResponsesError
from survey.faults import KEYS
from survey.responses import RawResponses, mapping_report
from survey.store import answers, studies
from survey.store.database import connect, reading, url_of
from survey.store.versions import current

if TYPE_CHECKING:
    from survey.instrument import Instrument


def read(
    source: str | Path,
    instrument: Instrument,
    *,
    study: str = "main",
    wave: int | None = None,
) -> RawResponses:
    """Read the latest answers of everyone who began; the survey may go on meanwhile.

    Parameters
    ----------
    source
        Path of the SQLite file, or URL of the PostgreSQL database.
    instrument
        The questionnaire; answers of another one of the same id and items are read too.
    study
        Name of the study in the database.
    wave
        One wave; all of them when left out.

    Returns
    -------
    RawResponses
        Keys, items in the instrument's order, seconds by item; then the version of the
        questionnaire, orders of shuffled pages and panel parameters. Cells are text as
        given, None where there is no answer; ``finished`` is None for those who have
        not sent the last page, whom `survey.validate` keeps as unfinished.

    Raises
    ------
    ResponsesError
        If there is no database, or the study fielded another questionnaire.
    RefusedError
        If there is no such study; lists those there are.
    """
    url = url_of(source)
    if url.get_backend_name() == "sqlite":
        _require_file(Path(url.database or ""))
    engine = connect(source)
    try:
        if current(engine) is None:
            raise ResponsesError(
                f"{url.render_as_string()}: holds no study. Give the database that "
                "`pushaway serve` writes to."
            )
        with reading(engine) as connection:
            found = studies.find(connection, study)
            frame = answers.table(connection, found, wave=wave)
    finally:
        engine.dispose()
    _require_same(frame, instrument, study)
    return RawResponses(
        _arranged(frame, instrument),
        source=f"own:{study}",
        report=mapping_report(_report(frame, instrument)),
    )


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise ResponsesError(
            f"{path}: there is no such database. Give the one `pushaway serve` writes "
            "to."
        )


def _require_same(frame: pd.DataFrame, instrument: Instrument, study: str) -> None:
    fielded = set(frame["instrument"].dropna()) if "instrument" in frame else set()
    if other := fielded - {instrument.id}:
        raise ResponsesError(
            f"study {study!r}: people answered {', '.join(sorted(other))}, not "
            f"{instrument.id}. Name that questionnaire with --instrument."
        )


def _arranged(frame: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """Put keys first, then every item, asked or not, then the rest."""
    keys = [key for key in KEYS if key in frame.columns]
    timed = [n for n in (f"seconds_{i}" for i in instrument.item_ids) if n in frame]
    known = {*keys, *instrument.item_ids, *timed}
    rest = [name for name in frame.columns if name not in known]
    absent = [name for name in instrument.item_ids if name not in frame.columns]
    nothing = [[None] * len(absent)] * len(frame)
    empty = pd.DataFrame(nothing, index=frame.index, columns=absent, dtype=object)
    whole = pd.concat([frame, empty], axis="columns")
    return whole[[*keys, *instrument.item_ids, *timed, *rest]]


def _report(
    frame: pd.DataFrame, instrument: Instrument
) -> list[tuple[str, str, str, str]]:
    """Say what became of every column; an item nobody answered is one too."""
    out = []
    for name in frame.columns:
        column = str(name)
        if column in KEYS:
            out.append((column, column, "key", ""))
        elif column in instrument.item_ids:
            out.append((column, column, "matched", ""))
        else:
            item = column.removeprefix("seconds_")
            note = "time on the item" if item in instrument.item_ids else "kept beside"
            out.append((column, "", "note", note))
    out += [
        (item, item, "absent", "nobody answered it")
        for item in instrument.item_ids
        if item not in frame.columns
    ]
    return out
