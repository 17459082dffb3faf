"""How many factors: the verdicts of several rules side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.efa.elbow import hull
from analysis.efa.kaiser import ekc
from analysis.efa.parallel import DRAWS, Asked, parallel_analyses
from analysis.efa.partials import map_test
from analysis.efa.source import FromCorrelations, correlations_of, head, noted
from analysis.plots.verdicts import plot_scree_rules, plot_verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from analysis.correlations import Correlation, Kind, Missing
    from analysis.efa.elbow import Hull
    from analysis.efa.kaiser import EmpiricalKaiser
    from analysis.efa.parallel import AnyNull, ParallelAnalysis
    from analysis.efa.partials import MapTest
    from analysis.efa.source import Items

# The hull needs this many items for three factors with degrees of freedom.
HULL_ITEMS: Final = 6
# Rules further apart than this say that items do not fall into clear factors.
APART: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class FactorCount(FromCorrelations):
    """Verdicts on the number of factors.

    Attributes
    ----------
    table
        One row per rule: `rule`, `n_factors` (missing where a rule has no verdict),
        `counts` (components or factors), `votes` (whether it is heard; Kaiser's rule
        and parallel analysis of reduced correlations are shown for comparison),
        `basis`.
    suggested
        What most voting rules say; on a tie, what parallel analysis says if it is among
        them, else the smallest.
    parallel, parallel_factor, map, ekc, hulls
        The rules' own results; hulls by CAF and by CFI (none for fewer than six items).
    kind, reason, n_items, n_obs, n_dropped, warnings
        See `FromCorrelations`.
    """

    table: pd.DataFrame
    suggested: int
    parallel: ParallelAnalysis
    parallel_factor: ParallelAnalysis
    map: MapTest
    ekc: EmpiricalKaiser
    hulls: tuple[Hull, ...]

    def tidy(self) -> pd.DataFrame:
        """One row per rule: rule, n_factors, counts, votes, basis."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: suggestion, range of the voting rules, correlations and sizes."""
        heard = _heard(self.table)
        return self.glance_row(
            suggested=self.suggested,
            agree=int((heard == self.suggested).sum()),
            voting=len(heard),
            lowest=int(heard.min()),
            highest=int(heard.max()),
        )

    def summary(self) -> str:
        """Say what most rules say, and how far they are apart."""
        row = self.glance().iloc[0]
        noun = "factor" if self.suggested == 1 else "factors"
        spread = (
            "all agree"
            if row["lowest"] == row["highest"]
            else f"from {row['lowest']} to {row['highest']}"
        )
        return (
            f"{row['agree']} of {row['voting']} rules say {self.suggested} {noun} "
            f"({spread}; {self.kind} correlations, {self.n_items} items, "
            f"n = {self.n_obs})"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scree with its references, average partials, and all verdicts.

        Only the scree where `ax` is given.
        """
        if ax is not None:
            return plot_scree_rules(self.parallel.table, self.ekc.table, self._told, ax)
        return plot_verdicts(
            self.parallel.table,
            self.ekc.table,
            self.map.table,
            self.table,
            suggested=self.suggested,
            told=self._told,
        )

    @property
    def _told(self) -> dict[str, str]:
        p = self.parallel
        drawn = "normal" if p.null == "normal" else "permuted"
        return {
            "parallel": f"{p.percentile:g}th percentile of {p.draws} {drawn} data sets",
            "subtitle": (
                f"{self.kind.capitalize()} correlations of {self.n_items} items, "
                f"n = {self.n_obs:,}"
            ),
            "title": self.summary().split(" (", maxsplit=1)[0],
        }


def n_factors(
    items: Items,
    *,
    draws: int = DRAWS,
    percentile: float = 95,
    null: AnyNull = "auto",
    kind: Kind | None = None,
    missing: Missing | None = None,
    seed: int = 0,
) -> FactorCount:
    """Ask several rules how many factors there are.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    draws, percentile, null
        Of parallel analysis; see `parallel_analysis`.
    kind
        Which correlation of answers, Pearson's by default; every rule takes the same.
    missing
        ``"listwise"`` (default) or ``"pairwise"``.
    seed
        Seed of the draws.

    Raises
    ------
    TooFewError, AnalysisError
        As `efa`; at least three items are needed.

    Notes
    -----
    A number is a reason to look at solutions, not a decision: compare neighbouring
    numbers by content and by replication (`congruence`).
    """
    corr = correlations_of(items, kind, missing, where="n_factors", at_least=3)
    asked = Asked(draws, percentile, null, seed)
    parallel, reduced = parallel_analyses(corr, ("principal", "factor"), asked)
    partials, kaiser = map_test(corr), ekc(corr)
    hulls = _hulls(corr, parallel.n_retained)
    table = _verdicts(parallel, reduced, partials, kaiser, hulls)
    suggested = _suggested(_heard(table), parallel.n_retained)
    rules: list[FromCorrelations] = [parallel, partials, kaiser, *hulls]
    told = [row for rule in rules for row in noted(rule)]
    return FactorCount(
        table=table,
        suggested=suggested,
        parallel=parallel,
        parallel_factor=reduced,
        map=partials,
        ekc=kaiser,
        hulls=hulls,
        **head(corr, [*_apart(table), *told]),
    )


def _hulls(corr: Correlation, retained: int) -> tuple[Hull, ...]:
    if corr.n_items < HULL_ITEMS:
        return ()
    most = max(retained + 1, 3)
    return (hull(corr, fit="caf", most=most), hull(corr, fit="cfi", most=most))


def _verdicts(
    parallel: ParallelAnalysis,
    reduced: ParallelAnalysis,
    partials: MapTest,
    kaiser: EmpiricalKaiser,
    hulls: tuple[Hull, ...],
) -> pd.DataFrame:
    against = f"{parallel.percentile:g}th percentile, {parallel.draws} draws"
    rows: list[tuple[str, int | None, str, bool, str]] = [
        ("Parallel analysis", parallel.n_retained, "components", True, against),
        ("MAP", partials.n_squared, "components", True, "squared partials"),
        ("MAP, revised", partials.n_fourth, "components", True, "fourth powers"),
        ("EKC", kaiser.n_retained, "factors", True, "reference eigenvalues"),
    ]
    rows += [
        (f"Hull, {one.fit.upper()}", one.n_retained, "factors", True, "largest bend")
        for one in hulls
    ]
    rows += [
        ("Parallel analysis, SMC", reduced.n_retained, "factors", False, against),
        ("Kaiser", kaiser.n_kaiser, "components", False, "eigenvalues above 1"),
    ]
    columns = ["rule", "n_factors", "counts", "votes", "basis"]
    return pd.DataFrame(rows, columns=columns).astype({"n_factors": "Int64"})


def _heard(table: pd.DataFrame) -> pd.Series:
    heard: pd.Series = table.loc[table["votes"], "n_factors"].dropna().astype(int)
    return heard


def _suggested(heard: pd.Series, parallel: int) -> int:
    counts = heard.value_counts()
    most = sorted(int(n) for n in counts.index[counts == counts.max()])
    return parallel if parallel in most else most[0]


def _apart(table: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    heard = _heard(table)
    if heard.max() - heard.min() > APART:
        yield (
            f"rules say from {heard.min()} to {heard.max()}",
            "number of factors",
            "Look at solutions over the whole range; items may not form clear factors.",
        )
    for rule in table.loc[table["votes"] & table["n_factors"].isna(), "rule"]:
        yield (f"{rule} has no verdict", "number of factors", "See its own result.")
