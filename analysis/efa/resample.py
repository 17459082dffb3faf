"""Factors of samples drawn again from the respondents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.answers import require_whole, varies
from analysis.correlations import correlation_matrix
from analysis.efa.extract import extract
from analysis.efa.nearby import rotate_near
from analysis.errors import AnalysisError, ConvergenceError

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.correlations import Correlation
    from analysis.efa.extract import Method
    from analysis.efa.rotations import Rotation

# With a larger share of draws that have no solution, the others say little.
MOST_FAILED: Final = 0.5
FEWEST_DRAWS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Redrawn:
    """Solutions of bootstrap samples, aligned with the solution of the sample.

    Attributes
    ----------
    L
        Patterns, shape (m, p, k).
    Phi
        Factor correlations, shape (m, k, k).
    failed
        Draws without a solution, left out.
    """

    L: Float2D
    Phi: Float2D
    failed: int


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """How the sample's solution was found.

    Attributes
    ----------
    method, rotation, kaiser
        As for `efa`.
    """

    method: Method
    rotation: Rotation
    kaiser: bool | None


def redraw(
    corr: Correlation,
    L: Float2D,
    uniqueness: Float1D,
    recipe: Recipe,
    *,
    draws: int,
    seed: int,
) -> Redrawn:
    """Draw respondents with replacement, extract and rotate anew, and align.

    Parameters
    ----------
    corr
        Correlations and answers of the sample.
    L, uniqueness
        Its solution, shapes (p, k) and (p,).
    recipe
        How it was found.
    draws
        Number of samples.
    seed
        Seed of the draws.

    Raises
    ------
    AnalysisError
        If there are no answers, too few draws, or most draws have no solution.

    Notes
    -----
    Each draw is rotated by the same criterion, from the position nearest to the
    sample's solution, so that its variability is that of the rotation too (Ichikawa and
    Konishi 1995); a Procrustes rotation would understate it.
    """
    require_whole("draws", draws, at_least=0, where="efa")
    if draws < FEWEST_DRAWS:
        raise AnalysisError(
            f"efa: draws={draws} are too few for standard errors. Ask for at least "
            f"{FEWEST_DRAWS}, 500 is usual."
        )
    if not len(corr.codes):
        raise AnalysisError(
            "efa: the bootstrap needs answers, but the correlations were given without "
            "them. Give the answers, or use se='analytic'."
        )
    rng = np.random.default_rng(seed)
    n = len(corr.codes)
    found = []
    for _ in range(draws):
        A = _again(
            corr, corr.codes[rng.integers(0, n, n)], L.shape[1], uniqueness, recipe
        )
        if A is not None:
            found.append(A)
    if len(found) < (1 - MOST_FAILED) * draws:
        raise AnalysisError(
            f"efa: {draws - len(found)} of {draws} bootstrap samples have no solution. "
            "Ask for fewer factors, or use method='minres'."
        )
    rotated, Phi, arrived = rotate_near(
        np.stack(found), L, recipe.rotation, kaiser=recipe.kaiser
    )
    failed = draws - int(arrived.sum())
    return Redrawn(rotated[arrived], Phi[arrived], failed)


def _again(
    corr: Correlation, x: Float2D, k: int, uniqueness: Float1D, recipe: Recipe
) -> Float2D | None:
    if not all(varies(x)):
        return None
    try:
        R = correlation_matrix(x, corr.kind)
        return extract(R, k, method=recipe.method, near=uniqueness).loadings
    except (ConvergenceError, np.linalg.LinAlgError):
        return None
