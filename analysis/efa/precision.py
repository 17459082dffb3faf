"""Which standard errors a solution can have, and getting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.efa.extract import LOWEST_UNIQUENESS
from analysis.efa.fit import Precision
from analysis.efa.resample import Recipe, redraw
from analysis.efa.rotations import Promax, meant, weighted_by_default
from analysis.efa.uncertainty import (
    Solution,
    given_covariance,
    influence,
    normal_covariance,
    robust_covariance,
    standard_errors,
)
from analysis.errors import AnalysisError
from analysis.polychoric import polychoric, robust_polychoric_covariance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.correlations import Correlation

StdErrors: TypeAlias = Literal["none", "analytic", "robust", "bootstrap"]

CONF_LEVEL: Final = 0.95
# Variances of correlations this much apart, in the middle, speak against normality:
# with normal variables hardly one sample in fifty comes so far, whatever its size.
NOT_NORMAL, BY_CHANCE = 1.1, 4.0
Row: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """A solution, factors in their final order.

    Attributes
    ----------
    L, Phi
        Pattern, shape (p, k), and factor correlations, shape (k, k).
    uniqueness
        Shape (p,).
    factors
        Names of the factors.
    recipe
        How it was found.
    """

    L: Float2D
    Phi: Float2D
    uniqueness: Float1D
    factors: Sequence[str]
    recipe: Recipe


def polychoric_covariance(
    corr: Correlation, se: StdErrors
) -> tuple[Float2D, list[Row]]:
    """Estimate the sampling covariance of polychoric correlations, pairs by row.

    Parameters
    ----------
    corr
        The correlations and their answers.
    se
        ``"robust"`` leans on nothing, ``"analytic"`` on normal variables behind the
        answers; the rows warn where the two are clearly apart.
    """
    answered = ~np.isnan(corr.codes).all(axis=1)
    robust = robust_polychoric_covariance(corr.codes[answered])
    if se == "robust":
        return robust, []
    frame = pd.DataFrame(corr.codes, columns=list(corr.names))
    gaps = bool(np.isnan(corr.codes).any())
    found = polychoric(
        frame, missing="pairwise" if gaps else "listwise", acov=True, where="efa"
    )
    if found.acov is None:
        raise AnalysisError("efa: the polychoric correlations came without covariance.")
    pairs = corr.n_items * (corr.n_items - 1) // 2
    acov: Float2D = found.acov.to_numpy()[-pairs:, -pairs:]
    return acov, _not_normal(robust, acov, corr.n_obs)


def _not_normal(robust: Float2D, acov: Float2D, n: int) -> list[Row]:
    ratio = float(np.median(np.diag(robust) / np.diag(acov)))
    if ratio <= NOT_NORMAL + BY_CHANCE / np.sqrt(n):
        return []
    what = (
        "the variables behind the answers are not normal: standard errors of "
        f"correlations are {np.sqrt(ratio) - 1:.0%} larger without that (median)"
    )
    return [(what, "standard errors", "Use se='robust' or se='bootstrap'.")]


def check_errors(se: StdErrors, corr: Correlation, recipe: Recipe) -> None:
    """Refuse standard errors that are not known for what was asked.

    Raises
    ------
    AnalysisError
        Naming the ones that are.
    """
    if se in {"none", "bootstrap"}:
        return
    problem = ""
    if isinstance(meant(recipe.rotation), Promax):
        problem = "promax minimises no criterion"
    elif corr.kind == "spearman":
        problem = "correlations are Spearman's"
    elif corr.smoothed:
        problem = "the correlations were smoothed"
    elif corr.kind == "pearson" and corr.n_pair < corr.n_obs:
        problem = "Pearson correlations are pairwise"
    elif se == "robust" and not len(corr.codes):
        problem = "the correlations were given without answers"
    elif corr.kind == "polychoric" and not len(corr.codes):
        problem = "the polychoric correlations were given without answers"
    if problem:
        raise AnalysisError(
            f"efa: se={se!r} has no formula here, because {problem}. Use "
            "se='bootstrap' or se='none'."
        )


def analytic(
    found: Estimates, corr: Correlation, se: StdErrors, acov: Float2D | None
) -> tuple[Precision | None, list[Row]]:
    """Find standard errors in closed form; None, with the reason, if there are none."""
    recipe = found.recipe
    if found.uniqueness.min() <= LOWEST_UNIQUENESS * (1 + 1e-6):
        return None, [_absent("a uniqueness is at its bound (Heywood case)")]
    options = meant(recipe.rotation)
    if isinstance(options, Promax):
        return None, [_absent("promax minimises no criterion")]
    solution = Solution(
        found.L,
        found.Phi,
        recipe.method,
        options,
        weighted_by_default(options) if recipe.kaiser is None else recipe.kaiser,
    )
    normal = se == "analytic" and acov is None
    change = influence(solution, None if normal else corr.R)
    if change is None:
        return None, [_absent("the rotation is not unique")]
    if acov is not None:
        covariance = given_covariance(change, acov)
        source = "polychoric" if se == "analytic" else "polychoric, distribution-free"
    elif normal:
        covariance = normal_covariance(change, solution.implied, corr.n_obs)
        source = "normal theory"
    else:
        covariance = robust_covariance(change, corr.codes, corr.R)
        source = "distribution-free"
    errors, phi_errors = standard_errors(change, covariance)
    z = float(norm.ppf(0.5 + CONF_LEVEL / 2))
    phi_low, phi_high = _fisher(found.Phi, phi_errors, z)
    limits = (found.L - z * errors, found.L + z * errors, phi_low, phi_high)
    return _precision(found, corr, source, (errors, phi_errors), limits), []


def _absent(why: str) -> Row:
    return (
        f"standard errors do not exist: {why}",
        "standard errors",
        "Ask for fewer factors or another rotation, or use se='bootstrap'.",
    )


def _fisher(Phi: Float2D, errors: Float2D, z: float) -> tuple[Float2D, Float2D]:
    """Limits of correlations on Fisher's scale; those of 1 and fixed 0 stay."""
    inside = np.where(np.eye(len(Phi), dtype=bool), 0.0, Phi)
    half = z * errors / (1 - inside**2)
    low, high = np.tanh(np.arctanh(inside) - half), np.tanh(np.arctanh(inside) + half)
    np.fill_diagonal(low, 1.0)
    np.fill_diagonal(high, 1.0)
    return low, high


def bootstrapped(
    found: Estimates, corr: Correlation, *, draws: int, seed: int
) -> tuple[Precision, list[Row]]:
    """Take standard deviations and percentiles over samples drawn again."""
    redrawn = redraw(
        corr, found.L, found.uniqueness, found.recipe, draws=draws, seed=seed
    )
    tails = [50 - 50 * CONF_LEVEL, 50 + 50 * CONF_LEVEL]
    low, high = np.percentile(redrawn.L, tails, axis=0)
    phi_low, phi_high = np.percentile(redrawn.Phi, tails, axis=0)
    errors = (redrawn.L.std(axis=0, ddof=1), redrawn.Phi.std(axis=0, ddof=1))
    precision = _precision(
        found,
        corr,
        "bootstrap",
        errors,
        (low, high, phi_low, phi_high),
        drawn=(draws, redrawn.failed),
    )
    rows = []
    if redrawn.failed:
        rows.append(
            (
                f"{redrawn.failed} of {draws} bootstrap samples had no solution",
                "standard errors",
                "Read standard errors as too small, or ask for fewer factors.",
            )
        )
    return precision, rows


def _precision(
    found: Estimates,
    corr: Correlation,
    source: str,
    errors: tuple[Float2D, Float2D],
    limits: tuple[Float2D, Float2D, Float2D, Float2D],
    *,
    drawn: tuple[int, int] = (0, 0),
) -> Precision:
    names, items = list(found.factors), list(corr.names)

    def loadings(x: Float2D) -> pd.DataFrame:
        return pd.DataFrame(x, index=items, columns=names)

    def correlations(x: Float2D) -> pd.DataFrame:
        return pd.DataFrame(x, index=names, columns=names)

    return Precision(
        source=source,
        std_error=loadings(errors[0]),
        phi_std_error=correlations(errors[1]),
        conf_low=loadings(limits[0]),
        conf_high=loadings(limits[1]),
        phi_conf_low=correlations(limits[2]),
        phi_conf_high=correlations(limits[3]),
        conf_level=CONF_LEVEL,
        draws=drawn[0],
        failed=drawn[1],
    )
