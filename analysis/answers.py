"""Keyed answers as numbers: what every statistic of items checks before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float2D


def item_codes(items: pd.DataFrame, *, where: str, at_least: int = 2) -> Float2D:
    """Return the answers as floats, missing ones as NaN.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent; any numeric dtype, nullable or
        not, missing as NA.
    where
        Name of the calling analysis, which opens every message.
    at_least
        Fewest items that make sense there.

    Returns
    -------
    ndarray
        Shape (n_respondents, n_items); a copy.

    Raises
    ------
    TooFewError
        If there are fewer than `at_least` items.
    AnalysisError
        If a column is not numeric, is infinite, or two columns share a name; all
        such columns are named at once.
    """
    if not isinstance(items, pd.DataFrame):
        raise AnalysisError(
            f"{where}: got a {type(items).__name__}. Give a DataFrame of coded "
            "answers, one column per item."
        )
    if len(items.columns) < at_least:
        raise TooFewError(
            f"{where}: needs at least {at_least} items, got {len(items.columns)} "
            f"({list(items.columns)}). Add items of the same scale."
        )
    plain = _plain_numbers(items)
    if plain is not None:
        return plain
    if faults := [*_repeated(items), *_not_numbers(items)]:
        raise AnalysisError(
            f"{where}: {'; '.join(faults)}. Give coded answers, one column per item."
        )
    columns = [
        items.iloc[:, i].to_numpy(dtype=np.float64, na_value=np.nan)
        for i in range(items.shape[1])
    ]
    return np.column_stack(columns)


def _plain_numbers(items: pd.DataFrame) -> Float2D | None:
    """Take ordinary numeric columns as they are; None where a closer look is needed."""
    kinds = {getattr(dtype, "kind", "O") for dtype in items.dtypes}
    numpy_only = all(isinstance(dtype, np.dtype) for dtype in items.dtypes)
    if not numpy_only or not kinds <= set("biuf") or not items.columns.is_unique:
        return None
    x = items.to_numpy(dtype=np.float64, copy=True)
    return None if np.isinf(x).any() else x


def _repeated(items: pd.DataFrame) -> Iterator[str]:
    repeated = items.columns[items.columns.duplicated()].unique()
    if len(repeated):
        yield f"columns share a name: {list(repeated)}"


def _not_numbers(items: pd.DataFrame) -> Iterator[str]:
    for position, name in enumerate(items.columns):
        answered = items.iloc[:, position].dropna()
        if not _is_numeric(answered):
            if isinstance(answered.dtype, pd.CategoricalDtype):
                yield (
                    f"item {name!r} is Categorical (give codes, with .astype(int) or "
                    ".cat.codes + 1)"
                )
                continue
            words = [v for v in answered if not isinstance(v, int | float | np.number)]
            shown = (words or list(answered))[0]
            yield f"item {name!r} holds {shown!r}, which is not a code"
        elif len(answered) and np.isinf(answered.to_numpy(dtype=np.float64)).any():
            yield f"item {name!r} holds an infinite value"


def _is_numeric(answered: pd.Series) -> bool:
    if isinstance(answered.dtype, pd.CategoricalDtype):
        return False
    if pd.api.types.is_complex_dtype(answered.dtype):
        return False
    if pd.api.types.is_numeric_dtype(answered.dtype):
        return True
    if answered.dtype != object:
        return answered.empty
    return all(isinstance(v, int | float | np.number) for v in answered)


def varies(x: Float2D) -> list[bool]:
    """Tell for each column whether it holds two different answers."""
    return [len(np.unique(column[~np.isnan(column)])) > 1 for column in x.T]


def require_variance(x: Float2D, names: Sequence[str], *, where: str) -> None:
    """Refuse items that nobody answered or everybody answered alike.

    Raises
    ------
    AnalysisError
        Naming every such item and what was found in it.
    """
    faults = []
    for name, column, fine in zip(names, x.T, varies(x), strict=True):
        answered = column[~np.isnan(column)]
        if not len(answered):
            faults.append(f"item {name!r} has no answer")
        elif not fine:
            faults.append(
                f"item {name!r} does not vary (all {len(answered)} answers "
                f"are {answered[0]:g})"
            )
    if faults:
        raise AnalysisError(f"{where}: {'; '.join(faults)}. Leave such items out.")


def complete_rows(
    x: Float2D, names: Sequence[str], *, where: str, at_least: int
) -> Float2D:
    """Keep the respondents who answered every item.

    Raises
    ------
    TooFewError
        If fewer than `at_least` remain; says which item loses most of them.
    AnalysisError
        If an item has no answer, or does not vary among those who remain.
    """
    if len(x) >= at_least:
        require_variance(x, names, where=where)
    kept = x[~np.isnan(x).any(axis=1)]
    if len(kept) < at_least:
        gaps = np.isnan(x).sum(axis=0)
        worst = (
            f" (most missing: {names[int(gaps.argmax())]!r}, {gaps.max()} answers)"
            if len(gaps) and gaps.max()
            else ""
        )
        raise TooFewError(
            f"{where}: {len(kept)} of {len(x)} respondents answered all "
            f"{x.shape[1]} items{worst}, but at least {at_least} are needed. "
            "Use fewer items, leave out those with many gaps, or collect more answers."
        )
    require_variance(kept, names, where=f"{where}, complete answers")
    return kept


def require_choice(name: str, value: str, known: Sequence[str], *, where: str) -> None:
    """Refuse a value that is none of the known ones."""
    if value not in known:
        raise AnalysisError(
            f"{where}: {name}={value!r} is unknown. Choose one of {', '.join(known)}."
        )
