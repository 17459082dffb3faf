"""Whether the same factors come back in halves of the sample, or in groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.answers import require_choice, require_whole
from analysis.efa.estimate import efa
from analysis.efa.halves import checked_groups, group_pairs, random_halves
from analysis.efa.names import method_called, rotation_called
from analysis.efa.nearby import matched, procrustes, tucker
from analysis.efa.rotate import STARTS
from analysis.efa.rotations import Promax, Target, meant
from analysis.errors import AnalysisError, ConvergenceError, TooFewError
from analysis.plots.replication import plot_congruence
from analysis.result import dropped_rows, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Float2D
    from analysis.correlations import Kind, Missing, Used
    from analysis.efa.extract import Method
    from analysis.efa.fit import EfaFit
    from analysis.efa.halves import Pair
    from analysis.efa.rotations import Rotation
    from analysis.efa.source import Items

Align: TypeAlias = Literal["match", "procrustes"]

# Lorenzo-Seva and ten Berge (2006).
EQUAL: Final = 0.95
FAIR: Final = 0.85
Row: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Congruence:
    """Tucker's congruence of factors found twice.

    Attributes
    ----------
    table
        One row per comparison and factor: `comparison` (a split, or two groups),
        `factor`, `estimate` (congruence), `rmsd` (root mean square difference of the
        loadings), `n_a`, `n_b` (respondents).
    factors
        One row per factor: `median`, `lowest`, `equal` (share of comparisons of .95 or
        more), `fair` (of .85 or more).
    items
        Median congruence of each item's row of loadings.
    fit
        The solution of the whole sample, to which the others are aligned.
    align
        ``"match"``: each rotated on its own, then ordered and turned; ``"procrustes"``:
        turned as close to the whole as possible.
    comparisons, failed
        Comparisons made, and those without a solution.
    kind, reason
        Which correlations were used, and why.
    n_obs
        Respondents.
    warnings
        Factors and items that do not replicate: what, where, remedy.
    """

    table: pd.DataFrame
    factors: pd.DataFrame
    items: pd.Series
    fit: EfaFit
    align: Align
    comparisons: int
    failed: int
    kind: Used
    reason: str
    n_obs: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per comparison and factor: comparison, factor, estimate, rmsd."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: lowest and median congruence, sizes and how it was found."""
        return pd.DataFrame(
            {
                "n_factors": [len(self.factors)],
                "median": [float(self.table["estimate"].median())],
                "lowest": [float(self.table["estimate"].min())],
                "comparisons": [self.comparisons],
                "failed": [self.failed],
                "align": [self.align],
                "method": [self.fit.method],
                "rotation": [self.fit.rotation],
                "kind": [self.kind],
                "reason": [self.reason],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Say how well factors come back."""
        each = ", ".join(
            f"{name} {row['median']:.2f} (lowest {row['lowest']:.2f})"
            for name, row in zip(
                self.factors.index, self.factors.to_dict("records"), strict=True
            )
        )
        return (
            f"Tucker congruence over {self.comparisons} comparisons ({self.align}, "
            f"{self.fit.method}, {self.fit.rotation}, n = {self.n_obs}): {each}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the congruences of every factor beside the lines of .85 and .95."""
        return plot_congruence(self.table, n=self.n_obs, ax=ax)


def congruence(
    items: Items,
    n_factors: int,
    *,
    group: pd.Series | Sequence[object] | None = None,
    splits: int = 20,
    align: Align = "match",
    method: Method | str = "minres",
    rotation: Rotation | str = "oblimin",
    target: pd.DataFrame | Float2D | None = None,
    kind: Kind | None = None,
    missing: Missing | None = None,
    rotation_starts: int = STARTS,
    seed: int = 0,
) -> Congruence:
    """Find the factors again in random halves of the respondents, or in groups.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or correlations that
        hold their answers.
    n_factors
        Number of factors.
    group
        Group of each row of `items`; every two groups are compared. Random halves
        otherwise.
    splits
        Number of random halvings.
    align
        ``"match"`` rotates each solution by itself and only orders and turns factors;
        ``"procrustes"`` turns each as close to the whole sample's as possible, which
        finds a structure that rotation hides, and flatters.
    method, rotation, target, kind, missing, rotation_starts
        As for `efa`. ``kind="auto"`` is settled once, on the whole sample.
    seed
        Seed of halves and rotations.

    Raises
    ------
    TooFewError
        If a half or group has not more complete respondents than items.
    AnalysisError
        If groups are missing for some rows, there is only one, or there are no answers;
        also as `efa`.

    Notes
    -----
    Tucker (1951); halves as in Everett (1983), Procrustes as in McCrae, Zonderman,
    Costa, Bond and Paunonen (1996). .95 and above: equal; .85 to .94: fairly similar
    (Lorenzo-Seva and ten Berge 2006). Coefficients are those of
    ``psych::factor.congruence``.
    """
    where = "congruence"
    require_choice("align", align, get_args(Align), where=where)
    require_whole("splits", splits, at_least=0, where=where)
    if splits < 1:
        raise AnalysisError(f"{where}: splits={splits}. Ask for one or more.")
    recipe = _Recipe(
        n_factors,
        method_called(method),
        rotation_called(rotation, target),
        kind,
        missing,
        rotation_starts,
        seed,
    )
    whole = recipe.fit(items)
    frame = _answers(items, whole)
    pairs = list(
        random_halves(len(frame), splits, seed)
        if group is None
        else group_pairs(checked_groups(group, frame))
    )
    gaps = bool(np.isnan(whole.source.codes).any())
    same = replace(
        recipe, kind=whole.source.kind, missing="pairwise" if gaps else "listwise"
    )
    by_group = group is not None
    found = _compare(frame, whole, same, align, pairs, by_group=by_group)
    return _present(whole, align, *found, by_group=by_group)


def _answers(items: Items, whole: EfaFit) -> pd.DataFrame:
    if isinstance(items, pd.DataFrame):
        return items.reset_index(drop=True)
    codes = whole.source.codes
    if not len(codes):
        raise AnalysisError(
            "congruence: the correlations were given without answers, and there is "
            "nothing to divide. Give the answers."
        )
    return pd.DataFrame(codes, columns=list(whole.source.names))


@dataclass(frozen=True, slots=True, eq=False)
class _Recipe:
    """How respondents are factored."""

    n_factors: int
    method: Method
    rotation: Rotation
    kind: Kind | None
    missing: Missing | None
    starts: int
    seed: int

    def fit(self, items: Items, *, rotated: bool = True) -> EfaFit:
        return efa(
            items,
            self.n_factors,
            method=self.method,
            rotation=self.rotation if rotated else "none",
            kind=self.kind,
            missing=self.missing,
            rotation_starts=self.starts,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Pattern of some respondents, aligned with that of all, and their number."""

    L: Float2D
    n: int


def _part(
    frame: pd.DataFrame, whole: EfaFit, recipe: _Recipe, align: Align, name: str
) -> _Part:
    try:
        fit = recipe.fit(frame, rotated=align == "match")
    except (TooFewError, ConvergenceError) as problem:
        told = str(problem).removeprefix("efa: ")
        raise type(problem)(f"congruence, {name}: {told}") from problem
    except AnalysisError as problem:
        told = str(problem).removeprefix("efa: ")
        raise AnalysisError(f"congruence, {name}: {told}") from problem
    L, aim = fit.pattern.to_numpy(), whole.pattern.to_numpy()
    if align == "procrustes":
        return _Part(
            procrustes(L, aim, oblique=_oblique(recipe.rotation))[0], fit.n_obs
        )
    if isinstance(recipe.rotation, Target):
        return _Part(L, fit.n_obs)
    order, sign = matched(aim, L)
    return _Part(L[:, order] * sign, fit.n_obs)


def _oblique(rotation: Rotation) -> bool:
    options = meant(rotation)
    return isinstance(options, Promax) or (options is not None and options.oblique)


def _compare(
    frame: pd.DataFrame,
    whole: EfaFit,
    recipe: _Recipe,
    align: Align,
    pairs: list[Pair],
    *,
    by_group: bool,
) -> tuple[pd.DataFrame, Float2D, list[str]]:
    """Congruences of factors, of items (comparisons x items), and what failed."""
    names = list(whole.pattern.columns)
    known: dict[str, _Part] = {}
    rows, by_item, failures = [], [], []
    for pair in pairs:
        try:
            for name, chosen in zip(pair.parts, pair.rows, strict=True):
                if name not in known:
                    part = frame.iloc[chosen]
                    known[name] = _part(part, whole, recipe, align, name)
        except AnalysisError as problem:
            # An item that is constant in a half is bad luck, in a group a finding.
            unlucky = isinstance(problem, ConvergenceError) or not by_group
            if isinstance(problem, TooFewError) or not unlucky:
                raise
            failures.append(str(problem).removeprefix("congruence, "))
            continue
        a, b = (known[name] for name in pair.parts)
        phi = np.diag(tucker(a.L, b.L))
        rmsd = np.sqrt(((a.L - b.L) ** 2).mean(axis=0))
        by_item.append(np.diag(tucker(a.L.T, b.L.T)))
        rows += [
            (pair.name, name, float(phi[j]), float(rmsd[j]), a.n, b.n)
            for j, name in enumerate(names)
        ]
    if not rows:
        raise ConvergenceError(
            f"congruence: no solution in any of {len(pairs)} comparisons. {failures[0]}"
        )
    columns = ["comparison", "factor", "estimate", "rmsd", "n_a", "n_b"]
    return pd.DataFrame(rows, columns=columns), np.array(by_item), failures


def _present(
    whole: EfaFit,
    align: Align,
    table: pd.DataFrame,
    by_item: Float2D,
    failures: list[str],
    *,
    by_group: bool,
) -> Congruence:
    items = pd.Series(np.median(by_item, axis=0), index=whole.pattern.index)
    factors = _factor_table(table, list(whole.pattern.columns))
    return Congruence(
        table=table,
        factors=factors,
        items=items,
        fit=whole,
        align=align,
        comparisons=len(by_item),
        failed=len(failures),
        kind=whole.source.kind,
        reason=whole.source.reason,
        n_obs=whole.n_obs,
        warnings=warning_table(
            [
                *_unlike(factors, by_group=by_group),
                *_unlike_items(items),
                *_failed(failures, len(by_item) + len(failures)),
                *dropped_rows(whole.n_dropped, whole.n_obs + whole.n_dropped),
            ]
        ),
    )


def _factor_table(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    grouped = table.groupby("factor", sort=False)["estimate"]
    return pd.DataFrame(
        {
            "median": grouped.median(),
            "lowest": grouped.min(),
            "equal": grouped.apply(lambda each: (each >= EQUAL).mean()),
            "fair": grouped.apply(lambda each: (each >= FAIR).mean()),
        }
    ).loc[list(names)]


def _unlike(factors: pd.DataFrame, *, by_group: bool) -> Iterator[Row]:
    remedy = (
        "Do not compare this factor between groups; test invariance."
        if by_group
        else "Ask for fewer factors, or collect more answers before naming it."
    )
    for name, row in zip(factors.index, factors.to_dict("records"), strict=True):
        if row["median"] < FAIR:
            yield (
                f"median congruence {row['median']:.2f} is below {FAIR:.2f}",
                f"factor {name}",
                remedy,
            )


def _unlike_items(items: pd.Series) -> Iterator[Row]:
    for name, value in items.items():
        if value < FAIR:
            yield (
                f"median congruence {value:.2f} is below {FAIR:.2f}",
                f"item {name}",
                "Its loadings change from part to part; reword it or leave it out.",
            )


def _failed(failures: list[str], parts: int) -> Iterator[Row]:
    if failures:
        example = failures[0].split(". ")[0]
        yield (
            f"{len(failures)} of {parts} comparisons have no solution: {example}",
            "congruence",
            "Read the others as too good, or ask for fewer factors.",
        )
