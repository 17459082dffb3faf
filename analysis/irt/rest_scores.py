"""Monotonicity: higher answers to an item with higher answers to the others.

Needs no model: people are grouped by the sum of their answers to the other items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from analysis.answers import complete_rows, item_codes
from analysis.errors import AnalysisError
from analysis.irt.coding import Coding, require_few_categories
from analysis.oddities import odd_answers
from analysis.plots.irt_steps import plot_steps
from analysis.result import dropped_rows, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D, Int1D

_FEWEST_ITEMS: Final = 3
# Two groups of fifty.
_FEWEST_PEOPLE: Final = 100
_ALPHA: Final = 0.05
_WHERE: Final = "monotonicity"


@dataclass(frozen=True, slots=True, eq=False)
class Monotonicity:
    """Manifest monotonicity of the items of one scale.

    Attributes
    ----------
    table
        One row per item: ``item n_groups comparisons violations max_violation
        sum_violations p_min p_holm``.
    steps
        What is behind it: ``item code group low high n share``: the share of people
        with rest scores from `low` to `high` who gave `code` or more.
    min_group
        Fewest people in a group of rest scores.
    min_violation
        Falls smaller than this are not counted.
    n_obs
        People with every answer.
    n_dropped
        People left out.
    warnings
        What needs a second look: what, where, remedy.
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    min_group: int
    min_violation: float
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: sizes, violations in all."""
        return pd.DataFrame(
            {
                "n_items": [len(self.table)],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
                "min_group": [self.min_group],
                "comparisons": [int(self.table["comparisons"].sum())],
                "violations": [int(self.table["violations"].sum())],
                "max_violation": [float(self.table["max_violation"].max())],
                "items_significant": [int((self.table["p_holm"] < _ALPHA).sum())],
            }
        )

    def summary(self) -> str:
        """Describe the check in a sentence."""
        row = self.glance().iloc[0]
        count = int(row["items_significant"])
        return (
            f"Monotonicity of {len(self.table)} items (n = {self.n_obs}, at least "
            f"{self.min_group} people a rest-score group): {int(row['violations'])} of "
            f"{int(row['comparisons'])} comparisons fall by more than "
            f"{self.min_violation:.2f}, largest fall {row['max_violation']:.2f}; "
            f"{count or 'no'} item{'' if count == 1 else 's'} significant (Holm)"
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        item: str,
        labels: Mapping[str, str] | None = None,
    ) -> Axes:
        """Draw the share that passes each step of one item, by rest score.

        Raises
        ------
        AnalysisError
            If `item` was not checked.
        """
        known = list(self.table["item"])
        if item not in known:
            raise AnalysisError(
                f"{_WHERE}: item={item!r} was not checked. Choose one of "
                f"{', '.join(known)}."
            )
        words = {} if labels is None else labels
        return plot_steps(
            self.steps[self.steps["item"] == item],
            title=words.get(item, item),
            n=self.n_obs,
            ax=ax,
        )


def monotonicity(
    items: pd.DataFrame, *, min_group: int | None = None, min_violation: float = 0.03
) -> Monotonicity:
    """Check that people with higher rest scores pass each step of an item more often.

    Parameters
    ----------
    items
        Keyed answers of one scale; people with a missing answer are left out, because
        their rest score is unknown. Codes are summed as they are.
    min_group
        Fewest people in a group of rest scores; without it a tenth of 500 or more
        people, a fifth of 250 or more, else a third and at least 50.
    min_violation
        Smallest fall of a proportion that is counted.

    Returns
    -------
    Monotonicity
        `p_min` is the smallest exact one-sided p of an item's violations; `p_holm`
        corrects it for all comparisons of that item (Bonferroni) and then for the
        number of items (Holm). 1 where nothing falls, NaN where all people have rest
        scores too close together for two groups (`warnings` names the item).

    Raises
    ------
    TooFewError
        If there are fewer than three items or 100 complete people.
    AnalysisError
        If a column is not numeric, does not vary or has more than 20 categories, or an
        option is out of range.

    Notes
    -----
    Junker & Sijtsma (2000); grouping as in Molenaar & Sijtsma (2000): neighbouring rest
    scores are joined, from the lowest, until a group is large enough; a small last
    group joins its neighbour. Groups and falls are those of
    ``mokken::check.monotonicity``; where that approximates by a normal, p is exact
    here: ``fisher.test(alternative = "greater")``, tests/reference/irt_persons.R.
    """
    if not 0 <= min_violation < 1:
        raise AnalysisError(
            f"{_WHERE}: min_violation={min_violation!r}. Give a number from 0 to "
            "below 1."
        )
    x = item_codes(items, where=_WHERE, at_least=_FEWEST_ITEMS)
    names = [str(name) for name in items.columns]
    kept = complete_rows(x, names, where=_WHERE, at_least=_FEWEST_PEOPLE)
    require_few_categories(
        Coding.of(kept), names, remedy="leave measured variables out", where=_WHERE
    )
    n = len(kept)
    fewest = _group_size(n) if min_group is None else min_group
    if not isinstance(fewest, int) or not 1 <= fewest <= n // 2:
        raise AnalysisError(
            f"{_WHERE}: min_group={fewest!r} leaves no two groups of {n} people. "
            f"Give a whole number from 1 to {n // 2}."
        )
    parts = [_item(kept, j, name, fewest) for j, name in enumerate(names)]
    table = pd.DataFrame(
        [
            _count(part, name, min_violation)
            for part, name in zip(parts, names, strict=True)
        ]
    )
    table["p_holm"] = _holm((table["p_min"] * table["comparisons"]).clip(upper=1))
    rows = [
        *dropped_rows(len(x) - n, len(x)),
        *odd_answers(x, names, n),
        *_falls(table),
    ]
    return Monotonicity(
        table=table,
        steps=pd.concat(parts, ignore_index=True).drop(columns="passed"),
        min_group=fewest,
        min_violation=min_violation,
        n_obs=n,
        n_dropped=len(x) - n,
        warnings=warning_table(rows),
    )


def _group_size(n: int) -> int:
    """Molenaar and Sijtsma's rule."""
    if n >= 500:  # noqa: PLR2004 - the rule
        return n // 10
    if n >= 250:  # noqa: PLR2004
        return n // 5
    return min(max(n // 3, 50), n // 2)


def _groups(rest: Float1D, fewest: int) -> tuple[Int1D, list[tuple[float, float]]]:
    """Join neighbouring rest scores; give each person's group and the groups' ends."""
    values, counts = np.unique(rest, return_counts=True)
    ends: list[tuple[float, float]] = []
    first, size = 0, 0
    for k, count in enumerate(counts):
        size += int(count)
        if size >= fewest:
            ends.append((float(values[first]), float(values[k])))
            first, size = k + 1, 0
    if size and ends:
        ends[-1] = (ends[-1][0], float(values[-1]))
    upper = np.array([high for _, high in ends])
    return np.searchsorted(upper, rest), ends


def _item(kept: Float2D, j: int, name: str, fewest: int) -> pd.DataFrame:
    """Count who passes each step of one item, group by group."""
    group, ends = _groups(np.delete(kept, j, axis=1).sum(axis=1), fewest)
    size = np.bincount(group)
    rows = []
    for code in np.unique(kept[:, j])[1:]:
        passed = np.bincount(group, weights=kept[:, j] >= code).astype(int)
        rows += [
            (name, code, g + 1, *ends[g], size[g], passed[g], passed[g] / size[g])
            for g in range(len(ends))
        ]
    columns = ["item", "code", "group", "low", "high", "n", "passed", "share"]
    return pd.DataFrame(rows, columns=columns)


def _count(part: pd.DataFrame, name: str, least: float) -> dict[str, object]:
    """Compare each two groups at each step."""
    falls, p, comparisons = [], [1.0], 0
    for _, step in part.groupby("code"):
        share, n = step["share"].to_numpy(float), step["n"].to_numpy(int)
        passed = step["passed"].to_numpy(int)
        i, j = np.triu_indices(len(step), 1)
        comparisons += len(i)
        fall = share[i] - share[j]
        bad = fall > least
        falls.append(fall[bad])
        i, j = i[bad], j[bad]
        # More pass in the lower group than chance would have it, margins given.
        chance = hypergeom.sf(passed[i] - 1, n[i] + n[j], passed[i] + passed[j], n[i])
        p += chance.tolist()
    every = np.concatenate(falls)
    return {
        "item": name,
        "n_groups": int(part["group"].max()),
        "comparisons": comparisons,
        "violations": len(every),
        "max_violation": float(every.max(initial=0.0)),
        "sum_violations": float(every.sum()),
        "p_min": min(p) if comparisons else np.nan,
    }


def _holm(p: pd.Series) -> Float1D:
    """Correct p values for their number (Holm 1979); NaN are left out."""
    values = p.to_numpy(float)
    there = np.flatnonzero(~np.isnan(values))
    order = there[np.argsort(values[there], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    found = np.full(len(values), np.nan)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return found


def _falls(table: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    bad = table[table["p_holm"] < _ALPHA]
    if len(bad):
        named = [
            f"{row['item']} (fall of {row['max_violation']:.2f})"
            for row in bad.to_dict(orient="records")
        ]
        yield (
            "not_monotone",
            f"Holm p < .05: {', '.join(named)}",
            "Check the keying and wording; a graded response model does not fit it.",
        )
    alone = table.loc[table["n_groups"] == 1, "item"]
    if len(alone):
        yield (
            "not_checked",
            f"one group of rest scores: {', '.join(alone)}",
            "Lower min_group or collect more answers.",
        )
