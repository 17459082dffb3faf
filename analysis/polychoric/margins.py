"""One variable at a time, person by person: numeric ones, and ordered ones given x."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from analysis.errors import AnalysisError
from analysis.polychoric.normal import EDGE, phi
from analysis.polychoric.probit import ordered_probit

if TYPE_CHECKING:
    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.polychoric.tables import Thresholds


# Residuals this small beside the variable itself are rounding.
_DETERMINED: Final = 1e-7
# Smallest eigenvalue of scaled cross-products that is told from none.
_SINGULAR: Final = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """A variable as a normal one, or as a normal one cut into categories.

    Attributes
    ----------
    ordered
        Whether it is cut.
    seen
        Who answered, shape (n,).
    first
        Thresholds, shape (K - 1,); of a numeric variable its mean, shape (1,).
    slopes
        On the predictors, shape (q,).
    sd
        Residual standard deviation (divisor n); 1 for an ordered variable.
    code
        Number of the answer of an ordered variable, shape (n,); 0 where missing.
    lower, upper
        Between which limits the residual of an ordered variable lies, shapes (n,);
        0 where missing or numeric.
    z
        Standardised residual of a numeric variable, shape (n,); 0 where missing.
    influence
        What each person adds to [first, slopes, variance if numeric], shape (k, n);
        0 where missing.
    """

    ordered: bool
    seen: Bool1D
    first: Float1D
    slopes: Float1D
    sd: float
    code: Int1D
    lower: Float1D
    upper: Float1D
    z: Float1D
    influence: Float2D

    def at(self, rows: Int1D | slice) -> Margin:
        """Keep some people."""
        return replace(
            self,
            seen=self.seen[rows],
            code=self.code[rows],
            lower=self.lower[rows],
            upper=self.upper[rows],
            z=self.z[rows],
            influence=self.influence[:, rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Predictors:
    """Standardised predictors and how to return to their own units.

    Attributes
    ----------
    x
        Shape (n, q): mean 0, variance 1.
    centre, scale
        Shapes (q,).
    """

    x: Float2D
    centre: Float1D
    scale: Float1D

    @classmethod
    def of(cls, exogenous: Float2D, *, where: str) -> Predictors:
        """Standardise.

        Raises
        ------
        AnalysisError
            If predictors do not vary or determine each other.
        """
        centre, scale = exogenous.mean(axis=0), exogenous.std(axis=0)
        if (flat := scale <= np.abs(centre) * 1e-13).any():
            raise AnalysisError(
                f"{where}: predictor {int(np.flatnonzero(flat)[0]) + 1} of "
                f"{len(scale)} does not vary. Leave it out."
            )
        x = (exogenous - centre) / scale
        if x.shape[1] and np.linalg.eigvalsh(x.T @ x / len(x))[0] < 1e-10:  # noqa: PLR2004
            raise AnalysisError(
                f"{where}: the {len(scale)} predictors determine each other (one is a "
                "sum of others). Leave one of them out."
            )
        return cls(x, centre, scale)

    def in_own_units(self, margin: Margin) -> tuple[Float1D, Float1D]:
        """Return thresholds or intercept, and slopes, on predictors as they came."""
        slopes = margin.slopes / self.scale
        shift = float(self.centre @ slopes)
        return margin.first + (shift if margin.ordered else -shift), slopes

    def influence_in_own_units(self, margin: Margin) -> Float2D:
        """Return what each person adds to them, shape (k, n)."""
        found = margin.influence.copy()
        first = len(margin.first)
        slopes = found[first : first + len(self.scale)]
        slopes /= self.scale[:, None]
        shift = self.centre @ slopes
        found[:first] += shift if margin.ordered else -shift
        return found


def numeric_margin(
    y: Float1D, given: Predictors, weights: Float1D, *, where: str
) -> Margin:
    """Regress a numeric variable on the predictors (divisor n).

    Raises
    ------
    AnalysisError
        If the predictors determine it.

    Notes
    -----
    The influence rests on the inverse of summed cross-products of the scores of
    mean, slopes and variance, third and fourth moments included: Muthen (1984) as
    lavaan has it (``lavInspect(fit, "gamma")``).
    """
    seen = ~np.isnan(y)
    x, w, values = given.x[seen], weights[seen], y[seen]
    shift = values.mean()
    design = np.column_stack([np.ones(len(x)), x])
    root = np.sqrt(w)[:, None]
    found = np.linalg.lstsq(design * root, (values - shift) * root[:, 0], rcond=None)[0]
    residual = values - shift - design @ found
    sd = float(np.sqrt(w @ residual**2 / w.sum()))
    if sd <= _DETERMINED * float(values.std()):
        raise AnalysisError(
            f"{where}: the predictors determine it exactly. Leave it or one of them "
            "out."
        )
    z = residual / sd
    scores = np.column_stack([z[:, None] * design, (z * z - 1) / 2]).T
    unit = np.r_[np.full(design.shape[1], sd), sd * sd]
    n, empty = len(y), np.zeros(len(y))
    return Margin(
        ordered=False,
        seen=seen,
        first=found[:1] + shift,
        slopes=found[1:],
        sd=sd,
        code=np.zeros(n, dtype=np.intp),
        lower=empty,
        upper=empty,
        z=_spread(z, seen),
        influence=_spread(_numeric_influence(scores, w, design) * unit[:, None], seen),
    )


def _numeric_influence(scores: Float2D, weights: Float1D, design: Float2D) -> Float2D:
    """Inverse information times scores.

    Where summed cross-products are singular (the square of a variable with two values
    says nothing new) the information is that under normality.
    """
    information = (scores * weights) @ scores.T
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    if np.linalg.eigvalsh(information / np.outer(size, size))[0] > _SINGULAR:
        return _solve(scores, weights)
    k = design.shape[1]
    information = np.zeros((k + 1, k + 1))
    information[:k, :k] = (design * weights[:, None]).T @ design
    information[k, k] = weights.sum() / 2
    return np.asarray(np.linalg.solve(information, scores), dtype=np.float64)


def ordered_margin(
    code: Int1D, n_categories: int, given: Predictors, weights: Float1D, *, where: str
) -> Margin:
    """Regress an ordered variable on the predictors by maximum likelihood.

    Parameters
    ----------
    code
        Number of the answer from 0, shape (n,); `n_categories` or more where missing.
    n_categories
        Number of categories.
    given
        Predictors; without any the thresholds are quantiles.
    weights
        Shape (n,).
    where
        Opens every message.
    """
    seen = code < n_categories
    x, w, answers = given.x[seen], weights[seen], code[seen].astype(np.intp)
    cuts, slopes = ordered_probit(answers, n_categories, x, w, where=where)
    padded = np.r_[-EDGE, cuts, EDGE]
    line = x @ slopes
    # A limit at infinity stays there whatever the predictors say.
    upper = np.where(answers == n_categories - 1, EDGE, padded[answers + 1] - line)
    lower = np.where(answers == 0, -EDGE, padded[answers] - line)
    scores = _limit_scores(*_limit_slopes(lower, upper), answers, len(cuts), x)
    return Margin(
        ordered=True,
        seen=seen,
        first=cuts,
        slopes=slopes,
        sd=1.0,
        code=np.where(seen, code, 0),
        lower=_spread(lower, seen),
        upper=_spread(upper, seen),
        z=np.zeros(len(code)),
        influence=_spread(_solve(scores, w), seen),
    )


def tabled_margin(code: Int1D, n_categories: int, cuts: Thresholds, at: int) -> Margin:
    """Present an ordered variable without predictors person by person.

    Parameters
    ----------
    code
        As for `ordered_margin`.
    n_categories
        Number of categories.
    cuts
        Thresholds of several variables, of which this is number `at`.
    """
    seen = code < n_categories
    answers = np.where(seen, code, 0)
    influence = cuts.influence[at, np.where(seen, code, -1), : n_categories - 1].T
    return Margin(
        ordered=True,
        seen=seen,
        first=cuts.of(at, n_categories),
        slopes=np.empty(0),
        sd=1.0,
        code=answers,
        lower=np.where(seen, cuts.padded[at, answers], 0.0),
        upper=np.where(seen, cuts.padded[at, answers + 1], 0.0),
        z=np.zeros(len(code)),
        influence=influence,
    )


def _limit_slopes(lower: Float1D, upper: Float1D) -> tuple[Float1D, Float1D]:
    """Differentiate ln P(lower < y < upper) by both limits."""
    # The tail in which the interval lies keeps its digits.
    flip = lower > 0
    probability = np.where(flip, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))
    return -phi(lower) / probability, phi(upper) / probability


def margin_scores(
    margin: Margin, first: Float1D, second: Float1D, x: Float2D
) -> Float2D:
    """Turn derivatives by limits or residuals into scores of a margin's parameters.

    Parameters
    ----------
    margin
        The margin, for the same n people.
    first, second
        Derivatives of a log-likelihood by the lower and the upper limit of an ordered
        variable; by the residual of a numeric one (and nothing), shapes (n,).
    x
        Standardised predictors, shape (n, q).

    Returns
    -------
    ndarray
        Shape (k, n): thresholds or mean, slopes, variance if numeric.
    """
    if margin.ordered:
        return _limit_scores(first, second, margin.code, len(margin.first), x)
    by_mean = -first / margin.sd
    by_variance = (-first * margin.z - 1) / (2 * margin.sd**2)
    return np.vstack([by_mean, x.T * by_mean, by_variance])


def _limit_scores(
    by_lower: Float1D, by_upper: Float1D, code: Int1D, n_cuts: int, x: Float2D
) -> Float2D:
    found = np.zeros((n_cuts + 2, len(code)))
    at = np.arange(len(code))
    found[code, at] = by_lower
    found[code + 1, at] = by_upper
    return np.vstack([found[1:-1], -x.T * (by_lower + by_upper)])


def _solve(scores: Float2D, weights: Float1D) -> Float2D:
    information = (scores * weights) @ scores.T
    return np.asarray(np.linalg.solve(information, scores), dtype=np.float64)


def _spread(values: Float2D, seen: Bool1D) -> Float2D:
    """Put values of those who answered back among all, 0 elsewhere (last axis)."""
    if seen.all():
        return values
    found = np.zeros((*values.shape[:-1], len(seen)))
    found[..., seen] = values
    return found
