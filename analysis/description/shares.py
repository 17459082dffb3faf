"""How often each answer was given to likert items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from analysis.plots.likert import likert_bars
from analysis.scoring import select_scales
from survey.instrument import LikertItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from matplotlib.axes import Axes

    from survey.instrument import Scale
    from survey.responses import Responses

_ITEMS_A_FIGURE = 16
#: Id of a response scale, heading, items.
_Block: TypeAlias = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class AnswerShares:
    """How often each code of one response scale was chosen.

    Attributes
    ----------
    shares
        Percent of answers, shape (n_items, n_codes); index is item ids, columns are
        the labels of the codes in order.
    n
        Answers per item.
    texts
        What each item says.
    groups
        Label of a scale to its items, in order.
    title
        What the figure shows.
    """

    shares: pd.DataFrame
    n: pd.Series[int]
    texts: dict[str, str]
    groups: dict[str, tuple[str, ...]]
    title: str

    def tidy(self) -> pd.DataFrame:
        """One row per item: what it says, n, and the percent of each answer."""
        said = pd.Series(self.texts, name="text").reindex(self.shares.index)
        return pd.concat([said, self.n.rename("n"), self.shares], axis="columns")

    def glance(self) -> pd.DataFrame:
        """One row: items, and the fewest and most answers to one."""
        return pd.DataFrame(
            {
                "n_items": [len(self.n)],
                "n_least": [int(self.n.min())],
                "n_most": [int(self.n.max())],
            }
        )

    def summary(self) -> str:
        """Say how many items and answers there are."""
        return f"{len(self.n)} items, n = {self.n.min()} to {self.n.max()}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw diverging stacked bars, items under the headings of their scales."""
        names = {item: f"{text} [{item}]" for item, text in self.texts.items()}
        headings = {
            heading: tuple(names[item] for item in items)
            for heading, items in self.groups.items()
        }
        return likert_bars(
            self.shares.rename(index=names),
            n=self.n.rename(index=names),
            groups=headings,
            title=self.title,
            ax=ax,
        )


def answers(
    responses: Responses, scales: Sequence[str] | str | None = None
) -> tuple[AnswerShares, ...]:
    """Count the answers to the likert items of scales, a figure's worth at a time.

    Parameters
    ----------
    responses
        Raw codes are described: reversed items stand as they were asked.
    scales
        Ids of scales, or one kind; all scales when left out.

    Returns
    -------
    tuple of AnswerShares
        Neighbouring scales with one response scale together, up to 16 items a figure
        (a longer scale is not cut); items that nobody answered are left out, and so
        are numbers.
    """
    chosen = select_scales(responses.instrument, scales)
    return tuple(
        _shares(responses, options, batch)
        for options, batch in _batches(_blocks(chosen, responses))
    )


def _blocks(scales: Sequence[Scale], responses: Responses) -> Iterator[_Block]:
    """Give the answered items of each scale, apart by response scale."""
    for scale in scales:
        by_options: dict[str, list[str]] = {}
        for name in scale.items:
            item = responses.instrument.item(name)
            if isinstance(item, LikertItem) and responses.frame[name].notna().any():
                by_options.setdefault(item.response_scale, []).append(name)
        heading = responses.instrument.wording(scale.label)
        for options, items in by_options.items():
            yield options, heading, tuple(items)


def _batches(
    blocks: Iterable[_Block],
) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    batch: dict[str, tuple[str, ...]] = {}
    used = ""
    for options, heading, items in blocks:
        size = sum(len(one) for one in batch.values()) + len(items)
        apart = options != used or size > _ITEMS_A_FIGURE or heading in batch
        if batch and apart:
            yield used, batch
            batch = {}
        batch[heading] = items
        used = options
    if batch:
        yield used, batch


def _shares(
    responses: Responses, response_scale: str, groups: dict[str, tuple[str, ...]]
) -> AnswerShares:
    instrument = responses.instrument
    options = instrument.response_scale(response_scale).options
    labels = [instrument.wording(label) for label in options.values()]
    rows, n = {}, {}
    for name in dict.fromkeys(name for items in groups.values() for name in items):
        given = responses.frame[name].dropna()
        counts = given.value_counts().reindex(list(options), fill_value=0)
        n[name] = len(given)
        rows[name] = 100 * counts.to_numpy(dtype=float) / len(given)
    shares = pd.DataFrame.from_dict(rows, orient="index", columns=labels)
    texts = {name: instrument.wording(instrument.item(name).text) for name in rows}
    return AnswerShares(
        shares=shares,
        n=pd.Series(n),
        texts=texts,
        groups=groups,
        title=_highest(shares, texts),
    )


def _highest(shares: pd.DataFrame, texts: dict[str, str]) -> str:
    """Say which item is answered in the upper half of the scale most often."""
    upper = shares.iloc[:, (shares.shape[1] + 1) // 2 :]
    share = upper.sum(axis="columns").sort_values(ascending=False)
    top = str(share.index[0])
    answers_said = f"{upper.columns[0]}" + (" or more" if upper.shape[1] > 1 else "")
    return f"{share.iloc[0]:.0f} % answer {answers_said}: \u201c{texts[top]}\u201d"
