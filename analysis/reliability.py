"""Internal consistency of scales: coefficients alpha and omega."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution
from scipy.stats import norm

from analysis.efa.answers import complete_rows, item_codes, require_variance
from analysis.efa.correlation import pearson
from analysis.efa.extract import LOWEST_UNIQUENESS, extract
from analysis.errors import AnalysisError, TooFewError
from analysis.result import dropped_rows, warning_table
from analysis.sem import cfa

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.efa.correlation import Missing
    from analysis.sem import SemFit

Row: TypeAlias = tuple[str, float, float, float, float]
Warning_: TypeAlias = tuple[str, str, str]

COLUMNS = ("term", "estimate", "std_error", "conf_low", "conf_high")
OMEGA_ITEMS = 3
# Variance of the sum, as a share of that of the items, that is zero but for rounding.
NO_SPREAD = 1e-10
NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Reliability of the sum or mean of one scale.

    Attributes
    ----------
    coefficient
        The coefficient asked for, ``"alpha"`` or ``"omega"``.
    table
        One row per coefficient, that one first: `term`, `estimate`, `std_error`,
        `conf_low`, `conf_high`; NaN where a coefficient has no interval here.
    average_r
        Mean correlation of two items.
    conf_level
        Level of the intervals.
    n_items, n_obs, n_dropped
        Items, respondents used, and left out for missing answers.
    warnings
        Values that need a second look: what, where, remedy.
    """

    coefficient: Literal["alpha", "omega"]
    table: pd.DataFrame
    average_r: float
    conf_level: float
    n_items: int
    n_obs: int
    n_dropped: int
    warnings: pd.DataFrame

    def __getitem__(self, term: str) -> float:
        """Estimate of the coefficient `term`, such as ``"alpha_std"``."""
        return float(self.table.set_index("term")["estimate"][term])

    def tidy(self) -> pd.DataFrame:
        """One row per coefficient."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the coefficient asked for, average_r and sizes."""
        head = self.table.iloc[0]
        return pd.DataFrame(
            {
                str(head["term"]): [head["estimate"]],
                "conf_low": [head["conf_low"]],
                "conf_high": [head["conf_high"]],
                "average_r": [self.average_r],
                "n_items": [self.n_items],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
            }
        )

    def summary(self) -> str:
        """State the coefficient with its interval, as papers do."""
        head = self.table.iloc[0]
        text = (
            f"{head['term']} = {head['estimate']:.3f}, {self.conf_level:.0%} CI "
            f"[{head['conf_low']:.3f}, {head['conf_high']:.3f}] "
            f"({self.n_items} items, n = {self.n_obs})"
        )
        if len(self.warnings):
            text += f"; {'; '.join(self.warnings['what'])}"
        return text


def cronbach_alpha(
    items: pd.DataFrame, *, missing: Missing = "listwise", conf_level: float = 0.95
) -> Reliability:
    r"""Coefficient alpha of the columns of `items`.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA.
    missing
        ``"listwise"`` keeps respondents with every answer; ``"pairwise"`` takes each
        covariance from everyone who answered both items, and the number of
        respondents with an answer as n of the interval.
    conf_level
        Level of the interval, between 0 and 1.

    Returns
    -------
    Reliability
        Terms ``alpha`` with the interval of Feldt, ``alpha_std`` (of standardised
        items) and, for two items, ``spearman_brown``, which equals it.

    Raises
    ------
    TooFewError
        If there are fewer than two items or three respondents.
    AnalysisError
        If an item is not numeric, has no answer or does not vary.

    Notes
    -----
    :math:`\alpha = \frac{k}{k-1}\left(1 - \frac{\operatorname{tr} S}{1' S 1}\right)`,
    Cronbach (1951), eq. 13; interval of Feldt (1965), F with n - 1 and
    (n - 1)(k - 1) degrees of freedom. Same as ``psych::alpha(na.omit(x))`` and its
    ``feldt``; pairwise as ``psych::alpha(x)``.
    """
    _check_level(conf_level, where="cronbach_alpha")
    S, n_obs = _covariance(items, missing=missing, where="cronbach_alpha")
    k = len(S)
    R = _correlations(S)
    _require_spread(S, R)
    alpha, standardized = _alpha(S), _alpha(R)
    low, high = _feldt(alpha, k, n_obs, conf_level)
    rows: list[Row] = [
        ("alpha", alpha, NAN, low, high),
        ("alpha_std", standardized, NAN, NAN, NAN),
    ]
    average_r = float((R.sum() - k) / (k * (k - 1)))
    if k == 2:  # noqa: PLR2004
        rows.append(("spearman_brown", _spearman_brown(average_r), NAN, NAN, NAN))
    return Reliability(
        coefficient="alpha",
        table=pd.DataFrame(rows, columns=list(COLUMNS)),
        average_r=average_r,
        conf_level=conf_level,
        n_items=k,
        n_obs=n_obs,
        n_dropped=len(items) - n_obs,
        warnings=warning_table(
            [
                *_negative(alpha),
                *dropped_rows(len(items) - n_obs, len(items)),
                *(_few_pairs(items, n_obs) if missing == "pairwise" else ()),
            ]
        ),
    )


def omega_total(items: pd.DataFrame, *, conf_level: float = 0.95) -> Reliability:
    r"""Coefficient omega of the columns of `items`, from a one-factor model.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA;
        respondents with a missing answer are left out (listwise).
    conf_level
        Level of the interval, between 0 and 1.

    Returns
    -------
    Reliability
        Terms ``omega``, whose interval comes from the delta method on the logit
        scale, so that it stays between 0 and 1 (`std_error` is on the plain scale);
        ``omega3``, over the observed instead of the implied variance of the sum; and
        ``omega_minres``, of standardised items by one minres factor.

    Raises
    ------
    TooFewError
        If there are fewer than three items, or not more respondents than items.
    AnalysisError
        If an item is not numeric, has no answer or does not vary, items repeat
        others, or the solution is improper (a residual variance is not positive).
    ConvergenceError
        If the model cannot be estimated.

    Notes
    -----
    McDonald (1999): :math:`\omega = (\sum\lambda)^2\psi / ((\sum\lambda)^2\psi +
    \sum\theta)` by maximum likelihood. Same as ``semTools::reliability(fit)`` rows
    omega and omega3, ``semTools::compRelSEM(fit)``, and a defined parameter in lavaan
    for the standard error; ``omega_minres`` as ``psych::omega(x, nfactors = 1)``.
    """
    _check_level(conf_level, where="omega_total")
    corr = pearson(items, where="omega_total", at_least=OMEGA_ITEMS)
    x, R, names, k = corr.codes, corr.R, corr.names, len(corr.R)
    S = np.cov(x, rowvar=False, bias=True)
    order = _strongest_first(R)
    fit = _one_factor(x[:, order])
    part = _Parts.of(fit, k)
    _require_proper(part, [names[i] for i in order])
    omega, se = part.omega(), part.std_error(fit.vcov)
    low, high = _logit_interval(omega, se, conf_level)
    minres = extract(R, 1, method="minres")
    rows: list[Row] = [
        ("omega", omega, se, low, high),
        ("omega3", part.common / float(S.sum()), NAN, NAN, NAN),
        ("omega_minres", 1 - minres.uniqueness.sum() / R.sum(), NAN, NAN, NAN),
    ]
    return Reliability(
        coefficient="omega",
        table=pd.DataFrame(rows, columns=list(COLUMNS)),
        average_r=float((R.sum() - k) / (k * (k - 1))),
        conf_level=conf_level,
        n_items=k,
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        warnings=warning_table(
            [
                *_mixed_signs(part.loadings, [names[i] for i in order]),
                *_minres_heywood(minres.uniqueness, names),
                *dropped_rows(corr.n_dropped, len(items)),
            ]
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityTable:
    """Reliability of several scales side by side.

    Attributes
    ----------
    table
        One row per scale and coefficient: `scale`, `term`, `estimate`, `std_error`,
        `conf_low`, `conf_high`, `n_items`, `n_obs`; NaN where it cannot be estimated.
    conf_level
        Level of the intervals.
    warnings
        Why a row is empty, and values that need a second look; `where` is the scale.
    """

    table: pd.DataFrame
    conf_level: float
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per scale and coefficient."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: scales, and the lowest and highest alpha and omega."""
        row: dict[str, float] = {"n_scales": self.table["scale"].nunique()}
        for term in ("alpha", "omega"):
            estimates = self.table.loc[self.table["term"] == term, "estimate"]
            row[f"lowest_{term}"] = estimates.min()
            row[f"highest_{term}"] = estimates.max()
        return pd.DataFrame([row])

    def summary(self) -> str:
        """Ranges over the scales."""
        row = self.glance().iloc[0]
        ranges = [
            f"{term} {row[f'lowest_{term}']:.2f} to {row[f'highest_{term}']:.2f}"
            for term in ("alpha", "omega")
            if not np.isnan(row[f"lowest_{term}"])
        ]
        said = ", ".join(ranges) or "none could be estimated"
        text = f"{row['n_scales']:.0f} scales: {said}"
        if len(self.warnings):
            text += f"; {len(self.warnings)} warning(s)"
        return text


def reliability(
    items_by_scale: Mapping[str, pd.DataFrame], *, conf_level: float = 0.95
) -> ReliabilityTable:
    """Estimate alpha and omega of several scales.

    Parameters
    ----------
    items_by_scale
        Keyed item codes of each scale, as for `cronbach_alpha`.
    conf_level
        Level of the intervals, between 0 and 1.

    Returns
    -------
    ReliabilityTable
        Terms ``alpha`` and ``omega`` of each scale, ``spearman_brown`` instead of
        omega for two items. What cannot be estimated is NaN, with the reason in
        `warnings`.

    Raises
    ------
    AnalysisError
        If `conf_level` is not a level.
    """
    _check_level(conf_level, where="reliability")
    rows: list[dict[str, object]] = []
    warned: list[Warning_] = []
    for scale, items in items_by_scale.items():
        for term in ("alpha", "omega"):
            if term == "omega" and items.shape[1] < OMEGA_ITEMS:
                warned += _no_omega(scale, items.shape[1])
                continue
            found = _attempt(term, items, conf_level)
            rows += _scale_rows(scale, term, items, found)
            warned += _scale_warnings(scale, term, found)
    columns = ["scale", *COLUMNS, "n_items", "n_obs"]
    return ReliabilityTable(
        pd.DataFrame(rows, columns=columns), conf_level, warning_table(warned)
    )


def _attempt(
    term: str, items: pd.DataFrame, conf_level: float
) -> Reliability | AnalysisError:
    try:
        if term == "alpha":
            return cronbach_alpha(items, conf_level=conf_level)
        return omega_total(items, conf_level=conf_level)
    except AnalysisError as error:
        return error


def _scale_rows(
    scale: str, term: str, items: pd.DataFrame, found: Reliability | AnalysisError
) -> Iterator[dict[str, object]]:
    if isinstance(found, AnalysisError):
        n_obs = int(items.notna().all(axis=1).sum())
        empty = dict.fromkeys(COLUMNS[1:], NAN)
        sizes = {"n_items": items.shape[1], "n_obs": n_obs}
        yield {"scale": scale, "term": term, **empty, **sizes}
        return
    shown = found.table[found.table["term"].isin([term, "spearman_brown"])]
    for row in shown.to_dict("records"):
        sizes = {"n_items": found.n_items, "n_obs": found.n_obs}
        yield {"scale": scale, **{str(k): v for k, v in row.items()}, **sizes}


def _scale_warnings(
    scale: str, term: str, found: Reliability | AnalysisError
) -> Iterator[Warning_]:
    if isinstance(found, AnalysisError):
        what, _, remedy = str(found).partition(". ")
        yield f"{term}: {what}", scale, remedy or "Look at the items of this scale."
        return
    for row in found.warnings.itertuples():
        yield f"{term}: {row.what}", scale, str(row.remedy)


def _no_omega(scale: str, n_items: int) -> Iterator[Warning_]:
    if n_items == OMEGA_ITEMS - 1:
        yield (
            "omega: two items do not identify a factor; Spearman-Brown instead",
            scale,
            "Add a third item if omega is wanted.",
        )


def _few_pairs(items: pd.DataFrame, n_obs: int) -> Iterator[Warning_]:
    """Warn where Feldt's interval counts people that a pair of items does not have."""
    known = items.notna().to_numpy(dtype=float)
    fewest = int((known.T @ known).min())
    if fewest < 0.95 * min(n_obs, len(items)):
        yield (
            "interval too narrow",
            f"two items share {fewest} answers, the interval counts {n_obs}",
            "Use missing='listwise', or read the interval as a lower bound of width.",
        )


def _covariance(
    items: pd.DataFrame, *, missing: Missing, where: str
) -> tuple[Float2D, int]:
    x = item_codes(items, where=where)
    names = [str(name) for name in items.columns]
    if missing == "listwise":
        x = complete_rows(x, names, where=where, at_least=3)
        return np.cov(x, rowvar=False), len(x)
    require_variance(x, names, where=where)
    x = x[~np.isnan(x).all(axis=1)]
    S: Float2D = pd.DataFrame(x).cov(min_periods=3).to_numpy(copy=True)
    if np.isnan(S).any():
        i, j = np.argwhere(np.isnan(S))[0]
        raise TooFewError(
            f"{where}: fewer than 3 respondents answered both {names[i]!r} and "
            f"{names[j]!r}. Leave one of them out."
        )
    return S, len(x)


def _correlations(S: Float2D) -> Float2D:
    sd = np.sqrt(np.diag(S))
    R: Float2D = S / np.outer(sd, sd)
    return R


def _alpha(S: Float2D) -> float:
    k = len(S)
    return float(k / (k - 1) * (1 - np.trace(S) / S.sum()))


def _require_spread(S: Float2D, R: Float2D) -> None:
    for matrix in (S, R):
        if matrix.sum() <= NO_SPREAD * np.trace(matrix):
            raise AnalysisError(
                "cronbach_alpha: the sum of the items does not vary, they cancel each "
                "other. Check the keying: some items run against the others."
            )


def _spearman_brown(r: float) -> float:
    return 2 * r / (1 + r)


def _feldt(alpha: float, k: int, n: int, level: float) -> tuple[float, float]:
    df = (n - 1, (n - 1) * (k - 1))
    tail = (1 - level) / 2
    low = 1 - (1 - alpha) * f_distribution.ppf(1 - tail, *df)
    high = 1 - (1 - alpha) * f_distribution.ppf(tail, *df)
    return float(low), float(high)


def _negative(alpha: float) -> Iterator[Warning_]:
    if alpha < 0:
        yield (
            f"alpha is negative ({alpha:.2f})",
            "scale",
            "Check the keying: some items run against the others.",
        )


def _check_level(level: float, *, where: str) -> None:
    if not 0 < level < 1:
        raise AnalysisError(
            f"{where}: conf_level is {level}. Give a level between 0 and 1, e.g. 0.95."
        )


def _strongest_first(R: Float2D) -> list[int]:
    """Order in which the first item, whose loading is fixed, loads well."""
    return [int(i) for i in np.argsort(-np.abs(np.linalg.eigh(R)[1][:, -1]))]


def _one_factor(x: Float2D) -> SemFit:
    names = [f"x{i}" for i in range(1, x.shape[1] + 1)]
    return cfa(f"f =~ {' + '.join(names)}", pd.DataFrame(x, columns=names))


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Estimates of a one-factor model, with their places among the free ones."""

    loadings: Float1D
    psi: float
    residuals: Float1D
    free: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, fit: SemFit, k: int) -> _Parts:
        loadings, residuals, psi = np.ones(k), np.zeros(k), 1.0
        free: list[tuple[str, int]] = []
        for parameter, value in zip(fit.table.free, fit.theta, strict=True):
            if parameter.op == "=~":
                place = ("loading", int(parameter.rhs[1:]) - 1)
                loadings[place[1]] = value
            elif parameter.lhs == "f":
                place = ("psi", 0)
                psi = float(value)
            else:
                place = ("residual", int(parameter.lhs[1:]) - 1)
                residuals[place[1]] = value
            free.append(place)
        return cls(loadings, psi, residuals, tuple(free))

    @property
    def common(self) -> float:
        """Variance of the sum due to the factor."""
        return float(self.loadings.sum() ** 2 * self.psi)

    def omega(self) -> float:
        return self.common / (self.common + float(self.residuals.sum()))

    def std_error(self, vcov: Float2D) -> float:
        """Delta method over the free parameters."""
        common, unique = self.common, float(self.residuals.sum())
        total = (common + unique) ** 2
        c = float(self.loadings.sum())
        slopes = {
            "loading": 2 * c * self.psi * unique / total,
            "psi": c**2 * unique / total,
            "residual": -common / total,
        }
        slope = np.array([slopes[kind] for kind, _ in self.free])
        return float(np.sqrt(slope @ vcov @ slope))


def _require_proper(part: _Parts, names: Sequence[str]) -> None:
    if improper := [
        f"{name!r} ({value:.3f})"
        for name, value in zip(names, part.residuals, strict=True)
        if value <= 0
    ]:
        raise AnalysisError(
            "omega_total: improper solution, the residual variance is not positive for "
            f"item(s) {', '.join(improper)}. Leave the item out, or report alpha."
        )
    if part.psi <= 0:
        raise AnalysisError(
            f"omega_total: the variance of the factor is {part.psi:.3f}. Check the "
            "keying: the items share no common direction."
        )


def _mixed_signs(loadings: Float1D, names: Sequence[str]) -> Iterator[Warning_]:
    direction = np.sign(np.sign(loadings).sum()) or 1.0
    against = [
        n for n, v in zip(names, loadings, strict=True) if np.sign(v) != direction
    ]
    if against:
        yield (
            f"items load against the others: {against}",
            "scale",
            "Check the keying: reverse them, or undo a reversal done twice.",
        )


def _minres_heywood(uniqueness: Float1D, names: Sequence[str]) -> Iterator[Warning_]:
    for name, value in zip(names, uniqueness, strict=True):
        if value <= LOWEST_UNIQUENESS * (1 + 1e-6):
            yield (
                f"Heywood case in omega_minres: communality {1 - value:.3f}",
                f"item {name}",
                "Do not report omega_minres.",
            )


def _logit_interval(omega: float, se: float, level: float) -> tuple[float, float]:
    if not 0 < omega < 1:
        return NAN, NAN
    centre = np.log(omega / (1 - omega))
    half = norm.ppf((1 + level) / 2) * se / (omega * (1 - omega))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-half, half]))))
    return float(low), float(high)
