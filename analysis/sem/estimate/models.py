"""Fit confirmatory factor models and structural equation models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.sem.assess import assess
from analysis.sem.data import Design, Table, read_table
from analysis.sem.definitions import defined
from analysis.sem.estimate.admissible import warnings_of
from analysis.sem.estimate.constrained import constrained
from analysis.sem.estimate.minimum import minimise, n_moments, require_identified
from analysis.sem.estimate.starts import Starts, start_values
from analysis.sem.estimators import (
    EstimatorName,
    Information,
    Likelihood,
    Method,
    Missing,
    Parameterization,
    method,
)
from analysis.sem.fit import SemFit
from analysis.sem.inference import uncertainty
from analysis.sem.moments import Moments, Wanted, sample_moments
from analysis.sem.partable import (
    Equal,
    Options,
    ParameterTable,
    complete,
    variables,
)
from analysis.sem.problem import Problem, pose
from analysis.sem.standardize import r_squared, standardize
from analysis.sem.syntax import near, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.syntax import ModelSyntax

_SPELT: Final = {
    "residual.covariances": "residual_covariances",
    "lv.variances": "lv_variances",
    "lv.covariances": "lv_covariances",
}
_ROBUST: Final = ("WLSM", "WLSMV", "WLSMVS", "ULSM", "ULSMV", "ULSMVS")
# More whole numbers than this are numbers unless they are declared ordered.
_FEW: Final = 7
_EQUAL: Final = (
    *("loadings", "intercepts", "thresholds", "residuals", "residual_covariances"),
    *("means", "lv_variances", "lv_covariances", "regressions"),
)


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
        ``"ML"`` (default), ``"MLM"``, ``"MLMV"``, ``"MLMVS"``, ``"MLR"``, ``"MLF"``,
        ``"GLS"``, ``"ULS"``, ``"WLS"``, ``"DWLS"``, ``"WLSM"``, ``"WLSMV"`` (default
        with ordered variables), ``"WLSMVS"``, ``"ULSM"``, ``"ULSMV"``, ``"ULSMVS"``.
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
        regressions.
    group_partial
        Parameters exempt from that, spelt as in the model: ``"visual =~ x2"``.
    missing
        ``"listwise"``: rows with a missing value are left out; `SemFit.n_dropped`
        counts them. ``"ml"`` (or ``"fiml"``): every answer is used, valid when
        missingness depends on what was answered (MAR). ``"pairwise"``: each
        correlation of ordered variables from those who answered both.
        ``"two_stage"``, ``"robust_two_stage"``: the model is fitted to
        maximum-likelihood moments.
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

    Examples
    --------
    >>> fit = cfa("visual =~ x1 + x2 + x3", data)  # doctest: +SKIP
    >>> fit.summary()  # doctest: +SKIP
    """
    return sem(
        model,
        data,
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
    table, how, options = prepare(
        model,
        data,
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
    return fit_table(model, table, how, options)


def prepare(
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
) -> tuple[Table, Method, Options]:
    """Read the data of a model and settle how to fit it; parameters as in `sem`."""
    parsed = parse(model)
    names = _ordered(parsed, data, ordered, estimator)
    how = method(
        estimator,
        ordered=bool(names),
        missing=missing,
        information=information,
        likelihood=likelihood,
        dependent=cluster is not None or weights is not None,
    )
    design = Design(group, cluster, weights)
    table = read_table(data, variables(parsed), parsed, ordered=names, design=design)
    if parameterization not in {"delta", "theta"}:
        raise AnalysisError(
            f"parameterization={parameterization!r} is not offered. Use 'delta' or "
            "'theta'."
        )
    numeric = how.least_squares and not names
    if fixed_x and numeric:
        raise AnalysisError(
            f"fixed_x=True does not go with estimator={how.name!r} of numeric "
            "variables, which needs the moments of predictors, too. Leave it out."
        )
    if fixed_x is None:
        fixed_x = not numeric and conditional_x is not False
    given = bool(names) and fixed_x if conditional_x is None else conditional_x
    options = Options(
        std_lv=std_lv,
        orthogonal=orthogonal,
        meanstructure=_means(meanstructure, how, table),
        fixed_x=fixed_x,
        groups=tuple(g.label for g in table.groups),
        equal=_equal(group_equal),
        partial=tuple(group_partial),
        categories={n: len(k) for n, k in table.categories.items()},
        theta=parameterization == "theta",
        conditional=given and bool(names),
    )
    return table, how, options


def fit_table(
    model: str,
    data: Table,
    how: Method,
    options: Options,
    *,
    moments: tuple[Moments, ...] | None = None,
    gammas: tuple[Float2D, ...] | None = None,
) -> SemFit:
    """Fit a model to data that have been read.

    Parameters
    ----------
    moments, gammas
        Of these data, where another model has already needed them.

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
    theta = solve(problem)
    return _present(model, problem, theta, data)


def solve(problem: Problem) -> Float1D:
    """Find the estimates of a model, shape (n_free,).

    Raises
    ------
    NotIdentifiedError, ConvergenceError, AnalysisError
        As `sem`.
    """
    starts = start_values(problem.table, problem.moments)
    require_identified(problem, starts)
    if problem.restrictions.binding:
        return constrained(problem, starts)
    return minimise(problem, starts)


def _present(model: str, problem: Problem, theta: Float1D, data: Table) -> SemFit:
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
        warnings=warnings_of(problem, theta, standardized, data),
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


def _means(asked: bool | None, how: Method, table: Table) -> bool:  # noqa: FBT001
    needed = how.missing in {"ml", "two_stage", "robust_two_stage"}
    clustered = table.groups[0].cluster is not None
    wanted = needed or clustered or len(table.groups) > 1 or bool(table.categories)
    if asked is None:
        return wanted
    if needed and not asked:
        raise AnalysisError(
            f"meanstructure=False does not go with missing={how.missing!r}, which "
            "estimates means. Leave it out."
        )
    return asked


def _equal(kinds: Sequence[Equal] | Equal) -> tuple[Equal, ...]:
    listed = [kinds] if isinstance(kinds, str) else list(kinds)
    spelt = [_SPELT.get(kind, kind) for kind in listed]
    if stray := [kind for kind in spelt if kind not in _EQUAL]:
        raise AnalysisError(
            f"group_equal: {stray} are no kinds of parameters. Choose from "
            f"{', '.join(_EQUAL)}."
        )
    return tuple(spelt)  # type: ignore[arg-type]


def _ordered(
    model: ModelSyntax,
    data: pd.DataFrame,
    asked: Sequence[str] | bool | None,  # noqa: FBT001
    estimator: EstimatorName | None,
) -> tuple[str, ...]:
    """Which variables of the model are ordered categories."""
    explained = {s.rhs for s in model.statements if s.op == "=~"}
    explained |= {s.lhs for s in model.statements if s.op == "~"}
    candidates = [n for n in model.observed if n in explained]
    if asked is True:
        return tuple(candidates)
    columns = [str(c) for c in data.columns] if isinstance(data, pd.DataFrame) else []
    named = [asked] if isinstance(asked, str) else list(asked or ())
    if stray := [n for n in named if n not in columns and n not in model.observed]:
        raise AnalysisError(
            f"ordered: {stray} are neither columns of the data nor variables of the "
            f"model.{near(stray[0], columns)} Correct the names."
        )
    if asked is None:
        named = [
            n for n in candidates if columns.count(n) == 1 and _is_ordered(data[n])
        ]
    if asked is None and estimator in _ROBUST and not named:
        # Robust weighted least squares is asked for where answers are few and ordered.
        answers = [columns.count(n) == 1 and _is_scale(data[n]) for n in candidates]
        named = candidates if all(answers) else []
    return tuple(n for n in candidates if n in named)


def _is_scale(column: pd.Series) -> bool:
    """Whether a column holds at most seven whole numbers."""
    if not pd.api.types.is_numeric_dtype(column):
        return False
    codes = column.dropna().unique()
    return len(codes) <= _FEW and all(float(code).is_integer() for code in codes)


def _is_ordered(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) and bool(column.cat.ordered)
