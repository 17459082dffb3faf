"""What a person answered so far in a wave; every page is stored once, whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from survey.errors import RefusedError
from survey.store import tables
from survey.store.studies import now, stamp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from survey.store.people import Person
    from survey.store.studies import Study, Wave


# Statements are made once: every request wants them.
_RESPONSE: Final = sa.select(tables.response).where(
    tables.response.c.person == sa.bindparam("of_person"),
    tables.response.c.wave == sa.bindparam("in_wave"),
)
_ANSWERS: Final = (
    sa.select(tables.answer.c.item, tables.answer.c.value)
    .where(tables.answer.c.response == sa.bindparam("of_response"))
    .order_by(tables.answer.c.id)
)
_KNOWN: Final = sa.select(tables.submission.c.digest).where(
    tables.submission.c.key == sa.bindparam("sent_key")
)
_SUBMISSION: Final = tables.submission.insert()
_ANSWER: Final = tables.answer.insert()
_MOVE: Final = (
    tables.response.update()
    .where(tables.response.c.id == sa.bindparam("one"))
    .values(
        page=sa.bindparam("to_page"),
        reached=sa.case(
            (
                tables.response.c.reached < sa.bindparam("to_reached"),
                sa.bindparam("to_reached"),
            ),
            else_=tables.response.c.reached,
        ),
        finished=sa.func.coalesce(
            tables.response.c.finished, sa.bindparam("to_finished", type_=sa.DateTime)
        ),
    )
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
    orders
        Items of each page that is shuffled, in the order this person sees them.
    page, reached
        The page they are on; how many pages of the plan they have been shown.
    finished
        When they sent the last page; None before.
    answers
        Answers as given, by item.
    """

    id: int
    wave: int
    instrument: str
    form: str
    language: str
    orders: Mapping[str, tuple[str, ...]]
    page: str
    reached: int
    finished: datetime | None
    answers: Mapping[str, str]


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
        """Hash of what was sent, to tell a repeated page from another one."""
        content = json.dumps([self.page, self.move, dict(self.values)], sort_keys=True)
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
    if row is None:
        return None
    return Response(
        id=row.id,
        wave=row.wave,
        instrument=row.instrument,
        form=row.form,
        language=row.language,
        orders={p: tuple(names) for p, names in json.loads(row.orders).items()},
        page=row.page,
        reached=row.reached,
        finished=row.finished,
        answers=answers_of(connection, row.id),
    )


def answers_of(connection: sa.Connection, response: int) -> dict[str, str]:
    """Read the latest answer to every item."""
    rows = connection.execute(_ANSWERS, {"of_response": response})
    latest = dict(rows.all())
    return {item: value for item, value in latest.items() if value is not None}


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
    digest = sent.digest
    known = connection.scalar(_KNOWN, {"sent_key": sent.key})
    if known is not None:
        if known == digest:
            return False
        raise RefusedError("page: it was sent before, with other answers.")
    moment = stamp(study.settings, now())
    inserted = connection.execute(
        _SUBMISSION,
        {
            "key": sent.key,
            "digest": digest,
            "response": response.id,
            "page": sent.page,
            "move": sent.move,
            "received": moment,
            "seconds": sent.seconds,
        },
    ).inserted_primary_key
    before = response.answers
    values = {n: v for n, v in sent.values.items() if n not in hidden}
    values |= dict.fromkeys(n for n in hidden if n in before)
    rows = [
        {
            "submission": inserted[0] if inserted else None,
            "response": response.id,
            "item": item,
            "value": value,
            "seconds": sent.item_seconds.get(item),
        }
        for item, value in values.items()
        if value != before.get(item) or item in sent.item_seconds
    ]
    if rows:
        connection.execute(_ANSWER, rows)
    _move(connection, response, page, reached, moment if finished else None)
    return True


def _move(
    connection: sa.Connection,
    response: Response,
    page: str,
    reached: int,
    finished: datetime | None,
) -> None:
    """Say where the person stands; what is finished stays so."""
    connection.execute(
        _MOVE,
        {
            "one": response.id,
            "to_page": page,
            "to_reached": reached,
            "to_finished": finished,
        },
    )


def speak(connection: sa.Connection, response: Response, language: str) -> None:
    """Go on in another language."""
    connection.execute(
        tables.response.update()
        .where(tables.response.c.id == response.id)
        .values(language=language)
    )
