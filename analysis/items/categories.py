"""How the answer categories are used: each alone, and two items together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.answers import item_codes
from analysis.errors import AnalysisError, TooFewError
from analysis.items.codes import (
    MOST_CATEGORIES,
    count_codes,
    possible_codes,
    rare_codes,
)
from analysis.oddities import stray_codes
from analysis.plots.likert import likert_bars
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.items.codes import Codes

# A group this small has no distribution to speak of.
SMALL_GROUP = 10


@dataclass(frozen=True, slots=True, eq=False)
class CategoryUse:
    """Counts of every category of every item, and the tables of two items.

    Attributes
    ----------
    table
        One row per item and code, and group where there are groups: `item`, `code`,
        `count`, `share` (of the item's answers, in its group). Categories nobody used
        are rows with a count of 0: those in `codes`, and those used in another group.
    pairs
        One row per pair of items: `item_a`, `item_b`, `n` (answered both), `cells`
        (used categories of one times those of the other), `empty` (cells without a
        person), `smallest` (count of the rarest cell) and `expected` (smallest count
        expected if the two were unrelated).
    n_items, n_obs
        Items and respondents.
    warnings
        Categories nobody or one person used, sparse pairs, categories missing in a
        group: what, where, remedy.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    n_items: int
    n_obs: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item and code (and group)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: items, respondents, categories unused and used once, empty cells."""
        return pd.DataFrame(
            {
                "n_items": [self.n_items],
                "n_obs": [self.n_obs],
                "n_unused": [int((self.table["count"] == 0).sum())],
                "n_once": [int((self.table["count"] == 1).sum())],
                "n_pairs": [len(self.pairs)],
                "n_pairs_empty": [int((self.pairs["empty"] > 0).sum())],
                "share_empty": [
                    self.pairs["empty"].sum() / max(self.pairs["cells"].sum(), 1)
                ],
            }
        )

    def summary(self) -> str:
        """Count unused categories, those used once, and sparse pairs."""
        row = self.glance().iloc[0]
        return (
            f"{row['n_items']:.0f} items, n = {self.n_obs}: {row['n_unused']:.0f} "
            f"categories unused, {row['n_once']:.0f} used once; "
            f"{row['n_pairs_empty']:.0f} of {row['n_pairs']:.0f} pairs of items have "
            f"empty cells ({row['share_empty']:.0%} of all cells)"
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the shares of each category; groups taken together."""
        counts = self.table.pivot_table(
            index="item", columns="code", values="count", aggfunc="sum", sort=False
        )
        counts = counts.fillna(0).sort_index(axis="columns")
        answers = counts.sum(axis="columns")
        shares = 100 * counts.div(answers.clip(lower=1), axis="index")
        said = dict(labels or {})
        names = [said.get(str(name), str(name)) for name in counts.index]
        unused = int((self.table["count"] == 0).sum())
        title = (
            f"{unused} categories were never used"
            if unused
            else ("Every category was used")
        )
        return likert_bars(
            shares.set_axis(names, axis="index"),
            n=answers.astype(int).set_axis(names),
            title=title,
            ax=ax,
        )


def category_use(
    items: pd.DataFrame,
    *,
    codes: Codes = None,
    group: pd.Series | Sequence[object] | None = None,
) -> CategoryUse:
    """Count the answers in each category, unused categories included.

    Parameters
    ----------
    items
        Item codes, one row per respondent, missing as NA.
    codes
        The possible codes: one sequence for all items, or one for each. Without
        them a category that nobody used is not known of.
    group
        Group of each respondent, in the order of the rows; counts are then by group.

    Returns
    -------
    CategoryUse
        Ordinal models estimate a threshold between each two used categories: the
        rows to look at are counts of 0 (in one group: the model for that group lacks
        a threshold) and 1, and pairs with many empty cells (their polychoric
        correlation leans on a few people).

    Raises
    ------
    TooFewError
        If there is no item, or no respondent.
    AnalysisError
        If an item is not numeric or holds codes it cannot have, or `group` has
        another length or gaps.
    """
    where = "category_use"
    x = item_codes(items, where=where, at_least=1)
    if not len(x):
        raise TooFewError(f"{where}: no respondents. Give at least one row.")
    names = [str(name) for name in items.columns]
    possible = possible_codes(names, codes, where=where)
    use = count_codes(x, names, possible, where=where)
    pairs = _pairs(x, names)
    warned = [*_unanswered(x, names), *stray_codes(x, names), *_numbers(use)]
    warned += [*rare_codes(use), *_sparse(pairs)]
    if group is not None:
        member = _groups(group, len(x))
        known = [use.loc[use["item"] == name, "code"].tolist() for name in names]
        parts = [
            count_codes(x[member == name], names, known, where=where).assign(group=name)
            for name in sorted(set(member), key=str)
        ]
        use = pd.concat(parts, ignore_index=True)
        use = use[["item", "group", "code", "count", "share"]]
        warned += [*_small(member), *_missing_in_group(use)]
    return CategoryUse(use, pairs, len(names), len(x), warning_table(warned))


def _pairs(x: Float2D, names: Sequence[str]) -> pd.DataFrame:
    """Two-way tables of all pairs from one product of indicators."""
    indicators: list[Float2D] = []
    for column in x.T:
        used = np.unique(column[~np.isnan(column)])
        indicators.append((column[:, None] == used).astype(np.float64))
    ends = np.cumsum([0, *(part.shape[1] for part in indicators)])
    counts = np.hstack(indicators).T @ np.hstack(indicators)
    rows = []
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            table = counts[ends[i] : ends[i + 1], ends[j] : ends[j + 1]]
            rows.append((first, names[j], *_cells(table)))
    columns = ["item_a", "item_b", "n", "cells", "empty", "smallest", "expected"]
    return pd.DataFrame(rows, columns=columns)


def _cells(table: Float2D) -> tuple[int, int, int, int, float]:
    n = int(table.sum())
    if not n:
        return 0, table.size, table.size, 0, float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    empty = int((table == 0).sum())
    return n, table.size, empty, int(table.min()), float(expected.min())


def _unanswered(x: Float2D, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for name, column in zip(names, x.T, strict=True):
        if np.isnan(column).all():
            yield "nobody answered it", f"item {name}", "Leave it out of its scale."


def _numbers(use: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    used = use[use["count"] > 0].groupby("item", sort=False).size()
    for item, count in used[used > MOST_CATEGORIES].items():
        yield (
            f"{count} different answers",
            f"item {item}",
            "Treat it as a number, or join categories, before an ordinal model.",
        )


def _sparse(pairs: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """One row for all pairs, naming the worst."""
    sparse = pairs[pairs["empty"] > 0]
    if sparse.empty:
        return
    worst = sparse.iloc[int((sparse["empty"] / sparse["cells"]).to_numpy().argmax())]
    most = f"{worst['empty']} of {worst['cells']}"
    yield (
        f"{len(sparse)} of {len(pairs)} pairs of items have empty cells, up to {most}",
        f"items {worst['item_a']} and {worst['item_b']}",
        "Compare polychoric with Pearson correlations, or join rare categories.",
    )


def _groups(group: pd.Series | Sequence[object], n_rows: int) -> Float1D:
    if isinstance(group, pd.DataFrame):
        raise AnalysisError(
            f"category_use: group is a DataFrame of {group.shape[1]} columns. Give one "
            "column, such as data['group']."
        )
    member = pd.Series(group).reset_index(drop=True)
    if len(member) != n_rows:
        raise AnalysisError(
            f"category_use: group has {len(member)} entries for {n_rows} respondents. "
            "Give one for each row."
        )
    if member.isna().any():
        first = int(np.flatnonzero(member.isna())[0]) + 1
        raise AnalysisError(
            f"category_use: group is missing for {int(member.isna().sum())} "
            f"respondent(s), the first in row {first}. Leave them out, or name a group."
        )
    found: Float1D = member.to_numpy(dtype=object)
    return found


def _small(member: Float1D) -> Iterator[tuple[str, str, str]]:
    for name, size in pd.Series(member).value_counts(sort=False).items():
        if size < SMALL_GROUP:
            yield (
                f"{size} respondents in the group",
                f"group {name}",
                "Leave the group out, or join it with another.",
            )


def _missing_in_group(use: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    total = use.groupby(["item", "code"])["count"].transform("sum")
    for (item, name), rows in use[(use["count"] == 0) & (total > 0)].groupby(
        ["item", "group"], sort=False
    ):
        shown = ", ".join(f"{code:g}" for code in rows["code"])
        yield (
            f"nobody in group {name} gave code(s) {shown}, others did",
            f"item {item}",
            "Join the category with its neighbour in all groups before comparing them.",
        )
