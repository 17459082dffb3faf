"""How many factors to keep: parallel analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.efa.correlation import pearson
from analysis.errors import AnalysisError
from analysis.plots.scree import plot_scree
from analysis.result import dropped_rows, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.efa.correlation import Correlation, Missing

Kind: TypeAlias = Literal["normal", "permutation"]
Eigenvalues: TypeAlias = Literal["principal", "factor"]

# Cells of one batch of permuted answers: 8 MB at a time.
BATCH_CELLS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ParallelAnalysis:
    """Eigenvalues of the answers beside those of answers without any structure.

    Attributes
    ----------
    table
        One row per eigenvalue: `number`, `observed`, `mean` and `reference` (the
        percentile) of the reference draws, `retained`.
    n_retained
        Leading eigenvalues above their reference.
    eigenvalues, kind, draws, percentile, seed
        What was asked for.
    n_items, n_obs, n_dropped
        Items, respondents used, and left out for missing answers.
    warnings
        Factors that the percentile decides by a hair: what, where, remedy.
    """

    table: pd.DataFrame
    n_retained: int
    eigenvalues: Eigenvalues
    kind: Kind
    draws: int
    percentile: float
    seed: int
    n_items: int
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per eigenvalue: number, observed, mean, reference, retained."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: number retained and how it was found."""
        names = (
            "n_retained eigenvalues kind draws percentile seed n_items n_obs n_dropped"
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names.split()}])

    def summary(self) -> str:
        """Say how many to keep and against what."""
        what = "component" if self.eigenvalues == "principal" else "factor"
        what += "" if self.n_retained == 1 else "s"
        against = f"{self.percentile:g}th percentile of {self.draws}"
        return (
            f"Parallel analysis retains {self.n_retained} {what} "
            f"({self.n_items} items, n = {self.n_obs}; {against} "
            f"{_DRAWN[self.kind]}, seed {self.seed})"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scree with the reference line."""
        return plot_scree(
            self.table,
            n=self.n_obs,
            reference_label=(
                f"{self.percentile:g}th percentile of {self.draws} {_DRAWN[self.kind]}"
            ),
            eigenvalues=self.eigenvalues,
            ax=ax,
        )


_DRAWN: dict[Kind, str] = {
    "normal": "random normal data sets",
    "permutation": "permuted data sets",
}


def parallel_analysis(
    items: pd.DataFrame,
    *,
    draws: int = 100,
    percentile: float = 95,
    kind: Kind = "normal",
    eigenvalues: Eigenvalues = "principal",
    missing: Missing = "listwise",
    seed: int = 0,
) -> ParallelAnalysis:
    """Count the eigenvalues that stand above those of unrelated items.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA.
    draws
        Number of reference data sets.
    percentile
        Percentile of the reference eigenvalues to exceed, between 0 and 100.
    kind
        ``"normal"``: independent normal variables, drawn as Wishart matrices
        (exact, whatever n). ``"permutation"``: the answers of each item shuffled,
        which keeps their distributions; needs complete rows.
    eigenvalues
        ``"principal"``: of the correlation matrix. ``"factor"``: with squared
        multiple correlations in its diagonal; keeps more.
    missing
        ``"listwise"`` or ``"pairwise"``.
    seed
        Seed of the draws; the same seed gives the same answer.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`; also for fewer than one draw, a percentile outside 0 to 100, and
        permutation with pairwise correlations.

    Notes
    -----
    Horn (1965); percentile rule of Glorfeld (1995). The count stops at the first
    eigenvalue not above its reference. Same as ``psych::fa.parallel(x, SMC = TRUE)``
    with components for ``"principal"`` and factors for ``"factor"``, up to the
    randomness of its draws.
    """
    if draws < 1 or not 0 < percentile < 100:  # noqa: PLR2004
        raise AnalysisError(
            f"parallel_analysis: draws={draws}, percentile={percentile}. Ask for at "
            "least one draw and a percentile between 0 and 100."
        )
    if kind == "permutation" and missing == "pairwise":
        raise AnalysisError(
            "parallel_analysis: permuting needs complete rows, got missing='pairwise'. "
            "Use missing='listwise' or kind='normal'."
        )
    corr = pearson(items, missing=missing, where="parallel_analysis")
    rng = np.random.default_rng(seed)
    drawn: Float2D = np.concatenate(
        [_eigenvalues(batch, eigenvalues) for batch in _batches(corr, draws, kind, rng)]
    )
    observed = _eigenvalues(corr.R[None], eigenvalues)[0]
    reference = np.percentile(drawn, percentile, axis=0)
    n_retained = _leading(observed > reference)
    number = np.arange(1, len(observed) + 1)
    table = pd.DataFrame(
        {
            "number": number,
            "observed": observed,
            "mean": drawn.mean(axis=0),
            "reference": reference,
            "retained": number <= n_retained,
        }
    )
    return ParallelAnalysis(
        table=table,
        n_retained=n_retained,
        eigenvalues=eigenvalues,
        kind=kind,
        draws=draws,
        percentile=percentile,
        seed=seed,
        n_items=len(corr.names),
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        warnings=warning_table(
            [
                *_close_calls(observed, drawn, n_retained),
                *dropped_rows(corr.n_dropped, len(items)),
            ]
        ),
    )


def _eigenvalues(R: Float2D, eigenvalues: Eigenvalues) -> Float2D:
    """Eigenvalues of each matrix of the stack, largest first, shape (draws, p)."""
    if eigenvalues == "factor":
        R = R.copy()
        p = R.shape[-1]
        R[:, range(p), range(p)] = 1 - 1 / np.diagonal(
            np.linalg.inv(R), axis1=1, axis2=2
        )
    ascending = np.linalg.eigvalsh(R).astype(np.float64)
    return ascending[:, ::-1]


def _batches(
    corr: Correlation, draws: int, kind: Kind, rng: np.random.Generator
) -> Iterator[Float2D]:
    """Correlation matrices of unrelated items, shape (batch, p, p)."""
    n, p = corr.codes.shape
    size = p * (n if kind == "permutation" else p)
    batch = max(BATCH_CELLS // size, 1)
    for done in range(0, draws, batch):
        count = min(batch, draws - done)
        if kind == "normal":
            yield _correlations(_wishart_roots(n, p, count, rng))
        else:
            z = corr.codes - corr.codes.mean(axis=0)
            stacked = np.broadcast_to(z, (count, n, p)).copy()
            yield _correlations(rng.permuted(stacked, axis=1).swapaxes(1, 2))


def _wishart_roots(n: int, p: int, count: int, rng: np.random.Generator) -> Float2D:
    """Triangular roots of the scatter of n independent normal rows (Bartlett, 1933)."""
    roots = np.tril(rng.standard_normal((count, p, p)), -1)
    freedom = n - 1 - np.arange(p)
    roots[:, range(p), range(p)] = np.sqrt(rng.chisquare(freedom, (count, p)))
    return roots


def _correlations(roots: Float2D) -> Float2D:
    """Correlations from roots of scatter matrices, items in rows."""
    unit = roots / np.sqrt((roots**2).sum(axis=2, keepdims=True))
    stack: Float2D = unit @ unit.swapaxes(1, 2)
    return stack


def _leading(above: Bool1D) -> int:
    return len(above) if above.all() else int(above.argmin())


def _close_calls(
    observed: Float1D, drawn: Float2D, n_retained: int
) -> Iterator[tuple[str, str, str]]:
    """Warn where mean and percentile of the draws would decide differently."""
    by_mean = _leading(observed > drawn.mean(axis=0))
    if by_mean > n_retained:
        yield (
            f"eigenvalues {n_retained + 1} to {by_mean} exceed only the mean of draws",
            f"{n_retained} or {by_mean} factors",
            "Compare both solutions by content before deciding.",
        )
