"""Design matrices: a formula and a frame in, columns of numbers out.

Rows with a missing value in any variable of the model are left out and counted.
Text and categorical columns become indicator columns, the first category being
the reference, as ``contr.treatment`` does in R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.regression.formula import (
    Binary,
    Call,
    Expression,
    Factor,
    Formula,
    Name,
    Number,
    Term,
    check_columns,
    columns_of,
    term_label,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.arrays import Float1D, Float2D, Int1D

INTERCEPT = "Intercept"
MAX_DROPPED = 0.05
"""Share of rows lost to missing values above which a result carries a warning."""
ALIAS_TOLERANCE = 1e-7
"""Share of a column's length left by the columns before it; R's ``lm(tol=)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Everything a regression needs, on the rows it uses.

    Attributes
    ----------
    formula
        The model.
    X
        Design matrix, shape (n_obs, n_columns), intercept first if there is one.
    X_std
        The same with every numeric factor z-scored before products are formed.
    columns
        Names of the columns.
    term_of
        For every column the index of its term in `terms`.
    terms
        Labels of the terms, the intercept's first if there is one.
    outcome
        Left-hand side: numbers, or a Categorical; index as `rows`.
    frame
        Variables of the model on the rows used, as floats or Categorical.
    rows
        Index labels of the rows used.
    n_dropped
        Rows left out because of a missing value.
    groups
        Codes 0..G-1 of the clustering column, shape (n_obs,); None without one.
    """

    formula: Formula
    X: Float2D
    X_std: Float2D
    columns: tuple[str, ...]
    term_of: Int1D
    terms: tuple[str, ...]
    outcome: pd.Series
    frame: pd.DataFrame
    rows: pd.Index
    n_dropped: int
    groups: Int1D | None

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return len(self.rows)

    @property
    def slopes(self) -> list[int]:
        """Positions of the columns other than the intercept."""
        return list(range(int(self.formula.intercept), len(self.columns)))

    def columns_of_term(self, label: str) -> list[int]:
        """Positions of the columns that belong to the term `label`."""
        return np.flatnonzero(self.term_of == self.terms.index(label)).tolist()

    def warning_rows(self) -> list[tuple[str, str, str]]:
        """Warn when more than 5 % of the rows were left out."""
        total = self.n_obs + self.n_dropped
        if self.n_dropped <= MAX_DROPPED * total:
            return []
        what = (
            f"{self.n_dropped} of {total} rows ({self.n_dropped / total:.0%}) "
            "left out for missing values"
        )
        return [(what, self.formula.text, "compare those left out, or impute")]


def build_design(
    formula: Formula,
    data: pd.DataFrame,
    *,
    cluster: str | None = None,
    also_complete: Iterable[str] = (),
) -> Design:
    """Evaluate `formula` in `data`.

    Parameters
    ----------
    formula
        The model.
    data
        One row per observation; nullable numbers, booleans, text, Categorical.
    cluster
        Column whose equal values belong together.
    also_complete
        Further columns in which a row must not be missing.

    Returns
    -------
    Design
        On the complete rows.

    Raises
    ------
    AnalysisError
        For unknown, constant or collinear columns, infinite values, logarithms of
        non-positive numbers, a category alone.
    TooFewError
        If no complete row, or not more complete rows than coefficients, are left.
    """
    extra = [*also_complete, *([cluster] if cluster is not None else [])]
    variables = list(dict.fromkeys([*formula.variables, *extra]))
    complete, n_dropped = complete_rows(data, variables, where=formula.text)
    X, columns, term_of = _matrix(formula, complete, standardise=False)
    _refuse_same_names(formula.text, columns)
    _refuse_too_few(formula.text, *X.shape)
    _refuse_aliased(formula, X, columns, complete)
    X_std, _, _ = _matrix(formula, complete, standardise=True)
    labels = [term_label(term) for term in formula.terms]
    return Design(
        formula=formula,
        X=X,
        X_std=X_std,
        columns=tuple(columns),
        term_of=np.array(term_of, dtype=int),
        terms=tuple([INTERCEPT, *labels] if formula.intercept else labels),
        outcome=_evaluate(formula.outcome.expression, complete, formula.outcome.label),
        frame=complete,
        rows=complete.index,
        n_dropped=n_dropped,
        groups=None if cluster is None else group_codes(complete[cluster]),
    )


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


def _matrix(
    formula: Formula, data: pd.DataFrame, *, standardise: bool
) -> tuple[Float2D, list[str], list[int]]:
    """Columns of all terms, their names, and the term each belongs to."""
    values: dict[Factor, pd.Series] = {}
    for factor in dict.fromkeys(f for term in formula.terms for f in term):
        column = _evaluate(factor.expression, data, factor.label)
        _refuse_one_category(column, factor)
        if standardise and not is_category(column):
            spread = column.std()
            column = (column - column.mean()) / (spread if spread > 0 else 1.0)
        values[factor] = column
    present = {frozenset(term) for term in formula.terms}
    if formula.intercept:
        present.add(frozenset())
    blocks: list[Float2D] = []
    names: list[str] = []
    term_of: list[int] = []
    if formula.intercept:
        blocks.append(np.ones((len(data), 1)))
        names.append(INTERCEPT)
        term_of.append(0)
    for number, term in enumerate(formula.terms, start=int(formula.intercept)):
        block, labels = _term_columns(term, values, present)
        blocks.append(block)
        names.extend(labels)
        term_of.extend([number] * len(labels))
    return np.hstack(blocks), names, term_of


def _term_columns(
    term: Term, values: dict[Factor, pd.Series], present: set[frozenset[Factor]]
) -> tuple[Float2D, list[str]]:
    """Products of the factors' columns.

    A categorical factor leaves out its reference when the term without it is in the
    model too; otherwise it needs all its categories (R's rule of marginality).
    """
    block: Float2D | None = None
    names: list[str] = []
    for factor in term:
        column = values[factor]
        if is_category(column):
            reduced = (frozenset(term) - {factor}) in present
            one, labels = _indicators(column, factor.label, reduced=reduced)
        else:
            one, labels = column.to_numpy(float)[:, None], [factor.label]
        if block is None:
            block, names = one, labels
        else:
            block = np.hstack([block * one[:, [j]] for j in range(one.shape[1])])
            names = [f"{a}:{b}" for b in labels for a in names]
    if block is None:
        raise AnalysisError("formula: an empty term. Name at least one column.")
    return block, names


def _indicators(
    column: pd.Series, label: str, *, reduced: bool
) -> tuple[Float2D, list[str]]:
    levels = list(column.cat.categories)
    full = np.eye(len(levels))[column.cat.codes.to_numpy()]
    if reduced:
        return full[:, 1:], [f"{label}[T.{level}]" for level in levels[1:]]
    return full, [f"{label}[{level}]" for level in levels]


def _evaluate(expression: Expression, data: pd.DataFrame, label: str) -> pd.Series:
    match expression:
        case Name(column):
            return data[column]
        case Number(value):
            return pd.Series(value, index=data.index)
        case Call("C", Name(column)):
            return _categories(data[column])
        case Call(function, argument):
            return _apply(function, _evaluate(argument, data, label), label)
        case Binary(operator, left, right):
            return _combine(
                operator,
                _numbers(_evaluate(left, data, label), label),
                _numbers(_evaluate(right, data, label), label),
                label,
            )


def _categories(column: pd.Series) -> pd.Series:
    if is_category(column):
        return column
    levels = np.sort(column.unique())
    named = [f"{level:g}" for level in levels]
    text = pd.Series(
        [f"{value:g}" for value in column], index=column.index, dtype=object
    )
    return text.astype(pd.CategoricalDtype(named))


def _apply(function: str, column: pd.Series, label: str) -> pd.Series:
    column = _numbers(column, label)
    if function == "I":
        return column
    if function == "log":
        n_bad = int((column <= 0).sum())
        if n_bad:
            raise AnalysisError(
                f"{label}: {n_bad} values are zero or negative (smallest "
                f"{column.min():g}) and have no logarithm. "
                "Shift the variable or leave it as it is."
            )
        return pd.Series(np.log(column.to_numpy()), index=column.index)
    centred = column - column.mean()
    return centred if function == "center" else centred / column.std()


def _combine(operator: str, left: pd.Series, right: pd.Series, label: str) -> pd.Series:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    with np.errstate(all="ignore"):
        result = pd.Series(np.power(left.to_numpy(), right.to_numpy()), left.index)
    if not np.isfinite(result).all():
        raise AnalysisError(
            f"{label}: the power is not a finite number in every row. "
            "Use a smaller exponent, or centre the variable."
        )
    return result


def _numbers(column: pd.Series, label: str) -> pd.Series:
    if is_category(column):
        raise AnalysisError(
            f"{label}: cannot compute with categories "
            f"{list(column.cat.categories)}. Use the column as it is, or C(name)."
        )
    return column


def _refuse_one_category(column: pd.Series, factor: Factor) -> None:
    if is_category(column) and len(column.cat.categories) < 2:  # noqa: PLR2004
        raise AnalysisError(
            f"{factor.label}: only the category {list(column.cat.categories)} is left "
            "in the rows used, so it has no effect to estimate. Take it out."
        )


def _refuse_same_names(where: str, columns: list[str]) -> None:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise AnalysisError(
            f"{where}: more than one coefficient would be called {twice}. "
            "Rename the column of the data that has this name."
        )


def _refuse_too_few(where: str, n_obs: int, n_columns: int) -> None:
    if n_obs - n_columns < 1:
        raise TooFewError(
            f"{where}: {n_obs} complete rows for {n_columns} coefficients leave "
            "nothing to estimate error from. Collect more or take predictors out."
        )


def _refuse_aliased(
    formula: Formula, X: Float2D, columns: list[str], data: pd.DataFrame
) -> None:
    """Name every column that the ones before it determine."""
    outcome = set(columns_of(formula.outcome))
    same = [t for t in formula.terms if t == (formula.outcome,)]
    if same:
        raise AnalysisError(
            f"{formula.text}: {', '.join(sorted(outcome))} stands on both sides. "
            "Take it out of the predictors."
        )
    faults = []
    kept: list[int] = []
    lengths = np.linalg.norm(X, axis=0)
    for j, name in enumerate(columns):
        if lengths[j] == 0:
            faults.append(f"{name!r} is zero in all {len(data)} rows")
            continue
        basis = X[:, kept] / lengths[kept]
        weights = np.linalg.lstsq(basis, X[:, j] / lengths[j], rcond=None)[0]
        left = X[:, j] / lengths[j] - basis @ weights
        if kept and np.linalg.norm(left) < ALIAS_TOLERANCE:
            faults.append(_alias(name, X[:, j], [columns[k] for k in kept], weights))
        else:
            kept.append(j)
    if faults:
        raise AnalysisError(
            f"{formula.text}: {'; '.join(faults)}. "
            "Take one of the columns named out of the model."
        )


def _alias(name: str, column: Float1D, others: list[str], weights: Float1D) -> str:
    if others[0] == INTERCEPT and np.ptp(column) <= ALIAS_TOLERANCE * abs(column[0]):
        if np.ptp(column) > 0:
            around = f"by {np.ptp(column):g} around {column[0]:g}"
            return f"{name!r} varies only {around}, too little to compute with"
        return f"{name!r} is constant ({column[0]:g} in all rows)"
    used = [o for o, w in zip(others, weights, strict=True) if abs(w) > ALIAS_TOLERANCE]
    others_named = ", ".join(repr(o) for o in used if o != INTERCEPT) or "the intercept"
    return f"{name!r} is determined by {others_named}"
