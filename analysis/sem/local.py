"""Local fit: which correlations a model misses, and by how much beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plots.residuals import residual_heatmap
from analysis.sem.casewise import gamma, middle, moment_scores, normal_gamma, outside
from analysis.sem.discrepancy import weighted
from analysis.sem.fit import require_fit
from analysis.sem.implied import filled, implied
from analysis.sem.inference import inner_product, likelihood_weight, pieces
from analysis.sem.missing import information
from analysis.sem.pairs import inverse
from analysis.sem.problem import normal_moment_weight
from analysis.sem.residuals import model_moments
from analysis.sem.robust import Piece, inverse_along
from analysis.sem.stack import NumericStack, OrdinalStack, stack_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.fit import SemFit
    from analysis.sem.problem import Problem
    from analysis.sem.stack import Label

#: Correlation residuals beyond this are worth a look (Kline 2016).
WORTH: Final = 0.10
_LEVEL: Final = 0.90
_ROUNDING: Final = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class LocalFit:
    """Residuals with standard errors, and their unbiased mean square.

    Attributes
    ----------
    table
        One row per pair of variables and group, largest first: lhs rhs group (empty
        without groups), residual (of the covariance in units of the sample's standard
        deviations, that is of the correlation), std_error, z, p_value, beyond (more
        than .10).
    usrmr
        One row per group: group, usrmr (unbiased estimate of the population's SRMR),
        std_error, conf_low, conf_high (90 %), srmr (the biased one).
    n_obs
        Number of respondents.
    matrices
        Residual correlations by group, variables in the order of the model.
    """

    table: pd.DataFrame
    usrmr: pd.DataFrame
    n_obs: int
    matrices: Mapping[str, pd.DataFrame]

    def tidy(self) -> pd.DataFrame:
        """One row per pair of variables (and group)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: largest residual, how many exceed .10, and the unbiased SRMR."""
        return pd.DataFrame(
            {
                "n_pairs": [len(self.table)],
                "n_beyond": [int(self.table["beyond"].sum())],
                "largest": [float(self.table["residual"].abs().max())],
                "usrmr": [float(self.usrmr["usrmr"].mean())],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Say how large residuals are, and which is the largest."""
        if not len(self.table):
            return "No residuals: one variable."
        top = self.table.iloc[0]
        u = self.usrmr.iloc[0]
        return (
            f"{int(self.table['beyond'].sum())} of {len(self.table)} residual "
            f"correlations exceed .10; largest {top['lhs']} with {top['rhs']} "
            f"{top['residual']:+.2f} (z = {top['z']:.1f}); unbiased SRMR = "
            f"{u['usrmr']:.3f} [90% CI {u['conf_low']:.3f}, {u['conf_high']:.3f}] "
            f"(n = {self.n_obs})"
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Heatmap of the residual correlations (of the first group)."""
        group, matrix = next(iter(self.matrices.items()))
        place = f" ({group})" if group else ""
        named = matrix.rename(index=labels, columns=labels) if labels else matrix
        axes = residual_heatmap(named, n=self.n_obs, ax=ax)
        if place:
            axes.set_title(axes.get_title(loc="left") + place, loc="left")
        return axes


def local_fit(fit: SemFit) -> LocalFit:
    """Compare sample and implied correlations pair by pair.

    Parameters
    ----------
    fit
        A fitted model. With incomplete rows residuals are from the saturated
        maximum-likelihood moments.

    Notes
    -----
    Residuals in Bentler's metric; their covariance is (I - P) Gamma (I - P)' / N with
    P the projection of the estimator. Weights and Gamma are of the kind of information
    that the standard errors have (expected, observed, first order), the weights at the
    implied moments (GLS: at the sample's), Gamma at the sample's.
    Unbiased SRMR: Maydeu-Olivares (2017), eq. 8 to 12. Same as
    ``lavaan::lavResiduals(fit)``; tests/reference/sem_post.R.
    """
    require_fit(fit, where="local_fit")
    rows, squares, matrices = [], [], {}
    for g, label in enumerate(fit.groups):
        found = _group(fit, g)
        rows.append(found.table.assign(group=label))
        squares.append(found.usrmr | {"group": label})
        matrices[label] = found.matrix
    table = pd.concat(rows, ignore_index=True)
    table = table[table["lhs"] != table["rhs"]]
    order = table["residual"].abs().sort_values(ascending=False).index
    table = table.loc[order].reset_index(drop=True)
    columns = ["lhs", "rhs", "group", "residual", "std_error", "z", "p_value", "beyond"]
    return LocalFit(table[columns], pd.DataFrame(squares), fit.n_obs, matrices)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    table: pd.DataFrame
    usrmr: dict[str, float]
    matrix: pd.DataFrame


def _group(fit: SemFit, g: int) -> _Group:
    problem = fit.problem
    layout, moments = problem.layouts[g], problem.moments[g]
    stack = stack_of(layout)
    cov, _ = model_moments(layout, fit.theta)
    names = list(fit.observed)
    sd = moments.sd
    raw = pd.DataFrame((moments.cov - cov) / np.outer(sd, sd), names, names)
    labels = stack.labels
    vector, unit = _residual_vector(fit, g, stack)
    spread = _spread(fit, g) / np.outer(unit, unit)
    se = np.sqrt(np.maximum(np.diag(spread), 0.0))
    keep = [k for k, label in enumerate(labels) if _is_pair(label)]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se > 1e-12, vector / se, np.nan)  # noqa: PLR2004 - rounding
    table = pd.DataFrame(
        {
            "lhs": [labels[k][0] for k in keep],
            "rhs": [labels[k][1] for k in keep],
            "residual": vector[keep],
            "std_error": se[keep],
            "z": z[keep],
        }
    )
    table["p_value"] = 2 * norm.sf(table["z"].abs())
    table["beyond"] = table["residual"].abs() > WORTH
    counted = list(range(len(labels)))
    size = len(counted)
    if isinstance(stack, OrdinalStack):
        # Correlations only; variances and predictors count, as in the SRMR.
        counted = [k for k in keep if labels[k][0] != labels[k][1]]
        size = len(counted) + len(stack.own) + len(stack.given)
    return _Group(table, _unbiased(vector[counted], spread, counted, size), raw)


def _is_pair(label: Label) -> bool:
    second = label[1]
    return bool(second) and second[0] not in "|~"


def _residual_vector(
    fit: SemFit, g: int, stack: NumericStack | OrdinalStack
) -> tuple[Float1D, Float1D]:
    """Residuals in units of the sample's standard deviations, and these units."""
    moments = fit.problem.moments[g]
    sd = dict(zip(fit.observed, moments.sd.tolist(), strict=True))
    unit = np.array([_unit(label, sd) for label in stack.labels])
    modelled = stack.vector(fit.theta)
    if isinstance(stack, NumericStack):
        sample = stack.of(moments.mean, moments.cov)
    elif moments.mixed is not None:
        sample = moments.mixed.moments
    else:
        raise ValueError("moments without thresholds")
    return (sample - modelled) / unit, unit


def _unit(label: Label, sd: Mapping[str, float]) -> float:
    """Divide means and covariances by standard deviations; the rest is unit-free."""
    first, second = label
    if _is_pair(label):
        return sd[first] * sd[second]
    return 1.0 if second else sd[first]


def _spread(fit: SemFit, g: int) -> Float2D:
    """Covariance of the residuals of one group."""
    problem = fit.problem
    parts = pieces(problem, fit.theta) if problem.gammas else _likelihood_pieces(fit)
    bread = inverse_along(inner_product(parts), fit.uncertainty.tangent)
    piece = parts[g]
    half = weighted(piece.weight, piece.by_theta)
    through = np.eye(len(half)) - piece.share * piece.by_theta @ bread @ half.T
    found: Float2D = through @ piece.gamma @ through.T
    # Moments that the model reproduces whatever the sample: their variance is rounding.
    still = np.diag(found) <= _ROUNDING * np.diag(piece.gamma)
    found[still], found[:, still] = 0.0, 0.0
    return found / problem.moments[g].n_obs


def _likelihood_pieces(fit: SemFit) -> tuple[Piece, ...]:
    """Take derivatives, weights and covariances where a likelihood is maximised.

    Both are of the kind of information that the standard errors have: expected,
    observed or of first order, the weight at the implied moments and the covariance at
    the sample's. Robust errors (MLR) take moments of any distribution.
    """
    problem = fit.problem
    return tuple(
        Piece(
            float(problem.shares[g]),
            stack_of(layout).jacobian(fit.theta),
            _weight(problem, g, fit.theta),
            _gamma(problem, g),
        )
        for g, layout in enumerate(problem.layouts)
    )


def _weight(problem: Problem, g: int, theta: Float1D) -> Float2D:
    """Information of one row of a group about its moments; GLS has the sample's."""
    method, moments = problem.method, problem.moments[g]
    means = problem.table.meanstructure
    if method.discrepancy == "GLS":
        return normal_moment_weight(moments.cov, means=means)
    if method.information == "observed":
        return likelihood_weight(problem, g, theta)
    found = implied(filled(problem.layouts[g], theta))
    mean = found.mean if means else moments.mean
    return _information(problem, g, mean, found.cov)


def _gamma(problem: Problem, g: int) -> Float2D:
    """Asymptotic covariance of the moments of a group, times its number of rows."""
    method, moments = problem.method, problem.moments[g]
    means = problem.table.meanstructure
    robust = method.errors == "robust_huber_white"
    x = tuple(problem.table.observed.index(n) for n in problem.table.exogenous)
    if moments.patterns is None and method.information != "first_order":
        return (gamma if robust else normal_gamma)(moments, means=means, exogenous=x)
    keep = outside(len(moments.mean), x, means=means)
    inside = np.ix_(keep, keep)
    known = _information(problem, g, moments.mean, moments.cov)[inside]
    spread = inverse(known)
    if robust:
        scores = moment_scores(moments, moments.mean, moments.cov, means=means)
        spread = spread @ middle(scores[:, keep], moments) @ spread
    found = np.zeros((len(keep), len(keep)))
    found[inside] = spread
    return found


def _information(problem: Problem, g: int, mean: Float1D, cov: Float2D) -> Float2D:
    """Information of one row about its moments, of the kind that errors have."""
    kind, moments = problem.method.information, problem.moments[g]
    means = problem.table.meanstructure
    if kind == "first_order":
        return middle(moment_scores(moments, mean, cov, means=means), moments)
    if moments.patterns is None:
        return normal_moment_weight(cov, means=means)
    return information(moments.patterns, mean, cov, observed=kind == "observed")


def _unbiased(
    vector: Float1D, spread: Float2D, counted: list[int], size: int
) -> dict[str, float]:
    inner = spread[np.ix_(counted, counted)]
    t, square = size, float(vector @ vector)
    trace, second = float(np.trace(inner)), float((inner * inner).sum())
    along = float(vector @ inner @ vector)
    srmr = float(np.sqrt(square / t)) if t else 0.0
    if square <= 0:
        return {"usrmr": 0.0, "std_error": 0.0, "conf_low": 0.0, "conf_high": 0.0}
    factor = 1 - (second + 2 * along) / (4 * square**2)
    value = float(np.sqrt(max(square - trace, 0.0) / t)) / factor
    se = float(np.sqrt((second + 2 * along) / (2 * t * square))) / abs(factor)
    far = float(norm.ppf((1 + _LEVEL) / 2))
    return {
        "usrmr": value,
        "std_error": se,
        "conf_low": max(value - far * se, 0.0),
        "conf_high": value + far * se,
        "srmr": srmr,
    }
