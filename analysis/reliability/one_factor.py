"""The one-factor model behind a scale, whatever its items are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.sem import cfa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.reliability.coefficients import Warning_
    from analysis.reliability.model import Measured
    from analysis.sem import SemFit

FactorEstimator: TypeAlias = Literal["ML", "MLR", "WLSMV"]
FactorMissing: TypeAlias = Literal["listwise", "pairwise", "ml"]

# Two items do not identify a factor.
OMEGA_ITEMS = 3


def fit_one_factor(
    x: Float2D,
    names: Sequence[str],
    *,
    estimator: FactorEstimator,
    missing: FactorMissing,
    where: str,
) -> SemFit:
    """Fit one factor of variance 1; all items are ordered with ``"WLSMV"``.

    Parameters
    ----------
    x
        Answers, shape (n_obs, p), NaN where missing.
    names
        The items. The model calls them x1, x2, ..., as it cannot spell every name;
        `own_names` turns that back in warnings.

    Raises
    ------
    AnalysisError
        As `analysis.sem.cfa` does, of the same kind, with the items' own names.
    """
    columns = [f"x{i}" for i in range(1, len(names) + 1)]
    try:
        return cfa(
            f"f =~ {' + '.join(columns)}",
            pd.DataFrame(x, columns=columns),
            estimator=estimator,
            ordered=columns if estimator == "WLSMV" else None,
            std_lv=True,
            missing=missing,
        )
    except AnalysisError as error:
        raise type(error)(f"{where}: {own_names(str(error), names)}") from error


def own_names(text: str, names: Sequence[str]) -> str:
    """Put the items' own names where the model says x1, x2, ..."""
    known = {f"x{i}": name for i, name in enumerate(names, start=1)}
    return re.sub(r"\bx\d+\b", lambda m: known.get(m.group(), m.group()), text)


def common_variance(part: Measured) -> float:
    """Variance of the sum due to the first factor."""
    return float(part.loadings[:, 0].sum() ** 2 * part.Phi[0, 0])


def require_proper(part: Measured, names: Sequence[str], *, where: str) -> None:
    """Refuse a solution with a residual variance that is not positive.

    Raises
    ------
    AnalysisError
        Naming every such item with its residual variance.
    """
    if improper := [
        f"{name!r} ({value:.3f})"
        for name, value in zip(names, np.diag(part.unique), strict=True)
        if value <= 0
    ]:
        raise AnalysisError(
            f"{where}: improper solution, the residual variance is not positive for "
            f"item(s) {', '.join(improper)}. Leave the item out, or report alpha."
        )


def mixed_signs(loadings: Float1D, names: Sequence[str]) -> Iterator[Warning_]:
    """Warn of items that load in the other direction than most."""
    direction = np.sign(np.sign(loadings).sum()) or 1.0
    against = [
        n for n, v in zip(names, loadings, strict=True) if np.sign(v) != direction
    ]
    if against:
        yield (
            f"items load against the others: {against}",
            "scale",
            "Check the keying: reverse them, or undo a reversal done twice.",
        )
