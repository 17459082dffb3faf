"""Solutions that converge and still cannot be believed, as rows of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.result import warning_table
from analysis.sem.estimate.loops import loop_rows
from analysis.sem.estimate.phrasing import phrasing_rows
from analysis.sem.estimate.sample import moment_rows, place_of, sample_rows
from analysis.sem.implied import eta_cov
from analysis.sem.standardize import estimates, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.data import Table
    from analysis.sem.estimate.sample import Row
    from analysis.sem.matrices import Layout
    from analysis.sem.partable import ParameterTable
    from analysis.sem.problem import Problem
    from analysis.sem.standardize import Standardized

_OVER_ONE = 1 + 1e-6
_NOT_PD = -1e-8
#: Values of `what` that make a solution improper.
IMPROPER = (
    "negative_variance",
    "loading_above_one",
    "correlation_above_one",
    "latent_cov_not_pd",
    "residual_cov_not_pd",
)


def warnings_of(
    problem: Problem,
    theta: Float1D,
    standardized: Standardized,
    data: Table,
    notes: Sequence[Row] = (),
) -> pd.DataFrame:
    """Say what is odd about a solution: what, where (with the value), remedy.

    Values of `what`: ``rows_dropped``, ``empty_rows``, ``few_rows``,
    ``rare_category``, ``predictor_freed``, ``marker_label``, ``one_item_factor``,
    ``negative_variance``, ``loading_above_one``, ``correlation_above_one``,
    ``latent_cov_not_pd``, ``residual_cov_not_pd``, ``correlation_at_bound``,
    ``sample_not_pd``, ``defined_not_real``, ``few_clusters``, ``feedback_loop``; and
    those of `notes`:
    ``start_not_used``, ``option_without_effect``, ``equal_thresholds``.
    """
    rows: list[Row] = list(notes)
    rows += sample_rows(problem, data)
    rows += phrasing_rows(problem.table)
    rows += loop_rows(problem, theta)
    rows += _variances(problem, theta)
    rows += _standardized(problem.table, standardized)
    for layout, moments in zip(problem.layouts, problem.moments, strict=True):
        rows += _not_pd(layout, theta)
        rows += moment_rows(moments, problem.table)
    rows += _undefined(problem.table, standardized)
    return warning_table(rows)


def _variances(problem: Problem, theta: Float1D) -> Iterator[Row]:
    table = problem.table
    values = estimates(problem.layouts, theta)
    for row, value in zip(table.rows, values, strict=True):
        if row.is_variance and value < 0:
            yield (
                "negative_variance",
                f"{table.spell(row)} = {value:.4g}",
                (
                    "Improper (Heywood) solution: check the item, use more items per "
                    "factor or more rows, or fix the variance to 0 if it is near 0"
                ),
            )


def _standardized(table: ParameterTable, standardized: Standardized) -> Iterator[Row]:
    for row, value in zip(table.rows, standardized.std_all, strict=False):
        if not abs(value) > _OVER_ONE or row.is_variance:
            continue
        if row.op == "=~":
            yield (
                "loading_above_one",
                f"{table.spell(row)}: standardised {value:.3f}",
                (
                    "Improper unless correlated factors share the item: look for "
                    "nearly identical items or too many factors"
                ),
            )
        elif row.op == "~~":
            yield (
                "correlation_above_one",
                f"{table.spell(row)}: correlation {value:.3f}",
                "Improper: join the two, or check what they share",
            )


def _not_pd(layout: Layout, theta: Float1D) -> Iterator[Row]:
    table = layout.table
    m = whole(layout, theta)
    n = len(table.latent)
    place = place_of(table.groups[layout.group - 1])
    if n:
        yield from _eigen_row(
            "latent_cov_not_pd",
            f"covariance matrix of the latent variables{place}",
            eta_cov(m)[:n, :n],
            table.latent,
        )
    residual = np.diag(m.Theta) != 0
    names = tuple(np.array(table.observed)[residual])
    yield from _eigen_row(
        "residual_cov_not_pd",
        f"residual covariance matrix of the observed variables{place}",
        m.Theta[np.ix_(residual, residual)],
        names,
    )
    if not m.Beta.any():
        return
    explained = np.diag(m.Psi) != 0
    yield from _eigen_row(
        "residual_cov_not_pd",
        f"residual covariance matrix of the structural part{place}",
        m.Psi[np.ix_(explained, explained)],
        tuple(np.array(layout.eta)[explained]),
    )


def _eigen_row(
    what: str, matrix: str, cov: Float2D, names: tuple[str, ...]
) -> Iterator[Row]:
    if not len(cov):
        return
    sd = np.sqrt(np.maximum(np.abs(np.diag(cov)), 1e-300))
    # A negative variance stands in a row of its own.
    if (np.diag(cov) < 0).any():
        return
    values, vectors = np.linalg.eigh(cov / np.outer(sd, sd))
    if values[0] >= _NOT_PD:
        return
    weight = np.abs(vectors[:, 0])
    involved = [n for n, w in zip(names, weight, strict=True) if w > weight.max() * 0.3]
    yield (
        what,
        f"{matrix}: smallest eigenvalue {values[0]:.3g}, from {', '.join(involved)}",
        "Improper: the named variables overlap more than they can; join or drop one",
    )


def _undefined(table: ParameterTable, standardized: Standardized) -> Iterator[Row]:
    definitions = table.definitions
    if not definitions:
        return
    values = standardized.std_all[-len(definitions) :]
    for d, value in zip(definitions, values, strict=True):
        if not np.isfinite(value):
            yield (
                "defined_not_real",
                f"{d.name} := {d.text} has no finite value",
                "Check for division by 0, or log and sqrt of a negative number",
            )
