"""Invariance: order of steps, recovery, partial release, occasions, effect sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from analysis.errors import AnalysisError
from analysis.result import Result
from analysis.sem import dmacs, invariance

mpl.use("Agg")

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
CUTS = np.array([-0.9, 0.0, 0.8])
LOADINGS = np.array([0.8, 0.7, 0.75, 0.65, 0.7])
MODEL = "f =~ i0 + i1 + i2 + i3 + i4"


def two_groups(n: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """Ordered answers of two groups; item i0 is `shift` higher in the second."""
    rng = np.random.default_rng(seed)
    frames = []
    for group, mean, sd in (("a", 0.0, 1.0), ("b", 0.4, 1.2)):
        eta = mean + sd * rng.normal(size=n)
        y = eta[:, None] * LOADINGS + rng.normal(size=(n, 5)) * np.sqrt(1 - LOADINGS**2)
        if group == "b":
            y[:, 0] += shift
        codes = np.digitize(y, CUTS)
        frame = pd.DataFrame(codes, columns=[f"i{k}" for k in range(5)])
        frames.append(frame.assign(g=group))
    return pd.concat(frames, ignore_index=True)


def test_true_invariance_holds_and_means_are_recovered() -> None:
    found = invariance(MODEL, two_groups(1500, 1), "g", ordered=True)
    assert isinstance(found, Result)
    assert found.table["step"].tolist() == [
        *("configural", "thresholds", "loadings", "intercepts", "residuals"),
    ]
    assert found.reached == "residuals"
    assert found.candidates.empty
    assert found.table["npar"].is_monotonic_decreasing
    tidy = found.fit("residuals").tidy().set_index(["lhs", "op", "rhs", "group"])
    mean, variance = tidy.loc[("f", "~1", "", "b")], tidy.loc[("f", "~~", "f", "b")]
    assert abs(mean["estimate"] - 0.4) < 5 * mean["std_error"]
    assert abs(variance["estimate"] - 1.44) < 5 * variance["std_error"]
    assert "Holds up to: residuals" in found.summary()
    assert "(n = 3000)" in found.plot().get_xlabel()
    mpl.pyplot.close("all")


def test_an_item_that_differs_is_found_released_and_measured() -> None:
    data = two_groups(1500, 2, shift=0.7)
    found = invariance(MODEL, data, "g", ordered=True)
    row = found.table.set_index("step").loc["intercepts"]
    assert row["holds"] == "no"
    assert found.reached == "loadings"
    assert found.candidates.iloc[0]["lhs"] == "i0"
    freed = invariance(MODEL, data, "g", ordered=True, release=True)
    assert freed.released["parameter"].tolist() == ["i0 ~1"]
    assert freed.table.set_index("step").loc["intercepts", "holds"] == "yes"
    asked = invariance(MODEL, data, "g", ordered=True, partial=["i0 ~ 1"])
    assert asked.table["holds"].tolist() == freed.table["holds"].tolist()
    effects = dmacs(found)
    assert isinstance(effects, Result)
    assert effects.table.sort_values("dmacs").iloc[-1]["item"] == "i0"
    assert effects.table.set_index("item").loc["i0", "signed"] > 0.3
    assert effects.plot().get_title(loc="left")
    mpl.pyplot.close("all")


def test_dmacs_of_a_known_shift() -> None:
    """Expected answers are sums of probabilities; the pooled sd is that of the data."""
    data = two_groups(20_000, 3, shift=0.5)
    value = dmacs(invariance(MODEL, data, "g", ordered=True)).table.set_index("item")
    x, w = np.polynomial.hermite_e.hermegauss(60)
    eta, w = 0.4 + 1.2 * x, w / w.sum()
    sd = np.sqrt(1 - LOADINGS[0] ** 2)

    def expected(shift: float) -> np.ndarray:
        centre = LOADINGS[0] * eta + shift
        return ndtr((centre[:, None] - CUTS) / sd).sum(axis=1)

    gap = expected(0.5) - expected(0.0)
    spread = np.sqrt(data.groupby("g")["i0"].var().mean())
    wanted = np.sqrt(w @ gap**2) / spread
    assert value.loc["i0", "dmacs"] == pytest.approx(wanted, abs=0.03)
    # The others are compared along a factor that i0 has moved a little.
    assert value["dmacs"].drop("i0").max() < wanted / 3


def test_numeric_steps_have_lavaan_s_numbers() -> None:
    """Chi-square of lavaan::cfa(group = "school", group.equal = ...) and tests."""
    found = invariance(THREE, HS, "school", std_lv=False)
    np.testing.assert_allclose(
        found.table["chisq"],
        [115.851344, 124.043544, 164.102831, 181.511345],
        rtol=1e-7,
    )
    np.testing.assert_allclose(
        found.table["delta_chisq"][1:], [8.192200, 40.059287, 17.408514], rtol=1e-6
    )
    assert found.table["holds"].tolist() == ["yes", "yes", "no", "unclear"]
    assert found.candidates.iloc[0][["lhs", "op"]].tolist() == ["x3", "~1"]
    assert found.glance()["smallest_group"].item() == 145


def test_identification_does_not_matter() -> None:
    one = invariance(THREE, HS, "school", std_lv=False).table["chisq"]
    other = invariance(THREE, HS, "school", std_lv=True).table["chisq"]
    np.testing.assert_allclose(one, other, rtol=1e-7)


def repeated(n: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    second = 0.3 + 0.6 * first + 0.8 * rng.normal(size=n)
    same = rng.normal(size=(n, 5)) * 0.4
    columns = {}
    for wave, eta in ((1, first), (2, second)):
        noise = same + rng.normal(size=(n, 5)) * 0.4
        y = eta[:, None] * LOADINGS + noise
        if wave == 2:
            y[:, 1] += shift
        for k in range(5):
            columns[f"i{k}w{wave}"] = np.digitize(y[:, k], CUTS)
    return pd.DataFrame(columns)


OCCASIONS = {"f": ["f1", "f2"]} | {f"i{k}": [f"i{k}w1", f"i{k}w2"] for k in range(5)}
WAVES = "\n".join(
    f"f{w} =~ " + " + ".join(f"i{k}w{w}" for k in range(5)) for w in (1, 2)
)


@pytest.mark.parametrize("ordered", [True, None])
def test_occasions(ordered: bool | None) -> None:  # noqa: FBT001 - what is tested
    found = invariance(WAVES, repeated(1500, 4), occasions=OCCASIONS, ordered=ordered)
    assert found.reached == "residuals"
    last = found.fit("intercepts")
    tidy = last.tidy().set_index(["lhs", "op", "rhs"])
    assert tidy.loc[("f1", "~1", ""), "estimate"] == 0.0
    assert tidy.loc[("f2", "~1", ""), "estimate"] > 0
    assert tidy.loc[("i0w1", "~~", "i0w2"), "estimate"] > 0
    loadings = [tidy.loc[(f"f{w}", "=~", f"i2w{w}"), "estimate"] for w in (1, 2)]
    assert loadings[0] == pytest.approx(loadings[1])
    moved = invariance(
        WAVES, repeated(1500, 5, shift=0.6), occasions=OCCASIONS, ordered=ordered
    )
    assert moved.table.set_index("step").loc["intercepts", "holds"] != "yes"
    if ordered:
        assert moved.candidates.iloc[0]["lhs"].startswith("i1")


def test_binary_items_take_no_steps_of_their_own() -> None:
    data = two_groups(1000, 6)
    items = [f"i{k}" for k in range(5)]
    data[items] = (data[items] > 1).astype(int)
    found = invariance(MODEL, data, "g", ordered=True)
    assert found.table["step"].tolist() == ["configural", "intercepts", "residuals"]
    assert found.warnings["what"].tolist()[0] == "binary items"
    # Equal residual variances came with the intercepts.
    assert found.reached == "intercepts"
    assert found.table["holds"].iloc[-1] == "not testable"


def test_the_location_of_a_binary_item_is_free_until_the_intercepts() -> None:
    data = two_groups(1500, 7)
    data["i4"] = (data["i4"] > 1).astype(int)
    found = invariance(MODEL, data, "g", ordered=True)
    # Four items of three thresholds give up one each, then loadings, locations, scales.
    assert found.table["df"].tolist() == [10, 14, 18, 22, 26]
    assert found.table["chisq"].is_monotonic_increasing
    assert found.reached == "residuals"
    tidy = found.fit("loadings").tidy().set_index(["lhs", "op", "rhs", "group"])
    assert tidy.loc[("i4", "~1", "", "b"), "std_error"] > 0
    assert tidy.loc[("i4", "~~", "i4", "b"), "estimate"] == 1.0


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "neither group= nor occasions="),
    ({"group": "school", "steps": ["scaler"]}, r"\['scaler'\] are unknown"),
    ({"group": "school", "steps": ["strict", "metric"]}, "not in order"),
    ({"group": "school", "steps": ["thresholds"]}, "need ordered variables"),
    ({"occasions": {"f": ["a", "b"], "x": ["x1"]}}, "one name an occasion"),
    ({"occasions": {"f": ["a", "b"], "x": ["a", "x1"]}}, "stands for two"),
    ({"group": "school", "partial": ["visual =~ x9"]}, "not parameters of the model"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_bad_calls(options: dict[str, Any], words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        invariance(THREE, HS, **options)


def test_papers_names_of_steps() -> None:
    found = invariance(THREE, HS, "school", steps=["configural", "metric", "scalar"])
    assert found.table["step"].tolist() == ["configural", "loadings", "intercepts"]
    with pytest.raises(AnalysisError, match="no step 'strict'"):
        found.fit("strict")


def test_dmacs_needs_groups_and_intercepts() -> None:
    found = invariance(THREE, HS, "school", steps=["configural", "metric"])
    with pytest.raises(AnalysisError, match="the step 'intercepts'"):
        dmacs(found)
