"""Read a sheet of an Excel workbook: stored values, nothing computed."""

from __future__ import annotations

import warnings
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Final

import numpy as np
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from survey.collect import table
from survey.errors import ResponsesError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    from survey.collect.mapping import ColumnMapping
    from survey.collect.table import Table

_UNREADABLE: Final = (
    InvalidFileException,
    zipfile.BadZipFile,
    SyntaxError,  # what broken XML is
    KeyError,
    ValueError,
    OSError,
)


def read(path: Path, mapping: ColumnMapping) -> Table:
    """Read the sheet that `mapping` names, or the only one that is not empty.

    Raises
    ------
    ResponsesError
        If the workbook cannot be read, the sheet is not there or not certain, columns
        have no name or the same, or a formula has no stored value.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with closing(load_workbook(path, read_only=True, data_only=True)) as book:
                sheet = _sheet(path, book, mapping.sheet)
                title, rows = sheet.title, list(_rows(sheet))
            notes = _formulas(path, title, rows)
    except _UNREADABLE as error:
        raise ResponsesError(
            f"{path.name}: not readable as an Excel workbook ({error}). Open it in "
            "Excel and save it again as .xlsx."
        ) from error
    notes.append(f"sheet {title!r}")
    return _table(path, mapping, rows, notes)


def _sheet(path: Path, book: Workbook, name: str | None) -> ReadOnlyWorksheet:
    sheets = list(book.worksheets)
    for sheet in sheets:
        sheet.reset_dimensions()
    filled = [sheet for sheet in sheets if any(any(row) for row in _rows(sheet))]
    titles = ", ".join(repr(sheet.title) for sheet in filled)
    if name is not None:
        chosen = [sheet for sheet in sheets if sheet.title == name]
        if not chosen:
            raise ResponsesError(
                f"{path.name}: there is no sheet {name!r}. Sheets are {titles}."
            )
        return chosen[0]
    if not filled:
        raise ResponsesError(
            f"{path.name}: all sheets are empty. Export the answers again."
        )
    if len(filled) > 1:
        raise ResponsesError(
            f"{path.name}: {len(filled)} sheets hold something: {titles}. Write "
            f"`sheet: {filled[0].title}`, or whichever it is, in the mapping."
        )
    return filled[0]


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[tuple[object, ...]]:
    yield from sheet.iter_rows(values_only=True)


def _formulas(path: Path, title: str, rows: Sequence[Sequence[object]]) -> list[str]:
    """Count formulas and refuse those whose value was never stored."""
    if not _has_formulas(path):
        return []
    number, lost = 0, []
    with closing(load_workbook(path, read_only=True)) as book:
        sheet = book[title]
        sheet.reset_dimensions()
        for i, row in enumerate(sheet.iter_rows()):
            for j, cell in enumerate(row):
                if cell.data_type != "f":
                    continue
                number += 1
                if rows[i][j] is None:
                    lost.append(f"{get_column_letter(j + 1)}{i + 1}")
    if lost:
        raise ResponsesError(
            f"{path.name}: sheet {title!r}: formulas without a stored value in "
            f"{table.listed(lost)}. Open and save it in Excel, or paste the values."
        )
    return [f"{number} cell(s) are formulas; their stored values are used"] * bool(
        number
    )


def _has_formulas(path: Path) -> bool:
    """Look for formulas in the sheets' XML, which is faster than reading it twice."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                before = b""
                with archive.open(name) as file:
                    while block := file.read(1 << 20):
                        seen = before + block
                        if b"<f>" in seen or b"<f " in seen or b"<f/>" in seen:
                            return True
                        before = block[-4:]
    return False


def _table(
    path: Path,
    mapping: ColumnMapping,
    rows: Sequence[Sequence[object]],
    notes: list[str],
) -> Table:
    first = next((i for i, row in enumerate(rows) if any(map(_holds, row))), None)
    if first is None:
        raise ResponsesError(
            f"{path.name}: the sheet is empty. Choose another with `sheet`."
        )
    width = max(_width(row) for row in rows)
    letters = [f"column {get_column_letter(i + 1)}" for i in range(width)]
    if isinstance(mapping.columns, tuple):
        if width > len(mapping.columns):
            raise ResponsesError(
                f"{path.name}: {width} columns hold something, but the mapping lists "
                f"{len(mapping.columns)}. List all of them, `-` for those to leave out."
            )
        width = len(mapping.columns)
        header, start = [f"column {i + 1}" for i in range(width)], first
    else:
        names = [*rows[first][:width], *[None] * (width - len(rows[first]))]
        header = ["" if name is None else table.spelled(name) for name in names]
        table.named(path, header, letters)
        start = first + 1
    cells = np.full((len(rows) - start, width), None, dtype=object)
    for i, row in enumerate(rows[start:]):
        cells[i, : min(len(row), width)] = row[:width]
    cells[cells == ""] = None
    numbers = np.arange(start + 1, len(rows) + 1, dtype=np.int64)
    return table.from_records(
        path, header, cells=cells, rows=numbers, rejected=[], notes=notes
    )


def _holds(cell: object) -> bool:
    return cell is not None and cell != ""


def _width(row: Sequence[object]) -> int:
    return max((i + 1 for i, cell in enumerate(row) if _holds(cell)), default=0)
