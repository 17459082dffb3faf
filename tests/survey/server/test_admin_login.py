"""Guessing of passwords is slow, locks nobody out, and takes little of the machine."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from survey.server import crowd
from survey.server.admin import accounts, journal
from survey.server.admin.app import create_admin
from survey.server.crowd import Crowd
from survey.store.codes import Key, key_for
from survey.store.database import connect, reading, writing
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response
    from starlette.applications import Starlette

NAME, PASSWORD = "ada", "correct horse battery"
ADDRESS = "http://testserver"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(accounts, "_HASHER", cheap)
    accounts._nobody.cache_clear()  # noqa: SLF001 - made by the hasher
    place = tmp_path / "survey.db"
    engine = connect(place)
    require_current(engine)
    key_for(place, make=True)
    with writing(engine) as connection:
        for name in (NAME, "eve"):
            accounts.add(connection, name, PASSWORD)
    engine.dispose()
    yield place
    accounts._nobody.cache_clear()  # noqa: SLF001


@pytest.fixture
def app(path: Path) -> Iterator[Starlette]:
    made = create_admin(path)
    with TestClient(made):
        yield made


def browser(app: Starlette, address: str = "192.0.2.1") -> TestClient:
    return TestClient(app, follow_redirects=False, client=(address, 1))


def enter(client: TestClient, name: str = NAME, password: str = PASSWORD) -> Response:
    return client.post("/login", data=fields(client, name, password))


def fields(client: TestClient, name: str, password: str) -> dict[str, str]:
    found = re.search(r'name="csrf" value="(\w+)"', client.get("/login").text)
    assert found is not None
    return {"csrf": found[1], "name": name, "password": password}


def noted(path: Path) -> list[tuple[str, str]]:
    engine = connect(path)
    with reading(engine) as connection:
        entries, _ = journal.entries(connection, most=1000)
    engine.dispose()
    return [(one.what, one.detail) for one in entries]


def test_many_addresses_lock_nobody_out(
    app: Starlette, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "_LONGEST", 0.001)
    monkeypatch.setattr(crowd, "_PACE", 0.001)
    for k in range(30):
        attacker = browser(app, f"203.0.113.{k}")
        found = [enter(attacker, NAME, f"guess {n}").status_code for n in range(11)]
        assert found == [422] * 10 + [429]
    assert enter(browser(app, "198.51.100.1")).status_code == 303
    refused = [detail for what, detail in noted(path) if what == "log in refused"]
    assert len(refused) == 100
    assert refused[0] == "those that follow are not noted"


def test_a_known_browser_shares_its_address_with_anyone(app: Starlette) -> None:
    known = browser(app)
    assert enter(known).status_code == 303
    known.post("/logout", data=fields_of(known))
    attacker = browser(app)
    assert [enter(attacker, NAME, "wrong").status_code for _ in range(11)][-1] == 429
    assert enter(browser(app)).status_code == 429
    assert enter(known).status_code == 303


def test_the_mark_of_a_browser_is_kept_and_bound_to_the_host(path: Path) -> None:
    made = create_admin(path, url="https://admin.example")
    with TestClient(
        made, base_url="https://admin.example", follow_redirects=False
    ) as client:
        cookies = enter(client).headers.get_list("set-cookie")
    (mark,) = [one for one in cookies if one.startswith("__Host-browser=")]
    for word in ("HttpOnly", "Max-Age=15552000", "Path=/", "SameSite=strict", "Secure"):
        assert word in mark
    (session,) = [one for one in cookies if one.startswith("__Host-admin=")]
    assert "Max-Age" not in session


def fields_of(client: TestClient) -> dict[str, str]:
    found = re.search(r'name="csrf" value="(\w+)"', client.get("/").text)
    assert found is not None
    return {"csrf": found[1]}


def test_a_known_browser_passes_a_crowd_by(app: Starlette) -> None:
    known = browser(app)
    enter(known)
    known.post("/logout", data=fields_of(known))
    assert known.cookies.get("browser")
    app.state.office.crowd.places = 0
    stranger = browser(app, "192.0.2.9")
    answers = [enter(stranger, name) for name in (NAME, "nobody")]
    assert [one.status_code for one in answers] == [429, 429]
    assert [one.headers["retry-after"] for one in answers] == ["5", "5"]
    bare = {re.sub(r"[0-9a-f]{64}", "", one.text) for one in answers}
    assert len(bare) == 1
    assert enter(known, "eve").status_code == 429
    assert enter(known).status_code == 303


def test_guessing_from_a_known_browser_ends_too(app: Starlette) -> None:
    known = browser(app)
    enter(known)
    known.post("/logout", data=fields_of(known))
    found = [enter(known, NAME, f"guess {n}").status_code for n in range(11)]
    assert found == [422] * 10 + [429]


@pytest.mark.parametrize("forged", ["A" * 43, "", "x", "\x00" * 43, "é" * 43])
def test_marks_are_of_one_key_and_name(forged: str) -> None:
    one, other = Key(b"1" * 32), Key(b"2" * 32)
    value = crowd.mark(one, NAME)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", value)
    assert crowd.marked(one, value, NAME)
    assert value != crowd.mark(one, NAME)
    for key, given, name in ((other, value, NAME), (one, value, "eve")):
        assert not crowd.marked(key, given, name)
    assert not crowd.marked(one, forged, NAME)


def test_waits_grow_with_what_failed_and_end() -> None:
    found = Crowd()
    for _ in range(10):
        found.failed(NAME)
    assert found.wait(NAME) == 0.0
    for _ in range(2):
        found.failed(NAME)
    assert (found.wait(NAME), found.wait("eve")) == (0.5, 0.0)
    for n in range(20_000):
        found.failed(f"name {n}")
    assert (found.wait(NAME), found.wait("eve")) == (4.0, 4.0)
    assert len(found._failed) <= 10_000  # noqa: SLF001 - what it remembers
    assert not any("name" in one for one in found._failed)  # noqa: SLF001


def test_a_flood_checks_one_password_at_a_time(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty tries at once: few wait, one is checked, other pages are answered."""
    lock, busy, most = threading.Lock(), 0, 0

    def slow(_: str, __: str) -> bool:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.05)
        with lock:
            busy -= 1
        return False

    monkeypatch.setattr(accounts, "right", slow)
    app.state.office.crowd.places = 16
    client = browser(app)
    sent = fields(client, NAME, "wrong")
    cookies = {"admin": client.cookies["admin"]}

    async def flood() -> tuple[list[int], float]:
        async def one(k: int) -> int:
            transport: Any = httpx2.ASGITransport(app, client=(f"203.0.113.{k}", 1))
            async with httpx2.AsyncClient(
                transport=transport, base_url=ADDRESS, cookies=cookies
            ) as http:
                return int((await http.post("/login", data=sent)).status_code)

        async def look() -> float:
            await asyncio.sleep(0.1)
            begun = time.perf_counter()
            async with httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app), base_url=ADDRESS
            ) as http:
                assert (await http.get("/login")).status_code == 200
            return time.perf_counter() - begun

        *codes, spent = await asyncio.gather(*(one(k) for k in range(40)), look())
        return [int(code) for code in codes], float(spent)

    codes, spent = asyncio.run(flood())
    assert (codes.count(422), codes.count(429)) == (16, 24)
    assert most == 1
    assert spent < 0.5


def test_a_wrong_password_ends_no_session(app: Starlette) -> None:
    client = browser(app)
    enter(client)
    session = fields_of(client)
    wrong = {**session, "name": NAME, "password": "wrong"}
    assert client.post("/login", data=wrong).status_code == 422
    assert client.get("/").status_code == 200
