"""Ordered variables: closed forms, recovery, parameterisations, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.errors import AnalysisError, NotIdentifiedError, TooFewError
from analysis.result import Result
from analysis.sem import cfa, sem

# Least squares of three correlations is solved exactly; what is left is rounding.
EXACT = 1e-6
# Five standard errors: a right method misses once in two million runs.
FAR = 5.0
LOADINGS = np.array([0.8, 0.7, 0.6, 0.75])
CUTS = np.array([-0.8, 0.1, 0.9])


def likert(n: int, seed: int, factors: int = 1, related: float = 0.4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    Phi = np.full((factors, factors), related) + (1 - related) * np.eye(factors)
    eta = rng.multivariate_normal(np.zeros(factors), Phi, size=n)
    columns = {}
    for f in range(factors):
        for j, loading in enumerate(LOADINGS):
            y = loading * eta[:, f] + np.sqrt(1 - loading**2) * rng.normal(size=n)
            columns[f"f{f}i{j}"] = np.digitize(y, CUTS) + 1
    return pd.DataFrame(columns)


def model(factors: int = 1) -> str:
    return "\n".join(
        f"F{f} =~ " + " + ".join(f"f{f}i{j}" for j in range(4)) for f in range(factors)
    )


def test_three_items_by_hand() -> None:
    """With r the polychoric correlations: lambda1^2 = r12 r13 / r23, and so on."""
    data = likert(500, 1)[["f0i0", "f0i1", "f0i2"]]
    fit = cfa("f =~ f0i0 + f0i1 + f0i2", data, ordered=True, std_lv=True)
    r = fit.cov.to_numpy()
    first = np.sqrt(r[0, 1] * r[0, 2] / r[1, 2])
    expected = [first, r[0, 1] / first, r[0, 2] / first]
    tidy = fit.tidy()
    np.testing.assert_allclose(tidy["estimate"][:3], expected, atol=EXACT)
    share = np.cumsum(np.bincount(data["f0i0"])[1:]) / len(data)
    cuts = tidy[(tidy["op"] == "|") & (tidy["lhs"] == "f0i0")]
    np.testing.assert_allclose(cuts["estimate"], norm.ppf(share[:-1]), atol=EXACT)


def test_recovers_known_loadings_thresholds_and_correlations() -> None:
    fit = cfa(model(2), likert(3000, 2, 2), ordered=True, std_lv=True)
    tidy = fit.tidy()
    loadings = tidy[tidy["op"] == "=~"]
    z = (loadings["estimate"] - np.tile(LOADINGS, 2)) / loadings["std_error"]
    assert z.abs().max() < FAR
    cuts = tidy[tidy["op"] == "|"]
    z = (cuts["estimate"] - np.tile(CUTS, 8)) / cuts["std_error"]
    assert z.abs().max() < FAR
    phi = tidy[(tidy["op"] == "~~") & (tidy["lhs"] == "F0") & (tidy["rhs"] == "F1")]
    assert abs(phi["estimate"].item() - 0.4) < FAR * phi["std_error"].item()
    assert fit.warnings.empty
    assert isinstance(fit, Result)
    assert fit.summary().startswith("scaled chi2(19, N = 3000)")
    assert "robust CFI" in fit.summary()


def test_standard_errors_are_those_of_repetition() -> None:
    estimates, errors = [], []
    for seed in range(100):
        tidy = cfa(model(), likert(300, seed), ordered=True, std_lv=True).tidy()
        estimates.append(tidy["estimate"][:4].to_numpy())
        errors.append(tidy["std_error"][:4].to_numpy())
    ratio = np.std(estimates, axis=0) / np.mean(errors, axis=0)
    # The standard deviation of 100 values has a relative error of 7 %.
    assert np.abs(ratio - 1).max() < 0.07 * 4


def test_scaled_statistic_rejects_a_true_model_at_its_level() -> None:
    values = [
        cfa(model(2), likert(400, seed, 2), ordered=True).statistic.pvalue_scaled
        for seed in range(60)
    ]
    # Of 60 tests at 10 % six are expected to reject; 14 or more once in 900 times.
    assert sum(p < 0.10 for p in values) < 14


def test_delta_and_theta_say_the_same() -> None:
    data = likert(600, 3, 2)
    delta = cfa(model(2), data, ordered=True)
    theta = cfa(model(2), data, ordered=True, parameterization="theta")
    assert theta.indices.chisq == pytest.approx(delta.indices.chisq, rel=1e-6)
    np.testing.assert_allclose(
        theta.tidy()["std_all"][:8], delta.tidy()["std_all"][:8], atol=1e-5
    )
    residual = theta.tidy().set_index(["lhs", "op", "rhs"])
    assert residual.loc[("f0i0", "~~", "f0i0"), "estimate"] == 1.0
    scale = delta.tidy().set_index(["lhs", "op", "rhs"])
    assert scale.loc[("f0i0", "~*~", "f0i0"), "estimate"] == 1.0


def test_residual_variances_follow_and_may_be_used() -> None:
    text = model() + "\nf0i0 ~~ e*f0i0\nreliability := 1 - e"
    tidy = cfa(text, likert(500, 4), ordered=True, std_lv=True).tidy()
    loading = tidy["estimate"].iloc[0]
    row = tidy[tidy["op"] == ":="].iloc[0]
    assert row["estimate"] == pytest.approx(loading**2)
    # Delta method of a square.
    assert row["std_error"] == pytest.approx(2 * loading * tidy["std_error"].iloc[0])


def test_an_ordered_mediator_is_standardised_with_its_total_variance() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=4000)
    m = 0.6 * x + 0.8 * rng.normal(size=4000)
    y = 0.5 * m + np.sqrt(0.75) * rng.normal(size=4000)
    data = pd.DataFrame({"x": x, "m": np.digitize(m, CUTS), "y": np.digitize(y, CUTS)})
    for kind in ("delta", "theta"):
        fit = sem(
            "m ~ x\ny ~ m",
            data,
            ordered=["m", "y"],
            parameterization=kind,  # type: ignore[arg-type]
            conditional_x=False,
        )
        std = fit.tidy()["std_all"][:2]
        np.testing.assert_allclose(std, [0.6, 0.5], atol=0.06)


def test_numeric_and_ordered_items_together() -> None:
    data = likert(1500, 6)
    rng = np.random.default_rng(6)
    data["f0i0"] = data["f0i0"] + rng.normal(size=len(data))
    names = ["f0i1", "f0i2", "f0i3"]
    fit = cfa(model(), data, ordered=names)
    assert fit.table.ordered == tuple(names)
    tidy = fit.tidy().set_index(["lhs", "op", "rhs"])
    assert np.isfinite(tidy.loc[("f0i0", "~~", "f0i0"), "std_error"])
    assert tidy.loc[("f0i0", "~1", ""), "estimate"] == pytest.approx(
        data["f0i0"].mean()
    )


def test_labels_fixed_values_and_constraints_of_thresholds() -> None:
    text = model() + "\nf0i0 | a*t1 + t2\nf0i1 | a*t1\nf0i2 | 0*t2"
    tidy = cfa(text, likert(800, 7), ordered=True).tidy()
    cuts = tidy[tidy["op"] == "|"].set_index(["lhs", "rhs"])["estimate"]
    assert cuts["f0i0", "t1"] == pytest.approx(cuts["f0i1", "t1"])
    assert cuts["f0i2", "t2"] == 0.0


def test_ordered_categories_of_pandas_are_seen() -> None:
    data = likert(400, 8)
    words = ["never", "rarely", "often", "always"]
    kind = pd.CategoricalDtype(words, ordered=True)
    named = pd.DataFrame(
        {c: data[c].map(dict(enumerate(words, 1))).astype(kind) for c in data}
    )
    mine, other = cfa(model(), data, ordered=True), cfa(model(), named)
    assert other.estimator == "WLSMV"
    assert other.indices.chisq == pytest.approx(mine.indices.chisq)


def test_pairwise_uses_everyone() -> None:
    data = likert(600, 9).astype(float)
    rng = np.random.default_rng(9)
    gaps = data.mask(rng.random(data.shape) < 0.15)
    few, more = (
        cfa(model(), gaps, ordered=True, missing=m) for m in ("listwise", "pairwise")
    )
    assert few.n_dropped > 200
    assert "rows_dropped" in set(few.warnings["what"])
    assert (more.n_obs, more.n_dropped) == (600, 0)
    assert (more.tidy()["std_error"][1:4] < few.tidy()["std_error"][1:4]).all()


def test_rare_categories_are_a_warning() -> None:
    data = likert(400, 10)
    data.loc[0, "f0i0"] = 5
    table = cfa(model(), data, ordered=True).warnings
    row = table[table["what"] == "rare_category"].iloc[0]
    assert row["where"] == "f0i0: 1 answer in category 5"
    assert "join it" in row["remedy"]


def test_one_item_factors_are_a_warning() -> None:
    fit = cfa("f =~ f0i0 + f0i1 + f0i2\ng =~ f0i3", likert(400, 11))
    assert fit.warnings["what"].tolist() == ["one_item_factor"]


LIKERT = likert(200, 12)
BAD = [
    (LIKERT.assign(f0i0=2), "f0i0: all answers are 2"),
    (LIKERT.assign(f0i1=LIKERT["f0i0"]), "f0i0.*f0i1"),
    (LIKERT.assign(f0i1=5 - LIKERT["f0i0"]), "f0i0.*f0i1"),
    (LIKERT.assign(f0i0=np.arange(200) % 30), "f0i0: 30 categories.*20"),
    (LIKERT.assign(f0i0="often"), "f0i0: expected numbers, found 'often'"),
    (LIKERT.assign(f0i0=np.nan), "f0i0: nobody answered"),
]


@pytest.mark.parametrize(("data", "words"), BAD)
def test_bad_items(data: pd.DataFrame, words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        cfa(model(), data, ordered=True)


def test_five_people_are_too_few() -> None:
    with pytest.raises(TooFewError, match="collect more rows"):
        cfa(model(2), likert(5, 13, 2), ordered=True)


BAD_MODELS = [
    ("f0i0 | t4", "has 4 categories and so 3 thresholds"),
    ("x9 | t1", "'x9' is not an ordered variable"),
    ("f0i0 ~*~ NA*f0i0", "cannot tell apart|can tell apart"),
]


@pytest.mark.parametrize(("line", "words"), BAD_MODELS)
def test_bad_statements_about_thresholds(line: str, words: str) -> None:
    with pytest.raises((AnalysisError, NotIdentifiedError), match=words):
        cfa(f"{model()}\n{line}", LIKERT.assign(x9=1.5), ordered=True)
