"""Where answering ends, for now or for good: saved, or done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survey.server import views
from survey.server.entry import caller_of
from survey.server.showing import onward, show
from survey.server.words import phrases
from survey.store.codes import spaced

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.server.desk import Desk


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
