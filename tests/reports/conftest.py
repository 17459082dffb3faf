"""Tiny notebooks and catalogs, made where a test needs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from reports.catalog import Case

if TYPE_CHECKING:
    from reports.parameters import Value

PARAMETERS = """\
school = "all"  # "all", or the name of a school
n = 3  # how many
level = 0.95  # confidence
robust = True  # robust standard errors
"""

MakeNotebook = Callable[..., Path]
MakeCase = Callable[..., Case]


@pytest.fixture
def notebook(tmp_path: Path) -> MakeNotebook:
    """Write a notebook of code cells; texts that begin with ``md:`` are Markdown."""

    def make(*cells: str, name: str = "tiny", parameters: str = PARAMETERS) -> Path:
        tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
        rest = [
            new_markdown_cell(one.removeprefix("md:"))
            if one.startswith("md:")
            else new_code_cell(one)
            for one in cells
        ]
        opening = new_markdown_cell("# Tiny\n\nWhat is the answer?")
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=[opening, tagged, *rest]), path)
        return path

    return make


@pytest.fixture
def case(notebook: MakeNotebook) -> MakeCase:
    """Make a case of a new notebook."""

    def make(
        *cells: str,
        name: str = "tiny",
        parameters: str = PARAMETERS,
        asked: dict[str, Value] | None = None,
    ) -> Case:
        return Case(
            report=name,
            notebook=notebook(*cells, name=name, parameters=parameters),
            parameters=asked or {},
            name=name,
            title=name.title(),
            question="What is asked?",
        )

    return make
