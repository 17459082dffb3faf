"""How both apps are run: one process, quiet logs, limits on what one client can hold.

Put a web server that speaks https in front of either (see the README), and name it as
the trusted proxy, so that tries are counted by the address of the people behind it.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import time
from typing import TYPE_CHECKING, Final

import uvicorn

from survey.errors import RefusedError
from survey.server.connection import Connection

if TYPE_CHECKING:
    from starlette.applications import Starlette

#: Connections and requests at a time; more get a plain 503 and may try again.
CONCURRENT: Final = 1000
#: Seconds: an idle connection is kept, running requests may end after a stop.
_KEEP: Final = 10
_FINISH: Final = 15
#: Bytes of the head of a request at most.
_HEAD: Final = 32 * 1024
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


class Line(logging.Formatter):
    """One line an event, in UTC; nothing that is logged can begin another line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Spell control characters; tracebacks keep only the kind of error."""
        record.exc_text = None
        kind = record.exc_info[0] if record.exc_info else None
        plain = logging.makeLogRecord({**record.__dict__, "exc_info": None})
        said = super().format(plain)
        said = f"{said.splitlines()[0]} ({kind.__name__})" if kind else said
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", said)


def logs() -> None:
    """Write what both apps and the web server say to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line())
    for name in ("pushaway", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    logging.getLogger("uvicorn.access").disabled = True


def configured(app: Starlette, proxy: str | None = None) -> uvicorn.Config:
    """Set the web server up.

    Parameters
    ----------
    proxy
        Addresses of web servers in front, comma-separated; only what they say about
        the address of a client is believed.
    """
    return uvicorn.Config(
        app,
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        limit_concurrency=CONCURRENT,
        timeout_keep_alive=_KEEP,
        timeout_graceful_shutdown=_FINISH,
        h11_max_incomplete_event_size=_HEAD,
        ws="none",
        lifespan="on",
    )


def listening(host: str, port: int) -> socket.socket:
    """Take a port.

    Raises
    ------
    RefusedError
        If it is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RefusedError(
            f"address {host}, port {port}: {reason}. Choose another with --host or "
            "--port."
        ) from error


def run(app: Starlette, taken: socket.socket, proxy: str | None = None) -> None:
    """Answer requests until the process is told to stop; accepted writes are kept."""
    logs()
    server = uvicorn.Server(configured(app, proxy))
    server.run(sockets=[taken])
    if not server.started:
        raise RefusedError("server: could not start; the log above says why.")
