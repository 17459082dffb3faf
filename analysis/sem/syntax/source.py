"""The text of a model, and faults that point into it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from analysis.errors import ModelSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the text: line from 1, column from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a model as it was written."""

    text: str

    def quote(self, place: Place) -> str:
        """Quote the line of `place` with a caret under the place."""
        lines = self.text.splitlines() or [""]
        line = lines[min(place.line, len(lines)) - 1].replace("\t", " ")
        return f"  {line}\n  {' ' * place.column}^"

    def locate(self, place: Place, message: str) -> str:
        """Put the line number before `message` and the quoted line after it."""
        return f"model, line {place.line}: {message}.\n{self.quote(place)}"

    def error(self, place: Place, message: str) -> ModelSyntaxError:
        """Build the error of a fault at `place`; the caller raises it."""
        return ModelSyntaxError(self.locate(place, message))


def near(name: str, known: Iterable[str]) -> str:
    """Suggest names close to a misspelt one; empty when there is none."""
    spelt = {k.lower(): k for k in known}
    close = get_close_matches(name.lower(), spelt, n=3, cutoff=0.6)
    found = [spelt[c] for c in close]
    return f" Did you mean {' or '.join(repr(f) for f in found)}?" if found else ""
