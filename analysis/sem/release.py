"""Score tests of the equalities that a model imposes, to see which does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis.result import format_p
from analysis.sem.fit import require_fit
from analysis.sem.partable import released
from analysis.sem.partable.values import complex_jacobian
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.fit import SemFit
    from analysis.sem.partable import Parameter

# Part of a direction outside those already free that counts as new.
_NEW = 1e-8
_COLUMNS = ("lhs", "op", "rhs", "group", "other", "x2", "df", "p_value", "epc")


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTests:
    """Tests of equality constraints, one at a time and all at once.

    Attributes
    ----------
    table
        One row per equality, largest first: lhs op rhs group and other (the two
        parameters it equates; the first is the one that would be released), x2 df
        p_value; with robust estimators x2_robust p_value_robust; epc, the expected
        change of the released parameter.
    total, df
        Test of all equalities together; df counts them, as lavaan does, which is too
        many (and the test too mild) where some follow from others.
    n_obs
        Number of respondents.
    """

    table: pd.DataFrame
    total: float
    df: int
    n_obs: int

    def tidy(self) -> pd.DataFrame:
        """One row per equality."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the test of all equalities."""
        known = np.isfinite(self.total)
        return pd.DataFrame(
            {
                "x2": [self.total],
                "df": [self.df],
                "p_value": [float(chi2.sf(self.total, self.df)) if known else np.nan],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Say which equality is the least tenable."""
        if not len(self.table):
            return "The model imposes no equality."
        top = self.table.iloc[0]
        p = top.get("p_value_robust", top["p_value"])
        x2 = top.get("x2_robust", top["x2"])
        return (
            f"Of {len(self.table)} equalities the least tenable is that of "
            f"{top['lhs']} {top['op']} {top['rhs']} ({top['group']}) with "
            f"{top['other']}: score test chi2(1) = {x2:.2f}, {format_p(float(p))}, "
            f"expected change {top['epc']:.3f} (n = {self.n_obs})."
        )


def score_tests(fit: SemFit) -> ScoreTests:
    """Test each equality that labels, `group_equal` and ``==`` impose.

    Notes
    -----
    Rao's score test of releasing one equality while the others hold. Same as
    ``lavaan::lavTestScore(fit)$uni``; tests/reference/sem_post.R. The robust version
    divides by the sandwich variance of the score (Satorra 1989; Yuan & Bentler 1999).
    """
    require_fit(fit, where="score_tests")
    problem = fit.problem
    slope = -problem.slope(fit.theta) / 2
    bend = problem.bend(fit.theta, observed=False) / 2
    tangent = fit.uncertainty.tangent
    filling = fit.uncertainty.middle
    if fit.uncertainty.sandwich is not None:
        filling = fit.uncertainty.sandwich.filling
    n = problem.score_rows
    rows, changes = [], []
    equalities = list(_equalities(fit))
    for first, other, direction in equalities:
        change = _outside(direction, tangent, bend)
        variance = float(change @ bend @ change)
        if variance <= _NEW * float(direction @ bend @ direction):
            continue
        changes.append(change)
        score = float(change @ slope)
        k = int(np.abs(direction).argmax())
        row: dict[str, object] = {
            "lhs": first.lhs,
            "op": first.op,
            "rhs": first.rhs,
            "group": fit.groups[first.group - 1],
            "other": other,
            "x2": n * score**2 / variance,
            "df": 1,
            "p_value": float(chi2.sf(n * score**2 / variance, 1)),
        }
        if filling is not None and fit.problem.method.errors != "standard":
            spread = float(change @ filling @ change)
            row["x2_robust"] = n * score**2 / spread
            row["p_value_robust"] = float(chi2.sf(n * score**2 / spread, 1))
        rows.append(row | {"epc": change[k] * score / variance})
    frame = pd.DataFrame(rows, columns=None if rows else list(_COLUMNS))
    if len(frame):
        by = "x2_robust" if "x2_robust" in frame else "x2"
        frame = frame.sort_values(by, ascending=False, ignore_index=True)
    total = _total(slope, bend, changes, n)
    return ScoreTests(frame, total, len(equalities), fit.n_obs)


def _outside(direction: Float1D, tangent: Float2D, bend: Float2D) -> Float1D:
    """Let the free parameters follow a change as the information has it."""
    if not tangent.shape[1]:
        return direction
    inner = tangent.T @ bend @ tangent
    followed = tangent @ np.linalg.solve(inner, tangent.T @ bend @ direction)
    found: Float1D = direction - followed
    return found


def _total(slope: Float1D, bend: Float2D, changes: list[Float1D], n: int) -> float:
    """Test of giving up all equalities; directions nobody can tell apart count once."""
    if not changes:
        return float("nan")
    every = np.stack(changes, axis=1)
    inner = every.T @ bend @ every
    size = np.sqrt(np.diag(inner))
    alike = inner / np.outer(size, size)
    inverse = np.linalg.pinv(alike, rcond=_NEW, hermitian=True)
    score = (every.T @ slope) / size
    return float(n * score @ inverse @ score)


def _equalities(fit: SemFit) -> Iterator[tuple[Parameter, str, Float1D]]:
    """Each equality: the parameter released, what it equals, the new direction."""
    table = fit.table
    first: dict[str, Parameter] = {}
    for k, row in enumerate(table.free):
        shared = f"label {row.label}" if row.label else f"tie {row.tie}"
        if not (row.label or row.tie):
            continue
        if shared in first:
            direction = np.zeros(len(table.free))
            direction[k] = 1.0
            yield row, table.spell(first[shared]), direction
        else:
            first[shared] = row
    for constraint, direction in released(table, parse(fit.model)):
        k = int(np.abs(direction).argmax())
        line = f"the constraint on line {constraint.place.line}"
        yield table.free[k], line, direction
    yield from _nonlinear(fit)


def _nonlinear(fit: SemFit) -> Iterator[tuple[Parameter, str, Float1D]]:
    """Constraints kept as functions: the direction that breaks one of them."""
    rules = fit.problem.restrictions
    if not rules.equalities:
        return
    normals = complex_jacobian(rules.equal, fit.theta)
    for constraint, normal in zip(rules.equalities, normals, strict=True):
        k = int(np.abs(normal).argmax())
        line = f"the constraint on line {constraint.place.line}"
        yield fit.table.free[k], line, normal
