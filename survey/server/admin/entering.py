"""Log in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey.server.admin import accounts, journal
from survey.server.admin.gate import fields_of
from survey.server.admin.printing import onward, show

if TYPE_CHECKING:
    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.admin.office import Office

_WRONG = "The name or the password is wrong."
_SLOW = "Too many tries. Wait five minutes, then try again."


async def login(request: Request) -> Response:
    """Ask for name and password; says nothing of what is behind."""
    return onward("/") if request.state.who else _ask(request)


def _ask(request: Request, wrong: str = "", status: int = 200) -> Response:
    response = show(
        request, "login.html.j2", heading="Log in", status=status, wrong=wrong
    )
    if status == 429:  # noqa: PLR2004 - too many requests
        response.headers["retry-after"] = "300"
    return response


async def enter(request: Request) -> Response:
    """Begin a session under a new cookie, if name and password are right."""
    office: Office = request.app.state.office
    fields = await fields_of(request)
    if not office.tries.allows(request):
        return _ask(request, _SLOW, 429)
    name, password = fields.get("name", "").strip(), fields.get("password", "")
    before = request.state.cookie
    async with office.hashing:
        right = await office.read(lambda c: accounts.right(c, name, password))

    def begin(connection: sa.Connection) -> str:
        accounts.log_out(connection, before)
        value = accounts.log_in(connection, name) if right else ""
        if value:
            journal.note(connection, name, "log in")
        else:
            journal.note(connection, "nobody", "log in refused")
        return value

    value = await office.write(begin)
    if not value:
        return _ask(request, _WRONG, 422)
    office.tries.forgive(request)
    response = onward("/")
    office.cookie.put(response, value)
    return response


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
