"""Tables of an alignment: means, their differences, item parameters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.sem.alignment.agreement import Agreement, agreement, r_squared
from analysis.sem.alignment.loss import aligned, term_losses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.sem.alignment.pattern import Term
    from analysis.sem.alignment.precision import Aligned
    from analysis.sem.alignment.search import Optimum, Task

_Z = float(norm.ppf(0.975))
# Variances below this are constants by definition.
_CONSTANT = 1e-20


@dataclass(frozen=True, slots=True, eq=False)
class FactorAligned:
    """One factor: what was asked, what was found, and its precision."""

    task: Task
    optimum: Optimum
    solution: Aligned


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The tables of `Alignment`, explained there."""

    means: pd.DataFrame
    differences: pd.DataFrame
    parameters: pd.DataFrame
    terms: pd.DataFrame
    search: pd.DataFrame


def arrange(
    parts: Sequence[FactorAligned], groups: Sequence[str], n_obs: Float1D
) -> Tables:
    """Arrange all factors.

    Parameters
    ----------
    parts
        One a factor.
    groups, n_obs
        Names and sizes of the groups.
    """
    agreed = [
        [_agreed(p, k, n_obs) for k in range(len(p.task.pattern.terms))] for p in parts
    ]
    pairs = list(zip(parts, agreed, strict=True))
    return Tables(
        means=pd.concat([_means(p, groups, n_obs) for p in parts], ignore_index=True),
        differences=pd.DataFrame([r for p in parts for r in _differences(p, groups)]),
        parameters=pd.concat(
            [rows for p, a in pairs for rows in _by_group(p, a, groups)],
            ignore_index=True,
        ),
        terms=pd.DataFrame([row for p, a in pairs for row in _by_term(p, a, groups)]),
        search=pd.DataFrame(
            [
                {
                    "factor": p.task.pattern.factor,
                    "loss": p.optimum.loss,
                    "n_starts": p.optimum.n_starts,
                    "n_optima": p.optimum.n_optima,
                    "n_best": p.optimum.n_best,
                }
                for p in parts
            ]
        ),
    )


def _means(part: FactorAligned, groups: Sequence[str], n_obs: Float1D) -> pd.DataFrame:
    s = part.solution
    se = _errors(np.diag(s.mean_cov))
    return pd.DataFrame(
        {
            "factor": part.task.pattern.factor,
            "group": list(groups),
            "n_obs": n_obs.astype(np.int_),
            "mean": s.means,
            "mean_se": se,
            "conf_low": s.means - _Z * se,
            "conf_high": s.means + _Z * se,
            "variance": s.variances,
            "variance_se": _errors(np.diag(s.variance_cov)),
        }
    )


def _differences(
    part: FactorAligned, groups: Sequence[str]
) -> Iterator[dict[str, object]]:
    """Every pair of groups, the later one minus the earlier one."""
    s, cov = part.solution, part.solution.mean_cov
    for i, j in combinations(range(len(groups)), 2):
        estimate = float(s.means[j] - s.means[i])
        se = float(_errors(np.array([cov[i, i] + cov[j, j] - 2 * cov[i, j]]))[0])
        yield {
            "factor": part.task.pattern.factor,
            "group": groups[j],
            "other": groups[i],
            "estimate": estimate,
            "std_error": se,
            "statistic": estimate / se,
            "p_value": float(2 * norm.sf(abs(estimate / se))),
            "conf_low": estimate - _Z * se,
            "conf_high": estimate + _Z * se,
        }


def _by_group(
    part: FactorAligned, agreed: Sequence[Agreement], groups: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Rows of each parameter, one a group."""
    s, pattern = part.solution, part.task.pattern
    before = part.task.given.reshape(s.terms.shape)
    for k, (term, sign) in enumerate(zip(pattern.terms, pattern.signs, strict=True)):
        y, se = sign * s.terms[k], _errors(np.diag(s.term_cov(k)))
        yield pd.DataFrame(
            _named(pattern.factor, term)
            | {
                "group": list(groups),
                "configural": sign * before[k],
                "estimate": y,
                "std_error": se,
                "conf_low": y - _Z * se,
                "conf_high": y + _Z * se,
                "average": sign * agreed[k].average,
                "p_value": agreed[k].p_values,
                "invariant": agreed[k].holds,
            }
        )


def _by_term(
    part: FactorAligned, agreed: Sequence[Agreement], groups: Sequence[str]
) -> Iterator[dict[str, object]]:
    """One row of each parameter."""
    task, pattern = part.task, part.task.pattern
    before = task.given.reshape(part.solution.terms.shape)
    predicted = _predicted(part)
    minimised = aligned(pattern, task.given, part.optimum.units)
    losses = term_losses(minimised, task.weights, task.epsilon)
    for k, (term, sign) in enumerate(zip(pattern.terms, pattern.signs, strict=True)):
        odd = [g for g, holds in zip(groups, agreed[k].holds, strict=True) if not holds]
        yield _named(pattern.factor, term) | {
            "average": sign * agreed[k].average,
            "r_squared": r_squared(before[k], predicted[k]),
            "n_noninvariant": len(odd),
            "noninvariant": ", ".join(odd),
            "loss_share": losses[k] / part.optimum.loss,
        }


def _named(factor: str, term: Term) -> dict[str, object]:
    return {"factor": factor, "lhs": term.lhs, "op": term.op, "rhs": term.rhs}


def _agreed(part: FactorAligned, k: int, n_obs: Float1D) -> Agreement:
    """Test a parameter; without standard errors nothing can be told apart."""
    y, cov = part.solution.terms[k], part.solution.term_cov(k)
    if np.isfinite(cov).all():
        return agreement(y, cov, n_obs)
    average = float(n_obs @ y / n_obs.sum())
    return Agreement(np.ones(len(y), dtype=np.bool_), average, np.full(len(y), np.nan))


def _predicted(part: FactorAligned) -> Float2D:
    """Predict configural parameters as if aligned ones were equal."""
    s, pattern = part.solution, part.task.pattern
    average = s.terms.mean(axis=1, keepdims=True)
    loadings = average[: len(pattern.loadings)]
    locations = average[len(pattern.loadings) :]
    found: Float2D = np.concatenate(
        [
            loadings * np.sqrt(s.variances),
            locations + s.means * loadings[pattern.owner],
        ]
    )
    return found


def _errors(variance: Float1D) -> Float1D:
    """Square roots; NaN of what is constant or unknown."""
    known = variance > _CONSTANT
    found: Float1D = np.where(known, np.sqrt(np.where(known, variance, 1.0)), np.nan)
    return found
