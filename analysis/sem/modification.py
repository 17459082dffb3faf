"""What would change if a parameter were freed, or an equality given up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import chi2, ncx2

from analysis.sem.fit import require_fit
from analysis.sem.implied import eta_cov, implied
from analysis.sem.inference import pieces, score_products
from analysis.sem.partable import Parameter
from analysis.sem.problem import pose
from analysis.sem.robust import inverse_along, sandwich
from analysis.sem.standardize import whole
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.fit import SemFit
    from analysis.sem.partable import ParameterTable
    from analysis.sem.problem import Problem

Operator: TypeAlias = Literal["=~", "~~", "~"]
# Information about a parameter, relative to its own, that is none.
_NOTHING = 1e-8
_LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class ModificationIndices:
    """What freeing each fixed parameter would bring.

    Attributes
    ----------
    table
        One row per parameter that is not free, largest index first: lhs op rhs group;
        mi (expected fall of chi-square), p_value; epc (expected value), sepc_lv and
        sepc_all (the same, standardised); power (chance to detect a standardised
        change of `delta` at the 5 % level) and decision, after Saris, Satorra & van
        der Veld (2009).
    delta
        The standardised change that is worth finding.
    n_obs
        Number of respondents.
    """

    table: pd.DataFrame
    delta: float
    n_obs: int

    def tidy(self) -> pd.DataFrame:
        """One row per parameter that is not free."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: how many there are, the largest, and how many exceed 3.84."""
        mi = self.table["mi"]
        return pd.DataFrame(
            {
                "n_parameters": [len(mi)],
                "largest": [float(mi.max()) if len(mi) else np.nan],
                "n_significant": [int((mi > chi2.ppf(0.95, 1)).sum())],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Name the three largest; freeing them is post hoc."""
        if not len(self.table):
            return "No parameter could be freed."
        top = [
            f"{r['lhs']} {r['op']} {r['rhs']}"
            f"{' (' + str(r['group']) + ')' if r.get('group') else ''}: "
            f"MI = {r['mi']:.2f}, EPC = {r['epc']:.2f}"
            for r in self.table.head(3).to_dict("records")
        ]
        return (
            f"Largest modification indices (n = {self.n_obs}): {'; '.join(top)}. "
            "Freeing a parameter for its index is post hoc: say so, and test it on "
            "other data."
        )


def modification_indices(fit: SemFit, *, delta: float = 0.1) -> ModificationIndices:
    """Compute modification indices with expected parameter changes.

    Parameters
    ----------
    fit
        A fitted model. Candidates are all that the model holds fixed (loadings,
        covariances, regressions, ``~1``, ``~*~`` and thresholds); loadings of every
        indicator, and of what stands in no regression, on every factor; covariances
        among indicators and among latent variables; and regressions, both ways, among
        the variables that stand in regressions (exogenous predictors, too, unless the
        moments are those given them). Those that could not be identified are left out.
    delta
        Standardised change that is worth finding, for the power.

    Notes
    -----
    Sorbom (1989): N s^2 / v with s the score and v its variance given the free
    parameters, expected information. Same as ``lavaan::modindices(fit)``, unscaled with
    robust estimators, too; tests/reference/sem_post.R. Where lavaan 0.6-14 differs: it
    prints only the sign of the change as the standardised change of a variance or
    scaling factor; holds the moments of predictors while it lets something explain
    them, ours are those of ``fixed.x = FALSE``; tests scaling factors in the theta
    parameterisation, which are no parameters there (see the residual variances); leaves
    out further loadings of items that stand in regressions; and lists some that
    rounding makes look identified. With ``likelihood = "wishart"`` its indices are
    N / (N - 1) times ours.
    """
    require_fit(fit, where="modification_indices")
    rows = list(_freed_one_by_one(fit, _extended(fit)))
    table = _table(fit, rows, delta)
    return ModificationIndices(table, delta, fit.n_obs)


@dataclass(frozen=True, slots=True)
class Freed:
    """What freeing one parameter would bring.

    Attributes
    ----------
    row
        The parameter.
    x2, x2_robust
        Expected fall of chi-square; the same divided by the sandwich variance of the
        score, NaN without robust errors.
    epc
        Expected value, less the one it is held at.
    variance
        Variance of the score given the free parameters, per respondent.
    """

    row: Parameter
    x2: float
    x2_robust: float
    epc: float
    variance: float


def _freed_one_by_one(fit: SemFit, problem: Problem) -> Iterator[Freed]:
    """Score tests of the parameters that are free in `problem` and not in the fit."""
    theta, own = _extended_theta(fit, problem)
    slope = -problem.slope(theta) / 2
    bend = problem.bend(theta, observed=False) / 2
    filling = _filling(problem, theta)
    x = np.array([row.exogenous for row in problem.table.free], dtype=bool)
    tangent = np.zeros((len(theta), fit.uncertainty.tangent.shape[1]))
    tangent[own] = fit.uncertainty.tangent
    tangent = np.hstack([tangent, np.eye(len(theta))[:, x]])
    along = inverse_along(bend, tangent) @ bend if tangent.size else np.zeros_like(bend)
    n = problem.score_rows
    for k in np.flatnonzero(~own & ~x):
        change = -along[:, k]
        change[k] += 1.0
        variance = float(change @ bend @ change)
        if variance <= _NOTHING * bend[k, k] or bend[k, k] <= 0:
            continue
        score = float(change @ slope)
        spread = np.nan if filling is None else float(change @ filling @ change)
        yield Freed(
            problem.table.free[k],
            n * score**2 / variance,
            n * score**2 / spread,
            score / variance,
            variance,
        )


def _filling(problem: Problem, theta: Float1D) -> Float2D | None:
    """Variance of the scores, where errors are robust."""
    if problem.method.errors == "robust_sem":
        parts = pieces(problem, theta)
        return sandwich(parts, np.zeros((len(theta), len(theta)))).filling
    if problem.method.errors == "robust_huber_white":
        return score_products(problem, theta)
    return None


def location_tests(fit: SemFit, *, op: Literal["~1", "~~"]) -> list[Freed]:
    """Test the intercepts, or residual variances, that equal groups hold at 0 and 1.

    Ordered variables have them in all groups and occasions but the first; freeing one
    says that the variable has another location, or scale, there.
    """
    table = fit.table
    tied = {(r.lhs, r.group) for r in table.rows if r.op == "|" and r.tie}
    seen: set[str] = set()
    rows = []
    for r in table.rows:
        located = r.op == op and r.rhs in {"", r.lhs} and r.fixed is not None
        if located and (r.lhs, r.group) in tied and not r.derived:
            tie = next(t.tie for t in table.rows if t.op == "|" and t.lhs == r.lhs)
            if tie in seen:
                rows.append(replace(r, fixed=None))
                continue
            seen.add(tie)
        rows.append(r)
    wider = replace(table, rows=tuple(rows))
    problem = pose(
        wider,
        parse(fit.model),
        fit.problem.moments,
        fit.problem.method,
        fit.problem.gammas,
    )
    return list(_freed_one_by_one(fit, problem))


def _table(fit: SemFit, rows: list[Freed], delta: float) -> pd.DataFrame:
    n = fit.problem.score_rows
    scales = [_Scale.of(fit, g) for g in range(len(fit.groups))]
    out = []
    for freed in rows:
        row, mi, epc = freed.row, freed.x2, freed.epc
        lv, everything = scales[row.group - 1].divisors(row)
        far = n * freed.variance * (delta / everything) ** 2
        power = ncx2.sf(chi2.ppf(1 - _LEVEL, 1), 1, far)
        out.append(
            {
                "lhs": row.lhs,
                "op": row.op,
                "rhs": row.rhs,
                "group": fit.groups[row.group - 1],
                "mi": mi,
                "p_value": float(chi2.sf(mi, 1)),
                "epc": epc,
                "sepc_lv": epc * lv,
                "sepc_all": epc * everything,
                "power": float(power),
            }
        )
    columns = ["lhs", "op", "rhs", "group", "mi", "p_value", "epc", "sepc_lv"]
    frame = pd.DataFrame(out, columns=[*columns, "sepc_all", "power"])
    frame["decision"] = [
        _decision(float(m), float(p), float(e), delta)
        for m, p, e in zip(frame["mi"], frame["power"], frame["sepc_all"], strict=True)
    ]
    if len(fit.groups) == 1:
        frame = frame.drop(columns="group")
    return frame.sort_values("mi", ascending=False, ignore_index=True)


def _decision(mi: float, power: float, change: float, delta: float) -> str:
    """Judge a parameter by index and power (Saris, Satorra & van der Veld 2009)."""
    found, strong = mi > chi2.ppf(1 - _LEVEL, 1), power > 0.75  # noqa: PLR2004 - theirs
    if not found:
        return "none" if strong else "inconclusive"
    if not strong:
        return "misspecified"
    return "look at the EPC" if abs(change) >= delta else "too small to matter"


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Standard deviations that standardise a change of a parameter."""

    eta: dict[str, float]
    total: dict[str, float]
    residual: dict[str, float]
    latent: frozenset[str]

    @classmethod
    def of(cls, fit: SemFit, g: int) -> _Scale:
        layout = fit.problem.layouts[g]
        m = whole(layout, fit.theta)
        with np.errstate(invalid="ignore"):
            eta = np.sqrt(np.diag(eta_cov(m)))
            total = np.sqrt(np.diag(implied(m).cov))
            residual = np.sqrt(np.diag(m.Theta))
            psi = np.sqrt(np.diag(m.Psi))
        left = dict(zip(fit.observed, residual.tolist(), strict=True))
        left |= dict(zip(layout.eta, psi.tolist(), strict=True))
        return cls(
            dict(zip(layout.eta, eta.tolist(), strict=True)),
            dict(zip(fit.observed, total.tolist(), strict=True))
            | dict(zip(layout.eta, eta.tolist(), strict=True)),
            left,
            frozenset(fit.latent),
        )

    def divisors(self, row: Parameter) -> tuple[float, float]:
        """Factors that turn a change into std.lv and std.all units."""

        def lv(name: str, *, residual: bool) -> float:
            known = self.residual if residual else self.eta
            return known[name] if name in self.latent else 1.0

        if row.op == "~*~":
            return 1.0, 1.0
        if row.op in {"~1", "|"}:
            own = lv(row.lhs, residual=False)
            return _over(own), _over(self.total[row.lhs])
        if row.is_variance:
            own = lv(row.lhs, residual=False)
            return _over(own**2), _over(self.total[row.lhs] ** 2)
        if row.op == "~~":
            a, b = row.lhs, row.rhs
            both = lv(a, residual=True) * lv(b, residual=True)
            return _over(both), _over(self.residual[a] * self.residual[b])
        if row.op == "=~":
            size = self.eta[row.lhs]
            below = lv(row.rhs, residual=False)
            return size * _over(below), size * _over(self.total[row.rhs])
        below, size = lv(row.lhs, residual=False), lv(row.rhs, residual=False)
        ratio = self.total[row.rhs] * _over(self.total[row.lhs])
        return size * _over(below), ratio


def _over(size: float) -> float:
    """One over a standard deviation; NaN where there is none."""
    return 1 / size if size else float("nan")


def _extended(fit: SemFit) -> Problem:
    """Free every candidate in the model; the rest stays as it is."""
    table = fit.table
    likelihood = fit.problem.method.discrepancy in {"ML", "FIML"}
    random = likelihood and not table.conditional
    rows: list[Parameter] = []
    for group in range(1, len(table.groups) + 1):
        here = [_freed(r, random=random) for r in table.rows if r.group == group]
        known = {r.key for r in here}
        backwards = {(r.rhs, "~", r.lhs) for r in here if r.op == "=~"}
        rows += here
        rows += [
            replace(r, group=group)
            for r in _candidates(table)
            if r.key not in known and r.key not in backwards
        ]
    wider = replace(table, rows=tuple(rows))
    return pose(
        wider,
        parse(fit.model),
        fit.problem.moments,
        fit.problem.method,
        fit.problem.gammas,
    )


def _freed(row: Parameter, *, random: bool) -> Parameter:
    """Free a parameter that is fixed by the model, not by what it is.

    With `random`, moments of predictors, too, so that a predictor can be explained.
    """
    held = row.exogenous and not random
    if row.fixed is None or row.derived or held:
        return row
    return replace(row, fixed=None, label="", tie="")


def _candidates(table: ParameterTable) -> Iterator[Parameter]:
    """Parameters that the model leaves out, as of the first group."""
    rows = [r for r in table.rows if r.group == 1]
    related = {n for r in rows if r.op == "~" for n in (r.lhs, r.rhs)}
    measured = {r.rhs for r in rows if r.op == "=~"}
    indicators = [n for n in table.observed if n in measured]
    loading = {*table.observed} - (related - measured) - {*table.predictors}
    for factor in table.latent:
        for name in table.observed:
            if name in loading:
                yield Parameter(factor, "=~", name)
    for a, b in (*combinations(indicators, 2), *combinations(table.latent, 2)):
        yield Parameter(a, "~~", b)
    given = {*table.exogenous} if table.conditional else set()
    structural = [n for n in (*table.latent, *table.observed) if n in related]
    for a, b in permutations(structural, 2):
        # Given the predictors, nothing explains them; a factor's effect on an item is
        # its loading.
        if a not in given and not (a in loading and b in table.latent):
            yield Parameter(a, "~", b)


def _extended_theta(fit: SemFit, problem: Problem) -> tuple[Float1D, np.ndarray]:
    """Estimates of the free parameters, and what the others are held at."""
    known = {
        (r.key, r.group): v for r, v in zip(fit.table.free, fit.theta, strict=True)
    }
    held = {(r.key, r.group): r.fixed or 0.0 for r in fit.table.rows}
    theta, own = [], []
    for row in problem.table.free:
        key = (row.key, row.group)
        own.append(key in known)
        theta.append(known.get(key, held.get(key, 0.0)))
    return np.array(theta, dtype=np.float64), np.array(own, dtype=bool)
