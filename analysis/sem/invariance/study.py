"""What all steps of an invariance analysis share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.sem.estimate import fit_table

if TYPE_CHECKING:
    from analysis.arrays import Float2D
    from analysis.sem.data import Table
    from analysis.sem.estimators import Method
    from analysis.sem.fit import SemFit
    from analysis.sem.moments import Moments
    from analysis.sem.partable import Equal, Options


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A model, its data and how it is fitted.

    Attributes
    ----------
    model
        Measurement model in lavaan syntax.
    data
        The columns it needs.
    method
        How it is estimated.
    options
        Of the parameter table; what is equal differs from step to step.
    moments, gammas
        Sample moments and their asymptotic covariances, once a step has needed them.
    """

    model: str
    data: Table
    method: Method
    options: Options
    moments: tuple[Moments, ...] | None = None
    gammas: tuple[Float2D, ...] | None = None

    def step(self, equal: tuple[Equal, ...]) -> SemFit:
        """Fit the model with kinds of parameters equal."""
        options = replace(self.options, equal=equal)
        return fit_table(
            self.model,
            self.data,
            self.method,
            options,
            moments=self.moments,
            gammas=self.gammas,
        )

    def releasing(self, partial: tuple[str, ...]) -> Study:
        """Exempt further parameters from being equal."""
        every = (*self.options.partial, *partial)
        return replace(self, options=replace(self.options, partial=every))
