"""Read files whose columns have types: SPSS, Stata, parquet; codes, not labels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from survey.collect.table import Table, listed
from survey.errors import ResponsesError

if TYPE_CHECKING:
    from pathlib import Path


def read_spss(path: Path, encoding: str | None) -> Table:
    """Read a ``.sav`` or ``.zsav`` file; user-missing codes stay the codes they are.

    Raises
    ------
    ResponsesError
        If the file cannot be read or has no rows.
    """
    try:
        frame, meta = pyreadstat.read_sav(
            path, encoding=encoding, user_missing=True, apply_value_formats=False
        )
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        raise _unreadable(path, "an SPSS file", error) from error
    declared = sorted({*meta.missing_ranges, *meta.missing_user_values})
    notes = []
    if declared:
        notes.append(
            f"SPSS declares missing codes for {listed(declared)}; they are kept as "
            "codes: the instrument or `missing` in the mapping says what they mean"
        )
    return _table(path, frame, notes)


def read_stata(path: Path, encoding: str | None) -> Table:
    """Read a ``.dta`` file; extended missing values come as text: ``.a`` to ``.z``.

    Raises
    ------
    ResponsesError
        If the file cannot be read or has no rows.
    """
    try:
        frame, meta = pyreadstat.read_dta(
            path, encoding=encoding, user_missing=True, apply_value_formats=False
        )
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        raise _unreadable(path, "a Stata file", error) from error
    notes = []
    for name, letters in meta.missing_user_values.items():
        frame[name] = frame[name].map(
            lambda cell, known=frozenset(letters): f".{cell}" if cell in known else cell
        )
        marks = ", ".join(f".{letter}" for letter in letters)
        notes.append(f"{name} holds Stata's missing values {marks}, kept as text")
    return _table(path, frame, notes)


def read_parquet(path: Path) -> Table:
    """Read a parquet file; an index that pandas stored becomes a column again.

    Raises
    ------
    ResponsesError
        If the file cannot be read, has no rows, or two columns share a name.
    """
    try:
        with pq.ParquetFile(path) as file:
            stored = file.read()
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, "a parquet file", error) from error
    twice = [name for name, times in Counter(stored.column_names).items() if times > 1]
    if twice:
        raise ResponsesError(
            f"{path.name}: more than one column is named {listed(twice)}. Rename all "
            "but one, or remove them."
        )
    frame = stored.to_pandas(integer_object_nulls=True)
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names=_index_names(frame.index))
    for name in frame.columns[frame.dtypes == "category"]:
        frame[name] = frame[name].astype(frame[name].cat.categories.dtype)
    return _table(path, frame.rename(columns=str), [])


def _index_names(index: pd.Index) -> list[str]:
    return [
        f"index level {i}" if name is None else str(name)
        for i, name in enumerate(index.names)
    ]


def _unreadable(path: Path, kind: str, error: Exception) -> ResponsesError:
    return ResponsesError(
        f"{path.name}: not readable as {kind} ({error}). Save or export it again; if "
        "letters look wrong, write `encoding` in the mapping."
    )


def _table(path: Path, frame: pd.DataFrame, notes: list[str]) -> Table:
    if frame.empty:
        raise ResponsesError(
            f"{path.name}: there are no answers, only {frame.shape[1]} column(s). "
            "Check that the export holds completed responses."
        )
    filled = {name: _filled(frame[name]) for name in frame}
    return Table(pd.DataFrame(filled).reset_index(drop=True), notes=tuple(notes))


def _filled(cells: pd.Series) -> pd.Series:
    """Let text without a character be an empty cell."""
    if cells.dtype == object or pd.api.types.is_string_dtype(cells.dtype):
        return cells.mask(cells.isin([""]))
    return cells
