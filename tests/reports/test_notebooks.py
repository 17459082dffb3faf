"""Every notebook is thin, clean, parameterised and runs."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from reports.catalog import Case, Catalog
from reports.parameters import declared
from reports.places import ROOT
from reports.render import to_html
from reports.run import run

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CASES = [case for case in Catalog.load().cases() if case.notebook.is_file()]
#: Code cells; text between them is welcome.
MAX_CELLS = 15
#: On two cores; a notebook that takes longer belongs into pieces or the package.
MAX_SECONDS = 60

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells_of(path: Path) -> list[NotebookNode]:
    return list(nbformat.read(path, as_version=4).cells)


def code_of(path: Path) -> list[NotebookNode]:
    return [cell for cell in cells_of(path) if cell.cell_type == "code"]


@each_notebook
def test_opens_with_its_question_and_parameters(path: Path) -> None:
    first, second = cells_of(path)[:2]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "?" in first.source
    assert second.metadata.get("tags") == ["parameters"]
    parameters = declared(path)
    assert parameters
    bare = [one.name for one in parameters.values() if not one.help]
    assert not bare, f"say behind each of {bare} what it is for"


@each_notebook
def test_is_thin(path: Path) -> None:
    assert len(code_of(path)) < MAX_CELLS
    tree = ast.parse("\n".join(cell.source for cell in code_of(path)))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, kinds)]
    assert not found, "move functions to analysis/"


@each_notebook
def test_is_stored_without_outputs(path: Path) -> None:
    code = code_of(path)
    assert not any(cell.outputs or cell.execution_count for cell in code)
    metadata = nbformat.read(path, as_version=4).metadata
    assert "papermill" not in metadata
    assert "widgets" not in metadata


@each_notebook
def test_is_in_the_catalog(path: Path) -> None:
    catalog = Catalog.load()
    assert path in {catalog.notebook(report) for report in catalog.reports}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_report_comes_out(case: Case, tmp_path: Path) -> None:
    done = run(case, tmp_path)
    assert done.error is None, done.error.traceback
    assert done.seconds < MAX_SECONDS
    assert done.provenance.warnings == ()
    page = to_html(done, tmp_path).read_text("utf-8")
    assert "Warning from this step" not in page
    assert str(ROOT) not in page
    assert 'alt="Figure"' not in page
