"""What an instrument asks: its scales, items and claims as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from survey.instrument import ChoiceItem, LikertItem, NumberItem

if TYPE_CHECKING:
    from survey.instrument import Instrument


def scale_table(instrument: Instrument, language: str | None = None) -> pd.DataFrame:
    """List scales and composites: what they are, their items, how they are scored.

    Reversed items are marked ``(R)``.
    """
    rows = []
    for scale in instrument.scales:
        items = [f"{i} (R)" if i in scale.reversed else i for i in scale.items]
        rows.append(
            {
                "id": scale.id,
                "label": instrument.wording(scale.label, language),
                "kind": scale.kind or "",
                "n_items": len(scale.items),
                "n_reversed": len(scale.reversed),
                "items": ", ".join(items),
                "score": f"{scale.scoring} of at least {scale.needed}",
                "source": scale.source or "",
            }
        )
    rows += [
        {
            "id": one.id,
            "label": instrument.wording(one.label, language),
            "kind": "composite",
            "n_items": len(one.scales),
            "n_reversed": 0,
            "items": ", ".join(one.scales),
            "score": f"mean of at least {one.needed} scales",
            "source": one.source or "",
        }
        for one in instrument.composites
    ]
    return pd.DataFrame(rows)


def item_table(instrument: Instrument, language: str | None = None) -> pd.DataFrame:
    """List items in the order they are asked: page, id, text, answers, condition."""
    page_of = {
        name: instrument.wording(page.title, language)
        for page in instrument.all_pages
        for name in page.items
    }
    rows = []
    for item in instrument.items:
        if isinstance(item, LikertItem | ChoiceItem):
            options = instrument.response_scale(item.response_scale).options
            said = [
                f"{code} = {instrument.wording(label, language)}"
                for code, label in options.items()
            ]
            kind = "; ".join(said)
        elif isinstance(item, NumberItem):
            unit = instrument.wording(item.unit, language)
            kind = f"{item.minimum:g} to {item.maximum:g} {unit}".strip()
        else:
            kind = "text"
        rows.append(
            {
                "page": page_of.get(item.id, ""),
                "id": item.id,
                "text": instrument.wording(item.text, language),
                "answers": kind,
                "shown_if": item.show_if or "",
            }
        )
    return pd.DataFrame(rows)


def claim_table(instrument: Instrument, language: str | None = None) -> pd.DataFrame:
    """List the claims: what is claimed, of what, and which analysis answers it."""
    rows = [
        {
            "id": claim.id,
            "claim": instrument.wording(claim.text, language),
            "analysis": claim.analysis.replace("_", " "),
            "about": ", ".join(claim.focal),
            "outcomes": ", ".join(claim.outcomes) or (claim.event or ""),
            "source": claim.source or "",
        }
        for claim in instrument.claims
    ]
    columns = ["id", "claim", "analysis", "about", "outcomes", "source"]
    return pd.DataFrame(rows, columns=columns)
