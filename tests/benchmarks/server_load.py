"""How many pages the web survey stores, beside what the machine and one process can do.

    python tests/benchmarks/server_load.py             # floors, rates, a large study
    python tests/benchmarks/server_load.py rates 10    # rates, ten seconds each
    python tests/benchmarks/server_load.py large       # 10,000 respondents in one study
    python tests/benchmarks/server_load.py memory      # 100,000 requests of one process

Everything is on loopback, with the sender on the same machine. A page has 20 items and
is sent with a fresh key by a respondent who has begun; a page counts when it was
acknowledged. "No database" is the same page through the same process, all but the
database; "each" commits every page alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from server_walk import KEY, PAGES, Browser, Cluster, Nest, Server, folder, instrument

from survey.collect import own
from survey.server.guard import hashed, new_value, page_key, token
from survey.server.plan import Planner
from survey.store import people, progress, studies, tables
from survey.store.codes import Key
from survey.store.database import connect, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEMS = 20
CONNECTIONS = (1, 16)
SECONDS = 6.0
LARGE = 10_000
REQUESTS = 100_000
MARKS = (10_000, 25_000, 50_000, 75_000, 100_000)
SIGNER = Key(bytes.fromhex(KEY))


@dataclass(frozen=True)
class Respondent:
    """Someone who has begun: their cookie, and what their forms bring back."""

    cookie: str
    csrf: str
    response: int


@dataclass(frozen=True)
class Rate:
    """Acknowledged pages a second; milliseconds until then, and of CPU for each."""

    each_second: float
    p50: float
    p99: float
    cpu: float
    refused: int

    def __str__(self) -> str:
        text = f"{self.each_second:>9.0f}{self.p50:>9.1f}{self.p99:>9.1f}"
        text += f"{self.cpu:>9.2f}"
        return text + (f"  {self.refused} refused" if self.refused else "")


def floors(place: Path) -> None:
    """Print what the disk does: fsync of appended blocks, commits of one row."""
    with (place / "blocks").open("wb", buffering=0) as stream:
        count, until = 0, time.perf_counter() + 2
        while time.perf_counter() < until:
            stream.write(b"x" * 4096)
            os.fsync(stream.fileno())
            count += 1
    print(f"{'fsync of 4 KiB':34}{count / 2:>9.0f}")
    raw = sqlite3.connect(place / "floor.db", isolation_level=None)
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("CREATE TABLE t (x TEXT)")
    count, until = 0, time.perf_counter() + 2
    while time.perf_counter() < until:
        raw.execute("INSERT INTO t VALUES (?)", ("x" * 200,))
        count += 1
    raw.close()
    print(f"{'SQLite commit of one row (FULL)':34}{count / 2:>9.0f}", flush=True)


def begun(database: str | Path, number: int) -> list[Respondent]:
    """Let people begin, without the web."""
    engine = connect(database)
    out = []
    with writing(engine) as connection:
        study = studies.find(connection, "main")
        wave = study.waves[0]
        planner = _planner(connection, wave.instrument)
        for _ in range(number):
            person, cookie = people.add(connection, study, SIGNER), new_value()
            people.connect(connection, study, person, hashed(cookie))
            one = progress.begin(
                connection,
                study,
                wave,
                person,
                form=planner.form,
                language="en",
                page=PAGES[0],
                orders=planner.shuffled(),
            )
            out.append(Respondent(cookie, token(SIGNER, cookie), one.id))
    engine.dispose()
    return out


def _planner(connection: sa.Connection, hash_: str) -> Planner:
    found = studies.stored_instrument(connection, hash_)
    return Planner.of(found, found.all_forms[0].id)


def pages(crowd: list[Respondent], rounds: int) -> Iterator[tuple[Respondent, str]]:
    """Let everyone send their first page, then everyone their second."""
    for _ in range(rounds):
        for page in PAGES:
            for one in crowd:
                yield one, page


def fields_of(one: Respondent, page: str, number: int) -> dict[str, str]:
    fields = {"csrf": one.csrf, "key": page_key(SIGNER, one.response, page)}
    fields["move"] = "next"
    for k in range(ITEMS):
        fields[f"{page}{k}"] = str(1 + (number + k) % 5)
        fields[f"t_{page}{k}"] = str(100 * k)
    if page == PAGES[-1]:
        fields["remark"] = "nothing else"
    return fields


async def load(
    server: Server, work: Iterator[tuple[Respondent, str]], connections: int, n: float
) -> Rate:
    """Send pages for some seconds."""
    spent: list[float] = []
    refused = 0
    until = time.perf_counter() + n

    async def send() -> None:
        nonlocal refused
        browser = Browser(server.port)
        for k, (one, page) in enumerate(work):
            browser.cookie = one.cookie
            fields = fields_of(one, page, k)
            begin = time.perf_counter()
            found = await browser.post(f"/page/{page}", fields)
            if found.status == 303:
                spent.append(time.perf_counter() - begin)
            else:
                refused += 1
            if time.perf_counter() > until:
                break
        await browser.close()

    begin, cpu = time.perf_counter(), server.spent
    await asyncio.gather(*(send() for _ in range(connections)))
    whole, cpu = time.perf_counter() - begin, server.spent - cpu
    spent.sort()
    p50, p99 = (1000 * spent[int(len(spent) * q)] for q in (0.5, 0.99))
    each = 1000 * cpu / (len(spent) + refused)
    return Rate(len(spent) / whole, p50, p99, each, refused)


def rates(place: Path, cluster: Cluster | None, seconds: float) -> None:
    """Print pages a second by database, way to commit and connections."""
    print(f"{'':34}{'each s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}")
    with Nest() as nest:
        kinds: list[tuple[str, str | Path, dict[str, str]]] = [
            ("no database", place / "none.db", {"without": "database"}),
            ("SQLite", place / "group.db", {}),
            ("SQLite, each", place / "each.db", {"commit": "each"}),
        ]
        if cluster is not None:
            kinds += [
                ("PostgreSQL", cluster.new("group"), {}),
                ("PostgreSQL, each", cluster.new("each"), {"commit": "each"}),
            ]
        for name, database, options in kinds:
            server = nest.start(database, items=str(ITEMS), **options)
            lasting = "without" in options
            for connections in CONNECTIONS:
                crowd = begun(database, 64 if lasting else int(seconds * 300))
                work = pages(crowd, 1000 if lasting else 1)
                asyncio.run(load(server, islice(work, 64), connections, seconds))
                found = asyncio.run(load(server, work, connections, seconds))
                title = f"{name}, {connections} connection" + "s" * (connections > 1)
                print(f"{title:34}{found}", flush=True)
            server.stop()


def fill(database: str | Path, crowd: list[Respondent]) -> None:
    """Store whole questionnaires of many people, without the web."""
    engine = connect(database)
    moment = studies.now()
    with writing(engine) as connection:
        first = connection.scalar(
            sa.select(sa.func.coalesce(sa.func.max(tables.submission.c.id), 0))
        )
        sent = list(pages(crowd, 1))
        for start in range(0, len(sent), 2000):
            part = list(enumerate(sent[start : start + 2000], first + 1 + start))
            connection.execute(
                tables.submission.insert(),
                [
                    {"id": k, "key": f"filled{k}", "digest": "", "response": p.response}
                    | {"page": page, "move": "next", "received": moment, "seconds": 1.0}
                    for k, (p, page) in part
                ],
            )
            connection.execute(
                tables.answer.insert(),
                [
                    {"submission": k, "response": p.response, "item": f"{page}{i}"}
                    | {"value": str(1 + (k + i) % 5), "seconds": 0.5}
                    for k, (p, page) in part
                    for i in range(ITEMS)
                ],
            )
        if connection.dialect.name == "postgresql":
            counter = sa.func.pg_get_serial_sequence("submission", "id")
            connection.execute(sa.select(sa.func.setval(counter, first + len(sent))))
        connection.execute(
            tables.response.update().values(reached=len(PAGES), page=PAGES[-1])
        )
    engine.dispose()


def large(place: Path, cluster: Cluster | None) -> None:
    """Print how a study of many respondents answers, and how long reading it takes."""
    head = ("people", "show p50", "p99", "send p50", "p99", "read s")
    print(f"{'one connection, ms':20}" + "".join(f"{h:>10}" for h in head))
    with Nest() as nest:
        kinds: list[tuple[str, str | Path]] = [("SQLite", place / "large.db")]
        if cluster is not None:
            kinds.append(("PostgreSQL", cluster.new("large")))
        for name, database in kinds:
            server = nest.start(database, items=str(ITEMS))
            there = 0
            for number in (100, LARGE):
                fill(database, begun(database, number - there))
                there = number
                _print_large(name, number, server, database)
            server.stop()


def _print_large(name: str, number: int, server: Server, database: str | Path) -> None:
    crowd = begun(database, 60)
    shown = asyncio.run(show(server, crowd))
    sent = asyncio.run(load(server, pages(crowd, 1), 1, 60.0))
    begin = time.perf_counter()
    own.read(database, instrument(ITEMS))
    spent = time.perf_counter() - begin
    figures = f"{number:>10}{shown[0]:>10.1f}{shown[1]:>10.1f}"
    figures += f"{sent.p50:>10.1f}{sent.p99:>10.1f}{spent:>10.2f}"
    print(f"{name:20}{figures}", flush=True)


async def show(server: Server, crowd: list[Respondent]) -> tuple[float, float]:
    """Open a page some times; milliseconds, p50 and p99."""
    browser, spent = Browser(server.port), []
    for one in crowd * 4:
        browser.cookie = one.cookie
        begin = time.perf_counter()
        found = await browser.get(f"/page/{PAGES[0]}")
        spent.append(1000 * (time.perf_counter() - begin))
        if found.status != 200:
            raise ValueError(found.status)
    await browser.close()
    spent.sort()
    return spent[len(spent) // 2], spent[int(len(spent) * 0.99)]


def memory(place: Path) -> None:
    """Print the resident memory of a process that answers many requests."""
    with Nest() as nest:
        database = place / "memory.db"
        server = nest.start(database, items=str(ITEMS))
        # Nobody sends a page again: every request shows or stores one.
        crowd = begun(database, REQUESTS // (2 * len(PAGES)) + 8)
        count = asyncio.run(_walk(server, crowd))
        print(json.dumps({"requests": count, "megabytes": round(server.memory, 1)}))
        server.stop()


async def _walk(server: Server, crowd: list[Respondent]) -> int:
    """Show and send pages in turn, printing memory at the marks."""
    work, count = pages(crowd, 1), 0

    async def go() -> None:
        nonlocal count
        browser = Browser(server.port)
        for k, (one, page) in enumerate(work):
            browser.cookie = one.cookie
            shown = await browser.get(f"/page/{page}")
            sent = await browser.post(f"/page/{page}", fields_of(one, page, k))
            if (shown.status, sent.status) != (200, 303):
                raise ValueError(shown.status, sent.status)
            for mark in MARKS:
                if count < mark <= count + 2:
                    print(f"{mark:>9} requests {server.memory:>8.1f} MB", flush=True)
            count += 2
            if count >= REQUESTS:
                break
        await browser.close()

    await asyncio.gather(*(go() for _ in range(8)))
    return count


def main(words: list[str]) -> None:
    """Measure what was asked for."""
    numbers = [float(word) for word in words if word.replace(".", "").isdigit()]
    wanted = [w for w in words if w in {"rates", "large", "memory"}]
    with folder() as made:
        place, cluster = Path(made), None
        if not Cluster.missing() and wanted != ["memory"]:
            cluster = Cluster(place)
            cluster.start()
        try:
            if not wanted or "rates" in wanted:
                floors(place)
                rates(place, cluster, numbers[0] if numbers else SECONDS)
            if not wanted or "large" in wanted:
                large(place, cluster)
            if "memory" in wanted:
                memory(place)
        finally:
            if cluster is not None:
                with suppress(OSError):
                    cluster.stop("immediate")


if __name__ == "__main__":
    main(sys.argv[1:])
