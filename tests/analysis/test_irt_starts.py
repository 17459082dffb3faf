"""Several starts of the graded response model, and what its warnings say of items."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, NotIdentifiedError, TooFewError
from analysis.irt import graded_response, monotonicity, person_scores
from analysis.irt.ascent import EndlessError


def _answers(
    slopes: Any, n: int, seed: int, cuts: tuple[float, ...] = (-1, 1), rho: float = 0.0
) -> pd.DataFrame:
    """Answers that follow several traits, which correlate `rho`."""
    a = np.asarray(slopes, dtype=float)
    k = a.shape[1]
    rng = np.random.default_rng(seed)
    traits = rng.multivariate_normal(np.zeros(k), rho + (1 - rho) * np.eye(k), n)
    noise = rng.logistic(size=(n, len(a)))
    names = list("abcdefghi"[: len(a)])
    return pd.DataFrame(np.digitize(traits @ a.T + noise, cuts), columns=names)


def _said(fit: Any, what: str) -> list[str]:
    return fit.warnings.loc[fit.warnings["what"] == what, "where"].tolist()  # type: ignore[no-any-return]


ONE = _answers(np.full((5, 1), 1.5), 400, seed=2, cuts=(-1, 0, 1))
THREE_TRAITS = np.kron(np.eye(3), np.full((3, 1), 1.9))


def test_the_highest_of_several_maxima_is_kept() -> None:
    # The first principal axis leads to -3829.73, one of two simple axes to -3822.65.
    fit = graded_response(_answers(THREE_TRAITS, 400, seed=4, rho=0.2))
    assert fit.log_lik == pytest.approx(-3822.65, abs=0.01)
    (where,) = _said(fit, "several_maxima")
    assert where.startswith("other starts end lower, by 7.1, 7.8 in log-likelihood")
    remedy = fit.warnings.set_index("what").loc["several_maxima", "remedy"]
    assert "efa()" in remedy


def test_one_trait_has_one_maximum() -> None:
    fit = graded_response(ONE)
    assert fit.warnings["what"].tolist() == ["n_small"]


def test_a_higher_climb_without_end_is_said() -> None:
    slopes = np.zeros((6, 2))
    slopes[:4, 0], slopes[4:, 1] = 1.7, (4, 5)
    fit = graded_response(_answers(slopes, 150, seed=2))
    (where,) = _said(fit, "not_the_highest")
    assert where.startswith("another start climbs higher, without end: 'f' (4")


def test_twins_grow_without_end() -> None:
    with pytest.raises(EndlessError, match=r"slopes grow without end: 'a' .*'b' ") as e:
        graded_response(ONE.assign(b=ONE["a"]))
    assert "'a'" in e.value.place
    assert np.isfinite(e.value.height)


def test_items_that_share_nobody_are_refused_before_climbing() -> None:
    x = ONE.astype(float)
    x.loc[:199, ["a", "b"]] = np.nan
    x.loc[200:, ["c", "d", "e"]] = np.nan
    with pytest.raises(NotIdentifiedError, match="nobody who answered 'a' or 'b'"):
        graded_response(x)
    alone = ONE.astype(float)
    alone.loc[:199, "d"] = np.nan
    alone.loc[200:, ["a", "b", "c", "e"]] = np.nan
    with pytest.raises(NotIdentifiedError, match="answered 'd' answered one of the"):
        graded_response(alone)


def test_groups_of_items_that_share_nobody_are_named() -> None:
    x = _answers(np.full((6, 1), 1.5), 600, seed=3).astype(float)
    x.loc[:299, list("abc")] = np.nan
    x.loc[300:, list("def")] = np.nan
    (where,) = _said(graded_response(x), "items_apart")
    assert where == "share no respondent: a, b, c | d, e, f"


def test_a_slope_that_may_be_zero_is_said() -> None:
    rng = np.random.default_rng(5)
    fit = graded_response(ONE.assign(c=rng.integers(0, 4, len(ONE))))
    (where,) = _said(fit, "slope_unclear")
    row = fit.tidy().set_index(["item", "term"]).loc[("c", "a")]
    low, high = row["conf_low"], row["conf_high"]
    assert low < 0 < high
    assert where == (
        f"c: a = {row['estimate']:.2f}, 95 % interval {low:.2f} to {high:.2f}"
    )


def test_a_stray_code_is_said_of_its_item_only() -> None:
    stray = ONE.copy()
    stray.loc[0, "c"] = 9
    fit = graded_response(stray)
    assert _said(fit, "category_alone") == ["c: no other item holds 9 (1)"]
    assert not _said(fit, "category_unused")


def test_an_unused_code_is_said_of_its_item_only() -> None:
    fit = graded_response(ONE.assign(b=ONE["b"].clip(upper=2)))
    assert _said(fit, "category_unused") == ["b: nobody chose 3"]
    assert not _said(fit, "category_alone")


EMPTY = ONE.astype(float).mask(pd.Series(range(len(ONE))) < 150)
BAD: dict[str, tuple[Any, type[AnalysisError], str]] = {
    "constant": (ONE.assign(a=2), AnalysisError, r"'a' does not vary \(all 400"),
    "five people": (ONE.head(5), TooFewError, r"5 of 5 respondents .* at least 100"),
    "strings": (
        ONE.astype(object).assign(b="often"),
        AnalysisError,
        "'b' holds 'often', which is not a code",
    ),
    "no answers": (ONE * np.nan, AnalysisError, "'a' has no answer"),
}


@pytest.mark.parametrize("case", BAD)
def test_monotonicity_refuses(case: str) -> None:
    items, error, message = BAD[case]
    with pytest.raises(error, match=f"monotonicity: .*{message}"):
        monotonicity(items)


def test_monotonicity_says_what_is_odd() -> None:
    empty = monotonicity(EMPTY).warnings.set_index("what")["where"]
    assert empty["empty_rows"] == "150 of 400 rows hold no answer"
    assert empty["rows_dropped"] == "150 of 400 rows (38%) miss an answer"
    twins = monotonicity(ONE.assign(b=ONE["a"])).warnings
    assert twins["where"].tolist() == ["a and b"]
    reverse = monotonicity(ONE.assign(a=3 - ONE["a"])).warnings
    assert reverse["what"].tolist() == ["not_monotone"]


def test_person_scores_say_what_is_odd() -> None:
    fit = graded_response(ONE)
    missing = person_scores(fit, EMPTY)
    assert missing.warnings["where"].tolist() == [
        "150 of 400 people answered no item: no score"
    ]
    same = person_scores(fit, ONE.assign(a=2)).warnings
    assert same["what"].tolist() == ["item_constant"]
    assert same["where"].tolist() == ["everybody gave the same answer: a"]
    assert person_scores(fit, ONE.head(5)).warnings.empty
    with pytest.raises(AnalysisError, match=r"got a Series\. Give a DataFrame"):
        person_scores(fit, ONE["a"])  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="'b' holds 'often', which is not a code"):
        person_scores(fit, ONE.astype(object).assign(b="often"))


def test_measured_variables_are_no_answers() -> None:
    rng = np.random.default_rng(6)
    wide = ONE.assign(c=rng.normal(size=len(ONE)))
    with pytest.raises(AnalysisError, match=r"20 categories: 'c' has 400. Join"):
        monotonicity(wide)
    with pytest.raises(AnalysisError, match=r"or use a model for measured variables"):
        graded_response(wide)


def test_two_categories_are_not_to_be_joined() -> None:
    slopes = np.full((5, 1), 1.2)
    usual = _answers(slopes, 300, seed=7, cuts=(0,))
    rare = _answers(slopes, 300, seed=7, cuts=(4.7,))["e"]
    fit = graded_response(usual.assign(e=rare))
    rows = fit.warnings[fit.warnings["what"] == "category_rare"]
    assert rows["where"].tolist() == [f"e: 1 ({rare.sum()})"]
    assert not rows["remedy"].str.contains("Join").any()
