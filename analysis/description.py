"""What was answered, by whom, and what is missing: described, not yet analysed."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.plots.likert import likert_bars
from analysis.plots.missingness import missing_bars
from analysis.scoring import select_scales
from survey.instrument import ChoiceItem, LikertItem, NumberItem
from survey.responses import BLANK, NOT_SHOWN, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from matplotlib.axes import Axes

    from survey.instrument import Instrument, Scale
    from survey.responses import Responses

_ITEMS_A_FIGURE = 16
_LABEL = 40
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


def sample_table(responses: Responses) -> pd.DataFrame:
    """Describe the people of each wave: numbers by mean and range, choices by counts.

    One row per wave, number item and option of a choice item: ``wave item text value
    n percent mean sd minimum maximum``; percent of those who answered.
    """
    rows = [
        {"wave": wave} | row
        for wave in responses.waves
        for row in _people_rows(responses.at_wave(wave))
    ]
    columns = ["wave", "item", "text", "value", "n", "percent", "mean", "sd"]
    return pd.DataFrame(rows, columns=[*columns, "minimum", "maximum"])


def _people_rows(responses: Responses) -> list[dict[str, object]]:
    instrument = responses.instrument
    rows: list[dict[str, object]] = []
    for item in instrument.items:
        given = responses.frame[item.id].dropna()
        text = instrument.wording(item.text)
        if isinstance(item, NumberItem) and len(given):
            numbers = given.astype(float)
            rows.append(
                {
                    "item": item.id,
                    "text": text,
                    "value": instrument.wording(item.unit),
                    "n": len(numbers),
                    "mean": numbers.mean(),
                    "sd": numbers.std() if len(numbers) > 1 else np.nan,
                    "minimum": numbers.min(),
                    "maximum": numbers.max(),
                }
            )
        elif isinstance(item, ChoiceItem) and len(given):
            options = instrument.response_scale(item.response_scale).options
            counts = given.value_counts()
            rows += [
                {
                    "item": item.id,
                    "text": text,
                    "value": instrument.wording(label),
                    "n": int(counts.get(code, 0)),
                    "percent": 100 * float(counts.get(code, 0)) / len(given),
                }
                for code, label in options.items()
            ]
    return rows


def flow_table(responses: Responses) -> pd.DataFrame:
    """Count people by wave: all, in couples with both partners, in couples with one.

    One row per wave: ``wave people couples_both couples_one without_couple``.
    """
    rows = []
    for wave in responses.waves:
        people = responses.at_wave(wave).people
        sizes = people["couple"].dropna().value_counts()
        rows.append(
            {
                "wave": wave,
                "people": len(people),
                "couples_both": int((sizes == 2).sum()),  # noqa: PLR2004
                "couples_one": int((sizes == 1).sum()),
                "without_couple": int(people["couple"].isna().sum()),
            }
        )
    return pd.DataFrame(rows)


def scale_table(instrument: Instrument, language: str | None = None) -> pd.DataFrame:
    """List scales and composites: what they are, their items, how they are scored.

    Reversed items are marked ``(R)``.
    """
    rows = []
    for scale in instrument.scales:
        items = [f"{i} (R)" if i in scale.reversed else i for i in scale.items]
        rows.append(
            {
                "id": scale.id,
                "label": instrument.wording(scale.label, language),
                "kind": scale.kind or "",
                "n_items": len(scale.items),
                "n_reversed": len(scale.reversed),
                "items": ", ".join(items),
                "score": f"{scale.scoring} of at least {scale.needed}",
                "source": scale.source or "",
            }
        )
    rows += [
        {
            "id": one.id,
            "label": instrument.wording(one.label, language),
            "kind": "composite",
            "n_items": len(one.scales),
            "n_reversed": 0,
            "items": ", ".join(one.scales),
            "score": f"mean of at least {one.needed} scales",
            "source": one.source or "",
        }
        for one in instrument.composites
    ]
    return pd.DataFrame(rows)


def item_table(instrument: Instrument, language: str | None = None) -> pd.DataFrame:
    """List items in the order they are asked: page, id, text, answers, condition."""
    page_of = {
        name: instrument.wording(page.title, language)
        for page in instrument.all_pages
        for name in page.items
    }
    rows = []
    for item in instrument.items:
        if isinstance(item, LikertItem | ChoiceItem):
            options = instrument.response_scale(item.response_scale).options
            said = [
                f"{code} = {instrument.wording(label, language)}"
                for code, label in options.items()
            ]
            kind = "; ".join(said)
        elif isinstance(item, NumberItem):
            unit = instrument.wording(item.unit, language)
            kind = f"{item.minimum:g} to {item.maximum:g} {unit}".strip()
        else:
            kind = "text"
        rows.append(
            {
                "page": page_of.get(item.id, ""),
                "id": item.id,
                "text": instrument.wording(item.text, language),
                "answers": kind,
                "shown_if": item.show_if or "",
            }
        )
    return pd.DataFrame(rows)


def claim_table(instrument: Instrument, language: str | None = None) -> pd.DataFrame:
    """List the claims: what is claimed, of what, and which analysis answers it."""
    rows = [
        {
            "id": claim.id,
            "claim": instrument.wording(claim.text, language),
            "analysis": claim.analysis.replace("_", " "),
            "about": ", ".join(claim.focal),
            "outcomes": ", ".join(claim.outcomes) or (claim.event or ""),
            "source": claim.source or "",
        }
        for claim in instrument.claims
    ]
    columns = ["id", "claim", "analysis", "about", "outcomes", "source"]
    return pd.DataFrame(rows, columns=columns)
