"""How heavy a page of questions is, and where a page is cut that is too heavy.

Phones on slow nets load a page of up to 60 kB with everything it needs. What a page
weighs is reckoned from its texts, in the language in which they are longest, with every
answer chosen and every question complained of; a test holds this against templates.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from survey.parts import ChoiceItem, LikertItem, NumberItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from survey.instrument import Instrument
    from survey.parts import Page, Text
    from survey.server.plan import AnyItem

#: Bytes of a page, without style and script.
LIMIT: Final = 48_000
#: Bytes of the markup around everything, of a language button, of a question.
_FRAME, _TONGUE, _QUESTION = 3_500, 130, 260
#: Bytes of the markup of an option, of one that takes an answer back, of a field.
_OPTION, _BACK, _FIELD = 97, 40, 230
#: Bytes of a complaint, twice: above all questions, and beside the one it is about.
_COMPLAINT: Final = 420
#: How often the id of an item stands in its markup, and in that of an option.
_ITS_ID, _OPTION_ID = 12, 3


def cuts(
    page: Page, names: Sequence[str], instrument: Instrument
) -> tuple[tuple[int, int], ...]:
    """Cut the items of a page into as few equal parts as are light enough.

    Parameters
    ----------
    names
        The items of the page that a form has. Where their order is shuffled, any of
        them may stand in any part.

    Returns
    -------
    tuple
        First item of each part, and the one after its last; one part for most pages.
    """
    room = LIMIT - _around(page, instrument)
    weights = [weight(instrument.item(name), instrument) for name in names]
    if page.random_order and weights:
        weights = [max(weights)] * len(weights)
    for parts in range(1, len(names) + 1):
        size = -(-len(names) // parts)
        found = [(k, min(k + size, len(names))) for k in range(0, len(names), size)]
        if size == 1 or all(sum(weights[a:b]) <= room for a, b in found):
            return tuple(found)
    return ()


def weight(item: AnyItem, instrument: Instrument) -> int:
    """Reckon the bytes of one question."""
    asked = _longest(item.text, instrument)
    found = _QUESTION + asked + _longest(item.hint, instrument)
    found += _ITS_ID * len(item.id)
    if not isinstance(item, LikertItem | ChoiceItem):
        unit = item.unit if isinstance(item, NumberItem) else None
        return found + _FIELD + _longest(unit, instrument) + _COMPLAINT + asked
    scale = instrument.response_scale(item.response_scale)
    each = _OPTION + _OPTION_ID * len(item.id)
    labels = [*scale.labels, *(one.label for one in scale.missing)]
    found += sum(each + _longest(label, instrument) for label in labels)
    if item.required:
        return found + _COMPLAINT + asked
    return found if scale.missing else found + each + _BACK


def _around(page: Page, instrument: Instrument) -> int:
    """Reckon the bytes around the questions."""
    safety = instrument.safety
    texts = [instrument.title, instrument.title, page.title, page.title, page.text]
    texts.append(instrument.introduction)
    if safety is not None:
        texts += [safety.note, safety.leave_label, safety.leave_label]
    said = sum(_longest(text, instrument) for text in texts)
    return _FRAME + _TONGUE * len(instrument.languages) + said


def _longest(text: Text | None, instrument: Instrument) -> int:
    """Count the bytes of a text as printed, in the language where it has most."""
    return max(
        len(escape(instrument.wording(text, language)).encode())
        for language in instrument.languages
    )
