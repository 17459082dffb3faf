"""Whether a correlation matrix is one of real variables, and what to do if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from analysis.arrays import Float2D

#: An eigenvalue below this is zero but for rounding.
SINGULAR: Final = 1e-9
#: Smoothing raises eigenvalues below the first to the second.
LOW: Final = 1e-6
RAISED: Final = 1e-4
# Items with a smaller share in the weakest dimension have little to do with it.
_SHARE: Final = 0.05
_NAMED: Final = 6


def smallest_eigenvalue(R: Float2D) -> float:
    """Return the smallest eigenvalue."""
    return float(np.linalg.eigvalsh(R)[0])


def describe_weakest(R: Float2D, names: tuple[str, ...], smallest: float) -> str:
    """Give the smallest eigenvalue and the items that make up its dimension.

    The largest shares first, at most six.
    """
    share = np.linalg.eigh(R)[1][:, 0] ** 2
    order = np.argsort(-share)[:_NAMED]
    named = ", ".join(names[k] for k in order if share[k] >= _SHARE)
    return f"smallest eigenvalue {smallest:.4f}, mostly of {named}"


def smoothed(R: Float2D, *, low: float = LOW, raised: float = RAISED) -> Float2D:
    """Raise eigenvalues that are too small and restore the unit diagonal.

    Parameters
    ----------
    R
        Correlations, shape (p, p).
    low, raised
        Eigenvalues below `low` become `raised`; all are then scaled to sum to p.

    Notes
    -----
    Same as ``psych::cor.smooth(R, eig.tol = 1e-6)``; psych's own default leaves a
    smallest eigenvalue of 1e-10, from which partial correlations cannot be taken.
    """
    values, vectors = np.linalg.eigh(R)
    values = np.where(values < low, raised, values)
    values *= len(R) / values.sum()
    rebuilt = (vectors * values) @ vectors.T
    sd = np.sqrt(np.diag(rebuilt))
    found: Float2D = rebuilt / np.outer(sd, sd)
    np.fill_diagonal(found, 1.0)
    return (found + found.T) / 2


def smoothing_warning(
    R: Float2D, names: tuple[str, ...], smallest: float
) -> tuple[str, str, str]:
    """Say that correlations were moved: what, where, remedy."""
    return (
        "smoothed",
        describe_weakest(R, names, smallest),
        "Correlations were moved to be positive definite: report it.",
    )


def require_positive_definite(
    R: Float2D, names: tuple[str, ...], *, where: str
) -> None:
    """Refuse a correlation matrix with an eigenvalue that is zero or negative.

    Raises
    ------
    AnalysisError
        Naming the items that repeat each other.
    """
    values, vectors = np.linalg.eigh(R)
    if values[0] > SINGULAR:
        return
    if values[0] < -SINGULAR:
        raise AnalysisError(
            f"{where}: the pairwise correlations contradict each other "
            f"({describe_weakest(R, names, float(values[0]))}). Use "
            "missing='listwise', leave one of these items out, or smooth=True."
        )
    part = np.abs(vectors[:, 0])
    named = [n for n, weight in zip(names, part, strict=True) if weight > 1e-6]  # noqa: PLR2004
    raise AnalysisError(
        f"{where}: the correlation matrix is singular: each of the items {named} is "
        "determined by the others (identical answers, or a sum of other items). "
        "Leave one of them out."
    )
