"""Attacks that broke other survey tools, each named after its CVE or thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import csv
import logging
import re
import statistics
import time
from contextlib import ExitStack
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from starlette.requests import Request
from starlette.testclient import TestClient

from survey.archive import report, safe_cells
from survey.collect import own
from survey.errors import RefusedError, SurveyError
from survey.instrument import Instrument
from survey.server import guard
from survey.server.app import create_app
from survey.server.guard import Limiter
from survey.store import people, studies, tables
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.validate import validate
from survey.yaml12 import Document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from httpx2 import Response
    from starlette.applications import Starlette

    from survey.store.people import Person

EVIL = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    "{{7*7}}{% raw %}${7*7}<%= 7*7 %>#{7*7}"
)


def questionnaire(text: str = "Plain", **changes: Any) -> Instrument:
    """Make a questionnaire all of whose texts are `text`."""
    content: dict[str, Any] = {
        "id": "attacked",
        "version": "1.0",
        "title": text,
        "languages": ["en", "de"],
        "license": "MIT",
        "introduction": text,
        "consent": {"text": text, "agree": text},
        "safety": {
            "note": text,
            "leave_label": text,
            "leave_url": "https://www.example.org/",
        },
        "end": {
            "text": text,
            "support": [{"name": text, "text": text, "url": "https://help.example/"}],
        },
        "response_scales": [
            {
                "id": "often",
                "labels": [f"{text} {k}" for k in range(3)],
                "missing": [{"code": 9, "label": text}],
            }
        ],
        "items": [
            {"id": "go", "type": "likert", "text": text, "response_scale": "often"},
            {"id": "num", "type": "number", "text": text, "minimum": 0, "maximum": 99}
            | {"hint": text, "unit": text},
            {"id": "say", "type": "text", "text": text, "multiline": True},
            {"id": "more", "type": "text", "text": text, "show_if": "go == 1"},
        ],
        "pages": [
            {"id": "one", "title": text, "text": text, "items": ["go", "num"]},
            {"id": "two", "title": text, "items": ["say", "more"]},
        ],
        "scales": [],
    }
    return Instrument.from_document(Document("attacked", content | changes))


class _Fields(HTMLParser):
    """Collects the hidden fields of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.scripts: list[str | None] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden":
            self.hidden[found.get("name") or ""] = found.get("value") or ""
        if tag == "script":
            self.scripts.append(found.get("src"))
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def hidden(answer: Response) -> dict[str, str]:
    parser = _Fields()
    parser.feed(answer.text)
    return parser.hidden


class Site:
    """A survey, its database, and browsers that visit it."""

    def __init__(self, app: Starlette, place: Path, instrument: Instrument) -> None:
        self.app = app
        self.place = place
        self.instrument = instrument

    def browser(self, **options: Any) -> TestClient:
        return TestClient(self.app, follow_redirects=False, **options)

    def invited(self, number: int = 1, study: str = "main") -> list[Person]:
        with writing(connect(self.place)) as c:
            found = studies.find(c, study)
            return people.invite(c, found, key_for(self.place), people=number)

    def code(self, person: Person, kind: Any = "invitation") -> str:
        return person.access(key_for(self.place), kind)

    def count(self, table: sa.Table) -> int:
        with connect(self.place).connect() as c:
            return int(c.scalar(sa.select(sa.func.count()).select_from(table)) or 0)

    def answers(self) -> pd.DataFrame:
        raw = own.read(self.place, self.instrument)
        assert validate(raw, self.instrument).failures.empty
        return raw.frame


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """Begin surveys; each runs until the test is over."""
    with ExitStack() as stack:

        def begin(
            text: str = "Plain", url: str = "http://127.0.0.1:8000", **settings: Any
        ) -> Site:
            place = tmp_path / "survey.db"
            instrument = questionnaire(text)
            chosen = studies.Settings(**({"open": True} | settings))
            app = create_app(instrument, place, settings=chosen, url=url)
            stack.enter_context(TestClient(app))
            return Site(app, place, instrument)

        yield begin


def begun(site: Site, **options: Any) -> TestClient:
    """Open a browser and agree to take part."""
    browser = site.browser(**options)
    fields = hidden(browser.get("/"))
    answer = browser.post("/consent", data={**fields, "agree": "yes"})
    assert answer.headers["location"] == "/page"
    return browser


def sent(browser: TestClient, page: str = "one", **fields: str) -> Response:
    """Open a page and send it."""
    opened = hidden(browser.get(f"/page/{page}"))
    return browser.post(f"/page/{page}", data={**opened, "move": "next", **fields})


async def raw_get(app: Starlette, path: str) -> tuple[int, str]:
    """Ask for a path as it stands, which clients like to tidy up."""
    got: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        got.append(message)

    bare, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": unquote(bare),
        "raw_path": bare.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver")],
        "client": ("203.0.113.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    body = b"".join(m.get("body", b"") for m in got)
    return got[0]["status"], body.decode()


def let_in(site: Site, code: str, browser: TestClient | None = None) -> Response:
    browser = browser or site.browser()
    fields = hidden(browser.get("/resume"))
    return browser.post("/start", data={"csrf": fields["csrf"], "code": code})


# 1


@pytest.mark.parametrize(
    "path",
    [
        "/admin",
        "/%2561dmin",
        "/%25%36%31dmin",
        "/page/%252e%252e/admin",
        "/i/%252e%252e/admin",
        "/i/%252561",
        "/static/%252e%252e/app.py",
        "/%252e%252e/survey.db.key",
        "/..;/admin",
        "/api/?content=record",
        "//admin",
        "/login",
        "/export",
    ],
)
def test_redcap_cve_2026_90817_double_url_decoding(make: Any, path: str) -> None:
    status, text = asyncio.run(raw_get(make().app, path))
    # Decoded once, by the server; what is left is no code and is not shown.
    assert status == (200 if path == "/i/%252561" else 404)
    assert "%" not in text
    assert "admin" not in text


def test_redcap_cve_2026_90817_the_survey_has_no_route_of_the_researcher(
    make: Any,
) -> None:
    paths = {route.path for route in make().app.routes}
    assert paths == {
        *("/", "/i/{code}", "/resume", "/start", "/consent", "/page", "/page/{page}"),
        *("/saved", "/done", "/leave", "/withdraw", "/health", "/static"),
    }


# 2, 19


def test_stored_xss_and_template_injection(make: Any) -> None:
    """REDCap CVE-2023-37798, CVE-2021-42136, CVE-2019-13029, CVE-2012-6565; LimeSurvey.

    Every text of a questionnaire, and every answer, is hostile; LimeSurvey PR#3279,
    #3902, #3903, #2187, and its expressions in braces.
    """
    site = make(EVIL, profile=True, back_to="https://panel.example/?a=1&b=%3Cscript")
    browser = site.browser()
    pages = [browser.get("/"), browser.get("/resume"), browser.get("/nowhere")]
    browser = begun(site)
    sent(browser, "one", go="1", num="x")
    pages += [browser.get("/page/one"), sent(browser, "one", go="1", num="999")]
    sent(browser, "one", go="1", num="3")
    pages += [browser.get("/page/two"), browser.get("/saved")]
    sent(browser, "two", say=EVIL, move="save")
    pages.append(browser.get("/page/two"))
    sent(browser, "two", say=EVIL)
    pages += [browser.get("/done"), browser.get("/withdraw")]
    assert [page.status_code for page in pages].count(200) == len(pages) - 2
    for page in pages:
        assert "&lt;script&gt;" in page.text
        parser = _Fields()
        parser.feed(page.text)
        assert parser.scripts == ["/static/survey.js"]
        assert parser.handlers == []
        assert "49" not in re.sub(r"[0-9a-f.]{32,}|[A-Za-z0-9_-]{26,}", "", page.text)
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize("key", ["id", "languages", "pages", "url"])
def test_redcap_cve_2012_6565_names_that_reach_attributes_are_refused(key: str) -> None:
    change: dict[str, Any] = {
        "id": {"id": 'a"onclick='},
        "languages": {"languages": ["en", 'de"><b>']},
        "pages": {"pages": [{"id": 'x"y', "title": "T", "items": ["go"]}]},
        "url": {
            "end": {
                "text": "T",
                "support": [{"name": "N", "text": "T", "url": "javascript:alert(1)"}],
            }
        },
    }[key]
    with pytest.raises(SurveyError):
        questionnaire(**change)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " https://x.example",
        "data:text/html,x",
        "//evil.example",
        "https://x.example/\r\nSet-Cookie: a=b",
        "https://x.example/ onclick=",
    ],
)
def test_redcap_cve_2023_37798_way_back_must_be_an_address(address: str) -> None:
    with pytest.raises(RefusedError, match="back_to"):
        studies.Settings(back_to=address)


@pytest.mark.parametrize("name", ["agree", "csrf", "lang", 'x"y', "", "a\r\nb"])
def test_redcap_cve_2012_6565_panel_parameters_have_plain_names(name: str) -> None:
    with pytest.raises(RefusedError, match="panel"):
        studies.Settings(panel=(name,))


# 3


@pytest.mark.parametrize(
    "path",
    [
        "/?PROLIFIC_PID={}&lang={}",
        "/?lang={}",
        "/?{}={}",
        "/i/{}",
        "/page/{}",
        "/{}",
        "/static/{}",
        "/done?{}",
    ],
)
def test_redcap_cve_2017_10962_reflected_xss(make: Any, path: str) -> None:
    answer = make().browser().get(path.format(*(["%3Cscript%3Ealert(1)%22'"] * 2)))
    assert "<script>alert" not in answer.text
    assert answer.status_code in {200, 303, 404}


def test_limesurvey_pr_5330_nothing_refused_is_reflected(make: Any) -> None:
    browser = begun(make())
    answer = sent(browser, "one", **{EVIL: EVIL})
    assert answer.status_code == 400
    assert "alert(1)" not in answer.text
    answer = sent(browser, "one", go=EVIL, num=EVIL)
    assert answer.status_code == 422
    parser = _Fields()
    parser.feed(answer.text)
    assert (parser.scripts, parser.handlers) == (["/static/survey.js"], [])


def test_limesurvey_pr_5330_5331_import_results(make: Any) -> None:
    site = make()
    sent(begun(site), "one", go="2")
    with writing(connect(site.place)) as c:
        c.execute(tables.answer.update().values(value="<script>alert(1)</script>"))
    found = validate(own.read(site.place, site.instrument), site.instrument)
    written = report(found)
    assert "alert(1)" in written
    assert "<script" not in written


# 4, 8


def test_redcap_cve_2020_27359_limesurvey_cve_2021_44967_no_upload(make: Any) -> None:
    """Nothing is uploaded; also LimeSurvey CVE-2018-1000658 and CVE-2022-48008."""
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))
    name = "<img src=x>shell.php"
    answer = browser.post(
        "/page/one", data=fields, files={"go": (name, b"<?php", "text/html")}
    )
    assert answer.status_code == 415
    assert "shell" not in answer.text
    assert not list(site.place.parent.rglob("*.php"))


# 5


def test_redcap_cve_2020_27358_page_of_somebody_else(make: Any) -> None:
    site = make()
    first, second = begun(site), begun(site)
    stolen = hidden(first.get("/page/one"))["key"]
    answer = sent(second, "one", go="1", key=stolen)
    assert answer.status_code == 403
    assert site.count(tables.answer) == 0
    sent(first, "one", go="2", num="3")
    sent(first, "two", say="only mine")
    for path in ("/page", "/page/one", "/page/two", "/saved", "/done", "/withdraw"):
        assert "only mine" not in second.get(path).text


def test_redcap_cve_2020_27358_page_key_of_another_wave(make: Any) -> None:
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))
    with writing(connect(site.place)) as c:
        found = studies.find(c, "main")
        studies.add_wave(c, found, site.instrument)
    assert browser.post("/page/one", data={**fields, "go": "1"}).status_code == 409
    consent = hidden(browser.get("/"))
    browser.post("/consent", data={**consent, "agree": "yes"})
    fresh = hidden(browser.get("/page/one"))
    answer = browser.post("/page/one", data={**fresh, "key": fields["key"], "go": "1"})
    assert answer.status_code == 403
    assert site.count(tables.answer) == 0


def test_limesurvey_pr_5325_nothing_to_export_without_permission(make: Any) -> None:
    browser = begun(make())
    for path in ("/export", "/download", "/answers", "/survey.db", "/people", "/api"):
        assert browser.get(path).status_code == 404


# 6


def test_limesurvey_pr_118_sql_injection_through_the_access_code(make: Any) -> None:
    site = make()
    site.invited()
    begin = time.perf_counter()
    for code in (
        *("1'; SELECT SLEEP(5)--", "' OR '1'='1", '" OR ""="', "%' --", "\\"),
        "x'); DROP TABLE person;--",
    ):
        assert let_in(site, code).status_code == 422
        browser = site.browser()
        csrf = hidden(browser.get("/withdraw"))["csrf"]
        answer = browser.post("/withdraw", data={"csrf": csrf, "code": code})
        assert answer.status_code == 422
    assert time.perf_counter() - begin < 5
    assert site.count(tables.person) == 1


def test_limesurvey_pr_331_sql_injection_through_parameters(make: Any) -> None:
    site = make()
    evil = "1;DROP TABLE answer"
    browser = site.browser()
    fields = hidden(browser.get("/", params={"PROLIFIC_PID": evil, "sort": evil}))
    assert fields["PROLIFIC_PID"] == evil
    browser.post("/consent", data={**fields, "agree": "yes", "language": evil})
    sent(browser, "one", go="1")
    assert list(site.answers()["panel_PROLIFIC_PID"]) == [evil]


# 7


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/%2e%2e%2fapp.py",
        "/static/..%5capp.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/survey.css%00.js",
        "/static/" + "a" * 5000,
        "/static/",
        "/static/.",
        "/static/CON",
        "/templates/base.html.j2",
    ],
)
def test_limesurvey_cve_2020_11455_cve_2019_9960_path_traversal(
    make: Any, path: str
) -> None:
    answer = make().browser().get(path)
    assert answer.status_code == 404
    assert "def " not in answer.text
    assert "root:" not in answer.text


# 9


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://["},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "\xff"},
    ],
)
def test_limesurvey_pr_3243_csrf_from_elsewhere(
    make: Any, headers: dict[str, str]
) -> None:
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))
    raw = {k: v.encode("latin-1") for k, v in headers.items()}
    answer = browser.post("/page/one", data={**fields, "go": "1"}, headers=raw)
    assert answer.status_code == 403
    assert site.count(tables.answer) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://testserver"},
        {"origin": "http://testserver:8443", "sec-fetch-site": "same-origin"},
        # What browsers say of a form on a page with the policy no-referrer.
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "null"},
    ],
)
def test_limesurvey_pr_3243_own_forms_are_taken(
    make: Any, headers: dict[str, str]
) -> None:
    browser = begun(make())
    fields = hidden(browser.get("/page/one"))
    answer = browser.post("/page/one", data={**fields, "go": "1"}, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/start", "/consent", "/page/one", "/withdraw"])
def test_limesurvey_pr_3243_csrf_token_belongs_to_the_browser(
    make: Any, path: str
) -> None:
    site = make()
    browser = begun(site)
    code = site.code(site.invited()[0])
    before = site.count(tables.person), site.count(tables.visit)
    of_another = hidden(site.browser().get("/"))["csrf"]
    for given in ("", "0" * 64, of_another, "\u00e9", of_another.upper()):
        fields = {"csrf": given, "agree": "yes", "go": "1", "code": code}
        assert browser.post(path, data=fields).status_code == 403
    assert (site.count(tables.person), site.count(tables.visit)) == before


def test_limesurvey_pr_3588_reading_changes_nothing(make: Any) -> None:
    site = make()
    browser = begun(site)
    person = site.invited()[0]
    sent(browser, "one", go="1")

    def state() -> list[object]:
        with connect(site.place).connect() as c:
            return [
                c.execute(sa.select(t)).all() for t in tables.metadata.sorted_tables
            ]

    before = state()
    code = site.code(person)
    for path in (
        *("/", f"/i/{code}", "/resume", "/page", "/page/one", "/page/two", "/saved"),
        *("/done", "/withdraw", "/start", "/consent", "/health", f"/start?code={code}"),
        *("/consent?agree=yes", f"/withdraw?code={code}", "/page/one?go=3&move=next"),
    ):
        for method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            answer = browser.request(method, path)
            assert answer.status_code in {200, 303, 405}
            assert method in {"GET", "HEAD"} or answer.status_code == 405
    assert state() == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "X"])
def test_limesurvey_pr_3588_other_methods_are_refused(make: Any, method: str) -> None:
    browser = make().browser()
    answer = browser.request(method, "/page/one", content=b"TRACED")
    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert "TRACED" not in answer.text


def test_limesurvey_pr_3588_a_link_elsewhere_takes_nobody_out(make: Any) -> None:
    site = make()
    browser = begun(site)
    answer = browser.get("/leave", headers={"sec-fetch-site": "cross-site"})
    assert answer.headers["location"] == "https://www.example.org/"
    assert browser.get("/page/one").status_code == 200
    browser.get("/leave", headers={"sec-fetch-site": "same-origin"})
    assert browser.get("/page").headers["location"] == "/"


def test_limesurvey_pr_3243_login_csrf(make: Any) -> None:
    """An attacker's code does not let a victim's browser answer as the attacker."""
    site = make()
    attacker, victim = site.browser(), site.browser()
    code = site.code(site.invited()[0])
    csrf = hidden(attacker.get(f"/i/{code}"))["csrf"]
    victim.get("/")
    answer = victim.post("/start", data={"csrf": csrf, "code": code})
    assert answer.status_code == 403
    assert victim.get("/page").headers["location"] == "/"


# 10


def _from(address: str) -> Request:
    return Request({"type": "http", "headers": [], "client": (address, 1)})


def test_limesurvey_pr_1792_a_valid_code_resets_no_lock(make: Any) -> None:
    site = make()
    site.app.state.desk.tries.each = 3
    person = site.invited()[0]
    browser = site.browser()
    for _ in range(2):
        assert let_in(site, "wrong", browser).status_code == 422
    assert let_in(site, site.code(person), browser).status_code == 303
    assert let_in(site, "wrong", browser).status_code == 422
    assert let_in(site, "wrong", browser).status_code == 429
    assert let_in(site, site.code(person), browser).status_code == 429


def test_limesurvey_pr_1792_a_classroom_behind_one_address_comes_in(make: Any) -> None:
    site = make()
    site.app.state.desk.tries.each = 3
    for person in site.invited(12):
        assert let_in(site, site.code(person)).status_code == 303


def test_limesurvey_pr_1792_one_address_locks_nobody_else_out() -> None:
    limiter = Limiter(each=5)
    attempts = [limiter.allows(_from("203.0.113.1")) for _ in range(1000)]
    assert sum(attempts) == 5
    assert limiter.allows(_from("203.0.113.2"))


def test_limesurvey_pr_1792_memory_is_bounded_and_holds_no_address() -> None:
    limiter = Limiter(each=5)
    for k in range(25_000):
        limiter.allows(_from(f"2001:db8:{k >> 8:x}:{k & 255:x}::1"))
    assert len(limiter._counts) <= 20_000  # noqa: SLF001 - what it remembers
    assert not any(":" in name or "." in name for name in limiter._counts)  # noqa: SLF001


def test_limesurvey_pr_1792_a_network_of_ipv6_is_one_address() -> None:
    limiter = Limiter(each=2)
    found = [limiter.allows(_from(f"2001:db8::{k:x}")) for k in range(1, 5)]
    assert found == [True, True, False, False]
    assert not limiter.allows(_from("2001:db8::77%eth0"))
    mapped = [limiter.allows(_from(a)) for a in ("::ffff:192.0.2.7", "192.0.2.7")]
    assert mapped == [True, True]
    assert not limiter.allows(_from("192.0.2.7"))


def test_limesurvey_pr_1792_window_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = Limiter(each=1, window=60)
    clock = 1000.0
    monkeypatch.setattr(guard.time, "monotonic", lambda: clock)
    assert [limiter.allows(_from("192.0.2.7")) for _ in range(2)] == [True, False]
    clock = 1061.0
    assert limiter.allows(_from("192.0.2.7"))


def test_surveysolutions_1310_codes_cannot_be_guessed(make: Any) -> None:
    site = make()
    person = site.invited()[0]
    bits = {k: 5 * len(site.code(person, k)) for k in ("invitation", "resume")}
    assert bits == {"invitation": 130, "resume": 80}
    with connect(site.place).connect() as c:
        stored = set(c.scalars(sa.select(tables.access.c.hash)))
    assert not stored & {site.code(person), site.code(person, "resume")}


def test_limesurvey_pr_1792_programs_make_few_people_up(make: Any) -> None:
    site = make()
    site.app.state.desk.newcomers.each = 3
    begin = [("203.0.113.9", 1)] * 3
    for address in begin:
        begun(site, client=address)
    browser = site.browser(client=("203.0.113.9", 1))
    fields = hidden(browser.get("/"))
    answer = browser.post("/consent", data={**fields, "agree": "yes"})
    assert answer.status_code == 429
    assert site.count(tables.person) == 3
    begun(site, client=("203.0.113.10", 1))
    invited = site.code(site.invited()[0])
    assert let_in(site, invited, browser).status_code == 303
    fields = hidden(browser.get("/"))
    answer = browser.post("/consent", data={**fields, "agree": "yes"})
    assert answer.headers["location"] == "/page"


# 11


def test_session_fixation_and_renewal(make: Any) -> None:
    site = make()
    person = site.invited()[0]
    browser, seen = site.browser(), []
    for step in ("start", "resume"):
        before = browser.cookies.get("survey")
        kind = "invitation" if step == "start" else "resume"
        let_in(site, site.code(person, kind), browser)
        after = browser.cookies.get("survey")
        assert after not in {before, None}
        seen += [before, after]
    fields = hidden(browser.get("/"))
    browser.post("/consent", data={**fields, "agree": "yes"})
    for old in seen[:-1]:
        stale = site.browser(cookies={"survey": old or ""})
        assert stale.get("/page").headers["location"] == "/"


def test_session_fixation_open_study(make: Any) -> None:
    site = make()
    browser = site.browser()
    browser.get("/")
    fixed = browser.cookies["survey"]
    fields = hidden(browser.get("/"))
    browser.post("/consent", data={**fields, "agree": "yes"})
    assert browser.cookies["survey"] != fixed
    other = site.browser(cookies={"survey": fixed})
    assert other.get("/page").headers["location"] == "/"


@pytest.mark.parametrize("way", ["/leave", "/withdraw"])
def test_session_ends(make: Any, way: str) -> None:
    site = make()
    browser = begun(site)
    cookie = browser.cookies["survey"]
    if way == "/leave":
        answer = browser.get(way)
        assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    else:
        browser.post(way, data=hidden(browser.get(way)))
    assert "survey" not in browser.cookies
    stale = site.browser(cookies={"survey": cookie})
    for _ in range(50):
        if stale.get("/page").status_code == 303:
            break
        time.sleep(0.01)
    assert stale.get("/page").headers["location"] == "/"


def test_session_cookie_is_random_and_sent_over_https_only(make: Any) -> None:
    site = make(url="https://survey.example")
    browser = site.browser(base_url="https://survey.example")
    answer = browser.get("/")
    cookie = answer.headers["set-cookie"]
    assert re.match(r"__Host-survey=[\w-]{43}; ", cookie)
    for word in ("HttpOnly", "Path=/", "SameSite=lax", "Secure"):
        assert word in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


# 12


def test_limesurvey_18026_double_submit(make: Any) -> None:
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))
    answers = [
        browser.post("/page/one", data={**fields, "move": "next", "go": "2"})
        for _ in range(3)
    ]
    assert {a.headers["location"] for a in answers} == {"/page/two"}
    assert site.count(tables.submission) == 1


def test_odk_collect_5317_same_page_other_answers(make: Any) -> None:
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))
    browser.post("/page/one", data={**fields, "go": "2"})
    answer = browser.post("/page/one", data={**fields, "go": "3"})
    assert answer.status_code == 409
    assert list(site.answers()["go"]) == ["2"]


def test_limesurvey_pr_5213_two_tabs_and_the_back_button(make: Any) -> None:
    site = make()
    browser = begun(site)
    tabs = [hidden(browser.get("/page/one")) for _ in range(2)]
    browser.post("/page/one", data={**tabs[0], "go": "2"})
    browser.post("/page/one", data={**tabs[1], "go": "3"})
    assert list(site.answers()["go"]) == ["3"]
    assert site.count(tables.submission) == 2


def test_limesurvey_pr_5213_pages_out_of_order(make: Any) -> None:
    site = make()
    browser = begun(site)
    assert browser.get("/page/two").headers["location"] == "/page"
    assert browser.get("/done").headers["location"] == "/"
    desk = site.app.state.desk
    key = guard.page_key(desk.key, 1, "two")
    csrf = hidden(browser.get("/page/one"))["csrf"]
    answer = browser.post("/page/two", data={"csrf": csrf, "key": key, "say": "x"})
    assert answer.status_code == 409
    assert site.count(tables.answer) == 0


def test_limesurvey_pr_5213_consent_is_not_skipped(make: Any) -> None:
    site = make()
    browser = site.browser()
    csrf = hidden(browser.get("/"))["csrf"]
    answer = browser.post("/page/one", data={"csrf": csrf, "key": "x", "go": "1"})
    assert answer.status_code == 409
    person = site.invited()[0]
    let_in(site, site.code(person), browser)
    csrf = hidden(browser.get("/"))["csrf"]
    answer = browser.post("/page/one", data={"csrf": csrf, "key": "x", "go": "1"})
    assert answer.status_code == 409
    assert site.count(tables.response) == 0
    answer = browser.post("/consent", data={"csrf": csrf, "agree": "no"})
    assert answer.status_code == 200
    assert site.count(tables.response) == 0


def test_kobo_kpi_pr_5047_consent_pressed_twice_is_one_person(make: Any) -> None:
    site = make()
    browser = site.browser()
    fields = {**hidden(browser.get("/")), "agree": "yes"}
    cookie = browser.cookies["survey"]
    twice = [site.browser(cookies={"survey": cookie}) for _ in range(2)]
    for one in twice:
        assert one.post("/consent", data=fields).headers["location"] == "/page"
    assert site.count(tables.person) == 1
    assert site.count(tables.response) == 1
    assert all(one.get("/page/one").status_code == 200 for one in twice)


def test_kobo_kpi_pr_5047_consent_of_the_invited_pressed_twice(make: Any) -> None:
    site = make()
    browser = site.browser()
    let_in(site, site.code(site.invited()[0]), browser)
    fields = {**hidden(browser.get("/")), "agree": "yes"}
    for _ in range(2):
        answer = browser.post("/consent", data=fields)
        assert answer.headers["location"] == "/page"
    assert site.count(tables.person) == 1
    assert site.count(tables.response) == 1


def test_kobo_kpi_pr_5047_consent_after_erasure_is_somebody_new(make: Any) -> None:
    site = make()
    first = site.browser()
    fields = {**hidden(first.get("/")), "agree": "yes"}
    cookie = first.cookies["survey"]
    first.post("/consent", data=fields)
    first.post("/withdraw", data=hidden(first.get("/withdraw")))
    again = site.browser(cookies={"survey": cookie})
    assert again.post("/consent", data=fields).status_code == 303
    answer = again.post("/withdraw", data=hidden(again.get("/withdraw")))
    assert answer.status_code == 200
    assert site.count(tables.tombstone) == 2
    assert site.count(tables.person) == 0


# 13


def test_parallel_last_place(make: Any) -> None:
    """There are no quotas; what has one place is a person's response to a wave."""
    site = make()
    person = site.invited()[0]
    browsers = [site.browser() for _ in range(6)]
    for browser in browsers:
        let_in(site, site.code(person), browser)
    forms = [{**hidden(b.get("/")), "agree": "yes"} for b in browsers]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda one: one[0].post("/consent", data=one[1]),
                zip(browsers, forms, strict=True),
            )
        )
    assert {a.status_code for a in answers} == {303}
    assert site.count(tables.response) == 1


# 15


def test_log_injection_and_secrets_in_logs(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = make()
    person = site.invited()[0]
    code = site.code(person)
    browser = site.browser()
    browser.get("/x%0d%0aINFO%20forged")
    browser.get("/page/%0aforged", headers={"user-agent": "forged"})
    browser.request("FORGED", "/")
    let_in(site, code, browser)
    let_in(site, "forged\r\ncode", browser)
    browser.get("/", params={"PROLIFIC_PID": "forged\r\nline"})
    cookie = browser.cookies["survey"]
    fields = hidden(browser.get("/"))
    browser.post("/consent", data={**fields, "agree": "yes"})
    sent(browser, "one", go="1", num="43.21")
    sent(browser, "two", say="a forged\r\nsecret")
    key = key_for(site.place)
    secrets = [code, cookie, browser.cookies["survey"], "43.21", "secret", "forged"]
    secrets += [key.secret.hex(), fields["csrf"], site.code(person, "receipt")]
    written = [
        r for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))
    ]
    assert any(r.name == "pushaway.survey" for r in written)
    for record in written:
        line = record.getMessage()
        assert "\n" not in line
        assert "\r" not in line
        assert not [s for s in secrets if s in line], line
        assert record.exc_info is None


def test_log_of_a_fault_holds_no_answer(
    make: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make()
    browser = begun(site)

    def broken(*_: object, **given: object) -> None:
        raise ValueError(f"could not convert: {given} to my private answer")

    monkeypatch.setattr("survey.store.progress.store", broken)
    caplog.clear()
    answer = sent(browser, "one", go="1", num="43.21")
    assert answer.status_code == 500
    assert "ValueError" not in answer.text
    assert answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    logged = [r for r in caplog.records if r.name.startswith(("pushaway", "uvicorn"))]
    assert any("ValueError at" in r.getMessage() for r in logged)
    for record in logged:
        assert "private" not in record.getMessage()
        assert "43.21" not in record.getMessage()
        assert record.exc_info is None


def test_statements_are_hidden_from_errors_and_logs(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = make()
    engine = connect(site.place)
    assert engine.hide_parameters
    with engine.connect() as c, pytest.raises(sa.exc.DBAPIError) as found:
        c.execute(sa.text("INSERT INTO nowhere VALUES (:x)"), {"x": "my answer"})
    assert "my answer" not in str(found.value)
    assert "my answer" not in caplog.text


# 16


def test_onadata_pr_3024_formula_cells_and_headers(make: Any, tmp_path: Path) -> None:
    site = make()
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    for cell in cells:
        browser = site.browser()
        fields = hidden(browser.get("/", params={"source": cell}))
        browser.post("/consent", data={**fields, "agree": "yes"})
        sent(browser, "one", go="2")
        sent(browser, "two", say=cell)
    frame = safe_cells(site.answers().reset_index())
    place = tmp_path / "out.csv"
    frame.to_csv(place, index=False)
    with place.open(newline="") as stream:
        rows = list(csv.reader(stream))
    begins = ("=", "+", "-", "@", "\t", "\r")
    assert not [c for row in rows for c in row if c.startswith(begins)]
    assert "'=1+1" in {c for row in rows for c in row}


# 17


def test_mass_assignment(make: Any) -> None:
    site = make()
    browser = begun(site)
    for extra in ("finished", "respondent", "response", "wave", "reached", "say", "id"):
        answer = sent(browser, "one", go="1", **{extra: "1"})
        assert answer.status_code == 400, extra
    for extra in ("more", "t_more"):
        assert sent(browser, "one", go="2", **{extra: "1"}).status_code == 400
    assert site.count(tables.answer) == 0
    assert sent(browser, "one", move="finish").status_code == 400
    assert sent(browser, "one", move="language:xx").status_code == 400
    assert sent(browser, "one", move="de").status_code == 400
    assert sent(browser, "one", go="4").status_code == 422


def test_parameter_pollution(make: Any) -> None:
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))
    data = {**fields, "go": ["1", "2"]}
    assert browser.post("/page/one", data=data).status_code == 400
    assert browser.get("/?lang=de&lang=xx").status_code == 303
    assert site.count(tables.answer) == 0


# 18


def test_host_header(make: Any) -> None:
    site = make(url="https://survey.example")
    for host in ("evil.example", "survey.example.evil.example", "", "a b", "["):
        browser = site.browser(base_url="https://survey.example")
        answer = browser.get("/", headers={"host": host})
        assert answer.status_code == 400
        assert "evil" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
    browser = site.browser(base_url="https://survey.example")
    answer = browser.get("/", headers={"x-forwarded-host": "evil.example"})
    assert "evil" not in answer.text


def test_host_is_no_part_of_links(make: Any) -> None:
    site = make(url="https://survey.example")
    browser = begun(site, base_url="https://survey.example:444")
    assert "https://survey.example/i/" in browser.get("/saved").text
    answer = browser.get("/page/", headers={"x-forwarded-proto": "http"})
    assert answer.status_code == 404


def test_forwarded_addresses_are_not_believed_or_kept(make: Any) -> None:
    site = make()
    site.app.state.desk.tries.each = 2
    browser = site.browser(client=("203.0.113.5", 1))
    found = []
    for k in range(3):
        fields = hidden(browser.get("/resume"))
        answer = browser.post(
            "/start",
            data={**fields, "code": "wrong"},
            headers={"x-forwarded-for": f"198.51.100.{k}"},
        )
        found.append(answer.status_code)
    assert found == [422, 422, 429]
    begun(site, client=("203.0.113.6", 1))
    content = b"".join(p.read_bytes() for p in site.place.parent.glob("survey.db*"))
    for address in (b"203.0.113", b"198.51.100", b"testclient"):
        assert address not in content


# 20


def test_timing_and_message_of_codes(make: Any) -> None:
    """Wrong, erased and other kinds of codes look and last the same."""
    site = make()
    desk = site.app.state.desk
    desk.tries.each = 10**6
    gone, there = site.invited(2)
    browser = site.browser()
    let_in(site, site.code(gone), browser)
    browser.post("/withdraw", data=hidden(browser.get("/withdraw")))
    codes = {
        "wrong": "a" * 26,
        "withdrawn": site.code(gone),
        "receipt": site.code(there, "receipt"),
    }
    fields = hidden(browser.get("/resume"))

    def tried(code: str) -> tuple[float, Response]:
        begin = time.perf_counter()
        answer = browser.post("/start", data={**fields, "code": code})
        return time.perf_counter() - begin, answer

    for _ in range(4):
        spent: dict[str, list[float]] = {name: [] for name in codes}
        texts = set()
        for _ in range(30):
            for name, code in codes.items():
                seconds, answer = tried(code)
                spent[name].append(seconds)
                texts.add((answer.status_code, answer.text))
        assert len(texts) == 1
        middle = [statistics.median(s) for s in spent.values()]
        # A leak shows every time, noise does not.
        if max(middle) < 1.2 * min(middle):
            return
    pytest.fail(f"codes differ in time: {spent}")


def test_message_of_links_is_the_same_for_every_code(make: Any) -> None:
    site = make()
    there = site.code(site.invited()[0])
    browser = site.browser()
    browser.get("/")
    found = {browser.get(f"/i/{c}").text.replace(c, "") for c in (there, "a" * 26)}
    assert len(found) == 1


def test_message_of_withdrawal(make: Any) -> None:
    """A receipt can be checked by whoever has it; nothing tells of any other."""
    site = make()
    person = site.invited()[0]
    receipt = site.code(person, "receipt")
    found = []
    for code in (receipt, receipt, "a" * 16, site.code(person), ""):
        browser = site.browser()
        csrf = hidden(browser.get("/withdraw"))["csrf"]
        answer = browser.post("/withdraw", data={"csrf": csrf, "code": code})
        found.append((answer.status_code, re.sub(csrf, "", answer.text)))
    assert found[0] == found[1]
    assert found[2] == found[3] == found[4]
    assert found[2][0] == 422


# 14.2.1: codes in addresses


def test_slice_116_no_code_in_any_later_address(make: Any) -> None:
    site = make()
    person = site.invited()[0]
    code = site.code(person)
    browser = site.browser()
    pages = [browser.get(f"/i/{code}")]
    fields = hidden(pages[0])
    assert fields["code"] == code
    pages.append(browser.post("/start", data=fields))
    later = ("/", "/page", "/saved", "/withdraw", "/leave")
    pages += [browser.get(path) for path in later]
    for page in pages:
        assert code not in page.headers.get("location", "")
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert code not in page.headers.get("set-cookie", "")
    assert code not in "".join(p.text for p in pages[1:])


@pytest.mark.parametrize(
    "code", ["a" * 65, "%00", "%ff%fe", "a%20b", "%e2%80%ae", "%3Cb%3E", "%0d%0aX: y"]
)
def test_slice_116_a_link_that_is_no_code_asks_for_one(make: Any, code: str) -> None:
    answer = make().browser().get(f"/i/{code}")
    assert answer.status_code == 200
    assert "code" not in hidden(answer)
    assert 'id="code"' in answer.text


def test_header_injection(make: Any) -> None:
    browser = make().browser()
    answer = browser.get("/?PROLIFIC_PID=a%0d%0aSet-Cookie:%20x=y&lang=de%0d%0aX:%20y")
    assert "x" not in answer.headers
    assert "x=y" not in answer.headers["set-cookie"]
    assert "Set-Cookie" not in answer.text


@pytest.mark.parametrize("path", ["//evil.example/page", "/page?next=//evil.example"])
def test_open_redirect(make: Any, path: str) -> None:
    answer = make().browser().get(path)
    assert "evil" not in answer.headers.get("location", "")


# 21


def test_formr_656_clock_set_back(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))
    real = time.time
    monkeypatch.setattr(guard.time, "time", lambda: real() - 86_400)
    answer = browser.post("/page/one", data={**fields, "go": "2"})
    assert answer.headers["location"] == "/page/two"
    assert list(site.answers()["seconds"]) in ([None], [0.0])


def test_formr_656_leaving_waits_for_no_database(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make()
    browser = begun(site)
    fields = hidden(browser.get("/page/one"))

    def gone(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("x", None, Exception("gone"))

    monkeypatch.setattr(sa.Engine, "connect", gone)
    assert browser.get("/page").status_code == 503
    assert browser.get("/nowhere").status_code == 404
    answer = browser.post("/page/one", data={**fields, "go": "1"})
    assert answer.status_code == 503
    assert browser.get("/leave").headers["location"] == "https://www.example.org/"


# 22


def test_esri_survey123_16967_erasure(make: Any) -> None:
    site = make()
    secret = "an unmistakable sentence"  # noqa: S105 - an answer
    keeper, goer = begun(site), begun(site)
    sent(keeper, "one", go="3", num="7")
    sent(goer, "one", go="1", num="12.375")
    sent(goer, "two", say=secret, more=secret + " more")
    receipt = re.search(r'id="receipt">([a-z2-7-]+)<', goer.get("/done").text)
    assert receipt
    content = b"".join(p.read_bytes() for p in site.place.parent.glob("survey.db*"))
    assert secret.encode() in content
    other = site.browser()
    csrf = hidden(other.get("/withdraw"))["csrf"]
    code = receipt[1].upper().replace("-", " ")
    answer = other.post("/withdraw", data={"csrf": csrf, "code": code})
    assert answer.status_code == 200
    for file in site.place.parent.glob("survey.db*"):
        assert secret.encode() not in file.read_bytes(), file.name
        assert b"12.375" not in file.read_bytes(), file.name
    assert list(site.answers()["go"]) == ["3"]
    assert site.count(tables.tombstone) == 1
    assert goer.get("/done").headers["location"] == "/"


def test_own_fields_are_no_items(tmp_path: Path) -> None:
    items = [{"id": "key", "type": "text", "text": "T"}]
    pages = [{"id": "one", "title": "T", "items": ["key"]}]
    instrument = questionnaire(items=items, pages=pages)
    with pytest.raises(RefusedError, match="items: key"):
        create_app(instrument, tmp_path / "s.db")
