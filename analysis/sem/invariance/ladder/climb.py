"""All steps of measurement invariance in one call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError
from analysis.result import warning_table
from analysis.sem.difference import difference
from analysis.sem.estimate import Request, prepare
from analysis.sem.invariance.ladder.candidates import candidates_of
from analysis.sem.invariance.ladder.cautions import cautions
from analysis.sem.invariance.ladder.verdict import (
    CRITERIA,
    changes_of,
    compared_by,
    holds,
    rung,
)
from analysis.sem.invariance.occasions import places, require_repeated, unrepeated
from analysis.sem.invariance.result import Invariance
from analysis.sem.invariance.steps import Step, ladder_steps
from analysis.sem.invariance.study import Study
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.sem.difference import Difference
    from analysis.sem.estimators import (
        EstimatorName,
        Missing,
        Parameterization,
    )
    from analysis.sem.fit import SemFit

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
        end = compared_by(before, fit)
        if holds(test, *changes_of(before, fit, end)) != "no":
            break
        top = candidates_of(step, fit, before)
        if not len(top):
            break
        row = top.iloc[0]
        freed.append(f"{row['lhs']} {row['op']} {row['rhs']}".strip())
        study = study.releasing((freed[-1],))
        fit = study.step(step.equal)
    return fit, study, freed


def _arrange(
    study: Study,
    steps: tuple[Step, ...],
    fits: dict[str, SemFit],
    tests: dict[str, Difference],
    released: list[tuple[str, str]],
) -> Invariance:
    rows, before = [], None
    candidates = pd.DataFrame()
    end = compared_by(*fits.values())
    for step in steps:
        if step.name not in fits:
            continue
        fit = fits[step.name]
        freed = sum(name == step.name for name, _ in released)
        row = rung(step, fit, before, tests.get(step.name), end)
        row |= {"released": freed}
        if row["holds"] in {"no", "unclear"} and not len(candidates):
            candidates = candidates_of(step, fit, before)
        rows.append(row)
        before = fit
    first = next(iter(fits.values()))
    return Invariance(
        table=pd.DataFrame(rows),
        fits=fits,
        candidates=candidates,
        released=pd.DataFrame(released, columns=["step", "parameter"]),
        criteria=CRITERIA,
        groups={m.label or "all": m.n_obs for m in first.problem.moments},
        warnings=cautions(study, rows, fits),
        study=study,
        steps=steps,
    )
