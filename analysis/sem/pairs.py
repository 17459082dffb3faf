"""Symmetric matrices as vectors of their lower triangles, and products of such."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float2D, Int1D


def inverse(matrix: Float2D) -> Float2D:
    """Invert a square matrix, real or complex."""
    return cast("Float2D", np.linalg.inv(matrix))


def vech(p: int) -> tuple[Int1D, Int1D]:
    """Rows and columns of the lower triangle, column by column, with the diagonal."""
    columns, rows = np.triu_indices(p)
    return rows, columns


def vech_below(p: int) -> tuple[Int1D, Int1D]:
    """Rows and columns below the diagonal, column by column."""
    columns, rows = np.triu_indices(p, 1)
    return rows, columns


def kronecker(products: Float2D, p: int) -> Float2D:
    """D'(A kron B)D, symmetrised, from the products of the elements of A and B.

    Parameters
    ----------
    products
        vech(A) vech(B)', or a sum of such over several A and B, shape (ns, ns) with
        ns = p(p+1)/2.

    Notes
    -----
    D is the duplication matrix (Magnus & Neudecker 1999); the Kronecker product of p^2
    rows is never formed.
    """
    rows, columns = vech(p)
    at = np.zeros((p, p), dtype=np.int_)
    at[rows, columns] = at[columns, rows] = np.arange(len(rows))
    r, c = rows[:, None], columns[:, None]
    rr, cc, rc, cr = at[r, rows], at[c, columns], at[r, columns], at[c, rows]
    found = products[rr, cc] + products[rc, cr] + products[cr, rc] + products[cc, rr]
    half = np.where(rows == columns, 0.5, 1.0)
    scaled: Float2D = found * half[:, None] * half
    return scaled


def normal_weight(inverse: Float2D) -> Float2D:
    """D'(A kron A)D / 2: the inverse asymptotic covariance of normal covariances."""
    p = len(inverse)
    rows, columns = vech(p)
    half = np.where(rows == columns, 0.5, 1.0)
    r, c = rows[:, None], columns[:, None]
    found = inverse[r, rows] * inverse[c, columns]
    found += inverse[r, columns] * inverse[c, rows]
    weight: Float2D = found * half[:, None] * half
    return weight
