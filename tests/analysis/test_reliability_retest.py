"""Intraclass correlations are those of psych: reliability_retest.R."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from analysis.errors import AnalysisError, TooFewError
from analysis.reliability import (
    cronbach_alpha,
    icc,
    measurement_error,
    sem_from_reliability,
)
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads(
    (HERE / "reliability_retest.json").read_text("utf-8")
)
RETEST = pd.read_csv(HERE / "reliability_retest.csv")
# Closed formulas; the reference has 14 digits.
EXACT = 1e-9


@pytest.mark.parametrize("name", REFERENCE["sets"])
def test_icc_is_that_of_psych(name: str) -> None:
    theirs = REFERENCE["sets"][name]
    ours = icc(pd.DataFrame(theirs["ratings"]), conf_level=theirs["level"])
    assert ours.n_obs == theirs["n_obs"]
    assert ours.table["term"].tolist() == theirs["type"]
    for column, key in (
        ("estimate", "estimate"),
        ("statistic", "F"),
        ("df1", "df1"),
        ("df2", "df2"),
        ("p_value", "p"),
        ("conf_low", "lower"),
        ("conf_high", "upper"),
    ):
        np.testing.assert_allclose(
            ours.table[column], theirs[key], rtol=EXACT, atol=EXACT, err_msg=column
        )
    squares = ours.anova["mean_square"].tolist()
    assert squares == pytest.approx(theirs["ms"], rel=EXACT)


def test_shrout_and_fleiss() -> None:
    # Table 4 of the paper.
    ours = icc(pd.DataFrame(REFERENCE["sets"]["shrout"]["ratings"]))
    assert ours.table["estimate"].round(2).tolist() == [
        0.17,
        0.29,
        0.71,
        0.44,
        0.62,
        0.91,
    ]
    assert ours["ICC(A,1)"] == ours["ICC2"]
    assert ours.table["name"].tolist() == [
        *("ICC(1)", "ICC(A,1)", "ICC(C,1)"),
        *("ICC(k)", "ICC(A,k)", "ICC(C,k)"),
    ]


def test_missing_people_are_left_out_and_counted() -> None:
    ours = icc(RETEST)
    assert (ours.n_obs, ours.n_dropped, ours.n_occasions) == (58, 2, 3)
    assert ours["ICC2"] == pytest.approx(
        REFERENCE["sets"]["three"]["estimate"][1], abs=EXACT
    )
    assert isinstance(ours, Result)
    assert "ICC(A,1) = 0.678" in ours.summary()
    assert len(ours.glance()) == 1
    ours.plot()
    plt.close("all")


def test_icc_by_hand() -> None:
    # Means 1.5, 2.5, 3.5; everybody gains 1: consistency perfect, agreement not.
    x = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 3, 4]})
    ours = icc(x)
    assert ours["ICC(C,1)"] == 1
    # MSB 2, MSJ 1.5, MSE 0: 2 / (2 + 2 * 1.5 / 3).
    assert ours["ICC(A,1)"] == pytest.approx(2 / 3)
    assert "exactly the same amount" in ours.warnings["what"].iloc[0]


def test_true_agreement_is_recovered() -> None:
    rng = np.random.default_rng(6)
    person = rng.normal(size=(4000, 1))
    x = pd.DataFrame(person + 0.5 * rng.normal(size=(4000, 2)) + [0, 0.6])
    ours = icc(x)
    # Variances: people 1, residual .25, occasions .18 (two points .6 apart).
    assert ours["ICC(C,1)"] == pytest.approx(1 / 1.25, abs=0.015)
    assert ours["ICC(A,1)"] == pytest.approx(1 / 1.43, abs=0.015)
    error = measurement_error(x)
    assert error["sem_consistency"] == pytest.approx(0.5, abs=0.015)
    assert error["sem_agreement"] == pytest.approx(np.sqrt(0.43), abs=0.015)
    assert error["mean_difference"] == pytest.approx(0.6, abs=0.04)


def test_error_by_hand() -> None:
    x = RETEST[["first", "second"]].dropna()
    change = x["second"] - x["first"]
    ours = measurement_error(RETEST[["first", "second"]])
    # The residual variance is half that of the differences.
    sem = change.std() / np.sqrt(2)
    assert ours["sem_consistency"] == pytest.approx(sem)
    assert ours["sdc_consistency"] == pytest.approx(1.959964 * np.sqrt(2) * sem, 1e-6)
    assert ours["loa_high"] == pytest.approx(change.mean() + 1.959964 * change.std())
    row = ours.table.set_index("term").loc["sem_consistency"]
    n = len(x)
    assert row["conf_low"] == pytest.approx(
        sem * np.sqrt((n - 1) / chi2.ppf(0.975, n - 1))
    )
    assert ours["sem_agreement"] ** 2 == pytest.approx(
        sem**2 + max(change.mean() ** 2 / 2 - sem**2 / n, 0)
    )
    assert isinstance(ours, Result)
    assert ours.n_dropped == 2
    assert "may be measurement error" in ours.summary()
    assert len(ours.glance()) == 1
    ours.plot()
    plt.close("all")
    three = measurement_error(RETEST)
    assert "loa_low" not in three.table["term"].tolist()


def test_error_from_reliability() -> None:
    ours = sem_from_reliability(10, 0.84, n_obs=200, conf_low=0.75, conf_high=0.91)
    assert ours["sem_internal"] == pytest.approx(4)
    row = ours.table.iloc[0]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((3, 5))
    with pytest.raises(AnalysisError, match="no two occasions"):
        ours.plot()
    with pytest.raises(AnalysisError, match=r"reliability is -0\.200"):
        sem_from_reliability(10, -0.2, n_obs=9)
    with pytest.raises(AnalysisError, match="sd is 0"):
        sem_from_reliability(0, 0.8, n_obs=9)


@pytest.mark.parametrize(
    ("ratings", "error", "message"),
    [
        (RETEST[["first"]], TooFewError, "at least 2 occasions, got 1"),
        (RETEST.head(2), TooFewError, "2 of 2 people"),
        (RETEST.assign(first=np.nan), TooFewError, "0 of 60 people"),
        (RETEST.assign(first="yes"), AnalysisError, "'first' holds 'yes'"),
        (pd.DataFrame({"a": [2, 2, 2], "b": [2, 2, 2]}), AnalysisError, "all 6 values"),
    ],
)
def test_bad_ratings_are_refused(
    ratings: pd.DataFrame, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        icc(ratings)


def test_people_who_do_not_differ() -> None:
    x = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1]})
    ours = icc(x)
    assert ours["ICC(C,1)"] == pytest.approx(-1)
    assert "differ less than by chance" in ours.warnings["what"].iloc[0]


def test_icc_c_k_of_items_is_alpha() -> None:
    items = RETEST.dropna()
    assert icc(items)["ICC(C,k)"] == pytest.approx(cronbach_alpha(items)["alpha"])
