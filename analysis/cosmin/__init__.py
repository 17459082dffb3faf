"""Measurement properties graded by COSMIN: sufficient, insufficient, indeterminate.

Each `grade_` function takes a result of this package and gives a `Grade` (consistency:
one a scale); `grade_table` puts them side by side. A grade judges the result; how well
the study was made is the other half of COSMIN, of which only the number of people is
judged here. Read in this order: grade -> samples -> structure, scores.
"""

from analysis.cosmin.grade import CRITERIA, Cosmin, Grade, grade_table
from analysis.cosmin.samples import factor_sample, imprecision, irt_sample
from analysis.cosmin.scores import (
    grade_consistency,
    grade_criterion,
    grade_error,
    grade_hypotheses,
    grade_retest,
)
from analysis.cosmin.structure import grade_invariance, grade_structure

__all__ = [
    "CRITERIA",
    "Cosmin",
    "Grade",
    "factor_sample",
    "grade_consistency",
    "grade_criterion",
    "grade_error",
    "grade_hypotheses",
    "grade_invariance",
    "grade_retest",
    "grade_structure",
    "grade_table",
    "imprecision",
    "irt_sample",
]
