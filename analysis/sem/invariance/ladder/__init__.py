"""The ladder of invariance: step after step, each with its verdict.

Read in this order: `verdict` (whether a step holds), `candidates` (what might be given
up), `cautions` (what is odd), `climb` (the call).
"""

from analysis.sem.invariance.ladder.climb import invariance

__all__ = ["invariance"]
