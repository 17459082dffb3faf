"""Erase one person."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from survey.commands import options
from survey.commands.opening import opened
from survey.errors import RefusedError
from survey.server.admin import journal
from survey.store import erasure, studies
from survey.store import people as persons
from survey.store.database import reading, writing

if TYPE_CHECKING:
    import sqlalchemy as sa

    from survey.store.codes import Key
    from survey.store.people import Person
    from survey.store.studies import Study

#: Seconds between tries to take what was erased out of the files of the database.
_PAUSES: Final = (0, 1, 2, 5, 10)
_COPIES: Final = (
    "Backups, exports, archived imports and reports made before still hold their "
    "answers: delete or remake those."
)


@click.command()
@click.option("--receipt", help="The receipt the person was given.")
@click.option("--respondent", help="The person's name in the data.")
@options.database
@options.study
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.clearly
def erase(
    *,
    receipt: str | None,
    respondent: str | None,
    database: str,
    study: str,
    yes: bool,
) -> None:
    """Erase one person's answers for good, from the database and its log."""
    if (receipt is None) == (respondent is None):
        raise RefusedError("erase: give --receipt or --respondent, one of them.")
    with opened(database, study=study) as place:
        with reading(place.engine) as connection:
            found = studies.find(connection, study)
            one = _person(connection, found, place.key, receipt, respondent)
            gone = receipt is not None and erasure.erased(
                connection, found, place.key, receipt
            )
        if gone:
            click.echo("The person of this receipt was erased before.")
            _sweep(place.engine)
            return
        if one is None:
            raise RefusedError(
                f"erase: study {study!r} has nobody with this "
                f"{'receipt' if receipt else 'name'}. Look for a slip in it; perhaps "
                "they were erased before."
            )
        if not yes:
            click.confirm(
                f"Erase all answers of {one.code} in study {study!r} for good?",
                abort=True,
            )
        with writing(place.engine) as connection:
            erasure.erase(connection, found, one, place.key, by="researcher")
            journal.note(connection, place.who, "erase", f"{study}: one person")
        click.echo(f"Erased. {_COPIES}")
        _sweep(place.engine)


def _person(
    connection: sa.Connection,
    study: Study,
    key: Key,
    receipt: str | None,
    respondent: str | None,
) -> Person | None:
    if receipt is not None:
        return persons.by_code(connection, study, key, ("receipt",), receipt)
    every = persons.everyone(connection, study)
    return next((one for one in every if one.code == respondent), None)


def _sweep(engine: sa.Engine) -> None:
    """Take what was erased out of the files too; say so if that cannot be done now."""
    for pause in _PAUSES:
        time.sleep(pause)
        if erasure.sweep(engine):
            return
    click.echo(
        "Traces may stand in the files of the database, because a program reads an "
        "older state of it. Close that program (a backup, a viewer), then erase with "
        "the receipt once more; or they go when `pushaway serve` starts next."
    )
