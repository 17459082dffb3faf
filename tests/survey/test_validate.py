"""Whole rows pass or are set aside untouched, with every reason and their row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from survey.errors import ResponsesError
from survey.responses import RawResponses
from survey.synthetic import simulate
from survey.validate import Validation, validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument

    Build = Callable[[str], Instrument]

RICH = """\
id: rich
version: "1.0.0"
title: Rich
languages: [en, de]
response_scales:
  - id: agree5
    labels: [Never, Rarely, Sometimes, Often, Always]
    missing:
      - code: 9
        label: Prefer not to answer
  - id: sex2
    labels: [Man, Woman]
    codes: [m, f]
    missing:
      - code: 9
        label: Prefer not to answer
items:
  - id: q1
    type: likert
    text: One.
    response_scale: agree5
  - id: q2
    type: likert
    text: Two.
    response_scale: agree5
    show_if: q1 > 2
  - id: sex
    type: choice
    text: Sex?
    response_scale: sex2
  - id: age
    type: number
    text: How old are you?
    minimum: 18
    maximum: 120
    integer: true
    required: true
  - id: note1
    type: text
    text: Anything else?
    max_length: 8
scales:
  - id: qs
    label: Qs
    items: [q1, q2]
forms:
  - id: full
    label: Full
  - id: short
    label: Short
    items: [q1, age]
"""


@pytest.fixture(scope="module")
def rich(instrument_from: Build) -> Instrument:
    return instrument_from(RICH)


def answers(**changed: object) -> pd.DataFrame:
    """Four valid rows; `changed` columns take the place of ours."""
    columns: dict[str, object] = {
        "q1": [3, 4, 1, 9],
        "q2": [1, 2, None, None],
        "sex": ["m", "f", None, "9"],
        "age": [30, 41, 25, 33],
        "note1": ["", "hi", None, "=1+1"],
    }
    index = pd.Index(list("abcd"), name="respondent")
    return pd.DataFrame(columns | changed, index=index)


def run(frame: pd.DataFrame, instrument: Instrument, first_row: int = 2) -> Validation:
    outcome = validate(RawResponses(frame, "test", first_row=first_row), instrument)
    assert len(outcome.responses) + len(outcome.quarantine) == len(frame)
    rows = set(outcome.failures.index) - set(range(first_row, first_row + len(frame)))
    assert rows == set()
    return outcome


def reasons(outcome: Validation) -> list[tuple[int, str, str]]:
    found = outcome.failures
    return list(zip(found.index, found["item"], found["reason"], strict=True))


def test_bad_rows_go_to_quarantine(small: Instrument) -> None:
    frame = pd.DataFrame(
        {
            "rs1": [5, 1, 9, 4],
            "rs2": [1, 5, 3, None],
            "rs3": [4, 2, 3, None],
            "age": [30, 41, 25, 33],
            "ipaddr": "x",
        },
        index=pd.Index(list("abcd"), name="respondent"),
    )
    result = run(frame, small)
    assert list(result.responses.frame.index) == ["a", "b", "d"]
    assert "ipaddr" not in result.responses.frame
    assert list(result.quarantine.index) == ["c"]
    assert result.failures.iloc[0].to_dict() == {
        "respondent": "c",
        "item": "rs1",
        "value": 9,
        "reason": "code not in 1..5",
    }
    assert list(result.failures.index) == [4]
    assert result.summary() == "3 of 4 responses valid, 1 in quarantine"


def test_quarantine_is_untouched(rich: Instrument) -> None:
    frame = answers(q1=[7, 4, 1, 9], extra=["x", None, 3.5, pd.NaT], started="today")
    before = frame.copy()
    outcome = run(frame, rich)
    pd.testing.assert_frame_equal(outcome.quarantine, before)
    pd.testing.assert_frame_equal(frame, before)
    frame = answers(q1=[7, 4, 1, 9])
    outcome = run(frame, rich)
    pd.testing.assert_frame_equal(outcome.quarantine, frame.iloc[[0]])


def test_missing_codes_and_hidden_items(rich: Instrument) -> None:
    responses = run(answers(), rich).responses
    assert responses.missingness.loc["a"].to_dict() == {
        "q1": "answered", "q2": "answered", "sex": "answered", "age": "answered",
        "note1": "blank",
    }  # fmt: skip
    assert responses.missingness.loc["c", "q2"] == "not shown"
    assert responses.missingness.loc["c", "sex"] == "blank"
    assert responses.missingness.loc["d", ["q1", "sex"]].tolist() == ["refused"] * 2
    assert pd.isna(responses.frame.loc["d", "q1"])
    assert pd.isna(responses.frame.loc["d", "sex"])
    assert responses.frame.dtypes.astype(str).to_dict() == {
        "q1": "Int64", "q2": "Int64", "sex": "string", "age": "Int64",
        "note1": "string",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (7, "code not in 1..5 or 9"),
        (0, "code not in 1..5 or 9"),
        (-1, "code not in 1..5 or 9"),
        ("7", "code not in 1..5 or 9"),
        (10**30, "code not in 1..5 or 9"),
        (4.5, "not a whole code in 1..5 or 9"),
        ("4.5", "not a whole code in 1..5 or 9"),
        ("4,0", "decimal comma: say `decimal: ','` in the mapping file"),
        (
            "often",
            "a word, not a code in 1..5 or 9: it is the label of 4, "  # noqa: ISC004
            "export codes or map it",
        ),
        ("Oft", "a word, not a code in 1..5 or 9"),
        ("NA", "a word, not a code in 1..5 or 9"),
        ("inf", "a word, not a code in 1..5 or 9"),
        ("=1+1", "a word, not a code in 1..5 or 9"),
        (True, "a word, not a code in 1..5 or 9"),
        ([1, 2], "a word, not a code in 1..5 or 9"),
        (float("inf"), "a word, not a code in 1..5 or 9"),
    ],
)  # fmt: skip
def test_cells_that_are_no_code(rich: Instrument, cell: object, reason: str) -> None:
    frame = answers().astype({"q1": object})
    frame.at["a", "q1"] = cell  # noqa: PD008 - a list is one cell here
    assert reasons(run(frame, rich)) == [(2, "q1", reason)]


@pytest.mark.parametrize("cell", [4, "4", " 4 ", "4.0", 4.0, "04", np.int8(4)])
def test_spellings_of_the_code_four(rich: Instrument, cell: object) -> None:
    frame = answers().astype({"q1": object})
    frame.at["a", "q1"] = cell  # noqa: PD008 - an object cell
    assert run(frame, rich).responses.frame.loc["a", "q1"] == 4


@pytest.mark.parametrize("cell", [None, np.nan, pd.NA, pd.NaT, "", " ", "\t"])
def test_spellings_of_nothing(rich: Instrument, cell: object) -> None:
    frame = answers().astype({"sex": object, "q2": object, "note1": object})
    for name in ("sex", "q2", "note1"):
        frame.at["a", name] = cell  # noqa: PD008 - an object cell
    responses = run(frame, rich).responses
    assert responses.frame.loc["a", ["sex", "q2", "note1"]].isna().all()
    assert list(responses.missingness.loc["a", ["sex", "q2", "note1"]]) == ["blank"] * 3


@pytest.mark.parametrize(
    "dtype",
    ["Int64", "float64", "Float64", "object", "string", "str", "category",
     "int64[pyarrow]", "double[pyarrow]", "string[pyarrow]", "int8[pyarrow]"],
)  # fmt: skip
def test_the_type_of_a_column_changes_nothing(rich: Instrument, dtype: str) -> None:
    whole = pd.Series([1, 2, pd.NA, pd.NA], dtype="Int64", index=list("abcd"))
    bad = pd.Series([3, 7, 1, 9], dtype="Int64", index=list("abcd"))
    outcome = run(answers(q1=bad.astype(dtype), q2=whole.astype(dtype)), rich)
    expected = run(answers(q1=[3, 7, 1, 9]), rich)
    pd.testing.assert_frame_equal(outcome.responses.frame, expected.responses.frame)
    assert reasons(outcome) == reasons(expected)


def test_ranges_required_and_length(rich: Instrument) -> None:
    frame = answers(
        age=["17", "121", "30.5", None], note1=["12345678", "123456789", "", ""]
    )
    assert reasons(run(frame, rich)) == [
        (2, "age", "not in [18, 120]"),
        (3, "age", "not in [18, 120]"),
        (3, "note1", "longer than 8 characters"),
        (4, "age", "not a whole number"),
        (5, "age", "required answer is missing"),
    ]


def test_answered_although_hidden(rich: Instrument) -> None:
    outcome = run(answers(q2=[1, 2, 3, 9]), rich)
    why = "answered although not shown (shown if q1 > 2)"
    assert reasons(outcome) == [(4, "q2", why)]


def test_a_fault_is_not_repeated_where_it_follows_from_another(
    rich: Instrument,
) -> None:
    # q1 decides whether q2 is shown: as a word it cannot, and only that is said.
    outcome = run(
        answers(q1=["often", 4, 1, 3], form=["full", "nope", "full", ""]), rich
    )
    assert [(row, item) for row, item, _ in reasons(outcome)] == [
        (2, "q1"),
        (3, "form"),
    ]


def test_forms(rich: Instrument) -> None:
    frame = answers(form=["full", "short", "short", ""])
    outcome = run(frame, rich)
    assert [(row, item) for row, item, _ in reasons(outcome)] == [
        (3, "q2"),
        (3, "sex"),
        (3, "note1"),
    ]
    assert outcome.responses.missingness.loc["c", "sex"] == "not shown"
    assert list(outcome.responses.people["form"]) == ["full", "short", "full"]
    short = run(answers()[["q1", "age"]], rich).responses
    assert set(short.people["form"]) == {"short"}
    assert set(short.missingness["sex"]) == {"not shown"}


def test_languages(rich: Instrument) -> None:
    outcome = run(answers(language=["en", "de", "fr", None]), rich)
    assert reasons(outcome) == [(4, "language", "not one of en, de")]
    assert list(outcome.responses.people["language"]) == ["en", "de", "en"]


def test_respondent_ids(rich: Instrument) -> None:
    frame = answers().set_axis(["a", "a", "", None], axis="index")
    assert reasons(run(frame, rich)) == [
        (2, "respondent", "respondent stands twice in this wave"),
        (3, "respondent", "respondent stands twice in this wave"),
        (4, "respondent", "no respondent id"),
        (5, "respondent", "no respondent id"),
    ]
    as_column = answers(respondent=["p1", "p2", "p3", "p3"]).reset_index(drop=True)
    outcome = run(as_column, rich)
    assert list(outcome.failures["value"]) == ["p3", "p3"]
    assert list(outcome.responses.frame.index) == ["p1", "p2"]


def test_couples(rich: Instrument) -> None:
    three = run(answers(couple=["c1", "c1", "c1", ""]), rich)
    assert [row for row, _, _ in reasons(three)] == [2, 3, 4]
    assert set(three.failures["reason"]) == {"couple has more than two members"}
    twice = run(
        answers(couple=["c1", "c1", "c2", "c2"], role=["a", "a", "a", "b"]), rich
    )
    assert [row for row, _, _ in reasons(twice)] == [2, 3]
    assert "the same role" in twice.failures["reason"].iloc[0]
    numbers = run(answers(couple=[1, 1, 2.0, np.nan]), rich)
    assert list(numbers.responses.people["couple"].dropna()) == ["1", "1", "2"]


def test_a_respondent_in_two_couples_or_roles(rich: Instrument) -> None:
    frame = answers(wave=[1, 2, 1, 1], couple=["c1", "c2", "", ""])
    outcome = run(frame.set_axis(["a", "a", "c", "d"], axis="index"), rich)
    assert [row for row, _, _ in reasons(outcome)] == [2, 3]
    assert "more than one couple" in outcome.failures["reason"].iloc[0]
    frame = answers(wave=[1, 2, 1, 1], couple=["c1", "c1", "", ""])
    frame["role"] = ["a", "b", "", ""]
    outcome = run(frame.set_axis(["a", "a", "c", "d"], axis="index"), rich)
    assert "role differs between waves" in outcome.failures["reason"].iloc[0]


def test_waves(rich: Instrument) -> None:
    why = "wave is not a whole number from 1"
    outcome = run(answers(wave=["1", "0", "1.5", "two"]), rich)
    assert reasons(outcome) == [(3, "wave", why), (4, "wave", why), (5, "wave", why)]
    outcome = run(answers(wave=[1, 2, 1, 1]), rich)
    assert reasons(outcome) == [(3, "wave", "wave without wave 1")]
    only_later = run(answers(wave=2), rich)
    assert only_later.failures.empty
    assert only_later.responses.waves == (2,)
    assert set(run(answers(), rich).responses.people["wave"]) == {1}


def test_times(rich: Instrument) -> None:
    frame = answers(
        started=["2026-01-01T08:00", "today", "2026-01-01 08:00:00+01:00", ""],
        seconds=["10", "12.5", "-1", "fast"],
        seconds_q1=["1.5", "", "2", "3"],
    )
    outcome = run(frame, rich)
    assert [(row, item) for row, item, _ in reasons(outcome)] == [
        (3, "started"),
        (4, "seconds"),
        (5, "seconds"),
    ]
    assert list(outcome.responses.timings.columns) == ["q1"]
    assert outcome.responses.people["seconds"].iloc[0] == 10
    assert str(outcome.responses.people["started"].dt.tz) == "UTC"


def test_what_is_no_failure_is_noted(rich: Instrument) -> None:
    frame = answers(q1=3, q2=[1, 2, 3, 4], sex=None)
    outcome = run(frame, rich)
    assert outcome.failures.empty
    notes = dict(zip(outcome.notes["item"], outcome.notes["note"], strict=True))
    assert notes == {
        "q1": "everybody answered 3",
        "sex": "nobody answered this item",
    }


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            answers().drop(columns=["sex", "note1"]),
            r"no column for item.*'sex', 'note1'",
        ),
        (answers().iloc[:0], "there is no row of answers"),
        (answers().assign(x=1).rename(columns={"x": "q1"}), r"two columns .*'q1'"),
    ],
)
def test_a_table_that_cannot_be_read_at_all(
    rich: Instrument, frame: pd.DataFrame, message: str
) -> None:
    with pytest.raises(ResponsesError, match=message):
        run(frame, rich)


def test_all_rows_rejected_still_gives_tables(rich: Instrument) -> None:
    outcome = run(answers(q1=7), rich, first_row=5)
    assert list(outcome.failures.index) == [5, 6, 7, 8]
    assert len(outcome.responses) == 0
    assert list(outcome.responses.frame.columns) == list(rich.item_ids)
    assert outcome.summary() == "0 of 4 responses valid, 4 in quarantine"


def test_all_reasons_of_a_row_are_given_in_order(rich: Instrument) -> None:
    frame = answers(q1=[7, 4, 1, 3], age=[3, 41, 25, 33], sex=["z", "f", "m", "f"])
    outcome = run(frame.assign(language=["fr", "en", "en", "en"]), rich)
    assert list(outcome.failures["item"]) == ["language", "q1", "sex", "age"]
    assert list(outcome.failures["value"]) == ["fr", 7, "z", 3]


#: What is written over a cell, and whether the item's column must refuse it.
BAD_CELLS: dict[str, list[object]] = {
    "likert": [7, 0, 6.5, "3,5", "Often", "x", "-2", 1e9],
    "choice": [77, "what", 1.5],
    "number": [-5, "old", "1,5", 10**9],
}


@pytest.mark.parametrize("seed", range(5))
def test_every_corrupted_cell_is_found_and_no_clean_row_rejected(
    pushing_away: Instrument, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    frame = simulate(pushing_away, 120, seed=seed, waves=2).frame.astype(object)
    frame.insert(0, "respondent", frame.index)
    frame = frame.reset_index(drop=True)
    assert run(frame, pushing_away).failures.empty
    corrupted = set()
    columns = [item for item in pushing_away.items if item.type in BAD_CELLS]
    for row in rng.choice(len(frame), 40, replace=False):
        item = columns[rng.integers(len(columns))]
        cells = BAD_CELLS[item.type]
        frame.loc[row, item.id] = cells[rng.integers(len(cells))]
        corrupted.add((int(row) + 2, item.id))
    outcome = run(frame, pushing_away)
    found = set(zip(outcome.failures.index, outcome.failures["item"], strict=True))
    assert corrupted <= found
    assert {row for row, _ in found} == {row for row, _ in corrupted}


def test_a_large_table_takes_seconds(pushing_away: Instrument) -> None:
    frame = simulate(pushing_away, 3000, seed=1).frame
    assert len(run(frame, pushing_away).responses) == 3000


MISSING = [(3, "age", "required answer is missing")]


@pytest.mark.parametrize("gap", [None, "", "  ", pd.NaT])
def test_partial_response_is_kept_as_what_it_is(rich: Instrument, gap: object) -> None:
    ended = ["2026-11-23T08:30", gap, "2026-11-23T08:40", "2026-11-23"]
    outcome = run(answers(age=[30, None, 25, 33], finished=ended), rich)
    assert reasons(outcome) == []
    responses = outcome.responses
    assert list(responses.frame.index) == list("abcd")
    assert list(responses.people["finished"].isna()) == [False, True, False, False]
    assert responses.missingness.loc["b", "age"] == "blank"
    assert responses.frame.loc["b", "q1"] == 4
    assert outcome.unfinished == 1
    assert outcome.summary().endswith("0 in quarantine; 1 of the valid ones unfinished")
    (note,) = outcome.notes.query("item == 'finished'")["note"]
    assert note.startswith("empty in 1 rows: unfinished;")


def test_who_finished_is_held_to_required_items(rich: Instrument) -> None:
    ended = [None, "2026-11-23T08:30", None, None]
    outcome = run(answers(age=[30, None, 25, 33], finished=ended), rich)
    assert reasons(outcome) == MISSING
    assert outcome.unfinished == 3


def test_a_source_that_tells_no_end_is_held_to_required_items(rich: Instrument) -> None:
    outcome = run(answers(age=[30, None, 25, 33]), rich)
    assert reasons(outcome) == MISSING
    assert outcome.unfinished == 0
    assert "finished" not in set(outcome.notes["item"])


def test_a_column_without_any_end_is_named(rich: Instrument) -> None:
    outcome = run(answers(age=[30, None, 25, 33], finished=None), rich)
    assert reasons(outcome) == []
    assert outcome.unfinished == 0
    (note,) = outcome.notes.query("item == 'finished'")["note"]
    assert "nobody finished, or the source does not tell" in note


def test_partial_response_is_checked_in_all_else(rich: Instrument) -> None:
    ended = ["2026-11-23T08:30", None, None, "yesterday"]
    frame = answers(q1=[3, 7, 1, 9], age=[30, None, 25, None], finished=ended)
    outcome = run(frame, rich)
    assert {(row, item) for row, item, _ in reasons(outcome)} == {
        (3, "q1"),
        (5, "finished"),
    }
