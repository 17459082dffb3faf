"""Models with several minima end at the lowest: sem_minima.R."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.sem import cfa

HERE = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((HERE / "sem_minima.json").read_text())
DATA = pd.read_csv(HERE / "sem_minima.csv")
# lavaan stops where loadings are still 1e-5 away.
CLOSE = 1e-4


def test_a_general_factor_absorbs_the_factor_that_fits_best() -> None:
    fit = cfa(REFERENCE["model"], DATA, std_lv=True, orthogonal=True)
    assert fit.glance()["chisq"].iloc[0] == pytest.approx(REFERENCE["chisq"], rel=1e-6)
    found = fit.tidy().query("op == '=~'").set_index(["lhs", "rhs"])
    known = pd.DataFrame({c: REFERENCE[c] for c in ("lhs", "rhs", "est", "se")})
    known = known.set_index(["lhs", "rhs"]).loc[found.index]
    assert len(found) == len(known) == 24
    factor = found.index.get_level_values("lhs")
    for name in "gABC":
        own, theirs = found[factor == name], known[factor == name]
        sign = np.sign(own["estimate"] @ theirs["est"])
        np.testing.assert_allclose(sign * own["estimate"], theirs["est"], atol=CLOSE)
        np.testing.assert_allclose(own["std_error"], theirs["se"], atol=CLOSE)


def test_the_first_minimum_met_is_not_the_lowest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.sem.estimate.minimum.absorbed", lambda *_: iter(()))
    fit = cfa(REFERENCE["model"], DATA, std_lv=True, orthogonal=True)
    assert fit.glance()["chisq"].iloc[0] > REFERENCE["chisq"] + 10
