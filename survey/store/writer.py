"""One writer for all requests: many writes, one commit, then every answer.

A write is acknowledged when the commit that holds it has reached the disk. Writes that
arrive while the disk is busy are committed together.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
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


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    """A write, and who waits for it: someone in an event loop, or in a thread."""

    work: Callable[[sa.Connection], Any]
    done: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """How a write went."""

    write: _Write
    result: Any = None
    failure: BaseException | None = None


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

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Write; returns once it is on the disk.

        `work` is undone and done again when a neighbour fails: it changes nothing but
        the database.

        Raises
        ------
        StoreError
            If too many writes are waiting already, or nobody writes (any more).
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._accept(_Write(work, done, loop))
        return await done

    def submit(self, work: Callable[[sa.Connection], T]) -> Future[T]:
        """Accept a write as `write` does; its future holds the result later."""
        done: Future[T] = Future()
        # Whoever waits may give up; what was accepted is written all the same.
        done.set_running_or_notify_cancel()
        self._accept(_Write(work, done))
        return done

    def _accept(self, write: _Write) -> None:
        with self._gate:
            if not self._open:
                raise StoreError(
                    "database: nothing is written before the start or after the end. "
                    "Nothing of this was stored; try again in a moment."
                )
            try:
                self._queue.put_nowait(write)
            except queue.Full:
                raise StoreError(
                    f"database: {WAITING} writes are waiting. Nothing of this was "
                    "stored; try again in a moment."
                ) from None

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
        try:
            with writing(self._engine) as connection:
                outcomes = _in_turn(batch, connection)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            outcomes = [_Outcome(write, failure=error) for write in batch]
        _settle(outcomes)


def _in_turn(batch: list[_Write], connection: sa.Connection) -> list[_Outcome]:
    """Do writes one after the other.

    When one fails all are undone and done again, each so that it alone can be undone.
    """
    if len(batch) == 1:
        return [_Outcome(batch[0], batch[0].work(connection))]
    connection.exec_driver_sql("SAVEPOINT writes")
    try:
        return [_Outcome(write, write.work(connection)) for write in batch]
    except Exception as error:  # noqa: BLE001 - found again, and handed to its write
        _undo(connection, error)
    return [_attempt(write, connection) for write in batch]


def _attempt(write: _Write, connection: sa.Connection) -> _Outcome:
    """Do one write; if it fails it alone is undone."""
    connection.exec_driver_sql("SAVEPOINT writes")
    try:
        result = write.work(connection)
    except Exception as error:  # noqa: BLE001 - handed to whoever waits
        _undo(connection, error)
        told = plainly(error) if isinstance(error, DBAPIError) else error
        return _Outcome(write, failure=told)
    connection.exec_driver_sql("RELEASE SAVEPOINT writes")
    return _Outcome(write, result)


def _undo(connection: sa.Connection, error: Exception) -> None:
    """Go back to the savepoint, or give up if nothing is left to go back in."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        raise error
    try:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT writes")
        connection.exec_driver_sql("RELEASE SAVEPOINT writes")
    except DBAPIError as lost:
        # The database gave up the whole transaction, as on a full disk. What one write
        # was refused for is none of its neighbours' business.
        raise (error if isinstance(error, DBAPIError) else lost) from None


def _settle(outcomes: list[_Outcome]) -> None:
    """Tell everyone who waits; an event loop is woken once for all of its own."""
    for loop in {one.write.loop for one in outcomes}:
        own = [one for one in outcomes if one.write.loop is loop]
        if loop is None:
            _tell(own)
            continue
        # A loop that was closed has nobody who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_tell, own)


def _tell(outcomes: list[_Outcome]) -> None:
    for one in outcomes:
        done = one.write.done
        if done.done():
            continue
        if one.failure is None:
            done.set_result(one.result)
        else:
            done.set_exception(one.failure)
