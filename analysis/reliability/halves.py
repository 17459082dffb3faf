"""Split-half reliability, and Guttman's six lower bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.answers import complete_rows, item_codes, require_whole
from analysis.errors import AnalysisError
from analysis.oddities import odd_answers
from analysis.plots.histogram import plot_histogram
from analysis.reliability.alpha import (
    against,
    alpha,
    mean_correlation,
    require_spread,
    spearman_brown,
)
from analysis.reliability.coefficients import Reliability, coefficient_table
from analysis.reliability.intervals import NAN
from analysis.reliability.splits import (
    MOST_SPLITS,
    all_splits,
    extreme,
    guttman,
    number_of_splits,
    random_splits,
)
from analysis.result import dropped_rows, estimate_of, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.reliability.coefficients import Row

# Below this an eigenvalue is zero but for rounding.
SINGULAR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class SplitHalf:
    """Reliability from correlating two halves of a scale, over its splits.

    Attributes
    ----------
    table
        One row per coefficient: `term`, `estimate`, `formula` (and the columns of
        errors, which are NaN: bootstrap `as_reliability`).
    splits
        Guttman coefficient of each split seen, shape (n_splits,).
    best, worst
        Items of the two halves of the splits with the highest and lowest coefficient.
    exact
        Whether all splits were seen; otherwise a random sample, and the extremes are
        the best ones found from it by swapping items.
    standardized
        Whether the sum is that of standardised items.
    average_r
        Mean correlation of two items.
    n_items, n_obs, n_dropped
        Items, respondents used, and left out for missing answers.
    warnings
        What needs a second look: what, where, remedy.
    """

    table: pd.DataFrame
    splits: Float1D
    best: tuple[tuple[str, ...], tuple[str, ...]]
    worst: tuple[tuple[str, ...], tuple[str, ...]]
    exact: bool
    standardized: bool
    average_r: float
    n_items: int
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def __getitem__(self, term: str) -> float:
        """Estimate of the coefficient `term`, such as ``"lambda4"``."""
        return estimate_of(self.table, term)

    def tidy(self) -> pd.DataFrame:
        """One row per coefficient."""
        return self.table.copy()

    def as_reliability(self) -> Reliability:
        """Take the coefficients as `analysis.reliability.bootstrap` wants them."""
        return Reliability(
            coefficient="split_half_mean",
            table=self.table,
            average_r=self.average_r,
            conf_level=NAN,
            n_items=self.n_items,
            n_obs=self.n_obs,
            n_dropped=self.n_dropped,
            warnings=self.warnings,
            interval="none",
        )

    def glance(self) -> pd.DataFrame:
        """One row: mean, lowest and greatest split-half, sizes."""
        return pd.DataFrame(
            {
                "split_half_mean": [self["split_half_mean"]],
                "split_half_lowest": [self["split_half_lowest"]],
                "lambda4": [self["lambda4"]],
                "n_splits": [len(self.splits)],
                "exact": [self.exact],
                "n_items": [self.n_items],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
            }
        )

    def summary(self) -> str:
        """State the mean and range of the split-half reliabilities."""
        seen = "all" if self.exact else "a random"
        sample = "" if self.exact else " sampled"
        return (
            f"split-half reliability {self['split_half_mean']:.3f} on average, "
            f"{self['split_half_lowest']:.3f} to {self['lambda4']:.3f} ({seen} "
            f"{len(self.splits):,}{sample} splits of {self.n_items} items, "
            f"n = {self.n_obs})"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distribution of the coefficient over the splits."""
        return plot_histogram(
            self.splits,
            marks={"mean": self["split_half_mean"], "alpha": self["lambda3"]},
            title=f"Split-half reliability depends on the split: "
            f"{self['split_half_lowest']:.2f} to {self['lambda4']:.2f}",
            xlabel=f"Guttman coefficient of a split, n = {self.n_obs:,}",
            ax=ax,
        )


def split_half(
    items: pd.DataFrame,
    *,
    standardized: bool = True,
    draws: int = 10_000,
    seed: int = 0,
) -> SplitHalf:
    """Split-half reliability over all splits, and Guttman's lambda 1 to 6.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA;
        respondents with a missing answer are left out (listwise).
    standardized
        Of the sum of standardised items (correlations), as psych does; of the sum of
        codes (covariances) when False.
    draws
        Random splits to see when there are more than 400,000 (more than 22 items).
    seed
        Seed of the random splits.

    Returns
    -------
    SplitHalf
        Terms ``split_half_mean``, ``split_half_median``, ``split_half_lowest``
        (Revelle's beta), ``lambda4`` (the greatest split), ``odd_even`` and
        ``first_last`` with their Spearman-Brown forms, and Guttman's lambdas. Lambda 6
        is NaN when items determine each other.

    Raises
    ------
    TooFewError
        If there are fewer than two items or three respondents.
    AnalysisError
        If an item is not numeric, has no answer or does not vary, or the sum does not
        vary.

    Notes
    -----
    Guttman (1945); Revelle (1979) for the worst split. An odd number of items is split
    in halves that differ by one. Same as ``psych::splitHalf(cor(x), check.keys =
    FALSE)`` maxrb, minrb, meanr, lambda2 and lambda6 for an even number; for an odd
    number that function sees only half of the splits. Lambda 1 to 6 as
    ``psych::guttman``.
    """
    where = "split_half"
    require_whole("seed", seed, at_least=0, where=where)
    require_whole("draws", draws, at_least=0, where=where)
    if draws < 1:
        raise AnalysisError(f"{where}: draws is {draws}. Give one or more.")
    x = item_codes(items, where=where)
    names = [str(name) for name in items.columns]
    used = complete_rows(x, names, where=where, at_least=3)
    S = np.atleast_2d(np.cov(used, rowvar=False))
    if standardized:
        S = np.atleast_2d(np.corrcoef(used, rowvar=False))
    require_spread(S, where=where)
    exact = number_of_splits(len(names)) <= MOST_SPLITS
    rng = np.random.default_rng(seed)
    signs = all_splits(len(S)) if exact else random_splits(len(S), draws, rng)
    values = guttman(signs, S)
    best = extreme(signs, values, S, highest=True, exact=exact)
    worst = extreme(signs, values, S, highest=False, exact=exact)
    ends = guttman(np.array([best, worst]), S)
    rows = [
        ("split_half_mean", float(values.mean())),
        ("split_half_median", float(np.median(values))),
        ("split_half_lowest", float(ends[1])),
        ("lambda4", float(ends[0])),
        *_named_splits(S),
        *((k, v) for k, v in guttman_bounds(S).items()),
    ]
    return SplitHalf(
        table=coefficient_table([_without_error(*row) for row in rows]),
        splits=values,
        best=_halves(best, names),
        worst=_halves(worst, names),
        exact=exact,
        standardized=standardized,
        average_r=mean_correlation(np.atleast_2d(np.corrcoef(used, rowvar=False))),
        n_items=len(names),
        n_obs=len(used),
        n_dropped=len(x) - len(used),
        warnings=warning_table(
            [
                *against(S, names),
                *odd_answers(x, names, len(used)),
                *dropped_rows(len(x) - len(used), len(x)),
            ]
        ),
    )


def guttman_bounds(S: Float2D) -> dict[str, float]:
    """Guttman's lower bounds of reliability, but for lambda 4.

    Parameters
    ----------
    S
        Covariances or correlations of the items, shape (p, p).

    Notes
    -----
    Guttman (1945). Same as ``psych::guttman(S)``. Lambda 6 takes squared multiple
    correlations and is NaN for a singular matrix.
    """
    p, V = len(S), float(S.sum())
    diagonal = np.diag(S)
    off = S - np.diag(diagonal)
    squares = (off**2).sum(axis=0)
    lambda1 = 1 - float(diagonal.sum()) / V
    return {
        "lambda1": lambda1,
        "lambda2": lambda1 + float(np.sqrt(squares.sum() * p / (p - 1))) / V,
        "lambda3": alpha(S),
        "lambda5": lambda1 + 2 * float(np.sqrt(squares.max())) / V,
        "lambda6": _lambda6(S, V),
    }


def _lambda6(S: Float2D, V: float) -> float:
    sd = np.sqrt(np.diag(S))
    values = np.linalg.eigvalsh(S / np.outer(sd, sd))
    if values[0] <= SINGULAR:
        return NAN
    return 1 - float((1 / np.diag(np.linalg.inv(S))).sum()) / V


def _named_splits(S: Float2D) -> Iterator[tuple[str, float]]:
    p = len(S)
    position = np.arange(p)
    for name, first in (
        ("odd_even", position % 2 == 0),
        ("first_last", position < (p + 1) // 2),
    ):
        sign = np.where(first, 1.0, -1.0)
        yield name, float(guttman(sign[None, :], S)[0])
        a, b = first.astype(np.float64), (~first).astype(np.float64)
        spread = (a @ S @ a) * (b @ S @ b)
        r = float(a @ S @ b / np.sqrt(spread)) if spread > 0 else NAN
        yield f"{name}_spearman_brown", spearman_brown(r)


def _without_error(term: str, estimate: float) -> Row:
    return (term, estimate, NAN, NAN, NAN)


def _halves(sign: Float1D, names: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    first = tuple(n for n, s in zip(names, sign, strict=True) if s > 0)
    return first, tuple(n for n in names if n not in first)
