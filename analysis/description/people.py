"""Who answered: people and couples by wave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from survey.instrument import ChoiceItem, NumberItem

if TYPE_CHECKING:
    from survey.responses import Responses


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
