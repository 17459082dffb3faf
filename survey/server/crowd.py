"""Tries of passwords: guessing is made slow, and nobody is locked out by others.

A browser in which somebody logged in before has a cookie that says so, for one name;
it passes the crowd of unknown browsers by. In the crowd a limited number waits in line,
and one password is checked after another, so that a flood takes neither memory nor
processor from the survey.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from survey.store.codes import Key

#: Characters of the random part of a cookie, and of its signature: 120 and 92 bits.
_NONCE: Final = 20
_SEAL: Final = 23
#: Failed tries for one name, and for all names, after which a try has to wait.
_FREE: Final = 10
_FREE_OF_ALL: Final = 100
#: Seconds that each failed try adds to the wait, and the longest wait.
_STEP: Final = 0.25
_STEP_OF_ALL: Final = 0.05
_LONGEST: Final = 4.0
#: Seconds between two checks when very many failed: people wait in line with those who
#: guess, and the processor is left to the survey.
_PACE: Final = 0.15
#: Names whose failed tries are remembered.
_REMEMBERED: Final = 10_000


class CrowdedError(Exception):
    """So many wait that another must come back later."""


@dataclass(slots=True)
class Crowd:
    """Those who try a password from a browser nobody knows.

    What is said of a name does not depend on whether there is a researcher of it.

    Attributes
    ----------
    places
        Tries that may wait or be checked at a time.
    window
        Seconds after which failed tries are forgotten.
    """

    places: int = 100
    window: float = 300.0
    _inside: int = 0
    _failed: dict[str, int] = field(default_factory=dict)
    _total: int = 0
    _until: float = 0.0
    _salt: str = field(default_factory=lambda: secrets.token_hex(16))
    _checking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for the turn of a try.

        Raises
        ------
        CrowdedError
            If every place is taken.
        """
        if self._inside >= self.places:
            raise CrowdedError
        self._inside += 1
        try:
            await asyncio.sleep(self.wait(name))
            async with self._checking:
                yield
                if self._total > _FREE_OF_ALL:
                    await asyncio.sleep(_PACE)
        finally:
            self._inside -= 1

    def wait(self, name: str) -> float:
        """Seconds that a try of a name waits, given those that failed before."""
        self._begin()
        mine = self._failed.get(self._hashed(name), 0) - _FREE
        every = self._total - _FREE_OF_ALL
        return max(0.0, min(_LONGEST, max(mine * _STEP, every * _STEP_OF_ALL)))

    def failed(self, name: str) -> int:
        """Count a try that failed, and say how many there were of all names."""
        self._begin()
        hashed = self._hashed(name)
        self._failed[hashed] = self._failed.pop(hashed, 0) + 1
        self._total += 1
        if len(self._failed) > _REMEMBERED:
            del self._failed[next(iter(self._failed))]
        return self._total

    def _begin(self) -> None:
        moment = time.monotonic()
        if moment >= self._until:
            self._failed.clear()
            self._total = 0
            self._until = moment + self.window

    def _hashed(self, name: str) -> str:
        return hashlib.sha256(f"{self._salt}{name}".encode()).hexdigest()


def mark(key: Key, name: str) -> str:
    """Make the value of a cookie that says: here `name` logged in."""
    nonce = secrets.token_urlsafe(15)
    return nonce + _seal(key, nonce, name)


def marked(key: Key, value: str, name: str) -> bool:
    """Whether the value of a cookie was made for `name`."""
    seal = _seal(key, value[:_NONCE], name)
    return hmac.compare_digest(value[_NONCE:].encode(), seal.encode())


def _seal(key: Key, nonce: str, name: str) -> str:
    return key.sign("browser", f"{nonce}|{name}")[:_SEAL]
