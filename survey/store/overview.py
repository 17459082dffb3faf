"""What a researcher sees of a study: counts, progress and times, never an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from survey.store import tables

if TYPE_CHECKING:
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
    ).all()
    columns = ["code", "couple", "role", "language", "invited", "wave"]
    columns += ["started", "finished", "page"]
    return pd.DataFrame(rows, columns=columns).astype({"wave": "Int64"})


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
    connection: sa.Connection, study: Study, pages: tuple[str, ...]
) -> pd.DataFrame:
    """Say how many people sent each page, and how long they took.

    Columns ``page sent left median_seconds``: `left` counts those who stand on the page
    without having sent it, `median_seconds` is that of the time a page was open.
    """
    person, response, sent = tables.person.c, tables.response.c, tables.submission.c
    rows = connection.execute(
        sa.select(sent.response, sent.page, sent.move, sent.seconds)
        .join_from(tables.submission, tables.response)
        .join(tables.person, person.id == response.person)
        .where(person.study == study.id)
    ).all()
    moves = pd.DataFrame(rows, columns=["response", "page", "move", "seconds"])
    on = progress(connection, study)
    standing = on[on["started"].notna() & on["finished"].isna()]["page"].value_counts()
    forward = moves[moves["move"] == "next"]
    return pd.DataFrame(
        {
            "page": list(pages),
            "sent": [
                int(forward.loc[forward["page"] == p, "response"].nunique())
                for p in pages
            ],
            "left": [int(standing.get(p, 0)) for p in pages],
            "median_seconds": [
                float(forward.loc[forward["page"] == p, "seconds"].median())
                for p in pages
            ],
        }
    )


def waiting(connection: sa.Connection, study: Study, wave: int) -> list[str]:
    """Name the invited people who have not finished a wave, in the order they came."""
    people = progress(connection, study)
    done = people[(people["wave"] == wave) & people["finished"].notna()]["code"]
    invited = people[people["invited"]]["code"].drop_duplicates()
    return [code for code in invited if code not in set(done)]


def erased(connection: sa.Connection, study: Study) -> int:
    """Count the people who were erased."""
    found = connection.scalar(
        sa.select(sa.func.count())
        .select_from(tables.tombstone)
        .where(tables.tombstone.c.study == study.id)
    )
    return int(found or 0)
