"""Rotated solutions that Mplus printed, from data of our own with their correlations.

A maximum likelihood solution of correlations that factors reproduce is these factors,
so a rotation of the right criterion has to come back to the printed loadings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from analysis.efa import Bifactor, EfaFit, Geomin, Target, efa

if TYPE_CHECKING:
    from analysis.efa.rotations import Rotation

# Rounding to three digits moves optima by less than this.
ROUNDED = 1e-3
# Mplus's errors are those of MLR or observed information, ours of normal theory.
ERRORS = 2e-3


def table(text: str) -> np.ndarray:
    return np.array([[float(v) for v in line.split()] for line in text.split("\n")])


def drawn(R: np.ndarray, n: int) -> pd.DataFrame:
    """Draw data with exactly these correlations."""
    Z = np.random.default_rng(1).standard_normal((n, len(R)))
    Z -= Z.mean(axis=0)
    white = Z @ np.linalg.inv(np.linalg.cholesky(Z.T @ Z)).T
    names = [f"x{k}" for k in range(1, len(R) + 1)]
    return pd.DataFrame(white @ np.linalg.cholesky(R).T, columns=names)


def reproduced(L: np.ndarray, phi: float) -> np.ndarray:
    R: np.ndarray = L @ np.array([[1, phi], [phi, 1]]) @ L.T
    np.fill_diagonal(R, 1)
    return R


def ml(data: pd.DataFrame, n_factors: int, rotation: Rotation) -> EfaFit:
    return efa(data, n_factors, method="ml", rotation=rotation, se="analytic")


def arranged(fit: EfaFit, printed: np.ndarray, what: str) -> np.ndarray:
    """Pick the columns that lie nearest to the printed ones."""
    tidy = fit.tidy()
    wide = {
        name: tidy.pivot_table(index="item", columns="factor", values=name, sort=False)
        for name in ("estimate", what)
    }
    own = wide["estimate"].to_numpy()
    nearest = [
        np.abs(own - column[:, None]).sum(axis=0).argmin() for column in printed.T
    ]
    assert sorted(nearest) == list(range(len(nearest)))
    return np.asarray(wide[what].to_numpy()[:, nearest])


# Mplus 8.3, repository cahitgs/esem-mplus-toolkit, test/fixtures: inv_configural.out,
# geomin with epsilon .5, both groups.
GEOMIN = [
    (
        3000,
        (
            "0.827 -0.036\n0.696 0.226\n0.525 0.313\n"
            "0.138 0.762\n0.160 0.672\n-0.053 0.554"
        ),
        "0.018 0.011\n0.020 0.020\n0.018 0.018\n0.016 0.018\n0.015 0.017\n0.019 0.019",
        (0.432, 0.013),
    ),
    (
        1500,
        (
            "0.839 -0.056\n0.645 0.244\n0.513 0.299\n"
            "0.117 0.775\n0.155 0.672\n-0.054 0.565"
        ),
        "0.025 0.013\n0.029 0.027\n0.027 0.028\n0.019 0.022\n0.021 0.022\n0.025 0.027",
        (0.392, 0.018),
    ),
]


@pytest.mark.parametrize(("n", "loadings", "errors", "phi"), GEOMIN)
def test_geomin(n: int, loadings: str, errors: str, phi: tuple[float, float]) -> None:
    L = table(loadings)
    fit = ml(drawn(reproduced(L, phi[0]), n), 2, Geomin(0.5))
    np.testing.assert_allclose(arranged(fit, L, "estimate"), L, atol=ROUNDED)
    own = arranged(fit, L, "std_error")
    np.testing.assert_allclose(own, table(errors), atol=ERRORS)
    assert fit.precision is not None
    correlation = fit.precision.phi_std_error.to_numpy()[0, 1]
    assert correlation == pytest.approx(phi[1], abs=ERRORS)


def test_target() -> None:
    # esem_target_2f.out: printed sample correlations of 4500 people.
    R = np.eye(6)
    R[np.tril_indices(6, -1)] = (
        0.639, 0.541, 0.596, 0.362, 0.523, 0.518, 0.361, 0.487, 0.485, 0.637,
        0.147, 0.267, 0.285, 0.443, 0.406,
    )  # fmt: skip
    R += np.tril(R, -1).T
    L = table(
        "0.932 -0.207\n0.745 0.110\n0.564 0.232\n0.074 0.787\n0.114 0.684\n-0.111 0.611"
    )
    errors = table(
        "0.015 0.011\n0.017 0.017\n0.016 0.016\n0.015 0.017\n0.015 0.016\n0.017 0.018"
    )
    free = np.nan
    expected = np.array([[free, 0.0]] * 3 + [[0.0, free]] * 3)
    fit = ml(drawn(R, 4500), 2, Target(expected))
    # The correlations are rounded before they are factored.
    np.testing.assert_allclose(arranged(fit, L, "estimate"), L, atol=2 * ROUNDED)
    np.testing.assert_allclose(arranged(fit, L, "std_error"), errors, atol=ERRORS)
    glance = fit.glance().iloc[0]
    assert glance["df"] == 4
    assert glance["rmsea_ci_upper"] == pytest.approx(0.020, abs=ROUNDED)


def test_bi_geomin() -> None:
    # Mplus 7, repository ddueber/BifactorIndicesCalculator,
    # tests/testthat/bifactor_efa.out: general factor and three group factors.
    L = table(
        "0.730 0.011 0.271 0.083\n0.739 0.131 -0.070 -0.183\n"
        "0.696 0.267 -0.102 -0.107\n0.713 0.142 0.027 -0.054\n"
        "0.668 0.502 0.101 -0.024\n0.679 0.311 -0.057 -0.102\n"
        "0.702 0.347 0.061 -0.032\n0.787 -0.087 0.380 0.023\n"
        "0.796 -0.089 0.197 0.137\n0.741 -0.082 0.061 0.173\n"
        "0.809 0.023 -0.037 -0.172\n0.778 -0.032 -0.208 -0.158\n"
        "0.756 0.106 -0.189 -0.018\n0.800 -0.062 0.031 0.199\n"
        "0.686 0.408 -0.127 0.025\n0.736 0.359 -0.062 0.053\n"
        "0.799 -0.044 0.088 -0.117\n0.802 0.049 0.052 0.268\n"
        "0.808 -0.151 0.034 0.236\n0.821 -0.025 -0.011 -0.042\n"
        "0.803 0.039 -0.030 -0.109\n0.788 0.041 0.037 0.017\n"
        "0.784 -0.059 0.008 0.284\n0.760 -0.041 -0.051 0.304"
    )
    R = L @ L.T
    np.fill_diagonal(R, 1)
    fit = ml(drawn(R, 1007), 4, Bifactor("geomin", epsilon=0.01))
    own = arranged(fit, L, "estimate")
    np.testing.assert_allclose(own, L, atol=ROUNDED)
    value = ((own[:, 1:] ** 2 + 0.01).prod(axis=1) ** (1 / 3)).sum()
    assert value == pytest.approx(0.58041, abs=ROUNDED)
