"""Implied moments of a group stacked in one vector, in the order of the sample's.

Numeric variables: means (where modelled), then covariances (vech). With ordered
variables: of each variable its thresholds, or its mean; slopes on the exogenous
predictors; variances of numeric variables; covariances below the diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from analysis.sem.implied import filled, implied, slopes, total_effects
from analysis.sem.pairs import vech, vech_below
from analysis.sem.partable.values import complex_jacobian

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.sem.implied import Slopes
    from analysis.sem.matrices import Layout, Matrices
    from analysis.sem.moments import Moments


Label: TypeAlias = tuple[str, str]


class Stack(Protocol):
    """The map from theta to a vector of moments."""

    @property
    def layout(self) -> Layout:
        """The map from theta to the matrices of the group."""
        ...

    def vector(self, theta: Float1D) -> Float1D:
        """Implied moments, shape (k,)."""
        ...

    def jacobian(self, theta: Float1D) -> Float2D:
        """Their derivatives by theta, shape (k, n_free)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class NumericStack:
    """Means, where modelled, and covariances of numeric variables.

    Attributes
    ----------
    layout
        The map from theta to the matrices of the group.
    means
        Whether means are modelled.
    """

    layout: Layout
    means: bool

    @property
    def labels(self) -> tuple[Label, ...]:
        """What each moment is of: one name, or two in alphabetical order."""
        names = self.layout.table.observed
        first: list[Label] = [(n, "") for n in names] if self.means else []
        r, c = vech(len(names))
        return (*first, *(_pair(names[i], names[j]) for i, j in zip(r, c, strict=True)))

    @property
    def size(self) -> int:
        """Number of moments."""
        p = len(self.layout.table.observed)
        return p * (p + 1) // 2 + (p if self.means else 0)

    def vector(self, theta: Float1D) -> Float1D:
        """Implied moments, shape (k,)."""
        found = implied(filled(self.layout, theta))
        return self.of(found.mean, found.cov)

    def of(self, mean: Float1D, cov: Float2D) -> Float1D:
        """Stack given moments."""
        below: Float1D = cov[vech(len(cov))]
        return np.concatenate([mean, below]) if self.means else below

    def jacobian(self, theta: Float1D) -> Float2D:
        """Their derivatives by theta, shape (k, n_free)."""
        by_theta = slopes(self.layout, filled(self.layout, theta))
        cov = by_theta.elements(*vech(len(by_theta.left)))
        return np.vstack([by_theta.mean, cov]) if self.means else cov


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalStack:
    """Moments of ordered and numeric variables.

    Attributes
    ----------
    layout
        The map from theta to the matrices of the group.
    own
        Positions, among the observed variables, of those whose moments are modelled;
        all but the predictors of a conditional model.
    given
        Rows of eta of these predictors.
    ordered
        Which of `own` are ordered.
    variable
        The variable (position in `own`) of each element of the first part.
    threshold
        Position in tau of each element of the first part; -1 for a mean.
    mediated
        Whether a residual variance that follows from the others explains variables.
    """

    layout: Layout
    own: Int1D
    given: Int1D
    ordered: Bool1D
    variable: Int1D
    threshold: Int1D
    mediated: bool

    @classmethod
    def of(cls, layout: Layout) -> OrdinalStack:
        """Arrange the moments of a group."""
        table = layout.table
        apart = table.exogenous if table.conditional else ()
        names = [n for n in table.observed if n not in apart]
        own = np.array([table.observed.index(n) for n in names], dtype=np.int_)
        given = [layout.eta.index(n) for n in apart]
        known = dict(table.categories)
        variable: list[int] = []
        threshold: list[int] = []
        used = 0
        for k, name in enumerate(names):
            cuts = known.get(name, 0) - 1
            variable += [k] * (cuts if name in known else 1)
            threshold += list(range(used, used + cuts)) if name in known else [-1]
            used += cuts if name in known else 0
        explained = {int(c) for c in layout.slots["Beta"].columns}
        explained |= set(np.flatnonzero(layout.held["Beta"].any(axis=0)).tolist())
        return cls(
            layout,
            own,
            np.array(given, dtype=np.int_),
            np.array([n in known for n in names], dtype=bool),
            np.array(variable, dtype=np.int_),
            np.array(threshold, dtype=np.int_),
            not table.theta and any(k in explained for _, k in layout.ordered_eta),
        )

    @property
    def n_first(self) -> int:
        """Number of thresholds and means."""
        return len(self.variable)

    @property
    def n_slopes(self) -> int:
        """Number of slopes on predictors."""
        return len(self.own) * len(self.given)

    @property
    def correlations(self) -> slice:
        """Where the covariances below the diagonal stand."""
        start = self.n_first + self.n_slopes + int((~self.ordered).sum())
        return slice(start, start + len(self.own) * (len(self.own) - 1) // 2)

    @property
    def labels(self) -> tuple[Label, ...]:
        """What each moment is of: thresholds are numbered, slopes name a predictor."""
        table = self.layout.table
        names = [table.observed[i] for i in self.own]
        found: list[Label] = []
        count: dict[int, int] = {}
        for k, cut in zip(self.variable.tolist(), self.threshold, strict=True):
            count[k] = count.get(k, 0) + 1
            found.append((names[k], f"|t{count[k]}" if cut >= 0 else ""))
        given = [self.layout.eta[k] for k in self.given]
        found += [(a, f"~{x}") for a in names for x in given]
        pairs = zip(names, self.ordered, strict=True)
        found += [(n, n) for n, ordered in pairs if not ordered]
        r, c = vech_below(len(names))
        found += [_pair(names[i], names[j]) for i, j in zip(r, c, strict=True)]
        return tuple(found)

    @property
    def size(self) -> int:
        """Number of moments."""
        return int(self.correlations.stop)

    def vector(self, theta: Float1D) -> Float1D:
        """Implied moments, shape (k,)."""
        m = filled(self.layout, theta)
        found = implied(m)
        delta = m.delta[self.own]
        mean, cov = found.mean[self.own], found.cov[np.ix_(self.own, self.own)]
        total, _ = total_effects(m)
        first = mean[self.variable]
        cut = self.threshold >= 0
        first = np.where(cut, 0.0, first)
        tau = m.tau[self.threshold[cut]]
        of = self.variable[cut]
        first[cut] = (tau - mean[of]) * delta[of]
        by_given = (total[np.ix_(self.own, self.given)] * delta[:, None]).ravel()
        scaled = cov * np.outer(delta, delta)
        return np.concatenate(
            [
                first,
                by_given,
                np.diag(cov)[~self.ordered],
                scaled[vech_below(len(cov))],
            ]
        )

    def jacobian(self, theta: Float1D) -> Float2D:
        """Their derivatives by theta, shape (k, n_free)."""
        if self.mediated:
            return complex_jacobian(self.vector, theta)
        m = filled(self.layout, theta)
        found = implied(m)
        by_theta = slopes(self.layout, m)
        delta = m.delta[self.own]
        by_delta = self._by_delta(m, found.cov, by_theta)[self.own]
        return np.vstack(
            [
                self._first(m, found.mean, by_theta, by_delta),
                self._by_given(m, delta, by_delta),
                self._numeric(by_theta),
                self._below(found.cov, by_theta, delta, by_delta),
            ]
        )

    def _by_delta(self, m: Matrices, cov: Float2D, by_theta: Slopes) -> Float2D:
        """Derive the scaling factors, shape (p, n_free)."""
        layout = self.layout
        found = np.zeros((len(cov), layout.n_free), dtype=m.delta.dtype)
        if layout.table.theta:
            i = layout.ordered
            variance = by_theta.elements(i, i)
            found[i] = -0.5 * (m.delta[i] ** 3)[:, None] * variance
            return found
        s = layout.slots["delta"]
        found[s.rows, s.positions] = 1.0
        return found

    def _first(
        self, m: Matrices, mean: Float1D, by_theta: Slopes, by_delta: Float2D
    ) -> Float2D:
        by_mean = by_theta.mean[self.own][self.variable]
        cut = self.threshold >= 0
        of, at = self.variable[cut], self.threshold[cut]
        by_tau = np.zeros((len(m.tau), by_mean.shape[1]), dtype=by_mean.dtype)
        s = self.layout.slots["tau"]
        by_tau[s.rows, s.positions] = 1.0
        delta, own_mean = m.delta[self.own][of], mean[self.own][of]
        found = by_mean.copy()
        found[cut] = (by_tau[at] - by_mean[cut]) * delta[:, None]
        found[cut] += (m.tau[at] - own_mean)[:, None] * by_delta[of]
        return found

    def _by_given(self, m: Matrices, delta: Float1D, by_delta: Float2D) -> Float2D:
        total, inverse = total_effects(m)
        p, x, q = len(self.own), len(self.given), by_delta.shape[1]
        found = np.zeros((p, x, q), dtype=by_delta.dtype)
        if not x:
            return found.reshape(0, q)
        unit = np.eye(len(total))
        for name, outer in (("Lambda", unit), ("Beta", total)):
            s = self.layout.slots[name]  # type: ignore[index]
            through = inverse[np.ix_(s.columns, self.given)]
            left = outer[np.ix_(self.own, s.rows)]
            found[:, :, s.positions] = np.einsum("ik,kx->ixk", left, through)
        slope = total[np.ix_(self.own, self.given)]
        found = found * delta[:, None, None]
        found += slope[:, :, None] * by_delta[:, None, :]
        return found.reshape(p * x, q)

    def _numeric(self, by_theta: Slopes) -> Float2D:
        i = self.own[~self.ordered]
        return by_theta.elements(i, i)

    def _below(
        self, cov: Float2D, by_theta: Slopes, delta: Float1D, by_delta: Float2D
    ) -> Float2D:
        r, c = vech_below(len(self.own))
        found = by_theta.elements(self.own[r], self.own[c])
        found = found * (delta[r] * delta[c])[:, None]
        if by_delta.any():
            elements = cov[self.own[r], self.own[c]][:, None]
            turned = delta[r][:, None] * by_delta[c] + delta[c][:, None] * by_delta[r]
            found = found + elements * turned
        return found


def _pair(a: str, b: str) -> Label:
    return (a, b) if a <= b else (b, a)


def stack_of(layout: Layout) -> NumericStack | OrdinalStack:
    """Choose the stack that suits the variables of a model."""
    if layout.table.categories:
        return OrdinalStack.of(layout)
    return NumericStack(layout, layout.table.meanstructure)


def sample_vector(stack: NumericStack | OrdinalStack, moments: Moments) -> Float1D:
    """Sample moments in the order of a stack, shape (k,)."""
    if isinstance(stack, NumericStack):
        return stack.of(moments.mean, moments.cov)
    if moments.mixed is None:
        raise ValueError("moments without thresholds")
    return moments.mixed.moments
