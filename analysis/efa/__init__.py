"""Exploratory factor analysis, to psych's numbers and with standard errors.

Reading order, from the correlations upwards: source -> uniqueness -> extract; criteria
-> rotations -> descent -> rotate -> nearby; names (what R, SPSS and Mplus call them);
indices, scaled, uncertainty, resample -> fit -> precision -> estimate (`efa`).
"""

from analysis.calls import name_after
from analysis.efa.adequacy import Bartlett, Kmo, bartlett, kmo
from analysis.efa.count import FactorCount, n_factors
from analysis.efa.elbow import Hull, hull
from analysis.efa.estimate import efa
from analysis.efa.fit import EfaFit
from analysis.efa.kaiser import EmpiricalKaiser, ekc
from analysis.efa.parallel import ParallelAnalysis, parallel_analysis
from analysis.efa.partials import MapTest, map_test
from analysis.efa.replication import Congruence, congruence
from analysis.efa.rotations import (
    Bifactor,
    Geomin,
    Oblimin,
    Promax,
    Quartimax,
    Target,
    Varimax,
)
from analysis.efa.scores import FactorScores, factor_scores

__all__ = [
    "Bartlett",
    "Bifactor",
    "Congruence",
    "EfaFit",
    "EmpiricalKaiser",
    "FactorCount",
    "FactorScores",
    "Geomin",
    "Hull",
    "Kmo",
    "MapTest",
    "Oblimin",
    "ParallelAnalysis",
    "Promax",
    "Quartimax",
    "Target",
    "Varimax",
    "bartlett",
    "congruence",
    "efa",
    "ekc",
    "factor_scores",
    "hull",
    "kmo",
    "map_test",
    "n_factors",
    "parallel_analysis",
]

name_after(__name__, efa)
