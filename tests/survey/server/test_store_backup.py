"""Copies that can be put back, and tables of every version, on both databases."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from survey.errors import StoreError
from survey.store import people, progress, studies, tables, versions
from survey.store.backup import backup, check, restore
from survey.store.database import connect, reading, writing
from survey.store.versions import current, newest, require_current, upgrade

if TYPE_CHECKING:
    from pathlib import Path

    from survey.store.codes import Key
    from survey.store.studies import Study

REMARK = "ä, „quoted“, ☃,\nand a second line"


def fill(engine: sa.Engine, study: Study, key: Key) -> None:
    with writing(engine) as connection:
        for k in range(5):
            person = people.add(connection, study, key, panel={"pid": f"P{k}"})
            people.connect(connection, study, person, f"hash{k}")
            now = progress.begin(
                connection, study, study.waves[0], person,
                form="full", language="en", page="first", orders={"fourth": ("a",)},
            )  # fmt: skip
            progress.store(
                connection, study, now,
                progress.Sent(f"k{k}", "first", "next", {"remark": REMARK}, 1.5, {}),
                page="second", reached=2, finished=k == 0,
            )  # fmt: skip


def everything(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    with reading(engine) as connection:
        return {
            table.name: sorted(tuple(r) for r in connection.execute(sa.select(table)))
            if table.name == "wave"
            else [
                tuple(r)
                for r in connection.execute(
                    sa.select(table).order_by(*table.primary_key.columns)
                )
            ]
            for table in tables.metadata.sorted_tables
            if table.name not in {"visit", "login"}
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> sa.Engine:
    """Another, empty database of either kind."""
    if request.param == "sqlite":
        return connect(tmp_path / "restored.db")
    return connect(request.getfixturevalue("cluster").new("restored"))


def test_backup_goes_back_into_either_database(
    engine: sa.Engine, study: Study, key: Key, tmp_path: Path, target: sa.Engine
) -> None:
    fill(engine, study, key)
    place = tmp_path / "copy" / "study.zip"
    made = backup(engine, place)
    assert place.stat().st_mode & 0o777 == 0o600
    assert list(place.parent.iterdir()) == [place]
    assert (made.rows["person"], made.rows["answer"]) == (5, 5)
    assert "visit" not in made.rows
    assert "5 person" in made.summary()
    assert restore(place, target).rows == made.rows
    assert everything(target) == everything(engine)
    # Numbers go on behind those that were put back.
    with writing(target) as connection:
        again = studies.find(connection, "main")
        assert people.add(connection, again, key).id == 6
    target.dispose()


def test_backup_does_not_overwrite(
    engine: sa.Engine, study: Study, tmp_path: Path
) -> None:
    assert study
    place = tmp_path / "study.zip"
    backup(engine, place)
    with pytest.raises(StoreError, match="exists already"):
        backup(engine, place)


def test_backup_shows_one_moment(
    engine: sa.Engine, study: Study, key: Key, tmp_path: Path
) -> None:
    """Pages that are stored while the copy is made are in it whole, or not at all."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            with writing(engine) as connection:
                people.add(connection, study, key)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        made = [backup(engine, tmp_path / f"{k}.zip") for k in range(5)]
    finally:
        stop.set()
        thread.join()
    assert all(3 * m.rows["person"] == m.rows["access"] for m in made)


def test_restoring_over_something_is_refused(
    engine: sa.Engine, study: Study, key: Key, tmp_path: Path
) -> None:
    fill(engine, study, key)
    place = tmp_path / "study.zip"
    backup(engine, place)
    before = everything(engine)
    with pytest.raises(StoreError, match="holds rows already"):
        restore(place, engine)
    assert everything(engine) == before


@pytest.fixture
def copy(tmp_path: Path, walk: object, key: Key) -> Path:
    engine = connect(tmp_path / "study.db")
    require_current(engine)
    with writing(engine) as connection:
        study = studies.begin(connection, "main", walk, studies.Settings(), key)  # type: ignore[arg-type]
    fill(engine, study, key)
    backup(engine, tmp_path / "study.zip")
    engine.dispose()
    return tmp_path / "study.zip"


def test_damage_anywhere_is_found(copy: Path) -> None:
    good = copy.read_bytes()
    whole = check(copy)
    unnoticed = 0
    for at in range(0, len(good), 41):
        copy.write_bytes(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        try:
            unnoticed += check(copy).rows != whole.rows
        except StoreError as error:
            assert copy.name in str(error)  # noqa: PT017 - some damage hurts nothing
    assert unnoticed == 0


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_half_a_backup_is_none(copy: Path, share: float) -> None:
    good = copy.read_bytes()
    copy.write_bytes(good[: int(len(good) * share)])
    with pytest.raises(StoreError, match="no backup of a study"):
        check(copy)


def rewritten(copy: Path, name: str, content: bytes | None) -> None:
    """Replace or remove one member of an archive."""
    with zipfile.ZipFile(copy) as old:
        members = {n: old.read(n) for n in old.namelist()}
    members.pop(name)
    with zipfile.ZipFile(copy, "w") as new:
        for one, text in members.items():
            new.writestr(one, text)
        if content is not None:
            new.writestr(name, content)


def test_changed_missing_or_older_content_is_refused(copy: Path) -> None:
    good = copy.read_bytes()
    with zipfile.ZipFile(copy) as archive:
        answers = archive.read("answer.jsonl")
        manifest = json.loads(archive.read("manifest.json"))
    rewritten(copy, "answer.jsonl", answers.replace(b"second", b"seconx"))
    with pytest.raises(StoreError, match="table answer is damaged"):
        check(copy)
    copy.write_bytes(good)
    rewritten(copy, "answer.jsonl", None)
    with pytest.raises(StoreError, match=r"not what it lists: answer\.jsonl"):
        check(copy)
    copy.write_bytes(good)
    del manifest["sha256"]["answer"]
    rewritten(copy, "manifest.json", json.dumps(manifest).encode())
    with pytest.raises(StoreError, match="answer"):
        check(copy)


def test_backup_of_other_tables_is_refused(copy: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(copy) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["version"] = "9999"
    rewritten(copy, "manifest.json", json.dumps(manifest).encode())
    engine = connect(tmp_path / "other.db")
    with pytest.raises(StoreError, match="version 9999"):
        restore(copy, engine)
    engine.dispose()


# -- versions --------------------------------------------------------------------------


def test_empty_database_is_given_its_tables(database: str) -> None:
    engine = connect(database)
    assert current(engine) is None
    assert upgrade(engine) == (None, newest())
    assert upgrade(engine) == (newest(), newest())
    require_current(engine)
    assert current(engine) == newest()
    engine.dispose()


def test_migrations_make_the_tables_of_the_program(engine: sa.Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, tables.metadata) == []


def test_database_of_a_newer_program_is_refused(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for use in (require_current, upgrade):
        with pytest.raises(StoreError, match="version 9999, which a newer program"):
            use(engine)


def test_tables_without_a_version_are_refused(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(StoreError, match="version unknown"):
        require_current(engine)


def test_migration_that_fails_leaves_nothing(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect(database)
    real = versions.command.upgrade

    def failing(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("power cut")

    monkeypatch.setattr(versions.command, "upgrade", failing)
    with pytest.raises(RuntimeError):
        upgrade(engine)
    with reading(engine) as connection:
        assert sa.inspect(connection).get_table_names() == []
    monkeypatch.undo()
    engine.dispose()


BEGIN = """
import sys
from survey.store.database import connect
from survey.store.versions import require_current
print("ready", flush=True)
sys.stdin.readline()
require_current(connect(sys.argv[1]))
"""


def test_programs_may_begin_at_once(database: str) -> None:
    started = [
        subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", BEGIN, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.communicate(timeout=30)[1] for one in started] == ["", "", ""]
    assert [one.returncode for one in started] == [0, 0, 0]
