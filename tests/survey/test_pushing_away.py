"""The bundled instrument holds what the project promises of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from survey.instrument import Instrument

SIGNS = (
    "avoidance", "affection", "recoil", "communication", "self_focus", "fights",
    "blame", "aggression", "break_request", "others_concern", "intuition",
)  # fmt: skip
REASONS = ("trust_issues", "fear", "sadness")
RESPONSES = (
    "direct_talk", "listening", "calm", "honest_expectations", "rebuilding_trust",
    "seeking_help", "own_part", "other_ties",
)  # fmt: skip
OUTCOMES = ("satisfaction", "trust", "resentment", "dissolution", "wellbeing")

#: What the article names of each sign, as words of which one item at least has one.
NAMED = {
    "avoidance": ["reasons to be away", "messages", "plans", "get in touch"],
    "affection": ["hand", "hug", "kiss", "to be intimate"],
    "recoil": ["moved away", "space", "flinched"],
    "communication": ["small things", "hardly talked", "serious"],
    "self_focus": ["own wishes", "phone", "made time"],
    "fights": ["small matters", "provoke"],
    "blame": ["my fault", "found fault", "into mine"],
    "aggression": ["physical force", "hurtful words", "silence", "raised a worry"],
    "break_request": ["days apart", "long break", "separat"],
    "others_concern": ["friend", "family"],
    "intuition": ["half there", "reacts", "heart into"],
}

HARDEST_GRADE, MEAN_GRADE = 9.0, 7.0


def texts(instrument: Instrument) -> dict[str, str]:
    return {item.id: instrument.wording(item.text) for item in instrument.items}


def syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    silent |= word.endswith("ed") and not word.endswith(("ted", "ded")) and groups > 1
    return max(groups - silent, 1)


def grade(text: str) -> float:
    """Flesch-Kincaid grade of one sentence; syllables by groups of vowels."""
    words = re.findall(r"[a-z']+", text.lower())
    each = sum(syllables(word) for word in words) / len(words)
    return 0.39 * len(words) + 11.8 * each - 15.59


@pytest.mark.parametrize(
    ("kind", "ids", "sizes"),
    [
        ("sign", SIGNS, {4}),
        ("reason", REASONS, {3}),
        ("response", RESPONSES, {2}),
        ("outcome", OUTCOMES, {3, 4}),
    ],
)
def test_scales(
    pushing_away: Instrument, kind: str, ids: tuple[str, ...], sizes: set[int]
) -> None:
    scales = [scale for scale in pushing_away.scales if scale.kind == kind]
    assert tuple(scale.id for scale in scales) == ids
    assert {len(scale.items) for scale in scales} <= sizes


def test_most_signs_have_a_reversed_item_and_none_is_all_reversed(
    pushing_away: Instrument,
) -> None:
    signs = pushing_away.scales_of("sign")
    assert sum(bool(sign.reversed) for sign in signs) >= 9
    assert all(len(sign.reversed) < len(sign.items) for sign in signs)


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign_asks_what_the_article_names(
    pushing_away: Instrument, sign: str
) -> None:
    said = " ".join(
        pushing_away.wording(pushing_away.item(name).text).lower()
        for name in pushing_away.scale(sign).items
    )
    assert [words for words in NAMED[sign] if words not in said] == []


def test_signs_are_about_the_partner_over_four_weeks(pushing_away: Instrument) -> None:
    for sign in pushing_away.scales_of("sign"):
        for name in sign.items:
            item = pushing_away.item(name)
            text = pushing_away.wording(item.text)
            assert "partner" in text or sign.id == "others_concern"
            assert item.type == "likert"
            assert item.response_scale == "frequency5"
            (page,) = [page for page in pushing_away.pages if name in page.items]
            assert "past four weeks" in pushing_away.wording(page.text)


def test_other_scales_ask_for_agreement(pushing_away: Instrument) -> None:
    for scale in pushing_away.scales:
        if scale.kind != "sign":
            for name in scale.items:
                item = pushing_away.item(name)
                assert item.type == "likert"
                assert item.response_scale == "agree5"


def test_outcomes_say_whether_high_is_good(pushing_away: Instrument) -> None:
    good = {one.id: one.desirable for one in pushing_away.scales_of("outcome")}
    assert good == {
        "satisfaction": True,
        "trust": True,
        "resentment": False,
        "dissolution": False,
        "wellbeing": True,
    }


def test_prefer_not_to_answer_is_no_middle_option(pushing_away: Instrument) -> None:
    for name in ("frequency5", "agree5"):
        scale = pushing_away.response_scale(name)
        assert scale.codes == (1, 2, 3, 4, 5)
        assert scale.missing_codes == (9,)
        assert pushing_away.wording(scale.missing[0].label) == "Prefer not to answer"
        assert "Prefer not to answer" not in scale.labels


def test_facts_checks_and_comment(pushing_away: Instrument) -> None:
    ids = set(pushing_away.item_ids)
    assert {"relstat", "relchg", "age", "gender", "relyears", "relkind"} <= ids
    assert {"livetog", "children", "weeksago", "whoended", "remarks"} <= ids
    checks = [i for i in pushing_away.items if getattr(i, "expected", None) is not None]
    assert len(checks) == 2
    assert pushing_away.item("remarks").type == "text"
    shown_later = pushing_away.shown_if("relchg")
    assert shown_later is not None


def test_consent_introduction_and_end(pushing_away: Instrument) -> None:
    assert pushing_away.consent is not None
    consent = pushing_away.wording(pushing_away.consent.text)
    for words in ("voluntary", "18", "stop at any time", "hurtful"):
        assert words in consent
    assert pushing_away.introduction
    assert pushing_away.end is not None
    assert len(pushing_away.end.support) >= 3
    assert sum(bool(one.url) for one in pushing_away.end.support) >= 2


def test_aggression_carries_safety(pushing_away: Instrument) -> None:
    assert pushing_away.safety is not None
    assert pushing_away.safety.leave_url.startswith("https://")
    for name in pushing_away.scale("aggression").items:
        assert pushing_away.item(name).safety


def test_forms(pushing_away: Instrument) -> None:
    assert [form.id for form in pushing_away.all_forms] == ["full", "short"]
    assert pushing_away.form_items("full") == pushing_away.item_ids
    short = set(pushing_away.form_items("short"))
    for scale in pushing_away.scales:
        kept = len(short & set(scale.items))
        wanted = {"sign": 1, "outcome": len(scale.items)}
        assert kept == wanted.get(str(scale.kind), 0)
    safety = [i.id for i in pushing_away.items if i.safety]
    assert short & set(safety)


def test_every_scale_composite_and_claim_has_its_source(
    pushing_away: Instrument,
) -> None:
    for one in (*pushing_away.scales, *pushing_away.composites, *pushing_away.claims):
        assert one.source is not None
        assert one.source.startswith("article, heading")


def test_composites_and_claims(pushing_away: Instrument) -> None:
    assert pushing_away.composite("withdrawal").scales == SIGNS
    assert set(SIGNS) - set(pushing_away.composite("behaviour").scales) == {
        "others_concern",
        "intuition",
    }
    assert [claim.id for claim in pushing_away.claims] == [
        f"C{number}" for number in range(1, 11)
    ]


def test_ids_survive_every_platform(pushing_away: Instrument) -> None:
    for name in pushing_away.item_ids:
        assert re.fullmatch(r"[a-z][a-z0-9]{1,18}", name)
    for scale in pushing_away.response_scales:
        for code in (*scale.codes, *scale.missing_codes):
            assert re.fullmatch(r"[a-z0-9]{1,5}", str(code))


def test_items_are_plain(pushing_away: Instrument) -> None:
    grades = {
        name: grade(text)
        for name, text in texts(pushing_away).items()
        if pushing_away.item(name).type == "likert"
    }
    assert {n: round(g, 1) for n, g in grades.items() if g > HARDEST_GRADE} == {}
    assert sum(grades.values()) / len(grades) < MEAN_GRADE


def test_items_hold_one_thought(pushing_away: Instrument) -> None:
    scaled = {name for scale in pushing_away.scales for name in scale.items}
    double = {
        name: text
        for name, text in texts(pushing_away).items()
        if name in scaled and re.search(r"\b(and|or)\b|;", text)
    }
    assert double == {}


def test_no_two_items_are_the_same(pushing_away: Instrument) -> None:
    said = list(texts(pushing_away).values())
    assert len(set(said)) == len(said)


def test_the_instrument_is_without_notice_of_its_own(pushing_away: Instrument) -> None:
    assert pushing_away.notices() == ("item relchg belongs to no scale",)
