"""Polychoric correlations of all pairs at once, from their two-way tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from analysis.polychoric.maxima import find_maxima
from analysis.polychoric.normal import FLOOR, conditional, density, excess, phi

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.polychoric.tables import Thresholds

# lavaan's zero.add: what one empty cell of a table of two by two is given.
_ADDED: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class TabledPairs:
    """Pairs of ordered variables, their tables and their correlations.

    Attributes
    ----------
    i, j
        The two variables of each pair, shapes (m,).
    tables
        Number of people in each cell, shape (m, M, M).
    rho
        Polychoric correlations, shape (m,).
    empty_2x2
        Pairs of two binary variables with one empty cell, shape (m,).
    """

    i: Int1D
    j: Int1D
    tables: Float2D
    rho: Float1D
    empty_2x2: Bool1D


def tabled_pairs(
    counts: Float2D, cuts: Thresholds, n_categories: Int1D, pairs: tuple[Int1D, Int1D]
) -> TabledPairs:
    """Correlate pairs by maximum likelihood, thresholds held fixed.

    Parameters
    ----------
    counts
        Two-way tables as from `pair_counts`, shape (p, M, p, M).
    cuts
        Thresholds of all variables.
    n_categories
        Number of categories, shape (p,).
    pairs
        The variables to correlate, shapes (m,).

    Notes
    -----
    Olsson (1979), two steps. Empty cells are left as they are, except that in a table
    of two by two a single one is given half a person, and so is the opposite cell,
    while the other two lose half: lavaan's ``zero.add = c(0.5, 0)`` with
    ``zero.keep.margins``. Same as ``lavaan::lavCor(x, ordered = names(x))``.
    """
    i, j = pairs
    tables = np.ascontiguousarray(counts[i, :, j, :])
    both_binary = (n_categories[i] == 2) & (n_categories[j] == 2)  # noqa: PLR2004
    filled, empty = _fill(tables, both_binary)
    likelihood = _Likelihood(filled, cuts.padded[i], cuts.padded[j])
    rho = find_maxima(likelihood.at, _products(filled))
    return TabledPairs(i, j, tables, rho, empty)


def _fill(tables: Float2D, both_binary: Bool1D) -> tuple[Float2D, Bool1D]:
    corner = tables[:, :2, :2]
    empty = both_binary & ((corner == 0).sum(axis=(1, 2)) == 1)
    if not empty.any():
        return tables, empty
    filled = tables.copy()
    on_diagonal = (corner[:, 0, 0] == 0) | (corner[:, 1, 1] == 0)
    sign = np.where(on_diagonal, _ADDED, -_ADDED)[empty]
    filled[np.ix_(empty, [0, 1], [0, 1])] += sign[:, None, None] * np.array(
        [[1.0, -1.0], [-1.0, 1.0]]
    )
    return filled, empty


def _products(tables: Float2D) -> Float1D:
    """Product-moment correlations of the category numbers, shape (m,)."""
    size = tables.shape[1]
    levels = np.arange(size, dtype=np.float64)
    n = tables.sum(axis=(1, 2))
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    mean_i, mean_j = rows @ levels / n, columns @ levels / n
    joint = np.einsum("mab,a,b->m", tables, levels, levels) / n - mean_i * mean_j
    var_i = rows @ levels**2 / n - mean_i**2
    var_j = columns @ levels**2 / n - mean_j**2
    r: Float1D = joint / np.sqrt(np.maximum(var_i * var_j, np.finfo(np.float64).tiny))
    return r


def _corners(grid: Float2D) -> Float2D:
    """Differences over cells of values at their corners, 0 along the outer edge."""
    m, rows, columns = grid.shape
    padded = np.zeros((m, rows + 2, columns + 2))
    padded[:, 1:-1, 1:-1] = grid
    across = np.diff(padded, axis=1)
    return np.diff(across, axis=2)


class _Likelihood:
    """Log-likelihood of the tables as a function of the correlations."""

    def __init__(self, tables: Float2D, cuts_i: Float2D, cuts_j: Float2D) -> None:
        self.tables = tables
        self.n = tables.sum(axis=(1, 2))
        self.a = cuts_i[:, 1:-1, None]
        self.b = cuts_j[:, None, 1:-1]
        own_i, own_j = np.diff(ndtr(cuts_i)), np.diff(ndtr(cuts_j))
        self.independent = own_i[:, :, None] * own_j[:, None, :]

    def cells(self, rho: Float1D, at: Int1D) -> tuple[Float2D, Float2D, Float2D]:
        """Give probabilities of cells, and their first two derivatives."""
        a, b = self.a[at], self.b[at]
        probability = self.independent[at] + _corners(excess(a, b, rho))
        value, slope = density(a, b, rho)
        first, second = _corners(value), _corners(slope)
        low = probability < FLOOR
        probability[low] = FLOOR
        first[low] = second[low] = 0.0
        return probability, first, second

    def at(self, rho: Float1D, at: Int1D) -> tuple[Float1D, Float1D, Float1D]:
        """Give log-likelihood, score, and slope (minus information if positive)."""
        probability, first, second = self.cells(rho, at)
        tables = self.tables[at]
        ratio = first / probability
        value = (tables * np.log(probability)).sum(axis=(1, 2))
        score = (tables * ratio).sum(axis=(1, 2))
        slope = (tables * (second / probability - ratio * ratio)).sum(axis=(1, 2))
        information = self.n[at] * (first * ratio).sum(axis=(1, 2))
        tiny = np.finfo(np.float64).tiny
        slope = np.where(slope < 0, slope, -np.maximum(information, tiny))
        return value, score, slope


def tabled_influence(
    pairs: TabledPairs, cuts: Thresholds, *, exact: bool = False
) -> Float2D:
    """Tell what each two answers add to each correlation, shape (m, M + 1, M + 1).

    The last row and column are those of a missing answer: such a person still moves
    the thresholds on which the correlation rests.

    Parameters
    ----------
    pairs
        The correlations and their tables.
    cuts
        Thresholds of all variables.
    exact
        Take second derivatives as they are, which also holds where the variables
        behind the answers are not normal; else as normal variables have them.

    Notes
    -----
    Muthen (1984), with cross-products of scores for information as in lavaan: with s
    the score of rho in a cell, t that of the thresholds tau there, and IF(tau) their
    influence, IF(rho) = (s - sum(s t') IF(tau)) / sum(s^2). Exact: minus the summed
    derivatives of s by tau and by rho in place of sum(s t') and sum(s^2), the
    infinitesimal jackknife (White 1982, of two steps).
    """
    cuts_i, cuts_j = cuts.padded[pairs.i], cuts.padded[pairs.j]
    likelihood = _Likelihood(pairs.tables, cuts_i, cuts_j)
    probability, first, second = likelihood.cells(pairs.rho, np.arange(len(pairs.rho)))
    score = first / probability
    weight = pairs.tables * score / probability
    information = (pairs.tables * score * score).sum(axis=(1, 2))
    rho = pairs.rho[:, None, None]
    a, b = cuts_i[:, 1:-1, None], cuts_j[:, None, 1:-1]
    by_i = phi(a) * np.diff(conditional(cuts_j[:, None, :], a, rho), axis=2)
    by_j = phi(b) * np.diff(conditional(cuts_i[:, :, None], b, rho), axis=1)
    cross_i = -(by_i * np.diff(weight, axis=1)).sum(axis=2)
    cross_j = -(by_j * np.diff(weight, axis=2)).sum(axis=1)
    if exact:
        # What is expected to vanish, and does not where normality fails.
        share = np.where(probability > FLOOR, pairs.tables / probability, 0.0)
        information = information - (share * second).sum(axis=(1, 2))
        bend_i, bend_j = _density_slopes(a, b, pairs.rho)
        cross_i += (np.diff(bend_i, axis=2) * np.diff(share, axis=1)).sum(axis=2)
        cross_j += (np.diff(bend_j, axis=1) * np.diff(share, axis=2)).sum(axis=1)
    size = score.shape[1]
    influence = np.zeros((len(rho), size + 1, size + 1))
    influence[:, :size, :size] = score
    own_i = np.einsum("ma,mka->mk", cross_i, cuts.influence[pairs.i])
    own_j = np.einsum("ma,mka->mk", cross_j, cuts.influence[pairs.j])
    influence -= own_i[:, :, None]
    influence -= own_j[:, None, :]
    influence /= information[:, None, None]
    return influence


def _density_slopes(a: Float2D, b: Float2D, rho: Float1D) -> tuple[Float2D, Float2D]:
    """Differentiate the density by its limits.

    Returns
    -------
    tuple
        By a, shape (m, M - 1, M + 1), and by b, shape (m, M + 1, M - 1); 0 where the
        other limit is at infinity.
    """
    r = rho[:, None, None]
    value = density(a, b, rho)[0] / ((1 - r) * (1 + r))
    by_a, by_b = (r * b - a) * value, (r * a - b) * value
    ends = (1, 1)
    return (
        np.pad(by_a, ((0, 0), (0, 0), ends)),
        np.pad(by_b, ((0, 0), ends, (0, 0))),
    )
