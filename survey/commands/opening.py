"""Open the database of a study for a command."""

from __future__ import annotations

import getpass
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from survey.errors import RefusedError, StoreError
from survey.store import studies
from survey.store.codes import Key, key_for
from survey.store.database import connect, reading, url_of, writing
from survey.store.versions import current, require_current

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that was opened, the key of its codes, and who opened it."""

    engine: sa.Engine
    key: Key
    who: str


def require_there(database: str) -> None:
    """See that a database exists, so that a mistyped path makes none.

    Raises
    ------
    StoreError
        If there is no such file.
    """
    url = url_of(database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise StoreError(
            f"{database}: there is no such database. Name the one of your study with "
            "--database, or begin one: pushaway study begin, pushaway serve."
        )


def make_private(database: str) -> None:
    """Make an empty file that only its owner can read, where SQLite has none yet."""
    url = url_of(database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    place = Path(url.database)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


@contextmanager
def engine_of(database: str, *, make: bool = False) -> Iterator[sa.Engine]:
    """Open a database as it is.

    Raises
    ------
    StoreError
        If there is none, or it cannot be reached.
    """
    if make:
        make_private(database)
    else:
        require_there(database)
    engine = connect(database)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def opened(
    database: str, *, study: str | None = None, make: bool = False
) -> Iterator[Opened]:
    """Open a database and its key.

    Parameters
    ----------
    study
        Study whose key it must be.
    make
        Whether to make what is missing.

    Raises
    ------
    StoreError
        If there is none, it is of another version, or the key is missing or another.
    """
    with engine_of(database, make=make) as engine:
        if not make and current(engine) is None:
            raise StoreError(
                f"{url_of(database).render_as_string()}: holds no study. Begin one: "
                "pushaway study begin, pushaway serve."
            )
        require_current(engine)
        key = key_for(database, make=make and not studies.exist(engine))
        if study is not None:
            with reading(engine) as connection:
                studies.require_key(connection, study, key)
        yield Opened(engine, key, author())


@contextmanager
def at_work(
    database: str, study: str, *, write: bool = False
) -> Iterator[tuple[sa.Connection, studies.Study, Opened]]:
    """Open a study of a database, to read it or to change it."""
    with (
        opened(database, study=study) as place,
        (writing if write else reading)(place.engine) as connection,
    ):
        yield connection, studies.find(connection, study), place


def author() -> str:
    """Name whoever runs a command, for the audit log."""
    try:
        return f"command: {getpass.getuser()}"
    except (KeyError, OSError):
        return "command"


def write_private(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner can read: links let people in.

    Raises
    ------
    RefusedError
        If the path is a folder.
    """
    if path.is_dir():
        raise RefusedError(f"{path}: is a folder. Name a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
    part.replace(path)
