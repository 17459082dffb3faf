"""Standard errors, and whether the parameters are identified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from analysis.errors import NotIdentifiedError
from analysis.sem.discrepancy import curvature
from analysis.sem.implied import implied, slopes
from analysis.sem.syntax import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.discrepancy import Target
    from analysis.sem.matrices import Layout
    from analysis.sem.partable import ParameterTable, Reparameterisation

# Smallest eigenvalue of a scaled information matrix that is told from rounding.
SINGULAR = 1e-11
_MANY = 8
_STEP = 1e-20


@dataclass(frozen=True, slots=True, eq=False)
class Defined:
    """Parameters defined by ``:=``.

    Attributes
    ----------
    names
        Their names.
    values
        Estimates, shape (n_defined,).
    vcov
        Covariance matrix by the delta method, shape (n_defined, n_defined).
    """

    names: tuple[str, ...]
    values: Float1D
    vcov: Float2D


def vcov(
    layout: Layout,
    target: Target,
    coordinates: Reparameterisation,
    theta: Float1D,
    n_obs: int,
) -> Float2D:
    """Inverse expected information at Sigma-hat, shape (n_free, n_free).

    Its rank is the number of estimated parameters: equal parameters have equal rows.

    Raises
    ------
    NotIdentifiedError
        If the information is singular; names the parameters involved.
    """
    m = layout.fill(theta)
    expected = n_obs / 2 * curvature(target, implied(m), slopes(layout, m))
    information = coordinates.basis.T @ expected @ coordinates.basis
    if blamed := confounded(information, coordinates, layout.table):
        raise NotIdentifiedError(
            f"model: at the solution the data cannot tell apart {blamed}. Fix one of "
            "them, set parameters equal, or add indicators."
        )
    scale = 1 / np.sqrt(np.diag(information))
    inverse = np.linalg.inv(information * np.outer(scale, scale))
    spread = coordinates.basis * scale
    found: Float2D = spread @ inverse @ spread.T
    return found


def confounded(
    information: Float2D, coordinates: Reparameterisation, table: ParameterTable
) -> str:
    """Name the parameters along which the information is flat; empty if none."""
    if not len(information):
        return ""
    diagonal = np.diag(information).copy()
    if not np.isfinite(information).all():
        return "its parameters (the information is not finite)"
    typical = float(np.median(diagonal[diagonal > 0])) if (diagonal > 0).any() else 1.0
    empty = diagonal <= 0
    diagonal[empty] = typical
    scale = 1 / np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    flat = values < SINGULAR
    if not flat.any():
        return ""
    weight = np.abs(coordinates.basis * scale) @ np.abs(vectors[:, flat]).max(axis=1)
    size = np.abs(coordinates.basis * scale).max(axis=1)
    in_units = weight / np.maximum(size, 1e-300)
    involved = [
        str(row)
        for row, w in zip(table.free, in_units, strict=True)
        if w > in_units.max() * 1e-3
    ]
    more = f" and {len(involved) - _MANY} more" if len(involved) > _MANY else ""
    return ", ".join(involved[:_MANY]) + more


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


def label_values(table: ParameterTable, values: Float1D) -> dict[str, complex]:
    """Value of each label; `values` belong to the rows of the table."""
    found: dict[str, complex] = {}
    for row, value in zip(table.rows, values, strict=True):
        if row.label:
            found.setdefault(row.label, complex(value))
    return found


def define(table: ParameterTable, labels: Mapping[str, complex]) -> Float1D:
    """Evaluate the definitions in order, shape (n_defined,), complex."""
    known = dict(labels)
    for d in table.definitions:
        known[d.name] = evaluate(d.expression, known)
    values = [known[d.name] for d in table.definitions]
    return cast("Float1D", np.array(values, dtype=np.complex128))


def defined(table: ParameterTable, theta: Float1D, covariance: Float2D) -> Defined:
    """Compute defined parameters with their standard errors by the delta method."""

    def values(at: Float1D) -> Float1D:
        return define(table, label_values(table, all_values(table, at)))

    slope = complex_jacobian(values, theta)
    return Defined(
        names=tuple(d.name for d in table.definitions),
        values=np.real(values(as_complex(theta))),
        vcov=slope @ covariance @ slope.T,
    )


def all_values(table: ParameterTable, theta: Float1D) -> Float1D:
    """Value of every row of the table, fixed ones included, shape (n_rows,)."""
    free = iter(theta)
    return np.array(
        [next(free) if row.fixed is None else row.fixed for row in table.rows],
        dtype=theta.dtype,
    )
