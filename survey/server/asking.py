"""A page of questions: whether somebody may see it, and how it is shown to them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from survey.server import views
from survey.server.guard import page_key
from survey.server.showing import show
from survey.server.words import phrases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.desk import Caller, Desk
    from survey.server.plan import Sheet
    from survey.server.posted import Checked, Problem
    from survey.store.progress import Response as Begun

#: Field that names what a person was told is wrong, so that they are told once.
TOLD: Final = "told-wrong"
_BRIEF: Final = 16


@dataclass(frozen=True, slots=True)
class Shown:
    """How a page is shown, other than as it is stored.

    Attributes
    ----------
    status
        Status of the response.
    problems, typed
        What is wrong with what was typed, and what was; None for what is stored.
    word
        A phrase to say above the questions.
    key
        The key of the page; a new one for none.
    rest_stored
        Whether what is not wrong is stored, and the same button leads on now.
    """

    status: int = 200
    problems: tuple[Problem, ...] = ()
    typed: Mapping[str, str] | None = None
    word: str = ""
    key: str = ""
    rest_stored: bool = False


AS_STORED: Final = Shown()


def ask(
    request: Request,
    caller: Caller,
    begun: Begun,
    sheet: Sheet,
    shown: Shown = AS_STORED,
) -> Response:
    """Show a page of questions."""
    desk: Desk = request.app.state.desk
    instrument, language = caller.instrument, begun.language
    sheets = sheets_of(caller, begun)
    ids = [s.page.id for s in sheets]
    number = 1 + (ids.index(sheet.page.id) if sheet.page.id in ids else 0)
    say = phrases(language)
    wording = instrument.wording
    first = number == 1
    safety = instrument.safety if first or sheet.sensitive else None
    values = begun.answers if shown.typed is None else shown.typed
    return show(
        request,
        caller,
        "page.html.j2",
        status=shown.status,
        language=language,
        leave=instrument.safety is not None,
        heading=wording(sheet.page.title, language),
        text=wording(sheet.page.text, language),
        introduction=wording(instrument.introduction, language) if first else "",
        safety=wording(safety.note, language) if safety is not None else "",
        page=sheet.page.id,
        key=shown.key or page_key(desk.key, begun.id, sheet.page.id),
        number=number,
        place=caller.planner.place(sheet.page.id),
        places=len(caller.planner.pages),
        last=number == len(sheets),
        step=_step(caller, sheet, number, len(sheets), say),
        problems=shown.problems,
        told_wrong=" ".join(tokens(shown)) if shown.rest_stored else "",
        questions=views.questions(sheet, instrument, language, values, shown.problems),
        notice=say[shown.word] if shown.word else "",
    )


def _step(
    caller: Caller, sheet: Sheet, number: int, pages: int, say: Mapping[str, str]
) -> str:
    """Say which page this is; of how many, once no answer can change it any more."""
    behind = caller.planner.place(sheet.page.id) - 1
    word = "page_of" if behind >= caller.planner.settled else "page_alone"
    return say[word].format(number=number, pages=pages)


def tokens(found: Shown | Checked) -> tuple[str, ...]:
    """Name each wrong answer and what was typed there, without telling it."""
    typed = found.typed or {}
    return tuple(
        sha256(f"{one.item}={typed.get(one.item, '')}".encode()).hexdigest()[:_BRIEF]
        for one in found.problems
    )


def sheets_of(caller: Caller, begun: Begun) -> tuple[Sheet, ...]:
    """List the pages a person is shown, given their answers."""
    return caller.planner.sheets(begun.answers, begun.wave, begun.orders)


def standing(caller: Caller, begun: Begun) -> Sheet:
    """Find the page a person stands on; the next one shown when it is hidden now."""
    sheets = sheets_of(caller, begun)
    place = caller.planner.place(begun.page)
    later = [s for s in sheets if caller.planner.place(s.page.id) >= place]
    return later[0] if later else sheets[-1]


def reached(caller: Caller, begun: Begun, name: str) -> Sheet | None:
    """Find a page that is shown and was reached; None for any other."""
    found = next((s for s in sheets_of(caller, begun) if s.page.id == name), None)
    if found is None or caller.planner.place(name) <= begun.reached:
        return found
    return found if standing(caller, begun).page.id == name else None
