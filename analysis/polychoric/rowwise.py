"""Correlations of two margins person by person: numeric ones, and ordered given x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.special import ndtr

from analysis.polychoric.margins import margin_scores
from analysis.polychoric.maxima import find_maxima
from analysis.polychoric.normal import EDGE, FLOOR, conditional, density, excess, phi

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.polychoric.margins import Margin

_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True, eq=False)
class RowPair:
    """The correlation of the residuals of two margins.

    Attributes
    ----------
    i, j
        The two variables.
    rho
        Their correlation.
    information
        Summed squares of its scores.
    cross_i, cross_j
        Summed products of its scores with those of the parameters of each margin.
    """

    i: int
    j: int
    rho: float
    information: float
    cross_i: Float1D
    cross_j: Float1D


class _Likelihood(Protocol):
    """Log-likelihood of two margins as a function of their correlation."""

    def at(self, rho: float) -> tuple[Float1D, Float1D, Float1D]:
        """Give people's log-likelihoods, scores, and slopes of these, shapes (n,)."""

    def by_margins(
        self, rho: float
    ) -> tuple[tuple[Float1D, Float1D], tuple[Float1D, Float1D]]:
        """Differentiate by each margin: by lower and upper limit, or by z (and 0)."""


def row_pair(
    at: tuple[int, int],
    margins: tuple[Margin, Margin],
    x: Float2D,
    weights: Float1D,
    patterns: Int1D | None,
) -> RowPair:
    """Correlate two margins by maximum likelihood, both held fixed.

    Parameters
    ----------
    at
        The two variables.
    margins
        Their margins.
    x
        Standardised predictors, shape (n, q).
    weights
        Shape (n,).
    patterns
        Number of each person's combination of predictors, where these are few, so
        that people alike in all respects are counted instead of repeated.

    Notes
    -----
    Two steps: Olsson (1979) for two ordered variables, Olsson, Drasgow & Dorans (1982)
    for an ordered with a numeric one; with missing answers the means and variances of
    numeric variables stay those of everyone who answered. As lavaan does.
    """
    rows, w = _representatives(margins, weights, patterns)
    i, j = margins[0].at(rows), margins[1].at(rows)
    likelihood = _likelihood(i, j)
    rho = _maximum(likelihood, i, j, w)
    score = likelihood.at(rho)[1]
    by_i, by_j = likelihood.by_margins(rho)
    weighted = w * score
    return RowPair(
        i=at[0],
        j=at[1],
        rho=rho,
        information=float(weighted @ score),
        cross_i=margin_scores(i, *by_i, x[rows]) @ weighted,
        cross_j=margin_scores(j, *by_j, x[rows]) @ weighted,
    )


def row_scores(pair: RowPair, i: Margin, j: Margin) -> Float1D:
    """Give scores of the correlation, shape (n,); 0 where an answer is missing."""
    seen = i.seen & j.seen
    found = np.zeros(len(seen))
    if seen.any():
        rows = np.flatnonzero(seen)
        found[rows] = _likelihood(i.at(rows), j.at(rows)).at(pair.rho)[1]
    return found


def _representatives(
    margins: tuple[Margin, Margin], weights: Float1D, patterns: Int1D | None
) -> tuple[Int1D, Float1D]:
    """Take rows where both are seen, one of each kind if kinds are few; weigh them."""
    i, j = margins
    rows = np.flatnonzero(i.seen & j.seen)
    if patterns is None or not (i.ordered and j.ordered):
        return rows, weights[rows]
    size_i, size_j = len(i.first) + 1, len(j.first) + 1
    kinds = (patterns[rows] * size_i + i.code[rows]) * size_j + j.code[rows]
    _, first, number = np.unique(kinds, return_index=True, return_inverse=True)
    sums = np.bincount(number, weights=weights[rows])
    return rows[first], np.asarray(sums, dtype=np.float64)


def _likelihood(i: Margin, j: Margin) -> _Likelihood:
    if i.ordered and j.ordered:
        return _TwoOrdered(i, j)
    if i.ordered:
        return _OneOrdered(i, j)
    if j.ordered:
        return _Swapped(_OneOrdered(j, i))
    return _TwoNumeric(i.z, j.z)


def _maximum(likelihood: _Likelihood, i: Margin, j: Margin, w: Float1D) -> float:
    def totals(rho: Float1D, _: Int1D) -> tuple[Float1D, Float1D, Float1D]:
        value, score, slope = likelihood.at(float(rho[0]))
        total = float(w @ slope)
        # Far from the maximum the slope may point upwards: scores squared instead.
        if total >= 0:
            total = -max(float(w @ score**2), _TINY)
        return np.array([w @ value]), np.array([w @ score]), np.array([total])

    a, b = _centres(i), _centres(j)
    spread = np.sqrt((w @ a**2) * (w @ b**2))
    start = (w @ (a * b)) / max(float(spread), _TINY)
    return float(find_maxima(totals, np.array([start]))[0])


def _centres(margin: Margin) -> Float1D:
    """Give residuals, or what is expected of them between their limits."""
    if not margin.ordered:
        return margin.z
    probability = np.maximum(ndtr(margin.upper) - ndtr(margin.lower), FLOOR)
    centres: Float1D = (phi(margin.lower) - phi(margin.upper)) / probability
    return centres


class _TwoOrdered:
    """Both residuals lie between limits."""

    def __init__(self, i: Margin, j: Margin) -> None:
        self.i, self.j = i, j
        self.independent = (ndtr(i.upper) - ndtr(i.lower)) * (
            ndtr(j.upper) - ndtr(j.lower)
        )
        n = len(i.lower)
        a = np.concatenate([i.upper, i.lower, i.upper, i.lower])
        b = np.concatenate([j.upper, j.lower, j.lower, j.upper])
        # Corners at infinity add nothing.
        kept = np.flatnonzero((np.abs(a) < EDGE) & (np.abs(b) < EDGE))
        self.a, self.b = a[kept][None], b[kept][None]
        self.row, self.n = kept % n, n
        self.sign = np.where(kept < 2 * n, 1.0, -1.0)

    def _over_corners(self, values: Float2D) -> Float1D:
        signed = values[0] * self.sign
        sums = np.bincount(self.row, weights=signed, minlength=self.n)
        return np.asarray(sums, dtype=np.float64)

    def _cells(self, rho: float) -> tuple[Float1D, Float1D, Float1D]:
        r = np.array([rho])
        probability = self.independent + self._over_corners(excess(self.a, self.b, r))
        value, slope = density(self.a, self.b, r)
        first, second = self._over_corners(value), self._over_corners(slope)
        low = probability < FLOOR
        probability[low] = FLOOR
        first[low] = second[low] = 0.0
        return probability, first, second

    def at(self, rho: float) -> tuple[Float1D, Float1D, Float1D]:
        probability, first, second = self._cells(rho)
        ratio = first / probability
        return np.log(probability), ratio, second / probability - ratio * ratio

    def by_margins(
        self, rho: float
    ) -> tuple[tuple[Float1D, Float1D], tuple[Float1D, Float1D]]:
        probability = self._cells(rho)[0]
        return (
            _by_limits(self.i, self.j, rho, probability),
            _by_limits(self.j, self.i, rho, probability),
        )


def _by_limits(
    own: Margin, other: Margin, rho: float, probability: Float1D
) -> tuple[Float1D, Float1D]:
    """Differentiate ln(probability) by the lower and the upper limit of `own`."""
    r = np.asarray(rho)

    def along(limit: Float1D) -> Float1D:
        between = conditional(other.upper, limit, r) - conditional(
            other.lower, limit, r
        )
        edge: Float1D = phi(limit) * between / probability
        return edge

    return -along(own.lower), along(own.upper)


class _OneOrdered:
    """The first residual lies between limits, the second is known."""

    def __init__(self, i: Margin, j: Margin) -> None:
        self.lower, self.upper, self.z = i.lower, i.upper, j.z

    def _between(self, rho: float) -> tuple[Float1D, Float1D, Float1D]:
        s = np.sqrt((1 - rho) * (1 + rho))
        low, high = (self.lower - rho * self.z) / s, (self.upper - rho * self.z) / s
        flip = low > 0
        probability = np.where(flip, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
        return low, high, np.maximum(probability, FLOOR)

    def at(self, rho: float) -> tuple[Float1D, Float1D, Float1D]:
        rest = (1 - rho) * (1 + rho)
        low, high, probability = self._between(rho)
        first, second = np.zeros(len(low)), np.zeros(len(low))
        for sign, limit, u in ((1, self.upper, high), (-1, self.lower, low)):
            d = sign * phi(u)
            turn = (rho * limit - self.z) / rest**1.5
            first += d * turn
            second += d * (limit / rest**1.5 + 3 * rho * turn / rest - u * turn**2)
        ratio = np.where(probability > FLOOR, first / probability, 0.0)
        bend = np.where(probability > FLOOR, second / probability, 0.0)
        return np.log(probability), ratio, bend - ratio * ratio

    def by_margins(
        self, rho: float
    ) -> tuple[tuple[Float1D, Float1D], tuple[Float1D, Float1D]]:
        s = np.sqrt((1 - rho) * (1 + rho))
        low, high, probability = self._between(rho)
        lower, upper = -phi(low) / (s * probability), phi(high) / (s * probability)
        by_z = -self.z - rho * (lower + upper)
        return (lower, upper), (by_z, np.zeros(len(by_z)))


@dataclass(frozen=True, slots=True, eq=False)
class _Swapped:
    """The same pair with its variables in the other order."""

    inner: _OneOrdered

    def at(self, rho: float) -> tuple[Float1D, Float1D, Float1D]:
        return self.inner.at(rho)

    def by_margins(
        self, rho: float
    ) -> tuple[tuple[Float1D, Float1D], tuple[Float1D, Float1D]]:
        first, second = self.inner.by_margins(rho)
        return second, first


@dataclass(frozen=True, slots=True, eq=False)
class _TwoNumeric:
    """Both residuals are known."""

    a: Float1D
    b: Float1D

    def at(self, rho: float) -> tuple[Float1D, Float1D, Float1D]:
        rest = (1 - rho) * (1 + rho)
        product, squares = self.a * self.b, self.a**2 + self.b**2
        part = (1 + rho * rho) * product - rho * squares
        score = rho / rest + part / rest**2
        turn = 1 + rho * rho + 2 * rho * product - squares
        slope = turn / rest**2 + 4 * rho * part / rest**3
        value = -0.5 * (np.log(rest) + (squares - 2 * rho * product) / rest)
        return value, score, slope

    def by_margins(
        self, rho: float
    ) -> tuple[tuple[Float1D, Float1D], tuple[Float1D, Float1D]]:
        rest = (1 - rho) * (1 + rho)
        zero = np.zeros(len(self.a))
        by_a, by_b = (rho * self.b - self.a) / rest, (rho * self.a - self.b) / rest
        return (by_a, zero), (by_b, zero)
