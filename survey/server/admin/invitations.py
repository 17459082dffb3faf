"""Invitations as they are handed out: links, a table of them, cards to print.

Codes are made from the key each time, so that every list is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pandas as pd
import segno
from markupsafe import Markup

from survey.server.admin import printing
from survey.server.words import direction, phrases
from survey.store import overview, people
from survey.store.codes import spaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import sqlalchemy as sa

    from survey.instrument import Instrument
    from survey.store.codes import Key
    from survey.store.people import Person
    from survey.store.studies import Study

#: Cards printed at a time: fifty sheets of A4.
BATCH: Final = 400


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
    after: str = "",
) -> list[Invitation]:
    """List the invitations of a study.

    Parameters
    ----------
    waiting
        Only those of people who have not finished this wave.
    after
        Only those that come after this person, who may have left the list meanwhile.
    """
    persons = people.everyone(connection, study)
    first = next((k + 1 for k, one in enumerate(persons) if one.code == after), 0)
    found = of(persons[first:], key, url)
    if waiting is None:
        return found
    names = set(overview.waiting(connection, study, waiting))
    return [one for one in found if one.respondent in names]


def local(url: str) -> bool:
    """Whether links with this address work on this machine only."""
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}


def table(found: Iterable[Invitation]) -> pd.DataFrame:
    """Arrange invitations: respondent (index), couple, role, language, link."""
    columns = ["respondent", "couple", "role", "language", "link"]
    rows = [[getattr(one, name) for name in columns] for one in found]
    return pd.DataFrame(rows, columns=columns).set_index("respondent")


@dataclass(frozen=True, slots=True)
class Onward:
    """Where a page of cards leads.

    Attributes
    ----------
    back
        Address of the page of invitations.
    action, fields
        Where the next cards are asked for, and with what; no fields where there are
        none.
    """

    back: str
    action: str
    fields: dict[str, str]


def cards(
    found: Sequence[Invitation],
    instrument: Instrument,
    url: str,
    onward: Onward | None = None,
) -> str:
    """Print cards with QR codes as a page (HTML) that asks the network for nothing.

    Parameters
    ----------
    onward
        Where the page leads; one that leads nowhere is a file of its own and carries
        its style.
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
        onward=onward,
        style="" if onward else Markup(_style()),  # noqa: S704 - our own file
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
