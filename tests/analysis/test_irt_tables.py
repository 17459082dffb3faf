"""What a graded response model shows, warns of and refuses."""

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, ConvergenceError, TooFewError
from analysis.irt import GradedResponse, graded_response
from analysis.plots import use_theme


def answers(
    n: int = 700, cuts: tuple[float, ...] = (-1.0, 0.3, 1.4), n_items: int = 5
) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    theta = rng.normal(size=(n, 1))
    line = 1.8 * (theta - np.linspace(-1, 1, n_items)) + rng.logistic(size=(n, n_items))
    codes = np.digitize(line, 1.8 * np.array(cuts)) + 1
    return pd.DataFrame(codes, columns=[f"i{j}" for j in range(n_items)])


@pytest.fixture(scope="module")
def fit() -> GradedResponse:
    return graded_response(answers())


@pytest.fixture(autouse=True)
def theme() -> Iterator[None]:
    use_theme()
    yield
    plt.close("all")


def test_locations_are_means_of_thresholds(fit: GradedResponse) -> None:
    table, where = fit.tidy(), fit.locations()
    b = table[table["term"] != "a"].groupby("item", sort=False)["estimate"].mean()
    np.testing.assert_allclose(where["estimate"], b)
    assert list(where["item"]) == list(fit.names)
    part = fit.vcov.loc[["i2.b1", "i2.b2", "i2.b3"], ["i2.b1", "i2.b2", "i2.b3"]]
    by_hand = np.sqrt(part.to_numpy().sum()) / 3
    assert where["std_error"][2] == pytest.approx(by_hand)
    assert where["conf_high"][2] == pytest.approx(
        where["estimate"][2] + 1.959964 * by_hand, abs=1e-6
    )


def test_steps_of_an_order_use_the_covariance(fit: GradedResponse) -> None:
    steps = fit.location_steps(["i0", "i1", "i4", "i3"])
    where = fit.locations().set_index("item")["estimate"]
    assert list(steps["lower"]) == ["i0", "i1", "i4"]
    np.testing.assert_allclose(
        steps["estimate"], np.diff(where[["i0", "i1", "i4", "i3"]])
    )
    weights = np.zeros(len(fit.vcov))
    for name, sign in (("i0", -1), ("i1", 1)):
        for k in (1, 2, 3):
            weights[fit.vcov.columns.get_loc(f"{name}.b{k}")] = sign / 3
    by_hand = np.sqrt(weights @ fit.vcov.to_numpy() @ weights)
    assert steps["std_error"][0] == pytest.approx(by_hand)
    assert steps["p_value"][0] < 0.001
    assert steps["estimate"][2] < 0


@pytest.mark.parametrize("order", [["i0"], ["i0", "i0"], ["i0", "x"], "i0"])
def test_an_order_of_other_things_is_refused(fit: GradedResponse, order: Any) -> None:
    with pytest.raises(AnalysisError, match=r"order=.*is not an order.*i0, i1"):
        fit.location_steps(order)


def test_tables(fit: GradedResponse) -> None:
    table = fit.tidy()
    assert list(table) == [
        "item",
        "term",
        "category",
        "estimate",
        "std_error",
        "conf_low",
        "conf_high",
        "n",
    ]
    assert list(table["term"][:4]) == ["a", "b1", "b2", "b3"]
    assert list(table["category"][1:4]) == [2, 3, 4]
    row = fit.glance().iloc[0]
    assert row["aic"] == pytest.approx(2 * 20 - 2 * fit.log_lik)
    assert row["bic"] == pytest.approx(20 * np.log(700) - 2 * fit.log_lik)
    items = fit.item_table()
    a = items["loading"] / np.sqrt(1 - items["loading"] ** 2) * 1.702
    np.testing.assert_allclose(a, fit.slopes)
    curve = fit.information_curve(np.array([0.5]))
    assert curve["test"].item() == pytest.approx(curve[list(fit.names)].sum(axis=1)[0])
    assert curve["std_error"].item() == pytest.approx(curve["test"].item() ** -0.5)
    sums = fit.category_curves().groupby(["item", "theta"])["probability"].sum()
    np.testing.assert_allclose(sums, 1)
    assert "n = 700" in fit.summary()
    assert "Graded response model of 5 items" in fit.summary()
    assert fit.warnings.empty
    binary = graded_response((answers() > 2).astype(int))
    assert binary.summary().startswith("Two-parameter logistic model")


def test_scores_keep_the_index() -> None:
    data = answers().astype(float)
    data.index = pd.Index([f"p{k}" for k in range(len(data))])
    data.loc["p3"] = np.nan
    data.loc["p4", ["i0", "i1"]] = np.nan
    found = graded_response(data)
    assert list(found.scores.index) == list(data.index)
    assert np.isnan(found.scores.loc["p3", "estimate"])
    assert found.scores.loc["p3", "n_answered"] == 0
    assert found.scores.loc["p4", "n_answered"] == 3
    assert (found.n_obs, found.n_dropped, found.n_complete) == (699, 1, 698)
    assert "rows_dropped" in set(found.warnings["what"])
    data["i0"] = data["i0"].astype("Int64")
    again = graded_response(data)
    assert again.log_lik == pytest.approx(found.log_lik)


@pytest.mark.parametrize("show", ["information", "categories", "locations"])
def test_figures_say_n_and_words(fit: GradedResponse, show: Any) -> None:
    ax = fit.plot(show=show, labels={"i0": "Answers late"})
    texts = [t.get_text() for t in ax.get_yticklabels()]
    legend = ax.get_legend()
    texts += [t.get_text() for t in legend.get_texts()] if legend else []
    assert "Answers late" in texts
    assert "n = 700" in ax.get_xlabel()


def test_figure_of_one_item(fit: GradedResponse) -> None:
    _, ax = plt.subplots()
    assert fit.plot(ax, show="categories", item="i1", labels={"i1": "Sighs"}) is ax
    assert ax.get_title(loc="left") == "Sighs"
    assert [t.get_text() for t in ax.texts] == ["1", "2", "3", "4"]
    with pytest.raises(AnalysisError, match=r"item='i9' cannot be drawn.*i0, i1"):
        fit.plot(show="categories", item="i9")
    with pytest.raises(AnalysisError, match="show='curves' is unknown"):
        fit.plot(show="curves")  # type: ignore[arg-type]


def test_unused_and_rare_categories_are_named() -> None:
    data = answers()
    data.loc[data["i1"] == 3, "i1"] = 2
    data.loc[data["i2"] == 4, "i2"] = 3
    data.iloc[:3, 2] = 4
    found = graded_response(data)
    table = found.warnings.set_index("what")
    assert table.loc["category_unused", "where"] == "i1: nobody chose 3"
    assert table.loc["category_rare", "where"] == "i2: 4 (3)"
    mine = found.tidy().query("item == 'i1'")
    assert list(mine["category"].dropna()) == [2, 4]


def test_dependent_items_are_named() -> None:
    data = answers(n_items=9)
    rng = np.random.default_rng(1)
    same = rng.random(len(data)) < 0.35
    data["i5"] = data["i5"].where(~same, data["i4"])
    found = graded_response(data)
    first = found.local_dependence.iloc[0]
    assert (first["item_a"], first["item_b"]) == ("i4", "i5")
    assert first["large"]
    where = found.warnings.set_index("what").loc["local_dependence", "where"]
    assert "i4–i5" in where  # noqa: RUF001


def test_few_people_and_flat_items_are_warned_of() -> None:
    rng = np.random.default_rng(3)
    data = answers(300).assign(noise=rng.integers(1, 5, 300))
    found = set(graded_response(data).warnings["what"])
    assert "n_small" in found
    assert found & {"slope_flat", "slope_not_positive"}


def test_items_that_share_nobody_are_warned_of() -> None:
    a = answers(n_items=6)
    parts = [a[["i0", "i1", "i2"]], a[["i3", "i4", "i5"]]]
    found = graded_response(pd.concat(parts, ignore_index=True))
    assert "items_apart" in set(found.warnings["what"])
    assert found.local_dependence["q3"].isna().sum() == 9
    assert found.item_fit["statistic"].isna().all()


def test_nobody_complete_has_no_item_fit_but_a_figure() -> None:
    data = answers().astype(float)
    for k in range(len(data)):
        data.iloc[k, k % 5] = np.nan
    found = graded_response(data)
    assert (found.item_fit["n"] == 0).all()
    assert found.item_table()["s_x2"].isna().all()
    found.plot()


BAD = {
    "two items": (lambda d: d[["i0", "i1"]], TooFewError, "at least 3 items, got 2"),
    "constant": (lambda d: d.assign(i1=2), AnalysisError, "'i1' does not vary"),
    "empty": (lambda d: d.assign(i1=np.nan), AnalysisError, "'i1' has no answer"),
    "words": (lambda d: d.assign(i1="often"), AnalysisError, "'often', which is not"),
    "infinite": (lambda d: d.assign(i1=np.inf), AnalysisError, "infinite"),
    "measured": (
        lambda d: d.assign(i1=np.arange(len(d)) / 7),
        AnalysisError,
        "more than 20 categories: 'i1' has 700. Join",
    ),
    "few people": (
        lambda d: d.head(15),
        TooFewError,
        "15 of 15 people answered, but 5 items have",
    ),
    "twins": (
        lambda d: d.assign(twin=d["i0"]),
        ConvergenceError,
        "slopes grow without end: 'i0'",
    ),
    "guttman": (
        lambda d: pd.DataFrame({f"g{k}": d.index > k for k in (90, 300, 500)}).astype(
            int
        ),
        ConvergenceError,
        "leave it out",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    spoil, error, words = BAD[case]
    with pytest.raises(error, match=words) as caught:
        graded_response(spoil(answers()))
    assert str(caught.value).startswith("graded response model: ")


@pytest.mark.parametrize("n_nodes", [5, 10_000, 61.0, True])
def test_odd_grids_are_refused(n_nodes: Any) -> None:
    with pytest.raises(AnalysisError, match=r"n_nodes=.*from 21 to 501"):
        graded_response(answers(), n_nodes=n_nodes)


def test_unknown_information_is_refused() -> None:
    with pytest.raises(AnalysisError, match="information='fisher' is unknown"):
        graded_response(answers(), information="fisher")  # type: ignore[arg-type]


def test_theta_must_be_numbers(fit: GradedResponse) -> None:
    with pytest.raises(AnalysisError, match="Give finite values"):
        fit.information_curve(np.array([np.nan]))
