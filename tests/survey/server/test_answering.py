"""What happens to a page that is sent at odd moments, or with answers that are none."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from starlette.testclient import TestClient

from survey.collect import own
from survey.instrument import Instrument
from survey.server import words
from survey.server.app import create_app
from survey.store import people, studies
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from survey.validate import Validation

SOURCE = Path(__file__).parents[2] / "instruments" / "two_of_us.yaml"
EN = words.phrases("en")


class Fields(HTMLParser):
    """What the form of a page sends when nothing is touched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = dict(attrs)
        touched = one.get("type") != "radio" or "checked" in one
        if tag == "input" and one.get("name") and touched:
            self.sent[str(one["name"])] = one.get("value") or ""


class Visit:
    """Someone who answers; `page` is what they see."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.instrument = Instrument.load(SOURCE)
        settings = studies.Settings(open=True)
        app = create_app(
            self.instrument, place, settings=settings, url="http://testserver"
        )
        self.http = TestClient(app, headers={"accept-language": "en"})

    def begin(self) -> Response:
        page = self.http.get("/")
        sent = Fields(page.text).sent | {"agree": "yes"}
        self.page = self.http.post("/consent", data=sent)
        return self.page

    def body(self, move: str = "next", **typed: str) -> dict[str, str]:
        return Fields(self.page.text).sent | {"move": move} | typed

    def send(self, move: str = "next", **typed: str) -> Response:
        path = self.page.url.path
        self.page = self.http.post(path, data=self.body(move, **typed))
        return self.page

    def finish(self) -> None:
        self.send(together="1")
        self.send(av1="2")
        self.send(st1="4")
        assert self.send(remarks="done").url.path == "/done"

    @property
    def checked(self) -> Validation:
        return validate(own.read(self.place, self.instrument), self.instrument)

    def stored(self, item: str) -> object:
        cell = own.read(self.place, self.instrument).frame.iloc[0][item]
        return None if pd.isna(cell) else cell


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    one = Visit(tmp_path / "study.db")
    with one.http:
        one.begin()
        yield one


def heading(page: Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None, page.text
    return found[1]


def step(page: Response) -> str:
    found = re.search(r'id="step">(.*?)<', page.text)
    assert found is not None, page.text
    return found[1]


def bar(page: Response) -> tuple[int, int]:
    found = re.search(r'<progress value="(\d+)" max="(\d+)"', page.text)
    assert found is not None, page.text
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("sent", [(), ("together",), ("together", "av1")])
def test_who_stops_is_imported_as_unfinished(visit: Visit, sent: tuple[str]) -> None:
    for item in sent:
        visit.send(**{item: "1"})
    assert visit.send("save").url.path == "/saved"
    outcome = visit.checked
    assert outcome.failures.empty
    assert outcome.quarantine.empty
    assert outcome.responses.people["finished"].isna().all()
    given = outcome.responses.frame.iloc[0].dropna()
    assert sorted(given.index) == sorted(sent)


def test_a_page_sent_after_the_end_is_not_stored(visit: Visit) -> None:
    visit.send(together="1")
    old, page = visit.body(remarks="", av1="5"), visit.page
    visit.send(av1="2")
    late = visit.http.get("/page/about")
    fresh = Fields(late.text).sent
    visit.send(st1="4")
    visit.send(remarks="done")
    assert visit.page.url.path == "/done"
    for path, fields in [
        ("/page/signs", {**old, "av1": "5"}),
        ("/page/about", {**fresh, "town": "late"}),
        ("/page/about", {**fresh, "move": "back", "town": "late"}),
        ("/page/about", {**fresh, "move": "save", "years": "nonsense"}),
        ("/page/about", {**fresh, "move": "language:de"}),
        ("/page/about", {**fresh, "together": "0"}),
    ]:
        answer = visit.http.post(path, data=fields)
        assert answer.status_code == 409, fields
        assert heading(answer) == EN["finished_title"]
        assert 'href="/done"' in answer.text
        assert 'href="/withdraw"' in answer.text
    assert page.url.path == "/page/signs"
    kept = [visit.stored(name) for name in ("av1", "town", "together", "language")]
    assert kept == ["2", None, "1", "en"]


def test_a_replay_after_the_end_leads_to_the_end(visit: Visit) -> None:
    pages = []
    for answers in ({"together": "1"}, {"av1": "2"}, {"st1": "4"}, {"remarks": "x"}):
        pages.append((visit.page.url.path, visit.body(**answers)))
        visit.send(**answers)
    before = own.read(visit.place, visit.instrument).frame
    for path, fields in pages:
        answer = visit.http.post(path, data=fields)
        assert (answer.status_code, answer.url.path) == (200, "/done")
        changed = {**fields, "move": "save"}
        assert visit.http.post(path, data=changed).status_code == 409
    assert own.read(visit.place, visit.instrument).frame.equals(before)


@pytest.mark.parametrize("move", ["back", "save", "language:de", "language:en"])
def test_what_cannot_be_stored_is_shown_again_once(visit: Visit, move: str) -> None:
    visit.send("save", together="1", years="7")
    visit.page = visit.http.get("/page/about")
    answer = visit.send(move, years="two", town="Skåne")
    assert answer.status_code == 422
    assert 'value="two"' in answer.text
    assert 'id="years-error"' in answer.text
    language = move.removeprefix("language:") if ":" in move else "en"
    assert words.phrases(language)["problems_rest"] in answer.text
    assert 'role="alert"' in answer.text
    assert (visit.stored("town"), visit.stored("years")) == ("Skåne", "7")
    again = visit.http.post("/page/about", data=visit.body(move))
    assert again.status_code == 200, "nobody is kept on a page"
    assert again.url.path == ("/saved" if move == "save" else "/page/about")
    assert visit.stored("years") == "7"


def test_another_wrong_answer_is_told_too(visit: Visit) -> None:
    visit.send("save", together="1")
    visit.page = visit.http.get("/page/about")
    assert visit.send("save", years="two").status_code == 422
    assert visit.send("save", years="three").status_code == 422
    assert visit.send("save", years="three", town="x" * 41).status_code == 422
    assert visit.send("save", town="fits").url.path == "/saved"
    assert visit.stored("town") == "fits"


def test_reloading_what_was_shown_again_shows_it_again(visit: Visit) -> None:
    fields = visit.body("save", together="1", years="two")
    for _ in range(3):
        answer = visit.http.post("/page/about", data=fields)
        assert answer.status_code == 422
        assert 'value="two"' in answer.text
    assert visit.stored("together") == "1"


def test_what_is_wrong_does_not_move_on_with_next(visit: Visit) -> None:
    visit.send("save", together="1", years="two")
    answer = visit.send("next", years="two")
    assert answer.status_code == 422
    assert EN["problems_rest"] not in answer.text


def test_an_optional_answer_is_taken_back_without_scripts(visit: Visit) -> None:
    visit.send(together="1")
    visit.send(av1="2")
    plain = EN["no_answer"]
    assert plain not in visit.page.text, "nothing was chosen yet"
    visit.send("save", st1="4", st2="3")
    visit.page = visit.http.get("/page/views")
    offers = re.findall(r'name="(\w+)" value=""><label[^>]*>([^<]*)<', visit.page.text)
    assert offers == [("st2", plain)], "st1 needs an answer"
    visit.send("save", st2="")
    assert (visit.stored("st1"), visit.stored("st2")) == ("4", None)
    visit.page = visit.http.get("/page/views")
    assert plain not in visit.page.text
    outcome = visit.checked
    assert outcome.responses.missingness.iloc[0]["st2"] == "blank"
    assert outcome.responses.given.isna().iloc[0]["st2"]


def test_an_answer_with_refusals_of_its_own_needs_no_other(visit: Visit) -> None:
    visit.send("save", together="1", bondkind="2")
    visit.page = visit.http.get("/page/about")
    assert EN["no_answer"] not in visit.page.text
    assert "Prefer not to answer" in visit.page.text


def test_further_questions_come_at_an_address_that_may_be_reloaded(
    visit: Visit,
) -> None:
    sent = visit.body(together="0")
    visit.send(together="0")
    assert str(visit.page.url).endswith("/page/about?more")
    assert not visit.page.history[0].text
    for _ in range(2):
        answer = visit.http.get(visit.page.url)
        assert EN["new_questions"] in answer.text
        assert 'role="alert"' not in answer.text
    twice = visit.http.post("/page/about", data=sent)
    assert twice.status_code == 200
    assert EN["new_questions"] in twice.text
    visit.send(weeks="3")
    assert heading(visit.page) == "How you see it"
    assert visit.http.post("/page/about", data=sent).url.path == "/page/views"
    assert EN["new_questions"] not in visit.http.get("/page/about").text


def test_the_number_of_pages_is_said_once_it_is_sure(visit: Visit) -> None:
    sent = ({"together": "1"}, {"av1": "2"}, {"st1": "4"})
    pages = [visit.page, *(visit.send(**answers) for answers in sent)]
    said = ["Page 1", "Page 2 of 4", "Page 3 of 4", "Page 4 of 4"]
    assert [step(page) for page in pages] == said
    assert [bar(page) for page in pages] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert "<title>You two (Page 1) " in pages[0].text


def test_hidden_pages_are_not_counted_and_the_bar_never_goes_back(
    visit: Visit,
) -> None:
    visit.send(together="0")
    pages = [visit.page, visit.send(weeks="3"), visit.send(st1="4")]
    assert [step(page) for page in pages] == ["Page 1", "Page 2 of 3", "Page 3 of 3"]
    assert [bar(page) for page in pages] == [(1, 4), (3, 4), (4, 4)]


def test_who_is_no_longer_connected_is_told_how_to_go_on(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit.send("save", together="1", town="kept")
    found = re.search(r'id="resume">([a-z2-7-]+)<', visit.page.text)
    assert found is not None
    visit.page = visit.http.get("/page/about")
    real = studies.now
    monkeypatch.setattr(studies, "now", lambda: real() + timedelta(days=2))
    monkeypatch.setattr(people, "now", lambda: real() + timedelta(days=2))
    late = visit.send(town="lost")
    assert late.status_code == 409
    assert heading(late) == EN["visit_ended_title"]
    assert 'href="/resume"' in late.text
    form = Fields(visit.http.get("/resume").text).sent
    back = visit.http.post("/start", data=form | {"code": found[1]})
    assert heading(back) == "You two"
    assert 'value="kept"' in back.text
    visit.page = back
    visit.send(town="later")
    visit.send(av1="2")
    visit.send(st1="4")
    assert visit.send().url.path == "/done"
    assert visit.stored("town") == "later"


def test_an_invitation_works_after_the_clock_was_set(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, key = connect(visit.place), key_for(visit.place)
    with writing(engine) as connection:
        study = studies.find(connection, "main")
        (person,) = people.invite(connection, study, key, people=1)
    engine.dispose()
    code = person.access(key, "invitation")
    other = TestClient(visit.http.app, headers={"accept-language": "en"})
    real = studies.now
    for days in (0, 3, -3):
        moment = timedelta(days=days)
        monkeypatch.setattr(studies, "now", lambda moment=moment: real() + moment)
        monkeypatch.setattr(people, "now", lambda moment=moment: real() + moment)
        form = Fields(other.get(f"/i/{code}").text).sent
        page = other.post("/start", data=form)
        if not days:
            form = Fields(page.text).sent | {"agree": "yes"}
            page = other.post("/consent", data=form)
        assert heading(page) == "You two"
        form = Fields(page.text).sent | {"move": "save", "town": f"day {days}"}
        assert other.post(page.url.path, data=form).url.path == "/saved"
