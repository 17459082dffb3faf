"""Margins, then pairs: tables where they suffice, people one by one elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.errors import AnalysisError
from analysis.polychoric.influence import Influence, TabledInfluence
from analysis.polychoric.margins import (
    Predictors,
    numeric_margin,
    ordered_margin,
    tabled_margin,
)
from analysis.polychoric.maxima import BOUND
from analysis.polychoric.order import MomentOrder
from analysis.polychoric.rowwise import row_pair
from analysis.polychoric.tabled import tabled_influence, tabled_pairs
from analysis.polychoric.tables import Coded, pair_counts, thresholds

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.polychoric.margins import Margin
    from analysis.polychoric.rowwise import RowPair
    from analysis.polychoric.sample import Sample
    from analysis.polychoric.tabled import TabledPairs
    from analysis.polychoric.tables import Thresholds

# Combinations of predictors are counted where each stands for this many rows.
_REPEATED: Final = 8
_NAMED: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Estimates of the first two steps, and the influence of people on them.

    Attributes
    ----------
    thresholds
        Of each variable; empty for numeric ones.
    mean
        Shape (p,).
    slopes
        Shape (p, q).
    sd
        Shape (p,).
    R
        Shape (p, p).
    influence
        What each person adds.
    empty_2x2
        Pairs of binary variables with one empty cell, shape (m, 2).
    """

    thresholds: tuple[Float1D, ...]
    mean: Float1D
    slopes: Float2D
    sd: Float1D
    R: Float2D
    influence: Influence
    empty_2x2: Int1D


@dataclass(frozen=True, slots=True, eq=False)
class _Tabled:
    """Ordered variables without predictors: their thresholds and correlations."""

    coded: Coded
    columns: Int1D
    cuts: Thresholds
    pairs: TabledPairs


class PerfectCorrelationError(AnalysisError):
    """Two variables determine each other, so that their correlation has no estimate."""


def take_steps(used: Sample, *, scaled: bool, where: str, hold: bool = False) -> Steps:
    """Estimate the margins and pairs of a sample.

    Parameters
    ----------
    used
        Rows to use.
    scaled
        Whether pairs with a numeric variable are covariances, not correlations.
    where
        Opens every message.
    hold
        Keep a correlation that reaches .999 there, unless one variable determines the
        other.

    Raises
    ------
    PerfectCorrelationError
        If a correlation reaches .999.
    AnalysisError
        If predictors do not vary or determine each other.
    ConvergenceError
        If a predictor separates the answers of a variable.
    """
    given = Predictors.of(used.exogenous, where=where)
    coded, columns = _coded(used)
    tabled = None
    if len(columns) and not given.x.shape[1]:
        tabled = _take_tables(coded, columns)
    margins: tuple[Margin, ...] = ()
    if tabled is None or len(columns) < len(used.names):
        margins = _take_margins(used, coded, columns, tabled, given, where=where)
    row_pairs = _take_row_pairs(used, margins, given)
    R = _correlations(len(used.names), tabled, row_pairs)
    _require_imperfect(R, used, where=where, hold=hold)
    influence = Influence(
        order=_order(used, coded, columns),
        tabled=None if tabled is None else _tabled_influence(tabled),
        margins=margins,
        row_pairs=row_pairs,
        predictors=given,
        scaled=scaled,
    )
    return _assemble(used, R, tabled, influence)


def _coded(used: Sample) -> tuple[Coded, Int1D]:
    columns = np.flatnonzero(used.ordered)
    return Coded.of(used.x[:, columns], used.weights), columns


def _order(used: Sample, coded: Coded, columns: Int1D) -> MomentOrder:
    n_first = np.ones(len(used.names), dtype=np.int_)
    n_first[columns] = coded.n_categories - 1
    return MomentOrder.of(
        n_first, used.exogenous.shape[1], numeric=np.flatnonzero(~used.ordered)
    )


def _take_tables(coded: Coded, columns: Int1D) -> _Tabled:
    counts = pair_counts(coded)
    cuts = thresholds(counts, coded.n_categories)
    at = np.triu_indices(len(columns), 1)
    return _Tabled(
        coded, columns, cuts, tabled_pairs(counts, cuts, coded.n_categories, at)
    )


def _tabled_influence(tabled: _Tabled) -> TabledInfluence:
    return TabledInfluence(
        coded=tabled.coded,
        columns=tabled.columns,
        cuts=tabled.cuts.influence,
        cells=tabled_influence(tabled.pairs, tabled.cuts),
        i=tabled.pairs.i,
        j=tabled.pairs.j,
    )


def _take_margins(
    used: Sample,
    coded: Coded,
    columns: Int1D,
    tabled: _Tabled | None,
    given: Predictors,
    *,
    where: str,
) -> tuple[Margin, ...]:
    position = {int(j): at for at, j in enumerate(columns)}
    weights = used.row_weights
    found = []
    for j, name in enumerate(used.names):
        place = f"{where}, {name!r}"
        if j not in position:
            margin = numeric_margin(used.x[:, j], given, weights, where=place)
            found.append(margin)
            continue
        code = coded.codes[:, position[j]].astype(np.intp)
        size = int(coded.n_categories[position[j]])
        if tabled is None:
            found.append(ordered_margin(code, size, given, weights, where=place))
        else:
            found.append(tabled_margin(code, size, tabled.cuts, position[j]))
    return tuple(found)


def _take_row_pairs(
    used: Sample, margins: tuple[Margin, ...], given: Predictors
) -> tuple[RowPair, ...]:
    patterns = _patterns(used.exogenous)
    by_tables = used.ordered if not given.x.shape[1] else np.zeros_like(used.ordered)
    weights = used.row_weights
    return tuple(
        row_pair((i, j), (margins[i], margins[j]), given.x, weights, patterns)
        for i in range(len(margins))
        for j in range(i + 1, len(margins))
        if not (by_tables[i] and by_tables[j])
    )


def _patterns(exogenous: Float2D) -> Int1D | None:
    """Enumerate combinations of predictors, if they are few, and give each row's."""
    if not exogenous.shape[1]:
        return None
    known, number = np.unique(exogenous, axis=0, return_inverse=True)
    if len(known) * _REPEATED > len(exogenous):
        return None
    return np.asarray(number.reshape(-1), dtype=np.intp)


def _correlations(
    p: int, tabled: _Tabled | None, row_pairs: tuple[RowPair, ...]
) -> Float2D:
    R = np.eye(p)
    if tabled is not None:
        i, j = tabled.columns[tabled.pairs.i], tabled.columns[tabled.pairs.j]
        R[i, j] = R[j, i] = tabled.pairs.rho
    for pair in row_pairs:
        R[pair.i, pair.j] = R[pair.j, pair.i] = pair.rho
    return R


def _require_imperfect(R: Float2D, used: Sample, *, where: str, hold: bool) -> None:
    i, j = np.triu_indices(len(R), 1)
    perfect = np.flatnonzero(np.abs(R[i, j]) >= BOUND)
    if hold:
        kept = [k for k in perfect if _determined(used.x[:, [i[k], j[k]]])]
        perfect = np.array(kept, dtype=np.intp)
    if not len(perfect):
        return
    names = used.names
    named = [f"{names[i[k]]!r} with {names[j[k]]!r}" for k in perfect[:_NAMED]]
    more = f" and {len(perfect) - _NAMED} more" if len(perfect) > _NAMED else ""
    raise PerfectCorrelationError(
        f"{where}: {', '.join(named)}{more}: the correlation reaches {BOUND}, because "
        "their answers agree perfectly or their table has too many empty cells. Leave "
        "one of each pair out, or join rare categories."
    )


def _determined(pair: Float2D) -> bool:
    """Whether each answer to one variable goes with one answer to the other."""
    seen = pair[~np.isnan(pair).any(axis=1)]
    both = len(np.unique(seen, axis=0))
    return both <= max(len(np.unique(seen[:, 0])), len(np.unique(seen[:, 1])))


def _assemble(
    used: Sample, R: Float2D, tabled: _Tabled | None, influence: Influence
) -> Steps:
    p = len(used.names)
    mean, slopes = np.zeros(p), np.zeros((p, used.exogenous.shape[1]))
    cuts = [np.empty(0)] * p
    empty = np.empty((0, 2), dtype=np.int_)
    if tabled is not None:
        pairs, columns = tabled.pairs, tabled.columns
        empty = np.column_stack([columns[pairs.i], columns[pairs.j]])[pairs.empty_2x2]
        for at, k in enumerate(columns):
            cuts[k] = tabled.cuts.of(at, int(tabled.coded.n_categories[at]))
    for k, margin in enumerate(influence.margins):
        first, slopes[k] = influence.predictors.in_own_units(margin)
        if margin.ordered:
            cuts[k] = first
        else:
            mean[k] = first[0]
    return Steps(tuple(cuts), mean, slopes, influence.sd, R, influence, empty)
