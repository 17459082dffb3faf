"""Who may see the researcher's pages, and the server that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from survey.commands import options
from survey.commands.opening import opened
from survey.commands.serving import address_of
from survey.errors import RefusedError
from survey.server import run
from survey.server.admin import accounts, journal
from survey.server.admin.app import create_admin
from survey.store.database import reading, writing

if TYPE_CHECKING:
    from collections.abc import Sequence


_studies = click.option(
    "--study",
    "studies",
    multiple=True,
    help="Study they see, no other; give it again for more.  [all studies]",
)


@click.group()
def admin() -> None:
    """Show the researcher's pages; say who may see them."""


@admin.command()
@click.argument("name")
@_studies
@options.database
@options.clearly
def add(*, name: str, studies: tuple[str, ...], database: str) -> None:
    """Let someone see the researcher's pages; asks for a password, twice.

    They see every study of the database, or those named with --study.
    """
    with opened(database) as place:
        password = click.prompt(
            f"Password ({accounts.SHORTEST} characters or more)",
            hide_input=True,
            confirmation_prompt="The same again",
        )
        with writing(place.engine) as connection:
            accounts.add(connection, name, password, studies or None)
            detail = f"{name}: {_spelled(studies)}"
            journal.note(connection, place.who, "add a researcher", detail)
    click.echo(
        f"{name} may log in and sees {_spelled(studies)}. Start the pages: pushaway "
        "admin serve"
    )


def _spelled(studies: Sequence[str]) -> str:
    """Name the studies given to a command; none stands for all."""
    return ", ".join(studies) or "all studies"


@admin.command()
@click.argument("name")
@_studies
@options.database
@options.clearly
def allow(*, name: str, studies: tuple[str, ...], database: str) -> None:
    """Say which studies someone sees from now on: those named, or all."""
    with opened(database) as place, writing(place.engine) as connection:
        accounts.allow(connection, name, studies or None)
        detail = f"{name}: {_spelled(studies)}"
        journal.note(connection, place.who, "allow a researcher", detail)
    click.echo(f"{name} sees {_spelled(studies)}.")


@admin.command()
@click.argument("name")
@options.database
@options.clearly
def remove(*, name: str, database: str) -> None:
    """Let someone see the researcher's pages no longer; ends their sessions."""
    with opened(database) as place, writing(place.engine) as connection:
        accounts.remove(connection, name)
        journal.note(connection, place.who, "remove a researcher", name)
    click.echo(f"{name} may not log in any longer.")


@admin.command(name="list")
@options.database
@options.clearly
def list_(*, database: str) -> None:
    """List those who may see the researcher's pages, and which studies they see."""
    with opened(database) as place, reading(place.engine) as connection:
        for name in accounts.names(connection):
            seen = ", ".join(accounts.sees(connection, name)) or "no study"
            whole = accounts.sees_all(connection, name)
            click.echo(f"{name}: {'all studies' if whole else seen}")


@admin.command(name="serve")
@options.database
@click.option("--url", help="Address where researchers find the pages.")
@click.option(
    "--survey",
    default=options.ADDRESS,
    show_default=True,
    envvar="PUSHAWAY_URL",
    help="Address of the public survey, with which links begin.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@options.port(8001)
@click.option(
    "--proxy",
    help="Address of the web server in front; what it says about clients is believed.",
)
@options.clearly
def serve(
    *,
    database: str,
    url: str | None,
    survey: str,
    host: str,
    port: int,
    proxy: str | None,
) -> None:
    """Show the researcher's pages, in a process and on a port of their own."""
    address = address_of(url, host, port)
    with opened(database) as place, reading(place.engine) as connection:
        if not accounts.names(connection):
            raise RefusedError(
                "admin: nobody may log in yet. Add someone: pushaway admin add NAME."
            )
    app = create_admin(database, url=address, survey=survey)
    taken = run.listening(host, port)
    click.echo(f"The researcher's pages: {address}")
    click.echo(f"  survey   {survey}")
    click.echo("Keep them off the public net: on this machine, or behind a login.")
    run.run(app, taken, proxy)
