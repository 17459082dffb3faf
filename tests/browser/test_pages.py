"""Report pages in a real browser: whole, self-contained, legible on a phone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from reports.catalog import Catalog
from reports.index import write_index
from reports.render import to_html
from reports.run import run_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt: chromium)"),
]
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]
REPORTS = ("01_instrument", "02_responses", "07_outcomes")
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build: Path = tmp_path_factory.mktemp("build")
    runs = list(run_all(Catalog.load().cases(REPORTS), build, jobs=2))
    for one in runs:
        assert one.ok, one.error
        to_html(one, build)
    write_index(runs, build)
    return build


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def pages(build: Path) -> list[Path]:
    return [build / "index.html", *sorted(build.glob("*/index.html"))]


def opened(browser: Browser, path: Path, **options: object) -> tuple[Page, list[str]]:
    """Open a page; collect what it complains of or asks the network for."""
    complaints: list[str] = []
    page = browser.new_page(**options)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:"))
            else complaints.append(request.url)
        ),
    )
    page.goto(path.as_uri())
    return page, complaints


def test_pages_are_self_contained_and_quiet(browser: Browser, built: Path) -> None:
    for path in pages(built):
        page, complaints = opened(browser, path)
        assert complaints == [], path
        assert page.title()
        assert page.locator("h1").count() == 1
        page.close()


def test_every_figure_is_drawn_and_described(browser: Browser, built: Path) -> None:
    for path in pages(built)[1:]:
        page, _ = opened(browser, path)
        figures = page.locator("figure img")
        assert figures.count() > 0, path
        for i in range(figures.count()):
            figure = figures.nth(i)
            assert len(figure.get_attribute("alt") or "") > 15
            assert figure.evaluate("image => image.naturalWidth") > 300
        page.close()


def test_nothing_runs_over_the_edge_of_a_phone(browser: Browser, built: Path) -> None:
    for path in pages(built):
        page, _ = opened(browser, path, viewport=PHONE)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path
        page.close()


def test_code_is_hidden_until_asked_for(browser: Browser, built: Path) -> None:
    page, _ = opened(browser, built / "07_outcomes" / "index.html")
    code = page.locator("details.code pre").first
    assert not code.is_visible()
    page.locator("#all-code").check()
    assert code.is_visible()
    page.close()


def test_pages_say_they_are_synthetic(browser: Browser, built: Path) -> None:
    for name in ("index.html", "02_responses/index.html"):
        page, _ = opened(browser, built / name)
        assert page.get_by_text("Synthetic data").first.is_visible()
        page.close()
