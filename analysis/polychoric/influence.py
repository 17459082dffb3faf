"""What each person adds to each moment, and the covariance of moments it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.polychoric.rowwise import row_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.polychoric.margins import Margin, Predictors
    from analysis.polychoric.order import MomentOrder
    from analysis.polychoric.rowwise import RowPair
    from analysis.polychoric.tables import Coded

# Numbers held at a time for a chunk of people: 64 MB.
_HELD: Final = 8_000_000
_FEWEST: Final = 512
_MOST: Final = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Who is independent of whom, and how much each row counts.

    Attributes
    ----------
    n
        Number of rows.
    weights
        Shape (n,), or None.
    cluster
        Number of the cluster of each row from 0, shape (n,), or None.
    """

    n: int
    weights: Float1D | None = None
    cluster: Int1D | None = None

    def chunks(self, size: int) -> Iterator[tuple[Int1D | slice, Int1D | None]]:
        """About `size` rows at a time, and where in them each cluster starts."""
        if self.cluster is None:
            for at in range(0, self.n, size):
                yield slice(at, min(at + size, self.n)), None
            return
        order = np.argsort(self.cluster, kind="stable")
        starts = np.flatnonzero(np.diff(self.cluster[order], prepend=-1))
        # Chunks end where a cluster does.
        number = starts // size
        first = starts[np.flatnonzero(np.diff(number, prepend=-1))]
        for low, high in zip(first, [*first[1:], self.n], strict=True):
            inside = starts[(starts >= low) & (starts < high)]
            yield order[low:high], inside - low


@dataclass(frozen=True, slots=True, eq=False)
class TabledInfluence:
    """What answers add to thresholds and correlations of ordered variables.

    Attributes
    ----------
    coded
        Answers of these variables.
    columns
        Their positions among all variables.
    cuts
        What each answer adds to each threshold, shape (p_ordered, M + 1, M - 1).
    cells
        What each two answers add to each correlation, shape (m, M + 1, M + 1).
    i, j
        Variables of these correlations, as positions in `columns`, shapes (m,).
    """

    coded: Coded
    columns: Int1D
    cuts: Float2D
    cells: Float2D
    i: Int1D
    j: Int1D

    def fill(self, rows: Int1D | slice, order: MomentOrder, found: Float2D) -> None:
        """Write the influence of some people into an array (k, n_rows)."""
        codes = np.ascontiguousarray(self.coded.codes[rows].T, dtype=np.intp)
        for at, j in enumerate(self.columns):
            part = order.thresholds[j]
            own = self.cuts[at, :, : part.stop - part.start]
            found[part] = own[codes[at]].T
        width = self.coded.missing + 1
        flat = self.cells.reshape(len(self.cells), width * width)
        scaled = codes * width
        position = order.pair[self.columns[self.i], self.columns[self.j]]
        for k, (a, b) in enumerate(zip(self.i, self.j, strict=True)):
            np.take(flat[k], scaled[a] + codes[b], out=found[position[k]], mode="clip")


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """All that is needed to tell what a person adds to the vector of moments.

    Attributes
    ----------
    order
        Positions of the moments.
    tabled
        Ordered variables without predictors, or None.
    margins
        Margins of all variables where people count one by one; else empty.
    row_pairs
        The correlations among these that are not in `tabled`.
    predictors
        How to return slopes to their own units.
    scaled
        Whether pairs with a numeric variable are covariances, not correlations.
    """

    order: MomentOrder
    tabled: TabledInfluence | None
    margins: tuple[Margin, ...]
    row_pairs: tuple[RowPair, ...]
    predictors: Predictors
    scaled: bool

    @property
    def sd(self) -> Float1D:
        """Standard deviations, shape (p,)."""
        if not self.margins:
            return np.ones(len(self.order.thresholds))
        return np.array([margin.sd for margin in self.margins])

    def of(self, rows: Int1D | slice) -> Float2D:
        """Influence of some people, shape (k, n_rows)."""
        n_rows = len(range(rows.stop)[rows]) if isinstance(rows, slice) else len(rows)
        found = np.empty((self.order.size, n_rows))
        if self.tabled is not None:
            self.tabled.fill(rows, self.order, found)
        margins = [margin.at(rows) for margin in self.margins]
        for at, margin in enumerate(margins):
            own = self.predictors.influence_in_own_units(margin)
            found[self.order.own(at)] = own
        for pair in self.row_pairs:
            i, j = margins[pair.i], margins[pair.j]
            of_pair = _of_pair(pair, i, j)
            if self.scaled:
                of_pair = _in_units(of_pair, pair.rho, i, j)
            found[self.order.pair[pair.i, pair.j]] = of_pair
        return found

    def blocks(self, units: Units) -> Iterator[Float2D]:
        """Influence of persons or clusters, a block (k, n_units) at a time."""
        size = min(_MOST, max(_FEWEST, _HELD // self.order.size))
        for rows, starts in units.chunks(size):
            found = self.of(rows)
            if units.weights is not None:
                found *= units.weights[rows]
            if starts is not None:
                found = np.add.reduceat(found, starts, axis=1)
            yield found


def summed_products(influence: Influence, units: Units) -> Float2D:
    """Sum cross-products over persons, or over clusters, shape (k, k)."""
    total = np.zeros((influence.order.size, influence.order.size))
    for block in influence.blocks(units):
        total += block @ block.T
    return total


def summed_squares(influence: Influence, units: Units) -> Float1D:
    """Sum squares over persons, or over clusters, shape (k,)."""
    total = np.zeros(influence.order.size)
    for block in influence.blocks(units):
        total += np.einsum("kn,kn->k", block, block)
    return total


def _of_pair(pair: RowPair, i: Margin, j: Margin) -> Float1D:
    """Influence on a correlation."""
    found = row_scores(pair, i, j)
    found -= pair.cross_i @ i.influence
    found -= pair.cross_j @ j.influence
    found /= pair.information
    return found


def _in_units(of_rho: Float1D, rho: float, i: Margin, j: Margin) -> Float1D:
    """Influence on rho sd_i sd_j."""
    found = i.sd * j.sd * of_rho
    for own, other in ((i, j), (j, i)):
        if not own.ordered:
            found += rho * other.sd / (2 * own.sd) * own.influence[-1]
    return found
