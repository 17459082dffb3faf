"""How far the implied moments of one group are from its sample moments.

Each discrepancy is zero where the two agree, and N (or N - 1) times its minimum is the
chi-square statistic. Its value, gradient and curvature are functions of theta.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analysis.sem.implied import filled, implied, slopes
from analysis.sem.missing import information, minus_two_logl, slope
from analysis.sem.pairs import vech
from analysis.sem.partable.values import as_complex

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.implied import Implied, Slopes
    from analysis.sem.matrices import Layout
    from analysis.sem.missing import Patterns
    from analysis.sem.moments import Moments
    from analysis.sem.stack import Stack

_STEP = 1e-20


class Discrepancy(Protocol):
    """The discrepancy of one group as a function of theta, shape (n_free,)."""

    @property
    def layout(self) -> Layout:
        """The map from theta to the matrices of the group."""
        ...

    def value(self, theta: Float1D) -> float:
        """Discrepancy; infinite where the moments are impossible."""
        ...

    def gradient(self, theta: Float1D) -> Float1D:
        """First derivatives, shape (n_free,)."""
        ...

    def curvature(self, theta: Float1D) -> Float2D:
        """Compute expected second derivatives, shape (n_free, n_free)."""
        ...

    def descent(self, theta: Float1D) -> tuple[Float1D, Float2D]:
        """Gradient and curvature, computed together."""
        ...

    def hessian(self, theta: Float1D) -> Float2D:
        """Second derivatives, shape (n_free, n_free)."""
        ...


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
        sd = moments.sd
        R = moments.cov / np.outer(sd, sd)
        return cls(R, moments.mean / sd, sd, float(np.linalg.slogdet(R)[1]), means)

    def around(self, implied: Implied) -> Float2D:
        """Second moments about the implied means, in these units."""
        if not self.means:
            return self.R
        distance = self.distance(implied)
        return self.R + np.outer(distance, distance)

    def distance(self, implied: Implied) -> Float1D:
        """Sample minus implied means, in these units; zero without means."""
        if not self.means:
            return np.zeros(len(self.sd), dtype=implied.mean.dtype)
        return self.mean - implied.mean / self.sd

    def scaled(self, cov: Float2D) -> Float2D:
        """Bring an implied covariance matrix to these units."""
        return cov / np.outer(self.sd, self.sd)


@dataclass(frozen=True, slots=True, eq=False)
class NormalLikelihood:
    """Maximum likelihood for complete rows.

    Notes
    -----
    Joreskog (1967): log|Sigma| + tr(S Sigma^-1) - log|S| - p, and with means plus
    (ybar - mu)' Sigma^-1 (ybar - mu).
    """

    layout: Layout
    target: Target

    def value(self, theta: Float1D) -> float:
        """Discrepancy; infinite when Sigma is not positive definite."""
        found = implied(filled(self.layout, theta))
        Sigma = self.target.scaled(found.cov)
        lower = _cholesky(Sigma)
        if lower is None:
            return float("inf")
        logdet = 2 * np.log(np.diag(lower)).sum()
        trace = np.trace(np.linalg.solve(Sigma, self.target.around(found)))
        return float(logdet + trace - self.target.logdet - len(Sigma))

    def gradient(self, theta: Float1D) -> Float1D:
        """First derivatives, shape (n_free,)."""
        return self._slope(*self._parts(theta))

    def curvature(self, theta: Float1D) -> Float2D:
        """Compute expected second derivatives, shape (n_free, n_free)."""
        _, units, inverse = self._parts(theta)
        return self._bend(units, inverse)

    def descent(self, theta: Float1D) -> tuple[Float1D, Float2D]:
        """Gradient and curvature, computed together."""
        found, units, inverse = self._parts(theta)
        return self._slope(found, units, inverse), self._bend(units, inverse)

    def _slope(self, found: Implied, units: Slopes, inverse: Float2D) -> Float1D:
        middle = inverse @ self.target.around(found) @ inverse
        by_theta = units.along(inverse - middle)
        if self.target.means:
            force = inverse @ self.target.distance(found)
            by_theta = by_theta - 2 * units.mean.T @ force
        return by_theta

    def _bend(self, units: Slopes, inverse: Float2D) -> Float2D:
        found = units.curvature(inverse)
        if self.target.means:
            found = found + 2 * units.mean.T @ inverse @ units.mean
        return found

    def hessian(self, theta: Float1D) -> Float2D:
        """Second derivatives, shape (n_free, n_free)."""
        found, units, inverse = self._parts(theta)
        middle = inverse @ self.target.around(found) @ inverse
        bend = units.curvature(inverse, middle)
        bend = bend + bend.T - units.curvature(inverse)
        force = inverse @ self.target.distance(found)
        if self.target.means:
            cross = 2 * units.mean.T @ inverse @ units.against(force)
            bend = bend + cross + cross.T
            bend = bend + 2 * units.mean.T @ inverse @ units.mean

        def turning(at: Float1D) -> Float1D:
            moved = slopes(self.layout, filled(self.layout, at))
            moved = moved.divided(self.target.sd)
            along = moved.along(inverse - middle)
            return along - 2 * moved.mean.T @ force

        return bend + _turned(turning, theta)

    def _parts(self, theta: Float1D) -> tuple[Implied, Slopes, Float2D]:
        m = filled(self.layout, theta)
        found = implied(m)
        units = slopes(self.layout, m).divided(self.target.sd)
        inverse = np.linalg.inv(self.target.scaled(found.cov)).astype(theta.dtype)
        return found, units, inverse


@dataclass(frozen=True, slots=True, eq=False)
class PatternLikelihood:
    """Maximum likelihood for incomplete rows (full information).

    Attributes
    ----------
    patterns
        Patterns of missing answers, in units of `sd`.
    sd
        Standard deviations that bring variables to these units, shape (p,).
    saturated
        Minus two log-likelihood of the saturated model, in these units.
    """

    layout: Layout
    patterns: Patterns
    sd: Float1D
    saturated: float

    @classmethod
    def of(cls, layout: Layout, moments: Moments) -> PatternLikelihood:
        """Standardise the patterns of a group."""
        if moments.patterns is None:
            raise ValueError("moments without patterns")
        sd = moments.sd
        patterns = replace(
            moments.patterns,
            mean=moments.patterns.mean / sd,
            scatter=moments.patterns.scatter / np.outer(sd, sd),
        )
        R = moments.cov / np.outer(sd, sd)
        saturated = minus_two_logl(patterns, moments.mean / sd, R)
        return cls(layout, patterns, sd, saturated)

    def value(self, theta: Float1D) -> float:
        """Discrepancy; infinite when Sigma is not positive definite."""
        mean, cov = self._moments(theta)
        if not np.isfinite(cov).all():
            return float("inf")
        found = minus_two_logl(self.patterns, mean, cov)
        return (found - self.saturated) / self.patterns.total

    def gradient(self, theta: Float1D) -> Float1D:
        """First derivatives, shape (n_free,)."""
        mean, cov = self._moments(theta)
        by_mean, by_cov = slope(self.patterns, mean, cov)
        units = self._slopes(theta)
        by_theta: Float1D = units.along(by_cov) + units.mean.T @ by_mean
        return by_theta / self.patterns.total

    def curvature(self, theta: Float1D) -> Float2D:
        """Second derivatives expected given which variables are answered."""
        return self._bend(theta, observed=False)

    def descent(self, theta: Float1D) -> tuple[Float1D, Float2D]:
        """Gradient and curvature."""
        return self.gradient(theta), self.curvature(theta)

    def hessian(self, theta: Float1D) -> Float2D:
        """Second derivatives, shape (n_free, n_free)."""
        mean, cov = self._moments(theta)
        by_mean, by_cov = slope(self.patterns, mean, cov)

        def turning(at: Float1D) -> Float1D:
            moved = self._slopes(at)
            return moved.along(by_cov) + moved.mean.T @ by_mean

        turned = _turned(turning, theta) / self.patterns.total
        return self._bend(theta, observed=True) + turned

    def _moments(self, theta: Float1D) -> tuple[Float1D, Float2D]:
        found = implied(filled(self.layout, theta))
        return found.mean / self.sd, found.cov / np.outer(self.sd, self.sd)

    def _slopes(self, theta: Float1D) -> Slopes:
        return slopes(self.layout, filled(self.layout, theta)).divided(self.sd)

    def _bend(self, theta: Float1D, *, observed: bool) -> Float2D:
        mean, cov = self._moments(theta)
        units = self._slopes(theta)
        weight = information(self.patterns, mean, cov, observed=observed)
        by_theta = np.vstack([units.mean, units.elements(*vech(len(cov)))])
        found: Float2D = 2 * by_theta.T @ weight @ by_theta
        return found


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """Weighted least squares of a vector of moments.

    Attributes
    ----------
    stack
        The map from theta to the vector of implied moments.
    sample
        The vector of sample moments, shape (k,).
    weight
        Shape (k,) for a diagonal weight matrix, or (k, k).

    Notes
    -----
    Browne (1984): (s - sigma)' W (s - sigma).
    """

    stack: Stack
    sample: Float1D
    weight: Float1D | Float2D

    @property
    def layout(self) -> Layout:
        """The map from theta to the matrices of the group."""
        return self.stack.layout

    def value(self, theta: Float1D) -> float:
        """Discrepancy; infinite where the moments are not finite."""
        residual = self.sample - self.stack.vector(theta)
        if not np.isfinite(residual).all():
            return float("inf")
        return float(residual @ weighted(self.weight, residual))

    def gradient(self, theta: Float1D) -> Float1D:
        """First derivatives, shape (n_free,)."""
        return self._slope(theta, self.stack.jacobian(theta))

    def curvature(self, theta: Float1D) -> Float2D:
        """Second derivatives without those of the moments (Gauss-Newton)."""
        return self._bend(self.stack.jacobian(theta))

    def descent(self, theta: Float1D) -> tuple[Float1D, Float2D]:
        """Gradient and curvature, computed together."""
        by_theta = self.stack.jacobian(theta)
        return self._slope(theta, by_theta), self._bend(by_theta)

    def _slope(self, theta: Float1D, by_theta: Float2D) -> Float1D:
        residual = self.sample - self.stack.vector(theta)
        slope: Float1D = -2 * (weighted(self.weight, residual) @ by_theta)
        return slope

    def _bend(self, by_theta: Float2D) -> Float2D:
        if self.weight.ndim == 1:
            half = np.sqrt(self.weight)[:, None] * by_theta
            bend: Float2D = 2 * (half.T @ half)
            return bend
        found: Float2D = 2 * by_theta.T @ self.weight @ by_theta
        return found

    def hessian(self, theta: Float1D) -> Float2D:
        """Second derivatives, shape (n_free, n_free)."""
        force = weighted(self.weight, self.sample - self.stack.vector(theta))

        def turning(at: Float1D) -> Float1D:
            return -2 * (force @ self.stack.jacobian(at))

        return self.curvature(theta) + _turned(turning, theta)


def weighted(weight: Float1D | Float2D, values: Float2D) -> Float2D:
    """Weight matrix times values; a vector stands for a diagonal matrix."""
    if weight.ndim == 1:
        return weight[:, None] * values if values.ndim > 1 else weight * values
    found: Float2D = weight @ values
    return found


def _turned(function, theta: Float1D) -> Float2D:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Jacobian of a gradient with fixed forces, by complex steps, made symmetric."""
    columns = []
    for k in range(len(theta)):
        moved = as_complex(theta)
        moved[k] += 1j * _STEP
        columns.append(np.imag(function(moved)) / _STEP)
    found = np.stack(columns, axis=1) if columns else np.zeros((0, 0))
    half: Float2D = (found + found.T) / 2
    return half


def _cholesky(cov: Float2D) -> Float2D | None:
    if not np.isfinite(cov).all():
        return None
    try:
        return np.linalg.cholesky(cov).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
