"""Products, blocks of groups, named rows and definitions: what they mean and refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, ModelSyntaxError
from analysis.sem import SemFit, cfa, invariance, sem
from analysis.sem.partable import Options, complete
from analysis.sem.syntax import evaluate, parse
from analysis.sem.syntax.circles import circles

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "hs1939.csv")
ORDINAL = pd.read_csv(Path(__file__).parents[1] / "reference" / "sem_ordinal.csv")
TWO = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6"
ONE = "f =~ x1 + a*x2 + b*x3 + c*x4"
#: Rounding of two searches for one minimum.
SAME = 1e-6
#: Several standard errors of the simulated data.
NEAR = 0.08


def value(fit: SemFit, lhs: str, op: str, rhs: str = "", group: str = "") -> float:
    rows = fit.tidy()
    if group:
        rows = rows[rows["group"] == group]
    at = (rows["lhs"] == lhs) & (rows["op"] == op) & (rows["rhs"] == rhs)
    return float(rows.loc[at, "estimate"].iloc[0])


# Products.


def test_a_product_is_the_product_of_raw_columns() -> None:
    by_hand = HS.assign(p=HS["x7"] * HS["x8"])
    mine = sem("v =~ x1 + x2 + x3\nv ~ x7 + x8 + x7 : x8", HS)
    theirs = sem("v =~ x1 + x2 + x3\nv ~ x7 + x8 + p", by_hand)
    assert mine.indices.chisq == pytest.approx(theirs.indices.chisq, abs=SAME)
    assert value(mine, "v", "~", "x7:x8") == pytest.approx(value(theirs, "v", "~", "p"))
    assert "x7:x8" not in HS


def test_a_product_recovers_a_known_moderation() -> None:
    rng = np.random.default_rng(8)
    x, z = rng.normal(size=(2, 4000))
    y = 0.4 * x - 0.2 * z + 0.3 * x * z + rng.normal(size=4000)
    fit = sem("y ~ x + z + x:z", pd.DataFrame({"x": x, "z": z, "y": y}))
    assert value(fit, "y", "~", "x:z") == pytest.approx(0.3, abs=NEAR)


def test_a_row_without_one_part_lacks_the_product() -> None:
    holes = HS.assign(x8=HS["x8"].where(HS.index > 4))
    fit = sem("x1 ~ x7 + x7:x8", holes)
    assert (fit.n_obs, fit.n_dropped) == (296, 5)


REFUSED_PRODUCTS = [
    ("v =~ x1 + x2 + x3\nv ~ x7\nx9 ~ v + v:x7", 3, "interaction of a latent variable"),
    ("x1 ~ x2 + x2:x33", 1, "'x33' is no column of the data. Did you mean 'x3'"),
    ("x1 ~ x2 + x2:school", 1, "'school' is not numeric"),
    ("x1 ~ x2:x2", 1, "is a square"),
    ("x1 ~ x2:x3:x4", 1, "three variables"),
    ("x1 ~ x2:x3 + x3:x2", 1, "the same product as x2:x3"),
    ("x2:x3 ~ x1", 1, "can only predict"),
    ("f =~ x1 + x4 + x2:x3", 1, "can only predict"),
    ("x1 ~ x2 + x3:", 1, "':' stands between"),
]


@pytest.mark.parametrize(("model", "line", "words"), REFUSED_PRODUCTS)
def test_products_that_are_refused(model: str, line: int, words: str) -> None:
    with pytest.raises(AnalysisError) as caught:
        sem(model, HS)
    message = str(caught.value)
    assert message.startswith(f"model, line {line}: ")
    assert words in message
    assert message.splitlines()[-1].strip() == "^"


def test_an_ordered_variable_is_not_multiplied() -> None:
    with pytest.raises(AnalysisError, match=r"'a2' is not numeric .*declared ordered"):
        sem("a1 ~ a2 + z1 + a2:z1\na2 ~ z1", ORDINAL, ordered=["a1", "a2"])


# Blocks of groups.

BLOCKS = (
    "group: 1\nv =~ x1 + x2 + x3 + x4\nx1 ~~ x4\ngroup: 2\nv =~ x1 + x2 + 0.5*x3 + x4"
)


def test_blocks_say_what_c_says() -> None:
    apart = cfa(BLOCKS.replace("x1 ~~ x4\n", ""), HS, group="school")
    joined = cfa("v =~ x1 + x2 + c(NA, 0.5)*x3 + x4", HS, group="school")
    assert apart.indices.df == joined.indices.df
    assert apart.indices.chisq == pytest.approx(joined.indices.chisq, abs=SAME)


def test_only_one_group_has_the_covariance() -> None:
    rows = cfa(BLOCKS, HS, group="school").tidy()
    found = rows[(rows["lhs"] == "x1") & (rows["rhs"] == "x4")]
    assert found["group"].tolist() == ["Pasteur"]


def test_a_block_goes_to_the_group_of_its_name() -> None:
    named = BLOCKS.replace("group: 1", "group: Grant-White")
    turned = cfa(named.replace("group: 2", 'group: "Pasteur"'), HS, group="school")
    assert value(turned, "v", "=~", "x3", "Pasteur") == 0.5
    told = turned.warnings.set_index("what").loc["blocks_by_name"]
    assert "lavaan 0.6-14 takes blocks in the order" in told["remedy"]
    assert "blocks_by_name" not in set(cfa(BLOCKS, HS, group="school").warnings["what"])


def test_blocks_of_ordered_variables_and_their_invariance() -> None:
    model = "group: 1\nf =~ a1 + a2 + a3 + a4\ngroup: 2\nf =~ a1 + a2 + a3 + a4"
    plain = cfa("f =~ a1 + a2 + a3 + a4", ORDINAL, ordered=True, group="team")
    fit = cfa(model, ORDINAL, ordered=True, group="team")
    assert fit.indices.chisq == pytest.approx(plain.indices.chisq, abs=SAME)
    ladder = invariance(model, ORDINAL, "team", ordered=True)
    assert ladder.table["npar"].is_monotonic_decreasing


def test_equal_intercepts_set_means_free_in_blocks_too() -> None:
    model = "group: 1\nf =~ x1 + x2 + x3 + x4\ngroup: 2\nf =~ x1 + x2 + x3 + x4"
    equal = ["loadings", "intercepts"]
    fit = cfa(model, HS, group="school", group_equal=equal)
    plain = cfa("f =~ x1 + x2 + x3 + x4", HS, group="school", group_equal=equal)
    assert fit.indices.chisq == pytest.approx(plain.indices.chisq, abs=SAME)
    assert "blocks_with_equal_intercepts" in set(fit.warnings["what"])


REFUSED_BLOCKS = [
    (BLOCKS.replace("group: 2", "group: Grant"), 4, "Did you mean 'Grant-White'"),
    (BLOCKS.replace("group: 2", "group: 3"), 4, "block of no group"),
    (BLOCKS.replace("group: 2", "group: 1"), 4, "stands twice"),
    (BLOCKS.split("group: 2", maxsplit=1)[0], 1, "no block for Grant-White"),
    (f"x1 ~~ x2\n{BLOCKS}", 1, "before the first header (group: 1)"),
    (BLOCKS.replace("0.5*x3", "x5"), 1, "'1' lacks x5"),
    (BLOCKS.replace("0.5*x3", "c(1, 2)*x3"), 5, "2 values are given for 1 group"),
    (f"{BLOCKS}\nv ~ x9", 1, "'1' lacks x9"),
    ("group:\nf =~ x1 + x2 + x3", 1, "the name of a group"),
    ("level: 1\nf =~ x1 + x2 + x3", 1, "cluster="),
]


@pytest.mark.parametrize(("model", "line", "words"), REFUSED_BLOCKS)
def test_blocks_that_are_refused(model: str, line: int, words: str) -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        cfa(model, HS, group="school")
    message = str(caught.value)
    assert message.startswith(f"model, line {line}: ")
    assert words in message
    assert message.splitlines()[-1].strip() == "^"


def test_blocks_want_a_column_of_groups() -> None:
    with pytest.raises(ModelSyntaxError, match=r"line 1: .*group= is not given"):
        cfa(BLOCKS, HS)


def test_a_predictor_of_one_group_cannot_be_an_outcome_of_another() -> None:
    model = "group: 1\nv =~ x1 + x2\nv ~ x7\ngroup: 2\nv =~ x1 + x2\nx7 ~ v"
    with pytest.raises(
        ModelSyntaxError, match=r"line 6: x7 is only a predictor in one"
    ):
        sem(model, HS, group="school")


# Parameters named by their row.


def test_rows_are_named_as_labels_would() -> None:
    rows = cfa(f"{ONE}\n.p2. == .p3.\n.p4. > 0.2", HS)
    labels = cfa(f"{ONE}\na == b\nc > 0.2", HS)
    assert rows.indices.chisq == pytest.approx(labels.indices.chisq, abs=SAME)
    assert rows.indices.df == labels.indices.df


def test_a_row_keeps_what_binds_it() -> None:
    table = complete(
        parse("f =~ x1 + x2 + x3\n.p2. == 1"),
        Options(groups=("a", "b"), equal=("loadings",)),
    )
    assert (table.rows[1].tie, table.rows[1].alias) == ("f=~x2", ".p2.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (".p2. == .p99.", "the table of parameters has 9 rows"),
        ("d := .p2. * .p3.", "which only constraints may"),
    ],
)
def test_rows_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(ModelSyntaxError, match=words) as caught:
        cfa(f"{ONE}\n{text}", HS)
    assert str(caught.value).startswith("model, line 2: '.p")


# Definitions.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(a, b)", 3.0),
        ("min(a, b, -a)", -2.0),
        ("max(min(a, b), a^2) - 1", 3.0),
        ("min(a)", 2.0),
    ],
)
def test_extremes(text: str, expected: float) -> None:
    (d,) = parse(f"f =~ a*x + b*y\nd := {text}").definitions
    assert evaluate(d.expression, {"a": 2.0, "b": 3.0}) == pytest.approx(expected)
    assert evaluate(d.expression, {"a": 2.0, "b": 3.0 + 1j}).imag == pytest.approx(
        1.0 if text == "max(a, b)" else 0.0
    )


def test_an_extreme_of_no_number_is_none() -> None:
    (d,) = parse("f =~ a*x + b*y\nd := max(a, log(-b))").definitions
    assert np.isnan(evaluate(d.expression, {"a": 2.0, "b": 3.0}))


def test_definitions_stand_in_any_order() -> None:
    turned = parse("f =~ a*x + b*y\ntwice := 2 * product\nproduct := a * b\nz := a")
    assert [d.name for d in turned.definitions] == ["product", "twice", "z"]
    late = cfa(f"{ONE}\ntwice := 2 * product\nproduct := a * b", HS)
    early = cfa(f"{ONE}\nproduct := a * b\ntwice := 2 * product", HS)
    assert value(late, "twice", ":=", "2*product") == pytest.approx(
        value(early, "twice", ":=", "2*product")
    )


REFUSED = [
    (f"{ONE}\nd := e + a\ne := 2 * d", 2, "d := e := d"),
    (f"{ONE}\nd := d + 1", 2, "d := d"),
    (f"{ONE}\nd := ifelse(a > b, a, b)", 2, "Use max(), min() or abs()"),
    (f"{ONE}\nd := mean(a, b)", 2, "exp, log, sqrt, abs, max, min"),
    (f"{ONE}\nd := max()", 2, "expected a label or a number"),
    (f"{ONE}\nd := max(a, b", 2, "Close the parenthesis"),
    ("f =~ 0", 1, "a factor without items"),
    ('efa("e")*f + efa("e")*g =~ x1 + x2', 1, "analysis.efa(), then"),
    (f"{ONE}\na == c\na == b\nb == c + 1", 4, "together with line 2, 3"),
    ("f =~ x1 + .p2.*x2 + x3", 1, "'.p2.' is the name of a row"),
    ("f =~ 0.5*x1 + a*x1 + x2 + x3\na == 1", 2, "the values that its labels"),
]


@pytest.mark.parametrize(("model", "line", "words"), REFUSED)
def test_refused(model: str, line: int, words: str) -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        cfa(model, HS)
    message = str(caught.value)
    assert message.startswith(f"model, line {line}: ")
    assert words in message
    assert message.splitlines()[-1].strip() == "^"


def test_a_factor_of_fixed_zero_loadings_is_named() -> None:
    with pytest.raises(AnalysisError, match="no data say anything about f ~~ f"):
        sem("f =~ 0*x1\nx1 ~ x2", HS)


def test_circles_are_the_shortest_ones() -> None:
    arrows = [("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "b"), ("d", "e")]
    assert circles(arrows) == (("a", "b", "a"), ("c", "d", "b", "c"))
    assert circles([("a", "b"), ("a", "c"), ("b", "c")]) == ()
