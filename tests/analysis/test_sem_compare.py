"""Models side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.result import Result
from analysis.sem import cfa, compare, sem
from analysis.sem.difference import difference

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def test_nested_models_are_tested() -> None:
    found = compare({"zero": cfa(THREE, HS, orthogonal=True), "free": cfa(THREE, HS)})
    assert isinstance(found, Result)
    row = found.differences.iloc[0]
    assert (row["model"], row["against"], row["note"]) == ("zero", "free", "nested")
    assert row["df_diff"] == 3
    # lavTestLRT: chi-square difference of 153.52709794 and 85.30552177
    assert row["chisq_diff"] == pytest.approx(68.22157617, abs=1e-6)
    assert row["p_value"] < 1e-13
    assert found.tidy()["model"].tolist() == ["free", "zero"]
    assert found.glance()["lowest_bic"].item() == "free"
    assert "Delta chi2(3) = 68.22" in found.summary()


def test_models_that_are_not_nested_are_not_tested() -> None:
    one = cfa("a =~ x1 + x2 + x3 + x4\nb =~ x5 + x6 + x7 + x8 + x9", HS)
    found = compare({"three": cfa(THREE, HS), "two": one}).differences.iloc[0]
    assert found["note"].startswith("not nested")
    assert np.isnan(found["p_value"])


def test_equivalent_models_are_not_tested() -> None:
    second = cfa(f"{THREE}\ng =~ visual + textual + speed", HS)
    found = compare({"first": cfa(THREE, HS), "second": second}).differences.iloc[0]
    assert found["note"].startswith("equal degrees of freedom")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: cfa(THREE, HS.iloc[:200], orthogonal=True), "different respondents"),
        (lambda: cfa("f =~ x1 + x2 + x3 + x4", HS), "different variables"),
        (lambda: cfa(THREE, HS, orthogonal=True, meanstructure=True), "has means"),
    ],
)
def test_other_data_are_not_tested(other: object, words: str) -> None:
    found = compare({"a": cfa(THREE, HS), "b": other()})  # type: ignore[operator]
    assert words in found.differences["note"].iloc[0]
    assert "no test" in found.summary()


def test_predictors_held_fixed_must_agree() -> None:
    model = "x1 ~ x2 + x3"
    found = compare(
        {"fixed": sem(model, HS), "free": sem("x1 ~ x2 + 0*x3", HS, fixed_x=False)}
    )
    assert "predictors" in found.differences["note"].iloc[0]
    assert pd.isna(found.glance()["lowest_aic"].item())


def test_one_model_is_too_few() -> None:
    with pytest.raises(AnalysisError, match="at least two"):
        compare({"a": cfa(THREE, HS)})


def test_satorra_2000_is_refused_without_gamma() -> None:
    hs = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
    free = cfa("f =~ x1 + x2 + x3 + x4", hs, estimator="MLR")
    tied = cfa("f =~ x1 + a*x2 + a*x3 + x4", hs, estimator="MLR")
    with pytest.raises(AnalysisError, match="needs the asymptotic covariance"):
        difference(free, tied, "satorra_2000")
