"""Scores of respondents on latent variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

ScoreMethod: TypeAlias = Literal["regression", "bartlett", "ebm"]


@dataclass(frozen=True, slots=True, eq=False)
class FactorScores:
    """Scores of respondents on latent variables.

    Attributes
    ----------
    frame
        One row per respondent used, indexed as the data were; one column per latent
        variable, and ``group`` where there are several. NaN where Bartlett's score
        does not exist.
    std_error
        Standard errors of measurement of each score, same shape without ``group``; NaN
        where there is no score, and where an improper solution (see ``fit.warnings``)
        has a negative variance.
    quality
        One row per latent variable and group: latent group determinacy (correlation
        of score and factor) and reliability (its square).
    method
        How they were computed.
    """

    frame: pd.DataFrame
    std_error: pd.DataFrame
    quality: pd.DataFrame
    method: ScoreMethod

    def tidy(self) -> pd.DataFrame:
        """One row per respondent and latent variable: latent estimate std_error."""
        latent = list(self.std_error.columns)
        return pd.DataFrame(
            {
                "row": np.repeat(self.frame.index.to_numpy(), len(latent)),
                "latent": latent * len(self.frame),
                "estimate": self.frame[latent].to_numpy().ravel(),
                "std_error": self.std_error.to_numpy().ravel(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: method, how many scores, and the lowest determinacy."""
        return pd.DataFrame(
            {
                "method": [self.method],
                "n_obs": [len(self.frame)],
                "lowest_determinacy": [self.quality["determinacy"].min()],
            }
        )

    def summary(self) -> str:
        """Say how well the scores stand for the factors."""
        parts = [
            f"{r['latent']}{' (' + str(r['group']) + ')' if r['group'] else ''} "
            f"{r['determinacy']:.2f}"
            for r in self.quality.to_dict("records")
        ]
        return (
            f"{self.method} factor scores of {len(self.frame)} respondents; "
            f"determinacy {', '.join(parts)} (.90 and more wanted where scores are "
            "used in place of factors; Gorsuch 1983)."
        )
