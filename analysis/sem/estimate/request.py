"""What is asked of `cfa` and `sem` beside the model and the data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast, get_args

from analysis.errors import AnalysisError
from analysis.sem.estimate.spelling import spelt
from analysis.sem.estimators import (
    METHODS,
    EstimatorName,
    Information,
    Likelihood,
    Missing,
    Parameterization,
)
from analysis.sem.partable import Equal

if TYPE_CHECKING:
    from collections.abc import Sequence

_MISSING: Final = {
    "direct": "ml",
    "twostage": "two_stage",
    "two_step": "two_stage",
    "robust_twostage": "robust_two_stage",
    "robust_two_step": "robust_two_stage",
}
_REFUSED_MISSING: Final = ("ml.x", "fiml.x", "ml_x", "fiml_x", "direct.x")


@dataclass(frozen=True, slots=True)
class Request:
    """Options of a fit; each is explained in `analysis.sem.cfa` and `analysis.sem.sem`.

    Attributes
    ----------
    estimator, ordered, group, group_equal, group_partial, missing, std_lv, \
parameterization, meanstructure, orthogonal, cluster, weights, information, \
likelihood, fixed_x, conditional_x
        As the arguments of these names.
    """

    estimator: EstimatorName | None = None
    ordered: Sequence[str] | bool | None = None
    group: str | None = None
    group_equal: Sequence[Equal] | Equal = ()
    group_partial: Sequence[str] = ()
    missing: Missing = "listwise"
    std_lv: bool = False
    parameterization: Parameterization = "delta"
    meanstructure: bool | None = None
    orthogonal: bool = False
    cluster: str | None = None
    weights: str | None = None
    information: Information | None = None
    likelihood: Likelihood = "normal"
    fixed_x: bool | None = None
    conditional_x: bool | None = None

    def spelt(self) -> Request:
        """Read every choice as it is meant, whatever its spelling.

        Raises
        ------
        AnalysisError
            If a choice is not offered; names what is.
        """
        if str(self.missing).lower() in _REFUSED_MISSING:
            raise AnalysisError(
                f"missing={self.missing!r} is not offered. Use missing='ml' with "
                "fixed_x=False, which also uses rows whose predictors are missing."
            )
        missing = spelt("missing", self.missing, get_args(Missing), _MISSING)
        parameterization = spelt(
            "parameterization", self.parameterization, get_args(Parameterization)
        )
        likelihood = spelt("likelihood", self.likelihood, get_args(Likelihood))
        found = replace(
            self,
            missing=cast("Missing", missing),
            parameterization=cast("Parameterization", parameterization),
            likelihood=cast("Likelihood", likelihood),
            group_equal=_equal(self.group_equal),
            group_partial=_listed(self.group_partial),
        )
        if self.estimator is not None:
            name = spelt("estimator", self.estimator, tuple(METHODS))
            found = replace(found, estimator=cast("EstimatorName", name))
        if self.information is not None:
            kind = spelt("information", self.information, get_args(Information))
            found = replace(found, information=cast("Information", kind))
        return found


def _listed(names: Sequence[str] | str) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _equal(kinds: Sequence[Equal] | Equal) -> tuple[Equal, ...]:
    found = [spelt("group_equal", k, get_args(Equal)) for k in _listed(kinds)]
    return tuple(dict.fromkeys(cast("list[Equal]", found)))
