"""What browser tests of the survey need: Chromium, a process, axe, stored answers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from survey.collect import own
from survey.instrument import Instrument
from survey.store import people, studies
from survey.store.codes import key_for
from survey.store.database import connect, reading, writing
from survey.store.studies import Settings
from survey.store.versions import require_current
from survey.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    from playwright.sync_api import Browser, BrowserContext, Page

    from survey.store.people import Person

ROOT = Path(__file__).parents[2]
INSTRUMENTS = ROOT / "tests" / "instruments"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
#: Milliseconds anything on a loopback page may take on a busy machine.
PATIENCE = 15_000
AXE_FOLDER = Path(os.environ.get("PUSHAWAY_AXE", ROOT / ".axe"))
AXE = AXE_FOLDER / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
PROCESS = """
import sys
import uvicorn
from survey.instrument import Instrument
from survey.server.app import create_app
source, database, port = sys.argv[1:]
address = f"http://127.0.0.1:{port}"
app = create_app(Instrument.load(source), database, url=address)
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
"""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """A survey that runs as a process of its own."""

    url: str
    database: Path
    instrument: Instrument

    def invite(self, *, couples: int = 0, alone: int = 0) -> list[Person]:
        """Make invitations while it runs."""
        engine = connect(self.database)
        with writing(engine) as connection:
            study = studies.find(connection, "main")
            key = key_for(self.database)
            made = people.invite(connection, study, key, people=alone, couples=couples)
        engine.dispose()
        return made

    def code(self, person: Person, kind: Any = "invitation") -> str:
        return person.access(key_for(self.database), kind)

    def close(self) -> None:
        """Close the wave."""
        engine = connect(self.database)
        with writing(engine) as connection:
            study = studies.find(connection, "main")
            studies.set_window(connection, study, 1, opens=None, closes=studies.now())
        engine.dispose()

    def stored(self) -> pd.DataFrame:
        """Read what is stored, which must satisfy the instrument."""
        raw = own.read(self.database, self.instrument)
        found = validate(raw, self.instrument)
        assert found.failures.empty, found.failures
        return raw.frame

    def rows(self, table: str) -> int:
        """Count the rows of a table."""
        engine = connect(self.database)
        with reading(engine) as connection:
            count = connection.exec_driver_sql(f"select count(*) from {table}")  # noqa: S608
            number = int(count.scalar_one())
        engine.dispose()
        return number


@dataclass(eq=False)
class Visitor:
    """A browser of its own, that notes what it complains of and asks the net for."""

    context: BrowserContext
    home: str
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def page(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self._heard(message.text))
        page.on("pageerror", lambda error: self._heard(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        return page

    def _heard(self, text: str) -> None:
        # Chromium says of every answer that is no success that it is none.
        if "Failed to load resource" not in text:
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith(self.home):
            self.strangers.append(url)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Chromium; Playwright allows one at a time, so no longer than a module."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium (apt: chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Come with a browser that nobody used before."""
    opened: list[BrowserContext] = []

    def come(survey: Survey, **options: Any) -> Visitor:
        chosen = {"viewport": DESK, "locale": "en-GB"} | options
        context = chromium.new_context(**chosen)
        opened.append(context)
        return Visitor(context, survey.url)

    yield come
    for context in opened:
        context.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Survey]]:
    """Run the survey of an instrument as a process; ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(path: Path = INSTRUMENTS / "two_of_us.yaml", **settings: Any) -> Survey:
        source = str(path)
        instrument = Instrument.load(source)
        database = tmp_path / f"survey{len(started)}.db"
        _begin(database, instrument, Settings(**({"open": True} | settings)))
        port = free_port()
        process = subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, "-c", PROCESS, source, str(database), str(port)],
            cwd=ROOT,
        )
        started.append(process)
        survey = Survey(f"http://127.0.0.1:{port}", database, instrument)
        wait_for(port, process)
        return survey

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


def _begin(database: Path, instrument: Instrument, settings: Settings) -> None:
    engine = connect(database)
    require_current(engine)
    key = key_for(database, make=True)
    with writing(engine) as connection:
        studies.begin(connection, "main", instrument, settings, key)
    engine.dispose()


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server listens, which it does when it has begun."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the survey ended"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the survey does not answer")


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """Find what keeps people out of a page: rule and element of each violation."""
    if not AXE.is_file():
        pytest.skip(
            "needs axe-core: npm install --prefix .axe axe-core (or PUSHAWAY_AXE)"
        )
    script = AXE.read_text(encoding="utf-8")

    def look(page: Page) -> list[str]:
        # Styles belong to what is looked at.
        page.wait_for_load_state("load")
        page.evaluate(script)
        found = page.evaluate(
            "tags => axe.run({runOnly: {type: 'tag', values: tags}})", STANDARDS
        )
        return [
            f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    return look
