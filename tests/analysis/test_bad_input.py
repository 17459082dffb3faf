"""Data that cannot carry an analysis: a clear error or warning, and never a number."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analysis.claims import answer_claims
from analysis.description import answers, flow_table, missingness, sample_table
from analysis.efa import bartlett, efa, kmo, parallel_analysis
from analysis.errors import AnalysisError, TooFewError
from analysis.item_report import item_report, reliability_plot
from analysis.items import item_statistics
from analysis.measurement import fit_structures, measured_items, scale_items
from analysis.outcomes import explain
from analysis.plots import use_theme
from analysis.regression import hierarchical, logistic, ols, ordinal
from analysis.reliability import reliability
from analysis.scoring import Scores, score
from analysis.sem import cfa
from reports.cli import main as report
from survey.population import Population
from survey.responses import RawResponses
from survey.synthetic import simulate
from survey.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from survey.instrument import Instrument
    from survey.responses import Responses

Fault = Literal["nobody", "constant", "few", "twins", "one"]
STRUCTURES = ("one", "correlated")
ENOUGH = 160

DIMENSIONS: dict[str, Callable[[pd.DataFrame], object]] = {
    "kmo": kmo,
    "bartlett": bartlett,
    "parallel_analysis": lambda items: parallel_analysis(items, draws=20, seed=1),
    "efa": lambda items: efa(items, 1),
}
each_analysis = pytest.mark.parametrize("analyse", DIMENSIONS.values(), ids=DIMENSIONS)


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def frame(pushing_away: Instrument) -> pd.DataFrame:
    alone = Population.of(pushing_away).model_copy(update={"couple_share": 0.0})
    return simulate(pushing_away, ENOUGH, seed=4, population=alone).frame


def spoiled(frame: pd.DataFrame, fault: Fault) -> pd.DataFrame:
    if fault == "few":
        return frame.iloc[:9]
    if fault == "one":
        return frame.iloc[:1]
    change = {"nobody": pd.NA, "constant": 3, "twins": frame["av2"]}[fault]
    return frame.assign(av1=change)


@pytest.fixture(scope="module")
def given(
    pushing_away: Instrument, frame: pd.DataFrame
) -> Callable[[Fault], tuple[Responses, Scores]]:
    @cache
    def build(fault: Fault) -> tuple[Responses, Scores]:
        raw = RawResponses(spoiled(frame, fault), "bad.csv")
        found = validate(raw, pushing_away).responses
        return found, score(found)

    return build


Given = "Callable[[Fault], tuple[Responses, Scores]]"


def rows(warnings: pd.DataFrame) -> str:
    return "\n".join(" | ".join(map(str, row)) for row in warnings.to_numpy())


def test_an_item_nobody_answered_is_left_out_and_named(given: Given) -> None:
    responses, scores = given("nobody")
    found = item_report(scores, "avoidance")
    assert list(found.tidy()["item"]) == ["av2", "av3", "av4"]
    assert "nobody answered 1 of 4 items | avoidance: av1" in rows(found.warnings)
    assert list(scale_items(scores, "avoidance")["avoidance"]) == ["av2", "av3", "av4"]
    models = fit_structures(scores, STRUCTURES, scales="avoidance,affection")
    assert "av1" not in models.fit("one").observed
    assert "nobody answered 1 of 4 items | avoidance: av1" in rows(models.warnings)
    with pytest.raises(AnalysisError, match=r"'second_order' is not fitted"):
        models.fit("second_order")
    lacking = missingness(responses, by="item")
    assert lacking.shares.loc["av1"].sum() == 100
    shown = answers(responses, ["avoidance"])
    assert "av1" not in shown[0].n.index


def test_a_scale_nobody_answered_is_refused(
    pushing_away: Instrument, frame: pd.DataFrame
) -> None:
    empty = frame.assign(**dict.fromkeys(["av1", "av2", "av3", "av4"], pd.NA))
    found = validate(RawResponses(empty, "bad.csv"), pushing_away).responses
    scores = score(found)
    for analyse in (item_report, measured_items):
        with pytest.raises(TooFewError, match=r"\['avoidance'\]: no item of theirs"):
            analyse(scores, "avoidance")
    assert answers(found, ["avoidance"]) == ()
    explained = explain(scores, ["satisfaction", "avoidance"], ["affection"])
    assert set(explained.fits) == {"satisfaction"}
    assert "nobody has a value of ['avoidance']" in rows(explained.warnings)
    verdicts = answer_claims(found).verdicts().set_index("id")
    assert verdicts.loc["C2", "verdict"] == "not testable"
    assert verdicts.loc["C4", "verdict"] != "not testable"


def test_an_item_without_variance_is_named(given: Given) -> None:
    _, scores = given("constant")
    found = item_report(scores, "avoidance")
    assert "does not vary: all 160 answers are 3 | avoidance: item av1" in rows(
        found.warnings
    )
    assert np.isnan(found.tidy().set_index("item").loc["av1", "r_drop"])
    table = reliability(scale_items(scores, "avoidance"))
    assert table.tidy()["estimate"].isna().all()
    assert "'av1' does not vary (all 160 answers are 3)" in rows(table.warnings)
    use_theme()
    title = reliability_plot(table, scores).get_title(loc="left")
    assert title == "No reliability could be estimated (n = 160)"
    models = fit_structures(scores, STRUCTURES, scales="avoidance,affection")
    assert "av1" not in models.fit("one").observed
    assert "1 of 4 items were answered all alike | avoidance: av1" in rows(
        models.warnings
    )


def test_twins_are_named(given: Given) -> None:
    _, scores = given("twins")
    found = item_report(scores, "avoidance")
    assert "avoidance: av1 and av2" in rows(found.warnings)
    table = reliability(scale_items(scores, "avoidance"))
    assert "['av1', 'av2'] is determined by the others" in rows(table.warnings)
    models = fit_structures(scores, STRUCTURES, scales="avoidance,affection")
    assert not models.fits
    assert "'av1' with 'av2': the correlation reaches" in rows(models.warnings)


@each_analysis
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("constant", r"item 'av1' does not vary \(all 160 answers are 3\)"),
        ("twins", r"\['av1', 'av2'\] is determined by the others"),
        ("few", r"7 of 9 respondents answered all 11 items.*at least 12"),
        ("one", r"1 of 1 respondents|0 of 1 respondents"),
    ],
)
def test_dimensions_are_refused(
    given: Given,
    analyse: Callable[[pd.DataFrame], object],
    fault: Fault,
    message: str,
) -> None:
    _, scores = given(fault)
    parts = scale_items(scores, "avoidance,affection,recoil").values()
    items = pd.concat(parts, axis="columns").iloc[:, :11]
    with pytest.raises(AnalysisError, match=message):
        analyse(items)


@pytest.mark.parametrize("fault", ["few", "one"])
def test_fewer_people_than_items(given: Given, fault: Fault) -> None:
    responses, scores = given(fault)
    models = fit_structures(scores, STRUCTURES, scales="avoidance,affection,recoil")
    assert not models.fits
    said = rows(models.warnings)
    assert "complete row" in said or "no item is left" in said
    found = explain(scores, ["satisfaction"], ["avoidance", "affection"])
    n = len(scores.frame)
    assert ("fewer than 10 each" if n > 1 else "outcome not explained") in rows(
        found.warnings
    )
    ledger = answer_claims(responses)
    assert set(ledger.verdicts()["verdict"]) == {"not testable"}
    assert ledger.verdicts()["answer"].str.contains("cannot test it").all()
    ledger.plot()
    missingness(responses).plot()
    assert len(flow_table(responses)) == 1
    assert len(sample_table(responses))
    for part in answers(responses):
        part.plot()


def test_too_few_people_give_no_interval_instead_of_a_wrong_one() -> None:
    rng = np.random.default_rng(0)
    few = pd.DataFrame({"y": [0.0] * 5 + [1.0], "x": rng.normal(size=6)})
    found = hierarchical("y", {"x": ["x"]}, few).table
    assert found[["conf_low", "conf_high"]].isna().to_numpy().all()


@pytest.fixture
def worded() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    factor = rng.normal(size=80)
    items = {
        f"q{i}": np.clip(np.round(3 + factor + rng.normal(size=80)), 1, 5)
        for i in range(1, 5)
    }
    frame = pd.DataFrame(items).astype(object)
    frame.loc[3, "q2"] = "often"
    return frame


@each_analysis
def test_words_among_codes_are_named(
    analyse: Callable[[pd.DataFrame], object], worded: pd.DataFrame
) -> None:
    with pytest.raises(AnalysisError, match="item 'q2' holds 'often'"):
        analyse(worded)


def test_words_in_items_scales_and_models(worded: pd.DataFrame) -> None:
    with pytest.raises(AnalysisError, match="'q2' holds 'often'"):
        item_statistics(worded)
    table = reliability({"s": worded})
    assert table.tidy()["estimate"].isna().all()
    assert "'q2' holds 'often'" in rows(table.warnings)
    with pytest.raises(AnalysisError, match=r"q2: expected numbers, found.*'often'"):
        cfa("f =~ q1 + q2 + q3 + q4", worded)


@pytest.mark.parametrize("regress", [ols, logistic, ordinal])
def test_words_in_a_regression(
    regress: Callable[[str, pd.DataFrame], object], worded: pd.DataFrame
) -> None:
    numbers = worded.assign(q1=worded["q1"].astype(float))
    with pytest.raises(AnalysisError, match="column 'q2' mixes"):
        regress("q2 ~ q1", numbers)
    with pytest.raises(AnalysisError, match="column 'q2' mixes"):
        regress("q1 ~ q2", numbers)


def test_words_in_a_file_never_reach_an_analysis(
    frame: pd.DataFrame, pushing_away: Instrument
) -> None:
    worded = frame.astype({"av1": object})
    worded.loc[worded.index[5], "av1"] = "often"
    found = validate(RawResponses(worded, "bad.csv"), pushing_away)
    assert len(found.responses) == ENOUGH - 1
    assert list(found.failures["item"]) == ["av1"]
    assert list(found.failures["value"]) == ["often"]


@pytest.mark.slow
def test_a_report_of_bad_data_shows_why(frame: pd.DataFrame, tmp_path: Path) -> None:
    source = tmp_path / "bad.csv"
    spoiled(frame, "constant").to_csv(source)
    chosen = ["02_responses", "03_items", "04_dimensions"]
    words = ["build", *chosen, "--data", str(source), "--to", str(tmp_path / "out")]
    done = CliRunner().invoke(report, [*words, "-p", "scales=avoidance"])
    pages = {
        name: (tmp_path / "out" / name / "index.html").read_text("utf-8")
        for name in chosen
    }
    assert "everybody answered 3" in pages["02_responses"]
    assert "does not vary: all 160 answers are 3" in pages["03_items"]
    assert "1 of 4 items were answered all alike" in pages["04_dimensions"]
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "index.html").is_file()
