"""Estimates of all rows, standardised estimates and explained variance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from analysis.sem.implied import eta_cov, filled, implied
from analysis.sem.matrices import MATRICES, SYMMETRIC
from analysis.sem.partable.values import (
    as_complex,
    complex_jacobian,
    define,
    label_values,
)

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.sem.matrices import Layout, Matrices, MatrixName


# What rounding leaves of the standard error of a value that is 1 by construction.
_CONSTANT = 1e-10


@dataclass(frozen=True, eq=False)
class Standardized:
    """Standardised solution, one value for each row of the table, then definitions.

    Attributes
    ----------
    std_lv
        Latent variables have unit variance, shape (n_rows + n_defined,).
    std_all
        Latent and observed variables have unit variance, same shape.
    """

    std_lv: Float1D
    std_all: Float1D
    _readers: tuple[_Reader, ...]
    _theta: Float1D
    _covariance: Float2D

    @cached_property
    def std_all_se(self) -> Float1D:
        """Standard errors of `std_all` by the delta method; NaN where it is constant.

        Made when first asked for: they cost as much as a small fit.
        """

        def every(at: Float1D) -> Float1D:
            return _standardized(self._readers, at, observed=True)

        slope = complex_jacobian(every, self._theta)
        variance = np.einsum("ik,ik->i", slope @ self._covariance, slope)
        se = np.sqrt(np.maximum(variance, 0.0))
        unknown = (se <= _CONSTANT) | np.isnan(self.std_all)
        return np.where(unknown, np.nan, se)


def standardize(
    layouts: tuple[Layout, ...], theta: Float1D, covariance: Float2D
) -> Standardized:
    """Standardise a solution.

    Covariances are divided by the (residual) standard deviations of their two sides.
    Where a variance is negative its standardised values are NaN.

    Notes
    -----
    Same as ``lavaan::standardizedSolution``; tests/reference/sem_models.R.
    """
    readers = tuple(_Reader.of(layout) for layout in layouts)
    point = as_complex(theta)
    return Standardized(
        std_lv=np.real(_standardized(readers, point, observed=False)),
        std_all=np.real(_standardized(readers, point, observed=True)),
        _readers=readers,
        _theta=theta,
        _covariance=covariance,
    )


def estimates(layouts: tuple[Layout, ...], theta: Float1D) -> Float1D:
    """Value of every row of the table, fixed and derived ones included."""
    found = np.zeros(len(layouts[0].table.rows), dtype=theta.dtype)
    for layout in layouts:
        reader = _Reader.of(layout)
        m = whole(layout, theta)
        for name, at in reader.at.items():
            matrix = _matrix(m, name)
            found[at.table] = matrix[at.rows, at.columns]
    return found


def whole(layout: Layout, theta: Float1D) -> Matrices:
    """Matrices with the moments of the predictors, also of a conditional model."""
    m = filled(layout, theta)
    x = layout.exogenous
    if not (layout.table.conditional and x):
        return m
    Psi, alpha = m.Psi.copy(), m.alpha.copy()
    Psi[np.ix_(x, x)] = layout.held["Psi"][np.ix_(x, x)]
    alpha[x] = layout.held["alpha"][x, 0]
    return replace(m, Psi=Psi, alpha=alpha)


def r_squared(layout: Layout, theta: Float1D) -> dict[str, float]:
    """Explained share of the variance of each endogenous variable of a group.

    NaN when its residual variance is negative.
    """
    table = layout.table
    m = whole(layout, theta)
    total = np.diag(implied(m).cov)
    total_eta = np.diag(eta_cov(m))
    found: dict[str, float] = {}
    for name in table.endogenous:
        if name in layout.eta:
            k = layout.eta.index(name)
            residual, all_of_it = m.Psi[k, k], total_eta[k]
        else:
            k = table.observed.index(name)
            residual, all_of_it = m.Theta[k, k], total[k]
        fine = residual >= 0 < all_of_it
        found[name] = float(1 - residual / all_of_it) if fine else np.nan
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Rows of the table that stand in one matrix, and where."""

    table: Int1D
    rows: Int1D
    columns: Int1D


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """Where the values of a group's rows are read from."""

    layout: Layout
    at: dict[MatrixName, _Cells]
    manifest: Int1D
    cut: Int1D

    @classmethod
    def of(cls, layout: Layout) -> _Reader:
        found: dict[MatrixName, _Cells] = {}
        for name in MATRICES:
            here = [
                (k, c.row, c.column)
                for k, c in enumerate(layout.cells)
                if c is not None and c.matrix == name
            ]
            table, rows, columns = np.array(here, dtype=np.int_).reshape(-1, 3).T
            found[name] = _Cells(table, rows, columns)
        known = dict(layout.table.categories)
        cut = [
            i
            for i, name in zip(layout.ordered, layout.table.ordered, strict=True)
            for _ in range(known[name] - 1)
        ]
        latent = set(layout.table.latent)
        manifest = [k for k, name in enumerate(layout.eta) if name not in latent]
        return cls(
            layout,
            found,
            np.array(manifest, dtype=np.int_),
            np.array(cut, dtype=np.int_),
        )


def _standardized(
    readers: tuple[_Reader, ...], theta: Float1D, *, observed: bool
) -> Float1D:
    """Standardised values at theta; complex values carry derivatives."""
    table = readers[0].layout.table
    found = np.zeros(len(table.rows), dtype=theta.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        for reader in readers:
            _read(reader, theta, found, observed=observed)
        named = define(table, label_values(table, found))
    return np.concatenate([found, named])


def _read(reader: _Reader, theta: Float1D, found: Float1D, *, observed: bool) -> None:
    """Write the standardised values of a group's rows into `found`."""
    m = whole(reader.layout, theta)
    one = np.ones(len(m.nu), dtype=theta.dtype)
    sd_y = _root(np.diag(implied(m).cov)) if observed else one
    residual_y = _root(np.diag(m.Theta)) if observed else one
    sd_eta, residual_eta = _root(np.diag(eta_cov(m))), _root(np.diag(m.Psi))
    if not observed:
        sd_eta[reader.manifest] = residual_eta[reader.manifest] = 1.0
    alone = np.ones(1)
    divisors = {
        "Lambda": (sd_y, 1 / sd_eta),
        "Beta": (sd_eta, 1 / sd_eta),
        "Theta": (residual_y, residual_y),
        "Psi": (residual_eta, residual_eta),
        "nu": (sd_y, alone),
        "alpha": (sd_eta, alone),
        "tau": (sd_y[reader.cut], alone),
        "delta": (m.delta, alone),
    }
    diagonals = {"Theta": sd_y, "Psi": sd_eta}
    for name, at in reader.at.items():
        values = _matrix(m, name)[at.rows, at.columns]
        rows, columns = divisors[name]
        scale = rows[at.rows] * columns[at.columns]
        if name in SYMMETRIC:
            own = diagonals[name][at.rows] ** 2
            scale = np.where(at.rows == at.columns, own, scale)
        found[at.table] = np.where(values == 0, 0.0, values / scale)


def _matrix(m: Matrices, name: MatrixName) -> Float2D:
    matrix: Float2D = getattr(m, name)
    return matrix if matrix.ndim > 1 else matrix[:, None]


def _root(values: Float1D) -> Float1D:
    """Square root; NaN where the real part is negative."""
    safe = np.where(values.real >= 0, values, np.nan)
    return cast("Float1D", np.sqrt(safe))
