"""A grade, and the grades of an instrument side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.grades import plot_grades
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.axes import Axes

Rating: TypeAlias = Literal["+", "?", "-"]
Adequacy: TypeAlias = Literal["very good", "adequate", "doubtful", "inadequate"]
Property: TypeAlias = Literal[
    "structural validity",
    "internal consistency",
    "reliability",
    "measurement error",
    "measurement invariance",
    "criterion validity",
    "hypotheses testing",
]

PRINSEN: Final = "Prinsen et al. (2018), table 1"
CRITERIA: Final[dict[Property, str]] = {
    "structural validity": (
        "CFI or TLI > .95 or RMSEA < .06 or SRMR < .08; item response models besides: "
        "local independence, residual correlations < .20 or Q3 < .37"
    ),
    "internal consistency": "sufficient structural validity and alpha >= .70",
    "reliability": "ICC >= .70",
    "measurement error": "SDC < minimal important change (MIC)",
    "measurement invariance": (
        "no important differences between groups, or no important differential item "
        "functioning: change in McFadden's R2 < .02"
    ),
    "criterion validity": "correlation with the gold standard >= .70 or AUC >= .70",
    "hypotheses testing": "at least 75 % of results in accordance with hypotheses",
}
"""What earns a plus; Prinsen et al. (2018)."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One measurement property of one scale or model.

    Attributes
    ----------
    measurement_property
        Which.
    what
        The scale, model or comparison.
    rating
        ``"+"`` sufficient, ``"-"`` insufficient, ``"?"`` indeterminate.
    found
        The numbers it rests on.
    criterion, source
        What earns a plus, and who says so.
    n_obs
        People.
    sample
        Adequacy of their number, where COSMIN has a standard for it; else empty.
    note
        What a reader should know beside the grade.
    """

    measurement_property: Property
    what: str
    rating: Rating
    found: str
    criterion: str
    source: str
    n_obs: int
    sample: Adequacy | Literal[""] = ""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cosmin:
    """Grades of an instrument side by side.

    Attributes
    ----------
    grades
        In the order given.
    warnings
        Insufficient and indeterminate grades, samples too small: what, where, remedy.
    """

    grades: tuple[Grade, ...]
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per grade, with criterion, source and what was found."""
        return pd.DataFrame([asdict(grade) for grade in self.grades])

    def glance(self) -> pd.DataFrame:
        """One row: number of grades of each kind."""
        ratings = [grade.rating for grade in self.grades]
        return pd.DataFrame(
            {
                "n_grades": [len(ratings)],
                "n_sufficient": [ratings.count("+")],
                "n_indeterminate": [ratings.count("?")],
                "n_insufficient": [ratings.count("-")],
            }
        )

    def summary(self) -> str:
        """Every property with its grades."""
        said = [f"{g.measurement_property} ({g.what}) {g.rating}" for g in self.grades]
        return f"COSMIN: {'; '.join(said)} ({PRINSEN})"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the grades, properties across, scales down."""
        return plot_grades(self.tidy(), ax=ax)


def grade_table(grades: Iterable[Grade]) -> Cosmin:
    """Put grades side by side.

    Raises
    ------
    AnalysisError
        If there is none.
    """
    found = tuple(grades)
    if not found:
        raise AnalysisError(
            "cosmin: there are no grades. Grade results first, e.g. with "
            "grade_structure(fit)."
        )
    return Cosmin(found, warning_table(_warnings(found)))


def rated(*, fine: bool) -> Rating:
    """Write a decision as a rating."""
    return "+" if fine else "-"


def _warnings(grades: tuple[Grade, ...]) -> Iterator[tuple[str, str, str]]:
    for grade in grades:
        where = f"{grade.measurement_property}, {grade.what}"
        if grade.rating == "-":
            yield f"insufficient: {grade.found}", where, f"Wanted: {grade.criterion}."
        elif grade.rating == "?":
            why = grade.note or grade.found
            yield f"indeterminate: {why}", where, f"Wanted: {grade.criterion}."
        if grade.sample in {"doubtful", "inadequate"}:
            yield (
                f"{grade.sample} number of people ({grade.n_obs})",
                where,
                "Collect more answers: 7 an item and 100 in all are very good.",
            )
