"""Outcomes explained by predictors, each with the model its kind of answer asks for.

Read in this order: `names` (which variables), `rows` (z scores and clusters), `models`
(the regressions), `result`.
"""

from analysis.outcomes.models import explain, moderated
from analysis.outcomes.names import chosen_names, tour_names
from analysis.outcomes.result import Explanations
from analysis.outcomes.rows import clusters, z_scores

__all__ = [
    "Explanations",
    "chosen_names",
    "clusters",
    "explain",
    "moderated",
    "tour_names",
    "z_scores",
]
