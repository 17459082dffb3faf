"""A table as it stands in a file: named columns, numbered rows, nothing interpreted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from survey.errors import ResponsesError
from survey.responses import rejected_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

Rejected: TypeAlias = list[tuple[int, str, str]]

#: How many rows, columns or values a message names before it only counts them.
SHOWN = 10
EMPTY_ROW = "the row is empty"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What one file holds.

    Attributes
    ----------
    frame
        Cells as they are stored, None or NaN where a cell is empty; columns are text,
        all different, none empty.
    first_row
        Row of the file that the first row of `frame` stands in, from 1.
    rejected
        Rows that do not fit the columns; see `survey.responses.rejected_rows`.
    notes
        What a reader should know about how the file was read.
    """

    frame: pd.DataFrame
    first_row: int = 2
    rejected: pd.DataFrame = field(default_factory=rejected_rows)
    notes: tuple[str, ...] = ()


def from_records(
    path: Path,
    header: Sequence[str],
    *,
    cells: npt.NDArray[np.object_],
    rows: npt.NDArray[np.int64],
    rejected: Rejected,
    notes: Iterable[str],
) -> Table:
    """Build a table from cells of shape (n_rows, n_columns) and their row numbers.

    Empty rows at the end are left out with a note; those between others are rejected,
    so that the numbers of the rows stay what they are in the file.
    """
    empty = (cells == None).all(axis=1)  # noqa: E711
    full = np.flatnonzero(~empty)
    last = max(
        int(rows[full[-1]]) if len(full) else 0,
        max((row for row, _, _ in rejected), default=0),
    )
    between = rows[empty & (rows < last)]
    tail = int((empty & (rows > last)).sum())
    trailing = [f"{tail} empty row(s) at the end are left out"] if tail else []
    if not len(full):
        raise ResponsesError(_no_rows(path, len(header), rejected))
    gaps = [(int(row), "", EMPTY_ROW) for row in between]
    kept = cells[full] if len(full) < len(cells) else cells
    return Table(
        pd.DataFrame(kept, columns=list(header), dtype=object),
        first_row=int(rows[full[0]]),
        rejected=rejected_rows(sorted([*rejected, *gaps])),
        notes=(*notes, *trailing),
    )


def _no_rows(path: Path, width: int, rejected: Rejected) -> str:
    if not rejected:
        return (
            f"{path.name}: there are no answers, only a header of {width} column(s). "
            "Check that the export holds completed responses."
        )
    row, _, reason = rejected[0]
    return (
        f"{path.name}: none of the {len(rejected)} row(s) fits the header of {width} "
        f"column(s); row {row}: {reason}. Check the delimiter, and write `delimiter` "
        "in the mapping if it is another."
    )


def named(path: Path, header: Sequence[str], places: Sequence[str]) -> None:
    """Refuse a header with empty or repeated names; `places` says where each stands.

    Raises
    ------
    ResponsesError
        Names every such column.
    """
    found = []
    if unnamed := [
        p for p, name in zip(places, header, strict=True) if not name.strip()
    ]:
        found.append(
            f"{path.name}: no name in the header: {listed(unnamed)}. Name each, or "
            "remove it where it holds row numbers; take merged cells apart."
        )
    for name, times in Counter(header).items():
        if times > 1 and name.strip():
            where = [p for p, one in zip(places, header, strict=True) if one == name]
            found.append(
                f"{path.name}: {times} columns are named {name!r}: {listed(where)}. "
                "Rename all but one, or remove them."
            )
    if found and all(name.strip().isdecimal() for name in header):
        raise ResponsesError(
            f"{path.name}: the header consists of numbers only ({listed(header)}). If "
            "the first row holds answers, write `header: false` in the mapping and "
            "list the columns by position."
        )
    if found:
        raise ResponsesError("\n".join(found))


def listed(values: Sequence[object]) -> str:
    """List the first few of `values` and count the rest."""
    text = ", ".join(str(value) for value in values[:SHOWN])
    more = len(values) - SHOWN
    return f"{text} and {more} more" if more > 0 else text


def spelled(cell: object) -> str:
    """Spell a cell as text, a whole number without a point: 1.0 is ``1``."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
