"""Coming in and going out: invitation, code, consent, leaving, erasing."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from survey.errors import StoreError
from survey.server import posted
from survey.server.desk import called, form_of
from survey.server.guard import elsewhere, genuine, hashed, new_value
from survey.server.showing import notice, onward, show
from survey.server.words import phrases
from survey.store import erasure, people, progress
from survey.store.codes import NONCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.desk import Caller, Desk
    from survey.store.people import Person


#: What may be a code; anything else in a link is not shown again.
_CODE: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


async def caller_of(request: Request) -> Caller:
    """Find out who sent a request."""
    desk: Desk = request.app.state.desk
    cookie = desk.cookie.read(request)
    return await desk.read(lambda c: called(desk, c, cookie))


async def fields_of(request: Request, cookie: str) -> dict[str, str]:
    """Read a form that was opened in this browser.

    Raises
    ------
    BadBodyError
        If it cannot be read, or was opened elsewhere.
    """
    desk: Desk = request.app.state.desk
    fields = await posted.read(request)
    if not genuine(request, desk.key, cookie, fields.pop("csrf", "")):
        raise posted.BadBodyError(403, "forged")
    return fields


async def home(request: Request) -> Response:
    """Lead to where the person stands; ask newcomers for consent or a code."""
    caller = await caller_of(request)
    if caller.response is not None:
        return onward("/done" if caller.response.finished else "/page")
    if caller.wave is None:
        return notice(request, caller, "closed")
    if caller.person is not None or caller.study.settings.open:
        return _consent(request, caller)
    return _code(request, caller)


def _consent(request: Request, caller: Caller) -> Response:
    instrument, language = caller.instrument, caller.language(request)
    consent = instrument.consent
    panel = people.panel_of(caller.study, request.query_params)
    queries = {one: urlencode({**panel, "lang": one}) for one in instrument.languages}
    return show(
        request,
        caller,
        "consent.html.j2",
        heading=phrases(language)["begin"],
        consent=instrument.wording(consent.text, language) if consent else "",
        agree=instrument.wording(consent.agree, language) if consent else "",
        panel=panel if caller.person is None else {},
        queries=queries,
        offer_resume=caller.person is None,
    )


def _code(
    request: Request, caller: Caller, *, wrong: str = "", status: int = 200
) -> Response:
    say = phrases(caller.language(request))
    return show(
        request,
        caller,
        "code.html.j2",
        status=status,
        heading=say["code_title"],
        text="",
        action="/start",
        ask=say["code_ask"],
        hint=say["code_hint"],
        go=say["code_go"],
        error=say[wrong] if wrong else "",
        code="",
        grave=False,
    )


async def resume(request: Request) -> Response:
    """Ask for a code."""
    return _code(request, await caller_of(request))


async def invited(request: Request) -> Response:
    """Show what an invitation link leads to; nothing happens before the button.

    Programs that open links in mails begin no survey. The code is not looked up, so
    that the page is the same whether it works or not.
    """
    caller = await caller_of(request)
    say = phrases(caller.language(request))
    code = request.path_params["code"]
    return show(
        request,
        caller,
        "code.html.j2",
        heading=say["invited_title"],
        text=say["invited_text"],
        action="/start",
        ask=say["code_ask"],
        hint=say["code_hint"],
        go=say["code_go"],
        code=code if _CODE.fullmatch(code) else "",
        error="",
        grave=False,
    )


async def start(request: Request) -> Response:
    """Let a browser stand for the person whose code it has."""
    desk: Desk = request.app.state.desk
    caller = await caller_of(request)
    fields = await fields_of(request, caller.cookie)
    if not desk.tries.allows(request):
        return _code(request, caller, wrong="code_slow", status=429)
    cookie, code = new_value(), fields.get("code", "")
    before = caller.cookie

    def enter(connection: sa.Connection) -> bool:
        person = people.by_code(
            connection, caller.study, desk.key, ("invitation", "resume"), code
        )
        if person is None:
            return False
        people.disconnect(connection, hashed(before))
        people.connect(connection, caller.study, person, hashed(cookie))
        return True

    if not await desk.write(enter):
        return _code(request, caller, wrong="code_wrong", status=422)
    desk.tries.forgive(request)
    response = onward("/")
    desk.cookie.put(response, cookie)
    return response


async def consent(request: Request) -> Response:
    """Begin the wave for someone who agrees; an open study meets them here first."""
    desk: Desk = request.app.state.desk
    caller = await caller_of(request)
    fields = await fields_of(request, caller.cookie)
    if fields.get("agree") != "yes":
        return notice(request, caller, "declined")
    if caller.wave is None:
        return notice(request, caller, "closed", status=409)
    if caller.person is None and not caller.study.settings.open:
        return _code(request, caller, wrong="code_wrong", status=422)
    if caller.person is None and not desk.newcomers.allows(request):
        return notice(request, caller, "code_slow", status=429, title="refused_title")
    wished = fields.get("language", "")
    offered = caller.instrument.languages
    language = wished if wished in offered else caller.language(request)
    panel, cookie = people.panel_of(caller.study, fields), new_value()

    def agree(connection: sa.Connection) -> Person | None:
        fresh = called(desk, connection, caller.cookie)
        person = fresh.person
        wave, admitted = fresh.wave, person or fresh.study.settings.open
        # Conditions may hide every page of a wave: there is nothing to answer then.
        if not (wave and admitted and fresh.planner.sheets({}, wave.number, {})):
            return None
        if person is None:
            person = _newcomer(desk, connection, fresh, panel)
            people.connect(connection, fresh.study, person, hashed(cookie))
        _begin(desk, connection, fresh, person, language)
        return person

    if await desk.write(agree) is None:
        return notice(request, caller, "closed", status=409)
    response = onward("/page")
    if caller.person is None:
        desk.cookie.put(response, cookie)
    return response


def _newcomer(
    desk: Desk, connection: sa.Connection, caller: Caller, panel: Mapping[str, str]
) -> Person:
    """Add someone who came by themselves; a button pressed twice adds one person.

    The browser's cookie up to now, replaced by this, tells the second press.
    """
    nonce = desk.key.sign("newcomer", hashed(caller.cookie))[:NONCE]
    code = desk.key.code("resume", nonce)
    known = people.by_code(connection, caller.study, desk.key, ("resume",), code)
    if known is not None:
        return known
    receipt = desk.key.code("receipt", nonce)
    gone = erasure.erased(connection, caller.study, desk.key, receipt)
    return people.add(
        connection,
        caller.study,
        desk.key,
        invited=False,
        panel=panel,
        nonce=None if gone else nonce,
    )


def _begin(
    desk: Desk,
    connection: sa.Connection,
    caller: Caller,
    person: Person,
    language: str,
) -> None:
    wave = caller.wave or caller.study.waves[-1]
    form = form_of(desk, connection, caller.study, person, wave.instrument)
    planner = desk.planner(connection, wave.instrument, form)
    orders = planner.shuffled()
    first = planner.sheets({}, wave.number, orders)[0].page.id
    progress.begin(
        connection,
        caller.study,
        wave,
        person,
        form=form,
        language=language,
        page=first,
        orders=orders,
    )


async def leave(request: Request) -> Response:
    """Lead away at once; the browser forgets the survey, back shows nothing.

    Waits for nothing, not even for a database that is gone. A link on another site
    leads away too, but takes nobody's place in the survey.
    """
    desk: Desk = request.app.state.desk
    response = onward(desk.leave_url)
    if elsewhere(request):
        return response
    if cookie := desk.cookie.read(request):
        with suppress(StoreError):
            desk.writer.submit(lambda c: people.disconnect(c, hashed(cookie)))
    desk.cookie.drop(response)
    response.headers["clear-site-data"] = '"cache", "cookies", "storage"'
    return response


async def withdraw(request: Request) -> Response:
    """Ask whether to erase; people who are not connected need their receipt."""
    return _withdraw(request, await caller_of(request))


def _withdraw(
    request: Request, caller: Caller, *, wrong: str = "", status: int = 200
) -> Response:
    desk: Desk = request.app.state.desk
    say = phrases(caller.language(request))
    own = caller.person.access(desk.key, "receipt") if caller.person else ""
    return show(
        request,
        caller,
        "code.html.j2",
        status=status,
        heading=say["withdraw_title"],
        text=say["withdraw_text"],
        action="/withdraw",
        ask=say["withdraw_ask"],
        hint=say["receipt_text"],
        go=say["withdraw_go"],
        error=say[wrong] if wrong else "",
        code=own,
        grave=True,
    )


async def erase(request: Request) -> Response:
    """Erase the person of a receipt."""
    desk: Desk = request.app.state.desk
    caller = await caller_of(request)
    fields = await fields_of(request, caller.cookie)
    if not desk.tries.allows(request):
        return _withdraw(request, caller, wrong="code_slow", status=429)
    receipt = fields.get("code", "")

    def remove(connection: sa.Connection) -> bool:
        person = people.by_code(
            connection, caller.study, desk.key, ("receipt",), receipt
        )
        gone = erasure.erased(connection, caller.study, desk.key, receipt)
        if person is not None:
            erasure.erase(connection, caller.study, person, desk.key, by="respondent")
        return gone or person is not None

    if not await desk.write(remove):
        return _withdraw(request, caller, wrong="code_wrong", status=422)
    desk.tries.forgive(request)
    swept = await request.app.state.traces.remove()
    after = await caller_of(request)
    word = "erased" if swept else "erased_soon"
    response = notice(request, after, word, title="erased_title")
    if after.person is None:
        desk.cookie.drop(response)
    return response
