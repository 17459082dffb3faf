"""Separation: predictors that tell an outcome apart without error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.errors import AnalysisError

TOLERANCE = 1e-7


def separating_direction(cone: Float2D) -> Float1D | None:
    """Find a direction along which no row gets worse and some row gets better.

    Parameters
    ----------
    cone
        One row per inequality, shape (n_inequalities, n_parameters): moving along d
        does not lower the likelihood of a row if ``row @ d >= 0``. Scaled columns.

    Returns
    -------
    Float1D or None
        The direction with entries in [-1, 1], None if the maximum is finite.

    Notes
    -----
    Albert & Anderson (1984); linear programme of Konis (2007), as R's
    ``detectseparation``.
    """
    n_rows, n_parameters = cone.shape
    found = linprog(
        -cone.sum(axis=0),
        A_ub=-cone,
        b_ub=np.zeros(n_rows),
        bounds=[(-1, 1)] * n_parameters,
        method="highs",
    )
    if found.status != 0 or -found.fun <= TOLERANCE * n_rows:
        return None
    return np.asarray(found.x, dtype=float)


def cumulative_cone(codes: Int1D, X: Float2D, n_levels: int) -> Float2D:
    """Inequalities of a cumulative model; two levels are logistic regression.

    Parameters
    ----------
    codes
        Outcome 0..n_levels-1, shape (n_obs,).
    X
        Predictors without intercept, shape (n_obs, n_columns).
    n_levels
        Number of categories.

    Returns
    -------
    Float2D
        Over slopes then thresholds, shape (n_inequalities, n_columns + n_levels - 1).
    """
    at = np.eye(n_levels - 1)
    below_top = codes < n_levels - 1
    above_bottom = codes > 0
    upper = np.hstack([-X[below_top], at[codes[below_top]]])
    lower = np.hstack([X[above_bottom], -at[codes[above_bottom] - 1]])
    return np.vstack([upper, lower])


def refuse_separation(
    codes: Int1D,
    X: Float2D,
    names: list[str],
    levels: list[str],
    *,
    where: str,
    error: type[AnalysisError],
) -> None:
    """Raise `error`, naming the predictors, if a linear rule separates the outcome.

    Parameters
    ----------
    codes
        Outcome 0..n_levels-1, shape (n_obs,).
    X
        Predictors without intercept, shape (n_obs, n_columns).
    names
        Names of the columns of `X`.
    levels
        Labels of the categories.
    where
        Place for the message.
    error
        What to raise.
    """
    if X.shape[1] == 0:
        return
    spread = X.std(axis=0)
    scaled = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    cone = cumulative_cone(codes, scaled, len(levels))
    direction = separating_direction(cone)
    if direction is None:
        return
    alone = [
        name
        for j, name in enumerate(names)
        if separating_direction(cumulative_cone(codes, scaled[:, [j]], len(levels)))
        is not None
    ]
    moved = np.abs(direction[: len(names)]) > TOLERANCE
    together = [name for name, used in zip(names, moved, strict=True) if used]
    culprit = (
        f"{', '.join(map(repr, alone))} (each alone)"
        if alone
        else f"a combination of {', '.join(map(repr, together))}"
    )
    how = "completely" if _widest_margin(cone) > TOLERANCE else "in part"
    raise error(
        f"{where}: {culprit} separates the outcome's categories {levels} {how}, so the "
        "coefficients grow without limit. Take it out, merge rare categories, or "
        "report the cross-table instead."
    )


def _widest_margin(cone: Float2D) -> float:
    """Largest gain that some direction gives to every row at once."""
    n_rows, n_parameters = cone.shape
    found = linprog(
        np.append(np.zeros(n_parameters), -1.0),
        A_ub=np.hstack([-cone, np.ones((n_rows, 1))]),
        b_ub=np.zeros(n_rows),
        bounds=[*([(-1, 1)] * n_parameters), (None, 1)],
        method="highs",
    )
    return float(-found.fun) if found.status == 0 else 0.0
