"""Where people stand, by likelihood alone or with a prior: ML, WLE, MAP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from analysis.answers import item_codes, require_choice
from analysis.errors import AnalysisError
from analysis.irt.fit import GradedResponse
from analysis.oddities import FEW_ROWS
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.irt.curves import Item

#: ``"ml"`` is infinite for the lowest and highest answers; ``"wle"`` is not; ``"map"``
#: draws to the mean.
Method = Literal["ml", "wle", "map"]
# Roots are looked for between these; intervals of this grid are halved to the end.
_GRID: Final = np.linspace(-20, 20, 161)
_HALVINGS: Final = 45
_WHERE: Final = "person scores"


@dataclass(frozen=True, slots=True, eq=False)
class PersonScores:
    """Scores of people under a graded response model.

    Attributes
    ----------
    frame
        One row per row of the data, same index: `estimate`, `std_error`, `n_answered`;
        NaN without any answer.
    method
        How they were estimated.
    n_obs
        People with at least one answer.
    n_infinite
        People whose maximum likelihood score is infinite.
    warnings
        What needs a second look: what, where, remedy.
    """

    frame: pd.DataFrame
    method: Method
    n_obs: int
    n_infinite: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per person, named by `row`, with a 95 % interval."""
        z = float(norm.ppf(0.975)) * self.frame["std_error"]
        table = self.frame[["estimate", "std_error"]].assign(
            conf_low=self.frame["estimate"] - z,
            conf_high=self.frame["estimate"] + z,
            n_answered=self.frame["n_answered"],
        )
        return table.rename_axis("row").reset_index()

    def glance(self) -> pd.DataFrame:
        """One row: method, sizes, mean and spread of the finite scores."""
        finite = self.frame[np.isfinite(self.frame["estimate"])]
        return pd.DataFrame(
            {
                "method": [self.method],
                "n_obs": [self.n_obs],
                "n_infinite": [self.n_infinite],
                "mean": [float(finite["estimate"].mean())],
                "sd": [float(finite["estimate"].std())],
                "std_error_median": [float(finite["std_error"].median())],
            }
        )

    def summary(self) -> str:
        """Describe the scores in a sentence."""
        row = self.glance().iloc[0]
        infinite = f"; {self.n_infinite} are infinite" if self.n_infinite else ""
        return (
            f"{self.method.upper()} scores of {self.n_obs} people: mean "
            f"{row['mean']:.2f}, SD {row['sd']:.2f}, median standard error "
            f"{row['std_error_median']:.2f}{infinite}"
        )


def person_scores(
    fit: GradedResponse, items: pd.DataFrame, *, method: Method = "wle"
) -> PersonScores:
    """Score people by what their answers say alone, or with a standard normal prior.

    Parameters
    ----------
    fit
        A graded response model.
    items
        Answers to its items, one row per person, missing as NA; further columns are
        not looked at. Also people who were not in the model.
    method
        ``"ml"``: the maximum of the likelihood, infinite for people who gave only the
        lowest or only the highest answers; ``"wle"``: weighted likelihood, finite and
        less biased; ``"map"``: the maximum of the posterior. Means of the posterior
        (EAP) are ``fit.scores``.

    Returns
    -------
    PersonScores
        Standard errors are ``1 / sqrt(I)`` with the Fisher information of the answered
        items at the estimate, for MAP ``1 / sqrt(I + 1)``; NaN where infinite.

    Raises
    ------
    AnalysisError
        If an item of the model is missing, not numeric, or holds a code that nobody
        gave when the model was fitted.

    Notes
    -----
    Samejima (1969); Warm (1989), for several categories Samejima (1998): the root of
    ``l'(theta) + J / (2 I)`` with ``J = sum P' P'' / P``. Same as
    ``mirt::fscores(fit, method = "ML" | "WLE" | "MAP")``; tests/reference/
    irt_persons.R.
    """
    require_choice("method", method, get_args(Method), where=_WHERE)
    if not isinstance(fit, GradedResponse):
        raise AnalysisError(
            f"{_WHERE}: got a {type(fit).__name__} in place of a model. Give what "
            "graded_response(items) returns, then the answers."
        )
    if not isinstance(items, pd.DataFrame):
        raise AnalysisError(
            f"{_WHERE}: got a {type(items).__name__}. Give a DataFrame of answers, one "
            "column per item."
        )
    if absent := [name for name in fit.names if name not in items.columns]:
        raise AnalysisError(
            f"{_WHERE}: items of the model are missing: {absent}. Hand in all of "
            f"{', '.join(fit.names)}."
        )
    x = item_codes(items[list(fit.names)], where=_WHERE)
    ranks = _ranks(x, fit)
    patterns, pattern_of = np.unique(ranks, axis=0, return_inverse=True)
    answered = (patterns >= 0).sum(axis=1)
    estimate, std_error = _solve(fit.items, patterns, method)
    at = pattern_of.reshape(-1)
    frame = pd.DataFrame(
        {
            "estimate": estimate[at],
            "std_error": std_error[at],
            "n_answered": answered[at],
        },
        index=items.index,
    )
    n_infinite = int(np.isinf(frame["estimate"]).sum())
    return PersonScores(
        frame=frame,
        method=method,
        n_obs=int((frame["n_answered"] > 0).sum()),
        n_infinite=n_infinite,
        warnings=warning_table(
            [
                *_infinite(n_infinite, len(frame)),
                *_far(frame),
                *_unanswered(frame),
                *_alike(x, fit.names),
            ]
        ),
    )


def _infinite(count: int, n: int) -> Iterator[tuple[str, str, str]]:
    if count:
        yield (
            "scores_infinite",
            f"{count} of {n} people gave only the lowest or only the highest answers",
            "Use method='wle' or fit.scores; do not average these.",
        )


def _far(frame: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    lost = int((frame["estimate"].isna() & (frame["n_answered"] > 0)).sum())
    if lost:
        yield (
            "scores_far",
            f"{lost} of {len(frame)} people stand beyond {_GRID[-1]:.0f}: no score",
            "Their items say almost nothing of the trait; use fit.scores.",
        )


def _unanswered(frame: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    count = int((frame["n_answered"] == 0).sum())
    if count or not len(frame):
        yield (
            "scores_missing",
            f"{count} of {len(frame)} people answered no item: no score",
            "Leave them out of what follows; look why they are there.",
        )


def _alike(x: Float2D, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Warn where answers to an item are all alike, although there are many."""
    alike = [
        name
        for name, column in zip(names, x.T, strict=True)
        if len(answers := column[~np.isnan(column)]) >= FEW_ROWS
        and np.ptp(answers) == 0
    ]
    if alike:
        yield (
            "item_constant",
            f"everybody gave the same answer: {', '.join(alike)}",
            "Was the item asked of these people, and coded as in the model?",
        )


def _ranks(x: Float2D, fit: GradedResponse) -> Int1D:
    """Count answers from zero, -1 where missing; refuse codes new to the model."""
    ranks, faults = np.full(x.shape, -1), []
    for j, (name, codes) in enumerate(zip(fit.names, fit.categories, strict=True)):
        there = ~np.isnan(x[:, j])
        given = x[there, j]
        place = np.searchsorted(codes, given).clip(max=len(codes) - 1)
        if len(strange := np.unique(given[codes[place] != given])):
            faults.append(f"{name!r} holds {[float(code) for code in strange]}")
        ranks[there, j] = place
    if faults:
        raise AnalysisError(
            f"{_WHERE}: codes that nobody gave when the model was fitted: "
            f"{'; '.join(faults)}. Fit the model with these people, or join the codes."
        )
    return ranks


def _solve(
    items: Sequence[Item], patterns: Int1D, method: Method
) -> tuple[Float1D, Float1D]:
    """Find the root of the estimating function of each pattern, and its error."""
    answered = patterns >= 0
    some = answered.any(axis=1)
    estimate = np.full(len(patterns), np.nan)
    if method == "ml":
        estimate[some] = _ends(items, patterns[some])
        some = some & (estimate == 0)
    start = np.stack(
        [
            _equation(items, patterns[some], np.full(int(some.sum()), at), method)
            for at in _GRID
        ]
    )
    estimate[some] = _halve(items, patterns[some], start, method)
    finite = np.isfinite(estimate)
    std_error = np.full(len(patterns), np.nan)
    _, information, _ = _sums(items, patterns[finite], estimate[finite])
    std_error[finite] = 1 / np.sqrt(information + (method == "map"))
    return estimate, std_error


def _ends(items: Sequence[Item], patterns: Int1D) -> Float1D:
    """Infinity for people who gave only extreme answers of one end, else zero."""
    low, high = np.ones(len(patterns), bool), np.ones(len(patterns), bool)
    for j, item in enumerate(items):
        missing = patterns[:, j] < 0
        bottom = patterns[:, j] == 0
        top = patterns[:, j] == len(item.intercepts)
        if item.slope < 0:
            bottom, top = top, bottom
        low &= missing | bottom
        high &= missing | top
    return np.where(low, -np.inf, np.where(high, np.inf, 0.0))


def _sums(
    items: Sequence[Item], patterns: Int1D, theta: Float1D
) -> tuple[Float1D, Float1D, Float1D]:
    """Give l', the information I and J of the answered items, each at own theta.

    With the pull ``g = 1 - upper - lower`` of a category, ``P' = a P g``: nothing is
    divided by a small P.
    """
    slope, expected, J = (np.zeros(len(theta)) for _ in range(3))
    for j, item in enumerate(items):
        there = patterns[:, j] >= 0
        edge = expit(item.slope * theta[there] + item.intercepts[:, None])
        ones, zeros = np.ones((1, edge.shape[1])), np.zeros((1, edge.shape[1]))
        edge = np.vstack([ones, edge, zeros])
        upper, lower = edge[:-1], edge[1:]
        pull = item.slope * (1 - upper - lower)
        bend = item.slope**2 * (
            upper * (1 - upper) * (1 - 2 * upper)
            - lower * (1 - lower) * (1 - 2 * lower)
        )
        slope[there] += np.take_along_axis(pull, patterns[None, there, j], 0)[0]
        expected[there] += ((upper - lower) * pull**2).sum(axis=0)
        J[there] += (pull * bend).sum(axis=0)
    return slope, expected, J


def _equation(
    items: Sequence[Item], patterns: Int1D, theta: Float1D, method: Method
) -> Float1D:
    slope, information, J = _sums(items, patterns, theta)
    if method == "map":
        return slope - theta
    if method == "wle":
        # Both vanish far out, their ratio does not.
        return slope + 0.5 * J / np.maximum(information, 1e-300)
    return slope


def _halve(
    items: Sequence[Item], patterns: Int1D, start: Float2D, method: Method
) -> Float1D:
    """Halve the interval where the function falls through zero nearest to the mean."""
    falls = (start[:-1] > 0) & (start[1:] <= 0)
    middle = np.abs(_GRID[:-1] + _GRID[1:])
    first = np.where(falls, middle[:, None], np.inf).argmin(axis=0)
    none = ~falls.any(axis=0)
    left, right = _GRID[first], _GRID[first + 1]
    for _ in range(_HALVINGS):
        half = (left + right) / 2
        above = _equation(items, patterns, half, method) > 0
        left, right = np.where(above, half, left), np.where(above, right, half)
    found: Float1D = np.where(none, np.nan, (left + right) / 2)
    return found
