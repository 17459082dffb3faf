"""What an XLSForm cannot express of an instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey.export.result import Loss
from survey.export.xlsform import texts
from survey.instrument import LikertItem, NumberItem
from survey.parts import ChoiceItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from survey.export.xlsform.fielding import Fielding
    from survey.instrument import Text

#: ODK Collect takes whole numbers of up to nine digits.
_LARGEST = 999_999_999


def find(fielding: Fielding) -> list[Loss]:
    """List what is lost, each thing once, in the order of the instrument."""
    return [
        *_languages(fielding),
        *_wave(fielding),
        *_pages(fielding),
        *_conditions(fielding),
        *_numbers(fielding),
        *_letters(fielding),
    ]


def _languages(fielding: Fielding) -> Iterator[Loss]:
    instrument = fielding.instrument
    if len(instrument.languages) > 1:
        yield Loss(
            "language used",
            "languages",
            "Which language a person read is not stored; offer one form a language "
            "where that matters.",
        )
        if isinstance(instrument.title, dict):
            yield Loss(
                "translated title",
                "title",
                "The form's name has one language; the first page shows the others.",
            )
    for language in instrument.languages:
        if texts.primary(language) not in texts.WORDS:
            yield Loss(
                "words of our own",
                f"languages[{language}]",
                "Labels of codes and messages about ranges are in English; translate "
                f"the columns of {texts.language_name(language)}.",
            )


def _wave(fielding: Fielding) -> Iterator[Loss]:
    if fielding.asks_wave:
        yield Loss(
            "wave",
            "wave",
            "A form does not know its survey round: it is asked, with 1 filled in. "
            "Prefill it in the link (see survey.export.xlsform) or set its default.",
        )


def _pages(fielding: Fielding) -> Iterator[Loss]:
    safety = fielding.instrument.safety
    for page, items in fielding.pages:
        where = f"pages[{page.id}]"
        if page.random_order and len(items) > 1:
            yield Loss(
                "random item order",
                where,
                "Items stand in the written order; only options can be shuffled.",
            )
        if safety and any(item.safety for item in items):
            yield Loss(
                "leave quickly",
                where,
                f"A link opens {safety.leave_url}, but the form stays open behind it.",
            )


def _conditions(fielding: Fielding) -> Iterator[Loss]:
    for page, items in fielding.pages:
        places = [(f"pages[{page.id}]", page.show_if)]
        places += [(f"items[{item.id}]", item.show_if) for item in items]
        for where, show_if in places:
            if absent := fielding.not_asked(show_if):
                yield Loss(
                    "condition on an item of another form",
                    where,
                    f"Form {fielding.form} does not ask {', '.join(absent)}; these "
                    f"count as unanswered in: {show_if}",
                )


def _numbers(fielding: Fielding) -> Iterator[Loss]:
    for name in fielding.items:
        item = fielding.instrument.item(name)
        if not isinstance(item, NumberItem) or not item.integer:
            continue
        if max(abs(item.minimum), abs(item.maximum)) > _LARGEST:
            yield Loss(
                "large whole numbers",
                f"items[{name}]",
                f"ODK Collect takes no whole number above {_LARGEST}.",
            )


def _letters(fielding: Fielding) -> Iterator[Loss]:
    said = list(_texts(fielding))
    if curly := [where for where, text in said if texts.is_curly(text)]:
        yield Loss(
            "curly quotation marks",
            ", ".join(dict.fromkeys(curly)),
            "The converter to XForms makes them straight.",
        )
    if parted := [where for where, text in said if texts.is_parted(text)]:
        yield Loss(
            "letters read as formatting",
            ", ".join(dict.fromkeys(parted)),
            "An invisible word joiner (U+2060) keeps them as written.",
        )


def _texts(fielding: Fielding) -> Iterator[tuple[str, str]]:
    """Every text of the form with its place, in every language."""
    for where, text in _places(fielding):
        if text is not None:
            for language in fielding.instrument.languages:
                yield where, fielding.instrument.wording(text, language)


def _places(fielding: Fielding) -> Iterator[tuple[str, Text | None]]:
    instrument = fielding.instrument
    if instrument.consent:
        yield "consent", instrument.consent.text
        yield "consent", instrument.consent.agree
    yield "introduction", instrument.introduction
    used = []
    for page, items in fielding.pages:
        yield f"pages[{page.id}]", page.title
        yield f"pages[{page.id}]", page.text
        for item in items:
            yield f"items[{item.id}]", item.text
            yield f"items[{item.id}]", item.hint
            if isinstance(item, NumberItem):
                yield f"items[{item.id}]", item.unit
            if isinstance(item, LikertItem | ChoiceItem):
                used.append(item.response_scale)
    for name in dict.fromkeys(used):
        scale = instrument.response_scale(name)
        for label in (*scale.labels, *(one.label for one in scale.missing)):
            yield f"response_scales[{name}]", label
    if instrument.end:
        yield "end", instrument.end.text
        for support in instrument.end.support:
            yield "end", support.name
            yield "end", support.text
