"""A questionnaire nobody in this project thought of, through everything, by its YAML.

Two languages, seven points, a checklist, a scale of one item, codes that are letters,
an item shown to some, no kinds, no claims, nobody in couples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from analysis.claims import answer_claims
from analysis.description import answers, item_table, missingness, scale_table
from analysis.errors import AnalysisError
from analysis.item_report import item_report
from analysis.measurement import fit_structures, measured_items, measured_scales
from analysis.outcomes import chosen_names, explain
from analysis.scoring import Scores, score
from reports.cli import main as report
from reports.places import ROOT
from survey.cli import main as survey
from survey.collect import tabular
from survey.instrument import Instrument
from survey.population import Population
from survey.synthetic import simulate
from survey.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    from survey.responses import Responses

PATH = ROOT / "tests" / "instruments" / "garden_club.yaml"


@pytest.fixture(scope="module")
def garden() -> Instrument:
    return Instrument.load(PATH)


@pytest.fixture(scope="module")
def source(garden: Instrument, tmp_path_factory: pytest.TempPathFactory) -> Path:
    alone = Population(couple_share=0)
    drawn = simulate(garden, 240, seed=3, population=alone)
    path = tmp_path_factory.mktemp("garden") / "answers.csv"
    drawn.frame.drop(columns=["couple", "role", "seconds"]).to_csv(path)
    return path


@pytest.fixture(scope="module")
def responses(garden: Instrument, source: Path) -> Responses:
    return validate(tabular.read(source, garden), garden).responses


@pytest.fixture(scope="module")
def scores(responses: Responses) -> Scores:
    return score(responses)


def said(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(survey, list(words))
    assert done.exit_code == code, done.output
    return done.output


def test_check_says_what_it_is() -> None:
    text = said("check", str(PATH))
    assert "languages    en, de" in text
    assert "items        15" in text
    assert "scale staying has one item" in text


def test_diff_classifies(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    text = PATH.read_text("utf-8")
    text = text.replace("scoring: sum", "scoring: mean").replace("Ihr Sch", "Dein Sch")
    other.write_text(text, encoding="utf-8")
    found = said("diff", str(PATH), str(other))
    assert "Gravest: scoring." in found
    assert "scales[mishaps].scoring" in found


def test_codebook_and_form_come_in_both_languages(tmp_path: Path) -> None:
    said("codebook", str(PATH), "--to", str(tmp_path), "--language", "de")
    assert "Missgeschicke" in (tmp_path / "codebook.md").read_text("utf-8")
    said("export", "xlsform", str(PATH), "--to", str(tmp_path))
    assert (tmp_path / "garden_club.xlsx").is_file()


def test_all_answers_are_valid(source: Path, tmp_path: Path) -> None:
    words = ["validate", str(source), "-i", str(PATH), "--to", str(tmp_path)]
    assert "240 of 240 responses valid" in said(*words, "--strict")


def test_scores_follow_the_yaml(responses: Responses, scores: Scores) -> None:
    raw = responses.frame.astype({"joy2": float, "mis1": float})
    assert scores.items["joy2"].equals(8 - raw["joy2"])
    whole = scores.items[["mis1", "mis2", "mis3"]].dropna()
    assert (scores.frame.loc[whole.index, "mishaps"] == whole.sum(axis=1)).all()
    assert list(scores.frame["ground"].cat.categories) == ["Sand", "Loam", "Clay"]
    shown = (responses.missingness["hives"] != "not shown").to_numpy()
    assert (responses.frame.loc[shown, "bees"] == 1).all()


def test_figures_keep_response_scales_apart(responses: Responses) -> None:
    first, second = answers(responses)
    assert list(first.shares.columns)[-1] == "Strongly agree"
    assert list(first.n.index)[-1] == "stay"
    assert list(second.groups) == ["Mishaps"]
    assert list(second.shares.columns) == ["Never", "Now and then", "Often", "Always"]


def test_one_scale_with_two_response_scales_gets_two_figures(
    responses: Responses,
) -> None:
    instrument = responses.instrument
    mixed = instrument.scale("joy").model_copy(
        update={"items": ("joy1", "mis1"), "reversed": ()}
    )
    both = instrument.model_copy(update={"scales": (mixed,)})
    found = answers(replace(responses, instrument=both))
    assert [list(part.n.index) for part in found] == [["joy1"], ["mis1"]]
    assert "Never" in found[1].shares


def test_missing_answers_count_shown_items_only(responses: Responses) -> None:
    lacking = missingness(responses, by="item")
    shown = responses.missingness["hives"] != "not shown"
    blank = (responses.missingness["hives"] == "blank").sum()
    assert lacking.shares.loc["hives"].sum() == pytest.approx(100 * blank / shown.sum())
    assert lacking.not_shown["hives"] == pytest.approx(100 * (1 - shown.mean()))
    texts = missingness(responses).shares.index
    assert "How many hives?" in texts


def test_a_checklist_is_left_out_of_measurement_and_named(scores: Scores) -> None:
    found = item_report(scores, "all")
    assert set(found.tidy()["scale"]) == {"joy", "neighbours", "staying"}
    rows = found.warnings.set_index("where")
    assert "formative" in rows.loc["mishaps", "what"]
    assert "needs at least 3 items" in rows.loc["staying", "remedy"]
    with pytest.raises(AnalysisError, match="none is reflective"):
        measured_scales(scores.instrument, "mishaps")


def test_structures_that_cannot_be_are_named(scores: Scores) -> None:
    models = fit_structures(scores, ["one", "correlated", "bifactor"], scales="all")
    assert set(models.fits) == {"one", "correlated"}
    with pytest.raises(AnalysisError, match=r"is not fitted: .*no data.*staying"):
        models.fit("bifactor")
    with pytest.raises(AnalysisError, match="not asked for"):
        models.fit("second_order")
    assert measured_items(scores, "all").shape == (240, 8)


def test_every_kind_of_variable_can_be_related(scores: Scores) -> None:
    outcomes = ["staying", "bees", "age", "ground"]
    found = explain(scores, outcomes, ["joy", "mishaps", "ground"], controls=["age"])
    kinds = {name: fit.kind for name, fit in found.fits.items()}
    assert kinds == {"staying": "linear", "bees": "logistic", "age": "linear"}
    why = found.warnings.set_index("where").loc["ground", "remedy"]
    assert "3 options were chosen: Sand, Loam, Clay" in why
    axes = found.plot()
    words = [label.get_text() for label in axes.get_yticklabels()]
    assert "What is your soil?: Clay" in words
    legend = axes.get_legend()
    assert legend is not None
    assert "Do you keep bees? = Yes (log odds)" in [
        one.get_text() for one in legend.get_texts()
    ]


def test_without_kinds_nothing_is_explained_unasked(scores: Scores) -> None:
    named = chosen_names(scores.instrument, "", kind="outcome")
    found = explain(scores, named, ())
    assert not found.fits
    assert list(found.warnings["what"]) == ["no outcomes named", "no predictors named"]
    assert "joy, neighbours, staying, mishaps" in found.summary()
    assert found.glance().empty
    assert found.steps().empty
    with pytest.raises(AnalysisError, match="nothing to draw"):
        found.plot()
    with pytest.raises(AnalysisError, match=r"\['jooy'\] are no scale"):
        explain(scores, ["staying"], ["joy"], controls=["jooy"])


def test_the_instrument_is_told_in_german(garden: Instrument) -> None:
    assert "Freude am Garten" in set(scale_table(garden, "de")["label"])
    assert item_table(garden, "de")["answers"].str.contains("Stimme zu").any()


def test_no_claims(responses: Responses) -> None:
    assert "makes no claims" in answer_claims(responses).summary()


@pytest.mark.slow
def test_pages(source: Path, tmp_path: Path) -> None:
    words = ["build", "01_instrument", "03_items", "05_measurement", "07_outcomes"]
    words += ["--instrument", str(PATH), "--data", str(source), "--to", str(tmp_path)]
    words += ["-p", "language=de", "-p", "outcomes=staying,bees"]
    words += ["-p", "predictors=joy,mishaps", "-p", "controls=age"]
    done = CliRunner().invoke(report, words)
    assert done.exit_code == 0, done.output
    for folder in words[1:5]:
        page = (tmp_path / folder / "index.html").read_text("utf-8")
        assert "Warning from this step" not in page, folder
