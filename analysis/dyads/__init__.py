"""Couples: two people's answers, each explained by both.

Reading order: pairs -> fit -> actor_partner.
"""

from analysis.dyads.actor_partner import apim
from analysis.dyads.fit import DyadFit

__all__ = ["DyadFit", "apim"]
