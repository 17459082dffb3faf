"""What erased answers leave in the files of a database, removed in the background."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool

from survey.errors import StoreError
from survey.store.erasure import sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

_LOG = logging.getLogger("pushaway.survey")
#: Seconds between tries: about an hour, then the next start or erasure tries again.
PAUSES: Final = (1, 2, 5, 10, 20, 60, 120, 300, 600, 900, 1500)


class Traces:
    """Removes traces at once, or keeps trying while someone reads an older state."""

    def __init__(self, engine: sa.Engine, pauses: Sequence[float] = PAUSES) -> None:
        self._engine = engine
        self._pauses = pauses
        self._task: asyncio.Task[None] | None = None

    @property
    def left(self) -> bool:
        """Whether it is still trying."""
        return self._task is not None and not self._task.done()

    async def begin(self) -> None:
        """Remove what an earlier process may have left in the log of SQLite."""
        if self._engine.dialect.name == "sqlite":
            await self.remove()

    async def remove(self) -> bool:
        """Remove traces; False if that takes longer, and goes on by itself."""
        if await self._swept():
            return True
        # What was erased last has the whole time before it.
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._trying())
        return False

    async def close(self) -> None:
        """Stop trying."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _trying(self) -> None:
        for pause in self._pauses:
            await asyncio.sleep(pause)
            if await self._swept():
                return
        _LOG.warning(
            "database: someone reads an older state of it all the time, so traces of "
            "erased answers may stand in its files. Close that program; they go at the "
            "next start or erasure."
        )

    async def _swept(self) -> bool:
        try:
            return await run_in_threadpool(sweep, self._engine)
        except StoreError as error:
            _LOG.error("%s", error)
            return False
