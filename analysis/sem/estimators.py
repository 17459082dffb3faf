"""What the names of estimators stand for: discrepancy, test and standard errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

from analysis.errors import AnalysisError

EstimatorName: TypeAlias = Literal[
    "ML",
    "MLM",
    "MLMV",
    "MLMVS",
    "MLR",
    "MLF",
    "GLS",
    "ULS",
    "WLS",
    "DWLS",
    "WLSM",
    "WLSMV",
    "WLSMVS",
    "ULSM",
    "ULSMV",
    "ULSMVS",
]
Missing: TypeAlias = Literal[
    "listwise", "ml", "fiml", "pairwise", "two_stage", "robust_two_stage"
]
Information: TypeAlias = Literal["expected", "observed", "first_order"]
Likelihood: TypeAlias = Literal["normal", "wishart"]
Parameterization: TypeAlias = Literal["delta", "theta"]

Discrepancy: TypeAlias = Literal["ML", "FIML", "GLS", "ULS", "DWLS", "WLS"]
TestName: TypeAlias = Literal[
    "standard",
    "satorra_bentler",
    "mean_var_adjusted",
    "scaled_shifted",
    "yuan_bentler_mplus",
]
ErrorName: TypeAlias = Literal[
    "standard", "first_order", "robust_sem", "robust_huber_white", "two_stage"
]


@dataclass(frozen=True, slots=True)
class Method:
    """How a model is estimated and tested.

    Attributes
    ----------
    name
        The estimator as it was asked for.
    discrepancy
        What is minimised.
    test
        How the chi-square statistic is corrected.
    errors
        How standard errors are computed.
    information
        Which information matrix they rest on.
    missing
        What is done about missing answers.
    likelihood
        ``"wishart"`` divides covariances by N - 1.
    """

    name: EstimatorName
    discrepancy: Discrepancy
    test: TestName
    errors: ErrorName
    information: Information = "expected"
    missing: Missing = "listwise"
    likelihood: Likelihood = "normal"

    @property
    def least_squares(self) -> bool:
        """Whether moments are compared by weighted least squares."""
        return self.discrepancy in {"GLS", "ULS", "DWLS", "WLS"}

    @property
    def unbiased(self) -> bool:
        """Whether covariances are divided by N - 1, and chi-square has N - 1."""
        return self.least_squares or self.likelihood == "wishart"

    @property
    def scaled(self) -> bool:
        """Whether there is a corrected test beside the standard one."""
        return self.test != "standard"

    @property
    def needs_gamma(self) -> bool:
        """Whether the asymptotic covariance of the sample moments is needed."""
        return (
            self.errors in {"robust_sem", "two_stage"}
            or self.test not in {"standard", "yuan_bentler_mplus"}
            or self.discrepancy in {"DWLS", "WLS"}
        )


METHODS: Final[dict[EstimatorName, Method]] = {
    m.name: m
    for m in (
        Method("ML", "ML", "standard", "standard"),
        Method("MLM", "ML", "satorra_bentler", "robust_sem"),
        Method("MLMV", "ML", "scaled_shifted", "robust_sem"),
        Method("MLMVS", "ML", "mean_var_adjusted", "robust_sem"),
        Method("MLR", "ML", "yuan_bentler_mplus", "robust_huber_white", "observed"),
        Method("MLF", "ML", "standard", "first_order", "first_order"),
        Method("GLS", "GLS", "standard", "standard"),
        Method("ULS", "ULS", "standard", "standard"),
        Method("WLS", "WLS", "standard", "standard"),
        Method("DWLS", "DWLS", "standard", "standard"),
        Method("WLSM", "DWLS", "satorra_bentler", "robust_sem"),
        Method("WLSMV", "DWLS", "scaled_shifted", "robust_sem"),
        Method("WLSMVS", "DWLS", "mean_var_adjusted", "robust_sem"),
        Method("ULSM", "ULS", "satorra_bentler", "robust_sem"),
        Method("ULSMV", "ULS", "scaled_shifted", "robust_sem"),
        Method("ULSMVS", "ULS", "mean_var_adjusted", "robust_sem"),
    )
}
_LIKELIHOOD: Final = ("ML", "MLR", "MLF")
_FULL: Final = ("ml", "fiml")


def method(
    estimator: EstimatorName | None,
    *,
    ordered: bool,
    missing: Missing,
    information: Information | None,
    likelihood: Likelihood,
    dependent: bool,
) -> Method:
    """Find out how to estimate.

    Parameters
    ----------
    estimator
        None for ``"WLSMV"`` with ordered variables and ``"ML"`` otherwise.
    ordered
        Whether there are ordered variables.
    missing, information, likelihood
        As in `analysis.sem.sem`.
    dependent
        Whether respondents are clustered or weighted, which wants robust errors.

    Raises
    ------
    AnalysisError
        If these do not go together; says which do.
    """
    name = estimator or ("WLSMV" if ordered else "ML")
    if name not in METHODS:
        raise AnalysisError(
            f"estimator={name!r} is not offered. Use one of {', '.join(METHODS)}."
        )
    for what, value, offered in (
        ("missing", missing, get_args(Missing)),
        ("information", information, (None, *get_args(Information))),
        ("likelihood", likelihood, get_args(Likelihood)),
    ):
        if value not in offered:
            choices = ", ".join(repr(o) for o in offered if o)
            raise AnalysisError(f"{what}={value!r} is not offered. Use {choices}.")
    if dependent and name == "ML":
        name = "MLR"
    found = METHODS[name]
    _require_together(found, ordered=ordered, missing=missing, dependent=dependent)
    if missing in _FULL:
        found = replace(found, discrepancy="FIML", missing="ml")
        if found.information == "expected":
            found = replace(found, information="observed")
    elif missing in {"two_stage", "robust_two_stage"}:
        found = replace(
            found,
            missing=missing,
            test="satorra_bentler",
            errors="two_stage",
            information="expected",
        )
    else:
        found = replace(found, missing=missing)
    if information is not None:
        found = _informed(found, information)
    if likelihood == "wishart" and name not in {"ML", "MLM", "MLMV", "MLMVS"}:
        raise AnalysisError(
            f"likelihood='wishart' goes with estimator='ML', found {name!r}. Leave it "
            "out."
        )
    return replace(found, likelihood=likelihood)


def _informed(found: Method, information: Information) -> Method:
    if information == "first_order" and found.errors == "standard":
        return replace(found, errors="first_order", information="first_order")
    if information == "first_order":
        raise AnalysisError(
            f"information='first_order' does not go with estimator={found.name!r}, "
            "whose errors are robust. Use 'expected' or 'observed'."
        )
    if information == "observed" and found.discrepancy in {"ULS", "DWLS", "WLS"}:
        raise AnalysisError(
            f"information='observed' does not go with estimator={found.name!r}, whose "
            "errors rest on the weight matrix. Leave it out ('expected', as lavaan "
            "takes it too)."
        )
    return replace(found, information=information)


def _require_together(
    found: Method, *, ordered: bool, missing: Missing, dependent: bool
) -> None:
    name = found.name
    if ordered and not found.least_squares:
        raise AnalysisError(
            f"estimator={name!r} treats answers as numbers, but variables are declared "
            "ordered. Use 'WLSMV', or leave ordered= out."
        )
    if ordered and found.discrepancy == "GLS":
        raise AnalysisError(
            "estimator='GLS' is not defined for ordered variables. Use 'WLSMV'."
        )
    if missing in _FULL and name not in _LIKELIHOOD:
        raise AnalysisError(
            f"missing={missing!r} wants a likelihood, which {name!r} has not. Use "
            "estimator='MLR' with it, or missing='pairwise' with ordered variables."
        )
    if missing == "pairwise" and not ordered:
        raise AnalysisError(
            "missing='pairwise' is for ordered variables. Use missing='ml' (with "
            "estimator='ML' or 'MLR'), which uses every answer, or 'listwise'."
        )
    if missing in {"two_stage", "robust_two_stage"} and name != "ML":
        raise AnalysisError(
            f"missing={missing!r} goes with estimator='ML', found {name!r}. Use that, "
            "or missing='ml'."
        )
    if dependent and not (name == "MLR" or ordered):
        raise AnalysisError(
            f"cluster= and weights= want robust errors, which {name!r} does not "
            "offer. Use estimator='MLR', or 'WLSMV' with ordered variables."
        )
