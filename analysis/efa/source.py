"""The correlations an analysis of dimensions starts from: chosen once, or here."""

from __future__ import annotations

from typing import TypeAlias

import pandas as pd

from analysis.correlations import (
    Correlation,
    Kind,
    Missing,
    correlation,
)
from analysis.errors import AnalysisError, TooFewError
from analysis.polychoric.definite import require_positive_definite

Items: TypeAlias = pd.DataFrame | Correlation


def correlations_of(
    items: Items,
    kind: Kind | None,
    missing: Missing | None,
    *,
    where: str,
    at_least: int = 2,
) -> Correlation:
    """Return ready correlations, or correlate answers.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    kind
        Which correlation of answers; Pearson's by default.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.
    where
        Name of the calling analysis, which opens every message.
    at_least
        Fewest items that make sense there.

    Raises
    ------
    TooFewError, AnalysisError
        As `analysis.correlations.correlation`; also if options contradict correlations
        that are ready.
    """
    if isinstance(items, pd.DataFrame):
        return correlation(
            items,
            kind or "pearson",
            missing=missing or "listwise",
            where=where,
            at_least=at_least,
        )
    if not isinstance(items, Correlation):
        raise AnalysisError(
            f"{where}: got a {type(items).__name__}. Give a DataFrame of keyed "
            "answers, one column per item, or correlations from analysis.correlations."
        )
    if kind not in {None, "auto", items.kind}:
        raise AnalysisError(
            f"{where}: kind={kind!r} was asked for, but the correlations given are "
            f"{items.kind}. Leave kind out, or give the answers."
        )
    if missing is not None:
        raise AnalysisError(
            f"{where}: missing={missing!r} cannot be applied to correlations that are "
            "ready. Leave it out, or give the answers."
        )
    if items.n_items < at_least:
        raise TooFewError(
            f"{where}: needs at least {at_least} items, got {items.n_items} "
            f"({list(items.names)}). Add items of the same scale."
        )
    require_positive_definite(items.R, items.names, where=where)
    return items


def noted(corr: Correlation) -> list[tuple[str, str, str]]:
    """Repeat what was noticed about the correlations, as rows of a warning table."""
    return [(str(a), str(b), str(c)) for a, b, c in corr.warnings.to_numpy().tolist()]


def pairwise_row(corr: Correlation, what: str) -> list[tuple[str, str, str]]:
    """Warn that `what` takes one number of people where correlations have several."""
    if corr.n_pair == corr.n_obs:
        return []
    return [
        (
            f"correlations rest on {corr.n_pair} to {corr.n_obs} people",
            "missing answers",
            f"Read {what} as approximate, or use missing='listwise'.",
        )
    ]
