"""Which convention an index of fit follows, in words.

lavaan's, with Mplus's where it prints another number; tests/analysis/test_sem_mplus*.py
show that nothing else differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analysis.sem.estimators import Method

_PLAIN: Final[dict[str, str]] = {
    "npar": "estimated parameters, equal ones once",
    "fmin": "half of the discrepancy at the minimum",
    "df": "sample moments less parameters; not adjusted by the scaling",
    "cfi": "Bentler (1990)",
    "tli": "Tucker & Lewis (1973); may exceed 1",
    "nnfi": "the same as tli",
    "rfi": "Bollen (1986)",
    "nfi": "Bentler & Bonett (1980)",
    "pnfi": "James, Mulaik & Brett (1982)",
    "ifi": "Bollen (1989)",
    "rni": "McDonald & Marsh (1990)",
    "logl": "log-likelihood, given observed predictors",
    "unrestricted_logl": "log-likelihood of the saturated model",
    "aic": "-2 logl + 2 npar",
    "bic": "-2 logl + npar log N",
    "bic2": "sample-size adjusted BIC, (N + 2) / 24",
    "ntotal": "respondents used",
    "rmr": "raw residuals, means included where modelled",
    "srmr": "Bentler (1995): sample standard deviations, means where modelled",
    "srmr_bentler": "the same, thresholds counted with ordered variables",
    "crmr": "residual correlations (Bollen 1989), means or thresholds counted",
    "srmr_mplus": "residual correlations and relative variances; Mplus prints it with "
    "observed information, srmr with expected and GLS",
    "cn_05": "Hoelter (1983), 5 %",
    "cn_01": "Hoelter (1983), 1 %",
    "mfi": "McDonald (1989)",
    "ecvi": "Browne & Cudeck (1993)",
    "scaling_factor_h0": "correction of the log-likelihood of the model, per parameter",
    "scaling_factor_h1": "the same of the saturated model",
}
_SCALING: Final[dict[str, str]] = {
    "satorra_bentler": "Satorra & Bentler (1994), mean-adjusted",
    "mean_var_adjusted": "Satorra & Bentler (1994), mean and variance adjusted",
    "scaled_shifted": "Asparouhov & Muthen (2010), scaled and shifted",
    "yuan_bentler_mplus": "Yuan & Bentler (2000), as in Mplus",
}
# Tests whose interval is that of the plain chi-square, with the trace for its df.
_BY_TRACE: Final = ("satorra_bentler", "yuan_bentler_mplus", "mean_var_adjusted")
_MPLUS_ORDINAL: Final = "with N F in place of (N - 1) F"
_MPLUS_WLS: Final = "fourth moments less products of unbiased covariances"
_MPLUS_ML: Final = "weights from the sample covariances"
_BASELINE: Final = "of the model of uncorrelated variables; "
_GIVEN: Final = (
    "of the model of variables uncorrelated given the predictors "
    "(Mplus: that the predictors do not matter, either); "
)


def convention(
    name: str, method: Method, *, ordinal: bool, conditional: bool = False
) -> str:
    """Say which convention an index follows.

    `conditional` says that the moments are those given predictors.
    """
    base = name.removeprefix("baseline_")
    of = "" if base == name else _GIVEN if conditional else _BASELINE
    if base.endswith("_robust"):
        return f"{_family(base)}{_robust(method, ordinal=ordinal)}"
    if base.endswith("_scaled") or base == "chisq_scaling_factor":
        return f"{of}{_family(base)}{_scaled(base, method, ordinal=ordinal)}"
    if base in {"chisq", "pvalue"}:
        return of + _statistic(method, ordinal=ordinal)
    if base.startswith("rmsea"):
        size = "N - groups" if method.unbiased else "N"
        return f"Steiger (1990) with {size}, times the square root of the groups"
    if base == "srmr" and ordinal:
        return "polychoric residuals only, over p(p + 1) / 2 (lavaan)"
    short = base.removesuffix("_nomean")
    return of + _PLAIN.get(short, "") + ("; left out here" if short != base else "")


def _family(base: str) -> str:
    known = _PLAIN.get(base.partition("_")[0], "")
    return f"{known}; " if known and not base.startswith("df") else ""


def _statistic(method: Method, *, ordinal: bool) -> str:
    if method.discrepancy in {"ULS", "DWLS"}:
        return "(N - 1) F; no chi-square distribution, so no p-value"
    if method.discrepancy == "WLS":
        return f"(N - 1) F; Mplus: {_MPLUS_ORDINAL if ordinal else _MPLUS_WLS}"
    return "(N - 1) F" if method.unbiased else "N F"


def _scaled(base: str, method: Method, *, ordinal: bool) -> str:
    said = _SCALING.get(method.test, "")
    interval = base.startswith("rmsea_") and base != "rmsea_scaled"
    if interval and method.test in _BY_TRACE:
        return f"{said}; chi-square on tr(U Gamma) df; Mplus: scaled chi-square on df"
    if base in {"chisq_scaled", "pvalue_scaled"} and ordinal:
        return f"{said}; Mplus: {_MPLUS_ORDINAL}"
    if base.startswith(("chisq", "pvalue")) and method.name in {"MLM", "MLMV", "MLMVS"}:
        return f"{said}; Mplus: {_MPLUS_ML}"
    return said


def _robust(method: Method, *, ordinal: bool) -> str:
    if ordinal:
        return "Savalei (2021) with N, as lavaan has it from 0.7-2 on"
    if method.discrepancy == "FIML":
        kind = "V3" if method.errors == "robust_huber_white" else "V6"
        return f"Zhang & Savalei (2023), {kind}"
    return "Brosseau-Liard & Savalei (2014), Savalei (2018)"
