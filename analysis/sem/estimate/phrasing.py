"""What a model says beside what it seems to say, as rows of warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.sem.estimate.sample import Row
    from analysis.sem.partable import Parameter, ParameterTable


def phrasing_rows(table: ParameterTable) -> Iterator[Row]:
    """Predictors cut off from others, labels on markers, factors of one item."""
    yield from _freed(table)
    yield from _marked(table)
    yield from _alone(table)


def _freed(table: ParameterTable) -> Iterator[Row]:
    """Predictors that a statement about their moments cuts off from the others."""
    named = {r.rhs for r in table.rows if r.op == "~"} & set(table.observed)
    predictors = [n for n in table.observed if n in named - set(table.endogenous)]
    pairs = [{r.lhs, r.rhs} for r in table.rows if r.op == "~~"]
    for name in predictors:
        if name in table.predictors:
            continue
        apart = [o for o in predictors if o != name and {name, o} not in pairs]
        if apart:
            yield (
                "predictor_freed",
                (
                    f"the model speaks of moments of {name}, so its covariance with "
                    f"{', '.join(apart)} is fixed to 0"
                ),
                (
                    f"State the covariances ({name} ~~ {apart[0]}), or leave the "
                    f"variance or mean of {name} out of the model"
                ),
            )


def _marked(table: ParameterTable) -> Iterator[Row]:
    """Labels on a marker loading that other parameters have, too."""
    first: dict[tuple[str, int], Parameter] = {}
    for row in table.rows:
        if row.op == "=~":
            first.setdefault((row.lhs, row.group), row)
    markers = [r for r in first.values() if r.label and r.fixed is not None]
    for label in dict.fromkeys(r.label for r in markers):
        marker = next(r for r in markers if r.label == label)
        others = [
            table.spell(r)
            for r in table.rows
            if r.label == label and first.get((r.lhs, r.group)) is not r
        ]
        if others:
            yield (
                "marker_label",
                (
                    f"{table.spell(marker)} is fixed at {marker.fixed:g} and labelled "
                    f"{label}, so that {', '.join(others)} is fixed, too"
                ),
                (
                    f"To estimate {label}, free the marker (NA*{marker.rhs}) and fix "
                    "the variance of its factor to 1"
                ),
            )


def _alone(table: ParameterTable) -> Iterator[Row]:
    """Factors of one item, which are taken to be measured without error."""
    loadings = [r for r in table.rows if r.op == "=~" and r.group == 1]
    for factor in table.latent:
        items = [r.rhs for r in loadings if r.lhs == factor]
        if len(items) == 1 and items[0] in table.observed:
            residual = [
                r
                for r in table.rows
                if r.is_variance and r.lhs == items[0] and not r.stated
            ]
            if residual and (residual[0].fixed == 0 or residual[0].derived):
                yield (
                    "one_item_factor",
                    f"{factor} =~ {items[0]}: it is taken to measure without error",
                    (
                        "One item cannot tell its own error: add items, or fix "
                        f"{items[0]} ~~ {items[0]} at (1 - reliability) of its variance"
                    ),
                )
