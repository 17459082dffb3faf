"""Claims about what a sign tells: incremental validity and proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.claims.ledger import estimates, verdict_of
from analysis.claims.relations import event_words
from analysis.errors import TooFewError
from analysis.outcomes import clusters, z_scores
from analysis.regression import diagnostic, incremental
from analysis.result import warning_table
from survey.instrument import LikertItem

if TYPE_CHECKING:
    from analysis.claims.ledger import Verdict
    from analysis.claims.material import Material
    from analysis.regression import Diagnostic
    from survey.instrument import Claim, Instrument

    Found = tuple[Verdict, str, pd.DataFrame, pd.DataFrame]

#: A sign would be proof if at least this share of those who show it had the event.
PROOF = 0.95


def adds(claim: Claim, material: Material) -> Found:
    """Ask whether the focal score predicts new people better than the base alone."""
    rows, notes, said = [], [], []
    for outcome in claim.outcomes:
        first = material.first
        controls = material.controls(claim, first)
        base = [*claim.base, *controls]
        data = z_scores(first, [outcome, *base, *claim.focal])
        fit = incremental(
            outcome, base, list(claim.focal), data, groups="cluster", seed=material.seed
        )
        notes.append(fit.warnings)
        table = fit.tidy()
        chosen = (table["term"] == "difference") & (table["sample"] == "out of fold")
        one = table[chosen].iloc[0]
        rows.append(
            {
                "outcome": outcome,
                "term": " + ".join(claim.focal),
                "measure": "out-of-fold ΔR²",
                "estimate": one["estimate"],
                "conf_low": one["conf_low"],
                "conf_high": one["conf_high"],
                "expected": 1.0,
                "n_obs": fit.n_obs,
            }
        )
        said.append(
            f"{material.label(outcome)}: out-of-fold ΔR² = {one['estimate']:.3f} "
            f"[{one['conf_low']:.3f}, {one['conf_high']:.3f}], n = {fit.n_obs}"
        )
    names = ", ".join(material.label(name) for name in claim.focal)
    table = estimates(rows)
    sentence = (
        f"What {names} adds to {len(claim.base)} other scores when new people are "
        f"predicted: {'; '.join(said)}."
    )
    warnings = pd.concat([warning_table(), *notes]).drop_duplicates()
    return verdict_of(table), sentence, table, warnings


def proof(claim: Claim, material: Material) -> Found:
    """Ask what share of those who show a sign come to the event."""
    first = material.first
    event = material.event_later(str(claim.event))
    signs = [*claim.focal, *claim.base]
    cuts = {name: midpoint(name, material.instrument) for name in signs}
    groups = clusters(first).rename("cluster")
    notes = warning_table()
    try:
        fit = diagnostic(first[signs], event, cutoffs=cuts, groups=groups)
    except TooFewError as error:
        notes = warning_table([("not compared with other scores", "base", str(error))])
        signs = list(claim.focal)
        cuts = {name: cuts[name] for name in signs}
        fit = diagnostic(first[signs], event, cutoffs=cuts, groups=groups)
    table = fit.tidy()
    came = "came to" if len(material.responses.waves) > 1 else "are at"
    rows: list[dict[str, object]] = []
    for name in signs:
        one = table[table["term"] == name].iloc[0]
        rows += _accuracy_rows(one, name, *_ppv_interval(fit, name))
    said, verdicts = [], []
    for name in claim.focal:
        rows += _at_base_rates(fit, name)
        low, high = _ppv_interval(fit, name)
        one = table[table["term"] == name].iloc[0]
        said.append(
            f"{material.label(name)} at or above {one['cut']:g}: "
            f"{_share(one['ppv'], low, high)} of those who show it {came} "
            f"{event_words(claim, material)}, at the observed base rate of "
            f"{one['prevalence']:.0%}; sensitivity {one['sensitivity']:.0%}, "
            f"specificity {one['specificity']:.0%}, n = {int(one['n_obs'])} with "
            f"{int(one['n_events'])} events"
        )
        verdicts.append(_not_proof(low, high))
    verdict = verdicts[0] if len(set(verdicts)) == 1 else "mixed"
    sentence = "; ".join(said) + "."
    return verdict, sentence, estimates(rows), pd.concat([notes, fit.warnings])


def _at_base_rates(fit: Diagnostic, sign: str) -> list[dict[str, object]]:
    """Predictive values of a sign at the stated base rates."""
    table = fit.predictive
    stated = table[(table["term"] == sign) & (table["kind"] == "stated")]
    return [
        {
            "outcome": "event",
            "term": sign,
            "measure": f"PPV at a base rate of {one['base_rate']:.0%}",
            "estimate": one["ppv"],
            "conf_low": one["ppv_low"],
            "conf_high": one["ppv_high"],
            "n_obs": fit.n_obs,
        }
        for one in stated.to_dict(orient="records")
    ]


def _share(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return "(nobody shows it) none"
    return f"{value:.0%} [{low:.0%}, {high:.0%}]"


def _ppv_interval(fit: Diagnostic, sign: str) -> tuple[float, float]:
    """Interval of the predictive value at the observed base rate."""
    rows = fit.predictive
    chosen = rows[(rows["term"] == sign) & (rows["kind"] == "observed")]
    one = chosen.iloc[0]
    return float(one["ppv_low"]), float(one["ppv_high"])


def _not_proof(low: float, high: float) -> Verdict:
    if np.isnan(high):
        raise TooFewError("nobody shows the sign. Its predictive value is unknown")
    if high < PROOF:
        return "supported"
    return "not supported" if low >= PROOF else "mixed"


def _accuracy_rows(
    one: pd.Series[float], name: str, low: float, high: float
) -> list[dict[str, object]]:
    measures = {
        "positive predictive value": (one["ppv"], low, high),
        "sensitivity": (
            one["sensitivity"],
            one["sensitivity_low"],
            one["sensitivity_high"],
        ),
        "specificity": (
            one["specificity"],
            one["specificity_low"],
            one["specificity_high"],
        ),
        "AUC": (one["estimate"], one["conf_low"], one["conf_high"]),
    }
    return [
        {
            "outcome": "event",
            "term": name,
            "measure": measure,
            "estimate": value,
            "conf_low": lower,
            "conf_high": upper,
            "n_obs": one["n_obs"],
        }
        for measure, (value, lower, upper) in measures.items()
    ]


def midpoint(name: str, instrument: Instrument) -> float:
    """Middle of a score's possible range, in its own units."""
    if name in {one.id for one in instrument.composites}:
        parts = instrument.composite(name).scales
        return float(np.mean([midpoint(part, instrument) for part in parts]))
    scale = instrument.scale(name)
    middles = []
    for item_id in scale.items:
        item = instrument.item(item_id)
        if isinstance(item, LikertItem):
            codes = [
                code for code in instrument.codes(item_id) if isinstance(code, int)
            ]
            middles.append((codes[0] + codes[-1]) / 2)
        else:
            middles.append((item.minimum + item.maximum) / 2)  # type: ignore[union-attr]
    factor = len(middles) if scale.scoring == "sum" else 1
    return float(np.mean(middles) * factor)
