"""How much a change of the instrument matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from survey.changes import diff

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument

    Build = Callable[[str], Instrument]

BASE = """\
id: own
version: "1.0.0"
title: Own
languages: [en]
introduction: Welcome.
response_scales:
  - id: agree3
    labels: [Disagree, Neither, Agree]
    missing:
      - code: 9
        label: Prefer not to answer
items:
  - id: q1
    type: likert
    text: One.
    hint: Think.
    response_scale: agree3
  - id: q2
    type: likert
    text: Two.
    response_scale: agree3
  - id: q3
    type: likert
    text: Three.
    response_scale: agree3
    show_if: q1 == 1
  - id: age
    type: number
    text: How old are you?
    minimum: 18
    maximum: 99
scales:
  - id: s
    label: Ess
    items: [q1, q2, q3]
    reversed: [q2]
    min_answered: 2
    source: a book
forms:
  - id: full
    label: Full
  - id: short
    label: Short
    items: [q1, age]
"""
NEW_ITEM = "  - id: q4\n    type: text\n    text: Four.\n"
ITEM_2 = "  - id: q2\n    type: likert\n    text: Two.\n    response_scale: agree3\n"

EDITS = [
    ("title: Own", "title: My own", "cosmetic", "title"),
    ("source: a book", "source: another", "cosmetic", "scales[s].source"),
    ("label: Short", "label: Brief", "cosmetic", "forms[short].label"),
    ("languages: [en]", "languages: [en, de]", "cosmetic", "languages"),
    ("text: Two.", "text: Too.", "wording", "items[q2].text"),
    ("hint: Think.", "hint: Take your time.", "wording", "items[q1].hint"),
    ("Welcome.", "Hello.", "wording", "introduction"),
    ("Neither", "Neutral", "wording", "response_scales[agree3].labels"),
    ("reversed: [q2]", "reversed: [q3]", "scoring", "scales[s].reversed"),
    ("min_answered: 2", "min_answered: 3", "scoring", "scales[s].min_answered"),
    ("min_answered: 2", "min_answered: 2\n    scoring: sum", "scoring",
     "scales[s].scoring"),
    ("items: [q1, q2, q3]", "items: [q1, q2]", "scoring", "scales[s].items"),
    ("missing:\n      - code: 9", "missing:\n      - code: 99", "breaking",
     "response_scales[agree3].missing"),
    ("labels: [Disagree, Neither, Agree]",
     "labels: [Disagree, Neither, Agree]\n    codes: [0, 1, 2]", "breaking",
     "response_scales[agree3].codes"),
    ("labels: [Disagree, Neither, Agree]", "labels: [Disagree, Agree]", "breaking",
     "response_scales[agree3].codes"),
    ("show_if: q1 == 1", "show_if: q1 == 2", "breaking", "items[q3].show_if"),
    ("minimum: 18", "minimum: 16", "breaking", "items[age].minimum"),
    ("maximum: 99", "maximum: 99\n    required: true", "breaking",
     "items[age].required"),
    ("id: own", "id: other_one", "breaking", "id"),
    ("scales:\n  - id: s", NEW_ITEM + "scales:\n  - id: s", "breaking", "items[q4]"),
    ("items: [q1, age]", "items: [q1, q2, age]", "breaking", "forms[short].items"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "severity", "place"), EDITS)
def test_severity(
    instrument_from: Build, old: str, new: str, severity: str, place: str
) -> None:
    assert BASE.count(old) == 1
    found = diff(instrument_from(BASE), instrument_from(BASE.replace(old, new)))
    assert found.severity == severity
    assert place in {change.place for change in found.changes}
    assert all(change.severity for change in found.changes)
    assert [str(change) for change in found.changes if "None" in str(change)] == []


def test_nothing_changed(instrument_from: Build) -> None:
    reworded = BASE.replace('version: "1.0.0"', 'version: "2.0.0"') + "# remark\n"
    found = diff(instrument_from(BASE), instrument_from(reworded))
    assert found.changes == ()
    assert found.severity is None
    assert found.version_note is None


def test_another_order_is_wording(instrument_from: Build) -> None:
    text = BASE.replace(ITEM_2, "").replace("  - id: age", ITEM_2 + "  - id: age")
    found = diff(instrument_from(BASE), instrument_from(text))
    assert [(one.severity, one.place) for one in found.changes] == [
        ("wording", "items order")
    ]


def test_a_removed_language_is_breaking(instrument_from: Build) -> None:
    both = instrument_from(BASE.replace("[en]", "[en, de]"))
    assert diff(both, instrument_from(BASE)).severity == "breaking"


def test_a_translated_text_is_one_change(instrument_from: Build) -> None:
    one = BASE.replace("[en]", "[en, de]").replace("text: Two.", "text: {en: Two.}")
    two = one.replace("{en: Two.}", "{en: Two., de: Zwei.}")
    found = diff(instrument_from(one), instrument_from(two))
    assert [change.place for change in found.changes] == ["items[q2].text"]


@pytest.mark.parametrize(
    ("edit", "version", "note"),
    [
        (("Own", "Mine"), "1.0.1", None),
        (("Own", "Mine"), "1.0.0", "cosmetic changes need a new patch version"),
        (("Two.", "Too."), "1.0.1", "wording changes need a new minor version"),
        (("Two.", "Too."), "1.1.0", None),
        (("Two.", "Too."), "1.1", None),
        (("[q2]", "[q3]"), "1.0.9", "scoring changes need a new minor version"),
        (("minimum: 18", "minimum: 1"), "1.9.0", "breaking changes need a new major"),
        (("minimum: 18", "minimum: 1"), "2.0.0", None),
        (("Two.", "Too."), "0.9.0", "wording changes need"),
    ],
)
def test_version_note(
    instrument_from: Build, edit: tuple[str, str], version: str, note: str | None
) -> None:
    new = BASE.replace("1.0.0", version).replace(*edit)
    said = diff(instrument_from(BASE), instrument_from(new)).version_note
    assert (said is None) == (note is None)
    if note is not None and said is not None:
        assert note in said
        assert said.startswith(f"version 1.0.0 -> {version}: ")


def test_the_gravest_change_comes_first(instrument_from: Build) -> None:
    text = BASE.replace("Own", "Mine").replace("Two.", "Too.")
    text = text.replace("[q2]", "[q3]").replace("minimum: 18", "minimum: 1")
    found = diff(instrument_from(BASE), instrument_from(text))
    assert list(found.frame()["severity"]) == [
        "breaking", "scoring", "wording", "cosmetic",
    ]  # fmt: skip
    assert str(found.changes[0]) == "breaking  items[age].minimum: 18.0 -> 1.0"
