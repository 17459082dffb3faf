"""What is refused or warned of when models are fitted, and in which words."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, ModelSyntaxError, NotIdentifiedError
from analysis.sem import SemFit, cfa, compare, invariance, sem
from analysis.sem.estimate import given, spelt
from analysis.sem.estimate.loops import loops

if TYPE_CHECKING:
    from analysis.sem.estimate import Starts
    from analysis.sem.estimate.minimum import Minimum
    from analysis.sem.problem import Problem

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
ORDINAL = pd.read_csv(Path(__file__).parents[1] / "reference" / "sem_ordinal.csv")
TWO = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6"
ONE = "f =~ x1 + a*x2 + b*x3 + c*x4"
SCALE = "f =~ a1 + a2 + a3 + a4"
#: Rounding of two searches for one minimum.
SAME = 1e-6
#: Seconds in which contradicting constraints are found, on a busy machine.
SOON = 1.0
#: Several standard errors of the simulated data.
NEAR = 0.12


def told(fit: SemFit, what: str) -> dict[str, str]:
    """Find the one warning of a kind."""
    (row,) = fit.warnings[fit.warnings["what"] == what].to_dict("records")
    return {str(k): str(v) for k, v in row.items()}


def kinds(fit: SemFit) -> set[str]:
    return set(fit.warnings["what"])


# Start values.

USELESS = [
    (
        "f =~ x1 + start(1e6)*x2 + x3 + x4",
        "f =~ x2: start(1e+06), it is more than 1,000 times",
    ),
    (
        "f =~ x1 + x2 + x3 + x4\nx1 ~~ start(-5)*x1",
        "x1 ~~ x1: start(-5), it gives no positive definite",
    ),
    (f"{TWO}\nv ~~ start(3)*t", "v ~~ t: start(3), it gives no positive definite"),
    (
        "f =~ start(1e6)*x1 + x2 + x3 + x4",
        "f =~ x1: start(1e+06), but it is fixed to 1 and scales its factor",
    ),
]


@pytest.mark.parametrize(("model", "where"), USELESS)
def test_useless_start_values_are_named(model: str, where: str) -> None:
    fit = cfa(model, HS)
    row = told(fit, "start_not_used")
    assert row["where"].startswith(where)
    if "fixed" in where:
        assert "1e+06*x1 to fix it there (as lavaan does)" in row["remedy"]
    else:
        assert row["remedy"].startswith("Our own start value ")
        assert "Correct start(), or delete it" in row["remedy"]
    bare = model
    for text in ("start(1e6)*", "start(-5)*", "start(3)*"):
        bare = bare.replace(text, "")
    assert fit.indices.chisq == pytest.approx(cfa(bare, HS).indices.chisq, abs=SAME)


def test_start_values_that_are_bad_only_together() -> None:
    terms = ("a ~~ start(0.33)*b", "a ~~ start(0.33)*c", "b ~~ start(-0.33)*c")
    model = "a =~ x1 + x2\nb =~ x4 + x5\nc =~ x7 + x8\na~~.4*a\nb~~.4*b\nc~~.4*c"
    fit = cfa("\n".join((model, *terms)), HS)
    rows = fit.warnings[fit.warnings["what"] == "start_not_used"]
    assert len(rows) == len(terms)
    assert rows["where"].str.contains("together they give no positive definite").all()


def test_useful_start_values_are_used_in_silence() -> None:
    fit = cfa("f =~ x1 + start(0.6)*x2 + 0.7?x3 + x4\nx1 ~~ start(0.5)*x1", HS)
    assert "start_not_used" not in kinds(fit)
    turned = cfa("f =~ NA*x1 + start(-1)*x1 + start(-.5)*x2 + x3 + x4\nf ~~ 1*f", HS)
    assert "start_not_used" not in kinds(turned)


def test_a_search_that_strays_from_the_start_values_is_said_so() -> None:
    far = "v =~ x1 + start(5.2)*x2 + start(-1.4)*x3\nt =~ x4 + start(3.4)*x5 + x6"
    fit = cfa(f"{far}\nt =~ start(-2)*x6".replace(" + x6", ""), HS)
    row = told(fit, "start_not_used")
    assert row["where"].startswith("v =~ x2: start(5.2), v =~ x3: start(-1.4), ")
    assert "does not reach the minimum" in row["where"]
    assert fit.indices.chisq == pytest.approx(cfa(TWO, HS).indices.chisq, abs=SAME)


def test_a_lower_minimum_than_that_of_the_start_values_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = given.lowest

    def worse(problem: Problem, starts: Starts, *, floor: float = 0.0) -> Minimum:
        found = real(problem, starts, floor=floor)
        stated = not np.array_equal(starts.theta, starts.own)
        return replace(found, value=found.value + 0.5) if stated else found

    monkeypatch.setattr(given, "lowest", worse)
    row = told(cfa("f =~ x1 + start(0.9)*x2 + x3 + x4", HS), "start_not_used")
    assert "f =~ x2: start(0.9): they lead to a local minimum" in row["where"]


def test_a_start_value_of_one_group_is_named_with_it() -> None:
    fit = cfa("f =~ x1 + start(c(1e6, 1))*x2 + x3 + x4", HS, group="school")
    assert "(Pasteur): start(1e+06)" in told(fit, "start_not_used")["where"]


def test_ordered_variables_have_start_values_too() -> None:
    model = SCALE.replace("a2", "start(1e6)*a2")
    fit = cfa(model, ORDINAL, ordered=True)
    assert "f =~ a2: start(1e+06)" in told(fit, "start_not_used")["where"]


# Circles.

UNIDENTIFIED = [
    (f"{TWO}\nv ~ t\nt ~ v", 4, "the circle v ~ t ~ v is not identified"),
    ("x1 ~ x2\nx2 ~ x1", 2, "the circle x1 ~ x2 ~ x1 is not identified"),
]


@pytest.mark.parametrize(("model", "line", "words"), UNIDENTIFIED)
def test_a_circle_that_is_not_identified(model: str, line: int, words: str) -> None:
    with pytest.raises(NotIdentifiedError) as caught:
        sem(model, HS)
    message = str(caught.value)
    assert message.startswith(f"model, line {line}: {words}")
    assert "(an instrument)" in message
    assert message.splitlines()[2].strip() == "^"


def test_an_identified_circle_is_fitted_with_a_warning() -> None:
    fit = sem("x1 ~ x4 + x2 + x3\nx4 ~ x1 + x5 + x6", HS)
    row = told(fit, "feedback_loop")
    beta = fit.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    product = beta["x1", "~", "x4"] * beta["x4", "~", "x1"]
    index = np.sqrt(abs(product))
    assert row["where"] == f"x1 ~ x4 ~ x1: a circle (stability index {index:.2f})"
    assert "instruments" in row["remedy"]
    assert "R2" in row["remedy"]


def test_a_circle_recovers_known_effects() -> None:
    rng = np.random.default_rng(4)
    p, q, e, u = rng.normal(size=(4, 5000))
    # y = 0.4 z + 0.6 p + e and z = 0.3 y + 0.7 q + u, solved for y and z.
    y = (0.6 * p + e + 0.4 * (0.7 * q + u)) / (1 - 0.4 * 0.3)
    z = 0.3 * y + 0.7 * q + u
    fit = sem("y ~ z + p\nz ~ y + q", pd.DataFrame({"y": y, "z": z, "p": p, "q": q}))
    beta = fit.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    assert beta["y", "~", "z"] == pytest.approx(0.4, abs=NEAR)
    assert beta["z", "~", "y"] == pytest.approx(0.3, abs=NEAR)
    assert "index 0.3" in told(fit, "feedback_loop")["where"]


def test_effects_that_do_not_settle_are_said_so() -> None:
    rng = np.random.default_rng(4)
    p, q, e, u = rng.normal(size=(4, 5000))
    y = (p + e + 1.5 * (q + u)) / (1 - 1.5 * 1.2)
    z = 1.2 * y + q + u
    fit = sem("y ~ z + p\nz ~ y + q", pd.DataFrame({"y": y, "z": z, "p": p, "q": q}))
    assert "do not interpret" in told(fit, "feedback_loop")["remedy"]
    beta = fit.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
    assert beta["y", "~", "z"] == pytest.approx(1.5, abs=NEAR)
    assert beta["z", "~", "y"] == pytest.approx(1.2, abs=NEAR)


def test_circles_through_loadings_and_longer_ones() -> None:
    mixed = sem("f =~ x1 + x2 + x3\nx9 ~ x1\nf ~ x9", HS)
    assert loops(mixed.table) == (("x1", "f", "x9", "x1"),)
    three = sem(f"{TWO}\ns =~ x7 + x8 + x9\nv ~ t\nt ~ s\ns ~ v", HS)
    assert "v ~ t ~ s ~ v" in told(three, "feedback_loop")["where"]
    assert loops(cfa(TWO, HS).table) == ()


def test_circles_of_factors_and_self_regressions_mark_the_place() -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        cfa("a =~ x1 + x2 + b\nb =~ x3 + c\nc =~ x4 + a", HS)
    head, quoted, caret = str(caught.value).splitlines()
    assert "a =~ b =~ c =~ a measure each other in a circle" in head
    assert quoted[caret.index("^")] == "a"
    with pytest.raises(ModelSyntaxError, match="line 2: 'x1' is regressed on itself"):
        sem(f"{ONE}\nx1 ~ x1", HS)


# Constraints.

INFEASIBLE = [
    (f"{ONE}\na > 1\na < 0", 2, "together with line 3", 2),
    (f"{ONE}\na > b\nb > a + 1", 2, "together with line 3", 2),
    (f"{ONE}\nc > 0\na > b\nb > c\nc > a + 1", 3, "together with line 4, 5", 3),
    (f"{ONE}\na == b\nc == 1\na > b + 1", 2, "together with line 4", 2),
    (f"{ONE}\na*a < -1", 2, "cannot be met by any values", 1),
    (f"{ONE}\na*b == -4\na > 0\nb > 0", 2, "together with line 3, 4", 3),
    (f"{ONE}\nmax(a, b) < 0.5\nb > 0.7", 2, "together with line 3", 2),
    ("f =~ x1 + a*x2 + 0.5*x2 + x3 + x4\na > 1", 2, "of the free parameters", 1),
    ("f =~ x1 + lower(2)*x2 + upper(1)*x2 + x3", 1, "the lower bound 2 of f =~ x2", 2),
    ("f =~ x1 + lower(2)*x2 + a*x2 + x3\na < 1", 1, "together with line 2", 2),
]


@pytest.mark.parametrize(("model", "line", "words", "quoted"), INFEASIBLE)
def test_constraints_that_contradict_each_other(
    model: str, line: int, words: str, quoted: int
) -> None:
    begin = time.perf_counter()
    with pytest.raises(ModelSyntaxError) as caught:
        cfa(model, HS)
    assert time.perf_counter() - begin < SOON
    message = str(caught.value)
    assert message.startswith(f"model, line {line}: ")
    assert words in message
    assert "Delete or correct" in message
    assert [text.strip() for text in message.splitlines()].count("^") == quoted


@pytest.mark.parametrize(
    "constraints",
    [
        "a > 1\na < 1",
        "a > b\nb > a",
        "a*b == 1\na > 0.1",
        "max(a, b) < 0.6\nabs(c) < 2",
    ],
)
def test_constraints_that_can_hold_are_left_to_the_search(constraints: str) -> None:
    assert cfa(f"{ONE}\n{constraints}", HS).n_obs == len(HS)


# Options.

BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"group_equal": ["loadings"]}, r"group_equal=\['loadings'\]: there are no groups"),
    ({"group_equal": "loadings"}, r"group= is not given. Name the column"),
    ({"group_partial": ["v =~ x2"]}, r"group_partial=\['v =~ x2'\]: there are no"),
    ({"group": "school", "group_partial": ["v =~ x2"]}, "nothing is equal"),
    (
        {"group": "school", "group_equal": "loadings", "group_partial": "v =~ x22"},
        "not parameters of the model. Did you mean 'v=~x2'",
    ),
    (
        {"group": "school", "group_equal": ["thresholds"]},
        "those of ordered variables.*Name them in ordered=",
    ),
    ({"group": "school", "group_equal": ["loading"]}, "Did you mean 'loadings'"),
    ({"group": "shcool"}, "no column of the data has this name. Did you mean 'school'"),
    ({"cluster": "schol"}, "cluster='schol': no column.*Did you mean 'school'"),
    ({"weights": "agey"}, "weights='agey': no column.*Did you mean 'ageyr'"),
    ({"ordered": ["x11", "x22"]}, "Did you mean 'x1'.*Did you mean 'x2'"),
    ({"estimator": "WLSMVX"}, "Did you mean 'WLSMV'.*Use one of 'ML', 'MLM'"),
    ({"estimator": 3}, "estimator=3 is not offered"),
    ({"missing": "ml.x"}, "Use missing='ml' with fixed_x=False"),
    ({"missing": "listwisee"}, "Did you mean 'listwise'"),
    ({"information": "firstorder"}, "Did you mean 'first_order'"),
    ({"likelihood": "wishard"}, "Did you mean 'wishart'"),
    ({"parameterization": "thetta"}, "Did you mean 'theta'"),
]


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS)
def test_bad_options(options: dict[str, Any], words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        cfa(TWO, HS, **options)


SPELT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"estimator": "mlr"}, {"estimator": "MLR"}),
    ({"missing": "two.stage"}, {"missing": "two_stage"}),
    ({"missing": "Robust.Two.Stage"}, {"missing": "robust_two_stage"}),
    ({"missing": "FIML"}, {"missing": "ml"}),
    ({"missing": "direct"}, {"missing": "ml"}),
    ({"information": "first.order"}, {"information": "first_order"}),
    ({"likelihood": "Wishart"}, {"likelihood": "wishart"}),
    (
        {"group": "school", "group_equal": ["Loadings", "lv.variances"]},
        {"group": "school", "group_equal": ["loadings", "lv_variances"]},
    ),
]


@pytest.mark.parametrize(("theirs", "ours"), SPELT)
def test_spellings_of_lavaan(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    first, second = cfa(TWO, HS, **theirs), cfa(TWO, HS, **ours)
    assert first.problem.method == second.problem.method
    assert first.indices.chisq == pytest.approx(second.indices.chisq, abs=SAME)


def test_what_is_offered_is_named() -> None:
    assert spelt("kind", " Two-Stage", ("two_stage",)) == "two_stage"
    with pytest.raises(AnalysisError, match=r"kind='x' is not offered. Use one of 'a'"):
        spelt("kind", "x", ("a",))


@pytest.mark.parametrize(
    ("method", "ours"),
    [
        ("sb2001", "satorra_bentler_2001"),
        ("Satorra.Bentler.2010", "satorra_bentler_2010"),
        ("SB2010", "satorra_bentler_2010"),
        ("default", "satorra_bentler_2001"),
        ("standard", "standard"),
    ],
)
def test_spellings_of_difference_tests(method: str, ours: str) -> None:
    fits = {"a": cfa(TWO, HS, estimator="MLR")}
    fits["b"] = cfa(f"{TWO}\nv ~~ 0*t", HS, estimator="MLR")
    found = compare(fits, method=method).differences
    assert found["method"].tolist() == [ours]


def test_satorra_2000_in_other_words() -> None:
    fits = {"a": cfa(TWO, HS, estimator="MLM")}
    fits["b"] = cfa(f"{TWO}\nv ~~ 0*t", HS, estimator="MLM")
    for method in ("satorra.2000", "Satorra2000"):
        found = compare(fits, method=method).differences
        assert found["method"].tolist() == ["satorra_2000"]


def test_unknown_difference_tests() -> None:
    fits = {"a": cfa(TWO, HS), "b": cfa(f"{TWO}\nv ~~ 0*t", HS)}
    with pytest.raises(AnalysisError, match=r"compare, method='sb20'.*'satorra_2000'"):
        compare(fits, method="sb20")


def test_options_without_effect() -> None:
    row = told(cfa(TWO, HS, parameterization="theta"), "option_without_effect")
    assert row["where"].startswith("parameterization='theta'")
    assert "Leave it out" in row["remedy"]


def test_answers_taken_as_numbers_after_all() -> None:
    rng = np.random.default_rng(1)
    wide = ORDINAL.assign(a1=rng.integers(0, 30, len(ORDINAL)))
    row = told(cfa(SCALE, wide, estimator="WLSMV"), "taken_as_numbers")
    assert "a1 holds more than 7" in row["where"]
    numeric = cfa(TWO, HS, estimator="WLSMV")
    assert "taken_as_numbers" not in kinds(numeric)


def test_ordered_predictors_are_numbers() -> None:
    model = f"{SCALE}\nf ~ m"
    row = told(
        sem(model, ORDINAL, ordered=["a1", "a2", "a3", "a4", "m"]), "ordered_predictor"
    )
    assert row["where"].startswith("m: named in ordered=")
    assert "ordered_predictor" not in kinds(sem(model, ORDINAL, ordered=True))


def test_equal_thresholds_differ_from_lavaan_0_6_14() -> None:
    options: dict[str, Any] = {"ordered": True, "group": "team"}
    equal = ["loadings", "thresholds"]
    fit = cfa(SCALE, ORDINAL, group_equal=equal, **options)
    row = told(fit, "equal_thresholds")
    assert "add 'intercepts' for its model" in row["remedy"]
    # lavaan 0.6-14: 15 degrees of freedom, chi-square 9.010014 (team, delta).
    theirs = cfa(SCALE, ORDINAL, group_equal=[*equal, "intercepts"], **options)
    assert (fit.indices.df, theirs.indices.df) == (12, 15)
    assert theirs.indices.chisq == pytest.approx(9.010014, abs=1e-5)
    assert "equal_thresholds" not in kinds(theirs)


# Clusters.


def test_few_clusters() -> None:
    fit = cfa(TWO, HS.assign(cl=np.arange(len(HS)) % 8), cluster="cl")
    row = told(fit, "few_clusters")
    assert row["where"].startswith("8 clusters for 19 free parameters")
    assert "rank 7 at most" in row["where"]
    some = cfa(TWO, HS.assign(cl=np.arange(len(HS)) % 25), cluster="cl")
    assert told(some, "few_clusters")["where"] == "25 clusters for 19 free parameters"
    many = cfa(TWO, HS.assign(cl=np.arange(len(HS)) % 60), cluster="cl")
    assert "few_clusters" not in kinds(many)


# Invariance.

OCCASIONS = {"f": ["v", "t"], "a": ["x1", "x4"], "b": ["x2", "x5"], "c": ["x3", "x6"]}
BAD_OCCASIONS: list[tuple[dict[str, Any], str]] = [
    ({"a": ["x1", "x44"]}, r"occasions, 'a': 'x44' \(occasion 2\).*mean 'x4'"),
    ({"f": ["v", "tt"]}, r"occasions, 'f': 'tt' \(occasion 2\).*mean 't'"),
    ({"f": ["v", "x5"], "b": ["x2", "t"]}, r"\['x5'\] are items, the others factors"),
    ({"a": ["x1", "x4", "x7"]}, r"different numbers of names \(f 2, a 3, b 2, c 2\)"),
    ({"a": ["x4", "x1"]}, "'x4' does not measure v, the factor of occasion 1"),
    ({"a": ["x1", "x1"]}, "'x1' stands twice under 'a'"),
    ({"a": ["x1", "x5"]}, "'x5' stands for two variables, 'a' and 'b'"),
    ({"a": "x1"}, "expected a list of names"),
]


@pytest.mark.parametrize(("change", "words"), BAD_OCCASIONS)
def test_bad_occasions(change: dict[str, Any], words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        invariance(TWO, HS, occasions=OCCASIONS | change)


def test_occasions_want_factors_and_more_than_one_name() -> None:
    items = {name: names for name, names in OCCASIONS.items() if name != "f"}
    with pytest.raises(AnalysisError, match=r"no factor is among them.*\(v, t\)"):
        invariance(TWO, HS, occasions=items)
    with pytest.raises(AnalysisError, match="at least two"):
        invariance(TWO, HS, occasions={"f": ["v"], "a": ["x1"]})


def test_items_that_are_not_compared_are_named() -> None:
    fewer = {name: names for name, names in OCCASIONS.items() if name != "c"}
    found = invariance(TWO, HS, occasions=fewer, steps=["configural", "metric"])
    (row,) = found.warnings[found.warnings["what"] == "item not compared"].to_numpy()
    assert row[1] == "x3, x6"


def test_groups_and_occasions_at_once() -> None:
    with pytest.raises(AnalysisError, match="both group='school' and occasions="):
        invariance(TWO, HS, "school", occasions=OCCASIONS)


def test_the_ladder_says_what_was_taken_as_numbers() -> None:
    rng = np.random.default_rng(1)
    wide = ORDINAL.assign(a1=rng.integers(0, 30, len(ORDINAL)))
    found = invariance(SCALE, wide, "team", estimator="WLSMV", steps=["configural"])
    assert "taken_as_numbers" in set(found.warnings["what"])
    plain = invariance(TWO, HS, "school", steps=["configural"])
    assert "option_without_effect" not in set(plain.warnings["what"])


def test_steps_are_spelt_back_as_they_were_given() -> None:
    with pytest.raises(AnalysisError, match=r"\['scalar', 'metric'\] are not in order"):
        invariance(TWO, HS, "school", steps=["scalar", "metric"])
    with pytest.raises(AnalysisError, match="Did you mean 'metric'"):
        invariance(TWO, HS, "school", steps=["metrik"])
