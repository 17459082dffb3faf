"""What is missing and why, by item, scale or page."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from analysis.plots.missingness import missing_bars
from survey.instrument import ChoiceItem, LikertItem, NumberItem
from survey.responses import BLANK, NOT_SHOWN, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from survey.instrument import Instrument
    from survey.responses import Responses

_LABEL = 40


@dataclass(frozen=True, slots=True, eq=False)
class Missingness:
    """How much is missing and why, by item, scale or page.

    Attributes
    ----------
    shares
        Percent of the answers that could have been given (shown items), one row per
        item, scale or page; columns ``left blank`` and ``prefers not to answer``.
    not_shown
        Percent of people the item was not shown to, same index.
    percent
        Percent missing of all answers that could have been given.
    n
        Rows: people times waves.
    complete
        Share of rows with every shown item answered, texts aside.
    """

    shares: pd.DataFrame
    not_shown: pd.Series[float]
    percent: float
    n: int
    complete: float

    def tidy(self) -> pd.DataFrame:
        """One row per item, scale or page, percent by reason."""
        return self.shares.assign(not_shown=self.not_shown)

    def glance(self) -> pd.DataFrame:
        """One row: rows, percent missing overall, share of complete rows."""
        return pd.DataFrame(
            {
                "n": [self.n],
                "percent_missing": [self.percent],
                "share_complete": [self.complete],
            }
        )

    def summary(self) -> str:
        """Say how much is missing."""
        return (
            f"{self.percent:.1f} % of the answers that could have been given are "
            f"missing; {self.complete:.0%} of {self.n} rows are complete"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the percent missing, most first, at most 40 rows.

        Reasons that nobody had are left out.
        """
        total = self.shares.sum(axis="columns").sort_values(ascending=False)
        had = self.shares.columns[(self.shares > 0).any()]
        reasons = had if len(had) else self.shares.columns[:1]
        most = self.shares.loc[total.index[:40], reasons]
        title = (
            f"“{total.index[0]}” is left out most: {total.iloc[0]:.1f} %"
            if total.iloc[0] > 0
            else "Nothing is missing"
        )
        return missing_bars(most, n=self.n, title=title, ax=ax)


def missingness(
    responses: Responses, by: Literal["item", "scale", "page"] = "scale"
) -> Missingness:
    """Count what is missing among the items that were shown, by reason.

    Text items are left out: an empty remark is no missing answer.
    """
    instrument = responses.instrument
    reasons = responses.missingness
    asked = [
        i.id
        for i in instrument.items
        if isinstance(i, LikertItem | ChoiceItem | NumberItem)
    ]
    blank, refused, hidden = (
        (reasons[asked] == reason) for reason in (BLANK, REFUSED, NOT_SHOWN)
    )
    offered = (~hidden).sum()
    groups = _groups(instrument, by, asked)
    rows, away = {}, {}
    for name, items in groups.items():
        could = int(offered[items].sum())
        if could:
            rows[name] = (
                100 * float(blank[items].to_numpy().sum()) / could,
                100 * float(refused[items].to_numpy().sum()) / could,
            )
            away[name] = 100 * float(hidden[items].to_numpy().mean())
    columns = ["left blank", "prefers not to answer"]
    lacking = (blank | refused).to_numpy()
    could_be_given = int(offered.sum())
    return Missingness(
        shares=pd.DataFrame.from_dict(rows, orient="index", columns=columns),
        not_shown=pd.Series(away, dtype=float),
        percent=100 * lacking.sum() / could_be_given if could_be_given else np.nan,
        n=len(responses),
        complete=float(np.mean(~lacking.any(axis=1))) if len(responses) else np.nan,
    )


def _groups(instrument: Instrument, by: str, asked: list[str]) -> dict[str, list[str]]:
    if by == "item":
        return {name: [name] for name in asked}
    if by == "page":
        return _named(
            (
                page.id,
                instrument.wording(page.title),
                [i for i in page.items if i in asked],
            )
            for page in instrument.all_pages
        )
    scaled = {name for scale in instrument.scales for name in scale.items}
    rest = [
        (
            name,
            textwrap.shorten(instrument.label(name), _LABEL, placeholder=" …"),
            [name],
        )
        for name in asked
        if name not in scaled
    ]
    scales = [
        (scale.id, instrument.wording(scale.label), list(scale.items))
        for scale in instrument.scales
    ]
    return _named([*rest, *scales])


def _named(groups: Iterable[tuple[str, str, list[str]]]) -> dict[str, list[str]]:
    """Key groups (id, label, items) by their labels; by id too where two are alike."""
    listed = list(groups)
    alike = Counter(label for _, label, _ in listed)
    return {
        label if alike[label] == 1 else f"{label} [{name}]": items
        for name, label, items in listed
    }
