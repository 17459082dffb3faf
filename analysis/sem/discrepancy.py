"""How far the implied moments are from the sample moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.implied import Implied, Slopes
    from analysis.sem.moments import Moments


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Sample moments in units of their standard deviations.

    The discrepancy does not depend on the units of the variables; correlations keep
    all digits when variances differ by orders of magnitude.

    Attributes
    ----------
    R
        Correlation matrix, shape (p, p).
    mean
        Means divided by `sd`, shape (p,).
    sd
        Standard deviations, shape (p,).
    logdet
        log|R|.
    means
        Whether means are modelled.
    """

    R: Float2D
    mean: Float1D
    sd: Float1D
    logdet: float
    means: bool

    @classmethod
    def of(cls, moments: Moments, *, means: bool) -> Target:
        """Standardise sample moments."""
        sd = np.sqrt(np.diag(moments.cov))
        R = moments.cov / np.outer(sd, sd)
        return cls(R, moments.mean / sd, sd, float(np.linalg.slogdet(R)[1]), means)

    def around(self, implied: Implied) -> Float2D:
        """Second moments about the implied means, in these units."""
        if not self.means:
            return self.R
        distance = self.mean - implied.mean / self.sd
        return self.R + np.outer(distance, distance)

    def scaled(self, cov: Float2D) -> Float2D:
        """Bring an implied covariance matrix to these units."""
        return cov / np.outer(self.sd, self.sd)


def f_ml(target: Target, implied: Implied) -> float:
    """Maximum-likelihood discrepancy; 0 when implied and sample moments are equal.

    Infinite when Sigma is not positive definite.

    Notes
    -----
    Joreskog (1967): log|Sigma| + tr(S Sigma^-1) - log|S| - p, and with means plus
    (ybar - mu)' Sigma^-1 (ybar - mu).
    """
    Sigma = target.scaled(implied.cov)
    lower = _cholesky(Sigma)
    if lower is None:
        return float("inf")
    logdet = 2 * np.log(np.diag(lower)).sum()
    trace = np.trace(np.linalg.solve(Sigma, target.around(implied)))
    return float(logdet + trace - target.logdet - len(Sigma))


def gradient(target: Target, implied: Implied, slopes: Slopes) -> Float1D:
    """Gradient of `f_ml` by theta, shape (n_free,)."""
    inverse = _inverse(target.scaled(implied.cov))
    units = slopes.divided(target.sd)
    slope = units.along(inverse - inverse @ target.around(implied) @ inverse)
    if target.means:
        distance = target.mean - implied.mean / target.sd
        slope = slope - 2 * units.mean.T @ inverse @ distance
    return slope


def curvature(target: Target, implied: Implied, slopes: Slopes) -> Float2D:
    """Compute expected second derivatives of `f_ml`, shape (n_free, n_free)."""
    inverse = _inverse(target.scaled(implied.cov))
    units = slopes.divided(target.sd)
    found = units.curvature(inverse)
    if target.means:
        found = found + 2 * units.mean.T @ inverse @ units.mean
    return found


def _inverse(cov: Float2D) -> Float2D:
    return np.linalg.inv(cov).astype(np.float64)


def _cholesky(cov: Float2D) -> Float2D | None:
    if not np.isfinite(cov).all():
        return None
    try:
        return np.linalg.cholesky(cov).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
