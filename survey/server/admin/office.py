"""What the researcher's pages work with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool

from survey.server.crowd import Crowd
from survey.server.guard import Cookie, Limiter
from survey.store.database import reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from survey.store.codes import Key

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Office:
    """The database, its key, and how researchers are known.

    Attributes
    ----------
    engine, key
        The database and the key of its codes.
    survey
        Address of the public survey, without a slash at the end.
    cookie
        The cookie that stands for a researcher.
    browser
        The cookie that says a researcher logged in here before.
    tries
        Counts tries of passwords by address; none of its counts come from the public
        survey.
    crowd, hashing
        Let one password of unknown browsers, and one of known ones, be checked at a
        time: each takes 64 MiB.
    """

    engine: sa.Engine
    key: Key
    survey: str
    cookie: Cookie
    browser: Cookie
    tries: Limiter = field(default_factory=lambda: Limiter(each=10))
    crowd: Crowd = field(default_factory=Crowd)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Read from the database, without holding up other requests."""

        def go() -> T:
            with reading(self.engine) as connection:
                return work(connection)

        return await run_in_threadpool(go)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Write to the database; returns when it is on the disk."""

        def go() -> T:
            with writing(self.engine) as connection:
                return work(connection)

        return await run_in_threadpool(go)
