"""Reading an instrument: every fault at once, with line, key, value and remedy."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import survey
from survey.errors import Fault, InstrumentError, SurveyError
from survey.instrument import Instrument, bundled
from survey.yaml12 import read_text

if TYPE_CHECKING:
    from collections.abc import Callable

BUNDLED = Path(survey.__file__).parent / "instruments" / "pushing_away.yaml"


def faults_of(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(InstrumentError) as caught:
        Instrument.from_document(read_text(text, "bad.yaml"))
    return [(f.line, f.key, f"{f.problem}. {f.remedy}") for f in caught.value.faults]


# What is changed in the small instrument, and the one fault that follows: line, key
# and a part of the message.
ONE_FAULT = [
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [true, two, three]",
     6, "response_scales[agree5].labels[1]", "Put quotes round it: 'true'."),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [one, 2.0]",
     6, "response_scales[agree5].labels[2]", "2.0 is a number, not text. Put quotes"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [one, null]",
     6, "response_scales[agree5].labels[2]", "there is nothing, not text"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: agree",
     6, "response_scales[agree5].labels", "'agree' is text, not a list"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [one]",
     6, "response_scales[agree5].labels", "Write 2 or more."),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [same, same]",
     6, "response_scales[agree5].labels", "two options have the same label: ['same']"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [a, b]\n    codes: [1]",
     7, "response_scales[agree5].codes", "1 codes for 2 labels"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [a, b]\n    codes: [1, 1]",
     5, "response_scales[1]", "the code(s) ['1'] stand for two options"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [a, b]\n    missing: [{code: 2, label: c}]",
     5, "response_scales[1]", "['2'] stand for two options"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [a, b]\n    missing: [{code: -99, label: c}]",
     7, "response_scales[agree5].missing", "-99 does not survive every platform"),
    ("labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]",
     "labels: [a, b]\n    codes: [-1, 1]",
     7, "response_scales[agree5].codes", "-1 does not survive every platform"),
    ('version: "1.0.0"', "version: 1.0", 2, "version", "Put quotes round it: '1.0'."),
    ('version: "1.0.0"', "version: v1", 2, "version", "Write a version such as"),
    ("title: Small", "title: true", 3, "title", "Put quotes round it: 'true'."),
    ("title: Small", "title:", 3, "title", "there is nothing, not text"),
    ("title: Small", 'title: " "', 3, "title", "the text is empty"),
    ("title: Small\n", "", 1, "title", "the key 'title' is missing"),
    ("title: Small", "title: Small\ntitle: Two", 4, "title",
     "the key 'title' stands twice, first on line 3"),
    ("title: Small", "title: Small\ntilte: Two", 4, "tilte", "unknown key 'tilte'"),
    ("title: Small", "title: Small\nlanguages: en", 4, "languages", "not a list"),
    ("title: Small", "title: Small\nlanguages: [en, en]", 4, "languages", "twice"),
    ("title: Small", "title: Small\nconsent: yes", 4, "consent", "not a section"),
    ("text: I often think of leaving.", "text: [I, often]",
     14, "items[rs2].text", "[I, often] is a list, not text"),
    ("text: I often think of leaving.", "text: {en: 3}",
     14, "items[rs2].text.en", "Put quotes round it: '3'."),
    ("text: I often think of leaving.", "text: {en: a, de: b}",
     14, "items[rs2].text", "has text in ['de'], but languages are ['en']"),
    ("response_scale: agree5\n  - id: rs2", "response_scale: agree7\n  - id: rs2",
     11, "items[rs1].response_scale",
     "unknown response scale 'agree7'. Did you mean 'agree5'?"),
    ("    minimum: 18", "    minimum: low", 23, "items[age].minimum",
     "'low' is text, not a number"),
    ("    minimum: 18", "    minimum: 180", 23, "items[age].minimum",
     "minimum 180 is not below maximum 120"),
    ("    minimum: 18", "    minimum: .inf", 23, "items[4].minimum", "'.inf'"),
    ("    minimum: 18\n", "", 20, "items[age].minimum", "'minimum' is missing"),
    ("type: number", "type: slider", 20, "items[4]", "the type 'slider' is unknown"),
    ("type: number\n    ", "", 20, "items[4]", "the type is missing"),
    ("    maximum: 120", "    maximum: 120\n    required: 1", 25,
     "items[age].required", "1 is a number, not true or false"),
    ("    maximum: 120", "    maximum: 120\n    required: Yes", 25,
     "items[age].required", "Write true or false, without quotes."),
    ("reversed: [rs2]", "reversed: [rs9]", 29, "scales[rs].reversed",
     "reverses items it does not contain: ['rs9']"),
    ("reversed: [rs2]", "reversed: [age]", 29, "scales[rs].reversed",
     "reverses items it does not contain: ['age']"),
    ("reversed: [rs2]", "reversed: rs2", 29, "scales[rs].reversed",
     "'rs2' is text, not a list"),
    ("min_answered: 2", "min_answered: 2.0", 30, "scales[rs].min_answered",
     "2.0 is a number, not a whole number"),
    ("min_answered: 2", "min_answered: 7", 30, "scales[rs].min_answered",
     "needs 7 answers but has 3 items"),
    ("min_answered: 2", "min_answered: -1", 30, "scales[rs].min_answered",
     "-1 is not at least 0"),
    ("items: [rs1, rs2, rs3]", "items: [rs1, rs2, rs3, rs4]", 28,
     "scales[rs].items", "lists the unknown item 'rs4'"),
    ("items: [rs1, rs2, rs3]", "items: [rs1, rs2, rs1]", 28,
     "scales[rs].items", "lists twice: ['rs1']"),
    ("    min_answered: 2", "    min_answered: 2\n    kind: sing", 31,
     "scales[rs].kind", "'sing' is not known here. Write one of 'sign'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "key", "message"), ONE_FAULT)
def test_one_fault_with_its_place(  # noqa: PLR0917 - one row of the table
    small_text: str, old: str, new: str, line: int, key: str, message: str
) -> None:
    assert small_text.count(old) == 1
    ((found_line, found_key, said),) = faults_of(small_text.replace(old, new))
    assert (found_line, found_key) == (line, key)
    assert message in said


def with_show_if(text: str, item: str, condition: str) -> str:
    return text.replace(
        f"  - id: {item}\n", f"  - id: {item}\n    show_if: {condition}\n"
    )


@pytest.mark.parametrize(
    ("item", "condition", "message"),
    [
        ("rs1", "rs3 == 1", "asks about 'rs3', which comes later"),
        ("rs1", "rs1 == 1", "shown only if it is answered itself"),
        ("rs2", "rs7 == 1", "asks about the unknown item 'rs7'"),
        ("rs2", "rs1 == 7", "compares 'rs1' with 7, which is no code of it"),
        ("rs2", 'rs1 == "x"', "compares 'rs1' with 'x', which is no code of it"),
        ("rs2", "rs1 = 1", "cannot read '=' here"),
        ("rs2", "true", "Put quotes round it: 'true'."),
        ("rs2", "[rs1]", "[rs1] is a list, not text"),
        ("rs2", 'wave == "two"', "compares the number 'wave' with the text 'two'"),
    ],
)
def test_show_if_faults(
    small_text: str, item: str, condition: str, message: str
) -> None:
    line = {"rs1": 9, "rs2": 13}[item]
    found = faults_of(with_show_if(small_text, item, condition))
    assert [(one[0], one[1]) for one in found] == [(line, f"items[{item}].show_if")]
    assert message in found[0][2]


@pytest.mark.parametrize("condition", ["rs1 > 0", "rs1 >= 3.5", "wave > 1"])
def test_show_if_may_compare_with_any_number(
    small_text: str, condition: str, instrument_from: Callable[[str], Instrument]
) -> None:
    assert instrument_from(with_show_if(small_text, "rs2", condition))


def test_a_cycle_of_show_ifs_names_the_circle(small_text: str) -> None:
    text = with_show_if(small_text, "rs1", "rs2 == 1")
    text = with_show_if(text, "rs2", "rs3 == 1")
    text = with_show_if(text, "rs3", "rs1 == 1")
    found = faults_of(text)
    assert [line for line, _, _ in found] == [9, 14, 19]
    assert "rs1 -> rs2 -> rs3 -> rs1" in found[0][2]


def test_a_page_asks_about_earlier_pages_only(small_text: str) -> None:
    pages = """\
pages:
  - id: one
    title: One
    show_if: rs3 == 1
    items: [rs1, rs2]
  - id: two
    title: Two
    show_if: rs1 == 1
    items: [rs3, age]
"""
    ((line, key, message),) = faults_of(small_text + pages)
    assert (line, key) == (34, "pages[one].show_if")
    assert "'rs3', which comes on or after this page" in message


def test_duplicate_item_ids_name_the_first_line(small_text: str) -> None:
    found = faults_of(small_text.replace("  - id: rs3", "  - id: rs2"))
    line, key, message = found[0]
    assert (line, key) == (16, "items[rs2].id")
    assert "stands twice, first on line 12" in message


@pytest.mark.parametrize(
    "name", ["RS_1", "rs-1", "1rs", "r", "a" * 20, "rs 1", "größe", "Time"]
)
def test_ids_that_do_not_survive_every_platform(small_text: str, name: str) -> None:
    found = faults_of(small_text.replace("rs1", f'"{name}"'))
    assert found[0][0] == 8
    assert "lower-case letters and digits" in found[0][2]


@pytest.mark.parametrize("name", ["other", "time", "token", "couple", "wave", "not"])
def test_reserved_ids(small_text: str, name: str) -> None:
    ((line, _, message),) = faults_of(small_text.replace("rs1", name))
    assert line == 8
    assert "reserved" in message


def test_all_faults_at_once_in_the_order_of_the_file(small_text: str) -> None:
    text = (
        small_text.replace('"1.0.0"', "1.0")
        .replace("Neither", "false")
        .replace("type: number", "type: slider")
        .replace("reversed: [rs2]", "reversed: [rs9]")
        .replace("text: My partner meets my needs.", "text: 3\n    lable: x")
        .replace(
            "response_scale: agree5\n  - id: rs2", "response_scale: a\n  - id: rs2"
        )
    )
    text = with_show_if(text, "rs2", "rs3 == 1") + "min_answered: 2\nid: again\n"
    found = faults_of(text)
    assert [(line, key) for line, key, _ in found] == [
        (2, "version"),
        (6, "response_scales[agree5].labels[3]"),
        (11, "items[rs1].response_scale"),
        (13, "items[rs2].show_if"),
        (19, "items[rs3].text"),
        (20, "items[rs3].lable"),
        (22, "items[4]"),
        (31, "scales[rs].reversed"),
        (33, "min_answered"),
        (34, "id"),
    ]


def test_messages_have_file_line_key_problem_and_remedy(small_text: str) -> None:
    with pytest.raises(InstrumentError) as caught:
        Instrument.from_document(
            read_text(small_text.replace("[rs2]", "[rs9]"), "bad.yaml")
        )
    assert str(caught.value) == (
        "bad.yaml: line 29: scales[rs].reversed: reverses items it does not contain: "
        "['rs9']. Add them to its items or correct the id."
    )


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "null\n", "- a\n- b\n", "hello\n", "3\n", "[]\n"],
)
def test_a_file_without_an_instrument(text: str) -> None:
    ((_, key, message),) = faults_of(text)
    assert key == "instrument"
    assert "the file holds no instrument" in message


@pytest.mark.parametrize(
    "items", ["abc", "3", "{rs1: {type: text, text: x}}", "[hello]", "[[a]]", "[3]"]
)
def test_items_of_a_wrong_type(items: str) -> None:
    text = f'id: demo\nversion: "1.0"\ntitle: x\nitems: {items}\n'
    ((line, key, _),) = faults_of(text)
    assert line == 4
    assert key in {"items", "items[1]"}


def test_safety_items_ask_for_a_note_and_support(small_text: str) -> None:
    found = faults_of(
        small_text.replace("    maximum", "    safety: true\n    maximum")
    )
    assert len(found) == 2
    assert {"safety section" in one[2] for one in found} == {True, False}


def test_forms_composites_and_claims(small_text: str) -> None:
    more = """\
composites:
  - id: all2
    label: All
    scales: [rs, rs]
    min_scales: 3
forms:
  - id: none
    label: None
    items: []
  - id: twice
    label: Twice
    items: [rs1, rs1, rs8]
claims:
  - id: C1
    text: A claim.
    analysis: one_pattern
    focal: [rs, zz]
    controls: [rs9]
    event: rs1 == 8
"""
    found = faults_of(small_text + more)
    assert [(line, key) for line, key, _ in found] == [
        (34, "composites[all2].scales"),
        (35, "composites[all2].min_scales"),
        (39, "forms[none].items"),
        (42, "forms[twice].items"),
        (42, "forms[twice].items"),
        (47, "claims[C1].focal"),
        (48, "claims[C1].controls"),
        (49, "claims[C1].event"),
    ]


_VALUES = (
    "null", "", "[]", "{}", "[1, 2]", "{a: b}", "true", "1.0", "-3", ".inf", "!foo x",
    "1e400", "- a", "? [x]", "[[1]]", "[{id: av1}]", "{en: x}", "{de: 1}", "wave == ",
    "*a", "&a x", "'open", "!!set {a, b}", "2026-01-01", "relstat",
)  # fmt: skip
_PUNCTUATION = "{}[]:,\"'#&*!|>%@`\t -?\x00\u2028"


def mutated(lines: list[str], rng: random.Random) -> str:
    out = list(lines)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        i = rng.randrange(len(out))
        before, colon, _ = out[i].partition(":")
        change = rng.choice(
            ["drop", "value", "key", "swap", "double", "letter", "dash"]
        )
        if change == "drop":
            del out[i]
        elif change == "value" and colon:
            out[i] = f"{before}: {rng.choice(_VALUES)}"
        elif change == "key" and colon:
            out[i] = f"{before}x:{out[i].partition(':')[2]}"
        elif change == "swap":
            j = rng.randrange(len(out))
            out[i], out[j] = out[j], out[i]
        elif change == "double":
            out.insert(i, rng.choice(out))
        elif change == "letter":
            at = rng.randrange(len(out[i]) + 1)
            out[i] = out[i][:at] + rng.choice(_PUNCTUATION) + out[i][at:]
        elif change == "dash":
            out[i] = out[i].replace("- ", "", 1)
    return "\n".join(out)


@pytest.mark.filterwarnings("ignore::ruamel.yaml.error.ReusedAnchorWarning")
@pytest.mark.parametrize("seed", range(4))
def test_no_mutation_makes_anything_but_faults(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    whole = BUNDLED.read_text(encoding="utf-8").split("\n")
    # A part keeps the test quick: the head, some items, the claims.
    lines = whole[:240] + whole[600:700]
    found = [faults_or_none(mutated(lines, rng)) for _ in range(60)]
    refused = [faults for faults in found if faults is not None]
    assert len(refused) > 30
    assert all(refused)
    for said in (str(fault) for faults in refused for fault in faults):
        assert said.startswith("f.yaml: ")
        assert "object at 0x" not in said
        assert "Node(" not in said
        assert re.search(r"[.?]$", said)


def faults_or_none(text: str) -> tuple[Fault, ...] | None:
    try:
        Instrument.from_document(read_text(text, "f.yaml"))
    except InstrumentError as error:
        return error.faults
    return None


def test_unknown_instrument_names_the_bundled_ones() -> None:
    with pytest.raises(InstrumentError, match="Bundled are pushing_away"):
        Instrument.load("no_such")
    assert "pushing_away" in bundled()


def test_load_takes_paths_and_reports_the_file_name(
    tmp_path: Path, small_text: str
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(small_text, encoding="utf-8")
    assert Instrument.load(path).id == Instrument.load(str(path)).id == "small"
    path.write_text("id: Small\n", encoding="utf-8")
    with pytest.raises(InstrumentError, match=r"^own\.yaml: line 1: "):
        Instrument.load(path)


def test_built_in_python_the_same_checks_hold(small: Instrument) -> None:
    content = small.model_dump()
    content["scales"][0]["reversed"] = ("rs9",)
    with pytest.raises(ValueError, match=r"reverses items .*'rs9'"):
        Instrument.model_validate(content)


def test_the_hash_is_of_the_content(
    small: Instrument,
    small_text: str,
    instrument_from: Callable[[str], Instrument],
) -> None:
    assert len(small.hash) == 64
    laid_out = small_text.replace(
        "[rs1, rs2, rs3]", "\n      - rs1\n      - rs2\n      - rs3"
    )
    assert instrument_from("# a comment\n" + laid_out).hash == small.hash
    assert instrument_from(small_text.replace("Small", "Smaller")).hash != small.hash


def test_look_ups(small: Instrument) -> None:
    assert small.item_ids == ("rs1", "rs2", "rs3", "age")
    assert small.codes("rs1") == (1, 2, 3, 4, 5)
    assert small.codes("age") == ()
    assert small.turning_sum("rs2") == 6
    assert small.turning_sum("rs1") is None
    assert [form.id for form in small.all_forms] == ["full"]
    assert small.form_items("full") == small.item_ids
    assert small.all_pages[0].items == small.item_ids
    assert small.label("rs") == "Relationship satisfaction"
    assert small.label("age") == "How old are you?"
    with pytest.raises(SurveyError, match="no language 'fr'"):
        small.wording("x", "fr")


def test_languages_fall_back_to_the_first(
    small_text: str, instrument_from: Callable[[str], Instrument]
) -> None:
    text = small_text.replace("title: Small", "title: {en: Small, de: Klein}")
    text = text.replace("text: I often think of leaving.", "text: {en: Leaving}")
    one = instrument_from(text + "languages: [en, de]\n")
    assert one.wording(one.title, "de") == "Klein"
    assert one.wording(one.item("rs2").text, "de") == "Leaving"
    assert "item rs2 is not translated: ['de']" in one.notices()


def test_labels_yes_and_no_without_quotes(
    small_text: str, instrument_from: Callable[[str], Instrument]
) -> None:
    text = re.sub(r"labels: \[.*\]", "labels: [Yes, No]", small_text)
    assert instrument_from(text).response_scale("agree5").labels == ("Yes", "No")


def test_a_claim_must_name_what_its_analysis_needs(
    instrument_from: Callable[[str], Instrument], small_text: str
) -> None:
    claims = """
claims:
  - id: C1
    text: It is so.
    analysis: diagnostic
    focal: [rs]
  - id: C2
    text: It is so, too.
    analysis: incremental
    focal: [rs]
"""
    with pytest.raises(InstrumentError) as caught:
        instrument_from(small_text + claims)
    text = str(caught.value)
    assert "claims[1]: analysis: diagnostic needs 'event'" in text
    assert "claims[2]: analysis: incremental needs 'base'" in text
    assert "claims[2]: analysis: incremental needs 'outcomes'" in text
