"""Eigenvalues against one: Kaiser's rule and what makes it honest about chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.efa.parallel import leading
from analysis.efa.source import FromCorrelations, correlations_of, head, pairwise_row
from analysis.plots.scree import plot_scree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Float1D
    from analysis.correlations import Kind, Missing
    from analysis.efa.source import Items


@dataclass(frozen=True, slots=True, eq=False)
class EmpiricalKaiser(FromCorrelations):
    """Eigenvalues beside those expected of unrelated items given the ones before.

    Attributes
    ----------
    table
        One row per eigenvalue: `number`, `observed`, `reference`, `retained`.
    n_retained
        Leading eigenvalues above their reference.
    n_kaiser
        Eigenvalues above 1, for comparison only: Kaiser's rule keeps too many.
    kind, reason, n_items, n_obs, n_dropped, warnings
        See `FromCorrelations`.
    """

    table: pd.DataFrame
    n_retained: int
    n_kaiser: int

    def tidy(self) -> pd.DataFrame:
        """One row per eigenvalue: number, observed, reference, retained."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: both numbers, correlations and sizes."""
        return self.glance_row(n_retained=self.n_retained, n_kaiser=self.n_kaiser)

    def summary(self) -> str:
        """Say how many to keep."""
        return (
            f"The empirical Kaiser criterion retains {self.n_retained} factors "
            f"({self.kind} correlations, {self.n_items} items, n = {self.n_obs}; "
            f"{self.n_kaiser} eigenvalues exceed 1)"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scree with the reference eigenvalues."""
        return plot_scree(
            self.table,
            n=self.n_obs,
            reference_label="empirical Kaiser criterion",
            kind=self.kind,
            ax=ax,
        )


def ekc(
    items: Items, *, kind: Kind | None = None, missing: Missing | None = None
) -> EmpiricalKaiser:
    """Count eigenvalues above what chance and earlier factors leave to expect.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    kind
        Which correlation of answers; Pearson's by default, for which the criterion is
        derived.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`.

    Notes
    -----
    Braeken and van Assen (2017), eq. 2: max((p - sum of earlier eigenvalues) / (p - j +
    1) (1 + sqrt(p/n))^2, 1).
    """
    corr = correlations_of(items, kind, missing, where="ekc")
    observed = np.linalg.eigvalsh(corr.R).astype(np.float64)[::-1]
    reference = expected_eigenvalues(observed, corr.n_obs)
    n_retained = leading(observed > reference)
    number = np.arange(1, len(observed) + 1)
    return EmpiricalKaiser(
        table=pd.DataFrame(
            {
                "number": number,
                "observed": observed,
                "reference": reference,
                "retained": number <= n_retained,
            }
        ),
        n_retained=n_retained,
        n_kaiser=int((observed > 1).sum()),
        **head(corr, pairwise_row(corr, "the reference")),
    )


def expected_eigenvalues(observed: Float1D, n: int) -> Float1D:
    """Find reference eigenvalues given the observed ones, largest first, (p,)."""
    p = len(observed)
    before = np.cumsum(observed) - observed
    left = (p - before) / (p - np.arange(p))
    reference: Float1D = np.maximum(left * (1 + np.sqrt(p / n)) ** 2, 1.0)
    return reference
