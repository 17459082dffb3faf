"""The codes an item can have, and how often each was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float2D

Codes: TypeAlias = Mapping[str, Sequence[int]] | Sequence[int] | None

# With more different answers than this an item is a number, not a set of categories.
MOST_CATEGORIES = 15


def possible_codes(
    names: Sequence[str], codes: Codes, *, where: str
) -> list[list[float] | None]:
    """Spell out the possible codes of each item, in order; None where unknown.

    Raises
    ------
    AnalysisError
        If `codes` is a mapping without some item, or a list is empty or holds
        something that is no code.
    """
    if codes is None:
        return [None] * len(names)
    if not isinstance(codes, Mapping | Iterable):
        raise AnalysisError(
            f"{where}: codes={codes!r} is no list of codes. Give all of them, e.g. "
            "range(1, 6)."
        )
    if not isinstance(codes, Mapping):
        codes = dict.fromkeys(names, codes)
    if absent := [name for name in names if name not in codes]:
        raise AnalysisError(
            f"{where}: no codes given for items {absent}. Add them to `codes`."
        )
    if empty := [name for name in names if not len(codes[name])]:
        raise AnalysisError(
            f"{where}: the list of codes of items {empty} is empty. "
            "Give the possible codes."
        )
    for name in names:
        if words := [code for code in codes[name] if not _is_code(code)]:
            raise AnalysisError(
                f"{where}: the codes of item {name!r} hold {words[0]!r}. "
                "Give finite numbers."
            )
    return [sorted({float(code) for code in codes[name]}) for name in names]


def _is_code(code: object) -> bool:
    number = isinstance(code, int | float | np.number)
    return number and bool(np.isfinite(float(code)))  # type: ignore[arg-type]


def count_codes(
    x: Float2D,
    names: Sequence[str],
    possible: Sequence[Sequence[float] | None],
    *,
    where: str,
) -> pd.DataFrame:
    """Count the answers with each code.

    Parameters
    ----------
    x
        Codes, shape (n_obs, n_items), NaN where missing.
    names
        The items.
    possible
        The codes each can have, None where unknown; see `possible_codes`.
    where
        Name of the calling analysis, which opens the message.

    Returns
    -------
    DataFrame
        One row per item and code: `item`, `code`, `count`, `share` of the item's
        answers; codes that nobody gave are there when they are known.

    Raises
    ------
    AnalysisError
        If an item holds codes it cannot have; all such items at once.
    """
    rows, faults = [], []
    for name, column, codes in zip(names, x.T, possible, strict=True):
        found, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        count = dict(zip(found.tolist(), counts.tolist(), strict=True))
        if codes is not None and (wrong := sorted(set(count) - set(codes))):
            faults.append(f"{name!r} holds {wrong}")
        rows += [
            (name, code, count.get(code, 0), count.get(code, 0) / max(counts.sum(), 1))
            for code in (sorted(count) if codes is None else codes)
        ]
    if faults:
        raise AnalysisError(
            f"{where}: codes an item cannot have: {'; '.join(faults)}. "
            "Validate the answers first, or correct `codes`."
        )
    use = pd.DataFrame(rows, columns=["item", "code", "count", "share"])
    whole = (use["code"] % 1 == 0).all()
    return use.astype({"code": int}) if whole else use


def rare_codes(use: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Warn of codes nobody gave, or only one person.

    Items with more than 15 different answers are numbers, those with one do not vary;
    neither is looked at.
    """
    for item, rows in use.groupby("item", sort=False):
        if not 1 < (rows["count"] > 0).sum() <= MOST_CATEGORIES:
            continue
        unused = rows.loc[rows["count"] == 0, "code"].tolist()
        once = rows.loc[rows["count"] == 1, "code"].tolist()
        if unused:
            yield (
                f"nobody gave {_listed(unused)}",
                f"item {item}",
                "Ordinal models leave such categories out; name them in the report.",
            )
        if once:
            yield (
                f"one person gave {_listed(once)}",
                f"item {item}",
                "Thresholds are unstable; join it with its neighbour, in all groups.",
            )


def _listed(codes: Sequence[float]) -> str:
    noun = "code" if len(codes) == 1 else "codes"
    return f"{noun} {', '.join(f'{code:g}' for code in codes)}"
