"""Which items run against the direction of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.answers import item_codes, varies
from analysis.errors import TooFewError
from analysis.items.direction import directions
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, eq=False)
class KeyingAudit:
    """Which items go against the direction of the majority.

    Attributes
    ----------
    table
        One row per item: `item`, `n`, `r_drop` (with the sum of the others, as
        keyed), `loading` (on the first principal component, turned so that the
        majority loads positive), `r_aligned` (with the sum of the others after
        turning those against the majority), `verdict`: ``"with"``, ``"against"``,
        ``"unclear"`` (too weak to tell), ``"no answers"`` or ``"constant"``.
    n_obs
        Respondents.
    warnings
        One row per item that is not ``"with"``: what, where, remedy.
    """

    table: pd.DataFrame
    n_obs: int
    warnings: pd.DataFrame

    @property
    def against(self) -> list[str]:
        """The items that contradict the key."""
        return self.table.loc[self.table["verdict"] == "against", "item"].tolist()

    def tidy(self) -> pd.DataFrame:
        """One row per item with correlations and verdict."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: n_items, n_against, n_unclear, n_obs."""
        verdict = self.table["verdict"]
        return pd.DataFrame(
            {
                "n_items": [len(verdict)],
                "n_against": [int((verdict == "against").sum())],
                "n_unclear": [int((verdict == "unclear").sum())],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Name the items that contradict the key."""
        p = len(self.table)
        if self.against:
            return (
                f"{len(self.against)} of {p} items go against the others: "
                f"{', '.join(self.against)} (n = {self.n_obs})"
            )
        unclear = int((self.table["verdict"] != "with").sum())
        tail = f", {unclear} cannot be told" if unclear else ""
        return f"no item of {p} goes against the others{tail} (n = {self.n_obs})"


def keying_audit(items: pd.DataFrame) -> KeyingAudit:
    """Look for items whose direction contradicts the others.

    Parameters
    ----------
    items
        Item codes of one scale, keyed or not, one row per respondent, missing as
        NA. Correlations take everyone who answered both items.

    Returns
    -------
    KeyingAudit
        For keyed items, those ``against`` are keyed wrongly or misread; for items
        whose keys are unknown, those to reverse.

    Raises
    ------
    TooFewError
        If fewer than three items vary: two items cannot outvote each other.
    AnalysisError
        If an item is not numeric.

    Notes
    -----
    The sign of the first principal component decides, not the item-rest
    correlation: that one also drops below zero for good items when others are keyed
    wrongly. Same idea as ``psych::alpha(check.keys = TRUE)``. An item is
    ``"unclear"`` when `r_aligned` is within two standard errors of zero, 2/sqrt(n).
    """
    x = item_codes(items, where="keying_audit", at_least=3)
    names = [str(name) for name in items.columns]
    usable = np.array(varies(x))
    if usable.sum() < 3:  # noqa: PLR2004
        raise TooFewError(
            f"keying_audit: {usable.sum()} of {len(names)} items vary, but a majority "
            "needs three. Add items of the same scale."
        )
    table = pd.DataFrame({"item": names, "n": (~np.isnan(x)).sum(axis=0)})
    for column, values in directions(x[:, usable]).items():
        table[column] = np.nan
        table.loc[usable, column] = values
    table["verdict"] = [
        _verdict(*row) for row in _tuples(table[["n", "loading", "r_aligned"]])
    ]
    tied = (table["verdict"] == "against").sum() == (table["verdict"] == "with").sum()
    return KeyingAudit(
        table, len(x), warning_table(_contradictions(table, tied=bool(tied)))
    )


def _verdict(n: int, loading: float, r_aligned: float) -> str:
    if not n:
        return "no answers"
    if np.isnan(loading):
        return "constant"
    if not abs(r_aligned) > 2 / np.sqrt(n) or np.sign(r_aligned) != np.sign(loading):
        return "unclear"
    return "with" if loading > 0 else "against"


def _contradictions(
    table: pd.DataFrame, *, tied: bool
) -> Iterator[tuple[str, str, str]]:
    if tied and (table["verdict"] == "against").any():
        yield (
            "as many items go one way as the other",
            "scale",
            "Decide from the wording which way the scale runs.",
        )
    remedies = {
        "against": "Check its key: reverse it, or undo a reversal done twice.",
        "unclear": "Check that it belongs to the scale.",
        "no answers": "Leave it out.",
        "constant": "Leave it out.",
    }
    odd = table[table["verdict"] != "with"]
    for item, r_drop, loading, verdict in _tuples(
        odd[["item", "r_drop", "loading", "verdict"]]
    ):
        known = f": item-rest r = {r_drop:.2f}, loading {loading:.2f}"
        what = verdict if np.isnan(loading) else verdict + known
        yield what, f"item {item}", remedies[verdict]


def _tuples(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    return table.itertuples(index=False, name=None)
