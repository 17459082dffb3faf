"""Omega of the sum of a scale's items, from a one-factor model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from analysis.answers import item_codes, require_choice, require_variance
from analysis.correlations import correlation
from analysis.efa.extract import LOWEST_UNIQUENESS, extract
from analysis.oddities import odd_answers
from analysis.reliability.alpha import mean_correlation
from analysis.reliability.coefficients import Reliability, coefficient_table
from analysis.reliability.intervals import NAN, check_level, logit_interval
from analysis.reliability.model import measured, sample_covariance, with_errors
from analysis.reliability.one_factor import (
    OMEGA_ITEMS,
    common_variance,
    fit_one_factor,
    mixed_signs,
    require_proper,
)
from analysis.result import dropped_rows, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from analysis.arrays import Float1D, Float2D
    from analysis.reliability.coefficients import Row, Warning_
    from analysis.reliability.model import Measured

OmegaEstimator: TypeAlias = Literal["ML", "MLR"]
OmegaMissing: TypeAlias = Literal["listwise", "ml"]


def omega_total(
    items: pd.DataFrame,
    *,
    estimator: OmegaEstimator = "ML",
    missing: OmegaMissing = "listwise",
    conf_level: float = 0.95,
) -> Reliability:
    r"""Coefficient omega of the columns of `items`, from a one-factor model.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA.
    estimator
        ``"ML"``, or ``"MLR"`` for a standard error that does not lean on normality;
        the estimate is the same.
    missing
        ``"listwise"`` leaves out respondents with a missing answer; ``"ml"`` takes
        everybody with an answer (full information maximum likelihood).
    conf_level
        Level of the interval, between 0 and 1.

    Returns
    -------
    Reliability
        Terms ``omega``, whose interval comes from the delta method on the logit
        scale, so that it stays between 0 and 1 (`std_error` is on the plain scale);
        ``omega3``, over the observed instead of the implied variance of the sum; and
        ``omega_minres``, of standardised items by one minres factor (listwise only).

    Raises
    ------
    TooFewError
        If there are fewer than three items, or not more respondents than items.
    AnalysisError
        If an item is not numeric, has no answer or does not vary, items repeat
        others, or the solution is improper (a residual variance is not positive).
    ConvergenceError
        If the model cannot be estimated.

    Notes
    -----
    McDonald (1999): :math:`\omega = (\sum\lambda)^2\psi / ((\sum\lambda)^2\psi +
    \sum\theta)` by maximum likelihood. Same as ``semTools::reliability(fit)`` rows
    omega and omega3, ``semTools::compRelSEM(fit)``, and a defined parameter in lavaan
    for the standard error (Raykov, 2002); ``omega_minres`` as
    ``psych::omega(x, nfactors = 1)``.
    """
    where = "omega_total"
    check_level(conf_level, where=where)
    require_choice("estimator", estimator, get_args(OmegaEstimator), where=where)
    require_choice("missing", missing, get_args(OmegaMissing), where=where)
    x, names = _answers(items, missing, where=where)
    k = len(names)
    fit = fit_one_factor(x, names, estimator=estimator, missing=missing, where=where)
    part = measured(fit)
    require_proper(part, names, where=where)
    values, errors = with_errors(fit, _omega)
    omega, se = float(values[0]), float(errors[0])
    S = sample_covariance(fit, part.items)
    R = S / np.sqrt(np.outer(np.diag(S), np.diag(S)))
    rows: list[Row] = [
        ("omega", omega, se, *logit_interval(omega, se, conf_level)),
        ("omega3", common_variance(part) / float(S.sum()), NAN, NAN, NAN),
    ]
    warned = [*mixed_signs(part.loadings[:, 0], names)]
    if missing == "listwise":
        uniqueness = extract(R, 1, method="minres").uniqueness
        minres = 1 - float(uniqueness.sum() / R.sum())
        rows.append(("omega_minres", minres, NAN, NAN, NAN))
        warned += _minres_heywood(uniqueness, names)
    warned += odd_answers(item_codes(items, where=where), names, fit.n_obs)
    warned += dropped_rows(len(items) - fit.n_obs, len(items))
    return Reliability(
        coefficient="omega",
        table=coefficient_table(rows),
        average_r=mean_correlation(R),
        conf_level=conf_level,
        n_items=k,
        n_obs=fit.n_obs,
        n_dropped=len(items) - fit.n_obs,
        warnings=warning_table(warned),
        interval=f"delta method on the logit scale, {estimator}",
    )


def _answers(
    items: pd.DataFrame, missing: OmegaMissing, *, where: str
) -> tuple[Float2D, tuple[str, ...]]:
    """Take the answers to use, refusing what cannot carry a factor."""
    if missing == "listwise":
        corr = correlation(items, "pearson", where=where, at_least=OMEGA_ITEMS)
        return corr.codes, corr.names
    x = item_codes(items, where=where, at_least=OMEGA_ITEMS)
    names = tuple(str(name) for name in items.columns)
    require_variance(x, names, where=where)
    return x[~np.isnan(x).all(axis=1)], names


def _omega(part: Measured) -> Float1D:
    return np.array([common_variance(part) / part.Sigma.sum()])


def _minres_heywood(uniqueness: Float1D, names: Sequence[str]) -> Iterator[Warning_]:
    for name, value in zip(names, uniqueness, strict=True):
        if value <= LOWEST_UNIQUENESS * (1 + 1e-6):
            yield (
                f"Heywood case in omega_minres: communality {1 - value:.3f}",
                f"item {name}",
                "Do not report omega_minres.",
            )
