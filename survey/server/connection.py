"""One connection to the web server, which nobody holds for as long as they like.

uvicorn ends a connection that is idle after an answer, but waits for ever for the rest
of a request's head, and for somebody to read an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

#: Seconds for the head of a request, counted from the connection or the last answer; an
#: idle connection ends earlier.
HEAD: Final = 20.0
#: Seconds from the head of a request until its answer was taken: a large export may be
#: fetched over a slow line.
ANSWER: Final = 300.0


class Connection(H11Protocol):
    """Speaks HTTP/1.1 and ends what lasts too long, however busy it looks."""

    _timer: asyncio.TimerHandle | None = None
    _phase: tuple[RequestResponseCycle | None, bool] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Begin to count."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Count on: more of the same head gives no more time."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Begin to count for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no longer."""
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self) -> None:
        """Count anew where a head was read, or an answer was taken."""
        answering = self.cycle is not None and not self.cycle.response_complete
        phase = (self.cycle, answering)
        if phase == self._phase:
            return
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
        if answering:
            self._timer = self.loop.call_later(ANSWER, self.transport.abort)
        else:
            self._timer = self.loop.call_later(HEAD, self._end)

    def _end(self) -> None:
        """End a connection on which no request arrives, unless an answer is on it."""
        if self.transport.get_write_buffer_size():
            self._timer = self.loop.call_later(ANSWER, self.transport.abort)
        else:
            self.transport.abort()
