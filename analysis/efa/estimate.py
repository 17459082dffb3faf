"""From answers to a rotated exploratory factor model."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from analysis.efa.answers import require_choice
from analysis.efa.correlation import pearson
from analysis.efa.extract import LOWEST_UNIQUENESS, Method, extract
from analysis.efa.fit import EfaFit
from analysis.efa.indices import efa_indices
from analysis.efa.rotate import Rotation, arrange, rotate, ss_loadings
from analysis.errors import AnalysisError
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.efa.correlation import Correlation, Missing
    from analysis.efa.extract import Extraction
    from analysis.efa.rotate import Rotated

# Below five people an item, loadings of ordinary items are hardly stable.
PEOPLE_PER_ITEM = 5
# Factors that correlate higher than this are hardly two.
SAME_FACTOR = 0.90


def efa(
    items: pd.DataFrame,
    n_factors: int,
    *,
    method: Method = "pa",
    rotation: Rotation = "oblimin",
    missing: Missing = "listwise",
    factor_labels: Sequence[str] | None = None,
    kaiser: bool | None = None,
    rotation_starts: int = 5,
    seed: int = 0,
) -> EfaFit:
    """Explore the factors behind items, on Pearson correlations.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA.
    n_factors
        Number of factors.
    method
        ``"pa"`` (iterated principal axis), ``"ml"`` or ``"minres"``.
    rotation
        ``"oblimin"`` (gamma = 0) and ``"promax"`` let factors correlate;
        ``"varimax"``, ``"quartimax"``, ``"none"`` do not.
    missing
        ``"listwise"`` keeps respondents with every answer. ``"pairwise"`` correlates
        each pair from all who answered both; chi-square and RMSEA then take everyone
        with two answers or more as n.
    factor_labels
        Names of the factors in their order here; F1, F2, ... otherwise.
    kaiser
        Whether items get unit length for the rotation; by default as psych does
        (varimax and promax: yes).
    rotation_starts
        Starts of the rotation, the best is kept; 1 gives R's single start.
    seed
        Seed of the random starts.

    Returns
    -------
    EfaFit
        Factors ordered by variance explained, loadings summing positive. Heywood
        cases, thin data and rotations with several optima are in its `warnings`.

    Raises
    ------
    TooFewError
        If there are not more complete respondents than items.
    NotIdentifiedError
        If there are too many factors for the items.
    ConvergenceError
        If extraction or rotation finds no solution.
    AnalysisError
        If an item is not numeric, unanswered or constant, or items repeat others.

    Notes
    -----
    Same as ``psych::fa(x, k, fm = method, rotate = rotation, min.err = 1e-10,
    max.iter = 5000)`` and, for ml, ``factanal``: tests/reference/efa.R.
    """
    require_choice("method", method, get_args(Method), where="efa")
    require_choice("rotation", rotation, get_args(Rotation), where="efa")
    corr = pearson(items, missing=missing, where="efa")
    extraction = extract(corr.R, n_factors, method=method)
    rotated = rotate(
        extraction.loadings, rotation, kaiser=kaiser, starts=rotation_starts, seed=seed
    )
    names = _labels(n_factors, factor_labels)
    L, Phi = arrange(rotated.loadings, rotated.Phi)
    return EfaFit(
        pattern=pd.DataFrame(L, index=corr.names, columns=names),
        structure=pd.DataFrame(L @ Phi, index=corr.names, columns=names),
        phi=pd.DataFrame(Phi, index=names, columns=names),
        items=_item_table(L, extraction.uniqueness, corr.names, names),
        variance=_variance_table(L, Phi, names),
        correlation=pd.DataFrame(corr.R, index=corr.names, columns=corr.names),
        indices=efa_indices(corr.R, extraction, corr.n_obs),
        method=method,
        rotation=rotation,
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        optima=rotated.optima,
        warnings=warning_table(
            [
                *_heywood(extraction, corr.names),
                *_sample(corr, missing),
                *_rotation(rotated, Phi, rotation, names),
            ]
        ),
    )


def _labels(n_factors: int, labels: Sequence[str] | None) -> list[str]:
    if labels is None:
        return [f"F{number}" for number in range(1, n_factors + 1)]
    if len(set(labels)) != n_factors:
        raise AnalysisError(
            f"efa: factor_labels {list(labels)} do not name {n_factors} factors. "
            "Give one different label a factor."
        )
    return list(labels)


def _item_table(
    L: Float2D, uniqueness: Float1D, items: Sequence[str], factors: Sequence[str]
) -> pd.DataFrame:
    squares = L**2
    with np.errstate(invalid="ignore"):
        complexity = squares.sum(axis=1) ** 2 / (squares**2).sum(axis=1)
    return pd.DataFrame(
        {
            "communality": 1 - uniqueness,
            "uniqueness": uniqueness,
            "complexity": complexity,
            "factor": [factors[j] for j in np.abs(L).argmax(axis=1)],
        },
        index=pd.Index(items, name="item"),
    )


def _variance_table(L: Float2D, Phi: Float2D, factors: Sequence[str]) -> pd.DataFrame:
    ss = ss_loadings(L, Phi)
    return pd.DataFrame(
        {
            "ss_loadings": ss,
            "proportion": ss / len(L),
            "cumulative": ss.cumsum() / len(L),
        },
        index=pd.Index(factors, name="factor"),
    )


def _heywood(
    extraction: Extraction, names: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    for name, u in zip(names, extraction.uniqueness, strict=True):
        if u <= LOWEST_UNIQUENESS * (1 + 1e-6):
            yield (
                f"Heywood case: communality {1 - u:.3f}",
                f"item {name}",
                "Ask for fewer factors, or leave out an item nearly equal to it.",
            )


def _sample(corr: Correlation, missing: Missing) -> Iterator[tuple[str, str, str]]:
    p = len(corr.names)
    if corr.n_pair < PEOPLE_PER_ITEM * p:
        yield (
            f"{corr.n_pair} people for {p} items, fewer than {PEOPLE_PER_ITEM} an item",
            "sample",
            "Read loadings as a first look; collect more answers.",
        )
    if missing == "pairwise" and corr.n_pair < corr.n_obs:
        yield (
            f"correlations rest on {corr.n_pair} to {corr.n_obs} people",
            "missing answers",
            "Read chi-square and RMSEA as approximate, or use missing='listwise'.",
        )


def _rotation(
    rotated: Rotated, Phi: Float2D, rotation: Rotation, names: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    if rotated.optima > 1:
        taken = "not the one nearest" if rotated.improved else "the one nearest"
        yield (
            f"{rotated.optima} optima; the best is {taken} the unrotated axes",
            f"rotation {rotation}",
            "Compare rotation_starts=1 (R's single start), or ask for fewer factors.",
        )
    for i, j in np.argwhere(np.triu(np.abs(Phi), 1) > SAME_FACTOR):
        yield (
            f"factors correlate {Phi[i, j]:.2f}",
            f"{names[i]} and {names[j]}",
            "Ask for one factor fewer.",
        )
