"""Grades of scores: consistency, test-retest, measurement error, other variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.cosmin.grade import CRITERIA, PRINSEN, Grade, rated
from analysis.cosmin.samples import imprecision
from analysis.errors import AnalysisError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.reliability import (
        Intraclass,
        MeasurementError,
        Reliability,
        ReliabilityTable,
    )

ALPHA, ICC, CRITERION, ACCORDANT = 0.70, 0.70, 0.70, 0.75
# Above this, items hardly say different things.
REDUNDANT = 0.95


def grade_consistency(
    found: Reliability | ReliabilityTable,
    structure: Grade | None = None,
    *,
    what: str = "scale",
) -> list[Grade]:
    """Grade internal consistency by alpha, or omega where there is no alpha.

    Parameters
    ----------
    found
        Of one scale, or of several.
    structure
        Grade of the structural validity; without a plus the grade is indeterminate.
    what
        The scale, when there is one.

    Returns
    -------
    list of Grade
        One a scale.

    Notes
    -----
    Prinsen et al. (2018) name alpha of each unidimensional scale. Formative scales
    have no internal consistency: leave them out.
    """
    table = found.tidy()
    if "scale" not in table:
        table = table.assign(scale=what, n_obs=found.glance()["n_obs"].item())
    return [
        _consistency(str(scale), rows.set_index("term"), structure)
        for scale, rows in table.groupby("scale", sort=False)
    ]


def _consistency(scale: str, rows: pd.DataFrame, structure: Grade | None) -> Grade:
    known = [t for t in ("alpha", *rows.index) if t in rows.index]
    term = known[0]
    value = float(rows["estimate"][term])
    sound = structure is not None and structure.rating == "+"
    notes = []
    if not sound:
        notes.append("structural validity is not known to be sufficient")
    if np.isnan(value):
        notes.append(f"{term} could not be estimated")
    if value > REDUNDANT:
        notes.append("above .95: items may repeat each other")
    if term != "alpha":
        notes.append(f"{term} in place of alpha")
    others = [f"{t} {rows['estimate'][t]:.3f}" for t in rows.index if t != term]
    return Grade(
        measurement_property="internal consistency",
        what=scale,
        rating=rated(fine=value >= ALPHA) if sound and not np.isnan(value) else "?",
        found=", ".join([f"{term} {value:.3f}", *others]),
        criterion=CRITERIA["internal consistency"],
        source=PRINSEN,
        n_obs=int(rows["n_obs"].iloc[0]),
        note="; ".join(notes),
    )


def grade_retest(found: Intraclass, *, what: str = "scale") -> Grade:
    """Grade reliability by ICC(A,1) of test and retest, agreement of one occasion."""
    table = found.tidy().set_index("name")
    value, low, high = (
        float(table[column]["ICC(A,1)"])
        for column in ("estimate", "conf_low", "conf_high")
    )
    notes = []
    if low < ICC <= value:
        notes.append(f"the interval reaches down to {low:.2f}")
    if (levels := imprecision(found.n_obs)) > 0:
        notes.append(f"imprecise: evidence is {levels} level(s) lower")
    return Grade(
        measurement_property="reliability",
        what=what,
        rating="?" if np.isnan(value) else rated(fine=value >= ICC),
        found=f"ICC(A,1) {value:.3f} [{low:.3f}, {high:.3f}]",
        criterion=CRITERIA["reliability"],
        source=PRINSEN,
        n_obs=found.n_obs,
        note="; ".join(notes),
    )


def grade_error(
    found: MeasurementError, mic: float | None = None, *, what: str = "scale"
) -> Grade:
    """Grade measurement error: smallest detectable against minimal important change.

    `mic` is in the unit of the score; without it the grade is indeterminate.
    """
    terms = found.tidy().set_index("term")["estimate"]
    name = "sdc_agreement" if "sdc_agreement" in terms else "sdc_internal"
    value = float(terms[name])
    if mic is not None and not mic > 0:
        raise AnalysisError(f"cosmin: mic is {mic}. Give a change above 0, or None.")
    once = "from one occasion: leaves out change between occasions"
    return Grade(
        measurement_property="measurement error",
        what=what,
        rating="?" if mic is None else rated(fine=value < mic),
        found=f"SDC {value:.3f}, MIC {'unknown' if mic is None else f'{mic:.3f}'}",
        criterion=CRITERIA["measurement error"],
        source=PRINSEN,
        n_obs=found.n_obs,
        note=once if name == "sdc_internal" else "",
    )


def grade_criterion(
    *,
    n_obs: int,
    correlation: float | None = None,
    auc: float | None = None,
    what: str = "scale",
) -> Grade:
    """Grade criterion validity by a correlation with the gold standard, or an AUC."""
    given = {"correlation": correlation, "AUC": auc}
    known = {name: value for name, value in given.items() if value is not None}
    if len(known) != 1:
        raise AnalysisError(
            f"cosmin: {len(known)} of correlation and auc are given. Give one of them."
        )
    name, value = next(iter(known.items()))
    return Grade(
        measurement_property="criterion validity",
        what=what,
        rating="?" if np.isnan(value) else rated(fine=value >= CRITERION),
        found=f"{name} {value:.3f}",
        criterion=CRITERIA["criterion validity"],
        source=PRINSEN,
        n_obs=n_obs,
    )


def grade_hypotheses(
    accordant: int, total: int, *, n_obs: int, what: str = "scale"
) -> Grade:
    """Grade construct validity by the hypotheses, made beforehand, that came true."""
    if not 0 <= accordant <= total:
        raise AnalysisError(
            f"cosmin: {accordant} of {total} hypotheses. Give a part and a whole."
        )
    return Grade(
        measurement_property="hypotheses testing",
        what=what,
        rating=rated(fine=accordant >= ACCORDANT * total) if total else "?",
        found=f"{accordant} of {total} in accordance",
        criterion=CRITERIA["hypotheses testing"],
        source=PRINSEN,
        n_obs=n_obs,
    )
