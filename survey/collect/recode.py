"""Change cells as the mapping says: words to codes, commas to points, NA to empty."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

import pandas as pd

from survey.collect.table import SHOWN, listed, spelled
from survey.errors import ResponsesError
from survey.faults import KEYS
from survey.instrument import NumberItem, TextItem

if TYPE_CHECKING:
    from pathlib import Path

    from survey.collect.mapping import ColumnMapping
    from survey.instrument import Instrument

Lookup: TypeAlias = dict[str, "int | float | str | None"]

_COMMA: Final = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")
_POINT: Final = re.compile(r"\s*[+-]?[0-9.]*\.[0-9.]*(,[0-9]+)?\s*")


def recoded(
    path: Path,
    frame: pd.DataFrame,
    mapping: ColumnMapping,
    instrument: Instrument,
    *,
    all_text: bool,
) -> tuple[pd.DataFrame, list[str]]:
    """Apply `codes`, `missing` and `decimal` to items and keys; say what changed.

    Parameters
    ----------
    path
        The source, for messages.
    frame
        Columns named as ours; others are left alone.
    mapping, instrument
        What is to be changed.
    all_text
        Whether every cell is text, so that a code is put in as text too.

    Raises
    ------
    ResponsesError
        If values are recoded into codes that other cells hold already, or a number
        has a point where the mapping says that commas are decimal.
    """
    out, notes, emptied = {}, [], Counter[str]()
    missing: Lookup = {spelled(value): None for value in mapping.missing}
    for name in frame:
        column = str(name)
        words = _words(column, mapping, instrument)
        _unambiguous(path, frame[column], words, instrument)
        lookup = missing | words if _is_ours(column, instrument) else {}
        cells = frame[column]
        if not all_text:
            lookup = lookup | _truths(lookup)
        if lookup and (hits := _hits(cells, lookup)):
            emptied.update({v: n for v, n in hits.items() if lookup[v] is None})
            cells = _replaced(cells, lookup, all_text=all_text)
        if mapping.decimal == "," and _is_number(column, instrument):
            cells = _with_points(path, cells)
        out[column] = cells
    if emptied:
        counts = [f"{value!r} ({times})" for value, times in emptied.items()]
        notes.append(f"read as no answer, says the mapping: {listed(counts)}")
    return pd.DataFrame(out, index=frame.index), notes


def _is_ours(column: str, instrument: Instrument) -> bool:
    return column in KEYS or column.removeprefix("seconds_") in instrument.item_ids


def _is_number(column: str, instrument: Instrument) -> bool:
    if column == "seconds" or column.startswith("seconds_"):
        return True
    if column not in instrument.item_ids:
        return False
    return not isinstance(instrument.item(column), TextItem)


def _words(column: str, mapping: ColumnMapping, instrument: Instrument) -> Lookup:
    """Collect what the values of one item mean: of its scale, then its own."""
    if column not in instrument.item_ids:
        return {}
    item = instrument.item(column)
    own = mapping.codes.get(column, {})
    if isinstance(item, NumberItem | TextItem):
        return dict(own)
    return {**mapping.codes.get(item.response_scale, {}), **own}


def _truths(lookup: Lookup) -> Lookup:
    """Let ``true`` in a mapping mean the truth value, whatever its case."""
    return {
        word.capitalize(): code
        for word, code in lookup.items()
        if word.lower() in {"true", "false"}
    }


def _unambiguous(
    path: Path, cells: pd.Series, words: Lookup, instrument: Instrument
) -> None:
    """Refuse a recoding of codes that leaves some of them as they are.

    ``{0: 1, 1: 2}`` would make a 1 and a 2 of other people the same.
    """
    name = str(cells.name)
    known = {str(c) for c in instrument.codes(name)} if words else set()
    if not any(word in known and word != spelled(c) for word, c in words.items()):
        return
    results = {spelled(code) for code in words.values() if code is not None}
    found = {spelled(cell).strip() for cell in cells.dropna().unique()}
    if stray := sorted(found & results - set(words)):
        raise ResponsesError(
            f"{path.name}: column of {name}: {listed(stray)} is not recoded, but other "
            f"values become {listed(stray)}. Write every value under codes: {name}, "
            "also those that stay the same."
        )


def _hits(cells: pd.Series, lookup: Lookup) -> Counter[str]:
    """Count the cells that `lookup` changes."""
    counts = cells.value_counts()
    spelt = ((spelled(cell), int(times)) for cell, times in counts.items())
    return Counter({text: times for text, times in spelt if text in lookup})


def _replaced(cells: pd.Series, lookup: Lookup, *, all_text: bool) -> pd.Series:
    values: list[object]
    if all_text:
        texts = {k: None if v is None else spelled(v) for k, v in lookup.items()}
        values = [texts.get(cell, cell) for cell in cells]
    else:
        values = [None if pd.isna(c) else lookup.get(spelled(c), c) for c in cells]
    return pd.Series(values, index=cells.index, dtype=object, name=cells.name)


def _with_points(path: Path, cells: pd.Series) -> pd.Series:
    """Write numbers such as ``3,5`` with a point."""
    if not (cells.dtype == object or pd.api.types.is_string_dtype(cells.dtype)):
        return cells
    texts = [cell for cell in cells.dropna().unique() if isinstance(cell, str)]
    if pointed := [text for text in texts if _POINT.fullmatch(text)]:
        shown = [repr(text) for text in pointed[:SHOWN]]
        raise ResponsesError(
            f"{path.name}: column of {cells.name}: the mapping says that commas are "
            f"decimal, but there are points in {listed(shown)}. Correct `decimal`, or "
            "write these numbers in one way."
        )
    changed = {text: text.replace(",", ".") for text in texts if _COMMA.fullmatch(text)}
    if not changed:
        return cells
    values = [changed.get(c, c) if isinstance(c, str) else c for c in cells]
    return pd.Series(values, index=cells.index, dtype=object, name=cells.name)
