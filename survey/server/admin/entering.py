"""Log in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool

from survey.server import crowd
from survey.server.admin import accounts, journal
from survey.server.admin.gate import fields_of
from survey.server.admin.printing import onward, show

if TYPE_CHECKING:
    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.admin.office import Office

_WRONG = "The name or the password is wrong."
_SLOW = "Too many tries from here. Wait five minutes, then try again."
_CROWDED = "Many try to log in just now. Wait some seconds, then try again."
#: Seconds that a browser is known in which someone logged in.
_KNOWN: Final = 180 * 86_400
#: Refused tries that are noted in a window of time; the rest only slows others down.
_NOTED: Final = 100


async def login(request: Request) -> Response:
    """Ask for name and password; says nothing of what is behind."""
    return onward("/") if request.state.who else _ask(request)


def _ask(
    request: Request, wrong: str = "", status: int = 200, later: int = 0
) -> Response:
    response = show(
        request, "login.html.j2", heading="Log in", status=status, wrong=wrong
    )
    if later:
        response.headers["retry-after"] = str(later)
    return response


async def enter(request: Request) -> Response:
    """Begin a session under a new cookie, if name and password are right."""
    office: Office = request.app.state.office
    fields = await fields_of(request)
    name, password = fields.get("name", "").strip(), fields.get("password", "")
    cookie = office.browser.read(request)
    browser = cookie if crowd.marked(office.key, cookie, name) else ""
    if not office.tries.allows(request, browser):
        return _ask(request, _SLOW, 429, later=300)
    try:
        async with office.hashing if browser else office.crowd.turn(name):
            known = await office.read(lambda c: accounts.stored(c, name))
            right = await run_in_threadpool(accounts.right, known, password)
    except crowd.CrowdedError:
        office.tries.forgive(request, browser)
        return _ask(request, _CROWDED, 429, later=5)
    value = await _begin(request, name) if right else ""
    if not value:
        await _note_refusal(office, office.crowd.failed(name))
        return _ask(request, _WRONG, 422)
    office.tries.forgive(request, browser)
    response = onward("/")
    office.cookie.put(response, value)
    office.browser.put(response, crowd.mark(office.key, name), seconds=_KNOWN)
    return response


async def _begin(request: Request, name: str) -> str:
    """Begin a session in place of the one there was; empty for who was removed."""
    office: Office = request.app.state.office
    before = request.state.cookie

    def begin(connection: sa.Connection) -> str:
        accounts.log_out(connection, before)
        value = accounts.log_in(connection, name)
        if value:
            journal.note(connection, name, "log in")
        return value

    return await office.write(begin)


async def _note_refusal(office: Office, count: int) -> None:
    """Note a refused try; of very many only the first, so that the disk stays free."""
    detail = "those that follow are not noted" if count == _NOTED else ""
    if count <= _NOTED:
        await office.write(
            lambda c: journal.note(c, "nobody", "log in refused", detail)
        )


async def leave(request: Request) -> Response:
    """End the session, here and on the server."""
    office: Office = request.app.state.office
    await fields_of(request)
    who, cookie = request.state.who, request.state.cookie

    def end(connection: sa.Connection) -> None:
        accounts.log_out(connection, cookie)
        journal.note(connection, who, "log out")

    await office.write(end)
    response = onward("/login")
    office.cookie.drop(response)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response
