"""From valid responses to measured constructs to relations between them.

Read in this order: scoring -> items, reliability -> efa -> sem -> measurement ->
regression, dyads -> outcomes -> claims. Frames and arrays go in, frozen results come
out; every result has `tidy`, `glance` and `summary`.

The names below are found here when they are used, so that importing one part does not
load the others. Functions named like their module stay there: `analysis.efa.efa`,
`analysis.sem.sem`, `analysis.reliability.reliability`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analysis.claims import answer_claims
    from analysis.dyads import apim
    from analysis.efa import bartlett, kmo, parallel_analysis
    from analysis.items import item_statistics, keying_audit
    from analysis.measurement import fit_structures, measurement_model
    from analysis.outcomes import explain
    from analysis.regression import (
        diagnostic,
        hierarchical,
        incremental,
        logistic,
        moderation,
        ols,
        ordinal,
    )
    from analysis.reliability import cronbach_alpha, omega_total
    from analysis.scoring import Scores, score
    from analysis.sem import cfa

__all__ = [
    "Scores",
    "answer_claims",
    "apim",
    "bartlett",
    "cfa",
    "cronbach_alpha",
    "diagnostic",
    "explain",
    "fit_structures",
    "hierarchical",
    "incremental",
    "item_statistics",
    "keying_audit",
    "kmo",
    "logistic",
    "measurement_model",
    "moderation",
    "ols",
    "omega_total",
    "ordinal",
    "parallel_analysis",
    "score",
]

_HOME: Final = {
    "Scores": "scoring",
    "answer_claims": "claims",
    "apim": "dyads",
    "bartlett": "efa",
    "cfa": "sem",
    "cronbach_alpha": "reliability",
    "diagnostic": "regression",
    "explain": "outcomes",
    "fit_structures": "measurement",
    "hierarchical": "regression",
    "incremental": "regression",
    "item_statistics": "items",
    "keying_audit": "items",
    "kmo": "efa",
    "logistic": "regression",
    "measurement_model": "measurement",
    "moderation": "regression",
    "ols": "regression",
    "omega_total": "reliability",
    "ordinal": "regression",
    "parallel_analysis": "efa",
    "score": "scoring",
}


def __getattr__(name: str) -> object:
    """Fetch a public name from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(f"analysis.{_HOME[name]}"), name)
