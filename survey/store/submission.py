"""A page as it is added: the page, its answers and where its person stands, or nothing.

PostgreSQL is some way off and takes all of it as one statement; SQLite, which is in the
same process, as three short ones. A second sending of the same key adds nothing, also
when another process takes the first one at the same time.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    #: Item, value, seconds.
    Answer = tuple[str, str | None, float | None]

_TIMES: Final = (
    sa.bindparam("received", type_=sa.DateTime),
    sa.bindparam("to_finished", type_=sa.DateTime),
)
_ADD: Final = """
INSERT INTO submission (key, digest, response, page, move, received, seconds)
VALUES (:key, :digest, :response, :page, :move, :received, :seconds)
ON CONFLICT (key) DO NOTHING
"""
_ANSWERS: Final = "INSERT INTO answer (submission, response, item, value, seconds)"
#: What is finished and reached stays so.
_MOVE: Final = """
UPDATE response SET page = :to_page, finished = coalesce(finished, :to_finished),
reached = CASE WHEN reached < :to_reached THEN :to_reached ELSE reached END
WHERE id = :response
"""
_ALONE: Final = sa.text(_ADD).bindparams(_TIMES[0])
_MOVED: Final = sa.text(_MOVE).bindparams(_TIMES[1])
_WHOLE: Final = sa.text(
    f"WITH sent AS ({_ADD} RETURNING id), given AS ({_ANSWERS}"  # noqa: S608 - our own
    """
    SELECT sent.id, :response, one.item, one.value, one.seconds
    FROM sent, json_to_recordset(CAST(:answers AS json))
    AS one (item text, value text, seconds double precision)
    """
    f"), moved AS ({_MOVE} AND EXISTS (SELECT 1 FROM sent)) SELECT id FROM sent"
).bindparams(*_TIMES)
#: Answers of one statement of SQLite, which takes some ten thousand values.
_MOST: Final = 1000


def add(
    connection: sa.Connection, sent: Mapping[str, object], answers: Sequence[Answer]
) -> bool:
    """Add a page.

    Parameters
    ----------
    sent
        Columns of `tables.submission` but `id`; ``to_page``, ``to_reached`` and
        ``to_finished``, where the person stands then.

    Returns
    -------
    bool
        False if a page with this key was added before.
    """
    if connection.dialect.name == "postgresql":
        names = ("item", "value", "seconds")
        rows = [dict(zip(names, one, strict=True)) for one in answers]
        given = {**sent, "answers": json.dumps(rows)}
        return connection.scalar(_WHOLE, given) is not None
    added = connection.execute(_ALONE, sent)
    if not added.rowcount:
        return False
    number = added.lastrowid
    for start in range(0, len(answers), _MOST):
        part = answers[start : start + _MOST]
        values = [v for one in part for v in (number, sent["response"], *one)]
        connection.exec_driver_sql(_listed(len(part)), tuple(values))
    connection.execute(_MOVED, sent)
    return True


@lru_cache(maxsize=256)
def _listed(number: int) -> str:
    """Write an insert of so many answers; the driver would send them one by one."""
    return f"{_ANSWERS} VALUES {', '.join(['(?, ?, ?, ?, ?)'] * number)}"
