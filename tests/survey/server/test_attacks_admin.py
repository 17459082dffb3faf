"""Attacks on the researcher's pages: whoever is not logged in gets nothing at all."""

from __future__ import annotations

import csv
import io
import logging
import re
import statistics
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from starlette.routing import Route
from starlette.testclient import TestClient

from survey.instrument import Instrument
from survey.server.admin import accounts
from survey.server.admin.app import create_admin
from survey.server.app import create_app
from survey.store import people, progress, studies, tables
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.yaml12 import Document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response
    from starlette.applications import Starlette

NAME, PASSWORD = "ada", "correct horse battery staple"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"


def questionnaire() -> Instrument:
    content: dict[str, Any] = {
        "id": "attacked",
        "version": "1.0",
        "title": EVIL,
        "languages": ["en"],
        "license": "MIT",
        "items": [{"id": "say", "type": "text", "text": EVIL}],
        "pages": [{"id": "one", "title": EVIL, "items": ["say"]}],
    }
    return Instrument.from_document(Document("attacked", content))


class _Found(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.active: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.active.append(str(dict(attrs).get("src")))
        self.active += [name for name, _ in attrs if name.startswith("on")]


class Site:
    """The researcher's pages of a study in which somebody answered."""

    def __init__(self, app: Starlette, place: Path) -> None:
        self.app = app
        self.place = place

    def browser(self, **options: Any) -> TestClient:
        return TestClient(self.app, follow_redirects=False, **options)

    def inside(self) -> TestClient:
        browser = self.browser()
        assert enter(browser).headers["location"] == "/"
        return browser

    def count(self, table: sa.Table) -> int:
        with connect(self.place).connect() as c:
            return int(c.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def csrf(browser: TestClient, path: str = "/login") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', browser.get(path).text)
    return found[1] if found else ""


def enter(
    browser: TestClient, name: str = NAME, password: str = PASSWORD, **headers: str
) -> Response:
    fields = {"csrf": csrf(browser), "name": name, "password": password}
    return browser.post("/login", data=fields, headers=headers)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    cheap = PasswordHasher(time_cost=1, memory_cost=4096, parallelism=1)
    monkeypatch.setattr(accounts, "_HASHER", cheap)
    accounts._nobody.cache_clear()  # noqa: SLF001 - made by the hasher
    place = tmp_path / "survey.db"
    engine = connect(place)
    instrument = questionnaire()
    create_app(instrument, place, settings=studies.Settings(open=True))
    with writing(engine) as c:
        accounts.add(c, NAME, PASSWORD)
        study = studies.find(c, "main")
        key = key_for(place)
        people.invite(c, study, key, people=2)
        person = people.add(c, study, key, invited=False, panel={"source": "=1+1"})
        begun = progress.begin(
            c,
            study,
            study.waves[0],
            person,
            form="full",
            language="en",
            page="one",
            orders={},
        )
        sent = progress.Sent("k", "one", "next", {"say": f"={EVIL}"}, 1.0, {})
        progress.store(c, study, begun, sent, page="one", reached=1, finished=True)
    with TestClient(create_admin(place)) as client:
        yield Site(client.app, place)  # type: ignore[arg-type]
    accounts._nobody.cache_clear()  # noqa: SLF001


PATHS = [
    *("/", "/study/main", "/study/main/people", "/study/main/invitations", "/audit"),
    *("/study/main/answers", "/study/main/waves", "/study/%2e%2e", "/nowhere"),
    *("/static/../app.py", "/static/%2e%2e/app.py", "//login", "/login/", "/LOGIN"),
]
ACTIONS = [
    f"/study/main/{name}"
    for name in ("invitations", "links", "cards", "answers", "waves/1", "erase")
]


def test_redcap_cve_2026_90817_every_route_is_closed(site: Site) -> None:
    routes = [r for r in site.app.routes if isinstance(r, Route)]
    listed = {r.path.replace("{study}", "main") for r in routes}
    assert {p for p in PATHS if p in listed}
    before = site.count(tables.person)
    for path in sorted({*PATHS, *ACTIONS, *listed} - {"/login", "/health"}):
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            answer = site.browser().request(method, path)
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"] == "/login"
            assert answer.text == ""
    assert site.count(tables.person) == before


def test_limesurvey_pr_5325_export_without_permission(site: Site) -> None:
    survey = create_app(questionnaire(), site.place)
    with TestClient(survey, follow_redirects=False) as respondent:
        text = respondent.get("/").text
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', text))
        respondent.post("/consent", data={**fields, "agree": "yes"})
        stolen = respondent.cookies["survey"]
    for name in ("admin", "survey"):
        browser = site.browser(cookies={name: stolen})
        answer = browser.post("/study/main/answers", data=fields)
        assert answer.headers["location"] == "/login"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_redcap_cve_2021_42136_csrf(site: Site, headers: dict[str, str]) -> None:
    browser = site.inside()
    before = [site.count(t) for t in (tables.person, tables.answer, tables.audit)]
    fields = {"people": "5", "respondent": "x", "opens": "", "closes": "2020-01-01"}
    if headers:
        fields["csrf"] = csrf(browser, "/study/main/invitations")
        assert fields["csrf"]
    for path in ACTIONS:
        assert browser.post(path, data=fields, headers=headers).status_code == 403
    after = [site.count(t) for t in (tables.person, tables.answer, tables.audit)]
    assert after == before


def test_limesurvey_pr_3588_reading_changes_nothing(site: Site) -> None:
    browser = site.inside()
    before = site.count(tables.audit), site.count(tables.person)
    for path in (*PATHS, *ACTIONS):
        assert browser.get(path).status_code in {200, 303, 404, 405}
    assert (site.count(tables.audit), site.count(tables.person)) == before


def test_redcap_cve_2023_37798_stored_xss(site: Site) -> None:
    browser = site.inside()
    with writing(connect(site.place)) as c:
        c.execute(tables.person.update().values(couple=EVIL[:60], role=EVIL[:30]))
    token = csrf(browser, "/study/main/invitations")
    pages = [browser.get(path) for path in PATHS[:7]]
    pages.append(browser.post("/study/main/cards", data={"csrf": token}))
    wrong = {"csrf": token, "people": EVIL, "wave": EVIL, "respondent": EVIL}
    pages += [browser.post(path, data=wrong) for path in ACTIONS]
    pages.append(browser.get("/study/%3Cscript%3E"))
    assert sum("&lt;script&gt;" in page.text for page in pages) > 4
    for page in pages:
        parser = _Found()
        parser.feed(page.text)
        assert parser.active == [], page.url
        assert page.status_code < 500
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"


def test_onadata_pr_3024_formula_cells(site: Site) -> None:
    browser = site.inside()
    token = csrf(browser, "/study/main/answers")
    answer = browser.post("/study/main/answers", data={"csrf": token})
    assert answer.headers["content-disposition"].startswith("attachment;")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    cells = [cell for row in rows for cell in row]
    assert f"'={EVIL}" in cells
    assert "'=1+1" in cells
    assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize(
    "name", ["", "' OR 1=1--", "nobody", "ADA", "ada\x00", "a" * 9999]
)
def test_limesurvey_pr_331_names_that_are_none(site: Site, name: str) -> None:
    assert enter(site.browser(), name, PASSWORD).status_code == 422
    assert site.count(tables.login) == 0


def test_limesurvey_pr_1792_tries_of_passwords(site: Site) -> None:
    browser = site.browser()
    found = [enter(browser, NAME, f"wrong{k}").status_code for k in range(11)]
    assert found == [422] * 10 + [429]
    assert enter(browser).status_code == 429
    other = site.browser(client=("203.0.113.8", 1))
    assert enter(other).status_code == 303


def test_session_fixation(site: Site) -> None:
    browser = site.browser()
    browser.get("/login")
    fixed = browser.cookies["admin"]
    enter(browser)
    session = browser.cookies["admin"]
    assert session != fixed
    assert site.browser(cookies={"admin": fixed}).get("/").status_code == 303
    enter_again = {"csrf": csrf(browser, "/study/main/waves")}
    browser.post("/logout", data=enter_again)
    assert "admin" not in browser.cookies
    assert site.browser(cookies={"admin": session}).get("/").status_code == 303


def test_session_ends_by_itself(site: Site) -> None:
    browser = site.inside()
    with writing(connect(site.place)) as c:
        c.execute(tables.login.update().values(expires=studies.now()))
    assert browser.get("/").headers["location"] == "/login"


def test_session_cookie_is_strict(site: Site) -> None:
    app = create_admin(site.place, url="https://admin.example")
    with TestClient(app, base_url="https://admin.example") as browser:
        cookie = browser.get("/login").headers["set-cookie"]
    assert re.match(r"__Host-admin=[\w-]{43}; ", cookie)
    for word in ("HttpOnly", "Path=/", "SameSite=strict", "Secure"):
        assert word in cookie


def test_timing_of_names(site: Site) -> None:
    """An unknown name and a wrong password look and last the same."""
    office = site.app.state.office
    office.tries.each = 10**6
    browser = site.browser()
    token = csrf(browser)
    for _ in range(4):
        office.crowd.window = 0.0
        spent: dict[str, list[float]] = {NAME: [], "eve": []}
        texts = set()
        for _ in range(8):
            for name, found in spent.items():
                fields = {"csrf": token, "name": name, "password": "wrong password"}
                begin = time.perf_counter()
                answer = browser.post("/login", data=fields)
                found.append(time.perf_counter() - begin)
                texts.add((answer.status_code, answer.text))
        assert len(texts) == 1
        middle = [statistics.median(found) for found in spent.values()]
        if max(middle) < 1.25 * min(middle):
            return
    pytest.fail(f"names differ in time: {spent}")


def test_log_holds_no_secret(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = site.browser()
    enter(browser, NAME, "a wrong password")
    enter(browser)
    token = csrf(browser, "/study/main/answers")
    browser.post("/study/main/answers", data={"csrf": token})
    listed = browser.post("/study/main/links", data={"csrf": token}).text
    code = re.findall(r"/i/([a-z2-7]{26})", listed)[0]
    secrets = [PASSWORD, "a wrong password", token, browser.cookies["admin"], code]
    for record in caplog.records:
        if not record.name.startswith(("httpx", "httpcore")):
            assert not [s for s in secrets if s in record.getMessage()]
    content = b"".join(p.read_bytes() for p in site.place.parent.glob("survey.db*"))
    for secret in (PASSWORD, browser.cookies["admin"], code):
        assert secret.encode() not in content
    with connect(site.place).connect() as c:
        details = " ".join(c.scalars(sa.select(tables.audit.c.detail)))
    assert EVIL not in details


def test_fault_shows_and_logs_nothing(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = site.inside()

    def broken(*_: object) -> None:
        raise ValueError("a private answer")

    monkeypatch.setattr("survey.store.overview.progress", broken)
    caplog.clear()
    answer = browser.get("/study/main/people")
    assert answer.status_code == 500
    assert "private" not in answer.text
    assert "<h1>Something went wrong</h1>" in answer.text
    sheets = re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)
    assert sheets == ["/static/admin.css"]
    assert site.browser().get(sheets[0]).status_code == 200
    assert answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert not [r for r in caplog.records if "private" in r.getMessage() or r.exc_info]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/study/main/waves/" + "9" * 5000, {}),
        ("/study/main/waves/99", {}),
        ("/study/main/waves/1", {"opens": "0001-01-01T00:00+14:00"}),
        ("/study/main/waves/1", {"closes": "9999-12-31T23:59-14:00"}),
        ("/study/main/waves/1", {"opens": "x\x00"}),
        ("/study/main/invitations", {"people": "\u0661"}),
        ("/study/main/invitations", {"couples": "1", "roles": "a" * 500 + ",b"}),
        ("/study/main/invitations", {"couples": "1", "roles": "\x00,b"}),
        ("/study/main/invitations", {"people": "1", "form": "nope"}),
        ("/study/main/answers", {"wave": "x"}),
        ("/study/main/erase", {"respondent": "' OR 1=1"}),
        ("/study/main/erased", {"receipt": "\x00"}),
        ("/study/nope/erase", {}),
    ],
)
def test_bad_input(site: Site, path: str, fields: dict[str, str]) -> None:
    browser = site.inside()
    before = site.count(tables.person)
    token = csrf(browser, "/study/main/waves")
    answer = browser.post(path, data={"csrf": token, **fields})
    assert answer.status_code in {400, 403, 404, 422}
    assert site.count(tables.person) == before
