"""Variables that explain each other in a circle (nonrecursive models)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import NotIdentifiedError
from analysis.sem.standardize import whole
from analysis.sem.syntax.circles import circles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D
    from analysis.sem.partable import Parameter, ParameterTable
    from analysis.sem.problem import Problem
    from analysis.sem.syntax import ModelSyntax


def loops(table: ParameterTable) -> tuple[tuple[str, ...], ...]:
    """Find the circles among the paths of a model: each name rests on the next."""
    return circles(dict.fromkeys(_arrow(r) for r in table.rows if _is_path(r)))


def _is_path(row: Parameter) -> bool:
    return row.op in {"~", "=~"} and row.fixed != 0


def _arrow(row: Parameter) -> tuple[str, str]:
    """From what is explained to what explains it."""
    return (row.lhs, row.rhs) if row.op == "~" else (row.rhs, row.lhs)


def _spelt(circle: tuple[str, ...]) -> str:
    return " ~ ".join(circle)


def unidentified(
    error: NotIdentifiedError, table: ParameterTable, model: ModelSyntax
) -> NotIdentifiedError:
    """Name the circle whose paths cannot be told apart; else leave the error alone.

    With more parameters than moments every circle is a suspect.
    """
    counted = "sample moments" in str(error)
    for circle in loops(table):
        steps = set(pairwise(circle))
        paths = [r for r in table.rows if _is_path(r) and _arrow(r) in steps]
        if not (counted or any(str(row) in str(error) for row in paths)):
            continue
        keys = {(r.lhs, r.op, r.rhs) for r in paths}
        place = next(
            s.place for s in reversed(model.statements) if (s.lhs, s.op, s.rhs) in keys
        )
        text = model.source.locate(
            place,
            f"the circle {_spelt(circle)} is not identified. Delete one of its paths, "
            "or give each of its variables a predictor that the others do not have "
            "(an instrument)",
        )
        return NotIdentifiedError(f"{text}\n{error}")
    return error


def loop_rows(problem: Problem, theta: Float1D) -> Iterator[tuple[str, str, str]]:
    """Rows of warnings about circles that are identified.

    Notes
    -----
    The stability index is the largest modulus of the eigenvalues of Beta; effects
    settle when it is below 1 (Bentler & Freeman 1983).
    """
    for circle in loops(problem.table):
        moduli = [
            np.abs(np.linalg.eigvals(whole(layout, theta).Beta)).max(initial=0.0)
            for layout in problem.layouts
        ]
        index = float(np.max(moduli))
        unstable = (
            "Its effects grow without end (index of 1 or more): do not interpret them. "
            if index >= 1
            else ""
        )
        yield (
            "feedback_loop",
            f"{_spelt(circle)}: a circle (stability index {index:.2f})",
            (
                f"{unstable}It needs predictors that reach only one of its "
                "variables (instruments): argue for them; R2 of its variables is not "
                "the usual share of explained variance"
            ),
        )
