"""Tables for readers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.tables import ABSENT, present


def test_numbers_are_spelled_as_papers_do() -> None:
    frame = pd.DataFrame(
        {
            "term": ["a", "b", "c"],
            "estimate": [0.5, -1.25, np.nan],
            "p_value": [0.0002, 0.0314, 1.0],
            "n_obs": [10.0, 20.0, np.nan],
            "known": pd.array([True, False, pd.NA], dtype="boolean"),
        }
    )
    shown = present(frame)
    assert list(shown) == ["term", "estimate", "p", "n", "known"]
    assert shown["estimate"].tolist() == ["0.50", "-1.25", ABSENT]
    assert shown["p"].tolist() == ["< .001", ".031", "1.000"]
    assert shown["n"].tolist() == ["10", "20", ABSENT]
    assert shown["known"].tolist() == ["yes", "no", ABSENT]


def test_an_index_that_says_something_becomes_a_column() -> None:
    frame = pd.DataFrame(
        {"F1": [1.0, 0.25]}, index=pd.Index(["F1", "F2"], name="factor")
    )
    shown = present(frame)
    assert list(shown) == ["factor", "F1"]
    assert shown["factor"].tolist() == ["F1", "F2"]
    assert list(present(frame.rename_axis(index=None))) == ["", "F1"]


def test_a_counting_index_is_dropped_and_the_input_kept() -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=[0, 1])
    assert list(present(frame)) == ["x"]
    assert list(frame) == ["x"]


def test_an_empty_table_keeps_its_headings() -> None:
    assert list(present(pd.DataFrame(columns=["what", "where"]))) == ["what", "where"]


def test_no_column_takes_the_place_of_another() -> None:
    shown = present(pd.DataFrame({"pvalue": [0.5], "p_value": [0.25]}))
    assert shown.to_dict("list") == {"p": [".500"], "p value": [".250"]}
