"""Does each scale measure alike in groups of people, and from wave to wave.

Read in this order: `groups`, `waves` (the ladders of every scale), `result`, `aligned`
(means of many groups in which some items differ).
"""

from analysis.scale_invariance.aligned import AlignedScales, aligned_scales
from analysis.scale_invariance.groups import group_invariance
from analysis.scale_invariance.result import ScaleInvariance
from analysis.scale_invariance.waves import wave_invariance

__all__ = [
    "AlignedScales",
    "ScaleInvariance",
    "aligned_scales",
    "group_invariance",
    "wave_invariance",
]
