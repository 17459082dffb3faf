"""Solutions that converge and still cannot be believed, as rows of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.result import warning_table
from analysis.sem.implied import eta_cov
from analysis.sem.inference import all_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.matrices import Layout
    from analysis.sem.moments import Moments
    from analysis.sem.standardize import Standardized

DROPPED = 0.05
_OVER_ONE = 1 + 1e-6
_NOT_PD = -1e-8

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
    layout: Layout,
    moments: Moments,
    theta: Float1D,
    standardized: Standardized,
) -> pd.DataFrame:
    """Say what is odd about a solution: what, where (with the value), remedy.

    Values of `what`: ``rows_dropped``, ``few_rows``, ``predictor_freed``,
    ``negative_variance``, ``loading_above_one``, ``correlation_above_one``,
    ``latent_cov_not_pd``, ``residual_cov_not_pd``, ``defined_not_real``.
    """
    return warning_table(
        [
            *_data(moments, len(theta)),
            *_freed(layout),
            *_variances(layout, theta),
            *_standardized(layout, standardized),
            *_not_pd(layout, theta),
            *_undefined(layout, standardized),
        ]
    )


def _data(moments: Moments, n_free: int) -> Iterator[Row]:
    n_rows = moments.n_obs + moments.n_dropped
    if moments.n_dropped > DROPPED * n_rows:
        yield (
            "rows_dropped",
            (
                f"{moments.n_dropped} of {n_rows} rows "
                f"({100 * moments.n_dropped / n_rows:.1f} %) miss an answer"
            ),
            "Compare those left out with the others; report both numbers",
        )
    if moments.n_obs < n_free:
        yield (
            "few_rows",
            f"{moments.n_obs} rows for {n_free} free parameters",
            (
                "Collect more rows or fit a smaller model; its standard errors are "
                "not to be trusted"
            ),
        )


def _freed(layout: Layout) -> Iterator[Row]:
    """Predictors that a statement about their moments cuts off from the others."""
    table = layout.table
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


def _variances(layout: Layout, theta: Float1D) -> Iterator[Row]:
    for row, value in zip(
        layout.table.rows, all_values(layout.table, theta), strict=True
    ):
        if row.is_variance and value < 0:
            yield (
                "negative_variance",
                f"{row} = {value:.4g}",
                (
                    "Improper (Heywood) solution: check the item, use more items per "
                    "factor or more rows, or fix the variance to 0 if it is near 0"
                ),
            )


def _standardized(layout: Layout, standardized: Standardized) -> Iterator[Row]:
    table = layout.table
    for row, value in zip(table.rows, standardized.std_all, strict=False):
        if not abs(value) > _OVER_ONE or row.is_variance:
            continue
        if row.op == "=~":
            yield (
                "loading_above_one",
                f"{row}: standardised {value:.3f}",
                (
                    "Improper unless correlated factors share the item: look for "
                    "nearly identical items or too many factors"
                ),
            )
        elif row.op == "~~":
            yield (
                "correlation_above_one",
                f"{row}: correlation {value:.3f}",
                "Improper: join the two, or check what they share",
            )


def _not_pd(layout: Layout, theta: Float1D) -> Iterator[Row]:
    table = layout.table
    m = layout.fill(theta)
    n = len(table.latent)
    if n:
        yield from _eigen_row(
            "latent_cov_not_pd",
            "covariance matrix of the latent variables",
            eta_cov(m)[:n, :n],
            table.latent,
        )
    residual = np.diag(m.Theta) != 0
    names = tuple(np.array(table.observed)[residual])
    yield from _eigen_row(
        "residual_cov_not_pd",
        "residual covariance matrix of the observed variables",
        m.Theta[np.ix_(residual, residual)],
        names,
    )
    if not m.Beta.any():
        return
    explained = np.diag(m.Psi) != 0
    yield from _eigen_row(
        "residual_cov_not_pd",
        "residual covariance matrix of the structural part",
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


def _undefined(layout: Layout, standardized: Standardized) -> Iterator[Row]:
    definitions = layout.table.definitions
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
