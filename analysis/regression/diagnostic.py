"""Signs as tests: how well each tells who has the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError, TooFewError
from analysis.plots.base_rates import base_rate_table
from analysis.plots.forest import forest
from analysis.regression.design import MAX_DROPPED, group_codes
from analysis.regression.formula import check_columns
from analysis.regression.inference import check_conf_level
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Bool1D, Float1D, Int1D

MIN_EVENTS = 5
BASE_RATES = (0.02, 0.05, 0.10, 0.20, 0.30, 0.50)


@dataclass(frozen=True, slots=True, eq=False)
class Diagnostic:
    """Accuracy of signs against an event.

    Attributes
    ----------
    table
        One row per sign; see `tidy`.
    predictive
        ``term base_rate kind ppv ppv_low ppv_high npv npv_low npv_high``; ``kind`` is
        ``observed`` or ``stated``.
    event
        Name of the event.
    cut_rule
        Where the cuts come from, in words.
    conf_level
        Of the intervals.
    n_obs, n_events
        Rows with the event known, and events among them.
    n_dropped
        Rows whose event is missing.
    warnings
        ``what where remedy``.
    """

    table: pd.DataFrame
    predictive: pd.DataFrame
    event: str
    cut_rule: str
    conf_level: float
    n_obs: int
    n_events: int
    n_dropped: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per sign.

        ``term``, ``estimate`` (area under the ROC curve) with ``std_error conf_low
        conf_high``, ``cut`` (a sign counts from there up), ``sensitivity`` and
        ``specificity`` with ``_low`` and ``_high``, ``prevalence ppv npv`` as
        observed, ``n_obs n_events``.
        """
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: people, events, and the range of the areas."""
        return pd.DataFrame(
            [
                {
                    "n_signs": len(self.table),
                    "auc_lowest": self.table["estimate"].min(),
                    "auc_highest": self.table["estimate"].max(),
                    "prevalence": self.n_events / self.n_obs,
                    "cut_rule": self.cut_rule,
                    "n_obs": self.n_obs,
                    "n_events": self.n_events,
                    "n_dropped": self.n_dropped,
                }
            ]
        )

    def summary(self) -> str:
        """Name the best sign and what it means when the event is rare."""
        best = self.table.iloc[int(self.table["estimate"].to_numpy(float).argmax())]
        own = self.predictive[
            (self.predictive["term"] == best["term"])
            & (self.predictive["kind"] == "stated")
        ]
        rare = own.iloc[int(own["base_rate"].to_numpy(float).argmin())]
        return (
            f"{len(self.table)} signs against {self.event} (n = {self.n_obs}, "
            f"{self.n_events} events): highest AUC {best['estimate']:.3f} "
            f"[{best['conf_low']:.3f}, {best['conf_high']:.3f}] for {best['term']}; at "
            f"a base rate of {rare['base_rate']:.0%}, {rare['ppv']:.0%} of those it "
            f"marks have the event (cut: {self.cut_rule})."
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the positive predictive values by base rate, best sign first."""
        order = self.table.sort_values("estimate", ascending=False)["term"]
        stated = self.predictive[self.predictive["kind"] == "stated"]
        ordered = stated.set_index("term").loc[order].reset_index()
        return base_rate_table(
            ordered,
            title=f"Of those with the sign, how many have {self.event}?",
            n=f"n = {self.n_obs}, {self.n_events} events",
            labels=labels,
            ax=ax,
        )

    def plot_auc(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the areas under the curve with their intervals, best sign first."""
        return forest(
            self.table.sort_values("estimate", ascending=False),
            title=f"How well each sign tells {self.event}",
            n=self.n_obs,
            xlabel=f"AUC ({self.conf_level:.0%} interval), {self.n_events} events",
            labels=labels,
            reference=0.5,
            ax=ax,
        )


def diagnostic(
    signs: pd.DataFrame,
    event: pd.Series,
    *,
    cutoffs: Mapping[str, float] | None = None,
    base_rates: Sequence[float] = BASE_RATES,
    groups: pd.Series | None = None,
    conf_level: float = 0.95,
) -> Diagnostic:
    """Accuracy of every sign against an event.

    Parameters
    ----------
    signs
        Numeric scores, higher meaning more of the sign; shape (n_obs, n_signs). A
        missing score leaves the row out for that sign only.
    event
        Same index; True/False or 1/0; rows with a missing event are left out.
    cutoffs
        For every sign the score from which it counts, for example the midpoint of its
        scale. Without it, the cut with the largest sensitivity + specificity
        (Youden); chosen in the same sample it flatters the sign, and a warning says so.
    base_rates
        Prevalences for the predictive values, each in (0, 1).
    groups
        Same index; rows of a group, such as a couple, are not independent.
    conf_level
        Of the intervals.

    Returns
    -------
    Diagnostic
        Nothing random: no seed is needed.

    Raises
    ------
    AnalysisError
        If signs are not numeric, the indexes differ, the event has other values, a
        cut is missing, or a base rate is not in (0, 1).
    TooFewError
        If a sign has fewer than five events or five non-events.

    Notes
    -----
    AUC with the interval of DeLong et al. (1988), as ``pROC::ci.auc``; with groups
    the variance of Obuchowski (1997). Sensitivity, specificity and observed
    predictive values with Wilson intervals, as ``prop.test(correct = FALSE)``; with
    groups on the effective number of rows (divided by the design effect where that
    exceeds one). PPV at base rate p is se p / (se p + (1 - sp)(1 - p)), its interval
    that of Mercaldo, Lau & Zhou (2007) on the logit, cut fixed, rows independent;
    missing where sensitivity or specificity is 0 or 1.
    """
    check_conf_level(conf_level)
    _check_rates(base_rates)
    happened, keep = _event(signs, event)
    scores = _scores(signs, cutoffs)[keep]
    clusters = None if groups is None else _groups(groups, signs)[keep]
    faults: list[tuple[str, str, str]] = []
    rows: list[dict[str, object]] = []
    predictive: list[dict[str, object]] = []
    for name in scores.columns:
        sign = _Sign.of(name, scores[name], happened, clusters)
        cut = sign.youden() if cutoffs is None else float(cutoffs[name])
        rows.append(_accuracy_row(sign, cut, conf_level))
        predictive.extend(_predictive_rows(sign, cut, base_rates, conf_level))
        faults.extend(_sign_warnings(sign, cut, rows[-1], len(happened)))
    if cutoffs is None:
        what = "cuts are Youden's, chosen in this sample: accuracy is optimistic"
        faults.insert(0, (what, "cutoffs", "hand in cuts fixed beforehand"))
    return Diagnostic(
        table=pd.DataFrame(rows),
        predictive=pd.DataFrame(predictive),
        event=str(event.name) if event.name is not None else "the event",
        cut_rule="Youden, in sample" if cutoffs is None else "handed in",
        conf_level=conf_level,
        n_obs=len(happened),
        n_events=int(happened.sum()),
        n_dropped=int((~keep).sum()),
        warnings=warning_table(faults),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sign:
    """One sign on the rows where it was observed; each row its own group if none."""

    name: str
    score: Float1D
    event: Bool1D
    groups: Int1D
    clustered: bool

    @classmethod
    def of(
        cls, name: str, score: pd.Series, event: Bool1D, groups: pd.Series | None
    ) -> _Sign:
        seen = score.notna().to_numpy()
        if groups is not None:
            seen = seen & groups.notna().to_numpy()
        n_events, n_seen = int(event[seen].sum()), int(seen.sum())
        if min(n_events, n_seen - n_events) < MIN_EVENTS:
            raise TooFewError(
                f"{name}: {n_events} events and {n_seen - n_events} non-events with "
                f"the sign observed; at least {MIN_EVENTS} of each are needed. "
                "Collect more or merge waves."
            )
        codes = np.arange(n_seen) if groups is None else group_codes(groups[seen])
        return cls(
            name, score.to_numpy(float)[seen], event[seen], codes, groups is not None
        )

    def placements(self) -> tuple[Float1D, Float1D]:
        """For events the share of non-events below, for non-events of events above."""
        ranks = stats.rankdata(self.score)
        n1, n0 = int(self.event.sum()), int((~self.event).sum())
        above = (ranks[self.event] - stats.rankdata(self.score[self.event])) / n0
        below = (ranks[~self.event] - stats.rankdata(self.score[~self.event])) / n1
        return above, 1 - below

    def auc(self) -> tuple[float, float]:
        """Area under the curve and its standard error."""
        v10, v01 = self.placements()
        area, m, n = float(v10.mean()), len(v10), len(v01)
        n_groups = int(self.groups.max()) + 1
        of_events = np.bincount(self.groups[self.event], v10 - area, minlength=n_groups)
        of_others = np.bincount(
            self.groups[~self.event], v01 - area, minlength=n_groups
        )
        i10 = len(np.unique(self.groups[self.event]))
        i01 = len(np.unique(self.groups[~self.event]))
        variance = (
            _inflate(i10) * (of_events**2).sum() / m**2
            + _inflate(i01) * (of_others**2).sum() / n**2
            + 2 * _inflate(n_groups) * (of_events * of_others).sum() / (m * n)
        )
        return area, float(np.sqrt(max(variance, 0.0)))

    def youden(self) -> float:
        """Score with the largest sensitivity + specificity; the lowest if tied."""
        cuts = np.unique(self.score)
        events = np.sort(self.score[self.event])
        others = np.sort(self.score[~self.event])
        sensitivity = 1 - np.searchsorted(events, cuts) / len(events)
        specificity = np.searchsorted(others, cuts) / len(others)
        # Rounding keeps the choice among tied cuts from depending on the last bit.
        return float(cuts[np.argmax(np.round(sensitivity + specificity, 12))])

    def share(
        self, hit: Bool1D, among: Bool1D, conf_level: float
    ) -> tuple[float, float, float]:
        """Share of `hit` in `among` with its Wilson interval."""
        count = int(among.sum())
        if count == 0:
            return np.nan, np.nan, np.nan
        p = float(hit[among].mean())
        effective = float(count)
        if self.clustered and 0 < p < 1:
            gap = np.bincount(self.groups[among], hit[among] - p)
            n_groups = len(np.unique(self.groups[among]))
            variance = _inflate(n_groups) * float((gap**2).sum()) / count**2
            effective /= max(1.0, variance / (p * (1 - p) / count))
        return (p, *wilson_interval(p, effective, conf_level))


def wilson_interval(p: float, n: float, conf_level: float) -> tuple[float, float]:
    """Interval for a share `p` of `n` by Wilson (1927)."""
    z = float(stats.norm.ppf(0.5 + conf_level / 2))
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def _inflate(n_groups: int) -> float:
    return n_groups / (n_groups - 1) if n_groups > 1 else np.nan


def _accuracy_row(sign: _Sign, cut: float, conf_level: float) -> dict[str, object]:
    area, error = sign.auc()
    half = float(stats.norm.ppf(0.5 + conf_level / 2)) * error
    marked = sign.score >= cut
    se = sign.share(marked, sign.event, conf_level)
    sp = sign.share(~marked, ~sign.event, conf_level)
    return {
        "term": sign.name,
        "estimate": area,
        "std_error": error,
        "conf_low": max(0.0, area - half),
        "conf_high": min(1.0, area + half),
        "cut": cut,
        "sensitivity": se[0],
        "sensitivity_low": se[1],
        "sensitivity_high": se[2],
        "specificity": sp[0],
        "specificity_low": sp[1],
        "specificity_high": sp[2],
        "prevalence": float(sign.event.mean()),
        "ppv": sign.share(sign.event, marked, conf_level)[0],
        "npv": sign.share(~sign.event, ~marked, conf_level)[0],
        "n_obs": len(sign.event),
        "n_events": int(sign.event.sum()),
    }


def _predictive_rows(
    sign: _Sign, cut: float, base_rates: Sequence[float], conf_level: float
) -> Iterable[dict[str, object]]:
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


def _check_rates(base_rates: Sequence[float]) -> None:
    bad = [rate for rate in base_rates if not 0 < rate < 1]
    if bad or not base_rates:
        raise AnalysisError(
            f"base_rates: {bad or 'none given'}; each must lie between 0 and 1. "
            "Write 5 % as 0.05."
        )


def _event(signs: pd.DataFrame, event: pd.Series) -> tuple[Bool1D, Bool1D]:
    """Event of the rows kept, and which rows of `signs` those are."""
    if not signs.index.equals(event.index):
        raise AnalysisError(
            f"event: its index differs from that of the signs ({len(event)} and "
            f"{len(signs)} rows). Take both from the same frame."
        )
    seen = event.dropna()
    values = set(seen.unique().tolist())
    if not values <= {0, 1}:
        raise AnalysisError(
            f"event: holds {sorted(map(str, values))[:6]}, not True/False or 1/0. "
            "Recode it, 1 meaning that the event happened."
        )
    return seen.astype(float).to_numpy() == 1, event.notna().to_numpy()


def _scores(signs: pd.DataFrame, cutoffs: Mapping[str, float] | None) -> pd.DataFrame:
    if signs.shape[1] == 0 or not signs.columns.is_unique:
        raise AnalysisError(
            f"signs: the columns {list(signs.columns)} are none or not unique. "
            "Hand in one column per sign."
        )
    text = [
        name for name in signs if not pd.api.types.is_numeric_dtype(signs[name].dtype)
    ]
    if text:
        raise AnalysisError(f"signs: {text} hold no numbers. Score them first.")
    scores = signs.astype("Float64").astype(float)
    endless = [name for name in scores if np.isinf(scores[name]).any()]
    if endless:
        raise AnalysisError(f"signs: {endless} hold infinite values. Correct them.")
    if cutoffs is not None:
        check_columns(cutoffs, list(signs.columns), "cutoffs")
        names = [str(name) for name in signs]
        lacking = [n for n in names if n not in cutoffs or np.isnan(cutoffs[n])]
        if lacking:
            raise AnalysisError(
                f"cutoffs: no cut for {lacking}. State one for every sign, or hand in "
                "none to have them chosen."
            )
    return scores


def _groups(groups: pd.Series, signs: pd.DataFrame) -> pd.Series:
    if not groups.index.equals(signs.index):
        raise AnalysisError(
            "groups: the index differs from that of the signs. "
            "Take both from the same frame."
        )
    return groups


def _sign_warnings(
    sign: _Sign, cut: float, row: Mapping[str, object], n_known: int
) -> Iterable[tuple[str, str, str]]:
    n_seen = len(sign.event)
    if n_known - n_seen > MAX_DROPPED * n_known:
        what = f"{n_known - n_seen} of {n_known} rows miss this sign"
        yield what, sign.name, "compare those left out with the rest"
    area = float(str(row["estimate"]))
    if float(str(row["std_error"])) == 0:
        what = f"AUC {area:.3f}: nothing overlaps, so its interval has no width"
        yield what, sign.name, "look for the event among the answers"
    elif float(str(row["conf_high"])) < 0.5:  # noqa: PLR2004
        what = f"AUC {area:.3f}: higher scores go with fewer events"
        yield what, sign.name, "reverse the score if that is what it means"
    marked = sign.score >= cut
    if marked.all() or not marked.any():
        what = f"the cut {cut:g} marks {'everyone' if marked.all() else 'no one'}"
        yield what, sign.name, "state another cut"
