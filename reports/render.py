"""Turn an executed notebook into a page: one file, no script, no outside request."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.outputs import Block, Outline, blocks, code, markdown
from reports.parameters import show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nbformat import NotebookNode

    from reports.run import Run

PAGE = "index.html"
#: Where the page of a failed report shows what went wrong.
FAILED = "failed-cell"


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one cell gives the page, with the code that led there."""

    code: tuple[Block, ...]
    shown: tuple[Block, ...]
    failed: bool = False
    ran: bool = True


def to_html(run: Run, build: Path) -> Path:
    """Write the page of `run` into its folder in `build`.

    Code is folded away and can be opened without scripts; a failing cell is shown with
    its code and traceback.
    """
    outline = Outline()
    cells: tuple[_Cell, ...] = ()
    if run.notebook is not None:
        notebook = nbformat.read(run.notebook, 4)  # type: ignore[no-untyped-call]
        outline.shift = _shift(notebook)
        cells = tuple(_cells(notebook, outline))
    page = build / run.case.name / PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    write(
        page,
        "page.html",
        run=run,
        cells=cells,
        question=_question(run, cells),
        contents=[one for one in outline.entries if one[0] == 2],  # noqa: PLR2004
        failed=FAILED,
        anchored=any(cell.failed for cell in cells),
    )
    return page


def write(page: Path, template: str, **values: object) -> None:
    """Fill `template` and put it at `page` in one step."""
    environment = _environment()
    css = environment.get_template("style.css").render()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = environment.get_template(template).render(
        css=Markup(css),  # noqa: S704 (our own file)
        policy=policy,
        **values,
    )
    whole = page.with_suffix(".part")
    whole.write_text(text, encoding="utf-8")
    whole.replace(page)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["show"] = show
    environment.filters["seconds"] = seconds
    environment.filters["moment"] = moment
    return environment


def seconds(value: float) -> str:
    """Spell a duration: ``4.1 s``, ``2 min 5 s``."""
    whole = round(value)
    if whole < 60:  # noqa: PLR2004
        return f"{value:.1f} s"
    return f"{whole // 60} min {whole % 60} s"


def moment(value: str) -> str:
    """Spell an ISO time in UTC for readers: ``2026-11-23 05:12 UTC``."""
    return f"{value[:10]} {value[11:16]} UTC"


def _shift(notebook: NotebookNode) -> int:
    """One if the notebook uses its title's level for sections too."""
    texts = (c.source for c in notebook.cells if c.cell_type == "markdown")
    tops = sum(len(re.findall(r"^# ", text, re.MULTILINE)) for text in texts)
    return 1 if tops > 1 else 0


def _cells(notebook: NotebookNode, outline: Outline) -> Iterator[_Cell]:
    """Go through the cells; code that shows nothing joins what follows it."""
    silent: list[Block] = []
    ran = True
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if silent:
                yield _Cell(tuple(silent), (), ran=ran)
                silent = []
            html = markdown(cell.source, outline, cell.get("attachments"))
            if html.strip():
                yield _Cell((), (Block("prose", html=html),))
        elif cell.cell_type == "code" and cell.source.strip():
            shown = tuple(blocks(cell.outputs, outline))
            silent.append(code(cell.source))
            if shown:
                failed = any(block.kind == "error" for block in shown)
                yield _Cell(tuple(silent), shown, failed, ran)
                silent, ran = [], ran and not failed
    if silent:
        yield _Cell(tuple(silent), (), ran=ran)


def _question(run: Run, cells: tuple[_Cell, ...]) -> str:
    """Give the catalog's question, unless the notebook opens with it."""
    opening = cells[0].shown[0].html.striptags() if cells and cells[0].shown else ""
    asked = " ".join(run.case.question.split())
    return "" if asked in " ".join(opening.split()) else asked
