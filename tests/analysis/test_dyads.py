"""Actor-partner model against lm with vcovCL; see tests/reference/dyads.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.dyads import apim
from analysis.errors import AnalysisError, TooFewError

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-8  # closed forms
COLUMNS = ("estimate", "std_error", "statistic", "conf_low", "conf_high")


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return dict(json.loads((REFERENCE / "dyads.json").read_text(encoding="utf-8")))


@pytest.fixture
def couples() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "dyads.csv")


def simulate(n_couples: int, seed: int) -> pd.DataFrame:
    """Couples with actor effect -.6, partner effect -.3, so k = .5."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_couples, 1)) * 0.6 + rng.normal(size=(n_couples, 2))
    shared = rng.normal(size=(n_couples, 1))
    y = -0.6 * x - 0.3 * x[:, ::-1] + shared + rng.normal(size=(n_couples, 2))
    return pd.DataFrame(
        {
            "couple": np.repeat(np.arange(n_couples), 2),
            "role": np.tile(["one", "two"], n_couples),
            "x": x.ravel(),
            "y": y.ravel(),
        }
    )


def test_both_models_equal_r(reference: dict[str, Any], couples: pd.DataFrame) -> None:
    fit = apim("satisfaction", "withdrawal", couples, controls=["length"])
    assert fit.n_couples == reference["n_couples"]
    table = fit.tidy()
    pooled = table[table["model"] == "pooled"]
    expected = pd.DataFrame(reference["pooled"])
    for column in COLUMNS:
        np.testing.assert_allclose(pooled[column], expected[column], rtol=EXACT)
    np.testing.assert_allclose(pooled["p_value"], expected["p_value"], rtol=1e-6)
    roles = table[table["model"] == "by role"].set_index("term")
    theirs = pd.DataFrame(reference["roles"]).set_index("term")
    for role in ("follower", "leader"):
        pairs = {
            f"Intercept:{role}": f"role{role}",
            f"actor:{role}": f"role{role}:actor",
            f"partner:{role}": f"role{role}:partner",
        }
        for ours, name in pairs.items():
            for column in COLUMNS:
                assert roles.loc[ours, column] == pytest.approx(
                    theirs.loc[name, column], rel=EXACT
                )


def test_tests_ratio_and_likeness_equal_r(
    reference: dict[str, Any], couples: pd.DataFrame
) -> None:
    fit = apim("satisfaction", "withdrawal", couples, controls=["length"])
    tests = fit.tests.set_index("term")
    for ours, theirs in {
        "actor": "actor",
        "partner": "partner",
        "actor and partner": "joint",
    }.items():
        row = [tests.loc[ours, "statistic"], tests.loc[ours, "p_value"]]
        np.testing.assert_allclose(row, reference[theirs], rtol=1e-7)
    k = fit.ratios.iloc[0][["estimate", "conf_low", "conf_high"]].to_numpy(float)
    np.testing.assert_allclose(k, reference["k"], rtol=1e-8)
    np.testing.assert_allclose(fit.icc["estimate"], reference["icc"], rtol=EXACT)
    np.testing.assert_allclose(fit.icc["pearson"], reference["pearson"], rtol=EXACT)


def test_couples_left_out_are_counted(couples: pd.DataFrame) -> None:
    extra = pd.DataFrame({"couple": [None], "role": ["leader"], "withdrawal": [3.0]})
    fit = apim("satisfaction", "withdrawal", pd.concat([couples, extra]))
    assert (fit.n_one_partner, fit.n_incomplete, fit.n_no_couple) == (3, 2, 1)
    assert fit.n_couples == 85
    assert fit.warnings["what"].str.contains("5 of 90 couples").any()


def test_two_actors_by_hand() -> None:
    # The outcome is own minus half the partner's predictor plus one, exactly, but for
    # errors (+d, -d, -d, +d ...) orthogonal to both.
    data = simulate(50, 1)
    x = data["x"].to_numpy().reshape(-1, 2)
    data["y"] = (1 + x - 0.5 * x[:, ::-1]).ravel()
    data.loc[0, "y"] += 1e-3
    fit = apim("y", "x", data, role=None)
    estimate = fit.tidy()["estimate"].to_numpy()
    np.testing.assert_allclose(estimate, [1, 1, -0.5], atol=1e-3)
    assert fit.ratios["estimate"][0] == pytest.approx(-0.5, abs=1e-3)
    r = np.corrcoef(np.r_[x[:, 0], x[:, 1]], np.r_[x[:, 1], x[:, 0]])[0, 1]
    assert fit.icc["estimate"][1] == pytest.approx(r)


def test_recovers_effects_and_covers() -> None:
    inside = {"actor": 0, "partner": 0, "k": 0}
    for seed in range(200):
        fit = apim("y", "x", simulate(100, seed), role=None)
        table = fit.tidy().set_index("term")
        for term, true in {"actor": -0.6, "partner": -0.3}.items():
            row = table.loc[term]
            inside[term] += row["conf_low"] <= true <= row["conf_high"]
        k = fit.ratios.iloc[0]
        inside["k"] += k["conf_low"] <= 0.5 <= k["conf_high"]
    assert all(178 <= count <= 200 for count in inside.values())  # 95 % of 200


def test_order_of_rows_and_types_do_not_matter() -> None:
    data = simulate(60, 2)
    plain = apim("y", "x", data).tidy()
    shuffled = data.sample(frac=1, random_state=1).assign(
        couple=lambda d: d["couple"].astype("string"),
        role=lambda d: pd.Categorical(d["role"]),
        x=lambda d: d["x"].astype("Float64"),
    )
    ours = apim("y", "x", shuffled).tidy()
    np.testing.assert_allclose(ours["estimate"], plain["estimate"], rtol=1e-9)
    np.testing.assert_allclose(ours["std_error"], plain["std_error"], rtol=1e-9)


def test_roles_missing_or_single_give_the_pooled_model() -> None:
    data = simulate(60, 3)
    for role in (None, "role"):
        fit = apim("y", "x", data.assign(role="same"), role=role)
        assert fit.roles == ()
        assert fit.tests.empty
        assert set(fit.tidy()["model"]) == {"pooled"}
    assert apim("y", "x", data.assign(role=None)).roles == ()


def test_an_unbounded_ratio_is_missing_with_a_warning() -> None:
    data = simulate(60, 4)
    data["y"] = np.random.default_rng(1).normal(size=120)
    fit = apim("y", "x", data, role=None)
    assert np.isnan(fit.ratios["conf_low"][0])
    assert fit.warnings["what"].str.contains("no bounded interval").any()


def test_impossible_couples_are_refused() -> None:
    data = simulate(60, 5)
    third = pd.concat([data, data[:1]], ignore_index=True)
    with pytest.raises(AnalysisError, match=r"1 couples have more than two rows: 0 "):
        apim("y", "x", third)
    with pytest.raises(AnalysisError, match="1 couples have the same 'role' twice: 0"):
        apim("y", "x", data.assign(role=["two", *data["role"][1:]]))
    with pytest.raises(AnalysisError, match="3 values"):
        apim("y", "x", data.assign(role=["three", *data["role"][1:]]))
    with pytest.raises(TooFewError, match="none of 60 couples is complete"):
        apim("y", "x", data[::2])
    with pytest.raises(TooFewError, match="3 complete couples"):
        apim("y", "x", data[:6])
    with pytest.raises(AnalysisError, match="no column"):
        apim("y", "z", data)
    shared = data.assign(x=data["couple"] % 7)
    with pytest.raises(AnalysisError, match="both partners share"):
        apim("y", "x", shared)
    with pytest.raises(AnalysisError, match=r"holds .*not numbers"):
        apim("y", "x", data.assign(x="a"))
    with pytest.raises(AnalysisError, match="for everybody"):
        apim("y", "x", data.assign(y=1))
    with pytest.raises(AnalysisError, match="share a column"):
        apim("y", "x", data, controls=["x"])


def test_result_presents_itself(couples: pd.DataFrame) -> None:
    fit = apim("satisfaction", "withdrawal", couples)
    assert "85 couples" in fit.summary()
    assert len(fit.glance()) == 1
    ax = fit.plot(labels={"withdrawal": "withdrawal", "satisfaction": "satisfaction"})
    assert "85 couples" in ax.get_xlabel()
    plt.close("all")
