"""The general factor, found in answers or in a fitted model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.correlations import Correlation, correlation
from analysis.efa.extract import extract
from analysis.efa.rotate import arrange, rotate
from analysis.errors import AnalysisError
from analysis.reliability.alpha import mean_correlation
from analysis.reliability.hierarchical import (
    Bifactor,
    HierarchicalReliability,
    index_table,
    indices,
    loading_table,
)
from analysis.reliability.intervals import NAN, check_level, logit_interval
from analysis.reliability.model import measured, require_one_level, with_errors
from analysis.reliability.second_order import IDENTIFIED, at_bound, schmid_leiman
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D
    from analysis.correlations import Kind, Missing
    from analysis.reliability.coefficients import Warning_
    from analysis.reliability.model import Measured
    from analysis.reliability.second_order import SchmidLeiman
    from analysis.sem import SemFit

# A covariance of factors that is zero but for rounding.
UNRELATED = 1e-8


def omega_hierarchical(
    items: pd.DataFrame | Correlation,
    n_factors: int = 3,
    *,
    kind: Kind = "pearson",
    missing: Missing = "listwise",
    rotation_starts: int = 5,
    seed: int = 0,
) -> HierarchicalReliability:
    """Omega hierarchical from a Schmid-Leiman transformed factor analysis.

    Parameters
    ----------
    items
        Keyed item codes of all subscales, one row per respondent, missing as NA; or
        their correlations.
    n_factors
        Number of group factors, two or more.
    kind
        Correlations to use; omega is then that of the sum of standardised items, with
        ``"polychoric"`` of hypothetical continuous answers.
    missing
        ``"listwise"`` keeps respondents with every answer; ``"pairwise"`` takes each
        correlation from everyone who answered both items.
    rotation_starts
        Starts of the rotation, the best is kept; 1 gives R's single start.
    seed
        Seed of the random starts.

    Returns
    -------
    HierarchicalReliability
        Group factors F1, F2, ...; an item belongs to the one it loads on most. No
        intervals: use a fitted bifactor model, or bootstrap
        ``omega_hierarchical(items).as_reliability()``.

    Raises
    ------
    TooFewError
        If there are too few items or respondents.
    NotIdentifiedError
        If there are too many factors for the items.
    ConvergenceError
        If extraction or rotation finds no solution.
    AnalysisError
        If an item cannot be used, or nothing is general.

    Notes
    -----
    Zinbarg, Revelle, Yovel and Li (2005). Same as ``psych::omega(R, nfactors = k,
    flip = FALSE)``: minres, oblimin, minres of the factor correlations; its
    ``omega.group`` are omega_total, omega_h and omega_hs of the subscales here.
    tests/reference/reliability_internal.R.
    """
    where = "omega_hierarchical"
    corr = (
        items
        if isinstance(items, Correlation)
        else correlation(items, kind, missing=missing, where=where, at_least=4)
    )
    extraction = extract(corr.R, n_factors, method="minres")
    rotated = rotate(extraction.loadings, "oblimin", starts=rotation_starts, seed=seed)
    pattern, Phi = arrange(rotated.loadings, rotated.Phi)
    found = schmid_leiman(pattern, Phi)
    names = [f"F{k}" for k in range(1, n_factors + 1)]
    strongest = np.abs(found.groups).argmax(axis=1)
    part = Bifactor(
        general=found.general,
        groups=found.groups,
        total=corr.R,
        unique=float(extraction.uniqueness.sum()),
        sd=np.ones(len(corr.R)),
        member=strongest[:, None] == np.arange(n_factors),
    )
    return HierarchicalReliability(
        table=index_table(part, names),
        loadings=loading_table(part, extraction.uniqueness, corr.names, names),
        source=f"Schmid-Leiman, minres, oblimin, {corr.kind}",
        average_r=mean_correlation(corr.R),
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        conf_level=NAN,
        warnings=pd.concat(
            [
                warning_table(
                    [
                        *_odd(found, part, corr.names, names),
                        *_optima(rotated.optima),
                    ]
                ),
                corr.warnings,
            ],
            ignore_index=True,
        ),
    )


def bifactor_reliability(
    fit: SemFit, general: str | None = None, *, conf_level: float = 0.95
) -> HierarchicalReliability:
    """Omega hierarchical and its companions of a bifactor or second-order model.

    Parameters
    ----------
    fit
        A model of one group with a factor behind all items, directly (bifactor,
        orthogonal) or through the other factors (second order).
    general
        That factor; found when left out.
    conf_level
        Level of the intervals, between 0 and 1.

    Returns
    -------
    HierarchicalReliability
        Omegas are those of the sum of codes, over its implied variance (of latent
        responses where items are ordered); ECV and H are of standardised loadings.
        Errors by the delta method, intervals on the logit scale; PUC is no estimate.

    Raises
    ------
    AnalysisError
        If there are several groups, no general factor, correlated group factors, or
        an improper solution.

    Notes
    -----
    Rodriguez, Reise and Haviland (2016). omega_h as ``semTools::compRelSEM(fit,
    obs.var = FALSE)`` of a bifactor model and ``compRelSEM(fit, higher = "g",
    obs.var = FALSE)`` of a second-order one; tests/reference/reliability_models.R.
    """
    where = "bifactor_reliability"
    check_level(conf_level, where=where)
    require_one_level(fit)
    if len(fit.table.groups) > 1:
        raise AnalysisError(
            f"{where}: the fit has {len(fit.table.groups)} groups. Fit one group."
        )
    at = measured(fit)
    _require_proper(at, where=where)
    top = _general(at, general, where=where)
    _require_orthogonal(at, top, where=where)
    names = [n for j, n in enumerate(at.factors) if j != top and _has_items(at, j)]
    part = _bifactor(at, top)
    table = index_table(part, names)
    _, errors = with_errors(fit, lambda m: _estimates(_bifactor(m, top)))
    ends = [
        logit_interval(v, e, conf_level)
        for v, e in zip(table["estimate"], errors, strict=True)
    ]
    table = table.assign(
        std_error=errors, conf_low=[e[0] for e in ends], conf_high=[e[1] for e in ends]
    )
    latent = ", latent responses" if at.ordered.any() else ""
    return HierarchicalReliability(
        table=table,
        loadings=loading_table(
            part, np.diag(at.unique) / np.diag(at.Sigma), at.items, names
        ),
        source=f"{'bifactor' if _has_items(at, top) else 'second-order'} model{latent}",
        average_r=mean_correlation(at.Sigma / np.outer(part.sd, part.sd)),
        n_obs=fit.n_obs,
        n_dropped=fit.n_dropped,
        conf_level=conf_level,
        warnings=warning_table(_against(part.general, at.items)),
    )


def _estimates(part: Bifactor) -> Float1D:
    return np.array([estimate for _, _, estimate in indices(part)])


def _bifactor(at: Measured, top: int) -> Bifactor:
    """Bring own parts to unit variance; group factors are those with items."""
    others = [j for j in range(len(at.factors)) if j != top and _has_items(at, j)]
    scale = np.sqrt(np.diag(at.own))
    scaled = at.effects * scale
    return Bifactor(
        general=scaled[:, top],
        groups=scaled[:, others],
        total=at.Sigma,
        unique=float(at.unique.sum()),
        sd=np.sqrt(np.diag(at.Sigma)),
        member=at.belongs()[:, others],
    )


def _has_items(at: Measured, factor: int) -> bool:
    return bool(at.belongs()[:, factor].any())


def _general(at: Measured, general: str | None, *, where: str) -> int:
    reaches = (at.effects != 0).all(axis=0)
    if general is not None:
        if general not in at.factors:
            raise AnalysisError(
                f"{where}: {general!r} is no factor of the model. Choose one of "
                f"{', '.join(at.factors)}."
            )
        top = at.factors.index(general)
        if not reaches[top]:
            left = [
                n for n, e in zip(at.items, at.effects[:, top], strict=True) if not e
            ]
            raise AnalysisError(
                f"{where}: {general!r} does not reach the items {left}. Let it load on "
                "all items or factors."
            )
        return top
    found = np.flatnonzero(reaches)
    if len(found) != 1 or len(at.factors) == 1:
        raise AnalysisError(
            f"{where}: {len(found)} of the factors {list(at.factors)} stand behind all "
            "items, beside group factors there must be one. Fit a bifactor or "
            "second-order model, or name it with general=."
        )
    return int(found[0])


def _require_orthogonal(at: Measured, top: int, *, where: str) -> None:
    off = np.abs(at.own - np.diag(np.diag(at.own)))
    if off.max() <= UNRELATED:
        return
    i, j = np.unravel_index(int(off.argmax()), off.shape)
    raise AnalysisError(
        f"{where}: {at.factors[i]} and {at.factors[j]} covary, so their shares of "
        f"variance beside {at.factors[top]} are not defined. Fit with orthogonal=True."
    )


def _require_proper(at: Measured, *, where: str) -> None:
    bad = [
        f"{n} ({v:.3f})"
        for n, v in [
            *zip(at.items, np.diag(at.unique), strict=True),
            *zip(at.factors, np.diag(at.own), strict=True),
        ]
        if v < 0
    ]
    if bad:
        raise AnalysisError(
            f"{where}: improper solution, negative residual variances: "
            f"{', '.join(bad)}. Simplify the model, or leave an item out."
        )


def _odd(
    found: SchmidLeiman, part: Bifactor, items: tuple[str, ...], names: list[str]
) -> Iterator[Warning_]:
    if len(names) < IDENTIFIED:
        yield (
            "two group factors do not identify a general one: both load alike",
            "general factor",
            "Ask for three group factors, or read omega_h as one of many.",
        )
    if at_bound(found.second_order):
        alone = names[int(np.abs(found.second_order).argmax())]
        yield (
            f"{alone} is the general factor itself (Heywood case)",
            "general factor",
            "Ask for fewer or more group factors.",
        )
    if (found.second_order < 0).any():
        low = [n for n, v in zip(names, found.second_order, strict=True) if v < 0]
        yield (
            f"the factors share no direction: {', '.join(low)} run against the others",
            "general factor",
            "Check the keying; a sum over these subscales has no general meaning.",
        )
    empty = [n for n, of in zip(names, part.member.T, strict=True) if not of.any()]
    if empty:
        yield (
            f"no item loads most on {', '.join(empty)}",
            "group factors",
            "Ask for fewer group factors.",
        )
    yield from _against(part.general, items)


def _against(general: Float1D, items: tuple[str, ...]) -> Iterator[Warning_]:
    direction = np.sign(np.sign(general).sum()) or 1.0
    odd = [n for n, v in zip(items, general, strict=True) if np.sign(v) == -direction]
    if odd:
        yield (
            f"items load against the general factor: {odd}",
            "general factor",
            "Check their keys; they lower omega_h.",
        )


def _optima(optima: int) -> Iterator[Warning_]:
    if optima > 1:
        yield (
            f"the rotation has {optima} optima; the best was taken",
            "rotation oblimin",
            "Compare rotation_starts=1 (R's single start).",
        )
