"""The audit log: who did what and when; never what was answered, or by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from survey.store import tables
from survey.store.studies import now

if TYPE_CHECKING:
    from datetime import datetime

#: Longest note; the rest of a longer one is left out.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log; `at` is UTC."""

    at: datetime
    who: str
    what: str
    detail: str


def note(connection: sa.Connection, who: str, what: str, detail: str = "") -> None:
    """Write down that something was done, in the transaction that does it."""
    connection.execute(
        tables.audit.insert().values(
            at=now(), who=who[:64], what=what[:64], detail=detail[:_LONGEST]
        )
    )


def entries(
    connection: sa.Connection, *, first: int = 0, most: int = 200
) -> tuple[list[Entry], int]:
    """Read entries, the latest first, and say how many there are."""
    audit = tables.audit.c
    rows = connection.execute(
        sa.select(audit.at, audit.who, audit.what, audit.detail)
        .order_by(audit.id.desc())
        .offset(first)
        .limit(most)
    )
    count = connection.scalar(sa.select(sa.func.count()).select_from(tables.audit))
    return [Entry(*row) for row in rows], int(count or 0)
