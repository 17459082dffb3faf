"""Rows of a regression: whose they are, and on which scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence


def clusters(frame: pd.DataFrame) -> pd.Series[str]:
    """Name each row's cluster: the couple, or the person who answered alone.

    Names say which of the two they are: ids of couples and people may coincide.
    """
    person = "person " + pd.Series(frame.index.astype(str), index=frame.index)
    couple: pd.Series[str] = frame["couple"].astype(object)
    known = couple.notna().to_numpy()
    return ("couple " + couple.astype(str)).where(known, person)


def z_scores(data: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Replace numeric columns `names` by z scores over the rows complete on all.

    Mean and sd (divisor n - 1) are those of the rows with no missing value in
    `names`; the other rows stay, for the regression to leave them out and count them.
    """
    complete = data.dropna(subset=list(names))
    out = data.copy()
    for name in names:
        if pd.api.types.is_numeric_dtype(data[name].dtype):
            column = complete[name].astype(float)
            sd = column.std()
            scale = sd if sd > 0 else 1.0
            out[name] = (data[name].astype(float) - column.mean()) / scale
    return out


def has_couples(data: pd.DataFrame, names: Sequence[str]) -> bool:
    """Whether rows complete on `names` share a cluster."""
    return bool(data.dropna(subset=list(names))["cluster"].duplicated().any())
