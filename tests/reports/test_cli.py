from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reports.cli import main

CATALOG = """\
defaults: {n: 2}
reports:
  good:
    notebook: good.ipynb
    title: Good
    question: Does it run?
    grid: {school: [a, "b/c"]}
  bad:
    notebook: bad.ipynb
    title: Bad
    question: Does it fail?
"""


@pytest.fixture
def call(
    notebook: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    notebook("n * 100", name="good")
    notebook("1 / 0", name="bad")
    (tmp_path / "catalog.yaml").write_text(CATALOG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def call(command: str, *words: str) -> Result:
        options = ["--catalog", "catalog.yaml"]
        if command == "build":
            options += ["--to", "out", "--jobs", "2"]
        return CliRunner().invoke(main, [command, *words, *options])

    return call


def test_all_reports_come_out_though_one_fails(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    done = call("build")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "Building 3 reports, 2 at a time"
    assert sum(line.startswith("  ok ") and " s" in line for line in lines) == 2
    assert "1 of 3 reports failed:" in lines
    assert "  bad: cell 3: ZeroDivisionError: division by zero" in lines
    assert "    see out/bad/index.html#failed-cell" in lines
    assert lines[-1] == "Open out/index.html"
    index = (tmp_path / "out" / "index.html").read_text("utf-8")
    for page in sorted((tmp_path / "out").glob("*/index.html")):
        assert f'href="{page.parent.name}/index.html"' in index
    assert index.index("Good (school: a)") < index.index(">Bad<")
    assert done.stderr == ""


def test_one_report_is_built_and_the_others_stay(
    call: Callable[..., Result], tmp_path: Path
) -> None:
    call("build", "bad")
    done = call("build", "good", "-p", "school=x", "-p", "n=7")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == ["Built.", "Open out/index.html"]
    assert "700" in (tmp_path / "out" / "good" / "index.html").read_text("utf-8")
    index = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "From an earlier build" in index
    assert ">Bad<" in index


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "shool=x"], "no parameter 'shool'"),
        (["-p", "n=many"], "n: 'many' is not a whole number"),
        (["-p", "n"], "'n' is not NAME=VALUE"),
        (["-p", "n=1", "-p", "n=2"], "'n' is given twice"),
        (["goood"], "Did you mean 'good'?"),
        (["--data", "none.csv"], "none.csv: there is no such file"),
        (["--instrument", "x"], "no parameter 'instrument'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(
    call: Callable[..., Result], tmp_path: Path, words: list[str], message: str
) -> None:
    done = call("build", *words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_list_names_parameters_with_value_and_help(
    call: Callable[..., Result],
) -> None:
    done = call("list")
    assert done.exit_code == 0
    assert "good  Good" in done.stdout
    assert "Does it run?" in done.stdout
    assert '-p school=a | b/c   "all", or the name of a school' in done.stdout
    assert "-p n=2   how many" in done.stdout


def test_our_own_list_needs_nothing() -> None:
    done = CliRunner().invoke(main, ["list"])
    assert done.exit_code == 0
    assert "10_claims" in done.stdout


def test_a_broken_catalog_is_a_message(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("reports: [\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["list", "--catalog", str(path)])
    assert done.exit_code == 2
    assert "not readable as YAML" in done.stderr
