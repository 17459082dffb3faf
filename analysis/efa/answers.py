"""Names that moved to `analysis.answers`."""

from analysis.answers import (
    complete_rows,
    item_codes,
    require_choice,
    require_variance,
    varies,
)

__all__ = [
    "complete_rows",
    "item_codes",
    "require_choice",
    "require_variance",
    "varies",
]
