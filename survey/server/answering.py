"""The pages of the questionnaire: shown, checked, stored, in their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from survey.errors import RefusedError, StoreError
from survey.server import posted
from survey.server.asking import (
    TOLD,
    Shown,
    ask,
    reached,
    sheets_of,
    standing,
    tokens,
)
from survey.server.desk import called
from survey.server.entry import caller_of, fields_of
from survey.server.guard import open_key
from survey.server.plan import Sheet
from survey.server.showing import notice, onward
from survey.store import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.desk import Caller, Desk
    from survey.server.plan import Planner
    from survey.store.progress import Response as Begun

#: Fields of a page that are not answers.
OWN: Final = frozenset({"csrf", "key", "move", TOLD})
_MOVES: Final = frozenset({"next", "back", "save"})
_LANGUAGE: Final = "language:"
#: Said in the address of a page that shows more questions than when it was sent.
_MORE: Final = "more"


async def current(request: Request) -> Response:
    """Lead to the page a person stands on: at its own address, back leads back."""
    caller = await caller_of(request)
    if caller.response is None:
        return onward("/")
    if caller.response.finished:
        return onward("/done")
    return onward(f"/page/{standing(caller, caller.response).page.id}")


async def page(request: Request) -> Response:
    """Show a page that a person has reached; lead those who have not to theirs."""
    caller = await caller_of(request)
    if caller.response is None or caller.response.finished:
        return onward("/")
    sheet = reached(caller, caller.response, request.path_params["page"])
    if sheet is None:
        return onward("/page")
    word = "new_questions" if _MORE in request.query_params else ""
    return ask(request, caller, caller.response, sheet, Shown(word=word))


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a person stands after a page was stored; `more` for new questions on it."""

    page: str
    finished: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a page is not taken: a phrase and a status."""

    word: str
    status: int


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A page with answers that cannot be taken; the others are, on any way but next."""

    checked: posted.Checked
    rest_stored: bool


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
        return _again(request, await caller_of(request), name)
    except StoreError:
        return _unstored(request, await caller_of(request), name, fields)
    if isinstance(found, _Refusal):
        return _refused(request, caller, found)
    if isinstance(found, _Wrong):
        return await _corrected(request, name, found)
    if fields.get("move") == "save":
        return onward("/saved")
    more = f"?{_MORE}" if found.more else ""
    return onward("/done" if found.finished else f"/page/{found.page}{more}")


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
        return caller, _stranger(caller)
    single, seconds = open_key(desk.key, begun.id, name, fields.get("key", ""))
    if not single:
        raise posted.BadBodyError(403, "forged")
    move = fields.get("move", "next")
    switches = {f"{_LANGUAGE}{one}" for one in caller.instrument.languages}
    if move not in _MOVES | switches:
        return caller, _Refusal("bad_form", 400)
    sheet = reached(caller, begun, name)
    checked = _checked(caller, begun, sheet or _whole(caller, name), fields)
    sent = progress.Sent(
        key=single,
        page=name,
        move=move.split(":", maxsplit=1)[0],
        values=checked.values,
        seconds=seconds,
        item_seconds=checked.seconds,
    )
    refusal = _refusal(caller, begun, sheet, checked)
    forward = move == "next" and bool(checked.problems)
    if (refusal or forward) and _sent_before(caller, connection, sent, fields):
        return caller, _lead(caller, begun, name, move)
    if refusal is not None or sheet is None:
        return caller, refusal or _Refusal("page_changed", 409)
    if forward:
        return caller, _Wrong(checked, rest_stored=False)
    told = set(tokens(checked)) <= set(fields.get(TOLD, "").split())
    step = _store(caller, begun, connection, sheet, sent, move=move if told else "save")
    if move.startswith(_LANGUAGE):
        progress.speak(connection, begun, move.removeprefix(_LANGUAGE))
    return caller, step if told else _Wrong(checked, rest_stored=True)


def _stranger(caller: Caller) -> _Refusal:
    """Say why a page of somebody who is not answering now is not taken."""
    if caller.wave is None:
        return _Refusal("closed", 409)
    return _Refusal("forged" if caller.person is not None else "visit_ended", 409)


def _refusal(
    caller: Caller, begun: Begun, sheet: Sheet | None, checked: posted.Checked
) -> _Refusal | None:
    """Say why a page is not taken, whatever was answered on it."""
    if begun.finished:
        return _Refusal("finished", 409)
    if sheet is None:
        return _Refusal("page_changed", 409)
    if checked.foreign:
        own = _own_page(checked, caller, sheet.page.id)
        return _Refusal("page_changed" if own else "bad_form", 400)
    return None


def _whole(caller: Caller, name: str) -> Sheet:
    """Take a page with all its items, shown or not."""
    planner = caller.planner
    found = next((p for p in planner.pages if p.id == name), planner.pages[0])
    items = planner.items[found.id]
    return Sheet(found, tuple(map(caller.instrument.item, items)))


def _sent_before(
    caller: Caller,
    connection: sa.Connection,
    sent: progress.Sent,
    fields: Mapping[str, str],
) -> bool:
    """Whether just this was sent and stored; what the page shows may differ by now."""
    found = posted.check(
        fields, _whole(caller, sent.page), caller.instrument, own=OWN, complete=False
    )
    return progress.repeated(connection, replace(sent, values=found.values))


def _lead(caller: Caller, begun: Begun, name: str, move: str) -> _Step:
    """Lead on from a page that was stored before."""
    if begun.finished:
        return _Step(name, finished=True)
    sheet = reached(caller, begun, name)
    if sheet is None:
        return _Step(standing(caller, begun).page.id)
    if move == "next" and begun.page == name:
        more = any(item.id not in begun.answers for item in sheet.items)
        return _Step(name, more=more)
    return _next(caller.planner, sheets_of(caller, begun), sheet, begun.answers, move)


def _checked(
    caller: Caller, begun: Begun, sheet: Sheet, fields: Mapping[str, str]
) -> posted.Checked:
    """Check a page; leave out what is wrong with questions other answers hide."""
    complete = fields.get("move", "next") == "next"
    checked = posted.check(fields, sheet, caller.instrument, own=OWN, complete=complete)
    if not checked.problems:
        return checked
    planner = caller.planner
    merged = dict(begun.answers) | dict(checked.values)
    known = {n: v for n, v in merged.items() if v is not None}
    for name in planner.hidden(known, begun.wave, begun.orders):
        del known[name]
    sheets = planner.sheets(known, begun.wave, begun.orders)
    shown = {item.id for one in sheets for item in one.items}
    asked = tuple(one for one in checked.problems if one.item in shown)
    return replace(checked, problems=asked)


async def _corrected(request: Request, name: str, wrong: _Wrong) -> Response:
    """Show a page again with what was typed, and what is wrong with it."""
    caller = await caller_of(request)
    begun = caller.response
    sheet = reached(caller, begun, name) if begun else None
    if begun is None or sheet is None:
        return _refused(request, caller, _Refusal("page_changed", 409))
    shown = Shown(
        status=422,
        problems=wrong.checked.problems,
        typed=wrong.checked.typed,
        rest_stored=wrong.rest_stored,
    )
    return ask(request, caller, begun, sheet, shown)


def _unstored(
    request: Request, caller: Caller, name: str, fields: Mapping[str, str]
) -> Response:
    """Show a page that could not be stored, with everything that was typed.

    It keeps its key: should it have been stored after all, it is not stored again.
    """
    desk: Desk = request.app.state.desk
    begun = caller.response
    sheet = reached(caller, begun, name) if begun else None
    if begun is None or sheet is None:
        return _refused(request, caller, _Refusal("page_changed", 409))
    key = fields.get("key", "")
    shown = Shown(
        status=503,
        typed={item.id: fields.get(item.id, "") for item in sheet.items},
        word="unstored",
        key=key if open_key(desk.key, begun.id, name, key)[0] else "",
    )
    return ask(request, caller, begun, sheet, shown)


def _own_page(checked: posted.Checked, caller: Caller, name: str) -> bool:
    """Whether what is foreign was on this page when it was opened."""
    own = set(caller.planner.items[name])
    return {n.removeprefix("t_") for n in checked.foreign} <= own


def _refused(request: Request, caller: Caller, found: _Refusal) -> Response:
    """Say why a page is not taken, and where to go on."""
    word, status = found.word, found.status
    if word == "finished":
        return notice(
            request, caller, word, status=status, link="/done", link_word="to_end"
        )
    if word == "visit_ended":
        return notice(
            request, caller, word, status=status, link="/resume", link_word="resume_go"
        )
    title = "refused_title"
    return notice(request, caller, word, status=status, link="/", title=title)


def _again(request: Request, caller: Caller, name: str) -> Response:
    """Show a page that was sent before with other answers, as it is stored."""
    begun = caller.response
    if begun is not None and begun.finished:
        return _refused(request, caller, _Refusal("finished", 409))
    sheet = reached(caller, begun, name) if begun else None
    if begun is None or sheet is None:
        return _refused(request, caller, _Refusal("page_changed", 409))
    return ask(request, caller, begun, sheet, Shown(status=409, word="sent_before"))


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
    if move == "next":
        step = _opened(caller, begun, sheet, sheets, after) or step
    stored = progress.store(
        connection,
        caller.study,
        begun,
        sent,
        page=step.page,
        reached=max(begun.reached, planner.place(step.page)),
        finished=step.finished,
        hidden=hidden,
    )
    return step if stored else _lead(caller, begun, sheet.page.id, move)


def _opened(
    caller: Caller,
    begun: Begun,
    sheet: Sheet,
    sheets: tuple[Sheet, ...],
    answers: Mapping[str, str],
) -> _Step | None:
    """Find an earlier part of a shuffled page that an answer gives more questions."""
    slots = caller.planner.slots
    page, here, _ = slots[sheet.page.id]
    earlier = [s for s in sheets if slots[s.page.id][0] == page]
    earlier = [s for s in earlier if slots[s.page.id][1] < here]
    if not sheet.page.random_order or not earlier:
        return None
    shown = {item.id for one in sheets_of(caller, begun) for item in one.items}
    for one in earlier:
        if any(i.id not in shown and i.id not in answers for i in one.items):
            return _Step(one.page.id, more=True)
    return None


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
        return _Step(sheet.page.id, more=True)
    if later:
        return _Step(later[0].page.id)
    for one in sheets:
        if any(item.required and item.id not in answers for item in one.items):
            return _Step(one.page.id, more=True)
    return _Step(sheet.page.id, finished=True)
