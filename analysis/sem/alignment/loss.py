"""What alignment minimises: differences of item parameters between groups.

With factor means alpha and standard deviations exp(s) of the groups, the parameters
that were estimated with a standard normal factor in each group, lambda0 and nu0, become

    lambda = lambda0 exp(-s),    nu = nu0 - alpha lambda

without any change of fit (Asparouhov & Muthen 2014). The component loss of a
difference, (x^2 + epsilon)^(1/4), makes few large differences cheaper than many
small ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.alignment.pattern import Pattern


def pair_weights(n_obs: Float1D) -> Float2D:
    """Weights sqrt(N_g N_h) of pairs of groups, zero on the diagonal."""
    root = np.sqrt(n_obs)
    weights = np.outer(root, root)
    np.fill_diagonal(weights, 0.0)
    return weights


def aligned(pattern: Pattern, given: Float1D, units: Float1D) -> Float2D:
    """Bring loadings and locations to common units, shape (n_terms, n_groups).

    Parameters
    ----------
    pattern
        Where `given` stand.
    given
        With a standard normal factor in every group, shape (n_terms * n_groups,).
    units
        Factor means of the groups, then logarithms of standard deviations.
    """
    loadings, locations = pattern.split(given)
    alpha, s = units[: pattern.n_groups], units[pattern.n_groups :]
    common = loadings * np.exp(-s)
    return np.concatenate([common, locations - alpha * common[pattern.owner]])


def component(x: Float2D, epsilon: float) -> Float2D:
    """Component loss of differences: their square root, smooth at zero."""
    found: Float2D = np.sqrt(np.sqrt(x**2 + epsilon))
    return found


def term_losses(y: Float2D, weights: Float2D, epsilon: float) -> Float1D:
    """Loss of each term over all pairs of groups, shape (n_terms,)."""
    found: Float1D = (component(_gaps(y), epsilon) * weights).sum(axis=(1, 2)) / 2
    return found


def slope(
    pattern: Pattern,
    given: Float1D,
    units: Float1D,
    weights: Float2D,
    epsilon: float,
) -> Float1D:
    """Differentiate the loss by `units`, shape (2 * n_groups,).

    Takes complex values, so that complex steps give derivatives by what is given.
    """
    y = aligned(pattern, given, units)
    pull = _pull(y, weights, epsilon)
    by_alpha, by_s = _moves(pattern, y, units)
    return np.concatenate([(pull * by_alpha).sum(axis=0), (pull * by_s).sum(axis=0)])


def curvature(
    pattern: Pattern,
    given: Float1D,
    units: Float1D,
    weights: Float2D,
    epsilon: float,
) -> Float2D:
    """Differentiate the loss twice by `units`, shape (2 * n_groups, same)."""
    y = aligned(pattern, given, units)
    pull, bend = _pull(y, weights, epsilon), _bend(y, weights, epsilon)
    by_alpha, by_s = _moves(pattern, y, units)
    mixed, twice = -by_alpha, -by_s

    def block(a: Float2D, b: Float2D) -> Float2D:
        found: Float2D = np.einsum("tg,tgh,th->gh", a, bend, b, optimize=True)
        return found

    across = block(by_alpha, by_s) + np.diag((pull * mixed).sum(axis=0))
    along_s = block(by_s, by_s) + np.diag((pull * twice).sum(axis=0))
    return np.block([[block(by_alpha, by_alpha), across], [across.T, along_s]])


def _gaps(y: Float2D) -> Float2D:
    gaps: Float2D = y[:, :, None] - y[:, None, :]
    return gaps


def _pull(y: Float2D, weights: Float2D, epsilon: float) -> Float2D:
    """Differentiate the loss by aligned terms, shape (n_terms, n_groups)."""
    gaps = _gaps(y)
    found: Float2D = (weights * gaps / (2 * component(gaps, epsilon) ** 3)).sum(axis=2)
    return found


def _bend(y: Float2D, weights: Float2D, epsilon: float) -> Float2D:
    """Differentiate twice by aligned terms, shape (n_terms, n_groups, n_groups)."""
    gaps = _gaps(y)
    cost = component(gaps, epsilon)
    second = weights * (1 / (2 * cost**3) - 3 * gaps**2 / (4 * cost**7))
    found: Float2D = -second
    at = np.arange(y.shape[1])
    found[:, at, at] += second.sum(axis=2)
    return found


def _moves(pattern: Pattern, y: Float2D, units: Float1D) -> tuple[Float2D, Float2D]:
    """Differentiate aligned terms by alpha and s of their group.

    Loadings move by -lambda with s; locations by -lambda with alpha, by alpha lambda
    with s. Differentiating by s once more reverses all signs.
    """
    common = y[: len(pattern.loadings)]
    of_owner = common[pattern.owner]
    by_alpha = np.concatenate([np.zeros_like(common), -of_owner])
    by_s = np.concatenate([-common, units[: pattern.n_groups] * of_owner])
    return by_alpha, by_s
