"""Make invitations, list them again, print them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey.commands import options, settings
from survey.commands.opening import at_work, write_private
from survey.errors import RefusedError
from survey.server.admin import invitations, journal, spreadsheet
from survey.store import people as persons
from survey.store import studies

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument

_number = click.option(
    "-n", "n", type=click.IntRange(1, 10_000), required=True, help="How many."
)
_language = click.option("--language", help="Language they begin in; else their own.")
_form = click.option("--form", help="Form they answer; else that of the study.")


def _to(name: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option(
        "--to", type=options.file(exists=False), default=Path(name), show_default=True
    )


@click.group()
def invite() -> None:
    """Make invitations, list them, print them.

    Links are made from the key of the database: they can be listed again at any time.
    """


@invite.command(name="people")
@_number
@_language
@_form
@options.database
@options.study
@options.url
@_to("invitations.csv")
@options.clearly
def people(
    *,
    n: int,
    language: str | None,
    form: str | None,
    database: str,
    study: str,
    url: str,
    to: Path,
) -> None:
    """Invite single people: a link each."""
    wish = _Wish(n, 0, persons.ROLES, language, form)
    _hand_out(_made(wish, database, study, url), study, url, to)


@invite.command()
@_number
@click.option("--roles", default=",".join(persons.ROLES), show_default=True)
@_language
@_form
@options.database
@options.study
@options.url
@_to("invitations.csv")
@options.clearly
def couples(
    *,
    n: int,
    roles: str,
    language: str | None,
    form: str | None,
    database: str,
    study: str,
    url: str,
    to: Path,
) -> None:
    """Invite couples: two linked links each, of which neither shows the other."""
    sides = tuple(part.strip() for part in roles.split(","))
    wish = _Wish(0, n, sides, language, form)
    _hand_out(_made(wish, database, study, url), study, url, to)


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who is to be invited, and to what."""

    people: int
    couples: int
    roles: tuple[str, ...]
    language: str | None
    form: str | None


def _made(
    wish: _Wish, database: str, study: str, url: str
) -> list[invitations.Invitation]:
    with at_work(database, study, write=True) as (connection, found, place):
        one = studies.stored_instrument(connection, found.waves[-1].instrument)
        _require_language(one, wish.language)
        settings.require_form(one, wish.form or "")
        made = persons.invite(
            connection,
            found,
            place.key,
            people=wish.people,
            couples=wish.couples,
            roles=wish.roles,
            language=wish.language,
            form=wish.form,
        )
        detail = f"{study}: {wish.people} people, {wish.couples} couples"
        journal.note(connection, place.who, "invite", detail)
    return invitations.of(made, place.key, url)


def _hand_out(
    listed: list[invitations.Invitation], study: str, url: str, to: Path
) -> None:
    write_private(to, spreadsheet.text(invitations.table(listed)))
    click.echo(f"Made {len(listed)} invitations to study {study!r}.")
    click.echo(f"Wrote {to}")
    click.echo("Whoever has a link can answer in that person's name: keep the file.")
    _warn(url)


def _warn(url: str) -> None:
    """Say so if nobody else can follow the links."""
    if invitations.local(url):
        click.echo(
            f"Links begin with {url}, which works on this machine only. For others "
            "list them again with --url and the address they know."
        )


def _require_language(instrument: Instrument, language: str | None) -> None:
    if language is not None and language not in instrument.languages:
        raise RefusedError(
            f"--language: {instrument.id} is not in {language!r}. Choose one of "
            f"{', '.join(instrument.languages)}."
        )


def _listed(
    what: str, database: str, study: str, url: str, wave: int | None
) -> tuple[Instrument, list[invitations.Invitation]]:
    with at_work(database, study, write=True) as (connection, found, place):
        if wave is not None and wave not in {one.number for one in found.waves}:
            known = ", ".join(str(one.number) for one in found.waves)
            raise RefusedError(f"wave {wave}: there is none. Choose one of {known}.")
        listed = invitations.every(connection, found, place.key, url, waiting=wave)
        one = studies.stored_instrument(connection, found.waves[-1].instrument)
        detail = f"{study}: {len(listed)} invitations"
        journal.note(connection, place.who, what, detail)
    return one, listed


@invite.command(name="list")
@options.database
@options.study
@options.url
@_to("invitations.csv")
@options.clearly
def list_(*, database: str, study: str, url: str, to: Path) -> None:
    """List all invitations again."""
    _, listed = _listed("list invitations", database, study, url, None)
    write_private(to, spreadsheet.text(invitations.table(listed)))
    click.echo(f"{len(listed)} invitations.")
    click.echo(f"Wrote {to}")
    _warn(url)


@invite.command()
@click.option("--wave", type=int, required=True, help="Wave they have not finished.")
@options.database
@options.study
@options.url
@_to("reminders.csv")
@options.clearly
def reminders(*, wave: int, database: str, study: str, url: str, to: Path) -> None:
    """List the invitations of those who have not finished a wave."""
    _, listed = _listed("list reminders", database, study, url, wave)
    write_private(to, spreadsheet.text(invitations.table(listed)))
    click.echo(f"{len(listed)} people have not finished wave {wave}.")
    click.echo(f"Wrote {to}")
    _warn(url)


@invite.command()
@click.option("--wave", type=int, help="Only those who have not finished this wave.")
@options.database
@options.study
@options.url
@_to("cards.html")
@options.clearly
def cards(*, wave: int | None, database: str, study: str, url: str, to: Path) -> None:
    """Write invitations as cards with QR codes, to be printed on A4 and cut.

    Very many are written to several files, fifty sheets each.
    """
    one, listed = _listed("print invitations", database, study, url, wave)
    click.echo(f"{len(listed)} cards; print them from a browser.")
    for number, first in enumerate(range(0, max(len(listed), 1), invitations.BATCH), 1):
        some = listed[first : first + invitations.BATCH]
        path = to if number == 1 else to.with_stem(f"{to.stem}-{number}")
        write_private(path, invitations.cards(some, one, url))
        click.echo(f"Wrote {path}")
    _warn(url)
