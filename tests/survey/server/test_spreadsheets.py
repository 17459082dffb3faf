"""No spreadsheet runs what people wrote: cells and headers of every table written."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from survey.cli import main
from survey.server.admin import accounts, invitations, spreadsheet
from survey.server.admin.app import create_admin
from survey.store import answers, people, studies
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.store.studies import Settings
from survey.store.versions import require_current

if TYPE_CHECKING:
    from pathlib import Path

    from survey.instrument import Instrument

#: What a spreadsheet takes for a formula, by its first sign.
FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(A1)",
    '=HYPERLINK("http://evil.example";"x")',
    "=cmd|' /C calc'!A0",
)
#: What stays as it is.
PLAIN = ("-5", "+5", "-0.5", "a=b", "'", "", '"', "1;2", "a\nb")
PAGES = ("/answers", "/links")
COMMANDS = (
    ("invite", "people", "-n", "1"),
    ("invite", "couples", "-n", "1"),
    ("invite", "list"),
    ("invite", "reminders", "--wave", "1"),
    ("study", "answers"),
)


def evil(*_: object, **__: object) -> pd.DataFrame:
    """Make a table whose every name and cell is a formula."""
    frame = pd.DataFrame([FORMULAS], columns=list(FORMULAS), index=[FORMULAS[0]])
    return frame.rename_axis(FORMULAS[1])


@pytest.fixture
def path(tmp_path: Path, walk: Instrument, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "survey.db"
    engine = connect(place)
    require_current(engine)
    key = key_for(place, make=True)
    with writing(engine) as connection:
        study = studies.begin(connection, "main", walk, Settings(), key)
        people.invite(connection, study, key, people=1)
        accounts.add(connection, "ada", "correct horse battery")
    engine.dispose()
    monkeypatch.setattr(answers, "table", evil)
    monkeypatch.setattr(invitations, "table", evil)
    return place


def require_harmless(text: str) -> None:
    """See that nothing in a table begins as a formula does, and nothing is lost."""
    rows = list(csv.reader(StringIO(text, newline="")))
    assert len(rows) == 2
    for row in rows:
        assert not {cell[:1] for cell in row} & {one[0] for one in FORMULAS}
        marked = {cell.removeprefix(spreadsheet.MARK) for cell in row}
        assert marked >= set(FORMULAS)


@pytest.mark.parametrize("page", PAGES)
def test_tables_of_the_pages(path: Path, page: str) -> None:
    engine = connect(path)
    with TestClient(create_admin(path)) as client:
        with writing(engine) as connection:
            client.cookies.set("admin", accounts.log_in(connection, "ada"))
        body = client.get("/study/main/invitations").text
        csrf = re.findall(r'name="csrf" value="(\w+)"', body)[-1]
        answer = client.post(f"/study/main{page}", data={"csrf": csrf})
    engine.dispose()
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    require_harmless(answer.content.decode("utf-8-sig"))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_tables_of_the_commands(
    path: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    to = tmp_path / "table.csv"
    result = CliRunner().invoke(main, [*command, "-d", str(path), "--to", str(to)])
    assert result.exit_code == 0, result.output
    require_harmless(to.read_bytes().decode())


def test_every_command_that_writes_a_table_is_tried() -> None:
    """A new option ``--to`` of these groups is a new table."""
    found = set()
    for name in ("invite", "study", "wave", "admin", "db"):
        group = main.commands[name].make_context(
            name, ["--help"], resilient_parsing=True
        )
        for word, one in getattr(group.command, "commands", {}).items():
            if any(option.name == "to" for option in one.params):
                found.add((name, word))
    # Cards are a page; a backup is no table.
    assert found - {("invite", "cards"), ("db", "backup")} == {c[:2] for c in COMMANDS}


@pytest.mark.parametrize("cell", FORMULAS)
def test_formulas_are_marked(cell: str) -> None:
    assert spreadsheet.safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", PLAIN)
def test_what_is_no_formula_stays(cell: str) -> None:
    assert spreadsheet.safe(cell) == cell
    frame = pd.DataFrame({"a": [cell]}, index=pd.Index(["r"], name="respondent"))
    rows = list(csv.reader(StringIO(spreadsheet.text(frame), newline="")))
    assert rows == [["respondent", "a"], ["r", cell]]
