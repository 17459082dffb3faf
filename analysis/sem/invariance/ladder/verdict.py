"""Whether a step holds: its row of the table, and what is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from analysis.sem.difference import Difference
    from analysis.sem.fit import SemFit
    from analysis.sem.invariance.steps import Step

#: Cheung & Rensvold (2002), Chen (2007): changes beyond these speak against a step.
DELTA_CFI: Final = -0.010
DELTA_RMSEA: Final = 0.015
LEVEL: Final = 0.05
#: What makes a step hold, in words.
CRITERIA: Final = (
    f"no: the difference test rejects at {LEVEL:.0%} and CFI falls by more "
    f"than {-DELTA_CFI:.3f} or RMSEA rises by more than {DELTA_RMSEA:.3f} "
    "(Cheung & Rensvold 2002; Chen 2007); unclear: only one of them, or no "
    "difference test. These cut-offs come from continuous maximum likelihood."
)


def compared_by(*fits: SemFit) -> str:
    """Say which indices tell of changes: the best ones that all fits have.

    Robust ones of ordered variables see correlations only, and so no threshold that is
    wrongly held equal.
    """
    if fits[0].table.categories:
        return "_scaled"
    known = [fit.indices.best for fit in fits if fit.statistic.df]
    return next((e for e in ("", "_scaled", "_robust") if e in known), "")


def _index(fit: SemFit, index: str, end: str) -> float:
    """Value of an index; a saturated model has the plain ones, which are perfect."""
    return fit.indices.get(f"{index}{end}" if fit.statistic.df else index)


def changes_of(before: SemFit, after: SemFit, end: str) -> tuple[float, float]:
    """Compare CFI and RMSEA of a step with those of the step before."""
    cfi, rmsea = (
        _index(after, name, end) - _index(before, name, end)
        for name in ("cfi", "rmsea")
    )
    return cfi, rmsea


def holds(test: Difference, cfi: float, rmsea: float) -> str:
    """Whether a step holds: test and change of fit agree, or it is unclear."""
    if np.isnan(test.pvalue):
        return "unclear"
    rejected = bool(test.pvalue < LEVEL)
    worse = cfi < DELTA_CFI or rmsea > DELTA_RMSEA
    if rejected and worse:
        return "no"
    return "unclear" if rejected or worse else "yes"


def rung(
    step: Step, fit: SemFit, before: SemFit | None, test: Difference | None, end: str
) -> dict[str, object]:
    """Fill in the row of a step.

    Parameters
    ----------
    step, fit
        The step and its model.
    before
        The model of the step before; None for the first.
    test
        The difference test of the two; None where there is no difference.
    end
        Which indices are compared, see `compared_by`.
    """
    i = fit.indices
    row: dict[str, object] = {"step": step.name, "words": step.words}
    row |= {name: i.get(name) for name in ("chisq", "df", "pvalue")}
    if fit.statistic.scaled:
        row |= {n: i.get(n) for n in ("chisq_scaled", "pvalue_scaled")}
    row |= {
        "index": end.strip("_") or "plain",
        "cfi": _index(fit, "cfi", end),
        "tli": _index(fit, "tli", end),
        "rmsea": _index(fit, "rmsea", end),
        "rmsea_ci_lower": _index(fit, "rmsea_ci_lower", end),
        "rmsea_ci_upper": _index(fit, "rmsea_ci_upper", end),
        "srmr": i.srmr,
        "npar": i.npar,
    }
    if fit.table.categories:
        row |= {n: i.get(n) for n in ("cfi_robust", "rmsea_robust")}
    if np.isfinite(i.get("aic")):
        row |= {"aic": i.get("aic"), "bic": i.get("bic")}
    nothing = float("nan")
    changes: dict[str, object] = {
        "delta_chisq": test.chisq if test else nothing,
        "delta_df": test.df if test else 0,
        "delta_pvalue": test.pvalue if test else nothing,
        "method": test.method if test else "",
        "delta_cfi": nothing,
        "delta_rmsea": nothing,
        "delta_srmr": nothing,
        "holds": "yes" if step.name == "configural" else "not testable",
    }
    if before is not None:
        cfi, rmsea = changes_of(before, fit, end)
        changes |= {
            "delta_cfi": cfi,
            "delta_rmsea": rmsea,
            "delta_srmr": i.srmr - before.indices.srmr,
        }
        if test is not None:
            changes["holds"] = holds(test, cfi, rmsea)
    return row | changes
