"""Scale scores from valid responses.

Reversal and scoring are data in the instrument; this is the one place that applies
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from survey.instrument import ChoiceItem, Instrument, LikertItem, NumberItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from survey.instrument import Composite, Scale
    from survey.responses import Responses

    Column: TypeAlias = pd.Series[Any]  # a score, a fact or a key


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scale scores of each respondent and wave.

    Attributes
    ----------
    frame
        One row per respondent and wave: scale scores and composites (units of the
        item codes), then the items that belong to no scale (numbers as they are,
        choices as categories named by their labels), then ``couple role wave
        language form``. NaN where there is no answer or too few.
    items
        Item codes with reversed items turned round, one column per likert and number
        item; NaN where there is no answer.
    missing
        One row per scale or composite: ``scale n_scored n_too_few``.
    instrument
        The questionnaire, for labels and order.
    """

    frame: pd.DataFrame
    items: pd.DataFrame
    missing: pd.DataFrame
    instrument: Instrument

    def of(self, scale_id: str) -> pd.DataFrame:
        """Keyed items of one scale, one column per item."""
        return self.items[list(self.instrument.scale(scale_id).items)]

    def at_wave(self, wave: int) -> Scores:
        """Keep the rows of one wave; each respondent stands in it once.

        Raises
        ------
        AnalysisError
            If nobody answered at that wave.
        """
        keep = (self.frame["wave"] == wave).to_numpy()
        if not keep.any():
            known = sorted(int(one) for one in self.frame["wave"].unique())
            raise AnalysisError(
                f"wave {wave}: nobody answered then. The waves are {known}; choose one."
            )
        return Scores(
            self.frame.loc[keep], self.items.loc[keep], self.missing, self.instrument
        )


def score(responses: Responses) -> Scores:
    """Average (or add) the items of every scale, reversed items turned round.

    A score is missing where fewer than the scale's `min_answered` items have an
    answer; in a form with fewer items of the scale than that, where not all of them
    have. A sum is the mean of the answered items times the number of items, so that
    a missing answer does not count as zero. Same as ``psych::scoreItems(impute =
    "none")`` where all items are answered.
    """
    instrument = responses.instrument
    items = keyed(responses)
    forms = responses.people["form"]
    columns: dict[str, Column] = {
        scale.id: _scale_score(items, scale, instrument, forms)
        for scale in instrument.scales
    }
    for composite in instrument.composites:
        columns[composite.id] = _composite(columns, composite)
    scored = list(columns)
    missing = pd.DataFrame(
        {
            "scale": scored,
            "n_scored": [int(columns[name].notna().sum()) for name in scored],
            "n_too_few": [int(columns[name].isna().sum()) for name in scored],
        }
    )
    columns |= _facts(responses, items)
    for key in ("couple", "role", "wave", "language", "form"):
        columns |= {key: responses.people[key]}
    frame = pd.concat(columns, axis="columns")
    return Scores(frame, items, missing, instrument)


def keyed(responses: Responses) -> pd.DataFrame:
    """Turn reversed items round, so that high codes mean more of the construct.

    Columns of likert and number items, NaN where there is no answer.
    """
    instrument = responses.instrument
    numeric = [
        item.id
        for item in instrument.items
        if isinstance(item, LikertItem | NumberItem)
    ]
    items = responses.frame[numeric].astype("Float64").astype(np.float64)
    sums = {name: instrument.turning_sum(name) for name in numeric}
    columns = {
        name: items[name] if total is None else items[name].rsub(float(total))
        for name, total in sums.items()
    }
    return pd.DataFrame(columns, index=items.index)


def _scale_score(
    items: pd.DataFrame, scale: Scale, instrument: Instrument, forms: pd.Series[str]
) -> pd.Series[float]:
    answers = items[list(scale.items)]
    offered = {
        form.id: len(set(scale.items) & set(instrument.form_items(form.id)))
        for form in instrument.all_forms
    }
    least = {form: max(1, min(scale.needed, k)) for form, k in offered.items()}
    enough = answers.notna().sum(axis="columns") >= forms.map(least).astype(float)
    mean = answers.mean(axis="columns").where(enough)
    factor = len(scale.items) if scale.scoring == "sum" else 1
    return mean * float(factor)


def _composite(scores: Mapping[str, Column], composite: Composite) -> pd.Series[float]:
    parts = pd.concat([scores[name] for name in composite.scales], axis="columns")
    enough = parts.notna().sum(axis="columns") >= composite.needed
    return parts.mean(axis="columns").where(enough)


def _facts(responses: Responses, items: pd.DataFrame) -> dict[str, Column]:
    """Items of no scale: numbers as numbers, choices as named categories."""
    instrument = responses.instrument
    scaled = {name for scale in instrument.scales for name in scale.items}
    out: dict[str, Column] = {}
    for item in instrument.items:
        if item.id in scaled:
            continue
        if isinstance(item, ChoiceItem):
            out[item.id] = _categories(responses.frame[item.id], item, instrument)
        elif item.id in items:
            out[item.id] = items[item.id]
    return out


def _categories(
    answers: pd.Series[int], item: ChoiceItem, instrument: Instrument
) -> Column:
    options = instrument.response_scale(item.response_scale).options
    labels = {code: instrument.wording(label) for code, label in options.items()}
    named = answers.astype(object).map(labels)
    kind = pd.CategoricalDtype(list(dict.fromkeys(labels.values())))
    return named.astype(kind)


def select_scales(
    instrument: Instrument, names: Sequence[str] | str | None
) -> tuple[Scale, ...]:
    """Choose scales as report parameters name them.

    Parameters
    ----------
    names
        Ids or kinds of scales, as a sequence or separated by commas; all scales for
        ``all`` and when left out.

    Raises
    ------
    AnalysisError
        If a name is none of these.
    """
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    if not names or list(names) == ["all"]:
        return instrument.scales
    known = [one.id for one in instrument.scales]
    kinds = {one.kind for one in instrument.scales if one.kind}
    if stray := [name for name in names if name not in {*known, *kinds}]:
        raise AnalysisError(
            f"scales: {stray} are no scale or kind of {instrument.id!r}. "
            f"It has {known}."
        )
    return tuple(
        one for one in instrument.scales if one.id in names or one.kind in names
    )
