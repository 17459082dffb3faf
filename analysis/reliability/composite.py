"""Reliability of the factors of a fitted model: omega, AVE, maximal reliability."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.linalg import eigh

from analysis.errors import AnalysisError
from analysis.reliability.alpha import alpha
from analysis.reliability.categorical import green_yang
from analysis.reliability.factors import TOTAL, CompositeReliability
from analysis.reliability.formulas import FORMULAS
from analysis.reliability.intervals import NAN, check_level, logit_interval
from analysis.reliability.model import (
    measured,
    require_one_level,
    sample_covariance,
    with_errors,
)
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analysis.arrays import Bool1D, Float1D, Float2D
    from analysis.reliability.coefficients import Warning_
    from analysis.reliability.model import Measured
    from analysis.sem import SemFit

# Those that are functions of the parameters have errors, the others need the sample.
IMPLIED: Final = ("omega", "omega2", "omega_categorical", "ave", "ave_std", "maximal")
SAMPLED: Final = ("omega3", "omega_categorical3", "maximal3", "alpha")
ORDER: Final = (
    *("omega", "omega2", "omega3", "omega_categorical", "omega_categorical3"),
    *("alpha", "ave", "ave_std", "maximal", "maximal3"),
)
# Share of a variance that is zero but for rounding.
ROUNDING: Final = 1e-8
OF_LATENT: Final = " (of hypothetical continuous answers)"


def composite_reliability(
    fit: SemFit,
    *,
    codes: Mapping[str, Sequence[float]] | None = None,
    conf_level: float = 0.95,
) -> CompositeReliability:
    r"""Reliability of the factors of a fitted measurement model.

    Parameters
    ----------
    fit
        With any number of factors and groups; residual covariances are counted as
        error. For ordered items all coefficients but ``omega_categorical`` are those
        of the latent responses.
    codes
        Codes that the categories of ordered items stand for, lowest first; taken to
        follow each other by steps of 1 when left out.
    conf_level
        Level of the intervals, between 0 and 1.

    Returns
    -------
    CompositeReliability
        Terms of each factor: ``omega`` (common variance over common variance and that
        of the residuals), ``omega2`` (over the implied variance of the sum),
        ``omega3`` (over the observed one), ``omega_categorical`` and
        ``omega_categorical3`` (the same two of the sum of codes, where all items of
        the factor are ordered), ``alpha``, ``ave`` and ``ave_std``,
        ``maximal`` (of the best weighted sum: coefficient H) and ``maximal3``; of the
        sum of all items: those that exist for it. Errors by the delta method,
        intervals on the logit scale.

    Raises
    ------
    AnalysisError
        If the model has no factor with observed items, or `codes` are not as many as
        the categories of an item.

    Notes
    -----
    Raykov (2001); Bentler (1972); McDonald (1999); Green and Yang (2009); Fornell and
    Larcker (1981). Same as ``semTools::reliability(fit)`` (omega, omega2, omega3,
    alpha; ordered items: omega_categorical, omega_categorical3),
    ``semTools::compRelSEM(fit, ord.scale = FALSE)`` (omega3 of ordered items),
    ``semTools::AVE`` (ave) and ``semTools::maximalRelia`` (maximal3 of the total).
    """
    check_level(conf_level, where="composite_reliability")
    require_one_level(fit)
    tables, warned = [], []
    for number, label in enumerate(fit.table.groups, start=1):
        part = measured(fit, number)
        steps = _steps(part, codes)
        S = sample_covariance(fit, part.items, number)
        members = _members(part)
        if not members:
            raise AnalysisError(
                f"composite_reliability: none of the factors {list(part.factors)} has "
                "two items. Sums of one item have no internal consistency."
            )
        values, errors = with_errors(fit, partial(_implied_terms, steps=steps), number)
        shape = (len(members), len(IMPLIED))
        found = _rows(members, values.reshape(shape), errors.reshape(shape), conf_level)
        found += _sampled_rows(members, part, S, steps)
        tables.append(pd.DataFrame(found).assign(group=label))
        warned += [*_warnings(part, members, label)]
        warned += [*_higher(part, label), *_outside(found, label)]
    return CompositeReliability(
        table=_arranged(pd.concat(tables, ignore_index=True), fit),
        conf_level=conf_level,
        n_obs=fit.n_obs,
        warnings=warning_table(warned),
    )


def _arranged(table: pd.DataFrame, fit: SemFit) -> pd.DataFrame:
    """Sort by group, factor and term as the model has them, and name the formulas."""
    by = ["group", "factor", "term"]
    factors = list(dict.fromkeys(table["factor"]))
    orders: tuple[Sequence[str], ...] = (fit.table.groups, factors, ORDER)
    ranks = [
        table[c].map({v: k for k, v in enumerate(o)})
        for c, o in zip(by, orders, strict=True)
    ]
    table = table.iloc[np.lexsort(ranks[::-1])].reset_index(drop=True)
    table["formula"] = table["term"].map(FORMULAS)
    sums = table["term"].str.startswith("omega_categorical")
    if fit.table.categories:
        table.loc[~sums, "formula"] += OF_LATENT
    else:
        table = table[~sums].reset_index(drop=True)
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "n_items", "formula"]
    return table[[*by, *numbers]]


def _steps(
    part: Measured, codes: Mapping[str, Sequence[float]] | None
) -> list[Float1D]:
    """Differences of the codes on both sides of each threshold."""
    if unknown := sorted(set(codes or ()) - set(part.items)):
        raise AnalysisError(
            f"composite_reliability: codes are given for {unknown}, no items of the "
            f"model. It has {', '.join(part.items)}."
        )
    steps = []
    for item, cuts in zip(part.items, part.thresholds, strict=True):
        if codes is None or not len(cuts):
            steps.append(np.ones(len(cuts)))
            continue
        if item not in codes or len(codes[item]) != len(cuts) + 1:
            given = len(codes[item]) if item in codes else 0
            raise AnalysisError(
                f"composite_reliability: {given} codes for item {item!r}, which has "
                f"{len(cuts) + 1} categories in the model. Give the code of each "
                "category that was used, lowest first."
            )
        steps.append(np.diff(np.asarray(codes[item], dtype=np.float64)))
    return steps


def _members(part: Measured) -> dict[str, Bool1D]:
    """Items of each factor that has two; of all of them when there are several."""
    belongs = part.belongs()
    found = {
        name: belongs[:, j]
        for j, name in enumerate(part.factors)
        if belongs[:, j].sum() > 1
    }
    if len(found) > 1:
        found[TOTAL] = np.ones(len(part.items), dtype=bool)
    return found


def _implied_terms(part: Measured, steps: Sequence[Float1D]) -> Float1D:
    """All IMPLIED terms of all members, flat; NaN where one does not exist."""
    return np.concatenate(
        [_terms_of(part, name, of, steps) for name, of in _members(part).items()]
    )


def _terms_of(
    part: Measured, name: str, of: Bool1D, steps: Sequence[Float1D]
) -> Float1D:
    pick = np.ix_(of, of)
    Sigma, unique = part.Sigma[pick], part.unique[pick]
    explained = _explained(part, name, of)
    truth, total = explained.sum(), Sigma.sum()
    if _improper(part, of).any():
        return np.full(len(IMPLIED), NAN)
    omega2, best = truth / total, _maximal(explained, Sigma)
    codes = _categorical(part, name, of, Sigma, steps)
    if name == TOTAL:
        return np.array([NAN, omega2, codes, NAN, NAN, best])
    if _crossed(part, of):
        return np.array([NAN, omega2, codes, NAN, NAN, NAN])
    omega = truth / (truth + unique.sum())
    squares, variances = np.diag(explained), np.diag(Sigma)
    ave, ave_std = squares.sum() / variances.sum(), (squares / variances).mean()
    return np.array([omega, omega2, codes, ave, ave_std, best])


def _categorical(
    part: Measured,
    name: str,
    of: Bool1D,
    total: Float2D,
    steps: Sequence[Float1D],
) -> float:
    """Omega of the sum of codes; NaN unless all its items are ordered."""
    if not part.ordered[of].all():
        return NAN
    chosen = np.flatnonzero(of).tolist()
    return green_yang(
        _explained(part, name, of),
        total,
        [part.thresholds[i] for i in chosen],
        [steps[i] for i in chosen],
    )


def _explained(part: Measured, name: str, of: Bool1D) -> Float2D:
    """Covariances of the items due to one factor, or to all, shape (p, p)."""
    L = part.loadings[of]
    if name == TOTAL:
        return np.asarray(L @ part.Phi @ L.T)
    j = part.factors.index(name)
    return np.asarray(np.outer(L[:, j], L[:, j]) * part.Phi[j, j])


def _improper(part: Measured, of: Bool1D) -> Bool1D:
    """Which of the items have a negative residual variance; one fixed to 0 has not."""
    residual, variance = np.diag(part.unique)[of], np.diag(part.Sigma)[of]
    return np.asarray(residual < -ROUNDING * variance)


def _crossed(part: Measured, of: Bool1D) -> bool:
    """Whether one of the items measures another factor too."""
    return bool((part.belongs()[of].sum(axis=1) > 1).any())


def _maximal(explained: Float2D, total: Float2D) -> float:
    """Largest share of true variance a weighted sum can have."""
    last = len(total) - 1
    return float(
        eigh(explained, total, eigvals_only=True, subset_by_index=[last, last])[0]
    )


def _rows(
    members: dict[str, Bool1D], values: Float2D, errors: Float2D, level: float
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for (name, of), value, error in zip(members.items(), values, errors, strict=True):
        for term, v, e in zip(IMPLIED, value.tolist(), error.tolist(), strict=True):
            low, high = logit_interval(v, e, level)
            interval = {"std_error": e, "conf_low": low, "conf_high": high}
            rows.append(_row(name, term, v, of) | interval)
    return rows


def _row(name: str, term: str, value: float, of: Bool1D) -> dict[str, object]:
    return {
        "factor": name,
        "term": term,
        "estimate": value,
        "std_error": NAN,
        "conf_low": NAN,
        "conf_high": NAN,
        "n_items": int(of.sum()),
    }


def _sampled_rows(
    members: dict[str, Bool1D], part: Measured, S: Float2D, steps: Sequence[Float1D]
) -> list[dict[str, object]]:
    rows = []
    for name, of in members.items():
        inside = S[np.ix_(of, of)]
        explained = _explained(part, name, of)
        improper = _improper(part, of).any()
        crossed = name != TOTAL and _crossed(part, of)
        found = {
            "omega3": NAN if improper else explained.sum() / inside.sum(),
            "omega_categorical3": (
                NAN if improper else _categorical(part, name, of, inside, steps)
            ),
            "maximal3": NAN if improper or crossed else _maximal(explained, inside),
            "alpha": alpha(inside),
        }
        rows += [_row(name, term, float(found[term]), of) for term in SAMPLED]
    return rows


def _higher(part: Measured, label: str) -> Iterator[Warning_]:
    """Name the factors that other factors measure."""
    place = f" in group {label}" if label else ""
    direct = part.belongs().any(axis=0)
    reach = (np.abs(part.effects) > ROUNDING).any(axis=0)
    for name in np.array(part.factors)[~direct & reach].tolist():
        yield (
            "a higher factor has no items, so no omega of its own here",
            f"factor {name}{place}",
            "Use bifactor_reliability() on this fit: its omega_h is that of the factor",
        )


def _outside(rows: Sequence[Mapping[str, object]], label: str) -> Iterator[Warning_]:
    """Name coefficients that no reliability can have."""
    place = f" in group {label}" if label else ""
    for row in rows:
        value = float(str(row["estimate"]))
        if row["term"] != "alpha" and not 0 <= value <= 1 and np.isfinite(value):
            yield (
                f"{row['term']} = {value:.3f} is outside 0 to 1",
                f"{row['factor']}{place}",
                "Look at the fit: common variance exceeds what the items show",
            )


def _warnings(
    part: Measured, members: dict[str, Bool1D], label: str
) -> Iterator[Warning_]:
    place = f" in group {label}" if label else ""
    everyone = np.ones(len(part.items), dtype=bool)
    for k in np.flatnonzero(_improper(part, everyone)).tolist():
        yield (
            f"improper solution: residual variance {part.unique[k, k]:.3f}; no numbers",
            f"item {part.items[k]}{place}",
            "Leave the item out, or simplify the model.",
        )
    for name, count in zip(part.factors, part.belongs().sum(axis=0), strict=True):
        if count == 1:
            yield (
                "one item has no internal consistency",
                f"factor {name}{place}",
                "Add items, or take its reliability from a retest.",
            )
    for name, of in members.items():
        if name != TOTAL and _crossed(part, of):
            yield (
                "items load on other factors too: no omega, AVE or H of its own",
                f"factor {name}{place}",
                "Use bifactor_reliability() for a general and group factors.",
            )
    if part.ordered.any():
        yield (
            "all but omega_categorical are of continuous answers that nobody gave",
            f"ordered items{place}",
            "Report omega_categorical for sums of codes.",
        )
