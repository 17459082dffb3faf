"""What every result of an analysis can do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import pandas as pd

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Iterable

WARNING_COLUMNS = ("what", "where", "remedy")


@runtime_checkable
class Result(Protocol):
    """A frozen outcome that can present itself.

    `tidy` has one row per estimate, `glance` one row per model, `summary` is
    for people; none of them estimates anything. Where a figure is natural there
    is also ``plot(ax=None) -> Axes``.
    """

    def tidy(self) -> pd.DataFrame: ...
    def glance(self) -> pd.DataFrame: ...
    def summary(self) -> str: ...


def estimate_of(table: pd.DataFrame, term: str, *, by: str = "term") -> float:
    """Find an estimate in a table of terms.

    Parameters
    ----------
    table
        With a column `by`, whose values differ, and a column ``estimate``.
    term
        The value of that column.

    Raises
    ------
    AnalysisError
        If there is none; says which there are.
    """
    known = dict(zip(table[by], table["estimate"], strict=True))
    if term not in known:
        raise AnalysisError(
            f"result: {term!r} is not among the estimates. Choose one of "
            f"{', '.join(map(str, known))}."
        )
    return float(known[term])


def warning_table(rows: Iterable[tuple[str, str, str]] = ()) -> pd.DataFrame:
    """Build the table a result keeps in `warnings`: what, where, remedy.

    Empty when there is nothing to warn of; notebooks always show it.
    """
    return pd.DataFrame(list(rows), columns=list(WARNING_COLUMNS), dtype=object)


def dropped_rows(n_dropped: int, n_rows: int) -> list[tuple[str, str, str]]:
    """Warn where more than one row in twenty was left out for a missing answer."""
    if not n_rows or n_dropped <= 0.05 * n_rows:
        return []
    share = f"{n_dropped} of {n_rows} rows ({n_dropped / n_rows:.0%}) miss an answer"
    return [("rows_dropped", share, "Compare those left out with the others.")]


def format_p(p_value: float) -> str:
    """Write a p value as papers do: ``p = .012``, ``p < .001``."""
    if math.isnan(p_value):
        return "p not available"
    if p_value < 0.001:  # noqa: PLR2004 - the smallest p that is printed
        return "p < .001"
    return f"p = {p_value:.3f}".replace("0.", ".", 1)
