"""The pages of the questionnaire: shown, checked, stored, in their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
_MOVES: Final = frozenset({"next", "back", "save"})
_LANGUAGE: Final = "language:"


async def current(request: Request) -> Response:
    """Lead to the page a person stands on: at its own address, back leads back."""
    caller = await caller_of(request)
    if caller.response is None:
        return onward("/")
    if caller.response.finished:
        return onward("/done")
    sheet = _standing(_sheets(caller, caller.response), caller)
    if _reached(caller, caller.response, sheet.page.id) is not None:
        return onward(f"/page/{sheet.page.id}")
    return _page(request, caller, caller.response, sheet)


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
    key: str = "",
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
        key=key or page_key(desk.key, begun.id, sheet.page.id),
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


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a page is not taken: a phrase and a status."""

    word: str
    status: int


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A page with answers that cannot be taken."""

    sheet: Sheet
    checked: posted.Checked


async def send(request: Request) -> Response:
    """Check and store a page; say so only when it is on the disk."""
    desk: Desk = request.app.state.desk
    cookie = desk.cookie.read(request)
    fields = await fields_of(request, cookie)
    name = request.path_params["page"]
    try:
        caller, found = await desk.write(
            lambda c: _take(called(desk, c, cookie), desk, c, name, fields)
        )
    except RefusedError:
        return _again(request, await caller_of(request), name, "sent_before")
    except StoreError:
        return _unstored(request, await caller_of(request), name, fields)
    if isinstance(found, _Refusal):
        return _refused(request, caller, found.word, found.status)
    if isinstance(found, _Wrong) and caller.response is not None:
        return _page(
            request,
            caller,
            caller.response,
            found.sheet,
            status=422,
            problems=found.checked.problems,
            typed=found.checked.typed,
        )
    if isinstance(found, _Step):
        return await _after(request, found, fields.get("move", "next"))
    return onward("/")


def _take(
    caller: Caller,
    desk: Desk,
    connection: sa.Connection,
    name: str,
    fields: Mapping[str, str],
) -> tuple[Caller, _Step | _Refusal | _Wrong]:
    """Check a page against what its sender sees and store it, in one transaction."""
    begun = caller.response
    if begun is None:
        word = "closed" if caller.wave is None else "forged"
        return caller, _Refusal(word, 409)
    single, seconds = open_key(desk.key, begun.id, name, fields.get("key", ""))
    if not single:
        raise posted.BadBodyError(403, "forged")
    sheet = _reached(caller, begun, name)
    if sheet is None:
        return caller, _Refusal("page_changed", 409)
    move = fields.get("move", "next")
    switches = {f"{_LANGUAGE}{one}" for one in caller.instrument.languages}
    if move not in _MOVES | switches:
        return caller, _Refusal("bad_form", 400)
    checked = posted.check(
        fields, sheet, caller.instrument, own=OWN, complete=move == "next"
    )
    if checked.foreign:
        word = "page_changed" if _own_page(checked, caller, name) else "bad_form"
        return caller, _Refusal(word, 400)
    checked = _still_asked(checked, caller.planner, begun)
    if checked.problems and move == "next":
        return caller, _Wrong(sheet, checked)
    sent = progress.Sent(
        key=single,
        page=name,
        move=move.split(":", maxsplit=1)[0],
        values=checked.values,
        seconds=seconds,
        item_seconds=checked.seconds,
    )
    return caller, _store(caller, begun, connection, sheet, sent, move=move)


def _still_asked(
    checked: posted.Checked, planner: Planner, begun: Begun
) -> posted.Checked:
    """Leave out what is wrong with questions that the other answers hide."""
    merged = dict(begun.answers) | dict(checked.values)
    known = {n: v for n, v in merged.items() if v is not None}
    for name in planner.hidden(known, begun.wave, begun.orders):
        del known[name]
    sheets = planner.sheets(known, begun.wave, begun.orders)
    shown = {item.id for sheet in sheets for item in sheet.items}
    asked = tuple(one for one in checked.problems if one.item in shown)
    return replace(checked, problems=asked)


def _unstored(
    request: Request, caller: Caller, name: str, fields: Mapping[str, str]
) -> Response:
    """Show a page that could not be stored, with everything that was typed.

    It keeps its key: should it have been stored after all, it is not stored again.
    """
    desk: Desk = request.app.state.desk
    begun = caller.response
    sheet = _reached(caller, begun, name) if begun else None
    if begun is None or sheet is None:
        return _refused(request, caller, "page_changed", 409)
    key = fields.get("key", "")
    return _page(
        request,
        caller,
        begun,
        sheet,
        status=503,
        typed={item.id: fields.get(item.id, "") for item in sheet.items},
        word="unstored",
        key=key if open_key(desk.key, begun.id, name, key)[0] else "",
    )


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


def _again(request: Request, caller: Caller, name: str, word: str) -> Response:
    begun = caller.response
    sheets = _sheets(caller, begun) if begun else ()
    found = [s for s in sheets if s.page.id == name]
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
    begun: Begun,
    connection: sa.Connection,
    sheet: Sheet,
    sent: progress.Sent,
    *,
    move: str,
) -> _Step:
    """Store a page and find the next one."""
    planner = caller.planner
    merged = dict(begun.answers) | dict(sent.values)
    after = {n: v for n, v in merged.items() if v is not None}
    hidden = planner.hidden(after, begun.wave, begun.orders)
    for name in hidden:
        del after[name]
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
        sent,
        page=step.page,
        reached=reached,
        finished=step.finished,
        hidden=hidden,
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
