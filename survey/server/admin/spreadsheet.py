"""Tables as CSV that a spreadsheet opens without running what people wrote."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import TYPE_CHECKING, Final

from survey.faults import KEYS

if TYPE_CHECKING:
    import pandas as pd

    from survey.instrument import Instrument

#: How text is marked that would be taken for a formula; stands on every export page.
MARK: Final = "'"
_FORMULA: Final = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def arranged(table: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """Put keys first, then every item in its order, asked or not, then the rest."""
    first = [key for key in KEYS if key in table.columns]
    first += [item for item in instrument.item_ids if item not in first]
    rest = [name for name in table.columns if name not in first]
    return table.reindex(columns=[*first, *rest])


def text(frame: pd.DataFrame) -> str:
    """Write a table as CSV, its index first.

    Every cell is quoted. Text and headers that begin as a formula does get an
    apostrophe in front; numbers stay as they are. Cells without an answer are empty.
    """
    stream = StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([safe(name) for name in [frame.index.name or "", *frame.columns]])
    for row in frame.itertuples(index=True, name=None):
        writer.writerow([safe(cell) for cell in row])
    return stream.getvalue()


def safe(cell: object) -> str:
    """Spell a cell so that no spreadsheet runs it."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN differs from itself
        return ""
    spelled = str(cell)
    if _FORMULA.match(spelled) and not _NUMBER.fullmatch(spelled):
        return MARK + spelled
    return spelled
