"""Fit confirmatory factor models and structural equation models."""

from __future__ import annotations

from typing import Literal, get_args

import pandas as pd

from analysis.errors import AnalysisError
from analysis.sem.discrepancy import Target
from analysis.sem.estimate.admissible import warnings_of
from analysis.sem.estimate.minimum import Problem, minimise, require_identified
from analysis.sem.estimate.starts import start_values
from analysis.sem.fit import SemFit
from analysis.sem.implied import implied
from analysis.sem.indices import fit_indices
from analysis.sem.inference import defined, vcov
from analysis.sem.matrices import Layout
from analysis.sem.moments import sample_moments
from analysis.sem.partable import Options, complete, reparameterise
from analysis.sem.standardize import r_squared, standardize
from analysis.sem.syntax import parse

Estimator = Literal["ML"]
Missing = Literal["listwise"]


def cfa(
    model: str,
    data: pd.DataFrame,
    *,
    estimator: Estimator = "ML",
    std_lv: bool = False,
    orthogonal: bool = False,
    meanstructure: bool = False,
    missing: Missing = "listwise",
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
        Maximum likelihood under normality.
    std_lv
        Scale factors by a variance of 1, not by a first loading of 1.
    orthogonal
        Fix covariances of factors to 0, as bifactor models want.
    meanstructure
        Model means too; also done when the model states an intercept.
    missing
        Rows with a missing value are left out; `SemFit.n_dropped` counts them.

    Raises
    ------
    ModelSyntaxError
        If the model cannot be read.
    AnalysisError
        If the data do not fit the model; all faults of the table at once.
    TooFewError
        If there are not more complete rows than observed variables.
    NotIdentifiedError
        If parameters cannot be told apart.
    ConvergenceError
        If no minimum is found.

    Notes
    -----
    Same numbers as ``lavaan::cfa(model, data)``; tests/reference/sem_models.R.
    Covariances are divided by N; standard errors come from the expected information.

    Examples
    --------
    >>> fit = cfa("visual =~ x1 + x2 + x3", data)  # doctest: +SKIP
    >>> fit.summary()  # doctest: +SKIP
    """
    return sem(
        model,
        data,
        estimator=estimator,
        std_lv=std_lv,
        orthogonal=orthogonal,
        meanstructure=meanstructure,
        missing=missing,
    )


def sem(
    model: str,
    data: pd.DataFrame,
    *,
    estimator: Estimator = "ML",
    std_lv: bool = False,
    orthogonal: bool = False,
    meanstructure: bool = False,
    missing: Missing = "listwise",
    fixed_x: bool = True,
) -> SemFit:
    """Fit a structural equation model.

    Parameters
    ----------
    model
        lavaan syntax, e.g. ``"withdrawal =~ w1 + w2 + w3; withdrawal ~ trust"``.
    data, estimator, std_lv, orthogonal, meanstructure, missing
        As in `cfa`; `std_lv` and `orthogonal` concern residuals where a factor is
        explained by others.
    fixed_x
        Hold means and covariances of observed predictors at their sample values and
        do not count them as parameters; the likelihood is then that of the outcomes
        given the predictors. Predictors whose moments the model speaks of are random.

    Raises
    ------
    ModelSyntaxError, AnalysisError, TooFewError, NotIdentifiedError, ConvergenceError
        As in `cfa`.

    Notes
    -----
    Same numbers as ``lavaan::sem(model, data)``; tests/reference/sem_models.R.
    """
    _require_offered("estimator", estimator, get_args(Estimator))
    _require_offered("missing", missing, get_args(Missing))
    parsed = parse(model)
    options = Options(std_lv, orthogonal, meanstructure, fixed_x)
    table = complete(parsed, options)
    moments = sample_moments(data, table.observed, parsed)
    table = table.with_exogenous(moments.cov, moments.mean)
    layout = Layout.of(table)
    coordinates = reparameterise(table, parsed)
    target = Target.of(moments, means=table.meanstructure)
    problem = Problem(layout, target, coordinates)
    starts = start_values(table, moments)
    require_identified(problem, starts)
    theta = minimise(problem, starts)
    covariance = vcov(layout, target, coordinates, theta, moments.n_obs)
    standardized = standardize(layout, theta, covariance)
    reproduced = implied(layout.fill(theta))
    return SemFit(
        model=model,
        table=table,
        theta=theta,
        vcov=covariance,
        defined=defined(table, theta, covariance),
        standardized=standardized,
        indices=fit_indices(moments, reproduced, table, coordinates.n_coordinates),
        moments=moments,
        reproduced=reproduced,
        r_squared=pd.Series(r_squared(layout, theta), dtype="float64"),
        warnings=warnings_of(layout, moments, theta, standardized),
        estimator=estimator,
    )


def _require_offered(what: str, value: str, offered: tuple[str, ...]) -> None:
    if value not in offered:
        choices = " or ".join(repr(o) for o in offered)
        raise AnalysisError(f"{what}={value!r} is not offered. Use {choices}.")
