"""Several structures of the same items, fitted and compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pandas as pd

from analysis.errors import AnalysisError
from analysis.measurement.model import Structure, measurement_model
from analysis.measurement.scales import left_out, silent_items
from analysis.measurement.treatment import choose_treatment
from analysis.reliability import bifactor_reliability
from analysis.result import warning_table
from analysis.scoring import Scores
from analysis.sem import IMPROPER, SemFit, cfa, compare, discriminant_validity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.reliability.hierarchical import HierarchicalReliability
    from analysis.sem import Comparison, DiscriminantValidity
    from analysis.sem.estimators import EstimatorName, Missing


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
    if not isinstance(scores, Scores):
        raise AnalysisError(
            f"scores: {type(scores).__name__} is given. Score the valid answers first, "
            "with analysis.score(responses)."
        )
    instrument, items = scores.instrument, scores.items
    omit = silent_items(scores, scales)
    how = choose_treatment(scores, scales, estimator, missing, omit)
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
