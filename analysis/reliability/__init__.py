"""Reliability: of a sum of items, of factors, of repeated measurements.

Read in this order: coefficients (what is returned) -> alpha -> model, one_factor ->
omega, categorical, ordinal (one scale) -> scales (several) -> splits, halves ->
bifactor, second_order, hierarchical, general (a general factor) -> factors, composite
(any fitted model) -> intraclass, precision (test and retest) -> resampling. `formulas`
says which coefficient is which.
"""

from analysis.calls import name_after
from analysis.reliability.alpha import cronbach_alpha
from analysis.reliability.categorical import green_yang
from analysis.reliability.coefficients import Reliability
from analysis.reliability.composite import composite_reliability
from analysis.reliability.factors import CompositeReliability
from analysis.reliability.general import bifactor_reliability, omega_hierarchical
from analysis.reliability.halves import SplitHalf, split_half
from analysis.reliability.hierarchical import HierarchicalReliability
from analysis.reliability.intraclass import Intraclass, icc
from analysis.reliability.omega import omega_total
from analysis.reliability.ordinal import categorical_omega, ordinal_alpha
from analysis.reliability.precision import (
    MeasurementError,
    measurement_error,
    sem_from_reliability,
)
from analysis.reliability.resampling import bootstrap
from analysis.reliability.scales import ReliabilityTable, reliability

__all__ = [
    "CompositeReliability",
    "HierarchicalReliability",
    "Intraclass",
    "MeasurementError",
    "Reliability",
    "ReliabilityTable",
    "SplitHalf",
    "bifactor_reliability",
    "bootstrap",
    "categorical_omega",
    "composite_reliability",
    "cronbach_alpha",
    "green_yang",
    "icc",
    "measurement_error",
    "omega_hierarchical",
    "omega_total",
    "ordinal_alpha",
    "reliability",
    "sem_from_reliability",
    "split_half",
]

name_after(__name__, reliability)
