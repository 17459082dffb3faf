"""Invitations as they are handed out: links, a table of them, cards to print.

Codes are made from the key each time, so that every list is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
import segno
from markupsafe import Markup

from survey.server.admin import printing
from survey.server.words import direction, phrases
from survey.store import overview, people
from survey.store.codes import spaced

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

    from survey.instrument import Instrument
    from survey.store.codes import Key
    from survey.store.people import Person
    from survey.store.studies import Study


@dataclass(frozen=True, slots=True)
class Invitation:
    """What lets one person in.

    Attributes
    ----------
    respondent
        Name in the data.
    couple, role, language
        Empty for single people, and for whom the language is theirs to choose.
    link, code
        The link, and its code as it can be typed.
    """

    respondent: str
    couple: str
    role: str
    language: str
    link: str
    code: str


def of(found: Iterable[Person], key: Key, url: str) -> list[Invitation]:
    """Make the invitations of people; those who came by themselves have none."""
    start = url.rstrip("/")
    return [
        Invitation(
            one.code,
            one.couple or "",
            one.role or "",
            one.language or "",
            f"{start}/i/{one.access(key, 'invitation')}",
            spaced(one.access(key, "invitation")),
        )
        for one in found
        if one.invited
    ]


def every(
    connection: sa.Connection,
    study: Study,
    key: Key,
    url: str,
    *,
    waiting: int | None = None,
) -> list[Invitation]:
    """List the invitations of a study; only of those who have not finished a wave."""
    found = of(people.everyone(connection, study), key, url)
    if waiting is None:
        return found
    names = set(overview.waiting(connection, study, waiting))
    return [one for one in found if one.respondent in names]


def table(found: Iterable[Invitation]) -> pd.DataFrame:
    """Arrange invitations: respondent (index), couple, role, language, link."""
    columns = ["respondent", "couple", "role", "language", "link"]
    rows = [[getattr(one, name) for name in columns] for one in found]
    return pd.DataFrame(rows, columns=columns).set_index("respondent")


def cards(
    found: Iterable[Invitation], instrument: Instrument, url: str, *, back: str = ""
) -> str:
    """Print cards with QR codes as a page (HTML) that asks the network for nothing.

    Parameters
    ----------
    back
        Where the page leads back to; one that leads nowhere is a file of its own and
        carries its style.
    """
    offered = instrument.languages
    shown = [
        {
            "one": one,
            "language": language,
            "direction": direction(language),
            "say": phrases(language),
            "title": instrument.wording(instrument.title, language),
            "picture": _picture(one.link),
        }
        for one in found
        for language in [one.language if one.language in offered else offered[0]]
    ]
    page = printing.templates().get_template("cards.html.j2")
    return page.render(
        cards=shown,
        address=f"{url.rstrip('/')}/resume",
        back=back,
        style="" if back else Markup(_style()),  # noqa: S704 - our own file
    )


@cache
def _style() -> str:
    return (printing.FOLDER / "static" / "cards.css").read_text(encoding="utf-8")


def _picture(link: str) -> Markup:
    """Draw a QR code."""
    drawn = segno.make(link, error="m", micro=False)
    inline = drawn.svg_inline(omitsize=True, border=2, svgclass=None, lineclass=None)
    sized = inline.replace("<svg ", '<svg width="132" height="132" ', 1)
    return Markup(sized)  # noqa: S704 - a drawing, holds no text
