"""From answers to a rotated exploratory factor model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import numpy as np
import pandas as pd

from analysis.answers import require_choice
from analysis.efa.extract import LOWEST_UNIQUENESS, extract, require_identified
from analysis.efa.fit import EfaFit
from analysis.efa.indices import efa_indices
from analysis.efa.names import method_called, rotation_called
from analysis.efa.precision import (
    Estimates,
    StdErrors,
    analytic,
    bootstrapped,
    check_errors,
    polychoric_covariance,
)
from analysis.efa.resample import Recipe
from analysis.efa.rotate import STARTS, Rotated, arrange, rotate, ss_loadings
from analysis.efa.rotations import Bifactor, Rotation, Target, meant
from analysis.efa.scaled import scaled_fit
from analysis.efa.source import correlations_of, noted, pairwise_row
from analysis.errors import AnalysisError
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis.arrays import Float1D, Float2D
    from analysis.correlations import Correlation, Kind, Missing
    from analysis.efa.extract import Extraction, Method
    from analysis.efa.fit import Precision
    from analysis.efa.precision import Row
    from analysis.efa.scaled import ScaledFit
    from analysis.efa.source import Items

# Below five people an item, loadings of ordinary items are hardly stable.
PEOPLE_PER_ITEM: Final = 5
# Factors that correlate higher than this are hardly two.
SAME_FACTOR: Final = 0.90
# A factor with fewer items at this size or more is hardly one.
SALIENT, FEWEST_SALIENT = 0.30, 3


def efa(
    items: Items,
    n_factors: int,
    *,
    method: Method | str = "pa",
    rotation: Rotation | str = "oblimin",
    target: pd.DataFrame | Float2D | None = None,
    kind: Kind | None = None,
    missing: Missing | None = None,
    factor_labels: Sequence[str] | None = None,
    kaiser: bool | None = None,
    rotation_starts: int = STARTS,
    se: StdErrors = "none",
    draws: int = 500,
    seed: int = 0,
) -> EfaFit:
    """Explore the factors behind items.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA; or their correlations.
    n_factors
        Number of factors.
    method
        ``"pa"`` (principal axis), ``"ml"`` or ``"minres"``; other usual names, such as
        ``"principal_axis"``, ``"mle"`` and ``"uls"``, mean these.
    rotation
        ``"oblimin"`` (gamma 0), ``"geomin"`` (epsilon .01) and ``"promax"`` let factors
        correlate; ``"varimax"``, ``"quartimax"``, ``"bifactor"`` (bi-quartimin) and
        ``"none"`` do not. Names of R, SPSS and Mplus are understood, in any case:
        ``"quartimin"``, ``"geominT"``, ``"bifactorQ"``. With other options: `Oblimin`,
        `Geomin`, `Promax`, `Bifactor`; with expected loadings: ``"target"`` (factors
        correlate), ``"targetT"`` or `Target`.
    target
        Expected loadings, items x factors, for ``"target"``; see `Target`.
    kind
        Which correlation of answers, ``"pearson"`` (default), ``"polychoric"``,
        ``"spearman"`` or ``"auto"``.
    missing
        ``"listwise"`` (default) keeps respondents with every answer. ``"pairwise"``
        correlates each pair from all who answered both; chi-square and RMSEA then take
        everyone with two answers or more as n.
    factor_labels
        Names of the factors in their order here; otherwise those of the target, or F1,
        F2, ..., with G for the general factor of a bifactor rotation.
    kaiser
        Whether items get unit length for the rotation; by default as psych does
        (varimax and promax: yes).
    rotation_starts
        Starts of the rotation, the best is kept; 1 starts only where R does.
    se
        Standard errors. ``"analytic"``: normal theory with Pearson correlations, the
        asymptotic covariance of polychoric ones (which rests on normal variables behind
        the answers). ``"robust"``: whatever the distribution of the answers, or of what
        is behind them. ``"bootstrap"``: everything drawn again, whatever the
        distribution. The first two bring a scaled test of fit with polychoric
        correlations by least squares.
    draws
        Bootstrap samples.
    seed
        Seed of the random starts and draws.

    Returns
    -------
    EfaFit
        Factors ordered by variance explained, loadings summing positive. Heywood
        cases, thin data, rotations with several optima and what was noted about the
        correlations are in its `warnings`.

    Raises
    ------
    TooFewError
        If there are not more complete respondents than items.
    NotIdentifiedError
        If there are too many factors for the items.
    ConvergenceError
        If extraction or rotation finds no solution, or a factor explains nothing.
    AnalysisError
        If an item is not numeric, unanswered or constant, or items repeat others, or an
        option does not fit.

    Notes
    -----
    Same as ``psych::fa(R, k, fm = method, rotate = rotation, min.err = 1e-10,
    max.iter = 5000)`` and, for ml, ``factanal``: tests/reference/efa.R and
    efa_rotations.R. Standard errors: see `analysis.efa.uncertainty`. With normal
    variables behind five-point answers the analytic ones were 1.01 of the spread of
    polychoric loadings over 300 samples of 500 people; with the answers of
    ``psych::bfi``, which have none, .83 of the bootstrap (median), the robust .99.
    """
    method, rotation = method_called(method), rotation_called(rotation, target)
    require_choice("se", se, get_args(StdErrors), where="efa")
    corr = correlations_of(items, kind, missing, where="efa")
    require_identified(corr.n_items, n_factors)
    if isinstance(rotation, Target):
        rotation = rotation.for_items(corr.names, n_factors)
    recipe = Recipe(method, rotation, kaiser)
    check_errors(se, corr, recipe)
    extraction = extract(corr.R, n_factors, method=method, names=corr.names)
    rotated = rotate(
        extraction.loadings, rotation, kaiser=kaiser, starts=rotation_starts, seed=seed
    )
    L, Phi = _in_order(rotated, rotation)
    names = _labels(n_factors, factor_labels, rotation)
    found = Estimates(L, Phi, extraction.uniqueness, names, recipe)
    precision, scaled, rows = _uncertain(
        found, corr, extraction, se=se, draws=draws, seed=seed
    )
    return _present(
        found,
        corr,
        extraction,
        rotated,
        precision=precision,
        scaled=scaled,
        rows=[
            *_heywood(extraction, corr.names),
            *_sample(corr),
            *_rotation(rotated, Phi, found),
            *_thin(L, names, rotation),
            *_not_derived(corr, scaled),
            *rows,
            *noted(corr),
        ],
    )


def _in_order(rotated: Rotated, rotation: Rotation) -> tuple[Float2D, Float2D]:
    if isinstance(rotation, Target):
        sign = rotation.signs(rotated.loadings)
        return rotated.loadings * sign, rotated.Phi * np.outer(sign, sign)
    general = isinstance(meant(rotation), Bifactor)
    return arrange(rotated.loadings, rotated.Phi, fixed=int(general))


def _labels(
    n_factors: int, labels: Sequence[str] | None, rotation: Rotation
) -> list[str]:
    if labels is None:
        if isinstance(rotation, Target) and isinstance(rotation.aim, pd.DataFrame):
            given = [str(name) for name in rotation.aim.columns]
            if not all(name.isdigit() for name in given):
                return given
        if isinstance(meant(rotation), Bifactor) and n_factors > 1:
            return ["G", *(f"F{number}" for number in range(1, n_factors))]
        return [f"F{number}" for number in range(1, n_factors + 1)]
    if isinstance(labels, str) or len(set(labels)) != n_factors:
        raise AnalysisError(
            f"efa: factor_labels {list(labels)} do not name {n_factors} factors. "
            "Give one different label a factor."
        )
    return list(labels)


def _uncertain(
    found: Estimates,
    corr: Correlation,
    extraction: Extraction,
    *,
    se: StdErrors,
    draws: int,
    seed: int,
) -> tuple[Precision | None, ScaledFit | None, list[Row]]:
    if se == "none":
        return None, None, []
    if se == "bootstrap":
        precision, rows = bootstrapped(found, corr, draws=draws, seed=seed)
        return precision, None, rows
    acov: Float2D | None = None
    told: list[Row] = []
    if corr.kind == "polychoric":
        acov, told = polychoric_covariance(corr, se)
    closed, rows = analytic(found, corr, se, acov)
    scaled = None
    if acov is not None and found.recipe.method != "ml":
        scaled = scaled_fit(corr.R, extraction.loadings, acov, corr.n_obs)
    return closed, scaled, [*rows, *told]


def _present(
    found: Estimates,
    corr: Correlation,
    extraction: Extraction,
    rotated: Rotated,
    *,
    precision: Precision | None,
    scaled: ScaledFit | None,
    rows: list[Row],
) -> EfaFit:
    L, Phi, names = found.L, found.Phi, list(found.factors)
    items = list(corr.names)
    options = meant(found.recipe.rotation)
    return EfaFit(
        pattern=pd.DataFrame(L, index=items, columns=names),
        structure=pd.DataFrame(L @ Phi, index=items, columns=names),
        phi=pd.DataFrame(Phi, index=names, columns=names),
        items=_item_table(L, extraction.uniqueness, items, names),
        variance=_variance_table(L, Phi, names),
        residuals=pd.DataFrame(corr.R - L @ Phi @ L.T, index=items, columns=items),
        source=corr,
        indices=efa_indices(corr.R, extraction, corr.n_obs),
        scaled=scaled,
        precision=precision,
        method=found.recipe.method,
        rotation="none" if options is None else options.name,
        n_obs=corr.n_obs,
        n_dropped=corr.n_dropped,
        optima=rotated.optima,
        rotation_optima=_optima_table(rotated),
        warnings=warning_table(rows),
    )


def _item_table(
    L: Float2D, uniqueness: Float1D, items: Sequence[str], factors: Sequence[str]
) -> pd.DataFrame:
    squares = L**2
    with np.errstate(invalid="ignore"):
        complexity = squares.sum(axis=1) ** 2 / (squares**2).sum(axis=1)
    return pd.DataFrame(
        {
            "communality": 1 - uniqueness,
            "uniqueness": uniqueness,
            "complexity": complexity,
            "factor": [factors[j] for j in np.abs(L).argmax(axis=1)],
        },
        index=pd.Index(items, name="item"),
    )


def _variance_table(L: Float2D, Phi: Float2D, factors: Sequence[str]) -> pd.DataFrame:
    ss = ss_loadings(L, Phi)
    return pd.DataFrame(
        {
            "ss_loadings": ss,
            "proportion": ss / len(L),
            "cumulative": ss.cumsum() / len(L),
            "explained": ss / ss.sum(),
        },
        index=pd.Index(factors, name="factor"),
    )


def _optima_table(rotated: Rotated) -> pd.DataFrame:
    hits = np.array(rotated.hits, dtype=np.int_)
    tried = int(hits.sum()) + rotated.lost
    return pd.DataFrame(
        {
            "optimum": np.arange(1, len(hits) + 1),
            "value": np.array(rotated.criteria, dtype=np.float64),
            "starts": hits,
            "share": hits / max(tried, 1),
        }
    )


def _heywood(extraction: Extraction, names: Sequence[str]) -> Iterator[Row]:
    for name, u in zip(names, extraction.uniqueness, strict=True):
        if u <= LOWEST_UNIQUENESS * (1 + 1e-6):
            yield (
                f"Heywood case: communality {1 - u:.3f}",
                f"item {name}",
                "Ask for fewer factors, or leave out an item nearly equal to it.",
            )
    if extraction.solutions > 1:
        yield (
            f"{extraction.solutions} solutions by maximum likelihood; the best is kept",
            "extraction",
            "Compare method='minres', or ask for fewer factors.",
        )


def _sample(corr: Correlation) -> Iterator[Row]:
    p = corr.n_items
    if corr.n_pair < PEOPLE_PER_ITEM * p:
        yield (
            f"{corr.n_pair} people for {p} items, fewer than {PEOPLE_PER_ITEM} an item",
            "sample",
            "Read loadings as a first look; collect more answers.",
        )
    yield from pairwise_row(corr, "chi-square and RMSEA")


def _rotation(rotated: Rotated, Phi: Float2D, found: Estimates) -> Iterator[Row]:
    options = meant(found.recipe.rotation)
    name = "none" if options is None else options.name
    if rotated.optima > 1:
        taken = "not the one nearest" if rotated.improved else "the one nearest"
        tried = sum(rotated.hits) + rotated.lost
        yield (
            f"{rotated.optima} optima in {tried} starts; the best is {taken} the axes",
            f"rotation {name}",
            "Look at rotation_optima; compare other rotations, or fewer factors.",
        )
    if rotated.lost:
        yield (
            f"{rotated.lost} starts ended at no optimum",
            f"rotation {name}",
            "Compare another rotation, or ask for fewer factors.",
        )
    if rotated.flat:
        yield (
            "other rotations are as simple as this one",
            f"rotation {name}",
            "Do not interpret single loadings; use another rotation or a target.",
        )
    for i, j in np.argwhere(np.triu(np.abs(Phi), 1) > SAME_FACTOR):
        yield (
            f"factors correlate {Phi[i, j]:.2f}",
            f"{found.factors[i]} and {found.factors[j]}",
            "Ask for one factor fewer.",
        )


def _thin(L: Float2D, names: Sequence[str], rotation: Rotation) -> Iterator[Row]:
    if L.shape[1] == 1 or rotation == "none":
        return
    for name, count in zip(names, (np.abs(L) >= SALIENT).sum(axis=0), strict=True):
        if count < FEWEST_SALIENT:
            yield (
                f"only {count} items load {SALIENT:.2f} or more",
                f"factor {name}",
                "Ask for one factor fewer, or write more items for it.",
            )


def _not_derived(corr: Correlation, scaled: ScaledFit | None) -> Iterator[Row]:
    if corr.kind == "pearson" or scaled is not None:
        return
    better = (
        "Judge by RMSR; use method='minres' and se='analytic' for a test that holds."
        if corr.kind == "polychoric"
        else "Judge by RMSR."
    )
    indices = "chi-square, RMSEA, TLI, CFI and BIC"
    yield (f"{indices} are derived for Pearson, not {corr.kind}", "fit", better)
