"""The public survey as an ASGI app: its routes, and what is done when one fails."""

from __future__ import annotations

import logging
import time
import traceback
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from survey.errors import RefusedError, StoreError, SurveyError
from survey.server import answering, ending, entry
from survey.server.desk import Desk
from survey.server.entry import caller_of
from survey.server.guard import Cookie, SafeHeaders
from survey.server.posted import BadBodyError
from survey.server.showing import notice
from survey.server.traces import Traces
from survey.server.views import FOLDER, templates
from survey.server.words import direction, phrases
from survey.store import studies
from survey.store.codes import key_for
from survey.store.database import connect, writing
from survey.store.versions import require_current
from survey.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from survey.instrument import Instrument

_LOG = logging.getLogger("pushaway.survey")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "testserver")
_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)
#: Lines of an exception's way that are noted.
_FRAMES: Final = 12


def create_app(
    instrument: Instrument,
    database: str | Path,
    *,
    study: str = "main",
    settings: studies.Settings | None = None,
    url: str = "http://127.0.0.1:8000",
) -> Starlette:
    """Make the public survey of a study; begins the study where there is none.

    Parameters
    ----------
    instrument
        The questionnaire; must be the one a wave began with, or differ in nothing
        anybody answers differently to.
    database
        Path of a SQLite file, or ``postgresql://user:password@host/name``.
    study
        Name of the study in the database.
    settings
        How a new study is run; an existing one keeps its own.
    url
        Address people see. With https cookies are sent over https only.

    Raises
    ------
    RefusedError
        If the current wave began with another questionnaire.
    StoreError
        If the database cannot be reached, is of another version, or its key is missing.
    """
    if taken := sorted(answering.OWN & set(instrument.item_ids)):
        raise RefusedError(
            f"items: {', '.join(taken)} is the name of a field that every page of the "
            "web survey has itself. Give the item another id."
        )
    engine = connect(database)
    require_current(engine)
    key = key_for(database, make=not studies.exist(engine))
    with writing(engine) as connection:
        try:
            found = studies.find(connection, study)
        except SurveyError:
            chosen = settings or studies.Settings(open=True)
            found = studies.begin(connection, study, instrument, chosen, key)
        studies.require_key(connection, study, key)
        _, said = studies.field(connection, found, instrument)
    if said:
        _LOG.info("%s", said)
    address = urlsplit(url)
    secure = address.scheme == "https"
    writer = Writer(engine)
    desk = Desk(
        engine,
        writer,
        key,
        study,
        url.rstrip("/"),
        Cookie.of("survey", secure=secure),
        instrument.safety.leave_url if instrument.safety is not None else "/",
    )

    traces = Traces(engine)

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        with writer:
            await traces.begin()
            yield
            await traces.close()
        engine.dispose()

    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(SafeHeaders, secure=secure),
            Middleware(Log),
            Middleware(
                TrustedHostMiddleware,
                allowed_hosts=_hosts(address.hostname),
                www_redirect=False,
            ),
        ],
        exception_handlers={
            BadBodyError: _bad_body,
            StoreError: _unstored,
            HTTPException: _no_page,
        },
        lifespan=running,
    )
    # Would lead to an address made of what the request says of host and scheme.
    app.router.redirect_slashes = False
    app.state.desk, app.state.traces = desk, traces
    return app


def _hosts(host: str | None) -> list[str]:
    """Hosts the survey answers to: its own, and this machine's when it is tried out."""
    name = host or "127.0.0.1"
    return list(LOOPBACK) if name in LOOPBACK else [name]


def _routes() -> list[Route | Mount]:
    return [
        Route("/", entry.home),
        Route("/i/{code}", entry.invited),
        Route("/resume", entry.resume),
        Route("/start", entry.start, methods=["POST"]),
        Route("/consent", entry.consent, methods=["POST"]),
        Route("/page", answering.current),
        Route("/page/{page}", answering.page),
        Route("/page/{page}", answering.send, methods=["POST"]),
        Route("/saved", ending.saved),
        Route("/done", ending.done),
        Route("/leave", entry.leave),
        Route("/withdraw", entry.withdraw),
        Route("/withdraw", entry.erase, methods=["POST"]),
        Route("/health", health),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
    ]


async def health(request: Request) -> Response:
    """Say whether the database can be read; nothing else."""
    desk: Desk = request.app.state.desk
    await desk.read(lambda c: studies.find(c, desk.study))
    return Response("ok\n", media_type="text/plain")


async def _bad_body(request: Request, error: Exception) -> Response:
    if not isinstance(error, BadBodyError):
        raise error
    return await _refusal(request, error.word, error.status, "refused_title")


async def _no_page(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    response = await _refusal(request, "not_found", error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _refusal(
    request: Request, word: str, status: int, title: str | None = None
) -> Response:
    """Say why something was refused, also when the database is gone."""
    try:
        caller = await caller_of(request)
    except StoreError:
        return _bare(title or f"{word}_title", f"{word}_text", status)
    return notice(request, caller, word, status=status, link="/", title=title)


async def _unstored(_: Request, error: Exception) -> Response:
    _LOG.error("%s", error)
    return _failed(503)


def _failed(status: int) -> Response:
    """Say that nothing was stored (503), or that something went wrong."""
    text = "unstored" if status == 503 else "fault_text"  # noqa: PLR2004 - no database
    return _bare("fault_title", text, status)


def _bare(title: str, text: str, status: int) -> Response:
    """Say that something failed, without the database."""
    say = phrases("en")
    body = (
        templates()
        .get_template("notice.html.j2")
        .render(
            title="",
            lang="en",
            direction=direction("en"),
            say=say,
            leave="",
            withdrawable=False,
            heading=say[title],
            text=say.get(text, say.get(text.removesuffix("_text"), "")),
            link="",
            link_text="",
        )
    )
    return HTMLResponse(body, status, headers={"retry-after": "5"})


class Log:
    """One line a request: method, route, status, time; no address, code or answer.

    Catches what nobody foresaw: the message of an exception may hold an answer, so only
    its kind and where it arose are noted. `failed` makes the page that says so.
    """

    def __init__(
        self, app: ASGIApp, failed: Callable[[int], Response] = _failed
    ) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(str(message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except StoreError as error:
            _LOG.error("%s", error)
            if not status:
                await self._failed(503)(scope, receive, noting)
        except Exception as error:  # noqa: BLE001 - the last resort
            _LOG.error("fault: %s", _whereabouts(error))
            if not status:
                await self._failed(500)(scope, receive, noting)
        method = scope["method"] if scope["method"] in _METHODS else "-"
        route = getattr(scope.get("route"), "path", "-")
        spent = (time.perf_counter() - begun) * 1000
        _LOG.info("%s %s %d %.0f ms", method, route, status, spent)


def _whereabouts(error: BaseException) -> str:
    """Name the kind of an exception, its cause's, and the lines it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    lines = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    cause = error.__cause__ or error.__context__
    kinds = [type(e).__name__ for e in (error, cause) if e is not None]
    return f"{' from '.join(kinds)} at {' < '.join(reversed(lines))}"
