"""From model syntax and data to a fitted model.

Read in this order: `starts` (start values), `minimum` (the optimiser), `constrained`
(the same under inequalities), `admissible` (solutions that converge and still cannot
be believed), `models` (`cfa`, `sem`).
"""

from analysis.sem.estimate.admissible import IMPROPER
from analysis.sem.estimate.constrained import constrained
from analysis.sem.estimate.minimum import minimise
from analysis.sem.estimate.models import cfa, fit_table, prepare, sem
from analysis.sem.estimate.starts import Starts, start_values

__all__ = [
    "IMPROPER",
    "Starts",
    "cfa",
    "constrained",
    "fit_table",
    "minimise",
    "prepare",
    "sem",
    "start_values",
]
