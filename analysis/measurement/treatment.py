"""How answers are treated: as ordered categories or numbers, gaps and all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analysis.measurement.scales import measured_scales
from analysis.sem.estimators import METHODS
from survey.instrument import LikertItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.scoring import Scores
    from analysis.sem.estimators import EstimatorName, Missing

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


def choose_treatment(
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
