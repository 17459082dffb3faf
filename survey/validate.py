"""Split raw responses into those that satisfy the instrument and the rest.

Three steps: cells are typed (a cell that cannot be is a failure), pandera checks codes,
ranges and rules on the typed table, and whole rows with a failure are set aside as they
arrived. Nothing is dropped and no cell is changed.

A partial response is kept as what it is. Where the source tells when people finished
(it has a column ``finished``), a row without a time there is unfinished: its answers
are checked as all others are, but no required item counts as missing, and the notes say
how many rows these are. That is what the web survey writes, and what a file of another
platform says once its column is mapped (LimeSurvey's ``submitdate``). ODK hands over
finished forms only; a source without the column is held to every required item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype, is_scalar
from pandera.errors import SchemaErrors

from survey.cells import default_form, typed_table
from survey.errors import ResponsesError
from survey.faults import KEYS
from survey.responses import (
    ANSWERED,
    BLANK,
    NOT_SHOWN,
    REFUSED,
    RawResponses,
    Responses,
)
from survey.schema import Rule, rule_column, rules, schema, shown

if TYPE_CHECKING:
    from survey.instrument import Instrument

FAILURE_COLUMNS: Final = ["respondent", "item", "value", "reason"]


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Outcome of `validate`.

    Attributes
    ----------
    responses
        The rows that passed.
    quarantine
        The rows that did not, whole and as they arrived.
    failures
        One row per failure: ``respondent``, ``item``, ``value``, ``reason``; the
        index ``row`` is the row of the source.
    rejected
        Rows of the source that could not be put into a table at all: ``row``,
        ``text`` as it stands there, ``reason``. They are failures, too.
    notes
        What is no failure but should be known: ``item`` and ``note``.
    unfinished
        Valid rows without a time in ``finished``, where others have one.
    """

    responses: Responses
    quarantine: pd.DataFrame
    failures: pd.DataFrame
    rejected: pd.DataFrame
    notes: pd.DataFrame
    unfinished: int = 0

    def summary(self) -> str:
        """Say in one line how many rows passed."""
        kept = len(self.responses)
        lost = len(self.quarantine) + len(self.rejected)
        said = f"{kept} of {kept + lost} responses valid, {lost} in quarantine"
        partial = f"; {self.unfinished} of the valid ones unfinished"
        return said + partial if self.unfinished else said


def validate(raw: RawResponses, instrument: Instrument) -> Validation:
    """Check every answer and set whole rows aside, never single cells.

    A missing code of the instrument becomes a missing answer; that it was chosen stays
    in `Responses.missingness`.

    Raises
    ------
    ResponsesError
        If an item of the instrument has no column in `raw` and no form explains it,
        two columns have one name, or there is no row at all.
    """
    _usable(raw, instrument)
    keys, items, failures = typed_table(raw, instrument)
    table = pd.concat([keys, items], axis="columns")
    wide = rules(instrument, ends_told="finished" in raw.frame)
    failures = _failures(table, instrument, wide, failures)
    failures = _described(failures, raw, keys, instrument)
    bad = pd.Series(keys.index.isin(failures.pop("position")), index=keys.index)
    quarantine = raw.frame.loc[bad.to_numpy()]
    responses = _responses(table.loc[~bad], raw, instrument)
    notes = _notes(responses)
    unfinished = int(responses.people["finished"].isna().sum())
    told = bool(keys["finished"].notna().any())
    if unfinished and "finished" in raw.frame:
        note = _partial_note(unfinished, told=told)
        notes = pd.concat([note, notes], ignore_index=True)
    unfinished = unfinished if told else 0
    failures = pd.concat([failures, _rejected_failures(raw.rejected)])
    return Validation(responses, quarantine, failures, raw.rejected, notes, unfinished)


def _usable(raw: RawResponses, instrument: Instrument) -> None:
    columns = raw.frame.columns
    if double := sorted({str(c) for c in columns[columns.duplicated()]}):
        raise ResponsesError(
            f"{raw.source}: two columns are named {double}. Rename or remove one."
        )
    if raw.frame.empty:
        raise ResponsesError(
            f"{raw.source}: there is no row of answers. Check that the export holds "
            "completed responses."
        )
    if "form" in columns:
        used = {str(form) for form in raw.frame["form"].dropna()}
        if raw.frame["form"].isna().any() or "" in used:
            used.add(default_form(raw.frame, instrument))
        known = [form.id for form in instrument.all_forms if form.id in used]
        needed = {i for form in known for i in instrument.form_items(form)}
        needed = needed or set(instrument.item_ids)
    else:
        needed = set(instrument.form_items(default_form(raw.frame, instrument)))
    if missing := [i for i in instrument.item_ids if i in needed and i not in columns]:
        raise ResponsesError(
            f"{raw.source}: no column for item(s) {missing} of instrument "
            f"{instrument.id!r} {instrument.version}. Is this the right version? Name "
            "the columns in a mapping file, or declare the items absent there."
        )


def _failures(
    table: pd.DataFrame,
    instrument: Instrument,
    wide: tuple[Rule, ...],
    untyped: pd.DataFrame,
) -> pd.DataFrame:
    """Add to the `untyped` cells those that break the schema or a rule."""
    outcomes = {rule_column(i): rule.holds(table) for i, rule in enumerate(wide)}
    checked = pd.concat([table, pd.DataFrame(outcomes).astype(bool)], axis="columns")
    try:
        schema(instrument, wide).validate(checked, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return untyped
    if (cases["index"].isna()).any():
        row = cases.loc[cases["index"].isna()].iloc[0]
        raise ResponsesError(
            f"column {row['column']}: {row['check']}: {row['failure_case']}. Check the "
            "type of the column."
        )
    found = pd.DataFrame(
        {
            "position": cases["index"].astype(int),
            "item": cases["column"],
            "reason": cases["check"],
        }
    )
    by_name = {rule_column(i): rule for i, rule in enumerate(wide)}
    of_rule = found["item"].isin(by_name)
    own = pd.concat([untyped, found[~of_rule]])
    return pd.concat([own, _by_rule(found[of_rule], by_name, own)])


def _by_rule(
    found: pd.DataFrame, by_name: dict[str, Rule], own: pd.DataFrame
) -> pd.DataFrame:
    """Name the column of each broken rule; leave out what `own` faults explain."""
    parts = []
    for name, rows in found.groupby("item", sort=False):
        rule = by_name[str(name)]
        explained = own.loc[own["item"].isin(rule.asks), "position"]
        kept = rows[~rows["position"].isin(explained)]
        parts.append(kept.assign(item=rule.column))
    return pd.concat(parts) if parts else found


def _described(
    failures: pd.DataFrame,
    raw: RawResponses,
    keys: pd.DataFrame,
    instrument: Instrument,
) -> pd.DataFrame:
    """Add respondent and the value as it arrived; order by row and item."""
    order = {name: i for i, name in enumerate((*KEYS, *instrument.item_ids))}
    failures = failures.assign(place=failures["item"].map(order)).sort_values(
        ["position", "place"], kind="stable"
    )
    positions = failures["position"].to_numpy(dtype=int)
    cells = {name: _cells(raw.frame, str(name)) for name in failures["item"].unique()}
    values = [
        cells[item][position]
        for position, item in zip(positions, failures["item"], strict=True)
    ]
    out = pd.DataFrame(
        {
            "respondent": keys["respondent"].iloc[positions].astype(object).to_numpy(),
            "item": failures["item"].to_numpy(),
            "value": pd.Series(values, dtype=object),
            "reason": failures["reason"].to_numpy(),
            "position": positions,
        }
    )
    out.index = pd.Index(_source_rows(raw)[positions], name="row")
    return out


def _source_rows(raw: RawResponses) -> np.ndarray:
    """Row of the source of each row of the frame: rejected rows are skipped."""
    taken = set(raw.rejected["row"])
    numbers = range(raw.first_row, raw.first_row + len(raw.frame) + len(taken))
    free = [number for number in numbers if number not in taken]
    return np.array(free[: len(raw.frame)], dtype=int)


def _rejected_failures(rejected: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "respondent": None,
            "item": "row",
            "value": rejected["text"].to_numpy(),
            "reason": rejected["reason"].to_numpy(),
        },
        index=pd.Index(rejected["row"].to_numpy(), name="row"),
        columns=FAILURE_COLUMNS,
    )


def _cells(frame: pd.DataFrame, column: str) -> list[object]:
    """Cells of a column as they arrived; None where there is nothing."""
    if column in frame.columns:
        cells = frame[column].tolist()
    elif column == "respondent":
        cells = frame.index.tolist()
    else:
        return [None] * len(frame)
    return [None if is_scalar(cell) and pd.isna(cell) else cell for cell in cells]


def _responses(
    table: pd.DataFrame, raw: RawResponses, instrument: Instrument
) -> Responses:
    index = pd.Index(table["respondent"].astype(str), name="respondent")
    given = table[list(instrument.item_ids)]
    frame = given.copy()
    missingness = pd.DataFrame(ANSWERED, index=frame.index, columns=frame.columns)
    for name in instrument.item_ids:
        refused = frame[name].isin(_stored(instrument.missing_codes(name), frame[name]))
        frame[name] = frame[name].mask(refused)
        missingness[name] = missingness[name].mask(frame[name].isna(), BLANK)
        hidden = ~shown(name, instrument, table)
        missingness[name] = missingness[name].mask(hidden, NOT_SHOWN)
        missingness[name] = missingness[name].mask(refused, REFUSED)
    people = table[[key for key in KEYS if key != "respondent"]]
    timings = table[[c for c in table if str(c).startswith("seconds_")]]
    timings = timings.rename(columns=lambda name: str(name).removeprefix("seconds_"))
    return Responses(
        frame=frame.set_axis(index, axis="index"),
        given=given.set_axis(index, axis="index"),
        people=people.set_axis(index, axis="index"),
        missingness=missingness.set_axis(index, axis="index"),
        timings=timings.set_axis(index, axis="index"),
        instrument=instrument,
        source=raw.source,
    )


def _stored(codes: tuple[int, ...], answers: pd.Series) -> list[int] | list[str]:
    """Spell codes as the column holds them: as text beside codes that are words."""
    if is_integer_dtype(answers.dtype):
        return list(codes)
    return [str(code) for code in codes]


def _partial_note(unfinished: int, *, told: bool) -> pd.DataFrame:
    """Say how many rows are partial; a column without any time tells nothing sure."""
    found = f"empty in {unfinished} rows: unfinished"
    if not told:
        found = "empty in every row: nobody finished, or the source does not tell"
    note = f"{found}; required items were not insisted on"
    return pd.DataFrame({"item": ["finished"], "note": [note]}, dtype=object)


def _notes(responses: Responses) -> pd.DataFrame:
    rows = []
    for name in responses.frame:
        answers = responses.frame[name].dropna()
        offered = (responses.missingness[name] != NOT_SHOWN).any()
        if len(responses) and offered and answers.empty:
            rows.append((str(name), "nobody answered this item"))
        elif len(answers) > 1 and (answers == answers.iloc[0]).all():
            rows.append((str(name), f"everybody answered {answers.iloc[0]}"))
    return pd.DataFrame(rows, columns=["item", "note"], dtype=object)
