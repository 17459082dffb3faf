"""Whether items correlate enough for a factor analysis: KMO and Bartlett's test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis.efa.correlation import pearson
from analysis.result import format_p, warning_table

if TYPE_CHECKING:
    from analysis.efa.correlation import Missing

# Kaiser (1974): "unacceptable" below .50.
UNACCEPTABLE = 0.50
_GRADES = (
    (0.90, "marvellous"),
    (0.80, "meritorious"),
    (0.70, "middling"),
    (0.60, "mediocre"),
    (0.50, "miserable"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Kmo:
    """Kaiser-Meyer-Olkin measure of sampling adequacy.

    Attributes
    ----------
    overall
        From 0 to 1; the share of squared correlations not due to pairs alone.
    items
        The same for each item, indexed by item.
    n_obs, n_dropped
        Respondents used, and left out for missing answers.
    warnings
        Items below .50: what, where, remedy.
    """

    overall: float
    items: pd.Series
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item: item, estimate."""
        return self.items.rename("estimate").rename_axis("item").reset_index()

    def glance(self) -> pd.DataFrame:
        """One row: overall value and sizes."""
        return pd.DataFrame(
            {
                "kmo": [self.overall],
                "n_items": [len(self.items)],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
            }
        )

    def summary(self) -> str:
        """Overall value with Kaiser's word for it."""
        word = next(
            (word for floor, word in _GRADES if self.overall >= floor), "unacceptable"
        )
        return (
            f"KMO = {self.overall:.3f} ({word}; lowest item {self.items.idxmin()} "
            f"{self.items.min():.3f}; {len(self.items)} items, n = {self.n_obs})"
        )


def kmo(items: pd.DataFrame, *, missing: Missing = "listwise") -> Kmo:
    """Measure how far correlations exceed partial correlations.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA.
    missing
        ``"listwise"`` or ``"pairwise"``.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`, in particular for a singular correlation matrix.

    Notes
    -----
    Kaiser and Rice (1974): sum r^2 / (sum r^2 + sum q^2) over pairs, q the partial
    correlations given all other items. Same as ``psych::KMO(cor(x))``.
    """
    corr = pearson(items, missing=missing, where="kmo", at_least=2)
    inverse = np.linalg.inv(corr.R)
    scale = np.sqrt(np.diag(inverse))
    r2, q2 = corr.R**2, (inverse / np.outer(scale, scale)) ** 2
    np.fill_diagonal(r2, 0)
    np.fill_diagonal(q2, 0)
    each = pd.Series(r2.sum(0) / (r2.sum(0) + q2.sum(0)), index=list(corr.names))
    return Kmo(
        overall=float(r2.sum() / (r2.sum() + q2.sum())),
        items=each,
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        warnings=warning_table(
            (
                f"KMO {value:.2f} is below {UNACCEPTABLE:.2f}",
                f"item {name}",
                "Leave it out of the factor analysis, or ask why it stands alone.",
            )
            for name, value in each.items()
            if value < UNACCEPTABLE
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Bartlett:
    """Bartlett's test that no items correlate at all.

    Attributes
    ----------
    chisq, df, p_value
        The test.
    n_items, n_obs, n_dropped
        Items, respondents used, and left out for missing answers.
    """

    chisq: float
    df: int
    p_value: float
    n_items: int
    n_obs: int
    n_dropped: int

    def tidy(self) -> pd.DataFrame:
        """One row: term, statistic, df, p_value."""
        return pd.DataFrame(
            {
                "term": ["bartlett"],
                "statistic": [self.chisq],
                "df": [self.df],
                "p_value": [self.p_value],
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: the test and sizes."""
        return self.tidy().assign(
            n_items=self.n_items, n_obs=self.n_obs, n_dropped=self.n_dropped
        )

    def summary(self) -> str:
        """State the test as papers do."""
        p = format_p(self.p_value)
        return (
            f"Bartlett's test of sphericity: chi2({self.df}) = {self.chisq:.2f}, {p} "
            f"({self.n_items} items, n = {self.n_obs})"
        )


def bartlett(items: pd.DataFrame, *, missing: Missing = "listwise") -> Bartlett:
    """Test whether the correlation matrix is an identity matrix.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA.
    missing
        ``"listwise"`` or ``"pairwise"``.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`.

    Notes
    -----
    Bartlett (1951): -(n - 1 - (2p + 5)/6) ln |R|. Same as
    ``psych::cortest.bartlett(cor(x), n)``.
    """
    corr = pearson(items, missing=missing, where="bartlett", at_least=2)
    p = len(corr.R)
    statistic = -(corr.n_obs - 1 - (2 * p + 5) / 6) * np.linalg.slogdet(corr.R)[1]
    df = p * (p - 1) // 2
    return Bartlett(
        chisq=float(statistic),
        df=df,
        p_value=float(chi2.sf(statistic, df)),
        n_items=p,
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
    )
