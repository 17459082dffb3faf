"""Researchers who may log in: hashes of passwords and sessions, studies they see.

Whoever has no `all_studies` sees those they are a member of, and no audit log, which
tells of all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from survey.errors import RefusedError
from survey.server.guard import hashed, new_value
from survey.store import tables
from survey.store.studies import find, now

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

#: Characters of a password.
SHORTEST: Final = 12
LONGEST: Final = 256
#: A session ends when nothing was done for so long.
IDLE: Final = timedelta(hours=8)
#: And whatever is done, after so long.
WHOLE: Final = timedelta(hours=12)
#: The end of a session is moved at most so often.
_MOVED: Final = timedelta(minutes=5)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HASHER: Final = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose session a request belongs to.

    Attributes
    ----------
    name
        Empty when there is no session, or it has ended.
    all_studies
        Whether they see every study, and the audit log.
    aging
        Whether the end of the session should be moved.
    """

    name: str = ""
    all_studies: bool = False
    aging: bool = False


def add(
    connection: sa.Connection,
    name: str,
    password: str,
    studies: Collection[str] | None = None,
) -> None:
    """Let someone log in.

    Parameters
    ----------
    studies
        Names of the studies they see; None for all, also those begun later.

    Raises
    ------
    RefusedError
        If the name is taken or cannot be one, the password is too short, or there is no
        such study.
    """
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"admin: {name!r} cannot be a name. Use small letters, digits, dots and "
            "hyphens, at most 64."
        )
    require_password(name, password)
    if name in names(connection):
        raise RefusedError(
            f"admin: {name!r} may log in already. Remove them first to give them "
            "another password."
        )
    connection.execute(
        tables.researcher.insert().values(
            name=name,
            password=_HASHER.hash(password),
            created=now(),
            all_studies=False,
        )
    )
    allow(connection, name, studies)


def allow(
    connection: sa.Connection, name: str, studies: Collection[str] | None
) -> None:
    """Say which studies someone sees: these and no other; None for all.

    Raises
    ------
    RefusedError
        If nobody has this name, or there is no such study.
    """
    _require_name(connection, name)
    table = tables.member
    connection.execute(table.delete().where(table.c.researcher == name))
    connection.execute(
        tables.researcher.update()
        .where(tables.researcher.c.name == name)
        .values(all_studies=studies is None)
    )
    rows = [
        {"researcher": name, "study": find(connection, one).id}
        for one in sorted(set(studies or ()))
    ]
    if rows:
        connection.execute(table.insert(), rows)


def sees(connection: sa.Connection, name: str) -> list[str]:
    """Name the studies someone sees."""
    researcher, member, study = tables.researcher.c, tables.member.c, tables.study.c
    mine = sa.select(member.study).where(member.researcher == name)
    all_ = sa.exists().where(researcher.name == name, researcher.all_studies)
    return list(
        connection.scalars(
            sa.select(study.name)
            .where(sa.or_(all_, study.id.in_(mine)))
            .order_by(study.name)
        )
    )


def sees_all(connection: sa.Connection, name: str) -> bool:
    """Whether someone sees every study, also those begun later."""
    found = connection.scalar(
        sa.select(tables.researcher.c.all_studies).where(
            tables.researcher.c.name == name
        )
    )
    return bool(found)


def require_password(name: str, password: str) -> None:
    """Refuse a password that is too short, too long, or little more than the name.

    Raises
    ------
    RefusedError
        Says which; never repeats the password.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise RefusedError(
            f"admin: the password has {len(password)} characters. Use {SHORTEST} to "
            f"{LONGEST}; a few unrelated words are good."
        )
    if name.lower() in password.lower() or len(set(password)) < SHORTEST // 2:
        raise RefusedError(
            "admin: the password contains the name, or the same few characters. "
            "Choose one that nobody guesses."
        )


def names(connection: sa.Connection) -> list[str]:
    """Name those who may log in."""
    researcher = tables.researcher.c
    found = connection.scalars(sa.select(researcher.name).order_by(researcher.name))
    return list(found)


def _require_name(connection: sa.Connection, name: str) -> None:
    known = names(connection)
    if name not in known:
        raise RefusedError(
            f"admin: nobody is called {name!r}. There is: "
            f"{', '.join(known) or 'nobody'}."
        )


def remove(connection: sa.Connection, name: str) -> None:
    """Let someone log in no longer, and end their sessions.

    Raises
    ------
    RefusedError
        If there is nobody of this name.
    """
    _require_name(connection, name)
    connection.execute(tables.login.delete().where(tables.login.c.researcher == name))
    connection.execute(
        tables.researcher.delete().where(tables.researcher.c.name == name)
    )


@cache
def _nobody() -> str:
    """Make a hash that is compared where a name is unknown, to take the same time."""
    return _HASHER.hash(new_value())


def stored(connection: sa.Connection, name: str) -> str:
    """Read the hash of someone's password; empty for an unknown name."""
    if not _NAME.fullmatch(name):
        # Nobody has it, and a database may not even take it, as with a NUL.
        return ""
    found = connection.scalar(
        sa.select(tables.researcher.c.password).where(tables.researcher.c.name == name)
    )
    return found or ""


def right(known: str, password: str) -> bool:
    """Whether a password is the one of a stored hash.

    An unknown name takes as long as a wrong password.
    """
    nobody = _nobody()
    try:
        _HASHER.verify(known or nobody, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return bool(known)


def log_in(connection: sa.Connection, name: str) -> str:
    """Begin a session, and give the value of its cookie; ended ones are cleared away.

    Empty when the researcher was removed meanwhile.
    """
    if name not in names(connection):
        return ""
    value, moment = new_value(), now()
    connection.execute(tables.login.delete().where(tables.login.c.expires < moment))
    connection.execute(
        tables.login.insert().values(
            hash=hashed(value),
            researcher=name,
            created=moment,
            expires=moment + IDLE,
        )
    )
    return value


def logged_in(connection: sa.Connection, value: str) -> Visitor:
    """Find out whose session a cookie stands for."""
    if not value:
        return Visitor()
    login, researcher = tables.login.c, tables.researcher.c
    moment = now()
    row = connection.execute(
        sa.select(researcher.name, researcher.all_studies, login.created, login.expires)
        .join_from(tables.login, tables.researcher)
        .where(
            login.hash == hashed(value),
            login.expires > moment,
            login.created > moment - WHOLE,
        )
    ).one_or_none()
    if row is None:
        return Visitor()
    end = _end(row.created)
    return Visitor(row.name, row.all_studies, row.expires + _MOVED < end)


def _end(created: datetime) -> datetime:
    """Tell when a session ends in which something is done now."""
    return min(now() + IDLE, created + WHOLE)


def prolong(connection: sa.Connection, value: str) -> None:
    """Move the end of a session, but never beyond its longest."""
    mine = tables.login.c.hash == hashed(value)
    created = connection.scalar(sa.select(tables.login.c.created).where(mine))
    if created is not None:
        connection.execute(
            tables.login.update().where(mine).values(expires=_end(created))
        )


def log_out(connection: sa.Connection, value: str) -> None:
    """End a session on the server."""
    connection.execute(
        tables.login.delete().where(tables.login.c.hash == hashed(value))
    )
