"""Hierarchical regression against anova, waldtest and boot.ci in R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.regression import hierarchical

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-8  # closed forms
DRAWN = 0.006  # two bootstraps of 4,000 draws: their quantiles differ by chance
BLOCKS = {
    "demographics": ["age", "gender"],
    "scales": ["withdrawal", "support"],
    "product": ["withdrawal:support"],
}


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    text = (REFERENCE / "regression.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["hierarchical"])


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "regression.csv")


def test_steps_equal_r(reference: dict[str, Any], people: pd.DataFrame) -> None:
    fit = hierarchical("satisfaction", BLOCKS, people, draws=200)
    assert fit.n_obs == reference["n_obs"]
    assert {step.n_obs for step in fit.steps} == {reference["n_obs"]}
    table = fit.tidy()
    assert table["term"].tolist() == list(BLOCKS)
    names = {
        "r_squared": "r_squared",
        "estimate": "delta",
        "f_change": "f_change",
        "df_num": "df_num",
        "df_den": "df_den",
        "statistic": "f_robust",
        "aic": "aic",
        "bic": "bic",
    }
    for ours, theirs in names.items():
        expected = [step[theirs] for step in reference["steps"]]
        np.testing.assert_allclose(table[ours], expected, rtol=EXACT)
    for ours, theirs in {"p_change": "p_change", "p_value": "p_robust"}.items():
        expected = [step[theirs] for step in reference["steps"]]
        np.testing.assert_allclose(table[ours], expected, rtol=1e-6)


def test_interval_of_the_change_equals_boot(
    reference: dict[str, Any], people: pd.DataFrame
) -> None:
    rows = people.dropna(subset=["age", "gender", "withdrawal", "support"])
    fit = hierarchical("satisfaction", BLOCKS, rows, draws=4000)
    row = fit.tidy().iloc[1]
    low, high = reference["bca"]
    assert row["conf_low"] == pytest.approx(low, abs=DRAWN)
    assert row["conf_high"] == pytest.approx(high, abs=DRAWN)


def test_interval_covers_the_true_change() -> None:
    rng = np.random.default_rng(5)
    # y = x + z / 2 + e, all of variance one: the change by z is .25 / 2.25.
    inside = 0
    for seed in range(60):
        x, z, e = rng.normal(size=(3, 200))
        data = pd.DataFrame({"x": x, "z": z, "y": x + z / 2 + e})
        row = hierarchical("y", [["x"], ["z"]], data, draws=300, seed=seed).tidy()
        inside += row["conf_low"][1] <= 0.25 / 2.25 <= row["conf_high"][1]
    assert inside >= 50  # 95 % of 60, less four binomial standard errors


def test_seed_and_cluster(people: pd.DataFrame) -> None:
    first = hierarchical("satisfaction", BLOCKS, people, draws=200, seed=4)
    again = hierarchical("satisfaction", BLOCKS, people, draws=200, seed=4)
    pd.testing.assert_frame_equal(first.tidy(), again.tidy())
    clustered = hierarchical(
        "satisfaction", BLOCKS, people, vcov="cluster", cluster="couple", draws=200
    )
    assert clustered.vcov_kind == "cluster (couple)"
    assert (clustered.tidy()["df_robust"] == 119).all()


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([], "there are none"),
        ([["age"], []], "Block 2"),
        (["age"], "not a list"),
        ([["age"], ["age"]], "entered twice"),
        (
            [["withdrawal:support", "age"], ["support*withdrawal - age"]],
            "are lost",
        ),
        ([["age"], ["0"]], "intercept"),
        ([["gender:age"], ["age"]], "change their coding"),
    ],
)
def test_faulty_blocks_are_refused(
    blocks: list[list[str]], words: str, people: pd.DataFrame
) -> None:
    with pytest.raises(AnalysisError, match=words):
        hierarchical("satisfaction", blocks, people, draws=100)


def test_result_presents_itself(people: pd.DataFrame) -> None:
    fit = hierarchical("satisfaction", BLOCKS, people, draws=100)
    assert "scales: R2" in fit.summary()
    assert len(fit.glance()) == 3
    assert "change in R squared" in fit.plot().get_xlabel()
    plt.close("all")
