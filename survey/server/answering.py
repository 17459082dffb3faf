"""The pages of the questionnaire: shown, checked, stored, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from survey.errors import RefusedError, StoreError
from survey.server import posted, views
from survey.server.desk import called
from survey.server.entry import caller_of, fields_of
from survey.server.guard import open_key, page_key
from survey.server.showing import notice, onward, show
from survey.server.words import phrases
from survey.store import progress
from survey.store.codes import spaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.desk import Caller, Desk
    from survey.server.plan import Planner, Sheet
    from survey.server.posted import Problem
    from survey.store.progress import Response as Begun

#: Fields of a page that are not answers.
OWN: Final = frozenset({"csrf", "key", "move"})
_LANGUAGE: Final = "language:"


async def current(request: Request) -> Response:
    """Show the page a person stands on."""
    caller = await caller_of(request)
    if caller.response is None:
        return onward("/")
    if caller.response.finished:
        return onward("/done")
    sheets = _sheets(caller, caller.response)
    return _page(request, caller, caller.response, _standing(sheets, caller))


async def page(request: Request) -> Response:
    """Show a page that a person has reached; lead those who have not to theirs."""
    caller = await caller_of(request)
    if caller.response is None or caller.response.finished:
        return onward("/")
    sheet = _reached(caller, caller.response, request.path_params["page"])
    if sheet is None:
        return onward("/page")
    return _page(request, caller, caller.response, sheet)


def _sheets(caller: Caller, begun: Begun) -> tuple[Sheet, ...]:
    return caller.planner.sheets(begun.answers, begun.wave, begun.orders)


def _standing(sheets: tuple[Sheet, ...], caller: Caller) -> Sheet:
    """Find the page a person stands on; the next one shown when it is hidden now."""
    begun = caller.response
    names = [p.id for p in caller.planner.pages]
    place = names.index(begun.page) if begun and begun.page in names else 0
    later = [s for s in sheets if names.index(s.page.id) >= place]
    return later[0] if later else sheets[-1]


def _place(planner: Planner, sheet: Sheet) -> int:
    """Count a page among all pages of the form, from 1."""
    return 1 + [p.id for p in planner.pages].index(sheet.page.id)


def _page(
    request: Request,
    caller: Caller,
    begun: Begun,
    sheet: Sheet,
    *,
    status: int = 200,
    problems: Iterable[Problem] = (),
    typed: Mapping[str, str] | None = None,
    word: str = "",
) -> Response:
    desk: Desk = request.app.state.desk
    instrument, language = caller.instrument, begun.language
    sheets = _sheets(caller, begun)
    shown = [s.page.id for s in sheets]
    number = 1 + (shown.index(sheet.page.id) if sheet.page.id in shown else 0)
    say = phrases(language)
    wording = instrument.wording
    first = number == 1
    return show(
        request,
        caller,
        "page.html.j2",
        status=status,
        language=language,
        leave=instrument.safety is not None,
        heading=wording(sheet.page.title, language),
        text=wording(sheet.page.text, language),
        introduction=wording(instrument.introduction, language) if first else "",
        safety=wording(instrument.safety.note, language)
        if instrument.safety is not None and (first or sheet.sensitive)
        else "",
        page=sheet.page.id,
        key=page_key(desk.key, begun.id, sheet.page.id),
        number=number,
        pages=len(sheets),
        last=number == len(sheets),
        step=say["page_of"].format(number=number, pages=len(sheets)),
        problems=tuple(problems),
        questions=views.questions(
            sheet,
            instrument,
            language,
            begun.answers if typed is None else typed,
            problems,
        ),
        notice=say[word] if word else "",
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a person stands after a page was stored."""

    page: str
    finished: bool = False
    word: str = ""


async def send(request: Request) -> Response:
    """Check and store a page; say so only when it is on the disk."""
    desk: Desk = request.app.state.desk
    caller = await caller_of(request)
    fields = await fields_of(request, caller)
    begun = caller.response
    if begun is None:
        word = "closed" if caller.wave is None else "forged"
        return _refused(request, caller, word, 409)
    name = request.path_params["page"]
    single, seconds = open_key(desk.key, begun.id, name, fields.get("key", ""))
    if not single:
        raise posted.BadBodyError(403, "forged")
    sheet = _reached(caller, begun, name)
    if sheet is None:
        return _refused(request, caller, "page_changed", 409)
    posting = _Posting(sheet, fields.get("move", "next"), single, seconds)
    checked = posted.check(
        fields, sheet, caller.instrument, own=OWN, complete=posting.move == "next"
    )
    if checked.foreign:
        word = "page_changed" if _own_page(checked, caller, name) else "bad_form"
        return _refused(request, caller, word, 400)
    if checked.problems and posting.move == "next":
        return _page(
            request,
            caller,
            begun,
            sheet,
            status=422,
            problems=checked.problems,
            typed=checked.typed,
        )
    return await _keep(request, caller, begun, posting, checked)


@dataclass(frozen=True, slots=True)
class _Posting:
    """A page that was sent: what it shows, what was pressed, what makes it single."""

    sheet: Sheet
    move: str
    single: str
    seconds: float | None

    def sent(self, checked: posted.Checked) -> progress.Sent:
        """Take the valid answers of the page."""
        return progress.Sent(
            key=self.single,
            page=self.sheet.page.id,
            move=self.move.split(":", maxsplit=1)[0][:16],
            values=checked.values,
            seconds=self.seconds,
            item_seconds=checked.seconds,
        )


async def _keep(
    request: Request,
    caller: Caller,
    begun: Begun,
    posting: _Posting,
    checked: posted.Checked,
) -> Response:
    desk: Desk = request.app.state.desk
    sheet, move = posting.sheet, posting.move
    sent = posting.sent(checked)
    try:
        step = await desk.write(
            lambda c: _store(called(desk, c, caller.cookie), c, sheet, sent, move)
        )
    except RefusedError:
        return _again(request, await caller_of(request), sheet, "sent_before")
    except StoreError:
        return _page(
            request,
            caller,
            begun,
            sheet,
            status=503,
            typed=checked.typed,
            word="unstored",
        )
    return await _after(request, step, move)


def _reached(caller: Caller, begun: Begun, name: str) -> Sheet | None:
    """Find a page that is shown and was reached; None for any other."""
    for sheet in _sheets(caller, begun):
        if sheet.page.id == name:
            reached = _place(caller.planner, sheet) <= begun.reached
            return sheet if reached else None
    return None


def _own_page(checked: posted.Checked, caller: Caller, name: str) -> bool:
    """Whether what is foreign was on this page when it was opened."""
    own = set(caller.planner.items[name])
    return {n.removeprefix("t_") for n in checked.foreign} <= own


def _refused(request: Request, caller: Caller, word: str, status: int) -> Response:
    return notice(
        request, caller, word, status=status, go_on=True, title="refused_title"
    )


def _again(request: Request, caller: Caller, sheet: Sheet, word: str) -> Response:
    begun = caller.response
    sheets = _sheets(caller, begun) if begun else ()
    found = [s for s in sheets if s.page.id == sheet.page.id]
    if begun is None or not found:
        return _refused(request, caller, "page_changed", 409)
    return _page(request, caller, begun, found[0], status=409, word=word)


async def _after(request: Request, step: _Step, move: str) -> Response:
    if move == "save":
        return onward("/saved")
    if step.finished:
        return onward("/done")
    if not step.word:
        return onward(f"/page/{step.page}")
    fresh = await caller_of(request)
    if fresh.response is None:
        return onward("/")
    found = [s for s in _sheets(fresh, fresh.response) if s.page.id == step.page]
    return _page(request, fresh, fresh.response, found[0], word=step.word)


def _store(
    caller: Caller,
    connection: sa.Connection,
    sheet: Sheet,
    sent: progress.Sent,
    move: str,
) -> _Step:
    """Store a page and find the next one, in one transaction."""
    begun = caller.response
    if begun is None:
        raise StoreError("response: there is none any more.")
    planner = caller.planner
    merged = dict(begun.answers) | dict(sent.values)
    after = {n: v for n, v in merged.items() if v is not None}
    hidden = planner.hidden(after, begun.wave, begun.orders)
    for name in hidden:
        del after[name]
    gone = dict.fromkeys(n for n in hidden if n in begun.answers)
    whole = progress.Sent(
        sent.key,
        sent.page,
        sent.move,
        {n: v for n, v in sent.values.items() if n not in hidden} | gone,
        sent.seconds,
        sent.item_seconds,
    )
    sheets = planner.sheets(after, begun.wave, begun.orders)
    step = _next(planner, sheets, sheet, after, move)
    reached = max(
        begun.reached,
        next((_place(planner, s) for s in sheets if s.page.id == step.page), 1),
    )
    progress.store(
        connection,
        caller.study,
        begun,
        whole,
        page=step.page,
        reached=reached,
        finished=step.finished,
    )
    language = move.removeprefix(_LANGUAGE)
    if move.startswith(_LANGUAGE) and language in caller.instrument.languages:
        progress.speak(connection, begun, language)
    return step


def _next(
    planner: Planner,
    sheets: tuple[Sheet, ...],
    sheet: Sheet,
    answers: Mapping[str, str],
    move: str,
) -> _Step:
    """Find where a person stands after a page, given everything they answered."""
    names = [p.id for p in planner.pages]
    here = names.index(sheet.page.id)
    before = [s for s in sheets if names.index(s.page.id) < here]
    later = [s for s in sheets if names.index(s.page.id) > here]
    own = [s for s in sheets if s.page.id == sheet.page.id]
    if move == "back":
        return _Step((before or own or later)[-1 if before else 0].page.id)
    if move != "next":
        return _Step((own or later or before)[0].page.id)
    seen = {item.id for item in sheet.items}
    if own and any(i.id not in seen and i.id not in answers for i in own[0].items):
        return _Step(sheet.page.id, word="new_questions")
    if later:
        return _Step(later[0].page.id)
    for one in sheets:
        if any(item.required and item.id not in answers for item in one.items):
            return _Step(one.page.id, word="new_questions")
    return _Step(sheet.page.id, finished=True)


async def saved(request: Request) -> Response:
    """Show how to go on later, on any device."""
    desk: Desk = request.app.state.desk
    caller = await caller_of(request)
    if caller.person is None:
        return onward("/")
    code = caller.person.access(desk.key, "resume")
    say = phrases(caller.language(request))
    return show(
        request,
        caller,
        "saved.html.j2",
        heading=say["saved_title"],
        link=f"{desk.url}/i/{code}",
        code=spaced(code),
        receipt=spaced(caller.person.access(desk.key, "receipt")),
    )


async def done(request: Request) -> Response:
    """Thank, name where help is found, and hand out the receipt."""
    desk: Desk = request.app.state.desk
    caller = await caller_of(request)
    begun = caller.response
    if caller.person is None or begun is None or not begun.finished:
        return onward("/")
    instrument, language = caller.instrument, begun.language
    end, wording = instrument.end, instrument.wording
    support = [
        {
            "name": wording(one.name, language),
            "text": wording(one.text, language),
            "url": one.url or "",
        }
        for one in (end.support if end else ())
    ]
    profile = caller.study.settings.profile
    return show(
        request,
        caller,
        "done.html.j2",
        language=language,
        heading=phrases(language)["done_title"],
        text=wording(end.text, language) if end else "",
        support=support,
        back_to=caller.study.settings.back_to,
        profile=views.profile(instrument, language, begun.answers) if profile else (),
        receipt=spaced(caller.person.access(desk.key, "receipt")),
    )
