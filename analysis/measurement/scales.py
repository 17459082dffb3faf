"""The scales and items that measurement is about, and what is left out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import AnalysisError, TooFewError
from analysis.result import warning_table
from analysis.scoring import select_scales
from survey.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analysis.scoring import Scores
    from survey.instrument import Scale


def measured_scales(
    instrument: Instrument, scales: Sequence[str] | str | None = None
) -> tuple[Scale, ...]:
    """Choose the scales a measurement model is about.

    Parameters
    ----------
    scales
        Ids of scales, or one kind (``["sign"]``), as a sequence or separated by
        commas; ``all`` for every scale; when left out, the signs where the instrument
        has any, else all scales.

    Raises
    ------
    AnalysisError
        If an id is unknown, or all scales are declared formative: for a checklist
        neither alpha nor a factor model is evidence.
    """
    chosen = _chosen(instrument, scales)
    reflective = tuple(one for one in chosen if one.measurement == "reflective")
    if not reflective:
        raise AnalysisError(_none_reflective(instrument, chosen))
    return reflective


def scale_items(
    scores: Scores, scales: Sequence[str] | str | None = None
) -> dict[str, pd.DataFrame]:
    """Keyed items of each scale that anybody answered, by scale id.

    A scale of which nobody answered an item is left out.
    """
    out = {}
    for scale in measured_scales(scores.instrument, scales):
        items = scores.of(scale.id)
        answered = [name for name in items if items[name].notna().any()]
        if answered:
            out[scale.id] = items[answered]
    return out


def measured_items(
    scores: Scores, scales: Sequence[str] | str | None = None
) -> pd.DataFrame:
    """Keyed items of scales in one table; an item of two scales stands in it once.

    Items that nobody answered, or all alike, are left out: see `left_out`.

    Raises
    ------
    TooFewError
        If no item of these scales is left.
    """
    silent = silent_items(scores, scales)
    names = [
        name
        for scale in measured_scales(scores.instrument, scales)
        for name in scale.items
        if name not in silent
    ]
    if not names:
        raise TooFewError(_nobody(scores, scales))
    return scores.items[list(dict.fromkeys(names))]


def left_out(scores: Scores, scales: Sequence[str] | str | None = None) -> pd.DataFrame:
    """Warn of what is left out of measurement, one row a scale and reason.

    Items that nobody answered, or all alike, and scales that are declared formative.
    """
    rows = [
        (
            "formative: alpha and factor models say nothing about it",
            scale.id,
            "It is left out here; its score can still be related to others.",
        )
        for scale in _chosen(scores.instrument, scales)
        if scale.measurement == "formative"
    ]
    for scale in measured_scales(scores.instrument, scales):
        empty = [name for name in scale.items if scores.items[name].isna().all()]
        if empty:
            rows.append(
                (
                    f"nobody answered {len(empty)} of {len(scale.items)} items",
                    f"{scale.id}: {', '.join(empty)}",
                    "They are left out. Was another form or wave fielded?",
                )
            )
        silent = set(silent_items(scores, [scale.id])) - set(empty)
        if alike := [name for name in scale.items if name in silent]:
            rows.append(
                (
                    f"{len(alike)} of {len(scale.items)} items were answered all alike",
                    f"{scale.id}: {', '.join(alike)}",
                    "They say nothing of differences between people and are left out.",
                )
            )
    return warning_table(rows)


def silent_items(scores: Scores, scales: Sequence[str] | str | None) -> list[str]:
    """Name the items of scales that nobody answered, or all alike."""
    return [
        name
        for scale in measured_scales(scores.instrument, scales)
        for name in scale.items
        if len(scores.items[name].dropna().unique()) <= 1
    ]


def _chosen(
    instrument: Instrument, scales: Sequence[str] | str | None
) -> tuple[Scale, ...]:
    if not isinstance(instrument, Instrument):
        raise AnalysisError(
            f"instrument: {type(instrument).__name__} is given. Read the questionnaire "
            "first, with Instrument.load(id or path)."
        )
    if not scales and (signs := instrument.scales_of("sign")):
        return signs
    return select_scales(instrument, scales)


def _none_reflective(instrument: Instrument, chosen: Sequence[Scale]) -> str:
    if not chosen:
        return (
            f"scales: {instrument.id!r} has none. List the items that belong together "
            "under `scales` of the instrument."
        )
    return (
        f"scales {[one.id for one in chosen]}: none is reflective, so a factor model "
        "says nothing about them. Choose other scales, or declare `measurement: "
        "reflective` if the items mirror one construct."
    )


def _nobody(scores: Scores, scales: Sequence[str] | str | None) -> str:
    names = [scale.id for scale in measured_scales(scores.instrument, scales)]
    return (
        f"scales {names}: no item of theirs was answered in two ways. Choose other "
        "scales, or another wave."
    )
