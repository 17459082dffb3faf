"""Graded response models of the scales of a questionnaire, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analysis.irt import graded_response
from analysis.measurement import scale_items
from analysis.response_report import response_report
from analysis.scoring import score
from survey import Instrument, simulate, validate

if TYPE_CHECKING:
    from analysis.scoring import Scores


@pytest.fixture(scope="module")
def scores() -> Scores:
    instrument = Instrument.load("pushing_away")
    raw = simulate(instrument, 400, seed=5, waves=1)
    return score(validate(raw, instrument).responses)


def test_every_scale_has_its_own_model(scores: Scores) -> None:
    report = response_report(scores, "avoidance, affection")
    alone = graded_response(scale_items(scores, "avoidance")["avoidance"])
    assert list(report.found) == ["avoidance", "affection"]
    assert report.found["avoidance"].log_lik == pytest.approx(alone.log_lik)
    table = report.tidy()
    assert list(table["scale"].unique()) == ["avoidance", "affection"]
    assert (table["a"] > 0).all()
    assert "2 graded response models" in report.summary()
    assert "Q3 < .37, or residual correlations < .20" in report.summary()
    titles = [ax.get_title(loc="left") for ax in report.plot_information().axes]
    assert any("measures best" in title for title in titles)
    assert report.plot().get_yticklabels()[0].get_text() in report.found


def test_scales_without_a_model_say_why(scores: Scores) -> None:
    few = replace(scores, items=scores.items.iloc[:12])
    report = response_report(few, "avoidance")
    assert not report.found
    assert "no item response model" in set(report.warnings["what"])
    assert "no scale has a graded response model" in report.summary()
    assert report.tidy().empty
    assert report.plot().texts
    assert report.plot_information().axes[0].texts
