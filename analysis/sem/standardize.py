"""Standardised estimates and explained variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from analysis.sem.implied import eta_cov, implied
from analysis.sem.inference import (
    all_values,
    as_complex,
    complex_jacobian,
    define,
    label_values,
)
from analysis.sem.matrices import SYMMETRIC

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.matrices import Cell, Layout


# What rounding leaves of the standard error of a value that is 1 by construction.
_CONSTANT = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Standardized:
    """Standardised solution, one value for each row of the table, then definitions.

    Attributes
    ----------
    std_lv
        Latent variables have unit variance, shape (n_rows + n_defined,).
    std_all
        Latent and observed variables have unit variance, same shape.
    std_all_se
        Standard errors of `std_all` by the delta method; NaN where it is constant.
    """

    std_lv: Float1D
    std_all: Float1D
    std_all_se: Float1D


def standardize(layout: Layout, theta: Float1D, covariance: Float2D) -> Standardized:
    """Standardise a solution.

    Covariances are divided by the (residual) standard deviations of their two sides.
    Where a variance is negative its standardised values are NaN.

    Notes
    -----
    Same as ``lavaan::standardizedSolution``; tests/reference/sem_models.R.
    """
    point = as_complex(theta)

    def every(at: Float1D) -> Float1D:
        return _standardized(layout, at, observed=True)

    slope = complex_jacobian(every, theta)
    variance = np.einsum("ik,kl,il->i", slope, covariance, slope)
    std_all = np.real(every(point))
    se = np.sqrt(np.maximum(variance, 0.0))
    unknown = (se <= _CONSTANT) | np.isnan(std_all)
    return Standardized(
        std_lv=np.real(_standardized(layout, point, observed=False)),
        std_all=std_all,
        std_all_se=np.where(unknown, np.nan, se),
    )


def r_squared(layout: Layout, theta: Float1D) -> dict[str, float]:
    """Explained share of the variance of each endogenous variable.

    NaN when its residual variance is negative.
    """
    table = layout.table
    m = layout.fill(theta)
    total = np.diag(implied(m).cov)
    total_eta = np.diag(eta_cov(m))
    found: dict[str, float] = {}
    for name in table.endogenous:
        if name in layout.eta:
            k = layout.eta.index(name)
            residual, whole = m.Psi[k, k], total_eta[k]
        else:
            k = table.observed.index(name)
            residual, whole = m.Theta[k, k], total[k]
        found[name] = float(1 - residual / whole) if residual >= 0 < whole else np.nan
    return found


def _standardized(layout: Layout, theta: Float1D, *, observed: bool) -> Float1D:
    """Standardised values at theta; complex values carry derivatives."""
    table = layout.table
    m = layout.fill(theta)
    sd_y = _root(np.diag(implied(m).cov)) if observed else np.ones(len(table.observed))
    sd_eta = _root(np.diag(eta_cov(m)))
    residual_y = _root(np.diag(m.Theta)) if observed else sd_y
    residual_eta = _root(np.diag(m.Psi))
    if not observed:
        manifest = np.array([name not in table.latent for name in layout.eta])
        sd_eta = np.where(manifest, 1.0, sd_eta)
        residual_eta = np.where(manifest, 1.0, residual_eta)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_eta = 1 / sd_eta
    divisors = {
        "Lambda": (sd_y, per_eta),
        "Beta": (sd_eta, per_eta),
        "Theta": (residual_y, residual_y),
        "Psi": (residual_eta, residual_eta),
        "nu": (sd_y, np.ones(1)),
        "alpha": (sd_eta, np.ones(1)),
    }
    diagonals = {"Theta": sd_y, "Psi": sd_eta}
    values = all_values(table, theta)

    def scaled(value: complex, cell: Cell) -> complex:
        rows, columns = divisors[cell.matrix]
        if cell.matrix in SYMMETRIC and cell.row == cell.column:
            rows = columns = diagonals[cell.matrix]
        if value == 0:
            return value / 1.0
        return complex(value / (rows[cell.row] * columns[cell.column]))

    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = zip(values, layout.cells, strict=True)
        found = cast("Float1D", np.array([scaled(v, c) for v, c in pairs]))
        named = define(table, label_values(table, found))
    return np.concatenate([found, named])


def _root(values: Float1D) -> Float1D:
    """Square root; NaN where the real part is negative."""
    safe = np.where(values.real >= 0, values, np.nan)
    roots: Float1D = np.sqrt(safe)
    return roots
