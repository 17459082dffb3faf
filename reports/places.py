"""Which path means what, and how a path is shown to readers.

Notebooks run in the project's root, so a parameter holds a path relative to it. Pages
and stored notebooks travel: no path of the machine they were made on stays in them.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from survey.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["ROOT", "Scrubber", "anchor", "near"]


def anchor(value: str, bases: Sequence[Path], root: Path) -> str:
    """Turn a path written from one of `bases` into one that holds from `root`.

    Parameters
    ----------
    value
        A parameter's value; left alone unless it looks like a path (it has a separator
        or a suffix) and names something that exists.
    bases
        Folders to look in, first match counts.
    root
        Folder in which the notebook runs.

    Returns
    -------
    str
        Relative to `root` when it lies in it or beside it, else absolute.
    """
    if not value or not (Path(value).suffix or "/" in value or os.sep in value):
        return value
    for base in bases:
        found = base / Path(value).expanduser()
        if found.exists():
            return _from(found.resolve(), root.resolve())
    return value


def _from(path: Path, root: Path) -> str:
    if path.is_relative_to(root) or path.is_relative_to(root.parent):
        return Path(os.path.relpath(path, root)).as_posix()
    return str(path)


def near(path: Path) -> str:
    """Spell `path` from the current folder if it lies in it or one folder up."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        return str(path)
    return str(path) if Path(relative).parts[:2] == ("..", "..") else relative


class Scrubber:
    """Replaces the machine's own paths in what a notebook printed.

    Parameters
    ----------
    root
        The project; paths in it become relative.
    outside
        Parameters' values; of an absolute path only the last part stays.
    """

    def __init__(self, root: Path, outside: Iterable[object] = ()) -> None:
        swaps: dict[str, str] = {}
        for value in outside:
            if isinstance(value, str) and Path(value).is_absolute():
                swaps[str(Path(value).parent)] = "…"
        swaps[str(root)] = "."
        swaps[str(root.resolve())] = "."
        for name in ("stdlib", "purelib", "platlib"):
            library = sysconfig.get_path(name)
            swaps[library] = "…"
            swaps[str(Path(library).resolve())] = "…"
        for prefix in (sys.prefix, sys.base_prefix):
            swaps.setdefault(prefix, "…")
        swaps.setdefault(str(Path.home()), "~")
        swaps = {old: new for old, new in swaps.items() if old not in {"/", ""}}
        longest = sorted(swaps, key=len, reverse=True)
        ends = "|".join(map(re.escape, longest))
        self._swaps = swaps
        # Colour codes of tracebacks end in a digit and m and may stand right before.
        self._pattern = re.compile(rf"(?:(?<![\w.])|(?<=\dm))(?:{ends})(?![\w-])(/?)")
        self._cell = re.compile(r"\S*/ipykernel_\d+/\d+\.py")

    def text(self, text: str) -> str:
        """Replace every path in `text`."""
        text = self._cell.sub("<cell>", text)
        return self._pattern.sub(self._swap, text)

    def _swap(self, found: re.Match[str]) -> str:
        slash = found.group(1)
        new = self._swaps[found.group(0)[: len(found.group(0)) - len(slash)]]
        if new == ".":
            return "" if slash else "."
        return new + slash

    def tree(self, value: object) -> object:
        """Copy lists and mappings with every text scrubbed, but not pictures."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.tree(one) for one in value]
        if isinstance(value, dict):
            return self._mapping(value)
        return value

    def _mapping(self, value: Mapping[str, object]) -> dict[str, object]:
        return {
            key: one if key.startswith("image/") else self.tree(one)
            for key, one in value.items()
        }
