"""In which order the sample moments of one group stand in a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Int1D


@dataclass(frozen=True, slots=True, eq=False)
class MomentOrder:
    """Positions in the vector of moments.

    Attributes
    ----------
    thresholds
        Of the thresholds of each variable, or of its mean if it is numeric.
    slope
        Of the slopes of each variable on the predictors, shape (p, q).
    variance
        Of the variance of each numeric variable, shape (p,); -1 for ordered ones.
    pair
        Of the correlation or covariance of each two, shape (p, p), symmetric; -1 on
        the diagonal.
    size
        Length of the vector.
    """

    thresholds: tuple[slice, ...]
    slope: Int1D
    variance: Int1D
    pair: Int1D
    size: int

    @classmethod
    def of(cls, n_first: Int1D, n_predictors: int, *, numeric: Int1D) -> MomentOrder:
        """Lay out variables with `n_first` thresholds each; `numeric` are positions."""
        p = len(n_first)
        ends = np.cumsum(n_first)
        starts = ends - n_first
        at = int(ends[-1])
        slope = at + np.arange(p * n_predictors).reshape(p, n_predictors)
        at += slope.size
        variance = np.full(p, -1)
        variance[numeric] = at + np.arange(len(numeric))
        at += len(numeric)
        pair = np.full((p, p), -1)
        i, j = np.triu_indices(p, 1)
        pair[i, j] = pair[j, i] = at + np.arange(len(i))
        slices = tuple(slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True))
        return cls(slices, slope, variance, pair, at + len(i))

    def own(self, j: int) -> Int1D:
        """Give positions of what is variable j's alone: first, slopes, variance."""
        part = self.thresholds[j]
        first = np.arange(part.start, part.stop)
        variance = self.variance[j : j + 1]
        return np.concatenate([first, self.slope[j], variance[variance >= 0]])
