"""Accuracy of signs against pROC and prop.test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, TooFewError
from analysis.regression import diagnostic

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-9  # ranks and closed forms
CUTS = {"withdrawal": 3.0, "support": 4.0}


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    text = (REFERENCE / "regression.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["diagnostic"])


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "regression.csv")


@pytest.mark.parametrize("sign", list(CUTS))
def test_equals_proc(
    sign: str, reference: dict[str, Any], people: pd.DataFrame
) -> None:
    expected = reference[sign]
    result = diagnostic(people[list(CUTS)], people["parted"], cutoffs=CUTS)
    row = result.tidy().set_index("term").loc[sign]
    assert (row["n_obs"], row["n_events"]) == (expected["n_obs"], expected["n_events"])
    for ours, theirs in {
        "estimate": "auc",
        "std_error": "se",
        "conf_low": "low",
        "conf_high": "high",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
        "ppv": "ppv",
        "npv": "npv",
    }.items():
        assert row[ours] == pytest.approx(expected[theirs], rel=EXACT)
    for name in ("sensitivity", "specificity"):
        ours = [row[f"{name}_low"], row[f"{name}_high"]]
        np.testing.assert_allclose(ours, expected[f"{name}_ci"], rtol=EXACT)
    observed = result.predictive.query("kind == 'observed'").set_index("term").loc[sign]
    np.testing.assert_allclose(
        [observed["ppv_low"], observed["ppv_high"]], expected["ppv_ci"], rtol=EXACT
    )


def test_youden_equals_proc(reference: dict[str, Any], people: pd.DataFrame) -> None:
    result = diagnostic(people[list(CUTS)], people["parted"])
    table = result.tidy().set_index("term")
    for sign in CUTS:
        ours = table.loc[sign, "sensitivity"] + table.loc[sign, "specificity"]
        assert ours == pytest.approx(reference[sign]["youden"], rel=EXACT)
    assert result.warnings["what"].str.contains("optimistic").any()
    assert "Youden" in result.cut_rule


def test_predictive_values_by_hand() -> None:
    # Sensitivity 8/10, specificity 18/20; at 2 %: .016 / (.016 + .098).
    sign = [1] * 8 + [0] * 2 + [1] * 2 + [0] * 18
    event = pd.Series([True] * 10 + [False] * 20, name="parted")
    result = diagnostic(pd.DataFrame({"s": sign}), event, cutoffs={"s": 1})
    stated = result.predictive.query("kind == 'stated'").set_index("base_rate")
    assert stated.loc[0.02, "ppv"] == pytest.approx(0.016 / 0.114)
    assert stated.loc[0.02, "npv"] == pytest.approx(0.882 / 0.886)
    assert result.tidy()["ppv"][0] == pytest.approx(0.8)
    half = 1.959964 * np.sqrt(0.2 / (10 * 0.8) + 0.9 / (20 * 0.1))
    logit = np.log(0.016 / 0.098)
    assert stated.loc[0.02, "ppv_high"] == pytest.approx(
        1 / (1 + np.exp(-logit - half)), rel=1e-6
    )
    assert result.tidy()["estimate"][0] == pytest.approx(0.5 * (0.8 + 0.9))


def test_duplicated_people_widen_nothing_when_grouped(people: pd.DataFrame) -> None:
    once = diagnostic(
        people[["withdrawal"]], people["parted"], cutoffs={"withdrawal": 3}
    )
    twice = pd.concat([people, people], ignore_index=True)
    copies = pd.Series([*range(len(people))] * 2)
    grouped = diagnostic(
        twice[["withdrawal"]],
        twice["parted"],
        cutoffs={"withdrawal": 3},
        groups=copies,
    )
    naive = diagnostic(
        twice[["withdrawal"]], twice["parted"], cutoffs={"withdrawal": 3}
    )
    error = "std_error"
    assert naive.tidy()[error][0] < once.tidy()[error][0]
    assert grouped.tidy()[error][0] == pytest.approx(once.tidy()[error][0], rel=0.01)
    width = grouped.tidy()["sensitivity_high"] - grouped.tidy()["sensitivity_low"]
    alone = once.tidy()["sensitivity_high"] - once.tidy()["sensitivity_low"]
    assert width[0] == pytest.approx(alone[0], rel=0.02)
    singles = diagnostic(
        people[["withdrawal"]],
        people["parted"],
        cutoffs={"withdrawal": 3},
        groups=pd.Series(range(len(people))),
    )
    assert singles.tidy()[error][0] == pytest.approx(once.tidy()[error][0], rel=1e-12)


def test_missing_values_are_left_out_per_sign(people: pd.DataFrame) -> None:
    signs = people[list(CUTS)].astype("Float64")
    signs.loc[:29, "withdrawal"] = pd.NA
    event = people["parted"].astype("boolean")
    event[100:103] = pd.NA
    result = diagnostic(signs, event, cutoffs=CUTS)
    assert (result.n_obs, result.n_dropped) == (237, 3)
    assert result.tidy()["n_obs"].tolist() == [207, 235]
    assert result.warnings["what"].str.contains("miss this sign").any()


def test_warnings_and_refusals(people: pd.DataFrame) -> None:
    signs, event = people[["withdrawal"]], people["parted"]
    first = event[event == 1].index[4:]
    with pytest.raises(TooFewError, match="withdrawal: 4 events"):
        diagnostic(signs.drop(first), event.drop(first))
    with pytest.raises(AnalysisError, match="not True/False"):
        diagnostic(signs, people["gender"])
    with pytest.raises(AnalysisError, match="base_rates"):
        diagnostic(signs, event, base_rates=(5, 10))
    with pytest.raises(AnalysisError, match="no cut for"):
        diagnostic(people[list(CUTS)], event, cutoffs={"support": 4})
    with pytest.raises(AnalysisError, match="no column 'suport'"):
        diagnostic(people[list(CUTS)], event, cutoffs=CUTS | {"suport": 4})
    with pytest.raises(AnalysisError, match="index differs"):
        diagnostic(signs, event[:-1])
    with pytest.raises(AnalysisError, match="hold no numbers"):
        diagnostic(people[["gender"]], event)
    extreme = diagnostic(signs, event, cutoffs={"withdrawal": 99})
    assert extreme.warnings["what"].str.contains("marks no one").any()
    assert extreme.predictive["ppv"].isna().all()
    reverse = diagnostic(-signs, event, cutoffs={"withdrawal": 0})
    assert reverse.warnings["what"].str.contains("fewer events").any()
    same = diagnostic(pd.DataFrame({"s": event}), event, cutoffs={"s": 1})
    assert same.warnings["what"].str.contains("no width").any()


def test_result_presents_itself(people: pd.DataFrame) -> None:
    result = diagnostic(people[list(CUTS)], people["parted"], cutoffs=CUTS)
    assert "highest AUC" in result.summary()
    assert len(result.glance()) == 1
    assert "n = 240" in result.plot().get_xlabel()
    assert "n = 240" in result.plot_auc().get_xlabel()
    plt.close("all")
