import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.catalog import Catalog
from reports.errors import CatalogError, ParameterError
from reports.places import ROOT

REPORT = """\
reports:
  tiny:
    notebook: tiny.ipynb
    title: Tiny
    question: What is it?
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "catalog.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_our_own_catalog_is_readable() -> None:
    catalog = Catalog.load()
    assert "10_claims" in catalog.reports
    assert catalog.notebook("10_claims") == ROOT / "notebooks" / "10_claims.ipynb"
    assert [case.report for case in catalog.cases()] == list(catalog.reports)


def test_a_report_without_grid_is_one_case(
    notebook: Callable[..., Path], tmp_path: Path
) -> None:
    path = notebook()
    (case,) = Catalog.load(write(tmp_path, REPORT)).cases()
    assert (case.name, case.title, case.question) == ("tiny", "Tiny", "What is it?")
    assert (case.notebook, case.parameters) == (path, {})


def test_defaults_go_where_they_are_declared(
    notebook: Callable[..., Path], tmp_path: Path
) -> None:
    notebook()
    notebook(name="other", parameters="seed = 1")
    text = "defaults: {seed: 7, n: 5}\n" + REPORT
    text += "  other: {notebook: other.ipynb, title: Other, question: Why?}\n"
    first, second = Catalog.load(write(tmp_path, text)).cases()
    assert first.parameters == {"n": 5}
    assert second.parameters == {"seed": 7}


def test_a_grid_is_every_combination_in_safe_unique_folders(
    notebook: Callable[..., Path], tmp_path: Path
) -> None:
    notebook()
    schools = ["all", "All", "a/b", "a b", "a,b", "..", "../../x", "", "é", "x" * 300]
    listed = ", ".join(f'"{one}"' for one in schools)
    text = REPORT + f"    grid: {{school: [{listed}], robust: [true, false]}}\n"
    cases = Catalog.load(write(tmp_path, text)).cases()
    names = [case.name for case in cases]
    assert len({name.lower() for name in names}) == len(names) == 2 * len(schools)
    assert all(re.fullmatch(r"tiny[a-z0-9_-]{0,120}", name) for name in names)
    assert cases[0].name == "tiny-all-true"
    assert cases[0].title == "Tiny (school: all, robust: true)"
    assert cases[1].parameters == {"school": "all", "robust": False}


def test_the_command_line_goes_before_the_catalog(
    notebook: Callable[..., Path], tmp_path: Path
) -> None:
    notebook()
    text = REPORT + "    parameters: {n: 4}\n    grid: {school: [a, b]}\n"
    catalog = Catalog.load(write(tmp_path, text))
    (case,) = catalog.cases(given={"school": "c", "n": "9"})
    assert (case.name, case.parameters) == ("tiny", {"n": 9, "school": "c"})


def test_paths_lead_from_the_folder_they_were_written_in(
    notebook: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook(parameters='data = "data/sample/responses.csv"')
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mine.csv").touch()
    catalog = Catalog.load(write(tmp_path, REPORT))
    monkeypatch.chdir(tmp_path / "here")
    (case,) = catalog.cases(given={"data": "mine.csv"})
    mine = (ROOT / str(case.parameters["data"])).resolve()
    assert mine == (tmp_path / "here" / "mine.csv").resolve()
    monkeypatch.chdir(ROOT / "tests")
    (case,) = catalog.cases(given={"data": "reports/test_catalog.py"})
    assert case.parameters == {"data": "tests/reports/test_catalog.py"}
    (case,) = catalog.cases(given={"data": "nowhere.csv"})
    assert case.parameters == {"data": "nowhere.csv"}


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("    parameters: {shool: x}\n", "no parameter 'shool'.*Did you mean 'school'"),
        ("    parameters: {n: x}\n", 'n: "x" is not a whole number'),
        ("    grid: {robust: [true, 1]}\n", "robust: 1 is not true or false"),
        ("    grid: {n: [1, 1]}\n", "the grid holds 'Tiny .n: 1.' twice"),
        ("    grid: {level: [1, 1.0]}\n", "twice"),
        ("    grid: {n: [1]}\n    parameters: {n: 2}\n", "stand in grid and in param"),
        ("defaults: {sed: 1}\n", "catalog.yaml: defaults: no parameter 'sed'"),
    ],
)
def test_what_no_notebook_offers_is_refused(
    notebook: Callable[..., Path], tmp_path: Path, added: str, message: str
) -> None:
    notebook()
    catalog = Catalog.load(write(tmp_path, REPORT + added))
    with pytest.raises(ParameterError, match=message):
        catalog.cases()


def test_a_mistyped_name_on_the_command_line_is_refused(
    notebook: Callable[..., Path], tmp_path: Path
) -> None:
    notebook()
    catalog = Catalog.load(write(tmp_path, REPORT))
    with pytest.raises(ParameterError, match=r"command line: .*Did you mean 'school'"):
        catalog.cases(given={"shool": "x"})
    with pytest.raises(ParameterError, match="n: 'x' is not a whole number"):
        catalog.cases(given={"n": "x"})
    with pytest.raises(CatalogError, match=r"no report 'tinny'.*Did you mean 'tiny'"):
        catalog.cases(["tinny"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "catalog.yaml: .*"),
        ("reports: {}\n", "line 1: reports: is empty"),
        ("reports:\n\ttiny: 1\n", "line 2, column 1: not readable as YAML"),
        (REPORT + REPORT, "line 6.*: not readable as YAML"),
        (
            REPORT + "    titel: x\n",
            r"line 6: reports.tiny.titel: unknown key. Did you",
        ),
        (
            "reports:\n  a: {title: x}\n",
            "line 2: reports.a.question: the key 'question",
        ),
        ("reports:\n  A b: {title: x, question: y}\n", "not a report id"),
        (REPORT + "    grid: {n: []}\n", "line 6: reports.tiny.grid.n: is empty"),
        (REPORT + "    grid: {n: 3}\n", "line 6: reports.tiny.grid.n: 3 does not fit"),
        (
            REPORT + "    parameters: {d: 2024-01-01}\n",
            "line 6: .*parameters.d: .*Quote",
        ),
    ],
)
def test_faults_of_the_file_say_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        Catalog.load(write(tmp_path, text))


def test_a_missing_or_binary_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="cannot be read"):
        Catalog.load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(CatalogError, match="not UTF-8"):
        Catalog.load(tmp_path / "bad.yaml")


def test_a_missing_notebook_is_left_to_its_run(tmp_path: Path) -> None:
    (case,) = Catalog.load(write(tmp_path, REPORT)).cases(given={"n": "1"})
    assert case.parameters == {}
