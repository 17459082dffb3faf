"""What erased answers leave in the files of a database, and who is told of it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from starlette.testclient import TestClient

from survey.commands import erasing
from survey.server import traces, words
from survey.server.admin import accounts
from survey.server.admin.app import create_admin
from survey.server.app import create_app
from survey.store import erasure, people, studies, tables
from survey.store.codes import Key, key_for
from survey.store.database import connect, reading, writing
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import Iterator

    from survey.instrument import Instrument

PRIVATE = "nobody else may ever read this"
EN = words.phrases("en")


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', page))


class Site:
    """A survey in which somebody wrote something private, and has a receipt."""

    def __init__(self, client: TestClient, database: str) -> None:
        self.http, self.database = client, database
        form = hidden(client.get("/").text) | {"agree": "yes"}
        self.page = client.post("/consent", data=form)
        for _ in range(3):
            self.send()
        self.send(remark=PRIVATE, move="save")
        found = re.search(r'id="receipt">([a-z2-7-]+)<', self.page.text)
        assert found is not None
        self.receipt = found[1]

    def send(self, **typed: str) -> None:
        form = hidden(self.page.text) | {"move": "next"} | typed
        self.page = self.http.post(self.page.url.path, data=form)

    def erase(self) -> str:
        form = hidden(self.http.get("/withdraw").text) | {"code": self.receipt}
        return self.http.post("/withdraw", data=form).text

    def holds(self) -> bool:
        """Whether the files of a SQLite database hold what was written."""
        files = Path(self.database).parent.glob(f"{Path(self.database).name}*")
        return any(PRIVATE.encode() in one.read_bytes() for one in files)


@pytest.fixture
def site(database: str, walk: Instrument) -> Iterator[Site]:
    app = create_app(walk, database, settings=studies.Settings(open=True))
    with TestClient(app, headers={"accept-language": "en"}) as client:
        yield Site(client, database)


@pytest.fixture
def elder(site: Site) -> Iterator[sa.Connection]:
    """Someone who reads an older state of the database all the time."""
    engine = connect(site.database)
    level = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "REPEATABLE READ"
    with engine.connect().execution_options(isolation_level=level) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        connection.execute(sa.select(tables.answer)).all()
        yield connection
    engine.dispose()


def sqlite(site: Site) -> bool:
    return "://" not in site.database


def test_who_withdraws_is_told_it_is_done(site: Site) -> None:
    assert EN["erased_text"] in site.erase()
    assert not sqlite(site) or not site.holds()


def test_who_withdraws_while_someone_reads_is_told_that_traces_go_later(
    site: Site, elder: sa.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    page = site.erase()
    assert EN["erased_soon_text"] in page
    assert "<h1>Erased</h1>" in page
    assert not sqlite(site) or site.holds()
    assert elder.execute(sa.select(tables.answer)).all(), "an older state"
    elder.rollback()
    elder.close()
    until = time.monotonic() + 15
    while _unswept(site) and time.monotonic() < until:
        time.sleep(0.2)
    assert not _unswept(site)
    assert "older state" not in caplog.text
    assert EN["erased_text"] in site.erase(), "asked again it is done"


def _unswept(site: Site) -> bool:
    if sqlite(site):
        return site.holds()
    left: bool = site.http.app.state.traces.left  # type: ignore[attr-defined]
    return left


def test_trying_ends_and_is_noted(
    site: Site,
    elder: sa.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(site.http.app.state.traces, "_pauses", (0, 0))  # type: ignore[attr-defined]
    monkeypatch.setattr(erasure, "_LOOKS", 1)
    assert EN["erased_soon_text"] in site.erase()
    until = time.monotonic() + 20
    while "older state" not in caplog.text and time.monotonic() < until:
        time.sleep(0.1)
    assert "traces of erased answers may stand in its files" in caplog.text
    assert PRIVATE not in caplog.text
    assert not elder.closed


def test_a_start_removes_what_an_earlier_process_left(
    tmp_path: Path, walk: Instrument
) -> None:
    place = tmp_path / "study.db"
    app = create_app(walk, place, settings=studies.Settings(open=True))
    keeper = connect(place)
    with keeper.connect() as held, TestClient(app) as client:
        site = Site(client, str(place))
        engine = connect(place)
        with writing(engine) as connection:
            study = studies.find(connection, "main")
            person = people.everyone(connection, study)[0]
            erasure.erase(connection, study, person, key_for(place), by="researcher")
        assert site.holds()
        engine.dispose()
        held.exec_driver_sql("SELECT 1")
        again = create_app(walk, place)
        with TestClient(again):
            until = time.monotonic() + 10
            while site.holds() and time.monotonic() < until:
                time.sleep(0.1)
            assert not site.holds()
    keeper.dispose()


def test_sweeping_says_whether_someone_may_still_see(
    engine: sa.Engine, study: studies.Study, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_LOOKS", 2)
    with writing(engine) as connection:
        person = people.add(connection, study, key)
    level = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "REPEATABLE READ"
    elder = engine.connect().execution_options(isolation_level=level)
    if engine.dialect.name == "sqlite":
        elder.exec_driver_sql("BEGIN")
    assert elder.scalar(sa.select(sa.func.count()).select_from(tables.person)) == 1
    with writing(engine) as connection:
        erasure.erase(connection, study, person, key, by="researcher")
    assert not erasure.sweep(engine)
    elder.rollback()
    elder.close()
    assert erasure.sweep(engine)


def test_postgresql_gives_up_the_rows(cluster: Any, walk: Instrument, key: Key) -> None:
    engine = connect(cluster.new("rows"))
    require_current(engine)
    with writing(engine) as connection:
        study = studies.begin(connection, "main", walk, studies.Settings(), key)
        made = people.invite(connection, study, key, people=50)
    with writing(engine) as connection:
        for person in made:
            erasure.erase(connection, study, person, key, by="researcher")
    assert erasure.sweep(engine)
    with engine.connect() as connection:
        done = connection.exec_driver_sql(
            "SELECT relname FROM pg_stat_user_tables WHERE vacuum_count > 0"
        )
        swept = set(done.scalars())
        limit = connection.exec_driver_sql("SHOW lock_timeout").scalar_one()
    assert {"person", "access", "answer", "submission", "response", "visit"} <= swept
    assert limit == "0"
    engine.dispose()


def test_a_table_another_program_holds_is_not_waited_for_for_ever(
    cluster: Any, walk: Instrument, key: Key
) -> None:
    engine = connect(cluster.new("held"))
    require_current(engine)
    with writing(engine) as connection:
        studies.begin(connection, "main", walk, studies.Settings(), key)
    with engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE person IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        assert not erasure.sweep(engine)
        assert time.monotonic() - begun < 15
    assert erasure.sweep(engine)
    engine.dispose()


def test_the_command_tells_the_truth(
    site: Site, elder: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "_PAUSES", (0,))
    monkeypatch.setattr(erasure, "_LOOKS", 2)
    command = ["-d", site.database, "--receipt", site.receipt, "--yes"]
    said = CliRunner().invoke(erasing.erase, command).output
    assert "Erased." in said
    assert "Traces may stand in the files" in said
    elder.rollback()
    elder.close()
    said = CliRunner().invoke(erasing.erase, command).output
    assert "was erased before" in said
    assert "Traces" not in said
    assert not sqlite(site) or not site.holds()
    engine = connect(site.database)
    with reading(engine) as connection:
        assert connection.execute(sa.select(tables.answer)).all() == []
    engine.dispose()


def test_the_researcher_is_told_the_truth(
    site: Site, elder: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_LOOKS", 2)
    engine = connect(site.database)
    with writing(engine) as connection:
        accounts.add(connection, "ada", "a long enough secret")
        study = studies.find(connection, "main")
        (person,) = people.everyone(connection, study)
    engine.dispose()
    assert not elder.closed
    with TestClient(create_admin(site.database)) as office:
        form = hidden(office.get("/login").text)
        form |= {"name": "ada", "password": "a long enough secret"}
        inside = office.post("/login", data=form)
        form = hidden(inside.text) | {"respondent": person.code}
        done = office.post("/study/main/erased", data=form)
    assert "One person was erased" in done.text
    assert "Traces may stand in its files" in done.text


def test_tries_last_about_an_hour() -> None:
    assert 3000 < sum(traces.PAUSES) < 4500
