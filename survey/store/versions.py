"""The version of the tables in a database, and how it is brought up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from survey.errors import StoreError
from survey.store.database import reading, writing

FOLDER = Path(__file__).parent / "migrations"
_LOCK = int.from_bytes(b"pushaway", "big")


def current(engine: sa.Engine) -> str | None:
    """Version of the tables of a database; None when it has none yet."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Version this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def upgrade(engine: sa.Engine, to: str | None = None) -> tuple[str | None, str]:
    """Bring a database up to date; nothing happens to one that is.

    Parameters
    ----------
    to
        Version to stop at, e.g. that of a backup; the newest when left out.

    Returns
    -------
    tuple
        Its version before (None for an empty one) and after.

    Raises
    ------
    StoreError
        If it was made by a newer program.
    """
    before, after = current(engine), to or newest()
    _require_known(before)
    _require_known(after)
    if before == after:
        return before, before
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Programs that start together wait for one another, as on SQLite.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, after)
    return before, after


def require_current(engine: sa.Engine) -> None:
    """See that a database has the tables of this program; make those of a new one.

    Raises
    ------
    StoreError
        If it is older or newer; says what to do.
    """
    found = current(engine)
    _require_known(found)
    if found is None and empty(engine):
        upgrade(engine)
        return
    # Another program may have made them between the two looks.
    found = found or current(engine)
    if found != newest():
        raise StoreError(
            f"database: its tables are of version {found or 'unknown'}, this program "
            f"works with {newest()}. Make a backup (pushaway db backup), then run "
            "pushaway db upgrade."
        )


def require_known(engine: sa.Engine) -> None:
    """See that a database has tables that this program can read, be they older.

    Raises
    ------
    StoreError
        If it is newer, or has none.
    """
    found = current(engine)
    if found is None:
        require_current(engine)
    _require_known(found)


def _require_known(version: str | None) -> None:
    script = ScriptDirectory.from_config(_config())
    known = {one.revision for one in script.walk_revisions()}
    if version is not None and version not in known:
        raise StoreError(
            f"database: its tables are of version {version}, which a newer program "
            "made. Use that one."
        )


def empty(engine: sa.Engine) -> bool:
    """Whether a database has no tables at all."""
    with reading(engine) as connection:
        return not sa.inspect(connection).get_table_names()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
