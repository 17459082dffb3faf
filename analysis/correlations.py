"""One correlation matrix, chosen once and used by every later step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from analysis.answers import (
    complete_rows,
    item_codes,
    require_choice,
    require_variance,
)
from analysis.errors import AnalysisError, ConvergenceError, TooFewError
from analysis.oddities import stray_codes
from analysis.plots.correlations import correlation_heatmap
from analysis.polychoric import PerfectCorrelationError, polychoric, polychoric_matrix
from analysis.polychoric.definite import (
    SINGULAR,
    describe_weakest,
    require_positive_definite,
    smallest_eigenvalue,
    smoothed,
    smoothing_warning,
)
from analysis.result import dropped_rows, warning_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.arrays import Float2D, Int1D

Kind: TypeAlias = Literal["auto", "pearson", "polychoric", "spearman"]
Used: TypeAlias = Literal["pearson", "polychoric", "spearman"]
Missing: TypeAlias = Literal["listwise", "pairwise"]

#: "auto" takes items with at most this many categories as ordered.
ORDINAL: Final = 7
#: "auto" wants at least this many people per cell of a two-way table, on average.
PER_CELL: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """Correlations of items and the people they rest on.

    Attributes
    ----------
    R
        Correlation matrix, shape (p, p), positive definite.
    kind
        What was used.
    reason
        One sentence that says why.
    names
        The items, in order.
    codes
        The answers used, shape (n_obs, p); NaN where missing (pairwise only).
    n_obs
        Respondents used: with every answer (listwise), or with at least two
        (pairwise; one where polychoric, because it moves a threshold).
    n_dropped
        Respondents left out.
    n_pair
        Fewest respondents behind one correlation; `n_obs` when listwise.
    smoothed
        Whether `R` was moved to be positive definite.
    warnings
        What needs a second look: what, where, remedy.
    std_error
        Standard errors, shape (p, p), NaN on the diagonal; those before smoothing.
    counts
        Respondents behind each correlation, shape (p, p).
    """

    R: Float2D
    kind: Used
    reason: str
    names: tuple[str, ...]
    codes: Float2D
    n_obs: int
    n_dropped: int
    n_pair: int
    smoothed: bool
    warnings: pd.DataFrame
    std_error: Float2D
    counts: Int1D

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.names)

    def frame(self) -> pd.DataFrame:
        """Give the correlations as a table, items x items."""
        return pd.DataFrame(self.R, index=list(self.names), columns=list(self.names))

    def tidy(self) -> pd.DataFrame:
        """One row per pair: item_a, item_b, estimate, std_error, n."""
        i, j = np.triu_indices(self.n_items, 1)
        return pd.DataFrame(
            {
                "item_a": [self.names[k] for k in i],
                "item_b": [self.names[k] for k in j],
                "estimate": self.R[i, j],
                "std_error": self.std_error[i, j],
                "n": self.counts[i, j],
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: kind, sizes, the range of correlations, the smallest eigenvalue."""
        r = self.R[np.triu_indices(self.n_items, 1)]
        return pd.DataFrame(
            {
                "kind": [self.kind],
                "n_items": [self.n_items],
                "n_obs": [self.n_obs],
                "n_dropped": [self.n_dropped],
                "n_pair": [self.n_pair],
                "r_min": [float(r.min(initial=1.0))],
                "r_median": [float(np.median(r)) if len(r) else np.nan],
                "r_max": [float(r.max(initial=-1.0))],
                "smallest_eigenvalue": [smallest_eigenvalue(self.R)],
                "smoothed": [self.smoothed],
            }
        )

    def summary(self) -> str:
        """Say which correlation, why, and of how many people."""
        pairwise = (
            f", at least {self.n_pair} a pair" if self.n_pair < self.n_obs else ""
        )
        smooth = ", smoothed" if self.smoothed else ""
        return (
            f"{self.kind.capitalize()} correlations of {self.n_items} items{smooth} "
            f"(n = {self.n_obs}{pairwise}, {self.n_dropped} left out): {self.reason}."
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the correlations as a heatmap."""
        return correlation_heatmap(self.frame(), kind=self.kind, n=self.n_obs, ax=ax)


def correlation(
    items: pd.DataFrame,
    kind: Kind = "auto",
    *,
    missing: Missing = "listwise",
    smooth: bool = False,
    where: str = "correlation",
    at_least: int = 2,
) -> Correlation:
    """Correlate items, refusing what cannot carry a factor analysis.

    Parameters
    ----------
    items
        Keyed item codes, one row per respondent, missing as NA.
    kind
        ``"auto"`` takes polychoric correlations where every item has whole codes in
        at most 7 categories and the tables of all pairs can carry them: two people
        per cell on average, no empty cell in a table of two by two, no perfect
        correlation, a matrix that is positive definite (or `smooth`). Otherwise it
        takes Pearson's, and `reason` says why.
    missing
        ``"listwise"`` keeps respondents with every answer; ``"pairwise"`` takes
        each correlation from everyone who answered both items.
    smooth
        Move a matrix that is not positive definite instead of refusing it; `warnings`
        says so.
    where
        Name of the calling analysis, which opens every message.
    at_least
        Fewest items that make sense there.

    Raises
    ------
    TooFewError
        If there are too few items, or not more people than items.
    AnalysisError
        If an item is not numeric, has no answer, does not vary, or the matrix is
        singular (an item repeats others) or not positive definite.

    Notes
    -----
    Same as ``cor(x, use = "complete.obs")``, ``cor(x, use = "pairwise")`` and
    ``lavaan::lavCor(x, ordered = names(x))`` in R. Standard errors of Pearson's and
    Spearman's are those of ``psych::corr.test``: sqrt((1 - r^2) / (n - 2)).
    """
    x = item_codes(items, where=where, at_least=at_least)
    names = tuple(str(name) for name in items.columns)
    require_choice("kind", kind, get_args(Kind), where=where)
    require_choice("missing", missing, get_args(Missing), where=where)
    if missing == "listwise":
        x_used = complete_rows(x, names, where=where, at_least=len(names) + 1)
    else:
        require_variance(x, names, where=where)
        x_used = x
    data = _Answers(pd.DataFrame(x_used, columns=list(names)), missing, where)
    if kind == "auto":
        found = _by_rule(data, smooth=smooth)
    elif kind == "polychoric":
        found = _polychoric(data, "asked for", smooth=smooth)
    else:
        found = _products(data, kind, "asked for", smooth=smooth)
    n_dropped = len(x) - found.n_obs
    rows = [*stray_codes(x, names), *dropped_rows(n_dropped, len(x))]
    warnings = _joined(rows, found.warnings)
    return replace(found, n_dropped=n_dropped, warnings=warnings)


def correlation_matrix(x: Float2D, kind: Used) -> Float2D:
    """Correlate columns, quickly and unchecked, for repeated draws.

    Parameters
    ----------
    x
        Codes that vary in every column, shape (n, p), NaN where missing (pairwise).
    kind
        Which correlation.
    """
    if kind == "polychoric":
        return polychoric_matrix(x)
    if np.isnan(x).any():
        R: Float2D = pd.DataFrame(x).corr(method=kind).to_numpy(copy=True)
        return R
    ranked = pd.DataFrame(x).rank().to_numpy() if kind == "spearman" else x
    return np.atleast_2d(np.corrcoef(ranked, rowvar=False))


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """What is correlated: answers, treatment of missing ones, name of the caller."""

    frame: pd.DataFrame
    missing: Missing
    where: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.frame.columns)


def _by_rule(data: _Answers, *, smooth: bool) -> Correlation:
    """Take polychoric correlations where they can be estimated, else Pearson's."""
    sizes = np.asarray(data.frame.nunique(), dtype=np.int_)
    if unfit := _not_ordinal(data, sizes):
        return _products(data, "pearson", unfit, smooth=smooth)
    problem = _too_sparse(data, sizes)
    if not problem:
        try:
            found = _polychoric(data, _fit_reason(sizes), smooth=True)
        except (PerfectCorrelationError, ConvergenceError, TooFewError) as none:
            problem = str(none).removeprefix(f"{data.where}: ").split(". ")[0]
        else:
            problem = _unreliable(found, smooth=smooth)
    if not problem:
        return found
    reason = f"polychoric ones cannot be relied on here: {problem}"
    fallback = _products(data, "pearson", reason, smooth=smooth)
    row = ("pearson_chosen", problem, "Join rare categories or leave an item out.")
    return replace(fallback, warnings=_joined([row], fallback.warnings))


def _joined(rows: list[tuple[str, str, str]], known: pd.DataFrame) -> pd.DataFrame:
    frames = [frame for frame in (warning_table(rows), known) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else warning_table()


def _not_ordinal(data: _Answers, sizes: Int1D) -> str:
    """Say why the items are not all ordered categories, or nothing."""
    x = data.frame.to_numpy()
    with np.errstate(invalid="ignore"):
        broken = ((x != np.floor(x)) & ~np.isnan(x)).any(axis=0)
    if broken.any():
        name = data.names[int(np.flatnonzero(broken)[0])]
        return f"{name!r} holds fractions, so it is measured rather than ordered"
    if sizes.max() > ORDINAL:
        name = data.names[int(sizes.argmax())]
        return (
            f"{name!r} has {sizes.max()} different answers, and with more than "
            f"{ORDINAL} they are treated as measured"
        )
    return ""


def _fit_reason(sizes: Int1D) -> str:
    low, high = sizes.min(), sizes.max()
    spread = f"{low}" if low == high else f"{low} to {high}"
    return f"answers are ordered categories ({spread} of them, at most {ORDINAL})"


def _too_sparse(data: _Answers, sizes: Int1D) -> str:
    """Name the pair with the fewest people per cell if they are too few."""
    present = data.frame.notna().to_numpy(dtype=np.float64)
    per_cell = (present.T @ present) / np.outer(sizes, sizes)
    np.fill_diagonal(per_cell, np.inf)
    a, b = np.unravel_index(per_cell.argmin(), per_cell.shape)
    if per_cell[a, b] >= PER_CELL:
        return ""
    return (
        f"the table of {data.names[a]!r} with {data.names[b]!r} has "
        f"{sizes[a]} x {sizes[b]} cells for {int(present[:, a] @ present[:, b])} people"
    )


def _unreliable(found: Correlation, *, smooth: bool) -> str:
    kinds = found.warnings.set_index("what")["where"]
    if "empty_cell" in kinds:
        return str(kinds["empty_cell"])
    if found.smoothed and not smooth:
        return f"they are not positive definite ({kinds['smoothed']})"
    return ""


def _polychoric(data: _Answers, reason: str, *, smooth: bool) -> Correlation:
    found = polychoric(
        data.frame, missing=data.missing, smooth=smooth, where=data.where
    )
    _require_enough(found.n_pair, data)
    if not found.smoothed and (low := smallest_eigenvalue(found.R)) <= SINGULAR:
        weak = describe_weakest(found.R, data.names, low)
        raise AnalysisError(
            f"{data.where}: the polychoric correlations are not positive definite "
            f"({weak}). Join rare categories, leave one of these items out, or hand in "
            "correlation(items, smooth=True) or one of kind='pearson'."
        )
    used = data.frame.to_numpy()[data.frame.notna().any(axis=1).to_numpy()]
    return Correlation(
        R=found.R,
        kind="polychoric",
        reason=reason,
        names=found.names,
        codes=used,
        n_obs=found.n_obs,
        n_dropped=0,
        n_pair=found.n_pair,
        smoothed=found.smoothed,
        warnings=found.warnings,
        std_error=found.std_error,
        counts=found.counts,
    )


def _products(
    data: _Answers, kind: Literal["pearson", "spearman"], reason: str, *, smooth: bool
) -> Correlation:
    frame = data.frame[data.frame.notna().sum(axis=1) > 1]
    x = frame.to_numpy()
    require_variance(x, data.names, where=data.where)
    present = (~np.isnan(x)).astype(np.float64)
    counts = np.rint(present.T @ present).astype(np.int_)
    n_pair = int(counts[np.triu_indices(len(counts), 1)].min(initial=len(x)))
    _require_enough(n_pair, data)
    R = _product_moments(x, kind, data)
    off = ~np.eye(len(R), dtype=bool)
    std_error = np.full(R.shape, np.nan)
    std_error[off] = np.sqrt((1 - R[off] ** 2) / (counts[off] - 2))
    rows, moved = [], False
    if smooth and (low := smallest_eigenvalue(R)) <= SINGULAR:
        rows.append(smoothing_warning(R, data.names, low))
        R, moved = smoothed(R), True
    require_positive_definite(R, data.names, where=data.where)
    return Correlation(
        R=R,
        kind=kind,
        reason=reason,
        names=data.names,
        codes=x,
        n_obs=len(x),
        n_dropped=0,
        n_pair=n_pair,
        smoothed=moved,
        warnings=warning_table(rows),
        std_error=std_error,
        counts=counts,
    )


def _require_enough(n_pair: int, data: _Answers) -> None:
    if n_pair <= len(data.names):
        raise TooFewError(
            f"{data.where}: only {n_pair} respondents answered some pair of the "
            f"{len(data.names)} items. Use fewer items or collect more answers: there "
            "must be more people than items behind every correlation."
        )


def _product_moments(
    x: Float2D, kind: Literal["pearson", "spearman"], data: _Answers
) -> Float2D:
    with np.errstate(invalid="ignore", divide="ignore"):
        R = correlation_matrix(x, kind)
    if np.isnan(R).any():
        i, j = np.argwhere(np.isnan(R))[0]
        raise AnalysisError(
            f"{data.where}: items {data.names[i]!r} and {data.names[j]!r} have no "
            "correlation, because one of them does not vary among those who answered "
            "both. Leave one of them out."
        )
    return R
