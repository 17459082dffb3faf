"""Outcomes explained by predictors, each with the model its kind of answer asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.forest import forest
from analysis.regression import hierarchical, logistic, moderation, ols, ordinal
from analysis.result import warning_table
from survey.instrument import ChoiceItem, LikertItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from analysis.regression import HierarchicalFit, Moderation, RegressionFit
    from analysis.scoring import Column, Scores
    from survey.instrument import Instrument


_CLEAR = 0.05
#: Area under the curve from which odds ratios hang on single people.
_APART = 0.99
_LARGE = "Do not read odds ratios at face value: report the cross-table instead."
_NOT_CLUSTERED = "partners count as unrelated: standard errors are too small"
_READ_WIDER = "Read the intervals as too narrow, or analyse one partner of each couple."


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


def tour_names(instrument: Instrument) -> tuple[str, str]:
    """Name a scale worth explaining and a score to explain it with.

    The first reflective outcome with three items, else the first such scale; the
    first composite, else the first other scale.

    Raises
    ------
    AnalysisError
        If the instrument has no scale of three items beside another score.
    """
    fitting = [
        scale
        for scale in (*instrument.scales_of("outcome"), *instrument.scales)
        if len(scale.items) > 2 and scale.measurement == "reflective"  # noqa: PLR2004
    ]
    names = [composite.id for composite in instrument.composites]
    names += [scale.id for scale in instrument.scales]
    if fitting and (others := [name for name in names if name != fitting[0].id]):
        return fitting[0].id, others[0]
    raise AnalysisError(
        f"{instrument.id!r} has no scale of three items and a score beside it. Name "
        "outcome and predictor in the report's parameters."
    )


def clusters(frame: pd.DataFrame) -> pd.Series[str]:
    """Name each row's cluster: the couple, or the person who answered alone.

    Names say which of the two they are: ids of couples and people may coincide.
    """
    person = "person " + pd.Series(frame.index.astype(str), index=frame.index)
    couple: pd.Series[str] = frame["couple"].astype(object)
    known = couple.notna().to_numpy()
    return ("couple " + couple.astype(str)).where(known, person)


def z_scores(data: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Replace numeric columns `names` by z scores over the rows complete on all.

    Mean and sd (divisor n - 1) are those of the rows with no missing value in
    `names`; the other rows stay, for the regression to leave them out and count them.
    """
    complete = data.dropna(subset=list(names))
    out = data.copy()
    for name in names:
        if pd.api.types.is_numeric_dtype(data[name].dtype):
            column = complete[name].astype(float)
            sd = column.std()
            scale = sd if sd > 0 else 1.0
            out[name] = (data[name].astype(float) - column.mean()) / scale
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Explanations:
    """Regressions of several outcomes on the same predictors.

    Attributes
    ----------
    fits
        Outcome to its regression on controls and predictors. Scores and numbers:
        least squares on z scores; two options: logistic, of the one with the higher
        code; one likert item: ordinal. Predictors and controls that are numbers are z
        scores.
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
        """Say each outcome's fit in a sentence; without a fit, why there is none."""
        if not self.fits:
            reasons = " ".join(self.warnings["remedy"].astype(str))
            return f"No outcome is explained. {reasons}".strip()
        return "; ".join(
            f"{self.labels.get(name, name)}: {fit.summary()}"
            for name, fit in self.fits.items()
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the predictors' coefficients, outcomes side by side.

        Raises
        ------
        AnalysisError
            If no outcome could be explained.
        """
        table = self.tidy()
        if table.empty:
            raise AnalysisError(f"There is nothing to draw. {self.summary()}")
        names = table["term"].astype(str).str.split("[", n=1).str[0]
        shown = table[names.isin(self.predictors)]
        said = {name: self._outcome(name) for name in self.fits}
        shown = shown.assign(outcome=shown["outcome"].map(said))
        sizes = sorted({fit.n_obs for fit in self.fits.values()})
        n = f"n = {sizes[0]}" + (f" to {sizes[-1]}" if len(sizes) > 1 else "")
        words = {str(term): self._term(str(term)) for term in shown["term"]}
        return forest(
            shown,
            title=_clearest(shown, words),
            n=n,
            xlabel="coefficient of z scores, with 95 % interval",
            labels=words,
            group="outcome",
            ax=ax,
        )

    def _outcome(self, name: str) -> str:
        """Say what the coefficients of an outcome are changes of."""
        label, fit = self.labels.get(name, name), self.fits[name]
        if fit.kind == "logistic":
            return f"{label} = {fit.outcome.partition(' = ')[2]} (log odds)"
        return f"{label} (log odds)" if fit.kind == "ordinal" else label

    def _term(self, term: str) -> str:
        """Say what a predictor is called; of a category, which one."""
        name, _, level = term.partition("[T.")
        label = self.labels.get(name, name)
        return f"{label}: {level.removesuffix(']')}" if level else label


def _clearest(shown: pd.DataFrame, words: dict[str, str]) -> str:
    """Name the association that is furthest from none, in standard errors."""
    distance = (shown["estimate"] / shown["std_error"]).abs()
    first = shown.loc[distance.sort_values().index[-1]]
    if not first["p_value"] < _CLEAR:
        return "No predictor goes clearly with an outcome"
    return f"{words[str(first['term'])]} goes most clearly with {first['outcome']}"


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
        Standard errors are clustered by couple where couples answered, else HC3 (least
        squares) or from the information (logistic); always the latter if ordinal.
        An outcome that cannot be fitted has the reason in `warnings`; so has a call
        without an outcome or a predictor, as of an instrument that names no kinds.

    Raises
    ------
    AnalysisError
        If a name is no scale, composite or item.
    """
    _named(scores.instrument, [*outcomes, *predictors, *controls])
    frame = scores.frame.assign(cluster=clusters(scores.frame))
    fits: dict[str, RegressionFit] = {}
    blocks: dict[str, HierarchicalFit] = {}
    notes = [_nothing_named(scores.instrument, outcomes, predictors)]
    if not predictors:
        outcomes = ()
    for outcome in outcomes:
        mine = [name for name in predictors if name != outcome]
        others = [name for name in controls if name not in {outcome, *mine}]
        try:
            fits[outcome] = _fit(scores, frame, outcome, mine, others)
        except AnalysisError as error:
            row = ("outcome not explained", outcome, str(error))
            notes.append(warning_table([row]))
            continue
        found = fits[outcome].warnings
        notes.append(found.assign(where=outcome + ": " + found["where"].astype(str)))
        notes.append(_nearly_apart(fits[outcome], outcome))
        if fits[outcome].kind == "linear":
            blocks[outcome] = _blocks(frame, outcome, mine, others, seed)
        elif fits[outcome].kind == "ordinal" and _has_couples(frame, [outcome, *mine]):
            notes.append(warning_table([(_NOT_CLUSTERED, outcome, _READ_WIDER)]))
    names = [*outcomes, *predictors, *controls]
    return Explanations(
        fits=fits,
        blocks=blocks,
        labels={name: scores.instrument.label(name) for name in names},
        predictors=tuple(predictors),
        warnings=pd.concat([warning_table(), *notes], ignore_index=True),
    )


def _two_options(answers: Column, item: ChoiceItem, instrument: Instrument) -> Column:
    """Put the option with the higher code last: it is the event that is modelled."""
    options = instrument.response_scale(item.response_scale).options
    whole = [code for code in options if isinstance(code, int)]
    order = sorted(whole) if len(whole) == len(options) else list(options)
    labels = [instrument.wording(options[code]) for code in order]
    chosen = [label for label in labels if (answers == label).any()]
    if len(chosen) != 2:  # noqa: PLR2004
        raise AnalysisError(
            f"{item.id}: {len(chosen)} options were chosen: {', '.join(chosen)}. A "
            "choice is explained if there are two; use it as a predictor or control."
        )
    return answers.cat.set_categories(chosen)


def _nothing_named(
    instrument: Instrument, outcomes: Sequence[str], predictors: Sequence[str]
) -> pd.DataFrame:
    """Say which of the two lists is empty, and which names would fill it."""
    scored = [one.id for one in instrument.scales]
    scored += [one.id for one in instrument.composites]
    known = f"Scores of {instrument.id!r} are {', '.join(scored) or 'none'}."
    given = {"outcomes": outcomes, "predictors": predictors}
    return warning_table(
        (f"no {what} named", what, f"Name them, as in {what}=a,b. {known}")
        for what, names in given.items()
        if not names
    )


def _nearly_apart(fit: RegressionFit, outcome: str) -> pd.DataFrame:
    """Warn of a logistic regression that hardly errs in its own sample."""
    if fit.kind != "logistic" or not float(fit.measures["auc"].iloc[0]) >= _APART:
        return warning_table()
    return warning_table([("options told apart almost without error", outcome, _LARGE)])


def _has_couples(data: pd.DataFrame, names: Sequence[str]) -> bool:
    return bool(data.dropna(subset=list(names))["cluster"].duplicated().any())


def _fit(
    scores: Scores,
    frame: pd.DataFrame,
    outcome: str,
    predictors: list[str],
    controls: list[str],
) -> RegressionFit:
    _known(frame, [outcome, *predictors, *controls])
    if not predictors:
        raise AnalysisError(
            f"{outcome}: is the only predictor, and does not explain itself. Name "
            "another."
        )
    right = " + ".join([*controls, *predictors])
    names = [*predictors, *controls]
    item = _own_item(scores.instrument, outcome)
    complete = frame.dropna(subset=[outcome])
    if isinstance(item, ChoiceItem):
        chosen = _two_options(complete[outcome], item, scores.instrument)
        data = z_scores(complete.assign(**{outcome: chosen}), names)
        if _has_couples(data, names):
            return logistic(
                f"{outcome} ~ {right}", data, vcov="cluster", cluster="cluster"
            )
        return logistic(f"{outcome} ~ {right}", data)
    if isinstance(item, LikertItem):
        return ordinal(f"{outcome} ~ {right}", z_scores(complete, names))
    data = z_scores(frame, [outcome, *names])
    if _has_couples(data, [outcome, *names]):
        return ols(f"{outcome} ~ {right}", data, vcov="cluster", cluster="cluster")
    return ols(f"{outcome} ~ {right}", data)


def _blocks(
    frame: pd.DataFrame,
    outcome: str,
    predictors: list[str],
    controls: list[str],
    seed: int,
) -> HierarchicalFit:
    data = z_scores(frame, [outcome, *predictors, *controls])
    steps = {"controls": controls} if controls else {}
    steps |= {"predictors": predictors}
    if _has_couples(data, [outcome, *predictors, *controls]):
        return hierarchical(
            outcome, steps, data, vcov="cluster", cluster="cluster", seed=seed
        )
    return hierarchical(outcome, steps, data, seed=seed)


def _named(instrument: Instrument, names: Sequence[str]) -> None:
    known = instrument.labels()
    if stray := [name for name in names if name not in known]:
        raise AnalysisError(
            f"explain: {stray} are no scale, composite or item of {instrument.id!r}. "
            f"It has {', '.join(known)}."
        )


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


def moderated(
    scores: Scores, explained: Explanations, moderator: str
) -> Moderation | None:
    """Ask whether a third score changes the first association that was explained.

    Parameters
    ----------
    scores
        Of one wave.
    explained
        Its first outcome fitted by least squares and its first predictor are used.
    moderator
        A score; empty for none.

    Returns
    -------
    Moderation or None
        None without a moderator, or where nothing was fitted by least squares.
        Standard errors as in `explain`.
    """
    linear = [name for name, fit in explained.fits.items() if fit.kind == "linear"]
    if not moderator or not linear or not explained.predictors:
        return None
    outcome, focal = linear[0], explained.predictors[0]
    _known(scores.frame, [outcome, focal, moderator])
    data = scores.frame.assign(cluster=clusters(scores.frame))
    if _has_couples(data, [outcome, focal, moderator]):
        return moderation(
            outcome, focal, moderator, data, vcov="cluster", cluster="cluster"
        )
    return moderation(outcome, focal, moderator, data)
