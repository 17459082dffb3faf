"""Parameters defined by ``:=``, with standard errors by the delta method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.sem.partable.values import (
    as_complex,
    complex_jacobian,
    define,
    label_values,
)
from analysis.sem.standardize import estimates

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.matrices import Layout


@dataclass(frozen=True, slots=True, eq=False)
class Defined:
    """Parameters defined by ``:=``.

    Attributes
    ----------
    names
        Their names.
    values
        Estimates, shape (n_defined,).
    vcov
        Covariance matrix by the delta method, shape (n_defined, n_defined).
    """

    names: tuple[str, ...]
    values: Float1D
    vcov: Float2D


def defined(
    layouts: tuple[Layout, ...], theta: Float1D, covariance: Float2D
) -> Defined:
    """Compute defined parameters; labels of parameters that follow may be used, too."""
    table = layouts[0].table
    if not table.definitions:
        return Defined((), np.zeros(0), np.zeros((0, 0)))

    def values(at: Float1D) -> Float1D:
        return define(table, label_values(table, estimates(layouts, at)))

    slope = complex_jacobian(values, theta)
    return Defined(
        names=tuple(d.name for d in table.definitions),
        values=np.real(values(as_complex(theta))),
        vcov=slope @ covariance @ slope.T,
    )
