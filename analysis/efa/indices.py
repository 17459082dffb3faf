"""How well unrotated factors reproduce a correlation matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

from analysis.efa.extract import degrees_of_freedom

if TYPE_CHECKING:
    from analysis.arrays import Float2D
    from analysis.efa.extract import Extraction

# Limits of the RMSEA interval, which is a 90 % interval by convention.
RMSEA_TAILS = (0.95, 0.05)


@dataclass(frozen=True, slots=True)
class EfaIndices:
    """Fit of an exploratory factor model; NaN where it has none.

    Attributes
    ----------
    chisq, df, p_value
        Test that the factors reproduce the correlations, with Bartlett's correction.
        A likelihood ratio for ml; for pa and minres the ML discrepancy at their
        solution, which is never smaller.
    chisq_null, df_null
        The same for no factors at all.
    rmsea, rmsea_ci_lower, rmsea_ci_upper
        Misfit for each degree of freedom, with its 90 % interval.
    tli, cfi
        Tucker-Lewis and comparative fit index.
    bic, sabic
        chisq - df ln(n), and with (n + 2)/24 for n: smaller is better, only
        differences between numbers of factors count.
    rmsr
        Root mean square of the off-diagonal residual correlations.
    crms
        The same divided by degrees of freedom instead of pairs.
    chisq_empirical
        n times the sum of the squared off-diagonal residuals.
    fit_off
        Share of the squared off-diagonal correlations that is reproduced.
    discrepancy
        Minimum of the ML function, or its value at the solution of pa and minres.
    """

    chisq: float
    df: int
    p_value: float
    chisq_null: float
    df_null: int
    rmsea: float
    rmsea_ci_lower: float
    rmsea_ci_upper: float
    tli: float
    cfi: float
    bic: float
    sabic: float
    rmsr: float
    crms: float
    chisq_empirical: float
    fit_off: float
    discrepancy: float


NAN: Final = float("nan")


def efa_indices(R: Float2D, extraction: Extraction, n_obs: int) -> EfaIndices:
    """Compare implied and observed correlations.

    Notes
    -----
    Bartlett (1951) for the multiplier n - 1 - (2p + 5)/6 - 2k/3; RMSEA is
    sqrt(chisq / (n df) - 1/(n - 1)) and the null model of TLI has the multiplier of
    the model, as in psych. Same as ``STATISTIC``, ``RMSEA``, ``TLI``, ``BIC``,
    ``SABIC``, ``rms``, ``crms``, ``chi``, ``fit.off``, ``objective`` and
    ``null.chisq`` of ``psych::fa``; CFI is 1 - (chisq - df)/(chisq_null - df_null). An
    improper solution has only what residuals give, and one without degrees of freedom
    no test, RMSEA or TLI.
    """
    A, uniqueness = extraction.loadings, extraction.uniqueness
    p, k = A.shape
    df, pairs = degrees_of_freedom(p, k), p * (p - 1) // 2
    Sigma = A @ A.T + np.diag(uniqueness)
    upper = np.triu_indices(p, 1)
    squares = float(((R - Sigma)[upper] ** 2).sum())
    log_R = float(np.linalg.slogdet(R)[1])
    null = -log_R * (n_obs - 1 - (2 * p + 5) / 6)
    proper = bool(uniqueness.min() > 0)
    discrepancy = _ml_discrepancy(R, Sigma, log_R) if proper else NAN
    multiplier = n_obs - 1 - (2 * p + 5) / 6 - 2 * k / 3
    chisq = max(discrepancy * multiplier, 0.0) if proper else NAN
    lower, upper_limit = rmsea_interval(chisq, df, n_obs)
    return EfaIndices(
        chisq=chisq,
        df=df,
        p_value=float(chi2.sf(chisq, df)) if df else NAN,
        chisq_null=null,
        df_null=pairs,
        rmsea=_rmsea(chisq, df, n_obs),
        rmsea_ci_lower=lower,
        rmsea_ci_upper=upper_limit,
        tli=_tli(chisq, df, -multiplier * log_R, pairs),
        cfi=_cfi(chisq, df, null, pairs),
        bic=chisq - df * float(np.log(n_obs)),
        sabic=chisq - df * float(np.log((n_obs + 2) / 24)),
        rmsr=float(np.sqrt(squares / pairs)),
        crms=float(np.sqrt(squares / df)) if df else NAN,
        chisq_empirical=2 * squares * n_obs,
        fit_off=1 - squares / float((R[upper] ** 2).sum()),
        discrepancy=discrepancy,
    )


def _ml_discrepancy(R: Float2D, Sigma: Float2D, log_R: float) -> float:
    log_Sigma = float(np.linalg.slogdet(Sigma)[1])
    trace = float(np.trace(np.linalg.solve(Sigma, R)))
    return log_Sigma - log_R + trace - len(R)


def _cfi(chisq: float, df: int, null: float, df_null: int) -> float:
    away, null_away = max(chisq - df, 0.0), max(null - df_null, 0.0)
    return NAN if math.isnan(chisq) or not null_away else 1 - min(away / null_away, 1.0)


def _rmsea(chisq: float, df: int, n: int) -> float:
    if not df or math.isnan(chisq):
        return NAN
    return float(np.sqrt(max(chisq / (n * df) - 1 / (n - 1), 0)))


def _tli(chisq: float, df: int, null: float, null_df: int) -> float:
    if not df or null <= null_df or math.isnan(chisq):
        return NAN
    return (null / null_df - chisq / df) / (null / null_df - 1)


def rmsea_interval(chisq: float, df: int, n: int) -> tuple[float, float]:
    """Noncentralities for which chisq is at a tail, as misfit per df."""
    if not df or math.isnan(chisq):
        return NAN, NAN
    limits = []
    for tail in RMSEA_TAILS:
        if chi2.cdf(chisq, df) <= tail:
            limits.append(0.0)
            continue
        top = max(chisq * 4, n, 10.0)
        found = brentq(lambda c, q=tail: ncx2.cdf(chisq, df, c) - q, 1e-9, top)
        limits.append(float(np.sqrt(found / ((n - 1) * df))))
    return limits[0], limits[1]
