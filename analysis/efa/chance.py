"""Correlations and eigenvalues of items that have nothing in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

import numpy as np
from scipy.special import ndtri

from analysis.correlations import correlation_matrix
from analysis.errors import AnalysisError
from analysis.polychoric.tabled import tabled_pairs
from analysis.polychoric.tables import Coded, pair_counts, thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from analysis.arrays import Bool1D, Float2D
    from analysis.correlations import Correlation

Null: TypeAlias = Literal["normal", "permutation"]
Code = TypeVar("Code", bound=np.generic)
Eigenvalues: TypeAlias = Literal["principal", "factor"]

# Cells of one batch of permuted answers: 8 MB at a time.
BATCH_CELLS: Final = 1_000_000


def eigenvalues_of(R: Float2D, eigenvalues: Eigenvalues) -> Float2D:
    """Eigenvalues of each matrix of the stack, largest first, shape (draws, p).

    Of the matrices themselves, or with squared multiple correlations in the diagonal.
    """
    if eigenvalues == "factor":
        R = R.copy()
        p = R.shape[-1]
        R[:, range(p), range(p)] = 1 - 1 / np.diagonal(
            np.linalg.inv(R), axis1=1, axis2=2
        )
    ascending = np.linalg.eigvalsh(R).astype(np.float64)
    return ascending[:, ::-1]


def chance_correlations(
    corr: Correlation, null: Null, draws: int, rng: np.random.Generator
) -> Iterator[Float2D]:
    """Draw correlation matrices of unrelated items, shape (batch, p, p) each.

    Parameters
    ----------
    corr
        What the draws are compared with: its number of respondents, its answers and its
        kind of correlation.
    null
        ``"permutation"`` shuffles the answers of each item among those who answered it:
        who missed which item, and every distribution, stays. ``"normal"`` draws from
        independent normal variables; for polychoric correlations they are cut where the
        items are.
    draws
        How many in all.
    rng
        Source of the draws.

    Raises
    ------
    AnalysisError
        If answers are needed and there are none.
    """
    pearson = corr.kind == "pearson"
    if not len(corr.codes) and not (pearson and null == "normal"):
        raise AnalysisError(
            f"parallel_analysis: {null} draws of {corr.kind} correlations need the "
            "answers, but the correlations were given without. Give the answers, or "
            "Pearson correlations with null='normal'."
        )
    if pearson and null == "normal":
        return _wisharts(corr.n_obs, corr.n_items, draws, rng)
    if pearson and not np.isnan(corr.codes).any():
        return _shuffled_products(corr.codes, draws, rng)
    if corr.kind == "polychoric":
        return _polychorics(corr.codes, null, draws, rng)
    return _others(corr, null, draws, rng)


def _wisharts(
    n: int, p: int, draws: int, rng: np.random.Generator
) -> Iterator[Float2D]:
    """Correlations of n normal rows, from Bartlett's (1933) roots of their scatter."""
    batch = max(BATCH_CELLS // p**2, 1)
    for done in range(0, draws, batch):
        count = min(batch, draws - done)
        roots = np.tril(rng.standard_normal((count, p, p)), -1)
        freedom = n - 1 - np.arange(p)
        roots[:, range(p), range(p)] = np.sqrt(rng.chisquare(freedom, (count, p)))
        yield _unit_products(roots)


def _shuffled_products(
    x: Float2D, draws: int, rng: np.random.Generator
) -> Iterator[Float2D]:
    batch = max(BATCH_CELLS // x.size, 1)
    centred = x - x.mean(axis=0)
    for done in range(0, draws, batch):
        count = min(batch, draws - done)
        stacked = np.broadcast_to(centred, (count, *x.shape)).copy()
        yield _unit_products(rng.permuted(stacked, axis=1).swapaxes(1, 2))


def _unit_products(roots: Float2D) -> Float2D:
    """Correlations from roots of scatter matrices, items in rows."""
    unit = roots / np.sqrt((roots**2).sum(axis=2, keepdims=True))
    stack: Float2D = unit @ unit.swapaxes(1, 2)
    return stack


def _polychorics(
    x: Float2D, null: Null, draws: int, rng: np.random.Generator
) -> Iterator[Float2D]:
    """Polychoric correlations of shuffled or drawn codes.

    Shuffling leaves every distribution as it is, so thresholds are found once.
    """
    coded = Coded.of(x)
    counts = pair_counts(coded)
    cuts = thresholds(counts, coded.n_categories)
    p = x.shape[1]
    i, j = np.triu_indices(p, 1)
    R = np.eye(p)
    for _ in range(draws):
        if null == "permutation":
            codes = _shuffled(coded.codes, coded.codes != coded.missing, rng)
            tables = pair_counts(replace(coded, codes=codes))
            rho = tabled_pairs(tables, cuts, coded.n_categories, (i, j)).rho
            R[i, j] = R[j, i] = rho
            yield R[None].copy()
        else:
            drawn = np.where(np.isnan(x), np.nan, _cut(x, rng))
            yield correlation_matrix(drawn, "polychoric")[None]


def _shuffled(
    codes: npt.NDArray[Code], seen: Bool1D, rng: np.random.Generator
) -> npt.NDArray[Code]:
    """Shuffle each column among the rows that answered it."""
    if seen.all():
        whole: npt.NDArray[Code] = rng.permuted(codes, axis=0)
        return whole
    shuffled = codes.copy()
    for column, known in zip(shuffled.T, seen.T, strict=True):
        column[known] = rng.permutation(column[known])
    return shuffled


def _cut(x: Float2D, rng: np.random.Generator) -> Float2D:
    """Independent normal variables cut in the proportions of each column of x."""
    drawn = np.empty(x.shape)
    for at, column in enumerate(x.T):
        codes, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        cuts = ndtri(np.cumsum(counts)[:-1] / counts.sum())
        drawn[:, at] = codes[np.searchsorted(cuts, rng.standard_normal(len(x)))]
    return drawn


def _others(
    corr: Correlation, null: Null, draws: int, rng: np.random.Generator
) -> Iterator[Float2D]:
    """Spearman correlations, and Pearson's with missing answers."""
    seen = ~np.isnan(corr.codes)
    for _ in range(draws):
        if null == "permutation":
            drawn = _shuffled(corr.codes, seen, rng)
        else:
            drawn = np.where(seen, rng.standard_normal(seen.shape), np.nan)
        yield correlation_matrix(drawn, corr.kind)[None]
