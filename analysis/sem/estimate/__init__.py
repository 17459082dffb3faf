"""From model syntax and data to a fitted model.

Read in this order: `request` (options, with `spelling`), `preparation` (data read,
options settled), `starts` (start values), `minimum` (the optimiser), `given` (start
values that the model states), `feasible` (constraints that contradict each other),
`constrained` (the minimum under inequalities), `loops` (variables that explain each
other), `sample`, `phrasing` and `admissible` (what is odd about answers, model and
solution), `models` (`cfa`, `sem`).
"""

from analysis.sem.estimate.admissible import IMPROPER
from analysis.sem.estimate.constrained import constrained
from analysis.sem.estimate.minimum import minimise
from analysis.sem.estimate.models import cfa, fit_table, sem
from analysis.sem.estimate.preparation import Prepared, prepare
from analysis.sem.estimate.request import Request
from analysis.sem.estimate.spelling import spelt
from analysis.sem.estimate.starts import Starts, start_values

__all__ = [
    "IMPROPER",
    "Prepared",
    "Request",
    "Starts",
    "cfa",
    "constrained",
    "fit_table",
    "minimise",
    "prepare",
    "sem",
    "spelt",
    "start_values",
]
