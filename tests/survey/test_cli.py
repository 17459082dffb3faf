"""The survey's commands: what they print, write and exit with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from survey.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.fixture
def small_file(tmp_path: Path, small_text: str) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(small_text, encoding="utf-8")
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text(
        "respondent,rs1,rs2,rs3,age\na,5,1,4,30\nb,7,5,2,41\nc,3,3,3,25\n",
        encoding="utf-8",
    )
    return path


def test_check_describes_a_good_instrument() -> None:
    result = run("check", "pushing_away")
    assert result.exit_code == 0
    assert result.output.startswith("pushing_away 1.0.0: ")
    assert result.output.endswith("No fault found.\n")


def test_check_lists_every_fault(small_file: Path, small_text: str) -> None:
    broken = small_text.replace('"1.0.0"', "1.0").replace("[rs2]", "[rs9]")
    small_file.write_text(broken, encoding="utf-8")
    result = run("check", small_file)
    assert result.exit_code == 1
    assert "small.yaml: line 2: version: " in result.output
    assert "small.yaml: line 29: scales[rs].reversed: " in result.output
    assert "2 faults found." in result.output


@pytest.mark.parametrize("content", [b"", b"- a\n", b"\tx: 1\n", b"\xff\xfe\x00a"])
def test_check_of_what_is_no_instrument(small_file: Path, content: bytes) -> None:
    small_file.write_bytes(content)
    assert run("check", small_file).exit_code == 1


def test_check_of_nothing() -> None:
    result = run("check", "no_such_thing")
    assert result.exit_code == 1
    assert "no_such_thing" in result.output


def test_diff(small_file: Path, tmp_path: Path, small_text: str) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(small_text.replace("minimum: 18", "minimum: 16"), encoding="utf-8")
    result = run("diff", small_file, other)
    assert result.exit_code == 0
    assert "breaking  items[age].minimum: 18.0 -> 16.0" in result.output
    assert "Gravest: breaking." in result.output
    assert "need a new major version" in result.output
    assert "Nothing differs" in run("diff", small_file, small_file).output


def test_simulate_writes_answers_truth_and_manifest(
    small_file: Path, tmp_path: Path
) -> None:
    to = tmp_path / "made" / "answers.csv"
    result = run("simulate", small_file, "-n", 30, "--seed", 4, "--to", to)
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(to)) == 30
    truth = json.loads(to.with_suffix(".truth.json").read_text(encoding="utf-8"))
    assert set(truth) == {"population", "paths", "items"}
    manifest = (to.parent / "manifest.yaml").read_text(encoding="utf-8")
    assert "synthetic: true" in manifest
    assert "nobody gave these answers" in manifest
    before = to.read_bytes()
    run("simulate", small_file, "-n", 30, "--seed", 4, "--to", to)
    assert to.read_bytes() == before


@pytest.mark.parametrize("extra", [["-n", "0"], ["--waves", "0"], ["--form", "none"]])
def test_simulate_refuses(small_file: Path, tmp_path: Path, extra: list[str]) -> None:
    to = tmp_path / "x.csv"
    result = run("simulate", small_file, "--seed", 1, "--to", to, *extra)
    assert result.exit_code == 1
    assert result.output.startswith("Error: simulate: ")
    assert not to.exists()


def test_validate_and_strict(small_file: Path, answers: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    result = run("validate", answers, "-i", small_file, "--to", to)
    assert result.exit_code == 0, result.output
    assert "2 of 3 responses valid, 1 in quarantine" in result.output
    assert "rs1: code not in 1..5 (1)" in result.output
    names = {"responses.parquet", "quarantine.csv", "failures.csv", "report.md"}
    assert names <= {path.name for path in to.iterdir()}
    strict = run("validate", answers, "-i", small_file, "--to", to, "--strict")
    assert strict.exit_code == 1
    answers.write_text("respondent,rs1,rs2,rs3,age\na,5,1,4,30\n", encoding="utf-8")
    clean = run("validate", answers, "-i", small_file, "--to", to, "--strict")
    assert clean.exit_code == 0, clean.output


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"respondent,rs1,rs2,rs3,age\n",
        b"respondent,rs1\na,1\n",
        b"respondent,rs1,rs1,rs2,rs3,age\na,1,1,1,1,30\n",
        bytes(range(256)) * 40,
    ],
    ids=["empty", "header only", "columns missing", "column twice", "binary"],
)
def test_validate_of_what_cannot_be_read(
    small_file: Path, answers: Path, tmp_path: Path, content: bytes
) -> None:
    answers.write_bytes(content)
    result = run("validate", answers, "-i", small_file, "--to", tmp_path / "out")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


def test_import_archives_then_validates(
    small_file: Path, answers: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    result = run("import", answers, "-i", small_file, "--data", data, "--wave", "w1")
    assert result.exit_code == 0, result.output
    kept = data / "raw" / "w1-tabular" / "answers.csv"
    assert kept.read_bytes() == answers.read_bytes()
    assert (data / "validated" / "w1" / "responses.parquet").is_file()
    assert (data / "quarantine" / "w1" / "report.md").is_file()
    answers.write_text("respondent,rs1,rs2,rs3,age\nz,1,1,1,30\n", encoding="utf-8")
    again = run("import", answers, "-i", small_file, "--data", data, "--wave", "w1")
    assert again.exit_code == 1
    assert "never replaced" in again.output


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    assert run("validate", tmp_path / "none.csv").exit_code == 2


def test_codebook_and_export(small_file: Path, tmp_path: Path) -> None:
    book = run("codebook", small_file, "--to", tmp_path / "book")
    assert book.exit_code == 0, book.output
    assert {".html", ".md", ".csv"} <= {
        path.suffix for path in (tmp_path / "book").iterdir()
    }
    form = run("export", "xlsform", small_file, "--to", tmp_path / "form")
    assert form.exit_code == 0, form.output
    assert list((tmp_path / "form").glob("*.xlsx"))


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(main.commands[command].get_short_help_str()) > 20
