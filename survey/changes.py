"""What changed between two versions of an instrument, and how much that matters.

- cosmetic: nothing a respondent answers differently to (titles, sources, hints);
- wording: what people read when they answer;
- scoring: the same answers give other scores;
- breaking: answers before and after do not fit into one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from survey.instrument import Instrument

Severity: TypeAlias = Literal["cosmetic", "wording", "scoring", "breaking"]
ORDER: tuple[Severity, ...] = ("cosmetic", "wording", "scoring", "breaking")

#: Which part of the version must rise at least.
_BUMP = {"cosmetic": 2, "wording": 1, "scoring": 1, "breaking": 0}
_PART = ("major", "minor", "patch")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions.

    Attributes
    ----------
    severity
        cosmetic, wording, scoring or breaking.
    place
        Where, e.g. ``items[av1].text``.
    before, after
        The two values; None where there is none.
    """

    severity: Severity
    place: str
    before: object
    after: object

    def __str__(self) -> str:
        """Spell the change on one line."""
        if self.before is None:
            return f"{self.severity:8}  {self.place}: added {self.after!r}"
        if self.after is None:
            return f"{self.severity:8}  {self.place}: removed {self.before!r}"
        return f"{self.severity:8}  {self.place}: {self.before!r} -> {self.after!r}"


@dataclass(frozen=True, slots=True)
class Diff:
    """All differences between two versions, the gravest first.

    Attributes
    ----------
    changes
        The differences.
    old_version, new_version
        The versions compared.
    """

    changes: tuple[Change, ...]
    old_version: str
    new_version: str

    @property
    def severity(self) -> Severity | None:
        """The gravest severity; None when nothing differs."""
        return self.changes[0].severity if self.changes else None

    @property
    def version_note(self) -> str | None:
        """Say when the version did not rise as the changes want it."""
        if self.severity is None:
            return None
        part = _BUMP[self.severity]
        old, new = _numbers(self.old_version), _numbers(self.new_version)
        if new[: part + 1] > old[: part + 1]:
            return None
        return (
            f"version {self.old_version} -> {self.new_version}: {self.severity} "
            f"changes need a new {_PART[part]} version. Raise it."
        )

    def frame(self) -> pd.DataFrame:
        """One row per change: severity, place, before, after."""
        rows = [(c.severity, c.place, c.before, c.after) for c in self.changes]
        return pd.DataFrame(
            rows, columns=["severity", "place", "before", "after"], dtype=object
        )


def diff(old: Instrument, new: Instrument) -> Diff:
    """Compare two versions of an instrument and classify every change."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    found = [
        change
        for key in before
        for change in _compare(key, before[key], after[key], key)
        if key != "version"
    ]
    found.sort(key=lambda change: -ORDER.index(change.severity))
    return Diff(tuple(found), old.version, new.version)


def _numbers(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def _compare(place: str, before: object, after: object, root: str) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and not _is_text(before):
        for key in dict.fromkeys([*before, *after]):
            yield from _compare(f"{place}.{key}", before.get(key), after.get(key), root)
    elif _has_ids(before) and _has_ids(after):
        yield from _compare_rows(place, before, after, root)
    else:
        yield Change(_severity(place, before, after), place, before, after)


def _compare_rows(
    place: str, before: object, after: object, root: str
) -> Iterator[Change]:
    old, new = _by_id(before), _by_id(after)
    for name in dict.fromkeys([*old, *new]):
        here = f"{place}[{name}]"
        if name in old and name in new:
            yield from _compare(here, old[name], new[name], root)
        else:
            gone, came = old.get(name), new.get(name)
            yield Change(_row_severity(root), here, _brief(gone), _brief(came))
    same = [name for name in old if name in new]
    moved = [name for name in new if name in old]
    if same != moved and root in {"items", "pages"}:
        yield Change("wording", f"{place} order", same, moved)


def _brief(row: dict[str, object] | None) -> object:
    if row is None:
        return None
    return row.get("text") or row.get("label") or row.get("id")


def _row_severity(root: str) -> Severity:
    if root in {"items", "response_scales"}:
        return "breaking"
    if root in {"scales", "composites"}:
        return "scoring"
    if root == "pages":
        return "wording"
    return "breaking" if root == "forms" else "cosmetic"


_SCORING = {
    "reversed",
    "min_answered",
    "scoring",
    "min_scales",
    "scales",
    "items",
    "desirable",
}
_WORDING = {"text", "labels", "label", "unit", "hint"}
_BREAKING = {"type", "response_scale", "codes", "code", "minimum", "maximum", "integer"}
_BREAKING |= {"show_if", "expected", "max_length", "missing", "required"}


def _severity(place: str, before: object, after: object) -> Severity:
    root = place.split("[", maxsplit=1)[0].split(".", maxsplit=1)[0]
    key = place.rsplit(".", 1)[-1] if "." in place else root
    if root == "languages":
        return "cosmetic" if _only_added(before, after) else "breaking"
    by_root: dict[str, Severity] = {
        "id": "breaking",
        "consent": "wording",
        "end": "wording",
        "introduction": "wording",
        "safety": "wording",
        "forms": "breaking" if key == "items" else "cosmetic",
        "pages": "breaking" if key == "show_if" else "wording",
        "scales": "scoring" if key in _SCORING else "cosmetic",
        "composites": "scoring" if key in _SCORING else "cosmetic",
        "items": _item_severity(key),
        "response_scales": _item_severity(key),
    }
    return by_root.get(root, "cosmetic")


def _item_severity(key: str) -> Severity:
    if key in _BREAKING:
        return "breaking"
    return "wording" if key in _WORDING else "cosmetic"


def _only_added(before: object, after: object) -> bool:
    old = before if isinstance(before, list) else []
    new = after if isinstance(after, list) else []
    return new[: len(old)] == old


def _is_text(value: dict[str, object]) -> bool:
    """Tell translations from a section: their keys are languages, values texts."""
    return bool(value) and all(
        isinstance(text, str) and "_" not in key and len(key.split("-")[0]) <= 3  # noqa: PLR2004
        for key, text in value.items()
    )


def _has_ids(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(row, dict) and "id" in row for row in value
    )


def _by_id(value: object) -> dict[str, dict[str, object]]:
    rows = value if isinstance(value, list) else []
    return {str(row["id"]): row for row in rows}
