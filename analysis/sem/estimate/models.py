"""Fit confirmatory factor models and structural equation models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import NotIdentifiedError
from analysis.sem.assess import assess
from analysis.sem.definitions import defined
from analysis.sem.estimate.admissible import warnings_of
from analysis.sem.estimate.constrained import constrained
from analysis.sem.estimate.feasible import require_feasible
from analysis.sem.estimate.given import from_given, usable
from analysis.sem.estimate.loops import unidentified
from analysis.sem.estimate.minimum import minimise, n_moments, require_identified
from analysis.sem.estimate.preparation import prepare
from analysis.sem.estimate.request import Request
from analysis.sem.estimate.starts import Starts, start_values
from analysis.sem.fit import SemFit
from analysis.sem.inference import uncertainty
from analysis.sem.moments import Moments, Wanted, sample_moments
from analysis.sem.partable import Equal, Options, ParameterTable, complete
from analysis.sem.problem import Problem, pose
from analysis.sem.standardize import r_squared, standardize
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.data import Table
    from analysis.sem.estimate.sample import Row
    from analysis.sem.estimators import (
        EstimatorName,
        Information,
        Likelihood,
        Method,
        Missing,
        Parameterization,
    )
    from analysis.sem.syntax import ModelSyntax


def cfa(
    model: str,
    data: pd.DataFrame,
    *,
    estimator: EstimatorName | None = None,
    ordered: Sequence[str] | bool | None = None,
    group: str | None = None,
    group_equal: Sequence[Equal] | Equal = (),
    group_partial: Sequence[str] = (),
    missing: Missing = "listwise",
    std_lv: bool = False,
    parameterization: Parameterization = "delta",
    meanstructure: bool | None = None,
    orthogonal: bool = False,
    cluster: str | None = None,
    weights: str | None = None,
    information: Information | None = None,
    likelihood: Likelihood = "normal",
) -> SemFit:
    """Fit a confirmatory factor model.

    Parameters
    ----------
    model
        lavaan syntax, e.g. ``"visual =~ x1 + x2 + x3"``.
    data
        One row per respondent, one numeric column per observed variable; other
        columns are not looked at. Not changed.
    estimator
        Upper or lower case: ``"ML"`` (default), ``"MLM"``, ``"MLMV"``, ``"MLMVS"``,
        ``"MLR"``, ``"MLF"``, ``"GLS"``, ``"ULS"``, ``"WLS"``, ``"DWLS"``, ``"WLSM"``,
        ``"WLSMV"`` (default with ordered variables), ``"WLSMVS"``, ``"ULSM"``,
        ``"ULSMV"``, ``"ULSMVS"``.
    ordered
        Names of variables that are ordered categories; True for all that are explained
        by others, False for none. By default columns whose type is an ordered category
        and, with ``"WLSMV"``, ``"ULSMV"`` and their like, all of them if each holds at
        most seven whole numbers; `SemFit.summary` says so.
    group
        Column that tells groups apart.
    group_equal
        Kinds of parameters equal in all groups: loadings, intercepts, thresholds,
        residuals, residual_covariances, means, lv_variances, lv_covariances,
        regressions; needs `group`. Thresholds without intercepts set intercepts of y*
        free from the second group on; see Notes.
    group_partial
        Parameters exempt from that, spelt as in the model: ``"visual =~ x2"``.
    missing
        ``"listwise"``: rows with a missing value are left out; `SemFit.n_dropped`
        counts them. ``"ml"`` (or ``"fiml"``): every answer is used, valid when
        missingness depends on what was answered (MAR). ``"pairwise"``: each
        correlation of ordered variables from those who answered both.
        ``"two_stage"``, ``"robust_two_stage"``: the model is fitted to
        maximum-likelihood moments. lavaan's spellings are understood
        (``"two.stage"``).
    std_lv
        Scale factors by a variance of 1, not by a first loading of 1.
    parameterization
        ``"delta"``: y* of ordered variables has variance 1; ``"theta"``: its residual
        has.
    meanstructure
        Model means too; by default where the model states an intercept, with several
        groups, ordered variables and full information.
    orthogonal
        Fix covariances of factors to 0, as bifactor models want.
    cluster
        Column of clusters (couples): errors and tests allow for rows of a cluster that
        resemble each other.
    weights
        Column of sampling weights.
    information
        ``"expected"``, ``"observed"`` or ``"first_order"``; by default as the
        estimator has it in lavaan.
    likelihood
        ``"wishart"`` divides covariances by N - 1.

    Raises
    ------
    ModelSyntaxError
        If the model cannot be read.
    AnalysisError
        If the data do not fit the model, or options do not go together; all faults of
        the table at once.
    TooFewError
        If there are not more rows than observed variables.
    NotIdentifiedError
        If parameters cannot be told apart.
    ConvergenceError
        If no minimum is found.

    Notes
    -----
    Same numbers as ``lavaan::cfa(model, data)`` with the options of these names;
    tests/reference/sem_estimators.R, sem_ordinal.R.

    With `cluster` and numeric variables ``"ML"``, also when no estimator is named, is
    ``"MLR"``: estimates, standard errors (observed information, Huber-White over
    clusters, structured moments) and the plain chi-square are those of
    ``lavaan::cfa(cluster=)`` with either name. lavaan 0.6-14 has for its default,
    ``"ML"``, another scaled chi-square: the Yuan-Bentler scaling factor with the
    observed information of the saturated moments (``observed.information = "h1"``)
    in place of the Hessian that ``"MLR"`` takes; ours is that of ``"MLR"``.

    ``group_equal=["loadings", "thresholds"]`` follows Wu & Estabrook (2016), as
    lavaan 0.6-20: from the second group on the intercepts of y* are free and latent
    means 0. lavaan 0.6-14 holds the intercepts at 0 and frees latent means, which is
    ours with ``"intercepts"`` added; a row of `SemFit.warnings` says so where it
    matters.

    `weights` with ``"ML"`` are ``"MLR"`` likewise.

    Examples
    --------
    >>> fit = cfa("visual =~ x1 + x2 + x3", data)  # doctest: +SKIP
    >>> fit.summary()  # doctest: +SKIP
    """
    request = Request(
        estimator=estimator,
        ordered=ordered,
        group=group,
        group_equal=group_equal,
        group_partial=group_partial,
        missing=missing,
        std_lv=std_lv,
        parameterization=parameterization,
        meanstructure=meanstructure,
        orthogonal=orthogonal,
        cluster=cluster,
        weights=weights,
        information=information,
        likelihood=likelihood,
    )
    return fit_request(model, data, request)


def sem(
    model: str,
    data: pd.DataFrame,
    *,
    estimator: EstimatorName | None = None,
    ordered: Sequence[str] | bool | None = None,
    group: str | None = None,
    group_equal: Sequence[Equal] | Equal = (),
    group_partial: Sequence[str] = (),
    missing: Missing = "listwise",
    std_lv: bool = False,
    parameterization: Parameterization = "delta",
    meanstructure: bool | None = None,
    orthogonal: bool = False,
    cluster: str | None = None,
    weights: str | None = None,
    information: Information | None = None,
    likelihood: Likelihood = "normal",
    fixed_x: bool | None = None,
    conditional_x: bool | None = None,
) -> SemFit:
    """Fit a structural equation model.

    Parameters
    ----------
    model
        lavaan syntax, e.g. ``"withdrawal =~ w1 + w2 + w3; withdrawal ~ trust"``.
    data, estimator, ordered, group, group_equal, group_partial, missing, std_lv, \
parameterization, meanstructure, orthogonal, cluster, weights, information, likelihood
        As in `cfa`; `std_lv` and `orthogonal` concern residuals where a factor is
        explained by others.
    fixed_x
        Hold means and covariances of observed predictors at their sample values and
        do not count them as parameters; the likelihood is then that of the outcomes
        given the predictors. Predictors whose moments the model speaks of are random.
        By default True, but False for least squares of numeric variables.
    conditional_x
        Model the moments of the other variables given the observed predictors; by
        default with ordered variables and `fixed_x`.

    Raises
    ------
    ModelSyntaxError, AnalysisError, TooFewError, NotIdentifiedError, ConvergenceError
        As in `cfa`.

    Notes
    -----
    Same numbers as ``lavaan::sem(model, data)``; tests/reference/sem_models.R.
    """
    request = Request(
        estimator=estimator,
        ordered=ordered,
        group=group,
        group_equal=group_equal,
        group_partial=group_partial,
        missing=missing,
        std_lv=std_lv,
        parameterization=parameterization,
        meanstructure=meanstructure,
        orthogonal=orthogonal,
        cluster=cluster,
        weights=weights,
        information=information,
        likelihood=likelihood,
        fixed_x=fixed_x,
        conditional_x=conditional_x,
    )
    return fit_request(model, data, request)


def fit_request(model: str, data: pd.DataFrame, request: Request) -> SemFit:
    """Fit a model with options that travel together.

    Raises
    ------
    ModelSyntaxError, AnalysisError, TooFewError, NotIdentifiedError, ConvergenceError
        As `cfa`.
    """
    found = prepare(model, data, request)
    return fit_table(model, found.table, found.method, found.options, notes=found.notes)


def fit_table(
    model: str,
    data: Table,
    how: Method,
    options: Options,
    *,
    moments: tuple[Moments, ...] | None = None,
    gammas: tuple[Float2D, ...] | None = None,
    notes: Sequence[Row] = (),
) -> SemFit:
    """Fit a model to data that have been read.

    Parameters
    ----------
    moments, gammas
        Of these data, where another model has already needed them.
    notes
        Rows to put before the warnings: what, where, remedy.

    Raises
    ------
    ModelSyntaxError, AnalysisError, TooFewError, NotIdentifiedError, ConvergenceError
        As `sem`.
    """
    parsed = parse(model)
    table = complete(parsed, options)
    if moments is None:
        wanted = _wanted(table)
        moments = tuple(sample_moments(group, wanted, how) for group in data.groups)
    table = table.with_exogenous([(m.cov, m.mean) for m in moments])
    problem = pose(table, parsed, moments, how, gammas)
    try:
        theta, rows = solve(problem, parsed)
        return _present(model, problem, theta, data, (*notes, *rows))
    except NotIdentifiedError as error:
        raise unidentified(error, table, parsed) from None


def solve(problem: Problem, model: ModelSyntax) -> tuple[Float1D, list[Row]]:
    """Find the estimates of a model.

    Returns
    -------
    theta
        Shape (n_free,).
    rows
        Warnings about stated start values: what, where, remedy.

    Raises
    ------
    NotIdentifiedError, ConvergenceError, AnalysisError
        As `sem`.
    """
    starts, rows = usable(problem, start_values(problem.table, problem.moments))
    require_feasible(problem, starts, model)
    require_identified(problem, starts)
    if problem.restrictions.binding:
        return constrained(problem, starts), rows
    if np.array_equal(starts.theta, starts.own):
        return minimise(problem, starts), rows
    theta, more = from_given(problem, starts)
    return theta, [*rows, *more]


def _present(
    model: str,
    problem: Problem,
    theta: Float1D,
    data: Table,
    notes: Sequence[Row],
) -> SemFit:
    found = uncertainty(problem, theta)
    # Active inequalities hold parameters, but cost no degree of freedom.
    ruled = len(problem.restrictions.equalities)
    npar = problem.coordinates.n_coordinates - ruled
    indices, statistic = assess(
        problem, theta, found, npar=npar, n_moments=n_moments(problem), minimise=_from
    )
    standardized = standardize(problem.layouts, theta, found.vcov)
    return SemFit(
        model=model,
        problem=problem,
        theta=theta,
        uncertainty=found,
        defined=defined(problem.layouts, theta, found.vcov),
        standardized=standardized,
        indices=indices,
        statistic=statistic,
        r_squared=_explained(problem, theta),
        warnings=warnings_of(problem, theta, standardized, data, notes),
    )


def _from(problem: Problem, theta: Float1D) -> Float1D:
    """Minimise from given values."""
    scale = np.maximum(np.abs(theta), 1e-8)
    return minimise(problem, Starts(theta, theta, scale))


def _explained(problem: Problem, theta: Float1D) -> pd.Series:
    found = [r_squared(layout, theta) for layout in problem.layouts]
    if len(found) == 1:
        return pd.Series(found[0], dtype="float64")
    return pd.concat(
        {
            label: pd.Series(one, dtype="float64")
            for label, one in zip(problem.table.groups, found, strict=True)
        },
        names=["group", "variable"],
    )


def _wanted(table: ParameterTable) -> Wanted:
    known = dict(table.categories)
    return Wanted(
        names=table.observed,
        categories=np.array([known.get(n, 0) for n in table.observed], dtype=np.int_),
        exogenous=tuple(table.observed.index(n) for n in table.exogenous),
        conditional=table.conditional,
    )
