"""Measurement error in the unit of the score: SEM, smallest detectable change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm
from scipy.stats import t as t_distribution

from analysis.errors import AnalysisError
from analysis.plots.agreement import plot_bland_altman
from analysis.reliability.intervals import NAN, check_level
from analysis.reliability.intraclass import Anova, complete_ratings, odd_occasions
from analysis.result import estimate_of, warning_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Float2D

# Changes beyond this many standard errors of a difference are called detectable.
DETECTABLE = float(norm.ppf(0.975))


@dataclass(frozen=True, slots=True, eq=False)
class MeasurementError:
    """Measurement error of a score.

    Attributes
    ----------
    table
        One row per quantity, in the unit of the score: `term`, `estimate`,
        `conf_low`, `conf_high`, `formula`.
    ratings
        The values used, shape (n_obs, n_occasions); empty when the error comes from
        a reliability coefficient.
    conf_level
        Level of the intervals.
    n_obs, n_dropped
        People used, and left out for a missing value.
    warnings
        What needs a second look: what, where, remedy.
    """

    table: pd.DataFrame
    ratings: Float2D
    conf_level: float
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def __getitem__(self, term: str) -> float:
        """Estimate of `term`, such as ``"sdc_agreement"``."""
        return estimate_of(self.table, term)

    def tidy(self) -> pd.DataFrame:
        """One row per quantity."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: every quantity, and sizes."""
        row = dict(zip(self.table["term"], self.table["estimate"], strict=True))
        return pd.DataFrame([row | {"n_obs": self.n_obs, "n_dropped": self.n_dropped}])

    def summary(self) -> str:
        """State the standard error and the smallest detectable change."""
        sem, sdc = self.table.iloc[0], self.table.iloc[1]
        return (
            f"{sem['term']} = {sem['estimate']:.3f}, {sdc['term']} = "
            f"{sdc['estimate']:.3f} in the unit of the score, n = {self.n_obs}: a "
            "person's change below the latter may be measurement error"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the change of each person against their mean, first two occasions.

        Raises
        ------
        AnalysisError
            If the error comes from a coefficient: there are no occasions to draw.
        """
        if self.ratings.shape[1] < 2:  # noqa: PLR2004
            raise AnalysisError(
                "MeasurementError: there are no two occasions to draw. Use "
                "measurement_error() with a column per occasion."
            )
        return plot_bland_altman(self.ratings[:, 0], self.ratings[:, 1], ax=ax)


def measurement_error(
    ratings: pd.DataFrame, *, conf_level: float = 0.95
) -> MeasurementError:
    """Measurement error of a score, from people measured several times.

    Parameters
    ----------
    ratings
        One row per person, one column per occasion, missing as NA; people with a
        missing value are left out (listwise).
    conf_level
        Level of the intervals, between 0 and 1.

    Returns
    -------
    MeasurementError
        ``sem_agreement`` (counts a change of everybody as error), ``sem_consistency``
        (does not), ``sdc_agreement`` and ``sdc_consistency`` (smallest detectable
        change of one person); with two occasions also ``mean_difference`` and the
        limits of agreement, ``loa_low`` and ``loa_high``. A negative variance between
        occasions counts as 0.

    Raises
    ------
    TooFewError
        If there are fewer than two occasions or three complete people.
    AnalysisError
        If a column is not numeric.

    Notes
    -----
    de Vet, Terwee, Mokkink and Knol (2011), chapter 5: SEM is the root of the residual
    variance, with that of occasions added for agreement; SDC = 1.96 sqrt(2) SEM.
    Intervals: chi-square for consistency, Satterthwaite's degrees of freedom for
    agreement. Limits of agreement of Bland and Altman (1999), with their approximate
    interval.
    """
    check_level(conf_level, where="measurement_error")
    x = complete_ratings(ratings, where="measurement_error")
    a = Anova.of(x)
    rows = [*_retest_rows(a, conf_level)]
    if a.k == 2:  # noqa: PLR2004
        rows += _difference_rows(x[:, 1] - x[:, 0], conf_level)
    n_dropped = len(ratings) - len(x)
    columns = ["term", "estimate", "conf_low", "conf_high", "formula"]
    return MeasurementError(
        table=pd.DataFrame(rows, columns=columns),
        ratings=x,
        conf_level=conf_level,
        n_obs=a.n,
        n_dropped=n_dropped,
        warnings=warning_table(odd_occasions(ratings, x)),
    )


def sem_from_reliability(
    sd: float,
    reliability: float,
    *,
    n_obs: int,
    conf_low: float = NAN,
    conf_high: float = NAN,
    conf_level: float = 0.95,
) -> MeasurementError:
    """Measurement error of a score from its reliability.

    Parameters
    ----------
    sd
        Standard deviation of the score.
    reliability
        Its reliability, between 0 and 1, such as omega.
    n_obs
        People behind it.
    conf_low, conf_high
        Ends of the interval of the reliability; the interval of the error takes the
        standard deviation as known.
    conf_level
        Level of that interval.

    Returns
    -------
    MeasurementError
        ``sem_internal`` and ``sdc_internal``. They leave out what changes between
        occasions; prefer `measurement_error` where people were measured twice.

    Raises
    ------
    AnalysisError
        If the standard deviation is not positive, or the reliability not in [0, 1].

    Notes
    -----
    SEM = sd sqrt(1 - reliability); Lord and Novick (1968), eq. 3.4.2.
    """
    where = "sem_from_reliability"
    check_level(conf_level, where=where)
    if not sd > 0:
        raise AnalysisError(f"{where}: sd is {sd}. Give one above 0.")
    if not 0 <= reliability <= 1:
        raise AnalysisError(
            f"{where}: reliability is {reliability:.3f}. A reliability lies between 0 "
            "and 1; check the keying of the items."
        )
    sem, low, high = (
        float(sd * np.sqrt(np.maximum(1 - r, 0)))
        for r in (reliability, conf_high, conf_low)
    )
    rows = _sem_and_sdc("internal", sem, (low, high), "sd sqrt(1 - reliability)")
    columns = ["term", "estimate", "conf_low", "conf_high", "formula"]
    return MeasurementError(
        table=pd.DataFrame(rows, columns=columns),
        ratings=np.empty((0, 0)),
        conf_level=conf_level,
        n_obs=n_obs,
        n_dropped=0,
        warnings=warning_table(),
    )


def _sem_and_sdc(
    kind: str, sem: float, ends: tuple[float, float], formula: str
) -> list[tuple[str, float, float, float, str]]:
    (low, high), factor = ends, DETECTABLE * np.sqrt(2)
    return [
        (f"sem_{kind}", sem, low, high, formula),
        (f"sdc_{kind}", factor * sem, factor * low, factor * high, "1.96 sqrt(2) SEM"),
    ]


def _retest_rows(a: Anova, level: float) -> list[tuple[str, float, float, float, str]]:
    df_rest, df_occasions = (a.n - 1) * (a.k - 1), a.k - 1
    if a.occasion_variance > 0:
        parts = np.array([a.occasions / a.n, a.residual * (1 - 1 / a.n)])
        agreement = float(parts.sum())
        df = agreement**2 / float((parts**2 / [df_occasions, df_rest]).sum())
    else:
        agreement, df = a.residual, float(df_rest)
    rows = []
    for kind, variance, own, formula in (
        ("agreement", agreement, df, "sqrt(var(occasions) + var(residual))"),
        ("consistency", a.residual, float(df_rest), "sqrt(var(residual))"),
    ):
        tails = chi2.ppf([(1 + level) / 2, (1 - level) / 2], own)
        low, high = np.sqrt(own * variance / tails).tolist()
        rows += _sem_and_sdc(kind, float(np.sqrt(variance)), (low, high), formula)
    return rows


def _difference_rows(
    change: Float2D, level: float
) -> list[tuple[str, float, float, float, str]]:
    n, mean, sd = len(change), float(change.mean()), float(change.std(ddof=1))
    t = t_distribution.ppf((1 + level) / 2, n - 1)
    half = t * sd / np.sqrt(n)
    around = t * sd * np.sqrt(1 / n + DETECTABLE**2 / (2 * (n - 1)))
    rows = [("mean_difference", mean, mean - half, mean + half, "second - first")]
    for term, end in (("loa_low", -DETECTABLE), ("loa_high", DETECTABLE)):
        limit = mean + end * sd
        text = "mean difference -/+ 1.96 sd of the differences"
        rows.append((term, limit, limit - around, limit + around, text))
    return rows
