"""Careless-response indices against values computed by hand and simulated truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from survey.quality import CUTOFFS, Quality, quality
from survey.responses import RawResponses
from survey.synthetic import simulate
from survey.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from survey.instrument import Instrument

    Build = Callable[[str], Instrument]


def three_scales(*, check: bool = False) -> str:
    """Twelve items on one response scale in three scales of four; i2 is reversed."""
    items = "".join(
        f"  - id: i{k}\n    type: likert\n    text: Item {k}.\n    response_scale: r5\n"
        for k in range(1, 13)
    )
    if check:
        items += (
            "  - id: at\n    type: likert\n    text: Choose b.\n"
            "    response_scale: r5\n    expected: 2\n"
        )
    scales = "".join(
        f"  - id: s{k}\n    label: S{k}\n"
        f"    items: [{', '.join(f'i{4 * k + j}' for j in range(1, 5))}]\n"
        + ("    reversed: [i2]\n" if k == 0 else "")
        for k in range(3)
    )
    return (
        'id: twelve\nversion: "1.0.0"\ntitle: Twelve\nresponse_scales:\n'
        "  - id: r5\n    labels: [a, b, c, d, e]\n"
        f"items:\n{items}scales:\n{scales}"
    )


def checked(
    instrument: Instrument,
    rows: Sequence[Sequence[int | None]],
    keys: Mapping[str, Sequence[object]] | None = None,
) -> Quality:
    frame = pd.DataFrame(list(rows), columns=list(instrument.item_ids), dtype=object)
    frame = frame.assign(**(keys or {}))
    frame.index = pd.Index([f"p{i}" for i in range(len(frame))], name="respondent")
    outcome = validate(RawResponses(frame, "test"), instrument)
    assert outcome.quarantine.empty
    return quality(outcome.responses)


MIXED = [1, 5, 2, 4, 3, 3, 1, 2, 5, 4, 4, 1]


def test_longstring_counts_the_longest_run_over_missing_answers(
    instrument_from: Build,
) -> None:
    one = instrument_from(three_scales())
    run_of_five = [1, 2, 4, 4, None, 4, 4, 4, 5, 1, 2, 3]
    few = [3] * 9 + [None] * 3
    found = checked(one, [MIXED, run_of_five, [3] * 12, few])
    assert list(found.indices["longstring"].iloc[:3]) == [2, 5, 12]
    assert np.isnan(found.indices["longstring"].iloc[3])
    flagged = found.flags.loc[found.flags["index"] == "longstring", "respondent"]
    assert list(flagged) == ["p2"]


def test_half_a_block_is_what_was_answered_of_it(instrument_from: Build) -> None:
    one = instrument_from(three_scales())
    five_of_ten = [1, 2, 3, 3, 3, 3, 3, 4, 5, 1, None, None]
    found = checked(one, [MIXED, five_of_ten])
    assert list(
        found.flags.loc[found.flags["index"] == "longstring", "respondent"]
    ) == ["p1"]


def test_irv_is_the_standard_deviation_of_a_persons_codes(
    instrument_from: Build,
) -> None:
    one = instrument_from(three_scales())
    holed = [*MIXED[:10], None, None]
    found = checked(one, [MIXED, [3] * 12, holed, [1] * 9 + [None] * 3]).indices["irv"]
    assert found.iloc[0] == pytest.approx(np.std(MIXED, ddof=1))
    assert found.iloc[1] == 0
    assert found.iloc[2] == pytest.approx(np.std(MIXED[:10], ddof=1))
    assert np.isnan(found.iloc[3])


def test_even_odd_is_spearman_brown_of_keyed_half_means(
    instrument_from: Build,
) -> None:
    one = instrument_from(three_scales())
    found = checked(one, [MIXED, [3] * 12]).indices["even_odd"]
    # MIXED has three equal half means on one side, the other row one code only.
    assert found.isna().all()
    other = [1, 5, 1, 2, 4, 3, 4, 4, 5, 5, 4, 5]
    odd, even = [1.0, 4.0, 4.5], [1.5, 3.5, 5.0]
    r = np.corrcoef(odd, even)[0, 1]
    found = checked(one, [other, MIXED]).indices["even_odd"]
    assert found.iloc[0] == pytest.approx(2 * r / (1 + r))


def test_even_odd_of_contrary_halves_is_minus_one_and_flagged(
    instrument_from: Build,
) -> None:
    one = instrument_from(three_scales())
    contrary = [1, 1, 1, 5, 3, 3, 3, 3, 5, 1, 5, 1]
    found = checked(one, [contrary, MIXED])
    assert found.indices["even_odd"].iloc[0] == -1
    assert "even_odd" in set(found.flags["index"])


def test_mahalanobis_p_is_chi_squared_of_the_distance(instrument_from: Build) -> None:
    one = instrument_from(three_scales())
    rng = np.random.default_rng(1)
    codes = rng.integers(1, 6, (60, 12))
    rows = [list(map(int, row)) for row in codes]
    found = checked(one, rows).indices["mahalanobis"]
    keyed = codes.astype(float)
    keyed[:, 1] = 6 - keyed[:, 1]
    d = keyed - keyed.mean(axis=0)
    distance = np.einsum("ij,jk,ik->i", d, np.linalg.inv(np.cov(keyed.T)), d)
    assert found.to_numpy() == pytest.approx(chi2.sf(distance, 12))


def test_attention_seconds_and_duplicates(instrument_from: Build) -> None:
    one = instrument_from(three_scales(check=True))
    rows = [[*MIXED, 2], [*MIXED, 3], [*MIXED[::-1], None], [None] * 13]
    found = checked(one, rows, {"seconds": [26, 13, 120, 60]})
    assert list(found.indices["attention"].iloc[:2]) == [0, 1]
    assert found.indices["attention"].iloc[2:].isna().all()
    assert list(found.indices["seconds_per_item"].iloc[:3]) == [2, 1, 10]
    assert np.isnan(found.indices["seconds_per_item"].iloc[3])
    assert list(found.indices["duplicate"].iloc[:3]) == [1, 1, 0]
    assert np.isnan(found.indices["duplicate"].iloc[3])
    by_person = found.flags.groupby("respondent")["index"].agg(set)
    assert by_person["p0"] == {"duplicate"}
    assert by_person["p1"] == {"attention", "duplicate", "seconds_per_item"}


def test_the_same_answers_at_two_waves_are_no_duplicate(instrument_from: Build) -> None:
    one = instrument_from(three_scales())
    keys = {"respondent": ["a", "a"], "wave": [1, 2]}
    assert list(checked(one, [MIXED, MIXED], keys).indices["duplicate"]) == [0, 0]


def test_flags_carry_value_cutoff_and_source(instrument_from: Build) -> None:
    found = checked(instrument_from(three_scales()), [MIXED, [3] * 12])
    assert list(found.flags.columns) == [
        "respondent", "wave", "index", "value", "cutoff", "source",
    ]  # fmt: skip
    row = found.flags.set_index("index").loc["longstring"]
    assert (row["value"], row["cutoff"]) == (12, CUTOFFS["longstring"][0])
    assert found.summary() == "1 of 2 rows have a flag, 1 have two or more"
    assert set(found.tidy()["index"]) == set(CUTOFFS)
    assert int(found.glance()["n"].iloc[0]) == 2


def test_what_cannot_be_computed_says_why(small: Instrument) -> None:
    found = checked(small, [[1, 2, 3, 30], [None, None, None, None]])
    reasons = found.not_available.set_index("index")["reason"]
    assert set(reasons.index) == set(CUTOFFS)
    assert "seconds" in reasons["seconds_per_item"]
    assert len(found.flags) == 0
    assert found.summary() == "0 of 2 rows have a flag, 0 have two or more"


def test_no_valid_row_and_no_scale_at_all(
    small: Instrument, instrument_from: Build
) -> None:
    frame = pd.DataFrame({"rs1": [7], "rs2": [1], "rs3": [1], "age": [30]}, index=["a"])
    nobody = validate(RawResponses(frame, "test"), small).responses
    assert quality(nobody).glance()["n"].iloc[0] == 0
    text = 'id: free\nversion: "1.0.0"\ntitle: x\nitems:\n'
    one = instrument_from(text + "  - id: q1\n    type: text\n    text: Say.\n")
    assert len(checked(one, [["hello"]]).flags) == 0  # type: ignore[list-item]


def test_simulated_careless_people_are_found(pushing_away: Instrument) -> None:
    raw = simulate(pushing_away, 2000, seed=11)
    assert raw.truth is not None
    found = quality(validate(raw, pushing_away).responses)
    count = found.flags.groupby("respondent").size()
    count = count.reindex(found.indices.index, fill_value=0)
    careless = raw.truth.people["careless"].reindex(count.index).to_numpy()
    assert (count[careless] >= 1).mean() > 0.98
    assert (count[careless] >= 2).mean() > 0.90
    assert (count[~careless] >= 1).mean() < 0.12
    assert (count[~careless] >= 2).mean() < 0.02


def test_flags_drop_nobody(pushing_away: Instrument) -> None:
    responses = validate(simulate(pushing_away, 50, seed=2), pushing_away).responses
    before = responses.frame.copy()
    quality(responses)
    pd.testing.assert_frame_equal(responses.frame, before)
