"""The writer: many writes, one commit; what fails fails alone."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from survey.errors import RefusedError, StoreError
from survey.store import tables, writer
from survey.store.database import reading
from survey.store.studies import now
from survey.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from survey.store.studies import Study

WAIT = 10


def note(text: str) -> Callable[[sa.Connection], str]:
    """Make a write that can be found again."""

    def work(connection: sa.Connection) -> str:
        connection.execute(
            tables.audit.insert().values(at=now(), who="w", what=text, detail="")
        )
        return text

    return work


def noted(engine: sa.Engine) -> list[str]:
    with reading(engine) as connection:
        query = sa.select(tables.audit.c.what).order_by(tables.audit.c.id)
        return list(connection.scalars(query))


class Gate:
    """A write that holds the writer up, so that others gather behind it."""

    def __init__(self, one: Writer) -> None:
        self._go, self._here = threading.Event(), threading.Event()
        self.done = one.submit(self._wait)
        assert self._here.wait(WAIT)

    def _wait(self, _: sa.Connection) -> None:
        self._here.set()
        assert self._go.wait(WAIT)

    def open(self) -> None:
        self._go.set()


def outcome(done: Future[Any]) -> Any:
    """Result of a write, or what it failed of."""
    error = done.exception(WAIT)
    return done.result() if error is None else error


def repeated(connection: sa.Connection) -> None:
    """Break a unique constraint, after a write that would be good."""
    note("half")(connection)
    row = connection.execute(sa.select(tables.study)).mappings().one()
    connection.execute(tables.study.insert().values(dict(row)))


def refused(connection: sa.Connection) -> None:
    note("half")(connection)
    raise RefusedError("not this")


def impossible(connection: sa.Connection) -> None:
    note("half")(connection)
    connection.exec_driver_sql("SELECT nothing FROM nowhere")


def with_nul(connection: sa.Connection) -> None:
    note("half")(connection)
    note("a\x00b")(connection)


@pytest.mark.parametrize("bad", [repeated, refused, impossible])
def test_failing_write_leaves_its_neighbours_alone(
    engine: sa.Engine, study: Study, bad: Callable[[sa.Connection], None]
) -> None:
    assert study
    with Writer(engine) as one:
        gate = Gate(one)
        before, failing, after = (one.submit(w) for w in (note("a"), bad, note("b")))
        gate.open()
        assert outcome(before) == "a"
        assert outcome(after) == "b"
        assert isinstance(outcome(failing), RefusedError | StoreError)
    assert noted(engine) == ["a", "b"]


def test_text_a_database_cannot_hold_fails_alone(engine: sa.Engine) -> None:
    with Writer(engine) as one:
        gate = Gate(one)
        dones = [one.submit(w) for w in (note("a"), with_nul, note("b"))]
        gate.open()
        found = [outcome(done) for done in dones]
    assert (found[0], found[2]) == ("a", "b")
    if engine.dialect.name == "postgresql":
        assert isinstance(found[1], StoreError | sa.exc.StatementError)
        assert noted(engine) == ["a", "b"]


@pytest.mark.parametrize("bad", [repeated, refused])
def test_single_failing_write_is_undone(
    engine: sa.Engine, study: Study, bad: Callable[[sa.Connection], None]
) -> None:
    assert study
    with Writer(engine) as one:
        assert isinstance(outcome(one.submit(bad)), RefusedError | StoreError)
        assert outcome(one.submit(note("a"))) == "a"
    assert noted(engine) == ["a"]


def test_loop_is_told_of_a_batch_at_once(engine: sa.Engine) -> None:
    woken = []

    async def many(one: Writer) -> list[Any]:
        loop = asyncio.get_running_loop()
        real = loop.call_soon_threadsafe

        def counted(call: Callable[..., Any], *given: Any, **more: Any) -> Any:
            woken.append(1)
            return real(call, *given, **more)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        gate = Gate(one)
        writes = [one.write(w) for w in (note("a"), refused, note("b"))]
        waiting = asyncio.gather(*writes, return_exceptions=True)
        await asyncio.sleep(0)
        gate.open()
        return await waiting

    with Writer(engine) as one:
        found = asyncio.run(many(one))
    assert (found[0], found[2]) == ("a", "b")
    assert isinstance(found[1], RefusedError)
    assert len(woken) == 1
    assert noted(engine) == ["a", "b"]


def test_loop_that_gives_up_or_ends_stops_nothing(engine: sa.Engine) -> None:
    with Writer(engine) as one:
        gate = Gate(one)

        async def impatient() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one.write(note("given up")), 0.01)
            waiting = asyncio.ensure_future(one.write(note("left")))
            await asyncio.sleep(0)
            waiting.cancel()

        asyncio.run(impatient())
        after = one.submit(note("b"))
        gate.open()
        assert outcome(after) == "b"
    assert noted(engine) == ["given up", "left", "b"]


def test_only_a_failure_does_writes_again(engine: sa.Engine) -> None:
    done: list[str] = []

    def counted(text: str) -> Callable[[sa.Connection], str]:
        def work(connection: sa.Connection) -> str:
            done.append(text)
            return note(text)(connection)

        return work

    with Writer(engine) as one:
        for works in (("a", "b"), ("c", refused, "d")):
            gate = Gate(one)
            dones = [one.submit(counted(w) if isinstance(w, str) else w) for w in works]
            gate.open()
            for each in dones:
                outcome(each)
    assert done == ["a", "b", "c", "c", "d"]
    assert noted(engine) == ["a", "b", "c", "d"]


def test_writes_that_wait_are_committed_together(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    real = writer.writing

    def counted(given: sa.Engine) -> Any:
        commits.append(1)
        return real(given)

    monkeypatch.setattr(writer, "writing", counted)
    with Writer(engine) as one:
        gate = Gate(one)
        dones = [one.submit(note(str(k))) for k in range(150)]
        gate.open()
        assert [outcome(done) for done in dones] == [str(k) for k in range(150)]
    assert len(commits) == 2
    assert noted(engine) == [str(k) for k in range(150)]


def test_nothing_is_acknowledged_before_the_commit(engine: sa.Engine) -> None:
    seen: list[list[str]] = []
    with Writer(engine) as one:
        done = one.submit(note("a"))
        done.add_done_callback(lambda _: seen.append(noted(engine)))
        outcome(done)
    assert seen == [["a"]]


def test_failed_commit_fails_every_write_of_it(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from survey.store import database  # noqa: PLC0415 - patched

    real = database.commit

    def failing(_: sa.Connection) -> None:
        monkeypatch.setattr(database, "commit", real)
        raise sa.exc.OperationalError("COMMIT", {}, OSError("disk full"))

    with Writer(engine) as one:
        gate = Gate(one)
        dones = [one.submit(note(str(k))) for k in range(5)]
        monkeypatch.setattr(database, "commit", failing)
        gate.open()
        errors = [outcome(done) for done in (gate.done, *dones)]
        # The first commit holds the gate alone, or some of those behind it as well.
        failed = [e for e in errors if isinstance(e, StoreError)]
        assert failed
        assert all("disk full" in str(e) for e in failed)
        stored = [e for e in errors if isinstance(e, str)]
        assert outcome(one.submit(note("after"))) == "after"
    assert noted(engine) == [*stored, "after"]


def test_full_queue_is_said(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING", 3)
    with Writer(engine) as one:
        gate = Gate(one)
        dones = [one.submit(note(str(k))) for k in range(3)]
        with pytest.raises(StoreError, match="3 writes are waiting"):
            one.submit(note("too many"))
        gate.open()
        assert [outcome(done) for done in dones] == ["0", "1", "2"]
    assert noted(engine) == ["0", "1", "2"]


def test_closing_waits_for_what_was_accepted(engine: sa.Engine) -> None:
    with Writer(engine) as one:
        gate = Gate(one)
        dones = [one.submit(note(str(k))) for k in range(450)]
        gate.open()
    assert all(done.done() for done in dones)
    assert len(noted(engine)) == 450
    with pytest.raises(StoreError, match="after the end"):
        one.submit(note("late"))


def test_who_gives_up_waiting_stops_nothing(engine: sa.Engine) -> None:
    with Writer(engine) as one:
        gate = Gate(one)
        given_up = one.submit(note("a"))
        assert not given_up.cancel()
        after = one.submit(note("b"))
        gate.open()
        assert outcome(after) == "b"
    assert noted(engine) == ["a", "b"]


def test_many_threads_write_each_once(engine: sa.Engine) -> None:
    with Writer(engine) as one:

        def work(name: int) -> None:
            for k in range(20):
                outcome(one.submit(note(f"{name}-{k}")))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = noted(engine)
    assert len(found) == len(set(found)) == 160
