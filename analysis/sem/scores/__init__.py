"""Factor scores: where each respondent stands on the latent variables.

Read in this order: `linear` (numeric answers), `modes` (ordered answers), `result`,
`estimate` (the call).
"""

from analysis.sem.scores.estimate import factor_scores
from analysis.sem.scores.result import FactorScores, ScoreMethod

__all__ = ["FactorScores", "ScoreMethod", "factor_scores"]
