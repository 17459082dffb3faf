"""Read answers from a plain table: CSV, TSV, Excel, SPSS, Stata or parquet.

Columns are items by exact name, or as a mapping file says (see
`survey.collect.mapping`). Whatever could be read in two ways is an error that says how
to decide it; nothing is guessed, converted or left out in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from survey.collect import columnar, delimited, mapping_faults, workbook
from survey.collect import mapping as mapping_file
from survey.collect.content import kind_of
from survey.collect.fielded import fielded
from survey.collect.matching import matches, respondent_hint
from survey.collect.recode import recoded
from survey.collect.report import rows
from survey.collect.table import listed, spelled
from survey.faults import KEYS
from survey.paths import resolve
from survey.responses import RawResponses, mapping_report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from survey.collect.content import Kind
    from survey.collect.mapping import ColumnMapping
    from survey.collect.matching import Match
    from survey.collect.table import Table
    from survey.instrument import Instrument


def read(
    source: str | Path,
    instrument: Instrument,
    *,
    mapping: str | Path | Mapping[str, object] | None = None,
) -> RawResponses:
    """Read the table at `source` as answers to `instrument`.

    Parameters
    ----------
    source
        A ``.csv``, ``.tsv``, ``.txt``, ``.xlsx``, ``.sav``, ``.zsav``, ``.dta`` or
        ``.parquet`` file with one row per respondent and wave.
    instrument
        The questionnaire that was answered.
    mapping
        A mapping file, or its content as a dictionary; see `survey.collect.mapping`.

    Returns
    -------
    RawResponses
        Keys, items in the instrument's order, then all other columns. Cells of text
        files are text; those of other files have the types they are stored with; None
        or NaN where a cell is empty. Items that were not asked are empty columns. Rows
        that do not fit the header stand in `RawResponses.rejected`.

    Raises
    ------
    ResponsesError
        If the file cannot be read without a guess, an item has no column, or the
        mapping has faults (all are listed, with their lines).
    """
    path = resolve(source)
    kind = kind_of(path)
    file = mapping_file.read(mapping)
    if faults := mapping_faults.find(file, instrument, kind):
        raise mapping_file.refused(faults)
    said = file.content
    table = _table(path, kind, said, instrument)
    matched = matches(path, table.frame.columns.tolist(), file, instrument)
    frame = table.frame.set_axis([match.name for match in matched], axis="columns")
    frame = frame.assign(**{key: _constant(said, key, kind) for key in said.constants})
    frame, changes = recoded(path, frame, said, instrument, all_text=kind == "text")
    asked = fielded(path, frame, matched, said, instrument)
    notes = [*table.notes, *changes]
    if asked.form is not None:
        notes.append(f"the items are those of form {asked.form}: all rows are read so")
        frame["form"] = asked.form
    frame, more = _indexed(frame, table.first_row, matched)
    frame = _ordered(frame, list(asked.absent), instrument)
    report = rows(frame, matched, asked.absent, [*notes, *more], instrument)
    return RawResponses(
        frame=frame,
        source=path.name,
        report=mapping_report(report),
        first_row=table.first_row,
        rejected=table.rejected,
    )


def _table(
    path: Path, kind: Kind, mapping: ColumnMapping, instrument: Instrument
) -> Table:
    if kind == "workbook":
        return workbook.read(path, mapping)
    if kind == "spss":
        return columnar.read_spss(path, mapping.encoding)
    if kind == "stata":
        return columnar.read_stata(path, mapping.encoding)
    if kind == "parquet":
        return columnar.read_parquet(path)
    names = [*instrument.item_ids, *KEYS, *mapping.targets, *mapping.ignored]
    return delimited.read(path, mapping, frozenset(map(delimited.simplified, names)))


def _constant(mapping: ColumnMapping, key: str, kind: Kind) -> int | str:
    value = mapping.constants[key]
    return str(value) if kind == "text" else value


def _indexed(
    frame: pd.DataFrame, first_row: int, matched: Sequence[Match]
) -> tuple[pd.DataFrame, list[str]]:
    """Index rows by respondent, or by their row where no column names respondents."""
    if "respondent" in frame:
        ids = frame["respondent"]
        names = [None if pd.isna(one) else spelled(one) for one in ids]
        return (
            frame.drop(columns="respondent").set_axis(_index(names), axis="index"),
            _padded(names),
        )
    names = [f"row{first_row + i}" for i in range(len(frame))]
    hint = respondent_hint(matched)
    note = (
        "no column 'respondent': rows are named after their place in the file, so that "
        "a person who stands there twice cannot be seen"
    )
    return (
        frame.set_axis(_index(names), axis="index"),
        [f"{note}; {hint}" if hint else note],
    )


def _index(names: Sequence[str | None]) -> pd.Index:
    return pd.Index(names, dtype=object, name="respondent")


def _padded(names: Sequence[str | None]) -> list[str]:
    padded = [repr(name) for name in names if name is not None and name != name.strip()]
    if not padded:
        return []
    return [f"{len(padded)} respondent id(s) have blanks around them: {listed(padded)}"]


def _ordered(
    frame: pd.DataFrame, absent: Sequence[str], instrument: Instrument
) -> pd.DataFrame:
    """Put keys first, then items, then the rest; add the items that were not asked."""
    empty = pd.DataFrame(index=range(len(frame)), columns=list(absent), dtype=object)
    full = pd.concat([frame, empty.set_axis(frame.index, axis="index")], axis="columns")
    ours = [key for key in KEYS if key in full]
    ours += list(instrument.item_ids)
    rest = [str(name) for name in full if name not in set(ours)]
    return full.loc[:, [*ours, *rest]]
