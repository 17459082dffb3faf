"""What was answered, by whom, and what is missing: described, not yet analysed.

Read in this order: `questionnaire` (what is asked), `people` (who answered), `gaps`
(what is missing), `shares` (what was answered).
"""

from analysis.description.gaps import Missingness, missingness
from analysis.description.people import flow_table, sample_table
from analysis.description.questionnaire import claim_table, item_table, scale_table
from analysis.description.shares import AnswerShares, answers

__all__ = [
    "AnswerShares",
    "Missingness",
    "answers",
    "claim_table",
    "flow_table",
    "item_table",
    "missingness",
    "sample_table",
    "scale_table",
]
