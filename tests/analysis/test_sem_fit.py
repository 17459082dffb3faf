"""Fitting: closed forms, recovery, results, improper solutions, bad input."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from analysis.errors import (
    AnalysisError,
    ConvergenceError,
    ModelSyntaxError,
    NotIdentifiedError,
    TooFewError,
)
from analysis.result import WARNING_COLUMNS, Result
from analysis.sem import cfa, sem

mpl.use("Agg")

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
# A saturated model is solved exactly; what is left is rounding.
EXACT = 1e-8
# Five standard errors: a right method misses once in two million runs.
FAR = 5.0


def factor_data(n: int, factors: int, items: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    general = rng.normal(size=(n, 1))
    traits = 0.7 * general + np.sqrt(0.51) * rng.normal(size=(n, factors))
    loadings = np.linspace(0.9, 0.6, items)
    columns = {
        f"f{k}i{j}": loadings[j] * traits[:, k] + 0.6 * rng.normal(size=n)
        for k in range(factors)
        for j in range(items)
    }
    return pd.DataFrame(columns)


def factor_model(factors: int, items: int) -> str:
    return "\n".join(
        f"F{k} =~ " + " + ".join(f"f{k}i{j}" for j in range(items))
        for k in range(factors)
    )


def test_one_factor_of_three_indicators_by_hand() -> None:
    """With s the covariances: psi = s12 s13 / s23, lambda2 = s23 / s13, and so on."""
    S = np.cov(HS[["x1", "x2", "x3"]].to_numpy(), rowvar=False, bias=True)
    psi = S[0, 1] * S[0, 2] / S[1, 2]
    lambda2, lambda3 = S[1, 2] / S[0, 2], S[1, 2] / S[0, 1]
    unique = [S[0, 0] - psi, S[1, 1] - lambda2**2 * psi, S[2, 2] - lambda3**2 * psi]
    found = cfa("f =~ x1 + x2 + x3", HS).tidy()["estimate"].to_numpy()
    expected = [1, lambda2, lambda3, *unique, psi]
    np.testing.assert_allclose(found, expected, rtol=EXACT)


def test_regression_by_hand() -> None:
    """A saturated path model is least squares with the residual divided by N."""
    X = np.column_stack([np.ones(len(HS)), HS["x2"], HS["x3"]])
    y = HS["x1"].to_numpy()
    b, *_ = np.linalg.lstsq(X, y, rcond=None)
    residual = ((y - X @ b) ** 2).mean()
    se = np.sqrt(np.diag(residual * np.linalg.inv(X.T @ X)))
    tidy = sem("x1 ~ x2 + x3", HS).tidy()
    np.testing.assert_allclose(tidy["estimate"][:3], [*b[1:], residual], rtol=EXACT)
    np.testing.assert_allclose(tidy["std_error"][:2], se[1:], rtol=EXACT)


def test_indirect_effect_by_hand() -> None:
    """Sobel's standard error: a and b are independent in a recursive path model."""
    fit = sem("x9 ~ x1 + b*x5\nx5 ~ a*x1\nindirect := a*b", HS)
    tidy = fit.tidy().set_index("label")
    a, b, product = tidy.loc["a"], tidy.loc["b"], tidy.loc["indirect"]
    sobel = np.hypot(b["estimate"] * a["std_error"], a["estimate"] * b["std_error"])
    assert product["estimate"] == pytest.approx(a["estimate"] * b["estimate"])
    assert product["std_error"] == pytest.approx(sobel)


def test_recovers_known_loadings() -> None:
    data = factor_data(4000, 3, 4, seed=11)
    tidy = cfa(factor_model(3, 4), data, std_lv=True).tidy()
    loadings = tidy[tidy["op"] == "=~"]
    truth = np.tile(np.linspace(0.9, 0.6, 4), 3)
    z = (loadings["estimate"] - truth) / loadings["std_error"]
    assert z.abs().max() < FAR
    related = tidy[(tidy["op"] == "~~") & (tidy["lhs"] != tidy["rhs"])]
    z = (related["estimate"] - 0.49) / related["std_error"]
    assert z.abs().max() < FAR


def test_standard_errors_are_those_of_repetition() -> None:
    estimates, errors = [], []
    for seed in range(120):
        tidy = cfa(factor_model(2, 3), factor_data(150, 2, 3, seed), std_lv=True).tidy()
        estimates.append(tidy["estimate"][:6].to_numpy())
        errors.append(tidy["std_error"][:6].to_numpy())
    ratio = np.std(estimates, axis=0) / np.mean(errors, axis=0)
    # The standard deviation of 120 values has a relative error of 6.5 %.
    assert np.abs(ratio - 1).max() < 0.065 * 4


def test_eleven_factors_converge() -> None:
    fit = cfa(factor_model(11, 4), factor_data(600, 11, 4, seed=5))
    assert fit.indices.df == 847
    assert fit.warnings.empty


def test_units_do_not_matter() -> None:
    factor = {"x1": 1e6, "x4": 1e-6, "x9": 1e3}
    data = HS.assign(**{k: HS[k] * v for k, v in factor.items()})
    mine, other = cfa(THREE, HS), cfa(THREE, data)
    assert other.indices.chisq == pytest.approx(mine.indices.chisq, rel=1e-9)
    np.testing.assert_allclose(
        other.standardized.std_all, mine.standardized.std_all, rtol=1e-7
    )
    for column in ("std_all_se", "std_all"):
        np.testing.assert_allclose(
            other.tidy()[column].to_numpy(), mine.tidy()[column].to_numpy(), rtol=1e-6
        )


def test_a_reversed_marker_turns_the_factor_round() -> None:
    mine = cfa("f =~ x4 + x5 + x6 + x7", HS)
    other = cfa("f =~ x4 + x5 + x6 + x7", HS.assign(x4=-HS["x4"]))
    assert other.indices.chisq == pytest.approx(mine.indices.chisq, rel=1e-9)
    assert other.theta[0] == pytest.approx(-mine.theta[0])


def test_start_values_do_not_move_the_minimum() -> None:
    far = cfa("f =~ x4 + start(-30)*x5 + 9?x6 + x7", HS)
    assert far.indices.chisq == pytest.approx(
        cfa("f =~ x4 + x5 + x6 + x7", HS).indices.chisq, rel=1e-9
    )


def test_result_is_whole() -> None:
    before = HS.copy()
    fit = cfa(THREE, HS)
    pd.testing.assert_frame_equal(HS, before)
    assert isinstance(fit, Result)
    assert fit.latent == ("visual", "textual", "speed")
    assert fit.observed == tuple(f"x{k}" for k in range(1, 10))
    assert (fit.n_obs, fit.n_dropped) == (301, 0)
    assert fit.vcov.shape == (len(fit.theta), len(fit.table.free)) == (21, 21)
    assert list(fit.warnings.columns) == list(WARNING_COLUMNS)
    assert fit.warnings.empty
    tidy = fit.tidy()
    assert list(tidy.columns) == [
        *("lhs", "op", "rhs", "label", "estimate", "std_error", "statistic"),
        *("p_value", "conf_low", "conf_high", "std_lv", "std_all"),
        *("std_all_se", "std_all_low", "std_all_high"),
    ]
    assert tidy["std_error"].isna().sum() == 3
    residuals = fit.residuals
    assert np.allclose(np.diag(residuals), 0)
    S, Sigma = fit.cov.to_numpy(), fit.implied.to_numpy()
    r = S[0, 8] / np.sqrt(S[0, 0] * S[8, 8])
    r -= Sigma[0, 8] / np.sqrt(Sigma[0, 0] * Sigma[8, 8])
    assert residuals.loc["x1", "x9"] == pytest.approx(r)
    glance = fit.glance()
    assert len(glance) == 1
    assert glance["converged"].item() is True
    assert fit.summary() == (
        "chi2(24, N = 301) = 85.31, p < .001, CFI = 0.931, TLI = 0.896, "
        "RMSEA = 0.092 [90% CI 0.071, 0.114], SRMR = 0.065 (ML)."
    )


def test_saturated_models_say_so() -> None:
    fit = cfa("f =~ x1 + x2 + x3", HS)
    i = fit.indices
    assert (i.df, i.rmsea, i.cfi, i.tli) == (0, 0.0, 1.0, 1.0)
    assert np.isnan(i.pvalue)
    assert np.isnan(i.rmsea_pvalue)
    assert "saturated" in fit.summary()


def test_nullable_and_plain_columns_agree() -> None:
    gaps = HS[["x1", "x2", "x3", "x4"]].copy()
    gaps.loc[:29, "x2"] = np.nan
    model = "f =~ x1 + x2 + x3 + x4"
    mine = cfa(model, gaps)
    assert (mine.n_obs, mine.n_dropped) == (271, 30)
    assert mine.warnings["what"].tolist() == ["rows_dropped"]
    assert "30 of 301" in mine.warnings["where"].item()
    assert "30 rows with missing answers" in mine.summary()
    for other in (
        gaps.astype("Float64"),
        gaps.astype(object).where(gaps.notna(), None),
    ):
        np.testing.assert_array_equal(cfa(model, other).theta, mine.theta)
    codes = (HS[["x1", "x2", "x3", "x4"]] // 1).astype("Int64")
    np.testing.assert_allclose(
        cfa(model, codes).theta, cfa(model, codes.astype(float)).theta
    )


def test_heywood_case_is_a_warning() -> None:
    fit = cfa(f"{THREE}\nvisual =~ x9\nx7 ~~ x8\nvisual ~~ 0*speed", HS)
    table = fit.warnings.set_index("what")["where"]
    assert "x8 ~~ x8 = -0.052" in table["negative_variance"]
    assert "speed =~ x8" in table["loading_above_one"]
    assert np.isnan(fit.r_squared["x8"])
    assert "negative_variance" in fit.summary()


def test_impossible_correlation_is_a_warning() -> None:
    rng = np.random.default_rng(3)
    trait = rng.normal(size=400)
    noise = rng.normal(size=400)
    data = pd.DataFrame(
        {k: trait + 0.5 * rng.normal(size=400) for k in ("a", "b", "c", "d")}
    )
    data["b"] += 0.4 * noise
    data["d"] += 0.4 * noise
    kinds = set(cfa("f =~ a + b\ng =~ c + d", data).warnings["what"])
    assert {"correlation_above_one", "latent_cov_not_pd"} <= kinds


def test_predictor_cut_off_from_the_others_is_a_warning() -> None:
    fit = sem("x1 ~ x2 + x3\nx2 ~~ x2", HS)
    assert fit.warnings["what"].tolist() == ["predictor_freed"]
    assert sem("x1 ~ x2 + x3\nx2 ~~ x2 + x3", HS).warnings.empty


def test_definition_without_a_value_is_a_warning() -> None:
    fit = cfa("f =~ x1 + a*x2 + x3\nd := log(-a^2)", HS)
    assert fit.warnings["what"].tolist() == ["defined_not_real"]
    assert np.isnan(fit.tidy()["estimate"].iloc[-1])


NOT_IDENTIFIED = [
    ("f =~ x1 + x2", {}, "4 free parameters, but only 3"),
    ("f =~ x1 + x2 + x3\ng =~ x4 + x5", {"orthogonal": True}, "x4 ~~ x4"),
    ("f =~ NA*x1 + x2 + x3 + x4", {}, "f ~~ f"),
    ("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nh =~ f + g", {}, "h ~~ h"),
    ("f =~ x1 + x2 + x3 + x4\nf ~ 1", {}, "f ~ 1"),
]


@pytest.mark.parametrize(("model", "options", "words"), NOT_IDENTIFIED)
def test_not_identified(model: str, options: dict[str, bool], words: str) -> None:
    with pytest.raises(NotIdentifiedError) as caught:
        cfa(model, HS, **options)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_factor_without_correlated_items_is_refused_or_warned_of() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame(rng.normal(size=(60, 6)), columns=list("abcdeg"))
        with suppress(ConvergenceError, NotIdentifiedError):
            fit = cfa("f =~ a + b + c\nh =~ d + e + g", data)
            assert np.isfinite(fit.tidy()["estimate"]).all()


def test_impossible_fixed_values_do_not_start() -> None:
    with pytest.raises(ConvergenceError, match="positive definite"):
        cfa("f =~ x1 + x2 + x3\nf ~~ -5*f", HS)


def test_contradicting_constraints() -> None:
    with pytest.raises(ModelSyntaxError, match="cannot hold together"):
        cfa("f =~ x1 + a*x2 + a*x3\na == 1\na == 2", HS)


BAD_DATA = [
    (HS.rename(columns={"x3": "X3"}), "'x3' is neither a column.*\n.*\n|Did you"),
    (HS.assign(x3=3.0), "x3: all 301 complete rows hold 3"),
    (HS.assign(x3=np.nan), "x3: nobody answered"),
    (HS.assign(x3=None), "x3: nobody answered"),
    (HS.assign(x3="often"), "x3: expected numbers, found 'often'"),
    (HS.assign(x3=HS["x3"].astype("category")), "x3: expected numbers"),
    (HS.assign(x3=np.inf), "x3: 301 infinite"),
    (HS.assign(x3=HS["x1"]), "x1 and x3 correlate perfectly"),
    (HS.assign(x3=7 - HS["x1"]), "x1 and x3 correlate perfectly"),
    (HS.assign(x3=HS["x1"] + HS["x2"]), "x1, x2, x3 determine each other"),
    (HS.assign(f=1.0), "factor 'f' has the name of a column"),
    (pd.concat([HS, HS[["x3"]]], axis=1), "2 columns are named 'x3'"),
    (HS.to_numpy(), "expected a DataFrame, found ndarray"),
]


@pytest.mark.parametrize(("data", "words"), BAD_DATA)
def test_bad_data(data: pd.DataFrame, words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        cfa("f =~ x1 + x2 + x3", data)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_fewer_people_than_items(n: int) -> None:
    with pytest.raises(TooFewError, match=f"{n} complete rows"):
        cfa("f =~ x1 + x2 + x3", HS.iloc[:n])


def test_all_faults_of_a_table_at_once() -> None:
    with pytest.raises(AnalysisError) as caught:
        cfa("f =~ x1 + x2 + x3", HS.assign(x1="a", x2=np.inf, x3=np.nan))
    assert len(str(caught.value).splitlines()) == 3


def test_misspelt_names_are_quoted_with_suggestions() -> None:
    with pytest.raises(AnalysisError) as caught:
        sem("visual =~ x1 + x2 + x3\nx9 ~ visaul", HS)
    message = str(caught.value)
    assert message.startswith("model, line 2: 'visaul'")
    assert "Did you mean 'visual'" in message
    assert message.endswith("^")


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"estimator": "PML"}, "'PML' is not offered.*Use one of 'ML', 'MLM'"),
    ({"missing": "mean"}, "missing='mean' is not offered"),
    ({"missing": "ml", "estimator": "WLSMV"}, "wants a likelihood"),
    ({"missing": "pairwise"}, "for ordered variables"),
    ({"ordered": True, "estimator": "ML"}, "treats answers as numbers"),
    ({"ordered": ["x33"]}, "Did you mean 'x3'"),
    ({"group": "scool"}, "Did you mean 'school'"),
    ({"group": "school", "group_equal": ["loading"]}, "Did you mean 'loadings'"),
    (
        {"group": "school", "group_equal": "loadings", "group_partial": ["f =~ x1"]},
        "not parameters of the model",
    ),
    ({"parameterization": "gamma"}, "'delta', 'theta'"),
    ({"information": "first_order", "estimator": "MLR"}, "errors are robust"),
    ({"likelihood": "wishart", "estimator": "GLS"}, "goes with estimator='ML'"),
    ({"meanstructure": False, "missing": "ml"}, "estimates means"),
    ({"cluster": "school", "estimator": "GLS"}, "want robust errors"),
]


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS)
def test_options_that_do_not_go_together(options: dict[str, Any], words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        cfa(THREE, HS, **options)


@pytest.mark.parametrize("model", [THREE, "x1 ~ x2 + x3\nx4 ~ x1"])
def test_plot_says_n(model: str) -> None:
    ax = sem(model, HS).plot()
    assert "n = 301" in ax.get_xlabel()
    assert ax.get_title(loc="left") or ax.get_title()
    assert len(ax.get_yticklabels()) in {9, 3}
    mpl.pyplot.close(ax.figure)
