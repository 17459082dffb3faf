"""Moments implied by the model, and their derivatives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.sem.matrices import Layout, Matrices


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """Implied moments of the (latent) responses y*.

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

    def curvature(self, weight: Float2D, other: Float2D | None = None) -> Float2D:
        """tr(A dSigma_k B dSigma_l) for all k, l, shape (n_free, n_free).

        `weight` is A and `other` is B, symmetric both; B is A when left out.
        """
        A, B = weight, weight if other is None else other
        left, right = self.left, self.right
        Al, Ar, Bl, Br = A @ left, A @ right, B @ left, B @ right
        inner = (left.T @ Al) * (right.T @ Br) + (left.T @ Bl) * (right.T @ Ar)
        inner = inner + (left.T @ Ar) * (right.T @ Bl) + (left.T @ Br) * (right.T @ Al)
        scaled: Float2D = inner * np.outer(self.scale, self.scale)
        return scaled

    def along(self, direction: Float2D) -> Float1D:
        """tr(G dSigma_k) for all k with a symmetric G, shape (n_free,)."""
        inner = np.einsum("ik,ik->k", self.left, direction @ self.right)
        found: Float1D = 2 * self.scale * inner
        return found

    def against(self, x: Float1D) -> Float2D:
        """DSigma_k x for all k, shape (p, n_free)."""
        found: Float2D = self.scale * (
            self.left * (x @ self.right) + self.right * (x @ self.left)
        )
        return found

    def elements(self, rows: Int1D, columns: Int1D) -> Float2D:
        """Derive the elements of Sigma named, shape (n_elements, n_free)."""
        first = self.left[rows] * self.right[columns]
        found: Float2D = self.scale * (first + self.right[rows] * self.left[columns])
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


def filled(layout: Layout, theta: Float1D) -> Matrices:
    """Put theta into the matrices, and what follows from it for ordered variables.

    Delta parameterisation: their residual variances make the variance of y* equal to
    delta^-2. Theta parameterisation: delta is one over the standard deviation of y*.
    """
    m = layout.fill(theta)
    ordered = layout.ordered
    if not len(ordered):
        return m
    if layout.table.theta:
        variance = np.diag(implied(m).cov)[ordered]
        delta = m.delta.copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            delta[ordered] = 1 / np.sqrt(variance)
        return replace(m, delta=delta)
    return _residuals(layout, m)


def _residuals(layout: Layout, m: Matrices) -> Matrices:
    ordered = layout.ordered
    Psi, Theta = m.Psi.copy(), m.Theta.copy()
    total, inverse = total_effects(m)
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = 1 / m.delta**2
    own = layout.ordered_eta
    for _ in range(len(own)):
        # A variable may explain another one: as many rounds as variables settle all.
        for i, k in own:
            without = Psi.copy()
            without[k, k] = 0.0
            Psi[k, k] = wanted[i] - inverse[k] @ without @ inverse[k]
    rest = [i for i in ordered if i not in {i for i, _ in own}]
    explained = np.einsum("ij,jk,ik->i", total[rest], Psi, total[rest])
    Theta[rest, rest] = wanted[rest] - explained
    return replace(m, Psi=Psi, Theta=Theta)


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
    p, q = len(L), layout.n_free
    left = np.zeros((p, q), dtype=C.dtype)
    right, mean = np.zeros_like(left), np.zeros_like(left)
    scale = np.zeros(q)
    for name, outer in (("Lambda", unit), ("Beta", L)):
        s = layout.slots[name]  # type: ignore[index]
        left[:, s.positions], right[:, s.positions] = outer[:, s.rows], C[:, s.columns]
        mean[:, s.positions] = outer[:, s.rows] * a[s.columns]
        scale[s.positions] = 1.0
    for name, outer in (("Theta", unit), ("Psi", L)):
        s = layout.slots[name]  # type: ignore[index]
        left[:, s.positions] = outer[:, s.rows]
        right[:, s.positions] = outer[:, s.columns]
        scale[s.positions] = np.where(s.rows == s.columns, 0.5, 1.0)
    for name, outer in (("nu", unit), ("alpha", L)):
        s = layout.slots[name]  # type: ignore[index]
        mean[:, s.positions] = outer[:, s.rows]
    return Slopes(left, right, scale, mean)
