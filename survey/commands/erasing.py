"""Erase one person."""

from __future__ import annotations

import click

from survey.commands import options
from survey.commands.opening import opened
from survey.errors import RefusedError
from survey.server.admin import journal
from survey.store import erasure, studies
from survey.store import people as persons
from survey.store.database import forget, reading, writing


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
            if receipt is not None:
                one = persons.by_code(
                    connection, found, place.key, ("receipt",), receipt
                )
                if erasure.erased(connection, found, place.key, receipt):
                    click.echo("The person of this receipt was erased before.")
                    return
            else:
                every = persons.everyone(connection, found)
                one = next((p for p in every if p.code == respondent), None)
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
        forget(place.engine)
    click.echo(
        "Erased. Backups, exports, archived imports and reports made before still hold "
        "their answers: delete or remake those."
    )
