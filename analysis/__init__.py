"""From valid responses to measured constructs to relations between them.

Read in this order: scoring -> items, reliability -> efa -> sem -> measurement ->
regression, dyads -> outcomes -> claims. Frames and arrays go in, frozen results come
out; every result has `tidy`, `glance` and `summary`.

The names below are found here when they are used, so that importing one part does not
load the others. Packages named like their chief function (`efa`, `polychoric`,
`reliability`, `sem`) are called like it: ``from analysis import sem``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analysis.claims import answer_claims
    from analysis.correlations import correlation
    from analysis.cosmin import grade_structure, grade_table
    from analysis.dyads import apim
    from analysis.efa import (
        bartlett,
        congruence,
        ekc,
        hull,
        kmo,
        map_test,
        n_factors,
        parallel_analysis,
    )
    from analysis.irt import graded_response, monotonicity, person_scores
    from analysis.items import category_use, item_statistics, keying_audit, mardia
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
    from analysis.reliability import (
        bifactor_reliability,
        categorical_omega,
        composite_reliability,
        cronbach_alpha,
        icc,
        measurement_error,
        omega_hierarchical,
        omega_total,
        ordinal_alpha,
        split_half,
    )
    from analysis.scoring import Scores, score
    from analysis.sem import (
        alignment,
        bootstrap_intervals,
        cfa,
        compare,
        discriminant_validity,
        dmacs,
        factor_scores,
        invariance,
        local_fit,
        modification_indices,
        profile_interval,
        score_tests,
    )

__all__ = [
    "Scores",
    "alignment",
    "answer_claims",
    "apim",
    "bartlett",
    "bifactor_reliability",
    "bootstrap_intervals",
    "categorical_omega",
    "category_use",
    "cfa",
    "compare",
    "composite_reliability",
    "congruence",
    "correlation",
    "cronbach_alpha",
    "diagnostic",
    "discriminant_validity",
    "dmacs",
    "ekc",
    "explain",
    "factor_scores",
    "fit_structures",
    "grade_structure",
    "grade_table",
    "graded_response",
    "hierarchical",
    "hull",
    "icc",
    "incremental",
    "invariance",
    "item_statistics",
    "keying_audit",
    "kmo",
    "local_fit",
    "logistic",
    "map_test",
    "mardia",
    "measurement_error",
    "measurement_model",
    "moderation",
    "modification_indices",
    "monotonicity",
    "n_factors",
    "ols",
    "omega_hierarchical",
    "omega_total",
    "ordinal",
    "ordinal_alpha",
    "parallel_analysis",
    "person_scores",
    "profile_interval",
    "score",
    "score_tests",
    "split_half",
]

_HOME: Final = {
    "Scores": "scoring",
    "alignment": "sem",
    "answer_claims": "claims",
    "apim": "dyads",
    "bartlett": "efa",
    "bifactor_reliability": "reliability",
    "bootstrap_intervals": "sem",
    "categorical_omega": "reliability",
    "category_use": "items",
    "cfa": "sem",
    "compare": "sem",
    "composite_reliability": "reliability",
    "congruence": "efa",
    "correlation": "correlations",
    "cronbach_alpha": "reliability",
    "diagnostic": "regression",
    "discriminant_validity": "sem",
    "dmacs": "sem",
    "ekc": "efa",
    "explain": "outcomes",
    "factor_scores": "sem",
    "fit_structures": "measurement",
    "grade_structure": "cosmin",
    "grade_table": "cosmin",
    "graded_response": "irt",
    "hierarchical": "regression",
    "hull": "efa",
    "icc": "reliability",
    "incremental": "regression",
    "invariance": "sem",
    "item_statistics": "items",
    "keying_audit": "items",
    "kmo": "efa",
    "local_fit": "sem",
    "logistic": "regression",
    "map_test": "efa",
    "mardia": "items",
    "measurement_error": "reliability",
    "measurement_model": "measurement",
    "moderation": "regression",
    "modification_indices": "sem",
    "monotonicity": "irt",
    "n_factors": "efa",
    "ols": "regression",
    "omega_hierarchical": "reliability",
    "omega_total": "reliability",
    "ordinal": "regression",
    "ordinal_alpha": "reliability",
    "parallel_analysis": "efa",
    "person_scores": "irt",
    "profile_interval": "sem",
    "score": "scoring",
    "score_tests": "sem",
    "split_half": "reliability",
}

# Callable packages, which Python finds by itself.
_PACKAGES: Final = ("efa", "polychoric", "reliability", "sem")


def __getattr__(name: str) -> object:
    """Fetch a public name from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(f"analysis.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, so that editors and notebooks can complete them."""
    return sorted({*globals(), *__all__, *_PACKAGES})
