"""A general factor behind correlated factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.efa.extract import LOWEST_UNIQUENESS, extract
from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D

# With two factors only their product of loadings is known.
IDENTIFIED = 3


@dataclass(frozen=True, slots=True, eq=False)
class SchmidLeiman:
    """Items explained by a general factor and what group factors add.

    Attributes
    ----------
    general
        Loadings on the general factor, shape (p,).
    groups
        Loadings on the group factors, freed of the general one, shape (p, k).
    second_order
        Loadings of the group factors on the general one, shape (k,).
    """

    general: Float1D
    groups: Float2D
    second_order: Float1D

    @property
    def communality(self) -> Float1D:
        """Variance of each item explained, shape (p,)."""
        explained: Float1D = self.general**2 + (self.groups**2).sum(axis=1)
        return explained


def schmid_leiman(pattern: Float2D, Phi: Float2D) -> SchmidLeiman:
    """Turn correlated factors into a general factor and orthogonal group factors.

    Parameters
    ----------
    pattern
        Pattern loadings, shape (p, k), k at least 2.
    Phi
        Factor correlations, shape (k, k).

    Raises
    ------
    AnalysisError
        If there is one factor, factors are not correlated, or one of them is the
        general factor itself.

    Notes
    -----
    Schmid and Leiman (1957). The second-order factor is extracted by minres; two
    factors do not identify it, and both load with the root of their correlation.
    Same as ``psych::schmid(R, k)``, for two factors ``option = "equal"``.
    """
    k = Phi.shape[0]
    if k < 2:  # noqa: PLR2004
        raise AnalysisError(
            f"schmid_leiman: {k} factor has no general one behind it. Ask for two "
            "factors or more, or for omega_total."
        )
    off = Phi[np.triu_indices(k, 1)]
    if np.abs(off).max() < 1e-8:  # noqa: PLR2004
        raise AnalysisError(
            "schmid_leiman: the factors do not correlate, so nothing is general. Use "
            "an oblique rotation, e.g. oblimin."
        )
    second = (
        _two(float(off[0]))
        if k < IDENTIFIED
        else extract(Phi, 1, method="minres").loadings[:, 0]
    )
    second = second if second.sum() >= 0 else -second
    if (largest := float(np.abs(second).max())) >= 1:
        raise AnalysisError(
            f"schmid_leiman: a group factor loads {largest:.3f} on the general one "
            "(Heywood case), so nothing is left of it. Ask for another number of "
            "factors, or fit a bifactor model."
        )
    return SchmidLeiman(
        general=pattern @ second,
        groups=pattern * np.sqrt(1 - second**2),
        second_order=second,
    )


def at_bound(second_order: Float1D) -> bool:
    """Tell whether a group factor is the general one (Heywood case)."""
    return bool((1 - second_order**2).min() <= LOWEST_UNIQUENESS * (1 + 1e-6))


def _two(r: float) -> Float1D:
    root = np.sqrt(abs(r))
    return np.array([root, root if r > 0 else -root])
