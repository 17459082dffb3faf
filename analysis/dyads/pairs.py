"""Complete couples out of a frame of people, and how alike partners are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError, TooFewError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D

PAIR = 2
MAX_NAMED = 5


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Complete couples.

    Attributes
    ----------
    frame
        Two rows a couple, one after the other, in the order of `roles` if there are
        any.
    roles
        Labels of the two roles; empty if partners are not told apart.
    n_one_partner
        Couples with one row only.
    n_incomplete
        Couples of two with a missing value.
    n_no_couple
        Rows that name no couple.
    """

    frame: pd.DataFrame
    roles: tuple[str, ...]
    n_one_partner: int
    n_incomplete: int
    n_no_couple: int

    @property
    def n_couples(self) -> int:
        """Complete couples."""
        return len(self.frame) // PAIR


def pair_up(
    data: pd.DataFrame, variables: Sequence[str], *, couple: str, role: str | None
) -> Pairs:
    """Select the couples whose two partners are complete on `variables`.

    Parameters
    ----------
    data
        One row per person.
    variables
        Columns that must not be missing.
    couple
        Column that names the couple.
    role
        Column with the partners' roles; None if they are not told apart. A role
        missing for some people counts as a missing value, one missing for all as no
        roles.

    Returns
    -------
    Pairs
        Sorted by first appearance of the couple, then by role.

    Raises
    ------
    AnalysisError
        If a couple has more than two rows, roles are more than two, or a couple has
        one role twice while others have two.
    TooFewError
        If no couple is complete.
    """
    _check_columns(data, [*variables, couple, *([] if role is None else [role])])
    named = data[data[couple].notna().to_numpy()]
    codes, found = pd.factorize(named[couple])
    labels = found.tolist()
    sizes = np.bincount(codes, minlength=len(labels))
    _refuse_crowded(sizes, labels)
    needed = list(variables)
    if role is not None and named[role].notna().any():
        needed.append(role)
    else:
        role = None
    spoiled = np.zeros(len(labels), dtype=bool)
    spoiled[codes[named[needed].isna().any(axis=1).to_numpy()]] = True
    good = (sizes == PAIR) & ~spoiled
    n_one, n_incomplete = (
        int((sizes == 1).sum()),
        int((spoiled & (sizes == PAIR)).sum()),
    )
    if not good.any():
        raise TooFewError(
            f"apim: none of {len(labels)} couples is complete ({n_one} with one "
            f"partner, {n_incomplete} with missing answers). "
            "Collect both partners' answers."
        )
    kept = named[good[codes]]
    couples = codes[good[codes]]
    roles, places = _roles(kept, couples, labels, role)
    order = np.lexsort([places, couples])
    return Pairs(
        frame=kept.iloc[order].reset_index(drop=True),
        roles=roles,
        n_one_partner=n_one,
        n_incomplete=n_incomplete,
        n_no_couple=len(data) - len(named),
    )


def numbers(frame: pd.DataFrame, name: str) -> Float1D:
    """Column as floats that vary.

    Raises
    ------
    AnalysisError
        If it is text, infinite or constant.
    """
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise AnalysisError(
            f"apim: {name!r} holds {column.dtype}, not numbers. Score it first."
        )
    values = column.astype("Float64").to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise AnalysisError(f"apim: {name!r} holds infinite values. Correct them.")
    if np.ptp(values) == 0:
        raise AnalysisError(
            f"apim: {name!r} is {values[0]:g} for everybody in the couples used. "
            "There is nothing to relate; choose another column."
        )
    return np.asarray(values, dtype=float)


def likeness(
    pairs: Pairs, columns: dict[str, Float1D], conf_level: float
) -> pd.DataFrame:
    """Double-entry intraclass correlation of each column.

    Parameters
    ----------
    pairs
        The couples.
    columns
        Values in the order of `pairs.frame`, by name.
    conf_level
        Of the intervals.

    Returns
    -------
    pd.DataFrame
        ``term estimate conf_low conf_high pearson``; the last is the correlation
        between the two roles, missing without roles.

    Notes
    -----
    Each couple enters as (a, b) and (b, a), so both share one mean and variance;
    Fisher (1925, section 38): z = atanh(r) has variance 1 / (G - 3/2). Same as
    ``cor(c(a, b), c(b, a))``.
    """
    half = float(stats.norm.ppf(0.5 + conf_level / 2)) / np.sqrt(pairs.n_couples - 1.5)
    rows = []
    for name, values in columns.items():
        first, second = values[0::PAIR], values[1::PAIR]
        r = float(np.corrcoef(np.append(first, second), np.append(second, first))[0, 1])
        z = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
        pearson = float(np.corrcoef(first, second)[0, 1]) if pairs.roles else np.nan
        rows.append((name, r, np.tanh(z - half), np.tanh(z + half), pearson))
    return pd.DataFrame(
        rows, columns=["term", "estimate", "conf_low", "conf_high", "pearson"]
    )


def _check_columns(data: pd.DataFrame, wanted: Sequence[str]) -> None:
    unknown = [name for name in dict.fromkeys(wanted) if name not in data.columns]
    if unknown:
        known = ", ".join(str(name) for name in data.columns[:12])
        raise AnalysisError(
            f"apim: the data have no column {unknown} (there are: {known}). "
            "Correct the name or add the column."
        )
    twice = [name for name in wanted if isinstance(data[name], pd.DataFrame)]
    if twice:
        raise AnalysisError(
            f"apim: more than one column is called {twice}. Keep one of each name."
        )


def _refuse_crowded(sizes: np.typing.NDArray[np.int_], labels: list[object]) -> None:
    crowded = np.flatnonzero(sizes > PAIR)
    if len(crowded):
        named = [f"{labels[i]!r} ({sizes[i]} rows)" for i in crowded[:MAX_NAMED]]
        shown = ", ".join(named)
        raise AnalysisError(
            f"apim: {len(crowded)} couples have more than two rows: {shown}. "
            "Keep one wave, one row per person, and two people per couple."
        )


def _roles(
    kept: pd.DataFrame,
    couples: np.typing.NDArray[np.int_],
    labels: list[object],
    role: str | None,
) -> tuple[tuple[str, ...], np.typing.NDArray[np.int_]]:
    """Labels of the roles, and the role of each row as 0 or 1."""
    nobody = np.zeros(len(kept), dtype=int)
    if role is None:
        return (), nobody
    column = kept[role]
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = list(column.cat.remove_unused_categories().cat.categories)
    else:
        values = sorted(column.unique())
    if len(values) == 1:
        return (), nobody
    if len(values) > PAIR:
        raise AnalysisError(
            f"apim: {role!r} has {len(values)} values ({', '.join(map(str, values))}), "
            "not two. Keep couples of two roles, or give role=None."
        )
    places = (column == values[1]).to_numpy().astype(int)
    second = np.bincount(couples, places, minlength=len(labels))
    first = np.bincount(couples, 1 - places, minlength=len(labels))
    same = np.flatnonzero((second == PAIR) | (first == PAIR))
    if len(same):
        shown = ", ".join(repr(labels[i]) for i in same[:MAX_NAMED])
        raise AnalysisError(
            f"apim: {len(same)} couples have the same {role!r} twice: {shown}. "
            "Correct the roles, leave those couples out, or give role=None to treat "
            "partners alike."
        )
    return (str(values[0]), str(values[1])), places
