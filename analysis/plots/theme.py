"""The house look of every figure."""

from __future__ import annotations

import pandas as pd
import seaborn as sns

PALETTE = "colorblind"
DIVERGING = "vlag"


def use_theme() -> None:
    """Set the look of figures and tables that all notebooks share; call once.

    Tables are shown whole: texts are not cut and up to 500 rows are printed.
    """
    pd.set_option("display.max_colwidth", None)
    pd.set_option("display.max_rows", 500)
    pd.set_option("display.max_columns", 60)
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
