"""ols against R's lm, sandwich and lmtest; see tests/reference/regression.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, TooFewError
from analysis.regression import ols
from analysis.result import Result

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-8  # both sides are closed forms in double precision
KINDS = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster")


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    text = (REFERENCE / "regression.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "regression.csv")


@pytest.fixture
def small() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x = rng.normal(size=40)
    return pd.DataFrame({"x": x, "y": x + rng.normal(size=40), "g": ["a", "b"] * 20})


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_errors_and_intervals_equal_r(
    kind: str, reference: dict[str, Any], people: pd.DataFrame
) -> None:
    expected = reference["ols"]
    cluster = "couple" if kind == "cluster" else None
    fit = ols(expected["formula"], people, vcov=kind, cluster=cluster)  # type: ignore[arg-type]
    assert (fit.n_obs, fit.n_dropped) == (expected["n_obs"], expected["n_dropped"])
    table = pd.DataFrame(expected["kinds"][kind]["table"]).set_index("term")
    ours = fit.tidy().set_index("term").loc[table.index]
    for column in ("estimate", "std_error", "statistic", "conf_low", "conf_high"):
        np.testing.assert_allclose(ours[column], table[column], rtol=EXACT)
    np.testing.assert_allclose(ours["p_value"], table["p_value"], rtol=1e-6)
    row = fit.glance().iloc[0]
    assert row["statistic"] == pytest.approx(expected["kinds"][kind]["F"], rel=EXACT)
    assert row["p_value"] == pytest.approx(expected["kinds"][kind]["p"], rel=1e-6)
    assert row["df_num"] == expected["kinds"][kind]["df_num"]
    assert row["df_den"] == expected["kinds"][kind]["df_den"]


def test_fit_measures_standardised_and_vif_equal_r(
    reference: dict[str, Any], people: pd.DataFrame
) -> None:
    expected = reference["ols"]
    fit = ols(expected["formula"], people)
    row = fit.glance().iloc[0]
    for name in ("r_squared", "adj_r_squared", "sigma", "aic", "bic", "log_lik"):
        assert row[name] == pytest.approx(expected[name], rel=EXACT)
    std = pd.DataFrame(expected["std"]).set_index("term")["std_all"].iloc[1:]
    ours = fit.tidy().set_index("term")["std_all"]
    np.testing.assert_allclose(ours.loc[std.index], std, rtol=EXACT)
    assert np.isnan(ours["Intercept"])
    plain = ols("satisfaction ~ withdrawal + gender + support", people).vif
    vif = pd.DataFrame(expected["vif"])
    assert plain["term"].tolist() == vif["term"].tolist()
    np.testing.assert_allclose(plain["vif"], vif["vif"], rtol=EXACT)


def test_functions_and_missing_intercept_equal_r(
    reference: dict[str, Any], people: pd.DataFrame
) -> None:
    fit = ols(
        "satisfaction ~ I(withdrawal^2) + scale(support) + withdrawal:support", people
    )
    estimate = fit.tidy()["estimate"]
    np.testing.assert_allclose(estimate, reference["functions"]["estimate"], rtol=EXACT)
    none = ols("satisfaction ~ 0 + gender + withdrawal", people)
    expected = reference["no_intercept"]
    np.testing.assert_allclose(none.tidy()["estimate"], expected["estimate"], rtol=1e-8)
    row = none.glance().iloc[0]
    assert row["r_squared"] == pytest.approx(expected["r_squared"], rel=EXACT)
    assert row["adj_r_squared"] == pytest.approx(expected["adj_r_squared"], rel=EXACT)
    assert none.warnings["what"].str.contains("uncentred").any()


def test_three_points_by_hand() -> None:
    # x = 0 1 2, y = 1 2 6: slope 5/2, intercept 1/2, residuals .5 -1 .5, h 5/6 1/3 5/6.
    data = pd.DataFrame({"x": [0, 1, 2], "y": [1, 2, 6]})
    fit = ols("y ~ x", data, vcov="HC0")
    np.testing.assert_allclose(fit.tidy()["estimate"], [0.5, 2.5])
    # HC0 of the slope: sum (x - 1)^2 e^2 / Sxx^2 = .5 / 4.
    assert fit.tidy()["std_error"][1] == pytest.approx(np.sqrt(0.125))
    hc3 = ols("y ~ x", data, vcov="HC3").tidy()["std_error"][1]
    assert hc3 == pytest.approx(np.sqrt(2 * (0.5 * 6) ** 2 / 4))


def test_recovers_coefficients_and_covers_under_heteroscedasticity() -> None:
    rng = np.random.default_rng(11)
    inside = 0
    for _ in range(200):
        x = rng.normal(size=150)
        y = 1 + 0.5 * x + rng.normal(size=150) * (0.3 + np.abs(x))
        row = ols("y ~ x", pd.DataFrame({"x": x, "y": y})).tidy().iloc[1]
        inside += row["conf_low"] <= 0.5 <= row["conf_high"]
    assert 180 <= inside <= 199  # 95 % of 200, four binomial standard errors wide


def test_nullable_boolean_and_text_columns(small: pd.DataFrame) -> None:
    plain = ols("y ~ x + g", small).tidy()
    typed = small.assign(
        x=small["x"].astype("Float64"), g=pd.Categorical(small["g"], ["a", "b", "z"])
    )
    pd.testing.assert_frame_equal(ols("y ~ x + g", typed).tidy(), plain)
    flag = small.assign(g=(small["g"] == "b").astype("boolean"))
    np.testing.assert_allclose(
        ols("y ~ x + g", flag).tidy()["estimate"], plain["estimate"]
    )
    before = typed.copy(deep=True)
    ols("y ~ log(I(x^2)) + g", typed)
    pd.testing.assert_frame_equal(typed, before)


def test_missing_rows_are_counted_and_warned_of(small: pd.DataFrame) -> None:
    small.loc[:4, "x"] = np.nan
    fit = ols("y ~ x", small)
    assert (fit.n_obs, fit.n_dropped) == (35, 5)
    assert fit.warnings["what"].str.contains(r"5 of 40 rows \(12%\)").any()
    small["couple"] = [None, None, *range(38)]
    clustered = ols("y ~ x", small, vcov="cluster", cluster="couple")
    assert clustered.n_obs == 35


def test_warnings_name_what_is_doubtful(small: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    near = small.assign(z=small["x"] + 1e-3 * rng.normal(size=40))
    text = " ".join(ols("y ~ x + z", near).warnings["what"])
    assert "variance inflation" in text
    assert "condition number" in text
    perfect = ols("w ~ x", small.assign(w=2 * small["x"] + 1), vcov="nonrobust")
    assert perfect.warnings["what"].str.contains("reproduce the outcome").any()
    assert (
        ols("y ~ x + g", small[:12]).warnings["what"].str.contains("fewer than").any()
    )
    few = small.assign(c=[0, 1, 2, 3] * 10)
    clustered = ols("y ~ x + g", few, vcov="cluster", cluster="c")
    assert clustered.warnings["what"].str.contains("4 clusters are few").any()
    joint = ols("y ~ x + g", few.assign(c=few["c"] % 2), vcov="cluster", cluster="c")
    assert np.isnan(joint.glance()["p_value"][0])
    assert joint.warnings["what"].str.contains("cannot be computed").any()
    outlier = small.assign(x=[1000.0, *small["x"][1:]])
    assert ols("y ~ x", outlier).warnings["what"].str.contains("leverage").any()


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ xx", "no column 'xx' .*similar: x"),
        ("y ~ x + x2", "'x2' is determined by 'x'"),
        ("y ~ x + three", "'three' is constant"),
        ("three ~ x", "outcome is 3 in all 40 rows"),
        ("g ~ x", "categories .*logistic"),
        ("y ~ y + x", "both sides"),
        ("y ~ log(x)", "no logarithm"),
        ("y ~ endless", "infinite"),
        ("y ~ one", "only the category"),
        ("y ~ log(g)", "cannot compute with categories"),
        ("y ~ when", "holds dates"),
        ("y ~ narrow", "varies only by"),
        ("y ~ x + Intercept", "Rename the column"),
    ],
)
def test_faulty_models_are_refused(
    formula: str, words: str, small: pd.DataFrame
) -> None:
    data = small.assign(
        x2=2 * small["x"] + 1,
        three=3,
        narrow=1e9 + small["x"],
        Intercept=small["x"] ** 2,
        endless=np.inf,
        one="only",
        when=pd.Timestamp("2026-01-01"),
    )
    with pytest.raises(AnalysisError, match=words):
        ols(formula, data)


def test_too_few_rows_clusters_or_leverage_are_refused(small: pd.DataFrame) -> None:
    with pytest.raises(TooFewError, match="2 complete rows for 2 coefficients"):
        ols("y ~ x", small[:2])
    with pytest.raises(TooFewError, match="nothing was observed in"):
        ols("y ~ x", small.assign(x=np.nan))
    with pytest.raises(TooFewError, match="one cluster"):
        ols("y ~ x", small.assign(c=1), vcov="cluster", cluster="c")
    lonely = small.assign(g=["rare", *small["g"][1:]])
    with pytest.raises(AnalysisError, match=r"leverage h = 1 .first: .0."):
        ols("y ~ x + g", lonely)
    assert ols("y ~ x + g", lonely, vcov="HC1").n_obs == 40
    with pytest.raises(AnalysisError, match="vcov"):
        ols("y ~ x", small, vcov="HC9")  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="together"):
        ols("y ~ x", small, cluster="g")
    with pytest.raises(AnalysisError, match="conf_level"):
        ols("y ~ x", small, conf_level=95)
    doubled = pd.concat([small, small[["x"]]], axis=1)
    with pytest.raises(AnalysisError, match="more than one column"):
        ols("y ~ x", doubled)


def test_result_presents_itself(small: pd.DataFrame) -> None:
    fit = ols("y ~ x + g", small)
    assert isinstance(fit, Result)
    assert "R2 = " in fit.summary()
    assert len(fit.glance()) == 1
    ax = fit.plot(labels={"x": "Withdrawal"})
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Withdrawal", "g[T.b]"]
    assert "n = 40" in ax.get_xlabel()
    plt.close("all")
