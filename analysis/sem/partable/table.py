"""Rows of the parameter table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.syntax import Definition, Operator


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes
    ----------
    lhs, op, rhs
        As in model syntax; `rhs` is empty for an intercept (``~1``).
    fixed
        Its value, or None when it is free.
    label
        Its label, or empty; parameters with one label are equal.
    start
        A start value the model states, or None.
    exogenous
        Whether it is a moment of observed predictors, held at its sample value.
    stated
        Whether the model states it, or it was added by default.
    group
        The group it belongs to, counted from 1.
    tie
        What `group_equal` makes it share with the same parameter of other groups;
        parameters with one tie are equal. Empty for none.
    derived
        Whether its value follows from others: the residual variance of an ordered
        variable (delta parameterisation) or its scaling factor (theta).
    lower, upper
        Bounds, or None.
    alias
        Its row in the table, ``.p2.``, where a constraint names it so.
    """

    lhs: str
    op: Operator
    rhs: str
    fixed: float | None = None
    label: str = ""
    start: float | None = None
    exogenous: bool = False
    stated: bool = False
    group: int = 1
    tie: str = ""
    derived: bool = False
    lower: float | None = None
    upper: float | None = None
    alias: str = ""

    def __str__(self) -> str:
        """Spell the parameter as in model syntax."""
        if self.op == "~1":
            return f"{self.lhs} ~ 1"
        return f"{self.lhs} {self.op} {self.rhs}"

    @property
    def is_variance(self) -> bool:
        """Whether it is a (residual) variance."""
        return self.op == "~~" and self.lhs == self.rhs

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about; the order of the two sides of ``~~`` does not count."""
        if self.op == "~~":
            a, b = sorted((self.lhs, self.rhs))
            return (a, "~~", b)
        return (self.lhs, self.op, self.rhs)


@dataclass(frozen=True, slots=True)
class ParameterTable:
    """All parameters of a model, in lavaan's order, group by group.

    Attributes
    ----------
    rows
        The parameters.
    observed
        Names of the observed variables: indicators first, predictors last.
    latent
        Names of the latent variables.
    predictors
        Names of observed predictors of whose moments the model says nothing.
    exogenous
        Those of them whose moments are held at sample values: all or none.
    definitions
        Parameters defined by ``:=``.
    meanstructure
        Whether means are modelled.
    groups
        Names of the groups; one empty name when there are none.
    categories
        Number of categories of each ordered variable.
    theta
        Whether ordered variables are scaled by their residual variances (theta
        parameterisation), not by scaling factors (delta).
    conditional
        Whether the moments are those given the exogenous predictors.
    """

    rows: tuple[Parameter, ...]
    observed: tuple[str, ...]
    latent: tuple[str, ...]
    predictors: tuple[str, ...] = ()
    exogenous: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    meanstructure: bool = False
    groups: tuple[str, ...] = ("",)
    categories: tuple[tuple[str, int], ...] = ()
    theta: bool = False
    conditional: bool = False

    @property
    def free(self) -> tuple[Parameter, ...]:
        """The parameters to estimate; their order is that of the vector theta."""
        return tuple(row for row in self.rows if row.fixed is None)

    @property
    def ordered(self) -> tuple[str, ...]:
        """Names of the ordered variables, in the order of `observed`."""
        known = dict(self.categories)
        return tuple(name for name in self.observed if name in known)

    @property
    def endogenous(self) -> tuple[str, ...]:
        """Variables explained by others: indicators and left-hand sides of ``~``."""
        explained = {r.rhs for r in self.rows if r.op == "=~"}
        explained |= {r.lhs for r in self.rows if r.op == "~"}
        return tuple(n for n in (*self.observed, *self.latent) if n in explained)

    def of_group(self, group: int) -> ParameterTable:
        """Keep the rows of one group, counted from 1."""
        return replace(self, rows=tuple(r for r in self.rows if r.group == group))

    def spell(self, row: Parameter) -> str:
        """Spell a parameter, with its group where there are several."""
        if len(self.groups) == 1:
            return str(row)
        return f"{row} ({self.groups[row.group - 1]})"

    def with_exogenous(
        self, moments: Sequence[tuple[Float2D, Float1D]]
    ) -> ParameterTable:
        """Hold the moments of observed predictors at their sample values.

        `moments` are covariances and means of each group, in the order of `observed`.
        """
        at = {name: k for k, name in enumerate(self.observed)}

        def held(row: Parameter) -> Parameter:
            if not row.exogenous:
                return row
            cov, mean = moments[row.group - 1]
            k = at[row.lhs]
            value = mean[k] if row.op == "~1" else cov[k, at[row.rhs]]
            return replace(row, fixed=float(value))

        return replace(self, rows=tuple(held(row) for row in self.rows))
