"""Blocks of statements that hold for one group, below ``group: name``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sem.syntax.statements import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.sem.syntax.source import Source
    from analysis.sem.syntax.statements import ModelSyntax
    from analysis.sem.syntax.tokens import Token

_REFUSED = {
    "level": "levels (multilevel models) are not offered. Fit one level with cluster=, "
    "whose standard errors allow for clusters",
    "class": "latent classes are not offered. Delete this header",
    "block": "blocks are those of groups. Write group: 1 here and fit with group=",
}


def header(source: Source, tokens: Sequence[Token]) -> Block | None:
    """Read ``group: name``; None when the tokens are no header.

    Raises
    ------
    ModelSyntaxError
        For headers of levels and classes, or one without a name.
    """
    kind = tokens[0].text.lower()
    if len(tokens) < 2 or tokens[1].text != ":":  # noqa: PLR2004
        return None
    if kind in _REFUSED:
        raise source.error(tokens[0].place, _REFUSED[kind])
    if kind != "group":
        return None
    if len(tokens) == 2:  # noqa: PLR2004
        raise source.error(
            tokens[1].place,
            "expected the name of a group after 'group:'. Write e.g. group: 1",
        )
    first, last = tokens[2].place, tokens[-1]
    line = source.text.split("\n")[first.line - 1]
    name = line[first.column : last.place.column + len(last.text)]
    return Block(name.strip("\"'"), tokens[0].place)


def check_blocks(model: ModelSyntax) -> None:
    """Refuse blocks that are not whole models of the same variables."""
    if not model.blocks:
        return
    names = [b.name for b in model.blocks]
    for k, block in enumerate(model.blocks):
        if block.name in names[:k]:
            raise model.source.error(
                block.place,
                f"group: {block.name} stands twice. Join the two blocks",
            )
    if early := [s for s in model.statements if s.block == 0]:
        raise model.source.error(
            early[0].place,
            f"this stands before the first header (group: {names[0]}) and so belongs "
            "to no group. Write it below every header",
        )
    every = {*model.latent, *model.observed}
    for k, block in enumerate(model.blocks):
        own = model.of_block(k + 1)
        lacking = sorted(every - {*own.latent, *own.observed})
        if lacking or set(own.latent) != set(model.latent):
            other = lacking or sorted(set(model.latent) - set(own.latent))
            raise model.source.error(
                block.place,
                f"the block of group {block.name!r} lacks {', '.join(other)}, which "
                "other blocks have. Give all groups the same variables, or fit them "
                "one by one",
            )
