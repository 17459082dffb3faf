"""The marginal likelihood of answers: theta is normal and summed over a grid.

Parameters stand in one vector, item by item: the slope, then its intercepts. Gradient
and observed information are exact derivatives of the summed likelihood (Louis 1982):
what the answers would say if theta were known, less what is lost as it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import block_diag
from scipy.special import logsumexp

from analysis.irt.curves import Item, derivatives, log_probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.irt.coding import Coding

#: Nodes reach this many standard deviations of theta to both sides.
REACH: Final = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Values of theta over which the likelihood is summed, with normal weights.

    Attributes
    ----------
    theta
        Evenly spaced nodes, shape (n_nodes,).
    log_weight
        Log of the weight of each, shape (n_nodes,); weights sum to one.
    """

    theta: Float1D
    log_weight: Float1D

    @classmethod
    def of(cls, n_nodes: int) -> Grid:
        """Spread nodes from -6 to 6."""
        theta = np.linspace(-REACH, REACH, n_nodes)
        log_weight = -0.5 * theta**2
        return cls(theta, log_weight - logsumexp(log_weight))


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What the answers of each pattern say of theta.

    Attributes
    ----------
    log_likelihood
        Of all people.
    weight
        Probability of each node given the pattern, shape (n_patterns, n_nodes).
    """

    log_likelihood: float
    weight: Float2D


def items_of(parameters: Float1D, sizes: Sequence[int]) -> list[Item]:
    """Cut the vector of parameters into items."""
    cuts = np.cumsum(sizes)[:-1]
    return [Item(float(part[0]), part[1:]) for part in np.split(parameters, cuts)]


def vector_of(items: Sequence[Item]) -> Float1D:
    """Join items to the vector of parameters."""
    return np.concatenate([np.append(item.slope, item.intercepts) for item in items])


def posterior(items: Sequence[Item], coding: Coding, grid: Grid) -> Posterior:
    """Weigh the nodes by the answers of each pattern; missing answers say nothing."""
    table = np.vstack([log_probability(item, grid.theta) for item in items])
    joint = coding.indicator @ table + grid.log_weight
    top = joint.max(axis=1, keepdims=True)
    weight = np.exp(joint - top)
    total = weight.sum(axis=1, keepdims=True)
    marginal = np.log(total) + top
    return Posterior(float(coding.counts @ marginal[:, 0]), weight / total)


@dataclass(frozen=True, slots=True, eq=False)
class Complete:
    """Gradient and information as if theta were known, averaged over what is known.

    Attributes
    ----------
    gradient
        Of the marginal log-likelihood too (Fisher's identity), shape (n_parameters,).
    information
        Complete-data information, one block an item.
    """

    gradient: Float1D
    information: tuple[Float2D, ...]


def complete(
    items: Sequence[Item], coding: Coding, grid: Grid, found: Posterior
) -> Complete:
    """Average gradient and information over the posterior (Bock & Aitkin 1981)."""
    expected = coding.indicator.T @ (found.weight * coding.counts[:, None])
    parts = np.split(expected, np.cumsum(coding.sizes)[:-1])
    pairs = [
        _item(item, grid.theta, count) for item, count in zip(items, parts, strict=True)
    ]
    return Complete(
        np.concatenate([gradient for gradient, _ in pairs]),
        tuple(information for _, information in pairs),
    )


def _item(item: Item, theta: Float1D, count: Float2D) -> tuple[Float1D, Float2D]:
    """Sum one item's gradient and information over expected counts (K, n_nodes)."""
    d = derivatives(item, theta)
    first = (count * d.upper)[1:] + (count * d.lower)[:-1]
    # Rows: intercepts; the information is that of neighbours alone.
    own = (count * d.upper2)[1:] + (count * d.lower2)[:-1]
    between = count[1:-1] * d.both[1:-1, None]
    lines = own.copy()
    lines[1:] += between
    lines[:-1] += between
    cells = np.diag(own.sum(axis=1))
    beside = between.sum(axis=1)
    cells += np.diag(beside, 1) + np.diag(beside, -1)
    cross = lines @ theta
    corner = lines.sum(axis=0) @ theta**2
    hessian = np.block([[np.array([[corner]]), cross[None]], [cross[:, None], cells]])
    gradient = np.append(first.sum(axis=0) @ theta, first.sum(axis=1))
    return gradient, -hessian


def observed_information(
    items: Sequence[Item], coding: Coding, grid: Grid, found: Posterior
) -> tuple[Float2D, Float2D]:
    """Observed information and the crossproduct of people's gradients.

    Returns
    -------
    tuple of ndarray
        Both of shape (n_parameters, n_parameters).

    Notes
    -----
    Louis (1982), eq. 3.2: complete information less the variance of the complete
    gradient given the answers.
    """
    tables = [_gradient_table(item, grid.theta) for item in items]
    weight = found.weight * coding.counts[:, None]
    mean = _mean_gradient(tables, coding, found)
    known = block_diag(*complete(items, coding, grid, found).information)
    crossproduct = (mean * coding.counts[:, None]).T @ mean
    upper = np.triu(known - _spread(tables, coding, weight) + crossproduct)
    return upper + np.triu(upper, 1).T, crossproduct


def _mean_gradient(
    tables: Sequence[Float2D], coding: Coding, found: Posterior
) -> Float2D:
    """Gradient of each pattern, averaged over its posterior."""
    parts = []
    for ranks, table in zip(coding.patterns.T, tables, strict=True):
        part = np.zeros((len(ranks), table.shape[2]))
        for k in range(table.shape[1]):
            rows = ranks == k
            part[rows] = found.weight[rows] @ table[:, k]
        parts.append(part)
    return np.hstack(parts)


def _spread(tables: Sequence[Float2D], coding: Coding, weight: Float2D) -> Float2D:
    """Sum the crossproducts of complete gradients, upper blocks only.

    Who chose category k of item j, node by node, chose which category of the items from
    j on: these counts, shape (n_nodes, categories), carry the whole sum.
    """
    starts = np.concatenate([[0], np.cumsum(coding.sizes)])
    out = np.zeros((starts[-1], starts[-1]))
    for j, own in enumerate(tables):
        mine = slice(starts[j], starts[j + 1])
        for k in range(own.shape[1]):
            rows = np.flatnonzero(coding.patterns[:, j] == k)
            counts = weight[rows].T @ coding.indicator[rows, starts[j] :]
            for i, table in enumerate(tables[j:], start=j):
                there = slice(starts[i] - starts[j], starts[i + 1] - starts[j])
                theirs = np.einsum("qc,qcp->qp", counts[:, there], table)
                out[mine, starts[i] : starts[i + 1]] += own[:, k].T @ theirs
    return out


def _gradient_table(item: Item, theta: Float1D) -> Float2D:
    """Gradient of log P(category), shape (n_nodes, K, K parameters)."""
    d, n = derivatives(item, theta), item.n_categories
    table = np.zeros((len(theta), n, n))
    table[:, :, 0] = ((d.upper + d.lower) * theta).T
    inner = np.arange(1, n)
    table[:, inner, inner] = d.upper[1:].T
    table[:, inner - 1, inner] = d.lower[:-1].T
    return table
