"""Does each scale measure alike from wave to wave, in the same people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.measurement import MAX_ORDERED, measured_scales
from analysis.result import warning_table
from analysis.scale_invariance.result import ScaleInvariance, beside, of_scale
from analysis.sem import invariance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.scoring import Scores
    from analysis.sem import Invariance
    from survey.instrument import Scale


def wave_invariance(
    scores: Scores,
    waves: Sequence[int] | None = None,
    *,
    scales: Sequence[str] | str | None = None,
) -> ScaleInvariance:
    """Compare the measurement of every scale across waves, in the same people.

    Parameters
    ----------
    scores
        Of several waves.
    waves
        The waves to compare; all when left out.
    scales
        See `analysis.measurement.measured_scales`.

    Raises
    ------
    AnalysisError
        If there are fewer than two waves.

    Notes
    -----
    One factor per wave, residuals of an item correlated across waves; people who
    answered at all these waves.
    """
    known = sorted(int(w) for w in scores.frame["wave"].unique())
    chosen = [int(w) for w in (waves or known)]
    if len(chosen) < 2 or not set(chosen) <= set(known):  # noqa: PLR2004
        raise AnalysisError(
            f"waves {chosen}: needs two of the waves {known} or more. Field a second "
            "wave, or choose others."
        )
    found: dict[str, Invariance] = {}
    warnings: list[pd.DataFrame] = []
    for scale in measured_scales(scores.instrument, scales):
        try:
            found[scale.id] = _across_waves(scores, scale, chosen)
        except AnalysisError as error:
            warnings.append(
                warning_table([("scale not compared", scale.id, str(error))])
            )
            continue
        warnings.append(of_scale(found[scale.id], scale))
    return beside(scores, "wave", found, [], warnings)


def _across_waves(scores: Scores, scale: Scale, waves: Sequence[int]) -> Invariance:
    parts = []
    for wave in waves:
        items = scores.at_wave(wave).items[list(scale.items)]
        parts.append(items.add_suffix(f"_w{wave}"))
    wide = pd.concat(parts, axis="columns", join="inner")
    names = {i: [f"{i}_w{w}" for w in waves] for i in scale.items}
    factors = [f"{scale.id}_w{w}" for w in waves]
    empty = [n for own in names.values() for n in own if wide[n].nunique() < 2]  # noqa: PLR2004
    if empty:
        raise TooFewError(
            f"scale {scale.id}: {', '.join(empty)} were not answered in two ways. "
            "Leave the scale out, or compare other waves."
        )
    model = "\n".join(
        f"{factor} =~ " + " + ".join(f"{i}_w{w}" for i in scale.items)
        for factor, w in zip(factors, waves, strict=True)
    )
    ordered = all(
        wide[one].nunique() <= MAX_ORDERED for own in names.values() for one in own
    )
    return invariance(
        model,
        wide,
        occasions={scale.id: factors} | names,
        ordered=True if ordered else None,
        missing="pairwise" if ordered else "ml",
        estimator=None if ordered else "MLR",
    )
