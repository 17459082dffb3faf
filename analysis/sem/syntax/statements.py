"""What a model says: relations, definitions and constraints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analysis.sem.syntax.expressions import Expression
    from analysis.sem.syntax.source import Place, Source

Operator = Literal["=~", "~", "~~", "~1", "|", "~*~"]
Relation = Literal["==", "<", ">"]


@dataclass(frozen=True, slots=True)
class Modifier:
    """What is said of one parameter in one group.

    Attributes
    ----------
    fixed
        The value it is fixed to, or None.
    free
        Whether ``NA*`` frees it against a default.
    label
        Its label, or empty.
    start
        Its start value, or None.
    lower, upper
        Its bounds, or None.
    """

    fixed: float | None = None
    free: bool = False
    label: str = ""
    start: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation between two variables, e.g. ``visual =~ x1``.

    Attributes
    ----------
    lhs, op, rhs
        The relation; `rhs` is empty for an intercept (``~1``), and the name of a
        threshold (``t1``, ``t2``, …) for ``|``.
    place
        Where the right-hand variable stands.
    modifiers
        What is said of the parameter: once for all groups, or once a group.
    block
        Number of the ``group:`` block it stands in, from 1; 0 without blocks.
    """

    lhs: str
    op: Operator
    rhs: str
    place: Place
    modifiers: tuple[Modifier, ...] = (Modifier(),)
    block: int = 0

    def at(self, group: int) -> Modifier:
        """Say what holds for the parameter in a group, counted from 0."""
        return self.modifiers[group if len(self.modifiers) > 1 else 0]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels given, in the order of the groups."""
        return tuple(m.label for m in self.modifiers if m.label)

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about; the order of the two sides of ``~~`` does not count."""
        if self.op == "~~":
            return (*sorted((self.lhs, self.rhs)), "~~")  # type: ignore[return-value]
        if self.op == "=~":
            return (self.rhs, self.lhs, "~")
        return (self.lhs, self.rhs, self.op)


@dataclass(frozen=True, slots=True)
class Definition:
    """A defined parameter, ``name := expression``."""

    name: str
    expression: Expression
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint: ``left == right``, ``left < right`` or ``left > right``."""

    left: Expression
    right: Expression
    place: Place
    relation: Relation = "=="


@dataclass(frozen=True, slots=True)
class Block:
    """The header ``group: name`` of the statements of one group."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class ModelSyntax:
    """A parsed model; every statement knows its place in `source`.

    Attributes
    ----------
    source
        The text.
    statements
        What it says of parameters.
    definitions
        Defined parameters, each after those it rests on.
    constraints
        Equalities and inequalities.
    blocks
        Headers of blocks of groups, as they come; empty when all groups share the
        statements.
    """

    source: Source
    statements: tuple[Statement, ...]
    definitions: tuple[Definition, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    blocks: tuple[Block, ...] = ()

    def of_block(self, number: int) -> ModelSyntax:
        """Keep what one block says, counted from 1."""
        kept = tuple(s for s in self.statements if s.block == number)
        return replace(self, statements=kept, blocks=())

    @property
    def latent(self) -> tuple[str, ...]:
        """Names on the left of ``=~``."""
        return tuple(dict.fromkeys(s.lhs for s in self.statements if s.op == "=~"))

    @property
    def observed(self) -> tuple[str, ...]:
        """All other variables, in order of appearance."""
        mentioned = (
            n
            for s in self.statements
            for n in ((s.lhs,) if s.op == "|" else (s.lhs, s.rhs))
            if n
        )
        return tuple(dict.fromkeys(n for n in mentioned if n not in self.latent))

    def first_place(self, name: str) -> Place:
        """Find where a variable is first mentioned."""
        return next(s.place for s in self.statements if name in {s.lhs, s.rhs})
