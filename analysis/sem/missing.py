"""Patterns of missing answers: likelihood and information of incomplete rows.

Rows with the same variables answered share the inverse of their covariance matrix, so
that means and scatter of each pattern say all. Patterns are worked through in batches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.errors import ConvergenceError
from analysis.sem.pairs import kronecker, vech

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D, Int1D

    Float3D = Float2D
    Bool2D = npt.NDArray[np.bool_]

#: Correlations with a smaller eigenvalue leave no digits for a factor to explain.
SINGULAR: Final = 1e-10
# Numbers in one batch of inverse matrices.
_BATCH: Final = 1_000_000
# Change of moments, in standard deviations, at which they are the maximum.
_SETTLED: Final = 1e-8
_ROUNDS: Final = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Which variables are answered together, and what was answered.

    Attributes
    ----------
    answered
        Which variables each pattern has, shape (n_patterns, p).
    n
        Number (or weight) of rows of each pattern, shape (n_patterns,).
    mean
        Means of each pattern, 0 where missing, shape (n_patterns, p).
    repeated
        Patterns with more than one row, shape (n_repeated,).
    scatter
        Sums of squares and products about their means, of the repeated patterns, shape
        (n_repeated, p, p).
    of_row
        The pattern of each row, shape (n_rows,).
    """

    answered: Bool2D
    n: Float1D
    mean: Float2D
    repeated: Int1D
    scatter: Float3D
    of_row: Int1D

    @classmethod
    def of(cls, x: Float2D, weights: Float1D | None = None) -> Patterns:
        """Collect the patterns of rows, shape (n_rows, p), NaN where missing."""
        seen = ~np.isnan(x)
        answered, of_row = np.unique(seen, axis=0, return_inverse=True)
        of_row = of_row.reshape(-1)
        w = np.ones(len(x)) if weights is None else weights
        count = len(answered)
        n = np.bincount(of_row, w, minlength=count).astype(np.float64)
        known = np.where(seen, x, 0.0)
        mean = np.zeros((count, x.shape[1]))
        np.add.at(mean, of_row, known * w[:, None])
        mean = mean / n[:, None]
        repeated = np.flatnonzero(np.bincount(of_row, minlength=count) > 1)
        scatter = np.zeros((len(repeated), x.shape[1], x.shape[1]))
        order = np.argsort(of_row, kind="stable")
        starts = np.searchsorted(of_row[order], repeated)
        ends = np.searchsorted(of_row[order], repeated, side="right")
        for k, (low, high) in enumerate(zip(starts, ends, strict=True)):
            rows = order[low:high]
            d = np.where(seen[rows], known[rows] - mean[repeated[k]], 0.0)
            scatter[k] = (d * w[rows, None]).T @ d
        return cls(answered.astype(bool), n, mean, repeated, scatter, of_row)

    @classmethod
    def complete(cls, n: float, mean: Float1D, cov: Float2D) -> Patterns:
        """Take the moments (divisor n) of complete rows for one pattern."""
        return cls(
            answered=np.ones((1, len(mean)), dtype=bool),
            n=np.array([n], dtype=np.float64),
            mean=mean[None],
            repeated=np.zeros(1, dtype=np.int_),
            scatter=n * cov[None],
            of_row=np.zeros(0, dtype=np.int_),
        )

    @property
    def total(self) -> float:
        """Number (or weight) of all rows."""
        return float(self.n.sum())

    @property
    def coverage(self) -> Float2D:
        """Number of rows that answer both of two variables, shape (p, p)."""
        seen = self.answered.astype(np.float64)
        found: Float2D = (seen * self.n[:, None]).T @ seen
        return found

    @property
    def n_moments(self) -> int:
        """Number of means and covariances."""
        p = self.answered.shape[1]
        return int(p + p * (p + 1) // 2)


class _Batch(NamedTuple):
    """Some patterns at given moments.

    `inverse` is that of the covariances of the answered variables, 0 elsewhere,
    `logdet` the logarithms of their determinants, 0 when not asked for;
    `distance` the means minus the expected ones; `scatter` about the pattern means, of
    the patterns `repeated` (positions in the batch).
    """

    here: slice
    n: Float1D
    inverse: Float3D
    logdet: Float1D
    distance: Float2D
    repeated: Int1D
    scatter: Float3D


def _batches(
    patterns: Patterns, mean: Float1D, cov: Float2D, *, logdets: bool = False
) -> Iterator[_Batch]:
    p = len(cov)
    size = max(_BATCH // (p * p), 1)
    unit = np.eye(p)
    for low in range(0, len(patterns.n), size):
        here = slice(low, low + size)
        seen = patterns.answered[here].astype(np.float64)
        both = seen[:, :, None] * seen[:, None, :]
        padded = both * cov + (1 - seen)[:, :, None] * unit
        logdet = np.linalg.slogdet(padded)[1] if logdets else np.zeros(len(seen))
        inverse = np.linalg.inv(padded) * both
        inside = (patterns.repeated >= low) & (patterns.repeated < low + size)
        yield _Batch(
            here,
            patterns.n[here],
            inverse,
            logdet,
            (patterns.mean[here] - mean) * seen,
            patterns.repeated[inside] - low,
            patterns.scatter[inside],
        )


def minus_two_logl(patterns: Patterns, mean: Float1D, cov: Float2D) -> float:
    """Minus two log-likelihood; infinite where `cov` is not positive definite."""
    try:
        np.linalg.cholesky(cov)
    except np.linalg.LinAlgError:
        return float("inf")
    total = float((patterns.answered.sum(axis=1) * patterns.n).sum()) * np.log(
        2 * np.pi
    )
    for b in _batches(patterns, mean, cov, logdets=True):
        mahalanobis = np.einsum("ci,cij,cj->c", b.distance, b.inverse, b.distance)
        total += float(b.n @ (b.logdet + mahalanobis))
        total += float((b.inverse[b.repeated] * b.scatter).sum())
    return float(total)


def saturated_moments(patterns: Patterns) -> tuple[Float1D, Float2D]:
    """Maximum-likelihood means and covariances of incomplete rows.

    Expectation-maximisation from the means and variances of the answers to each
    variable alone; ends early where the covariances become singular.

    Raises
    ------
    ConvergenceError
        If it does not settle.

    Notes
    -----
    Little & Rubin (2002), section 11.2; the numbers of
    ``lavInspect(fit, "sampstat")`` with ``missing = "ml"``.
    """
    centre, variance = available_moments(patterns)
    # About the means, not about zero, so that large values keep their digits.
    about = np.where(patterns.answered, patterns.mean - centre, 0.0)
    patterns = replace(patterns, mean=about)
    mean, cov = np.zeros_like(centre), np.diag(variance)
    sd = np.sqrt(variance)
    total = patterns.total
    for _ in range(_ROUNDS):
        first, second = _expected(patterns, mean, cov)
        new_mean = first / total
        new_cov = second / total - np.outer(new_mean, new_mean)
        change = max(
            float(np.abs((new_mean - mean) / sd).max()),
            float(np.abs((new_cov - cov) / np.outer(sd, sd)).max()),
        )
        mean, cov = new_mean, (new_cov + new_cov.T) / 2
        if change < _SETTLED or _singular(cov, sd):
            return centre + mean, cov
    raise ConvergenceError(
        f"data: means and covariances did not settle in {_ROUNDS} rounds; too few rows "
        "answer some variables together. Leave out variables with many gaps, or rows "
        "with few answers."
    )


def _singular(cov: Float2D, sd: Float1D) -> bool:
    """Whether variables determine each other, so that rows have no likelihood."""
    lowest: float = np.linalg.eigvalsh(cov / np.outer(sd, sd))[0]
    return lowest <= SINGULAR


def available_moments(patterns: Patterns) -> tuple[Float1D, Float1D]:
    """Means and variances (divisor n) of the answers to each variable, shape (p,)."""
    seen = patterns.answered.astype(np.float64) * patterns.n[:, None]
    n = seen.sum(axis=0)
    mean = (seen * patterns.mean).sum(axis=0) / n
    spread = (seen * (patterns.mean - mean) ** 2).sum(axis=0)
    spread = spread + np.einsum("cii->i", patterns.scatter)
    return mean, spread / n


def _expected(
    patterns: Patterns, mean: Float1D, cov: Float2D
) -> tuple[Float1D, Float2D]:
    """Sum answers and their products, missing answers replaced by what is expected."""
    first, second = np.zeros_like(mean), np.zeros_like(cov)
    information = np.zeros_like(cov)
    for b in _batches(patterns, mean, cov):
        regression = cov @ b.inverse
        predicted = mean + np.einsum("cij,cj->ci", regression, b.distance)
        first += b.n @ predicted
        second += (predicted * b.n[:, None]).T @ predicted
        information += np.einsum("c,cij->ij", b.n, b.inverse)
        own = regression[b.repeated]
        second += (own @ b.scatter @ own.swapaxes(1, 2)).sum(axis=0)
    return first, second + patterns.total * cov - cov @ information @ cov


def slope(patterns: Patterns, mean: Float1D, cov: Float2D) -> tuple[Float1D, Float2D]:
    """Derive minus two log-likelihood by means and by covariances.

    The second is a symmetric G with d = tr(G dSigma).
    """
    by_mean, by_cov = np.zeros_like(mean), np.zeros_like(cov)
    for b in _batches(patterns, mean, cov):
        w = np.einsum("cij,cj->ci", b.inverse, b.distance)
        by_mean = by_mean - 2 * (b.n @ w)
        by_cov = by_cov + np.einsum("c,cij->ij", b.n, b.inverse)
        by_cov = by_cov - (w * b.n[:, None]).T @ w
        own = b.inverse[b.repeated]
        by_cov = by_cov - (own @ b.scatter @ own).sum(axis=0)
    return by_mean, by_cov


def information(
    patterns: Patterns, mean: Float1D, cov: Float2D, *, observed: bool
) -> Float2D:
    """Information of one row about means and covariances (vech), summed over patterns.

    Parameters
    ----------
    observed
        Second derivatives at the answers given, not their expectation given which
        variables are answered.

    Returns
    -------
    ndarray
        Shape (p + p(p+1)/2,) squared; divided by the number of rows.
    """
    p = len(mean)
    rows, columns = vech(p)
    half = np.where(rows == columns, 0.5, 1.0)
    ns = len(rows)
    means = np.zeros((p, p))
    twice, mixed = np.zeros((ns, ns)), np.zeros((ns, ns))
    force = np.zeros((ns, p))
    for b in _batches(patterns, mean, cov):
        flat = b.inverse[:, rows, columns]
        means += np.einsum("c,cij->ij", b.n, b.inverse)
        twice += (flat * b.n[:, None]).T @ flat
        if observed:
            w = np.einsum("cij,cj->ci", b.inverse, b.distance)
            moved = w[:, rows] * w[:, columns] * b.n[:, None]
            own = b.inverse[b.repeated]
            moved[b.repeated] += (own @ b.scatter @ own)[:, rows, columns]
            mixed += flat.T @ moved
            force += flat.T @ (w * b.n[:, None])
    found = np.zeros((p + ns, p + ns))
    found[:p, :p] = means
    bend = kronecker(twice, p)
    if observed:
        found[p:, p:] = kronecker(mixed + mixed.T, p) / 2 - bend / 2
        cross = _cross(force, p) * half[:, None]
        found[p:, :p], found[:p, p:] = cross, cross.T
    else:
        found[p:, p:] = bend / 2
    return found / patterns.total


def _cross(force: Float2D, p: int) -> Float2D:
    """Sum over patterns of A[r, k] b[c] + A[c, k] b[r] for each vech cell (r, c)."""
    rows, columns = vech(p)
    at = np.zeros((p, p), dtype=np.int_)
    at[rows, columns] = at[columns, rows] = np.arange(len(rows))
    k = np.arange(p)
    first = force[at[rows[:, None], k], columns[:, None]]
    second = force[at[columns[:, None], k], rows[:, None]]
    found: Float2D = first + second
    return found


class Casewise(NamedTuple):
    """What the scores of rows are made of.

    Attributes
    ----------
    w
        Inverse covariances times the distance of each row from the means, 0 where
        missing, shape (n_rows, p).
    of_row
        The pattern of each row.
    """

    w: Float2D
    of_row: Int1D


def casewise(patterns: Patterns, x: Float2D, mean: Float1D, cov: Float2D) -> Casewise:
    """Standardise each row by its pattern."""
    w = np.zeros_like(x)
    distance = np.where(np.isnan(x), 0.0, x - mean)
    order = np.argsort(patterns.of_row, kind="stable")
    sorted_of = patterns.of_row[order]
    for b in _batches(patterns, mean, cov):
        low, high = b.here.start, min(b.here.stop, len(patterns.n))
        inside = order[
            np.searchsorted(sorted_of, low) : np.searchsorted(sorted_of, high)
        ]
        step = max(_BATCH // x.shape[1] ** 2, 1)
        for k in range(0, len(inside), step):
            rows = inside[k : k + step]
            own = b.inverse[patterns.of_row[rows] - low]
            w[rows] = np.einsum("nij,nj->ni", own, distance[rows])
    return Casewise(w, patterns.of_row)


def inverse_elements(
    patterns: Patterns, cov: Float2D, left: Float2D, right: Float2D
) -> Float2D:
    """u_k' A_c v_k for each pattern c and column k, shape (n_patterns, n_columns)."""
    zero = np.zeros(len(cov))
    found = [
        np.einsum("ik,cik->ck", left, b.inverse @ right)
        for b in _batches(patterns, zero, cov)
    ]
    return np.concatenate(found)


def inverse_pairs(
    patterns: Patterns, cov: Float2D, rows: Int1D, columns: Int1D
) -> Float2D:
    """A_c[i, j] for each pattern c and pair (i, j), shape (n_patterns, n_pairs)."""
    zero = np.zeros(len(cov))
    found = [b.inverse[:, rows, columns] for b in _batches(patterns, zero, cov)]
    return np.concatenate(found)
