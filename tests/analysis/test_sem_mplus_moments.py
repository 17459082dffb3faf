"""Mplus's printed results from data of our own with the moments that Mplus printed.

Where an output prints the sample statistics, any data with these moments have the
printed results: normal draws given exactly the printed means and covariances; answers
with exactly the two-way tables that printed shares and tetrachoric correlations allow.
What rests on higher moments (robust errors, scaled tests) is not compared.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import milp
from scipy.stats import multivariate_normal, norm

from analysis.sem import cfa, modification_indices, sem

# Half a unit of the last digit printed.
PRINTED = 5.1e-4
TWO = "f1 =~ x1 + x2 + x3\nf2 =~ x4 + x5 + x6"


def lower(text: str) -> np.ndarray:
    """Read a symmetric matrix from its lower triangle."""
    rows = [[float(v) for v in line.split()] for line in text.strip().splitlines()]
    S = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        S[i, : len(row)] = S[: len(row), i] = row
    return S


def drawn(S: np.ndarray, mean: np.ndarray, n: int) -> pd.DataFrame:
    """Draw data with exactly these moments, divisor n."""
    Z = np.random.default_rng(1).standard_normal((n, len(S)))
    Z -= Z.mean(axis=0)
    white = Z @ np.linalg.inv(np.linalg.cholesky(Z.T @ Z / n)).T
    names = [f"x{k}" for k in range(1, len(S) + 1)]
    return pd.DataFrame(white @ np.linalg.cholesky(S).T + mean, columns=names)


# Mplus 8.3, repository cahitgs/esem-mplus-toolkit, test/fixtures/cfa_2f.out, N = 4500.
COV = lower("""
1.172
0.648 0.878
0.633 0.603 1.167
0.452 0.566 0.646 1.333
0.337 0.394 0.452 0.635 0.745
0.135 0.212 0.261 0.434 0.298 0.720
""")
COR = lower("""
1
0.639 1
0.541 0.596 1
0.362 0.523 0.518 1
0.361 0.487 0.485 0.637 1
0.147 0.267 0.285 0.443 0.406 1
""")
MEAN = np.array([0.656, 0.450, 0.457, 0.710, 0.432, 0.574])
# Twice the difference of the printed log-likelihoods; scaling factor of the MLR test.
CHISQ, SCALING = 339.062, 0.9886
# Rounding of the moments moves estimates, expected changes, chi-square and modification
# indices (the last two relatively) by so much in the worst of 60 draws.
ROUNDED, EPC_ROUNDED, CHISQ_ROUNDED, MI_ROUNDED = 1.5e-3, 4.5e-3, 0.01, 0.05
ESTIMATES = {
    ("f1", "=~", "x2"): (1.011, 0.843),
    ("f1", "=~", "x3"): (1.025, 0.742),
    ("f2", "=~", "x5"): (0.693, 0.774),
    ("f2", "=~", "x6"): (0.449, 0.510),
    ("f1", "~~", "f2"): (0.549, 0.728),
    ("x1", "~~", "x1"): (0.561, 0.478),
    ("x2", "~~", "x2"): (0.254, 0.289),
    ("x6", "~~", "x6"): (0.532, 0.739),
}
#: M.I. of MLR, E.P.C., Std and StdYX E.P.C.
MODIFICATIONS = {
    ("f1", "=~", "x5"): (16.995, 0.154, 0.120, 0.139),
    ("f1", "=~", "x6"): (51.579, -0.206, -0.161, -0.190),
    ("f2", "=~", "x1"): (212.006, -0.407, -0.393, -0.363),
    ("f2", "=~", "x3"): (167.592, 0.365, 0.352, 0.326),
    ("x1", "~~", "x2"): (167.757, 0.175, 0.175, 0.464),
    ("x2", "~~", "x3"): (212.070, -0.205, -0.205, -0.562),
    ("x1", "~~", "x4"): (55.926, -0.078, -0.078, -0.164),
    ("x3", "~~", "x4"): (36.469, 0.062, 0.062, 0.135),
    ("x3", "~~", "x5"): (16.697, 0.032, 0.032, 0.081),
    ("x4", "~~", "x5"): (51.497, -0.154, -0.154, -0.443),
    ("x1", "~~", "x6"): (56.361, -0.069, -0.069, -0.127),
    ("x4", "~~", "x6"): (17.019, 0.048, 0.048, 0.104),
}


def test_estimates_and_modification_indices() -> None:
    # Covariances and correlations are both rounded: their mean is nearer the truth.
    sd = np.sqrt(np.diag(COV))
    data = drawn((COV + COR * np.outer(sd, sd)) / 2, MEAN, 4500)
    fit = cfa(TWO, data, meanstructure=True)
    assert (fit.n_obs, fit.indices.df) == (4500, 8)
    assert fit.indices.chisq == pytest.approx(CHISQ, rel=CHISQ_ROUNDED)
    assert fit.indices["srmr_mplus"] == pytest.approx(0.037, abs=PRINTED)
    own = fit.tidy().set_index(["lhs", "op", "rhs"])
    for key, printed in ESTIMATES.items():
        found = own["estimate"][key], own["std_all"][key]
        assert found == pytest.approx(printed, abs=ROUNDED), key
    changes = modification_indices(fit).tidy().set_index(["lhs", "op", "rhs"])
    for key, (mi, *epc) in MODIFICATIONS.items():
        change = [changes[name][key] for name in ("epc", "sepc_lv", "sepc_all")]
        assert change == pytest.approx(epc, abs=EPC_ROUNDED), key
        # Mplus divides by the scaling factor of the test; ours are unscaled.
        scaled = changes["mi"][key] / SCALING
        assert scaled == pytest.approx(mi, rel=MI_ROUNDED), key


# Mplus 8.3, repository cahitgs/esem-mplus-toolkit, example-dataset/4_Bifactor_CFA.out,
# N = 600: covariances; loadings on the general factor and on the item's own.
BIFACTOR_COV = lower("""
0.983
0.494 1.016
0.519 0.512 0.993
0.551 0.564 0.587 1.108
0.456 0.505 0.491 0.518 0.926
0.193 0.179 0.202 0.175 0.191 0.923
0.175 0.187 0.223 0.173 0.179 0.536 1.045
0.176 0.157 0.228 0.181 0.154 0.513 0.514 1.030
0.198 0.166 0.230 0.169 0.139 0.477 0.496 0.536 1.021
0.200 0.142 0.193 0.169 0.167 0.456 0.545 0.511 0.469 1.021
0.200 0.174 0.221 0.199 0.128 0.140 0.174 0.143 0.195 0.185 0.910
0.165 0.138 0.207 0.182 0.201 0.087 0.198 0.139 0.158 0.164 0.419 0.984
0.210 0.230 0.222 0.193 0.191 0.140 0.213 0.176 0.171 0.215 0.493 0.508 1.038
0.213 0.180 0.215 0.187 0.196 0.224 0.259 0.191 0.214 0.252 0.486 0.445 0.515 0.970
0.162 0.184 0.226 0.174 0.150 0.154 0.163 0.158 0.156 0.197 0.431 0.485 0.523 0.471 0.930
""")  # fmt: skip  # noqa: E501
GENERAL = (
    0.435, 0.389, 0.480, 0.407, 0.379, 0.401, 0.463, 0.397, 0.423, 0.450,
    0.433, 0.382, 0.458, 0.514, 0.403,
)  # fmt: skip
OWN = (
    0.543, 0.604, 0.562, 0.679, 0.553, 0.567, 0.580, 0.621, 0.548, 0.528,
    0.486, 0.552, 0.599, 0.479, 0.563,
)  # fmt: skip


def test_bifactor() -> None:
    items = [f"x{k}" for k in range(1, 16)]
    groups = [" + ".join(items[k : k + 5]) for k in (0, 5, 10)]
    model = f"g =~ {' + '.join(items)}\n" + "\n".join(
        f"f{k} =~ {group}" for k, group in enumerate(groups, start=1)
    )
    data = drawn(BIFACTOR_COV, np.zeros(15), 600)
    fit = cfa(model, data, std_lv=True, orthogonal=True, meanstructure=True)
    assert (fit.n_obs, fit.indices["npar"], fit.indices.df) == (600, 60, 75)
    assert fit.indices.chisq == pytest.approx(75.188, rel=CHISQ_ROUNDED)
    assert fit.indices["srmr_mplus"] == pytest.approx(0.018, abs=PRINTED)
    loadings = fit.tidy().query("op == '=~'")["estimate"].tolist()
    assert loadings == pytest.approx([*GENERAL, *OWN], abs=ROUNDED)


# Mplus 9.1, User's Guide example 5.2, repository michaelhallquist/MplusAutomation,
# tests/testthat/v91-ex5.2-residuals.out: who gave the second answer, and tetrachoric
# correlations (estimated and residual).
N = 500
SECOND = np.array([248, 247, 252, 238, 246, 245])
TETRACHORIC = lower("""
1
0.854 1
0.802 0.855 1
0.025 -0.070 0.026 1
0.013 -0.082 -0.037 0.817 1
-0.007 -0.013 -0.044 0.758 0.841 1
""")
# One respondent more in a cell moves a correlation by .0066 at least.
NEAR_WHOLE = 0.25


def binary() -> pd.DataFrame:
    """Answers of 500 people with the two-way tables of example 5.2.

    The tables are the only ones with these correlations; who answers like whom is ours,
    the first solution that a solver finds.
    """
    tau = norm.ppf(1 - SECOND / N)
    pairs = list(combinations(range(6), 2))
    both = []
    for i, j in pairs:
        R = np.array([[1, TETRACHORIC[i, j]], [TETRACHORIC[i, j], 1]])
        people = N * multivariate_normal(cov=R).cdf(-tau[[i, j]])
        assert abs(people - round(people)) < NEAR_WHOLE
        both.append(round(people))
    patterns = np.array(list(product([0, 1], repeat=6)))
    known = [np.ones(len(patterns)), *patterns.T]
    known += [patterns[:, i] * patterns[:, j] for i, j in pairs]
    totals = np.array([N, *SECOND, *both])
    solved = milp(
        np.zeros(len(patterns)),
        integrality=np.ones(len(patterns)),
        constraints=(np.array(known), totals, totals),
    )
    people = np.round(solved.x).astype(int)
    names = [f"u{k}" for k in range(1, 7)]
    return pd.DataFrame(np.repeat(patterns, people, axis=0), columns=names)


#: Estimator; loadings of u2, u3, u5, u6; variances; covariance; R-square.
BINARY = [
    (
        "WLSMV",
        (1.067, 1.001, 1.109, 1.030, 0.800, 0.736, -0.021),
        (0.800, 0.912, 0.802, 0.736, 0.906, 0.781),
    ),
    (
        "ULSMV",
        (1.073, 1.003, 1.112, 1.031, 0.797, 0.735, -0.021),
        (0.797, 0.917, 0.801, 0.735, 0.908, 0.781),
    ),
]
KEYS = [
    ("f1", "=~", "u2"),
    ("f1", "=~", "u3"),
    ("f2", "=~", "u5"),
    ("f2", "=~", "u6"),
    ("f1", "~~", "f1"),
    ("f2", "~~", "f2"),
    ("f1", "~~", "f2"),
]
# Mplus stops at 5e-5: R-square of u6 under ULSMV is .7804 at the optimum.
STOPPED = 1e-3


@pytest.mark.parametrize(("estimator", "estimates", "r_squared"), BINARY)
def test_binary(
    estimator: str, estimates: tuple[float, ...], r_squared: tuple[float, ...]
) -> None:
    data = binary()
    assert (data.sum().to_numpy() == SECOND).all()
    model = TWO.replace("x", "u")
    fit = cfa(model, data, estimator=estimator, ordered=True)  # type: ignore[arg-type]
    assert (fit.n_obs, fit.indices.df) == (N, 8)
    own = fit.tidy().set_index(["lhs", "op", "rhs"])
    assert own["estimate"][KEYS].tolist() == pytest.approx(estimates, abs=PRINTED)
    assert fit.r_squared.tolist() == pytest.approx(r_squared, abs=STOPPED)
    thresholds = own.xs("|", level="op")
    printed = (0.010, 0.015, -0.010, 0.060, 0.020, 0.025)
    assert thresholds["estimate"].tolist() == pytest.approx(printed, abs=PRINTED)
    assert thresholds["std_error"].tolist() == pytest.approx([0.056] * 6, abs=PRINTED)
    # Mplus: residual correlations over 15 of them and 12 categories.
    below = fit.residuals.to_numpy()[np.tril_indices(6, -1)]
    assert np.sqrt((below**2).sum() / 27) == pytest.approx(0.021, abs=PRINTED)


def test_minimum_of_wlsmv() -> None:
    # Mplus divides the asymptotic covariance of the correlations by N - 1, not N.
    fit = cfa(TWO.replace("x", "u"), binary(), estimator="WLSMV", ordered=True)
    own = fit.indices["fmin"] * N / (N - 1)
    assert own == pytest.approx(0.0024587142, abs=1e-9)
    said = fit.fit_measures().set_index("measure")["convention"]
    assert "Mplus: with N F in place of (N - 1) F" in said["chisq_scaled"]


def test_baseline_given_predictors() -> None:
    data = binary()
    data["x"] = data["u1"] + np.random.default_rng(2).standard_normal(N)
    fit = sem("u1 + u2 ~ x", data, estimator="WLSMV", ordered=["u1", "u2"])
    said = fit.fit_measures().set_index("measure")["convention"]
    # Its baseline has slopes of zero, which CFI and TLI feel.
    assert "uncorrelated given the predictors (Mplus:" in said["baseline_chisq_scaled"]
