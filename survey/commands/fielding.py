"""Studies and their waves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pandas as pd

from survey.commands import options, settings
from survey.commands.opening import at_work, opened, write_private
from survey.commands.serving import begun
from survey.errors import RefusedError
from survey.instrument import Instrument
from survey.server.admin import journal, spreadsheet
from survey.server.admin.figures import cut, figures, names
from survey.server.admin.printing import moment
from survey.store import answers, overview, studies, windows
from survey.store.database import reading
from survey.store.studies import now

if TYPE_CHECKING:
    import sqlalchemy as sa

    from survey.commands.settings import Wished
    from survey.store.studies import Study, Wave


_LANGUAGES: Final = ["wave", "language", "begun", "finished"]


@click.group()
def study() -> None:
    """Begin a study, look at its settings, change them."""


@study.command(name="begin")
@click.argument("instrument", default=options.DEFAULT)
@options.database
@options.study
@settings.options
@options.clearly
def begin(
    *,
    instrument: str,
    database: str,
    study: str,
    wished: Wished,
) -> None:
    """Begin a study without putting it on the web yet, e.g. to invite people first."""
    one = Instrument.load(instrument)
    with opened(database, study=study, make=True) as place:
        found, new = begun(place, study, one, wished)
    if not new:
        raise RefusedError(f"study {study!r} exists already. Choose another name.")
    click.echo(f"Began study {study!r}: {one.wording(one.title)}")
    for line in settings.described(found):
        click.echo(line)
    click.echo(f"Invite people (pushaway invite), then: pushaway serve {instrument}")


@study.command(name="set")
@options.database
@options.study
@settings.options
@options.clearly
def set_(
    *,
    database: str,
    study: str,
    wished: Wished,
) -> None:
    """Change settings of a study; a survey that runs takes them at once."""
    with at_work(database, study, write=True) as (connection, found, place):
        if not wished.given:
            raise RefusedError("study set: nothing to change. Give a setting.")
        settings.require_form(_latest(connection, found), wished.form or "")
        if wished.anonymous not in {None, found.settings.anonymous}:
            _require_unanswered(connection, found)
        changed = studies.change_settings(connection, found, wished.over)
        detail = f"{study}: {', '.join(wished.given)}"
        journal.note(connection, place.who, "change a study", detail)
    for line in settings.described(changed):
        click.echo(line)


def _latest(connection: sa.Connection, found: Study) -> Instrument:
    return studies.stored_instrument(connection, found.waves[-1].instrument)


def _require_unanswered(connection: sa.Connection, found: Study) -> None:
    """Refuse to promise anonymity after the fact, or to end it under people."""
    if len(overview.progress(connection, found)):
        raise RefusedError(
            f"study {found.name!r}: people are in it already, and what was stored of "
            "them does not change. Begin another study."
        )


@study.command(name="list")
@options.database
@options.clearly
def list_(*, database: str) -> None:
    """List the studies of a database."""
    with opened(database) as place, reading(place.engine) as connection:
        for name in names(connection):
            found = studies.find(connection, name)
            one = _latest(connection, found)
            click.echo(f"{name}: {one.id} {one.version}, {len(found.waves)} waves")
            for line in settings.described(found):
                click.echo(line)


@study.command()
@options.database
@options.study
@click.option("--wave", help="Wave whose pages are counted, or all.  [the one open]")
@click.option("--form", default="", help="Form whose pages are counted.  [all]")
@options.clearly
def counts(*, database: str, study: str, wave: str | None, form: str) -> None:
    """Count who took part, by wave and language; where people stop, and their times."""
    with at_work(database, study) as (connection, found, _):
        if wave not in {None, "all"}:
            windows.wave_of(found, int(wave) if wave.isdecimal() else 0)
        among = cut(connection, found, wave or "", form)
        settings.require_form(_latest(connection, found), form)
        counted = figures(connection, found, among)
    waves = pd.DataFrame(counted.counts)
    languages = pd.DataFrame(counted.languages, columns=_LANGUAGES)
    pages = pd.DataFrame(
        [(bar.label, bar.sent, bar.left, bar.time) for bar in counted.bars],
        columns=["page", "sent", "standing", "median"],
    )
    for title, table in (
        (f"Study {study!r}", waves),
        ("By language", languages),
        (f"Pages of {among.said}: {counted.begun} begun", pages),
    ):
        shown = "nobody yet" if table.empty else table.to_string(index=False)
        click.echo(f"{title}\n{shown}\n")
    click.echo(f"Median time of those who finished: {counted.median or 'none yet'}")
    click.echo(f"Erased: {counted.erased}")


@study.command(name="answers")
@options.database
@options.study
@click.option("--wave", type=int, help="One wave; all by default.")
@click.option(
    "--to",
    type=options.file(exists=False),
    default=Path("answers.csv"),
    show_default=True,
)
@options.clearly
def export(*, database: str, study: str, wave: int | None, to: Path) -> None:
    """Write the answers as a table for a spreadsheet, as the researcher's pages do.

    To analyse them use `pushaway import --from own`, which marks nothing.
    """
    with at_work(database, study, write=True) as (connection, found, place):
        if wave is not None:
            windows.wave_of(found, wave)
        table = answers.table(connection, found, wave=wave)
        whole = spreadsheet.arranged(table, _latest(connection, found))
        write_private(to, spreadsheet.text(whole))
        detail = f"{study}: {len(table)} rows"
        journal.note(connection, place.who, "export answers", detail)
    click.echo(f"{len(table)} rows; what a spreadsheet would run begins with '.")
    click.echo(f"Wrote {to}")


def _moment(
    _context: click.Context, parameter: click.Parameter, value: str | None
) -> datetime | str | None:
    """Read a time as it is stored; without a zone it is UTC, ``none`` is no limit."""
    if value is None or value == "none":
        return value
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no time. Write e.g. 2027-01-31, 2027-01-31T09:00 (UTC) "
            "or 2027-01-31T09:00+01:00.",
            param=parameter,
        ) from None
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    return found.replace(microsecond=0)


_opens = click.option(
    "--opens", callback=_moment, help="First moment, UTC; none for no limit."
)
_closes = click.option(
    "--closes", callback=_moment, help="Last moment, UTC; none for no limit."
)


def _chosen(given: datetime | str | None, known: datetime | None) -> datetime | None:
    """Take a limit that was given; ``none`` is no limit, nothing is the one known."""
    if given is None:
        return known
    return given if isinstance(given, datetime) else None


@click.group()
def wave() -> None:
    """Add waves for the same people; say when they open."""


@wave.command(name="add")
@click.argument("instrument", required=False)
@options.database
@options.study
@_opens
@_closes
@options.clearly
def add(
    *,
    instrument: str | None,
    database: str,
    study: str,
    opens: datetime | str | None,
    closes: datetime | str | None,
) -> None:
    """Add the next wave for the same people, with the same questionnaire or another.

    The wave before closes when it opens.
    """
    other = Instrument.load(instrument) if instrument else None
    with at_work(database, study, write=True) as (connection, found, place):
        one = other or _latest(connection, found)
        after = studies.add_wave(
            connection,
            found,
            one,
            opens=_chosen(opens, None),
            closes=_chosen(closes, None),
        )
        number = after.waves[-1].number
        journal.note(connection, place.who, "add a wave", f"{study}: wave {number}")
    _show(after, after.waves[-2:], f"{one.id} {one.version}")
    click.echo(
        f"Invitations stay the same. List whom it waits for: pushaway invite reminders "
        f"--wave {number}"
    )


@wave.command(name="list")
@options.database
@options.study
@options.clearly
def list_waves(*, database: str, study: str) -> None:
    """List the waves of a study; times are UTC."""
    with at_work(database, study) as (connection, found, _):
        for one in found.waves:
            fielded = studies.stored_instrument(connection, one.instrument)
            _show(found, (one,), f"{fielded.id} {fielded.version}")


@wave.command()
@click.argument("number", type=int)
@options.database
@options.study
@_opens
@_closes
@options.clearly
def window(
    *,
    number: int,
    database: str,
    study: str,
    opens: datetime | str | None,
    closes: datetime | str | None,
) -> None:
    """Say when a wave takes answers; "none" takes a limit away."""
    with at_work(database, study, write=True) as (connection, found, place):
        known = windows.wave_of(found, number)
        after = studies.set_window(
            connection,
            found,
            number,
            opens=_chosen(opens, known.opens),
            closes=_chosen(closes, known.closes),
        )
        detail = f"{study}: wave {number}"
        journal.note(connection, place.who, "change a wave", detail)
    _show(after, (after.wave(number),))


@wave.command(name="open")
@click.argument("number", type=int)
@options.database
@options.study
@options.clearly
def open_(*, number: int, database: str, study: str) -> None:
    """Let a wave take answers from now on, e.g. once more after it closed."""
    with at_work(database, study, write=True) as (connection, found, place):
        after = windows.open_now(connection, found, number)
        journal.note(connection, place.who, "open a wave", f"{study}: wave {number}")
    _show(after, (after.wave(number),))


@wave.command()
@click.argument("number", type=int)
@options.database
@options.study
@options.clearly
def close(*, number: int, database: str, study: str) -> None:
    """Let a wave take no answers any longer."""
    with at_work(database, study, write=True) as (connection, found, place):
        after = windows.close_now(connection, found, number)
        journal.note(connection, place.who, "close a wave", f"{study}: wave {number}")
    _show(after, (after.wave(number),))


def _show(study: Study, waves: tuple[Wave, ...], what: str = "") -> None:
    for one in waves:
        state = windows.state(study, one, now())
        limits = (
            f"{moment(one.opens, 'the beginning')} to {moment(one.closes, 'no end')}"
        )
        click.echo(f"wave {one.number}: {state}, from {limits} {what}".rstrip())
