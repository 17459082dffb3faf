"""Who a browser stands for, and how far they are: one statement for every request.

What another process changes of a study or a wave is seen by the next request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from survey.store import people, progress, studies, tables

if TYPE_CHECKING:
    from datetime import datetime

    from survey.store.people import Person
    from survey.store.progress import Response
    from survey.store.studies import Study, Wave


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a browser stands for, and how far they are.

    Attributes
    ----------
    study, wave
        The study, and the wave that is open; None when none is.
    person
        Whom the browser stands for; None when it does not, or no longer.
    response
        What they answered in this wave; None before they began.
    """

    study: Study
    wave: Wave | None
    person: Person | None
    response: Response | None


_STUDY: Final = len(studies.COLUMNS)
_PERSON: Final = _STUDY + len(people.COLUMNS)
_MOMENT: Final = sa.bindparam("moment", type_=sa.DateTime)
_STANDING: Final = (
    sa.select(*studies.COLUMNS, *people.COLUMNS, *progress.COLUMNS)
    .join_from(tables.study, tables.wave)
    .outerjoin(
        tables.visit,
        sa.and_(
            tables.visit.c.hash == sa.bindparam("visit"),
            tables.visit.c.expires > _MOMENT,
        ),
    )
    .outerjoin(
        tables.person,
        sa.and_(
            tables.person.c.id == tables.visit.c.person,
            tables.person.c.study == tables.study.c.id,
        ),
    )
    .outerjoin(
        tables.response,
        sa.and_(
            tables.response.c.person == tables.person.c.id,
            tables.response.c.wave == tables.wave.c.number,
            # The answers to waves that are over are not wanted.
            sa.func.coalesce(tables.wave.c.closes, _MOMENT) >= _MOMENT,
        ),
    )
    .where(tables.study.c.name == sa.bindparam("name"))
    .order_by(tables.wave.c.number)
)


def find(
    connection: sa.Connection, name: str, visit: str, moment: datetime
) -> Standing:
    """Find who a browser stands for in a study; `visit` is the hash of its cookie.

    Raises
    ------
    RefusedError
        If there is no such study; lists those there are.
    """
    rows = connection.execute(
        _STANDING, {"name": name, "visit": visit, "moment": moment}
    ).all()
    study = studies.of(rows) if rows else studies.find(connection, name)
    wave = study.current(moment)
    if not rows or rows[0][_STUDY] is None:
        return Standing(study, wave, None, None)
    response = None
    for row, one in zip(rows, study.waves, strict=True):
        if one is wave and row[_PERSON] is not None:
            response = progress.of(row[_PERSON:])
    return Standing(study, wave, people.of(rows[0][_STUDY:_PERSON]), response)
