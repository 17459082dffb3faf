"""What a file really is, told from its first bytes and not from its name."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from survey.errors import ResponsesError

if TYPE_CHECKING:
    from pathlib import Path

Kind: TypeAlias = Literal["text", "workbook", "spss", "stata", "parquet"]

KINDS: Final[dict[str, Kind]] = {
    ".csv": "text",
    ".tsv": "text",
    ".tab": "text",
    ".txt": "text",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".sav": "spss",
    ".zsav": "spss",
    ".dta": "stata",
    ".parquet": "parquet",
    ".pq": "parquet",
}
#: What is looked at before anything is read; enough for every signature below.
HEAD_BYTES: Final = 64 * 1024

_REMEDIES: Final = {
    ".xls": "Open it in Excel or LibreOffice and save it as .xlsx.",
    ".xlsb": "Open it in Excel and save it as .xlsx.",
    ".ods": "Open it in LibreOffice and save it as .xlsx or .csv.",
    ".por": "Open it in SPSS or PSPP and save it as .sav.",
    ".rds": "In R, write it with haven::write_sav() or write.csv(row.names = FALSE).",
    ".rdata": "In R, write it with haven::write_sav() or write.csv(row.names = FALSE).",
    ".json": "Export it as a table: .csv, .xlsx, .sav, .dta or .parquet.",
    ".zip": "Unpack it first.",
    ".gz": "Unpack it first.",
}
_OLD_EXCEL: Final = (
    "an old Excel workbook (.xls), or one with a password: save it as .xlsx without one"
)
_SIGNATURES: Final[tuple[tuple[bytes, str, Kind | None], ...]] = (
    (b"$FL2", "an SPSS file: rename it to .sav", "spss"),
    (b"$FL3", "a compressed SPSS file: rename it to .zsav", "spss"),
    (b"<stata_dta>", "a Stata file: rename it to .dta", "stata"),
    (b"PAR1", "a parquet file: rename it to .parquet", "parquet"),
    (b"\xd0\xcf\x11\xe0", _OLD_EXCEL, None),
    (b"\x89PNG", "a PNG picture: choose the table of answers", None),
    (b"\xff\xd8\xff", "a JPEG picture: choose the table of answers", None),
    (b"%PDF", "a PDF document: export the answers as a table", None),
    (b"\x1f\x8b", "a gzip archive: unpack it first", None),
    (b"BZh", "a bzip2 archive: unpack it first", None),
    (b"\xfd7zXZ", "an xz archive: unpack it first", None),
    (b"7z\xbc\xaf", "a 7-Zip archive: unpack it first", None),
    (b"SQLite format 3", "an SQLite database: export a table from it", None),
    (b"\x89HDF", "an HDF5 file: export a table from it", None),
)  # fmt: skip
_WEB_PAGES: Final = (b"<!doctype html", b"<html", b"<?xml")


def kind_of(path: Path) -> Kind:
    """Tell which kind of file `path` is; read its first bytes only.

    Raises
    ------
    ResponsesError
        If there is no such file, it is empty, its kind is not read here, or its
        content is not what its name says.
    """
    suffix = path.suffix.lower()
    head = _head(path)
    looks = _looks_like(head, path)
    kind = KINDS.get(suffix)
    if kind is None:
        remedy = _REMEDIES.get(suffix)
        if looks is not None:
            remedy = f"It looks like {looks[0]}."
        known = ", ".join(KINDS)
        raise ResponsesError(
            f"{path.name}: files named {suffix or 'without an ending'!r} are not read. "
            f"{remedy or f'Known are {known}.'}"
        )
    if looks is not None and looks[1] != kind:
        raise ResponsesError(
            f"{path.name}: named {suffix}, but it looks like {looks[0]}."
        )
    if kind != "text" and looks is None and _is_text(head):
        raise ResponsesError(
            f"{path.name}: named {suffix}, but it looks like plain text. Rename it to "
            ".csv (or .tsv, where tabs stand between the cells)."
        )
    return kind


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise ResponsesError(f"{path}: this is a folder. Give the file in it.")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        raise ResponsesError(
            f"{path}: there is no such file. Check the path and the folder you are in."
        ) from None
    except OSError as error:
        raise ResponsesError(
            f"{path}: cannot be read ({error.strerror}). Check its permissions."
        ) from error
    if not head:
        raise ResponsesError(
            f"{path.name}: the file is empty (0 bytes). Export the answers again."
        )
    return head


def _looks_like(head: bytes, path: Path) -> tuple[str, Kind | None] | None:
    """Say what the bytes look like and what to do, and the kind if it is ours."""
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    for signature, says, kind in _SIGNATURES:
        if head.startswith(signature):
            return says, kind
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower()
    if start.startswith(_WEB_PAGES):
        return "a web page or XML: log in and export the answers again", None
    return None


def _archive(path: Path) -> tuple[str, Kind | None]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return "a damaged zip archive or workbook: export or copy it again", None
    if any(name.startswith("xl/") for name in names):
        if "xl/workbook.bin" in names:
            return "a binary Excel workbook (.xlsb): save it as .xlsx", None
        return "an Excel workbook: rename it to .xlsx", "workbook"
    if "content.xml" in names:
        return "an OpenDocument file: save it as .xlsx or .csv", None
    return "a zip archive: unpack it first", None


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head[:-4].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 8
    return True
