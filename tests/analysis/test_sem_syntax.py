"""Model syntax: text to statements, and what is refused where."""

from __future__ import annotations

import pytest

from analysis.errors import ModelSyntaxError
from analysis.sem.syntax import evaluate, parse

READ = [
    ("f =~ x1 + 2*x2", [("f", "=~", "x1"), ("f", "=~", "x2")]),
    ("f =~ x1 +\n  x2\n\n  # more\n + x3", [("f", "=~", f"x{k}") for k in (1, 2, 3)]),
    ("f =~\nx1", [("f", "=~", "x1")]),
    ("a ~~ b; b ~ 1 ! both", [("a", "~~", "b"), ("b", "~1", "")]),
    ("y1 + y2 ~ x", [("y1", "~", "x"), ("y2", "~", "x")]),
    ("y ~ 1 + x", [("y", "~1", ""), ("y", "~", "x")]),
    ("Liebe.1 =~ größe_2", [("Liebe.1", "=~", "größe_2")]),
    ("f=~(1 +\n 1)*x", [("f", "=~", "x")]),
]

MODIFIERS = [
    ("2*x", 2.0, False, "", None),
    ("-1*x", -1.0, False, "", None),
    ("(1/2)*x", 0.5, False, "", None),
    ("1e-3*x", 1e-3, False, "", None),
    ("NA*x", None, True, "", None),
    ("a.1*x", None, False, "a.1", None),
    ('"a"*x', None, False, "a", None),
    ('label("a")*x', None, False, "a", None),
    ("start(-.5)*x", None, False, "", -0.5),
    ("0.5?x", None, False, "", 0.5),
    ("NA*x + a*x + start(2)*x", None, True, "a", 2.0),
    ("a*x + 2*x", 2.0, False, "a", None),
]

REFUSED = [
    ("", 1, "says nothing"),
    ("# only a comment", 1, "says nothing"),
    ("f x1", 1, "expected one of =~"),
    ("f =~ x1\ng =~ x2 x3", 2, "found 'x3'"),
    ("f =~ x1 + ", 1, "expected a variable name"),
    ("f =~ x1 ++ x2", 1, "expected a variable name"),
    ("f =~ 2*", 1, "a variable name after '*'"),
    ("f =~ *x1", 1, "before '*'"),
    ("f =~ 1x", 1, "has no meaning"),
    ("f =~ x$1", 1, "'$' has no meaning"),
    ("f =~ x - y", 1, "found '-'"),
    ("f =~ (a*x", 1, "Close the parenthesis"),
    ("=~ x", 1, "expected a name before"),
    ("f =~", 1, "expected something after"),
    ("2*f =~ x1", 1, "right-hand side"),
    ("f =~ x1 g =~ x2", 1, "second operator"),
    ("f = x1", 1, "single ="),
    ("f ~ 2", 1, "y ~ 1"),
    ("f =~ 1", 1, "expected a variable name"),
    ("f =~ a*b*x", 1, "NA*x + a*x"),
    ("f =~ c(1, )*x", 1, "expected a number, NA or a label"),
    ("f =~ c(1, 2)*x + c(a, b, d)*x", 1, "one a group"),
    ('f =~ equal("f=~y")*x', 1, "no such parameter"),
    ('efa =~ efa("b")*x', 1, "efa() blocks"),
    ("x | u1", 1, "expected a threshold t1"),
    ("x ~*~ y", 1, "one variable"),
    ("f <~ x1", 1, "composites"),
    ("level: 1\nf =~ x1", 1, "levels"),
    ("f =~ a*x1\n2 > 0", 2, "names no parameter"),
    ("f =~ x1 + x2 + f", 1, "measured by itself"),
    ("y ~ y", 1, "regressed on itself"),
    ("f =~ x1 + x1", 1, "stands twice"),
    ("f =~ x1\nf =~ x1", 2, "says again what line 1"),
    ("a ~~ b\n\nb ~~ a", 3, "says again what line 1"),
    ("f =~ x\nx ~ f", 2, "says again what line 1"),
    ("f =~ 1*x + 2*x", 1, "fixed to two values"),
    ("f =~ a*x + b*x", 1, "two labels"),
    ("f =~ NA*x + 1*x", 1, "both fixed to 1 and freed"),
    ('f =~ "1a"*x', 1, "cannot be a label"),
    ("f =~ start(a)*x", 1, "one number"),
    ("f =~ first*x\ng := frst^2", 2, "Did you mean 'first'"),
    ("f =~ a*x\na := 2*a", 2, "a label already"),
    ("f =~ a*x\nb := a\nb := 2*a", 3, "defined before"),
    ("f =~ a*x\nb := a *", 2, "Complete the expression"),
    ("f =~ a*x\nb := a (2", 2, "a() is not offered"),
    ("f =~ a*x\nb := sin(a)", 2, "sin() is not offered"),
    ("f =~ a*x\na == c", 2, "no label"),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_statements(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(s.lhs, s.op, s.rhs) for s in parse(text).statements] == expected


@pytest.mark.parametrize(("term", "fixed", "free", "label", "start"), MODIFIERS)
def test_modifiers(
    term: str,
    fixed: float | None,
    free: bool,  # noqa: FBT001
    label: str,
    start: float | None,
) -> None:
    (s,) = parse(f"f =~ {term}").statements
    m = s.at(0)
    assert (m.fixed, m.free, m.label, m.start) == (fixed, free, label, start)


GROUPS = [
    ("c(1, NA)*x", [(1.0, False, ""), (None, True, "")]),
    ("c(a, b)*x", [(None, False, "a"), (None, False, "b")]),
    ('c("a", 0.5)*x', [(None, False, "a"), (0.5, False, "")]),
    ("c(-1, 1/2)*x", [(-1.0, False, ""), (0.5, False, "")]),
    ('label(c("a", "b"))*x', [(None, False, "a"), (None, False, "b")]),
    ("NA*x + c(a, b)*x", [(None, True, "a"), (None, True, "b")]),
]


@pytest.mark.parametrize(("term", "expected"), GROUPS)
def test_modifiers_of_groups(
    term: str, expected: list[tuple[float | None, bool, str]]
) -> None:
    (s,) = parse(f"f =~ {term}").statements
    assert [(m.fixed, m.free, m.label) for m in s.modifiers] == expected
    assert s.at(1) == s.modifiers[1]


def test_start_values_of_groups() -> None:
    for term in ("start(c(.5, .6))*x", "c(.5, .6)?x"):
        (s,) = parse(f"f =~ {term}").statements
        assert [m.start for m in s.modifiers] == [0.5, 0.6]


def test_equal_shares_the_label_of_its_equal() -> None:
    plain = parse('f =~ x1 + x2 + equal("f =~ x2")*x3').statements
    assert [s.labels for s in plain] == [(), ("f=~x2",), ("f=~x2",)]
    named = parse('f =~ a*x1 + equal("f=~x1")*x2').statements
    assert [s.labels for s in named] == [("a",), ("a",)]


def test_thresholds_scales_bounds_and_inequalities() -> None:
    found = parse(
        "f =~ lower(0)*x + upper(1)*y + z\nx | a*t1 + t2\nx ~*~ x\na > 0.2\na < 1"
    )
    assert [(s.lhs, s.op, s.rhs) for s in found.statements[3:]] == [
        ("x", "|", "t1"),
        ("x", "|", "t2"),
        ("x", "~*~", "x"),
    ]
    assert (found.statements[0].at(0).lower, found.statements[1].at(0).upper) == (0, 1)
    assert [c.relation for c in found.constraints] == [">", "<"]
    assert found.observed == ("x", "y", "z")


@pytest.mark.parametrize(("text", "line", "words"), REFUSED)
def test_refused(text: str, line: int, words: str) -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse(text)
    message = str(caught.value)
    assert message.startswith(f"model, line {line}: ")
    assert words in message
    assert message.splitlines()[-1].strip() == "^"


def test_caret_stands_under_the_fault() -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse("f =~ x1\n\tg =~ x2 + x3 x4")
    quoted, caret = str(caught.value).splitlines()[-2:]
    assert quoted[caret.index("^") :].startswith("x4")


def test_model_must_be_text() -> None:
    with pytest.raises(ModelSyntaxError, match="found int"):
        parse(1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b * 2", 8.0),
        ("(a + b) * 2", 10.0),
        ("-a^2", -4.0),
        ("a^b^2", 512.0),
        ("a - b - 1", -2.0),
        ("exp(log(a)) + sqrt(abs(-4)) / b", 2.0 + 2.0 / 3.0),
    ],
)
def test_expressions(text: str, value: float) -> None:
    (d,) = parse(f"f =~ a*x + b*y\nd := {text}").definitions
    assert evaluate(d.expression, {"a": 2.0, "b": 3.0}) == pytest.approx(value)


@pytest.mark.parametrize("text", ["1 / (a - a)", "log(-a)", "sqrt(-a)", "(-a)^0.5"])
def test_expressions_without_a_value(text: str) -> None:
    (d,) = parse(f"f =~ a*x\nd := {text}").definitions
    value = evaluate(d.expression, {"a": 2.0})
    assert value != value  # noqa: PLR0124
