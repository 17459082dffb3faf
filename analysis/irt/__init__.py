"""Item response models: ordered answers and the trait behind them.

Read in this order: `curves` (what a person answers), `coding` (answers as a table of
patterns), `likelihood` (what they say of the parameters), `ascent` (the maximum),
`precision` (its standard errors), `scores`, `dependence`, `item_fit`, `warn`, then
`fit` (the result) and `estimate` (`graded_response`).
"""

from analysis.irt.estimate import graded_response
from analysis.irt.fit import GradedResponse

__all__ = ["GradedResponse", "graded_response"]
