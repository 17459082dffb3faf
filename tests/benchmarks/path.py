"""How long the path takes, step by step, as the number of people grows.

python tests/benchmarks/path.py [n ...]      seconds and peak memory of each step
"""

from __future__ import annotations

import resource
import sys
import time

from analysis.scoring import score
from survey import Instrument, simulate, validate
from survey.quality import quality


def main(sizes: list[int]) -> None:
    """Print one row per size."""
    instrument = Instrument.load("pushing_away")
    steps = ("simulate", "validate", "quality", "score")
    print("n", *steps, "peak_MB", sep="\t")
    for n in sizes:
        seconds = []
        start = time.perf_counter()
        raw = simulate(instrument, n, seed=1)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        responses = validate(raw, instrument).responses
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        quality(responses)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        score(responses)
        seconds.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(n, *(f"{s:.2f}" for s in seconds), f"{peak:.0f}", sep="\t")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1000, 10_000])
