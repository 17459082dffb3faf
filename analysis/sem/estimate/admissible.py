"""Solutions that converge and still cannot be believed, as rows of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.result import warning_table
from analysis.sem.estimate.loops import loop_rows
from analysis.sem.implied import eta_cov
from analysis.sem.standardize import estimates, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.data import Table
    from analysis.sem.estimators import Missing
    from analysis.sem.matrices import Layout
    from analysis.sem.moments import Moments
    from analysis.sem.partable import Parameter, ParameterTable
    from analysis.sem.problem import Problem
    from analysis.sem.standardize import Standardized

#: How many rows are named.
NAMED = 5
DROPPED = 0.05
#: Fewer answers than this leave a category without weight.
RARE = 5
#: Fewer clusters than this make robust errors too small.
CLUSTERS = 30
_OVER_ONE = 1 + 1e-6
_NOT_PD = -1e-8
# Polychoric correlations stop here.
BOUND = 0.998999

Row = tuple[str, str, str]


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
    n_free = problem.coordinates.n_coordinates
    for moments in problem.moments:
        rows += _dropped(moments, problem.method.missing)
    rows += _empty(data)
    rows += _few(problem.n_obs, n_free)
    rows += _few_clusters(problem, n_free)
    rows += _rare(problem, data)
    rows += _freed(problem.table)
    rows += _marked(problem.table)
    rows += _alone(problem.table)
    rows += loop_rows(problem, theta)
    rows += _variances(problem, theta)
    rows += _standardized(problem.table, standardized)
    for layout, moments in zip(problem.layouts, problem.moments, strict=True):
        rows += _not_pd(layout, theta)
        rows += _at_bound(moments)
        rows += _sample_not_pd(moments, problem.table)
    rows += _undefined(problem.table, standardized)
    return warning_table(rows)


def _place(label: str) -> str:
    return f" in group {label!r}" if label else ""


def _empty(data: Table) -> Iterator[Row]:
    for group in data.groups:
        empty = group.rows[np.isnan(group.x).all(axis=1)]
        if len(empty):
            shown = ", ".join(str(row) for row in empty[:NAMED])
            more = ", …" if len(empty) > NAMED else ""
            one = len(empty) == 1
            yield (
                "empty_rows",
                (
                    f"{len(empty)} row{'' if one else 's'}{_place(group.label)} "
                    f"answer{'s' if one else ''} no item: index {shown}{more} of the "
                    "table"
                ),
                "They say nothing and are left out; look why they are there",
            )


def _lacking(missing: Missing) -> str:
    """Say what the rows lack that are left out."""
    if missing == "listwise":
        return "miss an answer"
    return "answer no item, or miss a predictor"


def _dropped(moments: Moments, missing: Missing) -> Iterator[Row]:
    n_rows = moments.n_obs + moments.n_dropped
    if moments.n_dropped > DROPPED * n_rows:
        yield (
            "rows_dropped",
            (
                f"{moments.n_dropped} of {n_rows} rows"
                f"{_place(moments.label)} "
                f"({100 * moments.n_dropped / n_rows:.1f} %) {_lacking(missing)}"
            ),
            (
                "Compare those left out with the others; report both numbers"
                + (
                    "; missing='ml' (or 'pairwise' with ordered variables) would use "
                    "them"
                    if missing == "listwise"
                    else ""
                )
            ),
        )


def _few(n_obs: int, n_free: int) -> Iterator[Row]:
    if n_obs < n_free:
        yield (
            "few_rows",
            f"{n_obs} rows for {n_free} free parameters",
            (
                "Collect more rows or fit a smaller model; its standard errors are "
                "not to be trusted"
            ),
        )


def _few_clusters(problem: Problem, n_free: int) -> Iterator[Row]:
    """Clusters whose number carries robust errors badly.

    Notes
    -----
    The middle of the sandwich is a sum over clusters, so its rank is at most their
    number less one; its errors are too small when they are few (Kauermann & Carroll
    2001; Cameron & Miller 2015, section VI).
    """
    known = [m.cluster for m in problem.moments if m.cluster is not None]
    if not known:
        return
    n = len(np.unique(np.concatenate(known)))
    if n >= CLUSTERS and n > n_free:
        return
    rank = (
        f"; the covariance of the estimates has rank {n - 1} at most, so tests of many "
        "parameters at once do not exist"
        if n <= n_free
        else ""
    )
    yield (
        "few_clusters",
        f"{n} clusters for {n_free} free parameters{rank}",
        (
            "Robust errors are too small with few clusters (fewer than 20 to 30): "
            "collect more, fit a smaller model, or add indicators of the clusters as "
            "predictors in place of cluster="
        ),
    )


def _rare(problem: Problem, data: Table) -> Iterator[Row]:
    """Categories of ordered variables that hardly anybody chose."""
    for name, codes in data.categories.items():
        k = problem.table.observed.index(name)
        for moments in problem.moments:
            if moments.x is None:
                continue
            answers = moments.x[:, k]
            counts = np.bincount(answers[~np.isnan(answers)].astype(np.int_))
            for code in np.flatnonzero(counts < RARE):
                yield (
                    "rare_category",
                    (
                        f"{name}: {counts[code]} answer"
                        f"{'' if counts[code] == 1 else 's'} in category "
                        f"{codes[code]:g}{_place(moments.label)}"
                    ),
                    (
                        "Its threshold and correlations are shaky: join it with its "
                        "neighbour, in all groups alike, and compare"
                    ),
                )


def _alone(table: ParameterTable) -> Iterator[Row]:
    """Factors of one item, which are taken to be measured without error."""
    loadings = [r for r in table.rows if r.op == "=~" and r.group == 1]
    for factor in table.latent:
        items = [r.rhs for r in loadings if r.lhs == factor]
        if len(items) == 1 and items[0] in table.observed:
            residual = [
                r
                for r in table.rows
                if r.is_variance and r.lhs == items[0] and not r.stated
            ]
            if residual and (residual[0].fixed == 0 or residual[0].derived):
                yield (
                    "one_item_factor",
                    f"{factor} =~ {items[0]}: it is taken to measure without error",
                    (
                        "One item cannot tell its own error: add items, or fix "
                        f"{items[0]} ~~ {items[0]} at (1 - reliability) of its variance"
                    ),
                )


def _freed(table: ParameterTable) -> Iterator[Row]:
    """Predictors that a statement about their moments cuts off from the others."""
    named = {r.rhs for r in table.rows if r.op == "~"} & set(table.observed)
    predictors = [n for n in table.observed if n in named - set(table.endogenous)]
    pairs = [{r.lhs, r.rhs} for r in table.rows if r.op == "~~"]
    for name in predictors:
        if name in table.predictors:
            continue
        apart = [o for o in predictors if o != name and {name, o} not in pairs]
        if apart:
            yield (
                "predictor_freed",
                (
                    f"the model speaks of moments of {name}, so its covariance with "
                    f"{', '.join(apart)} is fixed to 0"
                ),
                (
                    f"State the covariances ({name} ~~ {apart[0]}), or leave the "
                    f"variance or mean of {name} out of the model"
                ),
            )


def _marked(table: ParameterTable) -> Iterator[Row]:
    """Labels on a marker loading that other parameters have, too."""
    first: dict[tuple[str, int], Parameter] = {}
    for row in table.rows:
        if row.op == "=~":
            first.setdefault((row.lhs, row.group), row)
    markers = [r for r in first.values() if r.label and r.fixed is not None]
    for label in dict.fromkeys(r.label for r in markers):
        marker = next(r for r in markers if r.label == label)
        others = [
            table.spell(r)
            for r in table.rows
            if r.label == label and first.get((r.lhs, r.group)) is not r
        ]
        if others:
            yield (
                "marker_label",
                (
                    f"{table.spell(marker)} is fixed at {marker.fixed:g} and labelled "
                    f"{label}, so that {', '.join(others)} is fixed, too"
                ),
                (
                    f"To estimate {label}, free the marker (NA*{marker.rhs}) and fix "
                    "the variance of its factor to 1"
                ),
            )


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
    place = _place(table.groups[layout.group - 1])
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


def _at_bound(moments: Moments) -> Iterator[Row]:
    """Polychoric correlations that run to 1 because cells are empty."""
    if moments.mixed is None:
        return
    R, names = moments.mixed.R, moments.mixed.names
    for i, j in np.argwhere(np.triu(np.abs(R) >= BOUND, 1)):
        yield (
            "correlation_at_bound",
            f"{names[i]} with {names[j]}{_place(moments.label)}: held at {R[i, j]:.3f}",
            (
                "Their table has too many empty cells to tell the correlation: join "
                "rare categories, or leave one of the two out"
            ),
        )


def _sample_not_pd(moments: Moments, table: ParameterTable) -> Iterator[Row]:
    """Polychoric correlations that no variables can have together."""
    if moments.mixed is None:
        return
    cov = moments.cov
    sd = np.sqrt(np.diag(cov))
    values, vectors = np.linalg.eigh(cov / np.outer(sd, sd))
    if values[0] > 0:
        return
    weight = np.abs(vectors[:, 0])
    pairs = zip(table.observed, weight, strict=True)
    involved = [n for n, w in pairs if w > weight.max() * 0.3]
    yield (
        "sample_not_pd",
        (
            f"polychoric correlations{_place(moments.label)}: smallest eigenvalue "
            f"{values[0]:.3g}, from {', '.join(involved)}"
        ),
        (
            "Robust indices are not available; look for nearly identical items and "
            "sparse categories, or collect more rows"
        ),
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
