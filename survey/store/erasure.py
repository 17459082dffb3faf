"""Erase people: their answers and everything that says they took part.

A tombstone stays: that someone was erased, on which day, by whom; and the hash of the
receipt, so that the person can be told it was done. `sweep` takes what is erased out
of the database's own files.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from survey.store import tables
from survey.store.database import busy, forget, plainly
from survey.store.studies import now

if TYPE_CHECKING:
    from survey.store.codes import Key
    from survey.store.people import Person
    from survey.store.studies import Study

By: TypeAlias = Literal["respondent", "researcher"]

#: Tables that hold something of a person.
_PERSONAL: Final = (
    tables.person,
    tables.access,
    tables.visit,
    tables.response,
    tables.submission,
    tables.answer,
)
_NAMES: Final = [table.name for table in _PERSONAL]
_FOREIGN: Final = (
    "SELECT count(*) FROM pg_class c JOIN pg_database d ON d.datname = "
    "current_database() WHERE c.relname = ANY(%s) AND c.relkind = 'r' "
    "AND c.relnamespace = current_schema()::regnamespace "
    "AND NOT pg_has_role(c.relowner, 'USAGE') AND NOT pg_has_role(d.datdba, 'USAGE')"
)
#: Looks for transactions older than an erasure, and seconds between them.
_LOOKS: Final = 10
_PAUSE: Final = 0.1
_OLDER: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL AND xact_start <= %s"
)


def erase(
    connection: sa.Connection, study: Study, person: Person, key: Key, *, by: By
) -> None:
    """Erase a person; the rows that hang on theirs go with it.

    Call `sweep` after the commit. Copies made before (backups, exports, reports) are
    not reached.
    """
    receipt = key.hash_of("receipt", person.access(key, "receipt"))
    connection.execute(tables.person.delete().where(tables.person.c.id == person.id))
    connection.execute(
        tables.tombstone.insert().values(
            study=study.id, receipt=receipt, day=f"{now():%Y-%m-%d}", by=by
        )
    )


def erased(connection: sa.Connection, study: Study, key: Key, receipt: str) -> bool:
    """Whether the person of a receipt was erased."""
    return (
        connection.scalar(
            sa.select(tables.tombstone.c.id).where(
                tables.tombstone.c.study == study.id,
                tables.tombstone.c.receipt == key.hash_of("receipt", receipt),
            )
        )
        is not None
    )


def sweep(engine: sa.Engine) -> bool:
    """Take what was erased out of the files of the database; call it after the commit.

    SQLite overwrites what is erased; here its write-ahead log is emptied too.
    PostgreSQL is told to give up the rows (VACUUM); what stood there is overwritten
    when their place is used again.

    Returns
    -------
    bool
        False if that is not so yet: someone reads an older state of the database,
        another program holds a table, or the database's user may not vacuum, being
        owner of neither tables nor database. Call it again later.

    Raises
    ------
    StoreError
        If the database cannot be reached.
    """
    try:
        return forget(engine) if engine.dialect.name == "sqlite" else _vacuum(engine)
    except DBAPIError as error:
        raise plainly(error) from error
    except NoConnectionError:
        raise busy() from None


def _vacuum(engine: sa.Engine) -> bool:
    with engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        free = _nobody_older(connection)
        # Who may not vacuum a table is only warned of it, and it is left out.
        if connection.exec_driver_sql(_FOREIGN, (_NAMES,)).scalar_one():
            return False
        connection.exec_driver_sql("SET lock_timeout = '5s'")
        try:
            for table in _PERSONAL:
                connection.exec_driver_sql(
                    f'VACUUM (TRUNCATE FALSE, INDEX_CLEANUP ON) "{table.name}"'
                )
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return False
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql("RESET lock_timeout")
    return free


def _nobody_older(connection: sa.Connection) -> bool:
    """Wait a little for transactions that may still see what was erased.

    Those of other database users are seen by members of ``pg_monitor`` only.
    """
    moment = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    for look in range(_LOOKS):
        if look:
            time.sleep(_PAUSE)
        if connection.exec_driver_sql(_OLDER, (moment,)).scalar_one() == 0:
            return True
    return False
