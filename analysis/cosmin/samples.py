"""Whether there are enough people, by COSMIN's Risk of Bias checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from analysis.cosmin.grade import Adequacy

# People that COSMIN wants in any analysis.
ENOUGH = 100


def factor_sample(n_obs: int, n_items: int) -> Adequacy:
    """Grade the number of people for a factor analysis; of the smallest group.

    Notes
    -----
    Mokkink et al. (2018), boxes 3 and 5: very good from 7 people an item and 100 in
    all; adequate from 5 an item and 100 in all, or 6 an item; doubtful from 5 an item.
    """
    if n_items < 1:
        raise AnalysisError(f"cosmin: {n_items} items. Give one or more.")
    each = n_obs / n_items
    if each >= 7 and n_obs >= ENOUGH:  # noqa: PLR2004
        return "very good"
    if (each >= 5 and n_obs >= ENOUGH) or each >= 6:  # noqa: PLR2004
        return "adequate"
    return "doubtful" if each >= 5 else "inadequate"  # noqa: PLR2004


def irt_sample(n_obs: int, *, slopes: bool = True) -> Adequacy:
    """Grade the number of people for an item response model.

    Parameters
    ----------
    n_obs
        People.
    slopes
        Whether items differ in their slopes (graded response, 2PL); Rasch models need
        fewer people.

    Notes
    -----
    Mokkink et al. (2018), box 3: 1,000, 500 and 250 people for two parameters; 200, 100
    and 50 for one.
    """
    limits = (1000, 500, 250) if slopes else (200, 100, 50)
    words: tuple[Adequacy, ...] = ("very good", "adequate", "doubtful")
    reached = [w for w, limit in zip(words, limits, strict=True) if n_obs >= limit]
    return reached[0] if reached else "inadequate"


def imprecision(n_obs: int) -> int:
    """Levels by which few people lower the evidence; Prinsen et al. (2018), GRADE."""
    return int(n_obs < ENOUGH) + int(n_obs < ENOUGH / 2)
