"""Reliability of several scales side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.answers import require_choice
from analysis.errors import AnalysisError
from analysis.reliability.alpha import cronbach_alpha
from analysis.reliability.coefficients import COLUMNS, Reliability
from analysis.reliability.intervals import NAN, check_level
from analysis.reliability.omega import omega_total
from analysis.reliability.one_factor import OMEGA_ITEMS
from analysis.reliability.ordinal import categorical_omega, ordinal_alpha
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.reliability.coefficients import Warning_

Coefficient: TypeAlias = Literal["alpha", "omega", "omega_categorical", "ordinal_alpha"]

OF_A_FACTOR: Final = ("omega", "omega_categorical")


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityTable:
    """Reliability of several scales side by side.

    Attributes
    ----------
    table
        One row per scale and coefficient: `scale`, `term`, `estimate`, `std_error`,
        `conf_low`, `conf_high`, `formula`, `n_items`, `n_obs`; NaN where it cannot be
        estimated.
    conf_level
        Level of the intervals.
    warnings
        Why a row is empty, and values that need a second look; `where` is the scale.
    """

    table: pd.DataFrame
    conf_level: float
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per scale and coefficient."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: scales, and the lowest and highest alpha and omega."""
        row: dict[str, float] = {"n_scales": self.table["scale"].nunique()}
        for term in ("alpha", "omega"):
            estimates = self.table.loc[self.table["term"] == term, "estimate"]
            row[f"lowest_{term}"] = estimates.min()
            row[f"highest_{term}"] = estimates.max()
        return pd.DataFrame([row])

    def summary(self) -> str:
        """Ranges over the scales."""
        row = self.glance().iloc[0]
        ranges = [
            f"{term} {row[f'lowest_{term}']:.2f} to {row[f'highest_{term}']:.2f}"
            for term in ("alpha", "omega")
            if not np.isnan(row[f"lowest_{term}"])
        ]
        said = ", ".join(ranges) or "none could be estimated"
        text = f"{row['n_scales']:.0f} scales: {said}"
        if len(self.warnings):
            text += f"; {len(self.warnings)} warning(s)"
        return text


def reliability(
    items_by_scale: Mapping[str, pd.DataFrame],
    *,
    coefficients: Sequence[Coefficient] = ("alpha", "omega"),
    conf_level: float = 0.95,
) -> ReliabilityTable:
    """Estimate the reliability of several scales.

    Parameters
    ----------
    items_by_scale
        Keyed item codes of each scale, as for `cronbach_alpha`.
    coefficients
        Which: ``"alpha"``, ``"omega"`` (`omega_total`), ``"omega_categorical"``
        (`categorical_omega`), ``"ordinal_alpha"``.
    conf_level
        Level of the intervals, between 0 and 1.

    Returns
    -------
    ReliabilityTable
        Those terms of each scale, ``spearman_brown`` beside alpha for two items,
        where there is no omega. What cannot be estimated is NaN, with the reason in
        `warnings`.

    Raises
    ------
    AnalysisError
        If `conf_level` is not a level, or a coefficient is unknown.
    """
    check_level(conf_level, where="reliability")
    _require_scales(items_by_scale)
    for term in coefficients:
        require_choice("coefficients", term, get_args(Coefficient), where="reliability")
    rows: list[dict[str, object]] = []
    warned: list[Warning_] = []
    for scale, items in items_by_scale.items():
        for term in coefficients:
            if term in OF_A_FACTOR and items.shape[1] < OMEGA_ITEMS:
                warned += _no_omega(scale, term, items.shape[1])
                continue
            found = _attempt(term, items, conf_level)
            rows += _scale_rows(scale, term, items, found)
            warned += _scale_warnings(scale, term, found)
    columns = ["scale", *COLUMNS, "formula", "n_items", "n_obs"]
    return ReliabilityTable(
        pd.DataFrame(rows, columns=columns), conf_level, warning_table(warned)
    )


def _require_scales(items_by_scale: Mapping[str, pd.DataFrame]) -> None:
    if isinstance(items_by_scale, Mapping):
        other = [
            f"{scale!r} is a {type(items).__name__}"
            for scale, items in items_by_scale.items()
            if not isinstance(items, pd.DataFrame)
        ]
        if not other:
            return
        found = ", ".join(other)
    else:
        found = f"got a {type(items_by_scale).__name__}"
    raise AnalysisError(
        f"reliability: {found}. Give the items of each scale, "
        "{'scale': DataFrame, ...}; for one scale there is cronbach_alpha()."
    )


def _attempt(
    term: Coefficient, items: pd.DataFrame, conf_level: float
) -> Reliability | AnalysisError:
    try:
        if term == "alpha":
            return cronbach_alpha(items, conf_level=conf_level)
        if term == "omega":
            return omega_total(items, conf_level=conf_level)
        if term == "omega_categorical":
            return categorical_omega(items, conf_level=conf_level)
        return ordinal_alpha(items)
    except AnalysisError as error:
        return error


def _scale_rows(
    scale: str, term: str, items: pd.DataFrame, found: Reliability | AnalysisError
) -> Iterator[dict[str, object]]:
    if isinstance(found, AnalysisError):
        n_obs = int(items.notna().all(axis=1).sum())
        empty = dict.fromkeys(COLUMNS[1:], NAN)
        sizes = {"n_items": items.shape[1], "n_obs": n_obs}
        yield {"scale": scale, "term": term, **empty, **sizes}
        return
    shown = found.table[found.table["term"].isin([term, "spearman_brown"])]
    for row in shown.to_dict("records"):
        sizes = {"n_items": found.n_items, "n_obs": found.n_obs}
        yield {"scale": scale, **{str(k): v for k, v in row.items()}, **sizes}


def _scale_warnings(
    scale: str, term: str, found: Reliability | AnalysisError
) -> Iterator[Warning_]:
    if isinstance(found, AnalysisError):
        what, _, remedy = str(found).partition(": ")[2].partition(". ")
        yield f"{term}: {what}", scale, remedy or "Look at the items of this scale."
        return
    for row in found.warnings.itertuples():
        place = "" if row.where == "scale" else f" ({row.where})"
        yield f"{term}: {row.what}{place}", scale, str(row.remedy)


def _no_omega(scale: str, term: str, n_items: int) -> Iterator[Warning_]:
    if n_items == OMEGA_ITEMS - 1:
        yield (
            f"{term}: two items do not identify a factor; Spearman-Brown instead",
            scale,
            "Add a third item if omega is wanted.",
        )
