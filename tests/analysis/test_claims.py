"""Claims are answered from data with known truth, and refused where data are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from analysis.claims import VERDICTS, answer_claims
from analysis.claims.ledger import estimates, holm, verdict_of
from analysis.claims.material import Material
from analysis.claims.prediction import midpoint
from analysis.claims.structure import loevinger_h
from analysis.scoring import score
from survey import Instrument, RawResponses, simulate, validate
from survey.population import OutcomeEffects, Population

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.claims import ClaimLedger
    from survey import Responses

NOTHING = OutcomeEffects(actor=0, partner=0, response=0, interaction=0, lagged=0)
#: People enough that a true effect of .3 is missed less than once in a thousand runs.
N = 900


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return Instrument.load("pushing_away")


def drawn(instrument: Instrument, population: Population, **kwargs: int) -> Responses:
    raw = simulate(
        instrument,
        kwargs.get("n", N),
        seed=kwargs.get("seed", 1),
        waves=kwargs.get("waves", 2),
        population=population,
    )
    return validate(raw, instrument).responses


def complete(instrument: Instrument, **changes: object) -> Population:
    """The bundled population with nobody careless and nothing missing."""
    quiet = {"mcar": 0.0, "mar": 0.0, "refused": 0.0, "careless": 0.0}
    return Population.of(instrument).model_copy(update=quiet | changes)


@pytest.fixture(scope="module")
def ledger(instrument: Instrument) -> ClaimLedger:
    strong = {
        name: OutcomeEffects(
            actor=0.45 * sign,
            partner=0.25 * sign,
            response=-0.3 * sign,
            interaction=-0.2 * sign,
            lagged=0.2 * sign,
        )
        for name, sign in {
            "satisfaction": -1,
            "trust": -1,
            "resentment": 1,
            "dissolution": 1,
            "wellbeing": -1,
        }.items()
    }
    reasons = {"trust_issues": 0.35, "fear": 0.25, "sadness": 0.35}
    population = complete(
        instrument, outcomes=strong, reasons=reasons, couple_share=1.0, ending_slope=1.2
    )
    return answer_claims(drawn(instrument, population), seed=1)


@pytest.fixture(scope="module")
def null_ledger(instrument: Instrument) -> ClaimLedger:
    outcomes = {scale.id: NOTHING for scale in instrument.scales_of("outcome")}
    reasons = dict.fromkeys(("trust_issues", "fear", "sadness"), 0.0)
    population = complete(
        instrument, outcomes=outcomes, reasons=reasons, ending_slope=0.0
    )
    return answer_claims(drawn(instrument, population), seed=1)


@pytest.mark.parametrize("claim", ["C3", "C4", "C6", "C9", "C10"])
def test_true_claims_are_supported(ledger: ClaimLedger, claim: str) -> None:
    answer = ledger.answer(claim)
    assert answer.verdict == "supported", answer.sentence


def test_signs_are_ordered_as_they_were_drawn(
    instrument: Instrument, ledger: ClaimLedger
) -> None:
    table = ledger.answer("C2").estimates
    found = table[table["outcome"] == "severity"].set_index("term")["estimate"]
    true = pd.Series(Population.of(instrument).severity)
    assert found.corr(true, method="spearman") > 0.95
    spread = table.set_index("measure").loc["range", "estimate"]
    assert spread == pytest.approx(np.ptp(true.to_numpy()), abs=0.4)


def test_signs_have_locations_on_the_trait_behind_them(
    instrument: Instrument, ledger: ClaimLedger
) -> None:
    table = ledger.answer("C2").estimates
    found = table[table["outcome"] == "location"].set_index("term")
    true = pd.Series(Population.of(instrument).severity)
    assert found["estimate"].corr(true, method="spearman") > 0.9
    assert (found["conf_low"] < found["estimate"]).all()
    assert found["estimate"].is_monotonic_increasing


@pytest.mark.parametrize("claim", ["C7", "C8"])
def test_signs_that_add_nothing_are_not_supported(
    ledger: ClaimLedger, claim: str
) -> None:
    assert ledger.answer(claim).verdict == "not supported"


@pytest.mark.parametrize("claim", ["C3", "C4", "C5", "C6", "C7", "C8", "C10"])
def test_nothing_is_found_where_nothing_is(
    null_ledger: ClaimLedger, claim: str
) -> None:
    answer = null_ledger.answer(claim)
    assert answer.verdict == "not supported", answer.sentence


def test_every_answer_has_estimate_interval_and_n(ledger: ClaimLedger) -> None:
    table = ledger.tidy()
    assert set(table["claim"]) == {f"C{i}" for i in range(1, 11)}
    assert table[["estimate", "conf_low", "conf_high", "n_obs"]].notna().all().all()
    inside = table["estimate"].between(table["conf_low"], table["conf_high"])
    assert inside.all()
    assert set(ledger.verdicts()["verdict"]) <= set(VERDICTS)


def test_words_are_of_association(ledger: ClaimLedger) -> None:
    text = " ".join(answer.sentence for answer in ledger.answers).lower()
    assert "association of" in text
    for word in ("cause", "leads to", "effect of", "impact", "because of"):
        assert word not in text


def test_one_wave_cannot_test_what_comes_later(instrument: Instrument) -> None:
    responses = drawn(instrument, complete(instrument), waves=1, n=300)
    ledger = answer_claims(responses)
    assert ledger.answer("C10").verdict == "not testable"
    assert "second wave" in ledger.answer("C10").sentence
    assert ledger.answer("C9").verdict == "not testable"
    assert not (ledger.answer("C4").estimates["outcome"] == "event").any()


def test_without_couples_the_two_way_street_is_not_testable(
    instrument: Instrument,
) -> None:
    population = complete(instrument, couple_share=0.0)
    ledger = answer_claims(drawn(instrument, population, n=300))
    assert ledger.answer("C6").verdict == "not testable"
    assert "couple" in ledger.answer("C6").sentence


def test_short_form_answers_from_single_items(instrument: Instrument) -> None:
    raw = simulate(instrument, 400, seed=3, waves=2, form="short")
    ledger = answer_claims(validate(raw, instrument).responses)
    assert ledger.answer("C1").verdict != "not testable"
    assert ledger.answer("C3").verdict == "not testable"  # reasons were not asked
    assert set(ledger.answer("C1").estimates["measure"]) == {"loading"}


def test_few_people_get_reasons_not_tracebacks(instrument: Instrument) -> None:
    ledger = answer_claims(drawn(instrument, complete(instrument), n=12, waves=1))
    assert len(ledger.answers) == 10
    for answer in ledger.answers:
        if answer.verdict == "not testable":
            assert answer.sentence.startswith("These data cannot test it: ")


def test_holm_is_r_s() -> None:
    # R: p.adjust with method holm of .01, .04, .03 and .005
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, np.nan, 0.06, 0.02])


def test_verdict_follows_directions() -> None:
    def judged(*pairs: tuple[float, float]) -> str:
        rows: list[dict[str, object]] = [
            {
                "estimate": estimate,
                "conf_low": estimate - 0.1,
                "conf_high": estimate + 0.1,
                "p_value": p,
                "expected": 1.0,
            }
            for estimate, p in pairs
        ]
        return verdict_of(estimates(rows))

    assert judged((0.5, 0.001), (0.4, 0.001)) == "supported"
    assert judged((0.5, 0.001), (0.1, 0.6)) == "mixed"
    assert judged((-0.5, 0.001), (0.1, 0.6)) == "not supported"
    assert judged((0.5, 0.001), (-0.5, 0.001)) == "mixed"


def test_loevinger_h_by_hand() -> None:
    # Six people, two signs: easy shown by 4, hard by 2; one shows hard without easy.
    shown = np.array([[1, 1], [1, 0], [1, 0], [1, 0], [0, 1], [0, 0]], dtype=float)
    expected_errors = 6 * (2 / 6) * (1 - 4 / 6)
    assert loevinger_h(shown) == pytest.approx(1 - 1 / expected_errors)
    perfect = np.array([[1, 1], [1, 0], [0, 0], [1, 1]], dtype=float)
    assert loevinger_h(perfect) == pytest.approx(1)


def test_midpoint_is_the_middle_of_the_codes(instrument: Instrument) -> None:
    assert midpoint("avoidance", instrument) == 3
    assert midpoint("withdrawal", instrument) == 3


STATUS = """
id: tiny
version: "1.0"
title: Tiny
response_scales:
  - id: status
    labels: [Together, Ended]
items:
  - id: st
    type: choice
    text: Where do you stand?
    response_scale: status
  - id: xx
    type: number
    text: A number?
    minimum: 0
    maximum: 9
scales:
  - id: xs
    label: X
    items: [xx]
"""


def test_event_is_what_happened_after_the_first_wave(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(STATUS, encoding="utf-8")
    tiny = Instrument.load(path)
    frame = pd.DataFrame(
        {
            "wave": [1, 1, 1, 1, 2, 2, 2, 3],
            "st": [1, 1, 2, 1, 1, 2, 2, 2],
            "xx": 1,
        },
        index=pd.Index(list("abcd") + list("abc") + ["a"], name="respondent"),
    )
    responses = validate(RawResponses(frame, "test"), tiny).responses
    event = Material(responses, score(responses), seed=0).event_later("st == 2")
    assert event["a"] == 1  # not at wave 2, but at wave 3
    assert event["b"] == 1
    assert np.isnan(event["c"])  # it had happened before
    assert np.isnan(event["d"])  # did not answer later


def test_rare_events_are_not_analysed(instrument: Instrument) -> None:
    population = complete(instrument, ending_rate=0.005, couple_share=0.0)
    answer = answer_claims(drawn(instrument, population, n=400)).answer("C4")
    assert not (answer.estimates["outcome"] == "event").any()
    assert answer.verdict == "mixed"  # all that could be tested is as claimed
    assert "Not tested: " in answer.sentence
