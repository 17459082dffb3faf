"""Odd answers are never silent: copies, few people, empty rows, wrong keys."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.efa import congruence, efa, factor_scores
from analysis.errors import AnalysisError, TooFewError
from analysis.items import item_statistics
from analysis.oddities import odd_answers
from analysis.polychoric import PerfectCorrelationError, polychoric
from analysis.reliability import (
    categorical_omega,
    cronbach_alpha,
    icc,
    measurement_error,
    omega_total,
    ordinal_alpha,
    reliability,
    split_half,
)
from analysis.scalewise import each_scale

RNG = np.random.default_rng(2)
_NOISE = RNG.logistic(size=(400, 5)) + 1.5 * RNG.normal(size=(400, 1))
GOOD = pd.DataFrame(np.digitize(_NOISE, [-1, 0, 1]), columns=list("abcde"))
EMPTY = GOOD.astype(float).mask(pd.Series(range(400)) < 7)
REVERSED = GOOD.assign(a=3 - GOOD["a"])
TWINS = GOOD.assign(b=GOOD["a"])
COEFFICIENTS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "cronbach_alpha": cronbach_alpha,
    "split_half": split_half,
    "omega_total": omega_total,
    "ordinal_alpha": ordinal_alpha,
    "categorical_omega": categorical_omega,
}
SILENT = {"reliability of continuous answers that nobody gave"}


def _said(found: Any) -> dict[str, str]:
    rows = found.warnings
    assert (rows["remedy"].str.len() > 10).all()
    told = dict(zip(rows["what"], rows["where"], strict=True))
    return {what: where for what, where in told.items() if what not in SILENT}


def test_odd_answers_by_hand() -> None:
    x = np.array([[1, 1, 3], [2, 2, 2], [3, 3, 1], [np.nan] * 3])
    found = list(odd_answers(x, ["p", "q", "r"], 3))
    assert [(what, where) for what, where, _ in found] == [
        ("empty_rows", "1 of 4 rows hold no answer"),
        ("few_rows", "n = 3 for 3 items"),
        ("the answers are the same, person by person", "p and q"),
        ("the answers to one follow from the other, r = -1", "p and r"),
        ("the answers to one follow from the other, r = -1", "q and r"),
    ]


def test_constant_items_are_no_copies() -> None:
    x = np.column_stack([np.ones(40), np.ones(40), np.arange(40)])
    assert not list(odd_answers(x, ["p", "q", "r"], 40))


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_good_answers_are_not_warned_of(name: str) -> None:
    assert _said(COEFFICIENTS[name](GOOD)) == {}


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_empty_rows_are_counted(name: str) -> None:
    found = COEFFICIENTS[name](EMPTY)
    assert _said(found) == {"empty_rows": "7 of 400 rows hold no answer"}
    assert found.n_dropped == 7


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_a_reversed_item_is_named(name: str) -> None:
    (what,) = _said(COEFFICIENTS[name](REVERSED))
    assert "against the others" in what
    assert "a (-0." in what or "['a']" in what


@pytest.mark.parametrize("name", COEFFICIENTS)
@pytest.mark.parametrize(
    ("items", "message"),
    [
        (GOOD.assign(c=2), r"'c' does not vary \(all 400 answers are 2\)"),
        (GOOD.astype(object).assign(c="often"), "'c' holds 'often'"),
        (GOOD.assign(c=np.inf), "'c' holds an infinite value"),
        (GOOD.assign(c=np.nan), "'c' has no answer"),
    ],
)
def test_impossible_items_are_refused(
    name: str, items: pd.DataFrame, message: str
) -> None:
    with pytest.raises(AnalysisError, match=f"{name}: item {message}"):
        COEFFICIENTS[name](items)


def test_twins() -> None:
    same = {"the answers are the same, person by person": "a and b"}
    assert _said(cronbach_alpha(TWINS)) == same
    assert _said(split_half(TWINS)) == same
    assert _said(item_statistics(TWINS)) == same
    with pytest.raises(AnalysisError, match=r"\['a', 'b'\] is determined by the oth"):
        omega_total(TWINS)
    for coefficient in (ordinal_alpha, categorical_omega):
        with pytest.raises(PerfectCorrelationError, match="'a' with 'b'"):
            coefficient(TWINS)


def test_five_people() -> None:
    five = GOOD.iloc[:5]
    for found in (cronbach_alpha(five), split_half(five), item_statistics(five)):
        assert _said(found)["few_rows"] == "n = 5 for 5 items"
    for refused in (omega_total, ordinal_alpha, categorical_omega):
        with pytest.raises(TooFewError, match=r"5 of 5 respondents .* at least 6"):
            refused(five)


def test_item_statistics_say_how_many_rows_are_empty() -> None:
    assert _said(item_statistics(EMPTY)) == {
        "empty_rows": "7 of 400 rows hold no answer"
    }


def test_many_categories_have_a_remedy_of_the_caller() -> None:
    many = pd.DataFrame(RNG.integers(0, 30, (400, 4)), columns=list("abcd"))
    with pytest.raises(AnalysisError, match="numbers with cronbach_alpha") as ordinal:
        ordinal_alpha(many)
    assert "'a' (30)" in str(ordinal.value)
    with pytest.raises(AnalysisError, match="Pearson correlations, or join") as factors:
        efa(many, 1, kind="polychoric")
    for message in (str(ordinal.value), str(factors.value)):
        assert "numeric=" not in message
    with pytest.raises(AnalysisError, match=r"such a column in numeric="):
        polychoric(many)


def test_pairwise_is_no_remedy_where_it_was_asked_for() -> None:
    with pytest.raises(TooFewError, match=r"at least 10. Collect more answers\.$"):
        polychoric(GOOD.iloc[:5], missing="pairwise")
    with pytest.raises(TooFewError, match="or missing='pairwise'"):
        polychoric(GOOD.astype(float).mask(pd.Series(range(400)) > 4))


def test_several_scales_keep_numbers_and_places() -> None:
    found = reliability({"one": EMPTY, "flat": GOOD.assign(c=2)})
    what = found.warnings.groupby("where")["what"].apply(list)
    assert what["one"][0] == "alpha: empty_rows (7 of 400 rows hold no answer)"
    assert what["flat"] == [
        f"{term}: item 'c' does not vary (all 400 answers are 2)"
        for term in ("alpha", "omega")
    ]


@pytest.mark.parametrize("coefficient", [icc, measurement_error])
def test_odd_occasions(coefficient: Callable[[pd.DataFrame], Any]) -> None:
    flat = _said(coefficient(GOOD[["b", "c"]].assign(d=2)))
    assert flat == {"does not vary: all 400 values are 2": "occasion d"}
    turned = _said(coefficient(REVERSED[["a", "b"]]))
    (what,) = [what for what, where in turned.items() if where == "a and b"]
    assert what.startswith("occasions correlate -0.")
    twins = _said(coefficient(TWINS[["a", "b", "c"]]))
    assert twins == {"the answers are the same, person by person": "a and b"}
    few = _said(coefficient(EMPTY[["b", "c"]].iloc[:20]))
    assert few["few_rows"] == "n = 13 for 2 occasions"
    assert few["empty_rows"] == "7 of 20 rows hold no answer"


def test_people_without_a_factor_score_are_counted() -> None:
    scores = factor_scores(efa(GOOD, 1), EMPTY)
    assert _said(scores)["scores_missing"] == (
        "7 of 400 respondents miss an answer: no score"
    )


def test_congruence_says_who_was_left_out() -> None:
    gaps = GOOD.astype(float).mask(pd.Series(range(400)) < 100)
    found = congruence(gaps, 1, splits=2)
    assert _said(found)["rows_dropped"] == "100 of 400 rows (25%) miss an answer"


def test_each_scale_goes_on_where_one_fails() -> None:
    found, notes = each_scale(
        {"good": GOOD, "flat": GOOD.assign(c=2), "empty": EMPTY},
        cronbach_alpha,
        without="no alpha",
    )
    assert list(found) == ["good", "empty"]
    assert notes["where"].tolist() == ["flat", "empty: 7 of 400 rows hold no answer"]
    assert notes["what"].tolist() == ["no alpha", "empty_rows"]
    assert "'c' does not vary" in notes["remedy"].iloc[0]


@pytest.mark.parametrize(
    "items",
    [
        GOOD.astype("Int64"),
        GOOD.astype(object),
        GOOD > 1,
        GOOD.astype("Int64").mask(pd.Series(range(400)) == 3),
    ],
)
def test_other_types_of_numbers_are_read(items: pd.DataFrame) -> None:
    plain = items.astype(float) if not items.isna().any().any() else items.dropna()
    again = plain.astype(float)
    for coefficient in (cronbach_alpha, ordinal_alpha):
        ours, same = coefficient(items), coefficient(again)
        assert ours.table["estimate"].iloc[0] == same.table["estimate"].iloc[0]
