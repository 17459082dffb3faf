"""Values of a formula's expressions in a frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.regression.formula import Binary, Call, Expression, Name, Number
from analysis.regression.rows import is_category


def evaluate(expression: Expression, data: pd.DataFrame, label: str) -> pd.Series:
    """Evaluate an expression row by row.

    Parameters
    ----------
    expression
        Of a parsed formula.
    data
        Complete rows, as `analysis.regression.rows.complete_rows` gives them.
    label
        What errors call it.

    Raises
    ------
    AnalysisError
        If categories are computed with, or a value is not a finite number.
    """
    match expression:
        case Name(column):
            return data[column]
        case Number(value):
            return pd.Series(value, index=data.index)
        case Call("C", Name(column)):
            return _categories(data[column])
        case Call(function, argument):
            return _apply(function, evaluate(argument, data, label), label)
        case Binary(operator, left, right):
            return _combine(
                operator,
                _numbers(evaluate(left, data, label), label),
                _numbers(evaluate(right, data, label), label),
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
