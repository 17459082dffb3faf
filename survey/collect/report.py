"""What became of each column: the rows of a mapping report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from survey.collect.table import spelled
from survey.instrument import NumberItem, TextItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from survey.collect.matching import Match
    from survey.instrument import ChoiceItem, Instrument, LikertItem

Row: TypeAlias = tuple[str, str, str, str]

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]+")
#: How many different values a detail names.
_VALUES: Final = 5


def rows(
    frame: pd.DataFrame,
    matched: Sequence[Match],
    absent: dict[str, str],
    notes: Sequence[str],
    instrument: Instrument,
) -> Iterator[Row]:
    """Write the report: columns as in the source, absent items, values, notes."""
    ours = {}
    for match in matched:
        known = match.status != "unknown"
        if known:
            ours[match.name] = match.column
        item = match.name if known else ""
        yield match.column, item, match.status, match.detail
    for name, reason in absent.items():
        yield "", name, "absent", reason
    for name in instrument.item_ids:
        if name not in absent and (detail := out_of_range(frame[name], instrument)):
            yield ours.get(name, ""), name, "out of range", detail
    for note in notes:
        yield "", "", "note", note


def out_of_range(cells: pd.Series, instrument: Instrument) -> str:
    """Count the cells of an item that are no answer to it; '' when all are.

    Information only: `survey.validate` decides what becomes of the rows.
    """
    name = str(cells.name)
    try:
        counts = cells.value_counts()
    except TypeError:  # lists and the like cannot be counted as they are
        counts = cells.dropna().astype(str).value_counts()
    outside = {
        spelled(cell): int(times)
        for cell, times in counts.items()
        if not _is_answer(cell, name, instrument)
    }
    if not outside:
        return ""
    most = sorted(outside.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{_short(cell)} ({times})" for cell, times in most[:_VALUES])
    more = f" and {len(most) - _VALUES} more values" if len(most) > _VALUES else ""
    hint = _hint(list(outside), name, instrument)
    return f"{sum(outside.values())} cell(s): {shown}{more}" + (
        f"; {hint}" if hint else ""
    )


def _is_answer(cell: object, name: str, instrument: Instrument) -> bool:
    item = instrument.item(name)
    text = spelled(cell).strip()
    if isinstance(item, TextItem):
        return len(spelled(cell)) <= item.max_length
    number = float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(item, NumberItem):
        if number is None or not item.minimum <= number <= item.maximum:
            return False
        return not item.integer or number.is_integer()
    codes = (*instrument.codes(name), *instrument.missing_codes(name))
    if any(isinstance(code, str) for code in codes):
        return text in map(str, codes)
    return number in codes


def _short(cell: str) -> str:
    return repr(cell) if len(cell) <= 30 else f"{cell[:27]!r}..."  # noqa: PLR2004


def _hint(values: Sequence[str], name: str, instrument: Instrument) -> str:
    item = instrument.item(name)
    if isinstance(item, TextItem):
        return ""
    if any(_COMMA.fullmatch(value.strip()) for value in values):
        return "if commas are decimal, write `decimal: ','` in the mapping"
    if not isinstance(item, NumberItem) and (
        words := _labels(values, item, instrument)
    ):
        pairs = ", ".join(f"{word!r}: {code}" for word, code in words.items())
        return f"labels of its codes; map them: `codes: {{{name}: {{{pairs}}}}}`"
    if any(not value.strip() for value in values):
        return 'if blanks are no answer, write `missing: [" "]` in the mapping'
    return ""


def _labels(
    values: Sequence[str], item: LikertItem | ChoiceItem, instrument: Instrument
) -> dict[str, int | str]:
    """Find values that are labels of codes, in any language."""
    scale = instrument.response_scale(item.response_scale)
    options = [*scale.options.items(), *((m.code, m.label) for m in scale.missing)]
    known = {
        instrument.wording(label, language).casefold(): code
        for code, label in options
        for language in instrument.languages
    }
    return {
        value: known[value.strip().casefold()]
        for value in values
        if value.strip().casefold() in known
    }
