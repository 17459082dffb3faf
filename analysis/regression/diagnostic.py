"""Signs as tests: how well each tells who has the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import AnalysisError
from analysis.plots.base_rates import base_rate_table
from analysis.plots.forest import forest
from analysis.regression.design import MAX_DROPPED
from analysis.regression.formula import check_columns
from analysis.regression.inference import check_conf_level
from analysis.regression.predictive import predictive_rows
from analysis.regression.sign import Sign
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Bool1D

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
        sign = Sign.of(name, scores[name], happened, clusters)
        cut = sign.youden() if cutoffs is None else float(cutoffs[name])
        rows.append(_accuracy_row(sign, cut, conf_level))
        predictive.extend(predictive_rows(sign, cut, base_rates, conf_level))
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


def _accuracy_row(sign: Sign, cut: float, conf_level: float) -> dict[str, object]:
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
    sign: Sign, cut: float, row: Mapping[str, object], n_known: int
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
