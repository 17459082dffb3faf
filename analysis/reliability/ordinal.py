"""Reliability of ordered answers: categorical omega, and ordinal alpha."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from analysis.answers import (
    complete_rows,
    item_codes,
    require_choice,
    require_variance,
)
from analysis.correlations import Correlation, Missing, correlation
from analysis.errors import AnalysisError
from analysis.oddities import odd_answers
from analysis.reliability.alpha import (
    against,
    alpha,
    mean_correlation,
    negative,
    require_spread,
)
from analysis.reliability.categorical import green_yang
from analysis.reliability.coefficients import Reliability, coefficient_table
from analysis.reliability.intervals import NAN, check_level, logit_interval
from analysis.reliability.model import measured, sample_covariance, with_errors
from analysis.reliability.one_factor import (
    OMEGA_ITEMS,
    fit_one_factor,
    mixed_signs,
    own_names,
    require_proper,
)
from analysis.result import dropped_rows, warning_table
from analysis.sem.data import MAX_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.reliability.coefficients import Row, Warning_
    from analysis.reliability.model import Measured

HYPOTHETICAL = (
    "reliability of continuous answers that nobody gave",
    "scale",
    "For the sum of the codes report categorical omega or alpha (Chalmers, 2018).",
)


def ordinal_alpha(
    items: pd.DataFrame | Correlation, *, missing: Missing = "listwise"
) -> Reliability:
    """Alpha of the polychoric correlations, of hypothetical continuous answers.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA; or
        their polychoric correlations.
    missing
        ``"listwise"`` keeps respondents with every answer; ``"pairwise"`` takes each
        correlation from everyone who answered both items.

    Returns
    -------
    Reliability
        Term ``ordinal_alpha``, without an interval: use
        `analysis.reliability.bootstrap`. `warnings` says what it is not.

    Raises
    ------
    TooFewError
        If there are fewer than two items, or not more respondents than items.
    AnalysisError
        If an item is not numeric, has no answer or does not vary, or the
        correlations given are not polychoric.

    Notes
    -----
    Zumbo, Gadermann and Zeisser (2007); what it estimates: Chalmers (2018). Same as
    ``psych::alpha(lavaan::lavCor(x, ordered = TRUE))`` and
    ``semTools::reliability(fit)`` row alpha.ord.
    """
    where = "ordinal_alpha"
    corr, odd = _polychoric(items, missing, where=where)
    if corr.kind != "polychoric":
        raise AnalysisError(
            f"{where}: the correlations given are {corr.kind}. Give polychoric ones, "
            "or use cronbach_alpha()."
        )
    require_spread(corr.R, where=where)
    estimate = alpha(corr.R)
    return Reliability(
        coefficient="ordinal_alpha",
        table=coefficient_table([("ordinal_alpha", estimate, NAN, NAN, NAN)]),
        average_r=mean_correlation(corr.R),
        conf_level=NAN,
        n_items=len(corr.R),
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        warnings=pd.concat(
            [
                warning_table(
                    [
                        HYPOTHETICAL,
                        *negative("ordinal_alpha", estimate),
                        *against(corr.R, corr.names),
                        *odd,
                    ]
                ),
                corr.warnings,
            ],
            ignore_index=True,
        ),
        interval="none",
    )


def categorical_omega(
    items: pd.DataFrame, *, missing: Missing = "listwise", conf_level: float = 0.95
) -> Reliability:
    """Omega of the sum of ordered codes, from a one-factor model of ordered answers.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA.
    missing
        ``"listwise"`` keeps respondents with every answer; ``"pairwise"`` takes
        thresholds and correlations from everyone who answered.
    conf_level
        Level of the interval, between 0 and 1.

    Returns
    -------
    Reliability
        Terms ``omega_categorical`` (of the sum of codes, implied correlations; its
        interval by the delta method on the logit scale), ``omega_categorical3``
        (polychoric correlations in the variance of the sum) and ``omega_latent`` (of
        hypothetical continuous answers).

    Raises
    ------
    TooFewError
        If there are fewer than three items, or too few respondents.
    AnalysisError
        If an item is not numeric, has no answer or does not vary, or the solution is
        improper.
    ConvergenceError
        If the model cannot be estimated.

    Notes
    -----
    Green and Yang (2009), eq. 21, at the WLSMV estimates. Neighbouring codes need not
    differ by one: an unused category inside the scale counts as a wider step. Same
    as ``semTools::reliability(fit)`` rows omega and omega3,
    ``compRelSEM(fit, obs.var = FALSE)`` and ``compRelSEM(fit, obs.var = FALSE,
    ord.scale = FALSE)`` on consecutive codes; tests/reference/reliability_ordinal.R.
    """
    where = "categorical_omega"
    check_level(conf_level, where=where)
    x = item_codes(items, where=where, at_least=OMEGA_ITEMS)
    names, k = [str(name) for name in items.columns], x.shape[1]
    n_rows = len(x)
    given, x = x, _answered(x, names, missing, where=where)
    _require_categories(x, names, other="omega_total()", where=where)
    fit = fit_one_factor(x, names, estimator="WLSMV", missing=missing, where=where)
    part = measured(fit)
    require_proper(part, names, where=where)
    steps = code_steps(x)
    R = sample_covariance(fit, part.items)
    values, errors = with_errors(fit, lambda at: _omegas(at, steps))
    rows: list[Row] = [
        (term, float(v), float(e), *logit_interval(float(v), float(e), conf_level))
        for term, v, e in zip(
            ("omega_categorical", "omega_latent"), values, errors, strict=True
        )
    ]
    observed = green_yang(common(part, 0), R, part.thresholds, steps)
    rows.insert(1, ("omega_categorical3", observed, NAN, NAN, NAN))
    return Reliability(
        coefficient="omega_categorical",
        table=coefficient_table(rows),
        average_r=mean_correlation(R),
        conf_level=conf_level,
        n_items=k,
        n_obs=fit.n_obs,
        n_dropped=n_rows - fit.n_obs,
        warnings=pd.concat(
            [
                warning_table(mixed_signs(part.loadings[:, 0], names)),
                fit.warnings.map(lambda text: own_names(text, names)),
                warning_table(
                    [
                        *odd_answers(given, names, fit.n_obs),
                        *dropped_rows(n_rows - fit.n_obs, n_rows),
                    ]
                ),
            ],
            ignore_index=True,
        ),
        interval="delta method on the logit scale, WLSMV",
    )


def _polychoric(
    items: pd.DataFrame | Correlation, missing: Missing, *, where: str
) -> tuple[Correlation, list[Warning_]]:
    """Correlate answers, if they are not correlations, and say what is odd in them."""
    if isinstance(items, Correlation):
        return items, []
    x = item_codes(items, where=where)
    names = [str(name) for name in items.columns]
    _require_categories(x, names, other="cronbach_alpha()", where=where)
    corr = correlation(items, "polychoric", missing=missing, where=where)
    return corr, list(odd_answers(x, names, corr.n_obs))


def common(part: Measured, factor: int) -> Float2D:
    """Covariances of the latent responses due to one factor, shape (p, p)."""
    loading = part.loadings[:, factor]
    explained: Float2D = np.outer(loading, loading) * part.Phi[factor, factor]
    return explained


def code_steps(x: Float2D) -> list[Float1D]:
    """Differences between the neighbouring codes that were used, for each column."""
    return [np.diff(np.unique(column[~np.isnan(column)])) for column in x.T]


def _omegas(part: Measured, steps: Sequence[Float1D]) -> Float1D:
    explained = common(part, 0)
    codes = green_yang(explained, part.Sigma, part.thresholds, steps)
    return np.array([codes, explained.sum() / part.Sigma.sum()])


def _answered(
    x: Float2D, names: Sequence[str], missing: Missing, *, where: str
) -> Float2D:
    """Leave out rows before the categories are counted, so that none is empty."""
    require_choice("missing", missing, get_args(Missing), where=where)
    if missing == "listwise":
        return complete_rows(x, names, where=where, at_least=x.shape[1] + 1)
    require_variance(x, names, where=where)
    return x[~np.isnan(x).all(axis=1)]


def _require_categories(
    x: Float2D, names: Sequence[str], *, other: str, where: str
) -> None:
    counts = [len(np.unique(column[~np.isnan(column)])) for column in x.T]
    if many := [
        f"{name!r} ({count})"
        for name, count in zip(names, counts, strict=True)
        if count > MAX_CATEGORIES
    ]:
        raise AnalysisError(
            f"{where}: more than {MAX_CATEGORIES} categories in item(s) "
            f"{', '.join(many)}. Join categories, or treat the answers as numbers with "
            f"{other}."
        )
