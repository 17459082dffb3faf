"""Arbitrary walks, bodies, headers and paths: never a fault, a leak or a bad answer."""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from starlette.testclient import TestClient

from survey.collect import own
from survey.instrument import Instrument
from survey.server.app import create_app
from survey.store import people, studies
from survey.store.codes import VARIABLE, key_for
from survey.store.database import connect, writing
from survey.validate import validate
from survey.yaml12 import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response
    from starlette.applications import Starlette

#: Begins everything a walker types, so that it can be found where it must not be.
MARK = "qzx"

CONTENT: dict[str, Any] = {
    "id": "fuzzed",
    "version": "1.0",
    "title": "T",
    "languages": ["en", "de"],
    "license": "MIT",
    "response_scales": [
        {"id": "often", "labels": ["a", "b", "c"]}
        | {"missing": [{"code": 9, "label": "none"}]},
        {"id": "soil", "codes": ["s", "l"], "labels": ["Sand", "Loam"]},
    ],
    "items": [
        {"id": "i1", "type": "likert", "text": "1", "response_scale": "often"}
        | {"required": True},
        {"id": "i2", "type": "choice", "text": "2", "response_scale": "soil"},
        {"id": "i3", "type": "number", "text": "3", "minimum": -1e6, "maximum": 1e9}
        | {"show_if": "i1 in (1, 2)"},
        {"id": "i4", "type": "text", "text": "4", "show_if": "i2 == 's'"},
        {"id": "i5", "type": "likert", "text": "5", "response_scale": "often"},
        {"id": "i6", "type": "text", "text": "6", "multiline": True},
        {"id": "i7", "type": "number", "text": "7", "minimum": 0, "maximum": 120}
        | {"integer": True, "show_if": "i5 == 3"},
    ],
    "pages": [
        {"id": "p1", "title": "1", "items": ["i1", "i2"], "random_order": True},
        {"id": "p2", "title": "2", "items": ["i3", "i4"]},
        {"id": "p3", "title": "3", "items": ["i5"], "show_if": "i1 == 1"},
        {"id": "p4", "title": "4", "items": ["i6", "i7"]},
    ],
}
PAGES = ("p1", "p2", "p3", "p4")
ITEMS = tuple(item["id"] for item in CONTENT["items"])


class _Kept(logging.Handler):
    """Keeps what was logged, at any level, by anyone but the client of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("httpx", "httpcore", "asyncio")):
            self.lines.append(f"{record.getMessage()} {record.exc_info or ''}")


class Site:
    """A survey for all examples of a test; every example has its own people."""

    def __init__(self, app: Starlette, place: str, log: _Kept) -> None:
        self.app = app
        self.place = place
        self.engine = connect(place)
        self.instrument = Instrument.from_document(Document("fuzzed", CONTENT))
        self.log = log
        self.walkers = 0

    def invitation(self) -> str:
        key = key_for(self.place)
        with writing(self.engine) as c:
            found = people.invite(c, studies.find(c, "main"), key, people=1)
        return found[0].access(key, "invitation")

    def sound(self) -> None:
        """Everything stored validates, and is its own person's.

        Only who has not finished may still owe an answer that is required.
        """
        raw = own.read(self.place, self.instrument)
        if raw.frame.empty:
            return
        failures = validate(raw, self.instrument).failures
        owed = failures["reason"] == "required answer is missing"
        on_the_way = raw.frame.index[raw.frame["finished"].isna()]
        bad = failures[~(owed & failures["respondent"].isin(on_the_way))]
        assert bad.empty, bad
        for name in ("i4", "i6"):
            for text in raw.frame[name].dropna():
                assert len(set(re.findall(rf"{MARK}\d+", text))) <= 1


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    log = _Kept()
    root = logging.getLogger()
    before = root.level
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv(VARIABLE, "ab" * 32)
        if request.param == "sqlite":
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            place = str(Path(folder) / "survey.db")
        else:
            place = request.getfixturevalue("cluster").new("fuzz")
        instrument = Instrument.from_document(Document("fuzzed", CONTENT))
        app = create_app(instrument, place, settings=studies.Settings(open=True))
        app.state.desk.tries.each = 10**9
        stack.enter_context(TestClient(app))
        root.addHandler(log)
        root.setLevel(logging.DEBUG)
        stack.callback(root.setLevel, before)
        stack.callback(root.removeHandler, log)
        made = Site(app, place, log)
        stack.callback(made.engine.dispose)
        yield made


class Walker:
    """A browser that types anything anywhere."""

    def __init__(self, site: Site) -> None:
        site.walkers += 1
        self.site = site
        self.mark = f"{MARK}{site.walkers}"
        self.http = TestClient(site.app, follow_redirects=False)
        self.invitation = ""
        self.cookies: set[str] = set()

    def seen(self, answer: Response) -> Response:
        assert answer.status_code < 500, answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["content-security-policy"].startswith(
            "default-src 'none'"
        )
        assert set(re.findall(rf"{MARK}\d+", answer.text)) <= {self.mark}
        self.cookies.update(self.http.cookies.values())
        return answer

    def get(self, path: str) -> Response:
        return self.seen(self.http.get(path))

    def fields(self, path: str) -> dict[str, str]:
        text = self.get(path).text
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))

    def post(self, path: str, fields: dict[str, Any]) -> Response:
        body = urlencode(fields, errors="surrogatepass", doseq=True)
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self.seen(self.http.post(path, content=body, headers=kind))


anything = st.text(max_size=40)
numbers = st.one_of(
    st.floats(width=32).map(repr), st.integers(-(10**9), 10**9).map(str), anything
)
plausible = {
    "i1": st.sampled_from(["1", "2", "3", "9", "", " 1", "4"]),
    "i2": st.sampled_from(["s", "l", "", "S"]),
    "i3": numbers,
    "i4": anything.map(lambda text: f"{MARK}{text}"),
    "i5": st.sampled_from(["1", "2", "3", "9", ""]),
    "i6": st.text(max_size=400).map(lambda text: f"{MARK}{text}"),
    "i7": numbers,
}
answers = st.fixed_dictionaries({}, optional=plausible)
strange = st.dictionaries(
    st.one_of(
        st.sampled_from([*ITEMS, "t_i1", "move", "key", "csrf", "wave"]), anything
    ),
    anything,
    max_size=2,
)
moves = st.one_of(
    st.sampled_from(["next", "next", "next", "back", "save", "language:de"]), anything
)


class Walk(RuleBasedStateMachine):
    """People who walk through the survey in any order, with any answers."""

    site: Site
    walkers: Bundle[Walker] = Bundle("walkers")

    @rule(target=walkers, invited=st.booleans())
    def come(self, *, invited: bool) -> Any:
        walker = Walker(self.site)
        if invited:
            walker.invitation = self.site.invitation()
            fields = walker.fields(f"/i/{walker.invitation}")
            assert walker.post("/start", fields).status_code == 303
        agreed = {**walker.fields("/"), "agree": "yes"}
        assert walker.post("/consent", agreed).status_code == 303
        return multiple(walker)

    @rule(walker=walkers, page=st.sampled_from(PAGES), given=answers, move=moves)
    def answer(
        self, walker: Walker, page: str, given: dict[str, str], move: str
    ) -> None:
        opened = walker.fields(f"/page/{page}")
        shown = walker.get(f"/page/{page}").text
        own = {
            name: value.replace(MARK, walker.mark)
            for name, value in given.items()
            if f'name="{name}"' in shown
        }
        walker.post(f"/page/{page}", {**opened, **own, "move": move})

    @rule(walker=walkers, page=st.sampled_from(PAGES), given=answers, more=strange)
    def scribble(
        self,
        walker: Walker,
        page: str,
        given: dict[str, str],
        more: dict[str, str],
    ) -> None:
        opened = walker.fields(f"/page/{page}")
        own = {n: v.replace(MARK, walker.mark) for n, v in given.items()}
        walker.post(f"/page/{page}", {**opened, **own, "move": "next", **more})

    @rule(walker=walkers, other=walkers, page=st.sampled_from(PAGES))
    def steal(self, walker: Walker, other: Walker, page: str) -> None:
        theirs = other.fields(f"/page/{page}")
        mine = walker.fields(f"/page/{page}")
        if walker is not other and {"csrf", "key"} <= set(theirs) & set(mine):
            for fields in (theirs, {**mine, "key": theirs["key"]}):
                answer = walker.post(f"/page/{page}", {**fields, "i6": other.mark})
                assert answer.status_code == 403

    @rule(
        walker=walkers,
        path=st.sampled_from(["/start", "/consent", "/withdraw", "/page/p1", "/leave"]),
        given=strange,
    )
    def knock(self, walker: Walker, path: str, given: dict[str, str]) -> None:
        csrf = walker.fields("/withdraw").get("csrf", "")
        walker.post(path, {"csrf": csrf, **given})

    @rule(walker=walkers, path=st.sampled_from(["/", "/page", "/saved", "/done"]))
    def look(self, walker: Walker, path: str) -> None:
        walker.get(path)

    @rule(walker=walkers)
    def withdraw(self, walker: Walker) -> None:
        walker.post("/withdraw", walker.fields("/withdraw"))

    @invariant()
    def quiet(self) -> None:
        said, self.site.log.lines = "\n".join(self.site.log.lines), []
        assert MARK not in said
        assert "fault" not in said

    def teardown(self) -> None:
        self.site.sound()


def test_walk(site: Site) -> None:
    class Bound(Walk):
        pass

    Bound.site = site
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=12,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


FAST = settings(max_examples=80, deadline=None, derandomize=True)


async def asked(
    app: Starlette,
    path: bytes,
    *,
    method: str = "GET",
    query: bytes = b"",
    headers: list[tuple[bytes, bytes]] | None = None,
    chunks: list[bytes] | None = None,
) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Ask as a web server does, which hands over nearly anything."""
    got: list[Any] = []
    left = list(chunks or [])

    async def receive() -> dict[str, Any]:
        body = left.pop(0) if left else b""
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message: Any) -> None:
        got.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": unquote_to_bytes(path).decode(errors="replace"),
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"testserver"), *(headers or [])],
        "client": ("203.0.113.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    body = b"".join(m.get("body", b"") for m in got)
    return got[0]["status"], body, got[0]["headers"]


def clean(status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    assert status < 500
    assert b"Traceback" not in body
    names = [name for name, _ in headers]
    assert b"content-security-policy" in names
    for name, value in headers:
        assert b"\n" not in name + value
        assert b"\r" not in name + value
    for _, value in (h for h in headers if h[0] == b"location"):
        assert value in {b"/", b"/page", b"/done", b"/saved"} or value.startswith(
            b"/page/"
        )


pieces = st.one_of(
    st.sampled_from([b"i", b"page", b"static", b"..", b".", b"", b"start", b"admin"]),
    st.sampled_from([b"%2e%2e", b"%252e", b"%00", b"%ff", b"%0d%0a", b"\\", b"p1"]),
    st.binary(max_size=12).map(lambda raw: quote(raw).encode()),
)
paths = st.lists(pieces, max_size=5).map(lambda parts: b"/" + b"/".join(parts))
tokens = st.sampled_from(
    [
        *(b"cookie", b"origin", b"content-type", b"content-length", b"range"),
        *(b"accept-language", b"sec-fetch-site", b"x-forwarded-for", b"forwarded"),
        *(b"if-none-match", b"if-modified-since", b"host", b"referer", b"accept"),
    ]
)
headers = st.lists(
    st.tuples(
        tokens, st.binary(max_size=60).map(lambda v: re.sub(rb"[\r\n\x00]", b"", v))
    ),
    max_size=5,
)


@FAST
@given(
    path=paths,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "\x85"]),
    query=st.binary(max_size=40),
    headers=headers,
)
def test_paths_and_headers(
    site: Site,
    path: bytes,
    method: str,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
) -> None:
    site.log.lines.clear()
    clean(
        *asyncio.run(asked(site.app, path, method=method, query=query, headers=headers))
    )
    assert "fault" not in "".join(site.log.lines)
    assert all("\n" not in line for line in site.log.lines)


@pytest.fixture(scope="module")
def begun(site: Site) -> Walker:
    walker = Walker(site)
    walker.post("/consent", {**walker.fields("/"), "agree": "yes"})
    return walker


bodies = st.one_of(
    st.lists(st.binary(max_size=60), max_size=6),
    st.lists(
        st.tuples(st.sampled_from(ITEMS), st.binary(max_size=20)).map(
            lambda pair: f"{pair[0]}={quote(pair[1])}".encode()
        ),
        max_size=5,
    ).map(lambda parts: [b"&".join(parts)]),
)


@FAST
@given(chunks=bodies, forged=st.booleans(), path=st.sampled_from(["p1", "p4", "x"]))
def test_bodies(
    site: Site, begun: Walker, chunks: list[bytes], path: str, *, forged: bool
) -> None:
    site.log.lines.clear()
    fields = begun.fields("/page/p1")
    head = b"" if forged else urlencode(fields).encode() + b"&"
    cookie = f"survey={begun.http.cookies['survey']}".encode()
    sent = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"cookie", cookie),
    ]
    found = asyncio.run(
        asked(
            site.app,
            f"/page/{path}".encode(),
            method="POST",
            headers=sent,
            chunks=[head, *chunks],
        )
    )
    clean(*found)
    assert "fault" not in "".join(site.log.lines)


def test_what_was_stored_is_valid_after_all(site: Site) -> None:
    site.sound()
