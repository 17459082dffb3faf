"""Simple slopes and Johnson-Neyman bounds against the formulas worked in R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.regression import moderation

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-7  # closed forms; roots of a quadratic lose a digit


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    text = (REFERENCE / "regression.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["moderation"])


@pytest.fixture
def people() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "regression.csv")


@pytest.mark.parametrize("kind", ["HC3", "cluster"])
def test_equals_r(kind: str, reference: dict[str, Any], people: pd.DataFrame) -> None:
    expected = reference[kind]
    result = moderation(
        "satisfaction",
        "withdrawal",
        "support",
        people,
        controls=["age"],
        vcov=kind,  # type: ignore[arg-type]
        cluster="couple" if kind == "cluster" else None,
    )
    row = result.interaction.iloc[0]
    ours = [row[c] for c in ("estimate", "std_error", "statistic", "p_value")]
    np.testing.assert_allclose(ours, expected["interaction"], rtol=EXACT)
    slopes = result.slopes
    np.testing.assert_allclose(slopes["moderator_value"], expected["at"], rtol=EXACT)
    np.testing.assert_allclose(slopes["estimate"], expected["slope"], rtol=EXACT)
    np.testing.assert_allclose(slopes["std_error"], expected["std_error"], rtol=EXACT)
    np.testing.assert_allclose(slopes["p_value"], expected["p_value"], rtol=1e-6)
    np.testing.assert_allclose(result.bounds, expected["bounds"], rtol=EXACT)
    assert (result.shape == "outside") == expected["outside"]
    assert result.share_significant == pytest.approx(expected["share"], abs=1e-12)


def test_the_slope_touches_zero_exactly_at_the_bounds(people: pd.DataFrame) -> None:
    result = moderation("satisfaction", "withdrawal", "support", people)
    curve = result.curve
    edge = np.minimum(curve["conf_low"].abs(), curve["conf_high"].abs())
    for bound in result.bounds:
        inside = curve["moderator"].between(curve["moderator"].min(), bound)
        if inside.any() and not inside.all():
            assert edge.iloc[(curve["moderator"] - bound).abs().argmin()] < 0.02


def test_everywhere_nowhere_and_two_values() -> None:
    rng = np.random.default_rng(2)
    x, m = rng.normal(size=(2, 300))
    data = pd.DataFrame({"x": x, "m": m, "two": rng.integers(0, 2, 300)})
    data["strong"] = 3 * x + 0.001 * x * m + rng.normal(size=300)
    data["none"] = rng.normal(size=300)
    strong = moderation("strong", "x", "m", data)
    assert strong.share_significant == 1
    assert (strong.shape, strong.bounds) == ("everywhere", ()) or (
        strong.warnings["what"].str.contains("outside the values").any()
    )
    none = moderation("none", "x", "m", data)
    assert none.share_significant < 0.2
    two = moderation("strong", "x", "two", data)
    assert (two.shape, two.bounds) == ("none", ())
    assert np.isnan(two.share_significant)
    assert two.slopes["moderator_value"].tolist() == [0, 1]
    own = np.polyfit(data["x"][data["two"] == 0], data["strong"][data["two"] == 0], 1)
    assert two.slopes["estimate"][0] == pytest.approx(own[0])
    assert two.warnings["what"].str.contains("two values").any()


def test_rows_missing_only_the_cluster_are_left_out(people: pd.DataFrame) -> None:
    people["couple"] = people["couple"].astype("Int64").mask(people["couple"] < 4)
    people.index = pd.Index(["same"] * len(people))
    result = moderation(
        "satisfaction",
        "withdrawal",
        "support",
        people,
        vcov="cluster",
        cluster="couple",
    )
    assert len(result.observed) == result.fit.n_obs < len(people)


def test_recovers_a_known_interaction() -> None:
    rng = np.random.default_rng(9)
    x, m, e = rng.normal(size=(3, 2000))
    data = pd.DataFrame({"x": x + 5, "m": m + 2, "y": 0.4 * x + 0.3 * x * m + e})
    result = moderation("y", "x", "m", data)
    row = result.interaction.iloc[0]
    assert abs(row["estimate"] - 0.3) < 4 * row["std_error"]
    assert np.all(
        np.abs(result.slopes["estimate"] - [0.1, 0.4, 0.7])
        < 4 * result.slopes["std_error"]
    )


def test_faults_are_refused(people: pd.DataFrame) -> None:
    with pytest.raises(AnalysisError, match="both focal predictor and moderator"):
        moderation("satisfaction", "support", "support", people)
    with pytest.raises(AnalysisError, match=r"gender.* hold no numbers"):
        moderation("satisfaction", "withdrawal", "gender", people)
    with pytest.raises(AnalysisError, match=r"no column 'suport' .*similar: support"):
        moderation("satisfaction", "withdrawal", "suport", people)
    with pytest.raises(AnalysisError, match="contains the focal predictor"):
        moderation(
            "satisfaction", "withdrawal", "support", people, controls=["I(support^2)"]
        )


def test_result_presents_itself(people: pd.DataFrame) -> None:
    result = moderation("satisfaction", "withdrawal", "support", people)
    assert len(result.tidy()) == 4
    assert len(result.glance()) == 1
    assert "of the sample" in result.summary()
    assert "n = " in result.plot().get_xlabel()
    assert "n = " in result.plot_region(labels={"support": "Support"}).get_xlabel()
    plt.close("all")
