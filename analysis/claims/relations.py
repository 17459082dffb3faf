"""Claims about what goes with what: reasons, consequences, responses, partners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.claims.ledger import estimates, verdict_of
from analysis.dyads import apim
from analysis.errors import AnalysisError, TooFewError
from analysis.outcomes import z_scores
from analysis.regression import logistic, moderation, ols
from analysis.result import warning_table

if TYPE_CHECKING:
    from analysis.claims.ledger import Verdict
    from analysis.claims.material import Material
    from analysis.regression import RegressionFit
    from survey.instrument import Claim

    Found = tuple[Verdict, str, pd.DataFrame, pd.DataFrame]

_MIN_COUPLES = 20
#: Standard errors clustered by couple need this many (Cameron & Miller 2015).
_MIN_CLUSTERS = 20
_MIN_EVENTS = 10
NOT_ANALYSED = "event not analysed"


def associations(claim: Claim, material: Material) -> Found:
    """Regress each outcome on all focal scales at once, adjusted for controls."""
    rows, notes = [], []
    for outcome in claim.outcomes:
        fit = _fit(claim, material, outcome, list(claim.focal), material.first)
        notes.append(fit.warnings)
        rows += [
            _row(fit, outcome, one, material.expected(one, outcome))
            for one in claim.focal
        ]
    return _judged(rows, notes, claim, material)


def consequences(claim: Claim, material: Material) -> Found:
    """Regress outcomes, and the later event, on each focal score."""
    rows, notes = [], []
    for outcome in claim.outcomes:
        for focal in claim.focal:
            fit = _fit(claim, material, outcome, [focal], material.first)
            notes.append(fit.warnings)
            rows.append(_row(fit, outcome, focal, material.expected(focal, outcome)))
    if claim.event:
        more, note = event_rows(claim, material)
        rows += more
        notes.append(note)
    return _judged(rows, notes, claim, material)


def moderated(claim: Claim, material: Material) -> Found:
    """Test whether responses go with the outcome and soften its tie to the base."""
    rows, notes = [], []
    (focal,) = claim.base
    for outcome in claim.outcomes:
        for moderator in claim.focal:
            names = [outcome, focal, moderator]
            first = material.first
            controls = material.controls(claim, first)
            data = z_scores(first, [*names, *controls])
            _enough(data, [*names, *controls])
            fit = moderation(
                outcome,
                focal,
                moderator,
                data,
                controls=controls,
                vcov="cluster",
                cluster="cluster",
            )
            notes.append(fit.warnings)
            expected = material.expected(moderator, outcome)
            rows.append(_row(fit.fit, outcome, moderator, expected))
            one = fit.interaction.iloc[0]
            rows.append(
                {
                    "outcome": outcome,
                    "term": f"{focal} x {moderator}",
                    "measure": "beta",
                    "estimate": one["estimate"],
                    "conf_low": one["conf_low"],
                    "conf_high": one["conf_high"],
                    "p_value": one["p_value"],
                    "expected": _softer(focal, moderator, outcome, material),
                    "n_obs": fit.fit.n_obs,
                }
            )
    return _judged(rows, notes, claim, material)


def two_way(claim: Claim, material: Material) -> Found:
    """Let both partners answer: partner effects, and the partners' likeness."""
    rows, notes = [], []
    first = material.first
    for focal in claim.focal:
        for outcome in claim.outcomes:
            controls = material.controls(claim, first)
            data = z_scores(first, [focal, outcome, *controls])
            try:
                fit = apim(outcome, focal, data, role=None, controls=controls)
            except TooFewError as error:
                raise TooFewError(f"too few complete couples: {error}") from error
            if fit.n_couples < _MIN_COUPLES:
                raise TooFewError(
                    f"only {fit.n_couples} complete couples; {_MIN_COUPLES} are needed"
                    ". Invite both partners."
                )
            notes.append(fit.warnings)
            for term in ("actor", "partner"):
                expected = material.expected(focal, outcome)
                rows.append(_dyad_row(fit.tidy(), outcome, focal, term, expected))
                rows[-1]["n_obs"] = 2 * fit.n_couples
    return _judged(rows, notes, claim, material)


def prospective(claim: Claim, material: Material) -> Found:
    """Regress later outcomes on the first wave, over and above outcomes then."""
    rows, notes = [], []
    joined = material.later(claim.outcomes)
    for outcome in claim.outcomes:
        for focal in claim.focal:
            later = f"{outcome}_later"
            fit = _fit(claim, material, later, [focal, outcome], joined)
            notes.append(fit.warnings)
            expected = material.expected(focal, outcome)
            rows.append(_row(fit, outcome, focal, expected))
    if claim.event:
        more, note = event_rows(claim, material)
        rows += more
        notes.append(note)
    return _judged(rows, notes, claim, material)


def _softer(focal: str, moderator: str, outcome: str, material: Material) -> float:
    """Claimed sign of the product: what is good softens the tie, what is bad adds."""
    tie = material.expected(focal, outcome)
    good = material.good_news(moderator)
    return np.nan if good is None else (-tie if good else tie)


def event_rows(
    claim: Claim, material: Material
) -> tuple[list[dict[str, object]], pd.DataFrame]:
    """Regress the event on each focal score; a warning where that is impossible."""
    rows: list[dict[str, object]] = []
    notes: list[tuple[str, str, str]] = []
    data = material.first.assign(event=material.event_later(str(claim.event)))
    for focal in claim.focal:
        controls = material.controls(claim, data)
        names = [focal, *controls]
        known = data.dropna(subset=["event", *names])
        try:
            _enough_events(known["event"])
            _enough(known, names)
            fit = logistic(
                "event ~ " + " + ".join(names),
                z_scores(known, names),
                vcov="cluster",
                cluster="cluster",
            )
        except AnalysisError as error:
            notes.append((NOT_ANALYSED, "event", str(error)))
            continue
        notes += fit.warnings.itertuples(index=False, name=None)
        one = _term(fit, focal)
        rows.append(
            {
                "outcome": "event",
                "term": focal,
                "measure": "log odds ratio",
                "estimate": one["estimate"],
                "conf_low": one["conf_low"],
                "conf_high": one["conf_high"],
                "p_value": one["p_value"],
                "expected": material.expected_of_event(focal),
                "n_obs": fit.n_obs,
            }
        )
    return rows, warning_table(notes)


def _fit(
    claim: Claim,
    material: Material,
    outcome: str,
    focal: list[str],
    data: pd.DataFrame,
) -> RegressionFit:
    controls = material.controls(claim, data)
    names = [outcome, *focal, *controls]
    formula = f"{outcome} ~ " + " + ".join([*focal, *controls])
    scored = z_scores(data, names)
    _enough(scored, names)
    return ols(formula, scored, vcov="cluster", cluster="cluster")


def _enough_events(event: pd.Series[float]) -> None:
    """Refuse rare events: clustered errors of a logistic regression are too small."""
    fewer = int(min(event.sum(), (1 - event).sum()))
    if fewer < _MIN_EVENTS:
        raise TooFewError(
            f"{int(event.sum())} of {len(event)} people had the event; {_MIN_EVENTS} "
            "with and without it are needed. Wait for more, or ask more people"
        )


def _enough(data: pd.DataFrame, names: list[str]) -> None:
    """Refuse fewer couples and single people than clustered errors need."""
    found = data.dropna(subset=names)["cluster"].nunique()
    if found < _MIN_CLUSTERS:
        raise TooFewError(
            f"only {found} couples or single people answered {names}; {_MIN_CLUSTERS} "
            "are needed"
        )


def _term(fit: RegressionFit, name: str) -> pd.Series[float]:
    table = fit.tidy()
    names = [name, f"center({name})"]
    row: pd.Series[float] = table.loc[table["term"].isin(names)].iloc[0]
    return row


def _row(
    fit: RegressionFit, outcome: str, term: str, expected: float
) -> dict[str, object]:
    one = _term(fit, term)
    return {
        "outcome": outcome,
        "term": term,
        "measure": "beta",
        "estimate": one["estimate"],
        "conf_low": one["conf_low"],
        "conf_high": one["conf_high"],
        "p_value": one["p_value"],
        "expected": expected,
        "n_obs": fit.n_obs,
    }


def _dyad_row(
    table: pd.DataFrame, outcome: str, focal: str, term: str, expected: float
) -> dict[str, object]:
    one = table.loc[table["term"] == term].iloc[0]
    return {
        "outcome": outcome,
        "term": f"{term}: {focal}",
        "measure": "beta",
        "estimate": one["estimate"],
        "conf_low": one["conf_low"],
        "conf_high": one["conf_high"],
        "p_value": one["p_value"],
        "expected": expected if term == "partner" else np.nan,
    }


def _judged(
    rows: list[dict[str, object]],
    notes: list[pd.DataFrame],
    claim: Claim,
    material: Material,
) -> Found:
    table = estimates(rows)
    warnings = pd.concat([warning_table(), *notes]).drop_duplicates()
    verdict = verdict_of(table)
    missing = warnings.loc[warnings["what"] == NOT_ANALYSED, "remedy"]
    if len(missing) and verdict == "supported":
        verdict = "mixed"
    untested = f" Not tested: {missing.iloc[0]}" if len(missing) else ""
    return verdict, _in_words(table, claim, material) + untested, table, warnings


def _in_words(table: pd.DataFrame, claim: Claim, material: Material) -> str:
    """Say every estimate with its interval and n, in words of association."""
    parts = []
    for row in table.to_dict(orient="records"):
        symbol = {"beta": "β", "log odds ratio": "log OR"}.get(
            str(row["measure"]), str(row["measure"])
        )
        parts.append(
            f"association of {_named(str(row['term']), material)} with "
            f"{_outcome(str(row['outcome']), claim, material)}: {symbol} = "
            f"{row['estimate']:.2f} [{row['conf_low']:.2f}, {row['conf_high']:.2f}], "
            f"n = {int(row['n_obs'])}"
        )
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}."


def _outcome(name: str, claim: Claim, material: Material) -> str:
    if name == "event":
        return event_words(claim, material)
    return material.label(name)


def event_words(claim: Claim, material: Material) -> str:
    """Say what the event of a claim is."""
    if claim.event_label is None:
        return f"the event ({claim.event})"
    return material.instrument.wording(claim.event_label)


def _named(term: str, material: Material) -> str:
    if " x " in term:
        first, second = term.split(" x ")
        return f"{material.label(first)} with {material.label(second)} (product)"
    if ": " in term:
        kind, name = term.split(": ")
        whose = "own" if kind == "actor" else "the partner's"
        return f"{whose} {material.label(name)}"
    return material.label(term)
