"""Indices of global fit, under lavaan's ``fitMeasures`` names (dots as underscores)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

from analysis.sem.discrepancy import Target, f_ml

if TYPE_CHECKING:
    from analysis.arrays import Float2D
    from analysis.sem.implied import Implied
    from analysis.sem.moments import Moments
    from analysis.sem.partable import ParameterTable

CLOSE_FIT = 0.05
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class FitIndices:
    """Fit of one model.

    Attributes
    ----------
    npar
        Number of estimated parameters; equal ones count once.
    fmin
        Half of the discrepancy at the minimum.
    chisq, df, pvalue
        Test against the saturated model; `pvalue` is NaN when `df` is 0.
    baseline_chisq, baseline_df, baseline_pvalue
        The same of the model of uncorrelated variables.
    cfi, tli
        Comparative fit and Tucker-Lewis index.
    logl, unrestricted_logl
        Log-likelihood of this and of the saturated model, given observed predictors.
    aic, bic, bic2
        Information criteria; `bic2` is the sample-size adjusted BIC.
    ntotal
        Number of respondents.
    rmsea, rmsea_ci_lower, rmsea_ci_upper
        Root mean square error of approximation and its 90 % interval.
    rmsea_pvalue
        p-value of close fit, RMSEA <= 0.05; NaN when `df` is 0.
    srmr
        Standardised root mean square residual (Bentler), means included if modelled.
    """

    npar: int
    fmin: float
    chisq: float
    df: int
    pvalue: float
    baseline_chisq: float
    baseline_df: int
    baseline_pvalue: float
    cfi: float
    tli: float
    logl: float
    unrestricted_logl: float
    aic: float
    bic: float
    bic2: float
    ntotal: int
    rmsea: float
    rmsea_ci_lower: float
    rmsea_ci_upper: float
    rmsea_pvalue: float
    srmr: float


def n_moments(table: ParameterTable) -> int:
    """Count the sample moments that the model is to explain."""
    p, x = len(table.observed), len(table.exogenous)
    return p * (p + 1) // 2 - x * (x + 1) // 2 + (p - x) * table.meanstructure


def fit_indices(
    moments: Moments, implied: Implied, table: ParameterTable, npar: int
) -> FitIndices:
    """Compare the model with the data and with the model of uncorrelated variables.

    Notes
    -----
    Same numbers as ``lavaan::fitMeasures``; tests/reference/sem_models.R. CFI and TLI:
    Bentler (1990), Tucker & Lewis (1973); RMSEA with N, not N - 1: Steiger (1990),
    Browne & Cudeck (1993); SRMR: Bentler (1995).
    """
    target = Target.of(moments, means=table.meanstructure)
    n, df = moments.n_obs, n_moments(table) - npar
    discrepancy = max(f_ml(target, implied), 0.0)
    chisq = n * discrepancy
    chisq0, df0 = _baseline(moments, target, table)
    unrestricted = _saturated_logl(moments, table)
    logl = unrestricted - chisq / 2
    lower, upper = _rmsea_interval(chisq, df, n)
    return FitIndices(
        npar=npar,
        fmin=discrepancy / 2,
        chisq=chisq,
        df=df,
        pvalue=float(chi2.sf(chisq, df)) if df else _NAN,
        baseline_chisq=chisq0,
        baseline_df=df0,
        baseline_pvalue=float(chi2.sf(chisq0, df0)) if df0 else _NAN,
        cfi=_cfi(chisq, df, chisq0, df0),
        tli=_tli(chisq, df, chisq0, df0),
        logl=logl,
        unrestricted_logl=unrestricted,
        aic=-2 * logl + 2 * npar,
        bic=-2 * logl + npar * float(np.log(n)),
        bic2=-2 * logl + npar * float(np.log((n + 2) / 24)),
        ntotal=n,
        rmsea=float(np.sqrt(max(chisq - df, 0.0) / (df * n))) if df else 0.0,
        rmsea_ci_lower=lower,
        rmsea_ci_upper=upper,
        rmsea_pvalue=(float(ncx2.sf(chisq, df, n * df * CLOSE_FIT**2)) if df else _NAN),
        srmr=_srmr(moments, implied, means=table.meanstructure),
    )


def _baseline(
    moments: Moments, target: Target, table: ParameterTable
) -> tuple[float, int]:
    """Chi-square and df when only observed predictors are correlated."""
    x = [table.observed.index(name) for name in table.predictors]
    logdet_x = float(np.linalg.slogdet(target.R[np.ix_(x, x)])[1]) if x else 0.0
    chisq = moments.n_obs * (logdet_x - target.logdet)
    y = len(table.observed) - len(x)
    return max(chisq, 0.0), y * (y - 1) // 2 + y * len(x)


def _cfi(chisq: float, df: int, chisq0: float, df0: int) -> float:
    excess = max(chisq - df, 0.0) if df else 0.0
    excess0 = max(chisq0 - df0, excess)
    return 1 - excess / excess0 if excess0 > 0 else 1.0


def _tli(chisq: float, df: int, chisq0: float, df0: int) -> float:
    if not df or not (room := (chisq0 - df0) * df):
        return 1.0
    return 1 - (chisq - df) * df0 / room


def _saturated_logl(moments: Moments, table: ParameterTable) -> float:
    x = [table.observed.index(name) for name in table.exogenous]

    def logl(cov: Float2D) -> float:
        p = len(cov)
        logdet = float(np.linalg.slogdet(cov)[1]) if p else 0.0
        return -moments.n_obs / 2 * (p * float(np.log(2 * np.pi)) + logdet + p)

    return logl(moments.cov) - logl(moments.cov[np.ix_(x, x)])


def _rmsea_interval(chisq: float, df: int, n: int) -> tuple[float, float]:
    """90 % interval: the noncentralities that put chisq at 95 % and at 5 %."""
    if not df:
        return 0.0, 0.0

    def noncentrality(level: float) -> float:
        def distance(nc: float) -> float:
            below = ncx2.cdf(chisq, df, nc) if nc > 0 else chi2.cdf(chisq, df)
            return float(below) - level

        if distance(0.0) <= 0:
            return 0.0
        top = max(float(n), 4 * chisq, 1.0)
        while distance(top) > 0:
            top *= 2
        return float(brentq(distance, 0.0, top, xtol=1e-10, rtol=1e-14))

    lower, upper = (noncentrality(level) for level in (0.95, 0.05))
    return float(np.sqrt(lower / (df * n))), float(np.sqrt(upper / (df * n)))


def _srmr(moments: Moments, implied: Implied, *, means: bool) -> float:
    sd = np.sqrt(np.diag(moments.cov))
    residual = (moments.cov - implied.cov) / np.outer(sd, sd)
    terms = residual[np.tril_indices(len(sd))] ** 2
    if means:
        terms = np.append(terms, ((moments.mean - implied.mean) / sd) ** 2)
    return float(np.sqrt(terms.mean()))
