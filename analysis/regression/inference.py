"""From estimates and their covariance to tables, and Wald tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D


@dataclass(frozen=True, slots=True)
class WaldTest:
    """A joint test that some coefficients are zero.

    Attributes
    ----------
    statistic
        F; NaN where it cannot be computed.
    df_num, df_den
        Degrees of freedom.
    p_value
        Upper tail of F(df_num, df_den).
    """

    statistic: float
    df_num: int
    df_den: float
    p_value: float


def check_conf_level(conf_level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < conf_level < 1:
        raise AnalysisError(
            f"conf_level: {conf_level!r} is not between 0 and 1. Use for example 0.95."
        )


def critical_value(conf_level: float, df: float) -> float:
    """Two-sided critical value of t with `df` degrees of freedom (inf: normal)."""
    quantile = 0.5 + conf_level / 2
    if np.isinf(df):
        return float(stats.norm.ppf(quantile))
    return float(stats.t.ppf(quantile, df))


def two_sided_p(statistic: Float1D, df: float) -> Float1D:
    """Two-sided p-values of t with `df` degrees of freedom (inf: normal)."""
    size = np.abs(statistic)
    tail = stats.norm.sf(size) if np.isinf(df) else stats.t.sf(size, df)
    return np.asarray(2 * tail, dtype=float)


def coefficient_table(
    terms: Sequence[str],
    estimate: Float1D,
    vcov: Float2D,
    *,
    df: float,
    conf_level: float,
) -> pd.DataFrame:
    """One row per coefficient with test and interval.

    Parameters
    ----------
    terms
        Names, length k.
    estimate
        Shape (k,).
    vcov
        Covariance of the estimates, shape (k, k).
    df
        Degrees of freedom of t; infinity for the normal distribution.
    conf_level
        Of the intervals.

    Returns
    -------
    pd.DataFrame
        ``term estimate std_error statistic p_value conf_low conf_high``.

    Notes
    -----
    Same as ``lmtest::coeftest`` and ``lmtest::coefci`` with that ``vcov.`` and ``df``.
    """
    std_error = np.sqrt(np.diag(vcov))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / std_error
    half = critical_value(conf_level, df) * std_error
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": estimate,
            "std_error": std_error,
            "statistic": statistic,
            "p_value": two_sided_p(statistic, df),
            "conf_low": estimate - half,
            "conf_high": estimate + half,
        }
    )


def wald_f(estimate: Float1D, vcov: Float2D, df_den: float) -> WaldTest:
    """Test that all of `estimate` are zero: F = b' V^-1 b / q.

    NaN when there is nothing to test or the covariance has less than full rank, as
    with more coefficients than clusters.

    Notes
    -----
    Same as ``lmtest::waldtest(fit, vcov = V)``.
    """
    q = len(estimate)
    scale = np.sqrt(np.diag(vcov)) if q else np.empty(0)
    usable = q > 0 and bool((scale > 0).all())
    if usable:
        correlation = vcov / np.outer(scale, scale)
        usable = int(np.linalg.matrix_rank(correlation, tol=1e-10)) == q
    if not usable:
        return WaldTest(np.nan, q, df_den, np.nan)
    z = estimate / scale
    statistic = float(z @ np.linalg.solve(correlation, z)) / q
    return WaldTest(statistic, q, df_den, float(stats.f.sf(statistic, q, df_den)))
