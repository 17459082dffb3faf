"""Estimated factor scores and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.answers import item_codes, require_choice
from analysis.errors import AnalysisError, TooFewError
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D
    from analysis.efa.fit import EfaFit

ScoreMethod: TypeAlias = Literal["regression", "bartlett", "ten_berge"]

# Grice (2001): below this, scores are no substitute for the factor.
DETERMINED: Final = 0.90
# Gorsuch (1983): below this, two people's order on the factor is a guess.
USABLE: Final = 0.80


@dataclass(frozen=True, slots=True, eq=False)
class FactorScores:
    """Scores of respondents on factors.

    Attributes
    ----------
    frame
        Respondents x factors; NaN for a respondent who left an item unanswered.
    weights
        What standardised answers are multiplied with, items x factors.
    factors
        One row per factor: `determinacy`, the correlation of the best possible score
        with the factor; `validity`, that of these scores; `r_squared`, determinacy
        squared; `least_agreement`, the lowest correlation that two equally good sets of
        scores may have.
    correlation
        Correlations of the scores that the model expects, factors x factors.
    phi
        Correlations of the factors, which those of the scores should meet.
    method
        How weights were found.
    n_obs, n_missing
        Respondents with scores, and without.
    warnings
        Factors that are poorly determined: what, where, remedy.
    """

    frame: pd.DataFrame
    weights: pd.DataFrame
    factors: pd.DataFrame
    correlation: pd.DataFrame
    phi: pd.DataFrame
    method: ScoreMethod
    n_obs: int
    n_missing: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item and factor: item, factor, estimate (weight)."""
        p, k = self.weights.shape
        return pd.DataFrame(
            {
                "item": np.repeat(self.weights.index.to_numpy(), k),
                "factor": np.tile(self.weights.columns.to_numpy(), p),
                "estimate": self.weights.to_numpy().ravel(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: method, sizes, lowest determinacy and validity."""
        return pd.DataFrame(
            {
                "method": [self.method],
                "n_factors": [len(self.factors)],
                "n_obs": [self.n_obs],
                "n_missing": [self.n_missing],
                "lowest_determinacy": [float(self.factors["determinacy"].min())],
                "lowest_validity": [float(self.factors["validity"].min())],
            }
        )

    def summary(self) -> str:
        """Say how well scores stand for factors."""
        each = ", ".join(
            f"{name} {row['validity']:.2f}"
            for name, row in zip(
                self.factors.index, self.factors.to_dict("records"), strict=True
            )
        )
        return (
            f"Factor scores ({self.method}) of {self.n_obs} respondents correlate with "
            f"their factors: {each}"
        )


def factor_scores(
    fit: EfaFit,
    items: pd.DataFrame | None = None,
    *,
    method: ScoreMethod = "regression",
) -> FactorScores:
    """Estimate where respondents stand on the factors.

    Parameters
    ----------
    fit
        From `efa`.
    items
        Answers to score, with the items of `fit`; those it was fitted to otherwise.
        They are standardised with the means and standard deviations of the answers
        that were fitted. Missing answers give missing scores.
    method
        ``"regression"`` (Thurstone): closest to the factor; ``"bartlett"``: unbiased
        for a respondent; ``"ten_berge"``: correlate exactly as the factors do.

    Raises
    ------
    AnalysisError
        If items are not those of the fit, there are no answers to score, or a
        uniqueness is zero where Bartlett's weights divide by it.

    Notes
    -----
    Thurstone (1935), Bartlett (1937), ten Berge, Krijnen, Wansbeek and Shapiro (1999).
    Same as ``psych::factor.scores(x, f, Phi, method = "Thurstone" / "Bartlett" /
    "tenBerge")``; `r_squared` is its ``R2`` for Thurstone. With polychoric correlations
    weights and determinacy belong to the normal variables behind the answers, and the
    scores of the answers themselves are somewhat less valid.
    """
    require_choice("method", method, get_args(ScoreMethod), where="factor_scores")
    R, L = fit.source.R, fit.pattern.to_numpy()
    Phi, S = fit.phi.to_numpy(), fit.structure.to_numpy()
    W = score_weights(R, L, Phi, fit.items["uniqueness"].to_numpy(), method)
    names = list(fit.pattern.columns)
    scored = _standardised(fit, items)
    frame = pd.DataFrame(scored.to_numpy() @ W, index=scored.index, columns=names)
    expected = W.T @ R @ W
    sd = np.sqrt(np.diag(expected))
    best = np.einsum("ij,ij->j", S, np.linalg.solve(R, S))
    factors = pd.DataFrame(
        {
            "determinacy": np.sqrt(best),
            "validity": np.diag(W.T @ S) / sd,
            "r_squared": best,
            "least_agreement": 2 * best - 1,
        },
        index=pd.Index(names, name="factor"),
    )
    n_obs = int(frame.notna().all(axis=1).sum())
    return FactorScores(
        frame=frame,
        weights=pd.DataFrame(W, index=fit.pattern.index, columns=names),
        factors=factors,
        correlation=pd.DataFrame(
            expected / np.outer(sd, sd), index=names, columns=names
        ),
        phi=fit.phi,
        method=method,
        n_obs=n_obs,
        n_missing=len(frame) - n_obs,
        warnings=warning_table(
            [
                *_undetermined(factors),
                *_behind(fit),
                *_unscored(len(frame) - n_obs, len(frame)),
            ]
        ),
    )


def score_weights(
    R: Float2D, L: Float2D, Phi: Float2D, uniqueness: Float1D, method: ScoreMethod
) -> Float2D:
    """Weights of standardised answers, shape (p, k).

    Parameters
    ----------
    R
        Correlations of items, shape (p, p).
    L, Phi, uniqueness
        Pattern, factor correlations and uniquenesses.
    method
        See `factor_scores`.
    """
    if method == "regression":
        return np.linalg.solve(R, L @ Phi).astype(np.float64)
    if method == "bartlett":
        if uniqueness.min() <= 0:
            raise AnalysisError(
                f"factor_scores: a uniqueness is {uniqueness.min():.3f} (Heywood "
                "case), and Bartlett's weights divide by it. Use method='regression'."
            )
        weighted = L / uniqueness[:, None]
        return np.linalg.solve(L.T @ weighted, weighted.T).T.astype(np.float64)
    half = _power(R, -0.5)
    turned = half @ L @ _power(Phi, 0.5)
    weights: Float2D = (
        half @ turned @ _power(turned.T @ turned, -0.5) @ _power(Phi, 0.5)
    )
    return weights


def _power(M: Float2D, exponent: float) -> Float2D:
    values, vectors = np.linalg.eigh(M)
    powered: Float2D = (vectors * values**exponent) @ vectors.T
    return powered


def _standardised(fit: EfaFit, items: pd.DataFrame | None) -> pd.DataFrame:
    fitted = fit.source.codes
    names = list(fit.source.names)
    if not len(fitted):
        raise AnalysisError(
            "factor_scores: the correlations were given without answers, so means and "
            "standard deviations are unknown. Fit to answers."
        )
    index = pd.Index(range(len(fitted)))
    codes = fitted
    if items is not None:
        if absent := [name for name in names if name not in items.columns]:
            raise AnalysisError(
                f"factor_scores: items {absent} of the fit are not among the columns "
                "given. Give the same items."
            )
        codes = item_codes(items[names], where="factor_scores", at_least=1)
        index = items.index
    if not len(codes):
        raise TooFewError("factor_scores: no respondents given. Give answers to score.")
    mean, sd = np.nanmean(fitted, axis=0), np.nanstd(fitted, axis=0, ddof=1)
    return pd.DataFrame((codes - mean) / sd, index=index, columns=names)


def _undetermined(factors: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    for name, value in factors["determinacy"].items():
        if value < USABLE:
            yield (
                f"determinacy {value:.2f} is below {USABLE:.2f}",
                f"factor {name}",
                "Do not use its scores; add items to the factor.",
            )
        elif value < DETERMINED:
            yield (
                f"determinacy {value:.2f} is below {DETERMINED:.2f}",
                f"factor {name}",
                "Use scores for description, and a structural model for relations.",
            )


def _unscored(count: int, n: int) -> Iterator[tuple[str, str, str]]:
    if count:
        yield (
            "scores_missing",
            f"{count} of {n} respondents miss an answer: no score",
            "Compare them with the others, or use scores that need not every answer.",
        )


def _behind(fit: EfaFit) -> Iterator[tuple[str, str, str]]:
    if fit.source.kind != "pearson":
        yield (
            f"weights come from {fit.source.kind} correlations, scores from codes",
            "factor scores",
            "Read validities as upper limits, or score from a fitted ordinal model.",
        )
