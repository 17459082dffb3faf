"""Parallel analysis: eigenvalues of the answers beside those of chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.answers import require_choice, require_whole
from analysis.efa.chance import (
    Eigenvalues,
    Null,
    chance_correlations,
    eigenvalues_of,
)
from analysis.efa.source import FromCorrelations, correlations_of, head, pairwise_row
from analysis.errors import AnalysisError
from analysis.plots.scree import plot_scree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.correlations import Correlation, Kind, Missing
    from analysis.efa.source import Items

AnyNull: TypeAlias = Literal["auto", "normal", "permutation"]

DRAWS: Final = 500
# Standard errors of a simulated percentile within which its verdict could change.
CLOSE: Final = 2.0
# Fewest draws that show how far they lie apart.
_RANGE: Final = 10
_DRAWN: Final[dict[Null, str]] = {
    "normal": "random normal data sets",
    "permutation": "permuted data sets",
}


@dataclass(frozen=True, slots=True, eq=False)
class ParallelAnalysis(FromCorrelations):
    """Eigenvalues of the answers beside those of answers without any structure.

    Attributes
    ----------
    table
        One row per eigenvalue: `number`, `observed`, `mean` and `reference` (the
        percentile) of the reference draws, `p_value` (share of draws at least as
        large), `retained`.
    n_retained
        Leading eigenvalues above their reference.
    eigenvalues, null, draws, percentile, seed
        What was asked for.
    kind, reason, n_items, n_obs, n_dropped, warnings
        See `FromCorrelations`.
    """

    table: pd.DataFrame
    n_retained: int
    eigenvalues: Eigenvalues
    null: Null
    draws: int
    percentile: float
    seed: int

    def tidy(self) -> pd.DataFrame:
        """One row per eigenvalue: number, observed, mean, reference, retained."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: number retained and how it was found."""
        return self.glance_row(
            n_retained=self.n_retained,
            eigenvalues=self.eigenvalues,
            null=self.null,
            draws=self.draws,
            percentile=self.percentile,
            seed=self.seed,
        )

    def summary(self) -> str:
        """Say how many to keep and against what."""
        what = "component" if self.eigenvalues == "principal" else "factor"
        what += "" if self.n_retained == 1 else "s"
        return (
            f"Parallel analysis retains {self.n_retained} {what} ({self.kind} "
            f"correlations, {self.n_items} items, n = {self.n_obs}; {self._against()}, "
            f"seed {self.seed})"
        )

    def _against(self) -> str:
        return f"{self.percentile:g}th percentile of {self.draws} {_DRAWN[self.null]}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scree with the reference line."""
        return plot_scree(
            self.table,
            n=self.n_obs,
            reference_label=self._against(),
            eigenvalues=self.eigenvalues,
            kind=self.kind,
            ax=ax,
        )


def parallel_analysis(
    items: Items,
    *,
    draws: int = DRAWS,
    percentile: float = 95,
    null: AnyNull = "auto",
    eigenvalues: Eigenvalues = "principal",
    kind: Kind | None = None,
    missing: Missing | None = None,
    seed: int = 0,
) -> ParallelAnalysis:
    """Count the eigenvalues that stand above those of unrelated items.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    draws
        Number of reference data sets.
    percentile
        Percentile of the reference eigenvalues to exceed, between 0 and 100.
    null
        ``"normal"``: independent normal variables (for Pearson correlations drawn as
        Wishart matrices, exact whatever n). ``"permutation"``: the answers of each item
        shuffled among those who gave one, which keeps distributions and gaps.
        ``"auto"`` takes normal draws for Pearson correlations, permutation otherwise.
    eigenvalues
        ``"principal"``: of the correlation matrix. ``"factor"``: with squared
        multiple correlations in its diagonal; keeps more.
    kind
        Which correlation of answers, Pearson's by default; draws are correlated alike.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.
    seed
        Seed of the draws; the same seed gives the same answer.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`; also for fewer than one draw, a percentile outside 1 to 100, and draws
        that need answers where only correlations were given.

    Notes
    -----
    Horn (1965); percentile rule of Glorfeld (1995); permutation of Buja and Eyuboglu
    (1992). The count stops at the first eigenvalue not above its reference. Same as
    ``psych::fa.parallel(x, SMC = TRUE)`` (with ``cor = "poly"`` for polychoric) with
    components for ``"principal"`` and factors for ``"factor"``, up to the randomness of
    its draws.
    """
    where = "parallel_analysis"
    require_choice("eigenvalues", eigenvalues, get_args(Eigenvalues), where=where)
    corr = correlations_of(items, kind, missing, where=where)
    asked = Asked(draws, percentile, null, seed)
    return parallel_analyses(corr, (eigenvalues,), asked)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is drawn, and which percentile of it counts.

    Attributes
    ----------
    draws, percentile, null, seed
        As for `parallel_analysis`.
    """

    draws: int
    percentile: float
    null: AnyNull
    seed: int

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        where = "parallel_analysis"
        require_choice("null", self.null, get_args(AnyNull), where=where)
        require_whole("seed", self.seed, at_least=0, where=where)
        require_whole("draws", self.draws, at_least=0, where=where)
        if self.draws < 1 or not 1 <= self.percentile < 100:  # noqa: PLR2004
            raise AnalysisError(
                f"parallel_analysis: draws={self.draws}, percentile={self.percentile}. "
                "Ask for at least one draw and a percentile between 1 and 100, e.g. 95."
            )


def parallel_analyses(
    corr: Correlation, which: tuple[Eigenvalues, ...], asked: Asked
) -> list[ParallelAnalysis]:
    """Compare several kinds of eigenvalues with the same draws.

    Parameters
    ----------
    corr
        Correlations of the answers.
    which
        Kinds of eigenvalues.
    asked
        What to draw.
    """
    null = _taken(asked.null, corr)
    rng = np.random.default_rng(asked.seed)
    drawn: dict[Eigenvalues, list[Float2D]] = {one: [] for one in which}
    for batch in chance_correlations(corr, null, asked.draws, rng):
        for one in which:
            drawn[one].append(eigenvalues_of(batch, one))
    return [
        _present(
            corr, np.concatenate(drawn[one]), eigenvalues=one, null=null, asked=asked
        )
        for one in which
    ]


def _taken(null: AnyNull, corr: Correlation) -> Null:
    if null != "auto":
        return null
    return "normal" if corr.kind == "pearson" else "permutation"


def _present(
    corr: Correlation,
    drawn: Float2D,
    *,
    eigenvalues: Eigenvalues,
    null: Null,
    asked: Asked,
) -> ParallelAnalysis:
    observed = eigenvalues_of(corr.R[None], eigenvalues)[0]
    reference = np.percentile(drawn, asked.percentile, axis=0)
    n_retained = leading(observed > reference)
    number = np.arange(1, len(observed) + 1)
    table = pd.DataFrame(
        {
            "number": number,
            "observed": observed,
            "mean": drawn.mean(axis=0),
            "reference": reference,
            "p_value": (drawn >= observed).mean(axis=0),
            "retained": number <= n_retained,
        }
    )
    return ParallelAnalysis(
        table=table,
        n_retained=n_retained,
        eigenvalues=eigenvalues,
        null=null,
        draws=len(drawn),
        percentile=asked.percentile,
        seed=asked.seed,
        **head(
            corr,
            [
                *_mean_or_percentile(table, n_retained),
                *_close_calls(table, n_retained, asked.percentile, drawn),
                *(pairwise_row(corr, "the reference") if null == "normal" else []),
            ],
        ),
    )


def leading(above: Bool1D) -> int:
    """How many of the first are true without a break."""
    return len(above) if above.all() else int(above.argmin())


def _mean_or_percentile(
    table: pd.DataFrame, n_retained: int
) -> Iterator[tuple[str, str, str]]:
    """Warn where mean and percentile of the draws would decide differently."""
    by_mean = leading((table["observed"] > table["mean"]).to_numpy())
    if by_mean > n_retained:
        number = (
            f"eigenvalue {by_mean} exceeds"
            if by_mean == n_retained + 1
            else f"eigenvalues {n_retained + 1} to {by_mean} exceed"
        )
        yield (
            f"{number} only the mean of draws",
            f"{n_retained} or {by_mean} factors",
            "Compare both solutions by content before deciding.",
        )


def _close_calls(
    table: pd.DataFrame, n_retained: int, percentile: float, drawn: Float2D
) -> Iterator[tuple[str, str, str]]:
    """Warn where another seed could decide differently.

    Few draws never settle the share above an eigenvalue, yet one that lies further from
    all of them than they lie apart needs no share.
    """
    wanted, draws = 1 - percentile / 100, len(drawn)
    error = CLOSE * float(np.sqrt(wanted * (1 - wanted) / draws))
    for at in {n_retained - 1, n_retained} & set(range(len(table))):
        share = float(table["p_value"].iloc[at])
        if abs(share - wanted) < error and not _far(
            float(table["observed"].iloc[at]), drawn[:, at]
        ):
            yield (
                f"eigenvalue {at + 1} is decided within simulation error",
                f"{at} or {at + 1} factors",
                f"Draw more than {draws}, and compare both solutions by content.",
            )


def _far(value: float, drawn: Float1D) -> bool:
    """Whether a value lies further from all draws than they lie apart."""
    low, high = float(drawn.min()), float(drawn.max())
    outside = max(low - value, value - high)
    return len(drawn) >= _RANGE and outside > high - low
