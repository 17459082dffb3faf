"""The answers of a study as one table, as every other source gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from survey.store import tables

if TYPE_CHECKING:
    from survey.store.studies import Study


def table(
    connection: sa.Connection, study: Study, *, wave: int | None = None
) -> pd.DataFrame:
    """Read the latest answers of everyone who began, finished or not.

    Parameters
    ----------
    wave
        One wave; all of them when left out.

    Returns
    -------
    DataFrame
        One row per person and wave, indexed by respondent: couple, role, wave,
        language, form, started, finished, seconds; items; ``seconds_<item>``;
        ``instrument`` and ``instrument_version``; ``order_<page>``, the items of a
        shuffled page as shown; ``panel_<parameter>``. Cells are text as given, None
        where there is no answer.
    """
    people = _people(connection, study, wave)
    if people.empty:
        return people.drop(columns=["id", "orders", "panel"])
    answers = _latest(connection, study)
    answers = answers[answers["response"].isin(people["id"])]
    values = answers.dropna(subset="value").pivot_table(
        index="response", columns="item", values="value", aggfunc="last"
    )
    spent = answers.dropna(subset="seconds").pivot_table(
        index="response", columns="item", values="seconds", aggfunc="last"
    )
    whole = people.set_index("id", drop=True)
    whole["seconds"] = _seconds(connection, study).reindex(whole.index)
    parts = [
        whole.drop(columns=["orders", "panel"]),
        values.reindex(whole.index),
        spent.add_prefix("seconds_").reindex(whole.index),
        _spread(whole["orders"], "order_"),
        _spread(whole["panel"], "panel_"),
    ]
    found = pd.concat(parts, axis="columns").astype(object)
    found = found.where(found.notna(), None)
    return found.set_index("respondent", drop=True)


def _people(connection: sa.Connection, study: Study, wave: int | None) -> pd.DataFrame:
    person, response = tables.person.c, tables.response.c
    query = (
        sa.select(
            response.id,
            person.code.label("respondent"),
            person.couple,
            person.role,
            response.wave,
            response.language,
            response.form,
            response.started,
            response.finished,
            tables.instrument.c.id.label("instrument"),
            tables.instrument.c.version.label("instrument_version"),
            response.orders,
            person.panel,
        )
        .join_from(tables.response, tables.person)
        .join(tables.instrument, tables.instrument.c.hash == response.instrument)
        .where(person.study == study.id)
        .order_by(response.id)
    )
    if wave is not None:
        query = query.where(response.wave == wave)
    columns = [c.name for c in query.selected_columns]
    found = pd.DataFrame(
        [tuple(row) for row in connection.execute(query)], columns=columns
    )
    for name in ("started", "finished"):
        found[name] = pd.to_datetime(found[name]).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return found


def _latest(connection: sa.Connection, study: Study) -> pd.DataFrame:
    """Read the last row of every item; an answer taken back is missing."""
    person, response, answer = tables.person.c, tables.response.c, tables.answer.c
    last = (
        sa.select(sa.func.max(answer.id).label("id"))
        .join_from(tables.answer, tables.response, response.id == answer.response)
        .join(tables.person, person.id == response.person)
        .where(person.study == study.id)
        .group_by(answer.response, answer.item)
        .subquery()
    )
    rows = connection.execute(
        sa.select(answer.response, answer.item, answer.value, answer.seconds).join(
            last, last.c.id == answer.id
        )
    )
    columns = ["response", "item", "value", "seconds"]
    return pd.DataFrame([tuple(row) for row in rows], columns=columns)


def _seconds(connection: sa.Connection, study: Study) -> pd.Series[float]:
    """Add up the time that pages were open."""
    sent, response, person = tables.submission.c, tables.response.c, tables.person.c
    rows = connection.execute(
        sa.select(sent.response, sa.func.sum(sent.seconds))
        .join_from(tables.submission, tables.response)
        .join(tables.person, person.id == response.person)
        .where(person.study == study.id)
        .group_by(sent.response)
    )
    return pd.Series({row[0]: row[1] for row in rows}, dtype="float64").round(1)


def _spread(cells: pd.Series[str], start: str) -> pd.DataFrame:
    """Give every entry of stored JSON a column."""
    out = []
    for text in cells:
        content = json.loads(text) if isinstance(text, str) else {}
        out.append(
            {
                f"{start}{name}": " ".join(value) if isinstance(value, list) else value
                for name, value in content.items()
            }
        )
    return pd.DataFrame(out, index=cells.index)
