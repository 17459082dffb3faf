"""Logistic and ordinal regression against glm and MASS::polr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, ConvergenceError
from analysis.regression import logistic, ordinal

REFERENCE = Path(__file__).parents[1] / "reference"
MAXIMUM = 1e-7  # glm iterated to 1e-14 in the deviance
POLR = 1e-5  # polr differences its Hessian numerically
LIKELIHOOD = 1e-7  # flat at the maximum, so early stopping hardly shows
LEVELS = ["low", "some", "much", "full"]


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    text = (REFERENCE / "regression.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@pytest.fixture
def people() -> pd.DataFrame:
    data = pd.read_csv(REFERENCE / "regression.csv")
    ordered = pd.Categorical(data["commitment"], LEVELS, ordered=True)
    return data.assign(commitment=ordered)


@pytest.mark.parametrize("kind", ["nonrobust", "HC0", "HC1", "cluster"])
def test_logistic_equals_glm(
    kind: str, reference: dict[str, Any], people: pd.DataFrame
) -> None:
    expected = reference["logistic"]
    cluster = "couple" if kind == "cluster" else None
    fit = logistic(expected["formula"], people, vcov=kind, cluster=cluster)  # type: ignore[arg-type]
    assert fit.n_obs == expected["n_obs"]
    table = pd.DataFrame(expected["kinds"][kind])
    ours = fit.tidy()
    assert ours["term"].tolist() == table["term"].tolist()
    for column in ("estimate", "std_error", "statistic", "conf_low", "conf_high"):
        np.testing.assert_allclose(ours[column], table[column], rtol=MAXIMUM)
    np.testing.assert_allclose(ours["p_value"], table["p_value"], rtol=1e-5)


def test_logistic_odds_and_measures_equal_r(
    reference: dict[str, Any], people: pd.DataFrame
) -> None:
    expected = reference["logistic"]
    fit = logistic(expected["formula"], people)
    odds = fit.tidy()[["odds_ratio", "odds_low", "odds_high"]]
    np.testing.assert_allclose(odds, expected["odds"], rtol=MAXIMUM)
    row = fit.glance().iloc[0]
    for ours, theirs in {
        "log_lik": "log_lik",
        "aic": "aic",
        "bic": "bic",
        "pseudo_r_squared": "mcfadden",
        "auc": "auc",
    }.items():
        assert row[ours] == pytest.approx(expected[theirs], rel=1e-9)
    assert fit.outcome == "parted = 1"
    assert "parted = 1" in fit.summary()


def test_logistic_two_by_two_by_hand() -> None:
    # 30/10 against 15/25: log odds ratio ln(30*25 / (10*15)), variance sum of 1/n.
    x = [1] * 40 + [0] * 40
    y = ["yes"] * 30 + ["no"] * 10 + ["yes"] * 15 + ["no"] * 25
    fit = logistic("y ~ x", pd.DataFrame({"x": x, "y": y}))
    row = fit.tidy().iloc[1]
    assert row["odds_ratio"] == pytest.approx(5.0)
    assert row["std_error"] == pytest.approx(np.sqrt(1 / 30 + 1 / 10 + 1 / 15 + 1 / 25))
    assert fit.outcome == "y = yes"


def test_separation_is_refused_by_name(people: pd.DataFrame) -> None:
    data = people.dropna().assign(
        sure=lambda d: d["parted"] * 3 + d["support"] / 100,
        partly=lambda d: d["parted"] * (d["support"] > 4),
        offset=lambda d: d["parted"] + 10 * d["support"],
    )
    with pytest.raises(AnalysisError, match=r"'sure' \(each alone\).* completely"):
        logistic("parted ~ sure + age", data)
    with pytest.raises(AnalysisError, match=r"'partly' \(each alone\).* in part"):
        logistic("parted ~ partly + age", data)
    with pytest.raises(AnalysisError, match="combination of 'offset', 'support'"):
        logistic("parted ~ offset + support", data)


def test_logistic_refuses_other_outcomes_and_warns_of_few_events(
    people: pd.DataFrame,
) -> None:
    with pytest.raises(AnalysisError, match=r"4 values .*ordinal"):
        logistic("commitment ~ age", people)
    with pytest.raises(AnalysisError, match="1 values"):
        logistic("parted ~ age", people[people["parted"] == 1])
    with pytest.raises(AnalysisError, match="vcov"):
        logistic("parted ~ age", people, vcov="HC3")  # type: ignore[arg-type]
    few = logistic("parted ~ age + support + withdrawal + gender", people[:90])
    assert few.warnings["what"].str.contains("rarer outcome").any()


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_ordinal_equals_polr(
    link: str, reference: dict[str, Any], people: pd.DataFrame
) -> None:
    expected = reference["ordinal"][link]
    fit = ordinal("commitment ~ withdrawal + support + gender", people, link=link)  # type: ignore[arg-type]
    assert fit.n_obs == expected["n_obs"]
    ours = fit.tidy().set_index("term").loc[expected["term"]]
    np.testing.assert_allclose(ours["estimate"], expected["estimate"], rtol=POLR)
    np.testing.assert_allclose(ours["std_error"], expected["std_error"], rtol=POLR)
    row = fit.glance().iloc[0]
    assert row["log_lik"] == pytest.approx(expected["log_lik"], rel=LIKELIHOOD)
    assert row["log_lik"] >= expected["log_lik"] - 1e-9
    assert row["aic"] == pytest.approx(expected["aic"], rel=LIKELIHOOD)
    assert ours["coef_type"].tolist() == ["slope"] * 4 + ["threshold"] * 3


def test_ordinal_thresholds_without_effect_are_the_cumulative_logits() -> None:
    # The predictor is balanced within every category, so its slope is zero.
    y = [0] * 10 + [1] * 20 + [2] * 10
    data = pd.DataFrame({"y": y, "x": [0, 1] * 20})
    table = ordinal("y ~ x", data).tidy().set_index("term")["estimate"]
    assert table["x"] == pytest.approx(0, abs=1e-9)
    assert table["0|1"] == pytest.approx(np.log(1 / 3))
    assert table["1|2"] == pytest.approx(np.log(3))


def test_ordinal_recovers_slopes_and_thresholds() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(50, 10, size=4000)
    latent = 0.1 * x + rng.logistic(size=4000)
    data = pd.DataFrame({"x": x, "y": np.digitize(latent, [4, 5, 6])})
    table = ordinal("y ~ x", data).tidy()
    assert np.all(np.abs(table["estimate"] - [0.1, 4, 5, 6]) < 4 * table["std_error"])


def test_ordinal_refuses_what_it_cannot_do(people: pd.DataFrame) -> None:
    with pytest.raises(AnalysisError, match=r"2 categories .*logistic"):
        ordinal("parted ~ age", people)
    with pytest.raises(AnalysisError, match="no order"):
        ordinal("gender ~ age", people)
    codes = people["commitment"].cat.codes
    noise = np.random.default_rng(1).uniform(0, 0.9, len(people))
    with pytest.raises(ConvergenceError, match=r"'sure'.* completely"):
        ordinal("commitment ~ sure", people.assign(sure=codes + noise))
    with pytest.raises(ConvergenceError, match=r"'lowest'.* in part"):
        ordinal("commitment ~ lowest", people.assign(lowest=(codes == 0).astype(int)))
    with pytest.raises(AnalysisError, match="link"):
        ordinal("commitment ~ age", people, link="cloglog")  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="at least one predictor"):
        ordinal("commitment ~ 1", people)


def test_results_present_themselves(people: pd.DataFrame) -> None:
    fit = ordinal("commitment ~ withdrawal + support", people)
    assert "McFadden" in fit.summary()
    ticks = [t.get_text() for t in fit.plot().get_yticklabels()]
    assert ticks == ["withdrawal", "support"]
    logistic("parted ~ withdrawal", people).plot()
    plt.close("all")
