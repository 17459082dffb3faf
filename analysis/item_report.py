"""Item statistics, keying and category use of several scales, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd

from analysis.errors import AnalysisError
from analysis.items import item_statistics, keying_audit
from analysis.measurement import left_out, measured_items, scale_items
from analysis.plots.forest import forest
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.reliability import ReliabilityTable
    from analysis.scoring import Scores


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
    instrument = scores.instrument
    measured_items(scores, scales)
    tables, against, notes = [], [], [left_out(scores, scales)]
    for name, items in scale_items(scores, scales).items():
        codes = {
            item: [code for code in instrument.codes(item) if isinstance(code, int)]
            for item in map(str, items)
            if instrument.codes(item)
        }
        known = codes if len(codes) == items.shape[1] else None
        statistics = item_statistics(items, codes=known)
        texts = {item: instrument.label(str(item)) for item in items}
        table = statistics.tidy()
        table.insert(0, "scale", name)
        table.insert(2, "text", table["item"].map(texts))
        tables.append(table)
        notes.append(_of(name, statistics.warnings))
        notes.append(_repeated(name, items))
        try:
            audit = keying_audit(items)
        except AnalysisError as error:
            notes.append(warning_table([("keys not audited", name, str(error))]))
            continue
        suspects = audit.tidy()
        suspects = suspects[suspects["item"].isin(list(audit.against))]
        against.append(suspects.assign(scale=name))
        notes.append(_of(name, audit.warnings))
    columns = ["scale", "item", "r_drop", "verdict"]
    found = pd.concat([pd.DataFrame(columns=columns), *against])[columns]
    return ItemReport(
        table=pd.concat(tables, ignore_index=True),
        against=found.reset_index(drop=True),
        warnings=pd.concat([warning_table(), *notes], ignore_index=True),
    )


def _of(scale: str, warnings: pd.DataFrame) -> pd.DataFrame:
    return warnings.assign(where=scale + ": " + warnings["where"].astype(str))


def _repeated(scale: str, items: pd.DataFrame) -> pd.DataFrame:
    """Warn of items that everybody answered exactly as another one."""
    varied = [name for name in items if items[name].min() < items[name].max()]
    return warning_table(
        (
            "the answers are the same, person by person",
            f"{scale}: {first} and {second}",
            "Is one a copy of the other? Leave it out; reliability looks too high.",
        )
        for first, second in combinations(varied, 2)
        if items[first].equals(items[second])
    )


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
