"""Put a study on the web."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from survey.commands import options, settings
from survey.commands.opening import opened
from survey.errors import RefusedError
from survey.instrument import Instrument
from survey.server import run
from survey.server.admin import journal
from survey.server.admin.figures import names
from survey.server.app import create_app
from survey.store import studies
from survey.store.database import reading, writing
from survey.store.studies import Settings, now

if TYPE_CHECKING:
    from survey.commands.opening import Opened
    from survey.commands.settings import Wished
    from survey.store.studies import Study

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def begun(
    place: Opened, name: str, instrument: Instrument, wished: Wished
) -> tuple[Study, bool]:
    """Find a study, or begin it with the settings given; says which it was.

    Raises
    ------
    RefusedError
        If there is one with other settings, or the name cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise RefusedError(
            f"study {name!r}: cannot be a name. Use letters, digits, '.', '-' and "
            "'_', at most 64."
        )
    with writing(place.engine) as connection:
        if name in names(connection):
            found = studies.find(connection, name)
            settings.require_same(found, wished)
            return found, False
        chosen = wished.over(Settings(open=True))
        found = studies.begin(connection, name, instrument, chosen, place.key)
        journal.note(connection, place.who, "begin a study", name)
        return found, True


@click.command()
@click.argument("instrument", default=options.DEFAULT)
@options.database
@options.study
@settings.options
@click.option("--url", envvar="PUSHAWAY_URL", help="Address where people find it.")
@click.option("--host", default="127.0.0.1", show_default=True)
@options.port(8000)
@click.option(
    "--proxy",
    help="Address of the web server in front; what it says about clients is believed.",
)
@options.clearly
def serve(
    *,
    instrument: str,
    database: str,
    study: str,
    wished: Wished,
    url: str | None,
    host: str,
    port: int,
    proxy: str | None,
) -> None:
    """Put a study on the web, on your own server, until you press Ctrl-C.

    A study that does not exist is begun, with the settings given; one that exists
    keeps its own (change them with `pushaway study set`).
    """
    one = Instrument.load(instrument)
    address = address_of(url, host, port)
    with opened(database, study=study, make=True) as place:
        _, new = begun(place, study, one, wished)
        app = create_app(one, database, study=study, url=address)
        with reading(place.engine) as connection:
            found = studies.find(connection, study)
    taken = run.listening(host, port)
    said = "Began" if new else "Going on with"
    click.echo(f"{said} study {study!r}: {one.wording(one.title)}")
    for line in (*settings.described(found), *_next(found, address)):
        click.echo(line)
    run.run(app, taken, proxy)


def address_of(url: str | None, host: str, port: int) -> str:
    """Choose the address people see.

    Raises
    ------
    RefusedError
        If it cannot be told from the host, or is none of the web.
    """
    if url is None:
        if host in {"127.0.0.1", "::1", "localhost"}:
            return f"http://{'[::1]' if host == '::1' else host}:{port}"
        raise RefusedError(
            f"--host {host}: others reach this machine by another name. Say which with "
            "--url, e.g. --url https://survey.example.org."
        )
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+/?", url):
        raise RefusedError(
            f"--url: found {url!r}. Write scheme and host only, e.g. "
            "https://survey.example.org."
        )
    return url.rstrip("/")


def _next(study: Study, address: str) -> list[str]:
    wave = study.current(now())
    shown = f"wave {wave.number} is open" if wave else "no wave is open now"
    lines = [f"  address         {address}", f"  wave            {shown}"]
    if not wave:
        lines.append("Open a wave: pushaway wave window, pushaway wave add.")
    elif study.settings.open:
        lines.append("Send people the address.")
    else:
        lines.append(
            f"Invite people: pushaway invite people -n 10 --url {address} (or couples)."
        )
    lines.append("Look at counts: pushaway admin add NAME, then pushaway admin serve.")
    return lines
