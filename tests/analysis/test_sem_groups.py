"""Several groups, constraints, weights and clusters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, ModelSyntaxError, TooFewError
from analysis.sem import cfa, sem

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
ONE = "f =~ x1 + x2 + x3"


def rows(fit: object, op: str, group: str) -> pd.DataFrame:
    tidy = fit.tidy()  # type: ignore[attr-defined]
    return tidy[(tidy["op"] == op) & (tidy["group"] == group)]


def test_groups_without_equalities_are_separate_fits() -> None:
    both = cfa(THREE, HS, group="school")
    alone = [cfa(THREE, part, meanstructure=True) for _, part in HS.groupby("school")]
    total = sum(fit.indices.chisq for fit in alone)
    assert both.indices.chisq == pytest.approx(total, rel=1e-8)
    assert both.groups == ("Pasteur", "Grant-White")
    grant = rows(both, "=~", "Grant-White")["estimate"].to_numpy()
    np.testing.assert_allclose(grant, alone[0].tidy()["estimate"][:9], rtol=1e-5)
    assert both.cov.loc[("Pasteur", "x1"), "x1"] > 0
    assert both.r_squared["Pasteur"].index.tolist() == [f"x{k}" for k in range(1, 10)]


def test_equal_kinds_are_equal_and_free_what_they_must() -> None:
    fit = cfa(
        THREE, HS, group="school", group_equal=("loadings", "intercepts"), std_lv=True
    )
    a, b = (rows(fit, "=~", g)["estimate"].to_numpy() for g in fit.groups)
    np.testing.assert_allclose(a, b)
    tidy = fit.tidy().set_index(["lhs", "op", "rhs", "group"])["estimate"]
    assert tidy["visual", "~~", "visual", "Pasteur"] == 1.0
    assert tidy["visual", "~~", "visual", "Grant-White"] != 1.0
    assert tidy["visual", "~1", "", "Pasteur"] == 0.0
    assert tidy["visual", "~1", "", "Grant-White"] != 0.0


def test_partial_equality_and_dotted_names() -> None:
    fit = cfa(
        THREE,
        HS,
        group="school",
        group_equal=("loadings", "lv.variances"),  # type: ignore[arg-type]
        group_partial=["visual =~ x3"],
    )
    tidy = fit.tidy().set_index(["lhs", "op", "rhs", "group"])["estimate"]
    values = [tidy["visual", "=~", "x3", g] for g in fit.groups]
    assert values[0] != pytest.approx(values[1])
    assert tidy["speed", "~~", "speed", "Pasteur"] == pytest.approx(
        tidy["speed", "~~", "speed", "Grant-White"]
    )


def test_one_value_a_group() -> None:
    fit = cfa("f =~ x1 + c(a, b)*x2 + c(0.7, NA)*x3\nd := a - b", HS, group="school")
    tidy = fit.tidy()
    labels = tidy.set_index("label")["estimate"]
    assert labels["d"] == pytest.approx(labels["a"] - labels["b"])
    third = tidy[tidy["rhs"] == "x3"].iloc[:2]
    assert third["estimate"].iloc[0] == 0.7
    same = cfa("f =~ x1 + c(a, a)*x2 + x3", HS, group="school").tidy()
    both = same[same["label"] == "a"]["estimate"]
    assert both.iloc[0] == both.iloc[1]


def test_weights_count_rows() -> None:
    """A row of weight two is two rows, but for the standard errors."""
    twice = pd.concat([HS, HS.iloc[:100]], ignore_index=True)
    weights = np.where(np.arange(len(HS)) < 100, 2.0, 1.0)
    mine = cfa(ONE + " + x4", HS.assign(w=weights), weights="w")
    other = cfa(ONE + " + x4", twice)
    np.testing.assert_allclose(mine.theta, other.theta, rtol=1e-5)
    assert mine.estimator == "MLR"


def test_clusters_of_one_are_no_clusters_but_for_the_factor() -> None:
    alone = cfa(THREE, HS.assign(id=range(len(HS))), cluster="id")
    plain = cfa(THREE, HS, estimator="MLR", meanstructure=True)
    ratio = (alone.tidy()["std_error"] / plain.tidy()["std_error"]).dropna()
    np.testing.assert_allclose(ratio, np.sqrt(301 / 300), rtol=1e-6)


def test_doubled_rows_within_clusters_double_the_variance() -> None:
    twice = pd.concat([HS, HS]).reset_index(drop=True)
    twice["pair"] = np.tile(np.arange(len(HS)), 2)
    clustered = cfa(THREE, twice, cluster="pair").tidy()["std_error"].dropna()
    naive = cfa(THREE, twice, estimator="MLR", meanstructure=True)
    ratio = clustered / naive.tidy()["std_error"].dropna()
    np.testing.assert_allclose(ratio, np.sqrt(2 * 301 / 300), rtol=1e-6)


def test_inequalities_hold_and_cost_nothing_where_they_are_loose() -> None:
    free = cfa("f =~ x1 + a*x2 + b*x3 + x4", HS)
    loose = cfa("f =~ x1 + a*x2 + b*x3 + x4\na > -5\nb < a + 10", HS)
    np.testing.assert_allclose(loose.theta, free.theta, atol=1e-6)
    np.testing.assert_allclose(loose.vcov, free.vcov, atol=1e-7)
    tight = cfa("f =~ x1 + a*x2 + lower(1)*x3 + x4\na > 1.5", HS).tidy()
    assert tight["estimate"].iloc[1] == pytest.approx(1.5)
    assert np.isnan(tight["std_error"].iloc[1])
    assert tight["estimate"].iloc[2] >= 1.0


def test_nonlinear_constraints_hold() -> None:
    fit = cfa("f =~ x1 + a*x2 + b*x3 + x4\na*b == 0.3\ns := a + b", HS)
    value = fit.tidy().set_index("label")["estimate"]
    assert value["a"] * value["b"] == pytest.approx(0.3, abs=1e-8)
    assert fit.indices.df == 3
    # The gradient stands at right angles to the allowed directions.
    slope = fit.problem.slope(fit.theta) @ fit.uncertainty.tangent
    assert np.abs(slope).max() < 1e-6


def test_infeasible_constraints_are_named() -> None:
    words = "line 2: .*cannot be met together with line 3"
    with pytest.raises(AnalysisError, match=words):
        cfa("f =~ x1 + a*x2 + x3 + x4\na > 1\na < 0.5", HS)


BAD_GROUPS = [
    (HS.assign(school=np.nan), "301 of 301 rows have no value"),
    (HS.assign(school=HS["school"].where(HS.index > 2)), "row 1"),
    (HS.assign(school="one"), "holds only 'one'"),
    (HS.drop(columns="school"), "no column of the data has this name"),
]


@pytest.mark.parametrize(("data", "words"), BAD_GROUPS)
def test_bad_groups(data: pd.DataFrame, words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        cfa(ONE, data, group="school")


def test_a_group_of_three() -> None:
    school = HS["school"].where(HS.index > 2, "tiny")
    with pytest.raises(
        TooFewError, match=r"group 'tiny': 3 complete rows.*join groups"
    ):
        cfa(ONE, HS.assign(school=school), group="school")


def test_an_item_constant_in_a_group_and_an_empty_category_are_named() -> None:
    constant = HS.assign(x1=HS["x1"].where(HS["school"] == "Pasteur", 3.0))
    with pytest.raises(AnalysisError, match="x1, group 'Grant-White': all 145"):
        cfa(ONE, constant, group="school")
    codes = HS[["x1", "x2", "x3"]].apply(lambda x: pd.qcut(x, 4, labels=False))
    codes["school"] = HS["school"]
    top = (codes["x1"] == 3) & (codes["school"] == "Pasteur")
    codes.loc[top, "x1"] = 2
    with pytest.raises(AnalysisError, match=r"x1: no answer in category 4.*'Pasteur'"):
        cfa(ONE, codes, group="school", ordered=True)


def test_too_many_values_for_the_groups() -> None:
    with pytest.raises(ModelSyntaxError, match="3 values are given for 2 groups"):
        cfa("f =~ x1 + c(1, 2, 3)*x2 + x3", HS, group="school")


BAD_WEIGHTS = [
    (HS.assign(w=0.0), "row 1 holds 0"),
    (HS.assign(w="a"), "expected numbers"),
    (HS.assign(w=np.where(HS.index == 4, np.nan, 1.0)), "row 5"),
]


@pytest.mark.parametrize(("data", "words"), BAD_WEIGHTS)
def test_bad_weights(data: pd.DataFrame, words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        cfa(ONE, data, weights="w")


def test_a_label_with_two_fixed_values() -> None:
    with pytest.raises(ModelSyntaxError, match="'a' is fixed to 1 and to 2"):
        cfa("f =~ a*x1 + 1*x1 + a*x2 + 2*x2 + x3 + x4", HS)


def test_factors_that_measure_each_other_in_a_circle() -> None:
    with pytest.raises(ModelSyntaxError, match="f =~ g =~ f measure each other"):
        cfa("f =~ x1 + x2 + g\ng =~ x3 + x4 + f", HS)


def test_outcomes_that_explain_each_other_are_not_identified() -> None:
    with pytest.raises(AnalysisError, match=r"tell apart|free parameters"):
        sem("x1 ~ x2\nx2 ~ x1", HS)


def test_one_cluster_is_refused() -> None:
    with pytest.raises(AnalysisError, match="every row is in the same cluster"):
        cfa("f =~ x1 + x2 + x3 + x4", HS.assign(cl=1), cluster="cl")


def test_rows_without_any_answer_are_named() -> None:
    holes = HS.copy()
    holes.loc[[7, 9], [f"x{k}" for k in range(1, 10)]] = np.nan
    for missing in ("listwise", "ml"):
        warnings = cfa(THREE, holes, missing=missing).warnings
        told = warnings.loc[warnings["what"] == "empty_rows", "where"]
        assert told.tolist() == ["2 rows answer no item: index 7, 9 of the table"]
