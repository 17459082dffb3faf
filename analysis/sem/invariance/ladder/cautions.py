"""What is odd about a ladder, as tables of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.sem.fit import SemFit
    from analysis.sem.invariance.study import Study

# Fit that nobody calls acceptable (Browne & Cudeck 1993; Bentler 1990).
_POOR_CFI: Final = 0.90
_POOR_RMSEA: Final = 0.10


def cautions(
    study: Study, rows: Sequence[Mapping[str, object]], fits: Mapping[str, SemFit]
) -> pd.DataFrame:
    """Collect all that is odd about data and steps.

    Parameters
    ----------
    study
        What all steps share.
    rows
        Of `Invariance.table`.
    fits
        The fitted models by step.
    """
    every = [_binary(study), _not_testable(rows), _poor(rows), _without_robust(fits)]
    return pd.concat([*every, _of_steps(fits)], ignore_index=True)


def _not_testable(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Name the steps that restrict nothing, and so say nothing."""
    found = [
        (
            "step not testable",
            f"{row['step']}: as many degrees of freedom as the step before",
            (
                "It restricts nothing that the answers can tell, so it neither holds "
                "nor fails; leave it out of steps="
            ),
        )
        for row in rows[1:]
        if row["holds"] == "not testable"
    ]
    if rows[0]["holds"] == "not testable":
        first = str(rows[0]["step"])
        say = "Without a configural step before it nothing is known of it; add one"
        found.insert(0, ("step not tested", first, say))
    return warning_table(found)


def _poor(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Warn where already the same structure fits badly."""
    cfi, rmsea = (float(str(rows[0][name])) for name in ("cfi", "rmsea"))
    if not (cfi < _POOR_CFI or rmsea > _POOR_RMSEA):
        return warning_table()
    return warning_table(
        [
            (
                "poor fit before anything is equal",
                f"{rows[0]['step']}: CFI = {cfi:.3f}, RMSEA = {rmsea:.3f}",
                (
                    "What follows from it says little; see local_fit of that step and "
                    "mend the model first"
                ),
            )
        ]
    )


def _without_robust(fits: Mapping[str, SemFit]) -> pd.DataFrame:
    """Name the steps of corrected tests that have no robust indices."""
    lacking = [name for name, fit in fits.items() if fit.indices.lacks("rmsea_robust")]
    if not lacking:
        return warning_table()
    return warning_table(
        [
            (
                "no robust indices",
                _spelt(lacking, fits),
                "All steps are compared by scaled indices; report them as scaled",
            )
        ]
    )


def _of_steps(fits: Mapping[str, SemFit]) -> pd.DataFrame:
    """Collect the warnings of all steps; one that every step gives stands once."""
    steps: dict[tuple[str, str, str], list[str]] = {}
    for name, fit in fits.items():
        for row in fit.warnings.itertuples(index=False):
            key = (str(row.what), str(row.where), str(row.remedy))
            steps.setdefault(key, []).append(name)
    return warning_table(
        (what, f"{_spelt(names, fits)}: {where}", remedy)
        for (what, where, remedy), names in steps.items()
    )


def _spelt(names: list[str], fits: Mapping[str, SemFit]) -> str:
    every = len(fits) > 1 and len(names) == len(fits)
    return "every step" if every else ", ".join(names)


def _binary(study: Study) -> pd.DataFrame:
    binary = [n for n, k in study.options.categories.items() if k == 2]  # noqa: PLR2004
    if not binary:
        return warning_table()
    return warning_table(
        [
            (
                "binary items",
                ", ".join(binary),
                (
                    "One threshold cannot be told from location and scale: residual "
                    "variances of these items are taken as equal throughout, and their "
                    "thresholds are tested with the intercepts (Wu & Estabrook 2016)"
                ),
            )
        ]
    )
