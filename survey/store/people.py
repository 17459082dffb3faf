"""Who takes part: people, couples, and the codes that let them in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from survey.errors import RefusedError
from survey.store import tables
from survey.store.codes import Key, Kind, new_name, new_nonce
from survey.store.studies import now, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
    kept = {} if study.settings.anonymous else dict(panel or {})
    row = _row(study, couple=couple, role=role, language=language, form=form)
    row["invited"] = invited
    row["nonce"] = nonce or row["nonce"]
    row["panel"] = json.dumps(kept, ensure_ascii=False) if kept else None
    return _insert(connection, key, [row])[0]


def _row(
    study: Study,
    *,
    couple: str | None,
    role: str | None,
    language: str | None,
    form: str | None,
) -> dict[str, Any]:
    """Make the row of someone who is invited."""
    return {
        "study": study.id,
        "code": new_name(),
        "nonce": new_nonce(),
        "couple": couple,
        "role": role,
        "language": language,
        "form": form,
        "invited": True,
        "panel": None,
        "created": stamp(study.settings, now()),
    }


def _insert(
    connection: sa.Connection, key: Key, rows: list[dict[str, Any]]
) -> list[Person]:
    """Store people, in this order, and make their codes work.

    All at once, because nobody else can write meanwhile.
    """
    insert = tables.person.insert().returning(*COLUMNS, sort_by_parameter_order=True)
    made = [of(row) for row in connection.execute(insert, rows)]
    connection.execute(
        tables.access.insert(),
        [
            {"hash": key.hash_of(kind, one.access(key, kind)), "kind": kind}
            | {"person": one.id}
            for one in made
            for kind in _KINDS
            if one.invited or kind != "invitation"
        ],
    )
    return made


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
    seats: list[tuple[str | None, str | None]] = [(None, None)] * people
    for _ in range(couples):
        couple = "c" + new_name()[1:]
        seats += [(couple, role) for role in roles]
    rows = [
        _row(study, couple=couple, role=role, language=language, form=form)
        for couple, role in seats
    ]
    return _insert(connection, key, rows)


#: What a person is read from, in the order of its attributes.
COLUMNS: Final = tuple(tables.person.c[one.name] for one in fields(Person))


def one(connection: sa.Connection, person: int) -> Person:
    """Read a person."""
    row = connection.execute(
        sa.select(*COLUMNS).where(tables.person.c.id == person)
    ).one()
    return of(row)


def everyone(connection: sa.Connection, study: Study) -> list[Person]:
    """Read all people of a study, in the order they came."""
    rows = connection.execute(
        sa.select(*COLUMNS)
        .where(tables.person.c.study == study.id)
        .order_by(tables.person.c.id)
    )
    return [of(row) for row in rows]


def of(row: Sequence[Any]) -> Person:
    """Make a person of a row of `COLUMNS`."""
    *plain, panel = row
    values = [*plain, json.loads(panel) if panel else {}]
    return Person(*values)


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
            sa.select(*COLUMNS)
            .join(tables.access, tables.access.c.person == tables.person.c.id)
            .where(
                tables.access.c.hash == key.hash_of(kind, code),
                tables.access.c.kind == kind,
                tables.person.c.study == study.id,
            )
        ).one_or_none()
        if row is not None:
            found = of(row)
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
