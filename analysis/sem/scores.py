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
_CHUNK: Final = 5000


@dataclass(frozen=True, slots=True, eq=False)
class FactorScores:
    """Scores of respondents on latent variables.

    Attributes
    ----------
    frame
        One row per respondent used, indexed as the data were; one column per latent
        variable, and ``group`` where there are several.
    std_error
        Standard errors of measurement of each score, same shape without ``group``; NaN
        where an improper solution (see ``fit.warnings``) has a negative variance.
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
        respondent's score, not replaced.
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
    eta) - eta' Psi^-1 eta / 2. Same as ``lavaan::lavPredict(fit, method)``;
    tests/reference/sem_post.R.
    """
    if not fit.latent:
        raise AnalysisError("factor_scores: the model has no latent variable.")
    ordinal = bool(fit.table.categories)
    chosen = _chosen(method, ordinal=ordinal)
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
    error = (se**2).mean(axis=0)
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
        out[here] = constant + (x[here][:, answered] - mean) @ weights.T
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
    weights = inverse(middle) @ latent.T @ inner
    return weights, mean, mean_eta, np.diag(inverse(middle))


def _rows(moments: Moments) -> Float2D:
    if moments.x is None:
        raise AnalysisError("factor_scores: the model was fitted without rows.")
    return moments.x


def _modes(layout: Layout, m: Matrices, moments: Moments) -> tuple[Float2D, Float2D]:
    """Modes of the latent variables given ordered (and numeric) answers."""
    x = _rows(moments)
    parts = [
        _modes_of(layout, m, x[low : low + _CHUNK]) for low in range(0, len(x), _CHUNK)
    ]
    return np.vstack([p[0] for p in parts]), np.vstack([p[1] for p in parts])


def _modes_of(layout: Layout, m: Matrices, x: Float2D) -> tuple[Float2D, Float2D]:
    """Newton's method for all rows together."""
    k = len(layout.table.latent)
    Lambda = m.Lambda[:, :k]
    prior = np.linalg.inv(eta_cov(m)[:k, :k])
    _, effects = total_effects(m)
    mean = (effects @ m.alpha)[:k]
    bounds = _bounds(layout, m, x)
    numeric = np.where(np.isnan(x), np.nan, x - m.nu)
    eta = np.tile(mean, (len(x), 1))
    for _ in range(_STEPS):
        push, pull = _force(eta @ Lambda.T, bounds, numeric, m)
        slope = push @ Lambda - (eta - mean) @ prior
        bend = np.einsum("ni,ik,il->nkl", pull, Lambda, Lambda) + prior
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


def _force(
    expected: Float2D,
    bounds: tuple[Float2D, Float2D, Bool1D],
    numeric: Float2D,
    m: Matrices,
) -> tuple[Float2D, Float2D]:
    """First and (negative) second derivatives of log P by the expected y*."""
    push, pull = np.zeros_like(expected), np.zeros_like(expected)
    (low, high, o), sd, nu = bounds, np.sqrt(np.diag(m.Theta)), m.nu
    centre = expected[:, o] + nu[o]
    a, b = (low[:, o] - centre) / sd[o], (high[:, o] - centre) / sd[o]
    # The difference of two tails, taken on the side where it keeps its digits.
    flip = a > 0
    upper, lower = np.where(flip, -a, b), np.where(flip, -b, a)
    p = np.maximum(ndtr(upper) - ndtr(lower), np.exp(log_ndtr(-np.abs(upper)) - 40))
    fa, fb = _density(a), _density(b)
    first = (fa - fb) / p
    push[:, o] = first / sd[o]
    bend = (b * fb - a * fa) / p + first**2
    pull[:, o] = np.maximum(bend, 1e-12) / sd[o] ** 2
    silent = (low[:, o] <= -_FAR) & (high[:, o] >= _FAR)
    push[:, o] = np.where(silent, 0.0, push[:, o])
    pull[:, o] = np.where(silent, 0.0, pull[:, o])
    n = ~o
    gap = numeric[:, n] - expected[:, n]
    known = ~np.isnan(gap)
    push[:, n] = np.where(known, gap, 0.0) / sd[n] ** 2
    pull[:, n] = known / sd[n] ** 2
    return push, pull


def _density(z: Float2D) -> Float2D:
    found: Float2D = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return found
