"""Who takes part: people, couples, and the codes that let them in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from survey.errors import RefusedError
from survey.store import tables
from survey.store.codes import Key, Kind, new_name, new_nonce
from survey.store.studies import now, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from survey.store.studies import Study

_KINDS: Final[tuple[Kind, ...]] = ("invitation", "resume", "receipt")
#: The two sides of a couple, where nobody names them.
ROLES: Final = ("a", "b")
_LONGEST: Final = 200
_ROLE: Final = re.compile(r"\w[\w -]{0,31}")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who takes part.

    Attributes
    ----------
    id
        Number of the row; never leaves the database.
    code
        Name in the data, which says nothing about the person.
    nonce
        What the person's codes are made from.
    couple, role
        The couple and the side in it; None for single people.
    language, form
        What they were invited to; None for what the study offers.
    invited
        Whether they were invited, or came by themselves.
    panel
        URL parameters of the panel they came from.
    """

    id: int
    code: str
    nonce: str
    couple: str | None
    role: str | None
    language: str | None
    form: str | None
    invited: bool
    panel: Mapping[str, str]

    def access(self, key: Key, kind: Kind) -> str:
        """Make one of the person's codes."""
        return key.code(kind, self.nonce)


def add(
    connection: sa.Connection,
    study: Study,
    key: Key,
    *,
    couple: str | None = None,
    role: str | None = None,
    language: str | None = None,
    form: str | None = None,
    invited: bool = True,
    panel: Mapping[str, str] | None = None,
    nonce: str | None = None,
) -> Person:
    """Add a person and make their codes work; from a new `nonce` if none is given."""
    nonce = nonce or new_nonce()
    kept = {} if study.settings.anonymous else dict(panel or {})
    found = connection.execute(
        tables.person.insert().values(
            study=study.id,
            code=new_name(),
            nonce=nonce,
            couple=couple,
            role=role,
            language=language,
            form=form,
            invited=invited,
            panel=json.dumps(kept, ensure_ascii=False) if kept else None,
            created=stamp(study.settings, now()),
        )
    )
    number = found.inserted_primary_key
    person = number[0] if number else 0
    connection.execute(
        tables.access.insert(),
        [
            {"hash": key.hash_of(kind, key.code(kind, nonce)), "kind": kind}
            | {"person": person}
            for kind in _KINDS
            if invited or kind != "invitation"
        ],
    )
    return one(connection, person)


def invite(
    connection: sa.Connection,
    study: Study,
    key: Key,
    *,
    people: int = 0,
    couples: int = 0,
    roles: Sequence[str] = ROLES,
    language: str | None = None,
    form: str | None = None,
) -> list[Person]:
    """Make invitations: one a person, two linked ones a couple.

    Raises
    ------
    RefusedError
        If there is nothing to make, or a couple has not two different roles.
    """
    if people < 0 or couples < 0 or people + couples == 0:
        raise RefusedError(
            f"invite: {people} people and {couples} couples. Ask for at least one."
        )
    if couples and not len(roles) == len(set(roles)) == len(ROLES):
        raise RefusedError(
            f"invite: a couple has two different roles, found {list(roles)}."
        )
    if couples and not all(_ROLE.fullmatch(role) for role in roles):
        raise RefusedError(
            "invite: a role has up to 32 letters, digits, spaces and hyphens, found "
            f"{[role[:40] for role in roles]}."
        )
    out = [
        add(connection, study, key, language=language, form=form) for _ in range(people)
    ]
    for _ in range(couples):
        couple = "c" + new_name()[1:]
        out += [
            add(
                connection,
                study,
                key,
                couple=couple,
                role=role,
                language=language,
                form=form,
            )
            for role in roles
        ]
    return out


def one(connection: sa.Connection, person: int) -> Person:
    """Read a person."""
    row = connection.execute(
        sa.select(tables.person).where(tables.person.c.id == person)
    ).one()
    return _of(row)


def everyone(connection: sa.Connection, study: Study) -> list[Person]:
    """Read all people of a study, in the order they came."""
    rows = connection.execute(
        sa.select(tables.person)
        .where(tables.person.c.study == study.id)
        .order_by(tables.person.c.id)
    )
    return [_of(row) for row in rows]


def _of(row: sa.Row[tuple[object, ...]]) -> Person:
    return Person(
        id=row.id,
        code=row.code,
        nonce=row.nonce,
        couple=row.couple,
        role=row.role,
        language=row.language,
        form=row.form,
        invited=row.invited,
        panel=json.loads(row.panel) if row.panel else {},
    )


def by_code(
    connection: sa.Connection, study: Study, key: Key, kinds: Iterable[Kind], code: str
) -> Person | None:
    """Find the person a code belongs to; None when it opens nothing here.

    Every kind is looked up, whether or not one was found before, so that the time it
    takes tells nothing.
    """
    found: Person | None = None
    for kind in kinds:
        row = connection.execute(
            sa.select(tables.person)
            .join(tables.access, tables.access.c.person == tables.person.c.id)
            .where(
                tables.access.c.hash == key.hash_of(kind, code),
                tables.access.c.kind == kind,
                tables.person.c.study == study.id,
            )
        ).one_or_none()
        if row is not None:
            found = _of(row)
    return found


def connect(
    connection: sa.Connection, study: Study, person: Person, visit: str
) -> None:
    """Let a browser stand for a person; `visit` is the hash of its cookie."""
    moment = now()
    connection.execute(tables.visit.delete().where(tables.visit.c.expires < moment))
    connection.execute(
        tables.visit.insert().values(
            hash=visit,
            person=person.id,
            expires=moment + timedelta(days=study.settings.days),
        )
    )


def connected(
    connection: sa.Connection, study: Study, visit: str, moment: datetime
) -> Person | None:
    """Find whom a browser stands for; None when it does not, or no longer."""
    row = connection.execute(
        _CONNECTED, {"visit": visit, "moment": moment, "one_study": study.id}
    ).one_or_none()
    return None if row is None else _of(row)


#: Made once: every request asks for it.
_CONNECTED: Final = (
    sa.select(tables.person)
    .join(tables.visit, tables.visit.c.person == tables.person.c.id)
    .where(
        tables.visit.c.hash == sa.bindparam("visit"),
        tables.visit.c.expires > sa.bindparam("moment"),
        tables.person.c.study == sa.bindparam("one_study"),
    )
)


def disconnect(connection: sa.Connection, visit: str) -> None:
    """Let a browser stand for nobody."""
    connection.execute(tables.visit.delete().where(tables.visit.c.hash == visit))


def panel_of(study: Study, parameters: Mapping[str, str]) -> dict[str, str]:
    """Keep of the parameters of a link those of a panel, cut to a sane length.

    What cannot be printed, as a line break, was put there by nobody's panel.
    """
    return {
        name: parameters[name][:_LONGEST]
        for name in study.settings.panel
        if parameters.get(name) and parameters[name].isprintable()
    }
