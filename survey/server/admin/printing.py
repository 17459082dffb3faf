"""Print the researcher's templates, with what every page has."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from survey.server.guard import new_value, token

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from survey.server.admin.office import Office

FOLDER: Final = Path(__file__).parent
_LOG: Final = logging.getLogger("pushaway.admin")


@cache
def templates() -> Environment:
    """Open the templates; everything they print is escaped."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["moment"] = moment
    return found


def moment(at: datetime | None, nothing: str = "") -> str:
    """Spell a time, which is UTC."""
    return nothing if at is None else f"{at:%Y-%m-%d %H:%M}"


def show(
    request: Request,
    template: str,
    *,
    heading: str,
    status: int = 200,
    **given: Any,  # noqa: ANN401 - what the template prints
) -> Response:
    """Print a page; a browser without a cookie is given one, for its forms."""
    office: Office = request.app.state.office
    known: str = getattr(request.state, "cookie", "")
    cookie = known or new_value()
    body = (
        templates()
        .get_template(template)
        .render(
            heading=heading,
            who=getattr(request.state, "who", ""),
            all_studies=getattr(request.state, "all_studies", False),
            csrf=token(office.key, cookie),
            study=given.pop("study", ""),
            **given,
        )
    )
    response = HTMLResponse(body, status_code=status)
    if not known:
        office.cookie.put(response, cookie)
    return response


def say(
    request: Request, heading: str, text: str, *, status: int = 200, study: str = ""
) -> Response:
    """Say one thing."""
    return show(
        request,
        "notice.html.j2",
        heading=heading,
        status=status,
        study=study,
        text=text,
    )


def onward(path: str) -> Response:
    """Lead on to another page, to be fetched with GET."""
    return RedirectResponse(path, status_code=303)


def attachment(content: str, name: str) -> Response:
    """Hand a table over as a file, marked as UTF-8 for spreadsheets."""
    return Response(
        content.encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def failed(status: int) -> Response:
    """Say that the database cannot be used (503), or that something went wrong.

    Wants neither the database nor a session.
    """
    gone = status == 503  # noqa: PLR2004 - no database
    body = (
        templates()
        .get_template("notice.html.j2")
        .render(
            heading="The database cannot be used just now"
            if gone
            else "Something went wrong",
            text="Nothing was done. Try again in a moment; the log of this program "
            "says why."
            if gone
            else "The fault is ours. Look at what was done before you try again; the "
            "log of this program says where it arose.",
            who="",
            all_studies=False,
            csrf="",
            study="",
            home=True,
        )
    )
    return HTMLResponse(body, status, headers={"retry-after": "5"} if gone else None)


def unstored(error: Exception) -> Response:
    """Say that the database cannot be used, and log why."""
    _LOG.error("%s", error)
    return failed(503)
