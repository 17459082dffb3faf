"""Databases of older programs: brought up to date with their rows, on both kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from click.testing import CliRunner

from survey.cli import main
from survey.errors import StoreError
from survey.server.admin import accounts
from survey.store import backup, studies, tables
from survey.store.database import connect, reading, writing
from survey.store.versions import FOLDER, current, newest, require_current, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from survey.instrument import Instrument
    from survey.store.codes import Key

MOMENT = "2026-01-02 03:04:05"
#: A study as the first program left it: every table holds a row.
ROWS = (
    "INSERT INTO instrument VALUES ('h', 'walk', '1', '{}', :moment)",
    "INSERT INTO study VALUES (101, 'old', '{}', 'c', :moment)",
    "INSERT INTO study VALUES (102, 'other', '{}', 'c', :moment)",
    "INSERT INTO wave VALUES (101, 1, 'h', NULL, NULL)",
    "INSERT INTO wave VALUES (102, 1, 'h', NULL, NULL)",
    "INSERT INTO person VALUES (1, 101, 'r', 'n', '', '', '', '', true, '', :moment)",
    "INSERT INTO access VALUES ('a', 'receipt', 1)",
    "INSERT INTO response VALUES (1, 1, 1, 'h', 'f', 'en', '', :moment, 'p', 0, NULL)",
    "INSERT INTO submission VALUES (1, 'k', 'd', 1, 'p', 'next', :moment, 1.5)",
    "INSERT INTO answer VALUES (1, 1, 1, 'q1', '5', 2.5)",
    "INSERT INTO visit VALUES ('v', 1, :moment)",
    "INSERT INTO tombstone VALUES (1, 101, 't', '2026-01-02', 'respondent')",
    "INSERT INTO researcher VALUES ('ada', 'hash', :moment)",
    "INSERT INTO login VALUES ('l', 'ada', '2999-01-01 00:00:00')",
    "INSERT INTO audit (at, who, what, detail) VALUES (:moment, 'ada', 'log in', '')",
)
#: What has another shape now.
CHANGED = {"login", "member", "researcher"}


@pytest.fixture
def old(database: str) -> Iterator[sa.Engine]:
    """Make a database with the tables of version 0001, and a row in each."""
    engine = connect(database)
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in ROWS:
            connection.execute(sa.text(row), {"moment": MOMENT})
    yield engine
    engine.dispose()


def held(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """Read the rows of the tables that keep their shape."""
    with reading(engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in tables.metadata.sorted_tables
            if table.name not in CHANGED
        }


def upgraded(database: str) -> str:
    result = CliRunner().invoke(main, ["db", "upgrade", "-d", database])
    assert result.exit_code == 0, result.output
    return result.output


def test_rows_of_the_first_version_are_kept(database: str, old: sa.Engine) -> None:
    before = held(old)
    assert all(before.values())
    with pytest.raises(StoreError, match="pushaway db upgrade"):
        require_current(old)
    assert f"Upgraded from 0001 to {newest()}." in upgraded(database)
    assert current(old) == newest()
    after = held(old)
    assert after.pop("audit")[0] == before.pop("audit")[0]
    assert after == before
    assert "Nothing to do" in upgraded(database)


def test_researchers_see_what_they_saw_and_log_in_again(
    database: str, old: sa.Engine
) -> None:
    upgraded(database)
    with writing(old) as connection:
        assert accounts.sees(connection, "ada") == ["old", "other"]
        assert connection.execute(tables.login.select()).all() == []
        assert accounts.logged_in(connection, accounts.log_in(connection, "ada")).name
        accounts.add(connection, "eve", "correct horse battery", ["other"])
        assert accounts.sees(connection, "eve") == ["other"]


def test_an_upgraded_database_has_the_tables_of_a_new_one(
    database: str, old: sa.Engine
) -> None:
    upgraded(database)
    with reading(old) as connection:
        found = MigrationContext.configure(
            connection, opts={"compare_server_default": True}
        )
        assert compare_metadata(found, tables.metadata) == []


def test_an_upgrade_that_fails_leaves_the_old_tables(
    old: sa.Engine, database: str
) -> None:
    """A table in the way stops the upgrade half-way."""
    with writing(old) as connection:
        connection.execute(sa.text("CREATE TABLE member (x INTEGER)"))
    before = held_login(old)
    result = CliRunner().invoke(main, ["db", "upgrade", "-d", database])
    assert result.exit_code == 1
    assert "Error: database: " in result.output
    assert current(old) == "0001"
    assert held_login(old) == before
    with reading(old) as connection:
        columns = sa.inspect(connection).get_columns("researcher")
    assert [one["name"] for one in columns] == ["name", "password", "created"]


def held_login(engine: sa.Engine) -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        return [tuple(r) for r in connection.execute(sa.text("SELECT * FROM login"))]


def test_a_study_goes_on_after_the_upgrade(
    database: str, old: sa.Engine, walk: Instrument, key: Key
) -> None:
    upgraded(database)
    with writing(old) as connection:
        made = studies.begin(connection, "new", walk, studies.Settings(), key)
        assert accounts.sees(connection, "ada") == ["new", "old", "other"]
    assert made.waves[0].number == 1


def test_a_backup_of_an_older_program_is_restored(
    database: str, old: sa.Engine, tmp_path: Path
) -> None:
    """The copy that was made before the upgrade, as the program advises."""
    before = held(old)
    copy = tmp_path / "copy.zip"
    words = ["db", "backup", str(copy), "-d", database]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert backup.check(copy).version == "0001"
    upgrade(old)
    with pytest.raises(StoreError, match="Restore into a new database"):
        backup.restore(copy, old)
    fresh = connect(tmp_path / "fresh.db")
    assert backup.restore(copy, fresh).version == "0001"
    assert current(fresh) == newest()
    assert held(fresh) == {**before, "visit": []}
    with reading(fresh) as connection:
        assert accounts.sees(connection, "ada") == ["old", "other"]
    fresh.dispose()
