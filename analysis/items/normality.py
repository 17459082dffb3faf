"""Joint normality of items: Mardia's multivariate skewness and kurtosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from analysis.answers import complete_rows, item_codes
from analysis.errors import AnalysisError
from analysis.plots.quantiles import plot_chi_square_quantiles
from analysis.result import dropped_rows, estimate_of, format_p, warning_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D

# Rows taken at a time, so that memory does not grow with their number.
CHUNK = 4096
# Below this an eigenvalue of the correlations is zero but for rounding.
SINGULAR = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Mardia:
    """Multivariate skewness and kurtosis.

    Attributes
    ----------
    table
        Rows ``skewness`` (b1p), ``skewness_small`` (the same with the small-sample
        statistic) and ``kurtosis`` (b2p): `term`, `estimate`, `expected` (under
        normality), `statistic` (chi-square; z for the kurtosis), `df`, `p_value`.
    distances
        Squared Mahalanobis distances of the complete rows, shape (n_obs,).
    n_items, n_obs, n_dropped
        Items, respondents used, and left out for missing answers.
    warnings
        Many rows left out: what, where, remedy.
    """

    table: pd.DataFrame
    distances: Float1D
    n_items: int
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def __getitem__(self, term: str) -> float:
        """Estimate of `term`, such as ``"kurtosis"``."""
        return estimate_of(self.table, term)

    def tidy(self) -> pd.DataFrame:
        """One row per coefficient."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: b1p, b2p, their p values and sizes."""
        rows = self.table.set_index("term")
        return pd.DataFrame(
            {
                "b1p": [rows.loc["skewness", "estimate"]],
                "b2p": [rows.loc["kurtosis", "estimate"]],
                "p_skewness": [rows.loc["skewness", "p_value"]],
                "p_kurtosis": [rows.loc["kurtosis", "p_value"]],
                "n_items": [self.n_items],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
            }
        )

    def summary(self) -> str:
        """State both coefficients with their tests."""
        skew, _, kurtosis = self.table.to_dict("records")
        return (
            f"Mardia's skewness {skew['estimate']:.2f}, chi2({skew['df']:.0f}) = "
            f"{skew['statistic']:.2f}, {format_p(skew['p_value'])}; kurtosis "
            f"{kurtosis['estimate']:.2f} ({kurtosis['expected']:.0f} if normal), z = "
            f"{kurtosis['statistic']:.2f}, {format_p(kurtosis['p_value'])} "
            f"({self.n_items} items, n = {self.n_obs})"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distances against the chi-square they have under normality."""
        return plot_chi_square_quantiles(self.distances, df=self.n_items, ax=ax)


def mardia(items: pd.DataFrame, *, unbiased: bool = True) -> Mardia:
    r"""Multivariate skewness and kurtosis of items, with their tests of normality.

    Parameters
    ----------
    items
        Item codes, one row per respondent, missing as NA; respondents with a missing
        answer are left out (listwise).
    unbiased
        Standardise by the covariances with divisor n - 1, as psych does; with n, as
        Mardia did, when False. The two agree in large samples.

    Raises
    ------
    TooFewError
        If there are not more complete respondents than items.
    AnalysisError
        If an item is not numeric, has no answer or does not vary, or items determine
        each other.

    Notes
    -----
    Mardia (1970): :math:`b_{1p} = n^{-2}\sum_{ij} d_{ij}^3`,
    :math:`b_{2p} = n^{-1}\sum_i d_{ii}^2` with d the Mahalanobis products;
    n b1p / 6 is chi-square with p(p + 1)(p + 2)/6 degrees of freedom,
    (b2p - p(p + 2)) / sqrt(8p(p + 2)/n) is standard normal. Small samples: the
    factor (p + 1)(n + 1)(n + 3) / (n((n + 1)(p + 1) - 6)), Mardia (1974). Same as
    ``psych::mardia(na.omit(x))``, tests/reference/items_moments.R. b1p is taken from
    the third moments, so that no n x n matrix is needed.
    """
    x = item_codes(items, where="mardia", at_least=1)
    names = [str(name) for name in items.columns]
    used = complete_rows(x, names, where="mardia", at_least=len(names) + 1)
    n, p = used.shape
    z = _whitened(used, names, unbiased=unbiased)
    distances: Float1D = (z**2).sum(axis=1)
    b1p, b2p = _third_moments(z), float((distances**2).mean())
    df = p * (p + 1) * (p + 2) / 6
    small = (p + 1) * (n + 1) * (n + 3) / (n * ((n + 1) * (p + 1) - 6))
    normal = p * (p + 2)
    z_kurtosis = (b2p - normal) / np.sqrt(8 * normal / n)
    chisq = n * b1p / 6
    rows = [
        ("skewness", b1p, 0.0, chisq, df, chi2.sf(chisq, df)),
        ("skewness_small", b1p, 0.0, small * chisq, df, chi2.sf(small * chisq, df)),
        (
            *("kurtosis", b2p, float(normal), z_kurtosis, np.nan),
            2 * norm.sf(abs(z_kurtosis)),
        ),
    ]
    columns = ["term", "estimate", "expected", "statistic", "df", "p_value"]
    return Mardia(
        table=pd.DataFrame(rows, columns=columns),
        distances=distances,
        n_items=p,
        n_obs=n,
        n_dropped=len(x) - n,
        warnings=warning_table(dropped_rows(len(x) - n, len(x))),
    )


def _whitened(x: Float2D, names: Sequence[str], *, unbiased: bool) -> Float2D:
    """Uncorrelated columns of variance 1, shape (n, p)."""
    centred = x - x.mean(axis=0)
    centred = centred / centred.std(axis=0, ddof=int(unbiased))
    R = np.atleast_2d(np.cov(centred, rowvar=False, bias=not unbiased))
    values, vectors = np.linalg.eigh(R)
    if values[0] <= SINGULAR:
        part = np.abs(vectors[:, 0])
        named = [n for n, w in zip(names, part, strict=True) if w > 1e-6]  # noqa: PLR2004
        raise AnalysisError(
            f"mardia: each of the items {named} is determined by the others. "
            "Leave one of them out."
        )
    z: Float2D = centred @ (vectors / np.sqrt(values))
    return z


def _third_moments(z: Float2D) -> float:
    """Sum of the squared third moments of whitened columns, which is b1p."""
    n, p = z.shape
    moments = np.zeros((p * p, p))
    for start in range(0, n, CHUNK):
        part = z[start : start + CHUNK]
        products = (part[:, :, None] * part[:, None, :]).reshape(len(part), -1)
        moments += products.T @ part
    return float(((moments / n) ** 2).sum())
