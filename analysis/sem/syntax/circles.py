"""Circles among variables that explain each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def circles(arrows: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Find the shortest circle through each variable that lies on one.

    Parameters
    ----------
    arrows
        Pairs of names, the first pointing to the second.

    Returns
    -------
    tuple of tuple of str
        Each circle begins and ends with the same name: ``("a", "b", "a")``. One that
        only repeats another from a different beginning is left out.
    """
    following: dict[str, list[str]] = {}
    for start, end in arrows:
        following.setdefault(start, []).append(end)
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for name in following:
        circle = _shortest(name, following)
        if circle:
            found.setdefault(frozenset(circle), circle)
    return tuple(found.values())


def _shortest(name: str, following: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Walk outwards from a name until it comes back; empty if it never does."""
    reached: set[str] = set()
    waiting: list[tuple[str, ...]] = [(name,)]
    while waiting:
        path = waiting.pop(0)
        for new in following.get(path[-1], []):
            if new == name:
                return (*path, name)
            if new not in reached:
                reached.add(new)
                waiting.append((*path, new))
    return ()
