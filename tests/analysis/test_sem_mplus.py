"""Published output of Mplus 8.2 on Holzinger & Swineford's data.

Numbers of the .out files in the repository lucdw/lavaan-mplus, printed to three digits.
Mplus and lavaan agree on ML and MLR (observed information). Mplus's MLM and MLMV weigh
by the sample covariances instead of the implied ones; the last tests do the same with
arrays, from our estimates.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.sem import SemFit, cfa

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
ITEMS = [f"x{k}" for k in range(1, 10)]
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
# Half a unit of the last digit Mplus prints.
PRINTED = 5.1e-4
NAMES = ("chisq", "cfi", "tli", "rmsea", "srmr", "baseline_chisq")
#: group, estimator, df, then the measures of NAMES.
ROWS = [
    (None, "ML", 24, (85.306, 0.931, 0.896, 0.092, 0.060, 918.852)),
    (None, "MLR", 24, (87.132, 0.925, 0.888, 0.093, 0.060, 880.082)),
    ("school", "ML", 48, (115.851, 0.923, 0.885, 0.097, 0.068, 957.769)),
    ("school", "MLR", 48, (121.741, 0.914, 0.872, 0.101, 0.068, 934.309)),
]


@pytest.mark.parametrize(("group", "estimator", "df", "printed"), ROWS)
def test_printed_fit(
    group: str | None, estimator: str, df: int, printed: tuple[float, ...]
) -> None:
    fit = cfa(THREE, HS, estimator=estimator, group=group, meanstructure=True)  # type: ignore[arg-type]
    assert fit.n_obs == 301
    assert fit.indices.df == df
    end = "_scaled" if estimator == "MLR" else ""
    for name, value in zip(NAMES, printed, strict=True):
        own = "srmr_mplus" if name == "srmr" else name + end
        assert fit.indices[own] == pytest.approx(value, abs=PRINTED), name


def traces(by_theta: np.ndarray) -> tuple[float, float]:
    """tr(U Gamma) and tr(U Gamma U Gamma) with weights from the sample covariances."""
    centred = HS[ITEMS].to_numpy() - HS[ITEMS].to_numpy().mean(axis=0)
    rows, columns = np.tril_indices(len(ITEMS))
    products = centred[:, rows] * centred[:, columns]
    Gamma = np.cov(products, rowvar=False, bias=True)
    inverse = np.linalg.inv(np.cov(centred, rowvar=False, bias=True))
    V = inverse[rows][:, rows] * inverse[columns][:, columns]
    V = V + inverse[rows][:, columns] * inverse[columns][:, rows]
    twice = np.where(rows == columns, 1.0, 2.0)
    V = V * np.outer(twice, twice) / 4
    U = V - V @ by_theta @ np.linalg.solve(by_theta.T @ V @ by_theta, by_theta.T @ V)
    product = U @ Gamma
    return float(np.trace(product)), float((product * product.T).sum())


def by_differences(fit: SemFit) -> np.ndarray:
    """Derive the implied covariances by moving every loading, variance, covariance."""
    Lambda = np.zeros((9, 3))
    tidy = fit.tidy()
    for row in tidy[tidy["op"] == "=~"].to_dict("records"):
        Lambda[ITEMS.index(row["rhs"]), fit.latent.index(row["lhs"])] = row["estimate"]
    Psi = np.zeros((3, 3))
    for row in tidy[(tidy["op"] == "~~") & tidy["lhs"].isin(fit.latent)].to_dict(
        "records"
    ):
        i, j = fit.latent.index(row["lhs"]), fit.latent.index(row["rhs"])
        Psi[i, j] = Psi[j, i] = row["estimate"]
    lower = np.tril_indices(9)
    columns = []
    for item in range(9):
        if item % 3:
            moved = np.zeros((9, 3))
            moved[item, item // 3] = 1.0
            half = moved @ Psi @ Lambda.T
            columns.append((half + half.T)[lower])
        unit = np.zeros((9, 9))
        unit[item, item] = 1.0
        columns.append(unit[lower])
    for i, j in zip(*np.tril_indices(3), strict=True):
        moved = np.zeros((3, 3))
        moved[i, j] = moved[j, i] = 1.0
        columns.append((Lambda @ moved @ Lambda.T)[lower])
    return np.stack(columns, axis=1)


def independence() -> np.ndarray:
    unit = np.eye(9)
    lower = np.tril_indices(9)
    return np.stack([np.diag(u)[lower] for u in unit], axis=1)


def test_printed_mlm_and_mlmv() -> None:
    fit = cfa(THREE, HS)
    model, base = by_differences(fit), independence()
    for chisq, df, by_theta, mlm, mlmv in (
        (fit.indices.chisq, 24, model, 81.908, 78.546),
        (fit.indices["baseline_chisq"], 36, base, 888.912, 810.816),
    ):
        first, second = traces(by_theta)
        slope = np.sqrt(df / second)
        assert chisq * df / first == pytest.approx(mlm, abs=PRINTED)
        shifted = slope * chisq + df - slope * first
        assert shifted == pytest.approx(mlmv, abs=PRINTED)
