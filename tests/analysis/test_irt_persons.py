"""Person scores and monotonicity are those of R: tests/reference/irt_persons.R."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import fisher_exact

from analysis.errors import AnalysisError, TooFewError
from analysis.irt import GradedResponse, graded_response
from analysis.irt.curves import Item
from analysis.irt.persons import Method, person_scores
from analysis.irt.rest_scores import monotonicity
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "irt_persons.json").read_text("utf-8"))
ANSWERS = pd.read_csv(HERE / "irt_persons.csv")
NAMES = ["calm", "cold", "late", "away", "turned"]
#: R derives numerically: five points, steps of 1e-3.
SCORE = 1e-7
#: Closed formulas; fisher.test sums to about this.
EXACT = 1e-9


def model(parameters: list[tuple[float, Any]], data: pd.DataFrame) -> GradedResponse:
    """Fit the answers, then put given parameters in place of the estimates."""
    items = tuple(
        Item(float(a), -float(a) * np.atleast_1d(np.array(b, dtype=float)))
        for a, b in parameters
    )
    return replace(graded_response(data), items=items)


@pytest.fixture(scope="module")
def fit() -> GradedResponse:
    return model(REFERENCE["parameters"], ANSWERS[NAMES])


@pytest.mark.parametrize("method", get_args(Method))
def test_scores_are_those_of_r(fit: GradedResponse, method: Method) -> None:
    theirs = np.array(REFERENCE["scores"][method], dtype=float)
    ours = person_scores(fit, ANSWERS, method=method)
    assert ours.n_obs == len(ANSWERS)
    head = ours.frame.head(len(theirs))
    # R finds no root where the maximum is infinite.
    estimate = head["estimate"].replace([-np.inf, np.inf], np.nan)
    np.testing.assert_allclose(estimate, theirs[:, 0], atol=SCORE)
    np.testing.assert_allclose(head["std_error"], theirs[:, 1], atol=SCORE)
    assert isinstance(ours, Result)
    assert method.upper() in ours.summary()


def test_score_by_hand() -> None:
    # Three binary items with slope 1 at zero: two of three passed.
    data = pd.DataFrame(
        [[0, 0, 0], [1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]] * 20
    ).set_axis(list("abc"), axis=1)
    fit = model([(1.0, [0.0])] * 3, data)
    two = pd.DataFrame({"a": [1], "b": [1], "c": [0]})
    found = person_scores(fit, two, method="ml").frame.iloc[0]
    assert found["estimate"] == pytest.approx(logit(2 / 3))
    assert found["std_error"] == pytest.approx(1 / np.sqrt(3 * 2 / 9))
    # Warm (1989): 2 - 3 P + (1 - 2 P) / 2 = 0, so P = (2 + 1 / 2) / 4.
    weighted = person_scores(fit, two, method="wle").frame.iloc[0]
    assert weighted["estimate"] == pytest.approx(logit(2.5 / 4))
    drawn = person_scores(fit, two, method="map").frame.iloc[0]
    assert 2 - 3 * expit(drawn["estimate"]) == pytest.approx(drawn["estimate"])


def test_extreme_answers_are_infinite_and_said(fit: GradedResponse) -> None:
    best = {"calm": 3, "cold": 2, "late": 1, "away": 4, "turned": 0}
    people = pd.DataFrame(
        [best, {**best, "cold": np.nan}, dict.fromkeys(NAMES, np.nan)],
        index=["high", "gap", "silent"],
    )
    ours = person_scores(fit, people, method="ml")
    assert ours.n_obs == ours.n_infinite == 2
    assert np.isposinf(ours.frame.loc[["high", "gap"], "estimate"]).all()
    assert ours.frame["std_error"].isna().all()
    assert np.isnan(ours.frame.loc["silent", "estimate"])
    assert ours.warnings["what"].tolist() == ["scores_infinite", "scores_missing"]
    weighted = person_scores(fit, people)
    assert weighted.warnings["where"].tolist() == [
        "1 of 3 people answered no item: no score"
    ]
    assert np.isfinite(weighted.frame.loc[["high", "gap"], "estimate"]).all()
    assert weighted.frame["n_answered"].tolist() == [5, 4, 0]


def test_weighted_likelihood_is_least_biased() -> None:
    parameters = [(1.4, [-1.5, 0.0, 1.5])] * 8
    rng = np.random.default_rng(3)

    def people(theta: Any) -> pd.DataFrame:
        noise = theta[:, None] * 1.4 + rng.logistic(size=(len(theta), 8))
        return pd.DataFrame(
            np.digitize(noise, [-2.1, 0.0, 2.1]), columns=list("abcdefgh")
        )

    fit = model(parameters, people(rng.normal(size=400)))
    at = people(np.full(4000, 1.5))
    bias = {
        method: float(person_scores(fit, at, method=method).frame["estimate"].mean())
        - 1.5
        for method in ("wle", "map")
    }
    # Standard error of the mean of 4,000: .007.
    assert abs(bias["wle"]) < 0.03
    assert bias["map"] < -0.1


def test_scores_refuse_what_the_model_has_not_seen(fit: GradedResponse) -> None:
    with pytest.raises(AnalysisError, match=r"missing: \['late'\]"):
        person_scores(fit, ANSWERS.drop(columns="late"))
    with pytest.raises(AnalysisError, match=r"'cold' holds \[7\.0\]"):
        person_scores(fit, ANSWERS.assign(cold=7))
    with pytest.raises(AnalysisError, match="method='eap' is unknown"):
        person_scores(fit, ANSWERS, method="eap")  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="not a code"):
        person_scores(fit, ANSWERS.assign(cold="never"))


def test_monotonicity_is_that_of_r() -> None:
    whole = ANSWERS.dropna()
    ours = monotonicity(ANSWERS, min_group=len(whole) // 5)
    theirs = pd.DataFrame(REFERENCE["monotonicity"])
    assert ours.n_obs == REFERENCE["n_complete"] == len(whole)
    assert ours.n_dropped == len(ANSWERS) - len(whole)
    for column in theirs:
        np.testing.assert_allclose(
            ours.table[column], theirs[column], atol=EXACT, err_msg=str(column)
        )
    assert isinstance(ours, Result)
    found = ours.warnings.set_index("what")["where"]
    assert "turned" in found["not_monotone"]
    assert "rows_dropped" in found.index


def test_monotonicity_by_hand() -> None:
    # Rest scores of c are 0 and 2, 60 people each; fewer pass it above.
    a = np.repeat([0, 1], 60)
    c = np.repeat([1, 0, 1, 0], [40, 20, 10, 50])
    ours = monotonicity(pd.DataFrame({"a": a, "b": a, "c": c}), min_group=20)
    row = ours.table.set_index("item").loc["c"]
    assert (row["n_groups"], row["comparisons"], row["violations"]) == (2, 1, 1)
    assert row["max_violation"] == pytest.approx(0.5)
    exact = fisher_exact([[40, 20], [10, 50]], alternative="greater").pvalue
    assert row["p_min"] == pytest.approx(exact, rel=1e-9)
    share = ours.steps.query("item == 'c'")["share"]
    np.testing.assert_allclose(share, [2 / 3, 1 / 6])


@pytest.mark.parametrize(("n", "group"), [(600, 60), (300, 60), (180, 60), (120, 50)])
def test_groups_follow_the_rule(n: int, group: int) -> None:
    rng = np.random.default_rng(n)
    theta = rng.normal(size=(n, 1))
    data = pd.DataFrame((theta + rng.normal(size=(n, 8)) > 0).astype(int))
    ours = monotonicity(data)
    assert ours.min_group == group
    assert (ours.steps["n"] >= group).all()
    assert ours.steps.groupby(["item", "code"])["n"].sum().eq(n).all()


def test_monotone_items_pass_at_the_level() -> None:
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        line = rng.normal(size=(500, 1)) + rng.logistic(size=(500, 6))
        data = pd.DataFrame(np.digitize(line, [-1.5, 0.0, 1.5]))
        found += len(monotonicity(data).warnings)
    # The p is corrected for every comparison: well below .05 of 40.
    assert found <= 2


def test_monotonicity_refuses() -> None:
    with pytest.raises(TooFewError, match="at least 3 items"):
        monotonicity(ANSWERS[["calm", "cold"]])
    with pytest.raises(TooFewError, match="at least 100 are needed"):
        monotonicity(ANSWERS.head(40))
    with pytest.raises(AnalysisError, match="min_violation=2"):
        monotonicity(ANSWERS, min_violation=2)
    with pytest.raises(AnalysisError, match="min_group=400 leaves no two groups"):
        monotonicity(ANSWERS, min_group=400)
    with pytest.raises(AnalysisError, match="does not vary"):
        monotonicity(ANSWERS.assign(calm=1))


def test_rest_scores_too_close_are_named() -> None:
    data = pd.DataFrame({"a": [0] * 110 + [1] * 10, "b": [0] * 110 + [1] * 10})
    data["c"] = [0, 1] * 60
    ours = monotonicity(data, min_group=50)
    row = ours.table.set_index("item").loc["c"]
    assert (row["n_groups"], row["comparisons"]) == (1, 0)
    assert np.isnan(row["p_holm"])
    assert "c" in ours.warnings.set_index("what").loc["not_checked", "where"]


def test_steps_are_drawn() -> None:
    ours = monotonicity(ANSWERS)
    axes = ours.plot(item="calm", labels={"calm": "Stays calm"})
    assert axes.get_title(loc="left") == "Stays calm"
    assert f"n = {ours.n_obs}" in axes.get_xlabel()
    with pytest.raises(AnalysisError, match="item='x' was not checked"):
        ours.plot(item="x")
    plt.close("all")


def test_q3_does_not_depend_on_keying() -> None:
    data = ANSWERS[["calm", "cold", "late", "away"]]
    plain = graded_response(data)
    turned = graded_response(data.assign(away=4 - data["away"]))
    keys = ["item_a", "item_b"]
    both = plain.local_dependence.merge(turned.local_dependence, on=keys)
    np.testing.assert_allclose(both["q3_x"], both["q3_y"], atol=1e-6)
    assert both["large_x"].equals(both["large_y"])
