"""Sample moments of the observed variables, from complete rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.sem.syntax import near

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.syntax import ModelSyntax

# Correlations this close to 1 leave no digits for a factor to explain.
SINGULAR = 1e-10
_MANY = 5
_PLAIN = ("integer", "floating", "mixed-integer-float", "decimal")


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Means and covariances of complete rows.

    Attributes
    ----------
    cov
        Covariance matrix S divided by n_obs (not n_obs - 1), shape (p, p).
    mean
        Means, shape (p,).
    n_obs
        Number of complete rows.
    n_dropped
        Number of rows left out because an answer is missing.
    """

    cov: Float2D
    mean: Float1D
    n_obs: int
    n_dropped: int = 0


def sample_moments(
    data: pd.DataFrame, names: tuple[str, ...], model: ModelSyntax
) -> Moments:
    """Take the moments of the columns `names`, rows with a missing value left out.

    Parameters
    ----------
    data
        One row per respondent; numbers, nullable numbers or booleans.
    names
        The columns to use.
    model
        The model that names them, to quote it when a column is missing.

    Raises
    ------
    AnalysisError
        If columns are missing, hold words or infinite values, or do not vary, or
        if some are sums of others; all faults of the table at once.
    TooFewError
        If there are not more complete rows than columns.
    """
    if not isinstance(data, pd.DataFrame):
        raise AnalysisError(
            f"data: expected a DataFrame, found {type(data).__name__}. Hand in one "
            "column per variable."
        )
    _require_columns(data, names, model)
    x = _numbers(data, names)
    complete = ~np.isnan(x).any(axis=1)
    kept = x[complete]
    _require_rows(x, kept, names)
    _require_variation(kept, names)
    # About a row of the data, not about zero, so that large values keep their digits.
    centred = kept - kept[0]
    cov = np.atleast_2d(np.cov(centred, rowvar=False, bias=True))
    _require_independent(cov, names)
    return Moments(
        cov=cov,
        mean=kept[0] + centred.mean(axis=0),
        n_obs=len(kept),
        n_dropped=int((~complete).sum()),
    )


def _require_columns(
    data: pd.DataFrame, names: tuple[str, ...], model: ModelSyntax
) -> None:
    columns = [str(c) for c in data.columns]
    faults = [
        model.source.locate(
            model.first_place(name),
            f"{name!r} is neither a column of the data nor a factor (the left of =~)."
            f"{near(name, [*columns, *model.latent])} Correct the name, or add the "
            "column",
        )
        for name in names
        if name not in columns
    ]
    faults += [
        f"data: {columns.count(name)} columns are named {name!r}. Keep one of them."
        for name in names
        if columns.count(name) > 1
    ]
    faults += [
        model.source.locate(
            model.first_place(name),
            f"the factor {name!r} has the name of a column of the data. Rename the "
            "factor",
        )
        for name in model.latent
        if name in columns
    ]
    if faults:
        raise AnalysisError("\n".join(faults))


def _numbers(data: pd.DataFrame, names: tuple[str, ...]) -> Float2D:
    """Columns as floats, missing values as NaN."""
    columns: list[Float1D] = []
    faults: list[str] = []
    for name in names:
        column = data[name]
        # Plain numbers beside None arrive as objects.
        if pd.api.types.infer_dtype(column, skipna=True) in _PLAIN:
            column = pd.to_numeric(column)
        numeric = pd.api.types.is_numeric_dtype(column)
        if not numeric and not column.isna().all():
            faults.append(_not_numeric(name, column))
        elif numeric and pd.api.types.is_complex_dtype(column):
            faults.append(f"data, {name}: holds complex numbers. Use real ones.")
        else:
            values = _floats(column, numeric=numeric)
            columns.append(values)
            faults += _bad_values(name, values)
    if faults:
        raise AnalysisError("\n".join(faults))
    return np.stack(columns, axis=1)


def _floats(column: pd.Series, *, numeric: bool) -> Float1D:
    if not numeric:
        return np.full(len(column), np.nan)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _not_numeric(name: str, column: pd.Series) -> str:
    words = list(dict.fromkeys(repr(v) for v in column.dropna()))[:3]
    return (
        f"data, {name}: expected numbers, found {', '.join(words)} "
        f"({column.dtype}). Code the answers as numbers."
    )


def _bad_values(name: str, values: Float1D) -> Iterator[str]:
    if infinite := int(np.isinf(values).sum()):
        first = int(np.flatnonzero(np.isinf(values))[0])
        yield (
            f"data, {name}: {infinite} infinite value(s), the first in row "
            f"{first + 1}. Correct them or make them missing."
        )
    elif len(values) and np.isnan(values).all():
        yield f"data, {name}: nobody answered. Leave it out of the model."


def _require_rows(x: Float2D, kept: Float2D, names: tuple[str, ...]) -> None:
    n_obs, p = kept.shape
    if n_obs > p:
        return
    gaps = np.isnan(x).sum(axis=0)
    worst = [f"{names[k]} ({gaps[k]})" for k in np.argsort(-gaps)[:3] if gaps[k]]
    why = f"; most answers are missing in {', '.join(worst)}" if worst else ""
    raise TooFewError(
        f"data: {n_obs} complete rows (of {len(x)}) for {p} variables{why}. Their "
        f"covariances need at least {p + 1}: collect more rows, or use fewer variables."
    )


def _require_variation(kept: Float2D, names: tuple[str, ...]) -> None:
    constant = [
        f"data, {name}: all {len(kept)} complete rows hold {kept[0, k]:g}. "
        "Leave it out of the model."
        for k, name in enumerate(names)
        if np.ptp(kept[:, k]) <= abs(kept[0, k]) * 1e-13
    ]
    if constant:
        raise AnalysisError("\n".join(constant))


def _require_independent(cov: Float2D, names: tuple[str, ...]) -> None:
    sd = np.sqrt(np.diag(cov))
    r = cov / np.outer(sd, sd)
    if float(np.linalg.eigvalsh(r)[0]) > SINGULAR:
        return
    same = [
        f"{names[i]} and {names[j]}"
        for i, j in np.argwhere(np.triu(np.abs(r), 1) > 1 - 1e-8)
    ]
    if same:
        more = f" and {len(same) - _MANY} more" if len(same) > _MANY else ""
        raise AnalysisError(
            f"data: {', '.join(same[:_MANY])}{more} correlate perfectly. Keep one of "
            "each pair."
        )
    weights = np.abs(np.linalg.eigh(r)[1][:, 0])
    involved = [names[k] for k in np.flatnonzero(weights > weights.max() * 1e-3)]
    raise AnalysisError(
        f"data: {', '.join(involved)} determine each other exactly, so their "
        "covariance matrix is singular. Leave one of them out (a total beside its "
        "parts, or answers that add up to a constant)."
    )
