"""Which items were asked in a table, and the error when others have no column."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from survey.collect.matching import near_names
from survey.collect.table import listed, spelled
from survey.errors import ResponsesError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from survey.collect.mapping import ColumnMapping
    from survey.collect.matching import Match
    from survey.instrument import Instrument


@dataclass(frozen=True, slots=True)
class Fielded:
    """The items without a column, and why.

    Attributes
    ----------
    absent
        Item to reason, in the instrument's order.
    form
        The form that all rows are, where the columns show it and no column says it.
    """

    absent: dict[str, str]
    form: str | None = None


def fielded(
    path: Path,
    frame: pd.DataFrame,
    matched: Sequence[Match],
    mapping: ColumnMapping,
    instrument: Instrument,
) -> Fielded:
    """Tell which items were not asked: by the mapping, or by the form of the rows.

    Raises
    ------
    ResponsesError
        If an item has no column and neither explains it; lists all such items, the
        columns that are not known, and the mapping that would repair it.
    """
    present = {name for name in instrument.item_ids if name in frame}
    lacking = [
        name
        for name in instrument.item_ids
        if name not in present and name not in mapping.absent
    ]
    declared = {
        name: "not asked, says the mapping"
        for name in instrument.item_ids
        if name in mapping.absent
    }
    forms, shown = _forms(frame, present, mapping, instrument)
    asked = {name for form in forms for name in instrument.form_items(form)}
    if forms and asked.isdisjoint(lacking):
        reason = f"not in form {' or '.join(forms)}"
        absent = declared | {name: reason for name in lacking if name not in asked}
        ordered = {name: absent[name] for name in instrument.item_ids if name in absent}
        return Fielded(ordered, forms[0] if shown else None)
    if lacking:
        needed = [name for name in lacking if name in asked] if forms else lacking
        raise ResponsesError(_missing(path, needed, forms, matched, instrument))
    return Fielded(declared)


def _forms(
    frame: pd.DataFrame,
    present: set[str],
    mapping: ColumnMapping,
    instrument: Instrument,
) -> tuple[list[str], bool]:
    """List the forms in use; True if only the columns show which it is."""
    known = [form.id for form in instrument.all_forms]
    if "form" in frame:
        used = {spelled(value).strip() for value in frame["form"].dropna().unique()}
        if frame["form"].isna().any() or used.isdisjoint(known):
            used.add(known[0])
        return [form for form in known if form in used], False
    absent = set(mapping.absent)
    for form in known:
        if set(instrument.form_items(form)) - absent == present:
            return [form], form != known[0]
    return [], False


def _missing(
    path: Path,
    lacking: Sequence[str],
    forms: Sequence[str],
    matched: Sequence[Match],
    instrument: Instrument,
) -> str:
    unknown = [match.column for match in matched if match.status == "unknown"]
    near = near_names(unknown, instrument)
    found = {ours: theirs for theirs, ours in near.items() if ours in lacking}
    of = f"form {' or '.join(forms)}" if forms else f"{len(instrument.items)} items"
    problem = f"{path.name}: no column for {len(lacking)} item(s) of {of} of "
    lines = [
        f"{problem}{instrument.id!r} {instrument.version}: {', '.join(lacking)}.",
        *_nearest_form(lacking, instrument),
        f"Columns not known: {listed([repr(n) for n in unknown]) or 'none'}.",
    ]
    if found:
        pairs = [f"{theirs!r} looks like {ours}" for ours, theirs in found.items()]
        lines.append(f"Near names: {listed(pairs)}.")
    remedy = (
        "Rename the columns, or complete this mapping file and give it as --mapping "
        "(in Python: mapping=):"
    )
    return "\n".join([*lines, remedy, "", *_snippet(lacking, found)])


def _nearest_form(lacking: Sequence[str], instrument: Instrument) -> list[str]:
    """Say what a smaller form lacks whose items are nearly all there, and no others."""
    present = set(instrument.item_ids).difference(lacking)
    for form in instrument.all_forms:
        items = instrument.form_items(form.id)
        lacks = [name for name in items if name not in present]
        nearly = present.issubset(items) and len(lacks) < len(items) / 4
        if nearly and len(lacks) < len(lacking):
            return [f"Of form {form.id} these are missing: {', '.join(lacks)}."]
    return []


def _snippet(lacking: Sequence[str], found: dict[str, str]) -> list[str]:
    """Write the mapping file that names what can be named, and asks for the rest."""
    unfound = [name for name in lacking if name not in found]
    lines = ["columns:"]
    lines += [f"  {json.dumps(found[n], ensure_ascii=False)}: {n}" for n in found]
    if unfound:
        names = textwrap.wrap(
            ", ".join(unfound), 80, initial_indent="#   ", subsequent_indent="#   "
        )
        lines += [
            "# No column is known for:",
            *names,
            "# Write `their column: item` above, or list here what was not asked:",
            "absent: []",
        ]
    return lines
