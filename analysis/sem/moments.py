"""Sample moments of one group: means and covariances, thresholds and correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.errors import AnalysisError, TooFewError
from analysis.polychoric import mixed_moments
from analysis.sem.missing import SINGULAR, Patterns, saturated_moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.polychoric import MixedMoments
    from analysis.sem.data import GroupData
    from analysis.sem.estimators import Method

_MANY: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sample moments of one group.

    Attributes
    ----------
    cov
        Covariance matrix S divided by n_obs (not n_obs - 1), shape (p, p); the
        expectation-maximisation estimate with missing answers; for ordered variables
        polychoric correlations, given the predictors where the model is conditional.
    mean
        Means, shape (p,); 0 for ordered variables.
    n_obs
        Number of rows used.
    n_dropped
        Number of rows left out because an answer is missing.
    label
        Name of the group; empty without groups.
    x
        The rows used, shape (n_obs, p), NaN where missing; empty when only moments
        are known.
    rows
        Their index in the table, shape (n_obs,).
    weights
        Sampling weights that sum to n_obs, or None.
    cluster
        Number of the cluster of each row, or None.
    patterns
        Patterns of missing answers, for full information.
    mixed
        Thresholds, correlations and their asymptotic covariance, with ordered
        variables.
    unbiased
        Whether `cov` is divided by n_obs - 1 instead of n_obs.
    """

    cov: Float2D
    mean: Float1D
    n_obs: int
    n_dropped: int = 0
    label: str = ""
    x: Float2D | None = None
    rows: Int1D | None = None
    weights: Float1D | None = None
    cluster: Int1D | None = None
    patterns: Patterns | None = None
    mixed: MixedMoments | None = None
    unbiased: bool = False

    @property
    def sd(self) -> Float1D:
        """Standard deviations, shape (p,)."""
        return np.sqrt(np.diag(self.cov))

    @property
    def rows_weight(self) -> Float1D:
        """Weight of each row, shape (n_obs,); ones without weights."""
        if self.weights is None:
            return np.ones(self.n_obs)
        return self.weights


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What the moments are taken of.

    Attributes
    ----------
    names
        The variables.
    categories
        Number of categories of the ordered ones, 0 for numeric ones, shape (p,).
    exogenous
        Positions of predictors held at sample values.
    conditional
        Whether moments are taken given these predictors.
    """

    names: tuple[str, ...]
    categories: Int1D
    exogenous: tuple[int, ...] = ()
    conditional: bool = False

    @property
    def ordered(self) -> Bool1D:
        """Which of the variables are ordered, shape (p,)."""
        return np.asarray(self.categories > 0)


def sample_moments(group: GroupData, wanted: Wanted, method: Method) -> Moments:
    """Take the moments of a group.

    Raises
    ------
    AnalysisError
        If variables do not vary, correlate perfectly or are sums of others, or an
        ordered variable has no answer in some category; all such at once.
    TooFewError
        If there are not more rows than variables.
    """
    keep = _kept(group.x, wanted, method)
    x = group.x[keep]
    _require_rows(group, x, wanted)
    _require_variation(group, x, wanted)
    n_dropped = len(group.x) - len(x)
    weights = None
    if group.weights is not None:
        weights = group.weights[keep] * (len(x) / group.weights[keep].sum())
    cluster = None if group.cluster is None else group.cluster[keep]
    known = {
        "n_obs": len(x),
        "n_dropped": n_dropped,
        "label": group.label,
        "x": x,
        "rows": group.rows[keep],
        "weights": weights,
        "cluster": cluster,
    }
    if wanted.ordered.any():
        found = _ordinal(x, wanted, method, weights, cluster)
    elif method.missing in {"ml", "two_stage", "robust_two_stage"}:
        found = _incomplete(group, x, wanted, weights)
    else:
        mean, cov = weighted_moments(x, weights)
        _require_independent(group, cov, wanted.names)
        found = {"mean": mean, "cov": cov}
        if method.unbiased:
            found = {"mean": mean, "cov": cov * len(x) / (len(x) - 1), "unbiased": True}
    return Moments(**(known | found))  # type: ignore[arg-type]


def weighted_moments(x: Float2D, weights: Float1D | None) -> tuple[Float1D, Float2D]:
    """Means and covariances of complete rows; the divisor is the sum of weights."""
    # About a row of the data, not about zero, so that large values keep their digits.
    centred = x - x[0]
    w = np.full(len(x), 1 / len(x)) if weights is None else weights / weights.sum()
    shift = w @ centred
    centred = centred - shift
    return x[0] + shift, (centred * w[:, None]).T @ centred


def _kept(x: Float2D, wanted: Wanted, method: Method) -> Bool1D:
    missing = np.isnan(x)
    if method.missing == "listwise":
        return np.asarray(~missing.any(axis=1))
    predictors = missing[:, list(wanted.exogenous)].any(axis=1)
    return np.asarray(~missing.all(axis=1) & ~predictors)


def _incomplete(
    group: GroupData, x: Float2D, wanted: Wanted, weights: Float1D | None
) -> dict[str, object]:
    patterns = Patterns.of(x, weights)
    uncovered = np.argwhere(np.triu(patterns.coverage == 0))
    if len(uncovered):
        i, j = uncovered[0]
        raise AnalysisError(
            f"{_where(group)}nobody answered both {wanted.names[i]} and "
            f"{wanted.names[j]}, so nothing is known of their covariance. Leave one of "
            "them out."
        )
    mean, cov = saturated_moments(patterns)
    _require_independent(group, cov, wanted.names)
    return {"mean": mean, "cov": cov, "patterns": patterns}


def _ordinal(
    x: Float2D,
    wanted: Wanted,
    method: Method,
    weights: Float1D | None,
    cluster: Int1D | None,
) -> dict[str, object]:
    given = list(wanted.exogenous) if wanted.conditional else []
    own = [k for k in range(len(wanted.names)) if k not in given]
    mixed = mixed_moments(
        x[:, own],
        ordered=wanted.ordered[own],
        names=tuple(wanted.names[k] for k in own),
        exogenous=x[:, given] if given else None,
        missing="pairwise" if method.missing == "pairwise" else "listwise",
        weights=weights,
        cluster=cluster,
        gamma=True,
        hold=True,
        where="data",
    )
    mean, cov = np.zeros(len(wanted.names)), np.eye(len(wanted.names))
    mean[own], cov[np.ix_(own, own)] = mixed.mean, mixed.cov
    if given:
        mean[given], inner = weighted_moments(x[:, given], weights)
        # lavaan divides the moments of the predictors by N - 1 here.
        cov[np.ix_(given, given)] = inner * len(x) / (len(x) - 1)
    return {"mean": mean, "cov": cov, "mixed": mixed}


def _where(group: GroupData) -> str:
    return f"group {group.label!r}: " if group.label else "data: "


def _require_rows(group: GroupData, x: Float2D, wanted: Wanted) -> None:
    n_obs, p = x.shape
    if n_obs > p:
        return
    gaps = np.isnan(group.x).sum(axis=0)
    worst = [f"{wanted.names[k]} ({gaps[k]})" for k in np.argsort(-gaps)[:3] if gaps[k]]
    why = f"; most answers are missing in {', '.join(worst)}" if worst else ""
    raise TooFewError(
        f"{_where(group)}{n_obs} complete rows (of {len(group.x)}) for {p} "
        f"variables{why}. Their covariances need at least {p + 1}: collect more rows, "
        f"{'join groups, ' if group.label else ''}or use fewer variables."
    )


def _require_variation(group: GroupData, x: Float2D, wanted: Wanted) -> None:
    faults = []
    where = f", group {group.label!r}" if group.label else ""
    for k, name in enumerate(wanted.names):
        answers = x[~np.isnan(x[:, k]), k]
        if not len(answers):
            faults.append(f"data, {name}{where}: nobody answered. Leave it out.")
        elif np.ptp(answers) <= abs(answers[0]) * 1e-13:
            faults.append(
                f"data, {name}{where}: all {len(answers)} complete rows hold "
                f"{answers[0]:g}. Leave it out of the model."
            )
        elif wanted.ordered[k]:
            faults += _empty(name, answers, group, int(wanted.categories[k]))
    if faults:
        raise AnalysisError("\n".join(faults))


def _empty(
    name: str, answers: Float1D, group: GroupData, categories: int
) -> Iterable[str]:
    """Name categories that only other groups, or rows left out, have answers in."""
    counts = np.bincount(answers.astype(np.int_), minlength=categories)
    empty = [str(c + 1) for c in np.flatnonzero(counts == 0)]
    if empty:
        where = f"group {group.label!r}" if group.label else "the rows used"
        yield (
            f"data, {name}: no answer in category {', '.join(empty)} (counted from the "
            f"lowest) in {where}, so its thresholds cannot be estimated. Join "
            "neighbouring categories in the same way everywhere."
        )


def _require_independent(
    group: GroupData, cov: Float2D, names: tuple[str, ...]
) -> None:
    where = _where(group)
    sd = np.sqrt(np.diag(cov))
    r = cov / np.outer(sd, sd)
    if float(np.linalg.eigvalsh(r)[0]) > SINGULAR:
        return
    same = [
        f"{names[i]} and {names[j]}"
        for i, j in np.argwhere(np.triu(np.abs(r), 1) > 1 - 1e-8)
    ]
    if same:
        more = f" and {len(same) - _MANY} more" if len(same) > _MANY else ""
        raise AnalysisError(
            f"{where}{', '.join(same[:_MANY])}{more} correlate perfectly. Keep one of "
            "each pair."
        )
    weights = np.abs(np.linalg.eigh(r)[1][:, 0])
    involved = [names[k] for k in np.flatnonzero(weights > weights.max() * 1e-3)]
    raise AnalysisError(
        f"{where}{', '.join(involved)} determine each other exactly, so their "
        "covariance matrix is singular. Leave one of them out (a total beside its "
        "parts, or answers that add up to a constant)."
    )
