"""Standard errors of rotated loadings and factor correlations, in closed form.

A small change of the correlations changes the solution by what the equations of
extraction and rotation allow: the (bordered) information matrix gives the change, the
sampling covariance of the correlations does the rest. One formula serves all: maximum
likelihood and least squares, every rotation that minimises a criterion, Pearson and
polychoric correlations. With maximum likelihood and normal items it is Jennrich's
(1974) augmented information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.efa.descent import COMPLEX_STEP, reduced_slope

if TYPE_CHECKING:
    from analysis.arrays import Float2D
    from analysis.efa.descent import Number2D
    from analysis.efa.extract import Method
    from analysis.efa.rotations import Criterion

# People whose products of answers are held at a time.
CHUNK: Final = 2000
# The bordered information is singular where its condition is worse than this.
SINGULAR: Final = 1e13


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A rotated solution and the equations it solves.

    Attributes
    ----------
    L, Phi
        Pattern, shape (p, k), and factor correlations, shape (k, k), factors in any
        order and direction.
    method
        How factors were extracted.
    criterion
        What the rotation minimises; None for unrotated factors.
    kaiser
        Whether items had unit length for the rotation.
    """

    L: Float2D
    Phi: Float2D
    method: Method
    criterion: Criterion | None
    kaiser: bool

    @property
    def implied(self) -> Float2D:
        """Correlations that the solution implies, unit diagonal, shape (p, p)."""
        P = self.L @ self.Phi @ self.L.T
        np.fill_diagonal(P, 1.0)
        return P

    @property
    def oblique(self) -> bool:
        """Whether factor correlations were estimated."""
        return self.criterion is not None and self.criterion.oblique

    def constraints(self, L: Number2D, Phi: Number2D) -> Number2D:
        """Give what the rotation makes zero, for stacks of loadings."""
        if self.criterion is None:
            return self._unrotated(L)
        if not self.kaiser:
            return reduced_slope(L, Phi, self.criterion)
        length = np.sqrt(((L @ Phi) * L).sum(axis=-1, keepdims=True))
        return reduced_slope(L / length, Phi, self.criterion)

    def _unrotated(self, L: Number2D) -> Number2D:
        i, j = np.triu_indices(L.shape[-1], 1)
        weighted = L
        if self.method == "ml":
            weighted = L / (1 - (L * L).sum(axis=-1, keepdims=True))
        products: Number2D = (np.swapaxes(weighted, -1, -2) @ L)[..., i, j]
        return products


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What a small change of correlations does to a solution.

    Attributes
    ----------
    weights
        Shape (q, p, p), symmetric: parameter a changes by half the sum of weights_a
        times the change of the correlations.
    p, k
        Items and factors; the first pk parameters are loadings row by row, the rest
        factor correlations row by row of the upper triangle.
    """

    weights: Float2D
    p: int
    k: int


def influence(solution: Solution, R: Float2D | None = None) -> Influence | None:
    """Solve the bordered equations; None if the rotation is not unique.

    Parameters
    ----------
    solution
        Where the equations hold.
    R
        Correlations it was estimated from, shape (p, p): second derivatives are then
        exact. Without, they are those expected if the model holds.

    Notes
    -----
    Jennrich (1973, 1974). For maximum likelihood the discrepancy is of all elements of
    the correlation matrix, for minres and principal axis the sum of squared
    off-diagonal residuals.
    """
    p, k = solution.L.shape
    change = _derivatives(solution)
    q = len(change)
    if solution.method == "ml":
        inverse = np.linalg.inv(solution.implied)
        weighted = inverse @ change @ inverse
    else:
        change[:, range(p), range(p)] = 0.0
        weighted = change
    bend = weighted.reshape(q, -1) @ change.reshape(q, -1).T / 2
    if R is not None:
        bend = bend + _misfit(solution, R - solution.implied, change)
    border = _border(solution, q)
    m = len(border)
    system = np.block([[bend, border.T], [border, np.zeros((m, m))]])
    if np.linalg.cond(system) > SINGULAR:
        return None
    kept = p * k + (k * (k - 1) // 2 if solution.oblique else 0)
    solved = np.linalg.inv(system)[:kept, :q]
    return Influence(np.tensordot(solved, weighted, axes=(1, 0)), p, k)


def _misfit(solution: Solution, residual: Float2D, change: Float2D) -> Float2D:
    """Find what residuals add to the second derivatives of the discrepancy, (q, q)."""
    L, Phi = solution.L, solution.Phi
    p, k = L.shape
    q = len(change)
    added = np.zeros((q, q))
    W = residual
    if solution.method == "ml":
        inverse = np.linalg.inv(solution.implied)
        W = inverse @ residual @ inverse
        added += (inverse @ change @ W).reshape(q, -1) @ change.reshape(q, -1).T
    added[: p * k, : p * k] -= np.kron(W, Phi)
    if solution.oblique:
        i, j = np.triu_indices(k, 1)
        mixed = np.zeros((p, k, len(i)))
        pairs = np.arange(len(i))
        mixed[:, i, pairs] = (W @ L)[:, j]
        mixed[:, j, pairs] = (W @ L)[:, i]
        at = slice(p * k, p * k + len(i))
        added[: p * k, at] -= mixed.reshape(p * k, -1)
        added[at, : p * k] -= mixed.reshape(p * k, -1).T
    return added


def _derivatives(solution: Solution) -> Float2D:
    """Differentiate the implied matrix by loadings, correlations, uniquenesses."""
    L, Phi = solution.L, solution.Phi
    p, k = L.shape
    other = (L @ Phi).T
    by_loading = np.zeros((p, k, p, p))
    rows = np.arange(p)
    by_loading[rows, :, rows, :] += other
    by_loading[rows, :, :, rows] += other
    parts = [by_loading.reshape(p * k, p, p)]
    if solution.oblique:
        i, j = np.triu_indices(k, 1)
        product = L.T[i][:, :, None] * L.T[j][:, None, :]
        parts.append(product + np.swapaxes(product, 1, 2))
    if solution.method == "ml":
        own = np.zeros((p, p, p))
        own[rows, rows, rows] = 1.0
        parts.append(own)
    return np.concatenate(parts)


def _border(solution: Solution, q: int) -> Float2D:
    """Differentiate the constraints by all q parameters, by complex steps."""
    L, Phi = solution.L, solution.Phi
    p, k = L.shape
    i, j = np.triu_indices(k, 1)
    n_phi = len(i) if solution.oblique else 0
    step = 1j * COMPLEX_STEP
    moved = np.tile(L.astype(np.complex128), (p * k + n_phi, 1, 1))
    moved.reshape(len(moved), -1)[range(p * k), range(p * k)] += step
    correlated = np.tile(Phi.astype(np.complex128), (p * k + n_phi, 1, 1))
    at = p * k + np.arange(n_phi)
    correlated[at, i[:n_phi], j[:n_phi]] += step
    correlated[at, j[:n_phi], i[:n_phi]] += step
    slopes = solution.constraints(moved, correlated).imag / COMPLEX_STEP
    border = np.zeros((slopes.shape[1], q))
    border[:, : len(moved)] = slopes.T
    return border


def normal_covariance(change: Influence, P: Float2D, n: int) -> Float2D:
    """Find the sampling covariance of all parameters if items are normal, (q, q).

    Parameters
    ----------
    change
        From `influence`.
    P
        Correlations in the population, shape (p, p); those the model implies.
    n
        People.

    Notes
    -----
    Pearson and Filon (1898) for the covariances of correlations.
    """
    weights = _of_covariances(change.weights, P)
    root = np.linalg.cholesky(P)
    turned = (root.T @ weights @ root).reshape(len(weights), -1)
    covariance: Float2D = turned @ turned.T / (2 * n)
    return covariance


def robust_covariance(change: Influence, codes: Float2D, R: Float2D) -> Float2D:
    """Find the sampling covariance of all parameters whatever items are like.

    Parameters
    ----------
    change
        From `influence`.
    codes
        Answers, shape (n, p), none missing.
    R
        Their Pearson correlations.

    Notes
    -----
    Fourth moments of the answers (Steiger and Hakstian 1982, Browne 1984).
    """
    n = len(codes)
    z = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    flat = _of_covariances(change.weights, R).reshape(len(change.weights), -1)
    total = np.zeros((len(flat), len(flat)))
    mean = np.zeros(len(flat))
    for first in range(0, n, CHUNK):
        part = z[first : first + CHUNK]
        products = (part[:, :, None] * part[:, None, :]).reshape(len(part), -1)
        moved = products @ flat.T / 2
        total += moved.T @ moved
        mean += moved.sum(axis=0)
    return (total / n - np.outer(mean, mean) / n**2) / n


def given_covariance(change: Influence, acov: Float2D) -> Float2D:
    """Find the sampling covariance of all parameters from that of correlations.

    Parameters
    ----------
    change
        From `influence`.
    acov
        Covariance of the correlations of items, shape (P, P), pairs in the order of
        ``np.triu_indices(p, 1)``.
    """
    i, j = np.triu_indices(change.p, 1)
    by_pair = change.weights[:, i, j]
    covariance: Float2D = by_pair @ acov @ by_pair.T
    return covariance


def _of_covariances(weights: Float2D, P: Float2D) -> Float2D:
    """Weights of covariances from weights of correlations."""
    own = (weights * P).sum(axis=2)
    moved = weights.copy()
    p = weights.shape[1]
    moved[:, range(p), range(p)] -= own
    return moved


def standard_errors(change: Influence, covariance: Float2D) -> tuple[Float2D, Float2D]:
    """Take standard errors of loadings, (p, k), and factor correlations, (k, k).

    Those of factor correlations are zero on the diagonal, and everywhere for
    uncorrelated factors.
    """
    p, k = change.p, change.k
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    Phi = np.zeros((k, k))
    if len(error) > p * k:
        i, j = np.triu_indices(k, 1)
        Phi[i, j] = Phi[j, i] = error[p * k :]
    return error[: p * k].reshape(p, k), Phi
