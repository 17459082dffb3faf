"""What a sign says of a person: predictive values at observed and stated rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analysis.regression.sign import Sign


def predictive_rows(
    sign: Sign, cut: float, base_rates: Sequence[float], conf_level: float
) -> Iterable[dict[str, object]]:
    """Give PPV and NPV at the observed rate, then at each stated one.

    At a stated rate sensitivity and specificity are those of the sample.
    """
    marked = sign.score >= cut
    ppv = sign.share(sign.event, marked, conf_level)
    npv = sign.share(~sign.event, ~marked, conf_level)
    yield _predictive(sign.name, float(sign.event.mean()), "observed", ppv, npv)
    n1, n0 = int(sign.event.sum()), int((~sign.event).sum())
    se = float(marked[sign.event].mean())
    sp = float((~marked)[~sign.event].mean())
    for rate in base_rates:
        odds = rate / (1 - rate)
        yield _predictive(
            sign.name,
            float(rate),
            "stated",
            _at_odds(se, 1 - sp, odds, counts=(n1, n0), conf_level=conf_level),
            _at_odds(sp, 1 - se, 1 / odds, counts=(n0, n1), conf_level=conf_level),
        )


def _predictive(
    name: str,
    rate: float,
    kind: str,
    ppv: tuple[float, float, float],
    npv: tuple[float, float, float],
) -> dict[str, object]:
    return {
        "term": name,
        "base_rate": rate,
        "kind": kind,
        "ppv": ppv[0],
        "ppv_low": ppv[1],
        "ppv_high": ppv[2],
        "npv": npv[0],
        "npv_low": npv[1],
        "npv_high": npv[2],
    }


def _at_odds(
    hit: float, false: float, odds: float, *, counts: tuple[int, int], conf_level: float
) -> tuple[float, float, float]:
    """Predictive value at prior `odds`, with the interval on the logit."""
    if hit + false == 0:
        return np.nan, np.nan, np.nan
    value = hit * odds / (hit * odds + false)
    if not (0 < hit < 1 and 0 < false < 1):
        return value, np.nan, np.nan
    n_hit, n_false = counts
    error = np.sqrt((1 - hit) / (n_hit * hit) + (1 - false) / (n_false * false))
    half = float(stats.norm.ppf(0.5 + conf_level / 2)) * error
    logit = np.log(hit * odds / false)
    low, high = 1 / (1 + np.exp(-(logit - half))), 1 / (1 + np.exp(-(logit + half)))
    return value, float(low), float(high)
