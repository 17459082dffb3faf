"""Spellings of options: lavaan's, and any case, beside our own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from analysis.errors import AnalysisError
from analysis.sem.syntax import near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def spelt(
    what: str,
    value: str,
    offered: Sequence[str],
    aliases: Mapping[str, str] = _NONE,
) -> str:
    """Find the offered value that is meant; case and ``.``, ``-``, ``_`` do not count.

    Parameters
    ----------
    what
        Name of the option, for the message.
    value
        As it was given.
    offered
        What may be chosen.
    aliases
        Other names of offered values, in lower case and with ``_``.

    Raises
    ------
    AnalysisError
        If nothing offered is meant.
    """
    known = {_folded(o): o for o in offered} | dict(aliases)
    if isinstance(value, str) and _folded(value) in known:
        return known[_folded(value)]
    suggested = near(str(value), offered)
    raise AnalysisError(
        f"{what}={value!r} is not offered.{suggested} Use one of "
        f"{', '.join(repr(o) for o in offered)}."
    )


def _folded(value: str) -> str:
    text = value.strip().lower()
    for sign in (".", "-", " "):
        text = text.replace(sign, "_")
    return text
