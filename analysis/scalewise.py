"""One analysis of several scales: what was found, and why a scale has nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import pandas as pd

from analysis.errors import AnalysisError
from analysis.result import warning_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Warned(Protocol):
    """A result that says what needs a second look."""

    @property
    def warnings(self) -> pd.DataFrame: ...


Found = TypeVar("Found", bound=Warned)


def each_scale(
    items_by_scale: Mapping[str, pd.DataFrame],
    analyse: Callable[[pd.DataFrame], Found],
    *,
    without: str,
) -> tuple[dict[str, Found], pd.DataFrame]:
    """Analyse the items of each scale on its own.

    Parameters
    ----------
    items_by_scale
        Keyed item codes of each scale.
    analyse
        What to do with the items of one.
    without
        What a scale lacks whose items cannot be analysed.

    Returns
    -------
    tuple
        Results by scale, and a table of warnings whose `where` begins with the scale;
        the remedy of a scale without a result is the message that says why.
    """
    found, notes = {}, [warning_table()]
    for scale, items in items_by_scale.items():
        try:
            found[scale] = analyse(items)
        except AnalysisError as error:
            notes.append(warning_table([(without, scale, str(error))]))
            continue
        own = found[scale].warnings
        notes.append(own.assign(where=scale + ": " + own["where"].astype(str)))
    return found, pd.concat(notes, ignore_index=True)
