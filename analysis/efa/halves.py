"""Parts of the respondents: random halves, or groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Int1D


def checked_groups(
    group: pd.Series | Sequence[object], frame: pd.DataFrame
) -> pd.Series:
    """Give the group of each row, refusing what cannot be compared.

    Raises
    ------
    AnalysisError
        If there is not one group for each row, or only one group in all.
    """
    of = pd.Series(list(group))
    if len(of) != len(frame):
        raise AnalysisError(
            f"congruence: {len(of)} groups for {len(frame)} respondents. Give one for "
            "each row."
        )
    if of.isna().any():
        raise AnalysisError(
            f"congruence: {int(of.isna().sum())} respondents have no group. Leave them "
            "out, or give them one."
        )
    if of.nunique() < 2:  # noqa: PLR2004
        raise AnalysisError(
            f"congruence: there is only one group ({of.iloc[0]!r}). Give two or more, "
            "or leave group out for random halves."
        )
    return of


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two parts of the respondents that are compared.

    Attributes
    ----------
    name
        What is compared.
    parts
        Names of the two parts.
    rows
        Their rows.
    """

    name: str
    parts: tuple[str, str]
    rows: tuple[Int1D, Int1D]


def random_halves(n: int, splits: int, seed: int) -> Iterator[Pair]:
    """Divide n rows at random into halves, several times."""
    rng = np.random.default_rng(seed)
    for number in range(1, splits + 1):
        order = rng.permutation(n)
        name = f"split {number}"
        yield Pair(
            name,
            (f"{name}, first half", f"{name}, second half"),
            (order[: n // 2], order[n // 2 :]),
        )


def group_pairs(of: pd.Series) -> Iterator[Pair]:
    """Pair every group with every other."""
    rows = {
        str(name): part.index.to_numpy() for name, part in of.groupby(of, sort=True)
    }
    for a, b in combinations(rows, 2):
        yield Pair(f"{a} and {b}", (f"group {a}", f"group {b}"), (rows[a], rows[b]))
