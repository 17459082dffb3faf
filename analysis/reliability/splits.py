"""Splits of items in two halves: all of them, random ones, and the best one.

A split is a vector of signs s, 1 for one half and -1 for the other. The Guttman
coefficient 4 cov(A, B) / var(A + B) is then 1 - s'Ss / 1'S1.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D

# More splits than this are sampled.
MOST_SPLITS = 400_000
# Best splits from which swaps of two items are tried, when not all are seen.
CLIMBS = 20
# Gain that is more than rounding.
GAIN = 1e-12


def number_of_splits(p: int) -> int:
    """Ways to halve p items; with an odd number the halves differ by one item."""
    return comb(p, p // 2) // (2 if p % 2 == 0 else 1)


def all_splits(p: int) -> Float2D:
    """Every split once, shape (n_splits, p); the smaller half has signs of 1."""
    half = p // 2
    # With equal halves the last item stays in the second one, so none is twice there.
    free = p - 1 if p % 2 == 0 else p
    masks = np.arange(1 << free, dtype=np.uint32)
    size = sum(((masks >> np.uint32(k)) & 1 for k in range(free)), np.zeros_like(masks))
    masks = masks[size == half]
    bits = (masks[:, None] >> np.arange(p, dtype=np.uint32)) & 1
    signs: Float2D = np.where(bits == 1, 1.0, -1.0)
    return signs


def random_splits(p: int, draws: int, rng: np.random.Generator) -> Float2D:
    """Random splits, shape (draws, p)."""
    start = np.where(np.arange(p) < p // 2, 1.0, -1.0)
    signs: Float2D = rng.permuted(np.tile(start, (draws, 1)), axis=1)
    return signs


def guttman(signs: Float2D, S: Float2D) -> Float1D:
    """Guttman coefficient of each split, shape (n_splits,).

    Notes
    -----
    Guttman (1945), lambda 4; equals the coefficients of Flanagan (1937) and Rulon
    (1939).
    """
    apart = np.einsum("ij,ij->i", signs @ S, signs)
    coefficients: Float1D = 1 - apart / S.sum()
    return coefficients


def climb(sign: Float1D, S: Float2D, *, highest: bool) -> Float1D:
    """Swap two items between the halves as long as that helps; shape (p,)."""
    s = sign.copy()
    towards = 1.0 if highest else -1.0
    while True:
        first, second = np.flatnonzero(s > 0), np.flatnonzero(s < 0)
        pull = s * (S @ s) - np.diag(S)
        # Swapping i and j lowers s'Ss by this.
        gain = 4 * (pull[first][:, None] + pull[second] + 2 * S[np.ix_(first, second)])
        gain *= towards
        i, j = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[i, j] <= GAIN * S.sum():
            return s
        s[first[i]], s[second[j]] = -1.0, 1.0


def extreme(
    signs: Float2D, coefficients: Float1D, S: Float2D, *, highest: bool, exact: bool
) -> Float1D:
    """Find the split with the highest or lowest coefficient, shape (p,).

    With `exact` all splits are in `signs`; otherwise the best of them are improved
    by swaps, which finds a local extreme.
    """
    order = np.argsort(-coefficients if highest else coefficients, kind="stable")
    if exact:
        return np.asarray(signs[order[0]])
    found = np.array([climb(signs[i], S, highest=highest) for i in order[:CLIMBS]])
    ends = guttman(found, S)
    best: Float1D = found[int(ends.argmax() if highest else ends.argmin())]
    return best
