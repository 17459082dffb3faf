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
# With more different answers than this they are numbers, not codes.
_MOST_CODES: Final = 20
# Answers that show it at once, as a rule.
_GLANCE: Final = 1000
# A code is stray if the gap before it is this many times the width of the others.
_APART: Final = 2.0
_APART_OF_TWO: Final = 5.0


def odd_answers(
    x: Float2D, names: Sequence[str], n_obs: int, *, columns: str = "items"
) -> Iterator[tuple[str, str, str]]:
    """Warn of empty and few rows, stray codes, and items that repeat another.

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
    yield from stray_codes(x, names)
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


def stray_codes(x: Float2D, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Warn of codes far from all others, such as -99 beside 1 to 5."""
    known = x[~np.isnan(x)]
    if len(np.unique(known[:_GLANCE])) > _MOST_CODES:
        return
    codes, counts = np.unique(known, return_counts=True)
    if not 2 < len(codes) <= _MOST_CODES:  # noqa: PLR2004
        return
    at = int(np.diff(codes).argmax()) + 1
    upper = counts[at:].sum() > counts[:at].sum()
    common, stray = (codes[at:], codes[:at]) if upper else (codes[:at], codes[at:])
    width, gap = common[-1] - common[0], codes[at] - codes[at - 1]
    wide = _APART_OF_TWO if len(common) == 2 else _APART  # noqa: PLR2004
    below = stray[-1] < 0 <= common[0]
    if not width or gap <= (1.0 if below else wide) * width:
        return
    held = np.isin(x, stray)
    if (held.any(axis=0) & (held | np.isnan(x)).all(axis=0)).any():
        # A column of its own range is another scale.
        return
    items = ", ".join(np.asarray(names, dtype=object)[held.any(axis=0)])
    found = ", ".join(f"{code:g}" for code in stray)
    yield (
        f"{found} far from all other codes, {common[0]:g} to {common[-1]:g}",
        f"{int(held.sum())} answers to {items}",
        "If it stands for a missing answer, replace it by NA and start again.",
    )
