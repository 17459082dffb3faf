"""Read CSV and TSV as they are: every cell text, no row shifted, no column renamed.

Cells are quoted as RFC 4180 has it. Bytes are UTF-8, or UTF-16 with a byte order mark,
unless the mapping names an encoding. What could be read in two ways is refused.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from survey.collect import table
from survey.collect.content import HEAD_BYTES
from survey.errors import ResponsesError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from survey.collect.mapping import ColumnMapping
    from survey.collect.table import Rejected, Table

_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
#: Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Share of zeros in every other byte that makes it UTF-16.
_MOST: Final = 0.8
_WIDE: Final = ("utf-16", "utf-32", "utf_16", "utf_32", "utf16", "utf32")


@dataclass(frozen=True, slots=True)
class _Text:
    """Lines from the header on, with their ends, and how many stand above it."""

    lines: list[str]
    delimiter: str
    skipped: int


def read(path: Path, mapping: ColumnMapping, known: frozenset[str]) -> Table:
    """Read the text file at `path`.

    Parameters
    ----------
    path
        The file; ``.tsv`` and ``.tab`` have tabs between their cells.
    mapping
        Delimiter, encoding and, without a header, the columns by position.
    known
        Simplified names (see `simplified`) that a header may be expected to hold;
        they decide between delimiters.

    Raises
    ------
    ResponsesError
        If the file is binary, not in its encoding, has a quote that is not closed, no
        rows, columns without a name or with the same, or an uncertain delimiter.
    """
    text, notes = _text(path, mapping)
    lines = list(io.StringIO(text, newline=""))
    del text
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise ResponsesError(
            f"{path.name}: the file is blank. Export the answers again."
        )
    delimiter, first = _declared(path, mapping, lines, first)
    with _long_cells():
        if delimiter is None:
            delimiter = _detected(path, mapping, lines[first:], known)
            if delimiter != ",":
                notes.append(f"cells are separated by a {_DELIMITERS[delimiter]}")
        return _table(path, mapping, _Text(lines[first:], delimiter, first), notes)


def simplified(name: str) -> str:
    """Take case, spaces and punctuation from a name."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _text(path: Path, mapping: ColumnMapping) -> tuple[str, list[str]]:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
        encoding = mapping.encoding or marked or "utf-8"
        if encoding.lower().replace("_", "-") in {"utf-8", "utf8"}:
            encoding = "utf-8-sig"
        wide = encoding.lower().startswith(_WIDE)
        if b"\0" in head and not wide:
            raise ResponsesError(_binary(path, head))
        if not wide:
            _decoded(path, head, encoding, final=len(head) < HEAD_BYTES)
        data = head + file.read()
    text = _decoded(path, data, encoding, final=True).removeprefix("\ufeff")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ResponsesError(
            f"{path.name}: line {line} holds a NUL character, which no text has: the "
            "file is damaged or binary. Export it again."
        )
    said = mapping.encoding or (marked if marked != "utf-8-sig" else None)
    return text, [f"the text is read as {said}"] if said else []


def _binary(path: Path, head: bytes) -> str:
    where = head.index(b"\0")
    even, odd = (2 * head[i::2].count(0) / len(head) for i in (0, 1))
    if max(even, odd) > _MOST and min(even, odd) < 1 - _MOST:
        name = "utf-16-be" if even > odd else "utf-16-le"
        return (
            f"{path.name}: every other byte is zero, as in UTF-16 without a byte order "
            f"mark. Write `encoding: {name}` in the mapping, or save it as UTF-8."
        )
    return (
        f"{path.name}: this is no text but binary data (byte {where} is zero). Choose "
        "the exported table, or name the file after what it is."
    )


def _decoded(path: Path, data: bytes, encoding: str, *, final: bool) -> str:
    """Decode `data`; `final` is False when it may end within a character."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(data, final)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte, name = data[error.start], encoding.removesuffix("-sig").upper()
        problem = f"{path.name}: line {line}: byte {error.start} (0x{byte:02X}) is not"
    remedy = (
        "Write the encoding the file was saved in, e.g. `encoding: cp1252` (Windows) "
        "or `encoding: latin-1`, in the mapping, or save the file as UTF-8."
    )
    raise ResponsesError(f"{problem} {name}. {remedy}")


def _declared(
    path: Path, mapping: ColumnMapping, lines: list[str], first: int
) -> tuple[str | None, int]:
    """Take the delimiter that mapping, first line or file name declare."""
    line = lines[first].rstrip("\r\n").strip('"')
    says = re.fullmatch(r"sep=(.)", line)
    after = first + 1 if says else first
    if after == len(lines):
        raise ResponsesError(f"{path.name}: there is no header. Export it again.")
    if mapping.delimiter is not None:
        return ("\t" if mapping.delimiter == "tab" else mapping.delimiter), after
    if says:
        return says[1], after
    if path.suffix.lower() in {".tsv", ".tab"}:
        return "\t", after
    return None, after


def _detected(
    path: Path, mapping: ColumnMapping, lines: list[str], known: frozenset[str]
) -> str:
    """Tell the delimiter from the header, where only one makes sense."""
    headers = {d: next(csv.reader(lines, delimiter=d)) for d in _DELIMITERS}
    if isinstance(mapping.columns, tuple):
        width = len(mapping.columns)
        fits = [d for d, names in headers.items() if len(names) == width]
        return fits[0] if fits == [","] or len(fits) == 1 else ","
    several = [d for d, names in headers.items() if len(names) > 1]
    fits = [d for d in several if known.intersection(map(simplified, headers[d]))]
    if len(fits) == 1:
        return fits[0]
    if not fits and ("," in several or not several):
        return ","
    shown = lines[0].rstrip("\r\n")
    candidates = " or ".join(_DELIMITERS[d] for d in fits or several)
    raise ResponsesError(
        f"{path.name}: cannot tell what separates the cells ({candidates}?): the "
        f"header is {shown[:80]!r}. Write e.g. `delimiter: ';'` in the mapping."
    )


@contextmanager
def _long_cells() -> Iterator[None]:
    """Lift the csv module's limit on the length of a cell."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


@dataclass(frozen=True, slots=True)
class _Record:
    """One row: its cells, its number in the file and the lines ``[start, stop)``."""

    cells: list[str]
    row: int
    start: int
    stop: int


def _table(
    path: Path,
    mapping: ColumnMapping,
    text: _Text,
    notes: list[str],
) -> Table:
    records = _records(path, text)
    if isinstance(mapping.columns, tuple):
        header = [f"column {i + 1}" for i in range(len(mapping.columns))]
    else:
        header = next(records).cells
        table.named(path, header, [f"column {i + 1}" for i in range(len(header))])
    width = len(header)
    kept: list[list[str]] = []
    rows: list[int] = []
    rejected: Rejected = []
    for record in records:
        if len(record.cells) == width or not record.cells:
            kept.append(record.cells or [""] * width)
            rows.append(record.row)
        else:
            whole = "".join(text.lines[record.start : record.stop]).rstrip("\r\n")
            reason = f"{len(record.cells)} cells for {width} columns"
            rejected.append((record.row, whole, reason))
    if rejected:
        numbers = table.listed([row for row, _, _ in rejected])
        notes.append(
            f"{len(rejected)} row(s) have more or fewer cells than the {width} columns "
            f"and are set aside: row(s) {numbers}"
        )
    cells = np.empty((len(kept), width), dtype=object)
    if kept:
        cells[:] = kept
    cells[cells == ""] = None
    numbered = np.array(rows, dtype=np.int64)
    return table.from_records(
        path, header, cells=cells, rows=numbered, rejected=rejected, notes=notes
    )


def _records(path: Path, text: _Text) -> Iterator[_Record]:
    reader = csv.reader(text.lines, delimiter=text.delimiter, strict=True)
    start = 0
    try:
        for row, cells in enumerate(reader, start=text.skipped + 1):
            yield _Record(cells, row, start, reader.line_num)
            start = reader.line_num
    except csv.Error as error:
        line, where = start + text.skipped + 1, reader.line_num + text.skipped
        if "unexpected end" in str(error):
            problem = f"line {line}: a quote is opened and never closed"
        elif where > line:
            problem = f"lines {line} to {where}: text follows a closing quote"
        else:
            problem = f"line {line}: text follows a closing quote"
        raise ResponsesError(
            f"{path.name}: {problem}. Close the quote where its cell ends, and write a "
            'quote inside a quoted cell twice ("").'
        ) from error
