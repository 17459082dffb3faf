"""The correlations an analysis of dimensions starts from: chosen once, or here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypedDict

import pandas as pd

from analysis.correlations import (
    Correlation,
    Kind,
    Missing,
    correlation,
)
from analysis.errors import AnalysisError, TooFewError
from analysis.polychoric.definite import require_positive_definite
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.correlations import Used

Items: TypeAlias = pd.DataFrame | Correlation

Row: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class FromCorrelations:
    """A result and the correlations it was read from.

    Attributes
    ----------
    kind, reason
        Which correlations were used, and why.
    n_items, n_obs, n_dropped
        Items, respondents used, and left out for missing answers.
    warnings
        What needs a second look: what, where, remedy.
    """

    kind: Used
    reason: str
    n_items: int
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def glance_row(self, **own: object) -> pd.DataFrame:
        """One row: what the result says, then correlations and sizes."""
        shared = ("kind", "reason", "n_items", "n_obs", "n_dropped")
        return pd.DataFrame([{**own, **{name: getattr(self, name) for name in shared}}])


class Head(TypedDict):
    """What `FromCorrelations` holds."""

    kind: Used
    reason: str
    n_items: int
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame


def head(corr: Correlation, rows: Iterable[Row]) -> Head:
    """Say which correlations a result rests on, and what to warn of.

    Parameters
    ----------
    corr
        The correlations; what was noted about them follows `rows`.
    rows
        Warnings of the analysis itself; each is said once.
    """
    return Head(
        kind=corr.kind,
        reason=corr.reason,
        n_items=corr.n_items,
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        warnings=warning_table(dict.fromkeys([*rows, *noted(corr)])),
    )


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


def noted(found: Correlation | FromCorrelations) -> list[Row]:
    """Repeat what was noticed about correlations or a result, as rows of a table."""
    return [(str(a), str(b), str(c)) for a, b, c in found.warnings.to_numpy().tolist()]


def pairwise_row(corr: Correlation, what: str) -> list[Row]:
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
