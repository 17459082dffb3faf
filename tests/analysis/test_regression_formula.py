"""The formula language is closed: what it means, and what it refuses."""

from __future__ import annotations

import pytest

from analysis.errors import ModelSyntaxError
from analysis.regression.formula import parse_formula, term_label


@pytest.mark.parametrize(
    ("right", "terms"),
    [
        ("a + b", ["a", "b"]),
        ("a*b", ["a", "b", "a:b"]),
        ("a:b + c", ["c", "a:b"]),
        ("(a + b + c)^2", ["a", "b", "c", "a:b", "a:c", "b:c"]),
        ("a*b*c - a:b:c", ["a", "b", "c", "a:b", "a:c", "b:c"]),
        ("a + a + b:a + a:b", ["a", "b:a"]),
        ("a*b - a", ["b", "a:b"]),
        ("(a + b):c", ["a:c", "b:c"]),
        ("np.log(a) + log(a)", ["log(a)"]),
        ('Q("rel. length") + I(a^2 - 1)', ["rel. length", "I((a ^ 2) - 1)"]),
        ("a^2", ["a"]),
    ],
)
def test_terms_are_those_of_r(right: str, terms: list[str]) -> None:
    formula = parse_formula(f"y ~ {right}")
    assert [term_label(term) for term in formula.terms] == terms
    assert formula.intercept


@pytest.mark.parametrize("right", ["a - 1", "0 + a", "a + 0", "-1 + a"])
def test_intercept_is_taken_away(right: str) -> None:
    formula = parse_formula(f"y ~ {right}")
    assert not formula.intercept
    assert [term_label(term) for term in formula.terms] == ["a"]


def test_variables_are_listed_once_with_the_outcome_first() -> None:
    formula = parse_formula("log(y) ~ a*b + I(a^2)")
    assert formula.variables == ("y", "a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "y ~ __import__('os').system('true')",
        "y ~ eval(a)",
        "y ~ np.exp(a)",
        "y ~ a.__class__()",
        "y ~ a[0]",
        "y ~ [b for b in a]",
        "y ~ (lambda: a)()",
        "y ~ a / b",
        "y ~ a %in% b",
        "y ~ a; b",
        "y ~ a = b",
        "y ~ 'a'",
        "y ~ Q(a)",
        "y ~ C(log(a))",
        "y ~ 2*a",
        "y ~ a + 2",
        "y ~ 1:a",
        "y ~ a^b",
        "y ~ a^99",
        "y ~ (a",
        "y ~ a)",
        "y ~ a b",
        "y ~ a +",
        "y ~",
        "y",
        "~ a",
        "y ~ a ~ b",
        "y ~ 0",
        "",
        "y ~ " + "(" * 200 + "a" + ")" * 200,
        "y ~ " + "*".join(f"a{i}" for i in range(30)),
        "y ~ " + "a + " * 2000 + "a",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ModelSyntaxError, match="formula: "):
        parse_formula(text)


def test_the_place_is_marked() -> None:
    with pytest.raises(ModelSyntaxError, match=r"unknown function 'open'.*~ >>>open"):
        parse_formula("y ~ open(a)")
