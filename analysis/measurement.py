"""The bridge from an instrument to measurement models in lavaan's language."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal, TypeAlias

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from survey.instrument import Instrument, Scale

Structure: TypeAlias = Literal["one", "correlated", "second_order", "bifactor"]


def measured_scales(
    instrument: Instrument, scales: Sequence[str] | None = None
) -> tuple[Scale, ...]:
    """Choose the scales a measurement model is about.

    Parameters
    ----------
    scales
        Ids of scales; or one kind (``["sign"]``); when left out, the signs where the
        instrument has any, else all scales.

    Raises
    ------
    AnalysisError
        If an id is unknown, or all scales are declared formative: for a checklist
        neither alpha nor a factor model is evidence.
    """
    kinds = {"sign", "reason", "response", "outcome"}
    if not scales:
        chosen = instrument.scales_of("sign") or instrument.scales
    elif len(scales) == 1 and scales[0] in kinds:
        chosen = tuple(one for one in instrument.scales if one.kind == scales[0])
    else:
        known = {one.id: one for one in instrument.scales}
        if stray := [name for name in scales if name not in known]:
            raise AnalysisError(
                f"scales: {stray} are not in {instrument.id!r}. It has {list(known)}."
            )
        chosen = tuple(known[name] for name in scales)
    reflective = tuple(one for one in chosen if one.measurement == "reflective")
    if not reflective:
        names = [one.id for one in chosen]
        raise AnalysisError(
            f"scales {names}: none is reflective, so a factor model says nothing about "
            "them. Choose other scales, or declare `measurement: reflective` if the "
            "items mirror one construct."
        )
    return reflective


def measurement_model(
    instrument: Instrument,
    structure: Structure = "correlated",
    *,
    scales: Sequence[str] | None = None,
    general: str | None = None,
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

    Notes
    -----
    The text carries all constraints of the structure; fit it with ``std_lv=True`` for
    ``bifactor`` and with the defaults otherwise.
    """
    chosen = measured_scales(instrument, scales)
    top = general or _general_name(instrument, chosen)
    every = [item for scale in chosen for item in scale.items]
    if structure == "one":
        return _loadings(top, every)
    specific = [_loadings(scale.id, scale.items) for scale in chosen]
    if structure == "correlated":
        return "\n".join(specific)
    names = [scale.id for scale in chosen]
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


def _loadings(factor: str, indicators: Sequence[str]) -> str:
    return f"{factor} =~ " + " + ".join(indicators)


def _general_name(instrument: Instrument, chosen: Sequence[Scale]) -> str:
    names = {scale.id for scale in chosen}
    for composite in instrument.composites:
        if set(composite.scales) == names:
            return composite.id
    return "general"
