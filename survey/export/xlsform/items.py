"""Items as rows of the survey sheet, and likert items side by side as a grid."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from survey import conditions
from survey.export.xlsform.texts import literally, word
from survey.export.xlsform.xpath import number, translate
from survey.instrument import LikertItem, NumberItem, TextItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from survey.export.xlsform.fielding import Fielding, Row
    from survey.instrument import Page
    from survey.parts import Item

#: A grid with more columns cannot be read on a telephone: its items stand alone.
_WIDEST: Final = 7


def rows(fielding: Fielding, page: Page, items: Sequence[Item]) -> list[Row]:
    """Write the items of a page in order; neighbours on one scale become a grid."""
    out: list[Row] = []
    grids = 0
    for _, run in groupby(items, key=lambda item: _grid_key(fielding, item)):
        together = list(run)
        if len(together) > 1:
            grids += 1
            out += _grid(fielding, page, together, f"{page.id}_{grids}")
        else:
            out += [_row(fielding, item) for item in together]
    return out


def _grid_key(fielding: Fielding, item: Item) -> str:
    """Name the response scale whose grid an item may join; its own id if none."""
    if not isinstance(item, LikertItem):
        return f"alone: {item.id}"
    scale = fielding.instrument.response_scale(item.response_scale)
    wide = len(scale.codes) + len(scale.missing) > _WIDEST
    return f"alone: {item.id}" if wide else scale.id


def _grid(
    fielding: Fielding, page: Page, items: Sequence[Item], name: str
) -> list[Row]:
    scale = items[0].response_scale if isinstance(items[0], LikertItem) else ""
    head: Row = {
        "type": f"select_one {scale}",
        "name": f"head_{name}",
        "appearance": "label",
        **fielding.each(
            "label", lambda x: literally(fielding.instrument.wording(page.title, x))
        ),
        **_any_shown(fielding, items),
    }
    return [
        {"type": "begin_group", "name": f"grid_{name}"},
        head,
        *[_row(fielding, item) | {"appearance": "list-nolabel"} for item in items],
        {"type": "end_group"},
    ]


def _any_shown(fielding: Fielding, items: Sequence[Item]) -> Row:
    """Show the header of a grid while at least one of its rows is shown."""
    parts = [fielding.folded(item.show_if) for item in items]
    asked = [part for part in parts if not isinstance(part, bool)]
    if len(asked) < len(parts):
        return {}
    different = tuple(dict.fromkeys(asked))
    whole = different[0] if len(different) == 1 else conditions.Or(different)
    return {"relevant": translate(whole, fielding.instrument)}


def _row(fielding: Fielding, item: Item) -> Row:
    instrument = fielding.instrument
    row: Row = {
        "type": "text",
        "name": item.id,
        **fielding.each("label", lambda x: literally(instrument.wording(item.text, x))),
        **_hint(fielding, item),
        **fielding.relevant(item.show_if),
    }
    if item.required:
        row["required"] = "yes"
    if isinstance(item, NumberItem):
        return row | _number(fielding, item)
    if isinstance(item, TextItem):
        return row | _text(fielding, item)
    return row | {"type": f"select_one {item.response_scale}"}


def _hint(fielding: Fielding, item: Item) -> Row:
    """Say the hint and the unit, on a line each."""
    unit = item.unit if isinstance(item, NumberItem) else None
    parts = [text for text in (item.hint, unit) if text is not None]
    if not parts:
        return {}
    wording = fielding.instrument.wording
    return fielding.each(
        "hint", lambda x: "\n".join(literally(wording(text, x)) for text in parts)
    )


def _number(fielding: Fielding, item: NumberItem) -> Row:
    low, high = number(item.minimum), number(item.maximum)

    def message(language: str) -> str:
        unit = fielding.instrument.wording(item.unit, language)
        said = word("range", language).format(low=low, high=high)
        return f"{said} ({literally(unit)})." if unit else f"{said}."

    return {
        "type": "integer" if item.integer else "decimal",
        "constraint": f". >= {low} and . <= {high}",
        **fielding.each("constraint_message", message),
    }


def _text(fielding: Fielding, item: TextItem) -> Row:
    count = str(item.max_length)
    row: Row = {
        "constraint": f"string-length(.) <= {count}",
        **fielding.each(
            "constraint_message",
            lambda x: word("length", x).format(count=count) + ".",
        ),
    }
    return row | {"appearance": "multiline"} if item.multiline else row
