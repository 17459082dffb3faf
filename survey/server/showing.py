"""Print a template as a response, with what every page has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse

from survey.server.guard import new_value, token
from survey.server.views import spoken, templates

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.desk import Caller, Desk


def show(
    request: Request,
    caller: Caller,
    template: str,
    *,
    status: int = 200,
    language: str | None = None,
    leave: bool = True,
    **given: Any,  # noqa: ANN401 - what the template prints
) -> Response:
    """Print a page; a browser without a cookie is given one, for its forms."""
    desk: Desk = request.app.state.desk
    chosen = language or caller.language(request)
    instrument = caller.instrument
    cookie = caller.cookie or new_value()
    safety = instrument.safety
    page = templates().get_template(template)
    body = page.render(
        **spoken(instrument, chosen),
        csrf=token(desk.key, cookie),
        leave=instrument.wording(safety.leave_label, chosen)
        if safety is not None and leave
        else "",
        withdrawable=caller.person is not None,
        switch=_switch(request, caller),
        **given,
    )
    response = HTMLResponse(body, status_code=status)
    if not caller.cookie:
        desk.cookie.put(response, cookie)
    return response


def _switch(request: Request, caller: Caller) -> dict[str, str]:
    """Offer other languages where an address leads to the page again.

    Who has begun keeps the language of their answers.
    """
    if request.method != "GET" or caller.response is not None:
        return {}
    return {one: urlencode({"lang": one}) for one in caller.instrument.languages}


def notice(
    request: Request,
    caller: Caller,
    word: str,
    *,
    status: int = 200,
    link: str = "",
    link_word: str = "go_on",
    title: str | None = None,
) -> Response:
    """Say one thing: the phrases ``<word>_title`` and ``<word>_text``."""
    say = spoken(caller.instrument, caller.language(request))["say"]
    return show(
        request,
        caller,
        "notice.html.j2",
        status=status,
        heading=say[title or f"{word}_title"],
        text=say.get(f"{word}_text", say.get(word, "")),
        link=link,
        link_text=say[link_word],
    )


def onward(path: str) -> Response:
    """Lead on to another page, to be fetched with GET."""
    return RedirectResponse(path, status_code=303)
