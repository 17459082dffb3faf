"""What several tests need: the bundled instrument, and small ones from text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from survey.instrument import Instrument
from survey.yaml12 import read_text

if TYPE_CHECKING:
    from collections.abc import Callable

#: The line of each key matters to the tests of line numbers: append, do not insert.
SMALL = """\
id: small
version: "1.0.0"
title: Small
response_scales:
  - id: agree5
    labels: [Strongly disagree, Disagree, Neither, Agree, Strongly agree]
items:
  - id: rs1
    type: likert
    text: I am happy with my relationship.
    response_scale: agree5
  - id: rs2
    type: likert
    text: I often think of leaving.
    response_scale: agree5
  - id: rs3
    type: likert
    text: My partner meets my needs.
    response_scale: agree5
  - id: age
    type: number
    text: How old are you?
    minimum: 18
    maximum: 120
scales:
  - id: rs
    label: Relationship satisfaction
    items: [rs1, rs2, rs3]
    reversed: [rs2]
    min_answered: 2
"""


@pytest.fixture(scope="session")
def pushing_away() -> Instrument:
    """Read the bundled instrument once."""
    return Instrument.load("pushing_away")


@pytest.fixture(scope="session")
def small_text() -> str:
    """YAML of an instrument with three items of one scale and an age."""
    return SMALL


@pytest.fixture(scope="session")
def small(instrument_from: Callable[[str], Instrument]) -> Instrument:
    """Three items of one scale and an age."""
    return instrument_from(SMALL)


@pytest.fixture(scope="session")
def instrument_from() -> Callable[[str], Instrument]:
    """Build an instrument from YAML text."""

    def build(text: str) -> Instrument:
        return Instrument.from_document(read_text(text, "test.yaml"))

    return build
