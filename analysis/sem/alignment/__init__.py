"""Alignment: factor means of groups whose items measure approximately alike.

Read in this order: `pattern` (which parameters), `configural` (their values in each
group), `loss` (what is minimised), `search` (from several starts), `precision`
(standard errors), `agreement` (which groups share a parameter), `tables`, `result`,
`estimate` (the call).
"""

from analysis.sem.alignment.estimate import NONINVARIANCE, alignment
from analysis.sem.alignment.result import Alignment

__all__ = ["NONINVARIANCE", "Alignment", "alignment"]
