"""The connection to a database: SQLite by default, PostgreSQL by URL.

SQLite runs with a write-ahead log and ``synchronous=FULL``: what was committed is on
the disk. Erased answers are overwritten, not only unlinked.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from survey.errors import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from sqlalchemy.sql.compiler import SQLCompiler

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "secure_delete=ON",
)
_PATIENCE: Final = 5
#: Tries to empty the write-ahead log.
_ATTEMPTS: Final = 10


def url_of(database: str | Path) -> sa.URL:
    """Read a database as a user names it: the path of a file, or a URL.

    Raises
    ------
    StoreError
        If it is neither, or a kind of database that is not offered.
    """
    text = str(database)
    if not re.match(r"^[a-z][a-z0-9+]*://", text):
        return sa.URL.create("sqlite", database=str(Path(text).expanduser()))
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreError(
            "database: the URL cannot be read. Write a path, or "
            "postgresql://user:password@host/name."
        ) from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        return url
    raise StoreError(
        f"database: {url.get_backend_name()!r} is not offered. Use the path of a file "
        "(SQLite) or postgresql://user:password@host/name."
    )


def connect(database: str | Path) -> sa.Engine:
    """Open a database; connections are made when they are wanted.

    Statements are never logged with their values, whatever level a program logs at.
    """
    url = url_of(database)
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=5,
            connect_args={"connect_timeout": _PATIENCE},
        )
    engine = sa.create_engine(
        url, hide_parameters=True, connect_args={"timeout": _PATIENCE}
    )
    sa.event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # SQLAlchemy's own BEGIN comes too late for a write that waits; see `writing`.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that may write; committed at the end, or nothing is.

    Raises
    ------
    StoreError
        If the database cannot be reached or written; nothing was changed.
    """
    try:
        with engine.connect() as connection:
            begin(connection)
            try:
                yield connection
            except BaseException:
                connection.rollback()
                if connection.dialect.name == "sqlite":
                    _abandon(connection)
                raise
            commit(connection)
    except DBAPIError as error:
        raise plainly(error) from error
    except NoConnectionError:
        raise busy() from None


def begin(connection: sa.Connection) -> None:
    """Begin a transaction; one of SQLite takes the write lock at once."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def commit(connection: sa.Connection) -> None:
    """Commit; the disk has everything when this returns."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")
    connection.commit()


def _abandon(connection: sa.Connection) -> None:
    raw = connection.connection.driver_connection
    if raw is not None and raw.in_transaction:
        raw.execute("ROLLBACK")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection that sees one state of the database throughout.

    Raises
    ------
    StoreError
        If the database cannot be reached.
    """
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                if connection.dialect.name == "sqlite":
                    _abandon(connection)
                connection.rollback()
    except DBAPIError as error:
        raise plainly(error) from error
    except NoConnectionError:
        raise busy() from None


def forget(engine: sa.Engine) -> bool:
    """Take what was erased out of the write-ahead log too (SQLite).

    Returns
    -------
    bool
        False if someone reads an older state of the database all the time; the log is
        emptied by a later call, or when the database is closed.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        # Short tries: while one waits for readers, nobody can write.
        connection.exec_driver_sql("PRAGMA busy_timeout=200")
        try:
            for attempt in range(_ATTEMPTS):
                if attempt:
                    time.sleep(0.1)
                row = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                if row.scalar_one() == 0:
                    return True
        finally:
            connection.exec_driver_sql("PRAGMA busy_timeout=5000")
    return False


class Gathered(FunctionElement[str]):
    """Columns of many rows as one text: a JSON array of arrays, in no order.

    A statement that gives one row is much quicker than one that gives many.
    """

    name = "gathered"
    type = sa.Text()
    inherit_cache = True


@compiles(Gathered, "sqlite")
def _for_sqlite(gathered: Gathered, compiler: SQLCompiler, **_: object) -> str:
    return f"json_group_array(json_array({compiler.process(gathered.clauses)}))"


@compiles(Gathered, "postgresql")
def _for_postgresql(gathered: Gathered, compiler: SQLCompiler, **_: object) -> str:
    columns = compiler.process(gathered.clauses)
    return f"CAST(json_agg(json_build_array({columns})) AS TEXT)"


def busy() -> StoreError:
    """Say that all connections are in use."""
    return StoreError(
        "database: every connection is taken. Nothing of this was stored; try again in "
        "a moment."
    )


def plainly(error: DBAPIError) -> StoreError:
    """Say what happened, without the statement and its values."""
    reason = (str(error.orig).strip().splitlines() or ["no reason given"])[0]
    return StoreError(
        f"database: {reason}. Nothing of this was stored. See that it is running, that "
        "the disk has room and that the file may be written, then try again."
    )
