"""What respondents see: words, templates, order of pages; without a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from survey.instrument import Instrument
from survey.server import views, words
from survey.server.app import create_app
from survey.server.plan import Planner, Sheet
from survey.store.studies import Settings
from survey.yaml12 import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from httpx2 import Response

FOLDER = Path(views.__file__).parent
INSTRUMENTS = Path(__file__).parents[2] / "instruments"
LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt", "sv")
#: Bytes of a page with everything it loads.
WEIGHT = 60_000
HOSTILE = """\
id: hostile
version: "1.0"
title: "{{7*7}} <script>alert(1)</script>"
consent:
  text: "{% for x in y %} ${7*7} <img src=x onerror=alert(2)>"
  agree: "'\\"><svg onload=alert(3)>"
safety:
  note: "{{ config }}"
  leave_label: "\\" onclick=\\"alert(4)"
  leave_url: https://weather.example
end:
  text: "{{ say }} </main>"
  support:
    - name: "<b>bold</b>"
      text: "{# gone? #}"
response_scales:
  - id: s2
    labels: ["<i>yes</i>", "{{ csrf }}"]
items:
  - id: q1
    type: likert
    text: "{{7*7}} {0} {q1} %s </legend><script>alert(5)</script>"
    hint: "{{ 7*7 }}"
    response_scale: s2
    required: true
  - id: q2
    type: text
    text: "A\u202e</textarea><script>alert(6)</script>"
    multiline: true
"""


class Elements(HTMLParser):
    """The elements of a page, and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def fields(page: str) -> dict[str, str]:
    """Read what the form of a page sends when nothing is touched."""
    return {
        str(one["name"]): one.get("value") or ""
        for tag, one in Elements(page).found
        if tag == "input"
        and one.get("name")
        and (one.get("type") != "radio" or "checked" in one)
    }


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    opened: list[TestClient] = []

    def come(instrument: Instrument, **settings: object) -> TestClient:
        chosen = Settings(**({"open": True} | settings))  # type: ignore[arg-type]
        app = create_app(
            instrument,
            tmp_path / f"{len(opened)}.db",
            settings=chosen,
            url="http://testserver",
        )
        client = TestClient(app, headers={"accept-language": "en"})
        client.__enter__()
        opened.append(client)
        return client

    yield come
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture(scope="module")
def two_of_us() -> Instrument:
    return Instrument.load(INSTRUMENTS / "two_of_us.yaml")


def begin(client: TestClient, **more: str) -> Response:
    page = client.get("/")
    return client.post("/consent", data=fields(page.text) | {"agree": "yes"} | more)


def send(
    client: TestClient, page: Response, move: str = "next", **typed: str
) -> Response:
    return client.post(page.url.path, data=fields(page.text) | {"move": move} | typed)


def heading(page: Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    assert found is not None, page.text
    return found[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_placeholders(
    language: str,
) -> None:
    every = read(FOLDER / "words.yaml").value
    assert isinstance(every, dict)
    assert set(every) == set(LANGUAGES)
    english, said = every["en"], every[language]
    assert set(said) == set(english)
    for name, text in said.items():
        assert isinstance(text, str)
        assert text.strip() == text != "", name
        assert _placeholders(text) == _placeholders(english[name]), name


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_a_language_without_phrases_gets_english_ones_and_its_own_direction() -> None:
    assert words.phrases("xx") == words.phrases("en")
    assert words.phrases("de-AT") == words.phrases("de")
    assert words.direction("ar-EG") == "rtl"
    assert words.direction("pt") == "ltr"


def test_text_of_the_instrument_is_printed_as_it_stands(
    visit: Callable[..., TestClient],
    instrument_from: Callable[[str], Instrument],
) -> None:
    client = visit(instrument_from(HOSTILE))
    pages = [client.get("/"), begin(client)]
    pages.append(send(client, pages[1]))
    pages.append(send(client, pages[2], q1="2", q2="</textarea><script>{{7*7}}"))
    assert [page.status_code for page in pages] == [200, 200, 422, 200]
    for page in pages:
        scripts = [one for tag, one in Elements(page.text).found if tag == "script"]
        assert scripts == [{"src": "/static/survey.js", "defer": None}]
        handlers = [
            name
            for _, one in Elements(page.text).found
            for name in one
            if name.startswith("on")
        ]
        assert handlers == []
        assert not {"img", "svg", "b", "i"} & {t for t, _ in Elements(page.text).found}
        assert "49" not in re.sub(r'value="[^"]*"', "", page.text)
    assert "{{7*7}} {0} {q1} %s &lt;/legend&gt;" in pages[2].text
    assert "{{ csrf }}" in pages[1].text
    assert "{# gone? #}" in pages[3].text


def test_pages_come_in_order_and_follow_the_answers(
    visit: Callable[..., TestClient], two_of_us: Instrument
) -> None:
    client = visit(two_of_us)
    page = begin(client)
    assert (heading(page), page.url.path) == ("You two", "/page/about")
    assert client.get("/page/closing").url.path == "/page/about"
    page = send(client, page, together="0")
    assert words.phrases("en")["new_questions"] in page.text
    page = send(client, page, weeks="3")
    assert heading(page) == "How you see it"
    assert client.get("/page/signs").url.path == "/page/views"
    page = send(client, page, "back")
    assert heading(page) == "You two"
    page = send(client, page, together="1", weeks="nonsense")
    assert heading(page) == "The past four weeks", "what is hidden is not asked"
    page = send(client, send(client, page), st1="4")
    page = send(client, page)
    assert page.url.path == "/done"


def test_only_what_was_answered_is_checked_when_the_language_changes(
    visit: Callable[..., TestClient], two_of_us: Instrument
) -> None:
    client = visit(two_of_us)
    page = send(client, begin(client), "language:de", town="Skåne")
    assert page.status_code == 200
    assert 'value="Skåne"' in page.text
    assert '<html lang="de" dir="ltr">' in page.text
    page = send(client, page, "language:ar")
    assert '<html lang="ar" dir="rtl">' in page.text


def test_the_language_of_the_consent_is_that_of_the_questions(
    visit: Callable[..., TestClient], two_of_us: Instrument
) -> None:
    client = visit(two_of_us)
    assert 'hreflang="ar"' in client.get("/?lang=de").text
    page = client.get("/?lang=de")
    page = client.post("/consent", data=fields(page.text) | {"agree": "yes"})
    assert heading(page) == "Sie beide"
    assert 'class="tongues" aria-label="Sprache"' not in page.text


def test_numbers_are_written_as_in_the_language(two_of_us: Instrument) -> None:
    page = two_of_us.all_pages[0]
    sheet = Sheet(page, (two_of_us.item("years"),))
    (english,) = views.questions(sheet, two_of_us, "en", {})
    (german,) = views.questions(sheet, two_of_us, "de", {})
    assert english.limits == "from 0.5 to 80"
    assert german.limits == "von 0,5 bis 80"
    assert german.keys == "decimal"
    assert german.described == "years-hint years-unit"


def test_what_is_empty_leaves_no_hole(
    visit: Callable[..., TestClient], small: Instrument
) -> None:
    client = visit(small)
    pages = [client.get("/"), begin(client)]
    pages.append(send(client, pages[1]))
    for page in pages:
        assert not re.search(
            r"<(p|li|ul|h1|h2|nav|span|section|strong)[^>]*>\s*</\1>", page.text
        )
        assert "None" not in page.text


def test_a_profile_says_means_in_words_and_nothing_with_too_few_answers(
    two_of_us: Instrument,
) -> None:
    answers = {"av1": "4", "av2": "2", "ag1": "9"}
    (mean,) = views.profile(two_of_us, "en", answers)
    assert (mean.label, mean.value, mean.near) == ("Keeping away", "4", "Often")
    (mean,) = views.profile(two_of_us, "de", {"ag1": "1", "ag2": "2"})
    assert (mean.label, mean.value, mean.near) == (
        "Verletzen",
        "1,5",
        "Nie \N{EN DASH} Selten",
    )
    assert (mean.least, mean.most) == (1, 5)


def test_the_last_page_has_support_and_a_profile_only_if_the_study_says_so(
    visit: Callable[..., TestClient], two_of_us: Instrument
) -> None:
    for profile in (True, False):
        client = visit(two_of_us, profile=profile)
        page = send(client, begin(client), together="1")
        page = send(client, page, av1="5", av2="1", av3="5")
        page = send(client, send(client, page, st1="1"))
        assert page.url.path == "/done"
        assert "https://help.example" in page.text
        assert ("no diagnosis" in page.text) is profile
        assert ("<meter" in page.text) is profile
        assert re.search(r'id="receipt">[a-z2-7]{4}(-[a-z2-7]{4}){3}<', page.text)


@pytest.mark.parametrize("name", ["two_of_us", "garden_club", "pushing_away"])
def test_every_page_is_light(name: str, visit: Callable[..., TestClient]) -> None:
    path = INSTRUMENTS / f"{name}.yaml"
    instrument = Instrument.load(path if path.exists() else name)
    client = visit(instrument)
    loaded = sum(len(p.read_bytes()) for p in (FOLDER / "static").iterdir())
    frame = len(begin(client).content)
    for form in instrument.all_forms:
        planner = Planner.of(instrument, form.id)
        template = views.templates().get_template("page.html.j2")
        for page in planner.pages:
            items = tuple(instrument.item(i) for i in planner.items[page.id])
            language = instrument.languages[-1]
            asked = views.questions(Sheet(page, items), instrument, language, {})
            given = views.spoken(instrument, language) | {
                "questions": asked,
                "heading": "",
                "step": "",
                "problems": (),
                "leave": "",
                "page": page.id,
                "csrf": "",
                "key": "",
                "number": 2,
                "place": 2,
                "places": 3,
                "told_wrong": "",
                "notice": "",
                "introduction": "",
                "safety": "",
                "text": "",
                "last": False,
                "withdrawable": True,
            }
            weight = len(template.render(given).encode()) + loaded
            assert weight + 4_000 < WEIGHT, page.id
    assert frame + loaded < WEIGHT


def test_every_question_has_a_name_and_ids_are_single(
    visit: Callable[..., TestClient], two_of_us: Instrument
) -> None:
    client = visit(two_of_us)
    page = send(client, begin(client), years="x")
    assert page.status_code == 422
    found = Elements(page.text).found
    ids = [one["id"] for _, one in found if "id" in one]
    assert len(ids) == len(set(ids))
    labels = {one.get("for") for tag, one in found if tag == "label"}
    shown = {
        one["id"]
        for tag, one in found
        if tag in {"input", "textarea"} and one.get("type") != "hidden"
    }
    assert shown == labels
    legends = sum(tag == "legend" for tag, _ in found)
    assert legends == sum(tag == "fieldset" for tag, _ in found) == 2
    for _, one in found:
        for name in (one.get("aria-describedby") or "").split():
            assert name in ids
