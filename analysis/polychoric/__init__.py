"""Polychoric correlations, thresholds, and how precisely they are known.

Reading order: normal, maxima -> tables -> tabled -> probit, margins -> rowwise ->
order, influence -> sample, steps, moments -> mixed -> definite, fit, estimate.
"""

from analysis.calls import name_after
from analysis.polychoric.estimate import (
    polychoric,
    polychoric_matrix,
    robust_polychoric_covariance,
)
from analysis.polychoric.fit import Polychoric
from analysis.polychoric.mixed import mixed_moments
from analysis.polychoric.moments import MixedMoments
from analysis.polychoric.steps import PerfectCorrelationError

__all__ = [
    "MixedMoments",
    "PerfectCorrelationError",
    "Polychoric",
    "mixed_moments",
    "polychoric",
    "polychoric_matrix",
    "robust_polychoric_covariance",
]

name_after(__name__, polychoric)
