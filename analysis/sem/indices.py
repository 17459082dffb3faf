"""Indices of global fit, under lavaan's ``fitMeasures`` names (dots as underscores)."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.sem.chisquare import Statistic

CLOSE_FIT: Final = 0.05
NOT_CLOSE: Final = 0.08
_NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class FitIndices:
    """Fit of one model.

    Attributes
    ----------
    values
        Every index by its name: npar fmin; chisq df pvalue, of the baseline too; cfi
        tli nnfi rfi nfi pnfi ifi rni; logl unrestricted_logl aic bic bic2; ntotal;
        rmsea with its 90 % interval and p-values of close (<= .05) and not-close
        (>= .08) fit; rmr srmr crmr and their variants; cn_05 cn_01 mfi ecvi. Where
        there is a corrected test also ``…_scaled`` and ``…_robust``. An index that
        does not exist for the estimator is not there; one that cannot be computed is
        NaN.
    """

    values: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        """Value of an index."""
        return self.values[name]

    def get(self, name: str) -> float:
        """Value of an index; NaN where it does not exist."""
        return self.values.get(name, _NAN)

    def lacks(self, name: str) -> bool:
        """Whether an index belongs to the estimator and could not be computed."""
        return name in self.values and not np.isfinite(self.values[name])

    @property
    def best(self) -> str:
        """Ending of the indices to look at first: robust, scaled or plain ones."""
        for ending in ("_robust", "_scaled"):
            if np.isfinite(self.get(f"rmsea{ending}")):
                return ending
        return ""

    @property
    def npar(self) -> int:
        """Number of estimated parameters; equal ones count once."""
        return int(self["npar"])

    @property
    def ntotal(self) -> int:
        """Number of respondents."""
        return int(self["ntotal"])

    @property
    def chisq(self) -> float:
        """Plain test statistic."""
        return self["chisq"]

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return int(self["df"])

    @property
    def pvalue(self) -> float:
        """p-value of `chisq`; NaN when `df` is 0."""
        return self["pvalue"]

    @property
    def cfi(self) -> float:
        """Comparative fit index."""
        return self["cfi"]

    @property
    def tli(self) -> float:
        """Tucker-Lewis index."""
        return self["tli"]

    @property
    def rmsea(self) -> float:
        """Root mean square error of approximation."""
        return self["rmsea"]

    @property
    def rmsea_pvalue(self) -> float:
        """p-value of close fit, RMSEA <= 0.05; NaN when `df` is 0."""
        return self["rmsea_pvalue"]

    @property
    def srmr(self) -> float:
        """Standardised root mean square residual."""
        return self["srmr"]


@dataclass(frozen=True, slots=True)
class Excess:
    """A statistic and what it is expected to be in a true model.

    Attributes
    ----------
    statistic
        T.
    df
        Degrees of freedom.
    expected
        Its expectation: `df`, or c-hat times `df`.
    """

    statistic: float
    df: float
    expected: float


def comparative(model: Excess, baseline: Excess, ending: str) -> dict[str, float]:
    """Compute CFI, TLI and, for plain and scaled statistics, their relatives.

    Notes
    -----
    Bentler (1990), Tucker & Lewis (1973); robust versions: Brosseau-Liard & Savalei
    (2014), Savalei (2018, 2021).
    """
    found = {
        "cfi": _cfi(model, baseline),
        "tli": _tli(model, baseline),
        "nnfi": _tli(model, baseline),
        "rni": _rni(model, baseline),
    }
    if ending != "_robust":
        t, df, t0, df0 = model.statistic, model.df, baseline.statistic, baseline.df
        nfi = (t0 - t) / t0 if t0 else _NAN
        found |= {
            "nfi": nfi,
            "pnfi": df / df0 * nfi if df0 else _NAN,
            "ifi": (t0 - t) / (t0 - df) if t0 != df else _NAN,
            "rfi": (t0 / df0 - t / df) / (t0 / df0) if df and df0 and t0 else _NAN,
        }
    return {f"{name}{ending}": value for name, value in found.items()}


def _cfi(model: Excess, baseline: Excess) -> float:
    if not model.df:
        return 1.0
    # max() would drop a NaN of either side.
    if not all(np.isfinite([*astuple(model), *astuple(baseline)])):
        return _NAN
    excess = max(model.statistic - model.expected, 0.0)
    excess0 = max(baseline.statistic - baseline.expected, excess)
    return 1 - excess / excess0 if excess0 > 0 else 1.0


def _rni(model: Excess, baseline: Excess) -> float:
    room = baseline.statistic - baseline.expected
    if not model.df or not room:
        return 1.0
    return 1 - (model.statistic - model.expected) / room


def _tli(model: Excess, baseline: Excess) -> float:
    room = (baseline.statistic - baseline.expected) * model.df
    if not model.df or not room:
        return 1.0
    return 1 - (model.statistic - model.expected) * baseline.df / room


def rmsea(
    model: Excess,
    *,
    n: float,
    groups: int,
    ending: str,
    interval: tuple[float, float] | None = None,
) -> dict[str, float]:
    """Compute the RMSEA, its 90 % interval and the p-values of close and not-close fit.

    Notes
    -----
    Steiger (1990), Browne & Cudeck (1993); with N, not N - 1; times the square root of
    the number of groups (Steiger 1998). With c-hat the interval is that of T / c-hat,
    scaled back (Savalei 2018); `interval` takes the place of T / c-hat and c-hat.
    """
    df = model.df
    if not df:
        zero = {"rmsea": 0.0, "rmsea_ci_lower": 0.0, "rmsea_ci_upper": 0.0}
        none = {"rmsea_pvalue": _NAN, "rmsea_notclose_pvalue": _NAN}
        return {f"{k}{ending}": v for k, v in (zero | none).items()}
    inflation = model.expected / df
    t = model.statistic / inflation
    if interval is not None:
        t, inflation = interval
    point = np.sqrt(max(model.statistic - model.expected, 0.0) / (n * df) * groups)
    if not (inflation > 0 and np.isfinite(t)):
        t, point = _NAN, _NAN
    unit = inflation * groups / (n * df)
    lower, upper = (_noncentrality(t, df, n, level) for level in (0.95, 0.05))
    found = {
        "rmsea": float(point),
        "rmsea_ci_lower": float(np.sqrt(lower * unit)),
        "rmsea_ci_upper": float(np.sqrt(upper * unit)),
        "rmsea_pvalue": float(ncx2.sf(t, df, CLOSE_FIT**2 / unit)),
        "rmsea_notclose_pvalue": float(ncx2.cdf(t, df, NOT_CLOSE**2 / unit)),
    }
    return {f"{k}{ending}": v for k, v in found.items()}


def _noncentrality(t: float, df: float, n: float, level: float) -> float:
    """Find the noncentrality that puts t at `level` of its distribution."""
    if not np.isfinite(t):
        return _NAN

    def distance(nc: float) -> float:
        below = ncx2.cdf(t, df, nc) if nc > 0 else chi2.cdf(t, df)
        return float(below) - level

    if distance(0.0) <= 0:
        return 0.0
    top = max(n, 4 * t, 1.0)
    while distance(top) > 0:
        top *= 2
    return float(brentq(distance, 0.0, top, xtol=1e-10, rtol=1e-14))


def likelihood(logl: float, unrestricted: float, npar: int, n: int) -> dict[str, float]:
    """Log-likelihoods and information criteria; `bic2` is adjusted for sample size."""
    return {
        "logl": logl,
        "unrestricted_logl": unrestricted,
        "aic": -2 * logl + 2 * npar,
        "bic": -2 * logl + npar * float(np.log(n)),
        "bic2": -2 * logl + npar * float(np.log((n + 2) / 24)),
    }


def further(statistic: Statistic, npar: int, n: int) -> dict[str, float]:
    """Hoelter's critical N, McDonald's index and the expected cross-validation index.

    Notes
    -----
    Hoelter (1983), McDonald (1989), Browne & Cudeck (1993).
    """
    t, df = statistic.chisq, statistic.df
    critical = {}
    for name, level in (("cn_05", 0.95), ("cn_01", 0.99)):
        far = float(chi2.ppf(level, df)) if df else _NAN
        critical[name] = far / (t / n) + 1 if t > 0 else _NAN
    mfi = float(np.exp(-0.5 * (t - df) / n))
    return critical | {"mfi": mfi, "ecvi": t / n + 2 * npar / n}
