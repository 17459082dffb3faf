"""`polychoric`: from a table of answers to correlations of what lies behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import numpy as np
import pandas as pd

from analysis.answers import item_codes, require_choice, require_variance
from analysis.errors import AnalysisError, TooFewError
from analysis.polychoric.definite import (
    SINGULAR,
    describe_weakest,
    smallest_eigenvalue,
    smoothed,
    smoothing_warning,
)
from analysis.polychoric.fit import Polychoric
from analysis.polychoric.mixed import Missing, take_moments
from analysis.polychoric.sample import sample
from analysis.polychoric.tabled import tabled_influence, tabled_pairs
from analysis.polychoric.tables import Coded, pair_counts, thresholds
from analysis.result import dropped_rows, warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Bool1D, Float1D, Float2D, Int1D
    from analysis.polychoric.moments import MixedMoments
    from analysis.polychoric.order import MomentOrder
    from analysis.polychoric.sample import Sample

#: More categories than this are a number, not an answer on a scale.
MAX_CATEGORIES: Final = 20
# Fewer people than this say nothing of a distribution behind their answers.
_FEWEST: Final = 10
# A threshold rests on at least this many people, or is warned of.
_RARE: Final = 5
_HIGH: Final = 0.95
_NAMED: Final = 8
_WHERE: Final = "polychoric"


def polychoric(
    items: pd.DataFrame,
    *,
    missing: Missing = "listwise",
    numeric: Sequence[str] = (),
    weights: Sequence[float] | pd.Series | Float1D | None = None,
    acov: bool = False,
    smooth: bool = False,
    where: str = _WHERE,
) -> Polychoric:
    """Correlate the normal variables of which ordered answers are the visible part.

    Parameters
    ----------
    items
        Answers, one row per person, one column per item, missing as NA; any numbers,
        of which only the order counts.
    missing
        ``"listwise"`` keeps people with every answer; ``"pairwise"`` takes thresholds
        from everyone who answered the item, and correlations from everyone who
        answered both.
    numeric
        Columns that are measured, not ordered: their correlations with ordered items
        are polyserial, among themselves product-moment.
    weights
        Sampling weights, one for each row.
    acov
        Whether to return the asymptotic covariance of all estimates. Standard errors
        come either way.
    smooth
        Whether to move a matrix that is not positive definite to one that is;
        `warnings` says so.
    where
        Opens every message.

    Returns
    -------
    Polychoric
        A matrix that is not positive definite is returned with a warning that names
        the items and the smallest eigenvalue.

    Raises
    ------
    TooFewError
        If there are fewer than two items, or not more people than items, or fewer
        than ten people.
    AnalysisError
        If a column is not numeric, holds infinite values, has no answer, does not
        vary, or an ordered one has more than 20 categories.
    PerfectCorrelationError
        If a correlation reaches .999.

    Notes
    -----
    Two-step maximum likelihood (Olsson 1979), standard errors by Muthen (1984). Same
    as ``lavaan::lavCor(items, ordered = names(items), missing = missing)``;
    ``psych::polychoric`` adds half a person to empty cells and stops earlier. Where
    lavaan's optimiser stops away from the maximum (answers that are nearly impossible,
    skewed numeric variables), the maximum is found here. Standard errors take n where
    lavaan's take n - 1. With ``missing="pairwise"`` a numeric column keeps the mean and
    variance of everyone who answered it, so that two of them do not correlate as in
    ``cor(x, use = "pairwise")``. Weighted estimates are maximum
    pseudo-likelihood (Asparouhov 2005).

    Examples
    --------
    >>> import pandas as pd
    >>> x = [1, 1, 1, 2, 2, 2, 3, 3, 3, 1, 2, 3]
    >>> y = [1, 1, 2, 1, 2, 3, 2, 3, 3, 1, 2, 3]
    >>> round(float(polychoric(pd.DataFrame({"x": x, "y": y})).R[0, 1]), 2)
    0.86
    """
    x = item_codes(items, where=where)
    names = tuple(str(name) for name in items.columns)
    require_choice("missing", missing, get_args(Missing), where=where)
    ordered = _ordered(names, numeric, where=where)
    require_variance(x, names, where=where)
    _require_few_categories(x, ordered, names, where=where)
    used = sample(
        x,
        ordered,
        names,
        exogenous=None,
        listwise=missing == "listwise",
        weights=_weights(weights, len(x), where=where),
        cluster=None,
        where=where,
    )
    _require_people(used, len(x), missing, where=where)
    moments = take_moments(used, gamma=acov, scaled=False, where=where)
    return _present(used, moments, len(x), smooth=smooth)


def polychoric_matrix(x: Float2D) -> Float2D:
    """Correlate columns of ordered codes, quickly and unchecked, for repeated draws.

    Parameters
    ----------
    x
        Codes that vary in every column, shape (n, p), NaN where missing (pairwise).

    Returns
    -------
    ndarray
        Polychoric correlations, shape (p, p), at most .999 in size; not always
        positive definite.
    """
    coded = Coded.of(x)
    counts = pair_counts(coded)
    cuts = thresholds(counts, coded.n_categories)
    i, j = np.triu_indices(x.shape[1], 1)
    R = np.eye(x.shape[1])
    R[i, j] = tabled_pairs(counts, cuts, coded.n_categories, (i, j)).rho
    R[j, i] = R[i, j]
    return R


def robust_polychoric_covariance(x: Float2D) -> Float2D:
    """Estimate the sampling covariance of polychoric correlations, come what may.

    Parameters
    ----------
    x
        Codes that vary in every column, shape (n, p), NaN where missing (pairwise).

    Returns
    -------
    ndarray
        Shape (P, P), pairs in the order of ``np.triu_indices(p, 1)``. Where the
        variables behind the answers are not normal, it is that of what the estimates
        tend to; where they are, it agrees with ``polychoric(acov=True).acov``.
    """
    coded = Coded.of(x)
    counts = pair_counts(coded)
    cuts = thresholds(counts, coded.n_categories)
    i, j = np.triu_indices(x.shape[1], 1)
    pairs = tabled_pairs(counts, cuts, coded.n_categories, (i, j))
    cells = tabled_influence(pairs, cuts, exact=True)
    codes = np.asarray(coded.codes, dtype=np.intp)
    covariance = np.zeros((len(i), len(i)))
    for rows in coded.chunks():
        part = codes[rows]
        added = cells[np.arange(len(i)), part[:, i], part[:, j]]
        covariance += added.T @ added
    return covariance


def _ordered(names: tuple[str, ...], numeric: Sequence[str], *, where: str) -> Bool1D:
    if isinstance(numeric, str) or (unknown := set(numeric) - set(names)):
        found = repr(numeric) if isinstance(numeric, str) else sorted(unknown)
        raise AnalysisError(
            f"{where}: numeric names what is no item: {found}. Give a list of columns: "
            f"{', '.join(names)}."
        )
    return np.array([name not in numeric for name in names])


def _weights(
    weights: Sequence[float] | pd.Series | Float1D | None, n: int, *, where: str
) -> Float1D | None:
    if weights is None:
        return None
    found = np.asarray(weights, dtype=np.float64)
    if found.shape != (n,):
        raise AnalysisError(
            f"{where}: {found.size} weights for {n} rows. Give one for each row."
        )
    return found


def _require_few_categories(
    x: Float2D, ordered: Bool1D, names: tuple[str, ...], *, where: str
) -> None:
    sizes = [len(np.unique(column[~np.isnan(column)])) for column in x.T]
    many = [
        f"{name!r} has {size}"
        for name, size, is_ordered in zip(names, sizes, ordered, strict=True)
        if is_ordered and size > MAX_CATEGORIES
    ]
    if many:
        remedy = (
            "Name such a column in numeric= (it is then taken as measured)"
            if where == _WHERE
            else "Take the answers as measured, with Pearson correlations"
        )
        raise AnalysisError(
            f"{where}: more than {MAX_CATEGORIES} categories: {', '.join(many)}. "
            f"{remedy}, or join categories."
        )


def _require_people(used: Sample, n_rows: int, missing: Missing, *, where: str) -> None:
    n, p = used.x.shape
    fewest = max(_FEWEST, p + 1)
    if n < fewest:
        others = missing == "listwise" and n < n_rows
        remedy = ", use fewer items, or missing='pairwise'" if others else ""
        raise TooFewError(
            f"{where}: {n} of {n_rows} people can be used, but {p} items need at least "
            f"{fewest}. Collect more answers{remedy}."
        )


def _present(
    used: Sample, moments: MixedMoments, n_rows: int, *, smooth: bool
) -> Polychoric:
    p = len(used.names)
    i, j = np.triu_indices(p, 1)
    std_error = np.full((p, p), np.nan)
    std_error[i, j] = moments.std_error[moments.order.pair[i, j]]
    std_error[j, i] = std_error[i, j]
    errors = tuple(
        moments.std_error[part] if is_ordered else np.empty(0)
        for part, is_ordered in zip(moments.order.thresholds, used.ordered, strict=True)
    )
    categories, frequencies = _frequencies(used)
    rows = [
        *dropped_rows(moments.n_dropped, n_rows),
        *_rare(used.names, categories, frequencies),
        *_filled(moments),
        *_high(moments),
    ]
    R, moved = moments.R, False
    if (lowest := smallest_eigenvalue(R)) <= SINGULAR:
        warn = smoothing_warning if smooth else _indefinite
        rows.append(warn(R, used.names, lowest))
        if smooth:
            R, moved = smoothed(R), True
    return Polychoric(
        R=R,
        names=used.names,
        ordered=used.ordered,
        categories=categories,
        frequencies=frequencies,
        thresholds=moments.thresholds,
        threshold_std_error=errors,
        std_error=std_error,
        counts=moments.counts,
        acov=_labelled(moments),
        n_obs=moments.n_obs,
        n_dropped=moments.n_dropped,
        n_pair=moments.n_pair,
        smoothed=moved,
        warnings=warning_table(rows),
    )


def _frequencies(used: Sample) -> tuple[tuple[Float1D, ...], tuple[Int1D, ...]]:
    categories: list[Float1D] = []
    frequencies: list[Int1D] = []
    for column, is_ordered in zip(used.x.T, used.ordered, strict=True):
        answers = column[~np.isnan(column)] if is_ordered else np.empty(0)
        known, count = np.unique(answers, return_counts=True)
        categories.append(known)
        frequencies.append(count)
    return tuple(categories), tuple(frequencies)


def _rare(
    names: tuple[str, ...],
    categories: tuple[Float1D, ...],
    frequencies: tuple[Int1D, ...],
) -> Iterator[tuple[str, str, str]]:
    found = [
        f"{name}: {code:g} ({count})"
        for name, codes, counts in zip(names, categories, frequencies, strict=True)
        for code, count in zip(codes, counts, strict=True)
        if count < _RARE
    ]
    if found:
        yield (
            "rare_category",
            f"chosen by fewer than {_RARE} people: {_some(found)}",
            "Join it with its neighbour, in all groups alike, or collect more answers.",
        )


def _filled(moments: MixedMoments) -> Iterator[tuple[str, str, str]]:
    if len(moments.empty_2x2):
        found = [
            f"{moments.names[i]} with {moments.names[j]}" for i, j in moments.empty_2x2
        ]
        yield (
            "empty_cell",
            f"one of four cells is empty: {_some(found)}",
            "Half a person was added there; the correlation depends on this choice.",
        )


def _high(moments: MixedMoments) -> Iterator[tuple[str, str, str]]:
    i, j = np.nonzero(np.triu(np.abs(moments.R), 1) > _HIGH)
    if len(i):
        found = [
            f"{moments.names[a]} with {moments.names[b]} ({moments.R[a, b]:.3f})"
            for a, b in zip(i, j, strict=True)
        ]
        yield (
            "nearly_perfect",
            _some(found),
            "Leave one of them out if both ask the same; look at their table.",
        )


def _indefinite(
    R: Float2D, names: tuple[str, ...], lowest: float
) -> tuple[str, str, str]:
    return (
        "not_positive_definite",
        describe_weakest(R, names, lowest),
        "Join rare categories, leave one of these items out, or use smooth=True.",
    )


def _some(found: Sequence[str]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{', '.join(found[:_NAMED])}{more}"


def _labelled(moments: MixedMoments) -> pd.DataFrame | None:
    if moments.gamma is None:
        return None
    labels = moment_labels(moments.names, moments.ordered, moments.order)
    return pd.DataFrame(moments.gamma / moments.n_obs, index=labels, columns=labels)


def moment_labels(
    names: tuple[str, ...], ordered: Bool1D, order: MomentOrder
) -> list[str]:
    """Label moments as lavaan does: ``a|t1``, ``a~1``, ``a~~a``, ``a~~b``."""
    found = [""] * order.size
    for j, name in enumerate(names):
        part = order.thresholds[j]
        for k, at in enumerate(range(part.start, part.stop)):
            found[at] = f"{name}|t{k + 1}" if ordered[j] else f"{name}~1"
        if not ordered[j]:
            found[order.variance[j]] = f"{name}~~{name}"
        for other in range(j + 1, len(names)):
            found[order.pair[j, other]] = f"{name}~~{names[other]}"
    return found
