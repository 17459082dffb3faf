"""All steps of measurement invariance in one call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError
from analysis.result import warning_table
from analysis.sem.difference import difference
from analysis.sem.estimate import Request, prepare
from analysis.sem.invariance.occasions import places, require_repeated, unrepeated
from analysis.sem.invariance.result import Invariance
from analysis.sem.invariance.steps import Step, ladder_steps
from analysis.sem.invariance.study import Study
from analysis.sem.modification import location_tests
from analysis.sem.release import score_tests
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from analysis.sem.difference import Difference
    from analysis.sem.estimators import (
        EstimatorName,
        Missing,
        Parameterization,
    )
    from analysis.sem.fit import SemFit

#: Cheung & Rensvold (2002), Chen (2007): changes beyond these speak against a step.
DELTA_CFI: Final = -0.010
DELTA_RMSEA: Final = 0.015
LEVEL: Final = 0.05
_MOST: Final = 20
_WITHOUT_RESIDUALS: Final = (
    "step left out",
    (
        "residuals: with parameterization='delta' residual variances follow from the "
        "loadings and scales, and are no parameters"
    ),
    "Take parameterization='theta' to test them",
)


def invariance(
    model: str,
    data: pd.DataFrame,
    group: str | None = None,
    *,
    occasions: Mapping[str, Sequence[str]] | None = None,
    steps: Sequence[str] | None = None,
    estimator: EstimatorName | None = None,
    ordered: Sequence[str] | bool | None = None,
    missing: Missing = "listwise",
    partial: Sequence[str] = (),
    release: bool = False,
    std_lv: bool = True,
    parameterization: Parameterization = "theta",
    cluster: str | None = None,
    weights: str | None = None,
) -> Invariance:
    """Test whether a scale measures alike in groups, or at several occasions.

    Parameters
    ----------
    model
        Measurement model in lavaan syntax.
    data
        One row per respondent.
    group
        Column that tells groups apart; not together with `occasions`.
    occasions
        For one factor measured repeatedly: each factor and item with its names at the
        occasions, ``{"trust": ["trust1", "trust2"], "tr1": ["tr1_w1", "tr1_w2"]}``.
        Residuals of an item may covary across occasions. All names are those of the
        model; items it leaves out are not compared, which `warnings` says.
    steps
        Names of steps; by default all that suit the items: configural, (thresholds,)
        loadings, intercepts, residuals.
    estimator, ordered, missing, std_lv, parameterization, cluster, weights
        As in `analysis.sem.cfa`.
    partial
        Parameters that need not be equal, spelt as in the model: ``"f =~ x2"``.
    release
        Give up, one by one, the equality with the largest score test while a step does
        not hold. Exploratory: it capitalises on chance.

    Returns
    -------
    Invariance
        With all steps in one table.

    Raises
    ------
    AnalysisError
        If neither or both of `group` and `occasions` are given, occasions name what
        is not in the model, a step is unknown, or a group lacks a category of an
        ordered item.

    Notes
    -----
    Numeric items: Meredith (1993). Ordered items: Wu & Estabrook (2016), thresholds
    before loadings, with locations and scales of y* set free as soon as thresholds
    link them; binary items have too few thresholds for steps of their own. Same models
    as ``semTools::measEq.syntax(ID.fac = "std.lv", ID.cat = "Wu")``; the difference
    tests are those of ``lavTestLRT``; tests/reference/sem_invariance.R.

    Where many groups differ in a few items, so that no equality holds for all of them,
    `analysis.sem.alignment` compares their means without one.
    """
    if group is None and not occasions:
        raise AnalysisError(
            "invariance: neither group= nor occasions= is given. Name the column that "
            "tells groups apart, or the variables that are repeated."
        )
    if group is not None and occasions:
        raise AnalysisError(
            f"invariance: both group={group!r} and occasions= are given, and one "
            "ladder would mix what differs between groups with what changes over "
            "time. Test groups at each occasion, and occasions in each group."
        )
    request = Request(
        estimator=estimator,
        ordered=ordered,
        group=group,
        missing=missing,
        std_lv=std_lv,
        parameterization=parameterization,
        meanstructure=True,
        cluster=cluster,
        weights=weights,
    )
    study, notes = _study(model, data, request, occasions or {}, partial)
    ordinal = study.options.categories
    wanted = ladder_steps(steps, ordinal, theta=study.options.theta)
    if steps is None and ordinal and not study.options.theta:
        notes.append(_WITHOUT_RESIDUALS)
    fits: dict[str, SemFit] = {}
    released: list[tuple[str, str]] = []
    tests: dict[str, Difference] = {}
    for step in wanted:
        try:
            fit = study.step(step.equal)
        except (ConvergenceError, NotIdentifiedError) as error:
            notes.append(("step not fitted", step.name, str(error)))
            continue
        if fits:
            before = next(reversed(fits.values()))
            if release:
                fit, study, freed = _released(study, step, fit, before)
                released += [(step.name, name) for name in freed]
            if fit.statistic.df > before.statistic.df:
                tests[step.name] = difference(before, fit)
        fits[step.name] = fit
        study = replace(study, moments=fit.problem.moments, gammas=fit.problem.gammas)
    if not fits:
        raise ConvergenceError(
            "invariance: no step could be fitted. " + " ".join(n[2] for n in notes)
        )
    found = _arrange(study, wanted, fits, tests, released)
    every = [warning_table(notes), found.warnings]
    return replace(found, warnings=pd.concat(every, ignore_index=True))


def _study(
    model: str,
    data: pd.DataFrame,
    request: Request,
    occasions: Mapping[str, Sequence[str]],
    partial: Sequence[str],
) -> tuple[Study, list[tuple[str, str, str]]]:
    """Read model and data; with rows of warnings about the options."""
    parsed = parse(model)
    require_repeated(parsed, occasions)
    found = prepare(model, data, request)
    options = replace(
        found.options,
        occasions=places(occasions, found.table.categories),
        partial=(partial,) if isinstance(partial, str) else tuple(partial),
    )
    # The parameterisation is a default here, which numeric items need not heed.
    notes = [note for note in found.notes if note[0] != "option_without_effect"]
    notes += unrepeated(parsed, occasions)
    return Study(model, found.table, found.method, options), notes


def _released(
    study: Study, step: Step, fit: SemFit, before: SemFit
) -> tuple[SemFit, Study, list[str]]:
    """Give up equalities while the step does not hold."""
    freed: list[str] = []
    while len(freed) < _MOST and fit.statistic.df > before.statistic.df:
        test = difference(before, fit)
        end = _ending(before, fit)
        cfi, rmsea = (_change(before, fit, index, end) for index in ("cfi", "rmsea"))
        if _verdict(test, cfi, rmsea) != "no":
            break
        top = _candidates(step, fit, before)
        if not len(top):
            break
        row = top.iloc[0]
        freed.append(f"{row['lhs']} {row['op']} {row['rhs']}".strip())
        study = study.releasing((freed[-1],))
        fit = study.step(step.equal)
    return fit, study, freed


def _candidates(step: Step, fit: SemFit, before: SemFit | None) -> pd.DataFrame:
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


def _ending(*fits: SemFit) -> str:
    """Which indices tell of changes: the best ones that all fits have.

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


def _change(before: SemFit, after: SemFit, index: str, end: str) -> float:
    return _index(after, index, end) - _index(before, index, end)


def _verdict(test: Difference, cfi: float, rmsea: float) -> str:
    """Whether a step holds: test and change of fit agree, or it is unclear."""
    rejected = bool(np.isfinite(test.pvalue) and test.pvalue < LEVEL)
    worse = cfi < DELTA_CFI or rmsea > DELTA_RMSEA
    if rejected and worse:
        return "no"
    return "unclear" if rejected or worse else "yes"


def _arrange(
    study: Study,
    steps: tuple[Step, ...],
    fits: dict[str, SemFit],
    tests: dict[str, Difference],
    released: list[tuple[str, str]],
) -> Invariance:
    rows, before = [], None
    candidates = pd.DataFrame()
    end = _ending(*fits.values())
    for step in steps:
        if step.name not in fits:
            continue
        fit = fits[step.name]
        freed = sum(name == step.name for name, _ in released)
        row = _row(step, fit, before, tests.get(step.name), end)
        row |= {"released": freed}
        if row["holds"] in {"no", "unclear"} and not len(candidates):
            candidates = _candidates(step, fit, before)
        rows.append(row)
        before = fit
    first = next(iter(fits.values()))
    return Invariance(
        table=pd.DataFrame(rows),
        fits=fits,
        candidates=candidates,
        released=pd.DataFrame(released, columns=["step", "parameter"]),
        criteria=(
            f"no: the difference test rejects at {LEVEL:.0%} and CFI falls by more "
            f"than {-DELTA_CFI:.3f} or RMSEA rises by more than {DELTA_RMSEA:.3f} "
            "(Cheung & Rensvold 2002; Chen 2007); unclear: only one of them. These "
            "cut-offs come from continuous maximum likelihood."
        ),
        groups={m.label or "all": m.n_obs for m in first.problem.moments},
        warnings=pd.concat(
            [
                _binary(study),
                _not_testable(rows),
                _without_robust(fits),
                _of_steps(fits),
            ],
            ignore_index=True,
        ),
        study=study,
        steps=steps,
    )


def _not_testable(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Name the steps that restrict nothing, and so say nothing."""
    return warning_table(
        (
            "step not testable",
            f"{row['step']}: as many degrees of freedom as the step before",
            (
                "It restricts nothing that the answers can tell, so it neither holds "
                "nor fails; leave it out of steps="
            ),
        )
        for row in rows
        if row["holds"] == "not testable"
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


def _row(
    step: Step, fit: SemFit, before: SemFit | None, test: Difference | None, end: str
) -> dict[str, object]:
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
        "holds": "yes" if before is None else "not testable",
    }
    if before is not None:
        cfi, rmsea = (_change(before, fit, index, end) for index in ("cfi", "rmsea"))
        changes |= {
            "delta_cfi": cfi,
            "delta_rmsea": rmsea,
            "delta_srmr": i.srmr - before.indices.srmr,
        }
        if test is not None:
            changes["holds"] = _verdict(test, cfi, rmsea)
    return row | changes
