"""Look after a database: copies, versions, checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from survey.commands import options
from survey.commands.opening import author, engine_of, opened
from survey.errors import StoreError
from survey.server.admin import journal
from survey.server.admin.figures import names
from survey.store import backup as copies
from survey.store import studies, tables
from survey.store.codes import VARIABLE, key_file, key_for
from survey.store.database import reading, writing
from survey.store.versions import current, newest, require_current, require_known
from survey.store.versions import upgrade as bring_up_to_date

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def db() -> None:
    """Back up, restore, upgrade or check a database."""


@db.command()
@click.argument("to", type=options.file(exists=False), metavar="FILE")
@options.database
@options.clearly
def backup(*, to: Path, database: str) -> None:
    """Copy a database into one file, checked; the survey may go on meanwhile.

    The file holds every answer. It does not hold the key, without which no invitation
    and no receipt works: keep that too, elsewhere.
    """
    with engine_of(database) as engine:
        require_known(engine)
        made = copies.backup(engine, to)
        with writing(engine) as connection:
            journal.note(connection, author(), "backup", to.name)
    click.echo(made.summary())
    click.echo(f"Wrote {to}")
    place = key_file(database)
    click.echo(f"Keep the key too, elsewhere: {place or f'the variable {VARIABLE}'}")


@db.command()
@click.argument("source", type=options.file(), metavar="FILE")
@options.database
@options.clearly
def restore(*, source: Path, database: str) -> None:
    """Put a backup into a new database, of the same kind or the other."""
    copies.check(source)
    with engine_of(database, make=True) as engine:
        found = copies.restore(source, engine)
        with writing(engine) as connection:
            journal.note(connection, author(), "restore", source.name)
        click.echo(f"Restored {found.summary()}")
        click.echo(_key_advice(engine, database))


def _key_advice(engine: sa.Engine, database: str) -> str:
    """Say whether the key of the restored studies is in its place."""
    try:
        with reading(engine) as connection:
            for name in names(connection):
                studies.require_key(connection, name, key_for(database))
    except StoreError as error:
        return f"Its key is not in its place yet: {error}"
    return "Its key is in its place."


@db.command()
@options.database
@options.clearly
def upgrade(*, database: str) -> None:
    """Bring the tables of a database up to this program; back it up before."""
    with engine_of(database) as engine:
        before, after = bring_up_to_date(engine)
        if before == after:
            click.echo(f"Nothing to do: version {after}.")
            return
        with writing(engine) as connection:
            journal.note(connection, author(), "upgrade", f"{before} to {after}")
    click.echo(f"Upgraded from {before or 'nothing'} to {after}.")


@db.command()
@click.argument("file", type=options.file(), required=False)
@options.database
@options.clearly
def check(*, file: Path | None, database: str) -> None:
    """Check a database: whole, of this version, with its key; or a backup FILE."""
    if file is not None:
        click.echo(f"Whole: {copies.check(file).summary()}")
        return
    with engine_of(database) as engine:
        found = current(engine)
        _require_whole(engine)
        if found is None:
            raise StoreError(f"{database}: holds no study.")
        click.echo(f"version  {found} (this program: {newest()})")
        if found != newest():
            require_current(engine)
        with opened(database) as place, reading(engine) as connection:
            for table in tables.metadata.sorted_tables:
                count = sa.select(sa.func.count()).select_from(table)
                click.echo(f"{table.name:<12}{connection.scalar(count):>8} rows")
            for name in names(connection):
                studies.require_key(connection, name, place.key)
    click.echo("No fault found.")


def _require_whole(engine: sa.Engine) -> None:
    """Let SQLite read itself through.

    Raises
    ------
    StoreError
        If a page or a reference is damaged.
    """
    if engine.dialect.name != "sqlite":
        return
    with reading(engine) as connection:
        said = connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars().all()
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if list(said) != ["ok"] or loose:
        faults = "; ".join(str(one) for one in said) + f"; {len(loose)} loose rows"
        raise StoreError(
            f"database: it is damaged: {faults}. Restore the last backup into a new "
            "one."
        )
