"""The house look of every figure."""

from __future__ import annotations

import seaborn as sns

PALETTE = "colorblind"
DIVERGING = "vlag"


def use_theme() -> None:
    """Set the seaborn theme that all notebooks share; call once per notebook."""
    sns.set_theme(
        context="notebook",
        style="whitegrid",
        palette=PALETTE,
        rc={
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.dpi": 110,
            "savefig.bbox": "tight",
            "svg.hashsalt": "pushaway",
        },
    )
