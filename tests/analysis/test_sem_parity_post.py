"""What is asked of a fitted model, against lavaan; see sem_post.R."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis.sem import SemFit, factor_scores, local_fit, modification_indices
from analysis.sem.difference import difference
from analysis.sem.release import score_tests

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = json.loads(
    (Path(__file__).parents[1] / "reference" / "sem_post.json").read_text("utf-8")
)
# lavaan's second optimiser stops this far from the minimum; what is built on the
# estimates magnifies it.
CLOSE = 2e-5
# Nonlinear constraints are left to its first optimiser, and its EM stops early.
EARLY = 2e-4
# Indices and changes are quotients of what is left of the score.
CHANGES = 5e-4
# Residuals near 0 are rounding, and so are their z.
ROUNDING = 1e-3
# What cannot be identified has an index of rounding in lavaan, and none here.
NOISE = 5e-3
# lavaan finds modes of factor scores to the square root of machine precision of the
# log posterior, which is flat there.
MODES = 5e-4

LAVAAN_METHODS = {
    "default": None,
    "satorra.bentler.2001": "satorra_bentler_2001",
    "satorra.bentler.2010": "satorra_bentler_2010",
    "satorra.2000": "satorra_2000",
}


@pytest.fixture(scope="module")
def fit_of(fitted: Callable[[dict[str, Any]], SemFit]) -> Callable[[str], SemFit]:
    """Fit each model once."""

    @cache
    def once(text: str) -> SemFit:
        return fitted(json.loads(text))

    return once


def asked(case: dict[str, Any]) -> str:
    return json.dumps({k: case[k] for k in ("call", "model", "data", "options")})


def listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def tolerance(case: dict[str, Any]) -> float:
    return EARLY if case["options"].get("missing") else CLOSE


@pytest.mark.parametrize("name", CONTENT["modification"])
def test_same_modification_indices(name: str, fit_of: Callable[[str], SemFit]) -> None:
    case = CONTENT["modification"][name]
    fit = fit_of(asked(case))
    table = modification_indices(fit).table
    rows = table["lhs"] + " " + table["op"] + " " + table["rhs"]
    groups = table["group"] if "group" in table else pd.Series("", index=table.index)
    turned = table["rhs"] + " ~~ " + table["lhs"]
    found = table.set_index(pd.MultiIndex.from_arrays([rows, groups]))
    other = table.set_index(pd.MultiIndex.from_arrays([turned, groups]))
    known_groups = case.get("group", [""] * len(case["row"]))
    known = set()
    for k, key in enumerate(zip(case["row"], known_groups, strict=True)):
        if case["mi"][k] < NOISE and key not in found.index:
            continue
        assert key in found.index or key in other.index, key
        row = (found if key in found.index else other).loc[key]
        known.add((row["lhs"], row["op"], row["rhs"], row.get("group", "")))
        for column in ("mi", "epc", "sepc_lv", "sepc_all"):
            if case[column][k] is None:
                continue
            near = pytest.approx(case[column][k], rel=CHANGES, abs=CHANGES)
            assert row[column] == near, (key, column)

    ours = table[table["mi"] > NOISE].to_dict("records")
    # The script leaves markers out, which equalities may make testable.
    known |= {
        (r.lhs, r.op, r.rhs, fit.groups[r.group - 1])
        for r in fit.table.rows
        if r.op == "=~" and r.fixed == 1.0
    }
    extra = [
        r
        for r in ours
        if (r["lhs"], r["op"], r["rhs"], r.get("group", "")) not in known
    ]
    assert not extra, "lavaan has the same rows"


@pytest.mark.parametrize("name", CONTENT["score"])
def test_same_score_tests(name: str, fit_of: Callable[[str], SemFit]) -> None:
    case = CONTENT["score"][name]
    found = score_tests(fit_of(asked(case)))
    near = tolerance(case)
    assert found.df == case["df"]
    assert found.total == pytest.approx(case["total"], rel=near)
    assert len(found.table) == len(case["x2"])
    np.testing.assert_allclose(
        np.sort(found.table["x2"]), np.sort(case["x2"]), rtol=near, atol=near
    )
    # lavaan names the first of two parameters first; we release the second.
    released = dict(
        zip(
            zip(case["right"], case["right_group"], strict=True),
            case["x2"],
            strict=True,
        )
    )
    for row in found.table.to_dict("records"):
        if str(row["other"]).startswith("the constraint"):
            continue
        key = (f"{row['lhs']} {row['op']} {row['rhs']}".strip(), row["group"])
        assert row["x2"] == pytest.approx(released[key], rel=near, abs=near), key


DIFFERENCES = [
    (name, method)
    for name, case in CONTENT["difference"].items()
    for method, test in case["tests"].items()
    if test["chisq"] is not None
]


@pytest.mark.parametrize(("name", "method"), DIFFERENCES)
def test_same_differences(
    name: str, method: str, fit_of: Callable[[str], SemFit]
) -> None:
    case = CONTENT["difference"][name]
    known = case["tests"][method]
    free, restricted = (fit_of(asked(case[k])) for k in ("free", "restricted"))
    found = difference(free, restricted, LAVAAN_METHODS[method])  # type: ignore[arg-type]
    near = tolerance(case["free"])
    assert found.df == known["df"]
    assert found.chisq == pytest.approx(known["chisq"], rel=near, abs=near)
    assert found.pvalue == pytest.approx(known["p"], rel=10 * near, abs=near)


@pytest.mark.parametrize("name", CONTENT["scores"])
def test_same_factor_scores(name: str, fit_of: Callable[[str], SemFit]) -> None:
    case = CONTENT["scores"][name]
    fit = fit_of(asked(case))
    for method, each in case["scores"].items():
        found = factor_scores(fit, method.lower())  # type: ignore[arg-type]
        near = MODES if method == "EBM" else max(CLOSE, tolerance(case))
        for label, known in zip(fit.groups, each, strict=True):
            frame = found.frame
            if len(fit.groups) > 1:
                frame = frame[frame["group"] == label]
            for factor, values in known.items():
                np.testing.assert_allclose(
                    frame[factor].to_numpy()[:10], values, rtol=near, atol=near
                )
        for factor, error in case.get("std_error", {}).get(method, {}).items():
            se = found.std_error[factor].to_numpy()
            np.testing.assert_allclose(se, error, rtol=near)


@pytest.mark.parametrize("name", CONTENT["residuals"])
def test_same_residuals(name: str, fit_of: Callable[[str], SemFit]) -> None:
    case = CONTENT["residuals"][name]
    fit = fit_of(asked(case))
    found = local_fit(fit)
    for k, known in enumerate(case["groups"]):
        table = found.table
        table = table[table["group"] == known["group"]]
        names = [frozenset(p) for p in zip(table["lhs"], table["rhs"], strict=True)]
        rows = table.set_index(pd.Index(names))
        assert len(rows) == len(known["lhs"])
        pairs = [frozenset(p) for p in zip(known["lhs"], known["rhs"], strict=True)]
        rows = rows.loc[pairs]
        near = tolerance(case)
        np.testing.assert_allclose(rows["residual"], known["residual"], atol=near)
        if not known["z"]:
            # lavaan prints none where ordered and numeric variables meet.
            continue
        z = np.array(known["z"], dtype=float)
        shown = np.isfinite(z) & (np.abs(known["residual"]) > ROUNDING)
        z, found_z = z[shown], rows["z"].to_numpy()[shown]
        np.testing.assert_allclose(found_z, z, rtol=ROUNDING, atol=ROUNDING)
        summary = known["summary"]
        usrmr = found.usrmr.iloc[k]
        for ours, theirs in (
            ("usrmr", "usrmr"),
            ("std_error", "usrmr.se"),
            ("conf_low", "usrmr.ci.lower"),
            ("conf_high", "usrmr.ci.upper"),
        ):
            # Ours ends at 0, which no mean square undercuts.
            value = max(summary[theirs], 0.0)
            assert usrmr[ours] == pytest.approx(value, abs=near), theirs


@pytest.mark.parametrize("name", CONTENT["residuals"])
def test_same_implied_moments(name: str, fit_of: Callable[[str], SemFit]) -> None:
    case = CONTENT["residuals"][name]
    fit = fit_of(asked(case))
    p = len(fit.observed)
    for label, known in zip(fit.groups, case["groups"], strict=True):
        cov = fit.implied if len(fit.groups) == 1 else fit.implied.loc[label]
        # R lists the lower triangle column by column.
        upper = cov.to_numpy().T[np.triu_indices(p)]
        np.testing.assert_allclose(upper, known["implied"], rtol=CLOSE, atol=CLOSE)
