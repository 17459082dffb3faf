"""Factor scores: where each respondent stands on the latent variables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, ndtr

from analysis.errors import AnalysisError, ConvergenceError
from analysis.sem.implied import eta_cov, implied, total_effects
from analysis.sem.pairs import inverse
from analysis.sem.standardize import whole

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.sem.fit import SemFit
    from analysis.sem.matrices import Layout, Matrices
    from analysis.sem.moments import Moments

ScoreMethod: TypeAlias = Literal["regression", "bartlett", "ebm"]
# Stands for infinity; the normal distribution has no mass beyond.
_FAR: Final = 38.0
_STEPS: Final = 100
_STILL: Final = 1e-10
_ROUNDING: Final = 1e-12
# Part of a factor outside what answers tell that is more than rounding.
_TOLD: Final = 1e-6
_CHUNK: Final = 5000


@dataclass(frozen=True, slots=True, eq=False)
class FactorScores:
    """Scores of respondents on latent variables.

    Attributes
    ----------
    frame
        One row per respondent used, indexed as the data were; one column per latent
        variable, and ``group`` where there are several. NaN where Bartlett's score
        does not exist.
    std_error
        Standard errors of measurement of each score, same shape without ``group``; NaN
        where there is no score, and where an improper solution (see ``fit.warnings``)
        has a negative variance.
    quality
        One row per latent variable and group: latent group determinacy (correlation
        of score and factor) and reliability (its square).
    method
        How they were computed.
    """

    frame: pd.DataFrame
    std_error: pd.DataFrame
    quality: pd.DataFrame
    method: ScoreMethod

    def tidy(self) -> pd.DataFrame:
        """One row per respondent and latent variable: latent estimate std_error."""
        latent = list(self.std_error.columns)
        return pd.DataFrame(
            {
                "row": np.repeat(self.frame.index.to_numpy(), len(latent)),
                "latent": latent * len(self.frame),
                "estimate": self.frame[latent].to_numpy().ravel(),
                "std_error": self.std_error.to_numpy().ravel(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: method, how many scores, and the lowest determinacy."""
        return pd.DataFrame(
            {
                "method": [self.method],
                "n_obs": [len(self.frame)],
                "lowest_determinacy": [self.quality["determinacy"].min()],
            }
        )

    def summary(self) -> str:
        """Say how well the scores stand for the factors."""
        parts = [
            f"{r['latent']}{' (' + str(r['group']) + ')' if r['group'] else ''} "
            f"{r['determinacy']:.2f}"
            for r in self.quality.to_dict("records")
        ]
        return (
            f"{self.method} factor scores of {len(self.frame)} respondents; "
            f"determinacy {', '.join(parts)} (.90 and more wanted where scores are "
            "used in place of factors; Gorsuch 1983)."
        )


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
    if not fit.latent:
        raise AnalysisError("factor_scores: the model has no latent variable.")
    ordinal = bool(fit.table.categories)
    chosen = _chosen(method, ordinal=ordinal)
    if chosen == "bartlett":
        _require_indicators(fit)
    frames, errors, quality = [], [], []
    for layout, moments in zip(fit.problem.layouts, fit.problem.moments, strict=True):
        m = whole(layout, fit.theta)
        if ordinal:
            scores, se = _modes(layout, m, moments)
        else:
            scores, se = _linear(layout, m, moments, chosen)
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


def _linear(
    layout: Layout, m: Matrices, moments: Moments, method: ScoreMethod
) -> tuple[Float2D, Float2D]:
    """Scores as weighted sums, with the weights of each pattern of answers."""
    x = _rows(moments)
    seen = ~np.isnan(x)
    patterns, of_row = np.unique(seen, axis=0, return_inverse=True)
    k = len(layout.table.latent)
    if not layout.table.meanstructure:
        m = _with_given_means(layout, m, moments)
    out, se = np.zeros((len(x), k)), np.zeros((len(x), k))
    for number, answered in enumerate(patterns):
        here = of_row.reshape(-1) == number
        weights, mean, constant, error = _weights(m, answered, k, method)
        if not layout.table.meanstructure:
            mean = moments.mean[answered]
        scores = constant + (x[here][:, answered] - mean) @ weights.T
        out[here] = np.where(np.isnan(error), np.nan, scores)
        # Rounding apart, an error variance below 0 is that of an improper solution.
        error = np.where(np.abs(error) < _ROUNDING, 0.0, error)
        with np.errstate(invalid="ignore"):
            se[here] = np.sqrt(error)
    return out, se


def _with_given_means(layout: Layout, m: Matrices, moments: Moments) -> Matrices:
    """Let the means of fixed predictors reach the latent variables.

    Without a mean structure nothing else has a mean.
    """
    alpha = np.zeros_like(m.alpha)
    at = [layout.table.observed.index(layout.eta[k]) for k in layout.exogenous]
    alpha[layout.exogenous] = moments.mean[at]
    return replace(m, alpha=alpha)


def _weights(
    m: Matrices, answered: Bool1D, k: int, method: ScoreMethod
) -> tuple[Float2D, Float1D, Float1D, Float1D]:
    """Weights, expected answers, expected scores and error variances."""
    found = implied(m)
    eta = eta_cov(m)
    total, effects = total_effects(m)
    mean_eta = (effects @ m.alpha)[:k]
    mean = found.mean[answered]
    at = np.ix_(answered, answered)
    if method == "regression":
        cross = (total @ m.Psi @ effects.T)[answered][:, :k]
        weights = (inverse(found.cov[at]) @ cross).T
        error = np.diag(eta)[:k] - np.einsum("ki,ik->k", weights, cross)
        return weights, mean, mean_eta, error
    latent = m.Lambda[answered][:, :k]
    theta = m.Theta[at]
    inner = np.linalg.pinv(theta, hermitian=True)
    middle = latent.T @ inner @ latent
    spread, told = _told(middle)
    weights = spread @ latent.T @ inner
    return weights, mean, mean_eta, np.where(told, np.diag(spread), np.nan)


def _told(middle: Float2D) -> tuple[Float2D, Bool1D]:
    """Generalised inverse, and which factors the answers tell at all.

    A factor none of whose indicators is answered has no unbiased score.
    """
    size = np.sqrt(np.maximum(np.diag(middle), 0.0))
    scale = np.where(size > 0, size, 1.0)
    scaled = middle / np.outer(scale, scale)
    spread = np.linalg.pinv(scaled, rcond=_ROUNDING, hermitian=True)
    apart = np.abs(np.diag(spread @ scaled) - 1.0)
    return spread / np.outer(scale, scale), apart < _TOLD


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


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """How answers depend on the latent variables, given the predictors.

    Attributes
    ----------
    answers
        Codes and values, shape (n, p); NaN where missing.
    ordered
        Ordered answers come with their thresholds, shape (p,).
    low, high
        Thresholds around each ordered answer, shape (n, p).
    prior_mean
        Expected latent variables of each row, shape (n, k).
    precision
        Inverse covariance of the latent variables given the predictors, shape (k, k).
    slope
        Regression of answers on latent variables, shape (p, k).
    constant
        Expected answers of each row where the latent variables are 0, shape (n, p).
    sd
        Residual standard deviations, shape (p,).
    """

    answers: Float2D
    ordered: Bool1D
    low: Float2D
    high: Float2D
    prior_mean: Float2D
    precision: Float2D
    slope: Float2D
    constant: Float2D
    sd: Float1D


def _modes(layout: Layout, m: Matrices, moments: Moments) -> tuple[Float2D, Float2D]:
    """Modes of the latent variables given ordered (and numeric) answers."""
    x = _rows(moments)
    parts = [
        _modes_of(_measured(layout, m, x[low : low + _CHUNK]))
        for low in range(0, len(x), _CHUNK)
    ]
    return np.vstack([p[0] for p in parts]), np.vstack([p[1] for p in parts])


def _measured(layout: Layout, m: Matrices, x: Float2D) -> _Measured:
    """Split the joint normal distribution into predictors, latent variables, answers.

    Predictors are no indicators: they shift what is expected of each respondent.
    """
    table, k = layout.table, len(layout.table.latent)
    total, effects = total_effects(m)
    paths = np.vstack([effects[:k], total])
    cov = paths @ m.Psi @ paths.T
    cov[k:, k:] += m.Theta
    mean = np.concatenate([np.zeros(k), m.nu]) + paths @ m.alpha
    given = [table.observed.index(n) for n in table.predictors]
    rest = [i for i in range(len(m.nu)) if i not in given]
    at, kept = [k + i for i in given], [*range(k), *(k + i for i in rest)]
    by_x = cov[np.ix_(kept, at)] @ inverse(cov[np.ix_(at, at)])
    cov = cov[np.ix_(kept, kept)] - by_x @ cov[np.ix_(at, kept)]
    expected = mean[kept] + (x[:, given] - mean[at]) @ by_x.T
    precision = inverse(cov[:k, :k])
    slope = cov[k:, :k] @ precision
    left = np.diag(cov)[k:] - np.einsum("ik,ki->i", slope, cov[:k, k:])
    low, high, ordered = _bounds(layout, m, x)
    return _Measured(
        x[:, rest],
        ordered[rest],
        low[:, rest],
        high[:, rest],
        expected[:, :k],
        precision,
        slope,
        expected[:, k:] - expected[:, :k] @ slope.T,
        np.sqrt(left),
    )


def _modes_of(a: _Measured) -> tuple[Float2D, Float2D]:
    """Newton's method for all rows together."""
    eta = a.prior_mean.copy()
    for _ in range(_STEPS):
        push, pull = _force(a.constant + eta @ a.slope.T, a)
        slope = push @ a.slope - (eta - a.prior_mean) @ a.precision
        bend = np.einsum("ni,ik,il->nkl", pull, a.slope, a.slope) + a.precision
        step = np.linalg.solve(bend, slope[..., None])[..., 0]
        size = np.abs(step).max(axis=1, keepdims=True)
        eta = eta + step * np.minimum(1.0, 2.0 / np.maximum(size, 1e-12))
        if float(size.max()) < _STILL:
            break
    else:
        raise ConvergenceError(
            "factor_scores: the modes of some respondents were not found. Look at "
            "fit.warnings; an improper solution has no such scores."
        )
    error = np.einsum("nkk->nk", np.linalg.inv(bend))
    return eta, np.sqrt(error)


def _bounds(layout: Layout, m: Matrices, x: Float2D) -> tuple[Float2D, Float2D, Bool1D]:
    """Thresholds below and above each ordered answer, shape (n, p)."""
    low, high = np.full(x.shape, -_FAR), np.full(x.shape, _FAR)
    known = dict(layout.table.categories)
    ordered = np.zeros(x.shape[1], dtype=bool)
    used = 0
    for i, name in zip(layout.ordered, layout.table.ordered, strict=True):
        cuts = m.tau[used : used + known[name] - 1]
        used += known[name] - 1
        edges = np.concatenate([[-_FAR], cuts, [_FAR]])
        seen = ~np.isnan(x[:, i])
        code = x[seen, i].astype(np.int_)
        low[seen, i], high[seen, i] = edges[code], edges[code + 1]
        ordered[i] = True
    return low, high, ordered


def _force(expected: Float2D, a: _Measured) -> tuple[Float2D, Float2D]:
    """First and (negative) second derivatives of log P by the expected y*."""
    push, pull = np.zeros_like(expected), np.zeros_like(expected)
    o, sd, centre = a.ordered, a.sd, expected[:, a.ordered]
    low, high = a.low[:, o], a.high[:, o]
    below, above = (low - centre) / sd[o], (high - centre) / sd[o]
    # The difference of two tails, taken on the side where it keeps its digits.
    flip = below > 0
    upper, lower = np.where(flip, -below, above), np.where(flip, -above, below)
    p = np.maximum(ndtr(upper) - ndtr(lower), np.exp(log_ndtr(-np.abs(upper)) - 40))
    fa, fb = _density(below), _density(above)
    first = (fa - fb) / p
    bend = (above * fb - below * fa) / p + first**2
    silent = (low <= -_FAR) & (high >= _FAR)
    push[:, o] = np.where(silent, 0.0, first / sd[o])
    pull[:, o] = np.where(silent, 0.0, np.maximum(bend, 1e-12) / sd[o] ** 2)
    n = ~o
    gap = a.answers[:, n] - expected[:, n]
    known = ~np.isnan(gap)
    push[:, n] = np.where(known, gap, 0.0) / sd[n] ** 2
    pull[:, n] = known / sd[n] ** 2
    return push, pull


def _density(z: Float2D) -> Float2D:
    found: Float2D = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return found
