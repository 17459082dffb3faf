"""Each outcome gets the model its kind of answer asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.outcomes import chosen_names, clusters, explain, z_scores
from analysis.regression import ols
from analysis.scoring import score
from survey import simulate, validate

if TYPE_CHECKING:
    from analysis.scoring import Scores
    from survey import Instrument


@pytest.fixture(scope="module")
def scores(pushing_away: Instrument) -> Scores:
    raw = simulate(pushing_away, 400, seed=9, waves=2)
    return score(validate(raw, pushing_away).responses)


@pytest.fixture(scope="module")
def first(scores: Scores) -> Scores:
    return scores.at_wave(1)


def test_scores_are_fitted_by_least_squares_on_z_scores(first: Scores) -> None:
    found = explain(first, ["satisfaction"], ["withdrawal"], controls=["age"])
    fit = found.fits["satisfaction"]
    assert fit.kind == "linear"
    names = ["satisfaction", "withdrawal", "age"]
    frame = first.frame.assign(cluster=clusters(first.frame))
    by_hand = ols(
        "satisfaction ~ age + withdrawal",
        z_scores(frame, names),
        vcov="cluster",
        cluster="cluster",
    )
    ours = found.tidy().set_index("term")["estimate"]
    theirs = by_hand.tidy().set_index("term")["estimate"]
    assert ours.to_dict() == pytest.approx(theirs.to_dict())
    assert list(found.steps()["outcome"]) == ["satisfaction"] * 2


def test_two_options_are_logistic_and_a_single_item_is_ordinal(scores: Scores) -> None:
    found = explain(scores.at_wave(2), ["livetog", "relchg"], ["wellbeing"])
    assert found.fits["livetog"].kind == "logistic"
    assert found.fits["relchg"].kind == "ordinal"


def test_what_cannot_be_explained_has_a_reason(first: Scores) -> None:
    found = explain(first, ["satisfaction", "relchg", "relkind"], ["withdrawal"])
    assert list(found.fits) == ["satisfaction"]
    reasons = found.warnings.set_index("where")["remedy"]
    assert "nobody has a value of ['relchg']" in reasons["relchg"]
    assert "relkind" in reasons


def test_names_from_a_report_parameter(pushing_away: Instrument) -> None:
    assert chosen_names(pushing_away, "trust, age", kind="outcome") == ("trust", "age")
    assert chosen_names(pushing_away, "", kind="reason") == (
        "trust_issues",
        "fear",
        "sadness",
    )
    with pytest.raises(AnalysisError, match="'trst' is no scale"):
        chosen_names(pushing_away, "trst", kind="outcome")


def test_nothing_to_explain_is_said(first: Scores) -> None:
    found = explain(first, [], ["withdrawal"])
    assert not found.fits
    assert found.warnings["what"].tolist() == ["no outcomes named"]
    assert "satisfaction" in found.warnings["remedy"].iloc[0]


def test_figure_names_what_goes_most_clearly(first: Scores) -> None:
    found = explain(first, ["satisfaction", "trust"], ["withdrawal", "coping"])
    ax = found.plot()
    title = ax.get_title() + ax.get_title(loc="left")
    assert "Withdrawal" in title
    assert "n =" in title + ax.get_xlabel() + " ".join(t.get_text() for t in ax.texts)
    plt.close("all")


def test_ids_of_couples_and_people_may_coincide() -> None:
    frame = pd.DataFrame({"couple": [None, "1", "1"]}, index=["1", "2", "3"])
    assert clusters(frame).nunique() == 2
    assert clusters(frame).iloc[1] == clusters(frame).iloc[2]
