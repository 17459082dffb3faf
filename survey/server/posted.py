"""What a browser sent: read strictly, checked against what the page asked.

A body is read once, up to a limit, as UTF-8; a field that the page does not have, or
has twice, did not come from the page and the whole body is refused.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect

from survey.parts import ChoiceItem, LikertItem, NumberItem, TextItem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from survey.instrument import Instrument
    from survey.server.plan import AnyItem, Sheet

#: Bytes of a page, and fields in it, at most.
LARGEST: Final = 1024 * 1024
FIELDS: Final = 4000
#: Seconds a body may take to arrive.
PATIENCE: Final = 20
#: Longest time on an item that is believed, in seconds.
_LONGEST: Final = 86_400.0
_NUMBER: Final = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LENGTH: Final = re.compile(r"[0-9]{1,12}")
_MILLISECONDS: Final = re.compile(r"[0-9]{1,9}")


class BadBodyError(Exception):
    """A body that no page of the survey sends; `status` says in which way."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


async def read(request: Request) -> dict[str, str]:
    """Read the fields of a form.

    Raises
    ------
    BadBodyError
        If it is too large or too slow, not a form, not UTF-8, or repeats a field.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadBodyError(415, "bad_form")
    body = await _body(request)
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise BadBodyError(400, "bad_form") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise BadBodyError(400, "bad_form")
        fields[name] = value
    return fields


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not _LENGTH.fullmatch(declared):
        raise BadBodyError(400, "bad_form")
    if int(declared) > LARGEST:
        raise BadBodyError(413, "too_large")
    found = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                found += chunk
                if len(found) > LARGEST:
                    raise BadBodyError(413, "too_large")
    except TimeoutError:
        raise BadBodyError(408, "too_slow") from None
    except ClientDisconnect:
        raise BadBodyError(400, "bad_form") from None
    return bytes(found)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an answer: a phrase of `words.yaml`, and its values."""

    item: str
    word: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Checked:
    """The answers of a page.

    Attributes
    ----------
    values
        Valid answers by item, None where there is none.
    typed
        What stood in every field, to show it again.
    problems
        What is wrong with the others.
    seconds
        Time on single items, where the browser told.
    foreign
        Fields that the page does not have.
    """

    values: Mapping[str, str | None]
    typed: Mapping[str, str]
    problems: tuple[Problem, ...]
    seconds: Mapping[str, float]
    foreign: tuple[str, ...]


def check(
    fields: Mapping[str, str],
    sheet: Sheet,
    instrument: Instrument,
    *,
    own: frozenset[str],
    complete: bool,
) -> Checked:
    """Check the fields of a page.

    Parameters
    ----------
    own
        Fields that are not answers.
    complete
        Whether required items must have an answer.
    """
    values: dict[str, str | None] = {}
    problems: list[Problem] = []
    seconds: dict[str, float] = {}
    names = {item.id for item in sheet.items}
    timers = {f"t_{name}" for name in names}
    known = names | timers | own
    foreign = tuple(n for n in fields if n not in known)
    for item in sheet.items:
        given = fields.get(item.id, "")
        value, problem = _answer(given, item, instrument)
        if problem is not None:
            problems.append(problem)
            continue
        values[item.id] = value
        if value is None and item.required and complete:
            problems.append(Problem(item.id, "required", {}))
        spent = _seconds(fields.get(f"t_{item.id}", ""))
        if spent is not None:
            seconds[item.id] = spent
    typed = {name: fields[name] for name in names if name in fields}
    return Checked(values, typed, tuple(problems), seconds, foreign)


def _answer(
    given: str, item: AnyItem, instrument: Instrument
) -> tuple[str | None, Problem | None]:
    if isinstance(item, TextItem):
        return _text(given, item)
    bare = given.strip()
    if not bare:
        return None, None
    if isinstance(item, NumberItem):
        return _number(bare, item)
    if isinstance(item, LikertItem | ChoiceItem):
        scale = instrument.response_scale(item.response_scale)
        if bare in scale.accepted:
            return bare, None
    return None, Problem(item.id, "not_an_option", {})


def _text(given: str, item: TextItem) -> tuple[str | None, Problem | None]:
    text = given.replace("\r\n", "\n").replace("\r", "\n").strip()
    if _CONTROL.search(text):
        return None, Problem(item.id, "bad_characters", {})
    if len(text) > item.max_length:
        values = {"most": item.max_length, "found": len(text)}
        return None, Problem(item.id, "too_long", values)
    return text or None, None


def _number(bare: str, item: NumberItem) -> tuple[str | None, Problem | None]:
    text = bare.replace("\N{MINUS SIGN}", "-")
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not text.isascii() or not _NUMBER.fullmatch(text):
        return None, Problem(item.id, "not_a_number", {})
    number = float(text)
    if item.integer and number != math.floor(number):
        return None, Problem(item.id, "not_whole", {})
    if not item.minimum <= number <= item.maximum:
        values = {"least": spell(item.minimum), "most": spell(item.maximum)}
        return None, Problem(item.id, "out_of_range", values)
    return spell(number), None


def spell(number: float) -> str:
    """Spell a number without an exponent, and no decimal point without decimals."""
    return str(int(number)) if number == int(number) else f"{Decimal(repr(number)):f}"


def _seconds(text: str) -> float | None:
    """Read milliseconds; what cannot be a time on an item is left out."""
    if not _MILLISECONDS.fullmatch(text):
        return None
    return min(int(text) / 1000, _LONGEST)
