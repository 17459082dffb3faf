"""What browsers do by themselves: back, reload, double clicks, tabs; and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.slow
ELSEWHERE = "https://weather.example/"


def begin(survey: Any, page: Page) -> None:
    page.goto(survey.url)
    press(page, "Begin")
    heading(page, "You two")


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def heading(page: Page, text: str) -> None:
    page.get_by_role("heading", level=1, name=text, exact=True).wait_for()


def finish(page: Page) -> None:
    """Answer what must be answered, from where a person stands."""
    for _ in range(4):
        if page.locator("#st1-1").count():
            page.locator("#st1-4").check()
        press(
            page, "Send" if page.get_by_role("button", name="Send").count() else "Next"
        )
        if page.url.endswith("/done"):
            return
    pytest.fail("the questionnaire does not end")


def weather(context: BrowserContext) -> None:
    """Stand in for the page that the leave link names; nothing goes over the net."""
    context.route(
        f"{ELSEWHERE}**",
        lambda route: route.fulfill(
            body="<title>Weather</title>", content_type="text/html"
        ),
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_leaving_leaves_no_answers_behind(
    serve: Callable[..., Any],
    visit: Callable[..., Any],
    scripts: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    survey = serve()
    visitor = visit(survey, java_script_enabled=scripts)
    weather(visitor.context)
    page = visitor.page()
    begin(survey, page)
    page.get_by_role("radio", name="Yes", exact=True).check()
    page.get_by_label("In which region").fill("Skåne")
    press(page, "Next")
    heading(page, "The past four weeks")
    before = page.evaluate("history.length") if scripts else 0
    page.get_by_role("link", name="Leave quickly").click()
    page.wait_for_url(ELSEWHERE)
    assert page.title() == "Weather"
    assert visitor.context.cookies() == []
    if scripts:
        assert page.evaluate("history.length") == before
    for _ in range(3):
        page.go_back()
        page.wait_for_load_state()
        content = page.content()
        assert "Skåne" not in content
        assert "checked" not in content
        assert "The past four weeks" not in content
        if not page.url.startswith(survey.url):
            break
    page.goto(f"{survey.url}/page/signs")
    assert page.get_by_role("button", name="Begin", exact=True).is_visible()
    assert survey.rows("visit") == 0


def test_back_shows_what_is_stored_and_takes_another_answer(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    page = visit(survey).page()
    begin(survey, page)
    page.get_by_role("radio", name="Yes", exact=True).check()
    page.get_by_label("In which region").fill("Skåne")
    press(page, "Next")
    heading(page, "The past four weeks")
    page.go_back()
    heading(page, "You two")
    assert page.locator("#together-1").is_checked()
    assert page.get_by_label("In which region").input_value() == "Skåne"
    page.get_by_label("In which region").fill("Halland")
    press(page, "Next")
    heading(page, "The past four weeks")
    finish(page)
    table = survey.stored()
    assert list(table["town"]) == ["Halland"]


def test_a_double_click_sends_one_page_and_skips_none(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    page = visit(survey).page()
    begin(survey, page)
    page.locator("#together-1").check()
    page.get_by_role("button", name="Next", exact=True).dblclick()
    heading(page, "The past four weeks")
    assert survey.rows("submission") == 1
    page.get_by_role("button", name="Next", exact=True).dblclick()
    heading(page, "How you see it")
    assert page.get_by_role("alert").count() == 0
    assert survey.rows("submission") == 2
    finish(page)
    assert len(survey.stored()) == 1


def test_a_page_sent_twice_without_scripts_is_stored_once(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    visitor = visit(survey)
    page = visitor.page()
    begin(survey, page)
    page.locator("#together-1").check()
    fields = page.evaluate(
        "Object.fromEntries(new FormData(document.forms[0]).entries())"
    )
    for _ in range(3):
        answer = visitor.context.request.post(
            f"{survey.url}/page/about", form=fields | {"move": "next"}
        )
        assert answer.ok
        assert "The past four weeks" in answer.text()
    assert survey.rows("submission") == 1
    other = visitor.context.request.post(
        f"{survey.url}/page/about", form=fields | {"move": "next", "together": "0"}
    )
    assert other.status == 409
    page.reload()
    finish(page)
    assert list(survey.stored()["together"]) == ["1"]


def test_two_tabs_the_last_one_sent_counts(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    visitor = visit(survey)
    one = visitor.page()
    begin(survey, one)
    two = visitor.page()
    two.goto(one.url)
    one.locator("#together-1").check()
    one.get_by_label("In which region").fill("first")
    two.locator("#together-1").check()
    two.get_by_label("In which region").fill("second")
    press(one, "Next")
    heading(one, "The past four weeks")
    press(two, "Next")
    heading(two, "The past four weeks")
    one.locator("#av1-2").check()
    press(one, "Next")
    finish(two)
    table = survey.stored()
    assert list(table["town"]) == ["second"]
    assert len(table) == survey.rows("response") == 1


def test_reloading_a_page_that_came_from_sending(
    serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    survey = serve()
    page = visit(survey).page()
    begin(survey, page)
    press(page, "Next")
    assert page.get_by_role("alert").is_visible()
    page.reload()
    assert page.get_by_role("alert").is_visible()
    page.locator("#together-2").check()
    press(page, "Next")
    assert "further questions" in page.get_by_role("status").inner_text()
    stored = survey.rows("submission")
    page.reload()
    assert page.get_by_label("How many weeks").is_visible()
    assert survey.rows("submission") == stored == 1
    page.get_by_label("How many weeks").fill("0")
    press(page, "Next")
    heading(page, "How you see it")
    page.reload()
    heading(page, "How you see it")
    finish(page)
    page.reload()
    heading(page, "Thank you")
    assert list(survey.stored()["weeks"]) == ["0"]
