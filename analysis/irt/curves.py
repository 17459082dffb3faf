"""The graded response model: probabilities of answers, their slopes, information.

An item with K categories has one slope and K - 1 intercepts that fall:
``P(answer >= k | theta) = logistic(slope * theta + intercept_k)``. A category lies
between two such curves, `upper` and `lower` (Samejima 1969). Everything is written in
logistic functions and in the gap between the two curves, which does not depend on
theta, so that nothing cancels in the tails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, log_expit

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """Parameters of one item.

    Attributes
    ----------
    slope
        How steeply the answers follow the trait.
    intercepts
        Shape (K - 1,), strictly falling.
    """

    slope: float
    intercepts: Float1D

    @property
    def n_categories(self) -> int:
        """Number of categories."""
        return len(self.intercepts) + 1

    @property
    def thresholds(self) -> Float1D:
        """Where ``P(answer >= k)`` is one half, shape (K - 1,)."""
        return -self.intercepts / self.slope


@dataclass(frozen=True, slots=True, eq=False)
class Derivatives:
    """Derivatives of log P(category | theta) by the two curves that bound it.

    Attributes
    ----------
    upper, lower
        First derivatives, shape (K, n_theta); `upper` is zero in the lowest category,
        `lower` in the highest.
    upper2, lower2
        Second derivatives, same shape.
    both
        Mixed derivative, shape (K,).
    """

    upper: Float2D
    lower: Float2D
    upper2: Float2D
    lower2: Float2D
    both: Float1D


def _bounds(item: Item, theta: Float1D) -> tuple[Float2D, Float2D, Float1D]:
    """Give the upper and lower curve of each category and the gap between them."""
    edges = np.concatenate([[np.inf], item.intercepts, [-np.inf]])
    line = item.slope * theta
    return edges[:-1, None] + line, edges[1:, None] + line, edges[:-1] - edges[1:]


def log_probability(item: Item, theta: Float1D) -> Float2D:
    """Log of P(category | theta), shape (K, n_theta); finite everywhere.

    Notes
    -----
    ``logistic(u) - logistic(v) = logistic(u) logistic(-v) (1 - exp(v - u))``.
    """
    upper, lower, gap = _bounds(item, theta)
    found: Float2D = (
        log_expit(upper) + log_expit(-lower) + np.log(-np.expm1(-gap))[:, None]
    )
    return found


def derivatives(item: Item, theta: Float1D) -> Derivatives:
    """Derive log P(category | theta) by its two curves, once and twice."""
    upper, lower, gap = _bounds(item, theta)
    above, below = expit(-upper), expit(lower)
    narrow = np.exp(-gap) / -np.expm1(-gap)
    both = narrow * (1 + narrow)
    inner = np.ones((item.n_categories, 1))
    first, last = inner.copy(), inner.copy()
    first[0], last[-1] = 0, 0
    return Derivatives(
        upper=first * (above + narrow[:, None]),
        lower=-last * (below + narrow[:, None]),
        upper2=-first * (above * (1 - above) + both[:, None]),
        lower2=-last * (below * (1 - below) + both[:, None]),
        both=both,
    )


def expected_answer(item: Item, theta: Float1D) -> Float1D:
    """Mean of the answer counted from zero, shape (n_theta,)."""
    found: Float1D = expit(item.slope * theta + item.intercepts[:, None]).sum(axis=0)
    return found


def information(item: Item, theta: Float1D) -> Float1D:
    """Fisher information of one answer on theta, shape (n_theta,).

    Notes
    -----
    Samejima (1969): sum over categories of P'^2 / P. Same as ``mirt::iteminfo``.
    """
    upper, lower, _ = _bounds(item, theta)
    pull = expit(-upper) - expit(lower)
    probability = np.exp(log_probability(item, theta))
    found: Float1D = item.slope**2 * (probability * pull**2).sum(axis=0)
    return found
