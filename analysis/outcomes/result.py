"""Regressions of several outcomes, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.forest import forest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.regression import HierarchicalFit, RegressionFit

_CLEAR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Explanations:
    """Regressions of several outcomes on the same predictors.

    Attributes
    ----------
    fits
        Outcome to its regression on controls and predictors. Scores and numbers:
        least squares on z scores; two options: logistic, of the one with the higher
        code; one likert item: ordinal. Predictors and controls that are numbers are z
        scores.
    blocks
        Outcome to the hierarchical regression (controls, then predictors), for the
        outcomes fitted by least squares.
    labels
        Words for outcomes and predictors.
    predictors
        The predictors, in order.
    warnings
        Warnings of all regressions; an outcome that could not be explained, and why.
    """

    fits: dict[str, RegressionFit]
    blocks: dict[str, HierarchicalFit]
    labels: dict[str, str]
    predictors: tuple[str, ...]
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per outcome and coefficient."""
        parts = [
            fit.tidy().assign(outcome=name, model=fit.kind, n_obs=fit.n_obs)
            for name, fit in self.fits.items()
        ]
        if not parts:
            return pd.DataFrame(columns=["outcome", "model", "term", "estimate"])
        table = pd.concat(parts, ignore_index=True)
        first = ["outcome", "model", "term"]
        return table[first + [c for c in table if c not in first]]

    def glance(self) -> pd.DataFrame:
        """One row per outcome: model, n and measures of fit."""
        parts = [
            fit.glance().assign(outcome=name, model=fit.kind)
            for name, fit in self.fits.items()
        ]
        if not parts:
            return pd.DataFrame(columns=["outcome", "model"])
        table = pd.concat(parts, ignore_index=True)
        first = ["outcome", "model"]
        return table[first + [c for c in table if c not in first]]

    def steps(self) -> pd.DataFrame:
        """One row per outcome and block: what the predictors add to the controls."""
        parts = [fit.table.assign(outcome=name) for name, fit in self.blocks.items()]
        if not parts:
            return pd.DataFrame(columns=["outcome", "step"])
        table = pd.concat(parts, ignore_index=True)
        return table[["outcome"] + [c for c in table if c != "outcome"]]

    def summary(self) -> str:
        """Say each outcome's fit in a sentence; without a fit, why there is none."""
        if not self.fits:
            reasons = " ".join(self.warnings["remedy"].astype(str))
            return f"No outcome is explained. {reasons}".strip()
        return "; ".join(
            f"{self.labels.get(name, name)}: {fit.summary()}"
            for name, fit in self.fits.items()
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the predictors' coefficients, outcomes side by side.

        Raises
        ------
        AnalysisError
            If no outcome could be explained.
        """
        table = self.tidy()
        if table.empty:
            raise AnalysisError(f"There is nothing to draw. {self.summary()}")
        names = table["term"].astype(str).str.split("[", n=1).str[0]
        shown = table[names.isin(self.predictors)]
        said = {name: self._outcome(name) for name in self.fits}
        shown = shown.assign(outcome=shown["outcome"].map(said))
        sizes = sorted({fit.n_obs for fit in self.fits.values()})
        n = f"n = {sizes[0]}" + (f" to {sizes[-1]}" if len(sizes) > 1 else "")
        words = {str(term): self._term(str(term)) for term in shown["term"]}
        return forest(
            shown,
            title=_clearest(shown, words),
            n=n,
            xlabel="coefficient of z scores, with 95 % interval",
            labels=words,
            group="outcome",
            ax=ax,
        )

    def _outcome(self, name: str) -> str:
        """Say what the coefficients of an outcome are changes of."""
        label, fit = self.labels.get(name, name), self.fits[name]
        if fit.kind == "logistic":
            return f"{label} = {fit.outcome.partition(' = ')[2]} (log odds)"
        return f"{label} (log odds)" if fit.kind == "ordinal" else label

    def _term(self, term: str) -> str:
        """Say what a predictor is called; of a category, which one."""
        name, _, level = term.partition("[T.")
        label = self.labels.get(name, name)
        return f"{label}: {level.removesuffix(']')}" if level else label


def _clearest(shown: pd.DataFrame, words: dict[str, str]) -> str:
    """Name the association that is furthest from none, in standard errors."""
    distance = (shown["estimate"] / shown["std_error"]).abs()
    first = shown.loc[distance.sort_values().index[-1]]
    if not first["p_value"] < _CLEAR:
        return "No predictor goes clearly with an outcome"
    return f"{words[str(first['term'])]} goes most clearly with {first['outcome']}"
