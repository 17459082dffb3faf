"""Least squares from weighted cross-products, for many resamples at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D

BATCH = 2_000_000
"""Bootstrap weights held at once, so that memory does not grow with the data."""
VARIES = 1e-12
"""Share of its sum of squares below which the spread of an outcome is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossProducts:
    """Cross-products of ``[X, y]`` per group of rows.

    Attributes
    ----------
    per_group
        Flattened m by m cross-products, shape (n_groups, m * m); the first column
        of X is the intercept and the last of the m is the outcome.
    m
        Number of columns of X plus one.
    """

    per_group: Float2D
    m: int

    def resampled(self, draws: int, rng: np.random.Generator) -> Float2D:
        """Sum the groups of `draws` bootstrap samples: (draws, m, m)."""
        return bootstrap_sums(self.per_group, draws, rng).reshape(-1, self.m, self.m)

    def within(self, parts: Int1D) -> Float2D:
        """Sum the groups of each part 0..P-1, none of them empty: (P, m, m)."""
        order = np.argsort(parts, kind="stable")
        starts = np.searchsorted(parts[order], np.arange(int(parts.max()) + 1))
        sums = np.add.reduceat(self.per_group[order], starts, axis=0)
        return np.asarray(sums).reshape(-1, self.m, self.m)


def bootstrap_sums(per_group: Float2D, draws: int, rng: np.random.Generator) -> Float2D:
    """Column sums over groups drawn with replacement.

    Parameters
    ----------
    per_group
        Shape (n_groups, n_columns).
    draws
        Number of samples of n_groups groups.
    rng
        Source of randomness.

    Returns
    -------
    Float2D
        Shape (draws, n_columns).
    """
    n_groups = len(per_group)
    share = np.full(n_groups, 1 / n_groups)
    batch = max(1, BATCH // n_groups)
    parts = [
        rng.multinomial(n_groups, share, size=min(batch, draws - done)) @ per_group
        for done in range(0, draws, batch)
    ]
    return np.vstack(parts)


def scaled_rows(X: Float2D, y: Float1D) -> Float2D:
    """Columns of ``[X, y]`` centred and scaled, except the constant ones.

    That changes neither R squared nor the predictions of a model with intercept,
    and keeps sums of products well conditioned.
    """
    M = np.column_stack([X, y])
    spread = M.std(axis=0)
    constant = spread == 0
    centre = np.where(constant, 0.0, M.mean(axis=0))
    return np.asarray((M - centre) / np.where(constant, 1.0, spread))


def cross_products(Z: Float2D, groups: Int1D | None) -> CrossProducts:
    """Cross-products of `scaled_rows`, summed within `groups` (None: each row)."""
    rows = (Z[:, :, None] * Z[:, None, :]).reshape(len(Z), -1)
    if groups is not None:
        summed = np.zeros((int(groups.max()) + 1, rows.shape[1]))
        np.add.at(summed, groups, rows)
        rows = summed
    return CrossProducts(rows, Z.shape[1])


def coefficients(sums: Float2D, columns: list[int]) -> Float2D:
    """Least-squares coefficients of the last on `columns`, shape (draws, k).

    Where a resample leaves columns collinear, those of smallest length.
    """
    A = sums[:, columns][:, :, columns]
    inverse = np.linalg.pinv(A, hermitian=True)
    return np.asarray(np.einsum("dij,dj->di", inverse, sums[:, columns, -1]))


def r_squared(sums: Float2D, columns: list[int]) -> Float1D:
    """R squared of the regressions of the last on `columns`.

    Parameters
    ----------
    sums
        Cross-products, shape (draws, m, m), with the intercept first.
    columns
        Predictors used, the intercept (0) among them.

    Returns
    -------
    Float1D
        Shape (draws,); NaN where the last does not vary.
    """
    explained = np.einsum("di,di->d", coefficients(sums, columns), sums[:, columns, -1])
    mean_part = sums[:, 0, -1] ** 2 / sums[:, 0, 0]
    total = sums[:, -1, -1] - mean_part
    varies = total > VARIES * sums[:, -1, -1]
    share = np.full(len(total), np.nan)
    share[varies] = (explained - mean_part)[varies] / total[varies]
    return share
