"""What needs a second look in a graded response model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import norm

from analysis.irt.coding import item_groups
from analysis.oddities import stray_codes
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from analysis.arrays import Float1D, Float2D
    from analysis.irt.ascent import Maximum
    from analysis.irt.coding import Coding
    from analysis.irt.curves import Item

#: A slope beyond this is hardly an item of its own.
STEEP: Final = 4.0
#: Below this an item says almost nothing (Baker 2001: very low below .35).
FLAT: Final = 0.35
#: A threshold rests on at least this many people.
RARE: Final = 10
#: Fewer people leave parameters of the graded model loose (Reise & Yu 1990).
FEW_PEOPLE: Final = 500
# A threshold this far out lies where nobody is.
_FAR: Final = 6.0
_Z: Final = float(norm.ppf(0.975))
_MISFIT: Final = 0.05
_GAPS: Final = 0.05
_NAMED: Final = 8
_JOIN: Final = f"Join categories chosen by fewer than {RARE} people."
_MORE: Final = "It has no third to be joined with; more people would steady its slope."


def model_warnings(
    maximum: Maximum,
    coding: Coding,
    names: Sequence[str],
    x: Float2D,
    *,
    slope_errors: Float1D,
    dependence: pd.DataFrame,
    item_fit: pd.DataFrame,
) -> pd.DataFrame:
    """List what, where, remedy; empty if there is nothing to say.

    Parameters
    ----------
    maximum, coding, names
        The model, the answers it was fitted to and their items.
    x
        All answers, shape (n_rows, n_items), NaN where missing.
    slope_errors
        Standard errors of the slopes, shape (n_items,).
    dependence, item_fit
        Tables of the result.
    """
    items = maximum.items
    return warning_table(
        [
            *_maxima(maximum),
            *_slopes(items, names, slope_errors),
            *_categories(coding, names),
            *_thresholds(items, names),
            *_people(coding, len(x)),
            *stray_codes(x, names),
            *_apart(coding, names),
            *_dependent(dependence),
            *_misfit(item_fit),
        ]
    )


def _maxima(maximum: Maximum) -> Iterator[tuple[str, str, str]]:
    remedy = "The items may hold several traits: see efa(), and fit each on its own."
    if len(maximum.lower):
        lower = ", ".join(f"{gap:.1f}" for gap in maximum.lower)
        yield (
            "several_maxima",
            f"other starts end lower, by {lower} in log-likelihood; the best is kept",
            remedy,
        )
    if maximum.endless:
        yield (
            "not_the_highest",
            f"another start climbs higher, without end: {maximum.endless}",
            f"Look at the Q3 of that item; leave out what repeats it. {remedy}",
        )


def _slopes(
    items: Sequence[Item], names: Sequence[str], errors: Float1D
) -> Iterator[tuple[str, str, str]]:
    for name, item, error in zip(names, items, errors, strict=True):
        low, high = item.slope - _Z * float(error), item.slope + _Z * float(error)
        if low < 0 < high:
            yield (
                "slope_unclear",
                f"{name}: a = {item.slope:.2f}, 95 % interval {low:.2f} to {high:.2f}",
                "Is it of the trait at all? Look at wording and key; ask more people.",
            )
        found = f"{name}: a = {item.slope:.2f}"
        if item.slope <= 0:
            yield (
                "slope_not_positive",
                found,
                "Check the keying, else leave the item out; its thresholds fall.",
            )
        elif item.slope < FLAT:
            yield (
                "slope_flat",
                found,
                "The item says almost nothing of the trait; its thresholds are loose.",
            )
        if abs(item.slope) > STEEP:
            yield (
                "slope_steep",
                found,
                "Look at its Q3: an item that repeats another one inflates slopes.",
            )


def _categories(coding: Coding, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    every, holders = np.unique(np.concatenate(coding.categories), return_counts=True)
    alone = every[holders == 1]
    scale = every[holders > 1]
    for name, codes, count in zip(
        names, coding.categories, coding.frequencies, strict=True
    ):
        unused = np.setdiff1d(scale, codes)
        if len(unused):
            yield (
                "category_unused",
                f"{name}: nobody chose {', '.join(f'{c:g}' for c in unused)}",
                "The item has fewer thresholds; compare its location with care.",
            )
        stray = [
            f"{c:g} ({n})" for c, n in zip(codes, count, strict=True) if c in alone
        ]
        if stray:
            yield (
                "category_alone",
                f"{name}: no other item holds {', '.join(stray)}",
                "Is the code mistyped? The item has more thresholds than the others.",
            )
        rare = [
            f"{code:g} ({n})" for code, n in zip(codes, count, strict=True) if n < RARE
        ]
        if rare:
            yield (
                "category_rare",
                f"{name}: {', '.join(rare)}",
                _JOIN if len(codes) > 2 else _MORE,  # noqa: PLR2004
            )


def _thresholds(
    items: Sequence[Item], names: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    for name, item in zip(names, items, strict=True):
        far = item.thresholds[np.abs(item.thresholds) > _FAR]
        if len(far):
            yield (
                "threshold_far",
                f"{name}: {', '.join(f'{b:.1f}' for b in far)}",
                "Nobody stands there; do not read its size or the item's location.",
            )


def _people(coding: Coding, n_rows: int) -> Iterator[tuple[str, str, str]]:
    n, k = coding.n_obs, sum(coding.sizes)
    if n < FEW_PEOPLE:
        yield (
            "n_small",
            f"n = {n} for {k} parameters",
            f"Read intervals, not points; {FEW_PEOPLE} people are usual.",
        )
    if n < n_rows:
        yield (
            "rows_dropped",
            f"{n_rows - n} of {n_rows} rows hold no answer",
            "Compare those left out with the others.",
        )
    there = (coding.patterns >= 0).astype(float)
    share = 1 - float(coding.counts @ there.mean(axis=1)) / n
    if share > _GAPS:
        yield (
            "answers_missing",
            f"{share:.0%} of answers",
            "The model takes them as missing at random; see who leaves them out.",
        )


def _apart(coding: Coding, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    parts = item_groups(coding, names)
    if len(parts) > 1:
        yield (
            "items_apart",
            f"share no respondent: {' | '.join(', '.join(part) for part in parts)}",
            "Their common scale rests on groups that are alike; fit them apart.",
        )


def _dependent(table: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    large = table[table["large"]]
    if len(large):
        pairs = [f"{r.item_a}–{r.item_b} {r.q3:.2f}" for r in large.itertuples()]  # noqa: RUF001
        more = f" and {len(pairs) - _NAMED} more" if len(pairs) > _NAMED else ""
        yield (
            "local_dependence",
            f"Q3 more than .20 above its mean: {', '.join(pairs[:_NAMED])}{more}",
            "Such items repeat each other: drop one, or fit a residual correlation.",
        )


def _misfit(table: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    bad = table[table["p_holm"] < _MISFIT]
    if len(bad):
        named = [f"{r.item} (RMSEA {r.rmsea:.3f})" for r in bad.itertuples()]
        yield (
            "item_misfit",
            f"S-X2, Holm p < .05: {', '.join(named)}",
            "Compare its category curves with the answers; weigh the RMSEA, not p.",
        )
