"""Scales compared across groups and waves of a questionnaire, and aligned."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.result import Result
from analysis.scale_invariance import (
    AlignedScales,
    ScaleInvariance,
    aligned_scales,
    group_invariance,
    wave_invariance,
)
from analysis.scoring import Scores, score
from analysis.sem.alignment import alignment
from survey import Instrument, simulate, validate

mpl.use("Agg")

SCALES = "avoidance, affection"


@pytest.fixture(scope="module")
def everybody() -> Scores:
    instrument = Instrument.load("pushing_away")
    raw = simulate(instrument, 1000, seed=5, waves=2)
    return score(validate(raw, instrument).responses)


@pytest.fixture(scope="module")
def groups(everybody: Scores) -> ScaleInvariance:
    scores = everybody.at_wave(1)
    return group_invariance(scores, "relkind", scales=SCALES, smallest=60)


@pytest.fixture(scope="module")
def aligned(groups: ScaleInvariance) -> AlignedScales:
    return aligned_scales(groups)


def test_three_groups_are_aligned_on_every_scale(
    groups: ScaleInvariance, aligned: AlignedScales
) -> None:
    assert isinstance(aligned, Result)
    table = aligned.tidy()
    sizes = next(iter(groups.found.values())).groups
    assert len(sizes) >= 3
    assert len(table) == 2 * len(sizes)
    for name, one in groups.found.items():
        alone = alignment(one.fit("configural"))
        mine = table[table["scale"] == name]
        np.testing.assert_allclose(mine["mean"], alone.means["mean"])
        assert mine["n_obs"].tolist() == list(sizes.values())
        assert (mine["noninvariance"] == alone.noninvariance).all()
    assert aligned.glance()["n_groups"].item() == len(sizes)
    assert f"aligned on 2 scales over {len(sizes)} groups" in aligned.summary()
    assert "standard deviations of" in aligned.plot().get_xlabel()
    mpl.pyplot.close("all")


def test_warnings_of_the_ladder_are_not_said_twice(aligned: AlignedScales) -> None:
    own = {"much non-invariance", "optimum found once", "no standard errors"}
    assert set(aligned.warnings["what"]) <= own
    assert list(aligned.warnings.columns) == ["what", "where", "remedy"]


def test_two_groups_are_not_aligned(everybody: Scores) -> None:
    scores = everybody.at_wave(1)
    two = group_invariance(scores, "gender", scales="avoidance", smallest=100)
    found = aligned_scales(two)
    assert found.tidy().empty
    assert found.summary().startswith("Nothing is aligned by gender")
    with pytest.raises(AnalysisError, match="nothing to draw"):
        found.plot()


def test_waves_are_compared_and_not_aligned(everybody: Scores) -> None:
    waves = wave_invariance(everybody, scales="avoidance")
    assert waves.by == "wave"
    assert set(waves.tidy()["scale"]) == {"avoidance"}
    assert not aligned_scales(waves).found


def test_a_small_group_is_named(everybody: Scores) -> None:
    scores = everybody.at_wave(1)
    found = group_invariance(scores, "gender", scales="avoidance", smallest=100)
    assert "group left out" in set(found.warnings["what"])
    with pytest.raises(AnalysisError, match="no column of the scores"):
        group_invariance(scores, "nothing")
