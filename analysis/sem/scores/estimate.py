"""Factor scores by the method that suits the variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.sem.fit import require_fit
from analysis.sem.implied import eta_cov
from analysis.sem.scores.linear import linear_scores
from analysis.sem.scores.modes import modes
from analysis.sem.scores.result import FactorScores, ScoreMethod
from analysis.sem.standardize import whole

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.fit import SemFit
    from analysis.sem.moments import Moments


def factor_scores(fit: SemFit, method: ScoreMethod | None = None) -> FactorScores:
    """Estimate factor scores of the respondents a model was fitted to.

    Parameters
    ----------
    fit
        A fitted model. Missing answers (full information, pairwise) are left out of a
        respondent's score, not replaced. Bartlett scores of a factor none of whose
        indicators is answered are NaN.
    method
        ``"regression"`` (default; ordered variables: ``"ebm"``), ``"bartlett"``
        (unbiased given the factor), ``"ebm"`` (mode of the factor given the ordered
        answers); in any case, as lavaan's ``"EBM"``.

    Raises
    ------
    AnalysisError
        If there is no latent variable, the method does not suit the variables, or a
        covariance matrix it needs is singular.

    Notes
    -----
    Thurstone (1935), Bartlett (1937); empirical Bayes modes: argmax of sum log P(y |
    eta, x) - (eta - m)' V^-1 (eta - m) / 2 with m and V those given the observed
    predictors x. Same as ``lavaan::lavPredict(fit, method)``;
    tests/reference/sem_post.R.
    """
    require_fit(fit, where="factor_scores")
    if not fit.latent:
        raise AnalysisError("factor_scores: the model has no latent variable.")
    ordinal = bool(fit.table.categories)
    chosen = _chosen(method, ordinal=ordinal)
    if chosen == "bartlett":
        _require_indicators(fit)
    frames, errors, quality = [], [], []
    for layout, moments in zip(fit.problem.layouts, fit.problem.moments, strict=True):
        m, x = whole(layout, fit.theta), _rows(moments)
        if ordinal:
            scores, se = modes(layout, m, x)
        else:
            scores, se = linear_scores(layout, m, x, moments.mean, chosen)
        frame = pd.DataFrame(scores, index=moments.rows, columns=list(fit.latent))
        errors.append(pd.DataFrame(se, index=moments.rows, columns=list(fit.latent)))
        variance = np.diag(eta_cov(m))[: len(fit.latent)]
        quality.append(_quality(fit, moments.label, variance, se, chosen))
        if len(fit.groups) > 1:
            frame["group"] = moments.label
        frames.append(frame)
    return FactorScores(
        pd.concat(frames),
        pd.concat(errors),
        pd.concat(quality, ignore_index=True),
        chosen,
    )


def _chosen(method: str | None, *, ordinal: bool) -> ScoreMethod:
    """Read a method in any case, and see that it suits the variables."""
    asked = method.lower() if method else ("ebm" if ordinal else "regression")
    found = next((m for m in get_args(ScoreMethod) if m == asked), None)
    if found is None:
        raise AnalysisError(
            f"method={method!r} is not offered. Use one of "
            f"{', '.join(get_args(ScoreMethod))}."
        )
    if ordinal != (found == "ebm"):
        kind = "ordered" if ordinal else "numeric"
        wanted = "'ebm'" if ordinal else "'regression' or 'bartlett'"
        raise AnalysisError(
            f"method={method!r} does not suit {kind} variables. Use {wanted}."
        )
    return cast("ScoreMethod", found)


def _quality(
    fit: SemFit,
    label: str,
    variance: Float1D,
    se: Float2D,
    method: ScoreMethod,
) -> pd.DataFrame:
    """Determinacy: the correlation of score and factor, from the error variance."""
    scored = np.isfinite(se).sum(axis=0)
    error = np.where(scored, np.nansum(se**2, axis=0) / np.maximum(scored, 1), np.nan)
    if method == "bartlett":
        reliability = variance / (variance + error)
    else:
        reliability = 1 - error / variance
    with np.errstate(invalid="ignore"):
        determinacy = np.sqrt(reliability)
    return pd.DataFrame(
        {
            "latent": list(fit.latent),
            "group": label,
            "determinacy": determinacy,
            "reliability": reliability,
        }
    )


def _require_indicators(fit: SemFit) -> None:
    """Refuse unbiased scores of factors that nothing observed measures."""
    items = {r.lhs for r in fit.table.rows if r.op == "=~" and r.rhs in fit.observed}
    if without := [name for name in fit.latent if name not in items]:
        raise AnalysisError(
            f"method='bartlett': {', '.join(without)} has no observed indicator, so "
            "the answers given its factors say nothing about it. Use "
            "method='regression', which takes the whole model."
        )


def _rows(moments: Moments) -> Float2D:
    if moments.x is None:
        raise AnalysisError("factor_scores: the model was fitted without rows.")
    return moments.x
