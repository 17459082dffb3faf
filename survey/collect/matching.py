"""Which column of a table is which item or key; by exact name or by mapping only.

A name that differs from an item's by case, spaces or punctuation is not taken: it is
shown with the line that would map it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from survey.collect.delimited import simplified
from survey.collect.mapping import IGNORED, refused
from survey.collect.mapping_faults import is_ours
from survey.collect.table import listed
from survey.faults import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from survey.collect.mapping import MappingFile
    from survey.errors import Fault
    from survey.instrument import Instrument

Status: TypeAlias = Literal["matched", "renamed", "key", "unknown"]
Near: TypeAlias = dict[str, str]

#: What other programs call a respondent; suggested, never taken.
RESPONDENT_NAMES: Final = (
    "respondent id recordid responseid respondentid participantid participant subject "
    "subjectid caseid case pid uuid token code vpcode vp person personid serial"
)


@dataclass(frozen=True, slots=True)
class Match:
    """What one column of the source is.

    Attributes
    ----------
    column
        Its name in the source.
    name
        Its name from now on: an item, a key, ``seconds_<item>``, or its own.
    status
        As in `survey.responses.mapping_report`.
    detail
        What else is to be said about it.
    """

    column: str
    name: str
    status: Status
    detail: str = ""


def matches(
    path: Path, header: Sequence[str], file: MappingFile, instrument: Instrument
) -> tuple[Match, ...]:
    """Say of each column of `header` what it is.

    Raises
    ------
    ResponsesError
        If the mapping speaks of columns that are not there, or two columns become one.
    """
    columns = file.content.columns
    if isinstance(columns, tuple):
        return tuple(_by_position(header, columns))
    if faults := list(_misfits(path, header, file)):
        raise refused(faults)
    targets, ignored = file.content.targets, file.content.ignored
    near = near_names(
        [name for name in header if name not in targets and name not in ignored],
        instrument,
    )
    out = []
    for name in header:
        if name in ignored:
            kept = f"{name} (ignored)" if is_ours(name, instrument) else name
            out.append(Match(name, kept, "unknown", "left out by the mapping"))
        elif name in targets:
            ours = targets[name]
            status: Status = "key" if ours in KEYS else "renamed"
            out.append(Match(name, ours, status, f"is {ours}, says the mapping"))
        elif is_ours(name, instrument):
            out.append(Match(name, name, "key" if name in KEYS else "matched"))
        else:
            out.append(Match(name, name, "unknown", _hint(near.get(name))))
    return tuple(out)


def _by_position(
    header: Sequence[str], columns: Sequence[str | None]
) -> Iterator[Match]:
    for name, ours in zip(header, columns, strict=True):
        if ours is None or ours == IGNORED:
            yield Match(name, name, "unknown", "left out by the mapping")
        else:
            status: Status = "key" if ours in KEYS else "renamed"
            yield Match(name, ours, status, f"is {ours}, says the mapping")


def _misfits(path: Path, header: Sequence[str], file: MappingFile) -> Iterator[Fault]:
    """Find what the mapping says that this header contradicts."""
    mapping, there = file.content, set(header)
    named = dict.fromkeys(mapping.columns) if isinstance(mapping.columns, dict) else {}
    places = [("columns", theirs, theirs) for theirs in named]
    places += [("keys", ours, theirs) for ours, theirs in mapping.keys.items()]
    for group, place, theirs in places:
        if theirs not in there:
            near = [name for name in header if simplified(name) == simplified(theirs)]
            remedy = (
                f"Did you mean {near[0]!r}?" if near else f"Columns: {listed(header)}."
            )
            problem = f"{path.name} has no column {theirs!r}"
            yield file.fault((group, place), problem, remedy)
    mapped, ignored = mapping.targets, mapping.ignored
    free = {n for n in header if n not in mapped and n not in ignored}
    for group, place, theirs in places:
        ours = mapped.get(theirs)
        if ours is not None and ours in free:
            problem = f"{path.name} has a column {ours!r} as well as {theirs!r}"
            remedy = f"Remove this line, or write `{ours}: '-'` under columns."
            yield file.fault((group, place), problem, remedy)
    for position, name in enumerate(mapping.absent):
        if name in free:
            problem = f"{path.name} has a column {name!r}, which is declared absent"
            yield file.fault(("absent", position), problem, "Remove it from the list.")
    for name in mapping.constants:
        if name in free:
            problem = f"{path.name} has a column {name!r}, which is a constant as well"
            remedy = f"Remove this line, or write `{name}: '-'` under columns."
            yield file.fault(("constants", name), problem, remedy)


def near_names(unknown: Sequence[str], instrument: Instrument) -> Near:
    """Find unknown columns that look like one item or key: column to our name.

    Either all but case, spaces and punctuation is the same, or the name of just one
    item stands in it as a word of its own, as in ``pull_away/pa01`` or ``q[pa01]``.
    """
    whole = {simplified(name): name for name in (*instrument.item_ids, *KEYS)}
    items = set(instrument.item_ids)
    out: Near = {}
    for name in unknown:
        if found := whole.get(simplified(name)):
            out[name] = found
            continue
        words = items.intersection(re.findall(r"[a-z0-9]+", name.casefold()))
        if len(words) == 1:
            out[name] = words.pop()
    return out


def _hint(ours: str | None) -> str:
    if ours is None:
        return ""
    return f"looks like {ours}, but is named otherwise: map it if it is"


def respondent_hint(matched: Sequence[Match]) -> str:
    """Say how to map a column that may hold the respondents' ids; '' if none may."""
    for match in matched:
        if match.status == "unknown" and (
            simplified(match.column) in RESPONDENT_NAMES.split()
        ):
            return (
                f"if {match.column!r} names the respondents, map it: "
                f"`keys: {{respondent: {match.column!r}}}`"
            )
    return ""
