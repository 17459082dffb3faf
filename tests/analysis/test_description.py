"""What was answered and what is missing, by hand-computed values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from analysis.description import (
    answers,
    claim_table,
    flow_table,
    item_table,
    missingness,
    sample_table,
    scale_table,
)
from analysis.errors import AnalysisError
from survey import RawResponses, simulate, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from survey import Instrument, Responses


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def sample(pushing_away: Instrument) -> Responses:
    return validate(
        simulate(pushing_away, 120, seed=5, waves=2), pushing_away
    ).responses


@pytest.fixture
def four(small: Instrument) -> Responses:
    frame = pd.DataFrame(
        {
            "rs1": [5, 5, 1, None],
            "rs2": [1, 2, 3, 4],
            "rs3": [4, None, 3, 2],
            "age": [30, 40, None, 50],
        },
        index=pd.Index(list("abcd"), name="respondent"),
    )
    return validate(RawResponses(frame, "test"), small).responses


def test_shares_add_to_100_and_count_answers(four: Responses) -> None:
    (part,) = answers(four)
    assert part.n.to_dict() == {"rs1": 3, "rs2": 4, "rs3": 3}
    assert part.shares.loc["rs1"].tolist() == pytest.approx([100 / 3, 0, 0, 0, 200 / 3])
    assert (part.shares.sum(axis="columns").round(9) == 100).all()
    assert part.shares.columns[0] == "Strongly disagree"


def test_figure_says_texts_n_and_answers(four: Responses) -> None:
    (part,) = answers(four)
    ax = part.plot()
    labels = " ".join(tick.get_text() for tick in ax.get_yticklabels())
    assert "I am happy with my relationship." in " ".join(labels.split())
    assert "(n = 3)" in labels
    assert "67 % answer Agree or more" in ax.get_title(loc="left") + ax.get_title()


def test_a_figure_holds_few_items_of_one_response_scale(sample: Responses) -> None:
    parts = answers(sample.at_wave(1), ["sign"])
    assert sum(len(part.n) for part in parts) == 44
    assert all(len(part.n) <= 16 for part in parts)
    assert all(part.shares.shape[1] == 5 for part in parts)


def test_unknown_scale_is_refused(four: Responses) -> None:
    with pytest.raises(AnalysisError, match=r"\['nosuch'\] are no scale or kind"):
        answers(four, ["nosuch"])


def test_missing_answers_by_reason(four: Responses) -> None:
    found = missingness(four, by="item")
    assert found.shares.loc["rs1", "left blank"] == 25
    assert found.shares.loc["rs2"].sum() == 0
    assert found.complete == 0.25
    assert "25% of 4 rows are complete" in found.summary()
    assert found.plot().get_xlabel().endswith("(n = 4)")


def test_items_not_shown_are_not_missing(sample: Responses) -> None:
    by_item = missingness(sample, by="item")
    assert by_item.not_shown["relchg"] > 50  # asked from wave 2 on
    assert by_item.shares.loc["relchg"].sum() < 10


def test_people_are_described(four: Responses) -> None:
    table = sample_table(four).set_index("item")
    assert table.loc["age", "n"] == 3
    assert table.loc["age", "mean"] == 40
    assert table.loc["age", "minimum"] == 30


def test_flow_counts_people_and_couples(sample: Responses) -> None:
    table = flow_table(sample).set_index("wave")
    assert table.loc[1, "people"] == 120
    assert table.loc[1, "couples_both"] == 30
    assert table.loc[1, "without_couple"] == 60


def test_tables_of_the_instrument(pushing_away: Instrument) -> None:
    scales = scale_table(pushing_away).set_index("id")
    assert scales.loc["avoidance", "items"] == "av1, av2, av3 (R), av4"
    assert scales.loc["withdrawal", "kind"] == "composite"
    assert len(item_table(pushing_away)) == len(pushing_away.items)
    assert list(claim_table(pushing_away)["id"]) == [f"C{i}" for i in range(1, 11)]
