"""Pages that are too heavy for a phone come in parts; nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from survey.collect import own
from survey.instrument import Instrument
from survey.server import views
from survey.server.app import create_app
from survey.server.plan import Planner, Sheet
from survey.server.posted import Problem
from survey.server.weight import LIMIT, weight
from survey.store.studies import Settings
from survey.validate import validate
from survey.yaml12 import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

INSTRUMENTS = Path(__file__).parents[2] / "instruments"
#: Bytes of a page with everything it loads.
WEIGHT = 60_000
STATIC = sum(len(p.read_bytes()) for p in (views.FOLDER / "static").iterdir())
ENGLISH = "When we argued, my partner went out of the room without a word & hid."
UKRAINIAN = "жива " * 16
LABELS = ["Strongly disagree", "Disagree", "Rather disagree", "Neither agree nor not"]
LABELS += ["Rather agree", "Agree", "Strongly agree"]


def matrix(
    items: int = 120,
    *,
    required: bool = False,
    shuffled: bool = False,
    page: str = "signs",
    conditions: dict[str, str] | None = None,
) -> Instrument:
    """One page of many items, between two short ones."""
    asked: list[dict[str, Any]] = [
        {"id": f"item{k:03}", "type": "likert", "response_scale": "agree7"}
        | {"text": {"en": f"{k}. {ENGLISH}", "uk": f"{k}. {UKRAINIAN}."}}
        | {"required": required}
        for k in range(1, items + 1)
    ]
    for one in asked:
        if condition := (conditions or {}).get(one["id"]):
            one["show_if"] = condition
    content: dict[str, Any] = {
        "id": "matrix",
        "version": "1.0",
        "title": "M",
        "languages": ["en", "uk"],
        "license": "MIT",
        "response_scales": [{"id": "agree7", "labels": LABELS}],
        "items": [
            {"id": "first", "type": "text", "text": "F"},
            *asked,
            {"id": "last", "type": "text", "text": "L"},
        ],
        "pages": [
            {"id": "start", "title": "Start", "items": ["first"]},
            {"id": page, "title": "Signs", "text": "How often?"}
            | {"items": [one["id"] for one in asked], "random_order": shuffled},
            {"id": "end", "title": "End", "items": ["last"]},
        ],
    }
    return Instrument.from_document(Document("matrix", content))


class Visit:
    def __init__(self, instrument: Instrument, place: Path) -> None:
        self.instrument, self.place = instrument, place
        app = create_app(
            instrument, place, settings=Settings(open=True), url="http://testserver"
        )
        self.http = TestClient(app, headers={"accept-language": "en"})

    def begin(self) -> None:
        form = self.fields(self.http.get("/")) | {"agree": "yes"}
        self.page = self.http.post("/consent", data=form)

    @staticmethod
    def fields(page: Response) -> dict[str, str]:
        found = re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', page.text)
        chosen = r'name="(\w+)" value="([^"]*)" checked'
        return dict(found) | dict(re.findall(chosen, page.text))

    def send(self, move: str = "next", **typed: str) -> Response:
        form = self.fields(self.page) | {"move": move} | typed
        self.page = self.http.post(self.page.url.path, data=form)
        return self.page

    @property
    def asked(self) -> list[str]:
        found = re.findall(r'name="(item\d+|first|last)"', self.page.text)
        return list(dict.fromkeys(found))

    @property
    def step(self) -> str:
        found = re.search(r'id="step">(.*?)<', self.page.text)
        assert found is not None
        return found[1]


@pytest.fixture
def come(tmp_path: Path) -> Iterator[Any]:
    opened: list[Visit] = []

    def enter(instrument: Instrument) -> Visit:
        one = Visit(instrument, tmp_path / f"{len(opened)}.db")
        one.http.__enter__()
        opened.append(one)
        one.begin()
        return one

    yield enter
    for one in opened:
        one.http.__exit__(None, None, None)


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
def test_every_part_is_light_also_with_every_complaint(
    come: Any, *, required: bool, shuffled: bool
) -> None:
    visit = come(matrix(required=required, shuffled=shuffled))
    visit.send("language:uk")
    visit.send()
    seen: list[str] = []
    while visit.page.url.path.startswith("/page/signs"):
        asked = visit.asked
        if required:
            visit.send()
            assert visit.page.status_code == 422
            assert len(visit.page.content) + STATIC < WEIGHT
        visit.send("save", **dict.fromkeys(asked, "7"))
        visit.page = visit.http.get("/page")
        assert visit.page.text.count(" checked") == len(asked)
        assert len(visit.page.content) + STATIC < WEIGHT
        assert visit.asked == asked
        seen += asked
        visit.send()
    assert len(seen) == len(set(seen)) == 120
    assert visit.asked == ["last"]
    if not shuffled:
        assert seen == sorted(seen)


def printed(
    instrument: Instrument, language: str, items: tuple[Any, ...], *, wrong: bool
) -> int:
    """Bytes of a page with these questions, all answered, all complained of or none."""
    word = {"text": "bad_characters", "number": "not_a_number"}
    problems = [Problem(i.id, word.get(i.type, "required"), {}) for i in items if wrong]
    values = {i.id: "1" for i in items}
    sheet = Sheet(instrument.all_pages[0], items)
    empty = ["heading", "step", "leave", "csrf", "key", "told_wrong", "notice"]
    empty += ["introduction", "safety", "text"]
    given = views.spoken(instrument, language) | dict.fromkeys(empty, "")
    given |= {"problems": problems, "page": "one", "number": 2, "place": 2}
    given |= {"places": 3, "last": False, "withdrawable": True}
    given["questions"] = views.questions(sheet, instrument, language, values, problems)
    template = views.templates().get_template("page.html.j2")
    return len(template.render(given).encode())


@pytest.mark.parametrize(
    "instrument",
    [
        matrix(3),
        matrix(3, required=True),
        Instrument.load(INSTRUMENTS / "two_of_us.yaml"),
        Instrument.load(INSTRUMENTS / "garden_club.yaml"),
        Instrument.load("pushing_away"),
    ],
    ids=["matrix", "required", "two_of_us", "garden_club", "pushing_away"],
)
def test_what_is_reckoned_is_no_less_than_what_is_printed(
    instrument: Instrument,
) -> None:
    for language in instrument.languages:
        empty = printed(instrument, language, (), wrong=False)
        for item in instrument.items:
            wrong = item.required or item.type in {"text", "number"}
            full = printed(instrument, language, (item,), wrong=wrong)
            assert full - empty <= weight(item, instrument), (item.id, language)


def test_order_progress_and_back_stay_right(come: Any) -> None:
    visit = come(matrix())
    assert visit.step == "Page 1 of 7"
    pages = []
    for _ in range(7):
        pages.append((visit.page.url.path, visit.step, visit.asked))
        visit.send()
    assert visit.page.url.path == "/done"
    names = ["start", "signs", "signs-2", "signs-3", "signs-4", "signs-5", "end"]
    assert [path for path, _, _ in pages] == [f"/page/{name}" for name in names]
    assert [step for _, step, _ in pages] == [f"Page {k} of 7" for k in range(1, 8)]
    sizes = [len(asked) for _, _, asked in pages]
    assert sizes == [1, 24, 24, 24, 24, 24, 1]


def test_back_leads_through_the_parts(come: Any) -> None:
    visit = come(matrix())
    visit.send()
    visit.send(item001="3")
    visit.send(item025="4")
    assert visit.page.url.path == "/page/signs-3"
    visit.send("back", item049="5")
    assert visit.page.url.path == "/page/signs-2"
    assert 'id="item025-4" name="item025" value="4" checked' in visit.page.text
    visit.send("back")
    assert 'id="item001-3" name="item001" value="3" checked' in visit.page.text
    assert visit.http.get("/page/signs-4").url.path == "/page/signs"
    visit.send("save")
    row = own.read(visit.place, visit.instrument).frame.iloc[0]
    assert list(row[["item001", "item025", "item049"]]) == ["3", "4", "5"]


def test_a_shuffled_page_keeps_one_order_over_its_parts(come: Any) -> None:
    visit = come(matrix(shuffled=True))
    visit.send()
    seen: list[str] = []
    while visit.page.url.path != "/page/end":
        seen += visit.asked
        visit.send()
    visit.send()
    assert visit.page.url.path == "/done"
    raw = own.read(visit.place, visit.instrument)
    assert raw.frame.iloc[0]["order_signs"].split() == seen
    assert sorted(seen) == [f"item{k:03}" for k in range(1, 121)] != seen
    assert validate(raw, visit.instrument).failures.empty


def test_questions_hang_on_those_of_an_earlier_part(come: Any) -> None:
    conditions = dict.fromkeys((f"item{k:03}" for k in range(25, 49)), "item001 == 7")
    visit = come(matrix(conditions=conditions))
    visit.send()
    assert visit.step == "Page 2", "a part may be left out"
    visit.send(item001="7")
    assert (visit.page.url.path, visit.step) == ("/page/signs-2", "Page 3 of 7")
    visit.send("back")
    visit.send(item001="1")
    assert (visit.page.url.path, visit.step) == ("/page/signs-3", "Page 3 of 6")


def test_an_earlier_part_of_a_shuffled_page_gets_its_new_question(
    come: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = tuple(f"item{k:03}" for k in range(120, 0, -1))
    monkeypatch.setattr(Planner, "shuffled", lambda _: {"signs": order})
    visit = come(matrix(shuffled=True, conditions={"item120": "item001 == 7"}))
    for _ in range(5):
        visit.send()
    assert (visit.page.url.path, visit.asked[-1]) == ("/page/signs-5", "item001")
    visit.send(item001="7")
    assert str(visit.page.url).endswith("/page/signs?more")
    assert visit.asked[0] == "item120"
    visit.send()
    for _ in range(4):
        assert visit.page.url.path.startswith("/page/signs-"), "asked once only"
        visit.send()
    assert visit.page.url.path == "/page/end"


def test_pages_that_are_light_are_not_cut() -> None:
    for name in ("two_of_us", "garden_club", "bfi"):
        instrument = Instrument.load(INSTRUMENTS / f"{name}.yaml")
        for form in instrument.all_forms:
            planner = Planner.of(instrument, form.id)
            assert all(planner.slots[p.id][0] == p.id for p in planner.pages)
    assert LIMIT + STATIC < WEIGHT


def test_parts_of_a_page_with_a_long_id_have_ids_a_database_takes() -> None:
    longest, twin = "p" * 31, "p" * 30 + "q"
    parts = [
        {one.id for one in Planner.of(matrix(page=name), "full").pages}
        for name in (longest, twin)
    ]
    assert max(map(len, parts[0] | parts[1])) == 31
    assert longest in parts[0]
    assert len(parts[0]) > 3
    # Parts of two pages that begin alike are told apart.
    assert parts[0] & parts[1] == {"start", "end"}
