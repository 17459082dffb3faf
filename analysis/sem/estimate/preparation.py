"""From a model, data and options to what an estimation needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.errors import AnalysisError
from analysis.sem.data import Design, Table, read_table
from analysis.sem.estimators import Method, method
from analysis.sem.partable import Options, variables
from analysis.sem.syntax import near, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.sem.estimate.request import Request
    from analysis.sem.syntax import ModelSyntax

_ROBUST: Final = ("WLSM", "WLSMV", "WLSMVS", "ULSM", "ULSMV", "ULSMVS")
# More whole numbers than this are numbers unless they are declared ordered.
_FEW: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Data that have been read, and how to fit a model to them.

    Attributes
    ----------
    table
        The columns the model needs.
    method
        How it is estimated.
    options
        Of its parameter table.
    notes
        Rows of warnings about options: what, where, remedy.
    """

    table: Table
    method: Method
    options: Options
    notes: tuple[tuple[str, str, str], ...]


def prepare(model: str, data: pd.DataFrame, request: Request) -> Prepared:
    """Read the data of a model and settle how to fit it.

    Raises
    ------
    ModelSyntaxError, AnalysisError
        If the model cannot be read, the data do not fit it, or options do not go
        together.
    """
    parsed = parse(model)
    asked = request.spelt()
    _require_groups(asked)
    names = _ordered(parsed, data, asked)
    how = method(
        asked.estimator,
        ordered=bool(names),
        missing=asked.missing,
        information=asked.information,
        likelihood=asked.likelihood,
        dependent=asked.cluster is not None or asked.weights is not None,
    )
    design = Design(asked.group, asked.cluster, asked.weights)
    table = read_table(data, variables(parsed), parsed, ordered=names, design=design)
    if "thresholds" in asked.group_equal and not names:
        raise AnalysisError(
            "group_equal: 'thresholds' are those of ordered variables, and this model "
            "has none. Name them in ordered=, or take 'intercepts' for numeric ones."
        )
    fixed_x, given = _predictors(asked, how, ordered=bool(names))
    options = Options(
        std_lv=asked.std_lv,
        orthogonal=asked.orthogonal,
        meanstructure=_means(asked, how, table),
        fixed_x=fixed_x,
        groups=tuple(g.label for g in table.groups),
        equal=tuple(asked.group_equal),  # type: ignore[arg-type]
        partial=tuple(asked.group_partial),
        categories={n: len(k) for n, k in table.categories.items()},
        theta=asked.parameterization == "theta",
        conditional=given and bool(names),
    )
    notes = [*_notes(asked, options), *_block_notes(parsed, options)]
    notes += _ordered_predictors(parsed, asked)
    if asked.ordered is None and asked.estimator in _ROBUST and not names:
        notes += _unordered(parsed, data)
    return Prepared(table, how, options, tuple(notes))


def _require_groups(asked: Request) -> None:
    for what, value in (
        ("group_equal", asked.group_equal),
        ("group_partial", asked.group_partial),
    ):
        if value and asked.group is None:
            raise AnalysisError(
                f"{what}={list(value)!r}: there are no groups, because group= is not "
                "given. Name the column that tells groups apart, or leave it out."
            )
    if asked.group_partial and not asked.group_equal:
        raise AnalysisError(
            f"group_partial={list(asked.group_partial)!r}: nothing is equal that could "
            "be released. Say with group_equal= what is, e.g. ['loadings'], or leave "
            "it out."
        )


def _predictors(asked: Request, how: Method, *, ordered: bool) -> tuple[bool, bool]:
    """Whether moments of predictors are held, and whether they are given."""
    numeric = how.least_squares and not ordered
    if asked.fixed_x and numeric:
        raise AnalysisError(
            f"fixed_x=True does not go with estimator={how.name!r} of numeric "
            "variables, which needs the moments of predictors, too. Leave it out."
        )
    fixed = asked.fixed_x
    if fixed is None:
        fixed = not numeric and asked.conditional_x is not False
    if asked.conditional_x is None:
        return fixed, ordered and fixed
    return fixed, asked.conditional_x


def _notes(asked: Request, options: Options) -> Iterator[tuple[str, str, str]]:
    """Say which options do nothing, or something else than in another program."""
    if options.theta and not options.categories:
        yield (
            "option_without_effect",
            "parameterization='theta': there are no ordered variables",
            "Leave it out, or name ordered variables in ordered=",
        )
    kinds = asked.group_equal
    if "thresholds" in kinds and "intercepts" not in kinds:
        yield (
            "equal_thresholds",
            (
                "group_equal: thresholds without intercepts; intercepts of y* are free "
                "from the second group on (Wu & Estabrook 2016; lavaan 0.6-20)"
            ),
            (
                "lavaan 0.6-14 holds them at 0, frees the latent means instead and has "
                "more degrees of freedom: add 'intercepts' for its model"
            ),
        )


def _block_notes(
    model: ModelSyntax, options: Options
) -> Iterator[tuple[str, str, str]]:
    """Say where blocks of groups do something else than in lavaan 0.6-14."""
    names = [b.name for b in model.blocks]
    positions = [str(k + 1) for k in range(len(names))]
    if names and names not in ([*options.groups], positions):
        yield (
            "blocks_by_name",
            f"group: {', '.join(names)}; in the data {', '.join(options.groups)}",
            (
                "Each block goes to the group of its name; lavaan 0.6-14 takes blocks "
                "in the order of groups in the data, whatever their names"
            ),
        )
    if names and {"intercepts", "thresholds"} & {*options.equal}:
        yield (
            "blocks_with_equal_intercepts",
            f"group_equal: {', '.join(options.equal)}, with blocks of groups",
            (
                "Latent means are free from the second group on, as without blocks; "
                "lavaan 0.6-14 leaves them at 0 with blocks"
            ),
        )


def _means(asked: Request, how: Method, table: Table) -> bool:
    needed = how.missing in {"ml", "two_stage", "robust_two_stage"}
    clustered = table.groups[0].cluster is not None
    wanted = needed or clustered or len(table.groups) > 1 or bool(table.categories)
    if asked.meanstructure is None:
        return wanted
    if needed and not asked.meanstructure:
        raise AnalysisError(
            f"meanstructure=False does not go with missing={how.missing!r}, which "
            "estimates means. Leave it out."
        )
    return asked.meanstructure


def _ordered(model: ModelSyntax, data: pd.DataFrame, asked: Request) -> tuple[str, ...]:
    """Which variables of the model are ordered categories."""
    candidates = _candidates(model)
    if asked.ordered is True:
        return tuple(candidates)
    columns = [str(c) for c in data.columns] if isinstance(data, pd.DataFrame) else []
    named = _listed(asked.ordered or ())
    if stray := [n for n in named if n not in columns and n not in model.observed]:
        found = dict.fromkeys(near(n, columns) for n in stray)
        raise AnalysisError(
            f"ordered: {stray} are neither columns of the data nor variables of the "
            f"model.{''.join(found)} Correct the names."
        )
    if asked.ordered is None:
        named = [
            n for n in candidates if columns.count(n) == 1 and _is_ordered(data[n])
        ]
    if asked.ordered is None and asked.estimator in _ROBUST and not named:
        # Robust weighted least squares is asked for where answers are few and ordered.
        answers = [columns.count(n) == 1 and _is_scale(data[n]) for n in candidates]
        named = candidates if all(answers) else []
    return tuple(n for n in candidates if n in named)


def _candidates(model: ModelSyntax) -> list[str]:
    """Observed variables that others explain."""
    explained = {s.rhs for s in model.statements if s.op == "=~"}
    explained |= {s.lhs for s in model.statements if s.op == "~"}
    return [n for n in model.observed if n in explained]


def _unordered(
    model: ModelSyntax, data: pd.DataFrame
) -> Iterator[tuple[str, str, str]]:
    """Say why answers on a scale were taken as numbers after all."""
    candidates = _candidates(model)
    wide = [n for n in candidates if not _is_scale(data[n])]
    if len(wide) < len(candidates):
        yield (
            "taken_as_numbers",
            (
                f"all variables, because {', '.join(wide)} hold"
                f"{'s' if len(wide) == 1 else ''} more than {_FEW} different answers, "
                "or none that are whole numbers"
            ),
            "Name those that are ordered categories in ordered=, or say ordered=False",
        )


def _ordered_predictors(
    model: ModelSyntax, asked: Request
) -> Iterator[tuple[str, str, str]]:
    """Name variables that are declared ordered and only predict."""
    if asked.ordered is None or isinstance(asked.ordered, bool):
        return
    only = set(model.observed) - set(_candidates(model))
    if named := [n for n in _listed(asked.ordered) if n in only]:
        yield (
            "ordered_predictor",
            f"{', '.join(named)}: named in ordered=, but explained by nothing",
            (
                "As in lavaan its codes are taken as numbers; put 0/1 columns of its "
                "categories into the data where distances between codes mean nothing"
            ),
        )


def _listed(names: Sequence[str] | str) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _is_scale(column: pd.Series) -> bool:
    """Whether a column holds at most seven whole numbers."""
    if not pd.api.types.is_numeric_dtype(column):
        return False
    codes = column.dropna().unique()
    return len(codes) <= _FEW and all(float(code).is_integer() for code in codes)


def _is_ordered(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) and bool(column.cat.ordered)
