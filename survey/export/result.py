"""What an export is: its files, the names it gave, and what was lost on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

NAMES: Final = "names.json"
LOSSES: Final = "losses.csv"


class Loss(NamedTuple):
    """One thing a target cannot express.

    Attributes
    ----------
    what
        The kind of thing, in a few words that are the same in every export.
    where
        Place in the instrument, e.g. ``pages[signs1]``.
    detail
        What happens instead, and what to do about it.
    """

    what: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """An instrument as written for another platform.

    Attributes
    ----------
    target
        The platform's file format, e.g. ``xlsform``.
    files
        Every file written, the questionnaire first.
    names
        Our name of each item and key column to its name in the target; also in
        ``names.json``.
    losses
        What the target cannot express: ``what where detail``, a row each; also in
        ``losses.csv``.
    """

    target: str
    files: tuple[Path, ...]
    names: Mapping[str, str]
    losses: pd.DataFrame

    def summary(self) -> str:
        """Say in one line what was written and how much was lost."""
        found = len(self.losses)
        lost = f"{found} thing(s) it cannot express" if found else "nothing lost"
        return f"{self.target}: {len(self.names)} columns, {lost}"


def with_reports(
    target: str,
    questionnaire: Path,
    names: Mapping[str, str],
    losses: Iterable[Loss],
) -> Export:
    """Write the name map and the losses beside the questionnaire."""
    table = pd.DataFrame(list(losses), columns=list(Loss._fields), dtype=object)
    named = questionnaire.with_name(NAMES)
    named.write_text(
        json.dumps(dict(names), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    lost = questionnaire.with_name(LOSSES)
    table.to_csv(lost, index=False, lineterminator="\n")
    return Export(target, (questionnaire, named, lost), dict(names), table)
