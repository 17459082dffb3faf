"""Simulated people: reproducible, valid, and true to the population stated."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import norm

from survey.errors import InstrumentError, SurveyError
from survey.population import EventModel, NumberModel, Population
from survey.synthetic import SimulatedResponses, Truth, simulate
from survey.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from survey.instrument import Instrument

    Build: TypeAlias = Callable[[str], Instrument]

N = 20_000
#: Four standard errors of a mean, a share or a correlation from 20,000 people.
MONTE_CARLO = 4 / np.sqrt(N)


def complete(instrument: Instrument) -> Population:
    """Take everything out that hides an answer."""
    return Population.of(instrument).model_copy(
        update={"careless": 0.0, "mcar": 0.0, "mar": 0.0, "refused": 0.0}
    )


def truth_of(raw: SimulatedResponses) -> Truth:
    assert raw.truth is not None
    return raw.truth


@pytest.fixture(scope="module")
def whole(pushing_away: Instrument) -> SimulatedResponses:
    population = complete(pushing_away)
    return simulate(pushing_away, N, seed=101, waves=2, population=population)


def at_wave(raw: SimulatedResponses, wave: int) -> pd.DataFrame:
    people = truth_of(raw).people
    return people[people["wave"] == wave]


def test_the_same_seed_gives_the_same_answers(pushing_away: Instrument) -> None:
    one = simulate(pushing_away, 80, seed=5, waves=2, item_times=True)
    two = simulate(pushing_away, 80, seed=5, waves=2, item_times=True)
    pd.testing.assert_frame_equal(one.frame, two.frame)
    pd.testing.assert_frame_equal(truth_of(one).people, truth_of(two).people)
    other = simulate(pushing_away, 80, seed=6, waves=2, item_times=True)
    assert not one.frame["av1"].equals(other.frame["av1"])


def test_simulated_answers_are_valid_throughout(pushing_away: Instrument) -> None:
    raw = simulate(pushing_away, 301, seed=3, waves=3, item_times=True)
    outcome = validate(raw, pushing_away)
    assert outcome.failures.empty
    assert set(outcome.responses.waves) == {1, 2, 3}
    assert "synthetic" in raw.report["detail"].iloc[0]


def test_latent_values_are_standard_normal_at_wave_1(whole: SimulatedResponses) -> None:
    latent = at_wave(whole, 1).drop(columns=["wave", "careless", "ended"])
    assert latent.mean().abs().max() < MONTE_CARLO * 1.2
    assert latent.std().sub(1).abs().max() < MONTE_CARLO


def test_correlations_are_those_of_the_population(
    whole: SimulatedResponses, pushing_away: Instrument
) -> None:
    population, latent = truth_of(whole).population, at_wave(whole, 1)
    signs = [scale.id for scale in pushing_away.scales_of("sign")]
    loadings = np.array([population.sign_loading_of(name) for name in signs])
    expected = np.outer(loadings, loadings)
    np.fill_diagonal(expected, 1)
    assert np.abs(latent[signs].corr().to_numpy() - expected).max() < MONTE_CARLO
    reasons = latent[["trust_issues", "fear", "sadness"]].corr().to_numpy()
    off = reasons[np.triu_indices(3, 1)]
    assert np.abs(off - population.reason_correlation).max() < MONTE_CARLO


def test_partners_correlate_as_stated(whole: SimulatedResponses) -> None:
    population = truth_of(whole).population
    keys = whole.frame[whole.frame["wave"] == 1]
    members = keys[keys["couple"] != ""].index
    general = at_wave(whole, 1)["general"].loc[members].to_numpy().reshape(-1, 2)
    assert len(members) == N * population.couple_share
    tolerance = 4 / np.sqrt(len(general))
    r = np.corrcoef(general.T)[0, 1]
    assert r == pytest.approx(population.couple_correlation, abs=tolerance)
    singles = at_wave(whole, 1).drop(index=members)
    r = singles[["general", "partner_general"]].corr().iloc[0, 1]
    assert r == pytest.approx(population.couple_correlation, abs=tolerance)


def test_reasons_explain_the_general_factor_as_stated(
    whole: SimulatedResponses,
) -> None:
    latent, population = at_wave(whole, 1), truth_of(whole).population
    x = sm.add_constant(latent[list(population.reasons)])
    fit = sm.OLS(latent["general"], x).fit()
    for name, weight in population.reasons.items():
        assert fit.params[name] == pytest.approx(weight, abs=4 * fit.bse[name])


def test_effects_on_outcomes_are_recovered(whole: SimulatedResponses) -> None:
    latent, population = at_wave(whole, 1), truth_of(whole).population
    for outcome, effects in population.outcomes.items():
        x = latent[["general", "partner_general", "coping"]].copy()
        x["both"] = latent["general"] * latent["coping"]
        fit = sm.OLS(latent[outcome], sm.add_constant(x)).fit()
        stated = [effects.actor, effects.partner, effects.response, effects.interaction]
        errors = np.abs(fit.params.iloc[1:].to_numpy() - stated)
        assert (errors < 4 * fit.bse.iloc[1:].to_numpy()).all(), outcome


def test_effects_over_waves_are_recovered(whole: SimulatedResponses) -> None:
    population = truth_of(whole).population
    first, second = at_wave(whole, 1), at_wave(whole, 2)
    before = first["general"].reindex(second.index)
    r = np.corrcoef(before, second["general"])[0, 1]
    assert r == pytest.approx(population.stability, abs=2 * MONTE_CARLO)
    x = second[["general", "partner_general", "coping"]].copy()
    x["both"] = second["general"] * second["coping"]
    x["lag"] = before
    fit = sm.OLS(second["satisfaction"], sm.add_constant(x)).fit()
    lagged = population.outcomes["satisfaction"].lagged
    assert fit.params["lag"] == pytest.approx(lagged, abs=4 * fit.bse["lag"])


def test_relationships_end_at_the_stated_rate_and_slope(
    whole: SimulatedResponses,
) -> None:
    population = truth_of(whole).population
    second = at_wave(whole, 2)
    general = at_wave(whole, 1)["general"].reindex(second.index)
    shown = whole.frame[whole.frame["wave"] == 2]
    assert (shown["relstat"] == 3).sum() == second["ended"].sum()
    alone = (shown["couple"] == "").to_numpy()
    fit = sm.Logit(
        second["ended"].to_numpy()[alone].astype(float),
        sm.add_constant(general.to_numpy()[alone]),
    ).fit(disp=False)
    base = np.log(population.ending_rate / (1 - population.ending_rate))
    assert fit.params[0] == pytest.approx(base, abs=4 * fit.bse[0])
    assert fit.params[1] == pytest.approx(population.ending_slope, abs=4 * fit.bse[1])
    couples = shown[~alone].groupby("couple")["relstat"].agg(lambda x: set(x == 3))
    assert (couples.map(len) == 1).all()


def test_thresholds_are_recovered_from_the_marginals(
    whole: SimulatedResponses, pushing_away: Instrument
) -> None:
    items = truth_of(whole).items.set_index("item")
    first = whole.frame[whole.frame["wave"] == 1]
    for name in ("av1", "av3", "ag1", "br4", "st1", "st3", "tr1", "dt2", "wb4"):
        codes = pd.to_numeric(first[name], errors="coerce").dropna().to_numpy()
        if items.loc[name, "loading"] < 0:
            codes = 6 - codes
        shares = [float((codes <= code).mean()) for code in range(1, 5)]
        slack = 5 * np.sqrt(np.multiply(shares, np.subtract(1, shares)) / len(codes))
        expected = norm.cdf(items.loc[name, "thresholds"])
        assert (np.abs(shares - expected) < slack).all(), name
        reverse = name in pushing_away.scale(items.loc[name, "scale"]).reversed
        assert reverse == (items.loc[name, "loading"] < 0)


def test_signs_differ_in_severity(whole: SimulatedResponses) -> None:
    first = whole.frame[whole.frame["wave"] == 1]
    rarely = pd.to_numeric(first["br1"], errors="coerce").mean()
    often = pd.to_numeric(first["sf1"], errors="coerce").mean()
    assert often - rarely > 0.5


def test_missing_careless_and_attrition_rates(pushing_away: Instrument) -> None:
    population = Population.of(pushing_away).model_copy(
        update={"mcar": 0.03, "mar": 0.05, "refused": 0.02, "attrition": 0.2}
    )
    raw = simulate(pushing_away, N, seed=7, waves=2, population=population)
    first = raw.frame[raw.frame["wave"] == 1]
    blank = first["wb1"] == ""
    age = pd.to_numeric(first["age"])
    by_age = blank.groupby(pd.qcut(age, 4)).mean().to_numpy()
    assert (np.diff(by_age) > 0).all()
    assert blank.mean() == pytest.approx(0.03 + 0.06, abs=0.02)
    assert (first["age"] != "").all()
    refused = (first["wb1"] == 9).mean()
    assert refused == pytest.approx(0.02 * (1 - blank.mean()), abs=MONTE_CARLO)
    careless = truth_of(raw).people["careless"]
    share = careless[~careless.index.duplicated()].mean()
    assert share == pytest.approx(population.careless, abs=MONTE_CARLO)
    stayed = (raw.frame["wave"] == 2).sum() / N
    assert stayed == pytest.approx(0.8, abs=0.02)
    assert raw.frame.loc[raw.frame["wave"] == 2].index.isin(first.index).all()


def test_nothing_is_left_out_when_nothing_is_to_be(whole: SimulatedResponses) -> None:
    together = whole.frame[whole.frame["relstat"] != 3]
    scaled = truth_of(whole).items["item"]
    assert not (together[list(scaled)] == "").any(axis=None)


@pytest.mark.parametrize("n", [1, 2, 3, 51])
@pytest.mark.parametrize("couple_share", [0.0, 0.5, 1.0])
def test_few_people_and_any_share_of_couples(
    pushing_away: Instrument, n: int, couple_share: float
) -> None:
    population = Population.of(pushing_away).model_copy(
        update={"couple_share": couple_share}
    )
    raw = simulate(pushing_away, n, seed=4, waves=3, population=population)
    assert validate(raw, pushing_away).failures.empty
    first = raw.frame[raw.frame["wave"] == 1]
    assert len(first) == n
    sizes = first[first["couple"] != ""].groupby("couple").size()
    assert (sizes == 2).all()
    assert len(sizes) == min(round(n * couple_share / 2), n // 2)


def likert(labels: str, codes: str = "", scales: str = "") -> str:
    items = "".join(
        f"  - id: q{k}\n    type: likert\n    text: Q{k}.\n    response_scale: r\n"
        for k in range(1, 7)
    )
    return (
        'id: own\nversion: "1.0.0"\ntitle: Own\nresponse_scales:\n'
        f"  - id: r\n    labels: {labels}\n{codes}items:\n{items}{scales}"
    )


def scale(name: str, items: str, more: str = "") -> str:
    return f"  - id: {name}\n    label: {name}\n    items: [{items}]\n{more}"


TWO = "scales:\n" + scale("s", "q1, q2, q3", "    reversed: [q2]\n")
TWO += scale("u", "q4, q5, q6")
NAMES = "scales:\n" + "".join(
    scale(name, f"q{k}")
    for k, name in enumerate(
        ["general", "coping", "lag", "careless", "ended", "rest_general"], start=1
    )
)


@pytest.mark.parametrize(
    "text",
    [
        likert("[a, b, c, d, e]"),
        likert("[a, b]", scales=TWO),
        likert("[a, b, c, d, e, f, g]", scales=TWO),
        likert("[a, b, c, d, e]", "    codes: [0, 1, 2, 3, 4]\n", TWO),
        likert("[a, b, c]", "    codes: [1, 3, 5]\n", TWO),
        likert("[a, b, c]", scales=NAMES),
        likert("[a, b]", "    codes: [m, f]\n    missing: [{code: 9, label: x}]\n")
        .replace("likert", "choice"),
        likert("[a, b]", "    codes: [1, f]\n    missing: [{code: 9, label: x}]\n")
        .replace("likert", "choice"),
        likert("[a, b, c]", scales="scales:\n" + scale("o", "q1, q2",
               "    kind: outcome\n")),
        ('id: own\nversion: "1.0"\ntitle: x\nitems:\n  - id: q1\n    type: text\n'
        "    text: x\n    required: true\n    max_length: 3\n"),
        ('id: own\nversion: "1.0"\ntitle: x\nitems:\n  - id: q1\n    type: number\n'
        "    text: x\n    minimum: 1\n    maximum: 2\n    integer: true\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("n", "waves"), [(1, 1), (40, 3)])
def test_any_instrument_can_be_simulated(
    instrument_from: Build, text: str, n: int, waves: int
) -> None:
    one = instrument_from(text)
    raw = simulate(one, n, seed=9, waves=waves, item_times=True)
    outcome = validate(raw, one)
    assert outcome.failures.empty
    for item in one.items:
        known = {
            str(code) for code in (*one.codes(item.id), *one.missing_codes(item.id))
        }
        if known:
            assert set(raw.frame[item.id].astype(str)) <= known | {""}


def test_scales_may_have_the_names_of_true_values(instrument_from: Build) -> None:
    people = truth_of(
        simulate(instrument_from(likert("[a, b]", scales=NAMES)), 30, seed=1)
    )
    columns = set(people.people.columns)
    assert {"general", "general_", "careless", "careless_", "ended_", "lag"} <= columns
    assert people.people["careless_"].dtype == bool
    assert people.people["careless"].dtype == float


def test_reversed_items_run_against_their_scale(instrument_from: Build) -> None:
    one = instrument_from(
        likert("[a, b, c, d, e]", "    codes: [0, 1, 2, 3, 4]\n", TWO)
    )
    frame = simulate(one, 2000, seed=2).frame
    codes = frame[list(one.item_ids)].apply(pd.to_numeric, errors="coerce")
    r = codes.corr()
    assert r.loc["q1", "q3"] > 0.3
    assert r.loc["q1", "q2"] < -0.3
    assert set(codes["q1"].dropna()) == {0, 1, 2, 3, 4}


def test_item_times_add_up_to_the_total(pushing_away: Instrument) -> None:
    raw = simulate(pushing_away, 20, seed=1, item_times=True)
    times = raw.frame[[f"seconds_{name}" for name in pushing_away.item_ids]]
    total = times.replace("", 0.0).astype(float).sum(axis="columns")
    assert total.to_numpy() == pytest.approx(raw.frame["seconds"].to_numpy(), abs=0.6)


def test_forms(pushing_away: Instrument) -> None:
    raw = simulate(pushing_away, 40, seed=1, form="short")
    outcome = validate(raw, pushing_away)
    assert outcome.failures.empty
    hidden = set(pushing_away.item_ids) - set(pushing_away.form_items("short"))
    assert (raw.frame[sorted(hidden)] == "").all(axis=None)
    with pytest.raises(SurveyError, match=r"unknown form 'long'.*full"):
        simulate(pushing_away, 40, seed=1, form="long")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"event": EventModel(item="age", before=1, after=3)}, "no code of 'age'"),
        ({"event": EventModel(item="relstat", before=1, after=7)}, "7 is no code"),
        (
            {"event": EventModel(item="zz", before=1, after=3)},
            "'zz'",
        ),
        ({"mar_item": "av1"}, "av1: is no number item"),
        ({"mar_item": "nope"}, "'nope'"),
        ({"change_item": "age"}, "no likert item"),
        ({"choices": {"relstat": {"8": 1.0}}}, "'8' is no code"),
        ({"numbers": {"gender": NumberModel(mean=1, sd=1)}}, "gender: is no number"),
        ({"reasons": {"fear": 0.9, "sadness": 0.9}}, "reasons explain"),
        ({"reasons": {"joy": 0.1}}, "'joy'"),
        ({"couple_correlation": 0.95}, "couple_correlation 0.95 is more than"),
    ],
)
def test_a_population_that_does_not_fit_is_refused(
    pushing_away: Instrument, changed: dict[str, object], message: str
) -> None:
    population = Population.of(pushing_away).model_copy(update=changed)
    with pytest.raises(SurveyError, match=message):
        simulate(pushing_away, 10, seed=1, population=population)


@pytest.mark.parametrize(("n", "waves"), [(0, 1), (1, 0), (-5, 1)])
def test_nobody_and_no_wave_are_refused(
    pushing_away: Instrument, n: int, waves: int
) -> None:
    with pytest.raises(SurveyError, match="must be 1 or more"):
        simulate(pushing_away, n, seed=1, waves=waves)


def test_a_population_file_lists_its_faults_with_lines(tmp_path: Path) -> None:
    path = tmp_path / "population.yaml"
    path.write_text("mcar: 2\ncouple_share: many\nmoon: 1\n", encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        Population.load(path)
    assert [(fault.line, fault.key) for fault in caught.value.faults] == [
        (1, "mcar"),
        (2, "couple_share"),
        (3, "moon"),
    ]
