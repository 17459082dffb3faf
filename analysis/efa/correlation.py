"""The Pearson correlation matrix that every analysis of dimensions starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.correlations import Correlation, Missing, correlation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Correlation", "Missing", "pearson"]


def pearson(
    items: pd.DataFrame, *, missing: Missing = "listwise", where: str, at_least: int = 2
) -> Correlation:
    """Correlate items by product moments; see `analysis.correlations`."""
    return correlation(
        items, "pearson", missing=missing, where=where, at_least=at_least
    )
