"""Answers as categories: which codes occur, and who answered alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse.csgraph import connected_components

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D

#: More categories than this are a number, not an answer on a scale.
MAX_CATEGORIES: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Coding:
    """Answers counted from zero, in patterns that several people may share.

    Attributes
    ----------
    categories
        The codes that occur for each item, from low to high.
    frequencies
        How many people chose each of them.
    patterns
        Different rows of answers counted from zero, -1 where missing, shape
        (n_patterns, n_items).
    counts
        People behind each pattern, shape (n_patterns,).
    pattern_of
        The pattern of each person used, shape (n_obs,).
    used
        Which rows hold at least one answer, shape (n_rows,).
    indicator
        One column per item and category: one where the pattern holds it, shape
        (n_patterns, sum of categories).
    """

    categories: tuple[Float1D, ...]
    frequencies: tuple[Int1D, ...]
    patterns: Int1D
    counts: Float1D
    pattern_of: Int1D
    used: Bool1D
    indicator: Float2D

    @property
    def n_obs(self) -> int:
        """Number of people with at least one answer."""
        return len(self.pattern_of)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of categories of each item."""
        return tuple(len(codes) for codes in self.categories)

    @classmethod
    def of(cls, x: Float2D) -> Coding:
        """Code answers, NaN where missing; only their order counts."""
        used: Bool1D = np.logical_not(np.isnan(x).all(axis=1))
        found = [_ranks(column) for column in x[used].T]
        ranks = np.column_stack([rank for _, rank in found])
        patterns, pattern_of, counts = np.unique(
            ranks, axis=0, return_inverse=True, return_counts=True
        )
        columns = [
            patterns[:, [j]] == np.arange(len(codes))
            for j, (codes, _) in enumerate(found)
        ]
        return cls(
            categories=tuple(codes for codes, _ in found),
            frequencies=tuple(
                np.bincount(rank[rank >= 0], minlength=len(codes))
                for codes, rank in found
            ),
            patterns=patterns,
            counts=counts.astype(np.float64),
            pattern_of=pattern_of.reshape(-1),
            used=used,
            indicator=np.hstack(columns).astype(np.float64),
        )


def require_few_categories(
    coding: Coding, names: Sequence[str], *, remedy: str, where: str
) -> None:
    """Refuse items that are numbers rather than answers on a scale.

    Raises
    ------
    AnalysisError
        Naming every item with more than 20 categories.
    """
    many = [
        f"{name!r} has {size}"
        for name, size in zip(names, coding.sizes, strict=True)
        if size > MAX_CATEGORIES
    ]
    if many:
        raise AnalysisError(
            f"{where}: more than {MAX_CATEGORIES} categories: {', '.join(many)}. Join "
            f"categories, or {remedy}."
        )


def item_groups(coding: Coding, names: Sequence[str]) -> list[list[str]]:
    """Part items into groups that share no respondent, directly or by others."""
    there = (coding.patterns >= 0).astype(np.float64)
    n_groups, group = connected_components((there.T @ there) > 0, directed=False)
    return [
        [name for name, own in zip(names, group, strict=True) if own == number]
        for number in range(n_groups)
    ]


def _ranks(column: Float1D) -> tuple[Float1D, Int1D]:
    answered = ~np.isnan(column)
    codes, rank = np.unique(column[answered], return_inverse=True)
    ranks = np.full(len(column), -1)
    ranks[answered] = rank
    return codes, ranks
