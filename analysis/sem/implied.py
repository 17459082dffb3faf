"""Moments implied by the model, and their derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.matrices import Layout, Matrices


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """Implied moments.

    Attributes
    ----------
    cov
        Sigma, shape (p, p).
    mean
        mu, shape (p,); zero when means are not modelled.
    """

    cov: Float2D
    mean: Float1D


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Derivatives of the implied moments by theta, in factored form.

    The derivative of Sigma by theta_k is ``scale[k] * (u v' + v u')`` with u, v the
    k-th columns of `left` and `right`: every parameter changes Sigma by rank two.

    Attributes
    ----------
    left, right
        Shape (p, n_free).
    scale
        Shape (n_free,): one half for variances, otherwise 1; 0 for intercepts.
    mean
        Derivatives of mu, shape (p, n_free).
    """

    left: Float2D
    right: Float2D
    scale: Float1D
    mean: Float2D

    def divided(self, sd: Float1D) -> Slopes:
        """Bring to the units of variables divided by `sd`, shape (p,)."""
        by = sd[:, None]
        return Slopes(self.left / by, self.right / by, self.scale, self.mean / by)

    def curvature(self, weight: Float2D) -> Float2D:
        """tr(W dSigma_k W dSigma_l) for all k, l, shape (n_free, n_free)."""
        wl, wr = weight @ self.left, weight @ self.right
        ll, rr = self.left.T @ wl, self.right.T @ wr
        lr = self.left.T @ wr
        inner = 2 * (ll * rr + lr * lr.T)
        scaled: Float2D = inner * np.outer(self.scale, self.scale)
        return scaled

    def along(self, direction: Float2D) -> Float1D:
        """tr(G dSigma_k) for all k with a symmetric G, shape (n_free,)."""
        inner = np.einsum("ik,ik->k", self.left, direction @ self.right)
        found: Float1D = 2 * self.scale * inner
        return found


def implied(m: Matrices) -> Implied:
    """Sigma = L Psi L' + Theta and mu = nu + L alpha, L = Lambda (I - Beta)^-1."""
    total, _ = total_effects(m)
    return Implied(total @ m.Psi @ total.T + m.Theta, m.nu + total @ m.alpha)


def total_effects(m: Matrices) -> tuple[Float2D, Float2D]:
    """Effects of zeta on y and on eta: Lambda (I - Beta)^-1 and (I - Beta)^-1."""
    if not m.Beta.any():
        return m.Lambda, np.eye(len(m.Beta))
    inverse = np.linalg.inv(np.eye(len(m.Beta)) - m.Beta).astype(m.Beta.dtype)
    return m.Lambda @ inverse, inverse


def eta_cov(m: Matrices) -> Float2D:
    """Covariance matrix of eta, shape (m, m)."""
    _, inverse = total_effects(m)
    cov: Float2D = inverse @ m.Psi @ inverse.T
    return cov


def slopes(layout: Layout, m: Matrices) -> Slopes:
    """Differentiate the implied moments by theta.

    Notes
    -----
    With L as in `implied`, E = (I - Beta)^-1, C = L Psi E' and a = E alpha:
    dSigma / dLambda_ij = e_i C_j' + C_j e_i',  dSigma / dBeta_ij = L_i C_j' + C_j L_i',
    dSigma / dPsi_ij = L_i L_j' + L_j L_i',  dSigma / dTheta_ij = e_i e_j' + e_j e_i',
    dmu / dLambda_ij = e_i a_j,  dmu / dBeta_ij = L_i a_j,  dmu / dalpha_i = L_i.
    """
    L, inverse = total_effects(m)
    C, a = L @ m.Psi @ inverse.T, inverse @ m.alpha
    unit = np.eye(len(L))
    cells = layout.free_cells
    p, q = len(L), len(cells)
    left, right, mean = np.zeros((p, q)), np.zeros((p, q)), np.zeros((p, q))
    scale = np.ones(q)
    for k, cell in enumerate(cells):
        i, j = cell.row, cell.column
        outer = unit if cell.matrix in {"Lambda", "Theta", "nu"} else L
        if cell.matrix in {"Lambda", "Beta"}:
            left[:, k], right[:, k] = outer[:, i], C[:, j]
            mean[:, k] = outer[:, i] * a[j]
        elif cell.matrix in {"Psi", "Theta"}:
            left[:, k], right[:, k] = outer[:, i], outer[:, j]
            scale[k] = 0.5 if i == j else 1.0
        else:
            mean[:, k], scale[k] = outer[:, i], 0.0
    return Slopes(left, right, scale, mean)
