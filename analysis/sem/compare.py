"""Models side by side, and tests between nested ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError
from analysis.result import format_p
from analysis.sem.discrepancy import Target
from analysis.sem.estimate import Problem, minimise
from analysis.sem.estimate.starts import start_values
from analysis.sem.matrices import Layout
from analysis.sem.moments import Moments
from analysis.sem.partable import reparameterise
from analysis.sem.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

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
# Discrepancy below which one model reproduces all that another one implies.
REPRODUCED = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Several models of the same variables.

    Attributes
    ----------
    models
        One row per model, least restricted first: model chisq df pvalue cfi tli rmsea
        srmr aic bic n_obs n_warnings.
    differences
        One row per pair of neighbours: model (the more restricted), against,
        chisq_diff df_diff p_value, and note, which says whether the models are nested
        or why there is no test.
    """

    models: pd.DataFrame
    differences: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per model, with the test against the row before it."""
        return self.models.merge(self.differences, on="model", how="left")

    def glance(self) -> pd.DataFrame:
        """One row: how many models, and which has the smallest AIC and BIC.

        Without the same respondents and variables criteria cannot be compared, and
        the two names are missing.
        """
        same = not self.differences["note"].str.startswith("other data").any()
        return pd.DataFrame(
            {
                "n_models": [len(self.models)],
                "n_obs": [self.models["n_obs"].iloc[0] if same else pd.NA],
                "lowest_aic": [self._lowest("aic") if same else pd.NA],
                "lowest_bic": [self._lowest("bic") if same else pd.NA],
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

    def _lowest(self, index: str) -> str:
        return str(self.models["model"].iloc[int(self.models[index].argmin())])


def _sentence(difference: Mapping[str, object]) -> str:
    pair = f"{difference['model']} against {difference['against']}"
    if difference["note"] != "nested":
        return f"{pair}: no test, {difference['note']}"
    return (
        f"{pair}: Delta chi2({difference['df_diff']}) = "
        f"{difference['chisq_diff']:.2f}, {format_p(float(str(difference['p_value'])))}"
    )


def compare(fits: Mapping[str, SemFit]) -> Comparison:
    """Put models side by side, and test neighbours that are nested.

    Models are ordered by degrees of freedom. Two neighbours are tested when they
    describe the same respondents and variables, differ in degrees of freedom, and the
    less restricted one reproduces exactly what the more restricted one implies.

    Parameters
    ----------
    fits
        At least two fitted models by name.

    Raises
    ------
    AnalysisError
        If there are fewer than two models.

    Notes
    -----
    Nesting is established, not assumed: Bentler & Satorra (2010). The test is that of
    ``lavaan::lavTestLRT(fit0, fit1)``; tests/reference/sem_models.R.
    """
    if len(fits) < 2:  # noqa: PLR2004
        raise AnalysisError(
            f"compare: expected at least two models, found {len(fits)}. Hand in a "
            "mapping of names to fits."
        )
    ordered = sorted(fits.items(), key=lambda item: item[1].indices.df)
    models = pd.DataFrame([_model_row(name, fit) for name, fit in ordered])
    pairs = pairwise(ordered)
    differences = [_difference(less, more) for less, more in pairs]
    return Comparison(models, pd.DataFrame(differences))


def _model_row(name: str, fit: SemFit) -> dict[str, object]:
    indices = asdict(fit.indices)
    row: dict[str, object] = {"model": name}
    row |= {key: indices[key] for key in INDICES}
    return row | {"n_obs": fit.n_obs, "n_warnings": len(fit.warnings)}


def _difference(
    less: tuple[str, SemFit], more: tuple[str, SemFit]
) -> dict[str, object]:
    (against, free), (name, restricted) = less, more
    df = restricted.indices.df - free.indices.df
    chisq = restricted.indices.chisq - free.indices.chisq
    why_not = _other_data(free, restricted) or _not_nested(free, restricted)
    tested = not why_not
    return {
        "model": name,
        "against": against,
        "chisq_diff": chisq if tested else np.nan,
        "df_diff": df,
        "p_value": float(chi2.sf(chisq, df)) if tested else np.nan,
        "note": why_not or "nested",
    }


def _other_data(free: SemFit, restricted: SemFit) -> str:
    """How the data of two models differ; empty when they are the same."""
    if set(free.observed) != set(restricted.observed):
        return "other data: the models have different variables"
    names = list(free.observed)
    other = restricted.cov.loc[names, names].to_numpy()
    same = np.allclose(other, free.moments.cov, rtol=1e-9)
    if free.n_obs != restricted.n_obs or not same:
        return "other data: the models were fitted to different respondents"
    if set(free.table.exogenous) != set(restricted.table.exogenous):
        return "other data: the models hold different predictors at sample values"
    return ""


def _not_nested(free: SemFit, restricted: SemFit) -> str:
    """Why models of the same data are not tested; empty when they are nested."""
    if free.table.meanstructure != restricted.table.meanstructure:
        return "only one of the models has means; fit both with meanstructure=True"
    if free.indices.df == restricted.indices.df:
        return "equal degrees of freedom; compare AIC and BIC"
    if not _reproduces(free, restricted):
        return "not nested (one cannot reproduce the other); compare AIC and BIC"
    return ""


def _reproduces(free: SemFit, restricted: SemFit) -> bool:
    """Whether the less restricted model fits the other's implied moments exactly."""
    order = [restricted.observed.index(name) for name in free.observed]
    moments = Moments(
        cov=restricted.reproduced.cov[np.ix_(order, order)],
        mean=restricted.reproduced.mean[order],
        n_obs=free.n_obs,
    )
    table = free.table.with_exogenous(moments.cov, moments.mean)
    layout = Layout.of(table)
    target = Target.of(moments, means=table.meanstructure)
    problem = Problem(layout, target, reparameterise(table, parse(free.model)))
    try:
        theta = minimise(problem, start_values(table, moments))
    except (ConvergenceError, NotIdentifiedError):
        return False
    return problem.value(problem.coordinates.coordinates(theta)) < REPRODUCED
