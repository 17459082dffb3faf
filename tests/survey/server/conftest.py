"""What tests of the web survey need: databases of both kinds, a survey to walk through.

Servers, databases of their own and walkers are those of the benchmarks:
tests/benchmarks/server_walk.py.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from survey.server.app import create_app
from survey.store import studies
from survey.store.codes import VARIABLE, Key
from survey.store.database import connect, writing
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    import sqlalchemy as sa

    from survey.instrument import Instrument

_PLACE = Path(__file__).parents[2] / "benchmarks" / "server_walk.py"


@pytest.fixture(scope="session")
def walking() -> ModuleType:
    """Load the walkers once."""
    if "server_walk" not in sys.modules:
        spec = importlib.util.spec_from_file_location("server_walk", _PLACE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["server_walk"] = module
        spec.loader.exec_module(module)
    return sys.modules["server_walk"]


@pytest.fixture(scope="session")
def walk(walking: ModuleType) -> Instrument:
    """Four pages of five items, and a remark on the last."""
    made: Instrument = walking.instrument()
    return made


@pytest.fixture(scope="session")
def key() -> Key:
    return Key(bytes.fromhex("ab" * 32))


@pytest.fixture(scope="session")
def cluster(walking: ModuleType) -> Iterator[Any]:
    """A PostgreSQL of our own, on this machine only."""
    if missing := walking.Cluster.missing():
        pytest.skip(missing)
    with walking.folder() as folder:
        own = walking.Cluster(Path(folder))
        own.start()
        yield own
        own.stop("immediate")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """An empty database of either kind, as a user names it."""
    monkeypatch.setenv(VARIABLE, "ab" * 32)
    if request.param == "sqlite":
        return str(tmp_path / "study.db")
    name: str = request.getfixturevalue("cluster").new("study")
    return name


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """A database with the tables in it."""
    opened = connect(database)
    require_current(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def study(engine: sa.Engine, walk: Instrument, key: Key) -> studies.Study:
    """An open study that has begun."""
    with writing(engine) as connection:
        return studies.begin(connection, "main", walk, studies.Settings(open=True), key)


@pytest.fixture
def client(database: str, walk: Instrument) -> Iterator[TestClient]:
    """The survey on either kind of database, without a net between."""
    app = create_app(walk, database)
    with TestClient(app, follow_redirects=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def nest(walking: ModuleType) -> Iterator[Any]:
    """Starts the survey as a process of its own, at once."""
    with walking.Nest() as starting:
        yield starting


@pytest.fixture
def served(nest: Any) -> Iterator[Callable[..., Any]]:
    """Start servers that are gone after the test: ``served(database, port)``."""
    running = []

    def start(database: str, port: int = 0, **options: str) -> Any:
        running.append(nest.start(database, port, **options))
        return running[-1]

    yield start
    for one in running:
        one.kill()
