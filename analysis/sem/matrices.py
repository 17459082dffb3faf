"""Where each parameter sits in the model matrices.

All variables are y-variables in LISREL's notation:

    y = nu + Lambda eta + epsilon,   eta = alpha + Beta eta + zeta,
    cov(epsilon) = Theta,            cov(zeta) = Psi.

An observed variable that predicts, is predicted, or covaries with a factor gets a row
of eta of its own, with a loading of 1 and no residual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.sem.partable import Parameter, ParameterTable

MatrixName = Literal["Lambda", "Beta", "Psi", "Theta", "nu", "alpha"]
SYMMETRIC = ("Psi", "Theta")


@dataclass(frozen=True, slots=True, eq=False)
class Matrices:
    """Model matrices at one value of theta.

    Attributes
    ----------
    Lambda
        Loadings, shape (p, m).
    Beta
        Regressions among eta, shape (m, m); row: outcome, column: predictor.
    Psi
        (Residual) covariances of eta, shape (m, m).
    Theta
        Residual covariances of observed variables, shape (p, p).
    nu
        Intercepts of observed variables, shape (p,).
    alpha
        Intercepts of eta, shape (m,).
    """

    Lambda: Float2D
    Beta: Float2D
    Psi: Float2D
    Theta: Float2D
    nu: Float1D
    alpha: Float1D


@dataclass(frozen=True, slots=True)
class Cell:
    """One element of one model matrix; column 0 in nu and alpha."""

    matrix: MatrixName
    row: int
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class _Slots:
    """The free cells of one matrix and where their values stand in theta."""

    rows: Int1D
    columns: Int1D
    positions: Int1D


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The map between the parameter table and the matrices.

    Attributes
    ----------
    table
        The parameters.
    eta
        Names of the rows of eta: latent variables, then observed ones.
    cells
        The cell of each row of the table.
    """

    table: ParameterTable
    eta: tuple[str, ...]
    cells: tuple[Cell, ...]
    _held: dict[MatrixName, Float2D]
    _slots: dict[MatrixName, _Slots]

    @classmethod
    def of(cls, table: ParameterTable) -> Layout:
        """Lay out a table; its fixed values stand in their cells from here on."""
        eta = (*table.latent, *_structural(table))
        at = {name: k for k, name in enumerate(eta)}
        seen = {name: k for k, name in enumerate(table.observed)}
        cells = tuple(_cell(row, at, seen) for row in table.rows)
        held = _held(table, eta, cells)
        return cls(table, eta, cells, held, _slots(table, cells))

    @property
    def free_cells(self) -> tuple[Cell, ...]:
        """The cell of each element of theta."""
        pairs = zip(self.table.rows, self.cells, strict=True)
        return tuple(cell for row, cell in pairs if row.fixed is None)

    def fill(self, theta: Float1D) -> Matrices:
        """Put theta, shape (n_free,), real or complex, in its cells."""
        out: dict[str, Float2D] = {}
        for name, held in self._held.items():
            matrix = held.astype(theta.dtype)
            slots = self._slots[name]
            matrix[slots.rows, slots.columns] = theta[slots.positions]
            if name in SYMMETRIC:
                matrix[slots.columns, slots.rows] = theta[slots.positions]
            out[name] = matrix
        return Matrices(
            Lambda=out["Lambda"],
            Beta=out["Beta"],
            Psi=out["Psi"],
            Theta=out["Theta"],
            nu=out["nu"][:, 0],
            alpha=out["alpha"][:, 0],
        )


def _structural(table: ParameterTable) -> tuple[str, ...]:
    """Observed variables that need a row of eta."""
    latent = set(table.latent)
    found = {n for r in table.rows if r.op == "~" for n in (r.lhs, r.rhs)} - latent
    pairs = [{r.lhs, r.rhs} for r in table.rows if r.op == "~~" and r.lhs != r.rhs]
    # A covariance stands in one matrix, so one structural side makes the other one so.
    grown = True
    while grown:
        grown = False
        for pair in pairs:
            if pair & (latent | found) and (new := pair - latent - found):
                found |= new
                grown = True
    return tuple(n for n in table.observed if n in found)


def _cell(row: Parameter, at: dict[str, int], seen: dict[str, int]) -> Cell:
    lhs, rhs = row.lhs, row.rhs
    if row.op == "=~":
        if rhs in at:
            return Cell("Beta", at[rhs], at[lhs])
        return Cell("Lambda", seen[rhs], at[lhs])
    if row.op == "~":
        return Cell("Beta", at[lhs], at[rhs])
    if row.op == "~1":
        return Cell("alpha", at[lhs], 0) if lhs in at else Cell("nu", seen[lhs], 0)
    if lhs in at:
        return Cell("Psi", at[lhs], at[rhs])
    return Cell("Theta", seen[lhs], seen[rhs])


def _held(
    table: ParameterTable, eta: tuple[str, ...], cells: tuple[Cell, ...]
) -> dict[MatrixName, Float2D]:
    p, m = len(table.observed), len(eta)
    held: dict[MatrixName, Float2D] = {
        "Lambda": np.zeros((p, m)),
        "Beta": np.zeros((m, m)),
        "Psi": np.zeros((m, m)),
        "Theta": np.zeros((p, p)),
        "nu": np.zeros((p, 1)),
        "alpha": np.zeros((m, 1)),
    }
    for k, name in enumerate(eta):
        if name in table.observed:
            held["Lambda"][table.observed.index(name), k] = 1.0
    for row, cell in zip(table.rows, cells, strict=True):
        if row.fixed is not None:
            held[cell.matrix][cell.row, cell.column] = row.fixed
            if cell.matrix in SYMMETRIC:
                held[cell.matrix][cell.column, cell.row] = row.fixed
    return held


def _slots(table: ParameterTable, cells: tuple[Cell, ...]) -> dict[MatrixName, _Slots]:
    free = [c for r, c in zip(table.rows, cells, strict=True) if r.fixed is None]
    names: tuple[MatrixName, ...] = ("Lambda", "Beta", "Psi", "Theta", "nu", "alpha")
    found: dict[MatrixName, _Slots] = {}
    for name in names:
        here = [(c.row, c.column, k) for k, c in enumerate(free) if c.matrix == name]
        rows, columns, positions = np.array(here, dtype=np.int_).reshape(-1, 3).T
        found[name] = _Slots(rows, columns, positions)
    return found
