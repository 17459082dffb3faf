"""Equality of parameters: shared labels, and linear ``==`` constraints.

A model with constraints is estimated in fewer, unconstrained coordinates z, with
theta = offset + basis @ z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.sem.syntax.checks import defined_forms
from analysis.sem.syntax.expressions import linear_form

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.errors import ModelSyntaxError
    from analysis.sem.partable.table import ParameterTable
    from analysis.sem.syntax import Constraint, ModelSyntax

_ZERO = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Reparameterisation:
    """The map from unconstrained coordinates z to theta.

    Attributes
    ----------
    basis
        Shape (n_free, n_coordinates); an identity matrix without constraints.
    offset
        Shape (n_free,).
    """

    basis: Float2D
    offset: Float1D

    @property
    def n_coordinates(self) -> int:
        """Number of parameters that are estimated (lavaan's npar)."""
        return int(self.basis.shape[1])

    def theta(self, z: Float1D) -> Float1D:
        """Free parameters at z, shape (n_free,)."""
        return self.offset + self.basis @ z

    def coordinates(self, theta: Float1D) -> Float1D:
        """Find the z whose theta is nearest, shape (n_coordinates,)."""
        z, *_ = np.linalg.lstsq(self.basis, theta - self.offset, rcond=None)
        return z.astype(np.float64)


def reparameterise(table: ParameterTable, model: ModelSyntax) -> Reparameterisation:
    """Find the coordinates in which labels and ``==`` constraints hold by themselves.

    Raises
    ------
    ModelSyntaxError
        If the constraints contradict each other.
    """
    columns: dict[str, int] = {}
    merged = [
        columns.setdefault(f"label {p.label}" if p.label else f"row {k}", len(columns))
        for k, p in enumerate(table.free)
    ]
    labels = {name[6:]: k for name, k in columns.items() if name.startswith("label ")}
    merge = np.zeros((len(merged), len(columns)))
    merge[np.arange(len(merged)), merged] = 1.0
    basis, offset = _solve(table, model, labels, len(columns))
    return Reparameterisation(merge @ basis, merge @ offset)


def _solve(
    table: ParameterTable, model: ModelSyntax, labels: dict[str, int], size: int
) -> tuple[Float2D, Float1D]:
    """Solve the constraints for some labels in terms of the others."""
    values = {r.label: r.fixed for r in table.rows if r.label and r.fixed is not None}
    forms = defined_forms(model)
    kept: list[Float1D] = []
    pivots: list[int] = []
    for constraint in model.constraints:
        row = _row(constraint, forms, labels, values, size)
        for other, pivot in zip(kept, pivots, strict=True):
            row = row - row[pivot] * other
        if np.abs(row[:-1]).max(initial=0.0) < _ZERO:
            if abs(row[-1]) > _ZERO:
                raise _contradiction(model, constraint)
            continue
        pivot = int(np.abs(row[:-1]).argmax())
        row = row / row[pivot]
        kept = [other - other[pivot] * row for other in kept]
        kept.append(row)
        pivots.append(pivot)
    open_columns = [k for k in range(size) if k not in pivots]
    basis, offset = np.zeros((size, len(open_columns))), np.zeros(size)
    basis[open_columns, np.arange(len(open_columns))] = 1.0
    for row, pivot in zip(kept, pivots, strict=True):
        basis[pivot] = -row[open_columns]
        offset[pivot] = row[-1]
    return basis, offset


def _row(
    constraint: Constraint,
    forms: dict[str, dict[str, float]],
    labels: dict[str, int],
    values: dict[str, float],
    size: int,
) -> Float1D:
    """Coefficients of one constraint and, last, its right-hand side."""
    row = np.zeros(size + 1)
    for sign, side in ((1.0, constraint.left), (-1.0, constraint.right)):
        for name, weight in (linear_form(side, forms) or {}).items():
            if name in labels:
                row[labels[name]] += sign * weight
            else:
                row[-1] -= sign * weight * values.get(name, 1.0)
    return row


def _contradiction(model: ModelSyntax, constraint: Constraint) -> ModelSyntaxError:
    return model.source.error(
        constraint.place,
        "this constraint cannot hold together with fixed values and the other "
        "constraints. Delete it, or free a parameter in it",
    )
