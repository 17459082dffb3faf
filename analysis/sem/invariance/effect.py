"""How much non-invariance matters: dMACS, item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis.errors import AnalysisError, ConvergenceError, NotIdentifiedError
from analysis.plots.invariance import plot_effects
from analysis.result import warning_table
from analysis.sem.implied import eta_cov, total_effects
from analysis.sem.invariance.result import Invariance
from analysis.sem.standardize import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D
    from analysis.sem.fit import SemFit
    from analysis.sem.matrices import Layout, Matrices

#: Nye, Bradburn, Olenick, Bialko & Drasgow (2019): small, medium, large.
SIZES: Final = (0.20, 0.40, 0.70)
_NODES: Final = 41


@dataclass(frozen=True, slots=True, eq=False)
class Dmacs:
    """Size of the difference between groups in how an item measures.

    Attributes
    ----------
    table
        One row per item and group after the first: item factor group; dmacs (in
        standard deviations of the item), signed (positive: people of the group at the
        same level of the factor answer higher than the first group), size in words.
    reference
        The group that the others are compared with.
    n_obs
        Number of respondents.
    warnings
        Items for which it could not be computed: what, where, remedy.
    """

    table: pd.DataFrame
    reference: str
    n_obs: int
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item and group."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the largest, and how many are medium or more."""
        values = self.table["dmacs"]
        return pd.DataFrame(
            {
                "n_items": [self.table["item"].nunique()],
                "largest": [float(values.max())],
                "n_medium": [int((values >= SIZES[1]).sum())],
                "n_obs": [self.n_obs],
            }
        )

    def summary(self) -> str:
        """Name the item that differs most."""
        top = self.table.sort_values("dmacs").iloc[-1]
        return (
            f"Largest dMACS: {top['item']} in {top['group']} against "
            f"{self.reference}, {top['dmacs']:.2f} ({top['size']}; "
            f"signed {top['signed']:+.2f}); "
            f"{int((self.table['dmacs'] >= SIZES[0]).sum())} of {len(self.table)} "
            f"are .20 or more (n = {self.n_obs})"
        )

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the signed effects of all items; `labels` maps items to words."""
        return plot_effects(self.table, n_obs=self.n_obs, labels=labels, ax=ax)


def dmacs(found: Invariance) -> Dmacs:
    """Measure how differently each item works in the groups.

    Each item in turn is released in the model with equal thresholds, loadings and
    intercepts, all other items linking the groups; the expected answers at the same
    level of the factor are then compared over the distribution of the group.

    Parameters
    ----------
    found
        Groups compared by `analysis.sem.invariance.invariance`.

    Raises
    ------
    AnalysisError
        If there are no groups, or the step ``intercepts`` is missing.

    Notes
    -----
    Nye & Drasgow (2011), eq. 3 and 5, pooled standard deviation of the item; for
    ordered items expected answers are sums of codes times probabilities (Gunn, Grimm &
    Edwards 2020).
    """
    if not isinstance(found, Invariance):
        raise AnalysisError(
            f"dmacs: got a {type(found).__name__}. Give what invariance(model, data, "
            "group) returns."
        )
    if "intercepts" not in found.fits or len(found.groups) < 2:  # noqa: PLR2004
        raise AnalysisError(
            "dmacs: needs groups and the step 'intercepts'. Call invariance() with "
            "group= and without leaving that step out."
        )
    rows: list[dict[str, object]] = []
    notes: list[tuple[str, str, str]] = []
    base = found.fits["intercepts"]
    for item, factor in _items(base):
        try:
            fit = found.refit("intercepts", _parameters(base, item))
        except (ConvergenceError, NotIdentifiedError) as error:
            notes.append(("dMACS not computed", item, str(error)))
            continue
        rows += _compared(fit, item, factor)
    frame = pd.DataFrame(rows)
    return Dmacs(frame, base.groups[0], base.n_obs, warning_table(notes))


def _items(fit: SemFit) -> Iterator[tuple[str, str]]:
    """Each item with the factor it measures; items of several factors once each."""
    for row in fit.table.rows:
        if row.op == "=~" and row.group == 1 and row.rhs in fit.observed:
            yield row.rhs, row.lhs


def _parameters(fit: SemFit, item: str) -> tuple[str, ...]:
    """Everything about an item that is equal in the groups."""
    return tuple(
        f"{r.lhs}{r.op}{r.rhs}" if r.op != "~1" else f"{r.lhs}~1"
        for r in fit.table.rows
        if r.group == 1
        and (r.tie or (r.op == "~1" and r.lhs in fit.table.ordered))
        and item in ({r.rhs} if r.op == "=~" else {r.lhs})
        and r.op in {"=~", "|", "~1"}
    )


def _compared(fit: SemFit, item: str, factor: str) -> Iterator[dict[str, object]]:
    layouts, moments = fit.problem.layouts, fit.problem.moments
    i = fit.observed.index(item)
    k = fit.latent.index(factor)
    matrices = [whole(layout, fit.theta) for layout in layouts]
    answers = [_answers(m.x, i) for m in moments]
    for g in range(1, len(layouts)):
        m = matrices[g]
        _, inverse = total_effects(m)
        mean = float((inverse @ m.alpha)[k])
        sd = float(np.sqrt(eta_cov(m)[k, k]))
        x, w = np.polynomial.hermite_e.hermegauss(_NODES)
        eta, w = mean + sd * x, w / w.sum()
        gap = _expected(layouts[g], m, i, k, eta) - _expected(
            layouts[0], matrices[0], i, k, eta
        )
        pooled = _pooled(answers[0], answers[g])
        size = float(np.sqrt(w @ gap**2)) / pooled
        yield {
            "item": item,
            "factor": factor,
            "group": fit.groups[g],
            "dmacs": size,
            "signed": float(w @ gap) / pooled,
            "size": _word(size),
        }


def _answers(x: Float1D | None, i: int) -> Float1D:
    if x is None:
        raise AnalysisError("dmacs: the models were fitted without rows.")
    column = x[:, i]
    return np.asarray(column[~np.isnan(column)])


def _pooled(a: Float1D, b: Float1D) -> float:
    n, m = len(a), len(b)
    total = (n - 1) * a.var(ddof=1) + (m - 1) * b.var(ddof=1)
    return float(np.sqrt(total / (n + m - 2)))


def _expected(layout: Layout, m: Matrices, i: int, k: int, eta: Float1D) -> Float1D:
    """Compute expected answers, codes counted from 0, at levels of the factor."""
    centre = m.nu[i] + m.Lambda[i, k] * eta
    if i not in layout.ordered:
        return np.asarray(centre)
    known = dict(layout.table.categories)
    name = layout.table.observed[i]
    start = 0
    for other in layout.table.ordered:
        if other == name:
            break
        start += known[other] - 1
    cuts = m.tau[start : start + known[name] - 1]
    above = ndtr((centre[:, None] - cuts) / np.sqrt(m.Theta[i, i]))
    return np.asarray(above.sum(axis=1))


def _word(size: float) -> str:
    words = ("negligible", "small", "medium", "large")
    return words[sum(size >= edge for edge in SIZES)]
