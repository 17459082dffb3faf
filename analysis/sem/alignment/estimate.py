"""Align the groups of a configural model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.result import warning_table
from analysis.sem.alignment.configural import configural
from analysis.sem.alignment.loss import pair_weights
from analysis.sem.alignment.precision import align
from analysis.sem.alignment.result import Alignment
from analysis.sem.alignment.search import Kind, Task, best_alignment, directions
from analysis.sem.alignment.tables import FactorAligned, arrange
from analysis.sem.estimate import Request, spelt
from analysis.sem.estimate.models import fit_request
from analysis.sem.fit import require_fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.sem.estimators import EstimatorName, Missing
    from analysis.sem.fit import SemFit

#: Muthen & Asparouhov (2014): means are trusted up to this share of non-invariance.
NONINVARIANCE: Final = 0.25
# Standard error of the reference group's mean, in its standard deviations, from which
# free alignment does not tell where zero is.
_VAGUE: Final = 0.5
_MANY: Final = 3


def alignment(
    model: str | SemFit,
    data: pd.DataFrame | None = None,
    group: str | None = None,
    *,
    kind: Kind = "fixed",
    reference: str | None = None,
    epsilon: float = 0.01,
    n_starts: int = 30,
    seed: int = 1,
    estimator: EstimatorName | None = None,
    ordered: Sequence[str] | bool | None = None,
    missing: Missing = "listwise",
    cluster: str | None = None,
    weights: str | None = None,
) -> Alignment:
    """Compare factor means of groups whose items need not all measure alike.

    Parameters
    ----------
    model
        Measurement model in lavaan syntax, each item with one factor; or a configural
        model already fitted with `analysis.sem.cfa`, or the first step of
        `analysis.sem.invariance`. `data` and what follows `seed` are then left out.
    data
        One row per respondent.
    group
        Column that tells groups apart.
    kind
        ``"fixed"``: the mean of the reference group is 0. ``"free"``: it is estimated,
        which needs loadings that differ and is for three groups or more.
    reference
        The group whose standard deviation is the unit; the first by default.
    epsilon
        Smooths the loss at zero; smaller ones ask more strictly for equal parameters.
    n_starts
        From how many starts the optimum is sought.
    seed
        Of the random starts.
    estimator, ordered, missing, cluster, weights
        As in `analysis.sem.cfa`.

    Raises
    ------
    AnalysisError
        If the model is not configural, an item measures several factors, the group is
        unknown, or options do not go together.
    ConvergenceError
        If no start ends in an optimum.

    Notes
    -----
    Asparouhov & Muthen (2014), Structural Equation Modeling 21, 495-508: component loss
    (x^2 + epsilon)^(1/4), pairs of groups weighted by sqrt(N_g N_h), the product of the
    factor variances 1 while it is minimised; standard errors by the delta method. The
    fit is that of the configural model. Invariance is judged by their iterative test;
    up to 25 % of non-invariant parameters are taken as a rough limit for trustworthy
    means (Muthen & Asparouhov 2014, Frontiers in Psychology 5:978), to be followed by a
    simulation beyond.

    Thresholds and loadings of ordered items are in units of the residual of y*, which
    is thereby taken as equally large in all groups. The loss sees raw units: items with
    long scales count for more.
    """
    kind = cast("Kind", spelt("kind", kind, get_args(Kind)))
    _require_numbers(epsilon, n_starts)
    asked = Request(
        estimator=estimator,
        ordered=ordered,
        group=group,
        missing=missing,
        std_lv=True,
        meanstructure=True,
        cluster=cluster,
        weights=weights,
    )
    fit = _fitted(model, data, asked)
    return _aligned(
        fit,
        kind=kind,
        reference=reference,
        epsilon=epsilon,
        n_starts=n_starts,
        seed=seed,
    )


def _fitted(model: str | SemFit, data: pd.DataFrame | None, asked: Request) -> SemFit:
    """Fit the configural model, or take it as it is given."""
    if isinstance(model, str):
        if data is None or asked.group is None:
            raise AnalysisError(
                "alignment: a model in syntax needs data and group=, the column that "
                "tells groups apart. Give both, or a fitted configural model."
            )
        return fit_request(model, data, asked)
    if data is not None or asked != Request(std_lv=True, meanstructure=True):
        raise AnalysisError(
            "alignment: a fitted model is given together with data or options of a "
            "fit, which would have no effect. Leave them out, or give the model as "
            "text."
        )
    require_fit(model, where="alignment")
    return model


def _require_numbers(epsilon: float, n_starts: int) -> None:
    if not epsilon > 0:
        raise AnalysisError(
            f"alignment: epsilon={epsilon} is not above 0, where the loss has no "
            "slope. Take 0.01, or 0.001."
        )
    if n_starts < 1:
        raise AnalysisError(
            f"alignment: n_starts={n_starts} is no start at all. Take 30."
        )


def _aligned(
    fit: SemFit,
    *,
    kind: Kind,
    reference: str | None,
    epsilon: float,
    n_starts: int,
    seed: int,
) -> Alignment:
    found = configural(fit)
    at = _position(fit, reference)
    n_obs = np.array([m.n_obs for m in fit.problem.moments], dtype=np.float64)
    rng = np.random.default_rng(seed)
    parts = []
    for each in found:
        free = directions(len(n_obs), kind, at)
        task = Task(each.pattern, each.given, pair_weights(n_obs), epsilon, free)
        optimum = best_alignment(task, n_starts, rng)
        solution = align(task, optimum.units, at, each.slopes, fit.vcov)
        parts.append(FactorAligned(task, optimum, solution))
    tables = arrange(parts, fit.groups, n_obs)
    notes = [*_doubts(parts, kind, at), *_too_different(tables.parameters)]
    return Alignment(
        means=tables.means,
        differences=tables.differences,
        parameters=tables.parameters,
        terms=tables.terms,
        search=tables.search,
        kind=kind,
        reference=fit.groups[at],
        epsilon=epsilon,
        fit=fit,
        warnings=pd.concat([warning_table(notes), fit.warnings], ignore_index=True),
    )


def _position(fit: SemFit, reference: str | None) -> int:
    """Where the reference group stands among the groups."""
    name = fit.groups[0] if reference is None else str(reference)
    if name not in fit.groups:
        raise AnalysisError(
            f"alignment: there is no group {name!r} to be the reference. Choose from "
            f"{', '.join(fit.groups)}."
        )
    return fit.groups.index(name)


def _doubts(
    parts: Sequence[FactorAligned], kind: Kind, at: int
) -> Iterator[tuple[str, str, str]]:
    """Name optima that are flat, or that were hardly found."""
    for part in parts:
        factor, optimum = part.task.pattern.factor, part.optimum
        variance = float(part.solution.mean_cov[at, at])
        if optimum.n_best == 1 and optimum.n_starts >= _MANY:
            yield (
                "optimum found once",
                f"{factor}: {optimum.n_optima} optima from {optimum.n_starts} starts",
                "A better one may exist; raise n_starts=",
            )
        if np.isnan(variance):
            yield (
                "no standard errors",
                factor,
                "Several means align the groups equally well; take kind='fixed'",
            )
        elif kind == "free" and variance > _VAGUE**2:
            yield (
                "zero hardly determined",
                f"{factor}: standard error {np.sqrt(variance):.2f}",
                "Loadings differ too little for a free mean; take kind='fixed'",
            )


def _too_different(parameters: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    for factor, rows in parameters.groupby("factor", sort=False):
        share = float((~rows["invariant"]).mean())
        if share > NONINVARIANCE:
            yield (
                "much non-invariance",
                f"{factor}: {share:.0%} of loadings and locations",
                (
                    f"Above {NONINVARIANCE:.0%} (Muthen & Asparouhov 2014) trust the "
                    "means only after a simulation from this solution"
                ),
            )
