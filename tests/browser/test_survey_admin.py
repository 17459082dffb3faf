"""The researcher's pages in a real browser: legible, reachable, without JavaScript."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from survey.instrument import Instrument
from survey.server.admin import accounts
from survey.store import people, studies
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.store.studies import Settings
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
NAME, PASSWORD = "ada", "correct horse battery"
PLACES = ("/", "/audit", "/study/main", "/study/main/people")
PLACES += ("/study/main/invitations", "/study/main/waves", "/study/main/answers")
PLACES += ("/study/main?wave=all", "/nowhere")
#: Fields of a page that are refused: its place, a label, what is typed, the button.
REFUSED = (
    ("/study/main/invitations", "Single people", "many", "Make invitations"),
    ("/study/main/waves", "Opens (UTC), new wave", "2020-01-01T00:00", "Add wave 3"),
)
SIZES = [{"width": 360, "height": 740}, {"width": 1280, "height": 900}]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the researcher's pages as a process; gives their address."""
    database = tmp_path_factory.mktemp("office") / "survey.db"
    engine = connect(database)
    require_current(engine)
    key = key_for(database, make=True)
    one = Instrument.load(ROOT / "tests" / "instruments" / "two_of_us.yaml")
    with writing(engine) as connection:
        study = studies.begin(connection, "main", one, Settings(), key)
        people.invite(connection, study, key, couples=3, people=5)
        studies.add_wave(connection, study, one)
        accounts.add(connection, NAME, PASSWORD)
    engine.dispose()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, str(ROOT / "pushaway.py"), "admin", "serve"]
    process = subprocess.Popen(  # noqa: S603 - this interpreter
        [*command, "-d", str(database), "--port", str(port)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None
        try:
            with urlopen(f"{address}/health", timeout=5):  # noqa: S310 - loopback
                break
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    yield address
    process.terminate()
    process.wait(30)


def enter(page: Page, office: str) -> None:
    """Log in with the keyboard alone."""
    page.goto(office)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{office}/")


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_keep_nobody_out(
    chromium: Browser,
    axe: Callable[[Page], list[str]],
    office: str,
    size: dict[str, int],
    scheme: str,
) -> None:
    context = chromium.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(office)
    assert axe(page) == []
    enter(page, office)
    for place in PLACES:
        page.goto(office + place)
        assert axe(page) == [], place
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, place
    for place, label, typed, button in REFUSED:
        page.goto(office + place)
        page.get_by_label(label, exact=True).fill(typed)
        page.get_by_role("button", name=button).click()
        assert page.get_by_role("alert").is_visible()
        assert page.get_by_label(label, exact=True).input_value() == typed
        assert axe(page) == [], place
    page.goto(f"{office}/study/main/invitations")
    page.get_by_role("button", name="Show cards to print").click()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.goto(f"{office}/study/main/people")
    page.get_by_role("button", name="Erase").first.click()
    assert axe(page) == []
    # The browser itself says that a page was refused or is not there.
    assert all("status of 4" in one for one in complaints)
    context.close()


def test_a_wave_is_closed_and_opened_by_keyboard(
    chromium: Browser, office: str
) -> None:
    page = chromium.new_page()
    enter(page, office)
    page.goto(f"{office}/study/main/waves")
    for button, state in (("Close", "closed now"), ("Open", "open now")):
        page.get_by_role("button", name=f"{button} wave 2 now").press("Enter")
        page.wait_for_url("**/waves?changed=2")
        assert page.get_by_role("status").inner_text() == "Wave 2 was changed."
        assert page.get_by_role("heading", name=f"Wave 2: {state}").is_visible()
    page.close()


def test_everything_works_without_javascript(chromium: Browser, office: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    strangers: list[str] = []
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(office) else strangers.append(asked.url)
        ),
    )
    page.goto(office)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{office}/study/main/invitations")
    page.get_by_label("Single people").fill("2")
    page.get_by_role("button", name="Make invitations").click()
    assert page.get_by_role("status").inner_text() == "2 invitations were made."
    with page.expect_download() as found:
        page.get_by_role("button", name="Download CSV").click()
    assert found.value.suggested_filename == "main-invitations.csv"
    page.get_by_role("button", name="Show cards to print").click()
    page.wait_for_load_state()
    cards = page.locator(".card")
    assert cards.count() >= 13
    assert page.locator(".qr svg").first.bounding_box() is not None
    page.get_by_role("link", name="Back to the invitations").click()
    page.get_by_role("button", name="Log out").click()
    assert page.url == f"{office}/login"
    page.goto(f"{office}/study/main")
    assert page.url == f"{office}/login"
    assert strangers == []
    context.close()
