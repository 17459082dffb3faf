"""What the survey itself says: buttons, errors, closing words; see `words.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from survey import yaml12
from survey.errors import SurveyError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Languages written from right to left.
_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur", "yi", "ps"})
_OTHERWISE: Final = "en"


@cache
def phrases(language: str) -> Mapping[str, str]:
    """Look the phrases of a language up; English where there are none."""
    every = _every()
    base = language.split("-", maxsplit=1)[0]
    found = every.get(language) or every.get(base) or {}
    return every[_OTHERWISE] | found


@cache
def _every() -> dict[str, dict[str, str]]:
    document = yaml12.read(Path(__file__).with_name("words.yaml"))
    if not isinstance(document.value, dict) or document.faults:
        raise SurveyError("words.yaml: cannot be read. Restore the file.")
    return {
        language: {name: str(text) for name, text in said.items()}
        for language, said in document.value.items()
        if isinstance(said, dict)
    }


def direction(language: str) -> str:
    """Say which way a language is written: ``ltr`` or ``rtl``."""
    base = language.split("-", maxsplit=1)[0]
    return "rtl" if base in _RIGHT_TO_LEFT else "ltr"
