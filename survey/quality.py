"""Signs of careless answering: flags with reasons, never drops.

Every index comes with the cut-off its literature gives; what to do with a flagged
person is the analyst's decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.stats import chi2

from survey.instrument import Instrument, LikertItem

if TYPE_CHECKING:
    import numpy.typing as npt

    from survey.responses import Responses

    Array = npt.NDArray[np.float64]

#: Index, cut-off in words, source.
CUTOFFS: Final = {
    "attention": ("one attention check failed", "Meade & Craig (2012)"),
    "longstring": (
        "one code in a row for at least half of the answers on one response scale",
        "Curran (2016)",
    ),
    "irv": ("lowest 5 % of the sample, or 0", "Dunn et al. (2018)"),
    "even_odd": ("below .30", "Johnson (2005)"),
    "mahalanobis": ("p < .001", "DeSimone, Harms & DeSimone (2015)"),
    "seconds_per_item": ("below 2 seconds", "Huang et al. (2012)"),
    "duplicate": ("the same answers to all items as somebody else", "Blasius (2012)"),
}
_MIN_RUN_BLOCK = 10
_MIN_ANSWERS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """Careless-response indices of every row of answers.

    Attributes
    ----------
    indices
        One row per respondent and wave (index ``respondent``), ``wave`` and one
        column per index; NaN where it cannot be computed: ``attention`` (checks
        failed), ``longstring`` (items), ``irv`` (standard deviation of codes),
        ``even_odd`` (correlation), ``mahalanobis`` (p value), ``seconds_per_item``,
        ``duplicate`` (people with the same answers).
    flags
        One row per flag: ``respondent wave index value cutoff source``.
    not_available
        Index and reason, where nobody's could be computed.
    """

    indices: pd.DataFrame
    flags: pd.DataFrame
    not_available: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per index: people flagged, cut-off and source."""
        counts = self.flags["index"].value_counts()
        rows = [
            {
                "index": name,
                "n_flagged": int(counts.get(name, 0)),
                "n": int(self.indices[name].notna().sum()),
                "cutoff": words,
                "source": source,
            }
            for name, (words, source) in CUTOFFS.items()
        ]
        return pd.DataFrame(rows)

    def glance(self) -> pd.DataFrame:
        """One row: rows checked, rows with one flag and with two or more."""
        per_row = self.flags.groupby(["respondent", "wave"]).size()
        return pd.DataFrame(
            {
                "n": [len(self.indices)],
                "n_flagged": [len(per_row)],
                "n_flagged_twice": [int((per_row > 1).sum())],
            }
        )

    def summary(self) -> str:
        """Say in one line how many rows are flagged."""
        one = self.glance().iloc[0]
        return (
            f"{one['n_flagged']} of {one['n']} rows have a flag, "
            f"{one['n_flagged_twice']} have two or more"
        )


def quality(responses: Responses) -> Quality:
    """Compute careless-response indices and flag rows beyond published cut-offs.

    Notes
    -----
    Long string: Johnson (2005). Intra-individual response variability: Dunn et al.
    (2018). Even-odd consistency: Jackson (1976), Spearman-Brown corrected, on keyed
    items. Mahalanobis distance: over the items a person answered, chi-squared with as
    many degrees of freedom. R package ``careless`` has the same indices.
    """
    instrument = responses.instrument
    items = [i.id for i in instrument.items if isinstance(i, LikertItem)]
    plain = [i for i in items if _expected(i, instrument) is None]
    raw = responses.frame[plain].astype("Float64").to_numpy(dtype=float)
    longest, half = _longstring(raw, plain, instrument)
    indices = pd.DataFrame(
        {
            "wave": responses.people["wave"].astype(int),
            "attention": _attention(responses, items),
            "longstring": longest,
            "irv": _irv(raw),
            "even_odd": _even_odd(responses),
            "mahalanobis": _mahalanobis(_scaled_codes(responses)),
            "seconds_per_item": _seconds_per_item(responses),
            "duplicate": _duplicates(raw, responses),
        },
        index=responses.frame.index,
    )
    flags = _flags(indices, _limits(indices, half))
    lacking = [
        (name, _reason(name))
        for name in CUTOFFS
        if indices[name].isna().all() or len(indices) == 0
    ]
    return Quality(indices, flags, pd.DataFrame(lacking, columns=["index", "reason"]))


def _expected(item: str, instrument: Instrument) -> int | None:
    one = instrument.item(item)
    return one.expected if isinstance(one, LikertItem) else None


def _reason(name: str) -> str:
    return {
        "attention": "no attention check, or nobody answered it",
        "longstring": f"nobody answered {_MIN_RUN_BLOCK} items in a row on one "
        "response scale",
        "irv": f"nobody answered {_MIN_ANSWERS} items",
        "even_odd": "fewer than three scales with two items, or answers without spread",
        "mahalanobis": "more items than people, or items that do not vary",
        "seconds_per_item": "no column `seconds` in the source",
        "duplicate": f"nobody answered {_MIN_ANSWERS} items",
    }[name]


def _attention(responses: Responses, items: list[str]) -> Array:
    out = np.full(len(responses), np.nan)
    for name in items:
        expected = _expected(name, responses.instrument)
        if expected is None:
            continue
        answer = responses.frame[name].astype("Float64").to_numpy(dtype=float)
        known = ~np.isnan(answer)
        out[known] = np.nan_to_num(out[known]) + (answer[known] != expected)
    return out


def _blocks(items: list[str], instrument: Instrument) -> list[list[int]]:
    """Group positions of neighbouring items with the same response scale."""

    def response_scale(position: int) -> str:
        item = instrument.item(items[position])
        return item.response_scale if isinstance(item, LikertItem) else ""

    return [list(group) for _, group in groupby(range(len(items)), response_scale)]


def _longest_run(codes: Array) -> int:
    known = codes[~np.isnan(codes)]
    return max((len(list(run)) for _, run in groupby(known)), default=0)


def _longstring(
    raw: Array, items: list[str], instrument: Instrument
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Longest run of one code, and whether it is half of its block or more.

    Only what a person answered counts: a block has ten answers or is left out.
    """
    longest = np.full(len(raw), np.nan)
    half = np.zeros(len(raw), bool)
    for block in _blocks(items, instrument):
        answered = (~np.isnan(raw[:, block])).sum(axis=1)
        runs = np.array([_longest_run(row) for row in raw[:, block]], dtype=float)
        counts = answered >= _MIN_RUN_BLOCK
        longest = np.where(counts, np.fmax(longest, runs), longest)
        half |= counts & (2 * runs >= answered)
    return longest, half


def _irv(raw: Array) -> Array:
    n = (~np.isnan(raw)).sum(axis=1)
    mean = np.nansum(raw, axis=1) / np.maximum(n, 1)
    squares = np.nansum((raw - mean[:, None]) ** 2, axis=1)
    spread = np.sqrt(squares / np.maximum(n - 1, 1))
    return np.where(n >= _MIN_ANSWERS, spread, np.nan)


def _even_odd(responses: Responses) -> Array:
    instrument = responses.instrument
    halves: list[tuple[Array, Array]] = []
    for scale in instrument.scales:
        codes = _keyed(responses, scale.items)
        if codes.shape[1] > 1:
            halves.append((_row_mean(codes[:, ::2]), _row_mean(codes[:, 1::2])))
    if len(halves) < 3:  # noqa: PLR2004 - a correlation needs three pairs
        return np.full(len(responses), np.nan)
    odd = np.column_stack([half[0] for half in halves])
    even = np.column_stack([half[1] for half in halves])
    r = _row_correlation(odd, even)
    perfect = r <= -1  # the formula has no value there; its limit is below -1
    corrected = 2 * r / (1 + np.where(perfect, 0.0, r))
    return np.clip(np.where(perfect, -1.0, corrected), -1, 1)


def _keyed(responses: Responses, items: tuple[str, ...]) -> Array:
    columns = []
    for name in items:
        codes = responses.frame[name].astype("Float64").to_numpy(dtype=float)
        total = responses.instrument.turning_sum(name)
        columns.append(codes if total is None else total - codes)
    return np.column_stack(columns)


def _scaled_codes(responses: Responses) -> Array:
    """Codes of all items of scales, shape (rows, items)."""
    scales = responses.instrument.scales
    items = dict.fromkeys(name for scale in scales for name in scale.items)
    return _keyed(responses, tuple(items)) if items else np.empty((len(responses), 0))


def _row_mean(codes: Array) -> Array:
    n = (~np.isnan(codes)).sum(axis=1)
    return np.where(n > 0, np.nansum(codes, axis=1) / np.maximum(n, 1), np.nan)


def _row_correlation(x: Array, y: Array) -> Array:
    both = ~np.isnan(x) & ~np.isnan(y)
    n = both.sum(axis=1)
    x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
    size = np.maximum(n, 1)[:, None]
    dx = np.where(both, x - x.sum(axis=1, keepdims=True) / size, 0.0)
    dy = np.where(both, y - y.sum(axis=1, keepdims=True) / size, 0.0)
    scale = np.sqrt((dx**2).sum(axis=1) * (dy**2).sum(axis=1))
    usable = (n >= 3) & (scale > 0)  # noqa: PLR2004
    return np.where(usable, (dx * dy).sum(axis=1) / np.where(usable, scale, 1), np.nan)


def _mahalanobis(raw: Array) -> Array:
    """P value of each row's distance over the items it answered.

    Covariances are pairwise; where they are not positive definite there is no
    distance.
    """
    out = np.full(len(raw), np.nan)
    if raw.shape[1] < 2 or len(raw) <= raw.shape[1] + 1:  # noqa: PLR2004
        return out
    cov = pd.DataFrame(raw).cov(min_periods=raw.shape[1] + 1).to_numpy()
    if np.isnan(cov).any() or np.linalg.eigvalsh(cov)[0] <= 0:
        return out
    centre = np.nanmean(raw, axis=0)
    answered = ~np.isnan(raw)
    patterns, which = np.unique(answered, axis=0, return_inverse=True)
    for k, known in enumerate(patterns):
        if known.sum() < _MIN_ANSWERS and not known.all():
            continue
        rows = np.flatnonzero(which.ravel() == k)
        d = raw[np.ix_(rows, known)] - centre[known]
        weighted = np.linalg.solve(cov[np.ix_(known, known)], d.T).T
        out[rows] = chi2.sf((d * weighted).sum(axis=1), known.sum())
    return out


def _seconds_per_item(responses: Responses) -> Array:
    seconds = responses.people["seconds"].astype("Float64").to_numpy(dtype=float)
    answered = responses.missingness.isin(["answered", "refused"]).sum(axis="columns")
    n = answered.to_numpy(dtype=float)
    return np.where(n > 0, seconds / np.maximum(n, 1), np.nan)


def _duplicates(raw: Array, responses: Responses) -> Array:
    """Count other people in the wave with the same answers to all likert items."""
    enough = (~np.isnan(raw)).sum(axis=1) >= _MIN_ANSWERS
    keys = pd.Series([row.tobytes() for row in np.nan_to_num(raw, nan=-1.0)])
    wave = responses.people["wave"].astype(int).to_numpy()
    count = keys.groupby([keys.to_numpy(), wave]).transform("size").to_numpy() - 1.0
    return np.where(enough, count, np.nan)


def _limits(
    indices: pd.DataFrame, half: npt.NDArray[np.bool_]
) -> dict[str, pd.Series[bool]]:
    lowest = indices["irv"].quantile(0.05) if len(indices) >= 20 else 0.0  # noqa: PLR2004
    return {
        "attention": indices["attention"] >= 1,
        "longstring": indices["longstring"].notna() & half,
        "irv": (indices["irv"] < lowest) | (indices["irv"] == 0),
        "even_odd": indices["even_odd"] < 0.30,  # noqa: PLR2004
        "mahalanobis": indices["mahalanobis"] < 0.001,  # noqa: PLR2004
        "seconds_per_item": indices["seconds_per_item"] < 2,  # noqa: PLR2004
        "duplicate": indices["duplicate"] > 0,
    }


def _flags(indices: pd.DataFrame, flagged: dict[str, pd.Series[bool]]) -> pd.DataFrame:
    parts = []
    for name, (words, source) in CUTOFFS.items():
        rows = indices.loc[flagged[name].to_numpy(dtype=bool)]
        parts.append(
            pd.DataFrame(
                {
                    "respondent": rows.index.astype(object),
                    "wave": rows["wave"].to_numpy(),
                    "index": name,
                    "value": rows[name].to_numpy(dtype=float),
                    "cutoff": words,
                    "source": source,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
