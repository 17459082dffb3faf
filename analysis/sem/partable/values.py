"""Values of parameters: of rows, labels and definitions, and their derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from analysis.sem.syntax import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.partable.table import ParameterTable

_STEP = 1e-20


def all_values(table: ParameterTable, theta: Float1D) -> Float1D:
    """Value of every row of the table, fixed ones included, shape (n_rows,)."""
    free = iter(theta)
    return np.array(
        [next(free) if row.fixed is None else row.fixed for row in table.rows],
        dtype=theta.dtype,
    )


def label_values(table: ParameterTable, values: Float1D) -> dict[str, complex]:
    """Value of each label; `values` belong to the rows of the table."""
    found: dict[str, complex] = {}
    for row, value in zip(table.rows, values, strict=True):
        if row.label:
            found.setdefault(row.label, complex(value))
    return found


def known_values(table: ParameterTable, values: Float1D) -> dict[str, complex]:
    """Value of each label and definition; `values` belong to the rows of the table."""
    known = dict(label_values(table, values))
    for row, value in zip(table.rows, values, strict=True):
        if row.alias:
            known[row.alias] = complex(value)
    for d in table.definitions:
        known[d.name] = evaluate(d.expression, known)
    return known


def define(table: ParameterTable, labels: Mapping[str, complex]) -> Float1D:
    """Evaluate the definitions in order, shape (n_defined,), complex."""
    known = dict(labels)
    for d in table.definitions:
        known[d.name] = evaluate(d.expression, known)
    values = [known[d.name] for d in table.definitions]
    return cast("Float1D", np.array(values, dtype=np.complex128))


def as_complex(theta: Float1D) -> Float1D:
    """Copy theta as complex; typed as real, for the matrices take both."""
    return cast("Float1D", theta.astype(np.complex128))


def complex_jacobian(function: Callable[[Float1D], Float1D], theta: Float1D) -> Float2D:
    """Differentiate to machine precision by complex steps; (n_values, n_free)."""
    columns = []
    for k in range(len(theta)):
        moved = as_complex(theta)
        moved[k] += 1j * _STEP
        columns.append(np.imag(function(moved)) / _STEP)
    if not columns:
        return np.zeros((len(function(as_complex(theta))), 0))
    return np.stack(columns, axis=1)
