"""Every page of the survey can be used by everyone: axe, reflow, targets, errors."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
#: 1280 px at 400 %: what WCAG 1.4.10 wants to be read without scrolling sideways.
NARROW = {"width": 320, "height": 640}
#: WCAG 2.2, 2.5.8; inline links in a sentence are excepted there, and not here.
TARGET = 24
#: Bytes of a page with everything it loads.
WEIGHT = 60_000
LONG = """\
id: long
version: "1.0"
title: {word}
consent: {{text: {word}, agree: {word}}}
safety: {{note: {word}, leave_label: {word}, leave_url: "https://weather.example"}}
response_scales:
  - id: seven
    labels: [{word}, b, c, d, e, f, g{word}]
    missing: [{{code: 99, label: {word}}}]
items:
  - {{id: q1, type: likert, text: {word}, hint: {word}, response_scale: seven}}
  - {{id: q2, type: choice, text: {word}, response_scale: seven, required: true}}
  - {{id: q3, type: number, text: q, minimum: 0, maximum: 9, unit: {word}}}
  - {{id: q4, type: text, text: {word}}}
"""
OVERFLOWING = """() => [...document.querySelectorAll('main *')].filter(one => {
    const box = one.getBoundingClientRect();
    const around = one.parentElement.getBoundingClientRect();
    return box.width > 0 && box.right > around.right + 1;
  }).map(one => one.outerHTML.slice(0, 99))"""
SMALL_TARGETS = """least => [...document.querySelectorAll(
  'a, button, input:not([type=hidden]), textarea')].map(one => {
    const box = (one.closest('.option') || one).getBoundingClientRect();
    return [one.outerHTML.slice(0, 120), box.width, box.height];
  }).filter(([, width, height]) => width < least || height < least)"""
WEIGH = """() => [...performance.getEntriesByType('navigation'),
  ...performance.getEntriesByType('resource')]
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).click()


def entrances(survey: Any, page: Page) -> Iterator[str]:
    """Show what people see before the first question."""
    page.goto(survey.url)
    yield "consent"
    press(page, "I do not want to take part")
    yield "declined"
    page.goto(f"{survey.url}/resume")
    yield "code"
    page.locator("#code").fill("nothing")
    press(page, "Go on")
    yield "wrong code"
    page.goto(f"{survey.url}/i/abcdefgh")
    yield "invitation"
    page.goto(f"{survey.url}/nowhere")
    yield "not found"
    page.goto(f"{survey.url}/withdraw")
    yield "withdraw by receipt"
    page.locator("#code").fill("nothing")
    press(page, "Erase for good")
    yield "wrong receipt"


def questions(survey: Any, page: Page) -> Iterator[str]:
    """Show every page of the questionnaire, in every state."""
    page.goto(survey.url)
    press(page, "Begin")
    yield "first page"
    page.get_by_label("How long have you").fill("ages")
    press(page, "Next")
    yield "errors"
    press(page, "Save and go on later")
    assert "other answers are stored" in page.get_by_role("alert").inner_text()
    yield "not stored but for the rest"
    old = page.locator("input[name=key]").input_value()
    page.get_by_label("How long have you").fill("2")
    page.locator("#together-2").check()
    press(page, "Next")
    yield "new questions"
    page.evaluate("key => document.forms[0].elements.key.value = key", old)
    page.get_by_label("How many weeks").fill("3")
    press(page, "Next")
    page.goto(f"{survey.url}/page/about")
    page.evaluate("key => document.forms[0].elements.key.value = key", old)
    page.locator("#together-1").check()
    press(page, "Next")
    assert "sent before" in page.get_by_role("status").inner_text()
    yield "sent before"
    with closing(sqlite3.connect(survey.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        page.locator("#together-1").check()
        press(page, "Next")
        assert "just now" in page.get_by_role("status").inner_text()
        assert page.locator("#together-1").is_checked()
        other.execute("ROLLBACK")
    yield "not stored"
    press(page, "Next")
    assert page.get_by_role("heading", level=1).inner_text() == "The past four weeks"
    yield "signs"
    for name in ("av1", "av2", "av3", "ag1", "ag2"):
        page.locator(f"#{name}-3").check()
    press(page, "Next")
    yield "seven options"
    page.locator("#st1-7").check()
    page.locator("#st2-2").check()
    press(page, "العربية")
    page.get_by_role("radio", name="No answer", exact=True).check()
    yield "right to left"
    press(page, "English")
    press(page, "Next")
    yield "last page"


def exits(survey: Any, page: Page) -> Iterator[str]:
    """Show what people see after the last question."""
    press(page, "Save and go on later")
    yield "saved"
    follow(page, "Go on now")
    other = page.context.new_page()
    other.goto(page.url)
    press(other, "Send")
    other.close()
    press(page, "Send")
    assert "Erase my answers" in page.locator("main").inner_text()
    yield "sent after the end"
    follow(page, "To the last page")
    page.get_by_role("heading", name="How you described your partner").wait_for()
    yield "done"
    follow(page, "Erase my answers")
    yield "withdraw"
    press(page, "Erase for good")
    yield "erased"
    survey.close()
    page.goto(survey.url)
    yield "closed"


def tour(survey: Any, page: Page) -> Iterator[str]:
    for part in (entrances, questions, exits):
        yield from part(survey, page)


STATES = 24
NAMED = " \N{EN DASH} The two of us"


def test_axe_finds_nothing_on_any_page(
    serve: Callable[..., Any],
    visit: Callable[..., Any],
    axe: Callable[[Page], list[str]],
) -> None:
    survey = serve(profile=True, back_to="https://panel.example/done")
    page = visit(survey, viewport=PHONE).page()
    seen = []
    for state in tour(survey, page):
        seen.append(state)
        for scheme in ("light", "dark"):
            for viewport in (PHONE, DESK):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size(viewport)
                assert axe(page) == [], (state, scheme, viewport)
    assert len(seen) == STATES


def test_every_page_fits_and_is_light(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve(profile=True)
    visitor = visit(survey, viewport=NARROW)
    page = visitor.page()
    titles = {}
    for state in tour(survey, page):
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], state
        assert page.evaluate(SMALL_TARGETS, TARGET) == [], state
        weight = page.evaluate(WEIGH)
        assert 2_000 < weight < WEIGHT, state
        assert page.locator("h1").count() == 1, state
        titles[state] = page.title()
    assert visitor.complaints == []
    assert visitor.strangers == []
    assert len(titles) == STATES
    assert titles["first page"] == f"You two (Page 1){NAMED}"
    assert titles["errors"] == f"Error: You two (Page 1){NAMED}"
    assert titles["last page"] == f"Last page (Page 4 of 4){NAMED}"
    assert titles["wrong code"] == f"Error: Welcome{NAMED}"
    assert titles["closed"] == f"Not open now{NAMED}"


def test_errors_are_focused_and_lead_to_their_fields(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    page = visit(survey, viewport=PHONE).page()
    page.goto(survey.url)
    press(page, "Begin")
    page.get_by_label("How long have you").fill("200")
    press(page, "Next")
    summary = page.get_by_role("alert")
    assert summary.evaluate("one => one === document.activeElement")
    links = summary.get_by_role("link")
    assert links.all_inner_texts() == [
        "Are you together today?",
        "How long have you known each other?",
    ]
    links.nth(0).press("Enter")
    page.wait_for_url("**#together-1")
    assert page.evaluate("document.activeElement.id") == "together-1"
    links.nth(1).press("Enter")
    page.wait_for_url("**#years")
    assert page.evaluate("document.activeElement.id") == "years"
    field = page.locator("#years")
    assert field.input_value() == "200"
    assert field.get_attribute("aria-invalid") == "true"
    told = " ".join(
        page.locator(f"#{name}").inner_text()
        for name in (field.get_attribute("aria-describedby") or "").split()
    )
    assert told == (
        "Halves are fine. (from 0.5 to 80) years Please write a number from 0.5 to 80."
    )


def test_languages_are_marked_and_written_their_way(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    page = visit(survey, viewport=PHONE).page()
    page.goto(survey.url)
    offered = page.get_by_role("navigation", name="Language").get_by_role("link")
    marks = offered.evaluate_all("all => all.map(one => [one.lang, one.hreflang])")
    assert marks == [["en", "en"], ["de", "de"], ["ar", "ar"]]
    assert offered.all_inner_texts() == ["English", "Deutsch", "العربية"]
    press(page, "Begin")
    buttons = page.get_by_role("group", name="Language").get_by_role("button")
    assert buttons.evaluate_all("all => all.map(one => one.lang)") == ["en", "de", "ar"]
    press(page, "العربية")
    assert page.locator("html").get_attribute("dir") == "rtl"
    radio = page.locator("#together-1").bounding_box()
    label = page.locator("label[for=together-1]").bounding_box()
    assert radio is not None
    assert label is not None
    assert radio["x"] > label["x"]


def test_very_long_words_are_broken(
    serve: Callable[..., Any], visit: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "long.yaml"
    path.write_text(LONG.format(word="Donaudampfschiff" * 9), encoding="utf-8")
    survey = serve(path)
    page = visit(survey).page()
    page.goto(survey.url)
    for action in ("Begin", "Send"):
        press(page, action)
        for width in (320, 700, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(OVERFLOWING) == [], width
