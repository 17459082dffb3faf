"""The questionnaire: what is asked, how it is fielded, what came back.

Read in this order: yaml12 -> conditions -> parts -> instrument -> responses -> cells ->
schema -> validate; then what stands on them: quality, archive, collect, export,
codebook, synthetic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from survey import collect
from survey.changes import diff
from survey.instrument import Instrument, bundled
from survey.responses import RawResponses, Responses
from survey.validate import Validation, validate

if TYPE_CHECKING:
    from survey.synthetic import simulate

__all__ = [
    "Instrument",
    "RawResponses",
    "Responses",
    "Validation",
    "bundled",
    "collect",
    "diff",
    "simulate",
    "validate",
]


def __getattr__(name: str) -> object:
    """Fetch `simulate` when it is used: it needs scipy, which loads slowly."""
    if name == "simulate":
        return import_module("survey.synthetic").simulate
    raise AttributeError(f"module 'survey' has no attribute {name!r}")
