"""What lavaan's ``cfa()`` and ``sem()`` add to the statements of a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING

from analysis.sem.partable.table import Parameter, ParameterTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.sem.syntax import ModelSyntax, Statement


@dataclass(frozen=True, slots=True)
class Options:
    """Defaults that differ between models.

    Attributes
    ----------
    std_lv
        Scale latent variables by a (residual) variance of 1, not by a first loading
        of 1.
    orthogonal
        Fix the covariances of latent variables to 0.
    meanstructure
        Model means; also so when the model states an intercept.
    fixed_x
        Hold the moments of observed predictors at their sample values.
    """

    std_lv: bool = False
    orthogonal: bool = False
    meanstructure: bool = False
    fixed_x: bool = True


def complete(model: ModelSyntax, options: Options) -> ParameterTable:
    """Complete a model to its parameter table.

    Added where the model is silent: residual variances (0 for the indicator of a
    one-indicator factor) and factor variances; covariances between latent predictors;
    residual covariances between variables that are only outcomes; the moments of
    observed predictors; intercepts, when means are modelled. The first loading of a
    factor is 1, unless it carries its own modifier or `Options.std_lv` is set.

    Notes
    -----
    Same rows as ``lavaan::lavaanify(model, auto = TRUE)`` with the settings of
    ``cfa()`` and ``sem()``, tests/reference/sem_tables.R.
    """
    roles = _Roles.of(model)
    silent = roles.silent_predictors(model)
    fixed_x = silent if options.fixed_x else ()
    means = options.meanstructure or any(s.op == "~1" for s in model.statements)
    stated = list(_stated(model, options))
    added = [
        *_variances(model, roles, options, silent),
        *_covariances(roles, options),
        *_predictors(silent, options),
    ]
    if means:
        added += _intercepts(roles, fixed_x)
    known = {_key(row) for row in stated}
    rows = [*stated, *(row for row in added if _key(row) not in known)]
    return ParameterTable(
        rows=tuple(_share_fixed(rows)),
        observed=roles.observed,
        latent=roles.latent,
        predictors=silent,
        exogenous=fixed_x,
        definitions=model.definitions,
        meanstructure=means,
    )


@dataclass(frozen=True, slots=True)
class _Roles:
    """Which variable does what in a model."""

    latent: tuple[str, ...]
    observed: tuple[str, ...]
    measured: frozenset[str]
    outcomes: frozenset[str]
    predictors: frozenset[str]

    @classmethod
    def of(cls, model: ModelSyntax) -> _Roles:
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


def _key(row: Parameter) -> tuple[str, str, str]:
    if row.op == "~~":
        a, b = sorted((row.lhs, row.rhs))
        return (a, "~~", b)
    return (row.lhs, row.op, row.rhs)


def _stated(model: ModelSyntax, options: Options) -> Iterator[Parameter]:
    scaled: set[str] = set()
    for s in model.statements:
        fixed = s.fixed
        if s.op == "=~" and s.lhs not in scaled:
            scaled.add(s.lhs)
            if fixed is None and not s.free and not options.std_lv:
                fixed = 1.0
        if options.std_lv and _is_scale(s, model) and fixed is None and not s.free:
            fixed = 1.0
        lhs, rhs = s.lhs, s.rhs
        if s.op == "~~" and rhs in model.latent and lhs not in model.latent:
            lhs, rhs = rhs, lhs
        yield Parameter(lhs, s.op, rhs, fixed, s.label, s.start, stated=True)


def _is_scale(s: Statement, model: ModelSyntax) -> bool:
    return s.op == "~~" and s.lhs == s.rhs and s.lhs in model.latent


def _variances(
    model: ModelSyntax, roles: _Roles, options: Options, silent: tuple[str, ...]
) -> Iterator[Parameter]:
    loadings = [s for s in model.statements if s.op == "=~"]
    items, factors = Counter(s.lhs for s in loadings), Counter(s.rhs for s in loadings)
    alone = {s.rhs for s in loadings if items[s.lhs] == 1 and factors[s.rhs] == 1}
    for name in roles.observed:
        if name not in silent:
            yield Parameter(name, "~~", name, 0.0 if name in alone else None)
    for name in roles.latent:
        scale = 1.0 if options.std_lv else None
        yield Parameter(name, "~~", name, 0.0 if name in alone else scale)


def _covariances(roles: _Roles, options: Options) -> Iterator[Parameter]:
    zero = 0.0 if options.orthogonal else None
    for a, b in combinations(roles.latent_predictors, 2):
        yield Parameter(a, "~~", b, zero)
    for a, b in combinations(roles.last_outcomes, 2):
        latent = a in roles.latent and b in roles.latent
        yield Parameter(a, "~~", b, zero if latent else None)


def _predictors(silent: tuple[str, ...], options: Options) -> Iterator[Parameter]:
    """Moments of observed predictors; those held at sample values wait for the data."""
    held = float("nan") if options.fixed_x else None
    for a, b in combinations_with_replacement(silent, 2):
        yield Parameter(a, "~~", b, held, exogenous=options.fixed_x)


def _intercepts(roles: _Roles, fixed_x: tuple[str, ...]) -> Iterator[Parameter]:
    for name in roles.observed:
        if name in fixed_x:
            yield Parameter(name, "~1", "", float("nan"), exogenous=True)
        else:
            yield Parameter(name, "~1", "")
    for name in roles.latent:
        yield Parameter(name, "~1", "", 0.0)


def _share_fixed(rows: Iterable[Parameter]) -> Iterator[Parameter]:
    """Fix every parameter whose label is that of a fixed one."""
    kept = list(rows)
    fixed = [r for r in reversed(kept) if r.label and r.fixed is not None]
    values = {r.label: r.fixed for r in fixed}
    for row in kept:
        if row.fixed is None and row.label in values:
            yield replace(row, fixed=values[row.label])
        else:
            yield row
