"""The web survey's commands: what they print, write, refuse and leave behind."""

from __future__ import annotations

import csv
import logging
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result
from starlette.testclient import TestClient

from survey.cli import main
from survey.commands import later
from survey.instrument import Instrument
from survey.server import run as running
from survey.server.admin import journal
from survey.server.app import create_app
from survey.store import people, studies, tables
from survey.store.codes import key_for
from survey.store.database import connect, reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from survey.store.people import Person

ROOT = Path(__file__).parents[2]
MARK = "zebraquartzseventyseven"
POSTGRES = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "correct horse battery"  # noqa: S105 - of a test
#: Seconds a process may take on a busy machine.
PATIENCE = 60


def run(*arguments: object, typed: str = "", code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments], input=typed)
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def questionnaire(tmp_path: Path, small_text: str) -> Path:
    path = tmp_path / "small.yaml"
    text = "\n  - {id: words, type: text, text: What else?, max_length: 400}\nscales:"
    path.write_text(small_text.replace("\nscales:", text), encoding="utf-8")
    return path


@pytest.fixture
def database(tmp_path: Path, questionnaire: Path) -> Path:
    """Begin a study that people are invited to."""
    path = tmp_path / "deep" / "survey.db"
    run("study", "begin", questionnaire, "-d", path, "--invited")
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def ask(database: object, work: Callable[..., Any]) -> Any:
    engine = connect(str(database))
    with reading(engine) as connection:
        found = work(connection)
    engine.dispose()
    return found


def noted(database: object) -> list[tuple[str, str]]:
    entries, _ = ask(database, journal.entries)
    return [(one.what, one.detail) for one in entries]


def everyone(database: object) -> list[Person]:
    found: list[Person] = ask(
        database, lambda c: people.everyone(c, studies.find(c, "main"))
    )
    return found


def answer(database: Path, questionnaire: Path, link: str, words: str = MARK) -> None:
    """Answer a whole wave as a respondent does."""
    app = create_app(Instrument.load(questionnaire), database)
    with TestClient(app) as client:
        page = client.get(link.removeprefix("http://127.0.0.1:8000"))
        fields = {"csrf": hidden(page.text, "csrf"), "code": link.rsplit("/", 1)[1]}
        page = client.post("/start", data=fields)
        fields = {"csrf": hidden(page.text, "csrf"), "agree": "yes"}
        page = client.post("/consent", data=fields)
        while "/page" in str(page.url):
            fields = {n: hidden(page.text, n) for n in ("csrf", "key")}
            known = {"rs1": "5", "rs2": "1", "rs3": "4", "age": "30", "words": words}
            shown = {k: v for k, v in known.items() if f'name="{k}"' in page.text}
            page = client.post(page.url.path, data={**fields, **shown, "move": "next"})
            assert page.status_code == 200, page.text
        assert page.url.path == "/done"


def hidden(body: str, name: str) -> str:
    return re.findall(rf'name="{name}" value="([^"]*)"', body)[-1]


def test_a_study_is_begun_once(database: Path, questionnaire: Path) -> None:
    assert database.stat().st_mode & 0o777 == 0o600
    assert Path(f"{database}.key").stat().st_mode & 0o777 == 0o600
    again = run("study", "begin", questionnaire, "-d", database, code=1)
    assert "exists already" in again.output
    other = run(
        "study", "begin", questionnaire, "-d", database, "--study", "a/b", code=1
    )
    assert "cannot be a name" in other.output
    listed = run("study", "list", "-d", database)
    assert "main: small 1.0.0, 1 waves" in listed.output
    assert "invited people only" in listed.output
    assert noted(database) == [("begin a study", "main")]


def test_settings_are_changed_by_one_command_only(
    database: Path, questionnaire: Path
) -> None:
    refused = run("serve", questionnaire, "-d", database, "--open", code=1)
    assert "open is False, not True" in refused.output
    assert "pushaway study set" in refused.output
    changed = run("study", "set", "-d", database, "--open", "--profile", "--days", "2")
    assert "anyone" in changed.output
    found = ask(database, lambda c: studies.find(c, "main")).settings
    assert (found.open, found.profile, found.days) == (True, True, 2)
    for wrong, word in (
        (["--form", "none"], "Choose one of"),
        (["--back-to", "javascript:alert(1)"], "https://"),
        (["--panel", "id,a b"], "'a b' cannot be the name"),
        (["--panel", "csrf"], "'csrf' cannot be the name"),
        ([], "nothing to change"),
    ):
        assert word in run("study", "set", "-d", database, *wrong, code=1).output
    panel = run("study", "set", "-d", database, "--panel", "who, batch")
    assert "panel           who, batch\n" in panel.output
    assert ask(database, lambda c: studies.find(c, "main")).settings.panel == (
        "who",
        "batch",
    )
    none = run("study", "set", "-d", database, "--panel", "none")
    assert "panel           nothing is kept" in none.output
    run("study", "set", "-d", database, "--anonymous")
    run("invite", "people", "-n", 1, "-d", database, "--to", database.parent / "i.csv")
    late = run("study", "set", "-d", database, "--timed", code=1)
    assert "people are in it already" in late.output


@pytest.mark.parametrize(
    "command",
    [
        ["invite", "list"],
        ["invite", "people", "-n", "1"],
        ["invite", "cards"],
        ["wave", "list"],
        ["erase", "--respondent", "x"],
        ["db", "check"],
        ["db", "upgrade"],
        ["db", "backup", "b.zip"],
        ["admin", "add", "ada"],
        ["admin", "serve"],
        ["study", "list"],
    ],
)
def test_a_mistyped_path_makes_no_database(tmp_path: Path, command: list[str]) -> None:
    result = run(*command, "-d", tmp_path / "no.db", code=1)
    assert "there is no such database" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_is_not_there(database: Path) -> None:
    result = run("invite", "list", "-d", database, "--study", "other", code=1)
    assert "It has main." in result.output


def test_another_key_is_refused(database: Path) -> None:
    place = Path(f"{database}.key")
    place.write_text("0" * 64, encoding="ascii")
    result = run("invite", "people", "-n", 1, "-d", database, code=1)
    assert "not the key it was begun with" in result.output
    place.unlink()
    assert "there is no key" in run("db", "check", "-d", database, code=1).output


def test_invitations_are_listed_as_they_were_made(
    database: Path, tmp_path: Path
) -> None:
    single, double, every = (tmp_path / f"{n}.csv" for n in ("one", "two", "all"))
    url = ["--url", "https://survey.example/"]
    made = run("invite", "people", "-n", 3, "-d", database, "--to", single, *url)
    assert "Made 3 invitations" in made.output
    roles = ["--roles", "woman,man", "--language", "en"]
    run("invite", "couples", "-n", 2, "-d", database, "--to", double, *url, *roles)
    run("invite", "list", "-d", database, "--to", every, *url)
    assert every.stat().st_mode & 0o777 == 0o600
    assert rows(every) == rows(single) + rows(double)
    assert list(rows(every)[0]) == ["respondent", "couple", "role", "language", "link"]
    assert {row["role"] for row in rows(double)} == {"woman", "man"}
    assert len({row["couple"] for row in rows(double)}) == 2
    assert len({row["link"] for row in rows(every)}) == 7
    assert rows(every)[0]["link"].startswith("https://survey.example/i/")
    first = every.read_bytes()
    run("invite", "list", "-d", database, "--to", every, *url)
    assert every.read_bytes() == first
    codes = [row["link"].rsplit("/", 1)[1] for row in rows(every)]
    kept = b"".join(one.read_bytes() for one in database.parent.glob("survey.db*"))
    assert not any(code.encode() in kept for code in codes)
    assert ("invite", "main: 0 people, 2 couples") in noted(database)


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        (["couples", "-n", "1", "--roles", "a"], "two different roles"),
        (["couples", "-n", "1", "--roles", "a,a"], "two different roles"),
        (["couples", "-n", "1", "--roles", "a,"], "invite: "),
        (["people", "-n", "1", "--language", "xx"], "--language"),
        (["people", "-n", "1", "--form", "xx"], "form 'xx'"),
    ],
)
def test_invitations_that_cannot_be(database: Path, wish: list[str], word: str) -> None:
    to = database.parent / "i.csv"
    result = run("invite", *wish, "-d", database, "--to", to, code=1)
    assert word in result.output
    assert everyone(database) == []
    assert not to.exists()


def test_cards_are_one_file_that_asks_for_nothing(
    database: Path, tmp_path: Path
) -> None:
    table, page = tmp_path / "i.csv", tmp_path / "cards.html"
    run("invite", "couples", "-n", 1, "-d", database, "--to", table)
    run("invite", "cards", "-d", database, "--to", page)
    body = page.read_text(encoding="utf-8")
    assert body.count("<svg ") == 2
    assert not re.search(r"<(link|script|img|iframe)\b|url\(|@import", body)
    for row in rows(table):
        assert row["link"] in body
        code = row["link"].rsplit("/", 1)[1]
        assert "-".join(code[k : k + 4] for k in range(0, len(code), 4)) in body
    assert page.stat().st_mode & 0o777 == 0o600


def test_waves_reminders_and_the_same_people_again(
    database: Path, questionnaire: Path, tmp_path: Path
) -> None:
    table, late = tmp_path / "i.csv", tmp_path / "late.csv"
    run("invite", "couples", "-n", 1, "-d", database, "--to", table)
    first, second = rows(table)
    answer(database, questionnaire, first["link"])
    remind = ["invite", "reminders", "-d", database, "--to", late, "--wave"]
    assert "1 people have not finished wave 1." in run(*remind, 1).output
    assert rows(late) == [second]
    assert "there is none" in run(*remind, 2, code=1).output
    added = run("wave", "add", "-d", database)
    assert "wave 1: closed now" in added.output
    assert "wave 2: open now" in added.output
    run(*remind, 2)
    assert rows(late) == [first, second]
    answer(database, questionnaire, first["link"])
    run(*remind, 2)
    assert rows(late) == [second]
    assert len(everyone(database)) == 2


def test_windows_of_waves(database: Path) -> None:
    window = ["wave", "window", "1", "-d", database]
    moved = run(*window, "--opens", "2027-01-31T09:00+01:00", "--closes", "2027-03-01")
    assert "closed now, from 2027-01-31 08:00 to 2027-03-01 00:00" in moved.output
    kept = run(*window, "--opens", "none")
    assert "open now, from the beginning to 2027-03-01 00:00" in kept.output
    assert "Exchange them" in run(*window, "--opens", "2028-01-01", code=1).output
    assert "is no time" in run(*window, "--opens", "soon", code=2).output
    none = run("wave", "window", "5", "-d", database, "--closes", "2027-01-01", code=1)
    assert "there is none" in none.output
    assert ("change a wave", "main: wave 1") in noted(database)


def _bytes(database: Path) -> bytes:
    found = [Path(f"{database}{end}") for end in ("", "-wal", "-shm")]
    return b"".join(one.read_bytes() for one in found if one.exists())


@pytest.mark.parametrize("by", ["receipt", "respondent"])
def test_erasing_leaves_nothing(
    database: Path, questionnaire: Path, tmp_path: Path, by: str
) -> None:
    table = tmp_path / "i.csv"
    run("invite", "couples", "-n", 1, "-d", database, "--to", table)
    one, other = rows(table)
    answer(database, questionnaire, one["link"])
    answer(database, questionnaire, other["link"], "stays")
    person = everyone(database)[0]
    receipt = person.access(key_for(database), "receipt")
    named = ["--receipt", receipt] if by == "receipt" else ["--respondent", person.code]
    command = ["erase", "-d", database, *named]
    # A survey that runs keeps its connections open.
    engine = connect(database)
    idle = engine.connect()
    idle.exec_driver_sql("select count(*) from answer").scalar()
    assert run(*command, typed="n\n", code=1).exception
    assert MARK.encode() in _bytes(database)
    assert "Erased." in run(*command, typed="y\n").output
    for gone in (MARK, person.code, person.nonce):
        assert gone.encode() not in _bytes(database)
    assert b"stays" in _bytes(database)
    idle.close()
    engine.dispose()
    assert [p.code for p in everyone(database)] == [other["respondent"]]
    assert noted(database)[0] == ("erase", "main: one person")
    if by == "receipt":
        assert "was erased before" in run(*command, "--yes").output
    else:
        assert "has nobody with this name" in run(*command, "--yes", code=1).output


def test_erasing_wants_one_person(database: Path) -> None:
    assert "one of them" in run("erase", "-d", database, code=1).output
    both = ["--receipt", "a", "--respondent", "b"]
    assert "one of them" in run("erase", "-d", database, *both, code=1).output


def test_versions(database: Path, tmp_path: Path) -> None:
    assert "Nothing to do" in run("db", "upgrade", "-d", database).output
    assert "No fault found." in run("db", "check", "-d", database).output
    empty = tmp_path / "empty.db"
    empty.touch()
    assert "holds no study" in run("db", "check", "-d", empty, code=1).output
    assert "holds no study" in run("invite", "list", "-d", empty, code=1).output
    assert "Upgraded from nothing" in run("db", "upgrade", "-d", empty).output
    assert "Nothing to do" in run("db", "upgrade", "-d", empty).output
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"not a database" * 500)
    assert "not a database" in run("db", "check", "-d", noise, code=1).output


def test_a_damaged_database_is_found(database: Path, tmp_path: Path) -> None:
    run("invite", "people", "-n", 200, "-d", database, "--to", tmp_path / "i.csv")
    content = bytearray(database.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = b"\xff" * 4096
    database.write_bytes(bytes(content))
    result = run("db", "check", "-d", database, code=1)
    assert "Error: database: " in result.output


@pytest.fixture
def cluster() -> Iterator[str]:
    """Run a PostgreSQL of its own; gives its URL."""
    if not (POSTGRES / "initdb").exists():
        pytest.skip("needs PostgreSQL 15")
    as_other: dict[str, Any] = {}
    folder = Path("/tmp") / f"pg{os.getpid()}"  # noqa: S108 - sockets want short paths
    folder.mkdir(mode=0o700)
    if os.getuid() == 0:
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("needs a user to run PostgreSQL as")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_other = {"user": owner.pw_uid, "group": owner.pw_gid}
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    data = str(folder / "data")
    subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [POSTGRES / "initdb", "-D", data, "-U", "tester", "-A", "trust"],
        check=True,
        capture_output=True,
        cwd=folder,
        **as_other,
    )
    process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
        [POSTGRES / "postgres", "-D", data, "-p", str(port), "-k", str(folder)],
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **as_other,
    )
    url = f"postgresql://tester:hidden-word@127.0.0.1:{port}/postgres"
    until = time.monotonic() + PATIENCE
    ready = [POSTGRES / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, capture_output=True, check=False).returncode:  # noqa: S603
        assert time.monotonic() < until
        time.sleep(0.1)
    yield url
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)
    shutil.rmtree(folder)


def _held(database: object) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row but those of the audit log."""
    kept = [
        t for t in tables.metadata.sorted_tables if t.name not in {"audit", "visit"}
    ]
    return {
        t.name: ask(
            database,
            lambda c, t=t: [
                tuple(r) for r in c.execute(t.select().order_by(*t.primary_key.columns))
            ],
        )
        for t in kept
    }


def _filled(database: Path, questionnaire: Path, tmp_path: Path) -> None:
    table = tmp_path / "i.csv"
    run("invite", "couples", "-n", 1, "-d", database, "--to", table)
    answer(database, questionnaire, rows(table)[0]["link"])


def test_backup_and_restore(
    database: Path, questionnaire: Path, tmp_path: Path
) -> None:
    _filled(database, questionnaire, tmp_path)
    copy, other = tmp_path / "copy.zip", tmp_path / "other.db"
    made = run("db", "backup", copy, "-d", database)
    assert f"{database}.key" in made.output
    assert copy.stat().st_mode & 0o777 == 0o600
    assert "exists already" in run("db", "backup", copy, "-d", database, code=1).output
    assert "Whole: " in run("db", "check", copy).output
    assert "not in its place" in run("db", "restore", copy, "-d", other).output
    shutil.copy(f"{database}.key", f"{other}.key")
    assert _held(other) == _held(database)
    links = []
    for one in (database, other):
        run("invite", "list", "-d", one, "--to", tmp_path / "l.csv")
        links.append(rows(tmp_path / "l.csv"))
    assert links[0] == links[1]
    full = run("db", "restore", copy, "-d", other, code=1)
    assert "into an empty database" in full.output
    third = ["-d", tmp_path / "third.db"]
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(copy) as whole, zipfile.ZipFile(changed, "w") as other_one:
        for name in whole.namelist():
            content = whole.read(name).replace(MARK.encode(), MARK.upper().encode())
            other_one.writestr(name, content)
    damaged = run("db", "restore", changed, *third, code=1)
    assert "table answer is damaged" in damaged.output
    copy.write_bytes(copy.read_bytes()[:-1000])
    assert "this is no backup" in run("db", "restore", copy, *third, code=1).output
    assert not (tmp_path / "third.db").exists()


def test_backup_moves_to_postgresql(
    database: Path,
    questionnaire: Path,
    tmp_path: Path,
    cluster: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("psycopg")
    _filled(database, questionnaire, tmp_path)
    copy = tmp_path / "copy.zip"
    run("db", "backup", copy, "-d", database)
    held = _held(database)
    key = Path(f"{database}.key").read_text(encoding="ascii").strip()
    monkeypatch.setenv("PUSHAWAY_KEY", key)
    moved = run("db", "restore", copy, "-d", cluster)
    assert "Its key is in its place." in moved.output
    assert _held(cluster) == held
    made = run("invite", "people", "-n", 1, "-d", cluster, "--to", tmp_path / "n.csv")
    assert "Made 1 invitations" in made.output
    data = ["--data", tmp_path / "data", "-i", questionnaire]
    read = run("import", cluster, "--from", "own", *data, "--wave", "live")
    person = everyone(cluster)[0]
    erased = run("erase", "-d", cluster, "--respondent", person.code, "--yes")
    back = tmp_path / "back.zip"
    backed = run("db", "backup", back, "-d", cluster)
    checked = run("db", "check", "-d", cluster)
    for one in (moved, made, read, erased, backed, checked):
        assert "hidden-word" not in one.output
    for path in (tmp_path / "data").rglob("*"):
        assert path.is_dir() or b"hidden-word" not in path.read_bytes()
    run("db", "restore", back, "-d", tmp_path / "again.db")
    assert _held(tmp_path / "again.db")["person"] == _held(cluster)["person"]


def test_import_from_the_survey(
    database: Path, questionnaire: Path, tmp_path: Path
) -> None:
    _filled(database, questionnaire, tmp_path)
    data = tmp_path / "data"
    command = ["import", database, "--from", "own", "-i", questionnaire]
    command += ["--data", data, "--wave", "live"]
    done = run(*command, "--wave-number", 1)
    assert "1 " in done.output
    (kept,) = (data / "raw" / "live-own").glob("*.csv")
    assert MARK in kept.read_text(encoding="utf-8")
    manifest = (data / "raw" / "live-own" / "manifest.yaml").read_text("utf-8")
    assert kept.name in manifest
    assert (data / "validated" / "live" / "responses.parquet").exists()
    run(*command)
    assert [one.name for one in (data / "raw" / "live-own").glob("*.csv")] == [
        kept.name
    ]
    table = run("validate", kept, "-i", questionnaire, "--to", tmp_path / "again")
    assert "Wrote" in table.output
    missing = run("import", tmp_path / "no.db", "--from", "own", code=2)
    assert "does not exist" in missing.output
    assert "--from own" in run("import", kept, "--study", "main", code=1).output
    none = run(*command, "--study", "none", code=1)
    assert "is not in this database" in none.output


def test_researchers(database: Path) -> None:
    add = ["admin", "add", "ada", "-d", database]
    twice = f"{PASSWORD}\n{PASSWORD}\n"
    nobody = run("admin", "serve", "-d", database, code=1)
    assert "nobody may log in yet" in nobody.output
    short = run(*add, typed="short\nshort\n", code=1)
    assert "has 5 characters" in short.output
    done = run(*add, typed=f"{PASSWORD}\nother words here\n{twice}")
    assert "ada may log in" in done.output
    assert PASSWORD not in done.output
    assert "may log in already" in run(*add, typed=twice, code=1).output
    assert run("admin", "list", "-d", database).output == "ada: all studies\n"
    none = run("admin", "allow", "ada", "--study", "two", "-d", database, code=1)
    assert "study 'two' is not in this database" in none.output
    run("admin", "allow", "ada", "--study", "main", "-d", database)
    assert run("admin", "list", "-d", database).output == "ada: main\n"
    assert ("allow a researcher", "ada: main") in noted(database)
    eve = ["admin", "add", "eve", "-d", database, "--study"]
    wrong = run(*eve, "two", typed=twice, code=1)
    assert "study 'two' is not in this database" in wrong.output
    assert "eve may log in and sees main." in run(*eve, "main", typed=twice).output
    listed = run("admin", "list", "-d", database).output
    assert listed == "ada: main\neve: main\n"
    run("admin", "remove", "ada", "-d", database)
    gone = run("admin", "remove", "ada", "-d", database, code=1)
    assert "nobody is called 'ada'" in gone.output
    assert ("add a researcher", "ada: all studies") in noted(database)
    assert PASSWORD.encode() not in _bytes(database)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["--host", "0.0.0.0"], "Say which with --url"),  # noqa: S104 - refused
        (["--url", "survey.example"], "scheme and host"),
        (["--url", "https://a.example/path"], "scheme and host"),
        (["--url", "javascript:1"], "scheme and host"),
        (["--form", "none"], "is not in small"),
    ],
)
def test_serve_refuses_what_cannot_be(
    tmp_path: Path, questionnaire: Path, given: list[str], word: str
) -> None:
    result = run("serve", questionnaire, "-d", tmp_path / "new.db", *given, code=1)
    assert word in result.output


def test_serve_refuses_another_questionnaire(
    database: Path, questionnaire: Path, tmp_path: Path
) -> None:
    _filled(database, questionnaire, tmp_path)
    other = tmp_path / "other.yaml"
    text = questionnaire.read_text(encoding="utf-8")
    other.write_text(text.replace("I am happy", "I am sad"), encoding="utf-8")
    result = run("serve", other, "-d", database, code=1)
    assert "add a wave: pushaway wave" in result.output


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number: int = one.getsockname()[1]
    return number


def test_a_taken_port_is_said_so(tmp_path: Path, questionnaire: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = ["serve", questionnaire, "-d", tmp_path / "new.db", "--port", port]
        assert f"port {port}: Address already in use" in run(*command, code=1).output


def test_both_servers_run_apart(database: Path, questionnaire: Path) -> None:
    run("admin", "add", "ada", "-d", database, typed=f"{PASSWORD}\n{PASSWORD}\n")
    engine = connect(database)
    with writing(engine) as connection:
        study, key = studies.find(connection, "main"), key_for(database)
        (person,) = people.invite(connection, study, key, people=1)
    engine.dispose()
    code = person.access(key, "invitation")
    public, private = _port(), _port()
    base = [sys.executable, str(ROOT / "pushaway.py")]
    on = ["-d", str(database), "--port"]
    commands = [
        [*base, "serve", str(questionnaire), *on, str(public)],
        [*base, "admin", "serve", *on, str(private)],
    ]
    started = [
        subprocess.Popen(  # noqa: S603 - this interpreter
            one,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )
        for one in commands
    ]
    try:
        for port, process in zip((public, private), started, strict=True):
            headers = _fetch(f"http://127.0.0.1:{port}/health", process)
            assert "server" not in headers
            assert "default-src 'none'" in headers["content-security-policy"]
        _fetch(f"http://127.0.0.1:{public}/i/{code}", started[0])
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)
        said = [process.communicate(timeout=PATIENCE)[0] for process in started]
    assert f"http://127.0.0.1:{public}" in said[0]
    assert "wave 1 is open" in said[0]
    assert "Invite people: pushaway invite" in said[0]
    assert "GET /i/{code} 200" in said[0]
    assert code not in said[0]
    assert "127.0.0.1 -" not in said[0] + said[1]
    assert "The researcher's pages" in said[1]


def _fetch(url: str, process: subprocess.Popen[str]) -> dict[str, str]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        try:
            with urlopen(url, timeout=10) as answered:  # noqa: S310 - loopback
                return {k.lower(): v for k, v in answered.headers.items()}
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError("nobody answers")


def test_a_log_line_stays_one_line() -> None:
    def spelled(**more: Any) -> str:
        record = logging.makeLogRecord({"msg": "a\r\nINFO forged\x1b[0m", **more})
        return running.Line().format(record)

    assert spelled().endswith("a\\x0d\\x0aINFO forged\\x1b[0m")
    error = ValueError(MARK)
    said = spelled(exc_info=(type(error), error, None))
    assert "ValueError" in said
    assert MARK not in said
    assert "\n" not in said


def test_only_a_named_proxy_is_believed() -> None:
    app: Any = object()
    assert running.configured(app).proxy_headers is False
    behind = running.configured(app, "10.0.0.1")
    assert (behind.proxy_headers, behind.forwarded_allow_ips) == (True, "10.0.0.1")
    assert behind.access_log is False
    assert behind.server_header is False


def test_missing_packages_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'segno'", name="segno")

    monkeypatch.setattr(later, "import_module", missing)
    for command in (["invite", "list"], ["serve"]):
        result = run(*command, code=1)
        assert "needs the package segno" in result.output
        assert "pip install 'pushaway[serve]'" in result.output


def test_a_port_is_a_port() -> None:
    assert "not in the range" in run("serve", "--port", 70000, code=2).output
