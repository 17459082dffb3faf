"""Sample moments of ordered and numeric variables, as structural models need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.polychoric.order import MomentOrder


@dataclass(frozen=True, slots=True, eq=False)
class MixedMoments:
    """Thresholds, means, slopes, variances and correlations of one group.

    Attributes
    ----------
    names
        The variables.
    ordered
        Which of them are ordered, shape (p,).
    thresholds
        Of each variable, shape (K - 1,); empty for numeric ones.
    mean
        Shape (p,): 0 for ordered variables; for numeric ones the mean, or the
        intercept where there are predictors.
    slopes
        On the predictors, shape (p, q); of the probit regression for ordered ones.
    sd
        Standard deviation, or that of the residuals, divisor n; 1 for ordered ones;
        shape (p,).
    R
        Correlations, or those of the residuals, shape (p, p).
    n_obs
        Rows used.
    n_dropped
        Rows left out for missing answers.
    n_pair
        Fewest rows behind one correlation.
    counts
        Rows behind each correlation, shape (p, p); behind each variable on the
        diagonal.
    order
        Positions in `moments` and `gamma`.
    gamma
        n_obs times the asymptotic covariance of `moments`, shape (k, k), or None.
    std_error
        Standard errors of `moments`, shape (k,).
    empty_2x2
        Pairs of binary variables (i, j) whose table has one empty cell, which was
        given half a person; shape (m, 2).
    """

    names: tuple[str, ...]
    ordered: Bool1D
    thresholds: tuple[Float1D, ...]
    mean: Float1D
    slopes: Float2D
    sd: Float1D
    R: Float2D
    n_obs: int
    n_dropped: int
    n_pair: int
    counts: Int1D
    order: MomentOrder
    gamma: Float2D | None
    std_error: Float1D
    empty_2x2: Int1D

    @property
    def cov(self) -> Float2D:
        """R in the units of numeric variables, shape (p, p)."""
        return self.R * np.outer(self.sd, self.sd)

    @property
    def moments(self) -> Float1D:
        """All moments in one vector, shape (k,).

        For each variable its thresholds, or its mean if numeric; the slopes, variable
        by variable; the variances of numeric variables; the lower triangle column by
        column: correlations of two ordered variables, covariances elsewhere.
        """
        found = np.empty(self.order.size)
        for j, part in enumerate(self.order.thresholds):
            found[part] = self.thresholds[j] if self.ordered[j] else self.mean[j]
        found[self.order.slope] = self.slopes
        numeric = ~self.ordered
        found[self.order.variance[numeric]] = self.sd[numeric] ** 2
        upper = np.triu_indices(len(self.names), 1)
        found[self.order.pair[upper]] = self.cov[upper]
        return found
