"""How well unrotated factors reproduce a correlation matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    rmsea, rmsea_ci_lower, rmsea_ci_upper
        Misfit for each degree of freedom, with its 90 % interval.
    tli
        Tucker-Lewis index.
    rmsr
        Root mean square of the off-diagonal residual correlations.
    """

    chisq: float
    df: int
    p_value: float
    rmsea: float
    rmsea_ci_lower: float
    rmsea_ci_upper: float
    tli: float
    rmsr: float


def efa_indices(R: Float2D, extraction: Extraction, n_obs: int) -> EfaIndices:
    """Compare implied and observed correlations.

    Notes
    -----
    Bartlett (1951) for the multiplier n - 1 - (2p + 5)/6 - 2k/3; RMSEA is
    sqrt(chisq / (n df) - 1/(n - 1)) and the null model of TLI has the multiplier of
    the model, as in psych. Same as ``STATISTIC``, ``RMSEA``, ``TLI`` and ``rms`` of
    ``psych::fa``. All but `rmsr` are NaN for an
    improper solution, and RMSEA and TLI without degrees of freedom.
    """
    A, uniqueness = extraction.loadings, extraction.uniqueness
    p, k = A.shape
    df = degrees_of_freedom(p, k)
    Sigma = A @ A.T + np.diag(uniqueness)
    residual = (R - Sigma)[np.triu_indices(p, 1)]
    rmsr = float(np.sqrt((residual**2).mean()))
    if uniqueness.min() <= 0:
        nan = float("nan")
        return EfaIndices(nan, df, nan, nan, nan, nan, nan, rmsr)
    _, log_R = np.linalg.slogdet(R)
    _, log_Sigma = np.linalg.slogdet(Sigma)
    discrepancy = log_Sigma - log_R + np.trace(np.linalg.solve(Sigma, R)) - p
    multiplier = n_obs - 1 - (2 * p + 5) / 6 - 2 * k / 3
    chisq = max(float(discrepancy) * multiplier, 0.0)
    lower, upper = _rmsea_interval(chisq, df, n_obs)
    return EfaIndices(
        chisq=chisq,
        df=df,
        p_value=float(chi2.sf(chisq, df)) if df else float("nan"),
        rmsea=_rmsea(chisq, df, n_obs),
        rmsea_ci_lower=lower,
        rmsea_ci_upper=upper,
        tli=_tli(chisq, df, -multiplier * float(log_R), p * (p - 1) // 2),
        rmsr=rmsr,
    )


def _rmsea(chisq: float, df: int, n: int) -> float:
    if not df:
        return float("nan")
    return float(np.sqrt(max(chisq / (n * df) - 1 / (n - 1), 0)))


def _tli(chisq: float, df: int, null: float, null_df: int) -> float:
    if not df or null <= null_df:
        return float("nan")
    return (null / null_df - chisq / df) / (null / null_df - 1)


def _rmsea_interval(chisq: float, df: int, n: int) -> tuple[float, float]:
    """Noncentralities for which chisq is at a tail, as misfit per df."""
    if not df:
        return float("nan"), float("nan")
    limits = []
    for tail in RMSEA_TAILS:
        if chi2.cdf(chisq, df) <= tail:
            limits.append(0.0)
            continue
        top = max(chisq * 4, n, 10.0)
        found = brentq(lambda c, q=tail: ncx2.cdf(chisq, df, c) - q, 1e-9, top)
        limits.append(float(np.sqrt(found / ((n - 1) * df))))
    return limits[0], limits[1]
