"""Nothing acknowledged is lost, doubled or halved, whatever fails.

A few rounds each; tests/benchmarks/server_faults.py does hundreds.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from survey.server import guard
from survey.server.app import create_app
from survey.store import answers, studies, tables
from survey.store.codes import VARIABLE
from survey.store.database import connect, reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from survey.instrument import Instrument

KILLS = 5
DISK = 1_500_000
pytestmark = pytest.mark.usefixtures("own_key")


@pytest.fixture
def own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ab" * 32)


def wait_for(fact: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


# -- killed processes ------------------------------------------------------------------


def test_killed_survey_loses_doubles_and_halves_nothing(
    database: str, served: Callable[..., Any], walking: ModuleType
) -> None:
    server = served(database)
    with walking.Crowd(server.port, 6) as crowd:
        for _ in range(KILLS):
            time.sleep(random.uniform(0.1, 0.6))  # noqa: S311 - no secret
            server.kill()
            found = walking.compare(database, crowd.walk, set(crowd.walk.acknowledged))
            assert found.good, found
            server = served(database, server.port)
        assert wait_for(lambda: len(crowd.walk.acknowledged) > 20)
    server.stop()
    found = walking.compare(database, crowd.walk, crowd.walk.acknowledged)
    assert found.good, found
    assert found.stored >= len(crowd.walk.acknowledged) > 20


def test_survey_that_is_told_to_stop_stores_what_it_took(
    database: str, served: Callable[..., Any], walking: ModuleType
) -> None:
    server = served(database)
    with walking.Crowd(server.port, 6) as crowd:
        assert wait_for(lambda: len(crowd.walk.acknowledged) > 20)
        server.stop()
        found = walking.compare(database, crowd.walk, set(crowd.walk.acknowledged))
        assert found.good, found


def test_killed_database_comes_back_by_itself(
    cluster: Any, served: Callable[..., Any], walking: ModuleType
) -> None:
    database = cluster.new("killed")
    server = served(database)
    with walking.Crowd(server.port, 4) as crowd:
        for _ in range(2):
            before = len(crowd.walk.acknowledged)
            assert wait_for(lambda n=before: len(crowd.walk.acknowledged) > n + 5)
            cluster.kill()
            cluster.start_again()
            acknowledged = set(crowd.walk.acknowledged)
            found = walking.compare(database, crowd.walk, acknowledged)
            assert found.good, found
            before = len(acknowledged)
            assert wait_for(lambda n=before: len(crowd.walk.acknowledged) > n)
    server.kill()
    found = walking.compare(database, crowd.walk, crowd.walk.acknowledged)
    assert found.good, found


def test_database_gone_for_a_while_is_said_and_found_again(
    cluster: Any, served: Callable[..., Any], walking: ModuleType
) -> None:
    database = cluster.new("gone")
    server = served(database)

    async def go() -> list[int]:
        browser = walking.Browser(server.port)
        text = await entered(browser, walking)
        fields = walking.filled(text, 1)
        cluster.stop()
        gone = await browser.post("/page/first", fields)
        assert gone.headers["retry-after"] == "5"
        seen = await browser.get("/page/first")
        cluster.start()
        back = await browser.post("/page/first", fields)
        await browser.close()
        return [gone.status, seen.status, back.status]

    assert asyncio.run(go()) == [503, 503, 303]


async def entered(browser: Any, walking: ModuleType) -> str:
    """Come in and open the first page."""
    home = await browser.get("/")
    fields = {"csrf": walking.hidden(home.text, "csrf"), "agree": "yes"}
    assert (await browser.post("/consent", fields)).status == 303
    first: str = (await browser.get("/page/first")).text
    return first


# -- a disk that is full, a file that is locked ----------------------------------------


def test_full_disk_is_said_and_loses_nothing(
    tmp_path: Path, served: Callable[..., Any], walking: ModuleType
) -> None:
    """A limit on the size of files stands for the disk."""
    place = tmp_path / "study.db"
    server = served(place, largest=str(DISK))
    with walking.Crowd(server.port, 4) as crowd:
        assert wait_for(lambda: crowd.walk.refused[503] > 20)
        server.signal(signal.SIGKILL)
    acknowledged = set(crowd.walk.acknowledged)
    assert len(acknowledged) > 20
    found = walking.compare(place, crowd.walk, acknowledged)
    assert found.good, found
    roomy = served(place, server.port)
    with walking.Crowd(roomy.port, 2) as later:
        assert wait_for(lambda: len(later.walk.acknowledged) > 10)


def test_page_that_finds_no_room_keeps_what_was_typed(
    tmp_path: Path, walk: Instrument, walking: ModuleType
) -> None:
    place = tmp_path / "study.db"
    app = create_app(walk, place)
    with TestClient(app, follow_redirects=False) as client:
        text = begun(client, walking)
        writer = app.state.desk.writer

        def room(connection: sa.Connection, pages: str = "page_count") -> None:
            most = connection.exec_driver_sql(f"PRAGMA {pages}").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

        writer.submit(room).result(5)
        stored, refused = 0, None
        for k in range(200):
            fields = walking.filled(text, k)
            found = client.post("/page/first", data=fields)
            if found.status_code == 503:
                refused = found
                break
            stored += found.status_code == 303
            text = client.get("/page/first").text
        assert refused is not None
        chosen = refused.text.count(" checked")
        assert chosen == 5
        assert walking.hidden(refused.text, "key") == fields["key"]
        assert submissions(place) == stored
        writer.submit(
            lambda c: c.exec_driver_sql("PRAGMA max_page_count=1000000")
        ).result(5)
        assert client.post("/page/first", data=fields).status_code == 303
    assert submissions(place) == stored + 1


def submissions(database: Path | str) -> int:
    engine = connect(database)
    with reading(engine) as connection:
        found = connection.execute(
            sa.select(sa.func.count()).select_from(tables.submission)
        ).scalar_one()
    engine.dispose()
    return found


def test_locked_file_is_waited_for_then_said_then_used_again(
    tmp_path: Path, walk: Instrument, walking: ModuleType
) -> None:
    place = tmp_path / "study.db"
    with TestClient(create_app(walk, place), follow_redirects=False) as client:
        text = begun(client, walking)
        fields = walking.filled(text, 1)
        other = sqlite3.connect(place, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        refused = client.post("/page/first", data=fields)
        assert refused.status_code == 503
        assert 4 < time.monotonic() - begin < 8
        assert client.get("/page/first").status_code == 200
        other.execute("ROLLBACK")
        other.close()
        assert client.post("/page/first", data=fields).status_code == 303
    assert submissions(place) == 1


# -- sent twice, in two tabs, out of order ---------------------------------------------


def begun(client: TestClient, walking: ModuleType) -> str:
    home = client.get("/").text
    fields = {"csrf": walking.hidden(home, "csrf"), "agree": "yes"}
    assert client.post("/consent", data=fields).status_code == 303
    return client.get("/page/first").text


def test_page_sent_again_is_stored_once(
    client: TestClient, database: str, walking: ModuleType
) -> None:
    fields = walking.filled(begun(client, walking), 1)
    found = [client.post("/page/first", data=fields) for _ in range(5)]
    assert {f.status_code for f in found} == {303}
    assert {f.headers["location"] for f in found} == {"/page/second"}
    assert submissions(database) == 1


def test_page_sent_again_with_other_answers_is_refused_and_shown(
    client: TestClient, database: str, walking: ModuleType
) -> None:
    fields = walking.filled(begun(client, walking), 1)
    client.post("/page/first", data=fields)
    other = client.post("/page/first", data=fields | {"first0": "5", "first1": "5"})
    assert other.status_code == 409
    assert walking.hidden(other.text, "key") != fields["key"]
    assert submissions(database) == 1


def test_fifty_at_once_with_one_key_are_stored_once(
    database: str, served: Callable[..., Any], walking: ModuleType
) -> None:
    server = served(database)

    async def go() -> list[int]:
        first = walking.Browser(server.port)
        fields = walking.filled(await entered(first, walking), 1)
        tabs = [walking.Browser(server.port) for _ in range(50)]
        for tab in tabs:
            tab.cookie = first.cookie
        found = await asyncio.gather(*(t.post("/page/first", fields) for t in tabs))
        for tab in (first, *tabs):
            await tab.close()
        return [f.status for f in found]

    assert asyncio.run(go()) == [303] * 50
    assert submissions(database) == 1


def test_two_tabs_keep_both_histories_and_the_last_counts(
    client: TestClient, database: str, walking: ModuleType
) -> None:
    one = walking.filled(begun(client, walking), 1)
    two = walking.filled(client.get("/page/first").text, 2)
    assert client.post("/page/first", data=one).status_code == 303
    assert client.post("/page/first", data=two).status_code == 303
    assert submissions(database) == 2
    assert latest(database)["first0"] == two["first0"]
    # The first tab, sent again late, changes nothing.
    assert client.post("/page/first", data=one).status_code == 303
    assert submissions(database) == 2
    assert latest(database)["first0"] == two["first0"]


def latest(database: str) -> dict[str, Any]:
    engine = connect(database)
    with reading(engine) as connection:
        found = answers.table(connection, studies.find(connection, "main"))
    engine.dispose()
    row: dict[str, Any] = found.iloc[0].to_dict()
    return row


def test_pages_out_of_order_are_refused_or_kept(
    client: TestClient, database: str, walking: ModuleType
) -> None:
    first = walking.filled(begun(client, walking), 1)
    assert client.get("/page/third").headers["location"] == "/page"
    assert client.post("/page/third", data=first).status_code == 403
    client.post("/page/first", data=first)
    second = walking.filled(client.get("/page/second").text, 2)
    earlier = walking.filled(client.get("/page/first").text, 3)
    assert client.post("/page/second", data=second).status_code == 303
    assert client.post("/page/first", data=earlier).status_code == 303
    found = latest(database)
    assert (found["first0"], found["second0"]) == (
        earlier["first0"],
        second["second0"],
    )


def test_whole_survey_may_be_sent_again_page_by_page(
    client: TestClient, database: str, walking: ModuleType
) -> None:
    begun(client, walking)
    sent, place = [], "/page/first"
    while place != "/done":
        sent.append((place, walking.filled(client.get(place).text, len(sent))))
        place = client.post(place, data=sent[-1][1]).headers["location"]
    before = latest(database)
    for path, fields in sent:
        assert client.post(path, data=fields).status_code == 303
    assert submissions(database) == len(sent) == 4
    assert latest(database) == before


# -- clocks ----------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-86_400 * 400, -3600, -1, 3600, 86_400 * 400])
def test_clock_that_jumps_loses_nothing_and_gives_no_negative_time(
    client: TestClient,
    database: str,
    walking: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    jump: int,
) -> None:
    fields = walking.filled(begun(client, walking), 1)
    real = time.time
    monkeypatch.setattr(guard.time, "time", lambda: real() + jump)
    assert client.post("/page/first", data=fields).status_code == 303
    fields = walking.filled(client.get("/page/second").text, 2)
    monkeypatch.undo()
    assert client.post("/page/second", data=fields).status_code == 303
    engine = connect(database)
    with reading(engine) as connection:
        spent = list(connection.scalars(sa.select(tables.submission.c.seconds)))
    engine.dispose()
    assert len(spent) == 2
    assert all(s is None or s >= 0 for s in spent)
    # A jump of an hour cannot be told from an hour; one of a year can.
    assert all(s is None or s < 86_400 * 31 for s in spent)


def test_answers_come_in_the_order_they_were_sent_whatever_the_clock_says(
    client: TestClient,
    database: str,
    walking: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = walking.filled(begun(client, walking), 1)
    two = walking.filled(client.get("/page/first").text, 2)
    client.post("/page/first", data=one)
    real = studies.now
    from survey.store import progress  # noqa: PLC0415 - patched

    early = real().replace(year=real().year - 1)
    monkeypatch.setattr(progress, "now", lambda: early)
    client.post("/page/first", data=two)
    assert latest(database)["first0"] == two["first0"]
