"""Coefficient alpha: of covariances, of correlations, of polychoric correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from analysis.answers import (
    complete_rows,
    item_codes,
    require_choice,
    require_variance,
)
from analysis.correlations import Missing
from analysis.errors import AnalysisError, TooFewError
from analysis.oddities import odd_answers
from analysis.reliability.coefficients import Reliability, coefficient_table
from analysis.reliability.intervals import NAN, check_level, feldt
from analysis.result import dropped_rows, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float2D
    from analysis.reliability.coefficients import Row, Warning_

# Variance of the sum, as a share of that of the items, that is zero but for rounding.
NO_SPREAD = 1e-10


def cronbach_alpha(
    items: pd.DataFrame, *, missing: Missing = "listwise", conf_level: float = 0.95
) -> Reliability:
    r"""Coefficient alpha of the columns of `items`.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA.
    missing
        ``"listwise"`` keeps respondents with every answer; ``"pairwise"`` takes each
        covariance from everyone who answered both items, and the number of
        respondents with an answer as n of the interval.
    conf_level
        Level of the interval, between 0 and 1.

    Returns
    -------
    Reliability
        Terms ``alpha`` with the interval of Feldt and the normal-theory standard
        error, ``alpha_std`` (of standardised items) and, for two items,
        ``spearman_brown``, which equals it.

    Raises
    ------
    TooFewError
        If there are fewer than two items or three respondents.
    AnalysisError
        If an item is not numeric, has no answer or does not vary.

    Notes
    -----
    :math:`\alpha = \frac{k}{k-1}\left(1 - \frac{\operatorname{tr} S}{1' S 1}\right)`,
    Cronbach (1951), eq. 13; interval of Feldt (1965), F with n - 1 and
    (n - 1)(k - 1) degrees of freedom; standard error of van Zyl, Neudecker and Nel
    (2000), as Duhachek and Iacobucci (2004) state it. Same as
    ``psych::alpha(na.omit(x))``, its ``feldt`` and its ``ase``; pairwise as
    ``psych::alpha(x)``.
    """
    where = "cronbach_alpha"
    check_level(conf_level, where=where)
    require_choice("missing", missing, get_args(Missing), where=where)
    S, n_obs = _covariance(items, missing=missing, where=where)
    k = len(S)
    R = _correlations(S)
    for matrix in (S, R):
        require_spread(matrix, where=where)
    estimate, standardized = alpha(S), alpha(R)
    low, high = feldt(estimate, k, n_obs, conf_level)
    rows: list[Row] = [
        ("alpha", estimate, alpha_error(S, n_obs), low, high),
        ("alpha_std", standardized, NAN, NAN, NAN),
    ]
    average_r, names = mean_correlation(R), [str(name) for name in items.columns]
    if k == 2:  # noqa: PLR2004
        rows.append(("spearman_brown", spearman_brown(average_r), NAN, NAN, NAN))
    return Reliability(
        coefficient="alpha",
        table=coefficient_table(rows),
        average_r=average_r,
        conf_level=conf_level,
        n_items=k,
        n_obs=n_obs,
        n_dropped=len(items) - n_obs,
        warnings=warning_table(
            [
                *negative("alpha", estimate),
                *against(S, names),
                *odd_answers(item_codes(items, where=where), names, n_obs),
                *dropped_rows(len(items) - n_obs, len(items)),
                *(_few_pairs(items, n_obs) if missing == "pairwise" else ()),
            ]
        ),
        interval="Feldt (1965)",
    )


def alpha(S: Float2D) -> float:
    """Coefficient alpha of a covariance or correlation matrix, shape (k, k)."""
    k = len(S)
    return float(k / (k - 1) * (1 - np.trace(S) / S.sum()))


def alpha_error(S: Float2D, n_obs: int) -> float:
    """Give the standard error of alpha for normal answers.

    Notes
    -----
    Duhachek and Iacobucci (2004), eq. 3. Same as ``psych::alpha()$total$ase``.
    """
    k, total, trace = len(S), S.sum(), np.trace(S)
    S2 = S @ S
    inner = total * (np.trace(S2) + trace**2) - 2 * trace * S2.sum()
    variance = 2 * k**2 / ((k - 1) ** 2 * total**3) * inner
    return float(np.sqrt(variance / n_obs)) if variance > 0 else NAN


def spearman_brown(r: float, length: float = 2.0) -> float:
    """Reliability of a test made `length` times as long; by default of two halves.

    NaN where r is so far below zero that the longer test would not vary.
    """
    spread = 1 + (length - 1) * r
    return float(length * r / spread) if spread > 0 else NAN


def mean_correlation(R: Float2D) -> float:
    """Mean of the correlations of two different items."""
    k = len(R)
    return float((R.sum() - np.trace(R)) / (k * (k - 1)))


def require_spread(S: Float2D, *, where: str) -> None:
    """Refuse items whose sum does not vary.

    Raises
    ------
    AnalysisError
        If the variance of the sum is zero but for rounding.
    """
    if S.sum() <= NO_SPREAD * np.trace(S):
        raise AnalysisError(
            f"{where}: the sum of the items does not vary, they cancel each "
            "other. Check the keying: some items run against the others."
        )


def negative(term: str, estimate: float) -> Iterator[Warning_]:
    """Warn of a coefficient below zero."""
    if estimate < 0:
        yield (
            f"{term} is negative ({estimate:.2f})",
            "scale",
            "Check the keying: some items run against the others.",
        )


def against(S: Float2D, names: Sequence[str]) -> Iterator[Warning_]:
    """Warn of items that correlate below zero with the sum of the others.

    Parameters
    ----------
    S
        Covariances or correlations of the items, shape (k, k).
    names
        The items.
    """
    variance, with_all = np.diag(S), S.sum(axis=0)
    rest = np.sqrt(np.maximum(S.sum() - 2 * with_all + variance, 0.0) * variance)
    r = np.divide(
        with_all - variance, rest, out=np.zeros(len(S)), where=rest > NO_SPREAD
    )
    if odd := [f"{n} ({v:.2f})" for n, v in zip(names, r, strict=True) if v < 0]:
        yield (
            f"items go against the others, item-rest r below 0: {', '.join(odd)}",
            "scale",
            "Check the keying: reverse them, or undo a reversal done twice.",
        )


def _few_pairs(items: pd.DataFrame, n_obs: int) -> Iterator[Warning_]:
    """Warn where Feldt's interval counts people that a pair of items does not have."""
    known = items.notna().to_numpy(dtype=float)
    fewest = int((known.T @ known).min())
    if fewest < 0.95 * min(n_obs, len(items)):
        yield (
            "interval too narrow",
            f"two items share {fewest} answers, the interval counts {n_obs}",
            "Use missing='listwise', or read the interval as a lower bound of width.",
        )


def _covariance(
    items: pd.DataFrame, *, missing: Missing, where: str
) -> tuple[Float2D, int]:
    x = item_codes(items, where=where)
    names = [str(name) for name in items.columns]
    if missing == "listwise":
        x = complete_rows(x, names, where=where, at_least=3)
        return np.cov(x, rowvar=False), len(x)
    require_variance(x, names, where=where)
    x = x[~np.isnan(x).all(axis=1)]
    S: Float2D = pd.DataFrame(x).cov(min_periods=3).to_numpy(copy=True)
    if np.isnan(S).any():
        i, j = np.argwhere(np.isnan(S))[0]
        raise TooFewError(
            f"{where}: fewer than 3 respondents answered both {names[i]!r} and "
            f"{names[j]!r}. Leave one of them out."
        )
    return S, len(x)


def _correlations(S: Float2D) -> Float2D:
    sd = np.sqrt(np.diag(S))
    R: Float2D = S / np.outer(sd, sd)
    return R
