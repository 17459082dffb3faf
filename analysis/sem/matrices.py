"""Where each parameter sits in the model matrices.

All variables are y-variables in LISREL's notation:

    y = nu + Lambda eta + epsilon,   eta = alpha + Beta eta + zeta,
    cov(epsilon) = Theta,            cov(zeta) = Psi.

An observed variable that predicts, is predicted, or covaries with a factor gets a row
of eta of its own, with a loading of 1 and no residual. An ordered variable is cut from
a continuous one at the thresholds tau, in units set by its scaling factor delta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.sem.partable import Parameter, ParameterTable

MatrixName = Literal["Lambda", "Beta", "Psi", "Theta", "nu", "alpha", "tau", "delta"]
MATRICES: Final[tuple[MatrixName, ...]] = (
    *("Lambda", "Beta", "Psi", "Theta"),
    *("nu", "alpha", "tau", "delta"),
)
SYMMETRIC: Final = ("Psi", "Theta")


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
    tau
        Thresholds, variable by variable, shape (n_thresholds,).
    delta
        Scaling factors of the observed variables, shape (p,); 1 for numeric ones.
    """

    Lambda: Float2D
    Beta: Float2D
    Psi: Float2D
    Theta: Float2D
    nu: Float1D
    alpha: Float1D
    tau: Float1D
    delta: Float1D


@dataclass(frozen=True, slots=True)
class Cell:
    """One element of one model matrix; column 0 in vectors."""

    matrix: MatrixName
    row: int
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The free cells of one matrix and where their values stand in theta."""

    rows: Int1D
    columns: Int1D
    positions: Int1D


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The map between the parameter table and the matrices of one group.

    Attributes
    ----------
    table
        The parameters, of all groups.
    group
        The group, counted from 1.
    eta
        Names of the rows of eta: latent variables, then observed ones.
    cells
        The cell of each row of the table; None for rows of other groups.
    n_free
        Length of theta.
    held
        The matrices with the fixed values in their cells, 0 elsewhere.
    slots
        The free cells of each matrix.
    ordered
        Positions of the ordered variables among the observed ones.
    ordered_eta
        Those of them that have a row of eta: position among observed, row of eta.
    """

    table: ParameterTable
    group: int
    eta: tuple[str, ...]
    cells: tuple[Cell | None, ...]
    n_free: int
    held: dict[MatrixName, Float2D]
    slots: dict[MatrixName, Slots]
    ordered: Int1D
    ordered_eta: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, table: ParameterTable, group: int = 1) -> Layout:
        """Lay out a table; its fixed values stand in their cells from here on."""
        eta = (*table.latent, *_structural(table))
        place = _Place.of(table, eta)
        cells = tuple(
            place.cell(row) if row.group == group else None for row in table.rows
        )
        held = _held(table, eta, cells)
        slots = _slots(table, cells)
        at = [table.observed.index(name) for name in table.ordered]
        own = tuple(
            (i, eta.index(n))
            for i, n in zip(at, table.ordered, strict=True)
            if n in eta
        )
        ordered = np.array(at, dtype=np.int_)
        return cls(table, group, eta, cells, len(table.free), held, slots, ordered, own)

    @property
    def exogenous(self) -> list[int]:
        """Rows of eta that are exogenous predictors."""
        return [self.eta.index(n) for n in self.table.exogenous if n in self.eta]

    def fill(self, theta: Float1D) -> Matrices:
        """Put theta, shape (n_free,), real or complex, in its cells."""
        out: dict[str, Float2D] = {}
        for name, held in self.held.items():
            matrix = held.astype(theta.dtype)
            slots = self.slots[name]
            matrix[slots.rows, slots.columns] = theta[slots.positions]
            if name in SYMMETRIC:
                matrix[slots.columns, slots.rows] = theta[slots.positions]
            out[name] = matrix
        if self.table.conditional and (x := self.exogenous):
            # Given the predictors, they neither vary nor have a mean.
            out["Psi"][np.ix_(x, x)] = 0.0
            out["alpha"][x] = 0.0
        return Matrices(
            Lambda=out["Lambda"],
            Beta=out["Beta"],
            Psi=out["Psi"],
            Theta=out["Theta"],
            nu=out["nu"][:, 0],
            alpha=out["alpha"][:, 0],
            tau=out["tau"][:, 0],
            delta=out["delta"][:, 0],
        )


def _structural(table: ParameterTable) -> tuple[str, ...]:
    """Observed variables that need a row of eta."""
    latent = set(table.latent)
    found = {n for r in table.rows if r.op == "~" for n in (r.lhs, r.rhs)} - latent
    if table.conditional:
        found |= set(table.exogenous)
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


@dataclass(frozen=True, slots=True)
class _Place:
    """Positions of the variables in the matrices."""

    at: dict[str, int]
    seen: dict[str, int]
    first_threshold: dict[str, int]

    @classmethod
    def of(cls, table: ParameterTable, eta: tuple[str, ...]) -> _Place:
        known = dict(table.categories)
        first: dict[str, int] = {}
        total = 0
        for name in table.ordered:
            first[name] = total
            total += known[name] - 1
        return cls(
            at={name: k for k, name in enumerate(eta)},
            seen={name: k for k, name in enumerate(table.observed)},
            first_threshold=first,
        )

    def cell(self, row: Parameter) -> Cell:
        lhs, rhs, at, seen = row.lhs, row.rhs, self.at, self.seen
        if row.op == "=~" and rhs not in at:
            return Cell("Lambda", seen[rhs], at[lhs])
        if row.op == "=~":
            lhs, rhs = rhs, lhs
        if row.op in {"=~", "~"}:
            return Cell("Beta", at[lhs], at[rhs])
        if row.op == "~1":
            return Cell("alpha", at[lhs], 0) if lhs in at else Cell("nu", seen[lhs], 0)
        if row.op in {"|", "~*~"}:
            return self._of_ordered(row)
        if lhs in at:
            return Cell("Psi", at[lhs], at[rhs])
        return Cell("Theta", seen[lhs], seen[rhs])

    def _of_ordered(self, row: Parameter) -> Cell:
        if row.op == "~*~":
            return Cell("delta", self.seen[row.lhs], 0)
        return Cell("tau", self.first_threshold[row.lhs] + int(row.rhs[1:]) - 1, 0)


def _held(
    table: ParameterTable, eta: tuple[str, ...], cells: tuple[Cell | None, ...]
) -> dict[MatrixName, Float2D]:
    p, m = len(table.observed), len(eta)
    cuts = sum(k - 1 for _, k in table.categories)
    held: dict[MatrixName, Float2D] = {
        "Lambda": np.zeros((p, m)),
        "Beta": np.zeros((m, m)),
        "Psi": np.zeros((m, m)),
        "Theta": np.zeros((p, p)),
        "nu": np.zeros((p, 1)),
        "alpha": np.zeros((m, 1)),
        "tau": np.zeros((cuts, 1)),
        "delta": np.ones((p, 1)),
    }
    for k, name in enumerate(eta):
        if name in table.observed:
            held["Lambda"][table.observed.index(name), k] = 1.0
    for row, cell in zip(table.rows, cells, strict=True):
        if cell is None or row.fixed is None:
            continue
        held[cell.matrix][cell.row, cell.column] = row.fixed
        if cell.matrix in SYMMETRIC:
            held[cell.matrix][cell.column, cell.row] = row.fixed
    return held


def _slots(
    table: ParameterTable, cells: tuple[Cell | None, ...]
) -> dict[MatrixName, Slots]:
    free = [c for r, c in zip(table.rows, cells, strict=True) if r.fixed is None]
    found: dict[MatrixName, Slots] = {}
    for name in MATRICES:
        here = [
            (c.row, c.column, k)
            for k, c in enumerate(free)
            if c is not None and c.matrix == name
        ]
        rows, columns, positions = np.array(here, dtype=np.int_).reshape(-1, 3).T
        found[name] = Slots(rows, columns, positions)
    return found
