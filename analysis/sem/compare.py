"""Models side by side, and tests between nested ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.result import format_p
from analysis.sem.difference import (
    METHODS,
    DifferenceMethod,
    difference,
    reproduces,
)
from analysis.sem.estimate import spelt
from analysis.sem.fit import require_fit

if TYPE_CHECKING:
    from analysis.sem.fit import SemFit

INDICES = (
    "chisq",
    "df",
    "pvalue",
    "cfi",
    "tli",
    "rmsea",
    "srmr",
    "aic",
    "bic",
)
_ALIASES: Final[dict[str, str]] = {
    "sb2001": "satorra_bentler_2001",
    "sb_2001": "satorra_bentler_2001",
    "satorrabentler2001": "satorra_bentler_2001",
    "sb2010": "satorra_bentler_2010",
    "sb_2010": "satorra_bentler_2010",
    "satorrabentler2010": "satorra_bentler_2010",
    "s2000": "satorra_2000",
    "satorra2000": "satorra_2000",
}
SCALED = (
    *("chisq_scaled", "df_scaled", "pvalue_scaled"),
    *("cfi_robust", "tli_robust", "rmsea_robust"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several models of the same variables.

    Attributes
    ----------
    models
        One row per model, least restricted first: model chisq df pvalue cfi tli rmsea
        srmr aic bic n_obs n_warnings, and with corrected tests their scaled and
        robust counterparts.
    differences
        One row per pair of neighbours: model (the more restricted), against,
        chisq_diff df_diff p_value, method, and note, which says whether the models are
        nested or why there is no test.
    """

    models: pd.DataFrame
    differences: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per model, with the test against the row before it."""
        return self.models.merge(self.differences, on="model", how="left")

    def glance(self) -> pd.DataFrame:
        """One row: how many models, and which has the smallest AIC and BIC.

        Without the same respondents and variables, or without a likelihood, criteria
        cannot be compared, and the two names are missing.
        """
        same = not self.differences["note"].str.startswith("other data").any()
        return pd.DataFrame(
            {
                "n_models": [len(self.models)],
                "n_obs": [self.models["n_obs"].iloc[0] if same else pd.NA],
                "lowest_aic": [self._lowest("aic", same=same)],
                "lowest_bic": [self._lowest("bic", same=same)],
            }
        )

    def summary(self) -> str:
        """Say which differences there are, as papers report them."""
        parts = [
            _sentence({str(k): v for k, v in d.items()})
            for d in self.differences.to_dict("records")
        ]
        best = self.glance().iloc[0]
        if isinstance(best["lowest_bic"], str):
            parts.append(f"lowest BIC: {best['lowest_bic']}")
        return "; ".join(parts) + "."

    def _lowest(self, index: str, *, same: bool) -> object:
        """Name the model with the smallest criterion; missing without a likelihood."""
        if not same or self.models[index].isna().any():
            return pd.NA
        return str(self.models["model"].iloc[int(self.models[index].argmin())])


def _sentence(difference: Mapping[str, object]) -> str:
    pair = f"{difference['model']} against {difference['against']}"
    if difference["note"] != "nested":
        return f"{pair}: no test, {difference['note']}"
    return (
        f"{pair}: Delta chi2({difference['df_diff']}) = "
        f"{difference['chisq_diff']:.2f}, {format_p(float(str(difference['p_value'])))}"
    )


def compare(
    fits: Mapping[str, SemFit], *, method: DifferenceMethod | str | None = None
) -> Comparison:
    """Put models side by side, and test neighbours that are nested.

    Models are ordered by degrees of freedom. Two neighbours are tested when they
    describe the same respondents and variables, differ in degrees of freedom, and the
    less restricted one reproduces exactly what the more restricted one implies.

    Parameters
    ----------
    fits
        At least two fitted models by name.
    method
        See `analysis.sem.difference.difference`; by default what suits the estimator.
        Short (``"sb2001"``) and lavaan's (``"satorra.bentler.2001"``) spellings are
        understood, in any case.

    Raises
    ------
    AnalysisError
        If there are fewer than two models, or the method is not offered.

    Notes
    -----
    Nesting is established, not assumed: Bentler & Satorra (2010). The test is that of
    ``lavaan::lavTestLRT(fit0, fit1)``; tests/reference/sem_models.R.
    """
    if not isinstance(fits, Mapping):
        raise AnalysisError(
            f"compare: got a {type(fits).__name__} in place of named models. Give them "
            "names: compare({'one': first, 'two': second})."
        )
    for name, fit in fits.items():
        require_fit(fit, where=f"compare, {name!r}")
    if len(fits) < 2:  # noqa: PLR2004
        raise AnalysisError(
            f"compare: expected at least two models, found {len(fits)}. Hand in a "
            "mapping of names to fits."
        )
    chosen: DifferenceMethod | None = None
    if method is not None and method != "default":
        name = spelt("compare, method", method, METHODS, _ALIASES)
        chosen = cast("DifferenceMethod", name)
    ordered = sorted(fits.items(), key=lambda item: item[1].indices.df)
    models = pd.DataFrame([_model_row(name, fit) for name, fit in ordered])
    pairs = pairwise(ordered)
    differences = [_difference(less, more, chosen) for less, more in pairs]
    return Comparison(models, pd.DataFrame(differences))


def _model_row(name: str, fit: SemFit) -> dict[str, object]:
    row: dict[str, object] = {"model": name}
    row |= {key: fit.indices.get(key) for key in INDICES}
    row["df"] = fit.indices.df
    if fit.statistic.scaled:
        row |= {key: fit.indices.get(key) for key in SCALED}
    elif np.isfinite(fit.indices.get("rmsea_robust")):
        row |= {key: fit.indices.get(key) for key in SCALED if "robust" in key}
    return row | {"n_obs": fit.n_obs, "n_warnings": len(fit.warnings)}


def _difference(
    less: tuple[str, SemFit],
    more: tuple[str, SemFit],
    method: DifferenceMethod | None,
) -> dict[str, object]:
    (against, free), (name, restricted) = less, more
    df = restricted.indices.df - free.indices.df
    why_not = _other_data(free, restricted) or _not_nested(free, restricted)
    row: dict[str, object] = {
        "model": name,
        "against": against,
        "chisq_diff": np.nan,
        "df_diff": df,
        "p_value": np.nan,
        "method": "",
        "note": why_not,
    }
    if why_not:
        return row
    found = difference(free, restricted, method)
    return row | {
        "chisq_diff": found.chisq,
        "p_value": found.pvalue,
        "method": found.method,
        "note": found.note or "nested",
    }


def _other_data(free: SemFit, restricted: SemFit) -> str:
    """How the data of two models differ; empty when they are the same."""
    if set(free.observed) != set(restricted.observed):
        return "other data: the models have different variables"
    if free.groups != restricted.groups:
        return "other data: the models have different groups"
    order = [restricted.observed.index(name) for name in free.observed]
    pairs = zip(free.problem.moments, restricted.problem.moments, strict=True)
    same = all(
        a.n_obs == b.n_obs
        and np.allclose(b.cov[np.ix_(order, order)], a.cov, rtol=1e-6, atol=1e-8)
        for a, b in pairs
    )
    if not same:
        return "other data: the models were fitted to different respondents"
    if set(free.table.exogenous) != set(restricted.table.exogenous):
        return "other data: the models hold different predictors at sample values"
    return ""


def _not_nested(free: SemFit, restricted: SemFit) -> str:
    """Why models of the same data are not tested; empty when they are nested."""
    if free.problem.method != restricted.problem.method:
        return "fitted in different ways; fit both with one estimator"
    if free.table.meanstructure != restricted.table.meanstructure:
        return "only one of the models has means; fit both with meanstructure=True"
    if free.indices.df == restricted.indices.df:
        return f"equal degrees of freedom; {_instead(free)}"
    if not reproduces(free, restricted):
        return f"not nested (one cannot reproduce the other); {_instead(free)}"
    least_squares = free.problem.method.discrepancy in {"ULS", "DWLS"}
    if least_squares and not free.statistic.scaled and free.indices.df:
        return (
            "the statistic has no chi-square distribution; fit both with 'WLSMV' or "
            "'ULSMV'"
        )
    return ""


def _instead(fit: SemFit) -> str:
    """Say what to compare where there is no test."""
    known = np.isfinite(fit.indices.get("aic"))
    return "compare AIC and BIC" if known else "compare their indices of fit"
