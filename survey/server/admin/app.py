"""The researcher's pages as an ASGI app: its routes, and what follows on a fault."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from survey.errors import RefusedError, StoreError
from survey.server.admin import acting, entering, looking
from survey.server.admin.gate import Gate
from survey.server.admin.office import Office
from survey.server.admin.printing import FOLDER, failed, say, unstored
from survey.server.app import LOOPBACK, Log
from survey.server.guard import Cookie, SafeHeaders
from survey.server.posted import BadBodyError
from survey.server.traces import Traces
from survey.store import studies
from survey.store.codes import key_for
from survey.store.database import connect
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response


def create_admin(
    database: str | Path,
    *,
    url: str = "http://127.0.0.1:8001",
    survey: str = "http://127.0.0.1:8000",
) -> Starlette:
    """Make the researcher's pages of all studies in a database.

    Nobody can log in before ``pushaway admin add``.

    Parameters
    ----------
    database
        Path of a SQLite file, or ``postgresql://user:password@host/name``.
    url
        Address of these pages. With https cookies are sent over https only.
    survey
        Address of the public survey, with which invitation links begin.

    Raises
    ------
    StoreError
        If the database cannot be reached, is of another version, or its key is missing.
    """
    engine = connect(database)
    require_current(engine)
    address = urlsplit(url)
    secure = address.scheme == "https"
    office = Office(
        engine,
        key_for(database, make=not studies.exist(engine)),
        survey.rstrip("/"),
        Cookie.of("admin", secure=secure, strict=True),
        Cookie.of("browser", secure=secure, strict=True),
    )

    traces = Traces(engine)

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        yield
        await traces.close()
        engine.dispose()

    host = address.hostname or LOOPBACK[0]
    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(SafeHeaders, secure=secure),
            Middleware(Log, failed=failed),
            Middleware(
                TrustedHostMiddleware,
                allowed_hosts=list(LOOPBACK) if host in LOOPBACK else [host],
                www_redirect=False,
            ),
            Middleware(Gate, office=office),
        ],
        exception_handlers={
            BadBodyError: _bad_body,
            RefusedError: _refused,
            StoreError: _unstored,
            HTTPException: _no_page,
        },
        lifespan=running,
    )
    # Would lead to an address made of what the request says of host and scheme.
    app.router.redirect_slashes = False
    app.state.office, app.state.traces = office, traces
    return app


def _routes() -> list[Route | Mount]:
    one = "/study/{study}"
    return [
        Route("/login", entering.login),
        Route("/login", entering.enter, methods=["POST"]),
        Route("/logout", entering.leave, methods=["POST"]),
        Route("/", looking.home),
        Route(one, looking.study),
        Route(f"{one}/people", looking.people),
        Route(f"{one}/invitations", looking.invitations),
        Route(f"{one}/invitations", acting.invite, methods=["POST"]),
        Route(f"{one}/links", acting.links, methods=["POST"]),
        Route(f"{one}/cards", acting.cards, methods=["POST"]),
        Route(f"{one}/answers", looking.answers),
        Route(f"{one}/answers", acting.export, methods=["POST"]),
        Route(f"{one}/waves", looking.waves),
        Route(f"{one}/waves", acting.add_wave, methods=["POST"]),
        Route(f"{one}/waves/{{number}}", acting.window, methods=["POST"]),
        Route(f"{one}/erase", acting.ask_erase, methods=["POST"]),
        Route(f"{one}/erased", acting.erase, methods=["POST"]),
        Route("/audit", looking.audit),
        Route("/health", looking.health),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
    ]


async def _bad_body(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, BadBodyError) else 400
    return say(
        request,
        "This form could not be used",
        "It was opened elsewhere or too long ago, or did not arrive whole. Nothing was "
        "done. Open the page again, then send it.",
        status=status,
    )


async def _refused(request: Request, error: Exception) -> Response:
    return say(request, "This cannot be done", str(error), status=404)


async def _no_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return say(
        request,
        "There is no such page",
        "The address leads nowhere. Go on from the list of studies.",
        status=status,
    )


async def _unstored(_: Request, error: Exception) -> Response:
    return unstored(error)
