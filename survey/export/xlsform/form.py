"""The three sheets of an XLSForm: what is asked, the options, the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from survey.export.xlsform import items, scores
from survey.export.xlsform.fielding import CONSENT
from survey.export.xlsform.texts import language_name, link, literally, word
from survey.instrument import ChoiceItem, LikertItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from survey.export.xlsform.fielding import Fielding, Row
    from survey.instrument import Page, ResponseScale, Text
    from survey.parts import Item, Support

#: Lists of ours; no response scale begins with an underscore.
_YES: Final = "_yes"
_ROLES: Final = "_roles"
_END: Final = {"type": "end_group"}


@dataclass(frozen=True, slots=True)
class Sheets:
    """Rows of the sheets ``survey``, ``choices`` and ``settings``."""

    survey: tuple[Row, ...]
    choices: tuple[Row, ...]
    settings: tuple[Row, ...]


def sheets(fielding: Fielding, *, with_scores: bool) -> Sheets:
    """Write the whole form as rows."""
    body = [*_keys(fielding), *_introduction(fielding)]
    for page, asked in fielding.pages:
        body += _page(fielding, page, asked)
    if fielding.instrument.consent:
        agreed = {"relevant": f"${{{CONSENT}}} = 'yes'"}
        body = [*_group("after_consent", agreed), *body, _END]
    survey = [*_metadata(fielding), *_consent(fielding), *body, *_ending(fielding)]
    if with_scores:
        survey += scores.rows(fielding)
    return Sheets(tuple(survey), tuple(_choices(fielding)), (_settings(fielding),))


def names(fielding: Fielding, *, with_scores: bool) -> dict[str, str]:
    """Map our items, key columns and scores to the columns they come back in."""
    keys = [row["name"] for row in _keys(fielding) if row.get("name") in _KEY_NAMES]
    out = {name: name for name in (*keys, "form", "started", "finished")}
    out |= {name: name for name in fielding.items}
    if with_scores:
        found = [row["name"] for row in scores.rows(fielding)]
        out |= {
            name.removeprefix("score_"): name
            for name in found
            if name.startswith("score_")
        }
    return out


_KEY_NAMES: Final = ("respondent", "couple", "role", "wave")


def _metadata(fielding: Fielding) -> list[Row]:
    return [
        {"type": "start", "name": "started"},
        {"type": "end", "name": "finished"},
        {"type": "today", "name": "today"},
        {"type": "audit", "name": "audit", "parameters": "track-changes=true"},
        {"type": "calculate", "name": "form", "calculation": f"'{fielding.form}'"},
    ]


def _group(name: str, row: Row) -> list[Row]:
    return [{"type": "begin_group", "name": name, **row}]


def _screen(fielding: Fielding, name: str, title: Text | None) -> list[Row]:
    """Begin a group whose rows share one screen."""
    return _group(name, _label(fielding, title) | {"appearance": "field-list"})


def _label(fielding: Fielding, text: Text | None) -> Row:
    if text is None:
        return {}
    wording = fielding.instrument.wording
    return fielding.each("label", lambda x: literally(wording(text, x)))


def _note(fielding: Fielding, name: str, text: Text) -> Row:
    return {"type": "note", "name": name, **_label(fielding, text)}


def _consent(fielding: Fielding) -> list[Row]:
    consent = fielding.instrument.consent
    if consent is None:
        return []
    return [
        *_screen(fielding, "consent_page", fielding.instrument.title),
        _note(fielding, "consent_text", consent.text),
        {
            "type": f"select_one {_YES}",
            "name": CONSENT,
            **_label(fielding, consent.agree),
            "required": "yes",
        },
        _END,
    ]


def _keys(fielding: Fielding) -> list[Row]:
    """Ask the codes that join rows of one person, one couple and several waves."""
    asked: list[Row] = []
    if fielding.linking != "none":
        asked.append(_key(fielding, "respondent", {"type": "text"}))
    if fielding.linking == "couple":
        asked.append(_key(fielding, "couple", {"type": "text"}))
        asked.append(_key(fielding, "role", {"type": f"select_one {_ROLES}"}))
    if fielding.asks_wave:
        counted = {"type": "integer", "default": "1", "constraint": ". >= 1"}
        asked.append(_key(fielding, "wave", counted))
    return [*_screen(fielding, "keys_page", None), *asked, _END] if asked else []


def _key(fielding: Fielding, name: str, row: Row) -> Row:
    label = fielding.each("label", lambda x: word(name, x))
    return {**row, "name": name, **label, "required": "yes"}


def _introduction(fielding: Fielding) -> list[Row]:
    text = fielding.instrument.introduction
    if text is None:
        return []
    return [
        *_screen(fielding, "intro_page", fielding.instrument.title),
        _note(fielding, "intro_text", text),
        _END,
    ]


def _page(fielding: Fielding, page: Page, asked: Sequence[Item]) -> list[Row]:
    begin = _screen(fielding, f"page_{page.id}", page.title)
    begin[0] |= fielding.relevant(page.show_if)
    out = list(begin)
    if page.text is not None:
        out.append(_note(fielding, f"text_{page.id}", page.text))
    if any(item.safety for item in asked):
        out += _safety(fielding, page)
    return [*out, *items.rows(fielding, page, asked), _END]


def _safety(fielding: Fielding, page: Page) -> list[Row]:
    safety = fielding.instrument.safety
    if safety is None:
        return []
    wording = fielding.instrument.wording

    def said(language: str) -> str:
        leave = link(wording(safety.leave_label, language), safety.leave_url)
        return f"{literally(wording(safety.note, language))}\n\n{leave}"

    name = f"safety_{page.id}"
    return [{"type": "note", "name": name, **fielding.each("label", said)}]


def _ending(fielding: Fielding) -> list[Row]:
    end = fielding.instrument.end
    if end is None:
        return []
    wording = fielding.instrument.wording
    out = [
        *_screen(fielding, "end_page", None),
        _note(fielding, "end_text", end.text),
    ]
    for position, support in enumerate(end.support, start=1):

        def said(language: str, one: Support = support) -> str:
            lines = [f"**{literally(wording(one.name, language))}**"]
            lines.append(literally(wording(one.text, language)))
            return "\n".join([*lines, *([link(one.url, one.url)] if one.url else [])])

        name = f"support_{position}"
        out.append({"type": "note", "name": name, **fielding.each("label", said)})
    return [*out, _END]


def _choices(fielding: Fielding) -> Iterator[Row]:
    asked = [fielding.instrument.item(name) for name in fielding.items]
    used = [
        item.response_scale
        for item in asked
        if isinstance(item, LikertItem | ChoiceItem)
    ]
    for name in dict.fromkeys(used):
        yield from _options(fielding, fielding.instrument.response_scale(name))
    if fielding.instrument.consent:
        yes = fielding.each("label", lambda x: word("yes", x))
        yield {"list_name": _YES, "name": "yes", **yes}
    if fielding.linking == "couple":
        for role in ("a", "b"):
            label = _label(fielding, role.upper())
            yield {"list_name": _ROLES, "name": role, **label}


def _options(fielding: Fielding, scale: ResponseScale) -> Iterator[Row]:
    """Write the options in order; those that are no answer come last."""
    for code, label in scale.options.items():
        yield {"list_name": scale.id, "name": str(code), **_label(fielding, label)}
    for option in scale.missing:
        label = _label(fielding, option.label)
        yield {"list_name": scale.id, "name": str(option.code), **label}


def _settings(fielding: Fielding) -> Row:
    instrument = fielding.instrument
    row: Row = {
        "form_title": instrument.wording(instrument.title, fielding.language),
        "form_id": fielding.form_id,
        "version": fielding.version,
        "default_language": language_name(fielding.language),
        "style": "pages",
        "clean_text_values": "no",
    }
    if fielding.linking != "none":
        row["instance_name"] = "${respondent}"
    return row
