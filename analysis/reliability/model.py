"""What a fitted measurement model says of its items, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AnalysisError
from analysis.reliability.intervals import delta_errors
from analysis.sem.fit import SemFit
from analysis.sem.implied import eta_cov, filled, implied, total_effects

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.sem.matrices import Layout, Matrices


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Items and factors of one group at one value of the parameters.

    Attributes
    ----------
    items
        The indicators, in the order of the model.
    factors
        All latent variables.
    loadings
        Direct loadings, shape (p, m); here and below ordered items stand for their
        latent responses in unit variance, whatever the parameterisation.
    effects
        Effects of each factor's own (residual) part on the items, through other
        factors too, shape (p, m).
    own
        Covariances of those own parts, shape (m, m).
    Phi
        Covariances of the factors, shape (m, m).
    Sigma
        Implied covariances of the items, shape (p, p).
    thresholds
        Of each item, from the mean of its latent response; empty for a numeric one.
    """

    items: tuple[str, ...]
    factors: tuple[str, ...]
    loadings: Float2D
    effects: Float2D
    own: Float2D
    Phi: Float2D
    Sigma: Float2D
    thresholds: tuple[Float1D, ...]

    @property
    def unique(self) -> Float2D:
        """Covariances that the factors do not explain, shape (p, p)."""
        left: Float2D = self.Sigma - self.loadings @ self.Phi @ self.loadings.T
        return left

    @property
    def ordered(self) -> Bool1D:
        """Whether each item is ordered, shape (p,)."""
        return np.array([len(cuts) > 0 for cuts in self.thresholds], dtype=bool)

    def belongs(self) -> Bool1D:
        """Which items measure which factor directly, shape (p, m)."""
        found: Bool1D = self.loadings != 0
        return found


def measured(fit: SemFit, group: int = 1) -> Measured:
    """Take the arrays of a fit, for one of its groups counted from 1."""
    layout = fit.problem.layouts[group - 1]
    return _measured(layout, filled(layout, fit.theta))


def with_errors(
    fit: SemFit, function: Callable[[Measured], Float1D], group: int = 1
) -> tuple[Float1D, Float1D]:
    """Values of a function of the model, with delta-method standard errors.

    Returns
    -------
    tuple
        Values and standard errors, each of shape (n_values,); an error is NaN where
        the value does not depend on the parameters.
    """
    layout = fit.problem.layouts[group - 1]

    def at(theta: Float1D) -> Float1D:
        return function(_measured(layout, filled(layout, theta)))

    return at(fit.theta), delta_errors(at, fit.theta, fit.vcov)


def sample_covariance(fit: SemFit, items: tuple[str, ...], group: int = 1) -> Float2D:
    """Sample covariances of the items; polychoric where ordered, shape (p, p)."""
    place = [fit.table.observed.index(name) for name in items]
    S: Float2D = fit.problem.moments[group - 1].cov[np.ix_(place, place)]
    return S


def require_one_level(fit: SemFit) -> None:
    """Refuse what is no model, or one without factors.

    Raises
    ------
    AnalysisError
        If the model has no latent variable with an observed indicator.
    """
    if not isinstance(fit, SemFit):
        raise AnalysisError(
            f"reliability: got a {type(fit).__name__} in place of a model. Fit one, "
            "e.g. cfa('f =~ x1 + x2 + x3', data), or take omega_total(items)."
        )
    indicators = {r.rhs for r in fit.table.rows if r.op == "=~"}
    if not indicators & set(fit.table.observed):
        raise AnalysisError(
            "reliability: the model has no factor with observed items. Fit a "
            "measurement model, e.g. cfa('f =~ x1 + x2 + x3', data)."
        )


def _measured(layout: Layout, m: Matrices) -> Measured:
    table = layout.table
    indicators = {r.rhs for r in table.rows if r.op == "=~"}
    items = tuple(name for name in table.observed if name in indicators)
    rows = [table.observed.index(name) for name in items]
    latent = [layout.eta.index(name) for name in table.latent]
    effects, _ = total_effects(m)
    Sigma = implied(m).cov[np.ix_(rows, rows)]
    ordered = np.isin(items, table.ordered)
    unit = np.where(ordered, np.sqrt(np.diag(Sigma)), 1.0)[:, None]
    return Measured(
        items=items,
        factors=tuple(table.latent),
        loadings=_direct(layout, m, items)[:, latent] / unit,
        effects=effects[np.ix_(rows, latent)] / unit,
        own=m.Psi[np.ix_(latent, latent)],
        Phi=eta_cov(m)[np.ix_(latent, latent)],
        Sigma=Sigma / (unit * unit.T),
        thresholds=_thresholds(layout, m, items),
    )


def _direct(layout: Layout, m: Matrices, items: tuple[str, ...]) -> Float2D:
    """Look up loadings on eta; an item with a row of eta has them in Beta."""
    rows = [
        m.Beta[layout.eta.index(name)]
        if name in layout.eta
        else m.Lambda[layout.table.observed.index(name)]
        for name in items
    ]
    return np.array(rows)


def _thresholds(
    layout: Layout, m: Matrices, items: tuple[str, ...]
) -> tuple[Float1D, ...]:
    table, moments = layout.table, implied(m)
    count = dict(table.categories)
    start, found = 0, {}
    for name in table.ordered:
        k = table.observed.index(name)
        cuts = m.tau[start : start + count[name] - 1]
        start += count[name] - 1
        found[name] = (cuts - moments.mean[k]) / np.sqrt(moments.cov[k, k])
    return tuple(found.get(name, np.empty(0)) for name in items)
