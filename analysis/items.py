"""Statistics of single items: distribution, category use, and fit to their scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from analysis.efa.answers import item_codes, varies
from analysis.efa.direction import directions
from analysis.errors import AnalysisError, TooFewError
from analysis.plots.items import plot_item_rest
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D

Codes: TypeAlias = Mapping[str, Sequence[int]] | Sequence[int] | None

# Fewest complete rows for correlations of an item with the rest.
COMPLETE_ROWS = 3
# More answers than this at one end, and the item tells people at that end not apart.
END_EFFECT = 0.50
# Fewest answers for skewness and kurtosis to mean anything.
MOMENTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class ItemStatistics:
    """Statistics of the items of one scale.

    Attributes
    ----------
    table
        One row per item: `item`, `n`, `missing` (share), `mean`, `sd`, `skew`,
        `kurtosis`, `min`, `max`, `floor` and `ceiling` (shares at the lowest and
        highest possible code), `r_drop` (with the sum of the others), `r_total` (with
        the sum of all), `alpha_drop` (alpha of the others). NaN where undefined.
    alpha
        Alpha of all usable items, to compare `alpha_drop` with; NaN below two.
    n_obs, n_complete
        Respondents, and those with every usable item answered, on whom `r_drop`,
        `r_total` and `alpha_drop` rest.
    use
        Category use, see `categories`.
    warnings
        Items without answers or variance, against the key, at an end: what, where,
        remedy.
    """

    table: pd.DataFrame
    alpha: float
    n_obs: int
    n_complete: int
    use: pd.DataFrame
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item with all statistics."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: n_items, n_obs, n_complete, alpha, lowest r_drop."""
        return pd.DataFrame(
            {
                "n_items": [len(self.table)],
                "n_obs": [self.n_obs],
                "n_complete": [self.n_complete],
                "alpha": [self.alpha],
                "lowest_r_drop": [self.table["r_drop"].min()],
            }
        )

    def summary(self) -> str:
        """Ranges of means, item-rest correlations and missing answers."""
        t = self.table
        return (
            f"{len(t)} items, n = {self.n_obs} ({self.n_complete} complete): means "
            f"{_range(t['mean'])}, item-rest r {_range(t['r_drop'])}, missing up to "
            f"{t['missing'].max():.1%}"
            + (f"; {len(self.warnings)} warning(s)" if len(self.warnings) else "")
        )

    def categories(self) -> pd.DataFrame:
        """One row per item and code: item, code, count, share of its answers."""
        return self.use.copy()

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the item-rest correlations."""
        return plot_item_rest(self.table, n=self.n_complete, labels=labels, ax=ax)


def item_statistics(items: pd.DataFrame, *, codes: Codes = None) -> ItemStatistics:
    """Describe the items of one scale.

    Parameters
    ----------
    items
        Keyed item codes of one scale, one row per respondent, missing as NA.
    codes
        The possible codes: one sequence for all items, or one for each. Without
        them `floor` and `ceiling` are NaN and unused codes are not listed.

    Returns
    -------
    ItemStatistics
        Items that nobody answered, or all alike, stay in the table with NaN where
        a statistic does not exist, and a row in `warnings`; the others are
        described as if such items were not there.

    Raises
    ------
    TooFewError
        If there is no item, or no respondent.
    AnalysisError
        If an item is not numeric, or holds codes it cannot have.

    Notes
    -----
    mean, sd, skew and kurtosis as ``psych::describe(x, type = 3)``: sd with n - 1,
    skew m3 / sd^3, excess kurtosis m4 / sd^4 - 3, m the central moments with divisor
    n. `r_drop`, `r_total` (raw.r) and `alpha_drop` (raw_alpha) as
    ``psych::alpha(na.omit(x))``: on respondents with every usable item answered.
    """
    x = item_codes(items, where="item_statistics", at_least=1)
    if not len(x):
        raise TooFewError("item_statistics: no respondents. Give at least one row.")
    names = [str(name) for name in items.columns]
    possible = _possible_codes(names, codes)
    use = _category_use(x, names, possible)
    table = pd.DataFrame(
        [
            _describe(name, column, codes_)
            for name, column, codes_ in zip(names, x.T, possible, strict=True)
        ]
    )
    usable = np.array(varies(x))
    complete = x[:, usable]
    complete = complete[~np.isnan(complete).any(axis=1)]
    alpha, scale = _scale_statistics(complete)
    for name, values in scale.items():
        table[name] = np.nan
        table.loc[usable, name] = values
    return ItemStatistics(
        table=table,
        alpha=alpha,
        n_obs=len(x),
        n_complete=len(complete),
        use=use,
        warnings=warning_table(_warnings(table, complete, int(usable.sum()))),
    )


def _possible_codes(names: list[str], codes: Codes) -> list[list[float] | None]:
    if codes is None:
        return [None] * len(names)
    if not isinstance(codes, Mapping):
        codes = dict.fromkeys(names, codes)
    if absent := [name for name in names if name not in codes]:
        raise AnalysisError(
            f"item_statistics: no codes given for items {absent}. Add them to `codes`."
        )
    if empty := [name for name in names if not len(codes[name])]:
        raise AnalysisError(
            f"item_statistics: the list of codes of items {empty} is empty. "
            "Give the possible codes."
        )
    return [sorted(float(code) for code in codes[name]) for name in names]


def _category_use(
    x: Float2D, names: list[str], possible: list[list[float] | None]
) -> pd.DataFrame:
    rows, faults = [], []
    for name, column, codes in zip(names, x.T, possible, strict=True):
        found, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        count = dict(zip(found.tolist(), counts.tolist(), strict=True))
        if codes is not None and (wrong := sorted(set(count) - set(codes))):
            faults.append(f"{name!r} holds {wrong}")
        rows += [
            (name, code, count.get(code, 0), count.get(code, 0) / max(counts.sum(), 1))
            for code in (sorted(count) if codes is None else codes)
        ]
    if faults:
        raise AnalysisError(
            f"item_statistics: codes an item cannot have: {'; '.join(faults)}. "
            "Validate the answers first, or correct `codes`."
        )
    use = pd.DataFrame(rows, columns=["item", "code", "count", "share"])
    whole = (use["code"] % 1 == 0).all()
    return use.astype({"code": int}) if whole else use


def _describe(
    name: str, column: Float1D, codes: list[float] | None
) -> dict[str, object]:
    answered = column[~np.isnan(column)]
    n, nan = len(answered), float("nan")
    mean = float(answered.mean()) if n else nan
    deviation = answered - mean
    sd = float(np.sqrt((deviation**2).sum() / (n - 1))) if n > 1 else nan
    shaped = n >= MOMENTS and sd > 0
    return {
        "item": name,
        "n": n,
        "missing": 1 - n / len(column),
        "mean": mean,
        "sd": sd,
        "skew": float((deviation**3).mean() / sd**3) if shaped else nan,
        "kurtosis": float((deviation**4).mean() / sd**4 - 3) if shaped else nan,
        "min": float(answered.min()) if n else nan,
        "max": float(answered.max()) if n else nan,
        "floor": _share(answered, codes[0]) if codes else nan,
        "ceiling": _share(answered, codes[-1]) if codes else nan,
    }


def _share(answered: Float1D, code: float) -> float:
    return float((answered == code).mean()) if len(answered) else float("nan")


def _scale_statistics(x: Float2D) -> tuple[float, dict[str, Float1D]]:
    """Alpha, and each item's correlation with rest and total and alpha without it."""
    p = x.shape[1]
    nothing = np.full(p, np.nan)
    if p < 2 or len(x) < COMPLETE_ROWS:  # noqa: PLR2004
        return float("nan"), dict.fromkeys(("r_drop", "r_total", "alpha_drop"), nothing)
    S = np.atleast_2d(np.cov(x, rowvar=False))
    variance, with_all, total = np.diag(S), S.sum(axis=0), S.sum()
    rest = total - 2 * with_all + variance
    with np.errstate(invalid="ignore", divide="ignore"):
        r_drop = (with_all - variance) / np.sqrt(variance * rest)
        r_total = with_all / np.sqrt(variance * total)
        alpha = _alpha(p, S.trace(), total)
        alpha_drop = _alpha(p - 1, S.trace() - variance, rest) if p > 2 else nothing  # noqa: PLR2004
    statistics = {"r_drop": r_drop, "r_total": r_total, "alpha_drop": alpha_drop}
    return float(alpha), {
        name: np.where(np.isfinite(values), values, np.nan)
        for name, values in statistics.items()
    }


def _alpha(
    p: int, variances: Float1D | np.float64, total: Float1D | np.float64
) -> Float1D:
    return np.asarray(p / (p - 1) * (1 - variances / total))


def _warnings(
    table: pd.DataFrame, complete: Float2D, n_usable: int
) -> Iterator[tuple[str, str, str]]:
    columns = ["item", "n", "min", "max", "r_drop", "floor", "ceiling"]
    for item, n, low, high, r_drop, floor, ceiling in _tuples(table[columns]):
        where = f"item {item}"
        if not n:
            yield "nobody answered it", where, "Leave it out of its scale."
        elif low == high:
            what = f"does not vary: all {n} answers are {low:g}"
            yield what, where, "Leave it out of its scale."
        elif r_drop < 0:
            yield (
                f"goes against the other items: item-rest r = {r_drop:.2f}",
                where,
                "Check its key: is it reverse-worded, or keyed twice?",
            )
        for end, share in (("lowest", floor), ("highest", ceiling)):
            if share > END_EFFECT and low < high:
                yield (
                    f"{share:.0%} of the answers are the {end} code",
                    where,
                    "Expect weaker correlations; consider ordinal methods.",
                )
    if n_usable < 2:  # noqa: PLR2004
        yield (
            f"{n_usable} item(s) vary",
            "scale",
            "Correlations with the rest need two items or more.",
        )
    elif len(complete) < COMPLETE_ROWS:
        yield (
            f"{len(complete)} respondents answered every item",
            "scale",
            "Leave out items with many gaps to see correlations with the rest.",
        )


def _tuples(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    return table.itertuples(index=False, name=None)


def _range(values: pd.Series) -> str:
    known = values.dropna()
    return f"{known.min():.2f} to {known.max():.2f}" if len(known) else "undefined"


@dataclass(frozen=True, slots=True, eq=False)
class KeyingAudit:
    """Which items go against the direction of the majority.

    Attributes
    ----------
    table
        One row per item: `item`, `n`, `r_drop` (with the sum of the others, as
        keyed), `loading` (on the first principal component, turned so that the
        majority loads positive), `r_aligned` (with the sum of the others after
        turning those against the majority), `verdict`: ``"with"``, ``"against"``,
        ``"unclear"`` (too weak to tell), ``"no answers"`` or ``"constant"``.
    n_obs
        Respondents.
    warnings
        One row per item that is not ``"with"``: what, where, remedy.
    """

    table: pd.DataFrame
    n_obs: int
    warnings: pd.DataFrame

    @property
    def against(self) -> list[str]:
        """The items that contradict the key."""
        return self.table.loc[self.table["verdict"] == "against", "item"].tolist()

    def tidy(self) -> pd.DataFrame:
        """One row per item with correlations and verdict."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: n_items, n_against, n_unclear, n_obs."""
        verdict = self.table["verdict"]
        return pd.DataFrame(
            {
                "n_items": [len(verdict)],
                "n_against": [int((verdict == "against").sum())],
                "n_unclear": [int((verdict == "unclear").sum())],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Name the items that contradict the key."""
        p = len(self.table)
        if self.against:
            return (
                f"{len(self.against)} of {p} items go against the others: "
                f"{', '.join(self.against)} (n = {self.n_obs})"
            )
        unclear = int((self.table["verdict"] != "with").sum())
        tail = f", {unclear} cannot be told" if unclear else ""
        return f"no item of {p} goes against the others{tail} (n = {self.n_obs})"


def keying_audit(items: pd.DataFrame) -> KeyingAudit:
    """Look for items whose direction contradicts the others.

    Parameters
    ----------
    items
        Item codes of one scale, keyed or not, one row per respondent, missing as
        NA. Correlations take everyone who answered both items.

    Returns
    -------
    KeyingAudit
        For keyed items, those ``against`` are keyed wrongly or misread; for items
        whose keys are unknown, those to reverse.

    Raises
    ------
    TooFewError
        If fewer than three items vary: two items cannot outvote each other.
    AnalysisError
        If an item is not numeric.

    Notes
    -----
    The sign of the first principal component decides, not the item-rest
    correlation: that one also drops below zero for good items when others are keyed
    wrongly. Same idea as ``psych::alpha(check.keys = TRUE)``. An item is
    ``"unclear"`` when `r_aligned` is within two standard errors of zero, 2/sqrt(n).
    """
    x = item_codes(items, where="keying_audit", at_least=3)
    names = [str(name) for name in items.columns]
    usable = np.array(varies(x))
    if usable.sum() < 3:  # noqa: PLR2004
        raise TooFewError(
            f"keying_audit: {usable.sum()} of {len(names)} items vary, but a majority "
            "needs three. Add items of the same scale."
        )
    table = pd.DataFrame({"item": names, "n": (~np.isnan(x)).sum(axis=0)})
    for column, values in directions(x[:, usable]).items():
        table[column] = np.nan
        table.loc[usable, column] = values
    table["verdict"] = [
        _verdict(*row) for row in _tuples(table[["n", "loading", "r_aligned"]])
    ]
    tied = (table["verdict"] == "against").sum() == (table["verdict"] == "with").sum()
    return KeyingAudit(
        table, len(x), warning_table(_contradictions(table, tied=bool(tied)))
    )


def _verdict(n: int, loading: float, r_aligned: float) -> str:
    if not n:
        return "no answers"
    if np.isnan(loading):
        return "constant"
    if not abs(r_aligned) > 2 / np.sqrt(n) or np.sign(r_aligned) != np.sign(loading):
        return "unclear"
    return "with" if loading > 0 else "against"


def _contradictions(
    table: pd.DataFrame, *, tied: bool
) -> Iterator[tuple[str, str, str]]:
    if tied and (table["verdict"] == "against").any():
        yield (
            "as many items go one way as the other",
            "scale",
            "Decide from the wording which way the scale runs.",
        )
    remedies = {
        "against": "Check its key: reverse it, or undo a reversal done twice.",
        "unclear": "Check that it belongs to the scale.",
        "no answers": "Leave it out.",
        "constant": "Leave it out.",
    }
    odd = table[table["verdict"] != "with"]
    for item, r_drop, loading, verdict in _tuples(
        odd[["item", "r_drop", "loading", "verdict"]]
    ):
        known = f": item-rest r = {r_drop:.2f}, loading {loading:.2f}"
        what = verdict if np.isnan(loading) else verdict + known
        yield what, f"item {item}", remedies[verdict]
