"""Cut model syntax into tokens, and the tokens into statements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from analysis.sem.syntax.source import Place, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["name", "number", "string", "symbol", "end"]

RELATIONS = ("=~", "~~", "~", ":=", "==", "~*~", "|", "<", ">", "<=", ">=")
REFUSED = {
    "<~": "composites (<~) are not offered. Write a reflective factor with =~",
    "=": "a single = says nothing here. Write =~ (measured by), == (equal to) or "
    ":= (defined as)",
}
_JOINERS = frozenset({"+", "-", "*", "/", "^", "?", ",", "(", *RELATIONS})

_TOKEN = re.compile(
    r"""
      (?P<space>[^\S\n]+)
    | (?P<comment>[#!][^\n]*)
    | (?P<end>[\n;])
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<name>[^\W\d][\w.]*|\.+[^\W\d][\w.]*)
    | (?P<string>"[^"\n]*"|'[^'\n]*')
    | (?P<symbol>=~|~\*~|~~|<~|:=|==|<=|>=|[~<>|:=+\-*/^?,()])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign and where it stands."""

    kind: Kind
    text: str
    place: Place


def tokenize(source: Source) -> tuple[Token, ...]:
    """Cut the text into tokens; comments (# and !) and spaces are left out.

    Raises
    ------
    ModelSyntaxError
        At a character that has no meaning in model syntax.
    """
    found: list[Token] = []
    text, at, line, begin = source.text, 0, 1, 0
    while at < len(text):
        place = Place(line, at - begin)
        match = _TOKEN.match(text, at)
        if match is None:
            raise source.error(
                place,
                f"{_unknown(text[at:])} has no meaning in a model. Names start with "
                "a letter and hold letters, digits, '_' and '.'",
            )
        at = match.end()
        kind = match.lastgroup
        if kind in {"name", "number", "string", "symbol", "end"}:
            found.append(Token(kind, match.group(), place))  # type: ignore[arg-type]
        if match.group() == "\n":
            line, begin = line + 1, at
    return tuple(found)


def _unknown(rest: str) -> str:
    word = re.match(r"\w[\w.]*|.", rest)
    return repr(word.group() if word else rest[:1])


def split(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, ...]]:
    """Cut tokens into statements at ``;`` and at line ends.

    A line end does not close a statement inside parentheses, nor after or before
    a sign that wants company (``f =~ x1 +`` on one line, ``x2`` on the next).
    """
    rows: list[Token] = []
    depth = 0
    for k, token in enumerate(tokens):
        if token.kind != "end":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            rows.append(token)
        elif token.text == ";" or not (
            depth > 0 or _open(rows) or _continues(tokens[k + 1 :])
        ):
            if rows:
                yield tuple(rows)
            rows, depth = [], 0
    if rows:
        yield tuple(rows)


def _continues(rest: tuple[Token, ...]) -> bool:
    """Whether the next line starts with a sign that wants something before it."""
    following = next((t for t in rest if t.text != "\n"), None)
    return following is not None and following.text in {"+", "*", "?"}


def _open(rows: list[Token]) -> bool:
    return bool(rows) and rows[-1].text in _JOINERS
