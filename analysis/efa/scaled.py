"""A test of fit that holds for polychoric correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from analysis.efa.extract import degrees_of_freedom
from analysis.efa.indices import NAN, rmsea_interval

if TYPE_CHECKING:
    from analysis.arrays import Float2D

# Directions of loadings that change no correlation have a smaller singular value.
NO_CHANGE = 1e-7


@dataclass(frozen=True, slots=True)
class ScaledFit:
    """Fit by a scaled and shifted statistic; NaN without degrees of freedom.

    Attributes
    ----------
    chisq_scaled, p_value_scaled
        Test that the factors reproduce the polychoric correlations, df as unscaled.
    rmsea_scaled, rmsea_scaled_ci_lower, rmsea_scaled_ci_upper
        Misfit for each degree of freedom, with its 90 % interval.
    cfi_scaled, tli_scaled
        Comparative fit and Tucker-Lewis index, with a null model scaled by itself.
    """

    chisq_scaled: float
    p_value_scaled: float
    rmsea_scaled: float
    rmsea_scaled_ci_lower: float
    rmsea_scaled_ci_upper: float
    cfi_scaled: float
    tli_scaled: float


def scaled_fit(R: Float2D, L: Float2D, acov: Float2D, n_obs: int) -> ScaledFit:
    """Test least-squares factors of polychoric correlations.

    Parameters
    ----------
    R
        Polychoric correlations, shape (p, p).
    L
        Unrotated loadings by minres or principal axis, shape (p, k).
    acov
        Covariance of the correlations, shape (P, P), pairs in the order of
        ``np.triu_indices(p, 1)``.
    n_obs
        Respondents.

    Notes
    -----
    Asparouhov and Muthen (2010): a T + b with T = (n - 1) times the squared residuals.
    Same as ``chisq.scaled`` and so on of ``lavaan::efa(x, k, ordered = TRUE,
    estimator = "ULSMV")``.
    """
    p, k = L.shape
    df, pairs = degrees_of_freedom(p, k), p * (p - 1) // 2
    upper = np.triu_indices(p, 1)
    Gamma = acov * n_obs
    null = _shifted((n_obs - 1) * float((R[upper] ** 2).sum()), pairs, Gamma)
    if not df:
        return ScaledFit(NAN, NAN, NAN, NAN, NAN, NAN, NAN)
    basis = _reached(L)
    left = Gamma - basis @ (basis.T @ Gamma)
    left = left - (left @ basis) @ basis.T
    residual = (R - L @ L.T)[upper]
    T = _shifted((n_obs - 1) * float((residual**2).sum()), df, left)
    lower, higher = rmsea_interval(T, df, n_obs)
    away, null_away = max(T - df, 0.0), max(null - pairs, 0.0)
    return ScaledFit(
        chisq_scaled=T,
        p_value_scaled=float(chi2.sf(T, df)),
        rmsea_scaled=float(np.sqrt(max((T - df) / ((n_obs - 1) * df), 0.0))),
        rmsea_scaled_ci_lower=lower,
        rmsea_scaled_ci_upper=higher,
        cfi_scaled=1 - away / max(away, null_away) if null_away else 1.0,
        tli_scaled=1 - (T - df) / df * pairs / null_away if null_away else NAN,
    )


def _shifted(T: float, df: int, UGamma: Float2D) -> float:
    """Scale and shift T so that mean and variance are those of chi-square."""
    scale = float(np.sqrt(df / (UGamma * UGamma.T).sum()))
    return scale * T + df - scale * float(np.trace(UGamma))


def _reached(L: Float2D) -> Float2D:
    """Orthonormal basis of the changes of correlations that loadings can make."""
    p, k = L.shape
    i, j = np.triu_indices(p, 1)
    change = np.zeros((len(i), p, k))
    at = np.arange(len(i))
    change[at, i] += L[j]
    change[at, j] += L[i]
    U, size, _ = np.linalg.svd(change.reshape(len(i), p * k), full_matrices=False)
    basis: Float2D = U[:, size > NO_CHANGE * size[0]]
    return basis
