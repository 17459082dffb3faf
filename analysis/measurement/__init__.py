"""The bridge from an instrument to measurement models in lavaan's language.

Read in this order: `scales` (what is measured), `model` (its structure as text),
`treatment` (how answers are treated), `structures` (several fitted and compared).
"""

from analysis.measurement.model import Structure, measurement_model
from analysis.measurement.scales import (
    left_out,
    measured_items,
    measured_scales,
    scale_items,
)
from analysis.measurement.structures import Structures, fit_structures
from analysis.measurement.treatment import MAX_ORDERED, Treatment

__all__ = [
    "MAX_ORDERED",
    "Structure",
    "Structures",
    "Treatment",
    "fit_structures",
    "left_out",
    "measured_items",
    "measured_scales",
    "measurement_model",
    "scale_items",
]
