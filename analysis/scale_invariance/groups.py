"""Does each scale measure alike in groups of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.measurement import MAX_ORDERED, measured_scales
from analysis.result import warning_table
from analysis.scale_invariance.result import ScaleInvariance, beside, of_scale
from analysis.sem import dmacs, invariance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.scoring import Scores
    from analysis.sem import Invariance
    from survey.instrument import Scale

_SMALLEST: Final = 100
_ITEMS: Final = 3


def group_invariance(
    scores: Scores,
    by: str,
    *,
    scales: Sequence[str] | str | None = None,
    smallest: int = _SMALLEST,
    release: bool = False,
) -> ScaleInvariance:
    """Compare the measurement of every scale across groups of people.

    Parameters
    ----------
    scores
        Of one wave.
    by
        Column of `Scores.frame` that tells groups apart: a choice item, ``role``,
        ``language``.
    scales
        See `analysis.measurement.measured_scales`.
    smallest
        Groups with fewer people are left out, with a warning.
    release
        See `analysis.sem.invariance`.

    Raises
    ------
    AnalysisError
        If there is no such column, or fewer than two groups are large enough.

    Notes
    -----
    Each scale on its own, one factor; ordered items by `WLSMV` in the order of Wu &
    Estabrook (2016). Partners of a couple resemble each other: errors and tests are
    clustered by couple where there are couples.
    """
    frame, notes = _grouped(scores, by, smallest)
    clustered = bool(frame["couple"].notna().any())
    found: dict[str, Invariance] = {}
    effects: list[pd.DataFrame] = []
    warnings: list[pd.DataFrame] = [warning_table(notes)]
    for scale in measured_scales(scores.instrument, scales):
        items = scores.items.loc[frame.index, list(scale.items)]
        data = items.assign(group=frame["group"], cluster=_clusters(frame))
        try:
            model, kwargs = _one_factor(scale, items, frame["group"])
            one = invariance(
                model,
                data,
                "group",
                cluster="cluster" if clustered else None,
                release=release,
                **kwargs,  # type: ignore[arg-type]
            )
            effects.append(dmacs(one).table.assign(scale=scale.id))
        except AnalysisError as error:
            warnings.append(
                warning_table([("scale not compared", scale.id, str(error))])
            )
            continue
        found[scale.id] = one
        warnings.append(of_scale(one, scale))
    return beside(scores, by, found, effects, warnings)


def _grouped(
    scores: Scores, by: str, smallest: int
) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Rows of groups that are large enough."""
    frame = scores.frame
    if by not in frame:
        raise AnalysisError(
            f"by={by!r} is no column of the scores. Choose a choice item of the "
            "instrument, or role or language."
        )
    counts = frame[by].value_counts()
    large = [g for g in counts.index if counts[g] >= smallest]
    notes = [
        (
            "group left out",
            f"{by} = {group}: n = {counts[group]}",
            f"Fewer than {smallest}: collect more, or join groups that belong together",
        )
        for group in counts.index
        if 0 < counts[group] < smallest
    ]
    missing = int(frame[by].isna().sum())
    if missing:
        notes.append(("people left out", f"{missing} without {by}", "Say so"))
    if len(large) < 2:  # noqa: PLR2004
        sizes = ", ".join(f"{g}: {counts[g]}" for g in counts.index)
        raise TooFewError(
            f"by={by!r}: fewer than two groups have {smallest} people ({sizes}). "
            "Collect more answers, or compare by something else."
        )
    kept = frame[frame[by].isin(large).to_numpy()]
    return kept.assign(group=kept[by].astype(str)), notes


def _clusters(frame: pd.DataFrame) -> np.ndarray:
    """Give every couple, and everybody without one, a number."""
    names = frame["couple"].astype(object).where(frame["couple"].notna(), None)
    alone = pd.Series([f"person {k}" for k in frame.index], index=frame.index)
    codes, _ = pd.factorize(names.where(names.notna(), alone))
    return np.asarray(codes)


def _one_factor(
    scale: Scale, items: pd.DataFrame, groups: pd.Series
) -> tuple[str, dict[str, object]]:
    """Model of one scale, and how its items are treated."""
    used = [i for i in scale.items if len(items[i].dropna().unique()) > 1]
    if len(used) < _ITEMS:
        raise TooFewError(
            f"scale {scale.id}: {len(used)} items were answered in two ways, but a "
            f"factor needs {_ITEMS}. It cannot be compared."
        )
    model = f"{scale.id} =~ " + " + ".join(used)
    most = max(int(items[i].nunique()) for i in used)
    if most > MAX_ORDERED or _lacking(items[used], groups):
        return model, {"estimator": "MLR", "missing": "ml"}
    return model, {"ordered": used, "missing": "pairwise"}


def _lacking(items: pd.DataFrame, groups: pd.Series) -> bool:
    """Whether some group has no answer in some category of an item."""
    counts = items.groupby(groups.to_numpy()).nunique()
    return bool((counts < items.nunique()).any(axis=None))
