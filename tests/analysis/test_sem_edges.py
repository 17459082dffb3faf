"""Where an engine is tempted to print a number: what is refused, left open or named."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from scipy.stats import norm

from analysis.efa import efa
from analysis.errors import AnalysisError, ConvergenceError
from analysis.plots.invariance import plot_grid
from analysis.reliability import composite_reliability
from analysis.sem import (
    cfa,
    compare,
    factor_scores,
    invariance,
    local_fit,
    modification_indices,
    sem,
)
from analysis.sem.difference import difference
from analysis.sem.indices import Excess, comparative

mpl.use("Agg")

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
SECOND = THREE + "\ng =~ visual + textual + speed"
CODES = HS[[f"x{k}" for k in range(1, 10)]].apply(
    lambda x: pd.qcut(x.rank(method="first"), 4, labels=False)
)
# lavaan's scores stand here with seven digits.
PRINTED = 1e-6


def ordered_answers(n: int, seed: int, items: int = 5) -> pd.DataFrame:
    """Answer items of one factor that a predictor moves."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    eta = 0.6 * x + rng.normal(size=n)
    y = eta[:, None] + rng.normal(size=(n, items))
    data = pd.DataFrame(
        np.digitize(y, [-1.0, 0.0, 1.0]), columns=[f"y{k}" for k in range(items)]
    )
    return data.assign(x=x, eta=eta, g=np.where(np.arange(n) % 2, "a", "b"))


def near_copies(n: int, seed: int) -> pd.DataFrame:
    """Answer items in few rows, so that the polychoric matrix is not definite."""
    rng = np.random.default_rng(seed)
    eta = rng.normal(size=(n, 1))
    y = eta + rng.normal(size=(n, 8)) * 0.35
    return pd.DataFrame(np.digitize(y, [-0.7, 0.4]), columns=list("abcdehij"))


def test_an_index_of_no_number_is_no_number() -> None:
    nothing = float("nan")
    fine = Excess(400.0, 10, 10)
    for model, base in (
        (Excess(nothing, 5, nothing), fine),
        (Excess(9.0, 5, 5), Excess(nothing, 10, nothing)),
    ):
        values = comparative(model, base, "_robust")
        assert np.isnan(list(values.values())).all()
    by_hand = comparative(Excess(15.0, 5, 5), Excess(110.0, 10, 10), "")
    assert by_hand["cfi"] == pytest.approx(0.9)


def test_no_robust_index_without_positive_definite_correlations() -> None:
    fit = cfa("f =~ a + b + c + d + e + h + i + j", near_copies(40, 5), ordered=True)
    assert "sample_not_pd" in set(fit.warnings["what"])
    measures = fit.fit_measures().set_index("measure")["value"]
    robust = measures[measures.index.str.endswith("_robust")]
    assert len(robust) > 5
    assert robust.isna().all()
    assert "scaled CFI" in fit.summary()


def test_steps_without_robust_indices_are_compared_by_scaled_ones() -> None:
    """There are none of ordered and numeric items together."""
    data = ordered_answers(400, 6)
    found = invariance(
        "f =~ y0 + y1 + y2 + x",
        data,
        "g",
        ordered=["y0", "y1", "y2"],
        steps=["configural", "loadings"],
    )
    assert set(found.table["index"]) == {"scaled"}
    assert found.table["cfi_robust"].isna().all()
    told = found.warnings.set_index("what")["where"]
    assert told["no robust indices"] == "every step"


def test_delta_has_no_step_of_residuals() -> None:
    data = ordered_answers(400, 1)
    model = "f =~ y0 + y1 + y2 + y3"
    found = invariance(model, data, "g", ordered=True, parameterization="delta")
    assert "residuals" not in set(found.table["step"])
    assert "step left out" in set(found.warnings["what"])
    with pytest.raises(AnalysisError, match="Use parameterization='theta'"):
        invariance(
            model,
            data,
            "g",
            ordered=True,
            parameterization="delta",
            steps=["configural", "strict"],
        )


def test_a_step_that_restricts_nothing_is_not_tested() -> None:
    """Two thresholds are traded for a location and a scale."""
    data = ordered_answers(400, 2)
    items = [f"y{k}" for k in range(4)]
    data[items] = data[items].clip(1, 3)
    found = invariance(
        "f =~ y0 + y1 + y2 + y3",
        data,
        "g",
        ordered=True,
        steps=["configural", "thresholds"],
    )
    assert found.table["delta_df"].tolist() == [0, 0]
    assert found.table["holds"].tolist() == ["yes", "not testable"]
    assert found.reached == "configural"
    assert found.warnings["where"].iloc[0].startswith("thresholds: as many")
    axes = found.plot()
    places = {
        str(mark.get_label()): np.asarray(mark.get_offsets()).tolist()
        for mark in axes.collections
        if isinstance(mark, PathCollection)
    }
    assert [place[1] for place in places["holds"]] == [0.0]
    rmsea = found.table["rmsea"].iloc[1]
    assert places["not testable (restricts nothing)"] == [[rmsea, 1.0]]
    mpl.pyplot.close("all")


def test_the_grid_marks_steps_that_are_not_testable() -> None:
    verdicts = pd.DataFrame(
        {
            "scale": ["A", "B"],
            "reached": ["configural", "thresholds"],
            "configural": ["yes", "yes"],
            "thresholds": ["not testable", "no"],
        }
    )
    axes = plot_grid(verdicts, n_obs=300, by="gender")
    marks = {
        str(mark.get_label()): np.asarray(mark.get_offsets()).tolist()
        for mark in axes.collections
    }
    assert marks["not testable (restricts nothing)"] == [[1.0, 0.0]]
    assert marks["does not hold"] == [[1.0, 1.0]]
    mpl.pyplot.close("all")


def test_scores_given_predictors_are_the_same_in_both_parameterisations() -> None:
    data = ordered_answers(600, 3)
    model = "f =~ y0 + y1 + y2 + y3 + y4\nf ~ x\ny0 ~ x"
    items = [f"y{k}" for k in range(5)]
    delta, theta = (
        factor_scores(sem(model, data, ordered=items, parameterization=how))
        for how in ("delta", "theta")
    )
    r = np.corrcoef(delta.frame["f"], theta.frame["f"])[0, 1]
    assert r == pytest.approx(1.0, abs=1e-8)
    told = delta.quality["determinacy"].item()
    found = np.corrcoef(delta.frame["f"], data["eta"])[0, 1]
    # A correlation of 600 rows near .95 is known to about .004.
    assert told == pytest.approx(found, abs=0.015)
    without = factor_scores(
        cfa("f =~ y0 + y1 + y2 + y3 + y4", data[items], ordered=True)
    )
    plain = np.corrcoef(without.frame["f"], data["eta"])[0, 1]
    assert found > plain


def test_a_mode_by_hand() -> None:
    """The posterior of one respondent, on a grid."""
    data = ordered_answers(500, 4, items=3)
    fit = sem("f =~ y0 + y1 + y2\nf ~ x", data, ordered=["y0", "y1", "y2"])
    rows = fit.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    grid = np.linspace(-4, 4, 80001)
    slope, left = rows["f", "~", "x"], rows["f", "~~", "f"]
    logp = -((grid - slope * data["x"].iloc[0]) ** 2) / (2 * left)
    for name in ("y0", "y1", "y2"):
        code = int(data[name].iloc[0])
        cuts = [-np.inf, *(rows[name, "|", f"t{k}"] for k in (1, 2, 3)), np.inf]
        loading = rows["f", "=~", name]
        sd = np.sqrt(1 - loading**2 * left)
        upper = norm.cdf((cuts[code + 1] - loading * grid) / sd)
        logp += np.log(upper - norm.cdf((cuts[code] - loading * grid) / sd))
    mode = factor_scores(fit).frame["f"].iloc[0]
    assert mode == pytest.approx(grid[logp.argmax()], abs=2e-4)


def test_bartlett_scores_of_the_unanswered_are_missing() -> None:
    """Numbers of lavPredict(cfa(THREE, gaps, missing = "ml"), method = "Bartlett")."""
    gaps = HS.copy()
    gaps.loc[0, ["x1", "x2", "x3"]] = np.nan
    gaps.loc[1, ["x1", "x2"]] = np.nan
    gaps.loc[2, [f"x{k}" for k in range(1, 9)]] = np.nan
    found = factor_scores(cfa(THREE, gaps, missing="ml"), "bartlett")
    known = [
        [np.nan, -0.10303149, 0.2349838],
        [-0.1818456, -1.20421194, 0.9954871],
        [np.nan, np.nan, -0.8756814],
        [0.8057300, -0.01001111, -0.4887148],
    ]
    errors = [
        [np.nan, 0.3566715, 0.4020723],
        [1.2610138, 0.3566715, 0.4020723],
        [np.nan, np.nan, 0.6862283],
        [0.6063533, 0.3566715, 0.4020723],
    ]
    near = 10 * PRINTED
    np.testing.assert_allclose(found.frame.iloc[:4], known, atol=near)
    np.testing.assert_allclose(found.std_error.iloc[:4], errors, atol=near)
    assert found.quality["determinacy"].between(0.8, 1).all()


def test_bartlett_does_not_know_higher_factors() -> None:
    with pytest.raises(AnalysisError, match="g has no observed indicator"):
        factor_scores(cfa(SECOND, HS), "bartlett")


def test_a_held_mean_and_a_held_scale_can_be_given_up() -> None:
    """Score tests and likelihood ratios of the same parameters agree."""
    equal = ["loadings", "intercepts", "means"]
    held = cfa(THREE, HS, group="school", group_equal=equal)
    rows = modification_indices(held).table
    row = rows[(rows["op"] == "~1") & (rows["lhs"] == "textual")].iloc[0]
    freed = cfa(THREE + "\ntextual ~ c(0, NA)*1", HS, group="school", group_equal=equal)
    fall = held.indices.chisq - freed.indices.chisq
    assert row["mi"] == pytest.approx(fall, rel=0.1)
    loose = sem("x1 ~ x2\nx4 ~ x1", HS, fixed_x=False)
    paths = modification_indices(loose).table
    fixed = modification_indices(sem("x1 ~ x2\nx4 ~ x1", HS)).table
    for table in (paths, fixed):
        assert ("x2", "~", "x4") in set(
            table[["lhs", "op", "rhs"]].itertuples(index=False, name=None)
        )
    both = paths.merge(fixed, on=["lhs", "op", "rhs"])
    np.testing.assert_allclose(both["mi_x"], both["mi_y"], rtol=1e-6)


@pytest.mark.parametrize("method", ["SB2001", "satorra.bentler.2010"])
def test_one_scaling_factor_needs_a_test_that_has_one(method: str) -> None:
    free, equal = (
        cfa(m, CODES, ordered=True)
        for m in (THREE, "visual =~ x1 + a*x2 + a*x3" + THREE[22:])
    )
    with pytest.raises(AnalysisError, match="Use method='satorra_2000'"):
        compare({"free": free, "equal": equal}, method=method)
    assert difference(free, equal).method == "satorra_2000"


def test_residuals_always_name_their_group() -> None:
    assert set(local_fit(cfa(THREE, HS)).table["group"]) == {""}
    found = local_fit(cfa(THREE, HS, group="school")).table
    assert set(found["group"]) == {"Pasteur", "Grant-White"}


def test_loadings_are_the_pattern() -> None:
    fit = efa(HS[[f"x{k}" for k in range(1, 10)]], 3)
    assert fit.loadings is fit.pattern


def test_higher_factors_and_odd_coefficients_are_named() -> None:
    told = composite_reliability(cfa(SECOND, HS)).warnings
    row = told[told["what"].str.startswith("a higher factor")].iloc[0]
    assert row["where"] == "factor g"
    assert "bifactor_reliability" in row["remedy"]
    rng = np.random.default_rng(8)
    eta = rng.normal(size=(150, 2)) @ np.linalg.cholesky([[1, 0.97], [0.97, 1]]).T
    y = np.repeat(eta, 3, axis=1) + rng.normal(size=(150, 6)) * [0.1, 1, 1, 0.1, 1, 1]
    data = pd.DataFrame(y, columns=list("abcdeh"))
    model = "f =~ a + b + c\ng =~ d + e + h\nf ~~ 0*g"
    odd = composite_reliability(cfa(model, data))
    top = odd.table[odd.table["term"].str.startswith("maximal")]
    outside = top[(top["estimate"] > 1) | (top["estimate"] < 0)]
    named = odd.warnings["what"].str.contains("outside 0 to 1").sum()
    assert named >= len(outside)


def test_a_label_on_a_marker_fixes_its_namesakes() -> None:
    fit = cfa("visual =~ a*x1 + x2 + a*x3", HS)
    row = fit.warnings[fit.warnings["what"] == "marker_label"].iloc[0]
    assert row["where"] == (
        "visual =~ x1 is fixed at 1 and labelled a, so that visual =~ x3 is fixed, too"
    )
    waves = cfa("f =~ a*x1 + b*x2 + x3\ng =~ a*x4 + b*x5 + x6", HS)
    assert "marker_label" not in set(waves.warnings["what"])


def test_rows_left_out_are_counted_for_what_they_lack() -> None:
    gaps = HS.assign(x1=HS["x1"].where(HS.index > 29))
    assert "30 rows with missing answers left out" in cfa(THREE, gaps).summary()
    full = cfa(THREE, gaps, missing="ml")
    assert "left out" not in full.summary()
    gaps.loc[[5, 8], [f"x{k}" for k in range(1, 10)]] = np.nan
    empty = cfa(THREE, gaps, missing="ml")
    assert "2 rows without any answer" in empty.summary()
    told = empty.warnings.set_index("what")["where"]["empty_rows"]
    assert told == "2 rows answer no item: index 5, 8 of the table"


def test_a_second_order_model_that_runs_away_names_where() -> None:
    """A disturbance that wants to be negative, held at 1."""
    groups = np.repeat([0, 1, 2], 3)
    between = np.array([[0.6, 0.5, 0.5], [0.5, 0.6, 0.36], [0.5, 0.36, 0.6]])
    cov = between[np.ix_(groups, groups)].copy()
    np.fill_diagonal(cov, 1.0)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 9))
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T, ddof=0)).T)
    data = pd.DataFrame(
        x @ np.linalg.cholesky(cov).T, columns=[f"x{k}" for k in range(1, 10)]
    )
    with pytest.raises(ConvergenceError, match="fit with std_lv=False") as told:
        cfa(SECOND, data, std_lv=True)
    assert "g =~ visual (at " in str(cast("Exception", told.value))
    loose = cfa(SECOND, data)
    assert "negative_variance" in set(loose.warnings["what"])


def test_a_code_for_a_missing_answer_is_named() -> None:
    data = HS[[f"x{k}" for k in range(1, 5)]].round().astype(float)
    data.loc[[3, 8], "x2"] = -99
    fit = cfa("f =~ x1 + x2 + x3 + x4", data)
    assert fit.warnings["what"].str.startswith("-99 far from all other codes").any()
    assert fit.warnings["where"].str.endswith("to x2").any()
    data["year"] = 2020 + HS["x5"].round()
    other = cfa("f =~ x1 + x3 + x4 + year", data)
    assert not other.warnings["what"].str.contains("far from").any()


def test_a_ladder_without_its_first_step_holds_nowhere() -> None:
    found = invariance(THREE, HS, "school", steps=["loadings", "intercepts"])
    assert found.table["holds"].iloc[0] == "not testable"
    assert found.reached == "none"
    assert found.warnings["what"].eq("step not tested").any()


def test_a_freer_model_that_fits_worse_is_not_tested() -> None:
    free, restricted = cfa(THREE, HS), cfa(THREE + "\nvisual ~~ 0*speed", HS)
    test = difference(restricted, free)
    assert np.isnan(test.pvalue)
    assert "fits worse" in test.note


def test_poor_fit_before_anything_is_equal_is_said() -> None:
    found = invariance("f =~ x1 + x2 + x4 + x5 + x7 + x8", HS, "school")
    assert found.warnings["what"].eq("poor fit before anything is equal").any()
