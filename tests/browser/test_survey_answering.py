"""A whole questionnaire in a real browser: by keyboard, without scripts, in pieces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
PHONE = {"width": 360, "height": 740}
#: Stops of the Tab key on one page, at most; more means that it goes round.
STOPS = 80
STOP = """() => {
  const one = document.activeElement;
  const box = one.closest('.option') || one;
  const style = getComputedStyle(box), place = box.getBoundingClientRect();
  const top = document.elementFromPoint(
    place.left + place.width / 2, place.top + Math.min(place.height / 2, 20));
  return {
    name: one.name || '', value: one.value || '', tag: one.tagName, id: one.id,
    text: one.textContent.trim(),
    ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    seen: place.top >= 0 && place.bottom <= window.innerHeight && place.left >= 0
      && place.right <= window.innerWidth,
    covered: !(top && (box.contains(top) || top.contains(box))),
  };
}"""


def tab_to(page: Page, **wanted: str) -> None:
    """Press Tab until an element has the focus; each one on the way shows that."""
    passed = []
    page.wait_for_load_state()  # before the style is there nothing shows a ring
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop["tag"] == "BODY":
            continue
        assert stop["ring"], f"no ring: {stop}"
        assert stop["seen"], f"out of sight: {stop}"
        assert not stop["covered"], f"covered: {stop}"
        if all(stop[key] == value for key, value in wanted.items()):
            return
        passed.append(stop["name"] or stop["text"])
    pytest.fail(f"Tab does not reach {wanted}, only {passed}")


def choose(page: Page, name: str, place: int) -> None:
    """Choose the option at a place, from 0, with Space and the arrows."""
    tab_to(page, name=name)
    page.keyboard.press("Space")
    for _ in range(place):
        page.keyboard.press("ArrowDown")
    number = page.locator(f"input[name={name}]:checked").get_attribute("id")
    assert number == f"{name}-{place + 1}"


def heading(page: Page, text: str) -> None:
    page.get_by_role("heading", level=1, name=text, exact=True).wait_for()


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def order(page: Page) -> list[str]:
    """Names of the radio groups of a page, in the order they stand."""
    names = page.locator("input[type=radio]").evaluate_all(
        "all => all.map(one => one.name)"
    )
    return list(dict.fromkeys(names))


def send_by_keyboard(page: Page) -> None:
    tab_to(page, name="move", value="next")
    page.keyboard.press("Enter")


def first_page_by_keyboard(page: Page) -> None:
    """Answer every kind of question; Enter in a field sends the page."""
    choose(page, "together", 0)
    choose(page, "bondkind", 1)
    tab_to(page, name="years")
    page.keyboard.type("2.5")
    tab_to(page, name="town")
    page.keyboard.type("Oslo")
    page.keyboard.press("Enter")
    heading(page, "The past four weeks")


def two_languages_by_keyboard(page: Page) -> list[str]:
    """Answer a shuffled page; change the language in the middle of it."""
    names = order(page)
    for place, name in enumerate(names[:3]):
        choose(page, name, place)
    tab_to(page, name="move", value="language:de")
    page.keyboard.press("Space")
    heading(page, "Die letzten vier Wochen")
    assert page.locator("html").get_attribute("lang") == "de"
    assert order(page) == names
    for place, name in enumerate(names[:3]):
        assert page.locator(f"#{name}-{place + 1}").is_checked()
    for name in names[3:]:
        choose(page, name, 5)
    send_by_keyboard(page)
    heading(page, "Wie Sie es sehen")
    return names


def last_pages_by_keyboard(page: Page) -> None:
    """Open a question by an answer; end the questionnaire."""
    choose(page, "st1", 6)
    choose(page, "st2", 5)
    send_by_keyboard(page)
    # The browser moves the focus when it first draws the page.
    page.locator("[role=status]:focus").wait_for()
    tab_to(page, name="why")
    page.keyboard.type("Der Lärm.")
    tab_to(page, name="move", value="next")
    page.keyboard.press("Space")
    heading(page, "Letzte Seite")
    tab_to(page, name="remarks")
    page.keyboard.type("Nein")
    send_by_keyboard(page)
    heading(page, "Danke")


def test_keyboard_alone_in_two_languages_on_a_phone(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    visitor = visit(survey, viewport=PHONE)
    page = visitor.page()
    page.goto(survey.url)
    tab_to(page, name="agree", value="yes")
    page.keyboard.press("Enter")
    heading(page, "You two")
    first_page_by_keyboard(page)
    names = two_languages_by_keyboard(page)
    last_pages_by_keyboard(page)
    assert visitor.complaints == []
    assert visitor.strangers == []
    (row,) = survey.stored().reset_index().to_dict("records")
    wanted = {"together": "1", "bondkind": "2", "years": "2.5", "town": "Oslo"}
    wanted |= {name: str(place + 1) for place, name in enumerate(names[:3])}
    wanted |= dict.fromkeys(names[3:], "9")
    wanted |= {"st1": "7", "st2": "6", "why": "Der Lärm.", "remarks": "Nein"}
    assert {name: row[name] for name in wanted} == wanted
    assert row["language"] == "de"
    assert row["order_signs"].split() == names
    assert row["finished"] is not None


def test_without_scripts(serve: Callable[..., Any], visit: Callable[..., Any]) -> None:
    survey = serve(profile=True)
    page = visit(survey, java_script_enabled=False, viewport=PHONE).page()
    page.goto(survey.url)
    page.get_by_role("link", name="Deutsch").click()
    press(page, "Beginnen")
    press(page, "Weiter")
    page.get_by_role("alert").wait_for()
    assert page.title().startswith("Fehler: Sie beide")
    page.get_by_role("radio", name="Nein", exact=True).check()
    press(page, "Weiter")
    page.get_by_label("Vor wie vielen Wochen").fill("12")
    press(page, "Weiter")
    heading(page, "Wie Sie es sehen")
    press(page, "Zurück")
    heading(page, "Sie beide")
    assert page.get_by_label("Vor wie vielen Wochen").input_value() == "12"
    page.get_by_role("radio", name="Ja", exact=True).check()
    press(page, "Weiter")
    heading(page, "Die letzten vier Wochen")
    for name in order(page):
        page.locator(f"#{name}-4").check()
    press(page, "English")
    heading(page, "The past four weeks")
    press(page, "Save and go on later")
    page.get_by_role("link", name="Go on now").click()
    press(page, "Next")
    page.locator("#st1-1").check()
    press(page, "Next")
    press(page, "Send")
    heading(page, "Thank you")
    assert page.get_by_text("no diagnosis").is_visible()
    table = survey.stored()
    assert table["weeks"].isna().all(), "its question was hidden later"
    (row,) = table.to_dict("records")
    assert (row["together"], row["st1"]) == ("1", "1")
    assert {row[name] for name in ("av1", "av2", "av3", "ag1", "ag2", "att")} == {"4"}


def test_resumed_on_a_second_device_by_link_and_by_code(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    page = visit(survey, viewport=PHONE).page()
    page.goto(survey.url)
    press(page, "Begin")
    page.get_by_role("radio", name="Yes", exact=True).check()
    page.get_by_label("In which region").fill("Skåne")
    press(page, "Deutsch")
    press(page, "Speichern und später weitermachen")
    heading(page, "Gespeichert")
    link = page.locator("main a.code").get_attribute("href") or ""
    code = page.locator("#resume").inner_text()
    assert code.replace("-", "") in link

    by_link = visit(survey).page()
    by_link.goto(link)
    press(by_link, "Go on")
    heading(by_link, "Sie beide")
    assert "/i/" not in by_link.url
    assert by_link.locator("#together-1").is_checked()
    assert by_link.get_by_label("In welcher Region").input_value() == "Skåne"
    press(by_link, "Weiter")
    heading(by_link, "Die letzten vier Wochen")

    by_code = visit(survey).page()
    by_code.goto(survey.url)
    by_code.get_by_role("link", name="Go on with a code").click()
    by_code.get_by_label("Your access code").fill("nothing")
    press(by_code, "Go on")
    by_code.get_by_role("alert").wait_for()
    assert by_code.title().startswith("Error")
    by_code.get_by_label("Your access code").fill(f" {code.upper()} ")
    with by_code.expect_navigation():
        by_code.keyboard.press("Enter")
    heading(by_code, "Die letzten vier Wochen")
    assert survey.rows("person") == survey.rows("response") == 1


def test_both_partners_and_neither_sees_the_other(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve(open=False)
    one, two = survey.invite(couples=1)

    def arrive(person: Any) -> Page:
        page: Page = visit(survey).page()
        page.goto(f"{survey.url}/i/{survey.code(person)}")
        press(page, "Go on")
        return page

    def bare(page: Page) -> str:
        return re.sub(r'(name="(csrf|key)") value="[^"]*"', r"\1", page.content())

    early = arrive(two)
    before = [bare(early)]
    press(early, "Begin")
    before.append(bare(early))
    first = arrive(one)
    assert bare(first) == before[0]
    press(first, "Begin")
    _answer(first, "Secretshire")
    page = visit(survey).page()
    page.goto(f"{survey.url}/i/{survey.code(two)}")
    press(page, "Go on")
    assert bare(page) == before[1]
    _answer(page, "Elsewhere")
    assert "Secretshire" not in page.content()
    table = survey.stored().reset_index()
    assert len(table) == 2
    assert table["couple"].nunique() == 1
    assert set(table["role"]) == {"a", "b"}
    assert set(table["town"]) == {"Secretshire", "Elsewhere"}


def _answer(page: Page, region: str) -> None:
    page.get_by_role("radio", name="No", exact=True).check()
    page.get_by_label("In which region").fill(region)
    press(page, "Next")
    page.get_by_label("How many weeks ago").fill("3")
    press(page, "Next")
    page.locator("#st1-2").check()
    press(page, "Next")
    press(page, "Send")
    heading(page, "Thank you")


def test_an_answer_is_taken_back_and_nobody_is_kept_without_scripts(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    page = visit(survey, java_script_enabled=False, viewport=PHONE).page()
    page.goto(survey.url)
    press(page, "Begin")
    page.get_by_role("radio", name="No", exact=True).check()
    press(page, "Next")
    assert "further questions" in page.get_by_role("status").inner_text()
    page.reload()
    assert page.get_by_role("alert").count() == 0
    page.get_by_role("radio", name="Yes", exact=True).check()
    page.get_by_label("In which region").fill("x" * 41)
    page.get_by_label("How long have you").fill("long")
    press(page, "Save and go on later")
    alert = page.get_by_role("alert")
    assert "press the button again" in alert.inner_text()
    assert page.get_by_label("How long have you").input_value() == "long"
    press(page, "Save and go on later")
    heading(page, "Saved")
    page.get_by_role("link", name="Go on now").click()
    press(page, "Next")
    press(page, "Next")
    heading(page, "How you see it")
    assert page.get_by_text("Page 3 of 4").is_visible()
    page.locator("#st1-2").check()
    page.locator("#st2-3").check()
    press(page, "Next")
    press(page, "Back")
    page.get_by_role("radio", name="No answer", exact=True).check()
    press(page, "Next")
    press(page, "Send")
    heading(page, "Thank you")
    (row,) = survey.stored().to_dict("records")
    assert (row["together"], row["st1"]) == ("1", "2")
    assert all(survey.stored()[name].isna().all() for name in ("st2", "years"))
