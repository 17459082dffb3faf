"""Statistics of the items of one scale: distribution, and fit to the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.answers import item_codes, varies
from analysis.errors import AnalysisError, TooFewError
from analysis.items.codes import count_codes, possible_codes, rare_codes
from analysis.oddities import odd_answers
from analysis.plots.items import plot_item_rest
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.items.codes import Codes

SkewType: TypeAlias = Literal[1, 2, 3]

# Fewest complete rows for correlations of an item with the rest.
COMPLETE_ROWS = 3
# More answers than this at one end, and the item tells people at that end not apart.
END_EFFECT = 0.50
# Fewest answers for skewness and kurtosis to mean anything.
MOMENTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class ItemStatistics:
    """Statistics of the items of one scale.

    Attributes
    ----------
    table
        One row per item: `item`, `n`, `missing` (share), `mean`, `sd`, `skew`,
        `kurtosis`, `min`, `max`, `floor` and `ceiling` (shares at the lowest and
        highest possible code), `r_drop` (with the sum of the others), `r_total` (with
        the sum of all), `alpha_drop` (alpha of the others). NaN where undefined.
    alpha
        Alpha of all usable items, to compare `alpha_drop` with; NaN below two.
    n_obs, n_complete
        Respondents, and those with every usable item answered, on whom `r_drop`,
        `r_total` and `alpha_drop` rest.
    use
        Category use, see `categories`.
    warnings
        Items without answers or variance, against the key, at an end, with
        categories nobody or one person used, that repeat another; few or empty rows:
        what, where, remedy.
    """

    table: pd.DataFrame
    alpha: float
    n_obs: int
    n_complete: int
    use: pd.DataFrame
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item with all statistics."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: n_items, n_obs, n_complete, alpha, lowest r_drop."""
        return pd.DataFrame(
            {
                "n_items": [len(self.table)],
                "n_obs": [self.n_obs],
                "n_complete": [self.n_complete],
                "alpha": [self.alpha],
                "lowest_r_drop": [self.table["r_drop"].min()],
            }
        )

    def summary(self) -> str:
        """Ranges of means, item-rest correlations and missing answers."""
        t = self.table
        return (
            f"{len(t)} items, n = {self.n_obs} ({self.n_complete} complete): means "
            f"{_range(t['mean'])}, item-rest r {_range(t['r_drop'])}, missing up to "
            f"{t['missing'].max():.1%}"
            + (f"; {len(self.warnings)} warning(s)" if len(self.warnings) else "")
        )

    def categories(self) -> pd.DataFrame:
        """One row per item and code: item, code, count, share of its answers."""
        return self.use.copy()

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the item-rest correlations."""
        return plot_item_rest(self.table, n=self.n_complete, labels=labels, ax=ax)


def item_statistics(
    items: pd.DataFrame, *, codes: Codes = None, skew_type: SkewType = 3
) -> ItemStatistics:
    """Describe the items of one scale.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA.
    codes
        The possible codes: one sequence for all items, or one for each. Without
        them `floor` and `ceiling` are NaN and unused codes are not listed.
    skew_type
        Which `skew` and `kurtosis`, by the numbers of ``psych::describe``: with
        m the central moments (divisor n) and s the standard deviation (n - 1),
        3 (psych, Minitab) is m3 / s^3 and m4 / s^4 - 3; 1 (textbooks) m3 / m2^1.5
        and m4 / m2^2 - 3; 2 (SAS, SPSS) is 1 corrected for bias under normality.

    Returns
    -------
    ItemStatistics
        Items that nobody answered, or all alike, stay in the table with NaN where
        a statistic does not exist, and a row in `warnings`; the others are
        described as if such items were not there.

    Raises
    ------
    TooFewError
        If there is no item, or no respondent.
    AnalysisError
        If an item is not numeric, or holds codes it cannot have.

    Notes
    -----
    mean, sd, skew and kurtosis as ``psych::describe(x, type = skew_type)``; the
    types are those of Joanes and Gill (1998). `r_drop`, `r_total` (raw.r) and
    `alpha_drop` (raw_alpha) as ``psych::alpha(na.omit(x))``: on respondents with
    every usable item answered. tests/reference/reliability.R, items_moments.R.
    """
    if skew_type not in get_args(SkewType):
        raise AnalysisError(
            f"item_statistics: skew_type={skew_type!r} is unknown. Choose 1, 2 or 3."
        )
    x = item_codes(items, where="item_statistics", at_least=1)
    if not len(x):
        raise TooFewError("item_statistics: no respondents. Give at least one row.")
    names = [str(name) for name in items.columns]
    possible = possible_codes(names, codes, where="item_statistics")
    use = count_codes(x, names, possible, where="item_statistics")
    table = pd.DataFrame(
        [
            _describe(name, column, codes_, skew_type)
            for name, column, codes_ in zip(names, x.T, possible, strict=True)
        ]
    )
    usable = np.array(varies(x))
    complete = x[:, usable]
    complete = complete[~np.isnan(complete).any(axis=1)]
    alpha, scale = _scale_statistics(complete)
    for name, values in scale.items():
        table[name] = np.nan
        table.loc[usable, name] = values
    return ItemStatistics(
        table=table,
        alpha=alpha,
        n_obs=len(x),
        n_complete=len(complete),
        use=use,
        warnings=warning_table(
            [
                *_warnings(table, complete, int(usable.sum())),
                *rare_codes(use),
                *odd_answers(x, names, len(complete)),
            ]
        ),
    )


def _describe(
    name: str, column: Float1D, codes: list[float] | None, skew_type: SkewType
) -> dict[str, object]:
    answered = column[~np.isnan(column)]
    n, nan = len(answered), float("nan")
    skew, kurtosis = shape(answered, skew_type)
    return {
        "item": name,
        "n": n,
        "missing": 1 - n / len(column),
        "mean": float(answered.mean()) if n else nan,
        "sd": float(answered.std(ddof=1)) if n > 1 else nan,
        "skew": skew,
        "kurtosis": kurtosis,
        "min": float(answered.min()) if n else nan,
        "max": float(answered.max()) if n else nan,
        "floor": _share(answered, codes[0]) if codes else nan,
        "ceiling": _share(answered, codes[-1]) if codes else nan,
    }


def shape(answered: Float1D, skew_type: SkewType = 3) -> tuple[float, float]:
    """Skewness and excess kurtosis of answers without gaps, shape (n,).

    NaN below four answers, or when all are alike.

    Notes
    -----
    Joanes and Gill (1998): g1, g2 (type 1); G1, G2 (type 2); b1, b2 (type 3).
    """
    n = len(answered)
    if n < MOMENTS or np.ptp(answered) == 0:
        return float("nan"), float("nan")
    deviation = answered - answered.mean()
    m2, m3, m4 = ((deviation**power).mean() for power in (2, 3, 4))
    g1, g2 = m3 / m2**1.5, m4 / m2**2 - 3
    if skew_type == 1:
        return float(g1), float(g2)
    if skew_type == 2:  # noqa: PLR2004
        corrected = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6)
        return float(g1 * np.sqrt(n * (n - 1)) / (n - 2)), float(corrected)
    shrink = (n - 1) / n
    return float(g1 * shrink**1.5), float((g2 + 3) * shrink**2 - 3)


def _share(answered: Float1D, code: float) -> float:
    return float((answered == code).mean()) if len(answered) else float("nan")


def _scale_statistics(x: Float2D) -> tuple[float, dict[str, Float1D]]:
    """Alpha, and each item's correlation with rest and total and alpha without it."""
    p = x.shape[1]
    nothing = np.full(p, np.nan)
    if p < 2 or len(x) < COMPLETE_ROWS:  # noqa: PLR2004
        return float("nan"), dict.fromkeys(("r_drop", "r_total", "alpha_drop"), nothing)
    S = np.atleast_2d(np.cov(x, rowvar=False))
    variance, with_all, total = np.diag(S), S.sum(axis=0), S.sum()
    rest = total - 2 * with_all + variance
    with np.errstate(invalid="ignore", divide="ignore"):
        r_drop = (with_all - variance) / np.sqrt(variance * rest)
        r_total = with_all / np.sqrt(variance * total)
        alpha = _alpha(p, S.trace(), total)
        alpha_drop = _alpha(p - 1, S.trace() - variance, rest) if p > 2 else nothing  # noqa: PLR2004
    statistics = {"r_drop": r_drop, "r_total": r_total, "alpha_drop": alpha_drop}
    return float(alpha), {
        name: np.where(np.isfinite(values), values, np.nan)
        for name, values in statistics.items()
    }


def _alpha(
    p: int, variances: Float1D | np.float64, total: Float1D | np.float64
) -> Float1D:
    return np.asarray(p / (p - 1) * (1 - variances / total))


def _warnings(
    table: pd.DataFrame, complete: Float2D, n_usable: int
) -> Iterator[tuple[str, str, str]]:
    columns = ["item", "n", "min", "max", "r_drop", "floor", "ceiling"]
    for item, n, low, high, r_drop, floor, ceiling in _tuples(table[columns]):
        where = f"item {item}"
        if not n:
            yield "nobody answered it", where, "Leave it out of its scale."
        elif low == high:
            what = f"does not vary: all {n} answers are {low:g}"
            yield what, where, "Leave it out of its scale."
        elif r_drop < 0:
            yield (
                f"goes against the other items: item-rest r = {r_drop:.2f}",
                where,
                "Check its key: is it reverse-worded, or keyed twice?",
            )
        for end, share in (("lowest", floor), ("highest", ceiling)):
            if share > END_EFFECT and low < high:
                yield (
                    f"{share:.0%} of the answers are the {end} code",
                    where,
                    "Expect weaker correlations; consider ordinal methods.",
                )
    if n_usable < 2:  # noqa: PLR2004
        yield (
            f"{n_usable} item(s) vary",
            "scale",
            "Correlations with the rest need two items or more.",
        )
    elif len(complete) < COMPLETE_ROWS:
        yield (
            f"{len(complete)} respondents answered every item",
            "scale",
            "Leave out items with many gaps to see correlations with the rest.",
        )


def _tuples(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    return table.itertuples(index=False, name=None)


def _range(values: pd.Series) -> str:
    known = values.dropna()
    return f"{known.min():.2f} to {known.max():.2f}" if len(known) else "undefined"
