"""Differences between sample and implied moments, and their mean squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.sem.implied import filled, implied
from analysis.sem.pairs import vech, vech_below
from analysis.sem.stack import OrdinalStack, sample_vector

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.matrices import Layout
    from analysis.sem.moments import Moments
    from analysis.sem.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Residuals of one group.

    Attributes
    ----------
    cov
        Sample minus implied covariances, shape (p, p).
    cor
        Sample minus implied correlations.
    mean
        Sample minus implied means, or thresholds with ordered variables; empty when
        means are not modelled.
    """

    cov: Float2D
    cor: Float2D
    mean: Float1D


def residuals(problem: Problem, theta: Float1D) -> tuple[Residuals, ...]:
    """Compare sample and implied moments of every group."""
    pairs = zip(problem.layouts, problem.moments, strict=True)
    return tuple(_of_group(layout, moments, theta) for layout, moments in pairs)


def _of_group(layout: Layout, moments: Moments, theta: Float1D) -> Residuals:
    cov, mean = model_moments(layout, theta)
    first = np.zeros(0)
    if layout.table.categories:
        stack = OrdinalStack.of(layout)
        gap = sample_vector(stack, moments) - stack.vector(theta)
        first = gap[: stack.n_first][stack.threshold >= 0]
    elif layout.table.meanstructure:
        first = moments.mean - mean
    return Residuals(
        moments.cov - cov, correlations(moments.cov) - correlations(cov), first
    )


def model_moments(layout: Layout, theta: Float1D) -> tuple[Float2D, Float1D]:
    """Implied covariances and means in the units of the sample's.

    Those of ordered variables are correlations and 0.
    """
    m = filled(layout, theta)
    found = implied(m)
    cov = found.cov * np.outer(m.delta, m.delta)
    mean = np.where(np.isin(np.arange(len(cov)), layout.ordered), 0.0, found.mean)
    table = layout.table
    if table.conditional and table.exogenous:
        x = [table.observed.index(n) for n in table.exogenous]
        held = layout.held["Psi"]
        at = layout.exogenous
        cov[np.ix_(x, x)] = held[np.ix_(at, at)]
        mean[x] = layout.held["alpha"][at, 0]
    return cov, mean


def correlations(cov: Float2D) -> Float2D:
    """Correlations from covariances."""
    sd = np.sqrt(np.diag(cov))
    r: Float2D = cov / np.outer(sd, sd)
    return r


def mean_squares(problem: Problem, theta: Float1D) -> dict[str, float]:
    """Compute the RMR, SRMR and CRMR with their variants, groups weighted by size.

    Notes
    -----
    SRMR: Bentler (1995), residuals divided by sample standard deviations; CRMR: Bollen
    (1989), residuals of correlations; SRMR (Mplus): Muthen & Muthen's. ``nomean``
    leaves means (thresholds) out. With ordered variables SRMR means correlations only.
    """
    each = []
    for layout, moments in zip(problem.layouts, problem.moments, strict=True):
        if problem.table.categories:
            each.append(_ordinal(layout, moments, theta))
        else:
            each.append(_numeric(layout, moments, theta))
    return {
        name: float(problem.shares @ np.array([one[name] for one in each]))
        for name in each[0]
    }


def _numeric(layout: Layout, moments: Moments, theta: Float1D) -> dict[str, float]:
    cov, mean = model_moments(layout, theta)
    S, p = moments.cov, len(cov)
    sd, implied_sd = np.sqrt(np.diag(S)), np.sqrt(np.diag(cov))
    below, below_only = vech(p), vech_below(p)
    raw = (S - cov)[below]
    bentler = ((S - cov) / np.outer(sd, sd))[below]
    cor = (correlations(S) - correlations(cov))[below_only]
    variance = (np.diag(S) - np.diag(cov)) / np.diag(S)
    mplus = np.concatenate([cor, variance])
    means = layout.table.meanstructure
    gap = moments.mean - mean if means else np.zeros(0)
    own = gap / sd if means else gap
    both = moments.mean / sd - mean / implied_sd if means else gap
    return {
        "rmr": _root(raw, gap),
        "rmr_nomean": _root(raw),
        "srmr": _root(bentler, own),
        "srmr_bentler": _root(bentler, own),
        "srmr_bentler_nomean": _root(bentler),
        "crmr": _root(cor, own),
        "crmr_nomean": _root(cor),
        "srmr_mplus": _root(mplus, both),
        "srmr_mplus_nomean": _root(mplus),
    }


def _ordinal(layout: Layout, moments: Moments, theta: Float1D) -> dict[str, float]:
    """Mean squares with ordered variables.

    As in lavaan, residual variances are not in the sum, but variances are counted, and
    the predictors of a conditional model are counted with them.
    """
    stack = OrdinalStack.of(layout)
    found = _of_group(layout, moments, theta)
    own = np.ix_(stack.own, stack.own)
    sd = moments.sd[stack.own]
    raw = found.cov[own][vech_below(len(sd))]
    bentler = (found.cov[own] / np.outer(sd, sd))[vech_below(len(sd))]
    cor = found.cor[own][vech_below(len(sd))]
    counted = np.zeros(len(sd) + len(stack.given))
    return {
        "rmr": _root(raw, counted, found.mean),
        "rmr_nomean": _root(raw, counted),
        "srmr": _root(bentler, counted),
        "srmr_bentler": _root(bentler, counted, found.mean),
        "srmr_bentler_nomean": _root(bentler, counted),
        "crmr": _root(cor, found.mean),
        "crmr_nomean": _root(cor),
    }


def _root(*parts: Float1D) -> float:
    values = np.concatenate(parts)
    return float(np.sqrt((values**2).mean())) if len(values) else 0.0
