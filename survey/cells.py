"""Type the cells of a table of answers; a cell that has no type is a failure.

Text becomes a number only where it can mean nothing else: ``4`` and ``4.0`` are the
code 4; ``4,0``, ``4.5`` for a code, words and dates are left to the analyst.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from survey.instrument import ChoiceItem, Instrument, LikertItem, NumberItem, TextItem
from survey.schema import allowed, dtype

if TYPE_CHECKING:
    from survey.responses import RawResponses

    AnyItem = LikertItem | ChoiceItem | NumberItem | TextItem
    Failures = list[tuple[int, str, str]]

_TEXT_KEYS = ("couple", "role", "language", "form")
_TIME_KEYS = ("started", "finished")


def typed_table(
    raw: RawResponses, instrument: Instrument
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Type keys and items of `raw`.

    Returns
    -------
    keys, items
        Typed columns, indexed by position (0, 1, …); NA where a cell is empty or has
        no type. Timing columns ``seconds_<item>`` stand with the items.
    failures
        ``position``, ``item``, ``reason`` of each cell without a type.
    """
    found: Failures = []
    frame = raw.frame.reset_index(drop=True)
    keys = _keys(raw, frame, instrument, found)
    columns: dict[str, pd.Series] = {}
    for item in instrument.items:
        cells = frame[item.id] if item.id in frame else _empty(frame)
        columns[item.id] = _item(cells, item, instrument, found)
    for name in frame:
        if str(name).startswith("seconds_"):
            columns[str(name)] = _numbers(frame[name], str(name), found)
    failures = pd.DataFrame(found, columns=["position", "item", "reason"])
    return keys, pd.DataFrame(columns, index=frame.index), failures


def _empty(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(pd.NA, index=frame.index, dtype=object)


def _keys(
    raw: RawResponses, frame: pd.DataFrame, instrument: Instrument, found: Failures
) -> pd.DataFrame:
    index = pd.Series(raw.frame.index, index=frame.index)
    respondent = frame.get("respondent", index)
    keys = {"respondent": _strings(respondent)}
    for name in _TEXT_KEYS:
        keys[name] = _strings(frame[name]) if name in frame else _no_text(frame)
    wave = frame["wave"] if "wave" in frame else pd.Series(1, index=frame.index)
    keys["wave"] = _waves(wave, found)
    keys["form"] = keys["form"].fillna(default_form(frame, instrument))
    keys["language"] = keys["language"].fillna(instrument.language)
    _one_of(keys["form"], "form", [f.id for f in instrument.all_forms], found)
    _one_of(keys["language"], "language", list(instrument.languages), found)
    for name in _TIME_KEYS:
        cells = frame[name] if name in frame else _empty(frame)
        keys[name] = _times(cells, name, found)
    seconds = frame["seconds"] if "seconds" in frame else _empty(frame)
    keys["seconds"] = _numbers(seconds, "seconds", found)
    order = ("respondent", "couple", "role", "wave", "language", "form")
    return pd.DataFrame(keys)[[*order, *_TIME_KEYS, "seconds"]]


def default_form(frame: pd.DataFrame, instrument: Instrument) -> str:
    """Name the form of rows that name none.

    The first form where the table says which form others answered; else the form
    whose items are just those that are there; else the first.
    """
    if "form" in frame:
        return instrument.all_forms[0].id
    present = set(frame.columns) & set(instrument.item_ids)
    for form in instrument.all_forms:
        if set(instrument.form_items(form.id)) == present:
            return form.id
    return instrument.all_forms[0].id


def _no_text(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(pd.NA, index=frame.index, dtype="string")


def _strings(cells: pd.Series) -> pd.Series:
    """Text without outer blanks; NA for the empty cell; 3.0 from a number reads 3."""
    if pd.api.types.is_float_dtype(cells.dtype):
        whole = cells.dropna()
        if (whole == whole.round()).all():
            cells = cells.astype("Int64")
    text = cells.astype("string").str.strip()
    return text.mask(text == "")


def _numbers(cells: pd.Series, name: str, found: Failures) -> pd.Series:
    values, bad = _parsed(cells)
    for position in np.flatnonzero(bad):
        found.append((int(position), name, _not_a_number(cells.iloc[position])))
    negative = (values < 0).fillna(value=False)
    for position in np.flatnonzero(negative):
        found.append((int(position), name, "a time cannot be negative"))
    return values.mask(negative)


def _parsed(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Read numbers; `bad` marks cells that are neither a number nor empty."""
    if pd.api.types.is_numeric_dtype(cells.dtype) and not _is_bool(cells):
        values = cells.astype("Float64")
        infinite = np.isinf(values.to_numpy(dtype=float, na_value=np.nan))
        return values.mask(infinite), infinite
    text = _strings(cells)
    plain = (
        text.str.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?").fillna(value=False).astype(bool)
    )
    values = pd.to_numeric(text.where(plain), errors="coerce").astype("Float64")
    bad = (text.notna() & ~plain).to_numpy(dtype=bool)
    return values, bad


def _is_bool(cells: pd.Series) -> bool:
    return pd.api.types.is_bool_dtype(cells.dtype)


def _not_a_number(cell: object) -> str:
    if _is_decimal_comma(str(cell)):
        return "decimal comma: say `decimal: ','` in the mapping file"
    return "not a number"


def _is_decimal_comma(text: str) -> bool:
    return "," in text and text.replace(",", "", 1).isdigit()


def _waves(cells: pd.Series, found: Failures) -> pd.Series:
    values, bad = _parsed(cells)
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    wrong = bad | np.isnan(numbers) | (numbers != np.round(numbers)) | (numbers < 1)
    for position in np.flatnonzero(wrong):
        found.append((int(position), "wave", "wave is not a whole number from 1"))
    return values.mask(wrong).astype("Int64")


def _one_of(cells: pd.Series, name: str, known: list[str], found: Failures) -> None:
    for position in np.flatnonzero(~cells.isin(known)):
        found.append((int(position), name, f"not one of {', '.join(known)}"))


def _times(cells: pd.Series, name: str, found: Failures) -> pd.Series:
    given = _strings(cells)
    dated = given.str.match(r"\d{4}-\d{2}-\d{2}").fillna(value=False).astype(bool)
    values = pd.to_datetime(
        given.where(dated), errors="coerce", utc=True, format="ISO8601"
    )
    for position in np.flatnonzero(given.notna() & values.isna()):
        found.append((int(position), name, "not a date and time as 2026-11-23T08:30"))
    return values


def _item(
    cells: pd.Series, item: AnyItem, instrument: Instrument, found: Failures
) -> pd.Series:
    kind = dtype(item, instrument)
    if isinstance(item, TextItem):
        text = cells.astype("string")
        return text.mask(text.str.strip() == "")
    if isinstance(item, NumberItem):
        return _number_item(cells, item, found)
    if kind == "string":
        return _strings(cells)
    return _code_item(cells, item, instrument, found)


def _number_item(cells: pd.Series, item: NumberItem, found: Failures) -> pd.Series:
    values, bad = _parsed(cells)
    for position in np.flatnonzero(bad):
        found.append((int(position), item.id, _not_a_number(cells.iloc[position])))
    if not item.integer:
        return values
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    broken = ~np.isnan(numbers) & (numbers != np.round(numbers))
    for position in np.flatnonzero(broken):
        found.append((int(position), item.id, "not a whole number"))
    return values.mask(broken).astype("Int64")


def _code_item(
    cells: pd.Series,
    item: LikertItem | ChoiceItem,
    instrument: Instrument,
    found: Failures,
) -> pd.Series:
    values, bad = _parsed(cells)
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    broken = ~np.isnan(numbers) & (numbers != np.round(numbers))
    labels = _labels(item, instrument)
    for position in np.flatnonzero(bad):
        word = str(cells.iloc[position]).strip()
        code = labels.get(word.casefold())
        reason = f"a word, not a code in {allowed(item.id, instrument)}"
        if _is_decimal_comma(word):
            reason = _not_a_number(word)
        if code is not None:
            reason += f": it is the label of {code}, export codes or map it"
        found.append((int(position), item.id, reason))
    for position in np.flatnonzero(broken):
        reason = f"not a whole code in {allowed(item.id, instrument)}"
        found.append((int(position), item.id, reason))
    return values.mask(broken).astype("Int64")


def _labels(
    item: LikertItem | ChoiceItem, instrument: Instrument
) -> dict[str, int | str]:
    options = instrument.response_scale(item.response_scale).options
    return {
        instrument.wording(label, language).casefold(): code
        for code, label in options.items()
        for language in instrument.languages
    }
