"""Waves: added, opened, closed, by page as by command."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from survey.cli import main
from survey.errors import RefusedError
from survey.server.admin import accounts, journal
from survey.server.admin.app import create_admin
from survey.server.app import create_app
from survey.store import people, studies, windows
from survey.store.database import reading, writing
from survey.store.studies import now

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa
    from httpx2 import Response

    from survey.instrument import Instrument
    from survey.store.codes import Key
    from survey.store.studies import Study

WAVES = "/study/main/waves"


@pytest.fixture
def inside(
    engine: sa.Engine, database: str, study: Study, key: Key
) -> Iterator[TestClient]:
    with TestClient(create_admin(database), follow_redirects=False) as client:
        with writing(engine) as connection:
            people.invite(connection, study, key, couples=1)
            accounts.add(connection, "ada", "correct horse battery")
            client.cookies.set("admin", accounts.log_in(connection, "ada"))
        yield client


def send(client: TestClient, path: str = WAVES, **fields: str) -> Response:
    body = client.get(WAVES).text
    csrf = re.findall(r'name="csrf" value="(\w+)"', body)[-1]
    chosen = re.findall(r'<option value="(\w{64})" selected', body)[0]
    return client.post(path, data={"csrf": csrf, "instrument": chosen, **fields})


def found(engine: sa.Engine) -> Study:
    with reading(engine) as connection:
        return studies.find(connection, "main")


def noted(engine: sa.Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as connection:
        entries, _ = journal.entries(connection)
    return [(one.who, one.what, one.detail) for one in entries]


def run(database: str, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["wave", *arguments, "-d", database])
    assert result.exit_code == code, result.output
    return result.output


def test_a_wave_is_added_for_the_same_people(
    inside: TestClient, engine: sa.Engine, database: str, walk: Instrument
) -> None:
    answer = send(inside, opens="", closes="2099-01-01T00:00")
    assert answer.headers["location"] == f"{WAVES}?added=2"
    body = inside.get(answer.headers["location"]).text
    assert 'role="status">Wave 2 was added.' in body
    assert "Wave 1: closed now" in body
    assert "Wave 2: open now" in body
    first, second = found(engine).waves
    assert first.closes == second.opens
    assert f"{second.closes:%Y-%m-%d}" == "2099-01-01"
    assert second.instrument == first.instrument == walk.hash
    assert noted(engine)[0] == ("ada", "add a wave", "main: wave 2")
    assert "wave 2: open now" in run(database, "list")
    body = inside.get("/study/main/people").text
    assert len(re.findall(r'<th scope="row">r\w{9}</th>', body)) == 2
    with TestClient(create_app(walk, database)) as public:
        assert public.get("/").status_code == 200


def test_a_wave_begun_by_another_program_is_seen(
    inside: TestClient, database: str
) -> None:
    run(database, "add")
    assert "Wave 2: open now" in inside.get(WAVES).text


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"opens": "2031-01-01T00:00", "closes": "2030-01-01T00:00"}, "Exchange them"),
        ({"opens": "soon"}, "Write day and time"),
        ({"closes": "2020-01-01T00:00"}, "Exchange them"),
        ({"opens": "2019-01-01T00:00"}, "but wave 1 opens"),
        ({"instrument": "0" * 64}, "pushaway wave add FILE"),
        ({"instrument": ""}, "pushaway wave add FILE"),
        ({"instrument": "' OR 1=1 --"}, "pushaway wave add FILE"),
    ],
)
def test_waves_that_cannot_be_added(
    inside: TestClient, engine: sa.Engine, fields: dict[str, str], word: str
) -> None:
    with writing(engine) as connection:
        begun = now() - timedelta(days=9)
        study = studies.find(connection, "main")
        studies.set_window(connection, study, 1, opens=begun, closes=None)
    before, lines = found(engine), noted(engine)
    answer = send(inside, **fields)
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert word in re.findall(r'role="alert">(.*?)</p>', answer.text, re.DOTALL)[0]
    for name, value in fields.items():
        if name != "instrument":
            assert f'id="{name}-new" name="{name}" value="{value}"' in answer.text
    assert found(engine) == before
    assert noted(engine) == lines


def test_forged_waves_are_refused(inside: TestClient, engine: sa.Engine) -> None:
    before = found(engine)
    for fields in ({"csrf": "0" * 64}, {"closes": ""}):
        assert inside.post(WAVES, data=fields).status_code == 403
        answer = inside.post(f"{WAVES}/1", data={**fields, "do": "close"})
        assert answer.status_code == 403
    assert found(engine) == before


def test_a_wave_is_closed_and_opened_again(
    inside: TestClient, engine: sa.Engine, database: str
) -> None:
    opens = now() - timedelta(days=1)
    with writing(engine) as connection:
        study = studies.find(connection, "main")
        studies.set_window(connection, study, 1, opens=opens, closes=None)
    path = f"{WAVES}/1"
    answer = send(inside, path, do="close")
    assert "Wave 1: closed now" in inside.get(answer.headers["location"]).text
    assert found(engine).current(now()) is None
    twice = send(inside, path, do="close")
    assert twice.status_code == 422
    assert "wave 1: is closed now." in twice.text
    assert send(inside, path, do="open").status_code == 303
    (wave,) = found(engine).waves
    assert (wave.opens, wave.closes) == (opens, None)
    assert "is open already" in send(inside, path, do="open").text
    assert "is open already" in run(database, "open", "1", code=1)
    assert "wave 1: closed now" in run(database, "close", "1")
    assert "wave 1: open now" in run(database, "open", "1")
    who = noted(engine)[-1][0]
    assert [what for _, what, _ in noted(engine)] == [
        "open a wave",
        "close a wave",
        "open a wave",
        "close a wave",
    ]
    assert who == "ada"


def test_a_wave_that_opens_later_may_open_now(engine: sa.Engine, study: Study) -> None:
    moment = now()
    opens, closes = moment + timedelta(days=1), moment + timedelta(days=2)
    with writing(engine) as connection:
        later = studies.set_window(connection, study, 1, opens=opens, closes=closes)
        (wave,) = windows.open_now(connection, later, 1).waves
    assert moment <= wave.opens <= now()  # type: ignore[operator] # was set
    assert wave.closes == closes


def test_only_the_latest_open_wave_is_asked(
    inside: TestClient, engine: sa.Engine, database: str
) -> None:
    send(inside)
    refused = send(inside, f"{WAVES}/1", do="open")
    assert "Close that one first." in refused.text
    assert "Close that one first." in run(database, "open", "1", code=1)
    send(inside, f"{WAVES}/1", opens="", closes="")
    assert "Wave 1: open, but people are asked wave 2" in inside.get(WAVES).text
    assert "wave 1: open, but people are asked wave 2" in run(database, "list")
    assert found(engine).current(now()) == found(engine).waves[1]


@pytest.mark.parametrize("number", ["9", "0", "x", "-1", "1e3"])
def test_waves_that_are_not(inside: TestClient, number: str) -> None:
    for do in ("", "open", "close"):
        answer = send(inside, f"{WAVES}/{number}", do=do)
        assert answer.status_code == 422
        assert answer.text.count('role="alert"') == 1
        assert "there is none. Choose one of 1." in answer.text


def test_a_wave_keeps_to_questionnaires_with_the_form_of_the_study(
    engine: sa.Engine, study: Study, walk: Instrument
) -> None:
    wished = replace(study, settings=studies.Settings(form="brief"))
    with (
        pytest.raises(RefusedError, match="form 'brief' is not in"),
        writing(engine) as connection,
    ):
        studies.add_wave(connection, wished, walk)
    assert len(found(engine).waves) == 1


def test_a_wave_may_be_closed_in_the_moment_it_was_opened(
    engine: sa.Engine, study: Study
) -> None:
    with writing(engine) as connection:
        moment = now()
        opened = studies.set_window(connection, study, 1, opens=moment, closes=None)
        closed = windows.close_now(connection, opened, 1)
    (wave,) = closed.waves
    assert wave.closes is not None
    assert wave.opens is not None
    assert wave.closes > wave.opens
