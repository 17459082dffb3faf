"""Show-if expressions: what they mean, and where they are wrong."""

from __future__ import annotations

import pandas as pd
import pytest

from survey.conditions import (
    And,
    Answered,
    Comparison,
    Membership,
    Not,
    Or,
    comparisons,
    holds,
    holds_for,
    names,
    parse,
)
from survey.errors import ConditionError


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("a == 1", Comparison("a", "==", 1)),
        ("a!=-2", Comparison("a", "!=", -2)),
        ("a >= 1.5", Comparison("a", ">=", 1.5)),
        ('a == "m"', Comparison("a", "==", "m")),
        ("a == 'm'", Comparison("a", "==", "m")),
        ("a in (1, 2)", Membership("a", (1, 2))),
        ("answered(a)", Answered("a")),
        ("not a == 1", Not(Comparison("a", "==", 1))),
        (
            "a == 1 or b == 2 and c == 3",
            Or(
                (
                    Comparison("a", "==", 1),
                    And((Comparison("b", "==", 2), Comparison("c", "==", 3))),
                )
            ),
        ),
        (
            "(a == 1 or b == 2) and c == 3",
            And(
                (
                    Or((Comparison("a", "==", 1), Comparison("b", "==", 2))),
                    Comparison("c", "==", 3),
                )
            ),
        ),
    ],
)
def test_parse(text: str, condition: object) -> None:
    assert parse(text) == condition


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("a = 1", 2, "cannot read '='"),
        ("", 0, "expected an item id"),
        ("a ==", 4, "expected a number or a quoted text, found the end"),
        ("a == b", 5, "expected a number or a quoted text, found 'b'"),
        ("a == 1 b == 2", 7, "expected `and`, `or` or the end"),
        ("(a == 1", 7, "expected `)`"),
        ("a in 1", 5, "expected `(`"),
        ("a in ()", 6, "expected a number"),
        ("answered a", 9, "expected `(`"),
        ("1 == a", 0, "expected an item id"),
        ("a == 1 && b == 2", 7, "cannot read '&'"),
        ('a == "open', 5, "cannot read"),
        ("a", 1, "expected one of =="),
        ("not", 3, "expected an item id"),
    ],
)
def test_errors_mark_the_place(text: str, column: int, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    lines = str(caught.value).split("\n")
    assert message in lines[0]
    assert lines[-2] == f"  {text}"
    assert lines[-1].index("^") - 2 == column


def test_too_many_brackets_are_refused() -> None:
    with pytest.raises(ConditionError, match="brackets"):
        parse("(" * 5000 + "a == 1" + ")" * 5000)


@pytest.mark.parametrize(
    ("text", "true_for"),
    [
        ("a == 1", [0]),
        ("a != 1", [1]),
        ("a < 2", [0]),
        ("a >= 1", [0, 1]),
        ("a in (1, 2)", [0, 1]),
        ("not a == 1", [1, 2]),
        ("not a in (1, 2)", [2]),
        ("answered(a)", [0, 1]),
        ("not answered(a)", [2]),
        ("a == 1 or not answered(a)", [0, 2]),
        ("a == 1 and k == 'm'", [0]),
        ("k == 'm'", [0]),
        ("k != 'm'", [1]),
    ],
)
@pytest.mark.parametrize("kind", ["Int64", "float", "object"])
def test_missing_answers_make_every_comparison_false(
    text: str, true_for: list[int], kind: str
) -> None:
    frame = pd.DataFrame({"a": [1, 2, None], "k": ["m", "f", None]})
    frame = frame.astype({"a": kind})
    result = holds(parse(text), frame)
    assert result.dtype == bool
    assert list(result[result].index) == true_for


def test_numbers_written_as_text_compare_as_numbers() -> None:
    frame = pd.DataFrame({"a": ["10", "9", "x", ""]})
    assert list(holds(parse("a > 9"), frame)) == [True, False, False, False]


def test_one_person_with_absent_answers() -> None:
    condition = parse("a == 1 or b > 2")
    assert holds_for(condition, {"a": 1})
    assert holds_for(condition, {"b": 3, "c": 9})
    assert not holds_for(condition, {})
    assert not holds_for(condition, {"a": None, "b": None})


def test_names_and_comparisons() -> None:
    condition = parse(
        "a == 1 and (b in (2, 3) or not a != 4) and answered(c) and d > 7"
    )
    assert names(condition) == ("a", "b", "c", "d")
    assert comparisons(condition) == (("a", 1), ("b", 2), ("b", 3), ("a", 4))
