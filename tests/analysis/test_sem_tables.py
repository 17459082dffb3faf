"""Parameter tables against lavaan's, row by row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.sem.partable import Options, complete, reparameterise
from analysis.sem.syntax import parse

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "sem_tables.json").read_text("utf-8")
)


@pytest.mark.parametrize("case", REFERENCE["tables"], ids=lambda c: c["model"][-30:])
def test_same_rows_as_lavaan(case: dict[str, Any]) -> None:
    keys = ("std_lv", "orthogonal", "meanstructure", "fixed_x")
    table = complete(parse(case["model"]), Options(**{k: case[k] for k in keys}))
    assert [f"{r.lhs} {r.op} {r.rhs}" for r in table.rows] == _list(case["rows"])
    assert [r.exogenous for r in table.rows] == _list(case["exogenous"])
    assert [r.label for r in table.rows] == _list(case["label"])
    assert [r.fixed is None for r in table.rows] == _list(case["free"])
    fixed = [None if r.exogenous else r.fixed for r in table.rows]
    assert fixed == _list(case["fixed"])


def test_labels_and_constraints_share_coordinates() -> None:
    model = parse("f =~ x1 + a*x2 + a*x3 + b*x4 + c2*x5\nb == 2*a - 1\nc2 == 0.5")
    table = complete(model, Options())
    found = reparameterise(table, model)
    names = [str(p) for p in table.free]
    at = {name: k for k, name in enumerate(names)}
    theta = found.theta(found.coordinates(found.offset + 0.3))
    assert found.n_coordinates == len(names) - 3
    assert theta[at["f =~ x2"]] == pytest.approx(theta[at["f =~ x3"]])
    assert theta[at["f =~ x4"]] == pytest.approx(2 * theta[at["f =~ x2"]] - 1)
    assert theta[at["f =~ x5"]] == pytest.approx(0.5)


def test_constraint_on_a_defined_parameter() -> None:
    model = parse("f =~ x1 + a*x2 + b*x3\nd := a - b\nd == 0")
    assert reparameterise(complete(model, Options()), model).n_coordinates == 5


def _list(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]
