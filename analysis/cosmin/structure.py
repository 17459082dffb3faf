"""Grades of fitted models: structural validity and measurement invariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cosmin.grade import CRITERIA, PRINSEN, Grade, rated
from analysis.cosmin.samples import factor_sample
from analysis.sem import IMPROPER

if TYPE_CHECKING:
    from analysis.cosmin.grade import Rating
    from analysis.sem import SemFit
    from analysis.sem.invariance import Invariance

FIT, RMSEA, SRMR = 0.95, 0.06, 0.08


def grade_structure(fit: SemFit, *, what: str = "scale") -> Grade:
    """Grade structural validity by the fit of a confirmatory factor model.

    Parameters
    ----------
    fit
        The model of the structure that the scoring assumes.
    what
        The scale or instrument.

    Returns
    -------
    Grade
        By robust indices where there are some, else by scaled ones, else by plain
        ones; `found` names them. Indeterminate when the model is saturated or the
        solution improper.

    Notes
    -----
    Prinsen et al. (2018): one of the indices is enough. `note` says when they disagree,
    and that the limits come from continuous answers (Hu & Bentler, 1999) when items
    are ordered.
    """
    i, end = fit.indices, fit.indices.best
    values = {name: i.get(f"{name}{end}") for name in ("cfi", "tli", "rmsea")}
    values["srmr"] = i.srmr
    passed = {
        "CFI": values["cfi"] > FIT,
        "TLI": values["tli"] > FIT,
        "RMSEA": values["rmsea"] < RMSEA,
        "SRMR": values["srmr"] < SRMR,
    }
    improper = sorted(set(fit.warnings["what"]) & set(IMPROPER))
    known = i.df > 0 and not improper
    indicators = {r.rhs for r in fit.table.rows if r.op == "=~"} & set(fit.observed)
    return Grade(
        measurement_property="structural validity",
        what=what,
        rating=rated(fine=any(passed.values())) if known else "?",
        found=_indices(values, end) if i.df else "saturated model: its fit is perfect",
        criterion=CRITERIA["structural validity"],
        source=PRINSEN,
        n_obs=fit.n_obs,
        sample=factor_sample(fit.n_obs, len(indicators)),
        note="; ".join(
            [
                *(["improper solution: " + ", ".join(improper)] if improper else []),
                *_disagreement(passed if known else {}),
                *(
                    ["limits are those for continuous answers"]
                    if fit.table.categories
                    else []
                ),
            ]
        ),
    )


def _indices(values: dict[str, float], ending: str) -> str:
    word = {"_robust": "robust ", "_scaled": "scaled "}.get(ending, "")
    return ", ".join(
        f"{'' if name == 'srmr' else word}{name.upper()} {value:.3f}"
        for name, value in values.items()
    )


def _disagreement(passed: dict[str, bool]) -> list[str]:
    failed = [name for name, fine in passed.items() if not fine]
    if not failed or len(failed) == len(passed):
        return []
    alone = [name for name in passed if name not in failed]
    return [f"by {', '.join(alone)} alone; {', '.join(failed)} would not do"]


def grade_invariance(found: Invariance, *, what: str = "groups") -> Grade:
    """Grade measurement invariance by the steps of its ladder.

    A plus when every step holds; indeterminate when one is unclear or the first was not
    tested; a minus when one does not hold. What makes a step hold is in
    `Invariance.criteria`; COSMIN leaves it open.
    """
    table = found.tidy()
    holds = table["holds"].tolist()
    known = "unclear" not in holds and found.reached != "none"
    rating: Rating = "-" if "no" in holds else "+" if known else "?"
    fit = next(iter(found.fits.values()))
    indicators = {r.rhs for r in fit.table.rows if r.op == "=~"} & set(fit.observed)
    released = f"; {len(found.released)} released" if len(found.released) else ""
    steps = [f"{row['step']} {row['holds']}" for row in table.to_dict("records")]
    return Grade(
        measurement_property="measurement invariance",
        what=what,
        rating=rating,
        found=f"{', '.join(steps)}{released}",
        criterion=CRITERIA["measurement invariance"],
        source=PRINSEN,
        n_obs=sum(found.groups.values()),
        sample=factor_sample(min(found.groups.values()), len(indicators)),
        note=found.criteria,
    )
