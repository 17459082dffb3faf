"""Keyed answers as numbers: what every statistic of items checks before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float2D

# Fewest rows of a table that is told from answers by its diagonal.
_MATRIX: Final = 3


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
        such columns are named at once. Also for correlations in place of answers.
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
        _require_answers(plain, where=where)
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


def _require_answers(x: Float2D, *, where: str) -> None:
    """Refuse correlations, which are no people."""
    n, p = x.shape
    if n != p or n < _MATRIX or not np.array_equal(np.diag(x), np.ones(n)):
        return
    if np.allclose(x, x.T, rtol=0, atol=1e-12) and (x != np.rint(x)).any():
        raise AnalysisError(
            f"{where}: got correlations ({n} x {n}, symmetric, ones in the diagonal), "
            "not answers. Give the answers themselves, one row per respondent."
        )


def _repeated(items: pd.DataFrame) -> Iterator[str]:
    repeated = items.columns[items.columns.duplicated()].unique()
    if len(repeated):
        yield f"columns share a name: {list(repeated)}"


def _not_numbers(items: pd.DataFrame) -> Iterator[str]:
    faults: dict[str, list[str]] = {}
    for position, name in enumerate(items.columns):
        fault = _fault(items.iloc[:, position].dropna())
        if fault:
            faults.setdefault(fault, []).append(repr(name))
    for fault, names in faults.items():
        if len(names) == 1:
            yield f"item {names[0]} {fault}"
        else:
            yield f"items {', '.join(names)} {fault.replace('holds', 'hold', 1)}"


def _fault(answered: pd.Series) -> str:
    """Say why answers are no codes, or nothing."""
    if isinstance(answered.dtype, pd.CategoricalDtype):
        return _categorical(answered.cat.categories)
    if not _is_numeric(answered):
        words = [v for v in answered if not isinstance(v, int | float | np.number)]
        if all(isinstance(word, str) and _spells_number(word) for word in words):
            return f"must not be text, like {words[0]!r} (use pd.to_numeric)"
        shown = (words or list(answered))[0]
        return f"holds {shown!r}, which is not a code"
    if len(answered) and np.isinf(answered.to_numpy(dtype=np.float64)).any():
        return "holds an infinite value"
    return ""


def _categorical(categories: pd.Index) -> str:
    if pd.api.types.is_numeric_dtype(categories.dtype):
        return "must not be Categorical (give codes, with .astype(float))"
    return (
        f"must not be Categorical, with words like {str(categories[0])!r} (give the "
        "code of each word, with .map({word: code, ...}).astype(float))"
    )


def _spells_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


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


def require_whole(name: str, value: int, *, at_least: int, where: str) -> None:
    """Refuse what is no whole number, or too small a one."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < at_least:
        raise AnalysisError(
            f"{where}: {name}={value!r}. Give a whole number of at least {at_least}."
        )
