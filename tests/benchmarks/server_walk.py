"""What the faults and the load of the web survey need: servers, databases, walkers.

A walker goes through the real survey as a browser does: cookie, hidden fields, one page
after the other; it remembers what it sent and what was acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import sqlalchemy as sa

from survey.instrument import Instrument
from survey.store import tables
from survey.store.database import connect, reading
from survey.yaml12 import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BINARIES = Path("/usr/lib/postgresql/15/bin")
ROOT = Path(__file__).parents[2]
KEY = "ab" * 32
PAGES = ("first", "second", "third", "fourth")
#: Seconds to wait for a server that starts.
PATIENCE = 20


def instrument(items: int = 5, pages: Iterable[str] = PAGES) -> Instrument:
    """Pages of five-point items, an age and a remark; the order of one is drawn."""
    names = {page: [f"{page}{k}" for k in range(items)] for page in pages}
    last = list(names)[-1]
    questions = "\n".join(
        f"  - {{id: {n}, type: likert, text: About {n}., response_scale: agree}}"
        for ones in names.values()
        for n in ones
    )
    arranged = "\n".join(
        f"  - {{id: {page}, title: The {page}, items: [{', '.join(ones)}"
        + (", remark]" if page == last else "]")
        + (", random_order: true}" if page == last else "}")
        for page, ones in names.items()
    )
    return Instrument.from_document(
        read_text(
            f"""\
id: walk
version: "1.0.0"
title: Walk
response_scales:
  - {{id: agree, labels: [No, Rather no, Neither, Rather, Yes]}}
items:
{questions}
  - {{id: remark, type: text, text: Anything else?, max_length: 2000}}
pages:
{arranged}
""",
            "walk.yaml",
        )
    )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


# -- servers ---------------------------------------------------------------------------


class Cluster:
    """A PostgreSQL of our own: fsync on, loopback only, everyone is trusted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cluster"
        self.port = free_port()
        self._made = 0
        self._user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self._of = shutil.which("initdb") or str(BINARIES / "initdb")
        if self._user:
            for one in (folder, *folder.parents):
                with suppress(PermissionError):
                    one.chmod(one.stat().st_mode | 0o011)
            self.folder.mkdir()
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-A", "trust", "-U", "survey", "-D", str(self.folder))
        with (self.folder / "postgresql.conf").open("a") as stream:
            stream.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                f"unix_socket_directories = '{self.folder}'\nfsync = on\n"
                "synchronous_commit = on\n"
            )

    @staticmethod
    def missing() -> str:
        """Say why there can be no cluster; empty where there can."""
        if not (BINARIES / "initdb").exists():
            return "PostgreSQL 15 is not installed"
        if os.getuid() == 0 and shutil.which("runuser") is None:
            return "PostgreSQL does not run as root"
        return ""

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._user, str(BINARIES / program), *arguments],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder), "-l", log, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", str(self.folder), "-m", mode, "-w", "stop")

    @property
    def pid(self) -> int:
        """Id of the postmaster."""
        return int((self.folder / "postmaster.pid").read_text().split("\n")[0])

    def backends(self) -> list[int]:
        """Ids of the processes that serve connections."""
        engine = connect(self.url("postgres"))
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = "
                "'client backend' AND pid <> pg_backend_pid()"
            )
            found = [row[0] for row in rows]
        engine.dispose()
        return found

    def kill(self) -> None:
        """Kill the first process; the others notice and go."""
        os.kill(self.pid, signal.SIGKILL)

    def start_again(self) -> None:
        """Start after a kill; the killed one's children may hold the place a moment."""
        for _ in range(PATIENCE * 5):
            with suppress(subprocess.CalledProcessError):
                self.start()
                return
            time.sleep(0.2)
        raise TimeoutError("PostgreSQL does not start again")

    def url(self, name: str) -> str:
        return f"postgresql://survey@127.0.0.1:{self.port}/{name}"

    def new(self, name: str) -> str:
        """Make an empty database; its URL. Old ones stay: to drop one is slow."""
        self._made += 1
        name = f"{name}_{self._made}"
        engine = connect(self.url("postgres")).execution_options(
            isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        engine.dispose()
        return self.url(name)


class Nest:
    """Starts servers at once: forks them from a process that has loaded everything."""

    def __init__(self, **limits: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--nest"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ
            | {"PUSHAWAY_KEY": KEY, "PYTHONPATH": str(ROOT)}
            | {"OPENBLAS_NUM_THREADS": "1"}
            | limits,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def start(self, database: str | Path, port: int = 0, **options: str) -> Server:
        """Start a server and wait until it answers."""
        port = port or free_port()
        words = [f"{k}={v}" for k, v in options.items()]
        self._process.stdin.write("\t".join([str(database), str(port), *words]) + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        server = Server(pid, port)
        server.wait()
        return server


@dataclass(frozen=True)
class Server:
    """A process that serves the survey."""

    pid: int
    port: int

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.01)
        raise TimeoutError(f"no server on port {self.port}")

    def signal(self, number: int) -> None:
        """Send a signal and wait until nobody listens any more."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        until = time.monotonic() + PATIENCE
        while Path(f"/proc/{self.pid}").exists() and time.monotonic() < until:
            time.sleep(0.005)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def stop(self) -> None:
        self.signal(signal.SIGTERM)

    @property
    def spent(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> float:
        """Resident megabytes."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def _nest() -> None:
    """Fork a server for every line; called in a process of its own."""
    # ruff: noqa: PLC0415 - loaded by the nest only
    import uvicorn

    import survey.server.app  # noqa: F401 - loaded before forking

    assert uvicorn
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    running = set()
    for line in sys.stdin:
        database, port, *words = line.rstrip("\n").split("\t")
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            devnull = os.open(os.devnull, os.O_RDWR)
            os.dup2(devnull, 0)
            os.dup2(devnull, 1)
            try:
                serve(database, int(port), dict(w.split("=", 1) for w in words))
            finally:
                os._exit(0)
        running.add(pid)
        print(pid, flush=True)
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def serve(database: str, port: int, options: dict[str, str]) -> None:
    """Serve the survey until the process is told to stop."""
    import logging
    import resource

    import uvicorn

    from survey.server.app import create_app

    logging.disable(logging.CRITICAL)
    if size := options.get("largest"):
        # A file that would grow beyond this fails as on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
    app = create_app(
        instrument(int(options.get("items", "5"))),
        database,
        url=f"http://127.0.0.1:{port}",
    )
    if options.get("without") == "database":
        without_database()
    if options.get("commit") == "each":
        import survey.store.writer

        survey.store.writer.BATCH = 1
    uvicorn.run(app, port=port, log_level="critical", access_log=False, lifespan="on")


def without_database() -> None:
    """Answer pages from memory: what one process can do at best."""
    from survey.server import answering
    from survey.server.desk import Caller, Desk
    from survey.store import progress

    known: dict[str, Caller] = {}
    real, wrote = answering.called, Desk.write

    def called(desk: Desk, _: object, cookie: str) -> Caller:
        if cookie not in known:
            with reading(desk.engine) as connection:
                found = real(desk, connection, cookie)
            everywhere = replace(found.response, reached=len(PAGES))
            known[cookie] = replace(found, response=everywhere)
        return known[cookie]

    async def write(self: Desk, work: Callable[[object], object]) -> object:
        return work(None) if "send" in work.__qualname__ else await wrote(self, work)

    answering.called = called
    progress.store = lambda *_, **__: True
    Desk.write = write


# -- walkers ---------------------------------------------------------------------------


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    text: str


class Browser:
    """As much of a browser as the survey needs: a connection and a cookie."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""
        self._pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path, b"")

    async def post(self, path: str, fields: dict[str, str]) -> Answer:
        return await self._ask("POST", path, urlencode(fields).encode())

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        try:
            if self._pipe is None:
                self._pipe = await asyncio.open_connection("127.0.0.1", self.port)
            return await self._told(method, path, body)
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            raise

    async def _told(self, method: str, path: str, body: bytes) -> Answer:
        reader, writer = self._pipe
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\n"
        if self.cookie:
            head += f"cookie: survey={self.cookie}\r\n"
        if body:
            head += "content-type: application/x-www-form-urlencoded\r\n"
        head += f"content-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        raw = await reader.readuntil(b"\r\n\r\n")
        lines = raw.decode().split("\r\n")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            if line:
                name, value = line.split(": ", 1)
                headers[name.lower()] = value
        text = await reader.readexactly(int(headers.get("content-length", 0)))
        given = headers.get("set-cookie", "")
        if found := re.search(r"survey=([A-Za-z0-9_-]{43})", given):
            self.cookie = found[1]
        return Answer(int(lines[0].split()[1]), headers, text.decode())

    async def close(self) -> None:
        if self._pipe is not None:
            self._pipe[1].close()
            with suppress(OSError):
                await self._pipe[1].wait_closed()
            self._pipe = None


def hidden(text: str, name: str) -> str:
    """Read a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    return found[1] if found else ""


def asked(text: str) -> list[str]:
    """Name the items of a page."""
    return re.findall(r'name="t_(\w+)"', text)


def filled(text: str, number: int) -> dict[str, str]:
    """Fill a page in; `number` tells one walk from another."""
    fields = {"csrf": hidden(text, "csrf"), "key": hidden(text, "key"), "move": "next"}
    for k, name in enumerate(asked(text)):
        fields[name] = f"r{number}" if name == "remark" else str(1 + (number + k) % 5)
        fields[f"t_{name}"] = str(100 * k)
    return fields


def values_of(fields: dict[str, str]) -> dict[str, str]:
    own = {"csrf", "key", "move"}
    return {n: v for n, v in fields.items() if n not in own and not n.startswith("t_")}


@dataclass
class Walk:
    """What walkers sent, by the key of the page.

    Attributes
    ----------
    sent
        Answers of every page that was sent.
    acknowledged
        Pages that were said to be stored.
    resent
        Pages that were sent again with the same key, for want of an answer.
    refused
        Number of answers other than an acknowledgement.
    """

    sent: dict[str, dict[str, str]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    resent: set[str] = field(default_factory=set)
    refused: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


class Walker:
    """A respondent who goes on whatever happens, and begins again when done."""

    def __init__(self, walk: Walk, number: int, port: int) -> None:
        self.walk = walk
        self.number = number
        self.browser = Browser(port)
        self.waiting: tuple[str, dict[str, str]] | None = None
        self.text = ""

    async def go(self, stop: asyncio.Event, pause: float = 0.02) -> None:
        """Answer pages until told to stop; wait a little when nobody answers."""
        while not stop.is_set():
            try:
                await self.step()
            except (OSError, asyncio.IncompleteReadError, ValueError, KeyError):
                await asyncio.sleep(pause)
        await self.browser.close()

    async def step(self) -> None:
        if self.waiting is not None:
            await self._send()
        elif not self.text:
            await self._begin()
        else:
            page = re.search(r'action="/page/(\w+)"', self.text)[1]
            fields = filled(self.text, self.number)
            self.number += 1
            self.walk.sent[fields["key"].split(".")[0]] = values_of(fields)
            self.waiting = page, fields
            await self._send(first=True)

    async def _begin(self) -> None:
        self.browser.cookie = ""
        home = await self.browser.get("/")
        fields = {"csrf": hidden(home.text, "csrf"), "agree": "yes", "language": "en"}
        begun = await self.browser.post("/consent", fields)
        if begun.status == 303:
            self.text = await self._page("/page")

    async def _send(self, *, first: bool = False) -> None:
        page, fields = self.waiting
        name = fields["key"].split(".")[0]
        if not first:
            self.walk.resent.add(name)
        found = await self.browser.post(f"/page/{page}", fields)
        if found.status != 303:
            self.walk.refused[found.status] += 1
            raise ValueError(found.status)
        self.walk.acknowledged.add(name)
        self.waiting, self.text = None, ""
        if found.headers["location"] != "/done":
            self.text = await self._page(found.headers["location"])

    async def _page(self, path: str) -> str:
        """Fetch a page; try again until it is there."""
        while True:
            try:
                found = await self.browser.get(path)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.02)
                continue
            if found.status == 303:
                path = found.headers["location"]
            elif found.status == 200:
                return found.text if "/page/" in found.text else ""
            else:
                await asyncio.sleep(0.02)


class Crowd:
    """Walkers in a thread of their own."""

    def __init__(self, port: int, people: int = 8) -> None:
        self.walk = Walk()
        self._port, self._people = port, people
        self._thread = threading.Thread(target=lambda: asyncio.run(self._go()))
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()

    async def _go(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        walkers = [Walker(self.walk, 1000 * k, self._port) for k in range(self._people)]
        tasks = [asyncio.create_task(w.go(self._stop)) for w in walkers]
        await self._stop.wait()
        _, late = await asyncio.wait(tasks, timeout=1)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


# -- checks ----------------------------------------------------------------------------


@dataclass
class Found:
    """What a database holds of what was sent.

    Attributes
    ----------
    lost
        Acknowledged pages that are not there.
    doubled
        Pages that are there more than once.
    half
        Pages whose answers are not those that were sent, all of them.
    unacknowledged
        Pages that are there though nobody was told.
    stored
        All pages.
    whole
        What the database says of itself.
    """

    lost: int = 0
    doubled: int = 0
    half: int = 0
    unacknowledged: int = 0
    stored: int = 0
    whole: str = "ok"

    @property
    def good(self) -> bool:
        return (self.lost, self.doubled, self.half, self.whole) == (0, 0, 0, "ok")


def compare(database: str | Path, walk: Walk, acknowledged: set[str]) -> Found:
    """Compare a database with what was sent and acknowledged."""
    engine = connect(database)
    found = Found()
    sent, answer = tables.submission.c, tables.answer.c
    with reading(engine) as connection:
        keys = connection.execute(
            sa.select(sent.id, sent.key, sent.response, sent.page)
        ).all()
        content: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for one, item, value in connection.execute(
            sa.select(answer.submission, answer.item, answer.value)
        ):
            content[one].append((item, value))
    engine.dispose()
    held = defaultdict(int)
    places = defaultdict(int)
    for one, key, response, page in keys:
        held[key] += 1
        places[response, page] += 1
        if sorted(content[one]) != sorted(walk.sent.get(key, {}).items()):
            found.half += 1
    found.stored = len(keys)
    found.lost = len(acknowledged - set(held))
    # Walkers send every page once: a second key for a page is a page stored twice.
    found.doubled = sum(n - 1 for n in (*held.values(), *places.values()) if n > 1)
    found.unacknowledged = len(set(held) - acknowledged)
    if "://" not in str(database):
        with sqlite3.connect(database) as raw:
            found.whole = raw.execute("PRAGMA integrity_check").fetchone()[0]
        raw.close()
    return found


def folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder that is removed again, and that PostgreSQL may enter."""
    made = tempfile.TemporaryDirectory(prefix="survey-")
    Path(made.name).chmod(0o755)
    return made


if __name__ == "__main__" and sys.argv[1:2] == ["--nest"]:
    _nest()
