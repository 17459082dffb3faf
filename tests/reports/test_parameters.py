from collections.abc import Callable
from pathlib import Path

import pytest

from reports.errors import ParameterError
from reports.parameters import Parameter, Value, check, declared

OFFERED = {
    one.name: one
    for one in (
        Parameter("school", "all", ""),
        Parameter("n", 3, ""),
        Parameter("level", 0.95, ""),
        Parameter("robust", default=True, help=""),
        Parameter("waves", [1, 2], ""),
        Parameter("limit", None, ""),
    )
}


def test_cell_is_read_with_defaults_and_help(notebook: Callable[..., Path]) -> None:
    cell = (
        'school = "a = b # c"  # which one = all of them\n\n'
        "shift = -1.5\nwaves = [\n    1,\n    2,\n]  # waves to use\n"
        "limit: int | None = None"
    )
    read = declared(notebook(parameters=cell))
    assert read["school"] == Parameter("school", "a = b # c", "which one = all of them")
    assert read["shift"] == Parameter("shift", -1.5, "")
    assert read["waves"] == Parameter("waves", [1, 2], "waves to use")
    assert read["limit"] == Parameter("limit", None, "")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("n = open", "line 1: n has no plain value"),
        ("n = 1\nimport os", "line 2: not of the form name = value"),
        ("n = ", "line 1: not Python"),
        ("a = b = 1", "not of the form"),
        ("a, b = 1, 2", "gives a value to more than a name"),
    ],
)
def test_other_cells_are_refused(
    notebook: Callable[..., Path], cell: str, message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        declared(notebook(parameters=cell))


@pytest.mark.parametrize(
    ("name", "value", "fitted"),
    [
        ("school", "Pasteur", "Pasteur"),
        ("n", 4, 4),
        ("level", 1, 1.0),
        ("robust", False, False),
        ("waves", [3], [3]),
        ("waves", [], []),
        ("limit", "anything", "anything"),
    ],
)
def test_fitting_values(name: str, value: Value, fitted: Value) -> None:
    got = check("nb", OFFERED, {name: value})[name]
    assert (got, type(got)) == (fitted, type(fitted))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("school", 3),
        ("school", None),
        ("n", "3"),
        ("n", 3.0),
        ("n", True),
        ("level", "high"),
        ("level", False),
        ("level", float("nan")),
        ("robust", 1),
        ("robust", "yes"),
        ("waves", 1),
        ("waves", ["a"]),
    ],
)
def test_wrong_types_are_refused(name: str, value: Value) -> None:
    with pytest.raises(ParameterError, match=f"nb: {name}: .* is not .* Give "):
        check("nb", OFFERED, {name: value})


def test_unknown_names_are_all_named_with_the_nearest() -> None:
    with pytest.raises(ParameterError) as caught:
        check("nb", OFFERED, {"shool": "x", "leve": 0.9, "n": "x"})
    said = str(caught.value)
    assert "no parameter 'shool'" in said
    assert "Did you mean 'school'?" in said
    assert "Did you mean 'level'?" in said
    assert 'n: "x" is not a whole number' in said


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("school", "3", "3"),
        ("school", "", ""),
        ("n", "-4", -4),
        ("level", "1", 1.0),
        ("level", ".9", 0.9),
        ("robust", "no", False),
        ("robust", "True", True),
        ("waves", "1, 3", [1, 3]),
        ("waves", "[2]", [2]),
        ("limit", "5", 5),
        ("limit", "none", None),
        ("limit", "five", "five"),
    ],
)
def test_text_is_read_by_the_type_of_the_default(
    name: str, text: str, value: Value
) -> None:
    got = OFFERED[name].parse(text)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n", "four"),
        ("n", "4.0"),
        ("level", "inf"),
        ("robust", "2"),
        ("waves", "1,x"),
        ("waves", "[1"),
        ("waves", '["x"]'),
    ],
)
def test_text_of_another_type_is_refused(name: str, text: str) -> None:
    with pytest.raises(ParameterError, match=f"^{name}: "):
        OFFERED[name].parse(text)
