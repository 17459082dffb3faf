"""Whether items correlate enough for a factor analysis: KMO and Bartlett's test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis.efa.source import FromCorrelations, correlations_of, head, pairwise_row
from analysis.result import format_p

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float2D
    from analysis.correlations import Correlation, Kind, Missing
    from analysis.efa.source import Items

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
class Kmo(FromCorrelations):
    """Kaiser-Meyer-Olkin measure of sampling adequacy.

    Attributes
    ----------
    overall
        From 0 to 1; the share of squared correlations not due to pairs alone.
    items
        The same for each item, indexed by item.
    kind, reason, n_items, n_obs, n_dropped, warnings
        See `FromCorrelations`.
    """

    overall: float
    items: pd.Series

    def tidy(self) -> pd.DataFrame:
        """One row per item: item, estimate."""
        return self.items.rename("estimate").rename_axis("item").reset_index()

    def glance(self) -> pd.DataFrame:
        """One row: overall value, correlations and sizes."""
        return self.glance_row(kmo=self.overall)

    def summary(self) -> str:
        """Overall value with Kaiser's word for it."""
        word = next(
            (word for floor, word in _GRADES if self.overall >= floor), "unacceptable"
        )
        return (
            f"KMO = {self.overall:.3f} ({word}; lowest item {self.items.idxmin()} "
            f"{self.items.min():.3f}; {self.kind} correlations, "
            f"{self.n_items} items, n = {self.n_obs})"
        )


def kmo(
    items: Items, *, kind: Kind | None = None, missing: Missing | None = None
) -> Kmo:
    """Measure how far correlations exceed partial correlations.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    kind
        Which correlation of answers; Pearson's by default.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`, in particular for a singular correlation matrix.

    Notes
    -----
    Kaiser and Rice (1974): sum r^2 / (sum r^2 + sum q^2) over pairs, q the partial
    correlations given all other items. Same as ``psych::KMO(R)``.
    """
    corr = correlations_of(items, kind, missing, where="kmo")
    r2, q2 = adequacy_parts(corr.R)
    each = pd.Series(r2.sum(0) / (r2.sum(0) + q2.sum(0)), index=list(corr.names))
    return Kmo(
        overall=float(r2.sum() / (r2.sum() + q2.sum())),
        items=each,
        **head(corr, _low(each)),
    )


def adequacy_parts(R: Float2D) -> tuple[Float2D, Float2D]:
    """Squared correlations and squared partial correlations, zero diagonals, (p, p)."""
    inverse = np.linalg.inv(R)
    scale = np.sqrt(np.diag(inverse))
    r2, q2 = R**2, (inverse / np.outer(scale, scale)) ** 2
    np.fill_diagonal(r2, 0)
    np.fill_diagonal(q2, 0)
    return r2, q2


def _low(each: pd.Series) -> Iterator[tuple[str, str, str]]:
    for name, value in each.items():
        if value < UNACCEPTABLE:
            yield (
                f"KMO {value:.2f} is below {UNACCEPTABLE:.2f}",
                f"item {name}",
                "Leave it out of the factor analysis, or ask why it stands alone.",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Bartlett(FromCorrelations):
    """Bartlett's test that no items correlate at all.

    Attributes
    ----------
    chisq, df, p_value
        The test.
    kind, reason, n_items, n_obs, n_dropped, warnings
        See `FromCorrelations`.
    """

    chisq: float
    df: int
    p_value: float

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
        """One row: the test, correlations and sizes."""
        return self.glance_row(
            term="bartlett", statistic=self.chisq, df=self.df, p_value=self.p_value
        )

    def summary(self) -> str:
        """State the test as papers do."""
        p = format_p(self.p_value)
        return (
            f"Bartlett's test of sphericity: chi2({self.df}) = {self.chisq:.2f}, {p} "
            f"({self.kind} correlations, {self.n_items} items, n = {self.n_obs})"
        )


def bartlett(
    items: Items, *, kind: Kind | None = None, missing: Missing | None = None
) -> Bartlett:
    """Test whether the correlation matrix is an identity matrix.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    kind
        Which correlation of answers; Pearson's by default. The test is derived for
        Pearson's; with others it is a description.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`.

    Notes
    -----
    Bartlett (1951): -(n - 1 - (2p + 5)/6) ln |R|. Same as
    ``psych::cortest.bartlett(R, n)``.
    """
    corr = correlations_of(items, kind, missing, where="bartlett")
    p = len(corr.R)
    statistic = -(corr.n_obs - 1 - (2 * p + 5) / 6) * np.linalg.slogdet(corr.R)[1]
    df = p * (p - 1) // 2
    return Bartlett(
        chisq=float(statistic),
        df=df,
        p_value=float(chi2.sf(statistic, df)),
        **head(corr, [*_not_derived(corr), *pairwise_row(corr, "chi-square")]),
    )


def _not_derived(corr: Correlation) -> Iterator[tuple[str, str, str]]:
    if corr.kind != "pearson":
        yield (
            f"the test is derived for Pearson, not {corr.kind} correlations",
            "Bartlett's test",
            "Read chi-square as a description; p is too small.",
        )
