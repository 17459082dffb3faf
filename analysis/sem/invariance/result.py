"""The outcome of an invariance analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.invariance import plot_ladder
from analysis.result import format_p

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.sem.fit import SemFit
    from analysis.sem.invariance.steps import Step
    from analysis.sem.invariance.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class Invariance:
    """Models with more and more parameters equal, side by side.

    Attributes
    ----------
    table
        One row per step: step, words; chisq df pvalue, scaled ones with corrected
        tests; cfi tli rmsea (robust where they exist, scaled with ordered variables,
        whose robust ones see no thresholds, or where a step has no robust ones;
        `index` says which) srmr; aic bic with likelihoods; delta_chisq delta_df
        delta_pvalue against the step before (a scaled difference test, `method` says
        which), delta_cfi delta_rmsea delta_srmr; holds (yes, no, or unclear, see
        `criteria`; not testable where a step has the degrees of freedom of the one
        before); released, how many equalities were given up.
    fits
        The fitted models by step.
    candidates
        Score tests of the equalities of the first step that does not clearly hold;
        empty when all do.
    released
        Parameters that are not equal, spelt as in the model, with the step at which
        they were released.
    criteria
        What makes a step hold, in words.
    groups
        Number of respondents of each group (or occasion).
    warnings
        What is odd about data or solutions: what, where, remedy.
    study, steps
        What all steps share, and what is equal at each of them.
    """

    table: pd.DataFrame
    fits: Mapping[str, SemFit]
    candidates: pd.DataFrame
    released: pd.DataFrame
    criteria: str
    groups: Mapping[str, int]
    warnings: pd.DataFrame
    study: Study
    steps: tuple[Step, ...]

    def refit(self, step: str, partial: tuple[str, ...]) -> SemFit:
        """Fit a step again with further parameters that need not be equal."""
        self.fit(step)
        equal = next(s.equal for s in self.steps if s.name == step)
        return self.study.releasing(partial).step(equal)

    def fit(self, step: str) -> SemFit:
        """Look a fitted model up by its step.

        Raises
        ------
        AnalysisError
            If there is no such step.
        """
        if step not in self.fits:
            raise AnalysisError(
                f"invariance: no step {step!r}. There are {', '.join(self.fits)}."
            )
        return self.fits[step]

    @property
    def reached(self) -> str:
        """The last tested step up to which all hold; none without a first one."""
        last = "none"
        for k, row in enumerate(self.table.to_dict("records")):
            if row["holds"] == "not testable" and k:
                continue
            if row["holds"] != "yes":
                break
            last = str(row["step"])
        return last

    def tidy(self) -> pd.DataFrame:
        """One row per step."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the last step that holds, groups and respondents."""
        return pd.DataFrame(
            {
                "reached": [self.reached],
                "n_steps": [len(self.table)],
                "n_released": [len(self.released)],
                "n_groups": [len(self.groups)],
                "n_obs": [sum(self.groups.values())],
                "smallest_group": [min(self.groups.values())],
            }
        )

    def summary(self) -> str:
        """Say what each step brings, as papers print it."""
        parts = []
        for row in self.table.to_dict("records"):
            if not np.isfinite(row["delta_chisq"]):
                continue
            parts.append(
                f"{row['words']}: Delta chi2({row['delta_df']}) = "
                f"{row['delta_chisq']:.2f}, {format_p(float(row['delta_pvalue']))}, "
                f"Delta CFI = {row['delta_cfi']:.3f}, "
                f"Delta RMSEA = {row['delta_rmsea']:.3f} ({row['holds']})"
            )
        sizes = ", ".join(f"{name} n = {n}" for name, n in self.groups.items())
        freed = f"; {len(self.released)} released" if len(self.released) else ""
        known = self.table.loc[self.table["holds"] == "unclear", "step"]
        unclear = f"; unclear: {', '.join(known)}" if len(known) else ""
        end = f"Holds up to: {self.reached}{unclear}{freed} ({sizes})."
        return f"{'; '.join(parts)}. {end}" if parts else end

    def plot(self, ax: Axes | None = None) -> Axes:
        """Fit along the ladder: CFI and RMSEA by step, with the steps that hold."""
        return plot_ladder(self.table, n_obs=sum(self.groups.values()), ax=ax)
