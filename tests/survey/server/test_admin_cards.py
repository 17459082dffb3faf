"""Cards to print: some at a time, and while they are drawn others are answered."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from survey.cli import main
from survey.server.admin import accounts, invitations
from survey.server.admin.app import create_admin
from survey.store import people, progress, studies
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.store.studies import Settings
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markupsafe import Markup

    from survey.instrument import Instrument

BATCH = 4


@pytest.fixture
def path(tmp_path: Path, walk: Instrument, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten people are invited; four cards are printed at a time."""
    monkeypatch.setattr(invitations, "BATCH", BATCH)
    place = tmp_path / "survey.db"
    engine = connect(place)
    require_current(engine)
    key = key_for(place, make=True)
    with writing(engine) as connection:
        study = studies.begin(connection, "main", walk, Settings(), key)
        people.invite(connection, study, key, people=10)
        accounts.add(connection, "ada", "correct horse battery")
    engine.dispose()
    return place


@pytest.fixture
def inside(path: Path) -> Iterator[TestClient]:
    engine = connect(path)
    with TestClient(create_admin(path), follow_redirects=False) as client:
        with writing(engine) as connection:
            client.cookies.set("admin", accounts.log_in(connection, "ada"))
        yield client
    engine.dispose()


def fields(body: str) -> dict[str, str]:
    """Read the form of a page that asks for more cards."""
    form = re.search(r'action="/study/main/cards"(.*?)</form>', body, re.DOTALL)
    assert form is not None
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))


def shown(body: str) -> list[str]:
    return re.findall(r'<article class="card"[^>]* aria-label="(\w+)"', body)


def test_every_card_is_printed_once(inside: TestClient, path: Path) -> None:
    form = fields(inside.get("/study/main/invitations").text)
    pages = []
    for _ in range(3):
        answer = inside.post("/study/main/cards", data=form)
        assert answer.status_code == 200
        pages.append(shown(answer.text))
        if "Show the next cards" in answer.text:
            form = fields(answer.text)
    assert "Show the next cards" not in answer.text
    assert [len(page) for page in pages] == [4, 4, 2]
    assert [code for page in pages for code in page] == _codes(path)


def _codes(path: Path) -> list[str]:
    engine = connect(path)
    with engine.connect() as connection:
        study = studies.find(connection, "main")
        found = [one.code for one in people.everyone(connection, study)]
    engine.dispose()
    return found


def test_nobody_is_left_out_when_others_finish_meanwhile(
    inside: TestClient, path: Path
) -> None:
    form = fields(inside.get("/study/main/invitations").text) | {"wave": "1"}
    body = inside.post("/study/main/cards", data=form).text
    first, codes = shown(body), _codes(path)
    assert first == codes[:4]
    engine = connect(path)
    with writing(engine) as connection:
        study = studies.find(connection, "main")
        for person in people.everyone(connection, study)[1:4]:
            begun = progress.begin(
                connection,
                study,
                study.waves[0],
                person,
                form="full",
                language="en",
                page="p1",
                orders={},
            )
            sent = progress.Sent(person.nonce, "p1", "next", {}, None, {})
            progress.store(
                connection, study, begun, sent, page="p1", reached=1, finished=True
            )
    engine.dispose()
    assert shown(inside.post("/study/main/cards", data=fields(body)).text) == codes[4:8]


def test_others_are_answered_while_cards_are_drawn(
    inside: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing goes on only after another page was answered."""
    form = fields(inside.get("/study/main/invitations").text)
    answered, drawing = threading.Event(), threading.Event()
    real = invitations._picture  # noqa: SLF001 - what takes its time

    def slow(link: str) -> Markup:
        drawing.set()
        assert answered.wait(20)
        return real(link)

    monkeypatch.setattr(invitations, "_picture", slow)
    cookies = {"admin": inside.cookies["admin"]}

    async def both() -> tuple[int, int]:
        transport: Any = httpx2.ASGITransport(inside.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://testserver", cookies=cookies
        ) as http:
            cards = asyncio.create_task(http.post("/study/main/cards", data=form))
            assert await asyncio.to_thread(drawing.wait, 20)
            other = await http.get("/study/main")
            answered.set()
            return (await cards).status_code, other.status_code

    assert asyncio.run(both()) == (200, 200)


def test_very_many_cards_are_several_files(path: Path, tmp_path: Path) -> None:
    to = tmp_path / "cards.html"
    command = ["invite", "cards", "-d", str(path), "--to", str(to)]
    result = CliRunner().invoke(main, [*command, "--url", "https://survey.example"])
    assert result.exit_code == 0, result.output
    files = [to, tmp_path / "cards-2.html", tmp_path / "cards-3.html"]
    assert result.output.splitlines()[1:] == [f"Wrote {one}" for one in files]
    found = [code for one in files for code in shown(one.read_text(encoding="utf-8"))]
    assert found == _codes(path)
