"""What stands between the net and the survey: headers, cookies, forged forms, tries."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from survey.store.codes import Key

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
}
_YEAR: Final = 31_536_000
_COOKIE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
#: Longest a page may have been open, in seconds.
_OPEN: Final = 30 * 86_400
#: Addresses that are remembered at most; the one not seen for longest is forgotten.
_REMEMBERED: Final = 20_000
#: Bits of an IPv6 address that its owner chooses.
_INTERFACE: Final = 64


class SafeHeaders:
    """Put the headers that keep a page to itself on every response."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if secure:
            self._headers["strict-transport-security"] = f"max-age={_YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] == "http":
            await self._app(scope, receive, with_headers)
        else:
            await self._app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Cookie:
    """The cookie of a site; its value is random and says nothing.

    Attributes
    ----------
    name
        ``__Host-`` keeps it to this host; wants https.
    secure
        Whether it is sent over https only.
    strict
        Whether it is sent with links from elsewhere: the researcher's is not.
    """

    name: str
    secure: bool
    strict: bool = False

    @classmethod
    def of(cls, name: str, *, secure: bool, strict: bool = False) -> Cookie:
        """Name a cookie."""
        return cls(f"__Host-{name}" if secure else name, secure, strict)

    def read(self, request: Request) -> str:
        """Read the value a browser sent; empty when it is none of ours."""
        value = request.cookies.get(self.name, "")
        return value if _COOKIE.fullmatch(value) else ""

    def put(
        self, response: Response, value: str, *, seconds: int | None = None
    ) -> None:
        """Give a browser a value; it forgets it after a time, or when it is closed."""
        response.set_cookie(
            self.name,
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="strict" if self.strict else "lax",
        )

    def drop(self, response: Response) -> None:
        """Let a browser forget."""
        response.delete_cookie(
            self.name, path="/", secure=self.secure, httponly=True, samesite="lax"
        )


def new_value() -> str:
    """Draw the value of a cookie: 256 bits."""
    return secrets.token_urlsafe(32)


def hashed(value: str) -> str:
    """Hash the value of a cookie, as it is stored."""
    return hashlib.sha256(value.encode()).hexdigest()


def token(key: Key, cookie: str) -> str:
    """Make what a form must bring back to have come from this browser."""
    return key.sign("form", hashed(cookie))


def genuine(request: Request, key: Key, cookie: str, given: str) -> bool:
    """Whether a form was opened here, in this browser, and was sent from here.

    The token alone decides that; what browsers say of where a form came from may only
    refuse it. Under the referrer policy ``no-referrer`` they say ``Origin: null``, and
    a proxy may take the port away.
    """
    if not _from_here(request):
        return False
    wanted = token(key, cookie).encode()
    return bool(cookie) and hmac.compare_digest(given.encode(), wanted)


def _from_here(request: Request) -> bool:
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin", "null")
    return origin == "null" or _host(origin) == _host(
        f"//{request.headers.get('host', '')}"
    )


def _host(address: str) -> str | None:
    """Read the host of an address; None for what is no address."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def elsewhere(request: Request) -> bool:
    """Whether a browser says that another site led to a request."""
    return request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}


def page_key(key: Key, response: int, page: str) -> str:
    """Make the key of a page as it is shown: sent twice, it is stored once."""
    nonce, shown = secrets.token_hex(16), int(time.time() * 1000)
    return f"{nonce}.{shown}.{_seal(key, response, page, nonce, str(shown))}"


def open_key(
    key: Key, response: int, page: str, given: str
) -> tuple[str, float | None]:
    """Read a page key: what makes the page single, and how long it was open.

    The time is None when the clock was set back meanwhile. An empty first part stands
    for a key that was not made here, for this person and page.
    """
    parts = given.split(".")
    if len(parts) != 3 or not re.fullmatch(r"\d{1,15}", parts[1]):  # noqa: PLR2004
        return "", None
    nonce, shown, seal = parts
    wanted = _seal(key, response, page, nonce, shown)
    if not hmac.compare_digest(seal.encode(), wanted.encode()):
        return "", None
    seconds = time.time() - int(shown) / 1000
    return nonce, round(seconds, 1) if 0 <= seconds <= _OPEN else None


def _seal(key: Key, response: int, page: str, nonce: str, shown: str) -> str:
    return key.sign("page", f"{response}|{page}|{nonce}|{shown}")[:32]


@dataclass(slots=True)
class Limiter:
    """Counts tries in a window of time; kept in memory only, addresses as hashes.

    No address can lock another out; what succeeded is taken back, which resets nothing.

    Attributes
    ----------
    each
        Tries from one address (of IPv6: one network) in a window.
    window
        Its length in seconds.
    local
        Whether this machine itself is counted: behind a proxy that does not say whom
        it serves everyone seems to be there.
    """

    each: int
    window: float = 300.0
    local: bool = True
    _counts: dict[str, int] = field(default_factory=dict)
    _salt: str = field(default_factory=lambda: secrets.token_hex(16))
    _until: float = 0.0

    def allows(self, request: Request, browser: str = "") -> bool:
        """Count a try, and say whether it may go on.

        A `browser` that is known by its cookie is counted by itself, so that it may
        share an address with anyone.
        """
        moment = time.monotonic()
        if moment >= self._until:
            self._counts.clear()
            self._salt = secrets.token_hex(16)
            self._until = moment + self.window
        place = browser or _network(request)
        if not place and not self.local:
            return True
        name = self._name(place)
        count = self._counts.pop(name, 0)
        allowed = count < self.each
        self._counts[name] = count + allowed
        if len(self._counts) > _REMEMBERED:
            del self._counts[next(iter(self._counts))]
        return allowed

    def forgive(self, request: Request, browser: str = "") -> None:
        """Take back a try that succeeded."""
        name = self._name(browser or _network(request))
        if self._counts.get(name):
            self._counts[name] -= 1

    def _name(self, place: str) -> str:
        return hashlib.sha256(f"{self._salt}{place}".encode()).hexdigest()


def _network(request: Request) -> str:
    """Name the network a request came from; empty for this machine."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            prefix = (int(address) >> _INTERFACE) << _INTERFACE
            return "" if address.is_loopback else f"{prefix:x}"
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)
