"""What binds parameters: shared labels, ``==``, ``<`` and ``>``, and bounds.

A model with linear equality constraints is estimated in fewer, unconstrained
coordinates z, with theta = offset + basis @ z. Other constraints stay functions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy.linalg import null_space

from analysis.sem.partable.values import all_values, known_values
from analysis.sem.syntax import evaluate, names
from analysis.sem.syntax.checks import ROW, defined_forms
from analysis.sem.syntax.expressions import linear_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D
    from analysis.errors import ModelSyntaxError
    from analysis.sem.partable.table import Parameter, ParameterTable
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
    merge, labels = _merged(table)
    known = _linear(table, model, labels, merge.shape[1])
    basis, offset = _solve(model, known, merge.shape[1])
    return Reparameterisation(merge @ basis, merge @ offset)


def released(
    table: ParameterTable, model: ModelSyntax
) -> Iterator[tuple[Constraint, Float1D]]:
    """Give each linear ``==`` with the direction, (n_free,), that breaks it alone.

    Labels and the other constraints hold along it. A constraint that follows from the
    others is left out.
    """
    merge, labels = _merged(table)
    known = _linear(table, model, labels, merge.shape[1])
    for k, (constraint, row) in enumerate(known):
        others = np.array([r[:-1] for j, (_, r) in enumerate(known) if j != k])
        inside = null_space(others) if len(others) else np.eye(merge.shape[1])
        direction = merge @ (inside @ (inside.T @ row[:-1]))
        if np.abs(direction).max(initial=0.0) > _ZERO:
            yield constraint, direction


def _merged(table: ParameterTable) -> tuple[Float2D, dict[str, int]]:
    """Map merged parameters to theta, and labels to merged parameters."""
    columns: dict[str, int] = {}
    merged = [
        columns.setdefault(_shared(k, p), len(columns))
        for k, p in enumerate(table.free)
    ]
    labels = {name[6:]: k for name, k in columns.items() if name.startswith("label ")}
    labels |= {p.alias: merged[k] for k, p in enumerate(table.free) if p.alias}
    merge = np.zeros((len(merged), len(columns)))
    merge[np.arange(len(merged)), merged] = 1.0
    return merge, labels


def name_rows(rows: tuple[Parameter, ...], model: ModelSyntax) -> tuple[Parameter, ...]:
    """Mark the rows that constraints name by their number, ``.p2.``.

    Raises
    ------
    ModelSyntaxError
        If there is no such row.
    """
    wanted: set[int] = set()
    for c in model.constraints:
        for n in (*names(c.left), *names(c.right)):
            found = ROW.fullmatch(n.name)
            if found and int(found[1]) > len(rows):
                raise model.source.error(
                    n.place,
                    f"{n.name!r}: the table of parameters has {len(rows)} rows. Label "
                    "the parameter instead, e.g. a*x",
                )
            if found:
                wanted.add(int(found[1]))
    return tuple(
        replace(row, alias=f".p{k}.") if k in wanted else row
        for k, row in enumerate(rows, start=1)
    )


def _shared(k: int, p: Parameter) -> str:
    """Name what a parameter shares its value with: label, tie, or nothing."""
    if p.label:
        return f"label {p.label}"
    return f"tie {p.tie}" if p.tie else f"row {k}"


def _linear(
    table: ParameterTable, model: ModelSyntax, labels: dict[str, int], size: int
) -> list[tuple[Constraint, Float1D]]:
    """Give each linear ``==`` with its coefficients and, last, its right-hand side."""
    held = [r for r in table.rows if r.fixed is not None]
    values = {r.label: r.fixed for r in held if r.label and r.fixed is not None}
    values |= {r.alias: r.fixed for r in held if r.alias and r.fixed is not None}
    forms = defined_forms(model)
    return [
        (constraint, _row(constraint, forms, labels, values, size))
        for constraint in model.constraints
        if constraint.relation == "==" and is_linear(constraint, model)
    ]


def _solve(
    model: ModelSyntax, known: list[tuple[Constraint, Float1D]], size: int
) -> tuple[Float2D, Float1D]:
    """Solve the constraints for some parameters in terms of the others."""
    for k in range(len(known)):
        if _eliminated([row for _, row in known[: k + 1]]) is None:
            raise _contradiction(model, _clashing(known[: k + 1]))
    found = _eliminated([row for _, row in known])
    kept, pivots = found or ([], [])
    open_columns = [k for k in range(size) if k not in pivots]
    basis, offset = np.zeros((size, len(open_columns))), np.zeros(size)
    basis[open_columns, np.arange(len(open_columns))] = 1.0
    for row, pivot in zip(kept, pivots, strict=True):
        basis[pivot] = -row[open_columns]
        offset[pivot] = row[-1]
    return basis, offset


def _eliminated(rows: list[Float1D]) -> tuple[list[Float1D], list[int]] | None:
    """Reduce constraints to pivots; None when they contradict each other."""
    kept: list[Float1D] = []
    pivots: list[int] = []
    for given in rows:
        row = given
        for other, pivot in zip(kept, pivots, strict=True):
            row = row - row[pivot] * other
        if np.abs(row[:-1]).max(initial=0.0) < _ZERO:
            if abs(row[-1]) > _ZERO:
                return None
            continue
        pivot = int(np.abs(row[:-1]).argmax())
        row = row / row[pivot]
        kept = [other - other[pivot] * row for other in kept]
        kept.append(row)
        pivots.append(pivot)
    return kept, pivots


def _clashing(known: list[tuple[Constraint, Float1D]]) -> list[Constraint]:
    """Leave out of contradicting constraints those that are not needed for it."""
    for one in tuple(known):
        fewer = [other for other in known if other is not one]
        if _eliminated([row for _, row in fewer]) is None:
            known = fewer
    return [constraint for constraint, _ in known]


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


def is_linear(constraint: Constraint, model: ModelSyntax) -> bool:
    """Whether both sides are linear in the labels."""
    forms = defined_forms(model)
    bent = {d.name for d in model.definitions} - set(forms)
    sides = (constraint.left, constraint.right)
    if any(n.name in bent for side in sides for n in names(side)):
        return False
    return all(linear_form(side, forms) is not None for side in sides)


@dataclass(frozen=True, slots=True, eq=False)
class Restrictions:
    """Constraints that coordinates cannot express, as functions of theta.

    Attributes
    ----------
    table
        The parameters.
    equalities
        Nonlinear ``==`` constraints.
    inequalities
        ``<`` and ``>`` constraints.
    lower, upper
        Positions of bounded parameters in theta, and their bounds.
    """

    table: ParameterTable
    equalities: tuple[Constraint, ...]
    inequalities: tuple[Constraint, ...]
    lower: tuple[tuple[int, float], ...]
    upper: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, table: ParameterTable, model: ModelSyntax) -> Restrictions:
        """Collect what `reparameterise` leaves."""
        equal = [c for c in model.constraints if c.relation == "=="]
        lower, upper = [], []
        for k, row in enumerate(table.free):
            if row.lower is not None:
                lower.append((k, row.lower))
            if row.upper is not None:
                upper.append((k, row.upper))
        return cls(
            table,
            tuple(c for c in equal if not is_linear(c, model)),
            tuple(c for c in model.constraints if c.relation != "=="),
            tuple(lower),
            tuple(upper),
        )

    @property
    def binding(self) -> bool:
        """Whether there are any."""
        return bool(self.equalities or self.inequalities or self.lower or self.upper)

    def equal(self, theta: Float1D) -> Float1D:
        """Left minus right sides of the equalities; 0 where they hold."""
        known = known_values(self.table, all_values(self.table, theta))
        return _typed([_gap(c, known) for c in self.equalities], theta)

    def above(self, theta: Float1D) -> Float1D:
        """How far each inequality and bound is from its edge; not negative."""
        known = known_values(self.table, all_values(self.table, theta))
        gaps = [
            _gap(c, known) * (1.0 if c.relation == ">" else -1.0)
            for c in self.inequalities
        ]
        gaps += [theta[k] - bound for k, bound in self.lower]
        gaps += [bound - theta[k] for k, bound in self.upper]
        return _typed(gaps, theta)

    def spell(self, index: int) -> str:
        """Spell an inequality or bound for a message."""
        if index < len(self.inequalities):
            return f"the inequality on line {self.inequalities[index].place.line}"
        bounds = (*self.lower, *self.upper)
        k, bound = bounds[index - len(self.inequalities)]
        return f"the bound {bound:g} of {self.table.spell(self.table.free[k])}"


def _typed(values: list[complex], theta: Float1D) -> Float1D:
    """As real numbers, unless theta carries derivatives."""
    found = np.array(values, dtype=np.complex128)
    return cast("Float1D", found if np.iscomplexobj(theta) else found.real)


def _gap(constraint: Constraint, known: dict[str, complex]) -> complex:
    return evaluate(constraint.left, known) - evaluate(constraint.right, known)


def _contradiction(model: ModelSyntax, clashing: list[Constraint]) -> ModelSyntaxError:
    """Quote the constraint that cannot hold, and name the lines that exclude it."""
    *others, last = clashing
    lines = ", ".join(str(c.place.line) for c in others)
    with_what = f"line {lines}" if others else "the values that its labels are fixed to"
    return model.source.error(
        last.place,
        f"this constraint cannot hold together with {with_what}. Delete or correct one "
        "of them, or free a parameter in it",
    )
