"""Bodies and requests no browser sends: a clear page, nothing stored, nothing lost."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
import uvicorn
from starlette.testclient import TestClient

from survey.collect import own
from survey.instrument import Instrument
from survey.server import posted, run
from survey.server.app import create_app
from survey.store import people, studies, tables
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.validate import validate
from survey.yaml12 import Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    from httpx2 import Response
    from starlette.applications import Starlette

LONG = 10 * 1024 * 1024


def questionnaire(name: str = "bad_input") -> Instrument:
    content: dict[str, Any] = {
        "id": name,
        "version": "1.0",
        "title": "T",
        "languages": ["en"],
        "license": "MIT",
        "response_scales": [
            {"id": "yesno", "codes": [1, 0], "labels": ["Yes", "No"]}
            | {"missing": [{"code": 9, "label": "No answer"}]},
        ],
        "items": [
            {"id": "pick", "type": "choice", "text": "P", "response_scale": "yesno"},
            {"id": "num", "type": "number", "text": "N", "minimum": 0, "maximum": 99},
            {"id": "whole", "type": "number", "text": "W", "minimum": -5, "maximum": 5}
            | {"integer": True},
            {"id": "say", "type": "text", "text": "S", "max_length": 100},
            {"id": "later", "type": "text", "text": "L", "show_if": "pick == 1"},
            {"id": "rest", "type": "text", "text": "O"},
        ],
        "pages": [
            {"id": "one", "title": "One", "items": ["pick", "num", "whole", "say"]},
            {"id": "two", "title": "Two", "items": ["later", "rest"]},
        ],
        "forms": [
            {"id": "short", "label": "S", "items": ["pick", "say", "num", "whole"]},
            {"id": "full", "label": "F", "items": "all"},
        ],
    }
    return Instrument.from_document(Document(name, content))


class Person:
    """Someone whose browser can send what browsers do not."""

    def __init__(self, app: Starlette) -> None:
        self.http = TestClient(app, follow_redirects=False)

    def opened(self, page: str = "one") -> dict[str, str]:
        text = self.http.get(f"/page/{page}").text
        found = re.findall(r'type="hidden" name="(csrf|key)" value="([^"]*)"', text)
        return dict(found)

    def begin(self) -> Person:
        text = self.http.get("/").text
        found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
        self.http.post("/consent", data={**found, "agree": "yes"})
        return self

    def send(self, page: str = "one", **fields: str) -> Response:
        opened = self.opened(page)
        return self.http.post(
            f"/page/{page}", data={**opened, "move": "next", **fields}
        )

    def raw(self, body: bytes, **headers: str) -> Response:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        opened = urlencode(self.opened()).encode()
        return self.http.post(
            "/page/one", content=opened + b"&" + body, headers={**kind, **headers}
        )


class Site:
    """A running survey in which somebody answered a page before."""

    def __init__(self, app: Starlette, place: Path) -> None:
        self.app = app
        self.place = place
        self.person = Person(app).begin()
        assert self.person.send(pick="0", num="7", say="before").status_code == 303

    def frame(self) -> pd.DataFrame:
        instrument = questionnaire()
        raw = own.read(self.place, instrument)
        assert validate(raw, instrument).failures.empty
        frame = raw.frame.astype(object)
        return frame.where(frame.notna(), None)

    def unharmed(self) -> None:
        """What was valid before is there, and nothing else."""
        row = self.frame().iloc[0]
        kept = [row[name] for name in ("pick", "num", "whole", "say", "rest")]
        assert kept == ["0", "7", None, "before", None]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    yield from running(tmp_path)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For all that changes nothing."""
    yield from running(tmp_path_factory.mktemp("still"))


def running(folder: Path) -> Iterator[Site]:
    place = folder / "survey.db"
    settings = studies.Settings(open=True, form="full")
    app = create_app(questionnaire(), place, settings=settings)
    with TestClient(app):
        yield Site(app, place)


def refused(answer: Response, *status: int) -> None:
    """A clear page in plain words."""
    assert answer.status_code in status
    assert "<h1>" in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("item", "value"),
    [
        *[
            ("pick", v)
            for v in ("2", "01", "1.0", "yes", "-1", "\u0661", "1 0", "None")
        ],
        *[
            ("num", v)
            for v in ("100", "-1", "nan", "inf", "1e3", "0x1", "1_0", "\u0664")
        ],
        *[("num", v) for v in ("9" * 400, "1,2,3", "1.2.3", "1" + "0" * 5000, "--1")],
        *[("whole", v) for v in ("1.5", "6", "-6", "1e0")],
        *[("say", v) for v in ("x" * 101, "\U0001f600" * 101)],
        *[("say", v) for v in ("a\x00b", "\x1b[31m", "a\x7fb", "a\x0bb", "\ufffe")],
    ],
)
def test_answers_outside_of_what_is_asked(still: Site, item: str, value: str) -> None:
    answer = still.person.send(**{"pick": "1", item: value})
    refused(answer, 422)
    assert f'id="{item}-error"' in answer.text
    still.unharmed()


@pytest.mark.parametrize(
    ("item", "value", "kept"),
    [
        ("pick", " 1 ", "1"),
        ("pick", "9", "9"),
        ("num", "0.000000000000001", "0.000000000000001"),
        ("num", "1,5", "1.5"),
        ("num", "-0", "0"),
        ("num", "007", "7"),
        ("num", "98.999999999999", "98.999999999999"),
        ("whole", "\u22123", "-3"),
        ("say", "\ufeffbom \u202ertl \u2028 \u0000"[:-1], None),
        ("say", "\U0001f469\u200d\U0001f680" * 30, "\U0001f469\u200d\U0001f680" * 30),
        ("say", "  \r\n ", None),
        ("say", "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("say", "1; DROP TABLE answer", "1; DROP TABLE answer"),
        ("say", "a\tb", "a\tb"),
        ("say", "x" * 100, "x" * 100),
    ],
)
def test_odd_answers_that_are_valid(
    site: Site, item: str, value: str, kept: str | None
) -> None:
    assert site.person.send(**{item: value}).status_code == 303
    found = site.frame().iloc[0][item]
    assert kept is None or found == kept


def test_items_not_shown_and_of_another_form(site: Site) -> None:
    person = site.person
    refused(person.send("two", later="x", rest="y"), 400)
    refused(person.send(rest="y"), 400)
    refused(person.send(t_rest="5"), 400)
    site.unharmed()
    with writing(connect(site.place)) as c:
        study = studies.find(c, "main")
        key = key_for(site.place)
        short = people.invite(c, study, key, people=1, form="short")[0]
    other = Person(site.app)
    text = other.http.get(f"/i/{short.access(key, 'invitation')}").text
    found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
    other.http.post("/start", data=found)
    other.begin()
    refused(other.send("two", rest="y"), 403)
    refused(other.send("one", rest="y"), 400)
    assert set(site.frame()["form"]) == {"full", "short"}


def test_an_answer_that_hides_items_takes_theirs_back(site: Site) -> None:
    person = site.person
    person.send(pick="1")
    person.send("two", later="seen", rest="kept", move="back")
    person.send(pick="0", move="save")
    row = site.frame().iloc[0]
    assert (row["pick"], row["later"], row["rest"]) == ("0", None, "kept")


def test_a_hidden_item_that_was_on_the_page_when_it_was_opened(site: Site) -> None:
    person = site.person
    person.send(pick="1")
    opened = person.opened("two")
    person.send(pick="0")
    answer = person.http.post("/page/two", data={**opened, "later": "x", "rest": "y"})
    refused(answer, 400)
    assert "changed since it was opened" in answer.text
    assert site.frame().iloc[0]["rest"] is None


def test_after_the_wave_closed(site: Site) -> None:
    opened = site.person.opened()
    newcomer = Person(site.app)
    form = newcomer.http.get("/").text
    with writing(connect(site.place)) as c:
        study = studies.find(c, "main")
        ago = studies.now() - timedelta(minutes=1)
        studies.set_window(c, study, 1, opens=None, closes=ago)
    answer = site.person.http.post("/page/one", data={**opened, "pick": "1"})
    refused(answer, 409)
    assert "does not take answers at the moment" in answer.text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    answer = newcomer.http.post("/consent", data={**fields, "agree": "yes"})
    refused(answer, 409)
    site.unharmed()
    assert len(site.frame()) == 1


def test_wave_closes_between_the_look_and_the_write(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    newcomer = Person(site.app)
    text = newcomer.http.get("/").text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', text))
    real = studies.now
    calls = iter([0, *[3600] * 99])
    with writing(connect(site.place)) as c:
        study = studies.find(c, "main")
        soon = real() + timedelta(minutes=1)
        studies.set_window(c, study, 1, opens=None, closes=soon)
    monkeypatch.setattr(studies, "now", lambda: real() + timedelta(seconds=next(calls)))
    answer = newcomer.http.post("/consent", data={**fields, "agree": "yes"})
    refused(answer, 409)
    monkeypatch.undo()
    assert len(site.frame()) == 1


def test_somebody_elses_cookie_and_page_key(still: Site) -> None:
    other = Person(still.app).begin()
    mine, theirs = other.opened(), still.person.opened()
    for fields in (theirs, {**mine, "key": theirs["key"]}, {**mine, "csrf": ""}):
        refused(other.http.post("/page/one", data={**fields, "pick": "1"}), 403)
    for key in ("", "a.b.c", "a" * 9999, f"{mine['key']}0", "..", "\u00e9.1.\u00e9"):
        answer = other.http.post("/page/one", data={**mine, "key": key, "pick": "1"})
        refused(answer, 403)
    with connect(still.place).connect() as c:
        stored = c.scalar(sa.select(tables.visit.c.hash).limit(1))
    for value in ("", "x", "a" * 43, "\u00e9" * 43, str(stored), "a" * 100_000):
        browser = TestClient(still.app, follow_redirects=False)
        cookie = f"survey={value}".encode()
        answer = browser.get("/page", headers={"cookie": cookie})
        assert answer.headers["location"] == "/"
    still.unharmed()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"say=%ff%fe", 400),
        (b"say=%ed%a0%80", 400),
        (b"say=%c0%af", 400),
        (b"say=\xc3\xa9", 400),
        (b"say=\xff", 400),
        (b"%00=1", 400),
        (b"pick=1&pick=1", 400),
        (b"pick=1&pick=0", 400),
        (b"csrf=x", 400),
        (b"extra=1", 400),
        (b"pick[]=1", 400),
        (b"pick[0]=1&__proto__=1", 400),
        (b"&".join(b"a%d" % k for k in range(5000)), 400),
        (b"a&" * 400_000, 400),
        (b"&" * 1_000_000, 400),
        (b"say=" + b"x" * 900_000, 422),
        (b"say=" + b"x" * LONG, 413),
    ],
)
def test_bodies(still: Site, body: bytes, status: int) -> None:
    refused(still.person.raw(body), status)
    still.unharmed()


def test_a_million_fields(still: Site) -> None:
    begin = time.perf_counter()
    refused(still.person.raw(b"&".join(b"a%d" % k for k in range(10**6))), 413)
    refused(still.person.raw(b"a&" * 500_000), 400)
    assert time.perf_counter() - begin < 5
    still.unharmed()


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "application/x-www-form-urlencoded-x",
    ],
)
def test_wrong_content_types(still: Site, kind: str) -> None:
    refused(still.person.raw(b"pick=1", **{"content-type": kind}), 415)
    still.unharmed()


@pytest.mark.parametrize("length", ["\u00b2", "-1", "1e3", "9" * 5000, "x"])
def test_wrong_lengths(still: Site, length: str) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    headers = {**kind, "content-length": length}
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = still.person.http.post("/page/one", content=b"pick=1", headers=raw)
    refused(answer, 400)
    still.unharmed()


@pytest.mark.parametrize(
    "headers",
    [
        {"accept-language": "x" * 50_000},
        {"accept-language": "de;q=\xff, ,;,-,"},
        {"cookie": "=; ;;; survey; survey=; \xff=\xff"},
        {"origin": "http://[", "referer": "\xff"},
        {"x-forwarded-for": "\xff, 1.2.3.4", "x-forwarded-proto": "javascript"},
        {"x-forwarded-host": "evil", "forwarded": "for=evil;host=evil"},
        {"x-original-url": "/admin", "x-rewrite-url": "/admin"},
        {"x-http-method-override": "DELETE"},
        {"range": "bytes=0-1,5-,-3", "if-none-match": "\xff"},
    ],
)
def test_odd_headers(still: Site, headers: Mapping[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    for path in ("/", "/page", "/static/survey.css", "/nowhere"):
        answer = still.person.http.get(path, headers=raw)
        assert answer.status_code < 500
        assert "evil" not in answer.text


@contextmanager
def listening(app: Starlette, proxy: str | None = None) -> Iterator[int]:
    """Serve on a real socket, as `pushaway serve` does."""
    taken = run.listening("127.0.0.1", 0)
    server = uvicorn.Server(run.configured(app, proxy))
    thread = threading.Thread(target=server.run, args=([taken],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield taken.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    place = tmp_path_factory.mktemp("port") / "survey.db"
    app = create_app(questionnaire(), place, settings=studies.Settings(open=True))
    with listening(app) as number:
        yield number


def spoken(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Say something on a socket, and hear what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        try:
            for part in parts:
                line.sendall(part)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass
        heard = b""
        try:
            while chunk := line.recv(65536):
                heard += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return heard


def asked(line: bytes, *headers: bytes, host: bytes = b"localhost") -> bytes:
    """Write a request; the connection is closed after it."""
    every = [b"Host: " + host, b"Connection: close", *headers]
    return b"\r\n".join([line, *every, b"", b""])


def form(*headers: bytes, body: bytes = b"") -> bytes:
    kind = b"Content-Type: application/x-www-form-urlencoded"
    return asked(b"POST /start HTTP/1.1", kind, *headers) + body


CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", b"400"),
        (asked(b"GET / HTTP/1.0"), b"200"),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (asked(b"GET / HTTP/1.1", host=b"evil"), b"400"),
        (asked(b"GET / HTTP/1.1", b"Host: evil"), b"400"),
        (asked(b"GET / HTTP/1.1", host=b"[::1]:80"), b"200"),
        (asked(b"GET http://evil/ HTTP/1.1"), b"404"),
        (asked(b"GET //evil/.. HTTP/1.1"), b"404"),
        (asked(b"GET /static/..%2fapp.py HTTP/1.1"), b"404"),
        (asked(b"GET /static/%252e%252e/app.py HTTP/1.1"), b"404"),
        (asked(b"GET /static/../app.py HTTP/1.1"), b"404"),
        (asked(b"GET /%2561dmin HTTP/1.1"), b"404"),
        (asked(b"GET /\x00 HTTP/1.1"), b"400"),
        (asked(b"GET /i/%00%ff%0d%0a HTTP/1.1"), b"200"),
        (form(b"Content-Length: 10", b"Content-Length: 2", body=b"a="), b"400"),
        (form(b"Content-Length: 1e9"), b"400"),
        (form(b"Content-Length: 99999999999"), b"413"),
        (form(b"Transfer-Encoding: gzip"), b"400"),
        (form(CHUNKED, body=b"zz\r\n"), b"400"),
        (form(CHUNKED, body=b"3\r\na=b\r\n0\r\n\r\n"), b"403"),
        (asked(b"TRACE / HTTP/1.1"), b"405"),
        (asked(b"CONNECT evil:1 HTTP/1.1"), b"404"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (asked(b"GET / HTTP/1.1", b"X: " + b"a" * 200_000), b"400"),
    ],
)
def test_requests_on_a_socket(port: int, said: bytes, status: bytes) -> None:
    heard = spoken(port, said)
    assert heard.split(b" ", 2)[1] == status
    assert b"evil" not in heard
    assert b"Traceback" not in heard


def test_ten_megabytes_in_chunks_without_a_length(port: int) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    heard = spoken(port, form(CHUNKED), *[chunk] * 10, b"0\r\n\r\n")
    assert heard == b"" or heard.split(b" ", 2)[1] == b"413"
    assert b" 200 " in spoken(port, b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")


def test_slow_body(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posted, "PATIENCE", 0.3)
    heard = spoken(port, form(b"Content-Length: 100"), b"a", b"=", b"b", pause=0.2)
    assert heard.split(b" ", 2)[1] == b"408"


def test_body_that_stops(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(form(b"Content-Length: 100", body=b"csrf=mine"))
    time.sleep(0.3)
    heard = spoken(port, b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in heard
    assert not [r for r in caplog.records if r.levelname in {"ERROR", "CRITICAL"}]


@pytest.mark.parametrize(
    ("proxy", "said", "found"),
    [
        # Nobody in front: what a client says of itself is not believed.
        (None, b"198.51.100.7", "127.0.0.1"),
        # A proxy in front: the last address, which it wrote itself, is believed.
        ("127.0.0.1", b"6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("203.0.113.1", b"198.51.100.7", "127.0.0.1"),
    ],
)
def test_address_of_a_client(
    tmp_path: Path, proxy: str | None, said: bytes, found: str
) -> None:
    app = create_app(
        questionnaire(), tmp_path / "s.db", settings=studies.Settings(open=True)
    )
    seen: list[str] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append(scope["client"][0])
        await app(scope, receive, send)

    with listening(noting, proxy) as port:  # type: ignore[arg-type]
        spoken(port, asked(b"GET /health HTTP/1.1", b"X-Forwarded-For: " + said))
    assert seen == [found]


def test_server_says_nothing_of_itself(port: int) -> None:
    heard = spoken(port, asked(b"GET / HTTP/1.1")).lower()
    assert b"uvicorn" not in heard
    assert b"\r\nserver:" not in heard
