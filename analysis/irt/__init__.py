"""Item response models: ordered answers and the trait behind them.

Read in this order: `curves` (what a person answers), `coding` (answers as a table of
patterns), `likelihood` (what they say of the parameters), `ascent` (the maximum),
`precision` (its standard errors), `scores`, `dependence`, `item_fit`, `warn`, then
`fit` (the result) and `estimate` (`graded_response`); `persons` scores people by
a fitted model, `rest_scores` asks whether answers rise with the trait at all.
"""

from analysis.irt.estimate import graded_response
from analysis.irt.fit import GradedResponse
from analysis.irt.persons import PersonScores, person_scores
from analysis.irt.rest_scores import Monotonicity, monotonicity

__all__ = [
    "GradedResponse",
    "Monotonicity",
    "PersonScores",
    "graded_response",
    "monotonicity",
    "person_scores",
]
