"""What is asked of a fitted model: closed forms, recovery, bad calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import analysis
from analysis import polychoric, reliability
from analysis import sem as package
from analysis.errors import AnalysisError
from analysis.result import Result
from analysis.sem import (
    bootstrap_intervals,
    cfa,
    discriminant_validity,
    factor_scores,
    local_fit,
    modification_indices,
    profile_interval,
    score_tests,
    sem,
)
from analysis.sem.difference import difference

if TYPE_CHECKING:
    from collections.abc import Callable

mpl.use("Agg")

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
CODES = HS[[f"x{k}" for k in range(1, 10)]].apply(
    lambda x: pd.qcut(x.rank(method="first"), 4, labels=False)
)


def test_a_modification_index_is_the_fall_of_chi_square() -> None:
    """For a small misfit score and likelihood-ratio test agree; so does the change."""
    fit = cfa(THREE, HS)
    table = modification_indices(fit)
    assert isinstance(table, Result)
    rows = table.table.set_index(["lhs", "op", "rhs"])
    one = rows.loc[("x1", "~~", "x4")]
    freed = cfa(THREE + "\nx1 ~~ x4", HS)
    fall = fit.indices.chisq - freed.indices.chisq
    assert one["mi"] == pytest.approx(fall, rel=0.05)
    found = freed.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    assert one["epc"] == pytest.approx(found["x1", "~~", "x4"], rel=0.05)
    assert one["p_value"] == pytest.approx(chi2.sf(one["mi"], 1))
    assert table.summary().startswith("Largest modification indices (n = 301): visual")
    assert len(rows) == 18 + 36


def test_fixed_and_equal_parameters_can_be_given_up() -> None:
    fit = cfa("f =~ x1 + a*x2 + a*x3\ng =~ x4 + x5 + x6\nf ~~ 0*g", HS)
    rows = modification_indices(fit).table
    assert (rows[["lhs", "rhs"]].to_numpy() == ["f", "g"]).all(axis=1).any()
    tests = score_tests(fit)
    assert isinstance(tests, Result)
    freed = cfa("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\nf ~~ 0*g", HS)
    fall = fit.indices.chisq - freed.indices.chisq
    assert tests.table["x2"].item() == pytest.approx(fall, rel=0.1)
    assert tests.total == pytest.approx(tests.table["x2"].item())
    assert "f =~ x3" in tests.summary()


def test_nothing_to_give_up() -> None:
    fit = cfa("f =~ x1 + x2 + x3 + x4", HS)
    assert score_tests(fit).summary() == "The model imposes no equality."


def test_an_equality_that_only_places_the_factor_adds_nothing_to_the_total() -> None:
    placed = "x1 ~ c(i, i)*1\nvisual ~ c(0, NA)*1"
    model = f"visual =~ x1 + c(l, l)*x2 + x3 + x4\n{placed}"
    found = score_tests(cfa(model, HS, group="school"))
    assert found.table["op"].tolist() == ["=~"]
    assert found.total == pytest.approx(found.table["x2"].iloc[0], rel=1e-6)


def test_regression_scores_by_hand() -> None:
    fit = cfa("f =~ x1 + x2 + x3", HS, std_lv=True)
    lam = fit.tidy()["estimate"][:3].to_numpy()
    x = HS[["x1", "x2", "x3"]]
    weights = np.linalg.solve(fit.implied.to_numpy(), lam)
    found = factor_scores(fit)
    np.testing.assert_allclose(found.frame["f"], (x - x.mean()) @ weights)
    determinacy = np.sqrt(lam @ weights)
    assert found.quality["determinacy"].item() == pytest.approx(determinacy)
    assert isinstance(found, Result)
    assert len(found.tidy()) == 301


def test_bartlett_scores_are_unbiased_and_missing_answers_are_left_out() -> None:
    fit = cfa(THREE, HS)
    bartlett = factor_scores(fit, "bartlett").frame
    variance = np.diag(bartlett.cov())
    psi = fit.tidy().query("op == '~~' and lhs == rhs and lhs in @fit.latent")
    assert (variance > psi["estimate"].to_numpy()).all()
    gaps = HS.assign(x1=HS["x1"].where(HS.index > 49))
    scores = factor_scores(cfa(THREE, gaps, missing="ml"))
    assert scores.frame.notna().all(axis=None)
    error = scores.std_error["visual"]
    assert error[:50].min() > error[50:].max()


def test_modes_are_where_the_posterior_is_flat() -> None:
    fit = cfa("f =~ x1 + x2 + x3 + x4", CODES, ordered=True, std_lv=True)
    found = factor_scores(fit)
    assert found.method == "ebm"
    other = cfa("f =~ x1 + x2 + x3 + x4", CODES, ordered=True, parameterization="theta")
    r = np.corrcoef(found.frame["f"], factor_scores(other).frame["f"])[0, 1]
    assert r == pytest.approx(1.0, abs=1e-8)
    total = CODES[["x1", "x2", "x3", "x4"]].sum(axis=1)
    assert np.corrcoef(found.frame["f"], total)[0, 1] > 0.9


def test_scores_recover_the_factor_as_well_as_they_say() -> None:
    rng = np.random.default_rng(1)
    eta = rng.normal(size=4000)
    lam = np.array([0.8, 0.7, 0.6, 0.75, 0.65])
    y = eta[:, None] * lam + rng.normal(size=(4000, 5)) * np.sqrt(1 - lam**2)
    cuts = np.digitize(y, [-1.0, -0.2, 0.6])
    data = pd.DataFrame(cuts, columns=list("abcde"))
    found = factor_scores(cfa("f =~ a + b + c + d + e", data, ordered=True))
    r = np.corrcoef(found.frame["f"], eta)[0, 1]
    assert found.quality["determinacy"].item() == pytest.approx(r, abs=0.02)


@pytest.mark.parametrize(
    ("options", "method", "words"),
    [
        ({}, "ebm", "does not suit numeric"),
        ({"ordered": True}, "bartlett", "does not suit ordered"),
        ({}, "sum", "is not offered"),
    ],
)
def test_scores_that_do_not_suit(
    options: dict[str, bool], method: str, words: str
) -> None:
    fit = cfa("f =~ x1 + x2 + x3", CODES, **options)  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match=words):
        factor_scores(fit, method)  # type: ignore[arg-type]


def test_residuals_of_a_true_model_are_standard_normal() -> None:
    rng = np.random.default_rng(2)
    values = []
    for _ in range(30):
        eta = rng.normal(size=(400, 1))
        y = 0.7 * eta + rng.normal(size=(400, 6))
        data = pd.DataFrame(y, columns=list("abcdeh"))
        values.append(local_fit(cfa("f =~ a + b + c + d + e + h", data)).table["z"])
    z = np.concatenate(values)
    # 450 values that depend a little: their sd is known to about 5 %.
    assert abs(z.std() - 1) < 0.15
    assert abs(z.mean()) < 0.2


def test_local_fit_presents_itself() -> None:
    found = local_fit(cfa(THREE, HS))
    assert isinstance(found, Result)
    assert len(found.table) == 36
    assert found.table["residual"].abs().is_monotonic_decreasing
    assert "unbiased SRMR" in found.summary()
    assert "n = 301" in found.plot().get_title(loc="left")
    groups = local_fit(cfa(THREE, HS, group="school"))
    assert groups.table["group"].nunique() == 2
    mpl.pyplot.close("all")


def test_a_profile_interval_ends_where_the_likelihood_ratio_says() -> None:
    fit = cfa("f =~ x1 + a*x2 + b*x3 + x4\nd := a*b", HS)
    found = profile_interval(fit, "a")
    assert isinstance(found, Result)
    held = cfa(f"f =~ x1 + {found.conf_high}*x2 + x3 + x4", HS)
    fall = held.indices.chisq - fit.indices.chisq
    assert fall == pytest.approx(chi2.ppf(0.95, 1), rel=1e-4)
    spelt = profile_interval(fit, "f =~ x2")
    assert spelt.conf_low == pytest.approx(found.conf_low, rel=1e-5)
    product = profile_interval(fit, "d")
    assert product.conf_low < product.estimate < product.conf_high
    with pytest.raises(AnalysisError, match="is no free parameter"):
        profile_interval(fit, "f =~ x1")
    robust = cfa("f =~ x1 + x2 + x3", CODES, ordered=True)
    with pytest.raises(AnalysisError, match="has no likelihood"):
        profile_interval(robust, "f =~ x2")


@pytest.mark.parametrize("kind", ["percentile", "bias_corrected"])
def test_bootstrap_errors_are_near_the_robust_ones(kind: str) -> None:
    fit = cfa(THREE, HS, estimator="MLR")
    found = bootstrap_intervals(fit, draws=150, kind=kind, seed=3)  # type: ignore[arg-type]
    assert isinstance(found, Result)
    ratio = (found.table["std_error"] / fit.tidy()["std_error"]).dropna()
    assert abs(ratio.median() - 1) < 0.15
    inside = (found.table["conf_low"] < found.table["estimate"]).dropna()
    assert inside[found.table["std_error"].notna()].all()
    assert "few draws" in set(found.warnings["what"])


def test_bootstrap_of_ordered_variables_and_couples() -> None:
    fit = cfa("f =~ x1 + x2 + x3 + x4", CODES, ordered=True)
    found = bootstrap_intervals(fit, draws=60, seed=4)
    ratio = (found.table["std_error"] / fit.tidy()["std_error"]).dropna()
    assert abs(ratio.median() - 1) < 0.3
    couples = CODES.assign(couple=np.arange(len(CODES)) // 2)
    clustered = cfa(
        "f =~ x1 + x2 + x3 + x4", couples, cluster="couple", estimator="MLR"
    )
    assert bootstrap_intervals(clustered, draws=20, seed=5).n_failed == 0
    with pytest.raises(AnalysisError, match="draws=0"):
        bootstrap_intervals(fit, draws=0)


def test_htmt_by_hand_and_verdicts() -> None:
    fit = cfa("f =~ x1 + x2\ng =~ x4 + x5", HS, std_lv=True)
    R = HS[["x1", "x2", "x4", "x5"]].corr().to_numpy()
    between = np.abs(R[:2, 2:]).mean()
    found = discriminant_validity(fit)
    assert isinstance(found, Result)
    row = found.table.iloc[0]
    assert row["htmt"] == pytest.approx(between / np.sqrt(R[0, 1] * R[2, 3]))
    assert row["verdict"] == "distinct"
    same = HS.assign(y1=HS["x4"], y2=HS["x5"], y3=HS["x6"])
    noise = np.random.default_rng(6).normal(size=(301, 3)) * 0.3
    same[["y1", "y2", "y3"]] += noise
    twin = discriminant_validity(cfa("f =~ x4 + x5 + x6\ng =~ y1 + y2 + y3", same))
    assert twin.table["verdict"].item() == "not distinct"
    assert "1 of 1 pairs" in twin.summary()
    with pytest.raises(AnalysisError, match="no two factors"):
        discriminant_validity(cfa("f =~ x1 + x2 + x3", HS))
    assert "n = 301" in twin.plot().get_xlabel()
    mpl.pyplot.close("all")


def test_difference_tests_of_normal_answers_agree() -> None:
    rng = np.random.default_rng(7)
    eta = rng.normal(size=(1000, 1))
    data = pd.DataFrame(0.7 * eta + rng.normal(size=(1000, 5)), columns=list("abcde"))
    free = cfa("f =~ a + b + c + d + e", data, estimator="MLMV")
    equal = cfa("f =~ a + v*b + v*c + v*d + v*e", data, estimator="MLMV")
    plain = difference(free, equal, "standard").chisq
    assert difference(free, equal).method == "satorra_2000"
    assert difference(free, equal).chisq == pytest.approx(plain, rel=0.15)
    mlr = [
        cfa(m, data, estimator="MLR")
        for m in ("f =~ a + b + c + d + e", "f =~ a + v*b + v*c + v*d + v*e")
    ]
    for method in ("satorra_bentler_2001", "satorra_bentler_2010"):
        found = difference(*mlr, method)  # type: ignore[arg-type]
        assert found.chisq == pytest.approx(plain, rel=0.15)
    with pytest.raises(AnalysisError, match="is no difference test"):
        difference(free, equal, "subtract")  # type: ignore[arg-type]
    ml = cfa("f =~ a + b + c + d + e", data)
    with pytest.raises(AnalysisError, match="wants corrected statistics"):
        difference(ml, ml, "satorra_2000")


def test_measures_name_their_convention() -> None:
    table = cfa(THREE, CODES, ordered=True).fit_measures().set_index("measure")
    assert "Savalei (2021) with N" in table.loc["rmsea_robust", "convention"]
    assert "no p-value" in table.loc["chisq", "convention"]
    assert (table["convention"] != "").all()
    plain = cfa(THREE, HS).fit_measures().set_index("measure")
    assert "Steiger (1990) with N," in plain.loc["rmsea", "convention"]


def test_diagrams_and_thresholds() -> None:
    fit = cfa(THREE, CODES, ordered=True)
    axes = fit.diagram(labels={"visual": "Seeing shapes"})
    assert "n = 301" in axes.get_title(loc="left")
    assert any("Seeing" in t.get_text() for t in axes.texts)
    assert "n = 301" in fit.plot_thresholds().get_title(loc="left")
    with pytest.raises(AnalysisError, match="no ordered variables"):
        cfa(THREE, HS).plot_thresholds()
    with pytest.raises(AnalysisError, match="needs latent variables"):
        sem("x1 ~ x2", HS).diagram()
    cfa(THREE + "\ng =~ visual + textual + speed", HS).diagram()
    mpl.pyplot.close("all")


def test_packages_are_called_like_their_function() -> None:
    assert package("x1 ~ x2", HS).indices.df == 0
    assert polychoric(CODES[["x1", "x2"]]).R.shape == (2, 2)
    assert len(reliability({"s": CODES[["x1", "x2", "x3"]]}).tidy()) > 0
    assert analysis.cfa is cfa


@pytest.mark.parametrize(
    "ask",
    [
        modification_indices,
        local_fit,
        factor_scores,
        score_tests,
        lambda fit: profile_interval(fit, "a"),
        lambda fit: bootstrap_intervals(fit, draws=2),
        lambda fit: package.compare({"one": fit}),
        package.alignment,
    ],
)
def test_what_is_no_model_is_named(ask: Callable[[object], object]) -> None:
    with pytest.raises(AnalysisError, match="got a int in place of a fitted model"):
        ask(42)


def test_models_are_compared_by_name() -> None:
    with pytest.raises(AnalysisError, match="got a list in place of named models"):
        package.compare([1, 2])  # type: ignore[arg-type]
