"""Erase people: their answers and everything that says they took part.

A tombstone stays: that someone was erased, on which day, by whom; and the hash of the
receipt, so that the person can be told it was done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import sqlalchemy as sa

from survey.store import tables
from survey.store.studies import now

if TYPE_CHECKING:
    from survey.store.codes import Key
    from survey.store.people import Person
    from survey.store.studies import Study

By: TypeAlias = Literal["respondent", "researcher"]


def erase(
    connection: sa.Connection, study: Study, person: Person, key: Key, *, by: By
) -> None:
    """Erase a person; the rows that hang on theirs go with it.

    Call `survey.store.database.forget` after the commit, so that nothing stays in the
    write-ahead log. Copies made before (backups, exports, reports) are not reached.
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
