"""The researcher's pages: who gets in, what they show, what they do."""

from __future__ import annotations

import csv
import re
import shutil
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from survey.server.admin import accounts, journal, spreadsheet
from survey.server.admin.app import create_admin
from survey.server.app import create_app
from survey.server.plan import Planner
from survey.store import people, progress, studies, tables
from survey.store.codes import Key, key_file, key_for
from survey.store.database import connect, forget, reading, writing
from survey.store.studies import Settings
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import sqlalchemy as sa
    from httpx2 import Response

    from survey.instrument import Instrument
    from survey.store.people import Person

NAME, PASSWORD = "ada", "correct horse battery"
MARK = "zebraquartzseventyseven"
FORMULA = '=HYPERLINK("http://evil.example","x")'
STUDY = "hushhush"
PAGES = ("", "/people", "/invitations", "/waves", "/answers")
ACTIONS = ("/invitations", "/links", "/cards", "/answers", "/waves/1", "/erase")
ACTIONS += ("/erased",)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A study with a couple and one person who came by themselves."""

    path: Path
    engine: sa.Engine
    key: Key
    instrument: Instrument
    persons: tuple[Person, ...]

    def ask(self, work: Callable[[sa.Connection], Any]) -> Any:
        with reading(self.engine) as connection:
            return work(connection)

    def do(self, work: Callable[[sa.Connection], Any]) -> Any:
        with writing(self.engine) as connection:
            return work(connection)

    def count(self, table: sa.Table) -> int:
        return len(self.ask(lambda c: c.execute(table.select()).all()))

    def noted(self) -> list[tuple[str, str, str]]:
        entries, _ = self.ask(journal.entries)
        return [(one.who, one.what, one.detail) for one in entries]


@pytest.fixture(scope="module")
def noted_instrument(
    instrument_from: Callable[[str], Instrument], small_text: str
) -> Instrument:
    text = "\n  - {id: words, type: text, text: What else?, max_length: 400}\nscales:"
    risky = small_text.replace("title: Small", 'title: "<script>alert(1)</script>"')
    return instrument_from(risky.replace("\nscales:", text))


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, noted_instrument: Instrument
) -> tuple[Path, tuple[Person, ...]]:
    """Fill a database once; every test gets a copy."""
    path: Path = tmp_path_factory.mktemp("prepared") / "survey.db"
    engine = connect(path)
    require_current(engine)
    key = key_for(path, make=True)
    with writing(engine) as connection:
        study = studies.begin(
            connection, STUDY, noted_instrument, Settings(open=True), key
        )
        found = [
            people.add(connection, study, key, couple="c1", role=role)
            for role in ("<b>w", "m")
        ]
        found.append(people.add(connection, study, key, invited=False))
        _answer(connection, study, noted_instrument, found[0], MARK, done=True)
        _answer(connection, study, noted_instrument, found[2], FORMULA, done=False)
        accounts.add(connection, NAME, PASSWORD)
    forget(engine)
    engine.dispose()
    return path, tuple(found)


@pytest.fixture
def place(
    tmp_path: Path,
    prepared: tuple[Path, tuple[Person, ...]],
    noted_instrument: Instrument,
) -> Iterator[Place]:
    source, persons = prepared
    path = tmp_path / "survey.db"
    shutil.copy(source, path)
    shutil.copy(key_file(source), key_file(path))
    engine = connect(path)
    yield Place(path, engine, key_for(path), noted_instrument, persons)
    engine.dispose()


def _answer(
    connection: sa.Connection,
    study: studies.Study,
    instrument: Instrument,
    person: Person,
    note: str,
    *,
    done: bool,
) -> None:
    planner = Planner.of(instrument, instrument.all_forms[0].id)
    page = planner.pages[0].id
    begun = progress.begin(
        connection,
        study,
        study.waves[0],
        person,
        form=planner.form,
        language="en",
        page=page,
        orders={},
    )
    values = {"rs1": "5", "rs2": "1", "age": "30", "words": note}
    sent = progress.Sent(person.nonce, page, "next", values, 75.0, {"rs1": 2.5})
    progress.store(connection, study, begun, sent, page=page, reached=1, finished=done)


@pytest.fixture
def client(place: Place) -> Iterator[TestClient]:
    app = create_admin(place.path, survey="https://survey.example")
    with TestClient(app, follow_redirects=False) as found:
        yield found


@pytest.fixture
def inside(client: TestClient, place: Place) -> TestClient:
    """Come with a session; logging in takes its time."""
    client.cookies.set("admin", place.do(lambda c: accounts.log_in(c, NAME)))
    return client


def token(body: str) -> str:
    return re.findall(r'name="csrf" value="([0-9a-f]{64})"', body)[-1]


def log_in(client: TestClient, name: str = NAME, password: str = PASSWORD) -> Response:
    page = client.get("/login")
    fields = {"csrf": token(page.text), "name": name, "password": password}
    return client.post("/login", data=fields)


def send(client: TestClient, path: str, **fields: str) -> Response:
    """Send a form of a study."""
    csrf = token(client.get(f"/study/{STUDY}/people").text)
    return client.post(f"/study/{STUDY}{path}", data={"csrf": csrf, **fields})


def test_nothing_opens_without_a_login(client: TestClient, place: Place) -> None:
    paths = ["/", "/audit", "/no/such", "/static/../audit", f"/study/{STUDY}"]
    paths += [f"/study/{STUDY}{one}" for one in PAGES]
    for path in paths:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    for path in ("/logout", *(f"/study/{STUDY}{one}" for one in ACTIONS)):
        answer = client.post(path, data={"respondent": place.persons[0].code})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert place.count(tables.person) == 3


@pytest.mark.parametrize(
    "path", ["/%2561udit", "/%61udit", "//audit", "/login/../audit", "/login%2f..%2f"]
)
def test_cve_2026_90817_encoded_paths_stay_outside(
    client: TestClient, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code in {303, 404}
    assert "Who did what" not in answer.text


def test_the_public_survey_has_no_page_of_the_researcher(place: Place) -> None:
    app = create_app(place.instrument, place.path, study=STUDY)
    with TestClient(app) as public:
        for path in ("/login", "/audit", f"/study/{STUDY}", f"/study/{STUDY}/answers"):
            assert public.get(path).status_code == 404
            assert public.post(path).status_code in {404, 405}


def test_login_page_keeps_to_itself(client: TestClient) -> None:
    page = client.get("/login")
    assert STUDY not in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    cookie = page.headers["set-cookie"].lower()
    assert cookie.startswith("admin=")
    assert "samesite=strict" in cookie
    assert "httponly" in cookie


def test_https_cookies_are_bound_to_the_host(place: Place) -> None:
    app = create_admin(place.path, url="https://admin.example")
    with TestClient(app, base_url="https://admin.example") as client:
        page = client.get("/login")
        cookie = page.headers["set-cookie"].lower()
        assert cookie.startswith("__host-admin=")
        assert "secure" in cookie
        assert "strict-transport-security" in page.headers
        other = client.get("/login", headers={"host": "evil.example"})
        assert other.status_code == 400


def test_login_gives_a_new_cookie(client: TestClient) -> None:
    client.get("/login")
    before = client.cookies["admin"]
    answer = log_in(client)
    assert answer.headers["location"] == "/"
    after = client.cookies["admin"]
    assert after != before
    assert client.get("/").status_code == 200
    client.cookies.clear()
    client.cookies.set("admin", before)
    assert client.get("/").status_code == 303


def test_a_planted_cookie_is_not_taken_over(client: TestClient, place: Place) -> None:
    planted = "A" * 43
    client.cookies.set("admin", planted)
    log_in(client)
    client.cookies.clear()
    client.cookies.set("admin", planted)
    assert client.get("/").status_code == 303
    assert place.count(tables.login) == 1


def test_logout_ends_the_session_on_the_server(
    inside: TestClient, place: Place
) -> None:
    kept = inside.cookies["admin"]
    assert inside.get("/").status_code == 200
    csrf = token(inside.get("/audit").text)
    answer = inside.post("/logout", data={"csrf": csrf})
    assert answer.headers["location"] == "/login"
    assert place.count(tables.login) == 0
    inside.cookies.set("admin", kept)
    assert inside.get("/").status_code == 303
    assert place.noted()[0] == (NAME, "log out", "")


def test_a_session_ends_when_nothing_is_done(inside: TestClient, place: Place) -> None:
    soon = studies.now() + timedelta(minutes=1)
    place.do(lambda c: c.execute(tables.login.update().values(expires=soon)))
    assert inside.get("/").status_code == 200
    (moved,) = place.ask(
        lambda c: c.scalars(
            tables.login.select().with_only_columns(tables.login.c.expires)
        ).all()
    )
    assert moved > soon + timedelta(hours=7)
    past = studies.now() - timedelta(seconds=1)
    place.do(lambda c: c.execute(tables.login.update().values(expires=past)))
    assert inside.get("/").status_code == 303


def test_whoever_is_removed_is_out_at_once(inside: TestClient, place: Place) -> None:
    place.do(lambda c: accounts.remove(c, NAME))
    assert inside.get("/").status_code == 303
    assert log_in(inside).status_code == 422


def test_an_unknown_name_is_answered_as_a_wrong_password(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    real = PasswordHasher.verify

    def counted(self: PasswordHasher, hash_: str, password: str) -> bool:
        tries.append(hash_.split("$")[3])
        return bool(real(self, hash_, password))

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    answers = [log_in(client, NAME, "wrong"), log_in(client, "nobody", "wrong")]
    assert len(tries) == 2
    assert len(set(tries)) == 1
    bare = [re.sub(r"[0-9a-f]{64}", "", one.text) for one in answers]
    assert bare[0] == bare[1]
    assert {one.status_code for one in answers} == {422}


def test_guessing_is_slowed_down_here_only(client: TestClient, place: Place) -> None:
    codes = [log_in(client, password=f"guess {n}").status_code for n in range(12)]
    assert codes == [422] * 10 + [429] * 2
    refused = log_in(client)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "300"
    app = create_app(place.instrument, place.path, study=STUDY)
    with TestClient(app) as public:
        assert public.get("/").status_code == 200
        assert public.app.state.desk.tries is not client.app.state.office.tries
    assert PASSWORD not in str(place.noted())
    assert ("nobody", "log in refused", "") in place.noted()


@pytest.mark.parametrize("path", ACTIONS)
def test_forged_forms_do_nothing(inside: TestClient, place: Place, path: str) -> None:
    before = len(place.noted())
    fields = {"people": "3", "respondent": place.persons[0].code, "csrf": "0" * 64}
    for given in (fields, {k: v for k, v in fields.items() if k != "csrf"}):
        answer = inside.post(f"/study/{STUDY}{path}", data=given)
        assert answer.status_code == 403
    fields["csrf"] = token(inside.get("/").text)
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ):
        answer = inside.post(f"/study/{STUDY}{path}", data=fields, headers=headers)
        assert answer.status_code == 403
    assert place.count(tables.person) == 3
    assert len(place.noted()) == before


def test_get_changes_nothing(inside: TestClient, place: Place) -> None:
    before = len(place.noted())
    for path in ("/", "/audit", *(f"/study/{STUDY}{one}" for one in PAGES)):
        assert inside.get(path).status_code == 200
    for path in ("/links", "/cards", "/erase", "/erased", "/waves/1"):
        assert inside.get(f"/study/{STUDY}{path}").status_code in {404, 405}
    assert len(place.noted()) == before


def test_pages_show_no_answer_and_run_no_markup(inside: TestClient) -> None:
    for path in ("/", "/audit", *(f"/study/{STUDY}{one}" for one in PAGES)):
        body = inside.get(path).text
        assert MARK not in body
        assert "evil.example" not in body
        assert "<script" not in body
        assert "<b>w" not in body
        assert not re.search(r'style="|onclick=|https?://(?!survey\.example)', body)
    assert "&lt;b&gt;w" in inside.get(f"/study/{STUDY}/people").text


def test_overview_counts(inside: TestClient) -> None:
    body = inside.get(f"/study/{STUDY}").text
    row = re.search(r"Wave 1</th>(.*?)</tr>", body)
    assert row is not None
    assert re.findall(r">(\d+)<", row[1]) == ["2", "2", "1", "1", "0"]
    assert "1 min 15 s" in body
    assert "2 sent, 1 here" in body
    assert 'role="img"' in body


def test_people_and_where_they_stand(inside: TestClient, place: Place) -> None:
    body = inside.get(f"/study/{STUDY}/people").text
    for person, state in zip(
        place.persons, ("finished", "not begun", "on page "), strict=True
    ):
        row = re.search(rf"{person.code}</th>(.*?)</tr>", body)
        assert row is not None
        assert state in row[1]
    later = inside.get(f"/study/{STUDY}/people?first=2").text
    assert place.persons[2].code in later
    assert place.persons[0].code not in later
    for odd in ("-1", "x", "9" * 40, "1;DROP TABLE person"):
        assert inside.get(f"/study/{STUDY}/people", params={"first": odd}).is_success


def test_export_cannot_run_formulas(inside: TestClient, place: Place) -> None:
    answer = send(inside, "/answers", wave="1")
    assert answer.headers["content-disposition"].endswith('hushhush-answers.csv"')
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(text)))
    assert [row["words"] for row in rows] == [MARK, f"'{FORMULA}"]
    assert rows[0]["role"] == "<b>w"
    assert rows[0]["rs3"] == ""
    assert rows[0]["seconds_rs1"] == "2.5"
    assert (NAME, "export answers", f"{STUDY}: 2 rows") in place.noted()
    assert send(inside, "/answers", wave="7").status_code == 404


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "-5"),
        ("+5.5", "+5.5"),
        ("-5+cmd|' /C calc'!A0", "'-5+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1", "'\uff1d1"),
        ('say "x";=1', 'say "x";=1'),
        (None, ""),
        (float("nan"), ""),
        (3, "3"),
    ],
)
def test_cells_and_headers_are_marked(cell: object, written: str) -> None:
    import pandas as pd  # noqa: PLC0415 - one test

    assert spreadsheet.safe(cell) == written
    if isinstance(cell, str):
        frame = pd.DataFrame({cell: ["a"]}, index=pd.Index(["b"], name=cell))
        text = spreadsheet.text(frame)
        (head, _) = list(csv.reader(StringIO(text, newline="")))
        assert head == [written, written]


def test_invitations_are_made_and_listed_alike(
    inside: TestClient, place: Place
) -> None:
    answer = send(
        inside, "/invitations", people="2", couples="1", roles="x, y", language="en"
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/study/{STUDY}/invitations?made=4"
    page = inside.get(answer.headers["location"])
    assert "4 invitations were made." in page.text
    first, again = (send(inside, "/links").text for _ in range(2))
    assert first == again
    rows = list(csv.DictReader(StringIO(first.lstrip("\ufeff"))))
    assert len(rows) == 6
    assert {row["role"] for row in rows[4:]} == {"x", "y"}
    assert len({row["couple"] for row in rows[4:]}) == 1
    assert all(row["link"].startswith("https://survey.example/i/") for row in rows)
    code = place.persons[0].access(place.key, "invitation")
    assert rows[0]["link"].endswith(code)
    reminders = send(inside, "/links", wave="1")
    assert 'filename="hushhush-reminders-wave-1.csv"' in str(reminders.headers)
    assert ("list reminders", f"{STUDY}: 5 invitations") in [
        one[1:] for one in place.noted()
    ]
    waiting = reminders.text
    assert place.persons[0].code not in waiting
    assert place.persons[1].code in waiting
    assert (NAME, "invite", f"{STUDY}: 2 people, 1 couples") in place.noted()
    assert code not in str(place.noted())


@pytest.mark.parametrize(
    "fields",
    [
        {"people": "0"},
        {"people": "-1"},
        {"people": "1e3"},
        {"people": "10001"},
        {"people": "\u0661"},
        {"couples": "1", "roles": "a"},
        {"couples": "1", "roles": "a,a"},
        {"couples": "1", "roles": "a,b,a"},
        {"people": "1", "language": "xx"},
        {"people": "1", "form": "none"},
    ],
)
def test_invitations_that_cannot_be(
    inside: TestClient, place: Place, fields: dict[str, str]
) -> None:
    answer = send(inside, "/invitations", **fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert place.count(tables.person) == 3


def test_what_was_typed_stays_when_it_is_refused(inside: TestClient) -> None:
    fields = {"people": "many", "couples": "2", "roles": "he,she", "language": "en"}
    body = send(inside, "/invitations", **fields).text
    assert "Single people: found &#39;many&#39;. Write a number up to 10000." in body
    for name in ("people", "couples", "roles"):
        assert re.search(rf'name="{name}"[^>]* value="{fields[name]}"', body)
    assert "<option selected>en</option>" in body
    assert body.count('aria-invalid="true"') == 1


def test_links_that_nobody_else_can_follow_are_said_so(
    inside: TestClient, place: Place
) -> None:
    path = f"/study/{STUDY}/invitations"
    assert "works on this machine only" not in inside.get(path).text
    with TestClient(create_admin(place.path)) as other:
        other.cookies.set("admin", inside.cookies["admin"])
        assert "works on this machine only" in other.get(path).text


def test_cards_ask_the_network_for_nothing(inside: TestClient, place: Place) -> None:
    body = send(inside, "/cards").text
    assert body.count("<svg ") == 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert place.persons[0].access(place.key, "invitation") in body
    assert place.persons[2].code not in body
    loaded = re.findall(r'(?:src|href)="([^"]+)"', body)
    back = f"/study/{STUDY}/invitations"
    assert set(loaded) == {"/static/cards.css", "/static/icon.svg", back}
    for path in loaded:
        assert inside.get(path).status_code == 200


def test_windows_of_waves(inside: TestClient, place: Place) -> None:
    answer = send(
        inside, "/waves/1", opens="2026-01-02T03:04", closes="2030-01-01T00:00"
    )
    assert "Wave 1 was changed." in inside.get(answer.headers["location"]).text
    study = place.ask(lambda c: studies.find(c, STUDY))
    assert f"{study.waves[0].opens:%Y-%m-%d %H:%M}" == "2026-01-02 03:04"
    for opens, closes in (
        ("2030-01-01T00:00", "2026-01-01T00:00"),
        ("soon", ""),
        ("", "9" * 50),
    ):
        wrong = send(inside, "/waves/1", opens=opens, closes=closes)
        assert wrong.status_code == 422
        assert 'aria-invalid="true"' in wrong.text
    assert place.ask(lambda c: studies.find(c, STUDY)) == study
    assert send(inside, "/waves/9", opens="", closes="").status_code == 422
    send(inside, "/waves/1", opens="", closes="")
    assert place.ask(lambda c: studies.find(c, STUDY)).waves[0].closes is None


def test_erasing_asks_first_then_leaves_nothing(
    inside: TestClient, place: Place
) -> None:
    person = place.persons[0]
    asked = send(inside, "/erase", respondent=person.code)
    assert f"Erase {person.code} for good" in asked.text
    assert "The partner's answers stay." in asked.text
    assert place.count(tables.person) == 3
    assert MARK.encode() in _bytes(place.path)
    done = send(inside, "/erased", respondent=person.code)
    assert "One person was erased" in done.text
    for gone in (MARK, person.code, person.nonce):
        assert gone.encode() not in _bytes(place.path)
    assert place.count(tables.answer) == 4
    assert place.count(tables.tombstone) == 1
    assert place.noted()[0] == (NAME, "erase", f"{STUDY}: one person")
    assert send(inside, "/erased", respondent=person.code).status_code == 404
    assert (
        ">1<"
        in re.findall(r"Erased</dt><dd(.*?)/dd>", inside.get(f"/study/{STUDY}").text)[0]
    )


def _bytes(path: Path) -> bytes:
    found = [
        path,
        path.with_name(f"{path.name}-wal"),
        path.with_name(f"{path.name}-shm"),
    ]
    return b"".join(one.read_bytes() for one in found if one.exists())


def test_erasing_by_receipt(inside: TestClient, place: Place) -> None:
    receipt = place.persons[2].access(place.key, "receipt")
    asked = send(inside, "/erase", receipt=receipt.upper())
    assert place.persons[2].code in asked.text
    invitation = place.persons[0].access(place.key, "invitation")
    for wrong in ("", "x", invitation, "' OR 1=1 --"):
        assert send(inside, "/erase", receipt=wrong).status_code == 404
    named = send(inside, "/erase", respondent=f" {place.persons[1].code} ")
    assert f"Erase {place.persons[1].code} for good" in named.text


def test_studies_that_are_not(inside: TestClient) -> None:
    assert inside.get("/").status_code == 200
    for name in ("other", "%27%20OR%201=1", "..%2f..", "%00"):
        assert inside.get(f"/study/{name}").status_code == 404
    assert inside.get("/study/").status_code == 404
    assert "no such page" in inside.get("/nowhere").text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"csrf=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=1&a=2", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_bodies_no_page_sends(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    answer = client.post("/login", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert "Nothing was" in answer.text


def test_a_database_that_is_gone_is_said_so(inside: TestClient, place: Place) -> None:
    inside.app.state.office.engine.dispose()
    for one in place.path.parent.glob("survey.db*"):
        if not one.name.endswith(".key"):
            one.rename(one.with_name(f"away{one.name}"))
    place.path.mkdir()
    answer = inside.get("/")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "<h1>The database cannot be used just now</h1>" in answer.text
    assert 'href="/static/admin.css"' in answer.text


@pytest.mark.parametrize(
    ("name", "password", "word"),
    [
        ("Ada", "long enough now", "cannot be a name"),
        ("../x", "long enough now", "cannot be a name"),
        ("eve", "short", "has 5 characters"),
        ("eve", "x" * 300, "has 300 characters"),
        ("eve", "eve and the apple", "contains the name"),
        ("eve", "aaaaaaaaaaaaaa", "same few characters"),
        (NAME, "long enough now", "may log in already"),
    ],
)
def test_accounts_that_cannot_be(
    place: Place, name: str, password: str, word: str
) -> None:
    with pytest.raises(accounts.RefusedError, match=word) as caught:
        place.do(lambda c: accounts.add(c, name, password))
    assert password not in str(caught.value)


def test_passwords_are_kept_as_argon2id(place: Place) -> None:
    (stored,) = place.ask(lambda c: c.execute(tables.researcher.select()).all())
    assert stored.password.startswith("$argon2id$")
    assert PASSWORD.encode() not in _bytes(place.path)
    assert place.count(tables.researcher) == 1
