"""What a researcher sees of a study: counts, progress and times, never an answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from survey.store import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from survey.store.studies import Study


def progress(connection: sa.Connection, study: Study) -> pd.DataFrame:
    """One row per person and wave they were asked to.

    Columns ``code couple role language invited wave started finished page``; `started`
    is missing for those who have not begun, `page` is the one they stand on.
    """
    person, response = tables.person.c, tables.response.c
    rows = connection.execute(
        sa.select(
            person.code,
            person.couple,
            person.role,
            sa.func.coalesce(response.language, person.language).label("language"),
            person.invited,
            response.wave,
            response.started,
            response.finished,
            response.page,
        )
        .join_from(tables.person, tables.response, isouter=True)
        .where(person.study == study.id)
        .order_by(person.id, response.wave)
    )
    columns = ["code", "couple", "role", "language", "invited", "wave"]
    columns += ["started", "finished", "page"]
    return _frame(rows, columns).astype({"wave": "Int64"})


def _frame(rows: Iterable[Sequence[object]], columns: list[str]) -> pd.DataFrame:
    """Arrange rows; pandas looks long at those that are no plain tuples."""
    return pd.DataFrame([tuple(row) for row in rows], columns=columns)


def counts(connection: sa.Connection, study: Study) -> pd.DataFrame:
    """Count by wave: invited, begun, finished; couples with both; erased on its own.

    Columns ``wave invited begun finished couples couples_finished``, one row a wave.
    """
    people = progress(connection, study)
    each = people.drop_duplicates("code")
    invited, couples = int(each["invited"].sum()), each["couple"].nunique()
    rows = []
    for wave in study.waves:
        here = people[people["wave"] == wave.number]
        done = here[here["finished"].notna()]
        whole = done.dropna(subset="couple").groupby("couple")["role"].nunique()
        rows.append(
            {
                "wave": wave.number,
                "invited": invited,
                "begun": len(here),
                "finished": len(done),
                "couples": couples,
                "couples_finished": int((whole > 1).sum()),
            }
        )
    return pd.DataFrame(rows)


def by_language(connection: sa.Connection, study: Study) -> pd.DataFrame:
    """Count by wave and language: columns ``wave language begun finished``."""
    people = progress(connection, study).dropna(subset="wave")
    grouped = people.groupby(["wave", "language"], dropna=False)
    return grouped.agg(
        begun=("code", "size"), finished=("finished", "count")
    ).reset_index()


def drop_off(
    connection: sa.Connection,
    study: Study,
    pages: Sequence[str],
    *,
    wave: int | None = None,
    form: str | None = None,
) -> pd.DataFrame:
    """Say how many people sent each page, and how long they took.

    Columns ``page sent left median_seconds``: `left` counts those who stand on the page
    without having finished, `median_seconds` is that of the time a page was open. One
    wave or form only, or all of them.
    """
    response, sent = tables.response.c, tables.submission.c
    among = _among(study, wave, form)
    moves = _frame(
        connection.execute(
            sa.select(sent.response, sent.page, sent.seconds)
            .join_from(tables.submission, tables.response)
            .join(tables.person, tables.person.c.id == response.person)
            .where(sent.move == "next", *among)
        ),
        ["response", "page", "seconds"],
    )
    standing = connection.execute(
        sa.select(response.page, sa.func.count())
        .join_from(tables.response, tables.person)
        .where(response.finished.is_(None), *among)
        .group_by(response.page)
    )
    on = {page: int(count) for page, count in standing}
    by_page = moves.groupby("page")
    sent_by, median = by_page["response"].nunique(), by_page["seconds"].median()
    return pd.DataFrame(
        {
            "page": list(pages),
            "sent": [int(sent_by.get(page, 0)) for page in pages],
            "left": [on.get(page, 0) for page in pages],
            "median_seconds": [float(median.get(page, math.nan)) for page in pages],
        }
    )


def _among(
    study: Study, wave: int | None, form: str | None
) -> list[sa.ColumnElement[bool]]:
    """Pick the responses of a study, of one wave or form or of all."""
    response = tables.response.c
    among = [tables.person.c.study == study.id]
    if wave is not None:
        among.append(response.wave == wave)
    if form is not None:
        among.append(response.form == form)
    return among


def whole_times(
    connection: sa.Connection,
    study: Study,
    *,
    wave: int | None = None,
    form: str | None = None,
) -> pd.Series[float]:
    """Add up the seconds that pages were open, for each response that is finished."""
    sent, response = tables.submission.c, tables.response.c
    rows = connection.scalars(
        sa.select(sa.func.sum(sent.seconds))
        .join_from(tables.submission, tables.response)
        .join(tables.person, tables.person.c.id == response.person)
        .where(response.finished.is_not(None), *_among(study, wave, form))
        .group_by(sent.response)
    ).all()
    return pd.Series(rows, dtype="float64").dropna()


def begun(
    connection: sa.Connection,
    study: Study,
    *,
    wave: int | None = None,
    form: str | None = None,
) -> int:
    """Count the responses that were begun, of one wave or form or of all."""
    found = connection.scalar(
        sa.select(sa.func.count())
        .select_from(tables.response)
        .join(tables.person)
        .where(*_among(study, wave, form))
    )
    return int(found or 0)


def waiting(connection: sa.Connection, study: Study, wave: int) -> list[str]:
    """Name the invited people who have not finished a wave, in the order they came."""
    person, response = tables.person.c, tables.response.c
    done = sa.select(response.person).where(
        response.wave == wave, response.finished.is_not(None)
    )
    return list(
        connection.scalars(
            sa.select(person.code)
            .where(person.study == study.id, person.invited, person.id.not_in(done))
            .order_by(person.id)
        )
    )


def erased(connection: sa.Connection, study: Study) -> int:
    """Count the people who were erased."""
    found = connection.scalar(
        sa.select(sa.func.count())
        .select_from(tables.tombstone)
        .where(tables.tombstone.c.study == study.id)
    )
    return int(found or 0)
