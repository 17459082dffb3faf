"""Exploratory factor analysis, on Pearson correlations and to psych's numbers.

Reading order, from the answers upwards: answers -> correlation -> extract -> rotate,
indices -> fit -> estimate (`efa`); beside them `adequacy` (KMO, Bartlett) and `retain`
(parallel analysis).
"""

from analysis.efa.adequacy import Bartlett, Kmo, bartlett, kmo
from analysis.efa.estimate import efa
from analysis.efa.fit import EfaFit
from analysis.efa.retain import ParallelAnalysis, parallel_analysis

__all__ = [
    "Bartlett",
    "EfaFit",
    "Kmo",
    "ParallelAnalysis",
    "bartlett",
    "efa",
    "kmo",
    "parallel_analysis",
]
