"""Which statements hold for which group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sem.syntax import near

if TYPE_CHECKING:
    from analysis.sem.syntax import ModelSyntax


def arranged(model: ModelSyntax, groups: tuple[str, ...]) -> tuple[ModelSyntax, ...]:
    """Give each group its statements, shape (n_groups,).

    A header names a group, or counts groups from 1 in the order of the data.

    Raises
    ------
    ModelSyntaxError
        If there is not one block for each group.
    """
    if not model.blocks:
        return (model,) * len(groups)
    first = model.blocks[0]
    if groups == ("",):
        raise model.source.error(
            first.place,
            "there are blocks for groups, but group= is not given. Name the column "
            "that tells groups apart, or delete the headers",
        )
    chosen: dict[str, int] = {}
    for k, block in enumerate(model.blocks):
        name = _group_of(block.name, groups)
        if name is None or name in chosen:
            fault = "is the block of no group" if name is None else "comes again"
            raise model.source.error(
                block.place,
                f"{block.name!r} {fault}.{near(block.name, groups)} The groups are "
                f"{', '.join(groups)}. Name each of them once, or count them from 1",
            )
        chosen[name] = k + 1
    if missing := [g for g in groups if g not in chosen]:
        raise model.source.error(
            first.place,
            f"there is no block for {', '.join(missing)}. Add one, below group: "
            f"{missing[0]}",
        )
    return tuple(model.of_block(chosen[g]) for g in groups)


def _group_of(name: str, groups: tuple[str, ...]) -> str | None:
    """Find the group a header means: by its name, or by its place."""
    if name in groups:
        return name
    if name.isdecimal() and 1 <= int(name) <= len(groups):
        return groups[int(name) - 1]
    return None
