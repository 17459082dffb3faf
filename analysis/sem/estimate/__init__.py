"""From model syntax and data to a fitted model.

Read in this order: `starts` (start values), `minimum` (the optimiser), `admissible`
(solutions that converge and still cannot be believed), `models` (`cfa`, `sem`).
"""

from analysis.sem.estimate.admissible import IMPROPER
from analysis.sem.estimate.minimum import Problem, minimise
from analysis.sem.estimate.models import Estimator, Missing, cfa, sem

__all__ = ["IMPROPER", "Estimator", "Missing", "Problem", "cfa", "minimise", "sem"]
