"""Cross-validated gain against lm refitted without each couple in R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, TooFewError
from analysis.regression import incremental

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-8  # leaving one couple out has no randomness
BASE, ADDED = ["age", "gender"], ["withdrawal", "support"]


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    text = (REFERENCE / "regression.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["incremental"])


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "regression.csv")


def test_leaving_one_couple_out_equals_r(
    reference: dict[str, Any], people: pd.DataFrame
) -> None:
    result = incremental(
        "satisfaction",
        BASE,
        ADDED,
        people,
        groups="couple",
        folds=reference["n_couples"],
        repeats=1,
    )
    table = result.tidy()
    assert table["estimate"][0] == pytest.approx(reference["base"], rel=EXACT)
    assert table["estimate"][1] == pytest.approx(reference["full"], rel=EXACT)
    assert table["statistic"][5] == pytest.approx(reference["F"], rel=EXACT)
    assert table["p_value"][5] == pytest.approx(reference["p"], rel=1e-6)
    assert table["sample"].tolist() == ["out of fold"] * 3 + ["in sample"] * 3


def test_noise_gains_in_sample_only() -> None:
    rng = np.random.default_rng(4)
    noise = [f"n{i}" for i in range(15)]
    data = pd.DataFrame(rng.normal(size=(150, 15)), columns=noise)
    data["x"] = rng.normal(size=150)
    data["y"] = data["x"] + rng.normal(size=150)
    table = incremental("y", ["x"], noise, data).tidy()
    assert table["estimate"][2] < 0 < table["estimate"][5]


def test_interval_covers_the_gain_of_large_training_sets() -> None:
    # y = x + z / 2 + e: the gain of the true coefficients is .25 / 2.25.
    rng = np.random.default_rng(6)
    inside = 0
    for seed in range(60):
        x, z, e = rng.normal(size=(3, 400))
        data = pd.DataFrame({"x": x, "z": z, "y": x + z / 2 + e})
        row = incremental("y", ["x"], ["z"], data, repeats=1, seed=seed).tidy().iloc[2]
        inside += row["conf_low"] <= 0.25 / 2.25 <= row["conf_high"]
    assert inside >= 50  # 95 % of 60, less four binomial standard errors


def test_couples_never_part(people: pd.DataFrame) -> None:
    # Each row twice: parted copies would make noise look predictive.
    rng = np.random.default_rng(3)
    one = pd.DataFrame(rng.normal(size=(60, 21)))
    one.columns = pd.Index(["y", *(f"x{i}" for i in range(20))])
    data = pd.concat([one, one], ignore_index=True).assign(pair=[*range(60)] * 2)
    xs = [f"x{i}" for i in range(20)]
    apart = incremental("y", [], xs, data).tidy()["estimate"][1]
    kept = incremental("y", [], xs, data, groups="pair").tidy()["estimate"][1]
    assert kept < apart
    assert kept < 0
    assert people["couple"].nunique() == 120


def test_same_seed_same_numbers() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(1000, 16)))
    data.columns = pd.Index([f"x{i}" for i in range(15)] + ["y"])
    xs = [f"x{i}" for i in range(15)]
    first = incremental("y", xs[:4], xs[4:], data, seed=2)
    again = incremental("y", xs[:4], xs[4:], data, seed=2)
    pd.testing.assert_frame_equal(first.tidy(), again.tidy())


def test_faults_are_refused(people: pd.DataFrame) -> None:
    with pytest.raises(AnalysisError, match="at least one predictor added"):
        incremental("satisfaction", BASE, [], people)
    with pytest.raises(AnalysisError, match="stand in base and in added"):
        incremental("satisfaction", BASE, ["age"], people)
    with pytest.raises(AnalysisError, match="1 folds"):
        incremental("satisfaction", BASE, ADDED, people, folds=1)
    with pytest.raises(AnalysisError, match="999 folds"):
        incremental("satisfaction", BASE, ADDED, people, folds=999)
    with pytest.raises(TooFewError, match="rows to train"):
        incremental("satisfaction", BASE, ADDED, people[:10], folds=2)
    with pytest.raises(AnalysisError, match="main effects in base"):
        incremental("satisfaction", ["age:gender"], ["age"], people)


def test_result_presents_itself(people: pd.DataFrame) -> None:
    result = incremental("satisfaction", BASE, ADDED, people, repeats=2)
    assert "out-of-fold" in result.summary()
    assert "in sample" in result.summary()
    assert len(result.glance()) == 1
    assert result.plot().get_legend() is not None
    plt.close("all")
