"""From an instrument to measurement models in lavaan's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.measurement import fit_structures, measured_scales, measurement_model
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument

    Build: TypeAlias = Callable[[str], Instrument]

TEXT = """\
id: own
version: "1.0.0"
title: Own
response_scales:
  - id: r
    labels: [a, b, c]
items:
  - {id: q1, type: likert, text: One., response_scale: r}
  - {id: q2, type: likert, text: Two., response_scale: r}
  - {id: q3, type: likert, text: Three., response_scale: r}
  - {id: q4, type: likert, text: Four., response_scale: r}
  - {id: q5, type: likert, text: Five., response_scale: r}
  - {id: q6, type: likert, text: Six., response_scale: r}
scales:
  - {id: s, label: S, items: [q1, q2]}
  - {id: t, label: T, items: [q3, q4]}
  - {id: c, label: C, items: [q5, q6], measurement: formative}
composites:
  - {id: st, label: ST, scales: [s, t]}
"""


@pytest.fixture
def own(instrument_from: Build) -> Instrument:
    return instrument_from(TEXT)


def test_structures(own: Instrument) -> None:
    assert measurement_model(own) == "s =~ q1 + q2\nt =~ q3 + q4"
    assert measurement_model(own, "one") == "st =~ q1 + q2 + q3 + q4"
    assert measurement_model(own, "bifactor", general="g") == (
        "g =~ q1 + q2 + q3 + q4\ns =~ q1 + q2\nt =~ q3 + q4\n"
        "g ~~ 0*s\ng ~~ 0*t\ns ~~ 0*t"
    )
    assert measurement_model(own, scales=["t"]) == "t =~ q3 + q4"


def test_formative_scales_are_left_out_or_refused(own: Instrument) -> None:
    assert [scale.id for scale in measured_scales(own)] == ["s", "t"]
    with pytest.raises(AnalysisError, match=r"none is reflective.*reflective"):
        measured_scales(own, ["c"])


def test_unknown_scales_are_named(own: Instrument) -> None:
    with pytest.raises(
        AnalysisError, match=r"\['z'\] are no scale or kind of 'own'.*'s', 't', 'c'"
    ):
        measured_scales(own, ["s", "z"])


def test_too_few_scales_for_a_second_order_factor(own: Instrument) -> None:
    with pytest.raises(AnalysisError, match="needs at least 3 scales"):
        measurement_model(own, "second_order")
    with pytest.raises(AnalysisError, match="needs at least 2 scales"):
        measurement_model(own, "bifactor", scales=["s"])


def test_the_signs_and_their_general_factor(pushing_away: Instrument) -> None:
    model = measurement_model(pushing_away, "second_order")
    lines = model.split("\n")
    assert len(lines) == 12
    assert lines[0] == "avoidance =~ av1 + av2 + av3 + av4"
    assert lines[-1].startswith("withdrawal =~ avoidance + affection + recoil")
    reasons = measurement_model(pushing_away, scales=["reason"])
    assert reasons.split("\n")[0] == "trust_issues =~ tr1 + tr2 + tr3"


@pytest.mark.parametrize("structure", ["one", "correlated", "second_order", "bifactor"])
def test_the_syntax_can_be_read(pushing_away: Instrument, structure: str) -> None:
    assert parse(measurement_model(pushing_away, structure))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"omit": ["zz1"]}, r"omit: \['zz1'\] are not items of 'own'"),
        ({"general": "s"}, "general: 's' is another factor"),
        ({"general": "q1"}, "general: 'q1' is another factor or an item"),
        ({"general": "my factor"}, "general: 'my factor' is no name of a factor"),
    ],
)
def test_what_does_not_suit_the_instrument_is_refused(
    own: Instrument, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnalysisError, match=message):
        measurement_model(own, "bifactor", **options)


def test_one_item_may_be_left_out_by_its_name(own: Instrument) -> None:
    model = measurement_model(own, "one", omit="q1")
    assert model == "st =~ q2 + q3 + q4"


def test_one_factor_may_be_called_like_a_scale(own: Instrument) -> None:
    model = measurement_model(own, "one", scales="s", general="s")
    assert model == "s =~ q1 + q2"


def test_an_id_is_no_instrument_and_a_frame_no_scores() -> None:
    with pytest.raises(AnalysisError, match="instrument: str is given"):
        measurement_model("own", "one")  # type: ignore[arg-type]
    with pytest.raises(AnalysisError, match="scores: DataFrame is given"):
        fit_structures(pd.DataFrame(), ["one"])  # type: ignore[arg-type]
