"""Item statistics, keying and category use of several scales, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd

from analysis.items import item_statistics, keying_audit
from analysis.measurement import left_out, measured_items, scale_items
from analysis.plots.forest import forest
from analysis.result import warning_table
from analysis.scalewise import each_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.items import ItemStatistics, KeyingAudit
    from analysis.reliability import ReliabilityTable
    from analysis.scoring import Scores
    from survey.instrument import Instrument

_AGAINST = ["scale", "item", "r_drop", "verdict"]


@dataclass(frozen=True, slots=True, eq=False)
class ItemReport:
    """Items of several scales.

    Attributes
    ----------
    table
        One row per item, as `analysis.items.item_statistics`, with ``scale`` and
        ``text`` in front.
    against
        Items that go against the key: ``scale item r_drop verdict``.
    warnings
        Of all scales; `where` begins with the scale.
    """

    table: pd.DataFrame
    against: pd.DataFrame
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per item."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row: items, scales, items against the key."""
        return pd.DataFrame(
            {
                "n_scales": [self.table["scale"].nunique()],
                "n_items": [len(self.table)],
                "n_against": [len(self.against)],
            }
        )

    def summary(self) -> str:
        """Say how many items there are and which go against the key."""
        items = ", ".join(self.against["item"]) if len(self.against) else "none"
        return f"{len(self.table)} items; against the key: {items}"


def item_report(
    scores: Scores, scales: Sequence[str] | str | None = None
) -> ItemReport:
    """Describe the items of scales and audit their keys.

    Parameters
    ----------
    scores
        Of one wave.
    scales
        See `analysis.measurement.measured_scales`.

    Returns
    -------
    ItemReport
        A scale whose keys cannot be audited (one item, no variance) has the reason
        in `warnings`; so have items that nobody answered and formative scales, which
        are left out, and items that repeat another.

    Raises
    ------
    TooFewError
        If nobody answered an item of these scales.
    """
    measured_items(scores, scales)
    items = scale_items(scores, scales)
    described, odd = each_scale(
        items, lambda one: _described(one, scores.instrument), without="not described"
    )
    audits, unclear = each_scale(items, keying_audit, without="keys not audited")
    tables = [_table(name, one, scores) for name, one in described.items()]
    against = [_against(name, audit) for name, audit in audits.items()]
    return ItemReport(
        table=pd.concat(tables, ignore_index=True),
        against=pd.concat([pd.DataFrame(columns=_AGAINST), *against]).reset_index(
            drop=True
        ),
        warnings=pd.concat(
            [warning_table(), left_out(scores, scales), odd, unclear],
            ignore_index=True,
        ),
    )


def _described(items: pd.DataFrame, instrument: Instrument) -> ItemStatistics:
    """Describe items with their possible codes, if those of all are known."""
    codes = {
        item: [code for code in instrument.codes(item) if isinstance(code, int)]
        for item in map(str, items)
        if instrument.codes(item)
    }
    return item_statistics(items, codes=codes if len(codes) == items.shape[1] else None)


def _table(scale: str, statistics: ItemStatistics, scores: Scores) -> pd.DataFrame:
    table = statistics.tidy()
    table.insert(0, "scale", scale)
    table.insert(2, "text", table["item"].map(scores.instrument.label))
    return table


def _against(scale: str, audit: KeyingAudit) -> pd.DataFrame:
    suspects = audit.tidy()
    suspects = suspects[suspects["item"].isin(audit.against)]
    return suspects.assign(scale=scale)[_AGAINST]


def reliability_plot(
    table: ReliabilityTable, scores: Scores, ax: Axes | None = None
) -> Axes:
    """Draw alpha and omega of every scale with their intervals.

    Where none could be estimated, the figure only says so.
    """
    frame = table.tidy().dropna(subset=["estimate"])
    if frame.empty:
        if ax is None:
            _, ax = plt.subplots(figsize=(7.5, 0.6), layout="constrained")
        ax.set_title(f"No reliability could be estimated (n = {len(scores.frame)})")
        ax.set_axis_off()
        return ax
    names = {"alpha": "alpha", "omega": "omega", "spearman_brown": "Spearman-Brown"}
    frame = frame.assign(
        coefficient=frame["term"].map(names).fillna(frame["term"]), term=frame["scale"]
    )
    weakest = frame.sort_values("estimate").iloc[0]
    label = scores.instrument.label(str(weakest["scale"]))
    fewest, most = int(frame["n_obs"].min()), int(frame["n_obs"].max())
    n = f"n = {fewest}" + (f" to {most}" if most > fewest else "")
    return forest(
        frame,
        title=f"Least reliable: {label} ({weakest['estimate']:.2f})",
        n=n,
        xlabel="reliability with 95 % interval; the line marks .70",
        labels={name: scores.instrument.label(name) for name in frame["scale"]},
        group="coefficient",
        reference=0.70,
        ax=ax,
    )
