"""Researchers who may log in: argon2 hashes of passwords, hashes of sessions."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from survey.errors import RefusedError
from survey.server.guard import hashed, new_value
from survey.store import tables
from survey.store.studies import now

#: Characters of a password.
SHORTEST: Final = 12
LONGEST: Final = 256
#: A session ends when nothing was done for so long.
IDLE: Final = timedelta(hours=8)
#: The end of a session is moved at most so often.
_MOVED: Final = timedelta(minutes=5)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HASHER: Final = PasswordHasher()


def add(connection: sa.Connection, name: str, password: str) -> None:
    """Let someone log in.

    Raises
    ------
    RefusedError
        If the name is taken or cannot be one, or the password is too short.
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
            name=name, password=_HASHER.hash(password), created=now()
        )
    )


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


def remove(connection: sa.Connection, name: str) -> None:
    """Let someone log in no longer, and end their sessions.

    Raises
    ------
    RefusedError
        If there is nobody of this name.
    """
    if name not in names(connection):
        raise RefusedError(
            f"admin: nobody is called {name!r}. There is: "
            f"{', '.join(names(connection)) or 'nobody'}."
        )
    connection.execute(tables.login.delete().where(tables.login.c.researcher == name))
    connection.execute(
        tables.researcher.delete().where(tables.researcher.c.name == name)
    )


@cache
def _nobody() -> str:
    """Make a hash that is compared where a name is unknown, to take the same time."""
    return _HASHER.hash(new_value())


def right(connection: sa.Connection, name: str, password: str) -> bool:
    """Whether a name and password belong together.

    An unknown name takes as long as a wrong password.
    """
    stored = connection.scalar(
        sa.select(tables.researcher.c.password).where(tables.researcher.c.name == name)
    )
    try:
        _HASHER.verify(stored or _nobody(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


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
            hash=hashed(value), researcher=name, expires=moment + IDLE
        )
    )
    return value


def logged_in(connection: sa.Connection, value: str) -> tuple[str, bool]:
    """Name whose session a cookie stands for, and say whether it should be prolonged.

    The name is empty when there is no session, or it has ended.
    """
    if not value:
        return "", False
    row = connection.execute(
        sa.select(tables.login.c.researcher, tables.login.c.expires).where(
            tables.login.c.hash == hashed(value), tables.login.c.expires > now()
        )
    ).one_or_none()
    if row is None:
        return "", False
    return row.researcher, row.expires < now() + IDLE - _MOVED


def prolong(connection: sa.Connection, value: str) -> None:
    """Move the end of a session."""
    connection.execute(
        tables.login.update()
        .where(tables.login.c.hash == hashed(value))
        .values(expires=now() + IDLE)
    )


def log_out(connection: sa.Connection, value: str) -> None:
    """End a session on the server."""
    connection.execute(
        tables.login.delete().where(tables.login.c.hash == hashed(value))
    )
