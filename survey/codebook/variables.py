"""Every column of a table of answers, as a table: keys first, then the items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from survey.faults import KEYS
from survey.instrument import ChoiceItem, LikertItem, NumberItem

if TYPE_CHECKING:
    from survey.instrument import Instrument, Page
    from survey.parts import Item

COLUMNS: Final = (
    "name",
    "label",
    "type",
    "codes",
    "missing_codes",
    "minimum",
    "maximum",
    "unit",
    "scales",
    "reversed",
    "page",
    "show_if",
    "required",
    "source",
)
#: What stands beside the items in every table of answers.
KEY_LABELS: Final = {
    "respondent": "Code of the person, the same in every wave",
    "couple": "Code of the couple; both partners have the same",
    "role": "Which of the two partners in the couple the person is",
    "wave": "Number of the survey round, from 1",
    "language": "Language the questions were read in",
    "form": "Form that was answered",
    "started": "When the first page was opened",
    "finished": "When the last page was sent",
    "seconds": "Time from start to end",
}


def frame(instrument: Instrument, *, language: str | None = None) -> pd.DataFrame:
    """Describe every variable of an instrument, one row each.

    Parameters
    ----------
    instrument
        The questionnaire.
    language
        Language of the texts; the instrument's first by default.

    Returns
    -------
    pandas.DataFrame
        Columns ``name label type codes missing_codes minimum maximum unit scales
        reversed page show_if required source``, keys first (type ``key``), then the
        items in order. Codes read ``1 = Never; 2 = Rarely``; `reversed` says that a
        high code means little of the scale; `show_if` joins the conditions of item
        and page; texts are empty and numbers NA where there is nothing to say.

    Raises
    ------
    KeyError
        If the instrument does not have the language.
    """
    rows = [_key(name, instrument, language) for name in KEYS]
    rows += [_item(item, instrument, language) for item in instrument.items]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = {"minimum": "Float64", "maximum": "Float64"}
    truths = {"reversed": "bool", "required": "bool"}
    return table.astype(numbers | truths)


def page_of(item_id: str, instrument: Instrument) -> Page:
    """Look up the page an item stands on."""
    return next(page for page in instrument.all_pages if item_id in page.items)


def condition(item: Item, instrument: Instrument) -> str:
    """Say when an item is shown: its own condition and its page's; empty for always."""
    parts = [item.show_if, page_of(item.id, instrument).show_if]
    written = [part for part in parts if part]
    if len(written) > 1:
        return " and ".join(f"({part})" for part in written)
    return written[0] if written else ""


def _key(
    name: str, instrument: Instrument, language: str | None
) -> dict[str, str | float | bool | None]:
    forms = [(one.id, one.label) for one in instrument.all_forms]
    codes = {
        "form": "; ".join(f"{k} = {instrument.wording(v, language)}" for k, v in forms),
        "language": "; ".join(instrument.languages),
    }
    return _row(
        name=name,
        label=KEY_LABELS[name],
        type="key",
        codes=codes.get(name, ""),
        minimum={"wave": 1.0, "seconds": 0.0}.get(name),
        unit="seconds" if name == "seconds" else "",
        required=name == "respondent",
    )


def _item(
    item: Item, instrument: Instrument, language: str | None
) -> dict[str, str | float | bool | None]:
    scales = [scale for scale in instrument.scales if item.id in scale.items]
    row = _row(
        name=item.id,
        label=instrument.wording(item.text, language),
        type=item.type,
        scales="; ".join(scale.id for scale in scales),
        reversed=any(item.id in scale.reversed for scale in scales),
        page=page_of(item.id, instrument).id,
        show_if=condition(item, instrument),
        required=item.required,
        source=item.source or "",
    )
    if isinstance(item, NumberItem):
        unit = instrument.wording(item.unit, language)
        row |= {"minimum": item.minimum, "maximum": item.maximum, "unit": unit}
    elif isinstance(item, LikertItem | ChoiceItem):
        scale = instrument.response_scale(item.response_scale)
        refused = {one.code: one.label for one in scale.missing}
        for column, options in (("codes", scale.options), ("missing_codes", refused)):
            said = [
                f"{k} = {instrument.wording(v, language)}" for k, v in options.items()
            ]
            row[column] = "; ".join(said)
    return row


def _row(**cells: str | float | bool | None) -> dict[str, str | float | bool | None]:
    """Fill a row: numbers are missing and texts empty unless given."""
    empty: dict[str, str | float | bool | None] = dict.fromkeys(COLUMNS, "")
    return empty | {"minimum": None, "maximum": None, "reversed": False} | cells
