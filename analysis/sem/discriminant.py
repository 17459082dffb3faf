"""Discriminant validity: do factors that have two names measure two things."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.estimates import plot_intervals
from analysis.sem.fit import SemFit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float2D

#: Henseler, Ringle & Sarstedt (2015): strict and liberal criterion.
STRICT: Final = 0.85
LIBERAL: Final = 0.90


@dataclass(frozen=True, slots=True, eq=False)
class DiscriminantValidity:
    """Correlations of factors, two estimates of each, and a verdict.

    Attributes
    ----------
    table
        One row per pair of factors: a b group; phi with conf_low conf_high (95 %), the
        correlation in the model; htmt and htmt2, heterotrait-monotrait ratios from
        arithmetic and geometric means of the sizes of sample correlations, NaN where a
        factor has one item; verdict: distinct (upper end below .85), close (reaching
        beyond .85), not distinct (lower end above .90, or reaching 1).
    n_obs
        Number of respondents.
    """

    table: pd.DataFrame
    n_obs: int

    def tidy(self) -> pd.DataFrame:
        """One row per pair of factors."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: number of pairs and of those that are not distinct."""
        verdict = self.table["verdict"]
        return pd.DataFrame(
            {
                "n_pairs": [len(verdict)],
                "n_close": [int((verdict == "close").sum())],
                "n_not_distinct": [int((verdict == "not distinct").sum())],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Name the pair that is hardest to tell apart."""
        top = self.table.iloc[int(self.table["phi"].abs().argmax())]
        known = self.glance().iloc[0]
        htmt = f", HTMT = {top['htmt']:.2f}" if np.isfinite(top["htmt"]) else ""
        return (
            f"{int(known['n_not_distinct'])} of {int(known['n_pairs'])} pairs of "
            f"factors are not distinct, {int(known['n_close'])} close; highest "
            f"{top['a']} with {top['b']}: phi = {top['phi']:.2f} "
            f"[{top['conf_low']:.2f}, {top['conf_high']:.2f}]{htmt} (n = {self.n_obs})"
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Factor correlations with their intervals; `labels` maps factors to words."""
        words = labels or {}
        frame = pd.DataFrame(
            {
                "term": [
                    f"{words.get(a, a)} – {words.get(b, b)}"  # noqa: RUF001 - typography
                    for a, b in zip(self.table["a"], self.table["b"], strict=True)
                ],
                "group": self.table["verdict"],
                "estimate": self.table["phi"],
                "conf_low": self.table["conf_low"],
                "conf_high": self.table["conf_high"],
            }
        )
        axes = plot_intervals(
            frame,
            title="Correlations of factors",
            xlabel="Correlation (95% interval; dashed: .85)",
            group_label="Factors are",
            n_obs=self.n_obs,
            labels=None,
            ax=ax,
        )
        axes.axvline(STRICT, color="0.3", linestyle="--", linewidth=1)
        return axes


def discriminant_validity(fit: SemFit) -> DiscriminantValidity:
    """Ask of each pair of factors whether they can be told apart.

    Parameters
    ----------
    fit
        A model with two correlated factors or more.

    Raises
    ------
    AnalysisError
        If there are no two factors that correlate.

    Notes
    -----
    Interval of phi: Ronkko & Cho (2022). HTMT: Henseler, Ringle & Sarstedt (2015);
    HTMT2: Roemer, Schuberth & Henseler (2021); same as ``semTools::htmt(model, data)``
    with ``htmt2 = FALSE`` and ``TRUE``, from the correlations the model was fitted to
    (polychoric ones of ordered items).
    """
    if not isinstance(fit, SemFit):
        raise AnalysisError(
            f"discriminant_validity: got a {type(fit).__name__} in place of a model. "
            "Fit one with two factors, e.g. cfa('f =~ x1 + x2\ng =~ x3 + x4', data)."
        )
    tidy = fit.tidy()
    pairs = tidy[
        (tidy["op"] == "~~")
        & tidy["lhs"].isin(fit.latent)
        & tidy["rhs"].isin(fit.latent)
        & (tidy["lhs"] != tidy["rhs"])
        & tidy["std_error"].notna()
    ]
    if not len(pairs):
        raise AnalysisError(
            "discriminant_validity: the model has no two factors whose correlation is "
            "estimated. Fit the structure 'correlated'."
        )
    rows = []
    for r in pairs.to_dict("records"):
        group = r.get("group", "")
        g = fit.groups.index(group)
        ratio = _ratios(fit, g, str(r["lhs"]), str(r["rhs"]))
        low, high = float(r["std_all_low"]), float(r["std_all_high"])
        rows.append(
            {
                "a": r["lhs"],
                "b": r["rhs"],
                "group": group,
                "phi": float(r["std_all"]),
                "conf_low": low,
                "conf_high": high,
                "htmt": ratio[0],
                "htmt2": ratio[1],
                "verdict": _verdict(low, high),
            }
        )
    return DiscriminantValidity(pd.DataFrame(rows), fit.n_obs)


def _verdict(low: float, high: float) -> str:
    far = max(abs(low), abs(high))
    near = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    if far < STRICT:
        return "distinct"
    return "not distinct" if far >= 1 or near >= LIBERAL else "close"


def _ratios(fit: SemFit, g: int, a: str, b: str) -> tuple[float, float]:
    """Heterotrait-monotrait ratios of two factors."""
    rows = [r for r in fit.table.rows if r.op == "=~" and r.group == g + 1]
    items = {
        name: [
            fit.observed.index(r.rhs)
            for r in rows
            if r.lhs == name and r.rhs in fit.observed
        ]
        for name in (a, b)
    }
    if min(len(one) for one in items.values()) < 2:  # noqa: PLR2004
        return float("nan"), float("nan")
    cov = fit.problem.moments[g].cov
    sd = np.sqrt(np.diag(cov))
    return _htmt(cov / np.outer(sd, sd), items[a], items[b])


def _htmt(R: Float2D, first: list[int], second: list[int]) -> tuple[float, float]:
    between = R[np.ix_(first, second)].ravel()
    within = [
        np.array([R[i, j] for i, j in combinations(one, 2)]) for one in (first, second)
    ]
    means = [float(np.abs(w).mean()) for w in within]
    plain = float(np.abs(between).mean()) / float(np.sqrt(means[0] * means[1]))
    with np.errstate(divide="ignore"):
        logs = [float(np.log(np.abs(w)).mean()) for w in (between, *within)]
    return plain, float(np.exp(logs[0] - (logs[1] + logs[2]) / 2))
