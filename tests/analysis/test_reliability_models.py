"""Reliability of fitted models is that of semTools: reliability_models.R."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.reliability import bifactor_reliability, composite_reliability
from analysis.reliability.bifactor import (
    construct_replicability,
    uncontaminated_correlations,
)
from analysis.result import Result
from analysis.sem import cfa, sem

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads(
    (HERE / "reliability_models.json").read_text("utf-8")
)
HS = pd.read_csv(HERE / "hs1939.csv")
NINE = pd.read_csv(HERE / "sem_bifactor.csv")
# Closed formulas of sample moments; the reference has 12 digits.
EXACT = 1e-9
# lavaan stops at a relative change of 1e-10 of F: estimates agree to about 1e-6.
ML = 5e-6

THREE = """
visual =~ x1 + x2 + x3
textual =~ x4 + x5 + x6
speed =~ x7 + x8 + x9
"""
FACTORS = ("visual", "textual", "speed")
BIFACTOR = (
    f"g =~ {' + '.join(f'b{i}' for i in range(1, 10))}\n"
    "s1 =~ b1 + b2 + b3\ns2 =~ b4 + b5 + b6\ns3 =~ b7 + b8 + b9"
)
SEMTOOLS = ("alpha", "omega", "omega2", "omega3", "ave")


def test_factors_are_those_of_semtools() -> None:
    theirs = REFERENCE["correlated"]
    ours = composite_reliability(cfa(f"{THREE}x7 ~~ x8", HS))
    assert ours.n_obs == theirs["n_obs"]
    for factor in FACTORS:
        found = [ours.estimate(factor, term) for term in SEMTOOLS]
        assert found == pytest.approx(theirs["semtools"][factor], abs=ML)
        assert ours.estimate(factor, "alpha") == pytest.approx(
            theirs["semtools"][factor][0], abs=EXACT
        )
    aves = [ours.estimate(factor, "ave") for factor in FACTORS]
    assert aves == pytest.approx(theirs["ave"], abs=ML)
    for term in ("maximal", "maximal3"):
        found = [ours.estimate(factor, term) for factor in FACTORS]
        assert found == pytest.approx(theirs[term], abs=ML)
        total = ours.estimate("total", term)
        assert total == pytest.approx(theirs[f"{term}_total"], abs=ML)
    assert ours.estimate("total", "omega3") == pytest.approx(theirs["total"], abs=ML)


def test_errors_are_those_of_defined_parameters() -> None:
    theirs = REFERENCE["correlated"]["defined"]
    for std_lv in (False, True):
        fit = cfa(f"{THREE}x7 ~~ x8", HS, std_lv=std_lv)
        table = composite_reliability(fit).table.set_index(["factor", "term"])
        for name, estimate, se in zip(
            theirs["term"], theirs["estimate"], theirs["se"], strict=True
        ):
            row = table.loc[tuple(name.split("_", 1))]
            assert row["estimate"] == pytest.approx(estimate, abs=ML)
            assert row["std_error"] == pytest.approx(se, abs=ML)
            assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_groups_are_those_of_semtools() -> None:
    theirs = REFERENCE["schools"]
    ours = composite_reliability(cfa(THREE, HS, group="school"))
    assert ours.n_obs == sum(theirs["n_obs"])
    for group, values in zip(theirs["groups"], theirs["semtools"], strict=True):
        for factor in FACTORS:
            found = [ours.estimate(factor, term, group) for term in SEMTOOLS]
            assert found == pytest.approx(values[factor], abs=ML)
    assert "visual in Pasteur: omega = 0.617" in ours.summary()


def test_second_order_is_that_of_semtools() -> None:
    theirs = REFERENCE["second_order"]
    fit = cfa(f"{THREE}g =~ visual + textual + speed", HS)
    ours = bifactor_reliability(fit)
    assert ours.n_obs == theirs["n_obs"]
    omega_h = ours.estimate("omega_h")
    assert omega_h == pytest.approx(theirs["implied"]["g"], abs=ML)
    assert omega_h == pytest.approx(theirs["l2"]["omegaL1"], abs=ML)
    for factor in FACTORS:
        assert ours.estimate("omega_total", factor) == pytest.approx(
            theirs["implied"][factor], abs=ML
        )
    total = ours.table[ours.table["scale"] == "total"].set_index("term")
    named = {"omega": "omega_total", "omega_h": "omega_h"}
    defined = theirs["defined"]
    for term, estimate, se in zip(
        defined["term"], defined["estimate"], defined["se"], strict=True
    ):
        assert total.loc[named[term], "estimate"] == pytest.approx(estimate, abs=ML)
        assert total.loc[named[term], "std_error"] == pytest.approx(se, abs=ML)
    assert "second-order model" in ours.summary()
    pd.testing.assert_frame_equal(ours.table, bifactor_reliability(fit, "g").table)
    # The factors of a second-order model have an omega of their own too.
    own = composite_reliability(fit)
    assert "g" not in own.table["factor"].tolist()
    assert own.estimate("visual", "omega") == pytest.approx(
        theirs["implied"]["visual"], abs=ML
    )


def test_bifactor_is_that_of_lavaan() -> None:
    theirs = REFERENCE["bifactor"]
    ours = bifactor_reliability(cfa(BIFACTOR, NINE, std_lv=True, orthogonal=True))
    assert ours.n_obs == theirs["n_obs"]
    table = ours.table.set_index(["scale", "term"])
    defined = theirs["defined"]
    for name, estimate, se in zip(
        defined["term"], defined["estimate"], defined["se"], strict=True
    ):
        scale, term = name.split("_", 1) if name[0] == "s" else ("total", name)
        row = table.loc[(scale, "omega_total" if term == "omega" else term)]
        assert row["estimate"] == pytest.approx(estimate, abs=ML), name
        assert row["std_error"] == pytest.approx(se, abs=ML), name
    assert ours.estimate("omega_h") == pytest.approx(theirs["implied"]["g"], abs=ML)
    for group in ("s1", "s2", "s3"):
        assert ours.estimate("omega_hs", group) == pytest.approx(
            theirs["implied"][group], abs=ML
        )
    loadings = ours.loadings.iloc[:, :4].to_numpy()
    np.testing.assert_allclose(loadings, theirs["sl"], atol=ML)
    assert ours.estimate("puc") == pytest.approx(0.75)
    assert isinstance(ours, Result)
    assert len(ours.glance()) == 1
    ours.plot()
    plt.close("all")


def test_factors_of_a_bifactor_model_have_no_omega_alone() -> None:
    fit = cfa(BIFACTOR, NINE, std_lv=True, orthogonal=True)
    ours = composite_reliability(fit)
    theirs = REFERENCE["bifactor"]["semtools"]
    for factor in ("g", "s1", "s2", "s3"):
        assert np.isnan(ours.estimate(factor, "omega"))
        found = [ours.estimate(factor, term) for term in ("alpha", "omega2", "omega3")]
        wanted = [theirs[factor][k] for k in (0, 2, 3)]
        assert found == pytest.approx(wanted, abs=ML)
    assert ours.warnings["remedy"].str.contains("bifactor_reliability").all()
    ours.plot()
    plt.close("all")


def test_indices_by_hand() -> None:
    # Two loadings of .6: each .36 / .64 = .5625, H = 1.125 / 2.125.
    assert construct_replicability(np.array([0.6, 0.6])) == pytest.approx(1.125 / 2.125)
    # Three items in a group, one alone: 3 of 6 pairs are in no group together.
    member = np.array([[True], [True], [True], [False]])
    assert uncontaminated_correlations(member) == pytest.approx(0.5)
    with pytest.raises(AnalysisError, match=r"a loading is 1\.020"):
        construct_replicability(np.array([1.02, 0.5]))


def test_composite_keeps_the_contract() -> None:
    ours = composite_reliability(cfa(THREE, HS))
    assert isinstance(ours, Result)
    assert ours.glance()["n_factors"].item() == 3
    assert "visual: omega = 0.6" in ours.summary()
    assert ours.tidy()["formula"].notna().all()
    ours.plot()
    plt.close("all")
    alone = composite_reliability(cfa("f =~ x1 + x2 + x3 + x4", HS))
    assert alone.table["factor"].unique().tolist() == ["f"]
    # Of one factor without residual covariances all omegas over Sigma are one.
    assert alone.estimate("f", "omega") == pytest.approx(alone.estimate("f", "omega2"))
    H = construct_replicability(
        cfa("f =~ x1 + x2 + x3 + x4", HS).tidy()["std_all"].to_numpy()[:4]
    )
    assert alone.estimate("f", "maximal") == pytest.approx(H)


def test_a_factor_of_one_item_is_named() -> None:
    ours = composite_reliability(cfa("visual =~ x1 + x2 + x3\nage =~ ageyr", HS))
    assert "age" not in ours.table["factor"].tolist()
    assert ours.warnings["where"].tolist() == ["factor age"]
    assert ours.estimate("visual", "omega") == pytest.approx(0.63, abs=0.02)
    with pytest.raises(AnalysisError, match=r"\['a', 'b'\] has two items"):
        composite_reliability(cfa("a =~ x1\nb =~ x4", HS))


def test_a_structural_part_does_not_disturb() -> None:
    fit = sem(f"{THREE}speed ~ visual + textual + ageyr", HS)
    ours = composite_reliability(fit)
    measured = composite_reliability(cfa(THREE, HS))
    for factor in FACTORS:
        assert ours.estimate(factor, "omega") == pytest.approx(
            measured.estimate(factor, "omega"), abs=0.015
        )


def test_true_values_are_recovered() -> None:
    rng = np.random.default_rng(9)
    loadings = np.array([0.8, 0.7, 0.6, 0.5])
    f = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], size=20_000)
    noise = rng.normal(size=(20_000, 8)) * np.sqrt(1 - np.tile(loadings, 2) ** 2)
    x = np.repeat(f, 4, axis=1) * np.tile(loadings, 2) + noise
    names = [f"v{i}" for i in range(8)]
    model = f"a =~ {' + '.join(names[:4])}\nb =~ {' + '.join(names[4:])}"
    ours = composite_reliability(cfa(model, pd.DataFrame(x, columns=names)))
    true = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    h = (loadings**2 / (1 - loadings**2)).sum()
    for factor in ("a", "b"):
        assert ours.estimate(factor, "omega") == pytest.approx(true, abs=0.01)
        assert ours.estimate(factor, "maximal") == pytest.approx(h / (1 + h), abs=0.01)
        ave = ours.estimate(factor, "ave_std")
        assert ave == pytest.approx((loadings**2).mean(), abs=0.01)


def _heywood() -> pd.DataFrame:
    loadings = np.array([1.05, 0.6, 0.5])
    R = np.outer(loadings, loadings)
    np.fill_diagonal(R, 1)
    z = np.random.default_rng(1).normal(size=(300, 3))
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z.T)), (z - z.mean(0)).T).T
    return pd.DataFrame(z @ np.linalg.cholesky(R).T, columns=list("abc"))


def test_improper_solutions_give_no_numbers() -> None:
    ours = composite_reliability(cfa("f =~ a + b + c", _heywood(), std_lv=True))
    values = ours.table.set_index("term")["estimate"]
    assert values.drop("alpha").isna().all()
    assert "improper solution" in ours.warnings["what"].iloc[0]
    assert "item a" in ours.warnings["where"].iloc[0]
    hs_bifactor = (
        f"g =~ {' + '.join(f'x{i}' for i in range(1, 10))}\n"
        + "\n".join(THREE.strip().splitlines()[:2])
        + "\nspeed =~ x7 + x8 + x9"
    )
    with pytest.raises(AnalysisError, match="improper solution, negative residual"):
        bifactor_reliability(cfa(hs_bifactor, HS, orthogonal=True, std_lv=True))


def test_models_without_a_general_factor_are_refused() -> None:
    with pytest.raises(AnalysisError, match="0 of the factors"):
        bifactor_reliability(cfa(THREE, HS))
    with pytest.raises(AnalysisError, match="'speed' does not reach the items"):
        bifactor_reliability(cfa(THREE, HS), "speed")
    with pytest.raises(AnalysisError, match="'h' is no factor of the model"):
        bifactor_reliability(cfa(THREE, HS), "h")
    with pytest.raises(AnalysisError, match="the fit has 2 groups"):
        bifactor_reliability(cfa(THREE, HS, group="school"))
    correlated = f"{BIFACTOR}\ng ~~ 0*s1 + 0*s2 + 0*s3"
    with pytest.raises(AnalysisError, match="covary, so their shares"):
        bifactor_reliability(cfa(correlated, NINE, std_lv=True))
    with pytest.raises(AnalysisError, match="no factor with observed items"):
        composite_reliability(sem("x1 ~ x2", HS))
    with pytest.raises(AnalysisError, match="conf_level is 0"):
        composite_reliability(cfa(THREE, HS), conf_level=0)
