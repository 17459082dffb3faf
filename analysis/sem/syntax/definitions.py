"""The order of defined parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sem.syntax.circles import circles
from analysis.sem.syntax.expressions import names
from analysis.sem.syntax.statements import Definition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.sem.syntax.source import Source


def in_order(
    source: Source, definitions: Sequence[Definition]
) -> tuple[Definition, ...]:
    """Put each definition after those that it names.

    Raises
    ------
    ModelSyntaxError
        If definitions rest on each other in a circle.
    """
    known = {d.name for d in definitions}
    rests = {id(d): {n.name for n in names(d.expression)} & known for d in definitions}
    arrows = [(d.name, name) for d in definitions for name in sorted(rests[id(d)])]
    for circle in circles(arrows):
        first = next(d for d in definitions if d.name == circle[0])
        raise source.error(
            first.place,
            f"definitions rest on each other in a circle, {' := '.join(circle)}. "
            "Define one of them by labels alone",
        )
    waiting, out, ready = list(definitions), list[Definition](), set[str]()
    while waiting:
        following = next(d for d in waiting if rests[id(d)] <= ready)
        waiting.remove(following)
        out.append(following)
        ready.add(following.name)
    return tuple(out)
