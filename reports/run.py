"""Run notebooks with parameters: one, or many at a time.

One report's failure, however it fails, never stops another.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Self, TypeAlias

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from pydantic import BaseModel, ConfigDict, ValidationError, field_serializer

from reports import parameters, provenance
from reports.catalog import Case
from reports.engine import ENGINE, Session
from reports.errors import ParameterError
from reports.parameters import Value
from reports.places import ROOT, Scrubber
from reports.provenance import Provenance

NOTEBOOK = "notebook.ipynb"
_RECORD = "run.json"
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_ERROR_MARK = "papermill-error-cell-tag"
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

#: Told of every cell that begins: the case, the cell's number from 1, how many.
Watch: TypeAlias = Callable[[Case, int, int], None]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Failure(_Frozen):
    """Why a report did not come out.

    Attributes
    ----------
    name, message
        Of the exception.
    cell
        Number of the failing cell in the notebook, from 1; None if none was reached.
    traceback
        As printed, without colours; may be empty.
    """

    name: str
    message: str
    cell: int | None = None
    traceback: str = ""

    @property
    def line(self) -> str:
        """Say it on one line."""
        first = self.message.strip().splitlines()[0] if self.message.strip() else ""
        place = f"cell {self.cell}: " if self.cell else ""
        return f"{place}{self.name}: {first}" if first else f"{place}{self.name}"


class Run(_Frozen):
    """One case, executed.

    Attributes
    ----------
    case
        What was asked.
    ok
        Whether every cell ran.
    seconds, startup
        Wall time of the run, and how much of it passed until the kernel answered.
    notebook
        The executed notebook; None when there is nothing to show.
    parameters
        Every parameter with the value it had, the notebook's defaults included.
    provenance
        What it was made from.
    error
        Why it failed, if it did.
    """

    case: Case
    ok: bool
    seconds: float
    startup: float | None
    notebook: Path | None
    parameters: dict[str, Value]
    provenance: Provenance
    error: Failure | None = None

    @field_serializer("notebook")
    def _name_only(self, notebook: Path | None) -> str | None:
        return notebook.name if notebook else None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read what an earlier build recorded in `folder`; None when it did not."""
        try:
            run = cls.model_validate_json((folder / _RECORD).read_text("utf-8"))
        except (OSError, ValidationError):
            return None
        notebook = folder / run.notebook if run.notebook else None
        return run.model_copy(update={"notebook": notebook})


def run(case: Case, build: Path, *, timeout: int | None = None) -> Run:
    """Execute `case`; its outputs go to a folder of its name in `build`.

    Parameters
    ----------
    case
        What to run.
    build
        Folder of all outputs.
    timeout
        Seconds one cell may take; None for any.

    Raises
    ------
    ParameterError
        If the notebook does not declare a parameter or it has another type there;
        before a kernel starts. A notebook that fails is no exception: see `Run.error`.
    """
    return next(run_all([case], build, timeout=timeout))


def run_all(
    cases: Sequence[Case],
    build: Path,
    *,
    jobs: int = 1,
    timeout: int | None = None,
    watch: Watch | None = None,
) -> Generator[Run]:
    """Execute `cases`, `jobs` kernels at a time; yields each as it ends.

    Closing the iterator, or an exception such as the user's interrupt, ends every
    kernel that still runs.

    Raises
    ------
    ParameterError
        As in `run`, for all cases at once.
    """
    _check_all(cases)
    return _run_all(cases, build, jobs, timeout, watch)


def _check_all(cases: Sequence[Case]) -> None:
    faults: list[str] = []
    for case in cases:
        try:
            offered = parameters.declared(case.notebook)
        except (OSError, ValueError, ParameterError):
            continue  # shown on the report's own page
        try:
            parameters.check(case.notebook.name, offered, case.parameters)
        except ParameterError as error:
            faults.append(str(error))
    if faults:
        raise ParameterError("\n".join(dict.fromkeys(faults)))


def _run_all(
    cases: Sequence[Case],
    build: Path,
    jobs: int,
    timeout: int | None,
    watch: Watch | None,
) -> Generator[Run]:
    sessions = [_session(case, timeout, watch) for case in cases]
    with ThreadPoolExecutor(jobs, thread_name_prefix="report") as pool:
        futures: list[Future[Run]] = [
            pool.submit(_run, case, build, session)
            for case, session in zip(cases, sessions, strict=True)
        ]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
            for session in sessions:
                session.stop()


def _session(case: Case, timeout: int | None, watch: Watch | None) -> Session:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        **dict.fromkeys(_ONE_THREAD, "1"),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }

    def on_cell(cell: int, cells: int) -> None:
        if watch:
            watch(case, cell, cells)

    return Session(ROOT, environment, timeout, on_cell)


def _run(case: Case, build: Path, session: Session) -> Run:
    begin = time.perf_counter()
    folder = build.resolve() / case.name
    folder.mkdir(parents=True, exist_ok=True)
    asked = dict(case.parameters)
    try:
        offered = parameters.declared(case.notebook)
        defaults = {name: one.default for name, one in offered.items()}
        asked = {**defaults, **asked}
        stamp = provenance.collect(asked, ROOT)
        error = _execute(case, session)
    except Exception as problem:  # noqa: BLE001 (one report must not stop the others)
        stamp = provenance.collect(asked, ROOT)
        error = Failure(name=type(problem).__name__, message=_said(problem))
    if session.stopped:  # what an earlier build made stays as it was
        raise InterruptedError(case.name)
    scrub = Scrubber(ROOT, [*asked.values(), str(case.notebook)])
    notebook = folder / NOTEBOOK
    notebook.unlink(missing_ok=True)
    if session.notebook is not None:
        _store(session.notebook, notebook, case, scrub)
    done = Run(
        case=_shown(case, scrub),
        ok=error is None,
        seconds=time.perf_counter() - begin,
        startup=session.startup,
        notebook=notebook if session.notebook is not None else None,
        parameters={name: _hide(value, scrub) for name, value in asked.items()},
        provenance=stamp,
        error=_scrubbed(error, scrub),
    )
    (folder / _RECORD).write_text(done.model_dump_json(indent=1), encoding="utf-8")
    return done


def _execute(case: Case, session: Session) -> Failure | None:
    """Run the notebook; what was executed is in the session afterwards."""
    source = nbformat.read(case.notebook, 4)  # type: ignore[no-untyped-call]
    try:
        papermill.execute_notebook(
            source,
            None,
            parameters=case.parameters,
            engine_name=ENGINE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            session=session,
        )
    except PapermillExecutionError as error:
        trace = _ANSI.sub("", "\n".join(error.traceback))
        cell = _position(session.notebook, error.cell_index)
        return Failure(
            name=error.ename, message=error.evalue, cell=cell, traceback=trace
        )
    return None


def _position(notebook: nbformat.NotebookNode | None, index: int) -> int:
    """Count, from 1, in the notebook as its author sees it."""
    before = _authored(notebook)[:index] if notebook else []
    position = index + 1
    return position - sum(_is_injected(cell) for cell in before)


def _authored(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Leave out the marks that papermill adds on an error."""
    marked = (cell.metadata.get("tags", []) for cell in notebook.cells)
    pairs = zip(notebook.cells, marked, strict=True)
    return [cell for cell, tags in pairs if _ERROR_MARK not in tags]


def _is_injected(cell: nbformat.NotebookNode) -> bool:
    return "injected-parameters" in cell.metadata.get("tags", [])


def _store(
    notebook: nbformat.NotebookNode, target: Path, case: Case, scrub: Scrubber
) -> None:
    """Write what was executed, without papermill's marks and the machine's paths."""
    notebook.cells = _authored(notebook)
    told = notebook.metadata.get("papermill", {})
    told.update(input_path=str(case.notebook), output_path=target.name)
    told.pop("environment_variables", None)
    clean = nbformat.from_dict(scrub.tree(notebook))  # type: ignore[no-untyped-call]
    whole = target.with_suffix(".part")
    nbformat.write(clean, whole)  # type: ignore[no-untyped-call]
    whole.replace(target)


def _shown(case: Case, scrub: Scrubber) -> Case:
    hidden = {name: _hide(value, scrub) for name, value in case.parameters.items()}
    notebook = Path(scrub.text(str(case.notebook)))
    title = scrub.text(case.title)
    update = {"parameters": hidden, "notebook": notebook, "title": title}
    return case.model_copy(update=update)


def _hide(value: Value, scrub: Scrubber) -> Value:
    if isinstance(value, list):
        return [scrub.text(one) if isinstance(one, str) else one for one in value]
    return scrub.text(value) if isinstance(value, str) else value


def _said(problem: Exception) -> str:
    if isinstance(problem, FileNotFoundError) and problem.filename:
        return f"{problem.filename}: there is no such file. Check the catalog."
    return str(problem)


def _scrubbed(error: Failure | None, scrub: Scrubber) -> Failure | None:
    if error is None:
        return None
    return error.model_copy(
        update={
            "message": scrub.text(_ANSI.sub("", error.message)),
            "traceback": scrub.text(error.traceback),
        }
    )
