"""The fitted actor-partner model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.dyads.pairs import PAIR
from analysis.plots.forest import forest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False)
class DyadFit:
    """An actor-partner interdependence model.

    Attributes
    ----------
    coefficients
        ``model`` (pooled, by role), ``term``, ``effect`` (actor, partner, other),
        ``role`` (empty where pooled), ``estimate std_error statistic p_value conf_low
        conf_high std_all``.
    ratios
        ``model role estimate conf_low conf_high``: k = partner / actor.
    tests
        ``term statistic df_num df_den p_value``: equality of the roles' effects.
    icc
        ``term estimate conf_low conf_high pearson``: likeness of partners.
    outcome, predictor
        Columns.
    roles
        The two roles, empty if the couples are not told apart.
    r_squared
        Of the pooled model.
    conf_level
        Of the intervals.
    n_couples
        Complete couples used.
    n_one_partner
        Couples left out because only one partner is in the data.
    n_incomplete
        Couples left out because one of two partners misses a variable.
    n_no_couple
        Rows left out because they name no couple.
    warnings
        ``what where remedy``.
    """

    coefficients: pd.DataFrame
    ratios: pd.DataFrame
    tests: pd.DataFrame
    icc: pd.DataFrame
    outcome: str
    predictor: str
    roles: tuple[str, ...]
    r_squared: float
    conf_level: float
    n_couples: int
    n_one_partner: int
    n_incomplete: int
    n_no_couple: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per coefficient, pooled model first."""
        return self.coefficients.copy()

    def glance(self) -> pd.DataFrame:
        """One row: couples, likeness, ratio, test of distinguishability."""
        equal = self.tests.set_index("term")["p_value"]
        return pd.DataFrame(
            [
                {
                    "r_squared": self.r_squared,
                    "k": self.ratios["estimate"].iloc[0],
                    "icc_outcome": self.icc["estimate"].iloc[0],
                    "icc_predictor": self.icc["estimate"].iloc[1],
                    "p_roles_equal": equal.get("actor and partner", np.nan),
                    "n_couples": self.n_couples,
                    "n_obs": PAIR * self.n_couples,
                    "n_one_partner": self.n_one_partner,
                    "n_incomplete": self.n_incomplete,
                    "n_no_couple": self.n_no_couple,
                }
            ]
        )

    def summary(self) -> str:
        """Actor, partner and ratio of the pooled model in one sentence."""
        pooled = self.coefficients[self.coefficients["model"] == "pooled"]
        parts = []
        for effect in ("actor", "partner"):
            row = pooled[pooled["effect"] == effect].iloc[0]
            parts.append(
                f"{effect} {row['estimate']:.3f} "
                f"[{row['conf_low']:.3f}, {row['conf_high']:.3f}]"
            )
        k = self.ratios.iloc[0]
        left_out = self.n_one_partner + self.n_incomplete
        return (
            f"{self.outcome} on {self.predictor}, {self.n_couples} couples ({left_out} "
            f"left out): {', '.join(parts)}, k = {k['estimate']:.2f} "
            f"[{k['conf_low']:.2f}, {k['conf_high']:.2f}], "
            f"ICC of the outcome {self.icc['estimate'].iloc[0]:.2f}."
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw actor and partner effects, pooled and by role."""
        table = self.coefficients
        shown = table[table["effect"] != "other"].copy()
        shown["term"] = shown["effect"]
        shown["who"] = shown["role"].where(shown["role"] != "", "pooled")
        known = {} if labels is None else labels
        predictor = known.get(self.predictor, self.predictor)
        outcome = known.get(self.outcome, self.outcome)
        return forest(
            shown,
            title=f"{outcome} by own and partner's {predictor}",
            n=f"{self.n_couples} couples",
            xlabel=f"coefficient ({self.conf_level:.0%} interval)",
            labels={"actor": f"own {predictor}", "partner": f"partner's {predictor}"},
            group="who",
            ax=ax,
        )
