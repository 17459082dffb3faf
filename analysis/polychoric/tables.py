"""Answers as categories: thresholds, and all two-way tables in one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri

from analysis.polychoric.normal import EDGE, phi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D, Int1D

# Rows at a time: their indicators stay in the processor's cache, and float32 counts
# stay exact (they are below 2^24).
CHUNK: Final = 8192
# Stands for a missing answer among small whole numbers.
_MISSING: Final = 255


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Answers numbered from 0 within each variable.

    Attributes
    ----------
    codes
        Shape (n, p); `missing` where there is no answer.
    n_categories
        Number of categories of each variable, shape (p,).
    categories
        The answers they stand for, from low to high.
    missing
        The number that stands for a missing answer: the largest `n_categories`.
    weights
        Weight of each row, shape (n,), or None.
    """

    codes: Int1D
    n_categories: Int1D
    categories: tuple[Float1D, ...]
    missing: int
    weights: Float1D | None

    @classmethod
    def of(cls, x: Float2D, weights: Float1D | None = None) -> Coded:
        """Code each column of `x`, shape (n, p), NaN where missing."""
        found = [_numbered(column) for column in x.T]
        sizes = np.array([len(known) for known, _ in found], dtype=np.int_)
        missing = int(sizes.max(initial=0))
        codes = np.empty(x.shape, dtype=np.uint8 if missing < _MISSING else np.intp)
        for j, (_, code) in enumerate(found):
            codes[:, j] = np.where(code < 0, missing, code)
        return cls(codes, sizes, tuple(known for known, _ in found), missing, weights)

    def chunks(self, size: int = CHUNK) -> Iterator[slice]:
        """Rows, `size` at a time."""
        n = len(self.codes)
        return (slice(at, min(at + size, n)) for at in range(0, n, size))


def _numbered(column: Float1D) -> tuple[Float1D, Int1D]:
    """Categories, and the number of each answer among them (-1 where missing)."""
    lowest, highest = np.nanmin(column, initial=0), np.nanmax(column, initial=0)
    if lowest >= 0 and highest < _MISSING:
        raw = np.where(np.isnan(column), _MISSING, column).astype(np.intp)
        if (raw == column).sum() == np.count_nonzero(raw != _MISSING):
            return _counted(raw)
    seen = ~np.isnan(column)
    values, inverse = np.unique(column[seen], return_inverse=True)
    code = np.full(len(column), -1, dtype=np.intp)
    code[seen] = inverse
    return values, code


def _counted(raw: Int1D) -> tuple[Float1D, Int1D]:
    """Code small whole answers by counting, which is quicker than sorting."""
    counts = np.bincount(raw, minlength=_MISSING + 1)[:_MISSING]
    known = np.flatnonzero(counts)
    number = np.full(_MISSING + 1, -1, dtype=np.intp)
    number[known] = np.arange(len(known))
    return known.astype(np.float64), number[raw]


def pair_counts(coded: Coded) -> Float2D:
    """Count all two-way tables, shape (p, M, p, M) with M the most categories.

    Entry [i, a, j, b] is the (weighted) number of people who chose a in i and b in j;
    the diagonal blocks hold the frequencies of each variable.
    """
    n, p = coded.codes.shape
    size = coded.missing
    kind = np.float32 if coded.weights is None else np.float64
    total = np.zeros((p * size, p * size))
    levels = np.arange(size, dtype=coded.codes.dtype)
    for rows in coded.chunks(min(CHUNK, max(1, n))):
        chosen = coded.codes[rows, :, None] == levels
        hot = chosen.reshape(len(chosen), p * size).astype(kind)
        if coded.weights is not None:
            hot *= np.sqrt(coded.weights[rows])[:, None]
        total += hot.T @ hot
    return total.reshape(p, size, p, size)


@dataclass(frozen=True, slots=True, eq=False)
class Thresholds:
    """Where the categories of each variable part, in normal units.

    Attributes
    ----------
    padded
        Shape (p, M + 1): -EDGE, the thresholds, then EDGE.
    influence
        What each answer adds to each threshold, shape (p, M + 1, M - 1); 0 for a
        missing answer (last row) and for thresholds a variable does not have.
    """

    padded: Float2D
    influence: Float2D

    def of(self, j: int, n_categories: int) -> Float1D:
        """Return the thresholds of variable j."""
        return self.padded[j, 1:n_categories].copy()


def thresholds(counts: Float2D, n_categories: Int1D) -> Thresholds:
    """Take normal quantiles of the cumulative proportions of each variable.

    Parameters
    ----------
    counts
        Two-way tables as from `pair_counts`.
    n_categories
        Number of categories, shape (p,).

    Notes
    -----
    Olsson (1979), the first of two steps. The influence is that of the maximum
    likelihood estimate, (1[answer <= a] - P_a) / (n phi(tau_a)); summed squares of it
    are the inverse information of Muthen (1984).
    """
    p, size = counts.shape[:2]
    at = np.arange(p)
    frequencies = counts[at, :, at, :][:, np.arange(size), np.arange(size)]
    n = frequencies.sum(axis=1)
    below = np.cumsum(frequencies, axis=1)[:, :-1] / n[:, None]
    own = np.arange(size - 1) < (n_categories - 1)[:, None]
    cuts = np.where(own, ndtri(np.where(own, below, 0.5)), EDGE)
    padded = np.full((p, size + 1), EDGE)
    padded[:, 0] = -EDGE
    padded[:, 1:-1] = cuts
    influence = np.zeros((p, size + 1, size - 1))
    steps = np.arange(size)[:, None] <= np.arange(size - 1)
    weight = np.where(own, 1 / (n[:, None] * phi(np.where(own, cuts, 0.0))), 0.0)
    influence[:, :size] = (steps - below[:, None, :]) * weight[:, None, :]
    return Thresholds(padded, influence)
