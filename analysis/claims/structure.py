"""Claims about the signs themselves: one pattern, and an order from subtle on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.claims.ledger import estimates
from analysis.claims.prediction import midpoint
from analysis.errors import AnalysisError, TooFewError
from analysis.irt import graded_response
from analysis.measurement import measured_scales
from analysis.result import warning_table
from analysis.sem import IMPROPER, cfa

if TYPE_CHECKING:
    from analysis.arrays import Float1D, Float2D, Int1D
    from analysis.claims.ledger import Verdict
    from analysis.claims.material import Material
    from analysis.sem import SemFit
    from survey.instrument import Claim, Scale

    Found = tuple[Verdict, str, pd.DataFrame, pd.DataFrame]

#: Reise, Scheines, Widaman & Haviland (2013): above both, one score is defensible.
OMEGA_H, ECV = 0.70, 0.60
#: Mokken (1971): a weak, medium and strong scale.
WEAK_H, MEDIUM_H = 0.30, 0.40
_DRAWS = 500
_LOADING = 0.40
_FIELD_ALL = "Field all items of the scales to split the variance of items"
_MIN_PEOPLE = 200


def one_pattern(claim: Claim, material: Material) -> Found:
    """Split the signs' variance into a general and specific parts (bifactor, MLR).

    Of everybody who answered (full information).
    """
    scales = measured_scales(material.instrument, claim.focal)
    wave = material.responses.waves[0]
    every = [name for scale in scales for name in scale.items]
    items = material.scores.at_wave(wave).items[every]
    if empty := [name for name in every if items[name].isna().all()]:
        row = ("scores instead of items", f"nobody answered {empty}", _FIELD_ALL)
        verdict, sentence, table, found = _from_scores(claim, material)
        return verdict, sentence, table, pd.concat([warning_table([row]), found])
    top = "general" if "general" not in claim.focal else "general_factor"
    try:
        fit, structure = _proper(_bifactor(scales, top), items), "bifactor"
        notes = fit.warnings
    except AnalysisError as error:
        fit, structure = _proper(_second_order(scales, top), items), "second-order"
        row = ("bifactor model not used", "second-order instead", str(error))
        notes = pd.concat([warning_table([row]), fit.warnings])
    table, verdict, sentence = _general_share(fit, structure, len(scales))
    return verdict, sentence, table, notes


def _proper(model: str, items: pd.DataFrame) -> SemFit:
    """Fit a model; an improper solution is an error."""
    fit = cfa(model, items, std_lv=True, estimator="MLR", missing="ml")
    if improper := sorted(set(fit.warnings["what"]) & set(IMPROPER)):
        raise AnalysisError(
            f"the solution is improper: {', '.join(improper)}. Collect more answers, "
            "or look for scales that hardly differ"
        )
    return fit


def _bifactor(scales: tuple[Scale, ...], top: str) -> str:
    """Bifactor model with the general share of variance as defined parameters."""
    lines, names = [], [scale.id for scale in scales]
    every = [name for scale in scales for name in scale.items]
    lines.append(f"{top} =~ " + " + ".join(f"g_{name}*{name}" for name in every))
    for scale in scales:
        terms = " + ".join(f"s_{name}*{name}" for name in scale.items)
        lines.append(f"{scale.id} =~ {terms}")
    lines += [f"{name} ~~ e_{name}*{name}" for name in every]
    latent = [top, *names]
    lines += [f"{a} ~~ 0*{b}" for i, a in enumerate(latent) for b in latent[i + 1 :]]
    general = "(" + " + ".join(f"g_{name}" for name in every) + ")^2"
    specific = " + ".join(
        "(" + " + ".join(f"s_{name}" for name in scale.items) + ")^2"
        for scale in scales
    )
    rest = " + ".join(f"e_{name}" for name in every)
    lines.append(f"omega_h := {general} / ({general} + {specific} + {rest})")
    squares_g = " + ".join(f"g_{name}^2" for name in every)
    squares_s = " + ".join(f"s_{name}^2" for name in every)
    lines.append(f"ecv := ({squares_g}) / ({squares_g} + {squares_s})")
    return "\n".join(lines)


def _second_order(scales: tuple[Scale, ...], top: str) -> str:
    """Second-order model; general share after Schmid and Leiman (1957)."""
    lines = []
    for scale in scales:
        terms = " + ".join(f"l_{name}*{name}" for name in scale.items)
        lines.append(f"{scale.id} =~ {terms}")
    above = " + ".join(f"g_{scale.id}*{scale.id}" for scale in scales)
    lines.append(f"{top} =~ {above}")
    every = [name for scale in scales for name in scale.items]
    lines += [f"{name} ~~ e_{name}*{name}" for name in every]
    through = [
        f"g_{scale.id}*(" + " + ".join(f"l_{name}" for name in scale.items) + ")"
        for scale in scales
    ]
    general = "(" + " + ".join(through) + ")^2"
    specific = " + ".join(
        "(" + " + ".join(f"l_{name}" for name in scale.items) + ")^2"
        for scale in scales
    )
    rest = " + ".join(f"e_{name}" for name in every)
    lines.append(f"omega_h := {general} / ({general} + {specific} + {rest})")
    squares = {
        scale.id: "(" + " + ".join(f"l_{name}^2" for name in scale.items) + ")"
        for scale in scales
    }
    squares_g = " + ".join(f"g_{name}^2*{text}" for name, text in squares.items())
    squares_s = " + ".join(squares.values())
    lines.append(f"ecv := ({squares_g}) / ({squares_g} + {squares_s})")
    return "\n".join(lines)


def _general_share(
    fit: SemFit, structure: str, n_scales: int
) -> tuple[pd.DataFrame, Verdict, str]:
    tidy = fit.tidy()
    rows: list[dict[str, object]] = []
    for name, words in (("omega_h", "omega hierarchical"), ("ecv", "ECV")):
        one = tidy[(tidy["op"] == ":=") & (tidy["lhs"] == name)].iloc[0]
        rows.append(
            {
                "outcome": "general factor",
                "term": f"{n_scales} scales",
                "measure": words,
                "estimate": one["estimate"],
                "conf_low": one["conf_low"],
                "conf_high": one["conf_high"],
                "n_obs": fit.n_obs,
            }
        )
    table = estimates(rows)
    omega_h, ecv = (float(value) for value in table["estimate"])
    if omega_h >= OMEGA_H and ecv >= ECV:
        verdict: Verdict = "supported"
    elif omega_h < 0.5 or ecv < 0.4:  # noqa: PLR2004 - most of the variance is not general
        verdict = "not supported"
    else:
        verdict = "mixed"
    low, high = table["conf_low"], table["conf_high"]
    sentence = (
        f"One general factor accounts for {omega_h:.0%} "
        f"[{low[0]:.0%}, {high[0]:.0%}] of the variance of the total score (omega "
        f"hierarchical) and {ecv:.0%} [{low[1]:.0%}, {high[1]:.0%}] of the common "
        f"variance (ECV); {structure} model, {_fit_words(fit)}."
    )
    return table, verdict, sentence


def _fit_words(fit: SemFit) -> str:
    """Global fit as papers print it; warnings stand in their own table."""
    return fit.summary().split(" (MLR)")[0]


def _from_scores(claim: Claim, material: Material) -> Found:
    """One factor behind the scale scores, where a form has one item a sign."""
    first = material.first[list(claim.focal)]
    model = "general =~ " + " + ".join(claim.focal)
    fit = cfa(model, first, std_lv=True, estimator="MLR", missing="ml")
    tidy = fit.tidy()
    loadings = tidy[tidy["op"] == "=~"]
    rows: list[dict[str, object]] = [
        {
            "outcome": "general factor",
            "term": row["rhs"],
            "measure": "loading",
            "estimate": row["std_all"],
            "conf_low": row["std_all_low"],
            "conf_high": row["std_all_high"],
            "n_obs": fit.n_obs,
        }
        for row in loadings.to_dict(orient="records")
    ]
    table = estimates(rows)
    glance = fit.glance().iloc[0]
    related = glance["baseline_pvalue"] < 0.05  # noqa: PLR2004
    cfi = fit.indices.get("cfi_robust")
    fits = cfi >= 0.95 and glance["srmr"] <= 0.08  # noqa: PLR2004
    fails = cfi < 0.90 or glance["srmr"] > 0.10  # noqa: PLR2004
    strong = bool((table["estimate"] >= _LOADING).all())
    weak = float(table["estimate"].median()) < _LOADING
    verdict: Verdict = "mixed"
    if fits and strong:
        verdict = "supported"
    elif fails or weak or not related:
        verdict = "not supported"
    lowest = table.sort_values("estimate").iloc[0]
    sentence = (
        f"One factor behind {len(table)} scores: {_fit_words(fit)}; the lowest "
        f"loading is {lowest['estimate']:.2f} ({material.label(str(lowest['term']))})."
    )
    return verdict, sentence, table, fit.warnings


def severity_order(claim: Claim, material: Material) -> Found:
    """Order signs by how rarely they are shown; ask whether the order holds in people.

    A sign is shown where its score reaches the middle of its range. Its severity is
    the probit of the share that does not show it. Loevinger's H compares the errors
    against the common order with those under independence (Mokken 1971). Intervals by
    bootstrap of clusters. Where the signs stand on the trait behind all of them follows
    (graded response model).
    """
    names = list(claim.focal)
    first = material.first.dropna(subset=names)
    if len(first) < _MIN_PEOPLE:
        raise TooFewError(
            f"only {len(first)} people have all {len(names)} scores; {_MIN_PEOPLE} are "
            "needed to order the signs"
        )
    cuts = [midpoint(name, material.instrument) for name in names]
    shown = (first[names].to_numpy(dtype=float) >= np.array(cuts)).astype(float)
    groups = pd.factorize(first["cluster"])[0]
    severity = _severity(shown.mean(axis=0), len(shown))
    drawn = _resampled(shown, groups, np.random.default_rng(material.seed))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    h = loevinger_h(shown)
    order = np.argsort(severity)
    rows: list[dict[str, object]] = [
        {
            "outcome": "severity",
            "term": names[i],
            "measure": "probit",
            "estimate": severity[i],
            "conf_low": low[i],
            "conf_high": high[i],
            "n_obs": len(first),
        }
        for i in order
    ]
    spread = float(severity.max() - severity.min())
    for value, name, k in ((spread, "range", -2), (h, "Loevinger's H", -1)):
        rows.append(
            {
                "outcome": "order",
                "term": name,
                "measure": name,
                "estimate": value,
                "conf_low": low[k],
                "conf_high": high[k],
                "n_obs": len(first),
            }
        )
    located, notes = _locations(pd.DataFrame(shown, columns=names))
    verdict = _order_verdict(float(low[-2]), h, float(low[-1]))
    subtle, apparent = names[order[0]], names[order[-1]]
    sentence = (
        f"{material.label(subtle)} is the most common, "
        f"{material.label(apparent)} the rarest: they lie {spread:.2f} standard "
        f"deviations apart [{low[-2]:.2f}, {high[-2]:.2f}]; people show them in a "
        f"common order with H = {h:.2f} [{low[-1]:.2f}, {high[-1]:.2f}], "
        f"n = {len(first)}."
    )
    return verdict, sentence, estimates([*rows, *located]), notes


def _locations(shown: pd.DataFrame) -> tuple[list[dict[str, object]], pd.DataFrame]:
    """Where each sign stands on the trait behind all of them, lowest first.

    The point at which half of the people show it (graded response model); standard
    errors hold where the model is only nearly right.
    """
    try:
        fit = graded_response(shown, information="sandwich")
    except AnalysisError as error:
        return [], warning_table([("no graded response model", "order", str(error))])
    found = fit.locations().sort_values("estimate")
    rows: list[dict[str, object]] = [
        {
            "outcome": "location",
            "term": row["item"],
            "measure": "graded response",
            "estimate": row["estimate"],
            "conf_low": row["conf_low"],
            "conf_high": row["conf_high"],
            "n_obs": int(row["n"]),
        }
        for row in found.to_dict("records")
    ]
    return rows, fit.warnings


def _order_verdict(spread_low: float, h: float, h_low: float) -> Verdict:
    differ = spread_low > 0.5  # noqa: PLR2004 - half a standard deviation
    if differ and h >= MEDIUM_H and h_low >= WEAK_H:
        return "supported"
    return "mixed" if differ and h >= WEAK_H else "not supported"


def _severity(share: Float1D, n: int) -> Float1D:
    """Probit of the share that does not show each sign; ends kept half a person off."""
    kept = np.clip(share, 0.5 / n, 1 - 0.5 / n)
    return np.asarray(-norm.ppf(kept), dtype=np.float64)


def loevinger_h(shown: Float2D) -> float:
    """Loevinger's H of dichotomous signs, shape (n_people, n_signs).

    One minus observed over expected Guttman errors, over all pairs; NaN when no sign
    varies. Mokken (1971); same as ``mokken::coefH(x)$H``.
    """
    return _h_of_counts(shown.T @ shown, len(shown))


def _h_of_counts(joint: Float2D, n: float) -> float:
    """Loevinger's H from how often two signs are shown together, of `n` people."""
    count = np.diag(joint)
    hard = np.minimum.outer(count, count)
    easy = np.maximum.outer(count, count)
    pairs = np.triu_indices(len(count), 1)
    errors = (hard - joint)[pairs].sum()
    expected = (hard * (1 - easy / n))[pairs].sum()
    return float(1 - errors / expected) if expected > 0 else np.nan


def _resampled(shown: Float2D, groups: Int1D, rng: np.random.Generator) -> Float2D:
    """Severities, their range and H in bootstrap samples of clusters.

    Each cluster's counts are taken once; a sample weights them.
    """
    k, p = int(groups.max()) + 1, shown.shape[1]
    joint = np.zeros((k, p, p))
    np.add.at(joint, groups, shown[:, :, None] * shown[:, None, :])
    size = np.bincount(groups, minlength=k).astype(float)
    weights = rng.multinomial(k, np.full(k, 1 / k), size=_DRAWS).astype(float)
    joints = (weights @ joint.reshape(k, p * p)).reshape(_DRAWS, p, p)
    out = []
    for together, n in zip(joints, weights @ size, strict=True):
        severity = _severity(np.diag(together) / n, int(n))
        spread = severity.max() - severity.min()
        out.append([*severity, spread, _h_of_counts(together, n)])
    return np.array(out)
