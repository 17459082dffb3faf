"""Logistic regression for an outcome with two values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from scipy.special import xlog1py, xlogy

from analysis.errors import AnalysisError, ConvergenceError, TooFewError
from analysis.regression.collinearity import variance_inflation
from analysis.regression.design import Design, build_design
from analysis.regression.fit import RegressionFit
from analysis.regression.formula import parse_formula
from analysis.regression.inference import check_conf_level, coefficient_table
from analysis.regression.linear import FEW_CLUSTERS, MAX_VIF
from analysis.regression.rows import is_category
from analysis.regression.separation import refuse_separation
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.arrays import Float1D, Float2D, Int1D

LogisticVcov: TypeAlias = Literal["nonrobust", "HC0", "HC1", "cluster"]
EVENTS_PER_VARIABLE = 10
"""Peduzzi et al. (1996)."""
MAX_STEPS = 100
CONVERGED = 1e-12
"""Relative change of the deviance at which the iteration ends."""


def logistic(
    formula: str,
    data: pd.DataFrame,
    *,
    vcov: LogisticVcov = "nonrobust",
    cluster: str | None = None,
    conf_level: float = 0.95,
) -> RegressionFit:
    """Logistic regression by maximum likelihood.

    Parameters
    ----------
    formula
        ``"outcome ~ predictors"``; the outcome has exactly two values. The event
        modelled is the larger number, True, or the last category.
    data
        As in `ols`.
    vcov
        ``nonrobust`` (inverse information), ``HC0``, ``HC1`` or ``cluster``.
    cluster
        Column that names the cluster; with ``vcov="cluster"`` only.
    conf_level
        Of the intervals.

    Returns
    -------
    RegressionFit
        ``outcome`` names the event. Odds ratios carry Wald intervals. The AUC is in
        sample, hence optimistic.

    Raises
    ------
    AnalysisError
        As `ols`; if the outcome has not two values, or predictors separate them.
    ConvergenceError
        If the iteration does not end.

    Notes
    -----
    Same as ``glm(family = binomial)`` with ``lmtest::coeftest`` and ``coefci`` (normal
    distribution, also ``confint.default``) and ``vcovHC(fit, "HC0")``, or
    ``vcovCL(fit, cluster)``, whose default for glm is HC0 times G/(G-1). McFadden's
    R squared is 1 - logLik / logLik of the intercept. tests/reference/regression.R.
    """
    check_conf_level(conf_level)
    _check_vcov(vcov, cluster)
    design = build_design(parse_formula(formula), data, cluster=cluster)
    y, event, other = _event(design)
    slopes = design.slopes
    if not design.formula.intercept:
        raise AnalysisError(
            f"{formula}: without intercept the model has no reference. Keep it."
        )
    refuse_separation(
        y.astype(int),
        design.X[:, slopes],
        [design.columns[j] for j in slopes],
        [other, event],
        where=design.formula.text,
        error=AnalysisError,
    )
    beta, probability = _iterate(design, y)
    V = _covariance(design, y, probability, vcov)
    table = coefficient_table(design.columns, beta, V, df=np.inf, conf_level=conf_level)
    table["odds_ratio"] = np.exp(table["estimate"])
    table["odds_low"] = np.exp(table["conf_low"])
    table["odds_high"] = np.exp(table["conf_high"])
    vif = variance_inflation(design)
    return RegressionFit(
        kind="logistic",
        formula=design.formula.text,
        outcome=f"{design.formula.outcome.label} = {event}",
        coefficients=table,
        vcov=pd.DataFrame(V, index=design.columns, columns=design.columns),
        vcov_kind=vcov if cluster is None else f"{vcov} ({cluster})",
        df=np.inf,
        conf_level=conf_level,
        measures=_measures(design, y, probability, vcov, event),
        vif=vif,
        fitted=pd.Series(probability, index=design.rows, name="fitted"),
        n_obs=design.n_obs,
        n_dropped=design.n_dropped,
        warnings=warning_table(_warning_rows(design, y, vif)),
    )


def area_under_curve(score: Float1D, event: Float1D) -> float:
    """Chance that a random event scores above a random non-event, ties half.

    Parameters
    ----------
    score
        Shape (n_obs,).
    event
        0 or 1, shape (n_obs,).
    """
    ranks = stats.rankdata(score)
    n1 = float(event.sum())
    n0 = len(event) - n1
    return float((ranks[event == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def _check_vcov(vcov: LogisticVcov, cluster: str | None) -> None:
    known = ("nonrobust", "HC0", "HC1", "cluster")
    if vcov not in known:
        raise AnalysisError(
            f"vcov: {vcov!r} is unknown here. Choose one of {', '.join(known)}."
        )
    if (vcov == "cluster") != (cluster is not None):
        raise AnalysisError(
            f"vcov: {vcov!r} with cluster={cluster!r}. "
            "Give vcov='cluster' and the column's name together, or neither."
        )


def _event(design: Design) -> tuple[Float1D, str, str]:
    """Outcome as 0 and 1, and the names of the event and of its absence."""
    label = design.formula.outcome.label
    column = design.outcome
    if is_category(column):
        values = list(column.cat.categories)
        named = [str(value) for value in values]
        y = column.cat.codes.to_numpy().astype(np.float64)
    else:
        values = sorted(column.unique())
        named = [f"{value:g}" for value in values]
        y = (column == values[-1]).to_numpy().astype(np.float64)
    if len(values) != 2:  # noqa: PLR2004
        shown = ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")  # noqa: PLR2004
        raise AnalysisError(
            f"{label}: the outcome has {len(values)} values ({shown}) in the rows "
            "used, not two. Use ordinal() for ordered categories or ols() for numbers."
        )
    return y, named[1], named[0]


def _iterate(design: Design, y: Float1D) -> tuple[Float1D, Float1D]:
    """Fit by iteratively reweighted least squares."""
    model = sm.GLM(y, design.X, family=sm.families.Binomial())
    fit = model.fit(maxiter=MAX_STEPS, tol=CONVERGED, tol_criterion="deviance")
    probability = np.asarray(fit.fittedvalues, dtype=float)
    gradient = design.X.T @ (y - probability)
    size = np.abs(design.X).sum(axis=0)
    if not fit.converged or np.abs(gradient / size).max() > 1e-6:  # noqa: PLR2004
        raise ConvergenceError(
            f"{design.formula.text}: no maximum after {MAX_STEPS} steps. "
            "Rescale predictors, or take out those with rare categories."
        )
    return np.asarray(fit.params, dtype=float), probability


def _covariance(
    design: Design, y: Float1D, probability: Float1D, vcov: LogisticVcov
) -> Float2D:
    """Inverse information, alone or around the cross-products of the scores."""
    X = design.X
    weights = probability * (1 - probability)
    bread = np.linalg.inv((X * weights[:, None]).T @ X)
    if vcov == "nonrobust":
        return np.asarray(bread)
    scores = X * (y - probability)[:, None]
    n, k = X.shape
    correction = n / (n - k) if vcov == "HC1" else 1.0
    if design.groups is not None and vcov == "cluster":
        scores, correction = _by_cluster(scores, design.groups, design)
    return np.asarray(correction * bread @ (scores.T @ scores) @ bread)


def _by_cluster(
    scores: Float2D, groups: Int1D, design: Design
) -> tuple[Float2D, float]:
    n_groups = int(groups.max()) + 1
    if n_groups < 2:  # noqa: PLR2004
        raise TooFewError(
            f"{design.formula.text}: all rows are in one cluster. "
            "Choose another clustering column, or vcov='HC0'."
        )
    summed = np.zeros((n_groups, scores.shape[1]))
    np.add.at(summed, groups, scores)
    return summed, n_groups / (n_groups - 1)


def _log_likelihood(y: Float1D, probability: Float1D | float) -> float:
    """Log-likelihood; a probability of 0 or 1 counts only where it is wrong."""
    return float(
        np.sum(xlogy(y, probability) + xlog1py(1 - y, -np.asarray(probability)))
    )


def _measures(
    design: Design, y: Float1D, probability: Float1D, vcov: LogisticVcov, event: str
) -> pd.DataFrame:
    n, k = design.X.shape
    log_lik = _log_likelihood(y, probability)
    null = _log_likelihood(y, float(y.mean()))
    groups = design.groups
    return pd.DataFrame(
        [
            {
                "pseudo_r_squared": 1 - log_lik / null,
                "auc": area_under_curve(probability, y),
                "statistic": 2 * (log_lik - null),
                "df_num": k - 1,
                "p_value": float(stats.chi2.sf(2 * (log_lik - null), k - 1))
                if k > 1
                else np.nan,
                "log_lik": log_lik,
                "log_lik_null": null,
                "aic": -2 * log_lik + 2 * k,
                "bic": -2 * log_lik + np.log(n) * k,
                "event": event,
                "n_events": int(y.sum()),
                "n_obs": n,
                "n_dropped": design.n_dropped,
                "n_clusters": pd.NA if groups is None else int(groups.max()) + 1,
                "vcov": vcov,
            }
        ]
    )


def _warning_rows(
    design: Design, y: Float1D, vif: pd.DataFrame
) -> Iterable[tuple[str, str, str]]:
    text = design.formula.text
    yield from design.warning_rows()
    rarer = int(min(y.sum(), len(y) - y.sum()))
    n_slopes = design.X.shape[1] - 1
    if rarer < EVENTS_PER_VARIABLE * n_slopes:
        what = (
            f"{rarer} people in the rarer outcome for {n_slopes} predictors, "
            f"fewer than {EVENTS_PER_VARIABLE} each"
        )
        yield what, text, "take predictors out; expect odds ratios too extreme"
    for row in vif[vif["vif_per_df"] > MAX_VIF].itertuples():
        what = f"variance inflation {row.vif:.1f} is above {MAX_VIF:.0f}"
        yield what, str(row.term), "centre products; combine or drop what overlaps"
    if design.groups is not None and int(design.groups.max()) + 1 < FEW_CLUSTERS:
        what = f"{int(design.groups.max()) + 1} clusters are few"
        yield what, text, f"read with care below {FEW_CLUSTERS} clusters"
