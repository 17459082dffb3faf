"""Check the texts of an instrument: none empty, each in the languages listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from survey.yaml12 import Place, Plain

    Finding: TypeAlias = tuple[Place, str, str]

_TEXT_KEYS = frozenset(
    (
        "agree",
        "description",
        "event_label",
        "hint",
        "introduction",
        "label",
        "leave_label",
        "name",
        "note",
        "text",
        "title",
        "unit",
    )
)


def find(
    value: Plain, languages: Sequence[str], place: Place = ()
) -> Iterator[Finding]:
    """Yield place, problem and remedy of each faulty text below `place`."""
    if isinstance(value, list):
        for i, one in enumerate(value):
            yield from _text_or_more(one, languages, (*place, i), is_text=False)
    elif isinstance(value, dict):
        for key, one in value.items():
            here = (*place, key)
            if key == "labels" and isinstance(one, list):
                for i, label in enumerate(one):
                    yield from _text_or_more(label, languages, (*here, i), is_text=True)
            else:
                is_text = key in _TEXT_KEYS
                yield from _text_or_more(one, languages, here, is_text=is_text)


def _text_or_more(
    value: Plain, languages: Sequence[str], place: Place, *, is_text: bool
) -> Iterator[Finding]:
    if is_text and isinstance(value, dict):
        yield from _translated(value, languages, place)
    elif is_text and isinstance(value, str):
        if not value.strip():
            yield place, "the text is empty", "Write it"
    else:
        yield from find(value, languages, place)


def _translated(
    texts: dict[str, Plain], languages: Sequence[str], place: Place
) -> Iterator[Finding]:
    if stray := [key for key in texts if key not in languages]:
        problem = f"has text in {stray}, but languages are {list(languages)}"
        yield place, problem, "Add the language or remove the text"
    if languages[0] not in texts:
        problem = f"has no text in the first language {languages[0]!r}"
        yield place, problem, "Write it: other languages fall back to it"
    for key, text in texts.items():
        if isinstance(text, str) and not text.strip():
            yield (*place, key), "the text is empty", "Write it"
