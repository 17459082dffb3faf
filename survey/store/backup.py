"""Copies of a database, whole and checked, that can be put back on either kind.

A backup is one file: every table as lines of JSON in a zip archive, with counts and
hashes. It is read in one transaction, so that it shows one moment; the survey runs on.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from survey.errors import StoreError
from survey.store import tables
from survey.store.database import reading, writing
from survey.store.studies import now
from survey.store.versions import current, empty, newest, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MANIFEST: Final = "manifest.json"
#: Where someone is logged in is no part of the data.
_LEFT_OUT: Final = frozenset({"visit", "login"})
_CHUNK: Final = 1000
_BLOCK: Final = 1 << 20
#: What reading a damaged archive may end in.
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
    EOFError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a database.

    Attributes
    ----------
    path
        The file.
    made
        When, UTC.
    version
        Version of the tables.
    rows
        Number of rows by table.
    """

    path: Path
    made: str
    version: str
    rows: dict[str, int]

    def summary(self) -> str:
        """Say what the copy holds."""
        held = ", ".join(f"{n} {name}" for name, n in self.rows.items() if n)
        return f"{self.path}: {held or 'empty'}; tables of version {self.version}."


def backup(engine: sa.Engine, target: Path) -> Backup:
    """Copy a database into one file, and read the copy back to see that it is whole.

    Raises
    ------
    StoreError
        If the file exists already, or what was written is not what was read.
    """
    if target.exists():
        raise StoreError(f"{target}: exists already. Name another file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    version = current(engine) or ""
    rows: dict[str, int] = {}
    hashes: dict[str, str] = {}
    part.unlink(missing_ok=True)
    part.touch(0o600)
    with (
        reading(engine) as connection,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
            )
        for table in _kept(connection, version):
            digest, count = hashlib.sha256(), 0
            with archive.open(f"{table.name}.jsonl", "w") as stream:
                for line in _lines(connection, table):
                    stream.write(line)
                    digest.update(line)
                    count += 1
            rows[table.name], hashes[table.name] = count, digest.hexdigest()
        made = now().isoformat()
        content = {"made": made, "version": version, "rows": rows, "sha256": hashes}
        archive.writestr(_MANIFEST, json.dumps(content, indent=1))
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    found = check(part)
    part.replace(target)
    _settle(target.parent)
    return Backup(target, found.made, found.version, found.rows)


def _settle(folder: Path) -> None:
    """See that the new name of a file is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check(path: Path) -> Backup:
    """Read a backup through and compare it with its own counts and hashes.

    Raises
    ------
    StoreError
        If it is no backup, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read(_MANIFEST))
            listed = {f"{name}.jsonl" for name in content["sha256"]} | {_MANIFEST}
            if listed != set(archive.namelist()):
                odd = ", ".join(sorted(listed ^ set(archive.namelist())))
                raise StoreError(
                    f"{path}: what it holds is not what it lists: {odd}. Use another "
                    "backup."
                )
            for name, known in content["sha256"].items():
                digest = hashlib.sha256()
                with archive.open(f"{name}.jsonl") as stream:
                    while part := stream.read(_BLOCK):
                        digest.update(part)
                if digest.hexdigest() != known:
                    raise StoreError(
                        f"{path}: table {name} is damaged. Use another backup."
                    )
    except _UNREADABLE as error:
        raise StoreError(
            f"{path}: this is no backup of a study ({error}). Name a file that "
            "`pushaway db backup` wrote."
        ) from error
    return Backup(path, content["made"], content["version"], content["rows"])


def restore(path: Path, engine: sa.Engine) -> Backup:
    """Put a backup into an empty database, and bring that up to date.

    Raises
    ------
    StoreError
        If the database holds anything, or the backup is damaged or of a newer program.
    """
    found = check(path)
    if empty(engine):
        upgrade(engine, found.version)
    elif current(engine) != found.version:
        raise StoreError(
            f"{path}: its tables are of version {found.version}, those of the database "
            f"of version {current(engine) or 'unknown'}. Restore into a new database."
        )
    with writing(engine) as connection, zipfile.ZipFile(path) as archive:
        held = _held(connection, found)
        for table in held:
            if connection.execute(sa.select(table).limit(1)).first() is not None:
                raise StoreError(
                    f"database: table {table.name} holds rows already. Restore into "
                    "an empty database."
                )
        for table in held:
            with archive.open(f"{table.name}.jsonl") as stream:
                batch: list[dict[str, Any]] = []
                for line in stream:
                    batch.append(_row(table, json.loads(line)))
                    if len(batch) == _CHUNK:
                        connection.execute(table.insert(), batch)
                        batch = []
                if batch:
                    connection.execute(table.insert(), batch)
            _continue(connection, table)
    upgrade(engine)
    return found


def _held(connection: sa.Connection, found: Backup) -> list[sa.Table]:
    """Read the tables of a backup as they were in its version."""
    metadata = sa.MetaData()
    metadata.reflect(connection, only=lambda name, _: name in found.rows)
    return list(metadata.sorted_tables)


def _kept(connection: sa.Connection, version: str) -> list[sa.Table]:
    """List what is copied: the tables of this program, or of the one that made them."""
    metadata = tables.metadata
    if version != newest():
        metadata, known = sa.MetaData(), tables.metadata.tables
        metadata.reflect(connection, only=lambda name, _: name in known)
    return [t for t in metadata.sorted_tables if t.name not in _LEFT_OUT]


def _lines(connection: sa.Connection, table: sa.Table) -> Iterator[bytes]:
    order = list(table.primary_key.columns)
    rows = connection.execution_options(yield_per=_CHUNK).execute(
        sa.select(table).order_by(*order)
    )
    for row in rows.mappings():
        plain = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in row.items()
        }
        yield json.dumps(plain, ensure_ascii=False).encode() + b"\n"


def _row(table: sa.Table, plain: dict[str, Any]) -> dict[str, Any]:
    times = {c.name for c in table.columns if isinstance(c.type, sa.DateTime)}
    return {
        name: datetime.fromisoformat(value) if name in times and value else value
        for name, value in plain.items()
    }


def _continue(connection: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL count on after the rows that were put back."""
    if connection.dialect.name != "postgresql" or "id" not in table.columns:
        return
    if not isinstance(table.c.id.type, sa.Integer):
        return
    largest = sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0)).scalar_subquery()
    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
    connection.execute(sa.select(sa.func.setval(sequence, largest + 1, False)))  # noqa: FBT003 - PostgreSQL's own argument
