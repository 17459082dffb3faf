"""Which variable does what in a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.sem.syntax import ModelSyntax


@dataclass(frozen=True, slots=True)
class Roles:
    """Which variable does what in a model.

    Attributes
    ----------
    latent
        Latent variables.
    observed
        Observed variables: indicators, outcomes, predictors, others.
    measured
        What factors measure.
    outcomes, predictors
        Left and right sides of ``~``.
    """

    latent: tuple[str, ...]
    observed: tuple[str, ...]
    measured: frozenset[str]
    outcomes: frozenset[str]
    predictors: frozenset[str]

    @classmethod
    def of(cls, model: ModelSyntax) -> Roles:
        """Read the roles off the statements."""
        measured = {s.rhs for s in model.statements if s.op == "=~"}
        outcomes = {s.lhs for s in model.statements if s.op == "~"}
        predictors = {s.rhs for s in model.statements if s.op == "~"}

        def place(name: str) -> int:
            if name in measured:
                return 0
            if name in outcomes:
                return 1
            return 2 if name in predictors else 3

        return cls(
            latent=model.latent,
            observed=tuple(sorted(model.observed, key=place)),
            measured=frozenset(measured),
            outcomes=frozenset(outcomes),
            predictors=frozenset(predictors),
        )

    @property
    def observed_predictors(self) -> tuple[str, ...]:
        """Observed variables that predict and are explained by nothing."""
        explained = self.measured | self.outcomes
        return tuple(n for n in self.observed if n in self.predictors - explained)

    @property
    def latent_predictors(self) -> tuple[str, ...]:
        """Latent variables explained by nothing."""
        explained = self.measured | self.outcomes
        return tuple(n for n in self.latent if n not in explained)

    @property
    def last_outcomes(self) -> tuple[str, ...]:
        """Outcomes that neither predict nor measure anything; latent ones first."""
        last = self.outcomes - self.predictors - self.measured
        return tuple(n for n in (*self.latent, *self.observed) if n in last)

    def silent_predictors(self, model: ModelSyntax) -> tuple[str, ...]:
        """Observed predictors of whose moments the model says nothing."""
        spoken = {
            name
            for s in model.statements
            if s.op in {"~~", "~1"}
            for name in (s.lhs, s.rhs)
        }
        return tuple(n for n in self.observed_predictors if n not in spoken)
