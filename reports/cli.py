"""Command line of the reports: build them, list them."""

from __future__ import annotations

import os
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
from tqdm import tqdm

from reports.catalog import CATALOG, Case, Catalog
from reports.errors import ParameterError, ReportError
from reports.index import write_index
from reports.parameters import declared, show
from reports.places import ROOT, near
from reports.render import FAILED, PAGE, seconds, to_html
from reports.run import Failure, Run, run_all
from survey.errors import InstrumentError
from survey.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

_EACH_CELL = 1800

catalog_option = click.option(
    "--catalog",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=CATALOG,
    show_default="reports/catalog.yaml",
    help="File that says which reports there are.",
)


@click.group()
def main() -> None:
    """Turn notebooks into pages."""


@main.command()
@click.argument("reports", nargs=-1, metavar="[REPORT]...")
@catalog_option
@click.option(
    "--to",
    "build",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "reports" / "_build",
    show_default="reports/_build",
    help="Folder for the pages.",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Goes to every chosen report that declares NAME; see `report list`.",
)
@click.option(
    "--instrument", "-i", metavar="PATH_OR_ID", help="Same as -p instrument=…"
)
@click.option("--data", metavar="FILE", help="Same as -p data=…")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    show_default="number of cores",
    help="How many notebooks run at a time.",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    default=_EACH_CELL,
    show_default=True,
    help="Seconds one cell may take.",
)
def build(
    reports: tuple[str, ...],
    path: Path,
    build: Path,
    parameters: tuple[str, ...],
    instrument: str | None,
    data: str | None,
    jobs: int | None,
    timeout: int,
) -> None:
    """Run notebooks and make a page of each, and an index of all.

    Without REPORT all of the catalog are built. One report's failure does not stop the
    others; the command then ends with code 1.
    """
    given = _given(parameters, instrument, data)
    try:
        catalog = Catalog.load(path)
        cases = catalog.cases(reports, given)
        everything = catalog.cases() if reports or given else cases
        _read_instruments(cases)
    except (ReportError, InstrumentError) as error:
        raise click.UsageError(str(error)) from error
    jobs = min(jobs or _cores(), len(cases))
    done = {run.case.name: run for run in _build_all(cases, build, jobs, timeout)}
    index = _index(done, [case.name for case in (*everything, *cases)], build)
    _close([done[case.name] for case in cases], build, index)


def _read_instruments(cases: Sequence[Case]) -> None:
    """Refuse an instrument that cannot be read before a kernel starts."""
    named = [case.parameters.get("instrument") for case in cases]
    for source in dict.fromkeys(named):
        if isinstance(source, str):
            Instrument.load(source)


@main.command(name="list")
@catalog_option
def list_(path: Path) -> None:
    """Show the reports, what they answer and what they can be asked."""
    try:
        catalog = Catalog.load(path)
    except ReportError as error:
        raise click.UsageError(str(error)) from error
    for name, report in catalog.reports.items():
        click.echo(f"{name}  {report.title}")
        click.echo(textwrap.indent(textwrap.fill(report.question, 80), "    "))
        click.echo("\n".join(_parameter_lines(catalog, name)))


def _parameter_lines(catalog: Catalog, name: str) -> list[str]:
    notebook, report = catalog.notebook(name), catalog.reports[name]
    try:
        offered = declared(notebook)
    except (OSError, ValueError, ParameterError) as error:
        fault = error if isinstance(error, ParameterError) else "no such notebook"
        return [f"    ({notebook.name}: {fault})", ""]
    chosen = {**catalog.defaults, **report.parameters}
    lines = []
    for one in offered.values():
        values = report.grid.get(one.name, (chosen.get(one.name, one.default),))
        told = " | ".join(show(value) for value in values)
        lines.append(
            f"    -p {one.name}={told}" + (f"   {one.help}" if one.help else "")
        )
    return [*lines, ""]


def _given(
    parameters: Sequence[str], instrument: str | None, data: str | None
) -> dict[str, str]:
    pairs = [("instrument", instrument), ("data", data)]
    given = {name: value for name, value in pairs if value is not None}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint="-p")
        if name.strip() in given:
            raise click.BadParameter(f"{name!r} is given twice.", param_hint="-p")
        given[name.strip()] = value
    if data is not None and not any((base / data).exists() for base in (Path(), ROOT)):
        raise click.BadParameter(
            f"{data}: there is no such file. Check the path.", param_hint="--data"
        )
    return given


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _build_all(
    cases: Sequence[Case], build: Path, jobs: int, timeout: int
) -> list[Run]:
    word = "report" if len(cases) == 1 else "reports"
    click.echo(f"Building {len(cases)} {word}, {jobs} at a time")
    done: list[Run] = []
    progress = _Progress(cases)
    runs = run_all(cases, build, jobs=jobs, timeout=timeout, watch=progress.cell)
    with progress, closing(runs):
        for run in runs:
            finished = _rendered(run, build)
            progress.report(finished)
            done.append(finished)
    return done


def _index(done: Mapping[str, Run], names: Sequence[str], build: Path) -> Path:
    """List what was built now and what still stands from earlier, in `names`' order."""
    runs = {name: done.get(name) or Run.read(build / name) for name in names}
    listed = [run for run in runs.values() if run is not None]
    return write_index(listed, build, earlier=set(runs) - set(done))


def _rendered(run: Run, build: Path) -> Run:
    """Make the page; a run whose page cannot be made has failed."""
    try:
        to_html(run, build)
    except Exception as problem:  # noqa: BLE001 (one page must not stop the others)
        error = Failure(name=type(problem).__name__, message=str(problem))
        return run.model_copy(update={"ok": False, "error": run.error or error})
    return run


class _Progress:
    """A bar on a terminal, and one line a report everywhere."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._width = max(len(case.name) for case in cases)
        self._now: dict[str, str] = {}
        self._bar = tqdm(
            total=len(cases),
            disable=None,
            file=sys.stderr,
            unit="report",
            leave=False,
            bar_format="{n_fmt}/{total_fmt} |{bar:24}| {elapsed}{postfix}",
            dynamic_ncols=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def cell(self, case: Case, cell: int, cells: int) -> None:
        """Show where a notebook stands; called from its thread."""
        self._now[case.name] = f"{case.name} {cell}/{cells}"
        self._tell()

    def report(self, run: Run) -> None:
        """Say how a report ended."""
        self._now.pop(run.case.name, None)
        status = "ok    " if run.ok else "FAILED"
        line = f"  {status}  {run.case.name:<{self._width}}  {seconds(run.seconds):>8}"
        if run.error:
            line += f"  {run.error.line}"
        with tqdm.external_write_mode(file=sys.stdout):
            click.echo(line)
        self._bar.update()
        self._tell()

    def _tell(self) -> None:
        self._bar.set_postfix_str(", ".join(list(self._now.values())))


def _close(done: Sequence[Run], build: Path, index: Path) -> None:
    failed = [run for run in done if not run.ok]
    if failed:
        click.echo(f"{len(failed)} of {len(done)} reports failed:")
        for run in failed:
            page = near(build / run.case.name / PAGE)
            click.echo(f"  {run.case.name}: {run.error.line if run.error else ''}")
            click.echo(f"    see {page}#{FAILED}")
    else:
        click.echo(f"All {len(done)} reports built." if len(done) > 1 else "Built.")
    click.echo(f"Open {near(index)}")
    if failed:
        raise SystemExit(1)
