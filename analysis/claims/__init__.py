"""The claims of an instrument, each answered from its data.

Reading order: ledger (what an answer is) -> material (the data every answer draws on)
-> structure, relations, prediction (one function a kind of claim) -> answer.
"""

from analysis.claims.answer import answer_claims
from analysis.claims.ledger import VERDICTS, Answer, ClaimLedger

__all__ = ["VERDICTS", "Answer", "ClaimLedger", "answer_claims"]
