"""Studies and their waves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from survey.commands import options, settings
from survey.commands.opening import at_work, opened
from survey.commands.serving import begun
from survey.errors import RefusedError
from survey.instrument import Instrument
from survey.server.admin import journal
from survey.server.admin.figures import names
from survey.server.admin.printing import moment
from survey.store import overview, studies
from survey.store.database import reading
from survey.store.studies import now

if TYPE_CHECKING:
    import sqlalchemy as sa

    from survey.store.studies import Study, Wave


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
    open_: bool | None,
    form: str | None,
    profile: bool | None,
    anonymous: bool | None,
    back_to: str | None,
    days: float | None,
) -> None:
    """Begin a study without putting it on the web yet, e.g. to invite people first."""
    one = Instrument.load(instrument)
    wished = settings.given(
        open_=open_,
        form=form,
        profile=profile,
        anonymous=anonymous,
        back_to=back_to,
        days=days,
    )
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
    open_: bool | None,
    form: str | None,
    profile: bool | None,
    anonymous: bool | None,
    back_to: str | None,
    days: float | None,
) -> None:
    """Change settings of a study; a survey that runs takes them at once."""
    wished = settings.given(
        open_=open_,
        form=form,
        profile=profile,
        anonymous=anonymous,
        back_to=back_to,
        days=days,
    )
    with at_work(database, study, write=True) as (connection, found, place):
        if not wished:
            raise RefusedError("study set: nothing to change. Give a setting.")
        settings.require_form(_latest(connection, found), form or "")
        if anonymous not in {None, found.settings.anonymous}:
            _require_unanswered(connection, found)
        changed = studies.change_settings(
            connection, found, lambda known: settings.applied(known, wished)
        )
        detail = f"{study}: {', '.join(wished)}"
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
        settings.require_form(one, found.settings.form)
        after = studies.add_wave(
            connection,
            found,
            one,
            opens=_chosen(opens, None),
            closes=_chosen(closes, None),
        )
        number = after.waves[-1].number
        journal.note(connection, place.who, "add a wave", f"{study}: wave {number}")
    _show(after.waves[-2:], f"{one.id} {one.version}")
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
            _show((one,), f"{fielded.id} {fielded.version}")


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
        known = {one.number: one for one in found.waves}.get(number)
        after = studies.set_window(
            connection,
            found,
            number,
            opens=_chosen(opens, known.opens if known else None),
            closes=_chosen(closes, known.closes if known else None),
        )
        detail = f"{study}: wave {number}"
        journal.note(connection, place.who, "change a wave", detail)
    _show((after.wave(number),))


def _show(waves: tuple[Wave, ...], what: str = "") -> None:
    for one in waves:
        state = "open now" if one.is_open(now()) else "closed now"
        limits = (
            f"{moment(one.opens, 'the beginning')} to {moment(one.closes, 'no end')}"
        )
        click.echo(f"wave {one.number}: {state}, from {limits} {what}".rstrip())
