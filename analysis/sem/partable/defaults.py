"""What lavaan's ``cfa()`` and ``sem()`` add to the statements of a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain, combinations, combinations_with_replacement
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError
from analysis.sem.partable.blocks import arranged
from analysis.sem.partable.constraints import name_rows
from analysis.sem.partable.groups import Equal, equate
from analysis.sem.partable.roles import Roles
from analysis.sem.partable.table import Parameter, ParameterTable
from analysis.sem.syntax import near

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
    groups
        Names of the groups, in their order.
    equal
        Kinds of parameters that are equal in all groups.
    partial
        Parameters exempt from `equal`, spelt as in model syntax.
    categories
        Number of categories of each ordered variable.
    theta
        Theta instead of delta parameterisation of ordered variables.
    conditional
        Model the moments of the others given the exogenous predictors.
    occasions
        Variables that are one variable at several occasions: its name, and the
        occasion, counted from 0. `equal` then holds across occasions, too, and
        residuals of one item may covary.
    """

    std_lv: bool = False
    orthogonal: bool = False
    meanstructure: bool = False
    fixed_x: bool = True
    groups: tuple[str, ...] = ("",)
    equal: tuple[Equal, ...] = ()
    partial: tuple[str, ...] = ()
    categories: Mapping[str, int] = field(default_factory=dict)
    theta: bool = False
    conditional: bool = False
    occasions: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def exempt(self) -> frozenset[str]:
        """The parameters of `partial`, spelt ``x3~1``, ``f=~x2``, ``x1|t2``."""
        spelt = ("".join(name.split()) for name in self.partial)
        return frozenset(n + "1" if n.endswith("~") else n for n in spelt)

    def later(self, name: str, group: int) -> bool:
        """Whether a variable belongs to another than the first group and occasion.

        There equal parameters set free what scales and places a variable.
        """
        return group > 0 or self.occasions.get(name, ("", 0))[1] > 0


def complete(model: ModelSyntax, options: Options) -> ParameterTable:
    """Complete a model to its parameter table.

    Added where the model is silent: residual variances (0 for the indicator of a
    one-indicator factor) and factor variances; covariances between latent predictors;
    residual covariances between variables that are only outcomes; the moments of
    observed predictors; intercepts, when means are modelled; thresholds and scaling
    factors of ordered variables. The first loading of a factor is 1, unless it carries
    its own modifier or `Options.std_lv` is set.

    Raises
    ------
    ModelSyntaxError
        If a statement gives another number of values than there are groups, or speaks
        of a threshold that does not exist.
    AnalysisError
        If `Options.partial` names a parameter that is not in the model.

    Notes
    -----
    Same rows as ``lavaan::lavaanify(model, auto = TRUE)`` with the settings of
    ``cfa()`` and ``sem()``, tests/reference/sem_tables.R.
    """
    models = arranged(model, options.groups)
    _check(model, options)
    roles = Roles.of(models[0])
    silent = roles.silent_predictors(models[0])
    _require_alike(model, models, silent)
    means = (
        options.meanstructure
        or bool(options.categories)
        or any(s.op in {"~1", "|"} for s in model.statements)
    )
    options = replace(options, meanstructure=means)
    rows = chain.from_iterable(
        _group_rows(own, Roles.of(own), options, silent, g)
        for g, own in enumerate(models)
    )
    tied = equate(
        tuple(_share_fixed(rows)), roles.latent, options.equal, options.occasions
    )
    return ParameterTable(
        rows=name_rows(_exempt(tied, options.exempt), model),
        observed=roles.observed,
        latent=roles.latent,
        predictors=silent,
        exogenous=silent if options.fixed_x else (),
        definitions=model.definitions,
        meanstructure=means,
        groups=options.groups,
        categories=tuple((n, int(k)) for n, k in options.categories.items()),
        theta=options.theta,
        conditional=options.conditional,
    )


def variables(model: ModelSyntax) -> tuple[str, ...]:
    """Name the observed variables: indicators first, predictors last."""
    return Roles.of(model).observed


def _check(model: ModelSyntax, options: Options) -> None:
    n = 1 if model.blocks else len(options.groups)
    for s in model.statements:
        if len(s.modifiers) not in {1, n}:
            raise model.source.error(
                s.place,
                f"{len(s.modifiers)} values are given for {n} group"
                f"{'s' if n > 1 else ''}. Give one value"
                f"{'' if model.blocks else ', or one a group'}",
            )
        if s.op in {"|", "~*~"} and s.lhs not in options.categories:
            raise model.source.error(
                s.place,
                f"{s.lhs!r} is not an ordered variable. Name it in ordered=, or leave "
                "the statement out",
            )
        if s.op == "|" and int(s.rhs[1:]) >= options.categories[s.lhs]:
            k = options.categories[s.lhs]
            raise model.source.error(
                s.place,
                f"{s.lhs!r} has {k} categories and so {k - 1} thresholds; {s.rhs} is "
                "none of them. Correct it",
            )


def _require_alike(
    model: ModelSyntax, models: tuple[ModelSyntax, ...], silent: tuple[str, ...]
) -> None:
    """Refuse blocks of groups that hold different predictors at sample values."""
    for own in models:
        found = Roles.of(own).silent_predictors(own)
        if odd := sorted({*found} ^ {*silent}):
            raise model.source.error(
                own.first_place(odd[0]),
                f"{', '.join(odd)} is only a predictor in one group, and more in "
                "another. State its variance (x ~~ x) in all groups, or fit them one "
                "by one",
            )


def _exempt(
    rows: tuple[Parameter, ...], wanted: frozenset[str]
) -> tuple[Parameter, ...]:
    """Release the parameters in `wanted` from their ties."""
    spelt = {r.lhs + r.op + r.rhs for r in rows} | {r.rhs + r.op + r.lhs for r in rows}
    if stray := sorted(wanted - spelt):
        meant = "".join(dict.fromkeys(near(name, spelt) for name in stray))
        raise AnalysisError(
            f"group_partial (partial of invariance): {stray} are not parameters of the "
            f"model.{meant} Spell them as in model syntax, e.g. 'f=~x2' or 'x3~1'."
        )
    return tuple(
        replace(r, tie="")
        if {r.lhs + r.op + r.rhs, r.rhs + r.op + r.lhs} & wanted
        else r
        for r in rows
    )


def _group_rows(
    model: ModelSyntax,
    roles: Roles,
    options: Options,
    silent: tuple[str, ...],
    group: int,
) -> Iterator[Parameter]:
    stated = list(_stated(model, options, group))
    added = [
        *_thresholds(roles, options),
        *_variances(model, roles, options, silent, group),
        *_covariances(roles, options),
        *_repeated(roles, options),
        *_predictors(silent, options),
        *_scalings(roles, options, group),
    ]
    if options.meanstructure:
        added += _intercepts(roles, silent, options, group)
    known = {row.key for row in stated}
    for row in (*stated, *(row for row in added if row.key not in known)):
        yield replace(row, group=group + 1)


def _stated(model: ModelSyntax, options: Options, group: int) -> Iterator[Parameter]:
    scaled: set[str] = set()
    for s in model.statements:
        m = s.at(group)
        fixed = m.fixed
        if s.op == "=~" and s.lhs not in scaled:
            scaled.add(s.lhs)
            if fixed is None and not m.free and not options.std_lv:
                fixed = 1.0
        if options.std_lv and _is_scale(s, model) and fixed is None and not m.free:
            fixed = 1.0
        lhs, rhs = s.lhs, s.rhs
        if _follows(s, options) and fixed is None:
            # What scales an ordered variable follows from the parameterisation.
            yield Parameter(*(lhs, s.op, rhs, 1.0, m.label), stated=True, derived=True)
            continue
        if s.op == "~~" and rhs in model.latent and lhs not in model.latent:
            lhs, rhs = rhs, lhs
        yield Parameter(
            *(lhs, s.op, rhs, fixed, m.label, m.start),
            stated=True,
            lower=m.lower,
            upper=m.upper,
        )


def _is_scale(s: Statement, model: ModelSyntax) -> bool:
    return s.op == "~~" and s.lhs == s.rhs and s.lhs in model.latent


def _follows(s: Statement, options: Options) -> bool:
    """Whether a stated residual variance (theta: scaling factor) is not a parameter."""
    if s.lhs not in options.categories or s.lhs != s.rhs:
        return False
    return s.op == ("~*~" if options.theta else "~~")


def _thresholds(roles: Roles, options: Options) -> Iterator[Parameter]:
    for name in roles.observed:
        for k in range(1, options.categories.get(name, 1)):
            yield Parameter(name, "|", f"t{k}")


def _variances(
    model: ModelSyntax,
    roles: Roles,
    options: Options,
    silent: tuple[str, ...],
    group: int,
) -> Iterator[Parameter]:
    loadings = [s for s in model.statements if s.op == "=~"]
    items, factors = Counter(s.lhs for s in loadings), Counter(s.rhs for s in loadings)
    alone = {s.rhs for s in loadings if items[s.lhs] == 1 and factors[s.rhs] == 1}
    for name in roles.observed:
        if name in options.categories:
            yield _ordered_variance(name, options, group)
        elif name not in silent:
            yield Parameter(name, "~~", name, 0.0 if name in alone else None)
    for name in roles.latent:
        released = options.later(name, group) and "loadings" in options.equal
        scale = 1.0 if options.std_lv and not released else None
        own = [s.rhs for s in loadings if s.lhs == name]
        if len(own) == 1 and own[0] in options.categories and not options.theta:
            # All of the variance of y*, which is 1, is that of the factor.
            scale = 1.0
        yield Parameter(name, "~~", name, 0.0 if name in alone else scale)


def _ordered_variance(name: str, options: Options, group: int) -> Parameter:
    if not options.theta:
        return Parameter(name, "~~", name, 1.0, derived=True)
    released = "residuals" not in options.equal or f"{name}~~{name}" in options.exempt
    free = _rescaled(name, options, group) and released
    return Parameter(name, "~~", name, None if free else 1.0)


def _rescaled(name: str, options: Options, group: int) -> bool:
    """Whether equal thresholds set free the scale of a variable in a group.

    Two equal thresholds tell location and scale; one, as of a binary variable, tells
    location only.
    """
    return _equal_cuts(name, options, group) > 1


def _equal_cuts(name: str, options: Options, group: int) -> int:
    """Count the thresholds of a variable that are those of the first group."""
    if not (options.later(name, group) and "thresholds" in options.equal):
        return 0
    cuts = range(1, options.categories[name])
    return sum(f"{name}|t{k}" not in options.exempt for k in cuts)


def _scalings(roles: Roles, options: Options, group: int) -> Iterator[Parameter]:
    for name in roles.observed:
        if name not in options.categories:
            continue
        if options.theta:
            yield Parameter(name, "~*~", name, 1.0, derived=True)
        else:
            free = _rescaled(name, options, group)
            yield Parameter(name, "~*~", name, None if free else 1.0)


def _covariances(roles: Roles, options: Options) -> Iterator[Parameter]:
    zero = 0.0 if options.orthogonal else None
    for a, b in combinations(roles.latent_predictors, 2):
        yield Parameter(a, "~~", b, zero)
    for a, b in combinations(roles.last_outcomes, 2):
        latent = a in roles.latent and b in roles.latent
        yield Parameter(a, "~~", b, zero if latent else None)


def _repeated(roles: Roles, options: Options) -> Iterator[Parameter]:
    """Residual covariances of one item with itself at other occasions."""
    known = options.occasions
    for a, b in combinations([n for n in roles.observed if n in known], 2):
        if known[a][0] == known[b][0]:
            yield Parameter(a, "~~", b)


def _predictors(silent: tuple[str, ...], options: Options) -> Iterator[Parameter]:
    """Moments of observed predictors; those held at sample values wait for the data."""
    held = float("nan") if options.fixed_x else None
    for a, b in combinations_with_replacement(silent, 2):
        yield Parameter(a, "~~", b, held, exogenous=options.fixed_x)


def _intercepts(
    roles: Roles, silent: tuple[str, ...], options: Options, group: int
) -> Iterator[Parameter]:
    fixed_x = silent if options.fixed_x else ()
    released = "intercepts" in options.equal
    for name in roles.observed:
        if name in fixed_x:
            yield Parameter(name, "~1", "", float("nan"), exogenous=True)
        elif name in options.categories:
            open_ = not released or f"{name}~1" in options.exempt
            free = _equal_cuts(name, options, group) > 0 and open_
            yield Parameter(name, "~1", "", None if free else 0.0)
        else:
            yield Parameter(name, "~1", "")
    for name in roles.latent:
        free = released and options.later(name, group) and "means" not in options.equal
        yield Parameter(name, "~1", "", None if free else 0.0)


def _share_fixed(rows: Iterable[Parameter]) -> Iterator[Parameter]:
    """Fix every parameter whose label is that of a fixed one."""
    kept = list(rows)
    held = [r for r in kept if r.fixed is not None and not r.derived]
    fixed = [r for r in reversed(held) if r.label]
    values = {r.label: r.fixed for r in fixed}
    for row in kept:
        if row.fixed is None and row.label in values:
            yield replace(row, fixed=values[row.label])
        else:
            yield row
