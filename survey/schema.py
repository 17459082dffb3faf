"""The instrument, said again as a pandera schema.

Every column of a typed table of answers has its codes or range; every rule that looks
at more than one cell (skip logic, couples, waves) is evaluated once as a column of
true and false that the schema wants to be true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pandera.pandas as pa

from survey import conditions
from survey.instrument import ChoiceItem, Instrument, LikertItem, NumberItem, TextItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    AnyItem = LikertItem | ChoiceItem | NumberItem | TextItem


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on several cells of a row, or on several rows.

    Attributes
    ----------
    column
        The column whose value is named when the rule is broken.
    reason
        What is wrong then.
    holds
        Typed table (keys and items) to one truth value a row.
    asks
        Columns the rule reads; where one of them is faulty itself, the rule says
        nothing.
    """

    column: str
    reason: str
    holds: Callable[[pd.DataFrame], pd.Series[bool]]
    asks: tuple[str, ...] = ()


def schema(instrument: Instrument, rules: Sequence[Rule] = ()) -> pa.DataFrameSchema:
    """Build the schema that a typed table of answers must satisfy.

    Missing codes are allowed here; `survey.validate` turns them into missing answers.
    """
    columns = {item.id: _column(item, instrument) for item in instrument.items}
    for position, rule in enumerate(rules):
        must_hold = pa.Check.equal_to(value=True, error=rule.reason)
        columns[rule_column(position)] = pa.Column(bool, must_hold)
    return pa.DataFrameSchema(columns, strict=False, coerce=False)


def rule_column(position: int) -> str:
    """Name the column that holds the outcome of a rule."""
    return f"rule_{position}"


def dtype(item: AnyItem, instrument: Instrument) -> str:
    """Name the pandas type of an item's column."""
    if isinstance(item, NumberItem):
        return "Int64" if item.integer else "Float64"
    if isinstance(item, TextItem) or not has_whole_codes(item.id, instrument):
        return "string"
    return "Int64"


def has_whole_codes(item_id: str, instrument: Instrument) -> bool:
    """Tell whether the codes of a likert or choice item are whole numbers."""
    return all(isinstance(code, int) for code in instrument.codes(item_id))


def allowed(item_id: str, instrument: Instrument) -> str:
    """Say which codes an item takes: ``1..5``, or ``1, 2, 9``."""
    codes = instrument.codes(item_id)
    first, last = codes[0], codes[-1]
    if isinstance(first, int) and codes == tuple(range(first, first + len(codes))):
        text = f"{first}..{last}"
    else:
        text = ", ".join(str(code) for code in codes)
    missing = instrument.missing_codes(item_id)
    return text + "".join(f" or {code}" for code in missing)


def _column(item: AnyItem, instrument: Instrument) -> pa.Column:
    kind = dtype(item, instrument)
    if isinstance(item, NumberItem):
        low, high = f"{item.minimum:g}", f"{item.maximum:g}"
        check = pa.Check.in_range(
            item.minimum, item.maximum, error=f"not in [{low}, {high}]"
        )
    elif isinstance(item, TextItem):
        check = pa.Check.str_length(
            max_value=item.max_length,
            error=f"longer than {item.max_length} characters",
        )
    else:
        codes: list[int | str] = [*instrument.codes(item.id)]
        codes += instrument.missing_codes(item.id)
        values = codes if kind == "Int64" else [str(code) for code in codes]
        reason = f"code not in {allowed(item.id, instrument)}"
        check = pa.Check.isin(values, error=reason)
    return pa.Column(kind, check, nullable=True)


def rules(instrument: Instrument, *, ends_told: bool = False) -> tuple[Rule, ...]:
    """List the rules that look at more than one cell.

    With `ends_told` a row without a time in ``finished`` is a partial response: nobody
    is held to a required item before the end, since who goes back or stops for today
    may leave it open. Where the source does not tell, every row counts as finished.
    """
    return (*_item_rules(instrument, ends_told=ends_told), *_key_rules())


def shown(item_id: str, instrument: Instrument, table: pd.DataFrame) -> pd.Series[bool]:
    """Tell for each row whether the item was shown: by form and by condition."""
    in_form = pd.Series(data=False, index=table.index)
    for form in instrument.all_forms:
        if item_id in instrument.form_items(form.id):
            in_form |= (table["form"] == form.id).fillna(value=False).astype(bool)
    condition = instrument.shown_if(item_id)
    if condition is None:
        return in_form
    return in_form & conditions.holds(condition, table)


def _item_rules(instrument: Instrument, *, ends_told: bool) -> list[Rule]:
    out = []
    for item in instrument.items:
        condition = instrument.shown_if(item.id)
        if condition is not None or len(instrument.all_forms) > 1:
            out.append(_hidden_rule(item, instrument))
        if item.required:
            out.append(_required_rule(item, instrument, ends_told=ends_told))
    return out


def _hidden_rule(item: AnyItem, instrument: Instrument) -> Rule:
    parts = [item.show_if, *_page_conditions(item.id, instrument)]
    why = " and ".join(part for part in parts if part) or "another form"
    return Rule(
        item.id,
        f"answered although not shown (shown if {why})"
        if why != "another form"
        else "answered although not in the form",
        lambda table: table[item.id].isna() | shown(item.id, instrument, table),
        _asked_by(item.id, instrument),
    )


def _asked_by(item_id: str, instrument: Instrument) -> tuple[str, ...]:
    condition = instrument.shown_if(item_id)
    return ("form", *(conditions.names(condition) if condition else ()))


def _page_conditions(item_id: str, instrument: Instrument) -> list[str | None]:
    return [page.show_if for page in instrument.pages if item_id in page.items]


def _required_rule(item: AnyItem, instrument: Instrument, *, ends_told: bool) -> Rule:
    def holds(table: pd.DataFrame) -> pd.Series[bool]:
        met = table[item.id].notna() | ~shown(item.id, instrument, table)
        return met | table["finished"].isna() if ends_told else met

    return Rule(
        item.id,
        "required answer is missing",
        holds,
        (item.id, *_asked_by(item.id, instrument)),
    )


def _key_rules() -> list[Rule]:
    return [
        Rule("respondent", "no respondent id", lambda t: t["respondent"].notna()),
        Rule("respondent", "respondent stands twice in this wave", _once_a_wave),
        Rule("couple", "couple has more than two members", _at_most_two),
        Rule("role", "both members of the couple have the same role", _roles_differ),
        Rule(
            "couple",
            "respondent belongs to more than one couple",
            lambda t: _constant_within(t, "respondent", "couple"),
        ),
        Rule(
            "role",
            "respondent's role differs between waves",
            lambda t: _constant_within(t, "respondent", "role"),
        ),
        Rule("wave", "wave without wave 1", _has_first_wave),
    ]


def _once_a_wave(table: pd.DataFrame) -> pd.Series[bool]:
    keys = table[["respondent", "wave"]]
    return ~keys.duplicated(keep=False) | table["respondent"].isna()


def _at_most_two(table: pd.DataFrame) -> pd.Series[bool]:
    members = table.groupby("couple")["respondent"].transform("nunique")
    return (members <= 2) | table["couple"].isna()  # noqa: PLR2004


def _roles_differ(table: pd.DataFrame) -> pd.Series[bool]:
    pairs = table[["couple", "wave", "role"]]
    people = table[["couple", "wave", "role", "respondent"]].drop_duplicates()
    count = people.groupby(["couple", "wave", "role"]).size()
    known = pairs.notna().all(axis="columns")
    twice = pd.MultiIndex.from_frame(pairs).isin(count[count > 1].index)
    return pd.Series(~(twice & known.to_numpy()), index=table.index)


def _constant_within(table: pd.DataFrame, group: str, column: str) -> pd.Series[bool]:
    different = table.groupby(group)[column].transform("nunique")
    return (different <= 1) | table[column].isna() | table[group].isna()


def _has_first_wave(table: pd.DataFrame) -> pd.Series[bool]:
    first = table["wave"] == 1
    if not first.any():  # a file with only later waves cannot show it
        return pd.Series(data=True, index=table.index)
    known = set(table.loc[first.fillna(value=False), "respondent"].dropna())
    ok = table["respondent"].isin(known) | table["respondent"].isna()
    return ok | table["wave"].isna()
