"""The baseline model: variables that have nothing to do with each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from analysis.sem.missing import available_moments
from analysis.sem.partable import Parameter, ParameterTable
from analysis.sem.problem import pose
from analysis.sem.syntax import ModelSyntax, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D
    from analysis.sem.moments import Moments
    from analysis.sem.problem import Problem


def baseline(problem: Problem) -> tuple[Problem, Float1D]:
    """Build the model of uncorrelated variables, and its estimates from the sample.

    Observed predictors stay correlated with each other; means and thresholds are free.
    The estimates are the minimum, except for generalised and full weighted least
    squares, which must look for it from there.
    """
    table = problem.table
    rows = tuple(
        replace(row, group=g + 1)
        for g in range(len(table.groups))
        for row in _rows(table)
    )
    bare = replace(table, rows=rows, latent=(), definitions=())
    moments = problem.moments
    bare = bare.with_exogenous([(m.cov, m.mean) for m in moments])
    nothing = ModelSyntax(Source(""), ())
    posed = pose(bare, nothing, moments, problem.method, problem.gammas)
    incomplete = problem.method.discrepancy == "FIML"
    own = tuple(_own_moments(bare, m) if incomplete else m for m in moments)
    return posed, _estimates(bare, own)


def _rows(table: ParameterTable) -> Iterator[Parameter]:
    x = table.predictors
    for name in table.observed:
        if name not in x:
            yield from _alone(name, table)
    if table.conditional:
        # Given the predictors nothing else is related; the predictors may matter.
        for name in table.observed:
            if name not in x:
                yield from (Parameter(name, "~", other) for other in x)
    held = float("nan") if table.exogenous else None
    fixed = bool(table.exogenous)
    for a, b in combinations_with_replacement(x, 2):
        yield Parameter(a, "~~", b, held, exogenous=fixed)
    if table.meanstructure:
        yield from (Parameter(name, "~1", "", held, exogenous=fixed) for name in x)


def _alone(name: str, table: ParameterTable) -> Iterator[Parameter]:
    """Variance and mean of a variable, or thresholds and scale of an ordered one."""
    known = dict(table.categories)
    yield Parameter(name, "~~", name, 1.0 if name in known else None)
    for k in range(1, known.get(name, 1)):
        yield Parameter(name, "|", f"t{k}")
    if name in known:
        yield Parameter(name, "~1", "", 0.0)
        yield Parameter(name, "~*~", name, 1.0)
    elif table.meanstructure:
        yield Parameter(name, "~1", "")


def _estimates(table: ParameterTable, moments: tuple[Moments, ...]) -> Float1D:
    found = []
    for row in table.free:
        of_group = moments[row.group - 1]
        k = table.observed.index(row.lhs)
        if row.op == "|" and of_group.mixed is not None:
            at = of_group.mixed.names.index(row.lhs)
            found.append(of_group.mixed.thresholds[at][int(row.rhs[1:]) - 1])
        elif row.op == "~1":
            found.append(of_group.mean[k])
        elif row.op == "~" and of_group.mixed is not None:
            at = of_group.mixed.names.index(row.lhs)
            x = table.exogenous.index(row.rhs)
            found.append(of_group.mixed.slopes[at, x])
        else:
            found.append(of_group.cov[k, table.observed.index(row.rhs)])
    return np.array(found, dtype=np.float64)


def _own_moments(table: ParameterTable, moments: Moments) -> Moments:
    """Replace moments by those of the answers to each variable alone, if incomplete."""
    if moments.patterns is None:
        return moments
    mean, variance = available_moments(moments.patterns)
    cov = moments.cov.copy()
    apart = [k for k, n in enumerate(table.observed) if n not in table.predictors]
    cov[apart, apart] = variance[apart]
    return replace(moments, cov=cov, mean=mean)
