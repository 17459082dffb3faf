"""What somebody new to the package tries: each mistake is named with its remedy."""

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.correlations import correlation
from analysis.efa import congruence, efa, hull, kmo, n_factors, parallel_analysis
from analysis.errors import AnalysisError
from analysis.irt import graded_response, person_scores
from analysis.items import category_use, item_statistics, mardia
from analysis.oddities import stray_codes
from analysis.reliability import (
    bifactor_reliability,
    bootstrap,
    composite_reliability,
    cronbach_alpha,
    icc,
    measurement_error,
    omega_total,
    reliability,
    split_half,
)
from analysis.sem import cfa, discriminant_validity, dmacs

RNG = np.random.default_rng(4)
_NOISE = RNG.normal(size=(300, 6)) * 0.8 + RNG.normal(size=(300, 1))
GOOD = pd.DataFrame(
    np.digitize(_NOISE, [-1.3, -0.4, 0.4, 1.3]) + 1,
    columns=["q1", "q2", "q3", "q4", "q5", "q6"],
)
TWINS = GOOD.assign(q2=GOOD["q1"])
GAPS = GOOD.mask(np.random.default_rng(5).random(GOOD.shape) < 0.05)
MODEL = "f =~ q1 + q2 + q3 + q4"
FIT = cfa(MODEL, GOOD)
wrong: Any = GOOD  # a frame where a model is wanted

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "numbers as text": (
        lambda: cronbach_alpha(GOOD.astype(str)),
        r"cronbach_alpha: items 'q1', .* 'q6' must not be text, like '\d' .*to_numeric",
    ),
    "categories": (
        lambda: kmo(GOOD.astype("category")),
        r"'q6' must not be Categorical \(give codes, with \.astype\(float\)\)",
    ),
    "categories of words": (
        lambda: item_statistics(
            GOOD.assign(q1=pd.Categorical(np.where(GOOD["q1"] > 2, "often", "never")))
        ),
        r"item 'q1' must not be Categorical, with words like 'never' \(give the code",
    ),
    "infinite": (
        lambda: kmo(GOOD.assign(q1=np.inf, q2=np.inf)),
        "items 'q1', 'q2' hold an infinite value",
    ),
    "correlations": (
        lambda: efa(GOOD.corr(), 1),
        r"efa: got correlations \(6 x 6, .* not answers\. Give the answers themselves",
    ),
    "one item twice, all rows": (
        lambda: omega_total(TWINS, missing="ml"),
        "omega_total: data: q1 and q2 correlate perfectly. Keep one",
    ),
    "one item twice, with gaps": (
        lambda: cfa(MODEL, TWINS.mask(GAPS.isna()), estimator="MLR", missing="ml"),
        "data: q1 and q2 correlate perfectly",
    ),
    "a total beside its parts": (
        lambda: cfa(MODEL, GOOD.assign(q4=GOOD["q1"] + GOOD["q2"]), missing="ml"),
        "q1, q2, q4 determine each other exactly",
    ),
    "misspelt treatment of gaps": (
        lambda: cronbach_alpha(GAPS, missing="pair"),  # type: ignore[arg-type]
        "cronbach_alpha: missing='pair' is unknown. Choose one of listwise, pairwise",
    ),
    "one occasion": (
        lambda: icc(GOOD["q1"]),  # type: ignore[arg-type]
        "icc: got a Series. Give a DataFrame, one row per person and one column",
    ),
    "no occasions": (
        lambda: measurement_error(None),  # type: ignore[arg-type]
        "measurement_error: got a NoneType. Give a DataFrame",
    ),
    "items in place of scales": (
        lambda: reliability(wrong),
        r"reliability: got a DataFrame\. Give the items of each scale, \{'scale': ",
    ),
    "an item in place of a scale": (
        lambda: reliability({"a": GOOD["q1"]}),  # type: ignore[dict-item]
        "reliability: 'a' is a Series",
    ),
    "alpha of no such name": (
        lambda: cronbach_alpha(GOOD)["omega"],
        "'omega' is not among the estimates. Choose one of alpha, alpha_std",
    ),
    "icc of no such name": (
        lambda: icc(GOOD)["ICC(9,1)"],
        r"'ICC\(9,1\)' is not among the estimates. Choose one of ICC\(1\), ICC\(A,1\)",
    ),
    "mardia of no such name": (lambda: mardia(GOOD)["skew"], "Choose one of skewness"),
    "codes of unknown items": (
        lambda: composite_reliability(FIT, codes={"q9": [1, 2]}),
        r"codes are given for \['q9'\], no items of the model. It has q1, q2, q3, q4",
    ),
    "items without a model (omega)": (
        lambda: composite_reliability(wrong),
        r"got a DataFrame in place of a model\. Fit one, e\.g\. cfa\(",
    ),
    "items without a model (bifactor)": (
        lambda: bifactor_reliability(wrong),
        "got a DataFrame in place of a model",
    ),
    "items without a model (validity)": (
        lambda: discriminant_validity(wrong),
        "discriminant_validity: got a DataFrame in place of a model",
    ),
    "items without a model (scores)": (
        lambda: person_scores(wrong, GOOD),
        r"got a DataFrame in place of a model\. Give what graded_response\(items\)",
    ),
    "a model without its groups": (
        lambda: dmacs(FIT),  # type: ignore[arg-type]
        r"dmacs: got a SemFit\. Give what invariance\(model, data, group\) returns",
    ),
    "one code": (
        lambda: item_statistics(GOOD, codes=5),  # type: ignore[arg-type]
        r"codes=5 is no list of codes\. Give all of them, e\.g\. range\(1, 6\)",
    ),
    "a table of groups": (
        lambda: category_use(GOOD, group=GOOD[["q1"]]),  # type: ignore[arg-type]
        "category_use: group is a DataFrame of 1 columns. Give one column",
    ),
    "half a draw": (
        lambda: n_factors(GOOD, draws=10.5),  # type: ignore[arg-type]
        "parallel_analysis: draws=10.5. Give a whole number",
    ),
    "a seed below zero": (
        lambda: parallel_analysis(GOOD, draws=5, seed=-1),
        "parallel_analysis: seed=-1. Give a whole number of at least 0",
    ),
    "no seed": (
        lambda: split_half(GOOD, seed=None),  # type: ignore[arg-type]
        "split_half: seed=None. Give a whole number",
    ),
    "half a split": (
        lambda: congruence(GOOD, 1, splits=2.5),  # type: ignore[arg-type]
        "congruence: splits=2.5. Give a whole number",
    ),
    "half a start": (
        lambda: efa(GOOD, 2, method="minres", rotation_starts=2.5),  # type: ignore[arg-type]
        "efa: rotation_starts=2.5. Give a whole number",
    ),
    "half a bootstrap": (
        lambda: efa(GOOD, 1, se="bootstrap", draws=30.5),  # type: ignore[arg-type]
        "efa: draws=30.5. Give a whole number",
    ),
    "half a factor": (
        lambda: hull(GOOD, most=2.5),  # type: ignore[arg-type]
        "hull: most=2.5. Give a whole number",
    ),
    "half a sample": (
        lambda: bootstrap(GOOD, cronbach_alpha, draws=200.5),  # type: ignore[arg-type]
        "bootstrap: draws=200.5. Give a whole number",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_named_with_its_remedy(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(AnalysisError, match=message):
        call()


def test_the_remedies_work() -> None:
    known = cronbach_alpha(GAPS)["alpha"]
    words = {1: "never", 2: "rarely", 3: "some", 4: "often", 5: "always"}
    codes = {word: code for code, word in words.items()}
    text = GAPS.astype("string").apply(pd.to_numeric)
    coded = GAPS.astype("category").astype(float)
    mapped = GAPS.apply(
        lambda q: q.map(words).astype("category").map(codes).astype(float)
    )
    for frame in (text, coded, mapped):
        assert cronbach_alpha(frame)["alpha"] == known


def test_answers_that_look_like_correlations_are_answers() -> None:
    frame = pd.DataFrame(np.eye(4), columns=list("abcd"))
    assert category_use(frame).table["count"].sum() == 16


@pytest.mark.parametrize(
    ("codes", "stray", "said"),
    [
        ([1, 2, 3, 4, 5], -99, "-99 far from all other codes, 1 to 5"),
        ([1, 2, 3, 4, 5], 99, "99 far from all other codes, 1 to 5"),
        ([1, 2, 3, 4, 5, 6, 7], -9, "-9 far from all other codes, 1 to 7"),
        ([0, 1], 9, "9 far from all other codes, 0 to 1"),
        ([1, 2, 3, 4, 5], 7, ""),
        ([1, 2, 3], 7, ""),
        ([0, 1], 2, ""),
        ([-3, -2, -1, 0, 1, 2], 3, ""),
    ],
)
def test_stray_codes_by_hand(codes: list[int], stray: int, said: str) -> None:
    x = np.array([codes, codes, [stray, *codes[1:]]], dtype=np.float64).T
    found = list(stray_codes(x, ["p", "q", "r"]))
    assert [what for what, _, _ in found] == ([said] if said else [])
    if said:
        assert found[0][1] == "1 answers to r"


@pytest.mark.parametrize(
    "analyse",
    [cronbach_alpha, split_half, correlation, item_statistics, category_use],
)
def test_a_code_for_missing_answers_is_told(analyse: Callable[..., Any]) -> None:
    told = analyse(GAPS.fillna(-99)).warnings
    assert told["what"].str.startswith("-99 far from all other codes, 1 to 5").any()
    assert not analyse(GAPS).warnings["what"].str.contains("far from").any()


def test_a_code_for_missing_answers_is_told_by_every_step() -> None:
    odd = GAPS.fillna(99)
    for found in (kmo(odd), efa(odd, 1, method="minres"), graded_response(odd)):
        assert found.warnings["what"].str.contains("99 far from").any()


@pytest.mark.parametrize("unit", [1e-8, 1e-4, 1e4, 1e8])
def test_the_unit_of_answers_is_of_no_consequence(unit: float) -> None:
    columns = ["conf_low", "conf_high"]
    known = omega_total(GOOD).tidy().loc[0, columns].astype(float)
    found = omega_total(GOOD * unit).tidy().loc[0, columns].astype(float)
    np.testing.assert_allclose(found, known, rtol=1e-6)


def test_the_origin_of_answers_is_of_no_consequence() -> None:
    known = omega_total(GAPS, missing="ml")["omega"]
    found = omega_total(GAPS + 1e8, missing="ml")["omega"]
    assert found == pytest.approx(known, abs=1e-6)


def test_few_draws_do_not_make_a_clear_case_close() -> None:
    found = parallel_analysis(GOOD, draws=20)
    assert found.n_retained == 1
    assert found.table["observed"].iloc[0] > 3
    assert found.table["reference"].iloc[0] < 1.4
    assert not found.warnings["what"].str.contains("simulation error").any()


def test_public_names_can_be_completed() -> None:
    assert {*analysis.__all__, "efa", "polychoric", "sem"} <= {*dir(analysis)}


def test_packages_show_the_options_of_their_function() -> None:
    for package in (analysis.efa, analysis.polychoric, analysis.sem):
        options = [*signature(package).parameters]
        assert "missing" in options
        assert f"{options[0]}: " in str(package.__doc__)
