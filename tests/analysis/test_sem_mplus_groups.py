"""Two groups of binary answers as Mplus printed them: equal thresholds, free scales.

Mplus 6.11, User's Guide example 5.16 without covariates, repository lucdw/lavaan-mplus,
Categorical/ex5.16_nox.WLSMV.mplus.out. The answers are ours: each pattern as often as
the printed estimates say, times a hundred. Estimates must come back, and errors must be
a tenth of those printed, but for what the real answers of 2,200 people differed from
the model (chi-square 8.8 on 17).
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import norm

from analysis.sem import cfa

TIMES = 100
ITEMS = [f"u{k}" for k in range(1, 7)]
FACTOR = [0, 0, 0, 1, 1, 1]
#: By group: people; loadings; thresholds; factor means; variances, covariance; scales.
PRINTED = {
    1: (
        1000,
        (1, 0.958, 0.993, 1, 0.999, 0.993),
        (-0.643, -0.375, -0.171, -0.018, 0.127, 0.331),
        (0, 0),
        (0.888, 0.857, 0.520),
        (1, 1, 1, 1, 1, 1),
    ),
    2: (
        1200,
        (1, 0.958, 0.891, 1, 0.999, 0.993),
        (-0.643, -0.375, 0.382, -0.018, 0.127, 0.331),
        (-0.135, -0.055),
        (0.610, 1.005, 0.468),
        (1.201, 1.229, 1, 0.930, 0.936, 0.930),
    ),
}
# u3 is the item that measures otherwise; scales are 1 in the first group.
MODEL = """
f1 =~ c(1,1)*u1 + c(a,a)*u2 + u3
f2 =~ c(1,1)*u4 + c(b,b)*u5 + c(d,d)*u6
u1 | c(t1,t1)*t1
u2 | c(t2,t2)*t1
u3 | t1
u4 | c(t4,t4)*t1
u5 | c(t5,t5)*t1
u6 | c(t6,t6)*t1
f1 + f2 ~ c(0,NA)*1
u1 ~*~ c(1,NA)*u1
u2 ~*~ c(1,NA)*u2
u3 ~*~ c(1,1)*u3
u4 ~*~ c(1,NA)*u4
u5 ~*~ c(1,NA)*u5
u6 ~*~ c(1,NA)*u6
"""
#: Estimate and standard error.
ESTIMATES = {
    ("1", "f1", "=~", "u2"): (0.958, 0.028),
    ("1", "f1", "=~", "u3"): (0.993, 0.028),
    ("1", "f2", "=~", "u5"): (0.999, 0.027),
    ("1", "f2", "=~", "u6"): (0.993, 0.026),
    ("1", "f1", "~~", "f2"): (0.520, 0.032),
    ("1", "f1", "~~", "f1"): (0.888, 0.033),
    ("1", "f2", "~~", "f2"): (0.857, 0.030),
    ("1", "u1", "|", "t1"): (-0.643, 0.043),
    ("1", "u4", "|", "t1"): (-0.018, 0.039),
    ("1", "u6", "|", "t1"): (0.331, 0.040),
    ("2", "f1", "=~", "u3"): (0.891, 0.181),
    ("2", "f1", "~~", "f2"): (0.468, 0.120),
    ("2", "f1", "~~", "f1"): (0.610, 0.243),
    ("2", "f2", "~~", "f2"): (1.005, 0.293),
    ("2", "f1", "~1", ""): (-0.135, 0.090),
    ("2", "f2", "~1", ""): (-0.055, 0.056),
    ("2", "u3", "|", "t1"): (0.382, 0.104),
    ("2", "u1", "~*~", "u1"): (1.201, 0.230),
    ("2", "u2", "~*~", "u2"): (1.229, 0.263),
    ("2", "u4", "~*~", "u4"): (0.930, 0.136),
    ("2", "u5", "~*~", "u5"): (0.936, 0.137),
    ("2", "u6", "~*~", "u6"): (0.930, 0.131),
}
# Whole people and three printed digits; what the model misses in the real answers.
WHOLE, MISFIT = 1e-3, 0.08


def answers(group: int) -> pd.DataFrame:
    n, loadings, thresholds, mean, (v1, v2, v12), scales = PRINTED[group]
    nodes, weights = hermegauss(80)
    grid = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    weight = np.outer(weights, weights).ravel() / weights.sum() ** 2
    factors = grid @ np.linalg.cholesky([[v1, v12], [v12, v2]]).T + mean
    explained = np.square(loadings) * np.array([v1, v2])[FACTOR]
    residual = np.sqrt(1 / np.square(scales) - explained)
    latent = np.array(loadings) * factors[:, FACTOR] - np.array(thresholds)
    agree = norm.cdf(latent / residual)
    patterns = np.array(list(product([0, 1], repeat=6)))
    shares = [weight @ np.where(p, agree, 1 - agree).prod(axis=1) for p in patterns]
    people = np.round(n * TIMES * np.array(shares)).astype(int)
    frame = pd.DataFrame(np.repeat(patterns, people, axis=0), columns=ITEMS)
    return frame.assign(g=group)


def test_two_groups() -> None:
    data = pd.concat([answers(1), answers(2)], ignore_index=True)
    assert len(data) == pytest.approx(2200 * TIMES, abs=TIMES)
    fit = cfa(MODEL, data, estimator="WLSMV", ordered=ITEMS, group="g")
    assert (fit.indices["npar"], fit.indices.df) == (25, 17)
    own = fit.tidy().set_index(["group", "lhs", "op", "rhs"])
    for key, (estimate, std_error) in ESTIMATES.items():
        assert own["estimate"][key] == pytest.approx(estimate, abs=WHOLE), key
        error = own["std_error"][key] * np.sqrt(TIMES)
        assert error == pytest.approx(std_error, rel=MISFIT), key
