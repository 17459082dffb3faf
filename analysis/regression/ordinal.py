"""Ordinal regression: cumulative logit or probit with parallel slopes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from analysis.errors import AnalysisError, ConvergenceError
from analysis.regression.collinearity import variance_inflation
from analysis.regression.design import Design, build_design
from analysis.regression.fit import RegressionFit
from analysis.regression.formula import parse_formula
from analysis.regression.inference import check_conf_level, coefficient_table
from analysis.regression.linear import MAX_VIF
from analysis.regression.rows import is_category
from analysis.regression.separation import refuse_separation
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.arrays import Float1D, Float2D, Int1D

Link: TypeAlias = Literal["logit", "probit"]
RARE = 5
MIN_LEVELS = 3
MAX_STEPS = 50
CONVERGED = 1e-9
"""Largest gradient per row, over scaled predictors, that counts as a maximum."""


def ordinal(
    formula: str,
    data: pd.DataFrame,
    *,
    link: Link = "logit",
    conf_level: float = 0.95,
) -> RegressionFit:
    """Proportional-odds (or probit) regression by maximum likelihood.

    Parameters
    ----------
    formula
        ``"outcome ~ predictors"``. The outcome is an ordered Categorical, whose order
        counts, or a number, whose distinct values are the categories.
    data
        As in `ols`.
    link
        ``logit`` (proportional odds) or ``probit``.
    conf_level
        Of the intervals.

    Returns
    -------
    RegressionFit
        Slopes, then thresholds named ``low|high``; P(y <= j) = F(threshold_j - x b).

    Raises
    ------
    AnalysisError
        As `ols`; if the outcome has two categories (use `logistic`) or none in order.
    ConvergenceError
        If predictors separate the categories, or no maximum is reached.

    Notes
    -----
    McCullagh (1980). Same as ``MASS::polr(Hess = TRUE, method = "logistic" or
    "probit")`` with normal p-values. statsmodels' ``OrderedModel`` estimates the first
    threshold and the logarithms of the distances between them; the thresholds are
    recovered by summing, and Newton steps on slopes and thresholds themselves finish
    the maximisation, so that their covariance is the inverse of the observed
    information. tests/reference/regression.R.
    """
    check_conf_level(conf_level)
    if link not in {"logit", "probit"}:
        raise AnalysisError(f"link: {link!r} is unknown. Choose logit or probit.")
    design = build_design(parse_formula(formula), data)
    if not design.formula.intercept or not design.formula.terms:
        raise AnalysisError(
            f"{formula}: the thresholds take the intercept's place and at least one "
            "predictor is needed. Write 'outcome ~ predictor'."
        )
    codes, levels = _levels(design)
    names = list(design.columns[1:])
    refuse_separation(
        codes,
        design.X[:, 1:],
        names,
        levels,
        where=design.formula.text,
        error=ConvergenceError,
    )
    model = _Cumulative(codes, design.X[:, 1:], len(levels), link)
    theta, V = _fit(model, design)
    pairs = [f"{a}|{b}" for a, b in pairwise(levels)]
    table = coefficient_table(
        [*names, *pairs], theta, V, df=np.inf, conf_level=conf_level
    )
    table["coef_type"] = ["slope"] * len(names) + ["threshold"] * len(pairs)
    vif = variance_inflation(design)
    return RegressionFit(
        kind="ordinal",
        formula=design.formula.text,
        outcome=design.formula.outcome.label,
        coefficients=table,
        vcov=pd.DataFrame(V, index=table["term"], columns=table["term"]),
        vcov_kind="nonrobust",
        df=np.inf,
        conf_level=conf_level,
        measures=_measures(design, model, theta, codes),
        vif=vif,
        fitted=pd.Series(
            design.X[:, 1:] @ theta[: len(names)], index=design.rows, name="fitted"
        ),
        n_obs=design.n_obs,
        n_dropped=design.n_dropped,
        warnings=warning_table(_warning_rows(design, codes, levels, vif)),
    )


def _levels(design: Design) -> tuple[Int1D, list[str]]:
    """Outcome as 0..J-1 and the labels of its categories."""
    label = design.formula.outcome.label
    column = design.outcome
    if is_category(column):
        levels = [str(level) for level in column.cat.categories]
        codes = column.cat.codes.to_numpy().astype(np.int_)
        if len(levels) >= MIN_LEVELS and not column.cat.ordered:
            raise AnalysisError(
                f"{label}: the categories {levels} have no order. "
                "Make the column an ordered Categorical, lowest first."
            )
    else:
        values = np.sort(column.unique())
        levels = [f"{value:g}" for value in values]
        codes = np.searchsorted(values, column.to_numpy()).astype(np.int_)
    if len(levels) < MIN_LEVELS:
        raise AnalysisError(
            f"{label}: the outcome has {len(levels)} categories "
            f"({', '.join(levels)}) in the rows used. Use logistic() for two."
        )
    return codes, levels


@dataclass(frozen=True, slots=True, eq=False)
class _Cumulative:
    """Likelihood of the cumulative model in slopes and thresholds.

    With z_hi and z_lo the distances of the linear predictor to the thresholds around
    the answer, l = ln(F(z_hi) - F(z_lo)).
    """

    codes: Int1D
    X: Float2D
    n_levels: int
    link: Link

    def _edges(self, theta: Float1D) -> tuple[Float1D, Float1D]:
        k = self.X.shape[1]
        cuts = np.concatenate([[-np.inf], theta[k:], [np.inf]])
        centre = self.X @ theta[:k]
        return cuts[self.codes + 1] - centre, cuts[self.codes] - centre

    def log_likelihood(self, theta: Float1D) -> float:
        high, low = self._edges(theta)
        if (high <= low).any():
            return -np.inf
        # The smaller tail keeps precision where both probabilities are near one.
        flip = low > 0
        top, bottom = np.where(flip, -low, high), np.where(flip, -high, low)
        chance = self._cdf(top) - self._cdf(bottom)
        with np.errstate(divide="ignore"):
            return float(np.log(chance).sum())

    def derivatives(self, theta: Float1D) -> tuple[Float1D, Float2D]:
        """Gradient and Hessian of the log-likelihood."""
        high, low = self._edges(theta)
        flip = low > 0
        top, bottom = np.where(flip, -low, high), np.where(flip, -high, low)
        chance = self._cdf(top) - self._cdf(bottom)
        at_high, at_low = self._jacobian()
        f_high, f_low = self._pdf(high) / chance, self._pdf(low) / chance
        scores = at_high * f_high[:, None] - at_low * f_low[:, None]
        curve_high, curve_low = self._slope(high) / chance, self._slope(low) / chance
        hessian = (
            (at_high * curve_high[:, None]).T @ at_high
            - (at_low * curve_low[:, None]).T @ at_low
            - scores.T @ scores
        )
        return scores.sum(axis=0), hessian

    def _jacobian(self) -> tuple[Float2D, Float2D]:
        """Differentiate the upper and the lower edge by the parameters."""
        padded = np.zeros((self.n_levels + 1, self.n_levels - 1))
        padded[1:-1] = np.eye(self.n_levels - 1)
        high = np.hstack([-self.X, padded[self.codes + 1]])
        low = np.hstack([-self.X, padded[self.codes]])
        return high, low

    def _cdf(self, z: Float1D) -> Float1D:
        return np.asarray(expit(z) if self.link == "logit" else stats.norm.cdf(z))

    def _pdf(self, z: Float1D) -> Float1D:
        if self.link == "probit":
            return np.asarray(stats.norm.pdf(z))
        return np.asarray(expit(z) * expit(-z))

    def _slope(self, z: Float1D) -> Float1D:
        """Second derivative of the distribution function; zero at infinity."""
        finite = np.where(np.isfinite(z), z, 0.0)
        factor = -finite if self.link == "probit" else 1 - 2 * expit(finite)
        return np.asarray(np.where(np.isfinite(z), self._pdf(finite) * factor, 0.0))


def _fit(model: _Cumulative, design: Design) -> tuple[Float1D, Float2D]:
    """Estimates and covariance in the units of the data."""
    k = model.X.shape[1]
    centre, spread = model.X.mean(axis=0), model.X.std(axis=0)
    scaled = _Cumulative(
        model.codes, (model.X - centre) / spread, model.n_levels, model.link
    )
    theta = _newton(scaled, _start(scaled), design)
    _, hessian = scaled.derivatives(theta)
    V = np.linalg.inv(-hessian)
    back = np.eye(len(theta))
    back[:k, :k] = np.diag(1 / spread)
    back[k:, :k] = centre / spread
    return back @ theta, np.asarray(back @ V @ back.T)


def _start(model: _Cumulative) -> Float1D:
    """Fit with statsmodels, with thresholds in place of their log-distances."""
    distribution = "logit" if model.link == "logit" else "probit"
    ordered = OrderedModel(model.codes, model.X, distr=distribution)
    with warnings.catch_warnings():
        # Whether a maximum is reached is decided by the Newton steps that follow.
        warnings.simplefilter("ignore")
        fit = ordered.fit(method="bfgs", disp=False, skip_hessian=True, maxiter=200)
    params = np.asarray(fit.params, dtype=float)
    k = model.X.shape[1]
    thresholds = ordered.transform_threshold_params(params)[1:-1]
    theta = np.concatenate([params[:k], thresholds])
    if np.isfinite(model.log_likelihood(theta)):
        return theta
    shares = np.cumsum(np.bincount(model.codes, minlength=model.n_levels))[:-1]
    ppf = stats.logistic.ppf if model.link == "logit" else stats.norm.ppf
    return np.concatenate([np.zeros(k), ppf(shares / len(model.codes))])


def _newton(model: _Cumulative, theta: Float1D, design: Design) -> Float1D:
    """Climb the concave likelihood; halve a step that does not gain."""
    value = model.log_likelihood(theta)
    for _ in range(MAX_STEPS):
        gradient, hessian = model.derivatives(theta)
        if np.abs(gradient).max() <= CONVERGED * len(model.codes):
            return theta
        step = np.linalg.lstsq(-hessian, gradient, rcond=None)[0]
        length = 1.0
        gained = model.log_likelihood(theta + step)
        while not gained >= value - 1e-10 * abs(value) and length > 1e-10:  # noqa: PLR2004
            length /= 2
            gained = model.log_likelihood(theta + length * step)
        theta, value = theta + length * step, gained
    raise ConvergenceError(
        f"{design.formula.text}: no maximum after {MAX_STEPS} Newton steps (gradient "
        f"{np.abs(gradient).max():.2g}). Merge rare categories or take predictors out."
    )


def _measures(
    design: Design, model: _Cumulative, theta: Float1D, codes: Int1D
) -> pd.DataFrame:
    n, k = model.X.shape
    log_lik = model.log_likelihood(theta)
    counts = np.bincount(codes)
    null = float((counts * np.log(counts / n)).sum())
    return pd.DataFrame(
        [
            {
                "pseudo_r_squared": 1 - log_lik / null,
                "statistic": 2 * (log_lik - null),
                "df_num": k,
                "p_value": float(stats.chi2.sf(2 * (log_lik - null), k)),
                "log_lik": log_lik,
                "log_lik_null": null,
                "aic": -2 * log_lik + 2 * len(theta),
                "bic": -2 * log_lik + np.log(n) * len(theta),
                "link": model.link,
                "n_levels": model.n_levels,
                "n_obs": n,
                "n_dropped": design.n_dropped,
            }
        ]
    )


def _warning_rows(
    design: Design, codes: Int1D, levels: list[str], vif: pd.DataFrame
) -> Iterable[tuple[str, str, str]]:
    yield from design.warning_rows()
    for level, count in zip(levels, np.bincount(codes), strict=True):
        if count < RARE:
            what = f"only {count} people answered {level}"
            yield what, design.formula.outcome.label, "merge it with its neighbour"
    for row in vif[vif["vif_per_df"] > MAX_VIF].itertuples():
        what = f"variance inflation {row.vif:.1f} is above {MAX_VIF:.0f}"
        yield what, str(row.term), "centre products; combine or drop what overlaps"
