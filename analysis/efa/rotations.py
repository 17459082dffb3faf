"""Rotations and their options, small frozen values checked when they are made.

What the peers do, where it differs (Kaiser: items get unit length for the rotation):

============  =========================  ============================================
rotation      here                       elsewhere
============  =========================  ============================================
oblimin       gamma 0, no Kaiser         GPArotation, psych: the same; SPSS: Kaiser
geomin        epsilon .01, no Kaiser     GPArotation, psych: the same; lavaan: .001;
                                         Mplus: .0001, .001, .01 for 2, 3, 4 or more
promax        power 4, Kaiser for        psych ``"promax"`` and SPSS: the same;
              varimax and promax         ``stats::promax``, psych ``"Promax"``: Kaiser
                                         for varimax only (here ``kaiser=False``, as
                                         capitals do not count)
varimax       Kaiser                     ``stats::varimax``, psych, SPSS: the same
quartimax     no Kaiser                  GPArotation, psych: the same; SPSS: Kaiser
bifactor      bi-quartimin, orthogonal,  GPArotation ``bifactorT``, psych
              no Kaiser                  ``"bifactor"``: the same
target        oblique, no Kaiser         GPArotation ``pstQ``, psych ``"TargetQ"``
============  =========================  ============================================

R rotates once, from the unrotated axes; Mplus and lavaan from 30 random positions, and
so does `analysis.efa.rotate.rotate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    ClassVar,
    Final,
    Literal,
    Protocol,
    TypeAlias,
    get_args,
)

import numpy as np
import pandas as pd

from analysis.answers import require_choice
from analysis.efa import criteria
from analysis.errors import AnalysisError, NotIdentifiedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D

# Below, the logarithms of squared loadings rule and rounding decides.
SMALLEST_EPSILON: Final = 1e-8

Named: TypeAlias = Literal[
    "oblimin",
    "promax",
    "geomin",
    "varimax",
    "quartimax",
    "bifactor",
    "none",
]


class Criterion(Protocol):
    """A rotation that minimises a function of the loadings."""

    @property
    def name(self) -> str: ...
    @property
    def oblique(self) -> bool: ...
    def value_slope(self, L: Float2D) -> tuple[Float1D, Float2D]: ...


@dataclass(frozen=True, slots=True)
class Oblimin:
    """Correlated factors, few items with two large loadings.

    Attributes
    ----------
    gamma
        0 (quartimin) is usual; higher lets factors correlate more, below zero less.
        At most 0.8: beyond, solutions run away.
    """

    gamma: float = 0.0
    oblique: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse a gamma for which no best rotation exists."""
        if not -10 <= self.gamma <= 0.8:  # noqa: PLR2004
            raise AnalysisError(
                f"efa: Oblimin(gamma={self.gamma}) is not within -10 and 0.8; outside, "
                "factors fall together. Use 0 (quartimin)."
            )

    @property
    def name(self) -> str:
        """How results call it."""
        return f"oblimin (gamma {self.gamma:g})" if self.gamma else "oblimin"

    def value_slope(self, L: Float2D) -> tuple[Float1D, Float2D]:
        """Value and slope of the criterion."""
        return criteria.oblimin(L, self.gamma)


@dataclass(frozen=True, slots=True)
class Geomin:
    """In every row some loading near zero; finds complex patterns best.

    Attributes
    ----------
    epsilon
        Added to squared loadings; the smaller, the closer small loadings come to zero
        and the more optima there are.
    oblique
        Whether factors may correlate.
    """

    epsilon: float = 0.01
    oblique: bool = True

    def __post_init__(self) -> None:
        """Refuse an epsilon that is not a small positive number."""
        if not SMALLEST_EPSILON <= self.epsilon <= 1:
            raise AnalysisError(
                f"efa: Geomin(epsilon={self.epsilon}) is not between 1e-8 and 1. Use "
                "0.01, or 0.001 as lavaan does."
            )

    @property
    def name(self) -> str:
        """How results call it."""
        kind = "geomin" if self.oblique else "geomin, orthogonal"
        return f"{kind} (epsilon {self.epsilon:g})"

    def value_slope(self, L: Float2D) -> tuple[Float1D, Float2D]:
        """Value and slope of the criterion."""
        return criteria.geomin(L, self.epsilon)


@dataclass(frozen=True, slots=True)
class Promax:
    """Varimax, then an oblique fit to powers of its loadings; no criterion of its own.

    Attributes
    ----------
    power
        4 in psych, SPSS and ``stats::promax``.
    """

    power: float = 4.0

    def __post_init__(self) -> None:
        """Refuse a power that does not sharpen."""
        if not 1 < self.power <= 10:  # noqa: PLR2004
            raise AnalysisError(
                f"efa: Promax(power={self.power}) is not above 1 and at most 10. Use 4."
            )

    @property
    def name(self) -> str:
        """How results call it."""
        return "promax" if self.power == 4 else f"promax (power {self.power:g})"  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Varimax:
    """Uncorrelated factors, each with few large loadings."""

    name: ClassVar[str] = "varimax"
    oblique: ClassVar[bool] = False

    def value_slope(self, L: Float2D) -> tuple[Float1D, Float2D]:
        """Value and slope of the criterion."""
        return criteria.varimax(L)


@dataclass(frozen=True, slots=True)
class Quartimax:
    """Uncorrelated factors, items with few large loadings; tends to a general one."""

    name: ClassVar[str] = "quartimax"
    oblique: ClassVar[bool] = False

    def value_slope(self, L: Float2D) -> tuple[Float1D, Float2D]:
        """Value and slope of the criterion."""
        return criteria.quartimax(L)


@dataclass(frozen=True, slots=True)
class Bifactor:
    """One general factor, left alone, and group factors as simple as possible.

    Attributes
    ----------
    criterion
        What makes the group factors simple: ``"quartimin"`` (bi-quartimin) or
        ``"geomin"`` (bi-geomin).
    oblique
        Whether factors may correlate, the general one included (Jennrich and Bentler
        2012, Mplus); not by default (2011).
    epsilon
        Of ``"geomin"``.
    """

    criterion: Literal["quartimin", "geomin"] = "quartimin"
    oblique: bool = False
    epsilon: float = 0.01

    def __post_init__(self) -> None:
        """Refuse an unknown criterion."""
        known = ("quartimin", "geomin")
        require_choice("criterion", self.criterion, known, where="efa: Bifactor")
        Geomin(self.epsilon)

    @property
    def name(self) -> str:
        """How results call it."""
        part = f" (epsilon {self.epsilon:g})" if self.criterion == "geomin" else ""
        turned = "oblique" if self.oblique else "orthogonal"
        return f"bi-{self.criterion}{part}, {turned}"

    def value_slope(self, L: Float2D) -> tuple[Float1D, Float2D]:
        """Value and slope of the criterion."""
        groups = L[..., 1:]
        value, part = (
            criteria.oblimin(groups, 0.0)
            if self.criterion == "quartimin"
            else criteria.geomin(groups, self.epsilon)
        )
        slope = np.zeros_like(L)
        slope[..., 1:] = part
        return value, slope


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Loadings as close as possible to those one expects.

    Attributes
    ----------
    aim
        Expected loadings, items x factors; NaN where anything may come, usually zeros
        elsewhere. A table is brought to the order of the items, and its columns name
        the factors.
    oblique
        Whether factors may correlate.
    """

    aim: pd.DataFrame | Float2D
    oblique: bool = True

    @property
    def name(self) -> str:
        """How results call it."""
        return "target" if self.oblique else "target, orthogonal"

    @property
    def table(self) -> pd.DataFrame:
        """The target as a table of floats."""
        frame = pd.DataFrame(self.aim)
        try:
            return frame.astype(np.float64)
        except (TypeError, ValueError):
            raise AnalysisError(
                "efa: the target holds something that is not a number. Give expected "
                "loadings, NaN where none is expected."
            ) from None

    def for_items(self, names: Sequence[str], n_factors: int) -> Target:
        """Check the target against items and factors, and put it in their order.

        Raises
        ------
        AnalysisError
            If its shape, its item names or a value do not fit.
        NotIdentifiedError
            If it says too little to determine the rotation.
        """
        frame = self.table
        if frame.shape != (len(names), n_factors):
            raise AnalysisError(
                f"efa: the target has {frame.shape[0]} rows and {frame.shape[1]} "
                f"columns for {len(names)} items and {n_factors} factors. Give one row "
                "an item and one column a factor."
            )
        if isinstance(self.aim, pd.DataFrame):
            frame = _reordered(frame, names)
        aim = frame.to_numpy()
        if np.isinf(aim).any():
            raise AnalysisError(
                "efa: the target holds an infinite value. Give expected loadings, NaN "
                "where none is expected."
            )
        _require_enough(aim, oblique=self.oblique)
        return Target(frame, self.oblique)

    def signs(self, L: Float2D) -> Float1D:
        """Signs that turn factors of which only zeros are expected, shape (k,).

        Such a factor meets its target either way; its loadings shall sum positive.
        """
        free = np.nan_to_num(np.asarray(self.aim, dtype=np.float64)) == 0
        turn = free.all(axis=0) & (L.sum(axis=0) < 0)
        return np.where(turn, -1.0, 1.0)

    def value_slope(self, L: Float2D) -> tuple[Float1D, Float2D]:
        """Value and slope of the criterion."""
        aim = np.asarray(self.aim, dtype=np.float64)
        known = ~np.isnan(aim)
        return criteria.target(L, np.where(known, aim, 0.0), known.astype(np.float64))


def _reordered(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    given = [str(name) for name in frame.index]
    if list(frame.index) == list(range(len(frame))):
        return frame.set_axis(list(names), axis="index")
    if sorted(given) != sorted(names):
        strange = [name for name in given if name not in names]
        raise AnalysisError(
            f"efa: the target's rows are not the items (unknown: {strange}, missing: "
            f"{[name for name in names if name not in given]}). Name rows like items."
        )
    return frame.set_axis(given, axis="index").loc[list(names)]


def _require_enough(aim: Float2D, *, oblique: bool) -> None:
    k = aim.shape[1]
    specified = (~np.isnan(aim)).sum(axis=0)
    needed = k - 1
    few = bool((specified < needed).any()) if oblique else False
    if few or specified.sum() < k * (k - 1) / (1 if oblique else 2):
        raise NotIdentifiedError(
            f"efa: the target says {specified.tolist()} loadings of its {k} factors, "
            f"too few to fix the rotation. Give at least {needed} in each column, e.g. "
            "zeros for items that belong elsewhere."
        )


Rotation: TypeAlias = (
    Named | Oblimin | Promax | Geomin | Varimax | Quartimax | Bifactor | Target
)
Meant: TypeAlias = Criterion | Promax | None

_MEANT: Final[dict[str, Meant]] = {
    "oblimin": Oblimin(),
    "promax": Promax(),
    "geomin": Geomin(),
    "varimax": Varimax(),
    "quartimax": Quartimax(),
    "bifactor": Bifactor(),
    "none": None,
}


def meant(rotation: Rotation) -> Meant:
    """Options of a rotation given by name or as options; None for ``"none"``.

    Raises
    ------
    AnalysisError
        If there is no such rotation.
    """
    if not isinstance(rotation, str):
        return rotation
    require_choice("rotation", rotation, get_args(Named), where="efa")
    return _MEANT[rotation]


def weighted_by_default(rotation: Meant) -> bool:
    """Whether psych gives items unit length for this rotation."""
    return isinstance(rotation, Varimax | Promax)
