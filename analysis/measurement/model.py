"""Measurement models of an instrument in lavaan's language."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from analysis.errors import AnalysisError, TooFewError
from analysis.measurement.scales import measured_scales
from analysis.sem.syntax import near

if TYPE_CHECKING:
    from collections.abc import Sequence

    from survey.instrument import Instrument, Scale

Structure: TypeAlias = Literal["one", "correlated", "second_order", "bifactor"]

#: Structures with a general factor above or beside those of the scales.
_ABOVE: Final = frozenset({"second_order", "bifactor"})


def measurement_model(
    instrument: Instrument,
    structure: Structure = "correlated",
    *,
    scales: Sequence[str] | str | None = None,
    general: str | None = None,
    omit: Sequence[str] | str = (),
) -> str:
    """Write the measurement model of an instrument in lavaan syntax.

    Parameters
    ----------
    structure
        ``one``: all items on one factor. ``correlated``: one factor a scale.
        ``second_order``: these under a general factor. ``bifactor``: every item on
        the general factor and on its own scale's, all uncorrelated.
    scales
        See `measured_scales`.
    general
        Name of the general factor; the composite that holds just these scales, or
        ``general``.
    omit
        Items to leave out; a scale without any other item is left out, too.

    Raises
    ------
    AnalysisError
        If the structure, a scale or an item is unknown, too few scales are there for
        it, or the general factor has the name of something else.
    TooFewError
        If no item is left.

    Notes
    -----
    The text carries all constraints of the structure; fit it with ``std_lv=True`` for
    ``bifactor`` and with the defaults otherwise.
    """
    structure = cast("Structure", structure.strip())
    if structure not in get_args(Structure):
        raise AnalysisError(
            f"structure: {structure!r} is unknown. Choose one of "
            f"{', '.join(get_args(Structure))}."
        )
    chosen = measured_scales(instrument, scales)
    top = general or _general_name(instrument, chosen)
    others = {scale.id for scale in chosen} if structure in _ABOVE else set()
    _require_free(top, others | set(instrument.item_ids))
    omit = (omit,) if isinstance(omit, str) else omit
    _require_items(omit, instrument)
    items = {
        scale.id: [name for name in scale.items if name not in omit] for scale in chosen
    }
    items = {name: kept for name, kept in items.items() if kept}
    every = list(dict.fromkeys(name for kept in items.values() for name in kept))
    if not every:
        raise TooFewError(
            f"scales {[one.id for one in chosen]}: no item is left to measure with. "
            "Choose other scales or another wave, or collect more answers."
        )
    if structure == "one":
        return _loadings(top, every)
    specific = [_loadings(name, kept) for name, kept in items.items()]
    if structure == "correlated":
        return "\n".join(specific)
    names = list(items)
    least = 3 if structure == "second_order" else 2
    if len(names) < least:
        raise AnalysisError(
            f"structure={structure!r}: needs at least {least} scales, found {names}. "
            "Use structure='correlated' or 'one'."
        )
    if structure == "second_order":
        return "\n".join([*specific, _loadings(top, names)])
    pairs = combinations([top, *names], 2)
    apart = [f"{a} ~~ 0*{b}" for a, b in pairs]
    return "\n".join([_loadings(top, every), *specific, *apart])


def _require_free(general: str, taken: set[str]) -> None:
    if not re.fullmatch(r"[A-Za-z_.][\w.]*", general):
        raise AnalysisError(
            f"general: {general!r} is no name of a factor. Use letters, digits and "
            "underscores, a letter first."
        )
    if general in taken:
        raise AnalysisError(
            f"general: {general!r} is another factor or an item of the model already. "
            "Choose another name for the general factor."
        )


def _require_items(omit: Sequence[str], instrument: Instrument) -> None:
    known = set(instrument.item_ids)
    if stray := [name for name in omit if name not in known]:
        raise AnalysisError(
            f"omit: {stray} are not items of {instrument.id!r}."
            f"{near(stray[0], known)} Name the items to leave out."
        )


def _loadings(factor: str, indicators: Sequence[str]) -> str:
    return f"{factor} =~ " + " + ".join(indicators)


def _general_name(instrument: Instrument, chosen: Sequence[Scale]) -> str:
    names = {scale.id for scale in chosen}
    for composite in instrument.composites:
        if set(composite.scales) == names:
            return composite.id
    return "general" if "general" not in names else "general_factor"
