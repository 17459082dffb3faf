"""One kernel for one notebook, as a papermill engine.

Unlike papermill's own engine it starts *this* Python in a given folder and environment,
talks to it through files instead of TCP ports (parallel kernels otherwise race for
them), writes a dead kernel or a timeout into the cell where it happened, and can be
stopped from another thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.engines import Engine, papermill_engines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbformat import NotebookNode
    from papermill.engines import NotebookExecutionManager

ENGINE = "pushaway"
#: A Unix socket's path has room for 104 to 108 bytes; the port's number follows.
_LONGEST_SOCKET = 96
_LOG = logging.getLogger("reports.engine")
_LOG.setLevel(logging.CRITICAL)  # a failing cell is reported on its page


@dataclass(slots=True, eq=False)
class Session:
    """One run of a notebook, seen from outside the kernel.

    Attributes
    ----------
    folder
        Where the kernel runs.
    environment
        Its environment variables.
    timeout
        Seconds a cell may take; None for any.
    on_cell
        Called before every cell with its number, from 1, and how many there are.
    notebook
        What was executed so far, once it began.
    startup
        Seconds until the kernel answered.
    """

    folder: Path
    environment: Mapping[str, str]
    timeout: int | None = None
    on_cell: Callable[[int, int], None] | None = None
    notebook: NotebookNode | None = None
    startup: float | None = None
    _stopped: bool = field(default=False, init=False)
    _process: int | None = field(default=None, init=False)

    @property
    def stopped(self) -> bool:
        """Whether somebody asked for the end."""
        return self._stopped

    def started(self, process: int | None) -> None:
        """Note which process the kernel is; end it if it was stopped meanwhile."""
        self._process = process
        if self._stopped:
            self.stop()

    def ended(self) -> None:
        """Note that the kernel is gone, so that its number is not ours any more."""
        self._process = None

    def stop(self) -> None:
        """End the kernel and everything it started; safe from any thread."""
        self._stopped = True
        if self._process is None:
            return
        try:
            if hasattr(os, "killpg"):
                os.killpg(self._process, signal.SIGKILL)
            else:
                os.kill(self._process, signal.SIGTERM)
        except ProcessLookupError:
            return  # it has ended by itself


class _ThisPython(KernelSpecManager):
    """Knows one kernel: the Python that runs us, whatever the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


class _Client(NotebookClient):
    """A client whose kernel is reached through files in a folder of its own."""

    session: Session
    scratch: Path

    def create_kernel_manager(self) -> AsyncKernelManager:
        socket = self.scratch / "k"
        ipc = sys.platform != "win32" and len(str(socket)) < _LONGEST_SOCKET
        where = {"transport": "ipc", "ip": str(socket)} if ipc else {}
        manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=_ThisPython(),
            connection_file=str(self.scratch / "kernel.json"),
            **where,
        )
        self.km = manager
        return manager

    async def async_start_new_kernel(self, **kwargs: object) -> None:
        await super().async_start_new_kernel(**kwargs)
        provisioner = self.km.provisioner if self.km else None
        self.session.started(getattr(provisioner, "pid", None))


class HouseEngine(Engine):  # type: ignore[misc]
    """Runs a notebook in a kernel of its own, as its `Session` says."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,  # noqa: ARG003 (papermill's signature)
        *,
        session: Session,
        start_timeout: int = 60,
        **_: object,
    ) -> None:
        """Run every cell until one fails; papermill's signature."""
        session.notebook = nb_man.nb
        scratch = Path(tempfile.mkdtemp(prefix="pushaway-"))
        try:
            asyncio.run(_execute(nb_man, session, scratch, start_timeout))
        finally:
            session.ended()
            shutil.rmtree(scratch, ignore_errors=True)


async def _execute(
    nb_man: NotebookExecutionManager,
    session: Session,
    scratch: Path,
    start_timeout: int,
) -> None:
    client = _Client(
        nb_man.nb,
        timeout=session.timeout,
        startup_timeout=start_timeout,
        shutdown_kernel="immediate",
        log=_LOG,
    )
    client.session, client.scratch = session, scratch
    environment = {**session.environment, "IPYTHONDIR": str(scratch / "ipython")}
    begin = time.perf_counter()
    async with client.async_setup_kernel(cwd=str(session.folder), env=environment):
        session.startup = time.perf_counter() - begin
        for index, cell in enumerate(nb_man.nb.cells):
            if session.on_cell:
                session.on_cell(index + 1, len(nb_man.nb.cells))
            nb_man.cell_start(cell, index)
            try:
                await client.async_execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                _note(cell, error, session)
                nb_man.cell_exception(cell, cell_index=index, exception=error)
                break
            finally:
                nb_man.cell_complete(cell, cell_index=index)


def _note(cell: NotebookNode, error: Exception, session: Session) -> None:
    """Write into the cell what it did not get to say itself."""
    if isinstance(error, CellExecutionError):
        return
    if isinstance(error, CellTimeoutError):
        said = (
            f"The cell took longer than {session.timeout} s. Make it faster, or "
            "allow more time with --timeout."
        )
    else:
        said = (
            "The kernel died while this cell ran. The usual causes are memory running "
            "out and a crash in compiled code; run the notebook in JupyterLab to see."
        )
    name = type(error).__name__
    cell.outputs.append(
        nbformat.v4.new_output(  # type: ignore[no-untyped-call]
            "error", ename=name, evalue=said, traceback=[f"{name}: {said}"]
        )
    )


papermill_engines.register(ENGINE, HouseEngine)
