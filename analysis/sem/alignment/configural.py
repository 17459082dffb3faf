"""Item parameters of a configural model, factors standard normal in each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AnalysisError
from analysis.sem.alignment.pattern import Pattern, Term
from analysis.sem.partable.values import complex_jacobian
from analysis.sem.standardize import whole
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.fit import SemFit
    from analysis.sem.matrices import Layout

_GROUPS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Configural:
    """Parameters of the items of one factor before they are aligned.

    Attributes
    ----------
    pattern
        What they are.
    given
        Their values, term by term, group by group, shape (n_terms * n_groups,).
    slopes
        Derivatives by the free parameters, shape (n_terms * n_groups, n_free).
    """

    pattern: Pattern
    given: Float1D
    slopes: Float2D


def configural(fit: SemFit) -> tuple[Configural, ...]:
    """Read the parameters of every factor.

    The factor of each group is turned so that its items load as in the first group.

    Raises
    ------
    AnalysisError
        If the model is not a configural one of several groups, or is not simple.
    """
    _require_configural(fit)
    found = []
    for k, factor in enumerate(fit.latent):
        pattern = _pattern(fit, factor)
        values = _values(fit, pattern, k, fit.theta)
        if not np.isfinite(values).all():
            raise AnalysisError(
                f"alignment: a variance of {factor}, or a residual variance of its "
                "ordered items, is not positive in some group. Look at warnings of the "
                "configural model first."
            )
        turn = _turn(pattern, values)

        def turned(
            at: Float1D, pattern: Pattern = pattern, k: int = k, turn: Float1D = turn
        ) -> Float1D:
            return _values(fit, pattern, k, at) * turn

        slopes = complex_jacobian(turned, fit.theta)
        found.append(Configural(pattern, values * turn, slopes))
    return tuple(found)


def _require_configural(fit: SemFit) -> None:
    table = fit.table
    if len(fit.groups) < _GROUPS:
        raise AnalysisError(
            "alignment: the model has one group only. Fit it with group=, the column "
            "that tells groups apart."
        )
    if not table.meanstructure:
        raise AnalysisError(
            "alignment: the model has no means. Fit it with meanstructure=True."
        )
    if equal := [r for r in table.rows if r.tie or _shared(fit, r.label)]:
        raise AnalysisError(
            f"alignment: {equal[0]} is held equal in the groups, and alignment starts "
            "from a model in which nothing is. Leave group_equal= and shared labels "
            "out."
        )
    if parse(fit.model).constraints:
        raise AnalysisError(
            "alignment: the model has constraints (==, < or >), and alignment starts "
            "from a model in which nothing is held. Leave them out."
        )
    loadings = [r for r in table.rows if r.op == "=~" and r.group == 1]
    named = [r.rhs for r in loadings]
    if higher := [
        r for r in table.rows if r.op == "~" or (r.rhs in table.latent and r.op == "=~")
    ]:
        raise AnalysisError(
            f"alignment: {higher[0]} explains a variable by another, and only means "
            "and variances of factors of items are aligned. Leave it out."
        )
    if twice := [n for n in named if named.count(n) > 1]:
        raise AnalysisError(
            f"alignment: {twice[0]} measures several factors, and its location would "
            "be shared among them. Leave its cross-loadings out."
        )
    for factor in fit.latent:
        if sum(r.lhs == factor for r in loadings) < _GROUPS:
            raise AnalysisError(
                f"alignment: {factor} has one item, which any means would align. Leave "
                "the factor out, or give it more items."
            )


def _shared(fit: SemFit, label: str) -> bool:
    """Whether a label stands in several groups."""
    groups = {r.group for r in fit.table.rows if label and r.label == label}
    return len(groups) > 1


def _pattern(fit: SemFit, factor: str) -> Pattern:
    known = dict(fit.table.categories)
    items = [
        r.rhs for r in fit.table.rows if (r.op, r.lhs, r.group) == ("=~", factor, 1)
    ]
    locations = [
        (k, term)
        for k, item in enumerate(items)
        for term in (
            [Term(item, "|", f"t{j}") for j in range(1, known[item])]
            if item in known
            else [Term(item, "~1", "")]
        )
    ]
    return Pattern(
        factor=factor,
        loadings=tuple(Term(factor, "=~", item) for item in items),
        locations=tuple(term for _, term in locations),
        owner=np.array([k for k, _ in locations], dtype=np.int_),
        n_groups=len(fit.groups),
    )


def _values(fit: SemFit, pattern: Pattern, k: int, theta: Float1D) -> Float1D:
    """Read loadings and locations at theta, also where it is complex."""
    columns = [_of_group(layout, pattern, k, theta) for layout in fit.problem.layouts]
    return np.stack(columns, axis=1).ravel()


def _of_group(layout: Layout, pattern: Pattern, k: int, theta: Float1D) -> Float1D:
    m = whole(layout, theta)
    names = layout.table.observed
    at = np.array([names.index(t.rhs) for t in pattern.loadings], dtype=np.int_)
    # Ordered answers know y* only in units of its residual.
    unit = np.ones(len(names), dtype=theta.dtype)
    ordered = layout.ordered
    with np.errstate(invalid="ignore"):
        unit[ordered] = np.sqrt(m.Theta[ordered, ordered])
        loadings = m.Lambda[at, k] * np.sqrt(m.Psi[k, k]) / unit[at]
    centre = (m.nu + m.Lambda @ m.alpha)[at] / unit[at]
    cuts = {
        (row.lhs, row.rhs): m.tau[cell.row]
        for row, cell in zip(layout.table.rows, layout.cells, strict=True)
        if cell is not None and cell.matrix == "tau"
    }
    locations = [
        centre[i] - (cuts[t.lhs, t.rhs] / unit[at[i]] if t.op == "|" else 0.0)
        for i, t in zip(pattern.owner, pattern.locations, strict=True)
    ]
    return np.concatenate([loadings, np.array(locations, dtype=theta.dtype)])


def _turn(pattern: Pattern, values: Float1D) -> Float1D:
    """1 or -1 for each value: groups are turned to load as the first one does."""
    loadings = pattern.split(values)[0]
    sign = np.where(loadings.T @ loadings[:, 0] < 0, -1.0, 1.0)
    turn = np.ones((len(pattern.terms), pattern.n_groups))
    turn[: len(pattern.loadings)] = sign
    return turn.ravel()
