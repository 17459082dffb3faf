"""What is to be minimised: the discrepancies of all groups, in free coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.sem.casewise import gamma, middle, moment_scores
from analysis.sem.discrepancy import (
    Discrepancy,
    LeastSquares,
    NormalLikelihood,
    PatternLikelihood,
    Target,
)
from analysis.sem.matrices import Layout
from analysis.sem.missing import Patterns, information
from analysis.sem.pairs import inverse, normal_weight
from analysis.sem.partable import Reparameterisation, Restrictions, reparameterise
from analysis.sem.stack import sample_vector, stack_of

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.estimators import Method
    from analysis.sem.moments import Moments
    from analysis.sem.partable import ParameterTable
    from analysis.sem.syntax import ModelSyntax


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A model and the sample moments of its groups.

    Attributes
    ----------
    table
        The parameters.
    method
        How they are estimated.
    moments
        Sample moments, one a group.
    layouts
        The map from theta to the matrices, one a group.
    discrepancies
        One a group.
    coordinates
        The unconstrained coordinates z that labels and linear constraints leave.
    restrictions
        Constraints that remain.
    gammas
        Asymptotic covariance of the moments of each group, where the method needs it.
    """

    table: ParameterTable
    method: Method
    moments: tuple[Moments, ...]
    layouts: tuple[Layout, ...]
    discrepancies: tuple[Discrepancy, ...]
    coordinates: Reparameterisation
    restrictions: Restrictions
    gammas: tuple[Float2D, ...]

    @property
    def n_obs(self) -> int:
        """Number of rows used, of all groups."""
        return sum(m.n_obs for m in self.moments)

    @property
    def shares(self) -> Float1D:
        """Share of each group in all rows, shape (n_groups,)."""
        return np.array([m.n_obs for m in self.moments]) / self.n_obs

    @property
    def multipliers(self) -> Float1D:
        """What makes each group's discrepancy a chi-square: N, or N - 1."""
        n = np.array([m.n_obs for m in self.moments], dtype=np.float64)
        return n - 1 if self.method.unbiased else n

    @property
    def divisor(self) -> int:
        """What the variances of estimates are divided by: N, or N minus groups."""
        return self.n_obs - (len(self.moments) if self.method.unbiased else 0)

    @property
    def pull(self) -> Float1D:
        """Weight of each group in what is minimised, shape (n_groups,).

        Its share; with least squares (N_g - 1) / N, as lavaan has it.
        """
        if not self.method.least_squares:
            return self.shares
        return np.array([m.n_obs - 1 for m in self.moments]) / self.n_obs

    @property
    def score_rows(self) -> int:
        """What makes a squared score a chi-square: the rows that `pull` left out."""
        return self.n_obs if self.method.least_squares else self.divisor

    @property
    def size(self) -> int:
        """Number of observed variables."""
        return len(self.table.observed)

    def value(self, z: Float1D) -> float:
        """Discrepancy at z; infinite where Sigma is not positive definite."""
        return self.at(self.coordinates.theta(z))

    def at(self, theta: Float1D) -> float:
        """Discrepancy at theta, groups weighted by their `pull`."""
        with np.errstate(all="ignore"):
            try:
                found = [d.value(theta) for d in self.discrepancies]
            except np.linalg.LinAlgError:
                return float("inf")
        total = float(self.pull @ np.array(found))
        return total if np.isfinite(total) else float("inf")

    def each(self, theta: Float1D) -> Float1D:
        """Discrepancy of each group, not below 0, shape (n_groups,)."""
        return np.array([max(d.value(theta), 0.0) for d in self.discrepancies])

    def gradient(self, z: Float1D) -> Float1D:
        """Gradient of `value`, shape (n_coordinates,)."""
        return self.coordinates.basis.T @ self.slope(self.coordinates.theta(z))

    def slope(self, theta: Float1D) -> Float1D:
        """Gradient by theta, shape (n_free,)."""
        parts = [d.gradient(theta) for d in self.discrepancies]
        found: Float1D = self.pull @ np.stack(parts)
        return found

    def curvature(self, z: Float1D) -> Float2D:
        """Compute the expected second derivatives of `value`, up to its weights."""
        bend = self.bend(self.coordinates.theta(z), observed=False)
        basis = self.coordinates.basis
        found: Float2D = basis.T @ bend @ basis
        return found

    def descent(self, z: Float1D) -> tuple[Float1D, Float2D]:
        """Gradient and expected second derivatives of `value`, computed together."""
        theta, basis = self.coordinates.theta(z), self.coordinates.basis
        parts = [d.descent(theta) for d in self.discrepancies]
        slope: Float1D = self.pull @ np.stack([p[0] for p in parts])
        bend = np.zeros((len(theta), len(theta)))
        for share, part in zip(self.pull, parts, strict=True):
            bend += share * part[1]
        return basis.T @ slope, basis.T @ bend @ basis

    def bend(self, theta: Float1D, *, observed: bool) -> Float2D:
        """Second derivatives by theta, expected or observed, (n_free, n_free).

        Expected ones are the information, which weighs groups by their shares; those
        observed are of `value`.
        """
        parts = [
            d.hessian(theta) if observed else d.curvature(theta)
            for d in self.discrepancies
        ]
        weights = self.pull if observed else self.shares
        found: Float2D = np.einsum("g,gkl->kl", weights, np.stack(parts))
        return found


def pose(
    table: ParameterTable,
    model: ModelSyntax,
    moments: tuple[Moments, ...],
    method: Method,
    gammas: tuple[Float2D, ...] | None = None,
) -> Problem:
    """Put model and data together.

    `gammas` are those of another model of the same moments; computed when left out.
    """
    layouts = tuple(Layout.of(table, g + 1) for g in range(len(table.groups)))
    if gammas is None:
        gammas = gammas_of(table, moments, method)
    pairs = zip(layouts, moments, gammas or (None,) * len(moments), strict=True)
    return Problem(
        table=table,
        method=method,
        moments=moments,
        layouts=layouts,
        discrepancies=tuple(_discrepancy(a, b, method, c) for a, b, c in pairs),
        coordinates=reparameterise(table, model),
        restrictions=Restrictions.of(table, model),
        gammas=gammas,
    )


def gammas_of(
    table: ParameterTable, moments: tuple[Moments, ...], method: Method
) -> tuple[Float2D, ...]:
    """Asymptotic covariance matrices of the moments; empty when not needed."""
    if table.categories:
        return tuple(m.mixed.gamma for m in moments if m.mixed is not None)  # type: ignore[misc]
    if not method.needs_gamma:
        return ()
    if method.errors == "two_stage":
        robust = method.missing == "robust_two_stage"
        return tuple(incomplete_gamma(m, robust=robust) for m in moments)
    x = tuple(table.observed.index(n) for n in table.exogenous)
    means = table.meanstructure
    return tuple(gamma(m, means=means, exogenous=x) for m in moments)


def incomplete_gamma(moments: Moments, *, robust: bool) -> Float2D:
    """Asymptotic covariance of maximum-likelihood moments of incomplete rows.

    Notes
    -----
    Savalei & Bentler (2009); robust: Savalei & Falk (2014).
    """
    if moments.patterns is None:
        raise ValueError("moments without patterns")
    found = information(moments.patterns, moments.mean, moments.cov, observed=True)
    spread = inverse(found)
    if not robust:
        return spread
    scores = moment_scores(moments, moments.mean, moments.cov, means=True)
    return spread @ middle(scores, moments) @ spread


def _discrepancy(
    layout: Layout, moments: Moments, method: Method, asymptotic: Float2D | None
) -> Discrepancy:
    if method.discrepancy == "FIML":
        return PatternLikelihood.of(layout, moments)
    if method.discrepancy == "ML":
        means = layout.table.meanstructure
        return NormalLikelihood(layout, Target.of(moments, means=means))
    stack = stack_of(layout)
    sample = sample_vector(stack, moments)
    weight: Float1D | Float2D
    if method.discrepancy == "ULS":
        weight = np.ones(len(sample))
    elif method.discrepancy == "GLS" or asymptotic is None:
        weight = normal_moment_weight(moments.cov, means=layout.table.meanstructure)
    elif method.discrepancy == "DWLS":
        weight = 1 / np.diag(asymptotic)
    else:
        weight = inverse(asymptotic)
    return LeastSquares(stack, sample, weight)


def normal_moment_weight(cov: Float2D, *, means: bool) -> Float2D:
    """Information of one normal row about means, where modelled, and covariances."""
    precision = inverse(cov)
    weight = normal_weight(precision)
    if not means:
        return weight
    p, k = len(cov), len(weight)
    found = np.zeros((p + k, p + k))
    found[:p, :p], found[p:, p:] = precision, weight
    return found


def observed_moment_weight(
    moments: Moments, mean: Float1D, cov: Float2D, *, means: bool
) -> Float2D:
    """Observed information of one row about means, where modelled, and covariances.

    At `mean` and `cov`, which need not be the sample's.
    """
    patterns = moments.patterns or Patterns.complete(
        moments.n_obs, moments.mean, moments.cov
    )
    found = information(patterns, mean, cov, observed=True)
    return found if means else found[len(mean) :, len(mean) :]
