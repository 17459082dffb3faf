"""What a report must say: reporting standards filled in from results.

Each line stands for something JARS-Quant (Appelbaum et al. 2018, Table 7), COSMIN
(Mokkink et al. 2018) or Boateng et al. (2018) ask for; a line that cannot be filled
says why.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.cosmin import CRITERIA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.correlations import Correlation
    from analysis.measurement import Structures
    from analysis.scale_invariance import ScaleInvariance
    from analysis.sem import (
        DiscriminantValidity,
        LocalFit,
        ModificationIndices,
        SemFit,
    )

Line = tuple[str, str, str]
_ABSENT: Final = "not available: "
_CUTOFFS: Final = (
    "Hu & Bentler (1999): CFI, TLI > .95, RMSEA < .06, SRMR < .08; made for continuous "
    "maximum likelihood, a rough guide for ordered items"
)


def checklist(lines: Sequence[Line]) -> pd.DataFrame:
    """Arrange lines as a table: standard, line, value."""
    return pd.DataFrame(list(lines), columns=["standard", "line", "value"])


def measurement_checklist(
    structures: Structures,
    fit: SemFit,
    *,
    local: LocalFit,
    indices: ModificationIndices,
    discriminant: DiscriminantValidity | None = None,
    reliability: str = "",
) -> pd.DataFrame:
    """Fill in what a report of a measurement model must say.

    Parameters
    ----------
    structures
        The models compared.
    fit
        The one whose estimates are shown.
    local, indices
        Its local fit and modification indices.
    discriminant
        Whether its factors are distinct; None where there are no two.
    reliability
        A sentence about reliability, with the formula named.
    """
    return checklist(
        [
            *_method(structures, fit),
            *_global(fit),
            ("JARS 7", "local fit: residual correlations", local.summary()),
            ("JARS 7", "respecification", indices.summary()),
            ("JARS 7", "rival models", _rivals(structures)),
            ("JARS 7", "estimates, errors and intervals", _estimates(fit)),
            (
                "COSMIN 3",
                "discriminant validity",
                discriminant.summary()
                if discriminant
                else f"{_ABSENT}the model has no two correlated factors",
            ),
            (
                "COSMIN 4",
                "internal consistency, formula named",
                reliability or f"{_ABSENT}see the report of the items",
            ),
            ("COSMIN 3", "adequacy of the sample", _sample(fit)),
        ]
    )


def _method(structures: Structures, fit: SemFit) -> list[Line]:
    method = fit.problem.method
    n_moments = fit.indices.npar + fit.indices.df
    fixed = [r for r in fit.table.rows if r.op == "=~" and r.fixed == 1.0]
    scale = "first loading of a factor is 1" if fixed else "variance of a factor is 1"
    kind = "theta" if fit.table.theta else "delta"
    ordinal = f", {kind} parameterisation" if fit.table.categories else ""
    return [
        ("JARS 7", "model in words", f"{len(fit.latent)} factors; syntax below"),
        (
            "JARS 7",
            "estimator and software",
            f"{method.name}{ordinal}; pushaway {version('pushaway')}",
        ),
        ("JARS 7", "treatment of answers and of gaps", structures.treatment),
        (
            "JARS 7",
            "identification and degrees of freedom",
            (
                f"{scale}; {n_moments} sample moments, {fit.indices.npar} parameters, "
                f"df = {fit.indices.df}"
            ),
        ),
        ("JARS 7", "convergence and admissibility", _admissible(fit)),
        (
            "Boateng 2018",
            "measurement stance",
            (
                "reflective: items mirror the factor. Scales declared formative are "
                "left out, as a factor model is no evidence for them"
            ),
        ),
    ]


def _admissible(fit: SemFit) -> str:
    kinds = sorted(set(fit.warnings["what"]))
    if not kinds:
        return "converged; no improper value"
    return f"converged; look at the warnings: {', '.join(kinds)}"


def _global(fit: SemFit) -> list[Line]:
    i = fit.indices
    plain = f"chi2({i.df}) = {i.chisq:.2f}"
    lines = [
        ("JARS 7", "global fit, robust indices first", fit.summary()),
        ("JARS 7", "cut-offs and their source", _CUTOFFS),
    ]
    if fit.statistic.scaled:
        scaled = (
            f"plain {plain} (no p-value where it has no chi-square distribution), "
            f"CFI {i.cfi:.3f}, RMSEA {i.rmsea:.3f}; scaled chi2 = "
            f"{fit.statistic.chisq_scaled:.2f}, CFI {i.get('cfi_scaled'):.3f}, RMSEA "
            f"{i.get('rmsea_scaled'):.3f}; robust CFI {i.get('cfi_robust'):.3f}, RMSEA "
            f"{i.get('rmsea_robust'):.3f}"
        )
        lines.insert(1, ("JARS 7", "plain, scaled and robust apart", scaled))
    return lines


def _rivals(structures: Structures) -> str:
    if len(structures.fits) < 2:  # noqa: PLR2004
        return f"{_ABSENT}one structure was fitted"
    ends = {name: fit.indices.best for name, fit in structures.fits.items()}
    parts = []
    for name, fit in structures.fits.items():
        i, end = fit.indices, ends[name]
        parts.append(
            f"{name}: df {i.df}, CFI {i.get('cfi' + end):.3f}, RMSEA "
            f"{i.get('rmsea' + end):.3f}, SRMR {i.srmr:.3f}"
        )
    return "; ".join(parts)


def _estimates(fit: SemFit) -> str:
    tidy = fit.tidy()
    loadings = tidy.loc[tidy["op"] == "=~", "std_all"]
    r2 = fit.r_squared.dropna()
    return (
        f"standardised loadings {loadings.min():.2f} to {loadings.max():.2f}; R2 of "
        f"items {r2.min():.2f} to {r2.max():.2f}; all in the table of estimates"
    )


def _sample(fit: SemFit) -> str:
    ratio = fit.n_obs / len(fit.observed)
    very = ratio >= 7 and fit.n_obs >= 100  # noqa: PLR2004 - Mokkink et al. (2018)
    word = "very good" if very else "less than the 7 per item and 100 of 'very good'"
    return f"n = {fit.n_obs}, {ratio:.1f} per item: {word}"


def dimensions_checklist(
    correlation: Correlation,
    sentences: Mapping[str, str],
) -> pd.DataFrame:
    """Fill in what a report of an exploratory factor analysis must say.

    Parameters
    ----------
    correlation
        The matrix that every step used.
    sentences
        What each step says of itself: adequacy, retention, solution, replication.
    """
    words = {
        "adequacy": "sampling adequacy",
        "retention": "number of factors, by several rules",
        "solution": "extraction, rotation, starts and optima",
        "replication": "replication",
        "scores": "factor scores and their determinacy",
    }
    lines: list[Line] = [
        ("Boateng 2018", "one correlation matrix for all steps", correlation.summary())
    ]
    lines += [
        (
            "Boateng 2018",
            text,
            sentences.get(name, f"{_ABSENT}not part of this report"),
        )
        for name, text in words.items()
    ]
    return checklist(lines)


def invariance_checklist(found: ScaleInvariance) -> pd.DataFrame:
    """Fill in what a report of measurement invariance must say."""
    if not found.found:
        return checklist([("COSMIN 5", "invariance", found.summary())])
    first = next(iter(found.found.values()))
    fit = next(iter(first.fits.values()))
    sizes = ", ".join(f"{name}: n = {n}" for name, n in first.groups.items())
    effects = found.effects
    size = f"{_ABSENT}dMACS compares groups, not waves"
    if len(effects):
        top = effects.sort_values("dmacs").iloc[-1]
        size = (
            f"largest dMACS {top['dmacs']:.2f} ({top['item']}); "
            f"{int((effects['dmacs'] >= 0.2).sum())} of {len(effects)} are .20 or more"  # noqa: PLR2004 - small
        )
    released = sum(len(one.released) for one in found.found.values())
    kind = fit.problem.method.name
    return checklist(
        [
            ("COSMIN 5", "respondents per group", sizes),
            ("COSMIN 5", "steps and their order", ", ".join(first.fits)),
            ("COSMIN 5", "estimator", f"{kind}; scaled difference tests"),
            ("COSMIN 5", "what makes a step hold", first.criteria),
            ("COSMIN 5", "what earns a plus", CRITERIA["measurement invariance"]),
            ("COSMIN 5", "result", found.summary()),
            ("COSMIN 5", "parameters released", f"{released}, listed where any"),
            ("COSMIN 5", "size of non-invariance", size),
            (
                "COSMIN 5",
                "differential item functioning by logistic regression",
                f"{_ABSENT}the ladder and dMACS answer the same question",
            ),
        ]
    )


def items_checklist(
    *,
    n_obs: int,
    n_items: int,
    keys: str,
    normality: str,
    consistency: str,
    correlations: str,
) -> pd.DataFrame:
    """Fill in what a report of items and scale reliability must say."""
    per_item = n_obs / n_items if n_items else np.nan
    return checklist(
        [
            ("JARS 1", "respondents and items", f"{n_obs} people, {n_items} items"),
            ("COSMIN 4", "respondents per item", f"{per_item:.1f}"),
            ("JARS 1", "reverse coding checked", keys),
            ("JARS 7", "distribution of items", normality),
            ("JARS 7", "correlations used", correlations),
            ("COSMIN 4", "internal consistency, formula named", consistency),
            (
                "COSMIN 6",
                "test-retest reliability",
                f"{_ABSENT}waves measure change here, not stability",
            ),
        ]
    )
