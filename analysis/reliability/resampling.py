"""Bootstrap intervals of any coefficient of a scale."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.answers import require_whole
from analysis.errors import AnalysisError
from analysis.reliability.intervals import check_level
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analysis.arrays import Float2D, Int1D
    from analysis.reliability.coefficients import Reliability, Warning_

# Share of samples without an estimate above which an interval would mislead.
FAILED = 0.10
FEWEST_DRAWS = 100


def bootstrap(
    coefficient: Callable[[pd.DataFrame], Reliability],
    items: pd.DataFrame,
    *,
    draws: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
    cluster: pd.Series | Sequence[object] | None = None,
) -> Reliability:
    """Give every term of a coefficient a percentile bootstrap interval.

    Parameters
    ----------
    coefficient
        Such as `cronbach_alpha` or `omega_total`; options through a lambda.
    items
        Keyed item codes of one scale, one row per respondent, missing as NA.
    draws
        Samples of respondents, with replacement, as many as there are.
    seed
        Seed of the samples.
    conf_level
        Level of the intervals, between 0 and 1.
    cluster
        Cluster of each respondent, such as the couple: clusters are drawn whole.

    Returns
    -------
    Reliability
        As `coefficient` returns it, `std_error` now the standard deviation over the
        samples and the intervals percentiles. A sample in which it cannot be
        estimated is left out, and counted in `warnings`.

    Raises
    ------
    AnalysisError
        If `coefficient` refuses the items, there are fewer than 100 draws, more than
        one sample in ten has no estimate, or `cluster` has another length or gaps.

    Notes
    -----
    Efron and Tibshirani (1993), section 13.3. For omega recommended by Kelley and
    Pornprasertmanit (2016).
    """
    check_level(conf_level, where="bootstrap")
    require_whole("seed", seed, at_least=0, where="bootstrap")
    require_whole("draws", draws, at_least=0, where="bootstrap")
    if draws < FEWEST_DRAWS:
        raise AnalysisError(
            f"bootstrap: draws is {draws}. Percentiles need at least {FEWEST_DRAWS}; "
            "1,000 or more are usual."
        )
    found = coefficient(items)
    units = _units(cluster, len(items))
    rng = np.random.default_rng(seed)
    samples: list[Float2D] = []
    reasons: list[str] = []
    for _ in range(draws):
        drawn = rng.integers(len(units), size=len(units))
        rows = np.concatenate([units[i] for i in drawn])
        sample = items.iloc[rows].reset_index(drop=True)
        try:
            samples.append(coefficient(sample).table["estimate"].to_numpy())
        except AnalysisError as error:
            reasons.append(str(error))
    _require_enough(reasons, draws)
    estimates = np.array(samples)
    tail = (1 - conf_level) / 2
    low, high = np.quantile(estimates, [tail, 1 - tail], axis=0)
    table = found.table.assign(
        std_error=estimates.std(axis=0, ddof=1), conf_low=low, conf_high=high
    )
    whole = "" if cluster is None else f" of {len(units):,} clusters"
    return replace(
        found,
        table=table,
        conf_level=conf_level,
        interval=f"percentile bootstrap, {draws:,} samples{whole}, seed {seed}",
        warnings=pd.concat(
            [found.warnings, warning_table(_failed(reasons, draws))], ignore_index=True
        ),
    )


def _units(cluster: pd.Series | Sequence[object] | None, n_rows: int) -> list[Int1D]:
    if cluster is None:
        return [np.array([row]) for row in range(n_rows)]
    member = pd.Series(cluster).reset_index(drop=True)
    if len(member) != n_rows:
        raise AnalysisError(
            f"bootstrap: cluster has {len(member)} entries for {n_rows} respondents. "
            "Give one for each row."
        )
    if member.isna().any():
        raise AnalysisError(
            f"bootstrap: cluster is missing for {int(member.isna().sum())} "
            "respondent(s). Leave them out, or give each an own one."
        )
    codes = pd.factorize(member)[0]
    return [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]


def _require_enough(reasons: list[str], draws: int) -> None:
    if len(reasons) > FAILED * draws:
        raise AnalysisError(
            f"bootstrap: {len(reasons)} of {draws} samples have no estimate, the first "
            f"because {reasons[0]!r}. Report the interval of the coefficient itself, "
            "or collect more answers."
        )


def _failed(reasons: list[str], draws: int) -> Iterator[Warning_]:
    if reasons:
        yield (
            f"{len(reasons)} of {draws} samples have no estimate",
            "bootstrap",
            f"First reason: {reasons[0]}",
        )
