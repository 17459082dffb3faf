"""Everything that can be wrong with an instrument or its responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class SurveyError(Exception):
    """Base of all errors raised by this package; says place, value and remedy."""


class ConditionError(SurveyError):
    """A show-if expression cannot be read; marks the place."""


class ResponsesError(SurveyError):
    """The responses cannot be read against this instrument at all."""


class ExportError(SurveyError):
    """The instrument cannot be written for this target."""


class StoreError(SurveyError):
    """The database cannot do what is asked; nothing was changed."""


class RefusedError(SurveyError):
    """What a respondent or researcher asks is not allowed; says what is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an instrument file.

    Attributes
    ----------
    file
        Name of the file, or ``instrument`` for one built in Python.
    line
        Line in the file, counted from 1; None when it is not known.
    key
        Where in the document, e.g. ``scales[trust].reversed``.
    problem
        What is wrong, with the value found.
    remedy
        What to do about it.
    """

    file: str
    line: int | None
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Spell the fault on one line."""
        place = f"{self.file}: " + (f"line {self.line}: " if self.line else "")
        return f"{place}{self.key}: {self.problem}. {self.remedy}"


class InstrumentError(SurveyError):
    """The instrument file does not describe a usable questionnaire.

    Attributes
    ----------
    faults
        Every fault found, in the order of the file.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
