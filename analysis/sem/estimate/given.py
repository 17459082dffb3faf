"""Start values that a model states: which are usable, and what replaces the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.errors import ConvergenceError
from analysis.sem.estimate.minimum import lowest
from analysis.sem.implied import filled, implied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D
    from analysis.sem.estimate.minimum import Minimum
    from analysis.sem.estimate.starts import Starts
    from analysis.sem.partable import ParameterTable
    from analysis.sem.problem import Problem

Row = tuple[str, str, str]
# A start value that is further from ours than this many orders of its size.
_FAR: Final = 1000.0
# Difference of two discrepancies that is rounding.
_SAME: Final = 1e-9
# How many values are named.
NAMED: Final = 5
_NOT_PD: Final = "it gives no positive definite covariance matrix"
_REMEDY: Final = "Correct start(), or delete it: a wrong one can hide a better minimum"


def usable(problem: Problem, starts: Starts) -> tuple[Starts, list[Row]]:
    """Replace stated start values that cannot be used by our own.

    Returns
    -------
    starts
        With the values that are left.
    rows
        Warnings about the others: what, where, remedy.
    """
    table, own = problem.table, starts.own
    rows = list(_fixed(table))
    stated = [k for k, p in enumerate(table.free) if p.start is not None]
    if not stated:
        return starts, rows
    base = next((s for s in (own, starts.plain) if _sound(problem, s)), own)
    bad = {k: why for k in stated if (why := _fault(problem, starts, base, k))}
    theta = starts.theta.copy()
    theta[list(bad)] = own[list(bad)]
    left = [k for k in stated if k not in bad]
    if left and not _sound(problem, theta):
        together = "together they give no positive definite covariance matrix"
        bad |= dict.fromkeys(left, together if len(left) > 1 else _NOT_PD)
        theta = own
    rows += [_row(table, starts, k, why) for k, why in sorted(bad.items())]
    return replace(starts, theta=theta), rows


def from_given(problem: Problem, starts: Starts) -> tuple[Float1D, list[Row]]:
    """Minimise from stated start values, and from our own to compare.

    Returns
    -------
    theta
        The lower minimum, shape (n_free,); that of the stated values when equal.
    rows
        A warning when stated values did not lead there.

    Raises
    ------
    ConvergenceError, NotIdentifiedError
        If no search reaches a minimum.
    """
    ours = _lowest(problem, replace(starts, theta=starts.own))
    if ours is None:
        return lowest(problem, starts).theta, []
    found = _lowest(problem, starts)
    if found is not None and found.first:
        same = found.value <= ours.value + _SAME * (1 + abs(ours.value))
        if same:
            return found.theta, []
        why = (
            f"they lead to a local minimum, where the discrepancy is {found.value:.6g} "
            f"in place of {ours.value:.6g}"
        )
    else:
        why = "the search from them does not reach the minimum"
    return ours.theta, [_together(problem.table, starts, why)]


def _lowest(problem: Problem, starts: Starts) -> Minimum | None:
    try:
        return lowest(problem, starts)
    except ConvergenceError:
        return None


def _together(table: ParameterTable, starts: Starts, why: str) -> Row:
    named = [
        f"{table.spell(p)}: start({starts.theta[k]:g})"
        for k, p in enumerate(table.free)
        if p.start is not None and starts.theta[k] != starts.own[k]
    ]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    where = f"{', '.join(named[:NAMED])}{more}: {why}"
    instead = "Our own start values were used instead. "
    return "start_not_used", where, f"{instead}{_REMEDY}"


def _row(table: ParameterTable, starts: Starts, k: int, why: str) -> Row:
    spelt = f"{table.spell(table.free[k])}: start({starts.theta[k]:g}), {why}"
    instead = f"Our own start value {starts.own[k]:.3g} was used instead. "
    return "start_not_used", spelt, f"{instead}{_REMEDY}"


def _fault(problem: Problem, starts: Starts, base: Float1D, k: int) -> str:
    """Say why one stated value cannot be used; empty when it can."""
    if abs(starts.theta[k] - starts.own[k]) > _FAR * starts.scale[k]:
        return "it is more than 1,000 times the size that the data suggest"
    alone = base.copy()
    alone[k] = starts.theta[k]
    if _sound(problem, base) and not _sound(problem, alone):
        return _NOT_PD
    return ""


def _sound(problem: Problem, theta: Float1D) -> bool:
    """Whether a point has a discrepancy and positive definite implied covariances."""
    at = problem.coordinates.theta(problem.coordinates.coordinates(theta))
    if not np.isfinite(problem.at(at)):
        return False
    try:
        with np.errstate(all="ignore"):
            for layout in problem.layouts:
                np.linalg.cholesky(implied(filled(layout, at)).cov)
    except np.linalg.LinAlgError:
        return False
    return True


def _fixed(table: ParameterTable) -> Iterator[Row]:
    """Start values of parameters that are not estimated."""
    for row in table.rows:
        if row.start is None or row.fixed is None:
            continue
        spelt = f"{row.rhs or '1'}"
        yield (
            "start_not_used",
            (
                f"{table.spell(row)}: start({row.start:g}), but it is fixed to "
                f"{row.fixed:g}{' and scales its factor' if row.op == '=~' else ''}"
            ),
            (
                f"It stays fixed to {row.fixed:g}. Write {row.start:g}*{spelt} to fix "
                f"it there (as lavaan does), or NA*{spelt} + start({row.start:g})*"
                f"{spelt} to estimate it"
            ),
        )
