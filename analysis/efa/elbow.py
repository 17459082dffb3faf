"""The hull method: the number of factors after which fit is bought too dearly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.answers import require_choice, require_whole
from analysis.efa.adequacy import adequacy_parts
from analysis.efa.extract import degrees_of_freedom, extract
from analysis.efa.indices import efa_indices
from analysis.efa.parallel import parallel_analysis
from analysis.efa.source import FromCorrelations, correlations_of, head
from analysis.errors import AnalysisError, ConvergenceError
from analysis.plots.elbow import plot_hull

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.correlations import Correlation, Kind, Missing
    from analysis.efa.source import Items

HullFit: TypeAlias = Literal["caf", "cfi"]

# Fewer numbers of factors than this make no bend.
FEWEST: Final = 3
# Draws of the parallel analysis that limits the search.
LIMIT_DRAWS: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Hull(FromCorrelations):
    """Fit against degrees of freedom, and where the curve bends.

    Attributes
    ----------
    table
        One row per number of factors from 0: `n_factors`, `df`, `fit`, `on_hull`, `st`
        (how much more the step to it brought than the next one).
    n_retained
        Number with the largest st. If fewer than three solutions are on the hull, the
        last of them if more factors were tried and fit no better, else None.
    fit
        ``"caf"``: the common part accounted for, 1 minus the KMO of the residual
        correlations of minres; ``"cfi"``: comparative fit of maximum likelihood, not
        cut at 1.
    kind, reason, n_items, n_obs, n_dropped, warnings
        See `FromCorrelations`.
    """

    table: pd.DataFrame
    n_retained: int | None
    fit: HullFit

    def tidy(self) -> pd.DataFrame:
        """One row per number of factors: n_factors, df, fit, on_hull, st."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: number retained, correlations and sizes."""
        return self.glance_row(n_retained=self.n_retained, fit=self.fit)

    def summary(self) -> str:
        """Say where the hull bends."""
        where = (
            f"({self.fit.upper()}, {self.kind} correlations, {self.n_items} items, "
            f"n = {self.n_obs})"
        )
        if self.n_retained is None:
            return f"The hull has no bend {where}"
        noun = "factor" if self.n_retained == 1 else "factors"
        return f"The hull method retains {self.n_retained} {noun} {where}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw fit over numbers of factors with the hull."""
        return plot_hull(
            self.table, self.n_retained, fit=self.fit.upper(), n=self.n_obs, ax=ax
        )


def hull(
    items: Items,
    *,
    fit: HullFit = "caf",
    most: int | None = None,
    kind: Kind | None = None,
    missing: Missing | None = None,
    seed: int = 0,
) -> Hull:
    """Find the number of factors at which the convex hull of fit bends most.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    fit
        ``"caf"`` or ``"cfi"``; the latter is a likelihood's and, with correlations
        other than Pearson's, a description.
    most
        Largest number of factors to try; by default one more than parallel analysis of
        components retains, and at least three.
    kind
        Which correlation of answers; Pearson's by default.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.
    seed
        Seed of the parallel analysis.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`; at least six items are needed, so that three factors leave degrees of
        freedom; also if `most` is below 2.

    Notes
    -----
    Lorenzo-Seva, Timmerman and Kiers (2011). Solutions that fit no better than one with
    fewer factors, and those on or below the line between their neighbours, are not on
    the hull. tests/reference/retain.R.
    """
    require_choice("fit", fit, get_args(HullFit), where="hull")
    corr = correlations_of(items, kind, missing, where="hull", at_least=6)
    if most is None:
        retained = parallel_analysis(corr, draws=LIMIT_DRAWS, seed=seed).n_retained
        most = max(retained + 1, FEWEST)
    else:
        require_whole("most", most, at_least=0, where="hull")
    if most < FEWEST - 1:
        raise AnalysisError(
            f"hull: most={most} leaves nothing to compare. Try at least {FEWEST - 1}."
        )
    values, rows = _fits(corr, fit, most)
    df = np.array([degrees_of_freedom(corr.n_items, m) for m in range(len(values))])
    on_hull = _on_hull(df.astype(np.float64), values)
    st = _bends(df.astype(np.float64), values, on_hull)
    n_retained, told = _verdict(st, on_hull, fit)
    rows += told
    return Hull(
        table=pd.DataFrame(
            {
                "n_factors": np.arange(len(values)),
                "df": df,
                "fit": values,
                "on_hull": on_hull,
                "st": st,
            }
        ),
        n_retained=n_retained,
        fit=fit,
        **head(corr, rows),
    )


def _fits(
    corr: Correlation, fit: HullFit, most: int
) -> tuple[Float1D, list[tuple[str, str, str]]]:
    """Fit of 0, 1, ... factors, as far as solutions exist."""
    rows: list[tuple[str, str, str]] = []
    values = [_caf(corr.R) if fit == "caf" else 0.0]
    for m in range(1, most + 1):
        if degrees_of_freedom(corr.n_items, m) <= 0:
            break
        try:
            values.append(_fit(corr, fit, m))
        except ConvergenceError as problem:
            told = str(problem).removeprefix("efa: ")
            rows.append((told, f"hull with {m} factors", "Fewer are compared."))
            break
    return np.array(values), rows


def _fit(corr: Correlation, fit: HullFit, m: int) -> float:
    if fit == "cfi":
        found = efa_indices(corr.R, extract(corr.R, m, method="ml"), corr.n_obs)
        # Cut at 1 it would hide which of two well-fitting solutions fits better.
        return 1 - (found.chisq - found.df) / (found.chisq_null - found.df_null)
    A = extract(corr.R, m, method="minres").loadings
    return _caf(corr.R - A @ A.T)


def _caf(residual: Float2D) -> float:
    """Compute 1 minus the KMO of residual correlations, their diagonal set to 1."""
    R = residual.copy()
    np.fill_diagonal(R, 1.0)
    r2, q2 = adequacy_parts(R)
    return 1 - float(r2.sum() / (r2.sum() + q2.sum()))


def _on_hull(df: Float1D, fit: Float1D) -> Bool1D:
    best = np.r_[-np.inf, np.maximum.accumulate(fit)[:-1]]
    kept = list(np.flatnonzero(fit > best))
    bent = True
    while bent:
        bent = False
        for before, here, after in zip(kept, kept[1:], kept[2:], strict=False):
            share = (df[before] - df[here]) / (df[before] - df[after])
            if fit[here] <= fit[before] + share * (fit[after] - fit[before]):
                kept.remove(here)
                bent = True
                break
    on_hull = np.zeros(len(fit), dtype=bool)
    on_hull[kept] = True
    return on_hull


def _verdict(
    st: Float1D, on_hull: Bool1D, fit: HullFit
) -> tuple[int | None, list[tuple[str, str, str]]]:
    """Find the largest bend, or beyond what nothing fits better."""
    if not np.isnan(st).all():
        return int(np.nanargmax(st)), []
    last = int(np.flatnonzero(on_hull)[-1])
    what = f"only {int(on_hull.sum())} solutions are on the hull"
    where = f"hull by {fit.upper()}"
    if 0 < last < len(st) - 1:
        better = f"{last} is kept, because more factors fit no better."
        return last, [(what, where, better)]
    return None, [(what, where, "Rely on the other rules, or raise most.")]


def _bends(df: Float1D, fit: Float1D, on_hull: Bool1D) -> Float1D:
    """Gain per parameter up to each solution over that beyond it; NaN at the ends."""
    st = np.full(len(fit), np.nan)
    kept = np.flatnonzero(on_hull)
    for before, here, after in zip(kept, kept[1:], kept[2:], strict=False):
        gained = (fit[here] - fit[before]) / (df[before] - df[here])
        beyond = (fit[after] - fit[here]) / (df[here] - df[after])
        st[here] = gained / beyond
    return st
