"""Answers to claims: a verdict, the estimates behind it, and the rule that gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.claims import verdict_overview
from analysis.result import warning_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Verdict: TypeAlias = Literal["supported", "not supported", "mixed", "not testable"]
VERDICTS: Final[tuple[Verdict, ...]] = (
    "supported",
    "mixed",
    "not supported",
    "not testable",
)

#: Columns of `Answer.estimates`.
COLUMNS: Final = [
    "outcome",
    "term",
    "measure",
    "estimate",
    "conf_low",
    "conf_high",
    "p_value",
    "p_holm",
    "expected",
    "as_expected",
    "n_obs",
]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the data say of one claim.

    Attributes
    ----------
    id, claim
        The claim's id and its sentence.
    verdict
        supported, not supported, mixed, or not testable with these data.
    sentence
        The answer in words, with estimate, interval and n; for a claim that cannot be
        tested, the reason.
    rule
        How the verdict follows from the estimates; fixed before the data are seen.
    estimates
        One row per estimate: ``outcome term measure estimate conf_low conf_high
        p_value p_holm expected as_expected n_obs``; `expected` is the claimed sign
        (+1, -1) or NaN, `p_holm` is corrected within the claim.
    warnings
        See `analysis.result.warning_table`.
    source
        Where the claim stands.
    """

    id: str
    claim: str
    verdict: Verdict
    sentence: str
    rule: str
    estimates: pd.DataFrame
    warnings: pd.DataFrame
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class ClaimLedger:
    """All claims of an instrument with their answers.

    Attributes
    ----------
    answers
        In the instrument's order.
    n_respondents, waves
        People and waves the answers draw on.
    """

    answers: tuple[Answer, ...]
    n_respondents: int
    waves: tuple[int, ...]

    def answer(self, claim_id: str) -> Answer:
        """Look an answer up by the claim's id."""
        return {one.id: one for one in self.answers}[claim_id]

    def tidy(self) -> pd.DataFrame:
        """One row per estimate, with the claim's id in front."""
        parts = [one.estimates.assign(claim=one.id) for one in self.answers]
        filled = [part for part in parts if len(part)]
        if not filled:
            return pd.DataFrame(columns=["claim", *COLUMNS])
        return pd.concat(filled, ignore_index=True)[["claim", *COLUMNS]]

    def verdicts(self) -> pd.DataFrame:
        """One row per claim: id, claim, verdict, answer, rule, source."""
        return pd.DataFrame(
            {
                "id": [one.id for one in self.answers],
                "claim": [one.claim for one in self.answers],
                "verdict": [one.verdict for one in self.answers],
                "answer": [one.sentence for one in self.answers],
                "rule": [one.rule for one in self.answers],
                "source": [one.source for one in self.answers],
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: number of claims by verdict, people and waves."""
        counts = {
            verdict.replace(" ", "_"): [
                sum(one.verdict == verdict for one in self.answers)
            ]
            for verdict in VERDICTS
        }
        size = {
            "n_respondents": [self.n_respondents],
            "n_waves": [len(self.waves)],
        }
        return pd.DataFrame(counts | size)

    def summary(self) -> str:
        """Say how many claims have which verdict."""
        if not self.answers:
            return (
                "The instrument makes no claims, so there is none to answer "
                f"(n = {self.n_respondents})"
            )
        parts = [
            f"{count} {verdict}"
            for verdict in VERDICTS
            if (count := sum(one.verdict == verdict for one in self.answers))
        ]
        return (
            f"{len(self.answers)} claims, n = {self.n_respondents}, "
            f"{len(self.waves)} wave(s): {', '.join(parts)}"
        )

    @property
    def warnings(self) -> pd.DataFrame:
        """Warnings of all answers; `where` begins with the claim's id."""
        rows = [
            (str(row.what), f"{one.id}: {row.where}", str(row.remedy))
            for one in self.answers
            for row in one.warnings.itertuples(index=False)
        ]
        return warning_table(dict.fromkeys(rows))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the standardised associations behind the claims, by claim."""
        return verdict_overview(
            self.tidy(), self.verdicts(), n=self.n_respondents, ax=ax
        )


def estimates(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Build the table of estimates; corrects p values by Holm within the claim.

    `as_expected` is true where the corrected p value is below .05 (or the interval
    excludes zero, where there is no p value) and the sign is the claimed one, false
    where it is the opposite one, missing otherwise. A gain out of fold below zero is no
    opposite effect: it is what adding nothing looks like.
    """
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    numeric = ["estimate", "conf_low", "conf_high", "p_value", "expected"]
    table[numeric] = table[numeric].astype(float)
    table["p_holm"] = holm(table["p_value"].to_numpy(dtype=float))
    clear = (table["p_holm"] < 0.05) | (  # noqa: PLR2004
        table["p_value"].isna() & ((table["conf_low"] > 0) | (table["conf_high"] < 0))
    )
    sign = np.sign(table["estimate"]) * table["expected"]
    known = clear & sign.notna()
    opposite_counts = table["p_value"].notna()
    known &= (sign > 0) | opposite_counts
    table["as_expected"] = pd.Series(sign > 0, dtype="boolean").where(known)
    return table


def holm(p: np.ndarray) -> np.ndarray:
    """Correct p values by Holm (1979); missing ones stay missing.

    Same as ``p.adjust(p, "holm")``.
    """
    out = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    worst = 0.0
    for rank, position in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - rank) * p[position]))
        out[position] = worst
    return out


def verdict_of(table: pd.DataFrame) -> Verdict:
    """Judge by directions: all as claimed, none, or some.

    Raises
    ------
    AnalysisError
        If no estimate has a claimed sign.
    """
    claimed = table[table["expected"].notna()]
    if claimed.empty:
        raise AnalysisError(
            "no estimate has a claimed direction. Say `desirable: true` or `false` of "
            "the scales the claim is about"
        )
    hits = int((claimed["as_expected"] == True).sum())  # noqa: E712 - nullable
    if hits == len(claimed) and hits:
        return "supported"
    return "mixed" if hits else "not supported"
