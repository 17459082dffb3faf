"""Intraclass correlations: agreement of repeated measurements of the same people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from analysis.answers import item_codes
from analysis.errors import AnalysisError, TooFewError
from analysis.oddities import odd_answers
from analysis.plots.forest import forest
from analysis.reliability.alpha import spearman_brown
from analysis.reliability.intervals import NAN, check_level
from analysis.result import dropped_rows, estimate_of, format_p, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from analysis.arrays import Float2D
    from analysis.reliability.coefficients import Warning_

# Fewest people for a variance between and within them.
FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Anova:
    """Two-way analysis of variance of people by occasions, one answer a cell.

    Attributes
    ----------
    n, k
        People and occasions (or raters).
    between, within
        Mean squares between people, and within them.
    occasions, residual
        Mean squares between occasions, and of the rest; `within` is their mixture.
    """

    n: int
    k: int
    between: float
    within: float
    occasions: float
    residual: float

    @classmethod
    def of(cls, x: Float2D) -> Anova:
        """Analyse ratings without gaps, shape (n, k)."""
        n, k = x.shape
        centred = x - x.mean()
        people, occasions = centred.mean(axis=1), centred.mean(axis=0)
        rest = centred - people[:, None] - occasions
        ss_occasions, ss_rest = n * (occasions**2).sum(), (rest**2).sum()
        return cls(
            n=n,
            k=k,
            between=float(k * (people**2).sum() / (n - 1)),
            within=float((ss_occasions + ss_rest) / (n * (k - 1))),
            occasions=float(ss_occasions / (k - 1)),
            residual=float(ss_rest / ((n - 1) * (k - 1))),
        )

    @property
    def people_variance(self) -> float:
        """Variance between people; negative when there is less than by chance."""
        return (self.between - self.residual) / self.k

    @property
    def occasion_variance(self) -> float:
        """Variance between occasions; negative when there is less than by chance."""
        return (self.occasions - self.residual) / self.n

    def table(self) -> pd.DataFrame:
        """One row per source: df, mean_square and variance component."""
        n, k = self.n, self.k
        return pd.DataFrame(
            {
                "source": ["people", "occasions", "residual"],
                "df": [n - 1, k - 1, (n - 1) * (k - 1)],
                "mean_square": [self.between, self.occasions, self.residual],
                "variance": [
                    self.people_variance,
                    self.occasion_variance,
                    self.residual,
                ],
            }
        )


@dataclass(frozen=True, slots=True, eq=False)
class Intraclass:
    """The six intraclass correlations.

    Attributes
    ----------
    table
        One row per form: `term` (Shrout and Fleiss, ``"ICC2"``), `name` (McGraw and
        Wong, ``"ICC(A,1)"``), `model` (in words), `estimate`, `statistic` (F), `df1`,
        `df2`, `p_value`, `conf_low`, `conf_high`.
    anova
        Mean squares and variance components of people, occasions and residual.
    conf_level
        Level of the intervals.
    n_obs, n_occasions, n_dropped
        People used, occasions, people left out for a missing value.
    warnings
        Negative variances, many people left out: what, where, remedy.
    """

    table: pd.DataFrame
    anova: pd.DataFrame
    conf_level: float
    n_obs: int
    n_occasions: int
    n_dropped: int
    warnings: pd.DataFrame

    def __getitem__(self, term: str) -> float:
        """Estimate of a form by either name, ``"ICC2"`` or ``"ICC(A,1)"``."""
        return estimate_of(self.table, term, by="name" if "(" in term else "term")

    def tidy(self) -> pd.DataFrame:
        """One row per form."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: agreement and consistency of one occasion, variances, sizes."""
        variance = self.anova.set_index("source")["variance"]
        return pd.DataFrame(
            {
                "icc_a1": [self["ICC(A,1)"]],
                "icc_c1": [self["ICC(C,1)"]],
                "var_people": [variance["people"]],
                "var_occasions": [variance["occasions"]],
                "var_residual": [variance["residual"]],
                "n_obs": [self.n_obs],
                "n_occasions": [self.n_occasions],
                "n_dropped": [self.n_dropped],
            }
        )

    def summary(self) -> str:
        """State the agreement of single occasions, which test-retest asks for."""
        row = self.table[self.table["name"] == "ICC(A,1)"].to_dict("records")[0]
        return (
            f"ICC(A,1) = {row['estimate']:.3f}, {self.conf_level:.0%} CI "
            f"[{row['conf_low']:.3f}, {row['conf_high']:.3f}], "
            f"F({row['df1']:.0f}, {row['df2']:.0f}) = {row['statistic']:.2f}, "
            f"{format_p(row['p_value'])} (two-way random effects, absolute "
            f"agreement, single measurement; {self.n_occasions} occasions, "
            f"n = {self.n_obs})"
            + (f"; {len(self.warnings)} warning(s)" if len(self.warnings) else "")
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the six forms with their intervals; the line marks .70."""
        frame = self.table.assign(term=self.table["name"])
        words = frame["name"] + ": " + frame["model"]
        return forest(
            frame,
            title=f"Agreement of single measurements: {self['ICC(A,1)']:.2f}",
            n=self.n_obs,
            xlabel=f"intraclass correlation with {self.conf_level:.0%} interval",
            labels=dict(zip(frame["term"], words, strict=True)),
            reference=0.70,
            ax=ax,
        )


def icc(ratings: pd.DataFrame, *, conf_level: float = 0.95) -> Intraclass:
    """Intraclass correlations of people measured several times.

    Parameters
    ----------
    ratings
        One row per person, one column per occasion (or rater), missing as NA; people
        with a missing value are left out (listwise).
    conf_level
        Level of the intervals, between 0 and 1.

    Returns
    -------
    Intraclass
        For test-retest reliability of a score report ICC(A,1): occasions are a sample,
        and a change of everybody counts as disagreement.

    Raises
    ------
    TooFewError
        If there are fewer than two occasions or three complete people.
    AnalysisError
        If a column is not numeric or nothing varies.

    Notes
    -----
    Shrout and Fleiss (1979); names of McGraw and Wong (1996), tables 4 and 7. Same as
    ``psych::ICC(x, lmer = FALSE)``, tests/reference/reliability_retest.R.
    """
    check_level(conf_level, where="icc")
    x = complete_ratings(ratings, where="icc")
    found = Anova.of(x)
    if found.within <= 0 and found.between <= 0:
        raise AnalysisError(
            f"icc: all {x.size} values are {x[0, 0]:g}. Without variance there is no "
            "correlation: check the columns."
        )
    n_dropped = len(ratings) - len(x)
    return Intraclass(
        table=_forms(found, conf_level),
        anova=found.table(),
        conf_level=conf_level,
        n_obs=found.n,
        n_occasions=found.k,
        n_dropped=n_dropped,
        warnings=warning_table([*_odd_variances(found), *odd_occasions(ratings, x)]),
    )


def complete_ratings(ratings: pd.DataFrame, *, where: str) -> Float2D:
    """Keep the people with a value on every occasion, shape (n, k).

    Raises
    ------
    TooFewError
        If there are fewer than two occasions or three complete people.
    AnalysisError
        If a column is not numeric.
    """
    if not isinstance(ratings, pd.DataFrame):
        raise AnalysisError(
            f"{where}: got a {type(ratings).__name__}. Give a DataFrame, one row per "
            "person and one column per occasion."
        )
    if ratings.shape[1] < 2:  # noqa: PLR2004
        raise TooFewError(
            f"{where}: needs at least 2 occasions, got {ratings.shape[1]} "
            f"({list(ratings.columns)}). Give one column per occasion."
        )
    x = item_codes(ratings, where=where)
    kept = x[~np.isnan(x).any(axis=1)]
    if len(kept) < FEWEST:
        raise TooFewError(
            f"{where}: {len(kept)} of {len(x)} people have a value on all "
            f"{x.shape[1]} occasions, but at least {FEWEST} are needed. Link the "
            "occasions by person, or leave out one with many gaps."
        )
    return kept


def odd_occasions(ratings: pd.DataFrame, used: Float2D) -> Iterator[Warning_]:
    """Warn of occasions that are all alike, reversed or copied, and of lost people.

    Parameters
    ----------
    ratings
        One row per person, one column per occasion.
    used
        Those of people with a value on every occasion.
    """
    names = [str(name) for name in ratings.columns]
    alike = np.ptp(used, axis=0) == 0
    for name, value in zip(np.array(names)[alike], used[0, alike], strict=True):
        yield (
            f"does not vary: all {len(used)} values are {value:g}",
            f"occasion {name}",
            "Leave it out, or look how the column was made.",
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        R = np.atleast_2d(np.corrcoef(used, rowvar=False))
    for i, j in np.argwhere(np.triu(R < 0, 1)):
        yield (
            f"occasions correlate {R[i, j]:.2f}",
            f"{names[i]} and {names[j]}",
            "Is one of them reversed, or are people linked wrongly?",
        )
    x = item_codes(ratings, where="icc")
    yield from odd_answers(x, names, len(used), columns="occasions")
    yield from dropped_rows(len(x) - len(used), len(x))


def _forms(a: Anova, level: float) -> pd.DataFrame:
    n, k, tail = a.n, a.k, 1 - (1 - level) / 2
    between, within, rest = a.between, a.within, a.residual
    df_one, df_two = n * (k - 1), (n - 1) * (k - 1)
    icc1 = _ratio(between - within, between + (k - 1) * within)
    occasions = k * (a.occasions - rest) / n
    icc2 = _ratio(between - rest, between + (k - 1) * rest + occasions)
    icc3 = _ratio(between - rest, between + (k - 1) * rest)
    F1, F3 = _ratio(between, within), _ratio(between, rest)
    ends1 = _consistency_ends(F1, n - 1, df_one, tail, k)
    ends2 = _agreement_ends(a, icc2, tail)
    ends3 = _consistency_ends(F3, n - 1, df_two, tail, k)
    icc2k = _ratio(between - rest, between + occasions / k)
    singles = [
        ("ICC1", "ICC(1)", "one-way, single", icc1, F1, df_one, ends1),
        ("ICC2", "ICC(A,1)", "two-way, agreement, single", icc2, F3, df_two, ends2),
        ("ICC3", "ICC(C,1)", "two-way, consistency, single", icc3, F3, df_two, ends3),
    ]
    means = [1 - 1 / F1 if F1 else -np.inf, icc2k, 1 - 1 / F3 if F3 else -np.inf]
    rows = [
        (term, name, model, value, F, n - 1, df2, f_distribution.sf(F, n - 1, df2), *e)
        for term, name, model, value, F, df2, e in singles
    ]
    for (term, name, model, _, F, df2, ends), value in zip(singles, means, strict=True):
        p_value = f_distribution.sf(F, n - 1, df2)
        longer = [spearman_brown(end, k) for end in ends]
        averaged = name.replace("1)", "k)")
        model_k = model.replace("single", "mean")
        rows.append(
            (f"{term}k", averaged, model_k, value, F, n - 1, df2, p_value, *longer)
        )
    columns = ["term", "name", "model", "estimate", "statistic", "df1", "df2"]
    return pd.DataFrame(rows, columns=[*columns, "p_value", "conf_low", "conf_high"])


def _ratio(top: float, bottom: float) -> float:
    if bottom == 0:
        return np.inf if top > 0 else NAN
    return top / bottom


def _consistency_ends(
    F: float, df1: int, df2: int, tail: float, k: int
) -> tuple[float, float]:
    """Exact interval of ICC1 and ICC3; McGraw and Wong (1996), table 7."""
    if not np.isfinite(F):
        return NAN, NAN
    low = F / f_distribution.ppf(tail, df1, df2)
    high = F * f_distribution.ppf(tail, df2, df1)
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _agreement_ends(a: Anova, icc2: float, tail: float) -> tuple[float, float]:
    """Satterthwaite's interval of ICC2; Shrout and Fleiss (1979), p. 424."""
    n, k = a.n, a.k
    if a.residual <= 0 or not np.isfinite(icc2):
        return NAN, NAN
    ratio = a.occasions / a.residual
    rest = n * (1 + (k - 1) * icc2) - k * icc2
    top = (k - 1) * (n - 1) * (k * icc2 * ratio + rest) ** 2
    df = _ratio(top, (n - 1) * k**2 * icc2**2 * ratio**2 + rest**2)
    mixed = k * a.occasions + (k * n - k - n) * a.residual
    f_low = f_distribution.ppf(tail, n - 1, df)
    f_high = f_distribution.ppf(tail, df, n - 1)
    low = n * (a.between - f_low * a.residual) / (f_low * mixed + n * a.between)
    high = n * (f_high * a.between - a.residual) / (mixed + n * f_high * a.between)
    return float(low), float(high)


def _odd_variances(a: Anova) -> Iterator[Warning_]:
    if a.people_variance < 0:
        yield (
            f"people differ less than by chance (variance {a.people_variance:.3g})",
            "people",
            "Report the coefficient as not different from 0.",
        )
    if a.residual <= 0:
        yield (
            "people change by exactly the same amount: no residual variance",
            "residual",
            "Is one occasion computed from the other? Check the columns.",
        )
