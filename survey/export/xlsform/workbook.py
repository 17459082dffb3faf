"""The XLSForm as an Excel file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font

from survey.errors import ExportError
from survey.export.result import with_reports
from survey.export.xlsform import form as forms
from survey.export.xlsform import losses
from survey.export.xlsform.fielding import Fielding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from survey.export.result import Export
    from survey.export.xlsform.fielding import Linking, Row
    from survey.export.xlsform.form import Sheets
    from survey.instrument import Instrument

TARGET: Final = "xlsform"
#: What an Excel cell holds.
_LONGEST: Final = 32_767
_WIDTHS: Final = {"type": 24, "name": 22, "list_name": 18}


def write(
    instrument: Instrument,
    folder: str | Path,
    *,
    form: str | None = None,
    language: str | None = None,
    linking: Linking = "person",
    scores: bool = False,
) -> Export:
    """Write one form of an instrument as ``<form_id>.xlsx``.

    Parameters
    ----------
    instrument
        The questionnaire; all its languages are written.
    folder
        Where the files go; made if it is not there. Use one folder for each export:
        ``names.json`` and ``losses.csv`` stand beside the form.
    form
        Id of the form; the first one by default.
    language
        The language the form opens in; the instrument's first by default.
    linking
        ``person`` asks a participant code, ``couple`` the codes of couple and role
        too, ``none`` nothing. The wave is asked when a condition names it.
    scores
        Also calculate scale scores in the form, as ``score_<scale>``.

    Raises
    ------
    ExportError
        If XLSForm cannot carry the instrument: names, letters, or a form whose items
        could never be shown. What is lost without harm stands in `Export.losses`.
    """
    fielding = Fielding.of(instrument, form, language=language, linking=linking)
    sheets = forms.sheets(fielding, with_scores=scores)
    if faults := list(_unwritable(sheets)):
        raise ExportError("\n".join(faults))
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{fielding.form_id}.xlsx"
    _save(sheets, path)
    names = forms.names(fielding, with_scores=scores)
    return with_reports(TARGET, path, names, losses.find(fielding))


def _unwritable(sheets: Sheets) -> Iterator[str]:
    """Name the cells that Excel cuts or refuses."""
    for row in (*sheets.survey, *sheets.choices, *sheets.settings):
        for column, text in row.items():
            place = f"{row.get('name', 'settings')}: {column}"
            if len(text) > _LONGEST:
                yield (
                    f"{place}: {len(text)} characters, and a cell holds {_LONGEST}. "
                    "Shorten the text or the condition."
                )
            if found := ILLEGAL_CHARACTERS_RE.search(text):
                yield (
                    f"{place}: holds the control character {found[0]!r}. Remove it "
                    "from the text."
                )


def _save(sheets: Sheets, path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    _fill(book.create_sheet("survey"), sheets.survey)
    _fill(book.create_sheet("choices"), sheets.choices)
    _fill(book.create_sheet("settings"), sheets.settings)
    book.save(path)


def _fill(sheet: Worksheet, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    for across, column in enumerate(columns, start=1):
        heading = sheet.cell(1, across, column)
        heading.font = Font(bold=True)
        width = _WIDTHS.get(column, 50 if "::" in column else 20)
        sheet.column_dimensions[heading.column_letter].width = width
        for down, row in enumerate(rows, start=2):
            if text := row.get(column):
                cell = sheet.cell(down, across, text)
                cell.data_type = "s"  # a text that begins with = is no formula
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
