"""Counts of a study with two waves and two forms: on the page, and by command."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from survey.cli import main
from survey.server.admin import accounts
from survey.server.admin.app import create_admin
from survey.server.admin.figures import cut, figures
from survey.server.plan import Planner
from survey.store import people, progress, studies
from survey.store.database import reading, writing
from survey.store.studies import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from survey.instrument import Instrument
    from survey.store.codes import Key

TEXT = """
id: two_forms
version: 1.0.0
title: Two forms
languages: [en]
license: MIT
items:
  - {id: one, type: text, text: One?}
  - {id: two, type: text, text: Two?}
  - {id: three, type: text, text: Three?}
pages:
  - {id: first, title: First page, items: [one]}
  - {id: middle, title: Middle page, items: [two]}
  - {id: last, title: Last page, items: [three]}
forms:
  - {id: whole, label: Whole, items: all}
  - {id: brief, label: Brief, items: [one, three]}
"""
#: Wave, form, seconds a page and pages sent, of one person each.
WENT = (
    (1, "whole", 10.0, 3),
    (1, "whole", 20.0, 1),
    (1, "brief", 2.0, 2),
    (2, "whole", 60.0, 3),
    (2, "brief", 4.0, 2),
    (2, "brief", 6.0, 1),
)


@pytest.fixture
def filled(
    engine: sa.Engine, key: Key, instrument_from: Callable[[str], Instrument]
) -> sa.Engine:
    instrument = instrument_from(TEXT)
    with writing(engine) as connection:
        study = studies.begin(connection, "main", instrument, Settings(), key)
        study = studies.add_wave(connection, study, instrument)
        for number, (wave, form, seconds, sent) in enumerate(WENT):
            (person,) = people.invite(connection, study, key, people=1)
            pages = [page.id for page in Planner.of(instrument, form).pages]
            at = progress.begin(
                connection,
                study,
                study.wave(wave),
                person,
                form=form,
                language="en",
                page=pages[0],
                orders={},
            )
            for k, page in enumerate(pages[:sent]):
                done = k + 1 == len(pages)
                onto = page if done else pages[k + 1]
                one = progress.Sent(f"{number}-{k}", page, "next", {}, seconds, {})
                progress.store(
                    connection, study, at, one, page=onto, reached=k + 1, finished=done
                )
        accounts.add(connection, "ada", "correct horse battery")
    return engine


@pytest.fixture
def inside(filled: sa.Engine, database: str) -> Iterator[TestClient]:
    with TestClient(create_admin(database)) as client:
        with writing(filled) as connection:
            client.cookies.set("admin", accounts.log_in(connection, "ada"))
        yield client


def counted(engine: sa.Engine, wave: str, form: str) -> tuple[list[object], int, str]:
    with reading(engine) as connection:
        study = studies.find(connection, "main")
        found = figures(connection, study, cut(connection, study, wave, form))
    bars: list[object] = [(bar.label, bar.sent, bar.left) for bar in found.bars]
    return bars, found.begun, found.median


@pytest.mark.parametrize(
    ("wave", "form", "bars", "others"),
    [
        ("1", "whole", [(2, 0), (1, 1), (1, 0)], (2, "30 s")),
        ("1", "brief", [(1, 0), (1, 0)], (1, "4 s")),
        ("2", "whole", [(1, 0), (1, 0), (1, 0)], (1, "3 min 00 s")),
        ("2", "brief", [(2, 0), (1, 1)], (2, "8 s")),
        ("2", "", [(3, 0), (1, 0), (2, 1)], (3, "1 min 34 s")),
        ("all", "", [(6, 0), (2, 1), (4, 1)], (6, "19 s")),
        ("all", "brief", [(3, 0), (2, 1)], (3, "6 s")),
    ],
)
def test_pages_are_counted_by_wave_and_form(
    filled: sa.Engine,
    wave: str,
    form: str,
    bars: list[tuple[int, int]],
    others: tuple[int, str],
) -> None:
    titles = ["First page", "Middle page", "Last page"]
    if form == "brief":
        titles.remove("Middle page")
    wanted = [(title, *bar) for title, bar in zip(titles, bars, strict=True)]
    assert counted(filled, wave, form) == (wanted, *others)


def test_the_page_offers_waves_and_forms(inside: TestClient) -> None:
    body = inside.get("/study/main").text
    assert "<dd>wave 2, all forms</dd>" in body
    assert '<option value="2" selected>' in body
    body = inside.get("/study/main?wave=1&form=brief").text
    assert "<dd>wave 1, form brief</dd>" in body
    assert "Middle page" not in body
    plot = re.search(r'<title id="plot-title">(.*?)</title>', body)
    assert plot is not None
    assert plot[1].endswith("wave 1, form brief, 1 begun")
    by_wave = re.findall(r"Wave (\d)</th>.*?(\d+ min \d\d s|\d+ s)</td></tr>", body)
    assert by_wave == [("1", "17 s"), ("2", "1 min 34 s")]


@pytest.mark.parametrize(
    ("wave", "form"), [("9", "none"), ("x" * 999, "<b>"), ("-1", "' OR 1=1"), ("", "")]
)
def test_what_is_no_wave_or_form_is_left_out(
    inside: TestClient, wave: str, form: str
) -> None:
    body = inside.get("/study/main", params={"wave": wave, "form": form}).text
    assert "<dd>wave 2, all forms</dd>" in body


@pytest.mark.usefixtures("filled")
def test_counts_by_command(database: str) -> None:
    def run(*more: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["study", "counts", "-d", database, *more])
        assert result.exit_code == code, result.output
        return result.output

    said = run("--wave", "1", "--form", "brief")
    assert "Pages of wave 1, form brief: 1 begun" in said
    assert re.search(r"Last page +1 +0 +2 s", said)
    assert "Median time of those who finished: 4 s" in said
    assert "Pages of all waves, all forms: 6 begun" in run("--wave", "all")
    assert "Pages of wave 2, all forms: 3 begun" in run()
    assert "there is none. Choose one of 1, 2." in run("--wave", "x", code=1)
    assert "Choose one of whole, brief." in run("--form", "none", code=1)


def test_answers_by_command_are_those_of_the_page(
    inside: TestClient, database: str, tmp_path: Path
) -> None:
    to = tmp_path / "answers.csv"
    command = ["study", "answers", "-d", database, "--to", str(to)]
    result = CliRunner().invoke(main, [*command, "--wave", "2"])
    assert result.exit_code == 0, result.output
    assert "3 rows" in result.output
    body = inside.get("/study/main/answers").text
    csrf = re.findall(r'name="csrf" value="(\w+)"', body)[-1]
    page = inside.post("/study/main/answers", data={"csrf": csrf, "wave": "2"})
    assert page.content.decode("utf-8-sig") == to.read_bytes().decode("utf-8")
    with to.open(encoding="utf-8", newline="") as stream:
        assert [row["wave"] for row in csv.DictReader(stream)] == ["2"] * 3
    assert to.stat().st_mode & 0o777 == 0o600
    none = CliRunner().invoke(main, [*command, "--wave", "9"])
    assert "there is none. Choose one of 1, 2." in none.output
