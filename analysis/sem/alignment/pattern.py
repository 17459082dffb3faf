"""Which loadings and locations of a factor are aligned, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D


@dataclass(frozen=True, slots=True)
class Term:
    """One parameter of an item, as model syntax spells it.

    Attributes
    ----------
    lhs, op, rhs
        ``f =~ x1``, ``x1 ~1`` or ``x1 | t1``.
    """

    lhs: str
    op: str
    rhs: str

    def __str__(self) -> str:
        """Spell the parameter."""
        return f"{self.lhs} {self.op} {self.rhs}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The parameters of the items of one factor.

    A location is an intercept, or a threshold with its sign reversed, so that both are
    answers expected where the factor is zero.

    Attributes
    ----------
    factor
        Its name.
    loadings, locations
        The parameters, loadings item by item.
    owner
        The item of each location, counted as in `loadings`, shape (n_locations,).
    n_groups
        Number of groups.
    """

    factor: str
    loadings: tuple[Term, ...]
    locations: tuple[Term, ...]
    owner: Int1D
    n_groups: int

    @property
    def terms(self) -> tuple[Term, ...]:
        """All parameters: loadings, then locations."""
        return (*self.loadings, *self.locations)

    @property
    def signs(self) -> Float1D:
        """What turns locations back to thresholds, shape (n_terms,)."""
        return np.array([-1.0 if t.op == "|" else 1.0 for t in self.terms])

    def split(self, values: Float1D) -> tuple[Float2D, Float2D]:
        """Arrange values of all terms and groups: loadings, locations by group."""
        whole = values.reshape(len(self.terms), self.n_groups)
        return whole[: len(self.loadings)], whole[len(self.loadings) :]
