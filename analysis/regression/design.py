"""Design matrices: a formula and a frame in, columns of numbers out.

Rows with a missing value in any variable of the model are left out and counted.
Text and categorical columns become indicator columns, the first category being
the reference, as ``contr.treatment`` does in R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AnalysisError, TooFewError
from analysis.regression.alias import refuse_aliased
from analysis.regression.columns import INTERCEPT, matrix
from analysis.regression.formula import Formula, term_label
from analysis.regression.rows import complete_rows, group_codes
from analysis.regression.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from analysis.arrays import Float2D, Int1D

MAX_DROPPED = 0.05
"""Share of rows lost to missing values above which a result carries a warning."""


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
    X, columns, term_of = matrix(formula, complete, standardise=False)
    _refuse_same_names(formula.text, columns)
    _refuse_too_few(formula.text, *X.shape)
    refuse_aliased(formula, X, columns, complete)
    X_std, _, _ = matrix(formula, complete, standardise=True)
    labels = [term_label(term) for term in formula.terms]
    return Design(
        formula=formula,
        X=X,
        X_std=X_std,
        columns=tuple(columns),
        term_of=np.array(term_of, dtype=int),
        terms=tuple([INTERCEPT, *labels] if formula.intercept else labels),
        outcome=evaluate(formula.outcome.expression, complete, formula.outcome.label),
        frame=complete,
        rows=complete.index,
        n_dropped=n_dropped,
        groups=None if cluster is None else group_codes(complete[cluster]),
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
