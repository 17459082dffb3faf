"""Which groups share a parameter: the iterative test of approximate invariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D

#: Asparouhov & Muthen (2014): a pair of groups is linked above the first level,
#: a group agrees with the average of the others above the second.
PAIR_LEVEL: Final = 0.01
GROUP_LEVEL: Final = 0.001
# Variance, as a share of the squared value, that is rounding.
_NONE: Final = 1e-20


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Where a parameter is approximately invariant.

    Attributes
    ----------
    holds
        Whether each group belongs to the invariant set, shape (n_groups,).
    average
        Average of the set, groups weighted by their size.
    p_values
        Of each group against that average, shape (n_groups,).
    """

    holds: Bool1D
    average: float
    p_values: Float1D


def agreement(values: Float1D, covariance: Float2D, n_obs: Float1D) -> Agreement:
    """Find the largest set of groups in which a parameter is approximately invariant.

    Parameters
    ----------
    values, covariance
        The aligned parameter in the groups, shapes (n_groups,), (n_groups, n_groups).
    n_obs
        Sizes of the groups.

    Notes
    -----
    Asparouhov & Muthen (2014). Pairs of groups that do not differ at .01 are
    linked, and the largest connected set is the first one; groups that differ from its
    average at .001 leave it and those that do not join it, until nothing changes. Of
    equally large sets the one with more respondents comes first.
    """
    inside = _linked(values, covariance, n_obs)
    seen: set[bytes] = set()
    while True:
        average, p_values = _against_average(values, covariance, n_obs, inside)
        moved = p_values > GROUP_LEVEL
        seen.add(inside.tobytes())
        if not moved.any() or moved.tobytes() in seen:
            return Agreement(inside, average, p_values)
        inside = moved


def r_squared(configural: Float1D, predicted: Float1D) -> float:
    """Share of a parameter's variance over groups that factor differences explain.

    Parameters
    ----------
    configural
        The parameter with a standard normal factor in each group.
    predicted
        What it were if the aligned one were equal: sqrt(psi_g) lambda, or
        nu + alpha_g lambda.

    Notes
    -----
    Asparouhov & Muthen (2014). Near 1 where the parameter is invariant; NaN
    where it does not vary; below 0 where equality would make it vary more.
    """
    variance = float(configural.var())
    if variance <= _NONE * float(np.abs(configural).max()) ** 2:
        return float("nan")
    return 1.0 - float((configural - predicted).var()) / variance


def _linked(values: Float1D, covariance: Float2D, n_obs: Float1D) -> Bool1D:
    """Largest set of groups connected by pairs that do not differ."""
    gaps = values[:, None] - values
    variance = np.diag(covariance)
    of_gaps = variance[:, None] + variance - 2 * covariance
    links = _p_values(gaps, of_gaps, values) > PAIR_LEVEL
    _, label = connected_components(links, directed=False)
    sizes = np.bincount(label)
    people = np.bincount(label, weights=n_obs)
    found: Bool1D = label == np.lexsort((people, sizes))[-1]
    return found


def _against_average(
    values: Float1D, covariance: Float2D, n_obs: Float1D, inside: Bool1D
) -> tuple[float, Float1D]:
    share = np.where(inside, n_obs, 0.0)
    share /= share.sum()
    contrasts = np.eye(len(values)) - share
    variance = np.einsum("ij,jk,ik->i", contrasts, covariance, contrasts)
    average = float(share @ values)
    return average, _p_values(values - average, variance, values)


def _p_values(gaps: Float2D, variance: Float2D, values: Float1D) -> Float2D:
    """Two-sided p values; 1 where gap and variance are both nothing but rounding."""
    scale = max(float(np.abs(values).max()), 1.0)
    known = variance > _NONE * scale**2
    z = np.abs(gaps) / np.sqrt(np.where(known, variance, 1.0))
    same = np.abs(gaps) <= np.sqrt(_NONE) * scale
    found: Float2D = np.where(known, 2 * norm.sf(z), np.where(same, 1.0, 0.0))
    return found
