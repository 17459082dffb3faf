"""Which variables are explained, and by which: names chosen from an instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import AnalysisError

if TYPE_CHECKING:
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
