import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from reports.catalog import Case
from reports.errors import ParameterError
from reports.places import ROOT
from reports.run import Run, run, run_all

MakeCase = Callable[..., Case]


def shown(done: Run) -> list[str]:
    assert done.notebook is not None
    cells = nbformat.read(done.notebook, as_version=4).cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return [out["data"]["text/plain"] for out in outputs if "data" in out]


def test_a_notebook_runs_with_its_parameters_in_the_projects_root(
    case: MakeCase, tmp_path: Path
) -> None:
    asked = {"school": 'a"b\\c\nd', "level": 0.5}
    cells = ("(school, n, level)", "from pathlib import Path; Path('pyproject.toml')")
    done = run(case(*cells, "Path('pyproject.toml').exists()", asked=asked), tmp_path)
    assert done.ok
    assert done.error is None
    assert shown(done) == [
        "('a\"b\\\\c\\nd', 3, 0.5)",
        "PosixPath('pyproject.toml')",
        "True",
    ]
    assert done.parameters == {"n": 3, "robust": True, **asked}
    assert done.startup is not None
    assert 0 < done.startup < done.seconds


def test_the_kernel_is_this_python_with_one_blas_thread(
    case: MakeCase, tmp_path: Path
) -> None:
    asked = "import os, sys; (sys.prefix, os.environ['OPENBLAS_NUM_THREADS'])"
    done = run(case("import reports; reports.__name__", asked + "[1]"), tmp_path)
    assert shown(done) == ["'reports'", "'1'"]


def test_a_failing_cell_is_kept_and_named(case: MakeCase, tmp_path: Path) -> None:
    done = run(case("'before'", "1 / 0", "'after'", asked={"n": 4}), tmp_path)
    assert not done.ok
    assert done.error is not None
    assert done.error.cell == 4  # as the author counts: without the injected cell
    assert done.error.line == "cell 4: ZeroDivisionError: division by zero"
    assert "1 / 0" in done.error.traceback
    assert "\x1b" not in done.error.traceback
    assert shown(done) == ["'before'"]
    assert Run.read(tmp_path / "tiny") == done


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"shool": "x"}, "Did you mean 'school'"), ({"n": "x"}, "is not a whole number")],
)
def test_parameters_are_refused_before_a_kernel_starts(
    case: MakeCase, tmp_path: Path, asked: dict[str, str], message: str
) -> None:
    good, bad = case("1", name="good"), case("1", name="bad", asked=asked)
    with pytest.raises(ParameterError, match=message):
        run_all([good, bad], tmp_path / "build")
    assert not (tmp_path / "build").exists()


def test_no_failure_stops_the_others(case: MakeCase, tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    gone = case("1", name="gone")
    gone.notebook.unlink()
    cases = [
        case("import os; os._exit(1)", name="dead"),
        case("import time; time.sleep(60)", name="slow"),
        gone,
        case("1", name="whole").model_copy(
            update={"notebook": tmp_path / "broken.ipynb", "name": "broken"}
        ),
        case("6 * 7", name="fine"),
    ]
    done = {one.case.name: one for one in run_all(cases, tmp_path, jobs=3, timeout=2)}
    said = {name: one.error.line for name, one in done.items() if one.error}
    assert said["dead"].startswith("cell 3: DeadKernelError: The kernel died")
    assert said["slow"].startswith("cell 3: CellTimeoutError: The cell took longer")
    assert "there is no such file" in said["gone"]
    assert said["broken"].startswith("NotJSONError")
    assert shown(done["fine"]) == ["42"]
    assert len(said) == 4


def test_kernels_run_at_the_same_time_without_meeting(
    case: MakeCase, tmp_path: Path
) -> None:
    cases = [case("n * 10", name=f"c{i}", asked={"n": i}) for i in range(4)]
    done = list(run_all(cases, tmp_path, jobs=4))
    assert {one.case.name: shown(one) for one in done} == {
        f"c{i}": [str(i * 10)] for i in range(4)
    }


def test_the_cells_are_watched(case: MakeCase, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    cases = [case("1")]
    watch = lambda case, cell, cells: seen.append((case.name, cell, cells))  # noqa: E731
    list(run_all(cases, tmp_path, watch=watch))
    assert seen == [("tiny", 1, 3), ("tiny", 2, 3), ("tiny", 3, 3)]


def test_no_path_of_the_machine_stays(case: MakeCase, tmp_path: Path) -> None:
    data = tmp_path / "secret place" / "answers.csv"
    data.parent.mkdir()
    data.write_text("a\n1\n", encoding="utf-8")
    cells = (
        "print(data)",
        "import warnings; warnings.warn('careful')",
        "from pathlib import Path; print(Path.cwd() / 'data', Path.home() / 'x')",
        "import pandas as pd; pd.read_csv(data + '.gone')",
    )
    asked = {"data": str(data)}
    done = run(case(*cells, parameters="data = 'x.csv'", asked=asked), tmp_path / "b")
    assert done.notebook is not None
    record = done.notebook.with_name("run.json").read_text("utf-8")
    for text in (done.notebook.read_text("utf-8"), record):
        for path in (str(tmp_path), str(ROOT), str(Path.home()), sys.prefix):
            assert path not in text
        assert "…/answers.csv" in text
    assert done.parameters == {"data": "…/answers.csv"}
    assert done.provenance.files[0].path == "…/answers.csv"
    papermill = nbformat.read(done.notebook, as_version=4).metadata.papermill
    assert papermill.input_path == "…/tiny.ipynb"
    assert papermill.output_path == "notebook.ipynb"
    assert json.loads(record)["notebook"] == "notebook.ipynb"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
def test_an_interrupt_leaves_no_kernel(
    case: MakeCase, tmp_path: Path, name: str
) -> None:
    pids = tmp_path / "pid"
    cell = f"import os, time; open({str(pids)!r}, 'w').write(str(os.getpid()))"
    slow = case(cell, "time.sleep(120)")
    # Jobs in the background of a shell ignore interrupts, and hand that on.
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from pathlib import Path; from reports.catalog import Case;"
        "from reports.run import run; import sys;"
        "run(Case.model_validate_json(sys.argv[1]), Path(sys.argv[2]))"
    )
    words = [sys.executable, "-c", script, slow.model_dump_json(), str(tmp_path / "b")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    earlier = tmp_path / "b" / "tiny" / "notebook.ipynb"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("earlier", encoding="utf-8")
    with subprocess.Popen(  # noqa: S603 (our own script)
        words, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        kernel = int(_wait(lambda: pids.is_file() and pids.read_text("utf-8")))
        process.send_signal(getattr(signal, name))
        assert process.wait(30) != 0
    _wait(lambda: not _alive(kernel))
    assert earlier.read_text("utf-8") == "earlier"


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("utf-8").rsplit(")", 1)[1]
    except FileNotFoundError:
        pass
    else:
        return state.split()[0] != "Z"
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _wait(condition: Callable[[], object]) -> str:
    """Give back what `condition` returns once it is true."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if found := condition():
            return str(found)
        time.sleep(0.1)
    pytest.fail("did not happen within 30 s")
