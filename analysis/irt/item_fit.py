"""Item fit: answers seen and expected among people with the same sum score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis.irt.curves import log_probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.irt.coding import Coding
    from analysis.irt.curves import Item
    from analysis.irt.likelihood import Grid

# Fewest people expected in a cell (Orlando & Thissen 2000).
_FEWEST: Final = 1.0


def item_fit_table(
    items: Sequence[Item], coding: Coding, grid: Grid, names: Sequence[str]
) -> pd.DataFrame:
    """Compare each item's answers with those expected at each sum score (S-X2).

    Parameters
    ----------
    items
        Parameters.
    coding
        Answers; only people who answered every item have a sum score.
    grid
        Nodes of theta.
    names
        Items.

    Returns
    -------
    DataFrame
        ``item statistic df p_value p_holm rmsea n``; NaN where fewer cells are left
        than parameters.

    Notes
    -----
    Orlando & Thissen (2000), for several categories Kang & Chen (2008). The lowest and
    the highest sum leave no choice and are not compared. Neighbouring sums, then
    neighbouring categories, are joined until each cell expects one person.
    """
    whole = (coding.patterns >= 0).all(axis=1)
    patterns, counts = coding.patterns[whole], coding.counts[whole]
    n = int(counts.sum())
    totals = patterns.sum(axis=1)
    probability = [np.exp(log_probability(item, grid.theta)) for item in items]
    rows = []
    for j, item in enumerate(items):
        share = _shares(probability, j, np.exp(grid.log_weight))
        seen = np.zeros(share.shape)
        np.add.at(seen, (totals, patterns[:, j]), counts)
        expected = seen.sum(axis=1, keepdims=True) * share
        rows.append(_compare(seen[1:-1], expected[1:-1], item.n_categories))
    table = pd.DataFrame(rows, columns=["statistic", "df"])
    df = table["df"].where(table["df"] > 0)
    table["df"] = df
    table["statistic"] = table["statistic"].where(df.notna())
    table["p_value"] = chi2.sf(table["statistic"], df)
    table["p_holm"] = _holm(table["p_value"].to_numpy(float))
    misfit = np.maximum(table["statistic"] - df, 0) / (df * max(n - 1, 1))
    table["rmsea"] = np.sqrt(misfit)
    table["n"] = n
    table.insert(0, "item", list(names))
    return table


def _shares(probability: Sequence[Float2D], j: int, weight: Float1D) -> Float2D:
    """P(answer to item j | sum score), shape (n_sums, K); NaN-free.

    The distribution of the sum of the other items at each node is built up item by item
    (Lord & Wingersky 1984; Thissen et al. 1995).
    """
    others = np.ones((1, len(weight)))
    for i, table in enumerate(probability):
        if i != j:
            others = _add(others, table)
    own = probability[j]
    size = len(others) + len(own) - 1
    joint = np.zeros((size, len(own)))
    for k, chance in enumerate(own):
        joint[k : k + len(others), k] = others @ (chance * weight)
    found: Float2D = joint / joint.sum(axis=1, keepdims=True)
    return found


def _add(sums: Float2D, table: Float2D) -> Float2D:
    found = np.zeros((len(sums) + len(table) - 1, sums.shape[1]))
    for k, chance in enumerate(table):
        found[k : k + len(sums)] += sums * chance
    return found


def _compare(seen: Float2D, expected: Float2D, n_parameters: int) -> tuple[float, int]:
    statistic, cells = 0.0, 0
    for o, e in _groups(seen, expected):
        statistic += float(((o - e) ** 2 / e).sum())
        cells += len(e) - 1
    return statistic, cells - n_parameters


def _groups(seen: Float2D, expected: Float2D) -> list[tuple[Float1D, Float1D]]:
    """Join neighbouring sums until each group has two cells with enough people."""
    groups: list[tuple[Float1D, Float1D]] = []
    o, e = np.zeros(seen.shape[1]), np.zeros(seen.shape[1])
    for row_seen, row_expected in zip(seen, expected, strict=True):
        o, e = o + row_seen, e + row_expected
        if len(_cells(o, e)[1]) > 1:
            groups.append((o, e))
            o, e = np.zeros(seen.shape[1]), np.zeros(seen.shape[1])
    if groups and e.sum() > 0:
        groups[-1] = (groups[-1][0] + o, groups[-1][1] + e)
    return [_cells(o, e) for o, e in groups]


def _cells(seen: Float1D, expected: Float1D) -> tuple[Float1D, Float1D]:
    """Join neighbouring categories until each expects enough people."""
    cells: list[list[float]] = []
    o = e = 0.0
    for one_seen, one_expected in zip(seen, expected, strict=True):
        o, e = o + float(one_seen), e + float(one_expected)
        if e >= _FEWEST:
            cells.append([o, e])
            o = e = 0.0
    if cells:
        cells[-1] = [cells[-1][0] + o, cells[-1][1] + e]
    elif e > 0:
        cells.append([o, e])
    table = np.array(cells).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _holm(p: Float1D) -> Float1D:
    """Correct p values for their number (Holm 1979); NaN are left out."""
    found = np.full(len(p), np.nan)
    there = np.flatnonzero(~np.isnan(p))
    order = there[np.argsort(p[there])]
    steps = p[order] * np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return found
