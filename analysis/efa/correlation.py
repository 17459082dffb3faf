"""The Pearson correlation matrix that every analysis of dimensions starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.efa.answers import (
    complete_rows,
    item_codes,
    require_choice,
    require_variance,
)
from analysis.errors import AnalysisError, TooFewError

if TYPE_CHECKING:
    from analysis.arrays import Float2D

Missing: TypeAlias = Literal["listwise", "pairwise"]

# Below this an eigenvalue is zero but for rounding: some item repeats others.
SINGULAR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """Correlations of items and the people they rest on.

    Attributes
    ----------
    R
        Correlation matrix, shape (p, p), positive definite.
    names
        The items, in order.
    codes
        The answers used, shape (n_obs, p); NaN where missing (pairwise only).
    n_obs
        Respondents used: with every answer (listwise), or with at least two
        (pairwise).
    n_dropped
        Respondents left out.
    n_pair
        Fewest respondents behind one correlation; `n_obs` when listwise.
    """

    R: Float2D
    names: tuple[str, ...]
    codes: Float2D
    n_obs: int
    n_dropped: int
    n_pair: int


def pearson(
    items: pd.DataFrame, *, missing: Missing = "listwise", where: str, at_least: int = 2
) -> Correlation:
    """Correlate items, refusing what cannot carry a factor analysis.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA.
    missing
        ``"listwise"`` keeps respondents with every answer; ``"pairwise"`` takes
        each correlation from everyone who answered both items.
    where
        Name of the calling analysis, which opens every message.
    at_least
        Fewest items that make sense there.

    Raises
    ------
    TooFewError
        If there are too few items, or not more people than items.
    AnalysisError
        If an item is not numeric, has no answer, does not vary, or the matrix is
        singular (an item repeats others) or, pairwise, not positive definite.

    Notes
    -----
    Same as ``cor(x, use = "complete.obs")`` and ``cor(x, use = "pairwise")`` in R.
    """
    x = item_codes(items, where=where, at_least=at_least)
    names = tuple(str(name) for name in items.columns)
    require_choice("missing", missing, get_args(Missing), where=where)
    if missing == "listwise":
        used = complete_rows(x, names, where=where, at_least=len(names) + 1)
        R: Float2D = np.atleast_2d(np.corrcoef(used, rowvar=False))
        n_pair = len(used)
    else:
        used = x[(~np.isnan(x)).sum(axis=1) > 1]
        R, n_pair = _pairwise(used, names, where=where)
    require_positive_definite(R, names, where=where)
    return Correlation(R, names, used, len(used), len(x) - len(used), n_pair)


def _pairwise(x: Float2D, names: tuple[str, ...], *, where: str) -> tuple[Float2D, int]:
    require_variance(x, names, where=where)
    present = (~np.isnan(x)).astype(np.float64)
    n_pair = int((present.T @ present).min())
    if n_pair <= len(names):
        raise TooFewError(
            f"{where}: only {n_pair} respondents answered some pair of the "
            f"{len(names)} items. Use fewer items or collect more answers: there "
            "must be more people than items behind every correlation."
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        R: Float2D = pd.DataFrame(x).corr().to_numpy(copy=True)
    if np.isnan(R).any():
        i, j = np.argwhere(np.isnan(R))[0]
        raise AnalysisError(
            f"{where}: items {names[i]!r} and {names[j]!r} have no correlation, "
            "because one of them does not vary among those who answered both. "
            "Leave one of them out."
        )
    return R, n_pair


def require_positive_definite(
    R: Float2D, names: tuple[str, ...], *, where: str
) -> None:
    """Refuse a correlation matrix with an eigenvalue that is zero or negative.

    Raises
    ------
    AnalysisError
        Naming the items that repeat each other.
    """
    values, vectors = np.linalg.eigh(R)
    if values[0] > SINGULAR:
        return
    if values[0] < -SINGULAR:
        raise AnalysisError(
            f"{where}: the pairwise correlations contradict each other (smallest "
            f"eigenvalue {values[0]:.3f}). Use missing='listwise'."
        )
    part = np.abs(vectors[:, 0])
    named = [n for n, weight in zip(names, part, strict=True) if weight > 1e-6]  # noqa: PLR2004
    raise AnalysisError(
        f"{where}: the correlation matrix is singular: each of the items {named} is "
        "determined by the others (identical answers, or a sum of other items). "
        "Leave one of them out."
    )
