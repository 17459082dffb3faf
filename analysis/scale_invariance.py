"""Does each scale measure alike in groups of people, and from wave to wave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, TooFewError
from analysis.measurement import MAX_ORDERED, measured_scales
from analysis.plots.invariance import plot_grid
from analysis.result import warning_table
from analysis.sem import dmacs, invariance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.scoring import Scores
    from analysis.sem import Invariance
    from survey.instrument import Scale

_SMALLEST: Final = 100
_ITEMS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class ScaleInvariance:
    """The ladder of invariance of every scale.

    Attributes
    ----------
    found
        Scale id to its ladder.
    by
        What is compared: the name of the grouping, or ``wave``.
    labels
        Scale id to its label.
    effects
        dMACS of every item and group; empty for waves.
    warnings
        Scales that could not be analysed, small groups, and what is odd about models:
        what, where, remedy.
    """

    found: Mapping[str, Invariance]
    by: str
    labels: Mapping[str, str]
    effects: pd.DataFrame
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per scale and step."""
        parts = [one.tidy().assign(scale=name) for name, one in self.found.items()]
        if not parts:
            return pd.DataFrame(columns=["scale", "step", "holds"])
        table = pd.concat(parts, ignore_index=True)
        return table[["scale", *(c for c in table.columns if c != "scale")]]

    def verdicts(self) -> pd.DataFrame:
        """One row per scale: label, the last step that holds, one column a step."""
        rows = []
        for name, one in self.found.items():
            steps = dict(zip(one.table["step"], one.table["holds"], strict=True))
            rows.append({"scale": self.labels[name], "reached": one.reached} | steps)
        return pd.DataFrame(rows)

    def glance(self) -> pd.DataFrame:
        """One row: how many scales reach equal intercepts."""
        reached = [one.reached for one in self.found.values()]
        far = {"intercepts", "residuals", "means"}
        sizes = [min(one.groups.values()) for one in self.found.values()]
        return pd.DataFrame(
            {
                "by": [self.by],
                "n_scales": [len(reached)],
                "n_comparable": [sum(r in far for r in reached)],
                "smallest_group": [min(sizes) if sizes else 0],
            }
        )

    def summary(self) -> str:
        """Say whose means may be compared."""
        if not self.found:
            return f"No scale could be compared by {self.by}; the warnings say why."
        far = {"intercepts", "residuals", "means"}
        fine = [n for n, one in self.found.items() if one.reached in far]
        rest = [n for n in self.found if n not in fine]
        one = next(iter(self.found.values()))
        sizes = ", ".join(f"{name}: n = {n}" for name, n in one.groups.items())
        tail = ""
        if rest:
            named = ", ".join(
                f"{self.labels[n]} (holds up to {self.found[n].reached})" for n in rest
            )
            tail = f" Not comparable without more: {named}."
        return (
            f"By {self.by} ({sizes}): means of {len(fine)} of {len(self.found)} scales "
            f"may be compared, their intercepts being equal.{tail}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Which step holds for which scale."""
        n_obs = max((sum(f.groups.values()) for f in self.found.values()), default=0)
        return plot_grid(self.verdicts(), n_obs=n_obs, by=self.by, ax=ax)


def group_invariance(
    scores: Scores,
    by: str,
    *,
    scales: Sequence[str] | str | None = None,
    smallest: int = _SMALLEST,
    release: bool = False,
) -> ScaleInvariance:
    """Compare the measurement of every scale across groups of people.

    Parameters
    ----------
    scores
        Of one wave.
    by
        Column of `Scores.frame` that tells groups apart: a choice item, ``role``,
        ``language``.
    scales
        See `analysis.measurement.measured_scales`.
    smallest
        Groups with fewer people are left out, with a warning.
    release
        See `analysis.sem.invariance`.

    Raises
    ------
    AnalysisError
        If there is no such column, or fewer than two groups are large enough.

    Notes
    -----
    Each scale on its own, one factor; ordered items by `WLSMV` in the order of Wu &
    Estabrook (2016). Partners of a couple resemble each other: errors and tests are
    clustered by couple where there are couples.
    """
    frame, notes = _grouped(scores, by, smallest)
    clustered = bool(frame["couple"].notna().any())
    found: dict[str, Invariance] = {}
    effects: list[pd.DataFrame] = []
    warnings: list[pd.DataFrame] = [warning_table(notes)]
    for scale in measured_scales(scores.instrument, scales):
        items = scores.items.loc[frame.index, list(scale.items)]
        data = items.assign(group=frame["group"], cluster=_clusters(frame))
        try:
            model, kwargs = _one_factor(scale, items, frame["group"])
            one = invariance(
                model,
                data,
                "group",
                cluster="cluster" if clustered else None,
                release=release,
                **kwargs,  # type: ignore[arg-type]
            )
            effects.append(dmacs(one).table.assign(scale=scale.id))
        except AnalysisError as error:
            warnings.append(
                warning_table([("scale not compared", scale.id, str(error))])
            )
            continue
        found[scale.id] = one
        warnings.append(_of_scale(one, scale))
    return _result(scores, by, found, effects, warnings)


def wave_invariance(
    scores: Scores,
    waves: Sequence[int] | None = None,
    *,
    scales: Sequence[str] | str | None = None,
) -> ScaleInvariance:
    """Compare the measurement of every scale across waves, in the same people.

    Parameters
    ----------
    scores
        Of several waves.
    waves
        The waves to compare; all when left out.
    scales
        See `analysis.measurement.measured_scales`.

    Raises
    ------
    AnalysisError
        If there are fewer than two waves.

    Notes
    -----
    One factor per wave, residuals of an item correlated across waves; people who
    answered at all these waves.
    """
    known = sorted(int(w) for w in scores.frame["wave"].unique())
    chosen = [int(w) for w in (waves or known)]
    if len(chosen) < 2 or not set(chosen) <= set(known):  # noqa: PLR2004
        raise AnalysisError(
            f"waves {chosen}: needs two of the waves {known} or more. Field a second "
            "wave, or choose others."
        )
    found: dict[str, Invariance] = {}
    warnings: list[pd.DataFrame] = []
    for scale in measured_scales(scores.instrument, scales):
        try:
            found[scale.id] = _across_waves(scores, scale, chosen)
        except AnalysisError as error:
            warnings.append(
                warning_table([("scale not compared", scale.id, str(error))])
            )
            continue
        warnings.append(_of_scale(found[scale.id], scale))
    return _result(scores, "wave", found, [], warnings)


def _across_waves(scores: Scores, scale: Scale, waves: Sequence[int]) -> Invariance:
    parts = []
    for wave in waves:
        items = scores.at_wave(wave).items[list(scale.items)]
        parts.append(items.add_suffix(f"_w{wave}"))
    wide = pd.concat(parts, axis="columns", join="inner")
    names = {i: [f"{i}_w{w}" for w in waves] for i in scale.items}
    factors = [f"{scale.id}_w{w}" for w in waves]
    empty = [n for own in names.values() for n in own if wide[n].nunique() < 2]  # noqa: PLR2004
    if empty:
        raise TooFewError(
            f"scale {scale.id}: {', '.join(empty)} were not answered in two ways. "
            "Leave the scale out, or compare other waves."
        )
    model = "\n".join(
        f"{factor} =~ " + " + ".join(f"{i}_w{w}" for i in scale.items)
        for factor, w in zip(factors, waves, strict=True)
    )
    ordered = all(
        wide[one].nunique() <= MAX_ORDERED for own in names.values() for one in own
    )
    return invariance(
        model,
        wide,
        occasions={scale.id: factors} | names,
        ordered=True if ordered else None,
        missing="pairwise" if ordered else "ml",
        estimator=None if ordered else "MLR",
    )


def _grouped(
    scores: Scores, by: str, smallest: int
) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Rows of groups that are large enough."""
    frame = scores.frame
    if by not in frame:
        raise AnalysisError(
            f"by={by!r} is no column of the scores. Choose a choice item of the "
            "instrument, or role or language."
        )
    counts = frame[by].value_counts()
    large = [g for g in counts.index if counts[g] >= smallest]
    notes = [
        (
            "group left out",
            f"{by} = {group}: n = {counts[group]}",
            f"Fewer than {smallest}: collect more, or join groups that belong together",
        )
        for group in counts.index
        if 0 < counts[group] < smallest
    ]
    missing = int(frame[by].isna().sum())
    if missing:
        notes.append(("people left out", f"{missing} without {by}", "Say so"))
    if len(large) < 2:  # noqa: PLR2004
        sizes = ", ".join(f"{g}: {counts[g]}" for g in counts.index)
        raise TooFewError(
            f"by={by!r}: fewer than two groups have {smallest} people ({sizes}). "
            "Collect more answers, or compare by something else."
        )
    kept = frame[frame[by].isin(large).to_numpy()]
    return kept.assign(group=kept[by].astype(str)), notes


def _clusters(frame: pd.DataFrame) -> np.ndarray:
    """Give every couple, and everybody without one, a number."""
    names = frame["couple"].astype(object).where(frame["couple"].notna(), None)
    alone = pd.Series([f"person {k}" for k in frame.index], index=frame.index)
    codes, _ = pd.factorize(names.where(names.notna(), alone))
    return np.asarray(codes)


def _one_factor(
    scale: Scale, items: pd.DataFrame, groups: pd.Series
) -> tuple[str, dict[str, object]]:
    """Model of one scale, and how its items are treated."""
    used = [i for i in scale.items if len(items[i].dropna().unique()) > 1]
    if len(used) < _ITEMS:
        raise TooFewError(
            f"scale {scale.id}: {len(used)} items were answered in two ways, but a "
            f"factor needs {_ITEMS}. It cannot be compared."
        )
    model = f"{scale.id} =~ " + " + ".join(used)
    most = max(int(items[i].nunique()) for i in used)
    if most > MAX_ORDERED or _lacking(items[used], groups):
        return model, {"estimator": "MLR", "missing": "ml"}
    return model, {"ordered": used, "missing": "pairwise"}


def _lacking(items: pd.DataFrame, groups: pd.Series) -> bool:
    """Whether some group has no answer in some category of an item."""
    counts = items.groupby(groups.to_numpy()).nunique()
    return bool((counts < items.nunique()).any(axis=None))


def _of_scale(found: Invariance, scale: Scale) -> pd.DataFrame:
    table = found.warnings
    fit = next(iter(found.fits.values()))
    if not fit.table.categories:
        row = (
            "answers taken as numbers",
            scale.id,
            (
                "A group has no answer in some category, or items have many: "
                "thresholds cannot be compared (MLR instead)"
            ),
        )
        table = pd.concat([warning_table([row]), table], ignore_index=True)
    return table.assign(where=f"{scale.id}: " + table["where"].astype(str))


def _result(
    scores: Scores,
    by: str,
    found: dict[str, Invariance],
    effects: list[pd.DataFrame],
    warnings: list[pd.DataFrame],
) -> ScaleInvariance:
    labels = {n: scores.instrument.label(n) for n in found}
    return ScaleInvariance(
        found,
        by,
        labels,
        pd.concat(effects, ignore_index=True) if effects else pd.DataFrame(),
        pd.concat([warning_table(), *warnings], ignore_index=True),
    )
