"""Which way items run: the first principal component as the vote of the majority."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D

# Fewest people behind a correlation; a pair with fewer counts as unrelated.
PAIR_ROWS = 3


def directions(x: Float2D) -> dict[str, Float1D]:
    """Tell how each item runs, by itself and by the vote of all.

    Parameters
    ----------
    x
        Item codes, shape (n, p), NaN where missing; every column varies.

    Returns
    -------
    dict
        ``r_drop``, correlation with the sum of the others as they are; ``loading`` on
        the first principal component, turned so that most items load positive;
        ``r_aligned``, correlation with the sum of the others, standardised and turned
        by the signs of `loading`. Each of shape (p,).
    """
    R = pd.DataFrame(x).corr(min_periods=PAIR_ROWS).fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(R, 1.0)
    values, vectors = np.linalg.eigh(R)
    loading = vectors[:, -1] * np.sqrt(values[-1])
    votes = np.sign(loading).sum() or loading.sum()
    loading = loading if votes >= 0 else -loading
    z = (x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0)
    return {
        "r_drop": _rest_correlations(x - np.nanmean(x, axis=0)),
        "loading": loading,
        "r_aligned": _rest_correlations(z * np.sign(loading)) * np.sign(loading),
    }


def _rest_correlations(centred: Float2D) -> Float1D:
    """Correlate each item with the sum of the others, gaps counted as the mean."""
    total = np.nansum(centred, axis=1)
    return np.array([_correlation(c, total - np.nan_to_num(c)) for c in centred.T])


def _correlation(column: Float1D, rest: Float1D) -> float:
    both = ~np.isnan(column)
    a, b = column[both] - column[both].mean(), rest[both] - rest[both].mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")
