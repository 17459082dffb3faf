"""The standard bivariate normal: probabilities of rectangles and their slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D

#: Stands for infinity: its density and its tail are exactly 0, products stay finite.
EDGE: Final = 40.0
#: Probabilities below machine epsilon^(2/3) are noise: lavaan's floor.
FLOOR: Final = float(np.finfo(np.float64).eps ** (2 / 3))
# Gauss-Legendre points that keep the error below 1e-15 up to each |rho|.
_POINTS: Final = ((0.5, 8), (0.85, 16), (0.95, 24), (1.0, 64))
_RULES: Final = {n: np.polynomial.legendre.leggauss(n) for _, n in _POINTS}


def phi(x: Float1D) -> Float1D:
    """Density of the standard normal."""
    density: Float1D = np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
    return density


def excess(a: Float2D, b: Float2D, rho: Float1D) -> Float2D:
    """How far P(X < a, Y < b) exceeds its value under independence.

    Parameters
    ----------
    a, b
        Limits; shapes that broadcast to (m, ...).
    rho
        One correlation for each entry of the first axis, shape (m,), |rho| < 1.

    Returns
    -------
    ndarray
        Shape (m, ...); absolute error below 1e-15 for |rho| <= .999.

    Notes
    -----
    The integral of exp(-(a^2 + b^2 - 2ab sin t) / (2 cos^2 t)) / (2 pi) over t from 0
    to arcsin(rho) (Drezner & Wesolowsky 1990; Genz 2004, eq. 3), by Gauss-Legendre
    rules that grow with |rho|. Where `a` and `b` nearly agree the integrand is smooth
    up to |rho| = 1; elsewhere the 64 points are needed from .95 on.
    """
    product = a * b
    half = np.broadcast_to(0.5 * (a * a + b * b), product.shape)
    found = np.zeros(product.shape)
    below = 0.0
    for limit, points in _POINTS:
        here = np.flatnonzero((np.abs(rho) <= limit) & (np.abs(rho) > below))
        below = limit
        if len(here) == len(rho):
            return _integral(product, half, rho, points)
        if len(here):
            found[here] = _integral(product[here], half[here], rho[here], points)
    return found


def _integral(product: Float2D, half: Float2D, rho: Float1D, points: int) -> Float2D:
    top = np.arcsin(rho).reshape(-1, *([1] * (product.ndim - 1)))
    total, term, part = (np.zeros(product.shape) for _ in range(3))
    for x, weight in zip(*_RULES[points], strict=True):
        angle = top * (x + 1) / 2
        inverse = 1 / np.cos(angle) ** 2
        np.multiply(product, np.sin(angle) * inverse, out=term)
        np.multiply(half, inverse, out=part)
        term -= part
        np.exp(term, out=term)
        term *= weight
        total += term
    total *= top / (4 * np.pi)
    return total


def density(a: Float2D, b: Float2D, rho: Float1D) -> tuple[Float2D, Float2D]:
    """Bivariate density and its derivative with respect to rho, shapes (m, ...).

    Notes
    -----
    The density is itself the derivative of the probability (Tallis 1962).
    """
    product = a * b
    r = rho.reshape(-1, *([1] * (product.ndim - 1)))
    rest = (1 - r) * (1 + r)
    square = a * a + b * b
    value = np.exp((r * product - 0.5 * square) / rest)
    value /= 2 * np.pi * np.sqrt(rest)
    slope = value * (r / rest + (product * (1 + r * r) - r * square) / rest**2)
    return value, slope


def conditional(limit: Float2D, given: Float2D, rho: Float2D) -> Float2D:
    """P(X < limit | Y = given)."""
    probability: Float2D = ndtr((limit - rho * given) / np.sqrt((1 - rho) * (1 + rho)))
    return probability
