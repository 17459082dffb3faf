"""Ordinary least squares with errors that hold without equal variances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import statsmodels.api as sm

from analysis.errors import AnalysisError, TooFewError
from analysis.regression.collinearity import condition_number, variance_inflation
from analysis.regression.design import Design, build_design
from analysis.regression.fit import RegressionFit, Vcov
from analysis.regression.formula import parse_formula
from analysis.regression.inference import (
    WaldTest,
    check_conf_level,
    coefficient_table,
    wald_f,
)
from analysis.regression.rows import is_category
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.arrays import Float1D, Float2D

FEW_ROWS = 10
"""Rows per predictor below which a result carries a warning."""
FEW_CLUSTERS = 20
"""Cameron & Miller (2015): cluster-robust tests reject too often with fewer."""
MAX_VIF = 10.0
MAX_CONDITION = 30.0
"""Belsley, Kuh & Welsch (1980), here on centred and scaled columns."""
FULL_LEVERAGE = 1 - 1e-8
HIGH_LEVERAGE = 0.9
PERFECT_FIT = 1e-12
"""Residual share of the outcome's variance that counts as none."""


def ols(
    formula: str,
    data: pd.DataFrame,
    *,
    vcov: Vcov = "HC3",
    cluster: str | None = None,
    conf_level: float = 0.95,
) -> RegressionFit:
    """Linear regression by least squares.

    Parameters
    ----------
    formula
        ``"outcome ~ predictors"``, see `analysis.regression.formula.parse_formula`.
    data
        One row per observation, or per person and wave. Rows with a missing value
        in a variable of the model are left out and counted.
    vcov
        ``HC0`` to ``HC3`` (heteroscedasticity-consistent), ``nonrobust``, or
        ``cluster``.
    cluster
        Column that names the cluster; with ``vcov="cluster"`` only.
    conf_level
        Of the intervals.

    Returns
    -------
    RegressionFit
        ``std_all`` are the coefficients after z-scoring the outcome and every
        numeric predictor (a product is the product of z-scores; indicator columns
        of categories stay 0/1); missing without intercept.

    Raises
    ------
    AnalysisError
        For a faulty formula, an unknown, constant or collinear column, an outcome
        that is constant or not numeric, HC2 or HC3 with a row of leverage 1.
    TooFewError
        If no more rows than coefficients, or fewer than two clusters, are left.

    Notes
    -----
    Same as ``lmtest::coeftest(fit, vcov. = sandwich::vcovHC(fit, "HC3"))`` with
    t(n - k), and ``lmtest::waldtest(fit, vcov = ...)`` for F. With clusters:
    ``sandwich::vcovCL(fit, cluster, type = "HC1")``, that is, G/(G-1) times
    (n-1)/(n-k), with t and F on G - 1 degrees of freedom (``coeftest(df = G - 1)``).
    MacKinnon & White (1985); Long & Ervin (2000) for HC3 in small samples.
    R squared without intercept is uncentred, as in ``summary.lm``.
    tests/reference/regression.R.
    """
    check_conf_level(conf_level)
    check_vcov(vcov, cluster)
    design = build_design(parse_formula(formula), data, cluster=cluster)
    return fit_linear(design, vcov=vcov, cluster=cluster, conf_level=conf_level)


def check_vcov(vcov: Vcov, cluster: str | None) -> None:
    """Refuse an unknown estimator, and a clustering column without its use."""
    known = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster")
    if vcov not in known:
        raise AnalysisError(
            f"vcov: {vcov!r} is unknown. Choose one of {', '.join(known)}."
        )
    if (vcov == "cluster") != (cluster is not None):
        raise AnalysisError(
            f"vcov: {vcov!r} with cluster={cluster!r}. "
            "Give vcov='cluster' and the column's name together, or neither."
        )


def fit_linear(
    design: Design, *, vcov: Vcov, cluster: str | None, conf_level: float
) -> RegressionFit:
    """Fit the prepared `design`; arguments as in `ols`."""
    y = numeric_outcome(design)
    X = design.X
    plain = sm.OLS(y, X).fit()
    beta = np.asarray(plain.params, dtype=float)
    perfect = plain.ssr <= PERFECT_FIT * float(((y - y.mean()) ** 2).sum())
    V, df = covariance(design, plain, vcov)
    slopes = design.slopes
    test = wald_f(beta[slopes], V[np.ix_(slopes, slopes)], df)
    table = coefficient_table(design.columns, beta, V, df=df, conf_level=conf_level)
    table["std_all"] = _standardised(design, y)
    vif = variance_inflation(design)
    return RegressionFit(
        kind="linear",
        formula=design.formula.text,
        outcome=design.formula.outcome.label,
        coefficients=table,
        vcov=pd.DataFrame(V, index=design.columns, columns=design.columns),
        vcov_kind=vcov if cluster is None else f"{vcov} ({cluster})",
        df=df,
        conf_level=conf_level,
        measures=_measures(design, plain, test, vcov),
        vif=vif,
        fitted=pd.Series(X @ beta, index=design.rows, name="fitted"),
        n_obs=design.n_obs,
        n_dropped=design.n_dropped,
        warnings=warning_table(
            _warning_rows(design, vif, test, vcov=vcov, perfect=perfect)
        ),
    )


def numeric_outcome(design: Design) -> Float1D:
    """Outcome as numbers that vary."""
    label = design.formula.outcome.label
    if is_category(design.outcome):
        raise AnalysisError(
            f"{label}: the outcome has the categories "
            f"{list(design.outcome.cat.categories)}. Use logistic() for two, "
            "ordinal() for more in order."
        )
    y = design.outcome.to_numpy(float)
    if np.ptp(y) == 0:
        raise AnalysisError(
            f"{label}: the outcome is {y[0]:g} in all {len(y)} rows used. "
            "There is nothing to explain; choose another outcome or more rows."
        )
    return y


def covariance(
    design: Design, plain: sm.regression.linear_model.RegressionResults, vcov: Vcov
) -> tuple[Float2D, float]:
    """Covariance of the coefficients, and the degrees of freedom of their tests."""
    if vcov == "nonrobust":
        return np.asarray(plain.cov_params(), dtype=float), float(plain.df_resid)
    if design.groups is not None and vcov == "cluster":
        n_groups = int(design.groups.max()) + 1
        if n_groups < 2:  # noqa: PLR2004
            raise TooFewError(
                f"{design.formula.text}: all rows are in one cluster. "
                "Choose another clustering column, or vcov='HC3'."
            )
        robust = plain.get_robustcov_results(
            cov_type="cluster", groups=design.groups, use_t=True
        )
        return np.asarray(robust.cov_params(), dtype=float), float(n_groups - 1)
    if vcov in {"HC2", "HC3"}:
        _refuse_full_leverage(design, vcov)
    robust = plain.get_robustcov_results(cov_type=vcov, use_t=True)
    return np.asarray(robust.cov_params(), dtype=float), float(plain.df_resid)


def leverage(X: Float2D) -> Float1D:
    """Diagonal of the hat matrix, shape (n_obs,)."""
    Q = np.linalg.qr(X)[0]
    return np.asarray((Q**2).sum(axis=1))


def _refuse_full_leverage(design: Design, vcov: Vcov) -> None:
    full = design.rows[leverage(design.X) > FULL_LEVERAGE].tolist()
    if full:
        raise AnalysisError(
            f"{design.formula.text}: {vcov} divides by 1 - h, and {len(full)} rows "
            f"have leverage h = 1 (first: {full[:5]}), each alone in determining a "
            "coefficient. Merge its category, leave the predictor out, or use HC1."
        )


def _standardised(design: Design, y: Float1D) -> Float1D:
    beta = np.full(len(design.columns), np.nan)
    if not design.formula.intercept or not design.formula.terms:
        return beta
    z = (y - y.mean()) / y.std(ddof=1)
    beta[:] = np.linalg.lstsq(design.X_std, z, rcond=None)[0]
    beta[0] = np.nan
    return beta


def _measures(
    design: Design,
    plain: sm.regression.linear_model.RegressionResults,
    test: WaldTest,
    vcov: Vcov,
) -> pd.DataFrame:
    n, k = design.X.shape
    y = np.asarray(plain.model.endog, dtype=float)
    centre = y.mean() if design.formula.intercept else 0.0
    r_squared = 1 - float(plain.ssr) / float(((y - centre) ** 2).sum())
    shrink = (n - int(design.formula.intercept)) / (n - k)
    groups = design.groups
    return pd.DataFrame(
        [
            {
                "r_squared": r_squared,
                "adj_r_squared": 1 - (1 - r_squared) * shrink,
                "sigma": float(np.sqrt(plain.ssr / (n - k))),
                "statistic": test.statistic,
                "df_num": test.df_num,
                "df_den": test.df_den,
                "p_value": test.p_value,
                "log_lik": float(plain.llf),
                "aic": -2 * float(plain.llf) + 2 * (k + 1),
                "bic": -2 * float(plain.llf) + np.log(n) * (k + 1),
                "condition_number": condition_number(design),
                "n_obs": n,
                "n_dropped": design.n_dropped,
                "n_clusters": pd.NA if groups is None else int(groups.max()) + 1,
                "vcov": vcov,
            }
        ]
    )


def _warning_rows(
    design: Design, vif: pd.DataFrame, test: WaldTest, *, vcov: Vcov, perfect: bool
) -> Iterable[tuple[str, str, str]]:
    text = design.formula.text
    n, k = design.X.shape
    n_slopes = k - int(design.formula.intercept)
    yield from design.warning_rows()
    if n < FEW_ROWS * n_slopes:
        what = f"{n} rows for {n_slopes} predictors, fewer than {FEW_ROWS} each"
        yield what, text, "take predictors out or collect more"
    for row in vif[vif["vif_per_df"] > MAX_VIF].itertuples():
        what = f"variance inflation {row.vif:.1f} is above {MAX_VIF:.0f}"
        yield what, str(row.term), "centre products; combine or drop what overlaps"
    condition = condition_number(design)
    if condition > MAX_CONDITION:
        what = f"condition number {condition:.0f} is above {MAX_CONDITION:.0f}"
        yield what, text, "predictors nearly determine each other; combine some"
    if perfect:
        what = "the predictors reproduce the outcome: tests mean nothing"
        yield what, text, "look for the outcome among the predictors"
    h = leverage(design.X)
    if vcov in {"HC2", "HC3"} and h.max() > HIGH_LEVERAGE:
        what = f"a row with leverage {h.max():.3f} dominates the {vcov} errors"
        yield what, f"row {design.rows[int(h.argmax())]}", "refit without it"
    if not design.formula.intercept:
        what = "without intercept, R squared is uncentred and cannot be compared"
        yield what, text, "keep the intercept"
    yield from _cluster_warnings(design, test)


def _cluster_warnings(design: Design, test: WaldTest) -> Iterable[tuple[str, str, str]]:
    text = design.formula.text
    if design.groups is not None:
        n_groups = int(design.groups.max()) + 1
        if n_groups < FEW_CLUSTERS:
            what = f"{n_groups} clusters are few; intervals are too narrow"
            yield what, text, f"read with care below {FEW_CLUSTERS} clusters"
    if test.df_num and np.isnan(test.statistic):
        what = f"the joint test of {test.df_num} coefficients cannot be computed"
        yield what, text, "use fewer predictors than clusters"
