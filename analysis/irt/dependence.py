"""Local dependence: what two items share beyond the trait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.irt.curves import expected_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.irt.coding import Coding
    from analysis.irt.curves import Item

#: Residuals that correlate beyond this are dependent (Chen & Thissen 1997).
LARGE: Final = 0.20


def q3_table(
    items: Sequence[Item], coding: Coding, theta: Float1D, names: Sequence[str]
) -> pd.DataFrame:
    """Correlate what the trait leaves unexplained, pair by pair.

    Parameters
    ----------
    items
        Parameters.
    coding
        Answers; a pair is compared in people who answered both.
    theta
        Expected a posteriori scores of the patterns, shape (n_patterns,).
    names
        Items.

    Returns
    -------
    DataFrame
        ``item_a item_b q3 above_mean large n``, largest first. `above_mean` is Q3 less
        the mean of all pairs, which stands below zero even where items are independent,
        about -1 / (n_items - 1); `large` if it passes .20 (Christensen et al. 2017).
        NaN where nobody answered both or a residual does not vary.

    Notes
    -----
    Yen (1984). Same as ``mirt::residuals(fit, type = "Q3")`` with EAP scores.
    """
    expected = np.column_stack([expected_answer(item, theta) for item in items])
    answered = coding.patterns >= 0
    # Turned items count the other way, so that Q3 does not depend on keying.
    keyed = np.sign([item.slope for item in items])
    residual = np.where(answered, (coding.patterns - expected) * keyed, 0.0)
    Q3, n = _pairwise(residual, answered, coding.counts)
    i, j = np.triu_indices(len(items), 1)
    q3 = Q3[i, j]
    above = q3 - np.nanmean(q3) if np.isfinite(q3).any() else q3
    table = pd.DataFrame(
        {
            "item_a": [names[int(a)] for a in i],
            "item_b": [names[int(b)] for b in j],
            "q3": q3,
            "above_mean": above,
            "large": above > LARGE,
            "n": n[i, j].round().astype(int),
        }
    )
    return table.sort_values("q3", ascending=False, ignore_index=True)


def _pairwise(x: Float2D, answered: Bool1D, counts: Float1D) -> tuple[Float2D, Float2D]:
    """Product-moment correlations of weighted rows, each pair where both are there."""
    there = answered.astype(np.float64)
    weighted = there * counts[:, None]
    n = weighted.T @ there
    total = (x * counts[:, None]).T @ there
    square = (x**2 * counts[:, None]).T @ there
    cross = (x * counts[:, None]).T @ x
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = square - total**2 / n
        covariance = cross - total * total.T / n
        R = covariance / np.sqrt(variance * variance.T)
    return R, n
