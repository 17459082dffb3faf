"""Scores against values computed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.scoring import Scores, keyed, score
from survey.responses import RawResponses
from survey.synthetic import simulate
from survey.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument

    Build = Callable[[str], Instrument]

TEXT = """\
id: own
version: "1.0.0"
title: Own
response_scales:
  - id: r
    labels: [a, b, c, d, e]
    missing: [{code: 9, label: Prefer not to answer}]
  - id: kind2
    labels: [Dating, Married]
    codes: [2, 1]
items:
  - {id: q1, type: likert, text: One., response_scale: r}
  - {id: q2, type: likert, text: Two., response_scale: r}
  - {id: q3, type: likert, text: Three., response_scale: r}
  - {id: q4, type: likert, text: Four., response_scale: r}
  - {id: kind, type: choice, text: Kind?, response_scale: kind2}
  - {id: age, type: number, text: Age?, minimum: 18, maximum: 99}
scales:
  - {id: s, label: S, items: [q1, q2, q3], reversed: [q2], min_answered: 2}
  - {id: total, label: Total, items: [q1, q3], scoring: sum}
  - {id: alone, label: Alone, items: [q4]}
composites:
  - {id: both, label: Both, scales: [s, alone]}
forms:
  - {id: full, label: Full}
  - {id: short, label: Short, items: [q1, q4, age]}
"""


def scored(instrument: Instrument, **columns: list[object]) -> Scores:
    frame = pd.DataFrame(columns, dtype=object)
    frame.index = pd.Index([f"p{k}" for k in range(len(frame))], name="respondent")
    outcome = validate(RawResponses(frame, "test"), instrument)
    assert outcome.failures.empty
    return score(outcome.responses)


@pytest.fixture
def scores(instrument_from: Build) -> Scores:
    return scored(
        instrument_from(TEXT),
        q1=[5, 1, 4, None, 9],
        q2=[1, 5, None, None, 2],
        q3=[4, 2, None, None, 3],
        q4=[2, 4, None, 3, 1],
        kind=[1, 2, None, 1, 2],
        age=[30, 41.5, 25, 33, None],
    )


def test_means_with_reversed_items(scores: Scores) -> None:
    # q2 is turned round within 1..5; p2 gave one answer of the two needed.
    expected = [(5 + 5 + 4) / 3, (1 + 1 + 2) / 3, np.nan, np.nan, (4 + 3) / 2]
    assert scores.frame["s"].tolist() == pytest.approx(expected, nan_ok=True)


def test_sums_are_means_times_the_number_of_items(scores: Scores) -> None:
    expected = [9, 3, 8, np.nan, 6]  # half of two items is enough when none is stated
    assert scores.frame["total"].tolist() == pytest.approx(expected, nan_ok=True)


def test_composites_are_means_of_scale_scores(scores: Scores) -> None:
    expected = [(14 / 3 + 2) / 2, (4 / 3 + 4) / 2, np.nan, 3, (3.5 + 1) / 2]
    assert scores.frame["both"].tolist() == pytest.approx(expected, nan_ok=True)


def test_facts_are_numbers_and_named_categories(scores: Scores) -> None:
    kind = scores.frame["kind"]
    assert list(kind.cat.categories) == ["Dating", "Married"]
    assert list(kind.dropna()) == ["Married", "Dating", "Married", "Dating"]
    assert scores.frame["age"].tolist() == pytest.approx(
        [30, 41.5, 25, 33, np.nan], nan_ok=True
    )
    assert list(scores.frame.columns[-5:]) == [
        "couple", "role", "wave", "language", "form",
    ]  # fmt: skip


def test_keyed_items_and_what_is_missing(scores: Scores) -> None:
    assert scores.items["q2"].tolist() == pytest.approx(
        [5, 1, np.nan, np.nan, 4], nan_ok=True
    )
    assert scores.of("s").columns.tolist() == ["q1", "q2", "q3"]
    missing = scores.missing.set_index("scale")
    assert missing.loc["s", "n_scored"] == 3
    assert missing.loc["s", "n_too_few"] == 2


def test_codes_from_nought_turn_within_their_own_range(instrument_from: Build) -> None:
    text = TEXT.replace(
        "labels: [a, b, c, d, e]", "labels: [a, b, c, d, e]\n    codes: [0, 1, 2, 3, 4]"
    )
    found = scored(
        instrument_from(text), q1=[0, 4], q2=[0, 4], q3=[0, 4], q4=[1, 1],
        kind=[1, 2], age=[20, 20],
    )  # fmt: skip
    assert found.items["q2"].tolist() == [4, 0]
    assert found.frame["s"].tolist() == pytest.approx([4 / 3, 8 / 3])


def test_the_short_form_needs_what_it_offers(instrument_from: Build) -> None:
    found = scored(
        instrument_from(TEXT), q1=[5, None], q4=[3, 3], age=[30, 31],
        form=["short", "short"],
    )  # fmt: skip
    assert found.frame["s"].tolist() == pytest.approx([5, np.nan], nan_ok=True)
    assert found.frame["alone"].tolist() == [3, 3]


def test_scoring_changes_nothing_it_is_given(pushing_away: Instrument) -> None:
    responses = validate(simulate(pushing_away, 40, seed=1), pushing_away).responses
    before = responses.frame.copy()
    frame = score(responses).frame
    pd.testing.assert_frame_equal(responses.frame, before)
    assert {scale.id for scale in pushing_away.scales} <= set(frame.columns)
    assert keyed(responses).max(axis=None) <= 110


def test_scores_follow_the_simulated_truth(pushing_away: Instrument) -> None:
    raw = simulate(pushing_away, 3000, seed=8)
    assert raw.truth is not None
    frame = score(validate(raw, pushing_away).responses).frame
    people = raw.truth.people
    kept = ~people["careless"].to_numpy()
    for scale in pushing_away.scales:
        r = np.corrcoef(
            frame[scale.id].fillna(frame[scale.id].mean())[kept],
            people[scale.id][kept],
        )[0, 1]
        assert r > 0.75, scale.id


def test_waves(pushing_away: Instrument) -> None:
    raw = simulate(pushing_away, 60, seed=1, waves=2)
    scores = score(validate(raw, pushing_away).responses)
    first = scores.at_wave(1)
    assert len(first.frame) == len(first.items) == 60
    assert first.frame.index.is_unique
    with pytest.raises(AnalysisError, match=r"wave 7: nobody .* \[1, 2\]"):
        scores.at_wave(7)
