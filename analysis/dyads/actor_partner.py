"""The actor-partner interdependence model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from analysis.dyads.fit import DyadFit
from analysis.dyads.pairs import PAIR, Pairs, likeness, numbers, pair_up
from analysis.errors import AnalysisError, TooFewError
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analysis.arrays import Float1D, Float2D

FEW_COUPLES = 40
MAX_DROPPED = 0.05
ALIAS_TOLERANCE = 1e-7
EFFECTS = ("actor", "partner")


def apim(
    outcome: str,
    predictor: str,
    data: pd.DataFrame,
    *,
    couple: str = "couple",
    role: str | None = "role",
    controls: Sequence[str] = (),
    conf_level: float = 0.95,
) -> DyadFit:
    """Actor-partner interdependence model of couples of two.

    Parameters
    ----------
    outcome, predictor
        Numeric columns.
    data
        One row per person, of one wave; only couples with both partners complete on
        outcome, predictor and controls are used, the others are counted.
    couple
        Column that names the couple; rows without one are left out and counted.
    role
        Column with the partners' roles. If the same two roles stand in every couple
        used, effects are also estimated by role; None, or one role (or none) for
        everybody, gives the pooled model alone.
    controls
        Columns with numbers, or categories (indicator columns, the first category is
        the reference); their effects are the same in both roles.
    conf_level
        Of the intervals.

    Returns
    -------
    DyadFit
        ``std_all`` of actor and partner: times sd of the predictor over sd of the
        outcome, over all people used.

    Raises
    ------
    AnalysisError
        Unknown, constant or collinear columns; a couple with more than two people;
        two people of a couple in one role where roles differ elsewhere.
    TooFewError
        No complete couple, or not more couples than coefficients.

    Notes
    -----
    Kenny, Kashy & Cook (2006). Least squares on the pairwise file, ``lm(y ~ actor +
    partner)`` and ``lm(y ~ 0 + role + role:actor + role:partner)``, with covariance
    ``sandwich::vcovCL(fit, couple, type = "HC1")`` (G/(G-1) times (n-1)/(n-k)) and
    t and F on G - 1 degrees of freedom for G couples. k (Kenny & Ledermann 2010) has
    Fieller's interval with the same t; it is missing, with a warning, where the actor
    effect does not differ from zero. ICC is the double-entry (pairwise) intraclass
    correlation with Fisher's (1925) interval, ``atanh(r) +- z / sqrt(G - 3/2)``;
    ``pearson`` is the correlation between the roles. tests/reference/dyads.R.
    """
    if not 0 < conf_level < 1:
        raise AnalysisError(
            f"conf_level: {conf_level!r} is not between 0 and 1. Use for example 0.95."
        )
    if predictor == outcome or {outcome, predictor} & set(controls):
        raise AnalysisError(
            f"apim: outcome {outcome!r}, predictor {predictor!r} and controls "
            f"{list(controls)} share a column. Give each variable one place."
        )
    variables = [outcome, predictor, *controls]
    pairs = pair_up(data, variables, couple=couple, role=role)
    y, x = numbers(pairs.frame, outcome), numbers(pairs.frame, predictor)
    Z, names = _control_columns(pairs.frame, controls)
    own = _Columns(x, x.reshape(-1, PAIR)[:, ::-1].ravel(), Z, names)
    pooled = _regress(y, *own.pooled(), conf_level)
    scale = float(x.std(ddof=1) / y.std(ddof=1))
    tables = [_table(pooled, "pooled", (), scale)]
    ratios = [_ratio(pooled, 1, 2, ("pooled", ""))]
    tests = _equality(None)
    if pairs.roles:
        by_role = _regress(y, *own.by_role(pairs.roles), conf_level)
        tables.append(_table(by_role, "by role", pairs.roles, scale))
        ratios += [
            _ratio(by_role, 2 + i, 4 + i, ("by role", name))
            for i, name in enumerate(pairs.roles)
        ]
        tests = _equality(by_role)
    ratio_table = pd.DataFrame(ratios)
    return DyadFit(
        coefficients=pd.concat(tables, ignore_index=True),
        ratios=ratio_table,
        tests=tests,
        icc=likeness(pairs, {outcome: y, predictor: x}, conf_level),
        outcome=outcome,
        predictor=predictor,
        roles=pairs.roles,
        r_squared=pooled.r_squared,
        conf_level=conf_level,
        n_couples=pairs.n_couples,
        n_one_partner=pairs.n_one_partner,
        n_incomplete=pairs.n_incomplete,
        n_no_couple=pairs.n_no_couple,
        warnings=warning_table(_warning_rows(pairs, ratio_table, predictor)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """What stands on the right-hand side, in the order of the pairs."""

    actor: Float1D
    partner: Float1D
    controls: Float2D
    control_names: list[str]

    def pooled(self) -> tuple[Float2D, list[str]]:
        """One actor and one partner effect."""
        ones = np.ones(len(self.actor))
        X = np.column_stack([ones, self.actor, self.partner, self.controls])
        return X, ["Intercept", *EFFECTS, *self.control_names]

    def by_role(self, roles: tuple[str, ...]) -> tuple[Float2D, list[str]]:
        """Intercept, actor and partner effect for each role."""
        second = np.arange(len(self.actor)) % PAIR
        R = np.column_stack([1 - second, second])
        actor, partner = R * self.actor[:, None], R * self.partner[:, None]
        X = np.column_stack([R, actor, partner, self.controls])
        own = [f"{e}:{role}" for e in ("Intercept", *EFFECTS) for role in roles]
        return X, [*own, *self.control_names]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Least squares with the covariance clustered by couple."""

    names: list[str]
    estimate: Float1D
    vcov: Float2D
    df: float
    critical: float
    r_squared: float


def _control_columns(
    frame: pd.DataFrame, controls: Sequence[str]
) -> tuple[Float2D, list[str]]:
    """Numbers as they are, categories as indicators of all but the first."""
    blocks: list[Float2D] = [np.empty((len(frame), 0))]
    names: list[str] = []
    for name in controls:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column.dtype):
            blocks.append(numbers(frame, name)[:, None])
            names.append(name)
            continue
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.remove_unused_categories()
        else:
            column = column.astype("category")
        levels = list(column.cat.categories)
        if len(levels) < PAIR:
            raise AnalysisError(
                f"apim: the control {name!r} is {levels} for everybody. Take it out."
            )
        blocks.append(np.eye(len(levels))[column.cat.codes.to_numpy()][:, 1:])
        names += [f"{name}[T.{level}]" for level in levels[1:]]
    return np.hstack(blocks), names


def _regress(y: Float1D, X: Float2D, names: list[str], conf_level: float) -> _Fit:
    n_couples = len(y) // PAIR
    if n_couples <= X.shape[1]:
        raise TooFewError(
            f"apim: {n_couples} complete couples for {X.shape[1]} coefficients. "
            "Collect more couples or take controls out."
        )
    _refuse_aliased(X, names)
    fit = sm.OLS(y, X).fit()
    robust = fit.get_robustcov_results(
        cov_type="cluster", groups=np.arange(len(y)) // PAIR, use_t=True
    )
    df = float(n_couples - 1)
    return _Fit(
        names=names,
        estimate=np.asarray(fit.params, dtype=float),
        vcov=np.asarray(robust.cov_params(), dtype=float),
        df=df,
        critical=float(stats.t.ppf(0.5 + conf_level / 2, df)),
        r_squared=1 - float(fit.ssr) / float(((y - y.mean()) ** 2).sum()),
    )


def _refuse_aliased(X: Float2D, names: list[str]) -> None:
    scaled = X / np.linalg.norm(X, axis=0)
    for j in range(1, len(names)):
        weights = np.linalg.lstsq(scaled[:, :j], scaled[:, j], rcond=None)[0]
        if np.linalg.norm(scaled[:, j] - scaled[:, :j] @ weights) < ALIAS_TOLERANCE:
            used = [names[i] for i in range(j) if abs(weights[i]) > ALIAS_TOLERANCE]
            raise AnalysisError(
                f"apim: {names[j]!r} is determined by {used}. Take one of them out; a "
                "value that both partners share has no separate partner effect."
            )


def _table(fit: _Fit, model: str, roles: tuple[str, ...], scale: float) -> pd.DataFrame:
    """Coefficients with tests, intervals, and what each of them is."""
    error = np.sqrt(np.diag(fit.vcov))
    statistic = fit.estimate / error
    heads = [name.split(":")[0] if roles else name for name in fit.names]
    is_effect = np.array([i < 3 * max(1, len(roles)) for i in range(len(heads))])
    effects = [
        head if own and head in EFFECTS else "other"
        for head, own in zip(heads, is_effect, strict=True)
    ]
    n_roles = len(roles)
    own_role = [roles[i % PAIR] if i < 3 * n_roles else "" for i in range(len(heads))]
    return pd.DataFrame(
        {
            "model": model,
            "term": fit.names,
            "effect": effects,
            "role": own_role,
            "estimate": fit.estimate,
            "std_error": error,
            "statistic": statistic,
            "p_value": 2 * stats.t.sf(np.abs(statistic), fit.df),
            "conf_low": fit.estimate - fit.critical * error,
            "conf_high": fit.estimate + fit.critical * error,
            "std_all": np.where(
                np.isin(effects, EFFECTS), fit.estimate * scale, np.nan
            ),
        }
    )


def _ratio(
    fit: _Fit, actor: int, partner: int, where: tuple[str, str]
) -> dict[str, object]:
    """Partner over actor effect with Fieller's interval, missing if unbounded."""
    a, p = fit.estimate[actor], fit.estimate[partner]
    t2 = fit.critical**2
    A = a**2 - t2 * fit.vcov[actor, actor]
    B = a * p - t2 * fit.vcov[actor, partner]
    C = p**2 - t2 * fit.vcov[partner, partner]
    low = high = np.nan
    if A > 0:
        half = np.sqrt(B**2 - A * C)
        low, high = (B - half) / A, (B + half) / A
    return {
        "model": where[0],
        "role": where[1],
        "estimate": p / a,
        "conf_low": low,
        "conf_high": high,
    }


def _equality(fit: _Fit | None) -> pd.DataFrame:
    """Wald tests that the two roles share their effects; no row without roles."""
    columns = ["term", "statistic", "df_num", "df_den", "p_value"]
    if fit is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    rows = []
    for term, starts in {
        "actor": (2,),
        "partner": (4,),
        "actor and partner": (2, 4),
    }.items():
        C = np.zeros((len(starts), len(fit.estimate)))
        for row, start in enumerate(starts):
            C[row, start], C[row, start + 1] = 1, -1
        gap = C @ fit.estimate
        F = float(gap @ np.linalg.solve(C @ fit.vcov @ C.T, gap)) / len(starts)
        p_value = float(stats.f.sf(F, len(starts), fit.df))
        rows.append((term, F, len(starts), fit.df, p_value))
    return pd.DataFrame(rows, columns=columns)


def _warning_rows(
    pairs: Pairs, ratios: pd.DataFrame, predictor: str
) -> Iterable[tuple[str, str, str]]:
    left_out = pairs.n_one_partner + pairs.n_incomplete
    total = left_out + pairs.n_couples
    if left_out > MAX_DROPPED * total:
        what = (
            f"{left_out} of {total} couples left out ({pairs.n_one_partner} with one "
            f"partner, {pairs.n_incomplete} with missing answers)"
        )
        yield what, "couples", "compare them with the couples used"
    if pairs.n_couples < FEW_COUPLES:
        what = f"{pairs.n_couples} couples are few; intervals are too narrow"
        yield what, "couples", f"read with care below {FEW_COUPLES}"
    for row in ratios[ratios["conf_low"].isna()].itertuples():
        what = "k has no bounded interval: the actor effect may be zero"
        yield what, f"{predictor} {row.role}".strip(), "do not interpret k"
