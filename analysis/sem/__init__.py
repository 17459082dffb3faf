"""Structural equation models, in lavaan's language and to lavaan's numbers.

One module or package per step of the estimation, in this order: syntax -> partable,
data, estimators -> missing, moments -> matrices -> implied -> stack -> discrepancy,
casewise -> problem, robust -> inference, standardize, residuals, baseline -> chisquare
-> indices -> assess, fit; `estimate` walks through them. What asks further of a fit
stands above: difference -> compare, modification, release, scores, local, intervals,
discriminant -> invariance, alignment.
"""

from analysis.calls import name_after
from analysis.sem.alignment import Alignment, alignment
from analysis.sem.compare import Comparison, compare
from analysis.sem.discriminant import DiscriminantValidity, discriminant_validity
from analysis.sem.estimate import IMPROPER, cfa, sem
from analysis.sem.fit import SemFit
from analysis.sem.intervals import (
    BootstrapIntervals,
    ProfileInterval,
    bootstrap_intervals,
    profile_interval,
)
from analysis.sem.invariance import Dmacs, Invariance, dmacs, invariance
from analysis.sem.local import LocalFit, local_fit
from analysis.sem.modification import ModificationIndices, modification_indices
from analysis.sem.release import ScoreTests, score_tests
from analysis.sem.scores import FactorScores, factor_scores

__all__ = [
    "IMPROPER",
    "Alignment",
    "BootstrapIntervals",
    "Comparison",
    "DiscriminantValidity",
    "Dmacs",
    "FactorScores",
    "Invariance",
    "LocalFit",
    "ModificationIndices",
    "ProfileInterval",
    "ScoreTests",
    "SemFit",
    "alignment",
    "bootstrap_intervals",
    "cfa",
    "compare",
    "discriminant_validity",
    "dmacs",
    "factor_scores",
    "invariance",
    "local_fit",
    "modification_indices",
    "profile_interval",
    "score_tests",
    "sem",
]

name_after(__name__, sem)
