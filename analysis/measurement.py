"""The bridge from an instrument to measurement models in lavaan's language."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.reliability import bifactor_reliability
from analysis.result import warning_table
from analysis.scoring import select_scales
from analysis.sem import IMPROPER, SemFit, cfa, compare, discriminant_validity
from analysis.sem.estimators import METHODS
from survey.instrument import LikertItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.reliability.hierarchical import HierarchicalReliability
    from analysis.scoring import Scores
    from analysis.sem import Comparison, DiscriminantValidity
    from analysis.sem.estimators import EstimatorName, Missing
    from survey.instrument import Instrument, Scale

#: Items with more ordered categories than this are taken as numbers (Rhemtulla,
#: Brosseau-Liard & Savalei 2012 find little difference from 5 on).
MAX_ORDERED: Final = 7
_USED: Final[dict[str, str]] = {
    "pairwise": "each correlation rests on everyone who answered both items",
    "ml": "every answer is used (full information)",
    "fiml": "every answer is used (full information)",
    "listwise": "people who miss an answer are left out",
    "two_stage": "moments are estimated from every answer",
    "robust_two_stage": "moments are estimated from every answer",
}

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
    treatment
        How answers were treated, and why, in one sentence.
    comparison
        Fit and tests between neighbours; None with fewer than two models.
    warnings
        Warnings of every model; a structure that could not be fitted, and why.
    """

    fits: dict[str, SemFit]
    treatment: str
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
            table = self.comparison.models.dropna(axis="columns", how="all")
            robust = [c for c in table if str(c).endswith("_robust")]
            scaled = [c for c in table if str(c).endswith("_scaled")]
            head = ["model", *scaled, *robust]
            return table[[*head, *(c for c in table if c not in head)]].copy()
        parts = [fit.glance().assign(model=name) for name, fit in self.fits.items()]
        return pd.concat(parts) if parts else pd.DataFrame(columns=["model"])

    def differences(self) -> pd.DataFrame:
        """One row per pair of neighbours: the test, or why there is none."""
        if self.comparison is None:
            return pd.DataFrame(columns=["model", "against", "note"])
        return self.comparison.differences.copy()

    def discriminant(self) -> DiscriminantValidity | None:
        """Ask whether correlated factors are distinct; None without such a model."""
        fit = self.fits.get("correlated")
        if fit is None or len(fit.latent) < 2:  # noqa: PLR2004
            return None
        return discriminant_validity(fit)

    def general(self) -> HierarchicalReliability | None:
        """Ask how much a general factor accounts for; None without a proper model."""
        for name in ("bifactor", "second_order"):
            fit = self.fits.get(name)
            if fit is None or set(fit.warnings["what"]) & set(IMPROPER):
                continue
            return bifactor_reliability(fit)
        return None

    def glance(self) -> pd.DataFrame:
        """One row: how many structures were asked for and fitted."""
        return pd.DataFrame({"n_models": [len(self.fits)]})

    def summary(self) -> str:
        """Say each model's fit as papers print it."""
        if not self.fits:
            return "No structure could be fitted; the warnings say why"
        models = [f"{name}: {fit.summary()}" for name, fit in self.fits.items()]
        return f"{self.treatment} " + "; ".join(models)


def fit_structures(
    scores: Scores,
    structures: Sequence[Structure],
    *,
    scales: Sequence[str] | str | None = None,
    estimator: EstimatorName | None = None,
    missing: Missing | None = None,
) -> Structures:
    """Fit several structures to the same items.

    Parameters
    ----------
    scores
        Of one wave; items that nobody answered, or all alike, are left out.
    structures
        See `measurement_model`.
    scales
        See `measured_scales`.
    estimator
        By default ``"WLSMV"`` where every item is answered on at most 7 ordered
        categories, ``"MLR"`` otherwise.
    missing
        By default ``"pairwise"`` with ordered items and ``"ml"`` otherwise, so that
        nobody who answered something is left out.

    Returns
    -------
    Structures
        A structure that does not converge, is not identified or does not suit the
        scales is missing, with the reason in `warnings`.
    """
    instrument, items = scores.instrument, scores.items
    omit = _silent(scores, scales)
    how = _treatment(scores, scales, estimator, missing, omit)
    structures = [cast("Structure", structure.strip()) for structure in structures]
    fits: dict[str, SemFit] = {}
    notes: list[pd.DataFrame] = [left_out(scores, scales)]
    for structure in structures:
        try:
            model = measurement_model(instrument, structure, scales=scales, omit=omit)
            fits[structure] = cfa(
                model,
                items,
                estimator=how.estimator,
                ordered=how.ordered or None,
                missing=how.missing,
                std_lv=structure == "bifactor",
            )
        except AnalysisError as error:
            notes.append(warning_table([("model not fitted", structure, str(error))]))
            continue
    notes.append(_shared({name: fit.warnings for name, fit in fits.items()}))
    return Structures(
        fits=fits,
        treatment=how.words,
        comparison=compare(fits) if len(fits) > 1 else None,
        warnings=pd.concat([warning_table(), *notes], ignore_index=True),
    )


def _shared(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Warnings of all models, those that every model has once only."""
    rows = [
        (name, row)
        for name, table in found.items()
        for row in table.itertuples(index=False, name=None)
    ]
    counts = Counter(row for _, row in rows)
    several = len(found) > 1
    out = dict.fromkeys(
        (what, f"every model: {where}", remedy)
        if several and counts[what, where, remedy] == len(found)
        else (what, f"{name}: {where}", remedy)
        for name, (what, where, remedy) in rows
    )
    return warning_table(out)


@dataclass(frozen=True, slots=True)
class Treatment:
    """How the answers to some items are treated.

    Attributes
    ----------
    estimator, missing
        As in `analysis.sem.cfa`.
    ordered
        Whether they are ordered categories.
    words
        The same with its reason, in one sentence.
    """

    estimator: EstimatorName
    missing: Missing
    ordered: bool
    words: str


def _treatment(
    scores: Scores,
    scales: Sequence[str] | str | None,
    estimator: EstimatorName | None,
    missing: Missing | None,
    omit: Sequence[str],
) -> Treatment:
    """Choose estimator and treatment of missing answers for the items of scales."""
    names = [
        name
        for scale in measured_scales(scores.instrument, scales)
        for name in scale.items
        if name not in omit
    ]
    most = max((scores.items[name].nunique() for name in names), default=0)
    likert = all(isinstance(scores.instrument.item(n), LikertItem) for n in names)
    few = likert and most <= MAX_ORDERED
    chosen = estimator or ("WLSMV" if few else "MLR")
    ordered = likert and METHODS[chosen].least_squares and chosen != "GLS"
    gaps = missing or _gaps(chosen, ordered=ordered)
    if estimator:
        reason = f"{chosen} was asked for"
    elif few:
        reason = f"every item has at most {most} ordered categories"
    elif likert:
        reason = f"an item has {most} categories, which are taken as numbers"
    else:
        reason = "not all items are answered on ordered categories"
    kind = "ordered categories" if ordered else "numbers"
    used = _USED[gaps]
    words = f"Answers are treated as {kind} ({chosen}; {reason}); {used}."
    return Treatment(chosen, gaps, ordered, words)


def _gaps(estimator: EstimatorName, *, ordered: bool) -> Missing:
    if ordered:
        return "pairwise"
    return "ml" if estimator in {"ML", "MLR", "MLF"} else "listwise"


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
