"""Standard errors of aligned parameters, by the delta method.

The optimum is a function of the configural estimates: where the slope of the loss is
zero it stays zero, so that d units = -H^-1 (d slope / d values) d values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.sem.alignment.loss import aligned, slope
from analysis.sem.partable.values import as_complex, complex_jacobian

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.alignment.pattern import Pattern
    from analysis.sem.alignment.search import Task

# Curvature, as a share of the largest, below which a direction is not determined.
_FLAT: Final = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Aligned parameters of one factor, in units of the reference group.

    Attributes
    ----------
    means, variances
        Of the factor, shape (n_groups,).
    terms
        Loadings and locations, shape (n_terms, n_groups).
    covariance
        Of means, variances and terms in this order; NaN where the optimum is not
        determined. Shape (n_groups * (2 + n_terms), same).
    """

    means: Float1D
    variances: Float1D
    terms: Float2D
    covariance: Float2D

    @property
    def mean_cov(self) -> Float2D:
        """Covariance of the means, shape (n_groups, n_groups)."""
        return self._block(0)

    @property
    def variance_cov(self) -> Float2D:
        """Covariance of the variances, shape (n_groups, n_groups)."""
        return self._block(1)

    def term_cov(self, k: int) -> Float2D:
        """Covariance of a term's values in the groups, shape (n_groups, n_groups)."""
        return self._block(2 + k)

    def _block(self, k: int) -> Float2D:
        n = len(self.means)
        at = slice(k * n, (k + 1) * n)
        return self.covariance[at, at]


def align(
    task: Task, units: Float1D, reference: int, slopes: Float2D, vcov: Float2D
) -> Aligned:
    """Bring an optimum to the units of the reference group, with its precision.

    Parameters
    ----------
    task, units
        What was aligned, and its optimum.
    reference
        The group whose factor variance becomes 1.
    slopes
        Derivatives of `task.given` by the free parameters, (n_values, n_free).
    vcov
        Covariance of the free parameters, (n_free, n_free).
    """
    pattern = task.pattern
    g = pattern.n_groups

    def by_values(values: Float1D) -> Float1D:
        return slope(pattern, values, as_complex(units), task.weights, task.epsilon)

    def outcome(every: Float1D) -> Float1D:
        return _outcome(pattern, every[2 * g :], every[: 2 * g], reference)

    point = np.concatenate([units, task.given])
    found = outcome(point)
    curvature = task.curvature(units)
    eigenvalues = np.linalg.eigvalsh(curvature)
    if eigenvalues[0] <= _FLAT * eigenvalues[-1]:
        covariance = np.full((len(found), len(found)), np.nan)
    else:
        move = task.directions
        pull = move.T @ complex_jacobian(by_values, task.given) @ slopes
        moved = -move @ np.linalg.solve(curvature, pull)
        total = complex_jacobian(outcome, point) @ np.concatenate([moved, slopes])
        covariance = total @ vcov @ total.T
    return Aligned(
        found[:g], found[g : 2 * g], found[2 * g :].reshape(-1, g), covariance
    )


def _outcome(
    pattern: Pattern, values: Float1D, units: Float1D, reference: int
) -> Float1D:
    """Means, variances and terms with variance 1 in the reference group, in a row."""
    g = pattern.n_groups
    alpha, s = units[:g], units[g:]
    alpha, s = alpha / np.exp(s[reference]), s - s[reference]
    terms = aligned(pattern, values, np.concatenate([alpha, s]))
    return np.concatenate([alpha, np.exp(2 * s), terms.ravel()])
