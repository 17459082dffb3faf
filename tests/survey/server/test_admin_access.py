"""Who gets into the researcher's pages, for how long, and which studies they see."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from survey.server.admin import accounts, journal
from survey.server.admin.app import create_admin
from survey.store import people, studies, tables
from survey.store.database import reading, writing
from survey.store.studies import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

    from survey.instrument import Instrument
    from survey.store.codes import Key

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
PAGES = ("", "/people", "/invitations", "/waves", "/answers")
ACTIONS = ("/invitations", "/links", "/cards", "/answers", "/waves/1", "/erase")
ACTIONS += ("/erased",)


@pytest.fixture
def filled(engine: sa.Engine, walk: Instrument, key: Key) -> sa.Engine:
    """Two studies; ada sees both, eve sees one, ben sees none."""
    with writing(engine) as connection:
        for name in ("hers", "other"):
            study = studies.begin(connection, name, walk, Settings(), key)
            people.invite(connection, study, key, people=2)
        accounts.add(connection, "ada", PASSWORD)
        accounts.add(connection, "eve", PASSWORD, ["hers"])
        accounts.add(connection, "ben", PASSWORD, [])
    return engine


@pytest.fixture
def enter(filled: sa.Engine, database: str) -> Iterator[Callable[[str], TestClient]]:
    """Come with a session of someone: ``enter("ada")``."""
    opened = []

    def come(name: str) -> TestClient:
        client = TestClient(create_admin(database), follow_redirects=False)
        opened.append(client.__enter__())
        with writing(filled) as connection:
            client.cookies.set("admin", accounts.log_in(connection, name))
        return client

    yield come
    for client in opened:
        client.__exit__()


def token(client: TestClient) -> str:
    return re.findall(r'name="csrf" value="([0-9a-f]{64})"', client.get("/").text)[-1]


def ask(engine: sa.Engine, work: Callable[[sa.Connection], Any]) -> Any:
    with reading(engine) as connection:
        return work(connection)


def aged(engine: sa.Engine, **since: float) -> None:
    """Let every session have begun so long ago."""
    with writing(engine) as connection:
        begun = studies.now() - timedelta(**since)
        connection.execute(tables.login.update().values(created=begun))


def end(engine: sa.Engine) -> Any:
    return ask(engine, lambda c: c.execute(tables.login.select()).one().expires)


def test_a_session_ends_whatever_is_done(
    filled: sa.Engine, enter: Callable[[str], TestClient]
) -> None:
    client = enter("ada")
    with writing(filled) as connection:
        soon = studies.now() + timedelta(minutes=1)
        connection.execute(tables.login.update().values(expires=soon))
    aged(filled, hours=11)
    assert client.get("/").status_code == 200
    created = ask(filled, lambda c: c.execute(tables.login.select()).one().created)
    assert end(filled) == created + accounts.WHOLE
    assert client.get("/").status_code == 200
    assert end(filled) == created + accounts.WHOLE
    aged(filled, hours=12, seconds=1)
    assert client.get("/").headers["location"] == "/login"
    assert client.post("/study/hers/links").headers["location"] == "/login"


def test_only_studies_of_ones_own_are_listed(
    enter: Callable[[str], TestClient],
) -> None:
    for name, seen in (("ada", {"hers", "other"}), ("eve", {"hers"}), ("ben", set())):
        home = enter(name).get("/").text
        listed = re.findall(r'<th scope="row"><a href="/study/(\w+)"', home)
        assert set(listed) == seen
        assert ('href="/audit"' in home) == (name == "ada")


@pytest.mark.parametrize("name", ["eve", "ben"])
def test_limesurvey_pr_5325_studies_of_others_stay_closed(
    filled: sa.Engine, enter: Callable[[str], TestClient], name: str
) -> None:
    client = enter(name)
    csrf = token(client)
    before = ask(filled, journal.entries)
    for path in PAGES:
        theirs, none = (client.get(f"/study/{s}{path}") for s in ("other", "nobody"))
        assert theirs.status_code == none.status_code == 404
        assert theirs.text.replace("other", "nobody") == none.text
    code = ask(filled, lambda c: people.everyone(c, studies.find(c, "other"))[0].code)
    for path in ACTIONS:
        fields = {"csrf": csrf, "people": "1", "respondent": code}
        answer = client.post(f"/study/other{path}", data=fields)
        assert answer.status_code in {404, 422}
        assert code not in answer.text
    assert client.get("/audit").status_code == 404
    assert ask(filled, journal.entries) == before
    assert len(ask(filled, lambda c: c.execute(tables.person.select()).all())) == 4


def test_what_is_allowed_counts_at_once(
    filled: sa.Engine, enter: Callable[[str], TestClient]
) -> None:
    client = enter("eve")
    assert client.get("/study/other").status_code == 404
    with writing(filled) as connection:
        accounts.allow(connection, "eve", None)
    assert client.get("/study/other").status_code == 200
    assert client.get("/audit").status_code == 200
    with writing(filled) as connection:
        accounts.allow(connection, "eve", ["other"])
    assert client.get("/study/hers").status_code == 404
    with pytest.raises(accounts.RefusedError, match="'nobody'"), writing(filled) as c:
        accounts.allow(c, "nobody", None)
    with pytest.raises(accounts.RefusedError, match="'none'"), writing(filled) as c:
        accounts.allow(c, "eve", ["none"])
    assert ask(filled, lambda c: accounts.sees(c, "eve")) == ["other"]


def test_studies_begun_later_are_seen_by_those_who_see_all(
    filled: sa.Engine, walk: Instrument, key: Key
) -> None:
    with writing(filled) as connection:
        studies.begin(connection, "later", walk, Settings(), key)
        assert "later" in accounts.sees(connection, "ada")
        assert accounts.sees(connection, "eve") == ["hers"]
        accounts.remove(connection, "eve")
        assert connection.execute(tables.member.select()).all() == []


def test_a_name_that_nobody_can_have_is_wrong_on_every_database(
    engine: sa.Engine,
) -> None:
    with reading(engine) as connection:
        assert accounts.stored(connection, "ada\x00") == ""
        assert accounts.stored(connection, "a" * 100_000) == ""
