"""Where people stand on the trait, and how well the scale tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.irt.curves import information

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D
    from analysis.irt.coding import Coding
    from analysis.irt.curves import Item
    from analysis.irt.likelihood import Grid, Posterior


@dataclass(frozen=True, slots=True, eq=False)
class PatternScores:
    """Mean and standard deviation of theta given each pattern of answers.

    Attributes
    ----------
    estimate
        Expected a posteriori, shape (n_patterns,).
    std_error
        Posterior standard deviation, same shape.
    """

    estimate: Float1D
    std_error: Float1D


def expected_a_posteriori(found: Posterior, grid: Grid) -> PatternScores:
    """Average theta over its posterior (Bock & Mislevy 1982)."""
    mean = found.weight @ grid.theta
    square = found.weight @ grid.theta**2
    return PatternScores(mean, np.sqrt(square - mean**2))


def score_table(scores: PatternScores, coding: Coding, index: pd.Index) -> pd.DataFrame:
    """Give each row of the data its score; NaN for people without an answer."""
    table = pd.DataFrame(
        {"estimate": np.nan, "std_error": np.nan, "n_answered": 0}, index=index
    )
    answered = (coding.patterns >= 0).sum(axis=1)
    at = coding.pattern_of
    table.loc[coding.used, "estimate"] = scores.estimate[at]
    table.loc[coding.used, "std_error"] = scores.std_error[at]
    table.loc[coding.used, "n_answered"] = answered[at]
    return table


def empirical_reliability(scores: PatternScores, coding: Coding) -> float:
    """Variance of scores over itself plus their mean error variance.

    Notes
    -----
    Same as ``mirt::empirical_rxx(fscores(fit, full.scores.SE = TRUE))``, but for the
    divisor of the variance (n, not n - 1).
    """
    weight = coding.counts / coding.counts.sum()
    mean = weight @ scores.estimate
    between = weight @ (scores.estimate - mean) ** 2
    return float(between / (between + weight @ scores.std_error**2))


def marginal_reliability(items: Sequence[Item], grid: Grid) -> float:
    """Reliability averaged over a normal population, people with all answers.

    Notes
    -----
    Mean of I / (I + 1) with the test information I (Green et al. 1984; same as
    ``mirt::marginal_rxx``).
    """
    test = np.sum([information(item, grid.theta) for item in items], axis=0)
    return float(np.exp(grid.log_weight) @ (test / (test + 1)))
