"""Each outcome explained with the model its kind of answer asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import AnalysisError
from analysis.outcomes.result import Explanations
from analysis.outcomes.rows import clusters, has_couples, z_scores
from analysis.regression import hierarchical, logistic, moderation, ols, ordinal
from analysis.result import warning_table
from survey.instrument import ChoiceItem, LikertItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.regression import HierarchicalFit, Moderation, RegressionFit
    from analysis.scoring import Column, Scores
    from survey.instrument import Instrument

#: Area under the curve from which odds ratios hang on single people.
_APART = 0.99
_LARGE = "Do not read odds ratios at face value: report the cross-table instead."
_NOT_CLUSTERED = "partners count as unrelated: standard errors are too small"
_READ_WIDER = "Read the intervals as too narrow, or analyse one partner of each couple."


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
        elif fits[outcome].kind == "ordinal" and has_couples(frame, [outcome, *mine]):
            notes.append(warning_table([(_NOT_CLUSTERED, outcome, _READ_WIDER)]))
    names = [*outcomes, *predictors, *controls]
    return Explanations(
        fits=fits,
        blocks=blocks,
        labels={name: scores.instrument.label(name) for name in names},
        predictors=tuple(predictors),
        warnings=pd.concat([warning_table(), *notes], ignore_index=True),
    )


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
    if has_couples(data, [outcome, focal, moderator]):
        return moderation(
            outcome, focal, moderator, data, vcov="cluster", cluster="cluster"
        )
    return moderation(outcome, focal, moderator, data)


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
        if has_couples(data, names):
            return logistic(
                f"{outcome} ~ {right}", data, vcov="cluster", cluster="cluster"
            )
        return logistic(f"{outcome} ~ {right}", data)
    if isinstance(item, LikertItem):
        return ordinal(f"{outcome} ~ {right}", z_scores(complete, names))
    data = z_scores(frame, [outcome, *names])
    if has_couples(data, [outcome, *names]):
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
    if has_couples(data, [outcome, *predictors, *controls]):
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
