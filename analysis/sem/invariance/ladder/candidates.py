"""Equalities that a step might give up, by their score tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from scipy.stats import chi2

from analysis.sem.modification import location_tests
from analysis.sem.release import score_tests

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from analysis.sem.fit import SemFit
    from analysis.sem.invariance.steps import Step


def candidates_of(step: Step, fit: SemFit, before: SemFit | None) -> pd.DataFrame:
    """Score tests of what a step newly holds equal, largest first."""
    if fit.table.categories and step.name in {"intercepts", "residuals"}:
        found = location_tests(fit, op="~1" if step.name == "intercepts" else "~~")
        rows = [
            {
                "lhs": f.row.lhs,
                "op": f.row.op,
                "rhs": f.row.rhs,
                "group": fit.groups[f.row.group - 1],
                "other": "0 in the first" if f.row.op == "~1" else "1 in the first",
                "x2": f.x2,
                "df": 1,
                "p_value": float(chi2.sf(f.x2, 1)),
                "x2_robust": f.x2_robust,
                "p_value_robust": float(chi2.sf(f.x2_robust, 1)),
                "epc": f.epc,
            }
            for f in found
        ]
        frame = pd.DataFrame(rows)
        if not len(frame):
            return frame
        by = "x2" if frame["x2_robust"].isna().all() else "x2_robust"
        return frame.sort_values(by, ascending=False, ignore_index=True)
    tests = score_tests(fit).table
    if before is None or not len(tests):
        return tests
    known = {r.key for r in before.table.rows if r.tie}
    new = [_key(r) not in known for r in tests.to_dict("records")]
    return tests[new].reset_index(drop=True)


def _key(row: Mapping[Hashable, object]) -> tuple[str, str, str]:
    return str(row["lhs"]), str(row["op"]), str(row["rhs"])
