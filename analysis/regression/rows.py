"""Complete rows of a frame, in plain numbers or categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.regression.formula import check_columns

if TYPE_CHECKING:
    from analysis.arrays import Int1D


def complete_rows(
    data: pd.DataFrame, variables: list[str], *, where: str
) -> tuple[pd.DataFrame, int]:
    """Keep `variables` on the rows that miss none of them, and count the others.

    Returns
    -------
    tuple
        The complete rows with plain numpy numbers or categories, and the number of
        rows left out.

    Raises
    ------
    AnalysisError
        If a column is unknown, twice there, or holds an infinite value.
    TooFewError
        If no row is complete.
    """
    check_columns(variables, list(data.columns), where)
    twice = [name for name in variables if isinstance(data[name], pd.DataFrame)]
    if twice:
        raise AnalysisError(
            f"{where}: the data have more than one column {twice}. "
            "Keep one of each name."
        )
    plain = pd.DataFrame(
        {name: _plain(data[name], where) for name in variables}, index=data.index
    )
    complete = plain.dropna().copy()
    if complete.empty:
        empty = [name for name in variables if plain[name].isna().all()]
        raise TooFewError(
            f"{where}: no row of {len(data)} is complete"
            + (f"; nothing was observed in {empty}" if empty else "")
            + ". Take variables out of the model or collect more answers."
        )
    for name in complete:
        if isinstance(complete[name].dtype, pd.CategoricalDtype):
            complete[name] = complete[name].cat.remove_unused_categories()
    return complete, len(plain) - len(complete)


def group_codes(column: pd.Series) -> Int1D:
    """Code groups as 0, 1, ... in order of appearance."""
    return pd.factorize(column)[0].astype(int)


def is_category(column: pd.Series) -> bool:
    """Whether a prepared column holds categories instead of numbers."""
    return isinstance(column.dtype, pd.CategoricalDtype)


def _plain(column: pd.Series, where: str) -> pd.Series:
    """Floats with NaN, or a Categorical; infinite values are refused."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype("Float64").astype(float)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return _as_category(column, where)
    if pd.api.types.is_complex_dtype(column.dtype):
        raise AnalysisError(
            f"{where}: column {column.name!r} holds complex numbers. Use real ones."
        )
    values = column.astype("Float64").astype(float)
    n_infinite = int(np.isinf(values).sum())
    if n_infinite:
        raise AnalysisError(
            f"{where}: column {column.name!r} holds {n_infinite} infinite values. "
            "Replace them by missing or by the intended numbers."
        )
    return values


def _as_category(column: pd.Series, where: str) -> pd.Series:
    seen = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise AnalysisError(
            f"{where}: column {column.name!r} holds dates. "
            "Turn them into numbers, for example days since the first."
        )
    if seen.map(lambda value: isinstance(value, (bool, np.bool_))).all():
        return column.astype("boolean").astype("Float64").astype(float)
    if not seen.map(lambda value: isinstance(value, str)).all():
        kinds = sorted({type(value).__name__ for value in seen})
        raise AnalysisError(
            f"{where}: column {column.name!r} mixes or holds {kinds}. "
            "Convert it to numbers or to a Categorical."
        )
    return column.astype(pd.CategoricalDtype(sorted(seen.unique())))
