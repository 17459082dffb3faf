"""What is odd about the answers a model is fitted to, as rows of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.oddities import stray_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.sem.data import Table
    from analysis.sem.estimators import Missing
    from analysis.sem.moments import Moments
    from analysis.sem.partable import ParameterTable
    from analysis.sem.problem import Problem

Row = tuple[str, str, str]
#: How many rows are named.
NAMED = 5
DROPPED = 0.05
#: Fewer answers than this leave a category without weight.
RARE = 5
#: Fewer clusters than this make robust errors too small.
CLUSTERS = 30
# Polychoric correlations stop here.
BOUND = 0.998999


def sample_rows(problem: Problem, data: Table) -> Iterator[Row]:
    """Rows that are left out, too few rows or clusters, rare categories."""
    n_free = problem.coordinates.n_coordinates
    for moments in problem.moments:
        yield from _dropped(moments, problem.method.missing)
    yield from _empty(data)
    yield from _stray(problem, data)
    yield from _few(problem.n_obs, n_free)
    yield from _few_clusters(problem, n_free)
    yield from _rare(problem, data)


def moment_rows(moments: Moments, table: ParameterTable) -> Iterator[Row]:
    """Polychoric correlations of a group that ran to 1, or cannot stand together."""
    yield from _at_bound(moments)
    yield from _sample_not_pd(moments, table)


def place_of(label: str) -> str:
    """Say which group; nothing where there is one only."""
    return f" in group {label!r}" if label else ""


def _stray(problem: Problem, data: Table) -> Iterator[Row]:
    """Codes of indicators that may stand for a missing answer."""
    indicators = {r.rhs for r in problem.table.rows if r.op == "=~"}
    at = [k for k, name in enumerate(data.names) if name in indicators]
    if at:
        x = np.vstack([group.x for group in data.groups])
        yield from stray_codes(x[:, at], [data.names[k] for k in at])


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
                    f"{len(empty)} row{'' if one else 's'}{place_of(group.label)} "
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
                f"{place_of(moments.label)} "
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
                        f"{codes[code]:g}{place_of(moments.label)}"
                    ),
                    (
                        "Its threshold and correlations are shaky: join it with its "
                        "neighbour, in all groups alike, and compare"
                    ),
                )


def _at_bound(moments: Moments) -> Iterator[Row]:
    """Polychoric correlations that run to 1 because cells are empty."""
    if moments.mixed is None:
        return
    R, names = moments.mixed.R, moments.mixed.names
    for i, j in np.argwhere(np.triu(np.abs(R) >= BOUND, 1)):
        yield (
            "correlation_at_bound",
            (
                f"{names[i]} with {names[j]}{place_of(moments.label)}: held at "
                f"{R[i, j]:.3f}"
            ),
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
            f"polychoric correlations{place_of(moments.label)}: smallest eigenvalue "
            f"{values[0]:.3g}, from {', '.join(involved)}"
        ),
        (
            "Robust indices are not available; look for nearly identical items and "
            "sparse categories, or collect more rows"
        ),
    )
