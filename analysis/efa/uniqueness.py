"""The search for uniquenesses: what factors leave unexplained of each item.

Given uniquenesses, the best loadings are known in closed form (an eigenproblem), so the
discrepancy is minimised over p numbers only. Newton's method with exact second
derivatives, kept within bounds, needs about ten eigenproblems.

Written here because statsmodels' ``Factor`` needs some fifty times as long for maximum
likelihood, does not bound uniquenesses, and stops its principal axis silently at the
iteration limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D

STEPS: Final = 100
# Projected gradient to stop at.
EXACT: Final = 1e-11
# A step lowers the discrepancy by this share of what the slope promises, and moves no
# uniqueness (or its logarithm) further than this.
PROMISED, LONGEST, SHORTEST = 1e-4, 1.5, 1e-10
# Curvatures below this share of the largest are raised to it.
FLAT: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Eigen:
    """Eigenvalues, largest first, shape (p,), and vectors in columns, shape (p, p)."""

    values: Float1D
    vectors: Float2D

    @classmethod
    def of(cls, M: Float2D) -> Eigen:
        """Decompose a symmetric matrix."""
        values, vectors = np.linalg.eigh(M)
        return cls(values[::-1], vectors[:, ::-1])


class Discrepancy(Protocol):
    """How far k factors are from correlations, as a function of p numbers x."""

    @property
    def k(self) -> int: ...
    def look(self, x: Float1D) -> Eigen: ...
    def value(self, at: Eigen) -> float: ...
    def slope(self, at: Eigen) -> Float1D: ...
    def bend(self, at: Eigen) -> Float2D: ...
    def loadings(self, x: Float1D) -> Float2D: ...


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Maximum likelihood; x are logarithms of uniquenesses.

    Notes
    -----
    Joreskog (1967). With theta, omega the eigenvalues and vectors of Psi^-1/2 R
    Psi^-1/2, f = sum over m > k of theta_m - ln theta_m - 1, df/dx_i = sum (1 -
    theta_m) omega_im^2, and second derivatives as in Lawley and Maxwell (1971).
    """

    R: Float2D
    k: int

    def look(self, x: Float1D) -> Eigen:
        """Decompose the correlations in units of uniqueness."""
        scale = np.exp(-x / 2)
        return Eigen.of(self.R * np.outer(scale, scale))

    def value(self, at: Eigen) -> float:
        """Discrepancy with the best loadings."""
        rest = np.maximum(at.values[self.k :], np.finfo(np.float64).tiny)
        return float((rest - np.log(rest) - 1).sum())

    def slope(self, at: Eigen) -> Float1D:
        """First derivatives, shape (p,)."""
        slope: Float1D = at.vectors[:, self.k :] ** 2 @ (1 - at.values[self.k :])
        return slope

    def bend(self, at: Eigen) -> Float2D:
        """Second derivatives, shape (p, p)."""
        rest, top = at.values[self.k :, None], at.values[None, : self.k]
        between = (1 - rest) * _over(top + rest, top - rest)
        return _bend(at, between, rest[:, 0])

    def loadings(self, x: Float1D) -> Float2D:
        """Best loadings given uniquenesses, shape (p, k)."""
        at = self.look(x)
        length = np.sqrt(np.maximum(at.values[: self.k] - 1, 0))
        found: Float2D = at.vectors[:, : self.k] * length * np.exp(x / 2)[:, None]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """Half the squared off-diagonal residuals; x are uniquenesses.

    Notes
    -----
    Harman and Jones (1966), Joreskog (1977). With lambda, w the eigenvalues and vectors
    of R - Psi, f = half the sum of squares of lambda_m for m > k.
    """

    R: Float2D
    k: int

    def look(self, x: Float1D) -> Eigen:
        """Decompose the reduced correlations."""
        return Eigen.of(self.R - np.diag(x))

    def _rest(self, at: Eigen) -> Float1D:
        rest = at.values.copy()
        rest[: self.k] = np.minimum(rest[: self.k], 0)
        return rest

    def value(self, at: Eigen) -> float:
        """Discrepancy with the best loadings."""
        return float((self._rest(at) ** 2).sum() / 2)

    def slope(self, at: Eigen) -> Float1D:
        """First derivatives, shape (p,)."""
        slope: Float1D = -(at.vectors**2 @ self._rest(at))
        return slope

    def bend(self, at: Eigen) -> Float2D:
        """Second derivatives, shape (p, p)."""
        rest, top = at.values[self.k :, None], at.values[None, : self.k]
        between = _over(2 * rest * np.ones_like(top), rest - top)
        return _bend(at, between, np.ones(len(rest)))

    def loadings(self, x: Float1D) -> Float2D:
        """Best loadings given uniquenesses, shape (p, k)."""
        at = self.look(x)
        length = np.sqrt(np.maximum(at.values[: self.k], 0))
        found: Float2D = at.vectors[:, : self.k] * length
        return found


def _over(a: Float2D, b: Float2D) -> Float2D:
    """Divide, staying finite where an eigenvalue is shared."""
    tiny = np.finfo(np.float64).eps
    return a / np.where(np.abs(b) < tiny, np.where(b < 0, -tiny, tiny), b)


def _bend(at: Eigen, between: Float2D, within: Float1D) -> Float2D:
    """Second derivatives from how dimensions act on each other, shape (p, p).

    The sum over m > k and all n of c_mn w_im w_jm w_in w_jn; c is `between`, shape
    (p - k, k), for n <= k, and the mean of `within`, shape (p - k,), at m and n for
    n > k.
    """
    k = between.shape[1]
    top, rest = at.vectors[:, :k], at.vectors[:, k:]
    bend: Float2D = ((rest * within) @ rest.T) * (rest @ rest.T)
    crossed = (rest[None] * between.T[:, None, :]) @ rest.T
    bend += np.einsum("nij,in,jn->ij", crossed, top, top)
    return bend


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where a search ended.

    Attributes
    ----------
    x
        Uniquenesses or their logarithms, shape (p,).
    value
        Discrepancy.
    steepness
        Largest projected gradient.
    steps
        Steps taken.
    """

    x: Float1D
    value: float
    steepness: float
    steps: int


def search(
    discrepancy: Discrepancy, start: Float1D, bounds: tuple[float, float]
) -> Minimum:
    """Minimise within bounds by Newton's method (Bertsekas 1982)."""
    low, high = bounds
    x = np.clip(start, low, high)
    at = discrepancy.look(x)
    value = discrepancy.value(at)
    steepness, steps = np.inf, 0
    while steps < STEPS:
        slope = discrepancy.slope(at)
        held = ((x <= low) & (slope > 0)) | ((x >= high) & (slope < 0))
        steepness = float(np.abs(np.where(held, 0.0, slope)).max())
        if steepness <= EXACT:
            break
        way = _way(slope, discrepancy.bend(at), ~held)
        length = 1.0
        while length > SHORTEST:
            x_new = np.clip(x + length * way, low, high)
            at_new = discrepancy.look(x_new)
            value_new = discrepancy.value(at_new)
            if value_new < value + PROMISED * float(slope @ (x_new - x)):
                break
            length /= 2
        else:
            break
        x, at, value, steps = x_new, at_new, value_new, steps + 1
    return Minimum(x, value, steepness, steps)


def _way(slope: Float1D, bend: Float2D, free: Bool1D) -> Float1D:
    """Newton's step for the free numbers, downhill whatever the curvature."""
    curvature, directions = np.linalg.eigh(bend[np.ix_(free, free)])
    size = np.abs(curvature)
    size = np.maximum(size, max(FLAT * float(size.max()), np.finfo(np.float64).tiny))
    way = np.zeros_like(slope)
    way[free] = -directions @ ((directions.T @ slope[free]) / size)
    longest = float(np.abs(way).max())
    return way * (LONGEST / longest) if longest > LONGEST else way
