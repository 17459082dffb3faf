"""Outcomes explained by predictors, each with the model its kind of answer asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.forest import forest
from analysis.regression import hierarchical, logistic, ols, ordinal
from analysis.result import warning_table
from survey.instrument import ChoiceItem, LikertItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.regression import HierarchicalFit, RegressionFit
    from analysis.scoring import Scores
    from survey.instrument import Instrument


def chosen_names(instrument: Instrument, text: str, *, kind: str) -> tuple[str, ...]:
    """Read a report parameter that lists variables.

    Parameters
    ----------
    text
        Ids of scales, composites or items, or kinds of scales, separated by commas.
    kind
        The kind of scales meant when `text` is empty.

    Raises
    ------
    AnalysisError
        If a name is none of these.
    """
    wanted = [name.strip() for name in text.split(",") if name.strip()] or [kind]
    known = [scale.id for scale in instrument.scales]
    known += [composite.id for composite in instrument.composites]
    known += instrument.item_ids
    out: list[str] = []
    for name in wanted:
        of_kind = [one.id for one in instrument.scales if one.kind == name]
        if of_kind:
            out += of_kind
        elif name in known:
            out.append(name)
        elif name != kind:
            raise AnalysisError(
                f"{name!r} is no scale, composite, item or kind of {instrument.id!r}. "
                "See notebook 01 for the names."
            )
    return tuple(dict.fromkeys(out))


def clusters(frame: pd.DataFrame) -> pd.Series[str]:
    """Name each row's cluster: the couple, or the person who answered alone."""
    person = pd.Series(frame.index.astype(str), index=frame.index)
    couple: pd.Series[str] = frame["couple"].astype(object)
    return couple.where(couple.notna().to_numpy(), person).astype(str)


def z_scores(data: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Replace numeric columns `names` by z scores over the rows complete on all.

    The rows are those with no missing value in `names`; sd with divisor n - 1.
    """
    complete = data.dropna(subset=list(names)).copy()
    for name in names:
        if pd.api.types.is_numeric_dtype(complete[name].dtype):
            column = complete[name].astype(float)
            sd = column.std()
            complete[name] = (column - column.mean()) / (sd if sd > 0 else 1.0)
    return complete


@dataclass(frozen=True, slots=True, eq=False)
class Explanations:
    """Regressions of several outcomes on the same predictors.

    Attributes
    ----------
    fits
        Outcome to its regression on controls and predictors. Scores and numbers:
        least squares on z scores; two options: logistic; one likert item: ordinal.
        Predictors and controls that are numbers are z scores.
    blocks
        Outcome to the hierarchical regression (controls, then predictors), for the
        outcomes fitted by least squares.
    labels
        Words for outcomes and predictors.
    predictors
        The predictors, in order.
    warnings
        Warnings of all regressions; an outcome that could not be explained, and why.
    """

    fits: dict[str, RegressionFit]
    blocks: dict[str, HierarchicalFit]
    labels: dict[str, str]
    predictors: tuple[str, ...]
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per outcome and coefficient."""
        parts = [
            fit.tidy().assign(outcome=name, model=fit.kind, n_obs=fit.n_obs)
            for name, fit in self.fits.items()
        ]
        if not parts:
            return pd.DataFrame(columns=["outcome", "model", "term", "estimate"])
        table = pd.concat(parts, ignore_index=True)
        first = ["outcome", "model", "term"]
        return table[first + [c for c in table if c not in first]]

    def glance(self) -> pd.DataFrame:
        """One row per outcome: model, n and measures of fit."""
        parts = [
            fit.glance().assign(outcome=name, model=fit.kind)
            for name, fit in self.fits.items()
        ]
        if not parts:
            return pd.DataFrame(columns=["outcome", "model"])
        table = pd.concat(parts, ignore_index=True)
        first = ["outcome", "model"]
        return table[first + [c for c in table if c not in first]]

    def steps(self) -> pd.DataFrame:
        """One row per outcome and block: what the predictors add to the controls."""
        parts = [fit.table.assign(outcome=name) for name, fit in self.blocks.items()]
        if not parts:
            return pd.DataFrame(columns=["outcome", "step"])
        table = pd.concat(parts, ignore_index=True)
        return table[["outcome"] + [c for c in table if c != "outcome"]]

    def summary(self) -> str:
        """Say each outcome's fit in a sentence."""
        return "; ".join(
            f"{self.labels.get(name, name)}: {fit.summary()}"
            for name, fit in self.fits.items()
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the predictors' coefficients, outcomes side by side."""
        table = self.tidy()
        shown = table[table["term"].isin(self.predictors)]
        names = {name: self.labels.get(name, name) for name in self.fits}
        shown = shown.assign(outcome=shown["outcome"].map(names))
        strongest = shown.loc[shown["estimate"].abs().sort_values().index[-1]]
        sizes = sorted({fit.n_obs for fit in self.fits.values()})
        n = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        term = self.labels.get(str(strongest["term"]), str(strongest["term"]))
        return forest(
            shown,
            title=f"{term} goes most clearly with {strongest['outcome']}",
            n=n,
            xlabel="coefficient of z scores, with 95 % interval",
            labels=self.labels,
            group="outcome",
            ax=ax,
        )


def explain(
    scores: Scores,
    outcomes: Sequence[str],
    predictors: Sequence[str],
    *,
    controls: Sequence[str] = (),
    seed: int = 0,
) -> Explanations:
    """Regress each outcome on the same controls and predictors.

    Parameters
    ----------
    scores
        Of one wave. Rows with a missing value in a model are left out and counted.
    outcomes, predictors, controls
        Columns of ``scores.frame``; an outcome is not used to explain itself.
    seed
        For the bootstrap interval of the change in R squared.

    Returns
    -------
    Explanations
        Standard errors are clustered by couple where couples answered, HC3 otherwise.
        An outcome that cannot be fitted has the reason in `warnings`.

    Raises
    ------
    AnalysisError
        If there is no outcome or no predictor.
    """
    if not outcomes or not predictors:
        missing = "outcomes" if not outcomes else "predictors"
        raise AnalysisError(
            f"explain: no {missing}. Name scales, composites or items of "
            f"{scores.instrument.id!r} in the report's parameters."
        )
    frame = scores.frame.assign(cluster=clusters(scores.frame))
    fits: dict[str, RegressionFit] = {}
    blocks: dict[str, HierarchicalFit] = {}
    notes: list[pd.DataFrame] = []
    for outcome in outcomes:
        mine = [name for name in predictors if name != outcome]
        others = [name for name in controls if name not in {outcome, *mine}]
        try:
            fits[outcome] = _fit(scores, frame, outcome, mine, others)
            if others and fits[outcome].kind == "linear":
                blocks[outcome] = _blocks(frame, outcome, mine, others, seed)
        except AnalysisError as error:
            notes.append(
                warning_table([("outcome not explained", outcome, str(error))])
            )
            continue
        found = fits[outcome].warnings
        notes.append(found.assign(where=outcome + ": " + found["where"].astype(str)))
    names = [*outcomes, *predictors, *controls]
    return Explanations(
        fits=fits,
        blocks=blocks,
        labels={name: scores.instrument.label(name) for name in names},
        predictors=tuple(predictors),
        warnings=pd.concat([warning_table(), *notes], ignore_index=True),
    )


def _has_couples(data: pd.DataFrame) -> bool:
    return bool(data["cluster"].duplicated().any())


def _fit(
    scores: Scores,
    frame: pd.DataFrame,
    outcome: str,
    predictors: list[str],
    controls: list[str],
) -> RegressionFit:
    _known(frame, [outcome, *predictors, *controls])
    right = " + ".join([*controls, *predictors])
    names = [*predictors, *controls]
    item = _own_item(scores.instrument, outcome)
    complete = frame.dropna(subset=[outcome])
    if isinstance(item, ChoiceItem):
        complete = complete.assign(
            **{outcome: complete[outcome].cat.remove_unused_categories()}
        )
        return _logistic(outcome, right, z_scores(complete, names))
    if isinstance(item, LikertItem):
        return ordinal(f"{outcome} ~ {right}", z_scores(complete, names))
    data = z_scores(frame, [outcome, *names])
    if _has_couples(data):
        return ols(f"{outcome} ~ {right}", data, vcov="cluster", cluster="cluster")
    return ols(f"{outcome} ~ {right}", data)


def _logistic(outcome: str, right: str, data: pd.DataFrame) -> RegressionFit:
    if _has_couples(data):
        return logistic(f"{outcome} ~ {right}", data, vcov="cluster", cluster="cluster")
    return logistic(f"{outcome} ~ {right}", data)


def _blocks(
    frame: pd.DataFrame,
    outcome: str,
    predictors: list[str],
    controls: list[str],
    seed: int,
) -> HierarchicalFit:
    data = z_scores(frame, [outcome, *predictors, *controls])
    steps = {"controls": controls, "predictors": predictors}
    if _has_couples(data):
        return hierarchical(
            outcome, steps, data, vcov="cluster", cluster="cluster", seed=seed
        )
    return hierarchical(outcome, steps, data, seed=seed)


def _known(frame: pd.DataFrame, names: Sequence[str]) -> None:
    if stray := [name for name in names if name not in frame]:
        raise AnalysisError(
            f"explain: {stray} cannot enter a regression. Use scales, composites, "
            "numbers, choices or likert items outside scales."
        )
    empty = [name for name in names if frame[name].notna().sum() == 0]
    if empty:
        raise AnalysisError(
            f"explain: nobody has a value of {empty}. Leave them out, or choose "
            "another wave."
        )


def _own_item(instrument: Instrument, name: str) -> ChoiceItem | LikertItem | None:
    if name not in instrument.item_ids:
        return None
    item = instrument.item(name)
    return item if isinstance(item, ChoiceItem | LikertItem) else None
