"""Start values: one factor at a time, from the correlations of its indicators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D
    from analysis.sem.moments import Moments
    from analysis.sem.partable import Parameter, ParameterTable

_LOADING = (0.3, 0.95)
_SECOND_ORDER = 0.7
_LEAST_UNIQUE = 0.1
_ATTENUATION = 0.8
_SMALL = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """Where to start.

    Attributes
    ----------
    theta
        Informed start values, shape (n_free,).
    plain
        A second start: half of each observed variance, small factors, no covariances,
        and none of the stated values.
    scale
        Order of magnitude of each parameter, shape (n_free,).
    unstated
        Informed start values without the stated ones, shape (n_free,); None when
        nothing is stated.
    """

    theta: Float1D
    plain: Float1D
    scale: Float1D
    unstated: Float1D | None = None

    @property
    def own(self) -> Float1D:
        """Informed start values that owe nothing to the model's text."""
        return self.theta if self.unstated is None else self.unstated


@dataclass(frozen=True, slots=True, eq=False)
class _Guess:
    """Standardised loadings and factor variances."""

    loadings: dict[tuple[str, str], float]
    variance: dict[str, float]
    sd: dict[str, float]


def start_values(table: ParameterTable, moments: tuple[Moments, ...]) -> Starts:
    """Guess the free parameters; values stated by ``start()`` are taken as they are."""
    groups = [
        _group_starts(table.of_group(g + 1), of_group)
        for g, of_group in enumerate(moments)
    ]
    return Starts(
        theta=np.concatenate([s.theta for s in groups]),
        plain=np.concatenate([s.plain for s in groups]),
        scale=np.concatenate([s.scale for s in groups]),
        unstated=np.concatenate([s.own for s in groups]),
    )


def _group_starts(table: ParameterTable, moments: Moments) -> Starts:
    units = _units(table, moments)
    moments = replace(moments, cov=moments.cov * np.outer(units, units))
    guess = _guess(table, moments)
    related = _factor_covariances(table, moments, guess)
    related |= _predictor_covariances(table, moments)
    known = dict(zip(table.observed, moments.mean.tolist(), strict=True))
    cuts = _cuts(table, moments, units)

    def values(*, plain: bool, stated: bool = False) -> Float1D:
        found = []
        for p in table.free:
            value = _value(p, guess, known | cuts, {} if plain else related)
            if p.is_variance:
                value = _unexplained(p.lhs, table, guess, plain=plain)
            found.append(p.start if stated and p.start is not None else value)
        return np.array(found, dtype=np.float64)

    return Starts(
        theta=values(plain=False, stated=True),
        plain=values(plain=True),
        scale=np.array([_size(p, guess) for p in table.free], dtype=np.float64),
        unstated=values(plain=False),
    )


def _units(table: ParameterTable, moments: Moments) -> Float1D:
    """Guess the scale of y* where residual variances of ordered ones are 1."""
    units = np.ones(len(table.observed))
    if not (table.theta and table.ordered):
        return units
    guess = _guess(table, moments)
    for k, name in enumerate(table.observed):
        if name in table.ordered:
            units[k] = 1 / np.sqrt(_unexplained(name, table, guess, plain=False))
    return units


def _cuts(table: ParameterTable, moments: Moments, units: Float1D) -> dict[str, float]:
    """Sample thresholds, named as ``item|t1``."""
    found: dict[str, float] = {}
    if moments.mixed is None:
        return found
    for name, cuts in zip(moments.mixed.names, moments.mixed.thresholds, strict=True):
        unit = units[table.observed.index(name)]
        found |= {f"{name}|t{k + 1}": float(c * unit) for k, c in enumerate(cuts)}
    return found


def _value(
    p: Parameter,
    guess: _Guess,
    known: dict[str, float],
    related: dict[tuple[str, str], float],
) -> float:
    if p.op == "~1":
        return known.get(p.lhs, 0.0)
    if p.op == "|":
        return known[f"{p.lhs}|{p.rhs}"]
    if p.op == "~*~":
        return 1.0
    if p.op == "=~":
        loading = guess.loadings[p.lhs, p.rhs]
        return loading * guess.sd[p.rhs] / guess.sd[p.lhs]
    return related.get((p.lhs, p.rhs), 0.0)


def _size(p: Parameter, guess: _Guess) -> float:
    if p.op in {"~1", "|"}:
        return guess.sd[p.lhs]
    if p.op == "~*~":
        return 1.0
    if p.op == "~~":
        return guess.sd[p.lhs] * guess.sd[p.rhs]
    ratio = guess.sd[p.rhs] / guess.sd[p.lhs]
    return ratio if p.op == "=~" else 1 / ratio


def _predictor_covariances(
    table: ParameterTable, moments: Moments
) -> dict[tuple[str, str], float]:
    """Sample covariances of observed variables that nothing explains."""
    explained = set(table.endogenous)
    at = {n: k for k, n in enumerate(table.observed) if n not in explained}
    pairs = [(r.lhs, r.rhs) for r in table.free if r.op == "~~" and r.lhs != r.rhs]
    return {
        (a, b): float(moments.cov[at[a], at[b]])
        for a, b in pairs
        if a in at and b in at
    }


def _guess(table: ParameterTable, moments: Moments) -> _Guess:
    sd = dict(zip(table.observed, np.sqrt(np.diag(moments.cov)), strict=True))
    guess = _Guess({}, {}, {k: float(v) for k, v in sd.items()})
    waiting = list(table.latent)
    while waiting:
        ready = [f for f in waiting if all(i in guess.sd for i in _items(table, f))]
        # Factors that measure each other in a circle have no first one.
        for factor in ready or waiting[:1]:
            _add_factor(factor, table, moments, guess)
            waiting.remove(factor)
    return guess


def _items(table: ParameterTable, factor: str) -> list[str]:
    return [r.rhs for r in table.rows if r.op == "=~" and r.lhs == factor]


def _add_factor(
    factor: str, table: ParameterTable, moments: Moments, guess: _Guess
) -> None:
    items = _items(table, factor)
    observed = [i for i in items if i in table.observed]
    at = [table.observed.index(i) for i in observed]
    sd = np.sqrt(np.diag(moments.cov))
    R = (moments.cov / np.outer(sd, sd))[np.ix_(at, at)]
    found = dict(zip(observed, _one_factor(R), strict=True))
    shared = {i: sum(r.op == "=~" and r.rhs == i for r in table.rows) for i in items}
    if len(items) == 1:
        found = dict.fromkeys(observed, 1.0)
    for item in items:
        loading = found.get(item, _SECOND_ORDER) / np.sqrt(shared[item])
        guess.loadings[factor, item] = float(loading)
    variance, flip = _scale(factor, table, guess)
    guess.variance[factor] = variance
    guess.sd[factor] = float(np.sqrt(variance))
    for item in items:
        guess.loadings[factor, item] *= flip


def _one_factor(R: Float2D) -> Float1D:
    """Find the loadings of one principal-axis factor, kept away from 0 and 1."""
    p = len(R)
    if p <= 1:
        return np.full(p, _LOADING[1])
    off = R - np.eye(p)
    communality = np.abs(off).max(axis=1)
    for _ in range(20):
        values, vectors = np.linalg.eigh(off + np.diag(communality))
        loadings = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
        communality = np.minimum(loadings**2, _LOADING[1] ** 2)
    loadings = loadings * (1.0 if loadings.sum() >= 0 else -1.0)
    sign = np.where(loadings < 0, -1.0, 1.0)
    kept: Float1D = sign * np.clip(np.abs(loadings), *_LOADING)
    return kept


def _scale(factor: str, table: ParameterTable, guess: _Guess) -> tuple[float, float]:
    """Total variance of a factor, and -1 if its marker turns it round."""
    explained = factor in table.endogenous
    # As lavaan has it, a factor runs in the direction of its first indicator.
    first = next(r for r in table.rows if r.op == "=~" and r.lhs == factor)
    turn = -1.0 if guess.loadings[factor, first.rhs] < 0 else 1.0
    for r in table.rows:
        if r.is_variance and r.lhs == factor and r.fixed:
            return abs(r.fixed) * (2.0 if explained else 1.0), turn
    for r in table.rows:
        if r.op == "=~" and r.lhs == factor and r.fixed:
            loading = guess.loadings[factor, r.rhs]
            flip = 1.0 if loading * r.fixed > 0 else -1.0
            return (loading * guess.sd.get(r.rhs, 1.0) / r.fixed) ** 2, flip
    return 1.0, turn


def _unexplained(
    name: str, table: ParameterTable, guess: _Guess, *, plain: bool
) -> float:
    """Residual variance that the guessed loadings leave."""
    whole = guess.sd[name] ** 2
    loadings = [guess.loadings[r.lhs, name] for r in table.rows if _loads(r, name)]
    if plain:
        return whole * (0.5 if name in table.observed else _SMALL)
    if not loadings:
        return whole * (0.5 if name in table.latent and name in table.endogenous else 1)
    share = 1 - sum(loading**2 for loading in loadings)
    return whole * max(share, _LEAST_UNIQUE)


def _loads(row: Parameter, name: str) -> bool:
    return row.op == "=~" and row.rhs == name


def _factor_covariances(
    table: ParameterTable, moments: Moments, guess: _Guess
) -> dict[tuple[str, str], float]:
    """Covariances of factors from composites of their indicators."""
    sd = np.sqrt(np.diag(moments.cov))
    R = moments.cov / np.outer(sd, sd)
    weights = {f: np.zeros(len(R)) for f in table.latent}
    for r in table.rows:
        if r.op == "=~" and r.rhs in table.observed:
            k = table.observed.index(r.rhs)
            weights[r.lhs][k] = guess.loadings[r.lhs, r.rhs]
    found: dict[tuple[str, str], float] = {}
    for r in table.free:
        if r.op != "~~" or r.is_variance or not {r.lhs, r.rhs} <= weights.keys():
            continue
        a, b = weights[r.lhs], weights[r.rhs]
        room = np.sqrt((a @ R @ a) * (b @ R @ b))
        if room > 0 and not (a * b).any():
            r_ab = float(a @ R @ b / room) * _ATTENUATION
            found[r.lhs, r.rhs] = r_ab * guess.sd[r.lhs] * guess.sd[r.rhs]
    return found
