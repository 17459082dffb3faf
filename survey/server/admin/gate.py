"""Nobody passes without a login: every route is closed but those named here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from survey.errors import StoreError
from survey.server import posted
from survey.server.admin import accounts
from survey.server.admin.printing import onward, unstored
from survey.server.guard import genuine

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from survey.server.admin.office import Office

#: What anyone may ask for.
_OPEN: Final = frozenset({"/login", "/static/admin.css", "/static/icon.svg", "/health"})


class Gate:
    """Find out whose session a request belongs to; lead all others to the login."""

    def __init__(self, app: ASGIApp, *, office: Office) -> None:
        self._app = app
        self._office = office

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or do not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        office, request = self._office, Request(scope)
        cookie = office.cookie.read(request)
        try:
            visitor = await office.read(lambda c: accounts.logged_in(c, cookie))
            if visitor.aging:
                await office.write(lambda c: accounts.prolong(c, cookie))
        except StoreError as error:
            await unstored(error)(scope, receive, send)
            return
        scope.setdefault("state", {}).update(
            who=visitor.name, all_studies=visitor.all_studies, cookie=cookie
        )
        if visitor.name or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
        else:
            await onward("/login")(scope, receive, send)


async def fields_of(request: Request) -> dict[str, str]:
    """Read a form that was opened in this browser, in this session.

    Raises
    ------
    BadBodyError
        If it cannot be read, or was opened elsewhere.
    """
    office: Office = request.app.state.office
    fields = await posted.read(request)
    given = fields.pop("csrf", "")
    if not genuine(request, office.key, request.state.cookie, given):
        raise posted.BadBodyError(403, "forged")
    return fields
