"""What happens to answers when something is killed under load, at random moments.

    python tests/benchmarks/server_faults.py                   # all, 200 kills each
    python tests/benchmarks/server_faults.py sqlite 50         # one of them
    python tests/benchmarks/server_faults.py postgres postmaster

``sqlite`` and ``postgres`` kill -9 the survey's process and start it again;
``postmaster`` kills -9 the database's own processes, in turn its first one and one that
serves a connection, while the survey runs on. Respondents walk through the real survey
meanwhile and send a page again, with the same key, for which they got no answer. After
every kill the database is compared with what was sent and what was acknowledged.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from server_walk import Cluster, Crowd, Found, Nest, Server, compare, folder

KILLS = {"sqlite": 200, "postgres": 200, "postmaster": 20}
#: Kills of one database; then a new one, so that comparing stays quick.
EACH = 20
PEOPLE = 8


@dataclass
class Tally:
    """Sums over all kills."""

    kills: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0
    resent: int = 0
    lost: int = 0
    doubled: int = 0
    half: int = 0
    broken: int = 0

    def add(self, found: Found) -> None:
        """Count what one comparison found wrong."""
        self.lost += found.lost
        self.doubled += found.doubled
        self.half += found.half
        self.broken += found.whole != "ok"


def kill_server(nest: Nest, database: str | Path, kills: int, tally: Tally) -> None:
    """Kill the survey's process; look at the database before it is started again."""
    server = nest.start(database)
    with Crowd(server.port, PEOPLE) as crowd:
        for _ in range(kills):
            time.sleep(random.uniform(0.05, 0.6))  # noqa: S311 - no secret
            server.kill()
            time.sleep(0.02)
            found = compare(database, crowd.walk, set(crowd.walk.acknowledged))
            tally.add(found)
            tally.kills += 1
            tally.unacknowledged += found.unacknowledged
            server = nest.start(database, server.port)
        time.sleep(0.5)
    _close(server, database, crowd, tally)


def kill_database(
    nest: Nest, cluster: Cluster, name: str, kills: int, tally: Tally
) -> None:
    """Kill the database's processes; the survey runs on."""
    database = cluster.new(name)
    server = nest.start(database)
    with Crowd(server.port, PEOPLE) as crowd:
        for k in range(kills):
            time.sleep(random.uniform(0.2, 0.7))  # noqa: S311 - no secret
            if k % 2:
                serving = cluster.backends()
                with suppress(ProcessLookupError):
                    os.kill(random.choice(serving), signal.SIGKILL)  # noqa: S311
                _until_open(cluster)
            else:
                cluster.kill()
                cluster.start_again()
            acknowledged = set(crowd.walk.acknowledged)
            tally.add(compare(database, crowd.walk, acknowledged))
            tally.kills += 1
            _until_answered(crowd, len(acknowledged))
    _close(server, database, crowd, tally)


def _until_open(cluster: Cluster) -> None:
    """Wait until a database that recovers takes connections."""
    for _ in range(200):
        with suppress(Exception):
            cluster.backends()
            return
        time.sleep(0.05)


def _until_answered(crowd: Crowd, before: int) -> None:
    """Wait until pages are acknowledged again."""
    until = time.monotonic() + 20
    while len(crowd.walk.acknowledged) <= before:
        if time.monotonic() > until:
            raise TimeoutError("the survey did not come back")
        time.sleep(0.02)


def _close(server: Server, database: str | Path, crowd: Crowd, tally: Tally) -> None:
    server.stop()
    tally.add(compare(database, crowd.walk, set(crowd.walk.acknowledged)))
    tally.acknowledged += len(crowd.walk.acknowledged)
    tally.resent += len(crowd.walk.resent)


def run(kind: str, kills: int, place: Path, cluster: Cluster | None) -> Tally:
    """Kill as often as was asked, some times in each of several databases."""
    tally = Tally()
    with Nest() as nest:
        while tally.kills < kills:
            part, name = min(EACH, kills - tally.kills), f"{kind}{tally.kills}"
            if kind == "sqlite":
                kill_server(nest, place / f"{name}.db", part, tally)
            elif cluster is not None and kind == "postgres":
                kill_server(nest, cluster.new(name), part, tally)
            elif cluster is not None:
                kill_database(nest, cluster, name, part, tally)
    return tally


def main(words: list[str]) -> None:
    """Run what was asked for and print a table."""
    numbers = [int(word) for word in words if word.isdigit()]
    kinds = [word for word in words if word in KILLS] or list(KILLS)
    head = list(Tally.__dataclass_fields__)
    print(f"{'kills of':12}" + "".join(f"{h:>16}" for h in head), flush=True)
    with folder() as made:
        cluster = None
        if set(kinds) - {"sqlite"} and not Cluster.missing():
            cluster = Cluster(Path(made))
            cluster.start()
        try:
            for kind in kinds:
                if kind != "sqlite" and cluster is None:
                    print(f"{kind:12} {Cluster.missing()}")
                    continue
                kills = numbers[0] if numbers else KILLS[kind]
                tally = run(kind, kills, Path(made), cluster)
                row = "".join(f"{getattr(tally, h):>16}" for h in head)
                print(f"{kind:12}{row}", flush=True)
        finally:
            if cluster is not None:
                cluster.stop("immediate")


if __name__ == "__main__":
    main(sys.argv[1:])
