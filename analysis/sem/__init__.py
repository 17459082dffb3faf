"""Structural equation models, in lavaan's language and to lavaan's numbers.

One module or package per step of the estimation, in this order:
syntax -> partable, moments -> matrices -> implied -> discrepancy -> inference,
indices -> standardize -> fit; `estimate` walks through them and `compare` puts fits
side by side.
"""

from analysis.sem.compare import Comparison, compare
from analysis.sem.estimate import IMPROPER, cfa, sem
from analysis.sem.fit import SemFit

__all__ = ["IMPROPER", "Comparison", "SemFit", "cfa", "compare", "sem"]
