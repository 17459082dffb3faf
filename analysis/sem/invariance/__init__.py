"""Measurement invariance across groups and occasions, in one call.

Read in this order: `steps` (which parameters become equal, in which order), `ladder`
(the call), `result`, `effect` (dMACS: how much non-invariance matters).
"""

from analysis.sem.invariance.effect import Dmacs, dmacs
from analysis.sem.invariance.ladder import invariance
from analysis.sem.invariance.result import Invariance

__all__ = ["Dmacs", "Invariance", "dmacs", "invariance"]
