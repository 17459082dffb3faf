"""Indices of a general factor beside group factors, from loadings alone.

Loadings and variances are those of one metric throughout: of the raw codes for the
reliability of their sum, standardised for shares of variance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D


def omega_parts(
    general: Float1D, groups: Float2D, total: Float2D, of: Bool1D
) -> tuple[float, float, float]:
    r"""Shares of the variance of a sum of items: all factors, general, one group.

    Parameters
    ----------
    general
        Loadings on the general factor, whose variance is 1, shape (p,).
    groups
        Loadings on the group factors to count, shape (p, k); they are orthogonal to
        each other and to the general factor.
    total
        Covariances of the items, shape (p, p).
    of
        The items in the sum, shape (p,).

    Returns
    -------
    tuple
        omega (total), omega_h and the share of the group factors; the first is the
        sum of the others.

    Notes
    -----
    Rodriguez, Reise and Haviland (2016), eqs. 1 to 6: omega_h =
    :math:`(\sum\lambda_g)^2 / V`, omega_hs :math:`= (\sum_s\lambda_s)^2 / V_s`.
    """
    variance = float(total[np.ix_(of, of)].sum())
    g = float(general[of].sum() ** 2 / variance)
    s = float((groups[of].sum(axis=0) ** 2).sum() / variance)
    return g + s, g, s


def explained_common_variance(general: Float1D, groups: Float2D) -> float:
    """Share of the common variance that is general, ECV.

    `general` (p,) and `groups` (p, k) are standardised loadings. Sijtsma (2009); Reise
    (2012). Same as ``psych::omega()$ECV``.
    """
    g, s = float((general**2).sum()), float((groups**2).sum())
    return g / (g + s)


def item_explained_common_variance(general: Float1D, groups: Float2D) -> Float1D:
    """ECV of each item, shape (p,); NaN for an item that no factor explains."""
    with np.errstate(invalid="ignore"):
        shares: Float1D = general**2 / (general**2 + (groups**2).sum(axis=1))
    return shares


def uncontaminated_correlations(member: Bool1D) -> float:
    """Share of the correlations that only the general factor explains, PUC.

    Parameters
    ----------
    member
        Whether items belong to group factors, shape (p, k).

    Notes
    -----
    Bonifay, Reise, Scheines and Meijer (2015): pairs of items without a common group
    factor over all pairs.
    """
    together = member.astype(np.float64) @ member.T.astype(np.float64) > 0
    pairs = np.triu_indices(len(member), 1)
    return float(1 - together[pairs].mean())


def construct_replicability(loadings: Float1D) -> float:
    r"""Reliability of the best weighted sum of a factor's items, H.

    `loadings` are standardised and of one factor, shape (p,).

    Notes
    -----
    Hancock and Mueller (2001): :math:`H = 1 / (1 + 1/\sum(\lambda^2/(1 - \lambda^2)))`.

    Raises
    ------
    AnalysisError
        If a loading is 1 or more: the index does not exist.
    """
    squares = loadings**2
    if squares.max(initial=0.0) >= 1:
        raise AnalysisError(
            f"construct_replicability: a loading is {np.abs(loadings).max():.3f}. The "
            "solution is improper: leave the item out."
        )
    information = float((squares / (1 - squares)).sum())
    return information / (1 + information)
