"""From a table to the arrays of each group: columns, groups, weights and clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.sem.syntax import near
from analysis.sem.syntax.products import factors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.sem.syntax import ModelSyntax

_PLAIN: Final = ("integer", "floating", "mixed-integer-float", "decimal")
#: More categories than this are a number, not an answer on a scale.
MAX_CATEGORIES: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class GroupData:
    """The answers of one group, before any row is left out.

    Attributes
    ----------
    label
        Name of the group; empty without groups.
    x
        Answers, shape (n_rows, p), NaN where missing; ordered ones as 0, 1, 2, ….
    rows
        Index of the rows in the table handed in, shape (n_rows,).
    weights
        Sampling weights, shape (n_rows,), or None.
    cluster
        Number of the cluster of each row, shape (n_rows,), or None.
    """

    label: str
    x: Float2D
    rows: Int1D
    weights: Float1D | None
    cluster: Int1D | None

    def part(self, label: str, here: Bool1D) -> GroupData:
        """Take some rows as a group of their own."""
        return GroupData(
            label=label,
            x=self.x[here],
            rows=self.rows[here],
            weights=None if self.weights is None else self.weights[here],
            cluster=None if self.cluster is None else self.cluster[here],
        )


@dataclass(frozen=True, slots=True)
class Design:
    """Columns of the table that are not variables of the model."""

    group: str | None = None
    cluster: str | None = None
    weights: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The columns a model needs, as numbers.

    Attributes
    ----------
    names
        The variables.
    groups
        The answers of each group, in the order in which groups appear in the table.
    categories
        The answers that occur for each ordered variable, from low to high.
    """

    names: tuple[str, ...]
    groups: tuple[GroupData, ...]
    categories: dict[str, Float1D]


def read_table(
    data: pd.DataFrame,
    names: tuple[str, ...],
    model: ModelSyntax,
    *,
    ordered: Sequence[str] = (),
    design: Design | None = None,
) -> Table:
    """Take the columns of a model from a table.

    Parameters
    ----------
    data
        One row per respondent; numbers, nullable numbers, booleans, or ordered
        categories.
    names
        The columns to use.
    model
        The model that names them, to quote it when a column is missing.
    ordered
        Which of them are ordered categories.
    design
        Columns that hold groups, clusters and weights.

    Raises
    ------
    AnalysisError
        If columns are missing, hold words or infinite values or nothing, if a group,
        cluster or weight is missing, or if an ordered variable has one category, too
        many, or none in a group; all faults of a kind at once.
    """
    if not isinstance(data, pd.DataFrame):
        raise AnalysisError(
            f"data: expected a DataFrame, found {type(data).__name__}. Hand in one "
            "column per variable."
        )
    design = design or Design()
    data = _with_products(data, names, model, ordered)
    _require_columns(data, names, model)
    _require_design(data, names, design)
    x = _numbers(data, names, ordered)
    categories = _categories(x, names, ordered)
    for name, known in categories.items():
        k = names.index(name)
        seen = ~np.isnan(x[:, k])
        x[seen, k] = np.searchsorted(known, x[seen, k])
    weights = _weights(data, design)
    cluster = None
    if design.cluster is not None:
        cluster = pd.factorize(data[design.cluster])[0].astype(np.int_)
    labels, codes = _groups(data, design)
    index = data.index.to_numpy()
    every = GroupData("", x, index, weights, cluster)
    groups = tuple(
        every.part(label, np.asarray(codes == g)) for g, label in enumerate(labels)
    )
    return Table(names, groups, categories)


def _with_products(
    data: pd.DataFrame,
    names: tuple[str, ...],
    model: ModelSyntax,
    ordered: Sequence[str],
) -> pd.DataFrame:
    """Add the columns of products ``x1:x2``, missing where either is.

    Notes
    -----
    lavaan's rule: raw products, neither centred nor scaled.
    """
    columns = [str(c) for c in data.columns]
    added: dict[str, pd.Series] = {}
    faults: list[str] = []
    for name in names:
        if not factors(name) or name in columns:
            continue
        fault = _unfit_factor(data, factors(name), ordered)
        if fault:
            at = model.first_place(name)
            faults.append(model.source.locate(at, f"in the product {name}, {fault}"))
        else:
            a, b = (_floats(data[n], numeric=True) for n in factors(name))
            added[name] = pd.Series(a * b, index=data.index)
    if faults:
        raise AnalysisError("\n".join(faults))
    return data.assign(**added) if added else data


def _unfit_factor(
    data: pd.DataFrame, names: tuple[str, ...], ordered: Sequence[str]
) -> str:
    """Say why a variable cannot be multiplied; empty when all can."""
    columns = [str(c) for c in data.columns]
    for name in names:
        if columns.count(name) != 1:
            return (
                f"{name!r} is no column of the data.{near(name, columns)} Correct the "
                "name, or add the column"
            )
        if name in ordered or not pd.api.types.is_numeric_dtype(data[name]):
            return (
                f"{name!r} is not numeric ({data[name].dtype}"
                f"{', declared ordered' if name in ordered else ''}). Code it as "
                "numbers, or put the product into the data as a column"
            )
    return ""


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


def _require_design(data: pd.DataFrame, names: tuple[str, ...], design: Design) -> None:
    columns = [str(c) for c in data.columns]
    faults: list[str] = []
    for role in ("group", "cluster", "weights"):
        name: str | None = getattr(design, role)
        if name is None:
            continue
        if columns.count(name) == 0:
            faults.append(
                f"{role}={name!r}: no column of the data has this name."
                f"{near(name, columns)} Correct the name, or add the column."
            )
        elif columns.count(name) > 1:
            faults.append(
                f"{role}={name!r}: {columns.count(name)} columns of the data have this "
                "name. Keep one of them."
            )
        elif role == "group" and name in names:
            faults.append(
                f"group={name!r} is also a variable of the model, but does not vary "
                "within groups. Leave it out of one of them."
            )
        elif missing := int(data[name].isna().sum()):
            first = int(np.flatnonzero(data[name].isna())[0])
            faults.append(
                f"{role}={name!r}: {missing} of {len(data)} rows have no value, the "
                f"first is row {first + 1}. Fill it in, or leave these rows out."
            )
        elif role == "cluster" and (data[name] == data[name].iloc[0]).all():
            faults.append(
                f"cluster={name!r}: every row is in the same cluster "
                f"({data[name].iloc[0]!r}); errors need several, better 30 or more. "
                "Leave cluster out, or name the column that tells clusters apart."
            )
    if faults:
        raise AnalysisError("\n".join(faults))


def _numbers(
    data: pd.DataFrame, names: tuple[str, ...], ordered: Sequence[str]
) -> Float2D:
    """Columns as floats, missing values as NaN."""
    columns: list[Float1D] = []
    faults: list[str] = []
    for name in names:
        column = data[name]
        if name in ordered and isinstance(column.dtype, pd.CategoricalDtype):
            column = _ranks(column)
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


def _ranks(column: pd.Series) -> pd.Series:
    """Positions of ordered categories, missing as NaN; others stay as they are."""
    if not column.cat.ordered:
        return column
    codes = column.cat.codes.astype(np.float64)
    return codes.where(codes >= 0)


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


def _categories(
    x: Float2D, names: tuple[str, ...], ordered: Sequence[str]
) -> dict[str, Float1D]:
    found: dict[str, Float1D] = {}
    faults: list[str] = []
    for k, name in enumerate(names):
        if name not in ordered:
            continue
        known = np.unique(x[~np.isnan(x[:, k]), k])
        found[name] = known
        if len(known) == 1:
            faults.append(
                f"data, {name}: all answers are {known[0]:g}. Leave it out of the "
                "model."
            )
        elif len(known) > MAX_CATEGORIES:
            faults.append(
                f"data, {name}: {len(known)} categories, more than the "
                f"{MAX_CATEGORIES} that an ordered variable may have. Leave it out of "
                "ordered= (it then counts as a number), or join categories."
            )
    if faults:
        raise AnalysisError("\n".join(faults))
    return found


def _weights(data: pd.DataFrame, design: Design) -> Float1D | None:
    if design.weights is None:
        return None
    column = data[design.weights]
    if not pd.api.types.is_numeric_dtype(column):
        raise AnalysisError(
            f"weights={design.weights!r}: expected numbers, found {column.dtype}. Use "
            "a column of positive sampling weights."
        )
    values = column.to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~(values > 0) | np.isinf(values))
    if len(bad):
        raise AnalysisError(
            f"weights={design.weights!r}: row {bad[0] + 1} holds {values[bad[0]]:g}, "
            f"and {len(bad)} rows are not positive. Leave these rows out."
        )
    return values


def _groups(data: pd.DataFrame, design: Design) -> tuple[list[str], Int1D]:
    if design.group is None:
        return [""], np.zeros(len(data), dtype=np.int_)
    codes, found = pd.factorize(data[design.group])
    labels = [str(label) for label in found]
    if len(labels) < 2:  # noqa: PLR2004 - one group is no comparison
        only = labels[0] if labels else "nobody"
        raise AnalysisError(
            f"group={design.group!r}: holds only {only!r}. Leave group= out, or use "
            "data with two groups or more."
        )
    return labels, codes.astype(np.int_)
