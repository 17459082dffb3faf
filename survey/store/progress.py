"""What a person answered so far in a wave; every page is stored once, whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from survey.errors import RefusedError
from survey.store import submission, tables
from survey.store.database import Gathered
from survey.store.studies import now, stamp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from survey.store.people import Person
    from survey.store.studies import Study, Wave


_KNOWN: Final = sa.select(tables.submission.c.digest).where(
    tables.submission.c.key == sa.bindparam("sent_key")
)


@dataclass(frozen=True, slots=True)
class Response:
    """What one person does in one wave.

    Attributes
    ----------
    id
        Number of the row.
    wave
        Number of the wave.
    instrument
        Hash of the questionnaire they see.
    form, language
        What they see of it, and in which language.
    page, reached
        The page they are on; how many pages of the plan they have been shown.
    finished
        When they sent the last page; None before.
    orders
        Items of each page that is shuffled, in the order this person sees them.
    answers
        Answers as given, by item.
    """

    id: int
    wave: int
    instrument: str
    form: str
    language: str
    page: str
    reached: int
    finished: datetime | None
    orders: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, str]


#: What a response is read from, in the order of its attributes.
COLUMNS: Final = (
    *(tables.response.c[one.name] for one in fields(Response)[:-1]),
    sa.select(Gathered(tables.answer.c.id, tables.answer.c.item, tables.answer.c.value))
    .where(tables.answer.c.response == tables.response.c.id)
    .scalar_subquery(),
)
_RESPONSE: Final = sa.select(*COLUMNS).where(
    tables.response.c.person == sa.bindparam("of_person"),
    tables.response.c.wave == sa.bindparam("in_wave"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One page as it was sent.

    Attributes
    ----------
    key
        What makes a second sending of the same page harmless.
    page
        Id of the page.
    move
        What the person pressed: next, back, save or language.
    values
        Answers by item; None for one that is taken back.
    seconds
        Time on the page; None where it is not known.
    item_seconds
        Time on single items, where the browser told.
    """

    key: str
    page: str
    move: str
    values: Mapping[str, str | None]
    seconds: float | None
    item_seconds: Mapping[str, float]

    @property
    def digest(self) -> str:
        """Hash of what was sent, to tell a repeated page from another one.

        What has no answer is left out: which questions a page shows may change between
        two sendings of the same content.
        """
        given = {n: v for n, v in self.values.items() if v is not None}
        content = json.dumps([self.page, self.move, given], sort_keys=True)
        return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()


def begin(
    connection: sa.Connection,
    study: Study,
    wave: Wave,
    person: Person,
    *,
    form: str,
    language: str,
    page: str,
    orders: Mapping[str, tuple[str, ...]],
) -> Response:
    """Begin a wave for a person, or go on where they have begun."""
    known = find(connection, person, wave.number)
    if known is not None:
        return known
    connection.execute(
        tables.response.insert().values(
            person=person.id,
            wave=wave.number,
            instrument=wave.instrument,
            form=form,
            language=language,
            orders=json.dumps(orders),
            started=stamp(study.settings, now()),
            page=page,
            reached=1,
        )
    )
    begun = find(connection, person, wave.number)
    if begun is None:
        raise RefusedError("response: it was not stored.")
    return begun


def find(connection: sa.Connection, person: Person, wave: int) -> Response | None:
    """Read what a person answered in a wave; None when they have not begun."""
    row = connection.execute(
        _RESPONSE, {"of_person": person.id, "in_wave": wave}
    ).one_or_none()
    return None if row is None else of(row)


def of(row: Sequence[Any]) -> Response:
    """Make a response of a row of `COLUMNS`."""
    *plain, orders, history = row
    drawn = {page: tuple(names) for page, names in json.loads(orders).items()}
    latest = {item: value for _, item, value in sorted(json.loads(history or "[]"))}
    answers = {item: value for item, value in latest.items() if value is not None}
    values = [*plain, drawn, answers]
    return Response(*values)


def repeated(connection: sa.Connection, sent: Sent) -> bool:
    """Whether a page was stored before, with the same answers.

    Raises
    ------
    RefusedError
        If a page with this key and other answers was stored before.
    """
    known = connection.scalar(_KNOWN, {"sent_key": sent.key})
    if known is not None and known != sent.digest:
        raise RefusedError("page: it was sent before, with other answers.")
    return known is not None


def store(
    connection: sa.Connection,
    study: Study,
    response: Response,
    sent: Sent,
    *,
    page: str,
    reached: int,
    finished: bool,
    hidden: Collection[str] = (),
) -> bool:
    """Store one page; answers that did not change are not stored again.

    Parameters
    ----------
    response
        As it was read in this transaction.
    hidden
        Items that are not shown, given these answers: their own are taken back.
    page, reached, finished
        Where the person stands afterwards.

    Returns
    -------
    bool
        False for a page that was stored before, with the same answers.

    Raises
    ------
    RefusedError
        If a page with this key and other answers was stored before.
    """
    moment = stamp(study.settings, now())
    before = response.answers
    values = {n: v for n, v in sent.values.items() if n not in hidden}
    values |= dict.fromkeys(n for n in hidden if n in before)
    added = submission.add(
        connection,
        {
            "key": sent.key,
            "digest": sent.digest,
            "response": response.id,
            "page": sent.page,
            "move": sent.move,
            "received": moment,
            "seconds": sent.seconds,
            "to_page": page,
            "to_reached": reached,
            "to_finished": moment if finished else None,
        },
        [
            (item, value, sent.item_seconds.get(item))
            for item, value in values.items()
            if value != before.get(item) or item in sent.item_seconds
        ],
    )
    if not added:
        repeated(connection, sent)
    return added


def speak(connection: sa.Connection, response: Response, language: str) -> None:
    """Go on in another language."""
    connection.execute(
        tables.response.update()
        .where(tables.response.c.id == response.id)
        .values(language=language)
    )
