"""The version of the tables in a database, and how it is brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from survey.errors import StoreError
from survey.store.database import reading, writing

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent / "migrations"
_LOCK = int.from_bytes(b"pushaway", "big")


def current(engine: sa.Engine) -> str | None:
    """Version of the tables of a database; None when it has none yet."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Version this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def upgrade(engine: sa.Engine) -> tuple[str | None, str]:
    """Bring a database up to date; nothing happens to one that is.

    Returns
    -------
    tuple
        Its version before (None for an empty one) and after.

    Raises
    ------
    StoreError
        If it was made by a newer program.
    """
    before = current(engine)
    _require_known(before)
    if before == newest():
        return before, before
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Programs that start together wait for one another, as on SQLite.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, newest()


def require_current(engine: sa.Engine) -> None:
    """See that a database has the tables of this program; make those of a new one.

    Raises
    ------
    StoreError
        If it is older or newer; says what to do.
    """
    found = current(engine)
    _require_known(found)
    if found is None and not _tables(engine):
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


def _require_known(version: str | None) -> None:
    script = ScriptDirectory.from_config(_config())
    known = {one.revision for one in script.walk_revisions()}
    if version is not None and version not in known:
        raise StoreError(
            f"database: its tables are of version {version}, which a newer program "
            "made. Use that one."
        )


def _tables(engine: sa.Engine) -> Sequence[str]:
    with reading(engine) as connection:
        return sa.inspect(connection).get_table_names()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
