"""The bridge from an instrument to measurement models in lavaan's language."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.result import warning_table
from analysis.scoring import select_scales
from analysis.sem import SemFit, cfa, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.scoring import Scores
    from analysis.sem import Comparison
    from survey.instrument import Instrument, Scale

Structure: TypeAlias = Literal["one", "correlated", "second_order", "bifactor"]


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


def _chosen(
    instrument: Instrument, scales: Sequence[str] | str | None
) -> tuple[Scale, ...]:
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


def measurement_model(
    instrument: Instrument,
    structure: Structure = "correlated",
    *,
    scales: Sequence[str] | str | None = None,
    general: str | None = None,
    omit: Sequence[str] = (),
) -> str:
    """Write the measurement model of an instrument in lavaan syntax.

    Parameters
    ----------
    structure
        ``one``: all items on one factor. ``correlated``: one factor a scale.
        ``second_order``: these under a general factor. ``bifactor``: every item on
        the general factor and on its own scale's, all uncorrelated.
    scales
        See `measured_scales`.
    general
        Name of the general factor; the composite that holds just these scales, or
        ``general``.
    omit
        Items to leave out; a scale without any other item is left out, too.

    Notes
    -----
    The text carries all constraints of the structure; fit it with ``std_lv=True`` for
    ``bifactor`` and with the defaults otherwise.
    """
    structure = cast("Structure", structure.strip())
    if structure not in get_args(Structure):
        raise AnalysisError(
            f"structure: {structure!r} is unknown. Choose one of "
            f"{', '.join(get_args(Structure))}."
        )
    chosen = measured_scales(instrument, scales)
    top = general or _general_name(instrument, chosen)
    items = {
        scale.id: [name for name in scale.items if name not in omit] for scale in chosen
    }
    items = {name: kept for name, kept in items.items() if kept}
    every = list(dict.fromkeys(name for kept in items.values() for name in kept))
    if not every:
        raise TooFewError(
            f"scales {[one.id for one in chosen]}: no item is left to measure with. "
            "Choose other scales or another wave, or collect more answers."
        )
    if structure == "one":
        return _loadings(top, every)
    specific = [_loadings(name, kept) for name, kept in items.items()]
    if structure == "correlated":
        return "\n".join(specific)
    names = list(items)
    least = 3 if structure == "second_order" else 2
    if len(names) < least:
        raise AnalysisError(
            f"structure={structure!r}: needs at least {least} scales, found {names}. "
            "Use structure='correlated' or 'one'."
        )
    if structure == "second_order":
        return "\n".join([*specific, _loadings(top, names)])
    pairs = combinations([top, *names], 2)
    apart = [f"{a} ~~ 0*{b}" for a, b in pairs]
    return "\n".join([_loadings(top, every), *specific, *apart])


@dataclass(frozen=True, slots=True, eq=False)
class Structures:
    """Measurement models of the same items, side by side.

    Attributes
    ----------
    fits
        Structure to its fitted model, in the order asked.
    comparison
        Fit and tests between neighbours; None with fewer than two models.
    warnings
        Warnings of every model; a structure that could not be fitted, and why.
    """

    fits: dict[str, SemFit]
    comparison: Comparison | None
    warnings: pd.DataFrame

    def fit(self, structure: str) -> SemFit:
        """Look a fitted model up by its structure.

        Raises
        ------
        AnalysisError
            If it was not fitted; says why.
        """
        if structure in self.fits:
            return self.fits[structure]
        reasons = self.warnings.loc[self.warnings["where"] == structure, "remedy"]
        reason = " ".join(reasons) or "It was not asked for."
        known = ", ".join(self.fits) or "none"
        raise AnalysisError(
            f"structure {structure!r} is not fitted: {reason} Fitted: {known}."
        )

    def tidy(self) -> pd.DataFrame:
        """One row per model: fit indices, least restricted first."""
        if self.comparison is not None:
            return self.comparison.models.copy()
        parts = [fit.glance().assign(model=name) for name, fit in self.fits.items()]
        return pd.concat(parts) if parts else pd.DataFrame(columns=["model"])

    def differences(self) -> pd.DataFrame:
        """One row per pair of neighbours: the test, or why there is none."""
        if self.comparison is None:
            return pd.DataFrame(columns=["model", "against", "note"])
        return self.comparison.differences.copy()

    def glance(self) -> pd.DataFrame:
        """One row: how many structures were asked for and fitted."""
        return pd.DataFrame({"n_models": [len(self.fits)]})

    def summary(self) -> str:
        """Say each model's fit as papers print it."""
        if not self.fits:
            return "No structure could be fitted; the warnings say why"
        return "; ".join(f"{name}: {fit.summary()}" for name, fit in self.fits.items())


def fit_structures(
    scores: Scores,
    structures: Sequence[Structure],
    *,
    scales: Sequence[str] | str | None = None,
) -> Structures:
    """Fit several structures to the same items by maximum likelihood.

    Parameters
    ----------
    scores
        Of one wave; items that nobody answered, or all alike, are left out.
    structures
        See `measurement_model`.
    scales
        See `measured_scales`.

    Returns
    -------
    Structures
        A structure that does not converge, is not identified or does not suit the
        scales is missing, with the reason in `warnings`.
    """
    instrument, items = scores.instrument, scores.items
    omit = _silent(scores, scales)
    structures = [cast("Structure", structure.strip()) for structure in structures]
    fits: dict[str, SemFit] = {}
    notes: list[pd.DataFrame] = [left_out(scores, scales)]
    for structure in structures:
        try:
            model = measurement_model(instrument, structure, scales=scales, omit=omit)
            fits[structure] = cfa(model, items, std_lv=structure == "bifactor")
        except AnalysisError as error:
            notes.append(warning_table([("model not fitted", structure, str(error))]))
            continue
        found = fits[structure].warnings
        notes.append(found.assign(where=structure + ": " + found["where"].astype(str)))
    return Structures(
        fits=fits,
        comparison=compare(fits) if len(fits) > 1 else None,
        warnings=pd.concat([warning_table(), *notes], ignore_index=True),
    )


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
    silent = _silent(scores, scales)
    names = [
        name
        for scale in measured_scales(scores.instrument, scales)
        for name in scale.items
        if name not in silent
    ]
    if not names:
        raise TooFewError(_nobody(scores, scales))
    return scores.items[list(dict.fromkeys(names))]


def _silent(scores: Scores, scales: Sequence[str] | str | None) -> list[str]:
    """Name the items of scales that nobody answered, or all alike."""
    return [
        name
        for scale in measured_scales(scores.instrument, scales)
        for name in scale.items
        if len(scores.items[name].dropna().unique()) <= 1
    ]


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
        silent = set(_silent(scores, [scale.id])) - set(empty)
        if alike := [name for name in scale.items if name in silent]:
            rows.append(
                (
                    f"{len(alike)} of {len(scale.items)} items were answered all alike",
                    f"{scale.id}: {', '.join(alike)}",
                    "They say nothing of differences between people and are left out.",
                )
            )
    return warning_table(rows)


def _nobody(scores: Scores, scales: Sequence[str] | str | None) -> str:
    names = [scale.id for scale in measured_scales(scores.instrument, scales)]
    return (
        f"scales {names}: no item of theirs was answered in two ways. Choose other "
        "scales, or another wave."
    )


def _loadings(factor: str, indicators: Sequence[str]) -> str:
    return f"{factor} =~ " + " + ".join(indicators)


def _general_name(instrument: Instrument, chosen: Sequence[Scale]) -> str:
    names = {scale.id for scale in chosen}
    for composite in instrument.composites:
        if set(composite.scales) == names:
            return composite.id
    return "general" if "general" not in names else "general_factor"
