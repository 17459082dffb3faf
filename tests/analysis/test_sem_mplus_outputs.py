"""Every number that Mplus printed for models of data that stand here.

Numbers of the .out files in the repository lucdw/lavaan-mplus, printed to three or four
digits: fit, estimates, standard errors, the STDYX solution with its errors, R-square.
Mplus prints Bentler's SRMR with expected information and GLS, its own otherwise. Where
its conventions are others than lavaan's, and so ours, the last tests show that the
convention is the whole of the difference:

- its WLS takes products of unbiased covariances from the fourth moments, divided by N;
- its interval of the RMSEA under MLR is that of the scaled chi-square, not rescaled;
- standard errors of means under GLS divide by N (left out of the reference).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq, least_squares
from scipy.stats import ncx2

from analysis.sem import SemFit, cfa, sem

HERE = Path(__file__).parents[1] / "reference"
CASES: dict[str, Any] = json.loads((HERE / "sem_mplus.json").read_text("utf-8"))[
    "cases"
]
DATA = {name: pd.read_csv(HERE / f"{name}.csv") for name in ("hs1939", "sem_democracy")}
ITEMS = [f"x{k}" for k in range(1, 10)]
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
# Half a unit of the last digit printed, and what Mplus's convergence leaves open.
HALF = 0.51
COLUMNS = ["estimate", "std_error", "std_all", "std_all_se"]


def fitted(name: str) -> SemFit:
    case = CASES[name]
    function = sem if case["function"] == "sem" else cfa
    return function(case["model"], DATA[case["data"]], **case["options"])


def within(printed: str) -> float:
    return HALF * float(10.0 ** -len(printed.partition(".")[2]))


@pytest.mark.parametrize("name", CASES)
def test_fit(name: str) -> None:
    fit = fitted(name)
    assert fit.n_obs == len(DATA[CASES[name]["data"]])
    for measure, printed in CASES[name]["fit"].items():
        expected = pytest.approx(float(printed), abs=within(printed))
        assert fit.indices[measure] == expected, measure


@pytest.mark.parametrize("name", CASES)
def test_parameters(name: str) -> None:
    tidy = fitted(name).tidy()
    if "group" not in tidy:
        tidy["group"] = ""
    for op in ("~1", "~~"):
        # Mplus names the later variable of a covariance first.
        rows = tidy[tidy["op"] == op].rename(columns={"lhs": "rhs", "rhs": "lhs"})
        tidy = pd.concat([tidy, rows])
    own = tidy.drop_duplicates(["group", "lhs", "op", "rhs"])
    own = own.set_index(["group", "lhs", "op", "rhs"])[COLUMNS]
    rows = CASES[name]["parameters"]
    printed = pd.DataFrame([row[4:] for row in rows], columns=COLUMNS, dtype="float64")
    found = own.loc[[tuple(row[:4]) for row in rows]].to_numpy()
    gap = np.abs(found - printed.to_numpy())[printed.notna().to_numpy()]
    assert len(gap) > len(rows)
    assert gap.max() < within("0.000")


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n]["r_squared"]])
def test_r_squared(name: str) -> None:
    own = fitted(name).r_squared
    for group, variable, printed in CASES[name]["r_squared"]:
        key = (group, variable) if group else variable
        assert own[key] == pytest.approx(printed, abs=within("0.000"))


@pytest.mark.parametrize(
    ("statistic", "df", "n", "groups", "printed"),
    [
        (87.132, 24, 301, 1, (0.073, 0.115)),
        (44.492, 38, 75, 1, (0.000, 0.098)),
        (121.741, 48, 301, 2, (0.079, 0.123)),
    ],
)
def test_interval_of_the_rmsea(
    statistic: float, df: int, n: int, groups: int, printed: tuple[float, float]
) -> None:
    limits = []
    for level in (0.95, 0.05):
        if ncx2.cdf(statistic, df, 1e-12) < level:
            limits.append(0.0)
            continue

        def distance(nc: float, level: float = level) -> float:
            return float(ncx2.cdf(statistic, df, nc)) - level

        nc = brentq(distance, 1e-12, 4 * statistic)
        limits.append(float(np.sqrt(nc * groups / (n * df))))
    assert limits == pytest.approx(printed, abs=within("0.000"))


def implied(theta: np.ndarray) -> np.ndarray:
    """Means and covariances below the diagonal row by row, of the three factors."""
    loadings, moments, residuals, means = np.split(theta, [6, 12, 21])
    Lambda = np.zeros((9, 3))
    for k in range(3):
        Lambda[3 * k : 3 * k + 3, k] = 1.0, *loadings[2 * k : 2 * k + 2]
    Psi = np.zeros((3, 3))
    Psi[np.tril_indices(3)] = moments
    Psi += np.tril(Psi, -1).T
    Sigma = Lambda @ Psi @ Lambda.T + np.diag(residuals)
    return np.concatenate([means, Sigma[np.tril_indices(9)]])


@pytest.mark.parametrize(
    ("whose", "chisq", "baseline"),
    [("Mplus", 83.472, 390.936), ("ours", None, None)],
)
def test_wls(whose: str, chisq: float | None, baseline: float | None) -> None:
    fit = cfa(THREE, DATA["hs1939"], estimator="WLS", meanstructure=True)
    centred = DATA["hs1939"][ITEMS].to_numpy()
    mean = centred.mean(axis=0)
    centred = centred - mean
    n, p = centred.shape
    rows, columns = np.tril_indices(p)
    cov = (centred.T @ centred / (n - 1))[rows, columns]
    products = np.hstack([centred, centred[:, rows] * centred[:, columns]])
    taken = cov if whose == "Mplus" else cov * (n - 1) / n
    centre = np.concatenate([np.zeros(p), taken])
    Gamma = products.T @ products / n - np.outer(centre, centre)
    sample = np.concatenate([mean, cov])
    root = np.linalg.cholesky(np.linalg.inv(Gamma)).T
    start = np.full(30, 0.5)
    start[[6, 8, 11]], start[21:] = 1.0, mean
    found = least_squares(lambda theta: root @ (sample - implied(theta)), start)
    apart = np.flatnonzero(np.concatenate([np.zeros(p, dtype=bool), rows != columns]))
    apart_only = np.linalg.solve(Gamma[np.ix_(apart, apart)], sample[apart])
    chisq = fit.indices.chisq if chisq is None else chisq
    baseline = fit.indices["baseline_chisq"] if baseline is None else baseline
    assert (n - 1) * 2 * found.cost == pytest.approx(chisq, abs=within("0.000"))
    own = (n - 1) * sample[apart] @ apart_only
    assert own == pytest.approx(baseline, abs=within("0.000"))


def test_fit_measures_tell_mplus_from_ours() -> None:
    def said(estimator: str, measure: str) -> str:
        fit = cfa(THREE, DATA["hs1939"], estimator=estimator)  # type: ignore[arg-type]
        return str(fit.fit_measures().set_index("measure")["convention"][measure])

    assert "Mplus: fourth moments less" in said("WLS", "chisq")
    assert "Mplus: weights from the sample covariances" in said("MLM", "chisq_scaled")
    assert "Mplus: scaled chi-square on df" in said("MLR", "rmsea_ci_upper_scaled")
    assert said("MLR", "chisq_scaled").endswith("as in Mplus")
