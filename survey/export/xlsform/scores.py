"""Scale scores as calculations that the form makes itself, by the instrument's rules.

For showing scores in the field; analyses score the raw answers again. A score needs as
many answers as `analysis.score` wants, and is empty otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from survey.export.xlsform.fielding import Fielding, Row
    from survey.instrument import Composite, Scale


def rows(fielding: Fielding) -> list[Row]:
    """Write two calculations a scale: ``answered_<scale>`` and ``score_<scale>``."""
    out: list[Row] = []
    scored = []
    for scale in fielding.instrument.scales:
        asked = [name for name in scale.items if name in fielding.items]
        if asked:
            scored.append(scale.id)
            out += _scale(fielding, scale, asked)
    for composite in fielding.instrument.composites:
        parts = [name for name in composite.scales if name in scored]
        if len(parts) >= composite.needed:
            scored.append(composite.id)
            out += _composite(composite, parts)
    return out


def _scale(fielding: Fielding, scale: Scale, asked: Sequence[str]) -> list[Row]:
    answered = {name: _answered(fielding, name) for name in asked}
    values = {name: _keyed(fielding, name) for name in asked}
    least = min(scale.needed, len(asked))
    times = f" * {len(scale.items)}" if scale.scoring == "sum" else ""
    return _rows(scale.id, answered, values, least, times)


def _composite(composite: Composite, parts: Sequence[str]) -> list[Row]:
    answered = {name: f"${{score_{name}}} != ''" for name in parts}
    values = {name: f"number(${{score_{name}}})" for name in parts}
    return _rows(composite.id, answered, values, composite.needed, "")


def _rows(
    name: str, answered: dict[str, str], values: dict[str, str], least: int, times: str
) -> list[Row]:
    count = " + ".join(f"if({answered[one]}, 1, 0)" for one in answered)
    total = " + ".join(f"if({answered[one]}, {values[one]}, 0)" for one in answered)
    given = f"${{answered_{name}}}"
    mean = f"if({given} >= {least}, ({total}) div {given}{times}, '')"
    return [
        {"type": "calculate", "name": f"answered_{name}", "calculation": count},
        {"type": "calculate", "name": f"score_{name}", "calculation": mean},
    ]


def _answered(fielding: Fielding, name: str) -> str:
    """Say that an item has an answer: neither empty nor a missing code."""
    codes = ["", *(str(code) for code in fielding.instrument.missing_codes(name))]
    return " and ".join(f"${{{name}}} != '{code}'" for code in codes)


def _keyed(fielding: Fielding, name: str) -> str:
    total = fielding.instrument.turning_sum(name)
    answer = f"number(${{{name}}})"
    return answer if total is None else f"({total} - {answer})"
