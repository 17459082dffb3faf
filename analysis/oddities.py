"""What looks odd in the answers to a scale, whatever is computed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float2D

#: Fewer people than this are poor, 50 good, 100 excellent (Terwee et al. 2012).
FEW_ROWS: Final = 30
# Fewest common answers that can show that one item repeats another.
_SHARED: Final = 3
# Of a correlation that is perfect but for rounding.
_ROUNDING: Final = 1e-10


def odd_answers(
    x: Float2D, names: Sequence[str], n_obs: int, *, columns: str = "items"
) -> Iterator[tuple[str, str, str]]:
    """Warn of rows without any answer, few rows, and items that repeat another.

    Parameters
    ----------
    x
        Answers to one scale, shape (n_rows, n_items), NaN where missing.
    names
        The items.
    n_obs
        People who were used.
    columns
        What the columns are, in the plural.

    Yields
    ------
    tuple
        What, where, remedy.
    """
    yield from _empty(x)
    if n_obs < FEW_ROWS:
        yield (
            "few_rows",
            f"n = {n_obs} for {len(names)} {columns}",
            "Read it as a first look; collect 50 people or better 100.",
        )
    yield from repeated_items(x, names)


def _empty(x: Float2D) -> Iterator[tuple[str, str, str]]:
    count = int(np.isnan(x).all(axis=1).sum())
    if count:
        yield (
            "empty_rows",
            f"{count} of {len(x)} rows hold no answer",
            "They say nothing and are left out; look why they are there.",
        )


def repeated_items(x: Float2D, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Warn of items whose answers are those of another one, or their reverse."""
    with np.errstate(invalid="ignore", divide="ignore"):
        R = pd.DataFrame(x).corr(min_periods=_SHARED).to_numpy()
    perfect = np.triu(np.abs(R) >= 1 - _ROUNDING, 1)
    for i, j in np.argwhere(perfect):
        both = ~np.isnan(x[:, [i, j]]).any(axis=1)
        same = bool((x[both, i] == x[both, j]).all())
        yield (
            "the answers are the same, person by person"
            if same
            else f"the answers to one follow from the other, r = {R[i, j]:.0f}",
            f"{names[i]} and {names[j]}",
            "Is one a copy of the other? Leave it out; it says nothing of its own.",
        )
