"""One writer for all requests: many writes, one commit, then every answer.

A write is acknowledged when the commit that holds it has reached the disk. Writes that
arrive while the disk is busy are committed together.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from sqlalchemy.exc import DBAPIError

from survey.errors import StoreError
from survey.store.database import plainly, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

T = TypeVar("T")

#: Writes committed together at most.
BATCH: Final = 200
#: Writes that may wait; more than the disk can take in the patience of a browser.
WAITING: Final = 5000


@dataclass(frozen=True, slots=True)
class _Write:
    work: Callable[[sa.Connection], Any]
    done: Future[Any]


class Writer:
    """A thread that writes to a database.

    Use it as a context manager; leaving waits for what was accepted.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._open = False
        self._gate = threading.Lock()
        self._queue: queue.Queue[_Write | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def __enter__(self) -> Self:
        """Begin to write."""
        self._thread.start()
        self._open = True
        return self

    def __exit__(self, *_: object) -> None:
        """Write what was accepted, then stop."""
        with self._gate:
            self._open = False
        self._queue.put(None)
        self._thread.join()

    def submit(self, work: Callable[[sa.Connection], T]) -> Future[T]:
        """Accept a write; its future holds the result once it is on the disk.

        Raises
        ------
        StoreError
            If too many writes are waiting already, or nobody writes (any more).
        """
        done: Future[T] = Future()
        # Whoever waits may give up; what was accepted is written all the same.
        done.set_running_or_notify_cancel()
        with self._gate:
            if not self._open:
                raise StoreError(
                    "database: nothing is written before the start or after the end. "
                    "Nothing of this was stored; try again in a moment."
                )
            try:
                self._queue.put_nowait(_Write(work, done))
            except queue.Full:
                raise StoreError(
                    f"database: {WAITING} writes are waiting. Nothing of this was "
                    "stored; try again in a moment."
                ) from None
        return done

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = [first], False
            while len(batch) < BATCH:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._write(batch)
            if last:
                return

    def _write(self, batch: list[_Write]) -> None:
        outcomes: list[tuple[_Write, Any, BaseException | None]] = []
        try:
            with writing(self._engine) as connection:
                if len(batch) == 1:
                    outcomes = [(batch[0], batch[0].work(connection), None)]
                else:
                    outcomes = [(w, *_attempt(w, connection)) for w in batch]
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            for write in batch:
                write.done.set_exception(error)
            return
        for write, result, failure in outcomes:
            if failure is None:
                write.done.set_result(result)
            else:
                write.done.set_exception(failure)


def _attempt(
    write: _Write, connection: sa.Connection
) -> tuple[Any, BaseException | None]:
    """Do one write; if it fails it alone is undone."""
    _mark(connection, "SAVEPOINT one_write")
    try:
        result = write.work(connection)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        try:
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one_write")
            connection.exec_driver_sql("RELEASE SAVEPOINT one_write")
        except DBAPIError:
            # The database gave up the whole transaction, as on a full disk.
            raise error from None
        return None, plainly(error) if isinstance(error, DBAPIError) else error
    _mark(connection, "RELEASE SAVEPOINT one_write")
    return result, None


def _mark(connection: sa.Connection, statement: str) -> None:
    """Begin or end a write within the transaction; at once where that needs no net."""
    raw = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" and raw is not None:
        raw.execute(statement)
    else:
        connection.exec_driver_sql(statement)
