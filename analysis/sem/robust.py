"""Corrections of standard errors and chi-square where answers are not normal.

Everything is built from three sums over groups, so that no matrix of the size of all
moments of all groups is formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.sem.discrepancy import weighted

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One group's part of a sandwich.

    Attributes
    ----------
    share
        Its share of all rows.
    by_theta
        Derivatives of its moments by theta, Delta, shape (k, n_free).
    weight
        Weight of its moments, W, shape (k,) or (k, k).
    gamma
        Asymptotic covariance of its moments, Gamma, shape (k, k).
    """

    share: float
    by_theta: Float2D
    weight: Float1D | Float2D
    gamma: Float2D


@dataclass(frozen=True, slots=True, eq=False)
class Sandwich:
    """Traces and products that robust errors and tests are made of.

    Attributes
    ----------
    bread
        Inverse of Delta' W Delta in the free directions, shape (n_free, n_free).
    filling
        Delta' W Gamma W Delta, shape (n_free, n_free).
    trace
        tr(U Gamma).
    trace_squared
        tr(U Gamma U Gamma).
    """

    bread: Float2D
    filling: Float2D
    trace: float
    trace_squared: float


def sandwich(pieces: tuple[Piece, ...], bread: Float2D) -> Sandwich:
    """Sum the pieces of the groups.

    Notes
    -----
    Satorra & Bentler (1994) with U = W - W Delta (Delta' W Delta)^-1 Delta' W;
    Asparouhov & Muthen (2010) need tr(U Gamma U Gamma), here from products with Delta.
    """
    q = len(bread)
    filling, longer = np.zeros((q, q)), np.zeros((q, q))
    first = second = 0.0
    for piece in pieces:
        weighed = weighted(piece.weight, piece.gamma)
        half = weighted(piece.weight, piece.by_theta)
        across = piece.gamma @ half
        filling += piece.share * half.T @ across
        longer += piece.share * across.T @ weighted(piece.weight, across)
        first += float(np.trace(weighed))
        second += float((weighed * weighed.T).sum())
    baked = bread @ filling
    return Sandwich(
        bread=bread,
        filling=filling,
        trace=first - float(np.trace(baked)),
        trace_squared=second
        - 2 * float((bread * longer).sum())
        + float((baked * baked.T).sum()),
    )


def inverse_along(information: Float2D, tangent: Float2D) -> Float2D:
    """T (T' I T)^-1 T': the inverse information where parameters may move.

    `tangent`, T, holds the free directions, shape (n_free, n_directions).
    """
    inner = tangent.T @ information @ tangent
    scale = 1 / np.sqrt(np.diag(inner))
    inverse = np.linalg.inv(inner * np.outer(scale, scale))
    spread = tangent * scale
    found: Float2D = spread @ inverse @ spread.T
    return found
